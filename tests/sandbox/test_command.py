"""`python -m sandbox` announces its servers, stops them in order, and is done."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import asyncpg
import pytest

ROOT = Path(__file__).resolve().parents[2]
DEADLINE_SECONDS = 60.0

pytestmark = pytest.mark.integration


async def _command(*arguments: str, folder: Path) -> asyncio.subprocess.Process:
    environment = {key: value for key, value in os.environ.items() if key != "SANDBOX"}
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "sandbox", *arguments),
        cwd=ROOT,
        env=environment | {"TMPDIR": str(folder)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )


@pytest.fixture
def open_folder(tmp_path: Path) -> Path:
    """A temporary folder for the command: Postgres's account must reach it where we are root."""
    for folder in (tmp_path, tmp_path.parent, tmp_path.parent.parent):
        folder.chmod(0o711)
    return tmp_path


def _close_input(process: asyncio.subprocess.Process) -> None:
    assert process.stdin is not None
    process.stdin.close()


def _close_input_and_terminate(process: asyncio.subprocess.Process) -> None:
    _close_input(process)
    process.terminate()


@pytest.mark.parametrize(
    "end",
    [
        _close_input,
        _close_input_and_terminate,
        lambda process: process.send_signal(signal.SIGINT),
        lambda process: process.send_signal(signal.SIGTERM),
    ],
    ids=["input", "input and SIGTERM", "SIGINT", "SIGTERM"],
)
async def test_the_command_ends_in_order(open_folder: Path, end: Callable[[asyncio.subprocess.Process], None]) -> None:
    """However it is asked, it has Postgres shut down (not killed), keeps the log where told, and exits with 0."""
    kept = open_folder / "kept"
    process = await _command("postgres", "--until-input-ends", "--folder", str(kept), folder=open_folder)
    assert process.stdout is not None
    announced = json.loads(await asyncio.wait_for(process.stdout.readline(), DEADLINE_SECONDS))
    connection = await asyncpg.connect(announced["database_url"])
    await connection.close()

    end(process)

    assert await asyncio.wait_for(process.wait(), DEADLINE_SECONDS) == 0
    assert announced["kafka_servers"] == ""
    assert "database system is shut down" in (kept / "postgres.log").read_text()
    with pytest.raises(OSError, match="Connect call failed"):
        await asyncpg.connect(announced["database_url"])


async def test_the_wish_to_end_is_heard_during_the_start(open_folder: Path) -> None:
    """An input that is closed already ends the command before its servers are up."""
    process = await _command("--until-input-ends", folder=open_folder)
    _close_input(process)

    output, _ = await asyncio.wait_for(process.communicate(), DEADLINE_SECONDS)

    assert (process.returncode, output) == (0, b"")
    assert _left_in(open_folder) == []


def _left_in(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]
