"""Says the configuration that comes with Google's gRPC client."""

import json
import sys

from google.api_core.operations_v1 import operations_client_config

json.load(sys.stdin)
json.dump(operations_client_config.config, sys.stdout)
