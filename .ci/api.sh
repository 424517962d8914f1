#!/usr/bin/env bash
# Compares the public interface with the listings in `docs/api`; `.ci/api.sh --bless` writes them.
#
# A difference is no error as such: it shows that the interface changes. Write the listings anew, and commit them with
# the change; the changelog names what users have to know.
set -euo pipefail
cd "$(dirname "$0")/.."
mkdir -p docs/api

# Paths inside the standard library differ between nightlies, so only the last name of each is listed. The order of lines
# follows from those paths, and the number of `impl` blocks of a type is no part of its interface, so listings are compared as sets.
# Newer nightlies say `never` for `Infallible`.
listing() {
  cargo +nightly public-api --omit blanket-impls,auto-trait-impls,auto-derived-impls "$@" 2>/dev/null |
    sed -E 's/\b(alloc|core|std)::([a-z0-9_]+::)+//g; s/<never>/<Infallible>/g'
}

differs=0
compare() {
  local file="docs/api/$1.txt" new
  new=$(mktemp)
  # 3: there is nothing to compare, because this nightly and cargo-public-api do not fit together.
  listing "${@:2}" >"$new" || exit 3
  if [[ ${bless-} ]]; then
    cp "$new" "$file"
  elif ! diff -U0 <(sort -u "$file") <(sort -u "$new"); then
    differs=1
  fi
  rm "$new"
}

[[ ${1-} != --bless ]] || bless=1
compare default
compare none --no-default-features
compare grpc --no-default-features --features grpc
compare all --all-features
[[ $differs = 0 ]] || { echo 'the public interface has changed: `.ci/api.sh --bless` writes the listings anew'; exit 1; }
