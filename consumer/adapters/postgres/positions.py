"""How far each partition was taken, in Postgres: the truth beside which Kafka's committed offsets are a convenience."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import asyncpg

from consumer.adapters.postgres.pool import Connection, Database
from consumer.adapters.postgres.sql import load
from consumer.errors import FencedError
from consumer.ports.intake import Gap, Position, Taken, TopicPartition


def pairs(table: Iterable[tuple[Any, Any]]) -> tuple[list[Any], list[Any]]:
    """Turn pairs (of place or key) into the two arrays that the queries take."""
    rows = list(table)
    return [first for first, _ in rows], [second for _, second in rows]


def refuse_set_back(
    batch: Iterable[Taken], next_offsets: Mapping[TopicPartition, int], seen: Mapping[TopicPartition, int]
) -> None:
    """Raise FencedError where a position lies below where we left it, and the batch would jump over what is between.

    A person has set it back then, while the partition was being read further on. A batch that begins at the position
    or before is what was asked for.
    """
    firsts: dict[TopicPartition, int] = {}
    for one in batch:
        firsts.setdefault(one.place, one.offset)
    for place, first in firsts.items():
        if next_offsets[place] < min(first, seen.get(place, 0)):
            raise FencedError(
                f"{place.topic}[{place.partition}] was set back to {next_offsets[place]}, and this batch begins at "
                f"{first}: read the positions again and start from there"
            )


class PostgresPositions:
    """The half of consumer.ports.intake.IntakeStore that is about positions."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = load("intake")
        # Where this process last saw each position: one that lies lower now was set back by somebody else.
        self._seen: dict[TopicPartition, int] = {}

    async def positions(self, places: Sequence[TopicPartition]) -> Mapping[TopicPartition, Position]:
        """See the port."""
        async with self._database.connection() as connection:
            found = await connection.fetch(self._sql.read_positions, *pairs(places))
        self._seen.update({TopicPartition(row["topic"], row["partition"]): row["next_offset"] for row in found})
        return {
            TopicPartition(row["topic"], row["partition"]): Position(
                log=row["log"],
                next_offset=row["next_offset"],
                last_offset=row["last_offset"],
                last_checksum=row["last_checksum"],
            )
            for row in found
        }

    async def begin_log(self, place: TopicPartition, first_offset: int) -> Position:
        """See the port. A log that was begun there and of which nothing was taken yet is not begun twice."""

        async def begin(connection: Connection) -> Position:
            row = await self._locked(connection, place)
            if row is None:
                return await self._put(connection, place, 1, first_offset)
            if row["last_offset"] is None and row["next_offset"] == first_offset:
                return Position(log=row["log"], next_offset=first_offset)
            await connection.execute(
                self._sql.add_gap, place.topic, place.partition, row["log"], row["next_offset"], None, "made_again"
            )
            return await self._put(connection, place, row["log"] + 1, first_offset)

        position = await self._database.run(begin)
        self._seen[place] = position.next_offset
        return position

    async def record_gap(self, gap: Gap) -> None:
        """See the port. A gap that was recorded, or that lies below the position, changes nothing."""

        async def note(connection: Connection) -> None:
            # A gap without an end moves no position, so that none is added for it either.
            found = await connection.fetch(self._sql.lock_positions, *pairs([gap.place]))
            row = found[0] if found else None
            if row is None and gap.to_offset is not None:
                row = await self._locked(connection, gap.place)
            if row is not None and row["log"] != gap.log:
                raise FencedError(f"{gap.place.topic}[{gap.place.partition}] has begun its log {row['log']}")
            if row is not None and gap.to_offset is not None and row["next_offset"] >= gap.to_offset:
                return
            await connection.execute(self._sql.add_gap, *gap.place, gap.log, gap.from_offset, gap.to_offset, gap.cause)
            if gap.to_offset is not None:
                await self._put(connection, gap.place, gap.log, gap.to_offset)

        await self._database.run(note)

    async def set_position(self, place: TopicPartition, next_offset: int, actor: str) -> Position:
        """See the port."""

        async def move(connection: Connection) -> Position:
            row = await self._locked(connection, place)
            log, before = (1, 0) if row is None else (row["log"], row["next_offset"])
            if row is not None and next_offset > before:
                await connection.execute(self._sql.add_gap, *place, log, before, next_offset, "moved_by_hand")
            await self._audit(
                connection,
                actor,
                "positions set",
                {"topic": place.topic, "partition": place.partition, "from": before, "to": next_offset},
            )
            return await self._put(connection, place, log, next_offset)

        return await self._database.run(move)

    async def note_committed_ahead(self, places: Sequence[TopicPartition]) -> None:
        """See the port."""

        async def note(connection: Connection) -> None:
            names = sorted(f"{place.topic}[{place.partition}]" for place in places)
            await self._audit(connection, "intake", "look first", {"committed_ahead": names})
            await connection.execute(self._sql.look_first)

        await self._database.run(note)

    async def _locked(self, connection: Connection, place: TopicPartition) -> asyncpg.Record | None:
        """Lock the position of a partition and give it; None where none was known, and a row at offset 0 is ours then.

        The row is added before it is taken for unknown: somebody else's first batch of the partition may not be
        committed yet, which a look alone does not see; adding it waits for that commit.
        """
        found = await connection.fetch(self._sql.lock_positions, *pairs([place]))
        if not found:
            if await connection.fetch(self._sql.add_positions, *pairs([place]), [1]):
                return None
            found = await connection.fetch(self._sql.lock_positions, *pairs([place]))
        return found[0]

    async def _put(self, connection: Connection, place: TopicPartition, log: int, next_offset: int) -> Position:
        await connection.execute(self._sql.put_position, place.topic, place.partition, log, next_offset)
        return Position(log=log, next_offset=next_offset)

    async def _audit(self, connection: Connection, actor: str, action: str, details: dict[str, Any]) -> None:
        await connection.execute(self._sql.add_audit, actor, action, details)
