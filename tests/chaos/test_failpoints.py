"""Failpoints: inert unless armed, refused in production, each placed where the list says, and each of them listed."""

import ast
import asyncio
import json
import os
import sys
import timeit
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from consumer.config import read_settings
from consumer.errors import ConfigurationError
from consumer.failpoints import POINTS, FailpointError, arm_failpoints, failpoint, parse_failpoints

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENT = {
    "BOOKED_DATABASE_URL": "postgresql://localhost/nowhere",
    "BOOKED_KAFKA_SERVERS": "localhost:1",
    "BOOKED_SECRET_KEYS": "k1:AAAA",
}


@pytest.fixture(autouse=True)
def _disarmed() -> Iterator[None]:
    """Leave nothing armed behind, whatever a test has armed."""
    yield
    arm_failpoints(None)


def _placed() -> Counter[str]:
    found: Counter[str] = Counter()
    for path in (ROOT / "consumer").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "failpoint":
                (argument,) = node.args
                assert isinstance(argument, ast.Constant), f"{path}:{node.lineno}: a point is named by a word, as it is"
                found[str(argument.value)] += 1
    return found


def test_every_listed_point_is_placed_once_and_every_placed_one_is_listed() -> None:
    """The list in consumer/failpoints.py is what stands in the code, no more and no less."""
    assert _placed() == Counter(dict.fromkeys(POINTS, 1))


def test_the_points_cover_the_crash_points() -> None:
    """C1 to C21 each have a point."""
    assert set(POINTS.values()) == {f"C{number}" for number in range(1, 22)}


def test_a_point_that_is_not_armed_does_nothing_and_costs_next_to_nothing() -> None:
    """A call costs less than a microsecond: one look at an empty dictionary."""
    failpoint("records_fetched")
    calls = 100_000
    seconds = min(timeit.repeat(lambda: failpoint("records_fetched"), number=calls, repeat=5))
    assert seconds / calls < 1e-6


def test_an_armed_point_acts_at_its_passing_and_once() -> None:
    """Armed for the second passing: the first and the third go on."""
    arm_failpoints("answer_read=raise@2")
    failpoint("answer_read")
    failpoint("answer_unread")
    with pytest.raises(FailpointError, match="answer_read"):
        failpoint("answer_read")
    failpoint("answer_read")


def test_arming_again_forgets_what_was_armed_before() -> None:
    """What is armed is what was said last, with passings counted from nought."""
    arm_failpoints("answer_read=raise@1")
    arm_failpoints("answer_unread=raise@1")
    failpoint("answer_read")
    with pytest.raises(FailpointError):
        failpoint("answer_unread")


def test_sleep_blocks_for_its_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole process is held, as by a neighbour that takes the machine."""
    slept: list[float] = []
    monkeypatch.setattr("consumer.failpoints.time.sleep", slept.append)
    arm_failpoints("lane_leased=sleep:1.5")
    failpoint("lane_leased")
    failpoint("lane_leased")
    assert slept == [1.5]


async def test_kill9_ends_the_process_and_says_where() -> None:
    """Nothing after the point runs, and the standard error names it."""
    code, printed = await _ended("kill9")
    assert (code, json.loads(printed)) == (-9, {"failpoint": "lane_leased", "action": "kill9", "hit": 1})


async def test_hang_stops_the_process_until_somebody_lets_it_go_on() -> None:
    """It stands still like one that was paused, and goes on after SIGCONT."""
    process = await _started("hang")
    assert process.stderr is not None
    async with asyncio.timeout(20):
        while b"failpoint" not in await process.stderr.readline():
            pass
        await asyncio.to_thread(os.waitid, os.P_PID, process.pid, os.WSTOPPED | os.WNOWAIT)
        process.send_signal(18)  # SIGCONT
        printed, _ = await process.communicate()
    assert (process.returncode, printed) == (0, b"went on\n")


async def _started(action: str) -> asyncio.subprocess.Process:
    code = (
        "from consumer.failpoints import arm_failpoints, failpoint;"
        f"arm_failpoints('lane_leased={action}'); failpoint('lane_leased'); print('went on')"
    )
    pipe = asyncio.subprocess.PIPE
    return await asyncio.create_subprocess_exec(sys.executable, "-c", code, cwd=ROOT, stdout=pipe, stderr=pipe)


async def _ended(action: str) -> tuple[int | None, str]:
    process = await _started(action)
    async with asyncio.timeout(20):
        printed, said = await process.communicate()
    assert printed == b""
    return process.returncode, said.decode()


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("answer_read", "is not name=action@n"),
        ("answer_read=explode", "is not name=action@n"),
        ("nowhere=kill9", "there is no point 'nowhere'"),
        ("answer_read=kill9@0", "the passing is from 1"),
        ("answer_read=sleep", "is not name=action@n"),
        ("answer_read=sleep:601", "the seconds are at most 600"),
    ],
)
def test_what_cannot_be_armed_is_refused_with_what_can(text: str, wrong: str) -> None:
    """A misspelt point would otherwise be a test that tests nothing."""
    with pytest.raises(ValueError, match=wrong):
        parse_failpoints(text)
    with pytest.raises(ConfigurationError, match="BOOKED_FAILPOINTS"):
        read_settings({**ENVIRONMENT, "BOOKED_ENVIRONMENT": "staging", "BOOKED_FAILPOINTS": text})


def test_production_refuses_failpoints() -> None:
    """Nobody can arm them where orders are real; elsewhere the same setting is taken."""
    armed = {**ENVIRONMENT, "BOOKED_FAILPOINTS": "answer_read=kill9"}
    with pytest.raises(ConfigurationError, match="BOOKED_FAILPOINTS is refused with BOOKED_ENVIRONMENT=production"):
        read_settings(armed)
    assert read_settings({**armed, "BOOKED_ENVIRONMENT": "staging"}).failpoints == "answer_read=kill9"
