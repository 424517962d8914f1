"""Serves google.longrunning.Operations with grpcio until the input ends, and says what it was asked.

Argument: `{"options": {"grpc.…": 1}, "key": pem, "certificate": pem, "clients": pem, "compress": true}`, all optional;
`clients` is the authority of the client certificates that are required then.
First line of output: `{"port": 80}`. What an operation does goes by its name:

- `operations/seen`: its metadata is a Struct that tells how it was asked for; as the parent of a listing, the one
  operation does; `operations/calls`: all calls so far, in the same form.
- `operations/fail/N`: fails with code N; `operations/explain/N` the same, with details.
- `operations/flaky/…`: UNAVAILABLE with a RetryInfo at first, then done.
- `operations/sleep/N`: takes N milliseconds; `operations/big/N`: lists a page of N bytes.
- `operations/zip/…`: compresses the answer.
- `operations/reset`: cancelling it brings the stored operations back.
- All others are stored, or not found.
"""

import json
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import grpc
from google.longrunning import operations_pb2, operations_pb2_grpc
from google.protobuf import any_pb2, duration_pb2, empty_pb2, struct_pb2, wrappers_pb2
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status

PARENT = "projects/p/locations/l"
EPOCH = time.monotonic()


def main():
    order = json.loads(sys.argv[1])
    compression = grpc.Compression.Gzip if order.get("compress") else None
    options = [("grpc.so_reuseport", 0), *order.get("options", {}).items()]
    server = grpc.server(ThreadPoolExecutor(8), options=options, compression=compression)
    operations_pb2_grpc.add_OperationsServicer_to_server(Operations(), server)
    if "key" in order:
        pair = (order["key"].encode(), order["certificate"].encode())
        clients = order["clients"].encode() if "clients" in order else None
        port = server.add_secure_port(
            "127.0.0.1:0", grpc.ssl_server_credentials([pair], clients, clients is not None)
        )
    else:
        port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(json.dumps({"port": port}), flush=True)
    sys.stdin.read()
    server.stop(None)


class Operations(operations_pb2_grpc.OperationsServicer):
    def __init__(self):
        self.stored = stored()
        self.calls = []
        self.failures = Counter()

    def GetOperation(self, request, context):
        return self.answer("GetOperation", request, context)

    def WaitOperation(self, request, context):
        return self.answer("WaitOperation", request, context)

    def ListOperations(self, request, context):
        seen = self.take("ListOperations", request, context)
        kind, _, argument = request.name.removeprefix("operations/").partition("/")
        if kind == "seen":
            return operations_pb2.ListOperationsResponse(operations=[telling(request.name, seen)])
        if kind == "big":
            return page(int(argument))
        done = request.filter == "done = true"
        found = [item for item in self.stored.values() if item.done or not done]
        start = int(request.page_token or 0)
        end = start + (request.page_size or len(found))
        token = str(end) if end < len(found) else ""
        return operations_pb2.ListOperationsResponse(operations=found[start:end], next_page_token=token)

    def CancelOperation(self, request, context):
        self.take("CancelOperation", request, context)
        if request.name == "operations/reset":
            self.stored = stored()
        elif request.name != "operations/seen":
            operation = self.find(request.name, context)
            operation.done = True
            operation.error.CopyFrom(status_pb2.Status(code=1, message="cancelled"))
        return empty_pb2.Empty()

    def DeleteOperation(self, request, context):
        self.take("DeleteOperation", request, context)
        if request.name != "operations/seen":
            self.find(request.name, context)
            del self.stored[request.name]
        return empty_pb2.Empty()

    def answer(self, method, request, context):
        name = request.name
        seen = self.take(method, request, context)
        kind, _, argument = name.removeprefix("operations/").partition("/")
        if kind == "seen":
            return telling(name, seen)
        if kind == "calls":
            return telling(name, {"calls": self.calls})
        if kind == "sleep":
            Event().wait(int(argument) / 1000)
            return operations_pb2.Operation(name=name, done=True)
        if kind == "flaky":
            self.failures[name] += 1
            if self.failures[name] == 1:
                context.abort_with_status(rpc_status.to_status(unavailable()))
            return operations_pb2.Operation(name=name, done=True)
        return self.find(name, context)

    def take(self, method, request, context):
        """Notes a call; fails it, or compresses its answer, where its name says so."""
        seen = {
            "method": method,
            "name": request.name,
            "at": time.monotonic() - EPOCH,
            "peer": context.peer(),
            "remaining": context.time_remaining(),
            "metadata": [[key, shown(value)] for key, value in context.invocation_metadata()],
        }
        if method == "WaitOperation":
            seen["timeout"] = request.timeout.ToTimedelta().total_seconds()
        if method == "ListOperations":
            seen["list"] = [request.filter, request.page_size, request.page_token]
        seen["auth"] = {key: [shown(value) for value in values] for key, values in context.auth_context().items()}
        self.calls.append(seen)
        # What was there when the call ended: whether the client had given it up.
        context.add_callback(lambda: seen.update(ended=time.monotonic() - EPOCH))
        kind, _, argument = request.name.removeprefix("operations/").partition("/")
        if kind != "sleep":  # Its answer begins when it is there.
            context.send_initial_metadata([("x-first", "1"), ("x-first-bin", b"\x00\xff")])
        context.set_trailing_metadata([("x-last", "1"), ("x-last-bin", b"\x00\xff" * 9)])
        if kind == "fail":
            context.abort(CODES[int(argument)], f"code {argument}: 100% zu spät\n")
        if kind == "explain":
            context.abort_with_status(rpc_status.to_status(explained(int(argument))))
        if kind == "zip":
            context.set_compression(grpc.Compression.Gzip)
        return seen

    def find(self, name, context):
        if name not in self.stored:
            if name.startswith("operations/zip/"):
                return operations_pb2.Operation(name=name, done=True, response=packed("z" * 10_000))
            context.abort(grpc.StatusCode.NOT_FOUND, f"operation `{name}` was not found")
        return self.stored[name]


