"""The broker as it is seen over a network: it deals partitions by itself, and whoever asked may die meanwhile."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Coroutine, Iterator, Mapping, Sequence
from datetime import datetime
from random import Random
from typing import Any, TypeVar

from consumer.adapters.memory.broker import MemoryBroker, MemorySink, MemorySource
from consumer.adapters.memory.replay import MemoryLogReader
from consumer.errors import BrokerUnavailableError
from consumer.ports.events import AssignmentListener, Bounds, Record
from consumer.ports.intake import TopicPartition
from consumer.ports.messages import Answer, Message, MessageRefusedError
from tests.simulation.faults import FaultKind
from tests.simulation.loop import Owner, SimulatedLoop

T = TypeVar("T")
REBALANCE_SECONDS = 3.0  # who has not answered by then is taken for dead
Choose = Callable[[tuple[FaultKind, ...]], FaultKind | None]


class SimulatedSource(MemorySource):
    """A member of a group that lives in a process; what the broker asks of it runs there, as long as it lives."""

    def __init__(
        self, *, loop: SimulatedLoop, owner: Owner, broker: MemoryBroker, topics: Collection[str], group: str
    ) -> None:
        super().__init__(broker=broker, topics=topics, group=group)
        self._loop = loop
        self._owner = owner
        self.expelled = False

    async def start(self, listener: AssignmentListener, more: Collection[str] = ()) -> None:
        """Join the group; the broker deals whether or not we live to see it."""
        await self._served(super().start(listener, more))

    async def stop(self, deadline_seconds: float) -> None:
        """Leave the group."""
        self.expelled = False
        await self._served(super().stop(deadline_seconds))

    async def fetch(self, records_max: int, wait_seconds: float) -> Sequence[Record]:
        """Fetch; a member that was taken for dead learns it here, has lost its partitions, and joins again."""
        if self.expelled:
            self.expelled = False
            await self.lose()
            self.joined = True
            await self._served(self._broker.join(self))
        return await super().fetch(records_max, wait_seconds)

    async def lose(self) -> None:
        """All our partitions are about to pass on; a member that does not say so in time is taken for dead."""
        if not await self._within(super().lose):
            self.take_for_dead()

    async def gain(self, places: frozenset[TopicPartition]) -> None:
        """These are ours from now on."""
        if not await self._within(lambda: super(SimulatedSource, self).gain(places)):
            self.take_for_dead()

    def take_for_dead(self) -> None:
        """The broker has not heard of this member for too long; it is told when it asks again."""
        self.joined = False
        self.expelled = True
        members = self._broker._group(self.group).members
        if self in members:
            members.remove(self)

    def back(self, records: int) -> bool:
        """Read the last records of each partition again, as after a seek that came too late."""
        for place in self._next:
            self._next[place] = max(self._broker.bounds_of(place).beginning, self._next[place] - records)
        self._broker.stir()
        return bool(self._next)

    async def _within(self, ask: Callable[[], Coroutine[Any, Any, None]]) -> bool:
        """Let the process do it; False where it did not within the time."""
        if self._owner.dead:
            return False
        task = self._loop.start(self._owner, ask())
        await asyncio.wait({task}, timeout=REBALANCE_SECONDS)
        return task.done()

    async def _served(self, work: Coroutine[Any, Any, T]) -> T:
        return await asyncio.shield(self._loop.start_outside(work))


class SimulatedSink(MemorySink):
    """Sends over a network: what has left arrives without us, and an acknowledgement may be lost."""

    def __init__(
        self,
        *,
        loop: SimulatedLoop,
        broker: MemoryBroker,
        chance: Random,
        choose: Choose,
        refuses: Callable[[], str | None],
    ) -> None:
        super().__init__(broker=broker)
        self._refuses = refuses
        self._loop = loop
        self._chance = chance
        self._choose = choose

    async def start(self, topics: Sequence[str]) -> None:
        """Check the topics."""
        await asyncio.sleep(0.01)
        await super().start(topics)

    async def send(self, messages: Sequence[Message]) -> Sequence[Answer]:
        """Append all; each gets its own answer."""
        refused = self._refuses()
        sent = self._loop.start_outside(self._arrive([one for one in messages if one.topic != refused]))
        given: Iterator[Answer] = iter(await asyncio.shield(sent))
        answers = [MessageRefusedError("too large") if one.topic == refused else next(given) for one in messages]
        if self._choose((FaultKind.ACKNOWLEDGEMENT_LOST,)) is not None:
            return [BrokerUnavailableError("the acknowledgement was lost") for _ in answers]
        return answers

    async def _arrive(self, messages: Sequence[Message]) -> Sequence[Answer]:
        await asyncio.sleep(self._chance.choice((0.0, 0.01, 0.1)))
        answers = await super().send(messages)
        await asyncio.sleep(self._chance.choice((0.0, 0.01, 0.1)))
        return answers

    async def stop(self, deadline_seconds: float) -> None:
        """Nothing is held, but it takes a moment."""
        await asyncio.sleep(0)
        await super().stop(deadline_seconds)


class SimulatedLogReader(MemoryLogReader):
    """Reads partitions with a moment for each answer."""

    async def partitions(self, topics: Collection[str]) -> Sequence[TopicPartition]:
        """See the port."""
        await asyncio.sleep(0)
        return await super().partitions(topics)

    async def bounds(self, places: Collection[TopicPartition]) -> Mapping[TopicPartition, Bounds]:
        """See the port."""
        await asyncio.sleep(0)
        return await super().bounds(places)

    async def offset_at(self, place: TopicPartition, moment: datetime) -> int | None:
        """See the port."""
        await asyncio.sleep(0)
        return await super().offset_at(place, moment)

    compacted = False  # records without a value are not there any more

    async def read(
        self, place: TopicPartition, from_offset: int, to_offset: int, most: int
    ) -> AsyncIterator[list[Record]]:
        """See the port."""
        async for records in super().read(place, from_offset, to_offset, most):
            await asyncio.sleep(0)
            kept = [one for one in records if one.value is not None] if self.compacted else records
            if kept:
                yield kept
