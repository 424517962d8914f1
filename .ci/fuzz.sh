#!/usr/bin/env bash
# Fuzzes each target for some seconds: `.ci/fuzz.sh SECONDS [TARGET…]`.
#
# What a target finds is in `fuzz/artifacts/TARGET`. A failing input belongs into `fuzz/found/TARGET`, which a test runs.
set -euo pipefail
cd "$(dirname "$0")/../fuzz"
seconds=$1
shift
[[ $# -gt 0 ]] || set -- $(cd fuzz_targets && ls | sed 's/\.rs$//')

# Inputs that the tests of the workspace have anyway.
seed() {
  local corpus="corpus/$1"
  mkdir -p "$corpus" "seeds/$1" "found/$1"
  case $1 in
    credentials) cp ../tests/fixtures/keys/service_account.json "$corpus" ;;
    journal) cp ../tests/fixtures/journal/jobs.jsonl "$corpus" ;;
    scenario) cp ../lro/src/demo.json "$corpus" ;;
    operation_json | json_scan) cp ../tests/fixtures/python-requests.json "$corpus" ;;
  esac
}

for target; do
  seed "$target"
  printf -- '-- %s\n' "$target"
  log=$(mktemp)
  # There is no unsafe code for a sanitizer to check. Without one, cargo-fuzz needs no nightly toolchain.
  cargo fuzz run --sanitizer none "$target" "corpus/$target" "seeds/$target" "found/$target" \
    -- "-max_total_time=$seconds" -rss_limit_mb=2048 -timeout=30 -max_len=65536 -print_final_stats=1 >"$log" 2>&1 ||
    { tail -60 "$log"; exit 1; }
  grep -E 'number_of_executed_units|peak_rss' "$log"
done
