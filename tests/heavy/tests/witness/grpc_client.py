"""Makes calls with Google's own gRPC client for Python and tells what they gave.

Input: `{"target": "127.0.0.1:80", "calls": [{"method": "get_operation", "name": …}, …]}`.
Output: what each call gave, an object with `error`, `operation`, `pages` or nothing. A wait goes through the stub: the
client has no method for it.
"""

import json
import sys
from base64 import b64encode

import grpc
from google.api_core import exceptions, grpc_helpers
from google.api_core.operations_v1 import OperationsClient
from google.longrunning import operations_pb2, operations_pb2_grpc
from google.protobuf import duration_pb2


def main():
    order = json.load(sys.stdin)
    with grpc.insecure_channel(order["target"]) as channel:
        json.dump([perform(channel, **call) for call in order["calls"]], sys.stdout)


def perform(channel, method, name, timeout_of_wait=None, **arguments):
    # Without a retry: what the server says is to be seen, not what comes of it.
    try:
        if method == "wait_operation":
            stub = operations_pb2_grpc.OperationsStub(channel)
            wait = duration_pb2.Duration(seconds=timeout_of_wait)
            request = operations_pb2.WaitOperationRequest(name=name, timeout=wait)
            return describe(grpc_helpers.wrap_errors(stub.WaitOperation)(request, timeout=30))
        call = getattr(OperationsClient(channel), method)
        if method == "list_operations":
            arguments.setdefault("filter_", "")
        return describe(call(name, retry=None, timeout=30, **arguments))
    except exceptions.GoogleAPICallError as error:
        return {"error": describe_error(error)}


def describe(result):
    if result is None:
        return {}
    if isinstance(result, operations_pb2.Operation):
        return {"operation": base64(result)}
    return {"operations": [base64(item) for item in result]}


def describe_error(error):
    return {
        "code": error.grpc_status_code.value[0],
        "message": error.message,
        "details": [f"{type(detail).__module__}.{type(detail).__name__}" for detail in error.details],
        "reason": error.reason,
    }


def base64(message):
    return b64encode(message.SerializeToString(deterministic=True)).decode()


if __name__ == "__main__":
    main()
