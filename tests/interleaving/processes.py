"""One process of Booked over the in-memory adapters: the shipped intake and the shipped sync, and its sudden death.

A process that has died reaches nothing any more: what it awaits never comes, its tasks are cancelled, and what their
``finally`` blocks still try finds the doors closed. The database and the ledger's books live on.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Generator
from contextlib import asynccontextmanager
from contextvars import ContextVar
from datetime import datetime
from random import Random
from typing import Any, TypeVar

from consumer.adapters.memory.bookings import MemoryBookingStore
from consumer.adapters.memory.broker import MemoryBroker, MemorySource
from consumer.adapters.memory.calls import MemoryCallStore
from consumer.adapters.memory.contacts import MemoryContactStore
from consumer.adapters.memory.database import MemoryDatabase
from consumer.adapters.memory.intake import MemoryIntakeStore
from consumer.adapters.memory.lanes import MemoryLaneStore
from consumer.adapters.memory.ledger import ChooseFault, MemoryLedgerFactory
from consumer.adapters.memory.ledger_book import LedgerBook
from consumer.adapters.memory.watch import MemoryWatchStore
from consumer.domain.events import EventKind
from consumer.domain.settings import ConnectionSettings
from consumer.errors import DatabaseUnavailableError
from consumer.ports.intake import Recorded
from consumer.ports.ledger import Ledger
from consumer.ports.wakeups import Signals, WakeKind
from consumer.services.announcing import Announcer
from consumer.services.intake import Intake, IntakeLimits
from consumer.services.lane_tools import LaneTools
from consumer.services.sync import Sync, SyncParts
from consumer.sources.own import read_record, to_order

T = TypeVar("T")
GROUP = "booked"
KINDS: dict[str, EventKind | None] = {
    "order.paid": EventKind.PAID,
    "order.updated": EventKind.UPDATED,
    "order.cancelled": EventKind.CANCELLED,
}
_STOP_SECONDS = 20.0
_AWAY = 0.002  # of the transactions fail because the database does not answer; half of these were committed
_running: ContextVar["Process | None"] = ContextVar("process", default=None)


def own_tasks(
    loop: asyncio.AbstractEventLoop, coroutine: Coroutine[Any, Any, T] | Generator[Any, None, T], /, **named: Any
) -> asyncio.Task[T]:
    """Make tasks (a loop's task factory) that the process they belong to knows of."""
    task = asyncio.Task(coroutine, loop=loop, **named)
    process = _running.get()
    if process is not None:
        process.tasks.add(task)
        task.add_done_callback(process.tasks.discard)
    return task


class Life:
    """Whether a process lives, and how many steps it has left; a step is a transaction or half a call."""

    def __init__(self, chance: Random, steps: int | None) -> None:
        self.chance = chance
        self.alive = True
        self.over = asyncio.Event()
        self._steps = steps

    async def step(self) -> None:
        """Live through one step; for the dead, and for who dies of it, it never ends."""
        if self._steps is not None:
            self._steps -= 1
            if self._steps < 0:
                self.alive = False
                self.over.set()
        if not self.alive:
            await asyncio.get_running_loop().create_future()

    async def pause(self) -> None:
        """Live through half a call to the ledger, which may take its time."""
        await self.step()
        if self.chance.random() < 0.1:
            await asyncio.sleep(self.chance.uniform(0.0, 0.3))
        else:
            for _ in range(self.chance.choice((0, 1, 2, 5, 15))):
                await asyncio.sleep(0)
        await self.step()


class ProcessDatabase(MemoryDatabase):
    """The one database as one process reaches it: the same tables, with a connection that dies with the process."""

    __slots__ = ("_committed", "_life", "_rough")

    def __init__(
        self, shared: MemoryDatabase, life: Life, *, rough: Callable[[], bool], committed: Callable[[], None]
    ) -> None:
        # Not the parent's own: the tables are those of the shared database, not new ones.
        self.__dict__ = shared.__dict__
        self._life = life
        self._rough = rough
        self._committed = committed

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[datetime]:
        """See MemoryDatabase; it yields a random number of times, and may die or lose its connection on both sides."""
        life = self._life
        for _ in range(life.chance.choice((1, 1, 1, 2, 3))):
            await asyncio.sleep(0)
        await life.step()
        away = life.chance.random() if self._rough() else 1.0
        if away < _AWAY / 2:
            raise DatabaseUnavailableError("the database did not answer")
        yield self.clock()
        self._committed()
        await life.step()
        if away < _AWAY:
            raise DatabaseUnavailableError("the database did not answer; the transaction was committed all the same")
        await asyncio.sleep(0)


class _Token:
    """The right to call, of a token that is always good."""

    async def token(self) -> str:
        """See Access."""
        return "token"

    async def renewed(self, stale: str) -> str:
        """See Access."""
        return f"{stale}-renewed"


class Process:
    """One process; ``run`` is its whole life."""

    def __init__(
        self,
        *,
        name: str,
        life: Life,
        shared: MemoryDatabase,
        broker: MemoryBroker,
        book: LedgerBook,
        choose_fault: ChooseFault,
        rough: Callable[[], bool],
        committed: Callable[[], None],
    ) -> None:
        self.tasks: set[asyncio.Task[Any]] = set()
        self._life = life
        self._broker = broker
        self._signals = Signals()
        self._source = MemorySource(broker=broker, topics=list(KINDS), group=GROUP)
        self.ledgers = MemoryLedgerFactory(
            books={book.organization.organization_id: book},
            choose_fault=choose_fault,
            pause=life.pause,
            throttle_seconds=2.0,
        )
        database = ProcessDatabase(shared, life, rough=rough, committed=committed)
        self._intake = self._make_intake(database)
        self._sync = self._make_sync(database, name)

    @property
    def lives(self) -> bool:
        """Tell whether it has not died."""
        return self._life.alive

    async def run(self, leave: asyncio.Event) -> None:
        """Work until asked to leave, or until death; a farewell takes its leave of the group, death does not."""
        _running.set(self)
        work = asyncio.create_task(self._work(leave))
        _running.set(None)
        over = asyncio.create_task(self._life.over.wait())
        await asyncio.wait({work, over}, return_when=asyncio.FIRST_COMPLETED)
        over.cancel()
        if self._life.alive:
            await work
            return
        await self._bury()

    async def _work(self, leave: asyncio.Event) -> None:
        await self._intake.start()
        await self._sync.start()
        await leave.wait()
        await asyncio.gather(self._intake.stop(_STOP_SECONDS), self._sync.stop(_STOP_SECONDS))
        for service in (self._intake, self._sync):
            assert service.failure is None, service.failure

    async def _bury(self) -> None:
        while self.tasks:
            for task in list(self.tasks):
                task.cancel()
            await asyncio.sleep(0)
        if self._source.joined:
            await self._broker.expel(self._source)

    def _make_intake(self, database: MemoryDatabase) -> Intake:
        chance = self._life.chance
        return Intake(
            source=self._source,
            store=MemoryIntakeStore(database, render_rejected=lambda _, event_id, __: event_id.bytes),
            kinds=KINDS,
            read=read_record,
            on_recorded=self._recorded,
            limits=IntakeLimits(
                records_max=chance.choice((1, 2, 3, 5, 8, 13, 1000)),
                wait_seconds=5.0,
                commit_every_seconds=0.5,
                revoke_seconds=2.0,
                source_stop_seconds=1.0,
            ),
        )

    def _recorded(self, recorded: Recorded) -> None:
        if recorded.woken:
            self._signals.wake(WakeKind.LANES, recorded.woken)

    def _make_sync(self, database: MemoryDatabase, name: str) -> Sync:
        lanes = MemoryLaneStore(database)
        tools = LaneTools(
            lanes=lanes,
            bookings=MemoryBookingStore(database),
            calls=MemoryCallStore(database),
            contacts=MemoryContactStore(database),
            read_order=lambda record, shop: to_order(record.content or b"", shop.time_zone, record.kept_refunds),
            announce_for=lambda view: Announcer(view.connection, "main"),
            open_ledger=self._open,
            steady=asyncio.get_running_loop().time,
            jitter=lambda: self._life.chance.uniform(0.0, 0.2),
            wait_for_wake=self._wait_for_wake,
            watch=MemoryWatchStore(database),
        )
        return Sync(
            SyncParts(lanes=lanes, tools=tools, installation="main", owner=name, wait_for_work=self._wait_for_work)
        )

    def _open(self, connection: ConnectionSettings, _slot_for_repeat: object) -> Ledger:
        return self.ledgers.open(connection, _Token())

    async def _wait_for_wake(self, connection_id: str, seconds: float) -> None:
        await self._signals.wait(WakeKind.LANES, seconds, of=connection_id)

    async def _wait_for_work(self, seconds: float) -> None:
        await self._signals.wait(WakeKind.LANES, seconds)
