"""Says what Google's client for Python has: each public method with its parameters, a line each."""

import inspect
import json
import sys
from abc import ABCMeta

from google.api_core import client_options, operation, operation_async, operations_v1, retry


def main():
    json.load(sys.stdin)
    lines = []
    for name in sorted(operations_v1.__all__):
        lines += class_lines(name, getattr(operations_v1, name))
    lines += class_lines("ClientOptions", client_options.ClientOptions)
    for module in (operation, operation_async):
        lines += module_lines(module.__name__.rpartition(".")[2], module)
    lines += class_lines("retry.Retry", retry.Retry)
    json.dump(lines, sys.stdout)


def module_lines(label, module):
    for name, member in sorted(vars(module).items()):
        if name.startswith("_") or getattr(member, "__module__", None) != module.__name__:
            continue
        if inspect.isclass(member):
            yield from class_lines(f"{label}.{name}", member)
        else:
            yield line(f"{label}.{name}", member)


def class_lines(label, cls):
    yield line(label, cls)
    # `get_transport_class` is a method of the metaclass.
    of_metaclass = set(dir(type(cls))) - set(dir(type)) - set(dir(ABCMeta))
    for name in sorted({*dir(cls), *of_metaclass}):
        if not name.startswith("_"):
            yield line(f"{label}.{name}", getattr(cls, name))


def line(label, member):
    return " ".join([label, *(parameters(member) if callable(member) else [])])


def parameters(member):
    for parameter in inspect.signature(member).parameters.values():
        if parameter.name == "self" or parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            continue
        yield parameter.name


if __name__ == "__main__":
    main()
