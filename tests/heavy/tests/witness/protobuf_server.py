"""Serves operations over HTTP that protobuf's own `json_format` writes, in several spellings.

Says first, in one line of JSON, where it listens and what it serves: for each operation its name,
its JSON, its bytes, and its response on its own; the texts of the list pages; and the bytes of the
details that come with the error of `GET /v1/operations/broken`. With `alt=proto` it answers with the
bytes instead, and pages of other sizes. Ends when its input does.
"""

import json
import sys
from base64 import b64decode, b64encode
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs, urlsplit

from google.longrunning import operations_pb2
from google.protobuf import any_pb2, duration_pb2, empty_pb2, field_mask_pb2, json_format
from google.protobuf import struct_pb2, timestamp_pb2, wrappers_pb2
from google.rpc import error_details_pb2, status_pb2
from google.type import datetime_pb2, money_pb2


def pack(message, host="type.googleapis.com"):
    packed = any_pb2.Any()
    packed.Pack(message, type_url_prefix=host, deterministic=True)
    return packed


def parse(message, value):
    return json_format.ParseDict(value, message)


SEVERAL = "\x00\t\"\\/\u007f\u2028 ünïcode 漢字 \U0001f980 e\u0301"

DETAILS = {
    "bad-request": error_details_pb2.BadRequest(
        field_violations=[
            {
                "field": "a.b[0]",
                "description": SEVERAL,
                "reason": "TOO_BIG",
                "localized_message": {"locale": "de-CH", "message": "zu gross"},
            },
            {},
        ]
    ),
    "debug-info": error_details_pb2.DebugInfo(stack_entries=["a", "", "b"], detail=SEVERAL),
    "error-info": error_details_pb2.ErrorInfo(
        reason="STOCKOUT", domain="spanner.googleapis.com", metadata={SEVERAL: "attachment"}
    ),
    "help": error_details_pb2.Help(links=[{"description": "x", "url": "https://x/?a=b&c"}]),
    "localized-message": error_details_pb2.LocalizedMessage(locale="fr", message="été"),
    "precondition-failure": error_details_pb2.PreconditionFailure(
        violations=[{"type": "TOS", "subject": "google.com/cloud", "description": "not accepted"}]
    ),
    "quota-failure": error_details_pb2.QuotaFailure(
        violations=[
            {
                "subject": "project:p",
                "description": "too many",
                "api_service": "compute.googleapis.com",
                "quota_metric": "cpus",
                "quota_id": "CPUS-per-region",
                "quota_dimensions": {"region": "us-central1"},
                "quota_value": -(2**63),
                "future_quota_value": 2**63 - 1,
            },
            {"quota_value": 7, "future_quota_value": 0},
        ]
    ),
    "request-info": error_details_pb2.RequestInfo(request_id="7", serving_data="x"),
    "resource-info": error_details_pb2.ResourceInfo(
        resource_type="t", resource_name="n", owner="o", description="d"
    ),
    "retry-info": error_details_pb2.RetryInfo(retry_delay={"seconds": 7, "nanos": 250_000_000}),
}

