"""Processes that serve the whole test session, and end with it however it ends, also when pytest is killed."""

import contextlib
import json
import os
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any, NoReturn

import pytest

ROOT = Path(__file__).resolve().parent.parent
# The first start on a machine downloads Kafka.
START_TIMEOUT_SECONDS = 180.0
STOP_TIMEOUT_SECONDS = 30.0
CHUNK_BYTES = 65_536


def unavailable(reason: str) -> NoReturn:
    """A service is missing: skip at home and say why, fail in CI, where nothing may be missing."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"missing in CI: {reason}", pytrace=False)
    pytest.skip(reason)


def not_downloaded(reason: str) -> NoReturn:
    """A program that a test downloads for itself could not be had: skip and say why; TOOLS=required makes it fail.

    Not every network lets Go modules and Debian packages through; the pipeline of docs/supply-chain.md requires them.
    """
    if os.environ.get("TOOLS") == "required":
        pytest.fail(f"could not be downloaded: {reason}", pytrace=False)
    pytest.skip(reason)


@contextlib.contextmanager
def session_process(arguments: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Run ``python ARGUMENTS`` and give the JSON object that the program announces itself with.

    The program must end by itself when its standard input, or its parent, does: pytest may be killed.

    Skips (in CI: fails) with the end of its standard error where it announces nothing.
    """
    with tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(  # noqa: S603 - our own programs, no input
            [sys.executable, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            cwd=ROOT,
            # Ctrl-C is for pytest alone, whose end closes the pipe.
            start_new_session=True,
        )
        with process:
            try:
                yield _announcement(process, errors)
            finally:
                _end(process)


def _announcement(process: "subprocess.Popen[bytes]", errors: IO[str]) -> dict[str, Any]:
    assert process.stdout is not None
    line = _first_line(process.stdout.fileno(), time.monotonic() + START_TIMEOUT_SECONDS)
    if line is None:
        errors.seek(0)
        unavailable(f"{' '.join(process.args) if isinstance(process.args, list) else ''}: {errors.read()[-2000:]}")
    announced = json.loads(line)
    assert isinstance(announced, dict)
    return announced


def _first_line(descriptor: int, deadline: float) -> bytes | None:
    """The first line that comes out of a pipe; None if it ends, or the time runs out, before."""
    received = b""
    while b"\n" not in received:
        readable, _, _ = select.select([descriptor], [], [], max(0.0, deadline - time.monotonic()))
        chunk = os.read(descriptor, CHUNK_BYTES) if readable else b""
        if not chunk:
            return None
        received += chunk
    return received.split(b"\n", 1)[0]


def _end(process: "subprocess.Popen[bytes]") -> None:
    assert process.stdin is not None
    process.stdin.close()
    process.terminate()
    try:
        process.wait(STOP_TIMEOUT_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
