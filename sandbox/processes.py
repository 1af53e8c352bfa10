"""Child processes that end with the sandbox, however the sandbox ends.

Each command runs under a keeper (`sandbox/keeper.py`), which kills it once the sandbox no longer holds the pipe between
them: after a normal end, Ctrl-C, SIGTERM, a crash and ``kill -9``. Keeper and command run in sessions of their own, so
that Ctrl-C at a terminal reaches the sandbox alone, which then stops its servers in order.
"""

import asyncio
import json
import os
import select
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psutil

from sandbox.errors import SandboxError

KEEPER_FILE = Path(__file__).with_name("keeper.py")
LOG_TAIL_LINES = 25
LOG_TAIL_BYTES = 16_384
POLL_SECONDS = 0.02
GONE_TIMEOUT_SECONDS = 5.0

Account = tuple[int, int]
"""A user id and a group id of the machine."""


class Process:
    """One child process: ``async with Process(name=…, command=…, log_file=…) as process``.

    ``ready`` is awaited after the start with the process as its argument and returns once the process answers; when
    the process ends before, or the time runs out, `SandboxError` shows the end of its log. Both outputs of the process
    are appended to ``log_file``. ``environment`` is the whole environment (default: our own). ``account`` is whom to
    become before the start (only root can). The process may be started again after it ended.
    """

    def __init__(
        self,
        *,
        name: str,
        command: Sequence[str],
        log_file: Path,
        ready: Callable[["Process"], Awaitable[object]] | None = None,
        environment: Mapping[str, str] | None = None,
        account: Account | None = None,
        stop_signal: signal.Signals = signal.SIGTERM,
        start_timeout_seconds: float = 30,
        stop_timeout_seconds: float = 10,
    ) -> None:
        self.name = name
        self.log_file = log_file
        self._command = list(command)
        self._ready = ready
        self._environment = environment
        self._account = account
        self._stop_signal = stop_signal
        self._start_timeout_seconds = start_timeout_seconds
        self._stop_timeout_seconds = stop_timeout_seconds
        self._keeper: asyncio.subprocess.Process | None = None
        self._pid: int | None = None
        self._log_start_bytes = 0

    @property
    def pid(self) -> int:
        """The id of the command's own process (not of its keeper)."""
        if self._pid is None:
            raise SandboxError(f"{self.name} is not running: start it first")
        return self._pid

    @property
    def running(self) -> bool:
        """Whether the command was started and has not ended."""
        return self._keeper is not None and self._keeper.returncode is None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def start(self) -> None:
        """Start the command and wait until it is ready; raises `SandboxError` with the end of its log if it is not."""
        if self.running:
            raise SandboxError(f"{self.name} is running already (process {self._pid}): stop it first")
        try:
            await self._launch()
            await self._wait_until_ready()
        except BaseException:
            # Also on cancellation: a process half started must not be left to the keeper alone.
            await self.kill9()
            raise

    async def stop(self) -> None:
        """Ask the process to end; after the deadline, kill it. Does nothing when it has ended already."""
        if not self.running:
            return
        self._send(signal.SIGCONT)
        self._send(self._stop_signal)
        try:
            await asyncio.wait_for(self.wait(), self._stop_timeout_seconds)
        except TimeoutError:
            await self.kill9()
        except asyncio.CancelledError:
            await asyncio.shield(self.kill9())
            raise

    async def wait(self) -> int:
        """Wait for the process to end; its exit code, or 128 plus the number of the signal that ended it."""
        if self._keeper is None:
            raise SandboxError(f"{self.name} was never started")
        return await self._keeper.wait()

    async def kill9(self) -> None:
        """SIGKILL to the process and everything below it, as a crash; returns once all of it is gone."""
        if not self.running:
            return
        family = self._family()
        self._send(signal.SIGKILL)
        for member in family:
            _signal_one(member, signal.SIGKILL)
        await self.wait()
        pids = [member.pid for member in family]
        await asyncio.to_thread(wait_until_ended, pids, GONE_TIMEOUT_SECONDS)

    def pause(self) -> None:
        """SIGSTOP to the process and everything below it: it hangs, its connections stay open."""
        for member in self._family():
            _signal_one(member, signal.SIGSTOP)

    def resume(self) -> None:
        """SIGCONT: go on after `pause`."""
        for member in self._family():
            _signal_one(member, signal.SIGCONT)

    def log_since_start(self) -> str:
        """What the process has written since its last start."""
        with self.log_file.open("rb") as log:
            log.seek(self._log_start_bytes)
            return log.read().decode(errors="replace")

    def log_tail(self) -> str:
        """The last lines that the process has written since its last start."""
        return "\n".join(self.log_since_start()[-LOG_TAIL_BYTES:].splitlines()[-LOG_TAIL_LINES:])

    async def _launch(self) -> None:
        self.log_file.parent.mkdir(parents=True, exist_ok=True)
        account = [] if self._account is None else ["--account", f"{self._account[0]}:{self._account[1]}"]
        with self.log_file.open("ab") as log:
            self._log_start_bytes = log.tell()
            self._keeper = await asyncio.create_subprocess_exec(
                *(sys.executable, "-I", "-S", str(KEEPER_FILE), *account, "--", *self._command),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                env=self._environment,
                start_new_session=True,
            )
        announced = self._keeper.stdout
        line = await announced.readline() if announced is not None else b""
        if not line:
            raise SandboxError(f"{self.name} did not start; its log:\n{self.log_tail()}")
        self._pid = int(line)

    async def _wait_until_ready(self) -> None:
        if self._ready is None:
            return
        ready = asyncio.ensure_future(self._ready(self))
        ended = asyncio.ensure_future(self.wait())
        try:
            await asyncio.wait((ready, ended), timeout=self._start_timeout_seconds, return_when=asyncio.FIRST_COMPLETED)
            if not ready.done():
                raise SandboxError(f"{self._why_not_up(ended)}; the end of {self.log_file}:\n{self.log_tail()}")
            ready.result()
        finally:
            for task in (ready, ended):
                task.cancel()
            await asyncio.gather(ready, ended, return_exceptions=True)

    def _why_not_up(self, ended: "asyncio.Future[int]") -> str:
        if ended.done():
            return f"{self.name} ended with code {ended.result()} before it was ready"
        return f"{self.name} did not answer within {self._start_timeout_seconds:g} seconds"

    def _send(self, number: signal.Signals) -> None:
        """Through the keeper, which alone knows for certain that the process id is still that of its child."""
        if self._keeper is not None and self._keeper.stdin is not None and not self._keeper.stdin.is_closing():
            self._keeper.stdin.write(bytes([number]))

    def _family(self) -> list[psutil.Process]:
        """The process and all below it; empty if it is gone."""
        try:
            process = psutil.Process(self.pid)
            return [process, *process.children(recursive=True)]
        except (psutil.NoSuchProcess, SandboxError):
            return []


