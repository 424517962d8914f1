"""Compares methods and messages with the discovery documents in google-api-python-client.

Input: `{"starts": [[document, verb, path], …], "messages": [[document, message, [field, …]], …]}`. Output: what is
different, and how many of both were compared. A message has the name of its .proto or that of its schema.
"""

import importlib.util
import json
import re
import sys
from functools import cache
from pathlib import Path


def main():
    given = json.load(sys.stdin)
    differences, starts, messages = [], 0, 0
    for name, verb, path in given["starts"]:
        starts += 1
        if (verb, plain(path)) not in methods(name):
            differences.append(f"{name}: no {verb} {path}")
    for name, message, fields in given["messages"]:
        schema = find_schema(document(name)["schemas"], message)
        if schema is None:
            continue  # Documents have no types that only responses and metadata of operations have.
        messages += 1
        unknown = sorted(set(fields) - set(schema.get("properties", {})))
        differences += [f"{name}: `{message}` has no field `{field}`" for field in unknown]
    json.dump({"differences": differences, "starts": starts, "messages": messages}, sys.stdout)


@cache
def document(name):
    # Without an import, which would need the dependencies of the package.
    folder = Path(importlib.util.find_spec("googleapiclient").submodule_search_locations[0])
    return json.loads((folder / "discovery_cache/documents" / f"{name}.json").read_text())


@cache
def methods(name):
    whole = document(name)
    found = set()

    def walk(part):
        for method in part.get("methods", {}).values():
            for path in (method["path"], method.get("flatPath", method["path"])):
                found.add((method["httpMethod"], plain("/" + whole["servicePath"] + path)))
        for inner in part.get("resources", {}).values():
            walk(inner)

    walk(whole)
    return found


def plain(path):
    """One form for `{name=projects/*}`, `{+name}` and `projects/{projectsId}`."""
    path = re.sub(r"\{\w+=([^}]*)\}", r"\1", path)
    path = re.sub(r"\{\+?\w+\}", "*", path)
    return path.replace("**", "*")


def find_schema(schemas, message):
    parts = message.split(".")
    joined = "".join(part[:1].upper() + part[1:] for part in parts)
    for name in (message, joined, parts[-1], "".join(parts[-2:])):
        if name in schemas:
            return schemas[name]
    return None


if __name__ == "__main__":
    main()
