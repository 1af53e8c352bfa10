"""Small programs for the sandbox to keep, and ways to see that a process is gone."""

import sys
import textwrap
from pathlib import Path

from sandbox.processes import Process, json_line, wait_until_ended

GONE_TIMEOUT_SECONDS = 10.0

# Announces itself and its child, then waits; says so when it is asked to end.
WAITING = """
    import json, os, signal, subprocess, sys
    def end(number, frame):
        print("ended by", number, flush=True)
        sys.exit(0)
    signal.signal(signal.SIGTERM, end)
    child = subprocess.Popen(["sleep", "3600"])
    print(json.dumps({"url": "here", "pid": os.getpid(), "child": child.pid, "uid": os.getuid()}), flush=True)
    while True:
        signal.pause()
"""
DEAF = """
    import json, signal
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    print(json.dumps({"url": "here"}), flush=True)
    while True:
        signal.pause()
"""


def python(program: str) -> list[str]:
    """The command that runs the program."""
    return [sys.executable, "-S", "-c", textwrap.dedent(program)]


async def announced(process: Process) -> None:
    """Ready once the program has announced itself."""
    await json_line(process, "url")


def waiting_process(folder: Path) -> Process:
    """A process that is ready at once and waits to be ended."""
    return Process(name="waiting", command=python(WAITING), log_file=folder / "waiting.log", ready=announced)


def gone(*pids: int) -> bool:
    """Whether all these processes have ended, or end before the deadline."""
    return wait_until_ended(pids, GONE_TIMEOUT_SECONDS)
