# The oldest Rust and other systems.

OLDEST=1.88.0
WINDOWS=x86_64-pc-windows-gnu
MACOS=aarch64-apple-darwin
MUSL=x86_64-unknown-linux-musl
TARGET=${CARGO_TARGET_DIR:-$PWD/target}

oldest() {
  step "oldest: the library with Rust $OLDEST"
  toolchain "$OLDEST" || { skip "tests with Rust $OLDEST, which rustup cannot install"; return; }
  cargo "+$OLDEST" check --quiet --workspace --exclude longrunning-heavy-tests
  cargo "+$OLDEST" test --quiet --all-features --lib --test it --test credentials
}

# Checks the code of another system, of which clippy sees what it never sees here.
checked_for() {
  clippy
  cargo clippy --quiet --target "$1" --package longrunning --package lro --all-features --all-targets -- -D warnings
}

macos() {
  step 'macos: the library and lro type-check without warnings, with all features and targets'
  toolchain "$(current)" "$MACOS" || { skip "the check of $MACOS, which rustup cannot install"; return; }
  # The build script of ring compiles C, for which there are no headers here.
  CC_aarch64_apple_darwin="$PWD/.ci/macos-tool" AR_aarch64_apple_darwin="$PWD/.ci/macos-tool" \
    checked_for "$MACOS"
}

musl() {
  step 'musl: a static lro, in an empty file system'
  toolchain "$(current)" "$MUSL" || { skip "the static lro for $MUSL, which rustup cannot install"; return; }
  provide musl-gcc musl-tools || export CC_x86_64_unknown_linux_musl=cc
  # Its profile counts only in its folder.
  (cd lro && cargo build --quiet --release --package lro --target "$MUSL" --target-dir "$TARGET")
  local root="$TARGET/empty" size
  rm -rf "$root" && mkdir -p "$root" && cp "$TARGET/$MUSL/release/lro" "$root"
  size=$(stat -c %s "$root/lro")
  printf 'lro: %s bytes\n' "$size"
  [[ $size -lt 6000000 ]] || { echo 'the static lro has grown over 6 MB'; return 1; }
  if [[ $(id -u) -eq 0 ]]; then chroot "$root" /lro --version; else "$root/lro" --version; fi
}

# Wine with what it lacks, and cargo's runner for it.
find_wine() {
  toolchain "$(current)" "$WINDOWS" && provide x86_64-w64-mingw32-gcc gcc-mingw-w64-x86-64 &&
    provide wine wine wine64 || return
  export WINEPREFIX="$TARGET/wine" WINEDEBUG=-all CARGO_TARGET_X86_64_PC_WINDOWS_GNU_RUNNER=wine
  local library="$WINEPREFIX/drive_c/windows/system32/bcryptprimitives.dll"
  [[ -e $library ]] && return
  # Wine creates one folder, and not the folders above it.
  mkdir -p "$TARGET"
  timeout 300 wineboot -i >/dev/null 2>&1 &&
    x86_64-w64-mingw32-gcc -shared -O1 -o "$library" .ci/windows/bcryptprimitives.c -ladvapi32
}

in_windows() { nice cargo test --quiet --target "$WINDOWS" --all-features "$@"; }

windows_lib() {
  step 'windows_lib: the library and lro type-check for Windows without warnings, and the unit tests run under Wine'
  find_wine || { skip "tests for Windows: no $WINDOWS, mingw-w64 or wine"; return; }
  has_wine=1
  checked_for "$WINDOWS"
  in_windows --package longrunning --package lro --lib --bins
}

windows() {
  windows_lib
  [[ ${has_wine-} ]] || return 0
  step 'windows: all tests of the library and of lro under Wine'
  in_windows --package longrunning --test it --test credentials --test misplaced
  in_windows --package lro --test cli
}
