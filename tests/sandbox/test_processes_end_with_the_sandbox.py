"""However the sandbox ends, its processes end with it."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.sandbox.children import gone

ROOT = Path(__file__).resolve().parents[2]
DEADLINE_SECONDS = 20.0

# A sandbox of one waiting process, in a thread that ends or in the main one; it says who is who, and waits.
SANDBOX = """
import asyncio, json, os, signal, sys
from pathlib import Path
from sandbox.processes import json_line
from tests.sandbox.children import waiting_process

# As a terminal starts it: tests that run in the background have these signals ignored, and a child inherits that.
signal.signal(signal.SIGINT, signal.default_int_handler)
for number in (signal.SIGHUP, signal.SIGQUIT, signal.SIGTERM):
    signal.signal(number, signal.SIG_DFL)

async def main():
    async with waiting_process(Path(sys.argv[1])) as process:
        announcement = await json_line(process, "url")
        print(json.dumps({"process": process.pid, "child": announcement["child"]}), flush=True)
        if sys.argv[2] == "crash":
            os.abort()
        if sys.argv[2] == "error":
            raise RuntimeError("the sandbox has a defect")
        await asyncio.Event().wait()

asyncio.run(main())
"""


async def _sandbox(folder: Path, then: str) -> tuple[asyncio.subprocess.Process, dict[str, int]]:
    sandbox = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", SANDBOX, str(folder), then),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert sandbox.stdout is not None
    line = await asyncio.wait_for(sandbox.stdout.readline(), DEADLINE_SECONDS)
    return sandbox, json.loads(line)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT])
async def test_a_signal_to_the_sandbox_ends_its_processes(tmp_path: Path, number: signal.Signals) -> None:
    """Killed, asked to end, or left by Ctrl-C: the process and its child are gone soon after."""
    sandbox, pids = await _sandbox(tmp_path, "wait")
    assert psutil.pid_exists(pids["process"])

    sandbox.send_signal(number)
    await asyncio.wait_for(sandbox.wait(), DEADLINE_SECONDS)

    assert await asyncio.to_thread(gone, *pids.values())


@pytest.mark.parametrize("then", ["crash", "error"])
async def test_a_crash_of_the_sandbox_ends_its_processes(tmp_path: Path, then: str) -> None:
    """An abort of the interpreter and an exception nobody catches leave no process behind."""
    sandbox, pids = await _sandbox(tmp_path, then)

    await asyncio.wait_for(sandbox.wait(), DEADLINE_SECONDS)

    assert await asyncio.to_thread(gone, *pids.values())


async def test_ctrl_c_lets_processes_stop_in_order(tmp_path: Path) -> None:
    """After Ctrl-C a process gets its SIGTERM and time to answer it, not a kill."""
    sandbox, pids = await _sandbox(tmp_path, "wait")

    sandbox.send_signal(signal.SIGINT)
    await asyncio.wait_for(sandbox.wait(), DEADLINE_SECONDS)

    assert await asyncio.to_thread(gone, *pids.values())
    assert "ended by 15" in (tmp_path / "waiting.log").read_text()


async def test_ctrl_c_at_the_terminal_reaches_the_sandbox_alone(tmp_path: Path) -> None:
    """Processes are in sessions of their own: the terminal's signal to its group does not hit them first."""
    sandbox, pids = await _sandbox(tmp_path, "wait")

    try:
        assert os.getsid(pids["process"]) == pids["process"] != os.getsid(sandbox.pid)
    finally:
        sandbox.kill()
        await sandbox.wait()
    assert await asyncio.to_thread(gone, *pids.values())
