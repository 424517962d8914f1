"""Prints the interpreter of a virtual environment that has the pinned packages, and nothing else.

Arguments: the folder of the environment, and the file of requirements. The environment is made
anew when the requirements or the Python change. Nothing outside the folder does.
"""

import contextlib
import os
import subprocess
import sys
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows, where two runs at once may get in each other's way.
    fcntl = None

TIMEOUT = 300  # seconds for each step


def main():
    folder, requirements = map(Path, sys.argv[1:])
    folder.parent.mkdir(parents=True, exist_ok=True)
    interpreter = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    with locked(folder.with_suffix(".lock")):
        stamp = folder / "stamp.txt"  # written last, so that half an environment has none
        wanted = f"{sys.version}\n{requirements.read_text()}"
        if not stamp.exists() or stamp.read_text() != wanted:
            run(sys.executable, "-m", "venv", "--clear", folder)
            run(interpreter, "-m", "pip", "install", *PIP_OPTIONS, "--requirement", requirements)
            stamp.write_text(wanted)
    print(interpreter)


# The file pins all packages; one that would have to be compiled is as good as absent.
PIP_OPTIONS = ["--quiet", "--no-input", "--no-deps", "--only-binary=:all:"]


@contextlib.contextmanager
def locked(path):
    """Lets one process in at a time; the lock of a process that dies is gone with it."""
    with open(path, "w") as file:
        if fcntl:
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT)
    if done.returncode != 0:
        lines = (done.stderr or done.stdout).strip().splitlines()
        sys.exit(lines[-1] if lines else f"{command} ended with {done.returncode}")


if __name__ == "__main__":
    main()
