"""Runs a program in a terminal: a command, its size and keys in, what was seen and two screens out, as JSON."""

import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time

ROWS, COLUMNS = 40, 80
LIMIT = 60


def main():
    job = json.load(sys.stdin)
    process, terminal = pty.fork()
    if process == 0:
        os.execv(job["command"][0], job["command"])
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    seen, keys, end = b"", job["keys"].encode(), time.monotonic() + LIMIT
    then = None
    while True:
        if time.monotonic() > end:
            os.kill(process, signal.SIGKILL)
            break
        if not select.select([terminal], [], [], 0.1)[0]:
            continue
        try:
            part = os.read(terminal, 65536)
        except OSError:
            break
        if not part:
            break
        seen += part
        text = seen.decode(errors="replace")
        found = re.search(job["until"], text) if then is None and job["until"] else None
        if found:
            then = screen(text[: found.end()])
            os.write(terminal, keys)
    code = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    text = seen.decode()
    json.dump({"code": code, "seen": text, "then": then, "screen": screen(text)}, sys.stdout)


def screen(text):
    """What is left to be read: as much of a terminal as progress bars need."""
    rows, row, column = [[]], 0, 0
    for part in re.findall(r"\x1b\[[0-9;?]*[A-Za-z]|.", text, re.S):
        number = int(re.sub(r"\D", "", part) or 1) if part[0] == "\x1b" else 0
        if part == "\r":
            column = 0
        elif part == "\n":
            row += 1
        elif part[0] != "\x1b":
            if column == COLUMNS:
                row, column = row + 1, 0
            while len(rows) <= row:
                rows.append([])
            rows[row] += [" "] * (column + 1 - len(rows[row]))
            rows[row][column] = part
            column += 1
        elif part[-1] == "A":
            row = max(0, row - number)
        elif part[-1] == "B":
            row += number
        elif part[-1] == "C":
            column += number
        elif part[-1] == "D":
            column = max(0, column - number)
        elif part[-1] == "J":
            rows = rows[: row + 1]
            rows[row] = rows[row][:column]
        elif part[-1] == "K" and row < len(rows):
            rows[row] = [] if "2" in part else rows[row][:column]
        while len(rows) <= row:
            rows.append([])
    lines = ["".join(cells).rstrip() for cells in rows]
    return "\n".join(lines).strip("\n") + "\n"


main()