def _signal_one(process: psutil.Process, number: signal.Signals) -> None:
    try:
        process.send_signal(number)
    except psutil.NoSuchProcess:
        return


def wait_until_ended(pids: Iterable[int], timeout_seconds: float) -> bool:
    """Block until all these processes have ended, or the time is over; whether they have.

    A process counts as ended when it can do nothing any more, even if its parent has not collected it: process 1, to
    which orphans pass, takes seconds for that on some machines.
    """
    deadline = time.monotonic() + timeout_seconds
    return all(_wait_for_end(pid, deadline) for pid in pids)


def _wait_for_end(pid: int, deadline: float) -> bool:
    if sys.platform != "linux":
        alive = [psutil.Process(pid)] if psutil.pid_exists(pid) else []
        return not psutil.wait_procs(alive, timeout=max(0.0, deadline - time.monotonic()))[1]
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([descriptor], [], [], max(0.0, deadline - time.monotonic()))[0])
    finally:
        os.close(descriptor)


async def json_line(process: Process, key: str) -> dict[str, Any]:
    """The first line the process writes that is a JSON object with this key, as ``{"url": …}``; waits without end.

    For use as, or in, ``ready``, where the process's own deadline applies.
    """
    while True:
        for line in process.log_since_start().splitlines():
            announcement = _json_object(line)
            if key in announcement:
                return announcement
        await asyncio.sleep(POLL_SECONDS)


def _json_object(line: str) -> dict[str, Any]:
    if not line.startswith("{"):
        return {}
    try:
        parsed = json.loads(line)
    except ValueError:
        # Half a line, still being written, or a log line that only looks like JSON.
        return {}
    return parsed if isinstance(parsed, dict) else {}


def running_as_root() -> bool:
    """Whether this process is root's."""
    return os.geteuid() == 0
