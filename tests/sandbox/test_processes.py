"""A process of the sandbox comes up, answers, hangs, crashes and stops as it is told to."""

import asyncio
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from sandbox.errors import SandboxError
from sandbox.processes import Process, json_line, running_as_root
from tests.sandbox.children import DEAF, WAITING, announced, gone, python, waiting_process

DEADLINE_SECONDS = 10.0
KILLED = 128 + signal.SIGKILL


async def test_a_process_is_ready_once_it_has_announced_itself(tmp_path: Path) -> None:
    """The line of JSON that a program writes first is read, and its process id is the command's own."""
    async with waiting_process(tmp_path) as process:
        announcement = await json_line(process, "url")

        assert (announcement["url"], announcement["pid"]) == ("here", process.pid)


async def test_lines_that_are_no_announcement_are_passed_over(tmp_path: Path) -> None:
    """A warning, a list, broken JSON and another object before the announcement do not count as it."""
    lines = ["a warning", "[1]", "{broken", '{"event": "start"}', '{"url": "http://here"}']
    program = f"print({chr(10).join(lines)!r}, flush=True); import signal; signal.pause()"

    async with Process(name="talking", command=python(program), log_file=tmp_path / "log", ready=announced) as process:
        assert await json_line(process, "url") == {"url": "http://here"}


async def test_a_process_is_asked_to_stop(tmp_path: Path) -> None:
    """A normal stop is a SIGTERM, which the program can answer; its log stays."""
    async with waiting_process(tmp_path) as process:
        child = (await json_line(process, "url"))["child"]

    assert await process.wait() == 0
    assert "ended by 15" in process.log_file.read_text()
    assert gone(process.pid, child)


async def test_a_process_that_does_not_stop_is_killed(tmp_path: Path) -> None:
    """After the deadline a process that ignores SIGTERM is killed."""
    async with Process(
        name="deaf", command=python(DEAF), log_file=tmp_path / "log", ready=announced, stop_timeout_seconds=0.2
    ) as process:
        pass

    assert await process.wait() == KILLED


async def _stopped(pid: int) -> None:
    async with asyncio.timeout(10):
        for _ in iter(psutil.Process(pid).status, psutil.STATUS_STOPPED):
            await asyncio.sleep(0)


async def test_a_paused_process_can_be_stopped(tmp_path: Path) -> None:
    """A paused process hangs; stopping it wakes it first, so that it ends in order."""
    async with waiting_process(tmp_path) as process:
        process.pause()
        # The kernel stops it at its next chance, not within the call.
        await _stopped(process.pid)

    assert await process.wait() == 0


async def test_a_paused_process_goes_on(tmp_path: Path) -> None:
    """After `resume` the process and its children are no longer stopped."""
    async with waiting_process(tmp_path) as process:
        child = (await json_line(process, "url"))["child"]
        process.pause()
        process.resume()

        states = {psutil.Process(pid).status() for pid in (process.pid, child)}

    assert psutil.STATUS_STOPPED not in states


async def test_a_crash_takes_the_children_along(tmp_path: Path) -> None:
    """`kill9` leaves nothing of the process or its children, and the exit code tells of the signal."""
    async with waiting_process(tmp_path) as process:
        child = (await json_line(process, "url"))["child"]

        await process.kill9()

        assert not process.running
        assert (await process.wait(), gone(process.pid, child)) == (KILLED, True)


async def test_a_process_starts_again_after_a_crash(tmp_path: Path) -> None:
    """The same process can be started after it was killed; its log has both runs, readiness looks at the new."""
    async with waiting_process(tmp_path) as process:
        before = process.pid
        await process.kill9()
        await process.start()

        assert (await json_line(process, "url"))["pid"] == process.pid != before
        assert process.log_file.read_text().count('"url"') == 2
        assert process.log_since_start().count('"url"') == 1