MESSAGES = {
    **DETAILS,
    "details-without-fields": error_details_pb2.QuotaFailure(),
    "status": status_pb2.Status(
        code=8, message=SEVERAL, details=[pack(detail) for detail in DETAILS.values()]
    ),
    "duration": duration_pb2.Duration(seconds=3, nanos=500_000_000),
    "duration-zero": duration_pb2.Duration(),
    "duration-micros": duration_pb2.Duration(seconds=-1, nanos=-1_000),
    "duration-negative": duration_pb2.Duration(nanos=-1),
    "duration-min": duration_pb2.Duration(seconds=-315_576_000_000),
    "duration-max": duration_pb2.Duration(seconds=315_576_000_000),
    "timestamp": timestamp_pb2.Timestamp(seconds=1_700_000_000, nanos=123_000_000),
    "timestamp-zero": timestamp_pb2.Timestamp(),
    "timestamp-before-1970": timestamp_pb2.Timestamp(seconds=-1, nanos=999_999_000),
    "timestamp-leap-day": timestamp_pb2.Timestamp(seconds=951_782_400),
    "timestamp-first": timestamp_pb2.Timestamp(seconds=-62_135_596_800),
    "timestamp-last": timestamp_pb2.Timestamp(seconds=253_402_300_799, nanos=999_999_999),
    "bool": wrappers_pb2.BoolValue(value=True),
    "bool-default": wrappers_pb2.BoolValue(),
    "int32-min": wrappers_pb2.Int32Value(value=-(2**31)),
    "int32-max": wrappers_pb2.Int32Value(value=2**31 - 1),
    "uint32-max": wrappers_pb2.UInt32Value(value=2**32 - 1),
    "int64-min": wrappers_pb2.Int64Value(value=-(2**63)),
    "int64-max": wrappers_pb2.Int64Value(value=2**63 - 1),
    "int64-odd": wrappers_pb2.Int64Value(value=2**53 + 1),
    "int64-default": wrappers_pb2.Int64Value(),
    "uint64-max": wrappers_pb2.UInt64Value(value=2**64 - 1),
    "uint64-even": wrappers_pb2.UInt64Value(value=2**63),
    "float-max": wrappers_pb2.FloatValue(value=3.4028234663852886e38),
    "float-least-normal": wrappers_pb2.FloatValue(value=1.1754943508222875e-38),
    "float-third": wrappers_pb2.FloatValue(value=1 / 3),
    "float-infinity": wrappers_pb2.FloatValue(value=float("inf")),
    "double-max": wrappers_pb2.DoubleValue(value=1.7976931348623157e308),
    "double-least": wrappers_pb2.DoubleValue(value=5e-324),
    "double-third": wrappers_pb2.DoubleValue(value=1 / 3),
    "double-whole": wrappers_pb2.DoubleValue(value=1e22),
    "double-minus-infinity": wrappers_pb2.DoubleValue(value=float("-inf")),
    "double-nan": wrappers_pb2.DoubleValue(value=float("nan")),
    "string": wrappers_pb2.StringValue(value=SEVERAL),
    "string-default": wrappers_pb2.StringValue(),
    "bytes": wrappers_pb2.BytesValue(value=bytes(range(256))),
    "bytes-default": wrappers_pb2.BytesValue(),
    "struct": parse(
        struct_pb2.Struct(),
        {"": None, "@type": "not a type", "b": [1.5, {"c": [[]]}], SEVERAL: True, "z": -7},
    ),
    "struct-default": struct_pb2.Struct(),
    "value-null": struct_pb2.Value(null_value=0),
    "value-number": struct_pb2.Value(number_value=1e300),
    "value-string": struct_pb2.Value(string_value=SEVERAL),
    "value-struct": parse(struct_pb2.Value(), {"a": {"b": False}}),
    "value-list": parse(struct_pb2.Value(), [None, {}, "", 0]),
    "list": parse(struct_pb2.ListValue(), [None, True, 0.1, "x", [], {"k": []}]),
    "list-default": struct_pb2.ListValue(),
    "field-mask": field_mask_pb2.FieldMask(paths=["a", "foo_bar.baz_qux", "x.y"]),
    "field-mask-default": field_mask_pb2.FieldMask(),
    "empty": empty_pb2.Empty(),
    "any": pack(duration_pb2.Duration(seconds=9)),
    "any-of-detail": pack(DETAILS["error-info"], host="example.com/types"),
    "any-of-any": pack(pack(pack(wrappers_pb2.UInt64Value(value=2**64 - 1)))),
    # Types that a program may not know.
    "money": money_pb2.Money(currency_code="CHF", units=-(2**63), nanos=-990_000_000),
    "date-time": datetime_pb2.DateTime(year=2025, utc_offset={"seconds": -3600}),
    "operation": operations_pb2.Operation(name="operations/1", error={"code": 5}),
}

