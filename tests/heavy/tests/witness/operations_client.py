"""Makes calls with Google's own client for Python and tells what they gave.

Input: `{"url": "http://127.0.0.1:80", "calls": [{"method": "get_operation", "name": …}, …]}`.
Output: what each call gave, an object with `error`, `operation`, `pages` or nothing.
"""

import json
import sys
from base64 import b64encode

from google.api_core import exceptions
from google.api_core.operations_v1 import AbstractOperationsClient, OperationsRestTransport
from google.auth.credentials import AnonymousCredentials
from google.longrunning import operations_pb2
from google.protobuf import any_pb2, json_format

# The parser knows the types of an Any once they are imported.
from google.protobuf import duration_pb2, empty_pb2, field_mask_pb2  # noqa: F401
from google.protobuf import struct_pb2, timestamp_pb2, wrappers_pb2  # noqa: F401
from google.rpc import error_details_pb2, status_pb2  # noqa: F401


def main():
    order = json.load(sys.stdin.buffer)
    # The scheme goes with the host: the transport takes `url_scheme` and ignores it.
    transport = OperationsRestTransport(host=order["url"], credentials=AnonymousCredentials())
    client = AbstractOperationsClient(transport=transport)
    json.dump([perform(client, **call) for call in order["calls"]], sys.stdout)


def perform(client, method, **arguments):
    # Without a retry: what the server says is to be seen, not what comes of it.
    call = getattr(client, method)
    try:
        return describe(call(**arguments, retry=None, timeout=30))
    except exceptions.GoogleAPICallError as error:
        return {"error": describe_error(error)}


def describe(result):
    if result is None:
        return {}
    if isinstance(result, operations_pb2.Operation):
        return {"operation": describe_operation(result)}
    pages = [[describe_operation(item) for item in page.operations] for page in result.pages]
    return {"pages": pages}


def describe_operation(operation):
    return {
        "json": json_format.MessageToDict(operation),
        "bytes": base64(operation.SerializeToString(deterministic=True)),
    }


def describe_error(error):
    return {
        "class": type(error).__name__,
        "http": error.code,
        "code": error.grpc_status_code and error.grpc_status_code.name,
        "message": error.message,
        "reason": error.reason,
        "domain": error.domain,
        "metadata": error.metadata,
        "details": [describe_detail(detail) for detail in error.details],
    }


def describe_detail(detail):
    message = json_format.ParseDict(detail, any_pb2.Any())
    return {"type": message.TypeName(), "bytes": base64(message.value)}


def base64(data):
    return b64encode(data).decode()


if __name__ == "__main__":
    main()