async def test_starting_twice_is_refused(tmp_path: Path) -> None:
    """A second start of a running process is an error, not a second process."""
    async with waiting_process(tmp_path) as process:
        with pytest.raises(SandboxError, match="is running already"):
            await process.start()

        assert process.running


async def test_a_process_that_ends_at_once_shows_its_log(tmp_path: Path) -> None:
    """When a process ends before it is ready, the error has its code and the last lines of its log."""
    program = "import sys; print('line of no port'); sys.exit('the port is taken')"
    process = Process(name="Broker", command=python(program), log_file=tmp_path / "log", ready=announced)

    with pytest.raises(SandboxError) as raised:
        await process.start()

    assert "Broker ended with code 1 before it was ready" in str(raised.value)
    assert "the port is taken" in str(raised.value)


async def test_a_process_that_never_answers_is_ended(tmp_path: Path) -> None:
    """When a process is not ready within its time, the error says so and the process is gone."""
    process = Process(
        name="Broker",
        command=python(WAITING),
        log_file=tmp_path / "log",
        ready=lambda _process: asyncio.Event().wait(),
        start_timeout_seconds=0.2,
    )

    with pytest.raises(SandboxError, match=r"Broker did not answer within 0\.2 seconds"):
        await process.start()

    assert gone(process.pid)


async def test_a_start_that_is_cancelled_leaves_nothing(tmp_path: Path) -> None:
    """Cancelling a start, as Ctrl-C does, ends the process that was half started."""
    reached = asyncio.Event()

    async def never(_process: Process) -> None:
        reached.set()
        await asyncio.Event().wait()

    process = Process(name="slow", command=python(WAITING), log_file=tmp_path / "log", ready=never)
    starting = asyncio.ensure_future(process.start())
    await asyncio.wait_for(reached.wait(), DEADLINE_SECONDS)
    starting.cancel()

    with pytest.raises(asyncio.CancelledError):
        await starting
    assert gone(process.pid)


async def test_a_command_that_does_not_exist_is_named(tmp_path: Path) -> None:
    """A command that is not there is said to be missing, by its name."""
    process = Process(name="Broker", command=["no-such-program"], log_file=tmp_path / "log", ready=announced)

    with pytest.raises(SandboxError, match="no-such-program: cannot be started"):
        await process.start()


async def test_a_process_sees_the_environment_it_is_given(tmp_path: Path) -> None:
    """The environment given is the whole of it."""
    program = "import os; print(sorted(os.environ), os.environ['ONLY'])"
    environment = {"ONLY": "this", "LC_ALL": "C"}

    async with Process(
        name="reader", command=python(program), log_file=tmp_path / "log", environment=environment
    ) as process:
        assert await process.wait() == 0

    assert process.log_file.read_text() == "['LC_ALL', 'ONLY'] this\n"


@pytest.fixture
def group_of_ours() -> Iterator[None]:
    """Gives this process, where it is root's, a group more, which nobody else must get from us."""
    if not running_as_root():
        pytest.skip("only root can change to another account")
    before = os.getgroups()
    os.setgroups([*before, 4711])
    yield
    os.setgroups(before)


@pytest.mark.usefixtures("group_of_ours")
async def test_a_process_runs_under_another_account(tmp_path: Path) -> None:
    """Root can have a command run as somebody else, with that account's group only."""
    async with Process(
        name="id", command=["sh", "-c", "id -u; id -g; id -G"], log_file=tmp_path / "log", account=(65534, 65534)
    ) as process:
        assert await process.wait() == 0

    assert process.log_file.read_text().split() == ["65534"] * 3


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can tie a process to its parent")
async def test_a_killed_keeper_takes_its_process_along(tmp_path: Path) -> None:
    """When the keeper itself is killed, the kernel kills the command."""
    async with waiting_process(tmp_path) as process:
        keeper = psutil.Process(process.pid).ppid()

        os.kill(keeper, signal.SIGKILL)

        assert await asyncio.to_thread(gone, keeper, process.pid)
