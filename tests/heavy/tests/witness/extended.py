"""Reads operations of Compute Engine as google-cloud-compute does, and tells what they are."""

import json
import sys

from google.api_core import exceptions, extended_operation
from google.cloud import compute_v1


class Operation(extended_operation.ExtendedOperation):
    """As the generated clients define it."""

    @property
    def error_message(self):
        return self._extended_operation.http_error_message

    @property
    def error_code(self):
        return self._extended_operation.http_error_status_code


def read(body):
    message = compute_v1.Operation.from_json(json.dumps(body), ignore_unknown_fields=True)
    operation = Operation.make(lambda: message, lambda: None, message)
    if not operation.done():
        return {"done": False}
    error = operation.exception(timeout=0)
    if error is None:
        return {"done": True}
    code = error.code if isinstance(error, exceptions.GoogleAPICallError) else None
    return {"done": True, "code": code and int(code), "message": str(error)}


json.dump([read(body) for body in json.load(sys.stdin)], sys.stdout)
