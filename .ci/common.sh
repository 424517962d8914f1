# What the parts of `.ci/run` share.

step() { printf '\n== %s\n' "$*"; }

skips=()

# Something that cannot run here. Printed at once, and again before the last tests.
skip() {
  printf 'SKIPPED: %s\n' "$*"
  skips+=("$*")
}

say_skipped() {
  [[ ${#skips[@]} -eq 0 ]] || printf 'SKIPPED: %s\n' "${skips[@]}"
}

# Installs Debian packages unless the command is there: `provide COMMAND PACKAGE…`.
provide() {
  PATH="$PATH:/usr/sbin" command -v "$1" >/dev/null && return
  { timeout 300 apt-get update && timeout 600 apt-get install -y -o DPkg::Lock::Timeout=300 --no-install-recommends "${@:2}"; } >/dev/null 2>&1
}

# Installs a toolchain and targets of it: `toolchain NAME TARGET…`.
toolchain() {
  rustup run "$1" rustc --version >/dev/null 2>&1 ||
    timeout 600 rustup toolchain install "$1" --profile minimal >/dev/null 2>&1 || return
  [[ $# -eq 1 ]] || timeout 600 rustup target add --toolchain "$1" "${@:2}" >/dev/null 2>&1
}

# Installs rustfmt and clippy for the toolchain in use.
clippy() { rustup component add rustfmt clippy >/dev/null 2>&1 || true; }

# Installs programs that cargo runs: `tool NAME`. Some ask for optimizations that take longer than the program will.
tool() {
  command -v "$1" >/dev/null ||
    CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 CARGO_PROFILE_RELEASE_OPT_LEVEL=1 \
      timeout 1800 cargo install --quiet --locked "$1"
}

# The toolchain that is in use, for targets.
current() { rustup show active-toolchain | cut -d' ' -f1; }
