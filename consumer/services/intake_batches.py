"""The intake's batches between its reader and its writer: how they are cut, handed over, and known to be done."""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from consumer.ports.intake import Taken, TopicPartition
from consumer.ports.tracing import Span
from consumer.services.positions import Proof


@dataclass(slots=True, eq=False)
class Reading:
    """One partition as read since it was placed; another placement is another object.

    Identity is what fences: a batch whose reading is not the partition's current one is dropped.
    """

    place: TopicPartition
    log: int
    next_offset: int
    proof: Proof | None


@dataclass(frozen=True, slots=True)
class Entry:
    """One record as read, and the reading that it came from."""

    reading: Reading
    taken: Taken
    span: Span | None = None  # of its trace: it ends when the batch is written or dropped

    @property
    def size(self) -> int:
        """Give the bytes that it holds in memory, roughly: what came, and the canonical content made of it."""
        return 2 * len(self.taken.value or b"") + 512


Batch = Sequence[Entry]


def cut(entries: Iterable[Entry], *, records_max: int, bytes_max: int) -> Iterator[Batch]:
    """Cut into batches of bounded count and bytes; one entry larger than that is a batch of its own."""
    batch: list[Entry] = []
    size = 0
    for entry in entries:
        if batch and (len(batch) >= records_max or size + entry.size > bytes_max):
            yield batch
            batch, size = [], 0
        batch.append(entry)
        size += entry.size
    if batch:
        yield batch


class Handover:
    """One batch waits while one is being written: reading the next overlaps with writing, and memory stays bounded.

    Batches are counted, so that "all that were given before now are done" can be waited for while new ones flow.
    """

    def __init__(self) -> None:
        self._waiting: Batch | None = None
        self._given = 0
        self._done = 0
        self._changed = asyncio.Condition()

    async def give(self, batch: Batch) -> None:
        """Give a batch, waiting for room."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._waiting is None)
            self._waiting = batch
            self._given += 1
            self._changed.notify_all()

    async def take(self, seconds: float) -> Batch | None:
        """Take the next batch, None when there is none in that time; ``done`` must follow, whatever comes of it."""
        try:
            async with asyncio.timeout(seconds), self._changed:
                await self._changed.wait_for(lambda: self._waiting is not None)
                batch, self._waiting = self._waiting, None
                self._changed.notify_all()
                return batch
        except TimeoutError:
            return None

    async def done(self) -> None:
        """Say that the batch taken last was written or dropped."""
        async with self._changed:
            self._done += 1
            self._changed.notify_all()

    async def room(self, seconds: float) -> bool:
        """Wait until a batch would be taken at once; False when it would not within that time."""
        if self._waiting is None:
            return True
        try:
            async with asyncio.timeout(seconds), self._changed:
                await self._changed.wait_for(lambda: self._waiting is None)
        except TimeoutError:
            return False
        return True

    async def settled(self) -> None:
        """Wait until every batch given before this call is done."""
        given = self._given
        async with self._changed:
            await self._changed.wait_for(lambda: self._done >= given)
