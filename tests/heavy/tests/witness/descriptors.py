"""Turns messages of types that are only known by their descriptors into JSON and bytes.

Reads `{"set": base64 of a FileDescriptorSet, "messages": [JSON of an Any, …]}`; says for each message the
bytes that `json_format` makes of its JSON, and the JSON that it makes of those.
"""

import json
import sys
from base64 import b64decode, b64encode

from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory


def main():
    asked = json.load(sys.stdin)
    files = descriptor_pb2.FileDescriptorSet.FromString(b64decode(asked["set"]))
    pool = descriptor_pool.DescriptorPool()
    for file in files.file:
        pool.Add(file)
    any_class = message_factory.GetMessageClass(pool.FindMessageTypeByName("google.protobuf.Any"))
    said = []
    for text in asked["messages"]:
        message = json_format.Parse(text, any_class(), descriptor_pool=pool, ignore_unknown_fields=True)
        said.append(
            {
                "bytes": b64encode(message.SerializeToString(deterministic=True)).decode(),
                "json": json_format.MessageToDict(message, descriptor_pool=pool),
            }
        )
    json.dump(said, sys.stdout)


if __name__ == "__main__":
    main()
