"""Watchdogs tell what is so: a loop that is late, a server that is silent, a database that cannot clean up."""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress

import pytest
import structlog

from consumer.bootstrap.watchdogs import LastResort
from consumer.errors import BrokerUnavailableError
from consumer.ports.settings import CleaningFigures, Figures
from consumer.services.watchdog import CleaningWatch, Lags, LoopWatch, PeerWatch, hindrances

PATIENCE_SECONDS = 5.0


def figures(*, snapshot: float = 0.0, cleaning: CleaningFigures | None = None) -> Figures:
    """Figures of a database in which nothing else happens."""
    return Figures(
        orders_by_state={},
        oldest_unbooked_seconds=0,
        outbox_waiting=0,
        outbox_set_aside=0,
        rejected_open=0,
        gaps_open=0,
        oldest_snapshot_seconds=snapshot,
        cleaning=cleaning or CleaningFigures(),
    )


def test_the_longest_lag_is_told_for_its_window_and_no_longer() -> None:
    """A shorter one that comes later takes its place only when it has passed."""
    lags = Lags(window_seconds=15)
    lags.note(100.0, 7.0)
    lags.note(110.0, 2.0)
    assert (lags.longest(110.0), lags.longest(115.0), lags.longest(115.1), lags.longest(125.1)) == (7.0, 7.0, 2.0, 0.0)


def test_a_longer_lag_takes_the_place_of_a_shorter_one() -> None:
    """And stays for its own window."""
    lags = Lags(window_seconds=15)
    lags.note(100.0, 1.0)
    lags.note(110.0, 6.0)
    assert (lags.longest(110.0), lags.longest(125.0), lags.longest(126.0)) == (6.0, 6.0, 0.0)


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        """Give the time."""
        return self.now


async def test_a_loop_that_stood_still_is_told_of_while_it_does_and_after() -> None:
    """Whoever asks before the watchdog has its turn hears of the lag that goes on; the measure itself comes after."""
    clock, measured, came = Clock(), [0.0], asyncio.Event()

    def on_lag(lag: float) -> None:
        measured.append(lag)
        came.set()

    tasks: list[int] = []
    watch = LoopWatch(on_lag=on_lag, on_tasks=tasks.append, clock=clock)
    await watch.start()
    await asyncio.sleep(0)
    assert watch.lag_seconds() == 0.0
    clock.now += 7.25  # a look was due after a quarter of a second
    assert watch.lag_seconds() == 7.0
    await asyncio.wait_for(came.wait(), PATIENCE_SECONDS)
    assert (measured[-1], watch.lag_seconds()) == (7.0, 7.0)
    await watch.stop(1.0)
    assert tasks[0] >= 2, "the test's own task, and the watchdog's"
    clock.now += 16.0
    assert watch.lag_seconds() == 0.0


async def until(so: Callable[[], bool]) -> None:
    """Let the other tasks go on until it is so."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not so():
            # The watchdog tells nobody of a change, so it is looked at.
            with suppress(TimeoutError):
                await asyncio.wait_for(asyncio.Event().wait(), 0.001)


def peer(ask: Callable[[], Awaitable[None]], clock: Clock | None = None) -> PeerWatch:
    """A watchdog that asks without a pause."""
    return PeerWatch("broker", ask, every_seconds=0.0, within_seconds=0.05, clock=clock or Clock())


async def test_a_peer_is_missing_until_it_has_answered_and_while_it_does_not() -> None:
    """With the words of the error; and it is there again by itself."""
    error: list[BrokerUnavailableError] = []

    async def ask() -> None:
        await asyncio.sleep(0)
        if error:
            raise error[0]

    watch = peer(ask)
    assert watch.missing == "it has not been asked yet"
    await watch.start()
    await until(lambda: not watch.missing)
    error.append(BrokerUnavailableError("Kafka: away"))
    await until(lambda: watch.missing == "Kafka: away")
    error.clear()
    await until(lambda: not watch.missing)
    await watch.stop(1.0)


async def test_a_peer_that_says_nothing_is_missing_within_the_deadline() -> None:
    """A question that never comes back must not pass for the answer before it."""

    async def silent() -> None:
        await asyncio.Event().wait()

    watch = peer(silent)
    await watch.start()
    await until(lambda: watch.missing == "it does not answer within 0.05 s")
    await watch.stop(1.0)


async def test_an_old_answer_is_none() -> None:
    """Where the watchdog itself hangs, past its own deadline, what it last heard counts for twelve seconds."""
    clock, hangs = Clock(), asyncio.Event()
    answered = asyncio.Event()

    async def ask() -> None:
        if answered.is_set():
            hangs.set()
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                await asyncio.Event().wait()
        answered.set()

    watch = peer(ask, clock)
    await watch.start()
    await asyncio.wait_for(hangs.wait(), PATIENCE_SECONDS)
    assert watch.missing == ""
    clock.now += 13.0
    assert watch.missing == "it has not answered for 13 s"
    await watch.stop(0.01)


@pytest.mark.parametrize(
    ("told", "name"),
    [
        (figures(snapshot=61.0), "old_snapshot"),
        (figures(cleaning=CleaningFigures(prepared_seconds=61.0)), "prepared_transaction"),
        (figures(cleaning=CleaningFigures(idle_slots=1)), "idle_slot"),
        (figures(cleaning=CleaningFigures(dead_rows={"orders": 50_001, "lanes": 3})), "dead_rows_orders"),
    ],
)
def test_what_keeps_postgres_from_cleaning_up_is_named(told: Figures, name: str) -> None:
    """One thing, one name."""
    assert list(hindrances(told)) == [name]


def test_a_database_at_work_hinders_nothing() -> None:
    """Our own transactions take up to 50 seconds, and vacuum comes now and then."""
    told = figures(snapshot=60.0, cleaning=CleaningFigures(dead_rows={"orders": 50_000}, prepared_seconds=60.0))
    assert hindrances(told) == {}


def test_a_hindrance_is_said_once_and_its_end_too() -> None:
    """Not every five seconds, with every reading of the figures."""
    watch = CleaningWatch()
    with structlog.testing.capture_logs() as lines:
        for snapshot in (61.0, 66.0, 0.0, 0.0):
            watch.look(figures(snapshot=snapshot))
    assert [(line["event"], line["what"]) for line in lines] == [
        ("database_cannot_clean_up", "old_snapshot"),
        ("database_cleans_up_again", "old_snapshot"),
    ]


def test_the_last_resort_ends_the_process_when_time_is_over() -> None:
    """Armed once, in a thread that keeps no interpreter from ending."""
    ended, codes = threading.Event(), []

    def end(code: int) -> None:
        codes.append(code)
        ended.set()

    resort = LastResort(0.01, end=end)
    assert not ended.wait(0.05), "it must not count before it is armed"
    resort.arm()
    resort.arm()
    assert ended.wait(PATIENCE_SECONDS)
    assert codes == [1]
