"""The one database as each process reaches it, and what is noted of its transactions.

A method of a store is one transaction. It may be lost before it begins, or be committed and its answer be lost; a
process that dies while it waits for the answer has committed, and one that dies before has not.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from random import Random

from consumer.adapters.memory.database import MemoryDatabase, OrderRow
from consumer.adapters.memory.intake import MemoryIntakeStore
from consumer.adapters.memory.people import MemoryPeopleStore
from consumer.domain.asking import Mark, Scene
from consumer.domain.events import OrderEvent
from consumer.domain.orders import OrderKey
from consumer.domain.states import Ask, OrderState, Priority
from consumer.errors import DatabaseUnavailableError
from consumer.ports.intake import Recorded, Taken
from consumer.ports.people import Asked
from tests.simulation.faults import FaultKind

Choose = Callable[[tuple[FaultKind, ...]], FaultKind | None]
_UNDONE = (FaultKind.COMMIT_UNDONE,)
_UNANSWERED = (FaultKind.COMMIT_UNANSWERED,)
_SPOKEN: ContextVar[str | None] = ContextVar("spoken", default=None)


@dataclass(slots=True)
class Link:
    """A process's connections to the database. ``away``: nothing gets through."""

    chance: Random
    choose: Choose
    committed: Callable[[], None]
    away: bool = False
    slow_seconds: float = 0.0  # at most, for each way

    async def before(self) -> None:
        """Wait for a connection and for the server. Raises DatabaseUnavailableError; then nothing has happened."""
        await self._moment()
        if self.away:
            await asyncio.sleep(self.chance.choice((0.0, 0.5)))
            raise DatabaseUnavailableError("the database does not answer")
        if self.choose(_UNDONE) is not None:
            raise DatabaseUnavailableError("the connection was lost before the commit")

    async def after(self) -> None:
        """Wait for the answer to the commit. Raises DatabaseUnavailableError; it has happened all the same."""
        await self._moment()
        if self.choose(_UNANSWERED) is not None:
            raise DatabaseUnavailableError("the connection was lost after the commit")

    async def _moment(self) -> None:
        if self.slow_seconds:
            await asyncio.sleep(self.chance.uniform(0.0, self.slow_seconds))
            return
        lot = self.chance.random()
        if lot < 0.04:
            await asyncio.sleep(self.chance.uniform(0.001, 0.15))
        else:
            await asyncio.sleep(0)
            if lot > 0.8:
                await asyncio.sleep(0)


class LinkedDatabase(MemoryDatabase):
    """The same tables, over a process's own link."""

    __slots__ = ("link",)

    def __init__(self, shared: MemoryDatabase, link: Link) -> None:
        # Not the parent's own: the tables are those of the shared database, not new ones.
        self.__dict__ = shared.__dict__
        self.link = link

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[datetime]:
        """See MemoryDatabase."""
        await self.link.before()
        yield self.clock()
        self.link.committed()
        await self.link.after()


@dataclass(slots=True)
class Cells:
    """Which cells of the table of events by states were reached. ``labels`` names each event's row by its bytes.

    A cell is reached where the transaction that takes the event in finds its order in that state.
    """

    labels: Mapping[bytes, str]
    reached: set[tuple[str, OrderState]] = field(default_factory=set)

    def note(self, row: str | None, database: MemoryDatabase, key: OrderKey) -> None:
        """Note an event that comes now."""
        order = database.orders.get(key)
        if row is not None and order is not None:
            self.reached.add((row, order.state))


class NotedIntakeStore(MemoryIntakeStore):
    """Notes in which state each event finds its order; the store is the shipped twin."""

    cells: Cells

    def _fold_in(self, admitted: "object", now: datetime, priority: Priority | None) -> Recorded:
        for taken in admitted.taken:  # type: ignore[attr-defined] # its class is the module's own
            self._note(taken)
        return super()._fold_in(admitted, now, priority)  # type: ignore[arg-type] # the same

    def _note(self, taken: Taken) -> None:
        event = taken.outcome
        if isinstance(event, OrderEvent):
            self.cells.note(self.cells.labels.get(taken.value or b""), self._db, event.key)


class NotedPeopleStore(MemoryPeopleStore):
    """Notes in which state each action of a person finds its order."""

    cells: Cells

    async def _speak(self, key: OrderKey, what: Ask | Mark, actor: str, note: str) -> Asked:
        _SPOKEN.set(what.value)
        return await super()._speak(key, what, actor, note)

    def _scene(self, row: OrderRow, now: datetime) -> Scene:
        self.cells.note(_SPOKEN.get(), self._db, row.key)
        return super()._scene(row, now)