def telling(name, seen):
    metadata = any_pb2.Any()
    struct = struct_pb2.Struct()
    struct.update(seen)
    metadata.Pack(struct)
    return operations_pb2.Operation(name=name, metadata=metadata)


def stored():
    error = explained(10)
    seconds = [duration_pb2.Duration(seconds=number, nanos=5_000_000) for number in range(6)]
    parts = [
        {"metadata": packed(seconds[1])},
        {"metadata": packed(seconds[2]), "done": True, "response": packed("ünïcode \U0001f980")},
        {"done": True, "error": error},
        {"metadata": packed(struct_pb2.Struct(fields={"a": struct_pb2.Value(number_value=1.5)}))},
        {"done": True, "response": packed(empty_pb2.Empty())},
    ]
    names = [f"{PARENT}/operations/{number}" for number in range(1, 6)]
    return {name: operations_pb2.Operation(name=name, **part) for name, part in zip(names, parts)}


def page(size):
    """As many operations of a kilobyte as fill a page, to the byte."""
    response = operations_pb2.ListOperationsResponse()
    text = packed("\U0001f980" * 230)
    while response.ByteSize() < size - 2000:
        response.operations.extend(
            operations_pb2.Operation(name=f"operations/{number:09}", done=True, response=text)
            for number in range(max(1, (size - response.ByteSize() - 2000) // 1100))
        )
    # Tag and length take one and two bytes.
    response.next_page_token = "t" * (size - response.ByteSize() - 3)
    assert response.ByteSize() == size
    return response


def explained(code):
    details = [
        error_details_pb2.ErrorInfo(reason="OUT_OF_SNAILS", domain="example.com", metadata={"zone": "w6"}),
        error_details_pb2.BadRequest(field_violations=[{"field": "name", "description": "zu früh"}]),
        error_details_pb2.DebugInfo(stack_entries=["x" * 3000]),
    ]
    return status_pb2.Status(code=code, message=f"code {code} → \U0001f40c", details=map(packed, details))


def unavailable():
    retry = error_details_pb2.RetryInfo(retry_delay=duration_pb2.Duration(nanos=150_000_000))
    return status_pb2.Status(code=14, message="soon", details=[packed(retry)])


def packed(value):
    message = wrappers_pb2.StringValue(value=value) if isinstance(value, str) else value
    packed = any_pb2.Any()
    packed.Pack(message)
    return packed


def shown(value):
    return value.hex() if isinstance(value, bytes) else value


CODES = {code.value[0]: code for code in grpc.StatusCode}


if __name__ == "__main__":
    main()
