#!/usr/bin/env python3
"""Prints what each feature weighs, as the table of the README has it: `benches/weight.py`.

Counted are the crates that it adds to the tree, build dependencies included, and the seconds of one core that the
compiler spends on them in a release build with the usual settings, which are those of `[profile.release]` here. The crate
itself is not counted, nor what build scripts do.
"""

import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

FEATURES = "gzip webpki-roots platform-verifier grpc async reflect journal testing backoff".split()
ROOT = Path(__file__).resolve().parent.parent


def wrap(log, command):
    """Runs the compiler, and notes what it took."""
    status = subprocess.call(command, close_fds=False)  # It talks to cargo through some.
    if "--crate-name" in command:
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        name = command[command.index("--crate-name") + 1]
        with open(log, "a") as notes:
            print(name, used.ru_utime + used.ru_stime, file=notes)
    sys.exit(status)


def crates(*features):
    """Names and versions in the tree; what is compiled twice, for a build script too, stands in it once."""
    command = ["cargo", "tree", "--edges", "normal,build", "--prefix", "none", "--format", "{p}", *features]
    lines = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.splitlines()
    return {" ".join(line.split()[:2]) for line in lines if not line.startswith("longrunning ")}


def seconds():
    """By the name of the crate, as the compiler knows it."""
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder, "log")
        env = {**os.environ, "RUSTC_WRAPPER": __file__, "WEIGHT_LOG": str(log), "CARGO_TARGET_DIR": folder}
        command = ["cargo", "build", "--quiet", "--release", "--lib", "--all-features"]
        subprocess.run(command, cwd=ROOT, env=env, check=True)
        taken = {}
        for line in log.read_text().splitlines():
            name, time = line.split()
            taken[name] = taken.get(name, 0.0) + float(time)
        return taken


def main():
    taken = seconds()
    base = crates("--no-default-features")
    rows = [("the rest", base)]
    rows += [(name, crates("--no-default-features", "--features", name) - base) for name in FEATURES]
    for name, added in rows:
        time = sum(taken.get(crate.split()[0].replace("-", "_"), 0.0) for crate in added)
        print(f"| `{name}` | {len(added)} | {time:.0f} |")


if __name__ == "__main__":
    if "WEIGHT_LOG" in os.environ:
        wrap(os.environ["WEIGHT_LOG"], sys.argv[1:])
    main()
