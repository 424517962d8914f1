# Fuzz targets, soak tests, mutants, the public interface, its versions, and the oldest dependencies.

fuzz() {
  step "fuzz: each target for ${FUZZ_SECONDS:-20} s"
  provide c++ g++ && tool cargo-fuzz ||
    { skip 'the fuzz targets: cargo-fuzz or a C++ compiler cannot be installed'; return; }
  .ci/fuzz.sh "${FUZZ_SECONDS:-20}"
}

soak() {
  step 'soak: 200 threads with faults, 20,000 faulted calls, a million listed operations, 2,200 killed processes'
  LONGRUNNING_SOAK=long cargo test --release --package longrunning-heavy-tests --test soak
  LONGRUNNING_KILLS=2000 cargo test --all-features --test it journal::it_survives_being_killed
  LONGRUNNING_KILLS=200 cargo test --all-features --test it resume::killed
}

mutants() {
  step 'mutants: those of the modules in .cargo/mutants.toml'
  tool cargo-mutants || { skip 'mutants: cargo-mutants cannot be installed'; return; }
  cargo mutants --no-shuffle --colors never
}

advisories() {
  step 'advisories: no known vulnerability in a dependency'
  tool cargo-deny || { skip 'advisories: cargo-deny cannot be installed'; return; }
  # The database is not part of a package registry, so that it cannot be had everywhere.
  if timeout 120 cargo deny --all-features fetch db >/dev/null 2>&1; then
    cargo deny --workspace --all-features check advisories
  else
    skip 'advisories: their database cannot be fetched'
  fi
}

# The listing of the public interface for each set of features; `.ci/run api` compares, `.ci/api.sh --bless` writes.
api() {
  step 'api: the public interface is the one in docs/api'
  [[ -e docs/api/all.txt ]] || { skip "the listing of the public interface, which .ci/api.sh --bless has not written yet"; return; }
  if ! toolchain nightly || ! tool cargo-public-api; then
    skip 'the listing of the public interface: no nightly toolchain or no cargo-public-api'
    return
  fi
  local status=0
  .ci/api.sh || status=$?
  [[ $status -ne 3 ]] || { skip 'the listing of the public interface: cargo-public-api does not work with this nightly'; return 0; }
  return "$status"
}

# Compares with the last release of the library; without one there is nothing that a version promises.
semver() {
  step 'semver: the version of the library fits the changes since its last release'
  local last
  last=$(git describe --tags --abbrev=0 --match 'v[0-9]*' 2>/dev/null) ||
    { skip 'the comparison with the last release: no tag v* yet'; return; }
  tool cargo-semver-checks ||
    { skip "the comparison with $last: cargo-semver-checks cannot be installed"; return; }
  cargo semver-checks --package longrunning --all-features --baseline-rev "$last"
}

minimal() {
  step 'minimal: the library compiles with the oldest versions that Cargo.toml allows'
  toolchain nightly || { skip 'the oldest dependencies: no nightly toolchain'; return; }
  local folder
  folder=$(mktemp -d)
  # A copy, since the lock file changes.
  cp -r Cargo.toml build.rs README.md CONTRIBUTING.md DESIGN.md CHANGELOG.md docs src proto "$folder"
  mkdir "$folder/tests" && cp -r tests/support "$folder/tests"
  sed -i '/^members\|^default-members/d; /^\[\[example\]\]/,/^required/d; /^\[\[bench\]\]/,/^harness/d; /^\[dev-dependencies\]/,/^$/d' "$folder/Cargo.toml"
  (
    cd "$folder"
    cargo +nightly update --quiet -Z direct-minimal-versions
    CARGO_TARGET_DIR="$TARGET/minimal" cargo check --quiet --all-features
  )
  rm -rf "$folder"
}