SPELLINGS = {
    "plain": {},
    "compact": {"indent": None, "ensure_ascii": False},
    "defaults": {"indent": None, "always_print_fields_with_no_presence": True},
    "snake": {"preserving_proto_field_name": True, "sort_keys": True},
    "numbers": {"indent": None, "unquote_int64_if_possible": True},
}

# Only for the text, not for the values in it.
TEXT_OPTIONS = {"indent", "ensure_ascii", "sort_keys"}

PAGE_SIZE = 25


def operations():
    """Yields operations with the name of their spelling; those without a response are failures."""
    for spelling in SPELLINGS:
        for name, message in MESSAGES.items():
            packed = pack(message)
            yield spelling, message, operations_pb2.Operation(
                name=f"operations/{name}.{spelling}", metadata=packed, done=True, response=packed
            )
        failed = operations_pb2.Operation(
            name=f"operations/failed.{spelling}", done=True, error=MESSAGES["status"]
        )
        yield spelling, None, failed


def case(spelling, message, operation):
    options = SPELLINGS[spelling]
    return {
        "name": operation.name,
        "json": json_format.MessageToJson(operation, **options),
        "bytes": base64(operation),
        "message": None if message is None else describe(message, options),
    }


def describe(message, options):
    options = {key: options[key] for key in options.keys() - TEXT_OPTIONS}
    return {
        "type": message.DESCRIPTOR.full_name,
        "bytes": base64(message),
        "json": json_format.MessageToDict(message, **options),
    }


def list_pages():
    """Gives the pages by their tokens; each is in one of the spellings."""
    everything = [operation for _, _, operation in operations()]
    spellings = list(SPELLINGS.values())
    pages = {}
    for start in range(0, len(everything), PAGE_SIZE):
        end = start + PAGE_SIZE
        page = operations_pb2.ListOperationsResponse(
            operations=everything[start:end],
            next_page_token=str(end) if end < len(everything) else "",
        )
        spelling = spellings[len(pages) % len(spellings)]
        pages[str(start)] = json_format.MessageToJson(page, **spelling)
    return pages


def binary_page(token):
    """Gives the page of seven that a token stands for, as bytes."""
    everything = [operation for _, _, operation in operations()]
    start, end = int(token), int(token) + 7
    page = operations_pb2.ListOperationsResponse(
        operations=everything[start:end],
        next_page_token=str(end) if end < len(everything) else "",
        unreachable=["projects/p/locations/l"],
    )
    return page.SerializeToString()


def error_body():
    status = json_format.MessageToDict(MESSAGES["status"])
    return json.dumps({"error": {**status, "code": 429, "status": "RESOURCE_EXHAUSTED"}})


def base64(message):
    return b64encode(message.SerializeToString(deterministic=True)).decode()


def main():
    cases = [case(*operation) for operation in operations()]
    pages = list_pages()
    texts = {f"/v1/{case['name']}": case["json"] for case in cases}
    binary = {f"/v1/{case['name']}": b64decode(case["bytes"]) for case in cases}

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            url = urlsplit(self.path)
            query = parse_qs(url.query)
            token = query.get("pageToken", ["0"])[0]
            if query.get("alt") == ["proto"]:
                if url.path == "/v1/operations":
                    self.answer_bytes(200, binary_page(token))
                elif url.path == "/v1/operations/broken":
                    self.answer_bytes(429, MESSAGES["status"].SerializeToString())
                else:
                    self.answer_bytes(200, binary[url.path])
            elif url.path == "/v1/operations":
                self.answer(200, pages[token])
            elif url.path == "/v1/operations/broken":
                self.answer(429, error_body())
            else:
                self.answer(200, texts[url.path])

        def answer(self, status, text):
            self.send(status, "application/json; charset=UTF-8", text.encode())

        def answer_bytes(self, status, body):
            self.send(status, "application/x-protobuf", body)

        def send(self, status, content_type, body):
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    said = {
        "url": f"http://127.0.0.1:{server.server_port}",
        "cases": cases,
        "pages": list(pages.values()),
        "details": [describe(detail, {}) for detail in DETAILS.values()],
    }
    print(json.dumps(said), flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
