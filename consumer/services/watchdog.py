"""Watchdogs: is the event loop free, does a server of ours answer, can Postgres clean up behind us.

They only look and tell. What they tell stands in the metrics, in /livez and in /readyz; nothing is restarted by them.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from time import monotonic

import structlog

from consumer.errors import UnavailableError
from consumer.lifecycle import Service
from consumer.ports.settings import Figures

log = structlog.get_logger()

LOOK_SECONDS = 0.25  # between two looks at the loop: a lag shorter than this harms nobody
LAG_WINDOW_SECONDS = 15.0  # a lag is told so long: who asks every ten seconds hears of it once at least
ASK_EVERY_SECONDS = 3.0
ASK_WITHIN_SECONDS = 4.0
SILENT_SECONDS = 12.0  # a peer that has not answered for so long is away, whatever its last answer was

# Beyond these somebody has left something lying about in the database: our own transactions end within 50 seconds.
SNAPSHOT_SECONDS_MAX = 60.0
PREPARED_SECONDS_MAX = 60.0
DEAD_ROWS_MAX = 50_000


class Lags:
    """The longest lag of the last seconds; moments and lags in seconds by one clock."""

    def __init__(self, window_seconds: float = LAG_WINDOW_SECONDS) -> None:
        self._window_seconds = window_seconds
        self._lags: deque[tuple[float, float]] = deque()  # by moment; lags fall, so that the first is the longest

    def note(self, moment: float, lag: float) -> None:
        """Remember a lag that ended at this moment."""
        while self._lags and self._lags[-1][1] <= lag:
            self._lags.pop()
        self._lags.append((moment, lag))

    def longest(self, now: float) -> float:
        """Give the longest that ended within the window."""
        while self._lags and now - self._lags[0][0] > self._window_seconds:
            self._lags.popleft()
        return self._lags[0][1] if self._lags else 0.0


class LoopWatch(Service):
    """Measures how late the event loop comes round to what is due; ``on_lag`` takes each measure, in seconds.

    ``on_tasks`` takes the number of the loop's tasks: one that only grows is a leak.
    """

    def __init__(
        self,
        *,
        on_lag: Callable[[float], None] = lambda _: None,
        on_tasks: Callable[[int], None] = lambda _: None,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        super().__init__("loop-watch")
        self._on_lag = on_lag
        self._on_tasks = on_tasks
        self._clock = clock
        self._lags = Lags()
        self._due: float | None = None

    def lag_seconds(self) -> float:
        """Give the longest lag of the last seconds, with the one that goes on now."""
        now = self._clock()
        going_on = 0.0 if self._due is None else now - self._due
        return max(0.0, going_on, self._lags.longest(now))

    async def _begin(self) -> None:
        self.spawn("looking", self._look())
        self.started.set()

    async def _look(self) -> None:
        while not self.stopping.is_set():
            self._due = self._clock() + LOOK_SECONDS
            await self.nap(LOOK_SECONDS)
            now = self._clock()
            lag = max(0.0, now - self._due)
            self._lags.note(now, lag)
            self._on_lag(lag)
            self._on_tasks(len(asyncio.all_tasks()))
        self._due = None


class PeerWatch(Service):
    """Asks a server of ours whether it answers, again and again; /readyz reads what came of it and asks nobody.

    ``ask`` raises UnavailableError where the server does not answer. A question that never comes back is an answer too.
    """

    def __init__(
        self,
        name: str,
        ask: Callable[[], Awaitable[None]],
        *,
        every_seconds: float = ASK_EVERY_SECONDS,
        within_seconds: float = ASK_WITHIN_SECONDS,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        super().__init__(f"{name}-watch")
        self.peer = name
        self._ask = ask
        self._every_seconds = every_seconds
        self._within_seconds = within_seconds
        self._clock = clock
        self._answered_at: float | None = None
        self._missing = "it has not been asked yet"

    @property
    def missing(self) -> str:
        """Say what is wrong with the peer; empty where it answers."""
        if self._missing or self._answered_at is None:
            return self._missing
        silent = self._clock() - self._answered_at
        return f"it has not answered for {silent:.0f} s" if silent > SILENT_SECONDS else ""

    async def _begin(self) -> None:
        self.spawn("asking", self._asking())
        self.started.set()

    async def _asking(self) -> None:
        while not self.stopping.is_set():
            self._note(await self._asked())
            await self.nap(self._every_seconds)

    async def _asked(self) -> str:
        try:
            async with asyncio.timeout(self._within_seconds):
                await self._ask()
        except UnavailableError as error:
            return str(error)
        except TimeoutError:
            return f"it does not answer within {self._within_seconds:g} s"
        return ""

    def _note(self, missing: str) -> None:
        if not missing:
            self._answered_at = self._clock()
        if bool(missing) != bool(self._missing):
            (log.warning if missing else log.info)("peer_silent" if missing else "peer_answers", peer=self.peer)
        self._missing = missing


def hindrances(figures: Figures) -> Mapping[str, str]:
    """Tell what keeps Postgres from cleaning up behind the queues, with what to do; by a short name."""
    found: dict[str, str] = {}
    snapshot = figures.oldest_snapshot_seconds
    if snapshot > SNAPSHOT_SECONDS_MAX:
        found["old_snapshot"] = f"A transaction is {snapshot:.0f} s old. End it: nothing is cleaned up meanwhile."
    cleaning = figures.cleaning
    if cleaning.prepared_seconds > PREPARED_SECONDS_MAX:
        found["prepared_transaction"] = (
            f"A prepared transaction is {cleaning.prepared_seconds:.0f} s old, and Booked makes none: commit it or "
            "roll it back (pg_prepared_xacts)."
        )
    if cleaning.idle_slots:
        found["idle_slot"] = (
            f"{cleaning.idle_slots} replication slots have no reader; the log grows until the disk is full. Drop them "
            "or bring their readers back (pg_replication_slots)."
        )
    for table, rows in cleaning.dead_rows.items():
        if rows > DEAD_ROWS_MAX:
            found[f"dead_rows_{table}"] = f"{table} holds {rows} dead rows: let autovacuum reach it, or vacuum it."
    return found


class CleaningWatch:
    """Says in the log, once each, what keeps Postgres from cleaning up, and when it is over."""

    def __init__(self) -> None:
        self._said: frozenset[str] = frozenset()

    def look(self, figures: Figures) -> None:
        """Compare with what was said before."""
        found = hindrances(figures)
        for name in sorted(found.keys() - self._said):
            log.warning("database_cannot_clean_up", what=name, text=found[name])
        for name in sorted(self._said - found.keys()):
            log.info("database_cleans_up_again", what=name)
        self._said = frozenset(found)
