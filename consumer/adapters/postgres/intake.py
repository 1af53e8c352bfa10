"""The intake's store in Postgres: a batch of events in one transaction of a handful of statements."""

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

import asyncpg

from consumer.adapters.postgres import intake_rows as rows
from consumer.adapters.postgres.bulk import insert_rows
from consumer.adapters.postgres.errors import is_data_error
from consumer.adapters.postgres.intake_batch import (
    REFUSALS,
    Batch,
    Placed,
    admit_one,
    connection_id_of,
    joined,
    matters,
    note_due,
    sort_out,
)
from consumer.adapters.postgres.pool import Connection, Database
from consumer.adapters.postgres.positions import PostgresPositions, pairs, refuse_set_back
from consumer.adapters.postgres.sql import load
from consumer.domain.events import OrderEvent, Rejected
from consumer.domain.orders import OrderKey
from consumer.domain.placing import (
    FoldedBatch,
    KnownOrder,
    Ties,
    connection_of,
    fold_batch,
    keys_to_fix,
    place_changed,
    place_new,
    served_at,
)
from consumer.domain.states import Priority
from consumer.errors import DatabaseUnavailableError, FencedError
from consumer.failpoints import failpoint
from consumer.ports.intake import Recorded, Taken, TopicPartition

_TRIES = 8  # runs of one batch, while others add the same orders: each run sees those that stopped the one before


class _OrderAddedMeanwhileError(Exception):
    """Another process added an order between our look and our insert."""


class PostgresIntakeStore(PostgresPositions):
    """See consumer.ports.intake.IntakeStore. ``render_rejected`` makes the bytes of an `order.rejected` message."""

    def __init__(self, database: Database, *, render_rejected: rows.RenderRejected) -> None:
        super().__init__(database)
        self._render_rejected = render_rejected

    async def record(self, batch: Sequence[Taken]) -> Recorded:
        """See the port. Raises FencedError where somebody has begun a new log of a partition, or set it back."""
        if not batch:
            return Recorded(positions={}, verdicts={}, woken=frozenset(), outbox_rows=0)
        # As it was when the batch was handed over: the partition may be placed anew while we wait for its lock.
        seen = dict(self._seen)

        async def record(connection: Connection, part: Sequence[Taken]) -> Recorded:
            return await self._fold_in(connection, await self._admit(connection, part, seen), None, frozenset())

        recorded = await self._whole_or_in_parts(batch, record)
        self._seen.update(recorded.positions)
        return recorded

    async def put_in(self, batch: Sequence[Taken], *, priority: Priority) -> Recorded:
        """See the port."""
        if not batch:
            return Recorded(positions={}, verdicts={}, woken=frozenset(), outbox_rows=0)

        async def put_in(connection: Connection, part: Sequence[Taken]) -> Recorded:
            now = await connection.fetchval(self._sql.clock)
            new, unknown = await self._not_taken_before(connection, part)
            verdicts = Counter({"repeated_delivery": len(part) - len(new)})
            batch = Batch(now=now, next_offsets={}, taken=new, last={}, verdicts=verdicts)
            return await self._fold_in(connection, batch, priority, unknown)

        return await self._whole_or_in_parts(batch, put_in)

    async def _not_taken_before(
        self, connection: Connection, batch: Sequence[Taken]
    ) -> tuple[list[Taken], frozenset[OrderKey]]:
        """Pass over records that stand among the events of their order; each counts once within the batch too.

        Gives the others, and the orders that are unknown yet: there was nothing to lock of them.
        """
        origins = {
            (one.outcome.origin.topic, one.outcome.origin.log, one.outcome.origin.partition, one.outcome.origin.offset)
            for one in batch
            if isinstance(one.outcome, OrderEvent)
        }
        keys = sorted({one.outcome.key for one in batch if isinstance(one.outcome, OrderEvent)})
        unknown = frozenset[OrderKey]()
        if keys:
            # Before the look: two who put the same records in would both find that they are new. Shops come first.
            await connection.fetch(self._sql.lock_shops, sorted({key.shop_id for key in keys}))
            locked = await connection.fetch(self._sql.lock_orders, *pairs(keys))
            unknown = frozenset(keys) - {OrderKey(row["shop_id"], row["order_id"]) for row in locked}
        found = await connection.fetch(self._sql.read_origins, *pairs(keys)) if keys else []
        taken = origins & {(row["topic"], row["log"], row["partition"], row["offset"]) for row in found}
        new = []
        for one in batch:
            if isinstance(one.outcome, OrderEvent):
                origin = one.outcome.origin
                place = (origin.topic, origin.log, origin.partition, origin.offset)
                if place in taken:
                    continue
                taken.add(place)
            new.append(one)
        return new, unknown

    async def _whole_or_in_parts(
        self, batch: Sequence[Taken], record: Callable[[Connection, Sequence[Taken]], Awaitable[Recorded]]
    ) -> Recorded:
        try:
            return await self._whole(batch, record)
        except DatabaseUnavailableError:
            raise
        except Exception as error:
            # Only what the database says of the data themselves is dealt with here; all else goes on up.
            if not is_data_error(error):
                raise
            return await self._in_parts(batch, record, error)

    async def _whole(
        self, batch: Sequence[Taken], record: Callable[[Connection, Sequence[Taken]], Awaitable[Recorded]]
    ) -> Recorded:
        for _ in range(_TRIES - 1):
            try:
                return await self._database.run(lambda connection: record(connection, batch))
            except _OrderAddedMeanwhileError:
                # The insert has waited for the other's commit; the next run reads what it was.
                continue
        return await self._database.run(lambda connection: record(connection, batch))

    async def _in_parts(
        self,
        batch: Sequence[Taken],
        record: Callable[[Connection, Sequence[Taken]], Awaitable[Recorded]],
        error: Exception,
    ) -> Recorded:
        """Find the record that the database refuses, by halving; the order of the records is kept."""
        if len(batch) > 1:
            middle = len(batch) // 2
            first = await self._whole_or_in_parts(batch[:middle], record)
            return joined(first, await self._whole_or_in_parts(batch[middle:], record))
        culprit = batch[0]
        if isinstance(culprit.outcome, Rejected) and culprit.outcome.reason == rows.REFUSED_BY_DATABASE:
            raise error
        return await self._whole_or_in_parts([replace(culprit, outcome=rows.refused(culprit, str(error)))], record)

    async def _fold_in(
        self, connection: Connection, batch: Batch, priority: Priority | None, unknown: frozenset[OrderKey]
    ) -> Recorded:
        """Fold the events into their orders and write all that comes of it; ``priority`` of what becomes due by it.

        ``unknown`` are orders whose events were looked at without a lock, since there were none: one that is there by
        now may have been added by these very records.
        """
        await self._read_settings(connection, batch)
        known = await self._lock_orders(connection, batch, {event.key for _, event in batch.events})
        if not unknown.isdisjoint(known):
            raise _OrderAddedMeanwhileError
        events = batch.events_to_record(known)
        heads = {key: order.head for key, order in known.items()}
        folded = fold_batch([event for _, event in events], heads, batch.shops, batch.now)
        ties = await self._read_ties(connection, [key for key in known if matters(folded, key)])
        placed = self._place(batch, known, folded, ties, priority)
        rejected = sort_out(batch, events, folded)
        await self._write_events(connection, events, folded)
        await self._write_orders(connection, placed)
        outbox_rows = await self._write_rejected(connection, rejected, batch.now)
        await self._move_positions(connection, batch)
        if placed.woken:
            await connection.execute(self._sql.wake_lanes, sorted(placed.woken), batch.now)
        failpoint("batch_before_commit")
        return Recorded(
            positions=batch.next_offsets,
            verdicts=dict(batch.verdicts),
            woken=placed.woken,
            outbox_rows=outbox_rows,
        )

    async def _admit(self, connection: Connection, taken: Sequence[Taken], seen: Mapping[TopicPartition, int]) -> Batch:
        """Lock the positions and drop what lies below them."""
        logs = {t.place: t.outcome.origin.log for t in reversed(taken) if t.outcome is not None}
        places = sorted({t.place for t in taken})
        locked = await connection.fetch(self._sql.lock_positions, *pairs(places))
        if len(locked) < len(places):
            await connection.execute(self._sql.add_positions, *pairs(places), [logs.get(place, 1) for place in places])
            locked = await connection.fetch(self._sql.lock_positions, *pairs(places))
        positions = {TopicPartition(row["topic"], row["partition"]): row for row in locked}
        batch = Batch(
            now=locked[0]["now"],
            next_offsets={place: row["next_offset"] for place, row in positions.items()},
            taken=[],
            last={},
            verdicts=Counter(),
        )
        refuse_set_back(taken, batch.next_offsets, seen)
        for one in taken:
            log = positions[one.place]["log"]
            if one.outcome is not None and one.outcome.origin.log != log:
                raise FencedError(
                    f"{one.place.topic}[{one.place.partition}] has begun its log {log}, and this batch was read from "
                    f"log {one.outcome.origin.log}: read the positions again and start from there"
                )
            admit_one(batch, one)
        return batch

    async def _read_settings(self, connection: Connection, batch: Batch) -> None:
        names = sorted({event.key.shop_id for _, event in batch.events})
        if not names:
            return
        rows.read_shops(await connection.fetch(self._sql.lock_shops, names), batch.shops, batch.connections)
        fixed = keys_to_fix([event for _, event in batch.events], batch.shops)
        if fixed:
            await connection.execute(self._sql.fix_revision_keys, list(fixed), [key.value for key in fixed.values()])
            rows.read_shops(await connection.fetch(self._sql.lock_shops, names), batch.shops, batch.connections)

    async def _lock_orders(
        self, connection: Connection, batch: Batch, keys: set[OrderKey]
    ) -> dict[OrderKey, KnownOrder]:
        if not keys:
            return {}
        found = await connection.fetch(self._sql.lock_orders, *pairs(sorted(keys)))
        known = {order.head.key: order for order in map(rows.known_order, found)}
        elsewhere = {order.place.connection_id for order in known.values()} - batch.connections.keys() - {None}
        if elsewhere:
            rows.read_connections(
                await connection.fetch(self._sql.read_connections, list(elsewhere)), batch.connections
            )
        return known

    async def _read_ties(self, connection: Connection, keys: Sequence[OrderKey]) -> dict[OrderKey, Ties]:
        if not keys:
            return {}
        return {
            OrderKey(row["shop_id"], row["order_id"]): Ties(
                live_invoice=row["live_invoice"], documents=row["documents"], open_intent=row["open_intent"]
            )
            for row in await connection.fetch(self._sql.read_ties, *pairs(keys))
        }

    def _place(
        self,
        batch: Batch,
        known: Mapping[OrderKey, KnownOrder],
        folded: FoldedBatch,
        ties: Mapping[OrderKey, Ties],
        priority: Priority | None,
    ) -> Placed:
        placed = Placed(new=[], changed=[], moved_on=[], woken=frozenset())
        due: set[str] = set()
        for key in sorted(folded.folds):
            fold, by, shop = folded.folds[key], folded.keys[key], batch.shops.get(key.shop_id)
            before = known.get(key)
            if before is None:
                place = place_new(fold.head, by, shop, batch.connections.get(connection_id_of(shop)), batch.now)
                place = served_at(place, None, priority)
                placed.new.append(rows.new_row(fold.head, by, place))
            elif fold.matters:
                own = connection_of(before.place, ties[key], shop)
                place = place_changed(
                    before, fold.head, by, ties[key], shop, batch.connections.get(own or ""), batch.now
                )
                place = served_at(place, before.place, priority)
                placed.changed.append(rows.changed_row(fold.head, by, place))
            else:
                placed.moved_on.append(rows.head_row(fold.head, by))
                continue
            note_due(due, place)
        return replace(placed, woken=frozenset(due))

    async def _write_events(
        self, connection: Connection, events: Sequence[tuple[Taken, OrderEvent]], folded: FoldedBatch
    ) -> None:
        records = [
            rows.event_record(taken, event, verdict)
            for (taken, event), verdict in zip(events, folded.verdicts, strict=True)
            if verdict not in REFUSALS
        ]
        if records:
            await insert_rows(
                connection,
                "events",
                records=records,
                columns=rows.EVENT_COLUMNS,
                insert=self._sql.insert_event,
            )

    async def _write_orders(self, connection: Connection, placed: Placed) -> None:
        if placed.new:
            await self._insert_orders(connection, placed.new)
        if placed.changed:
            await connection.execute(self._sql.update_orders, *rows.columns(placed.changed))
        if placed.moved_on:
            await connection.execute(self._sql.update_heads, *rows.columns(placed.moved_on))

    async def _insert_orders(self, connection: Connection, new: list[rows.Row]) -> None:
        """Insert in the order of the keys, like every lock."""
        try:
            await insert_rows(
                connection, "orders", records=new, columns=rows.ORDER_COLUMNS, insert=self._sql.insert_order
            )
        except asyncpg.UniqueViolationError as error:
            # Unknown when we looked, there now: somebody else was quicker. The whole transaction runs again.
            if error.constraint_name == "orders_pkey":
                raise _OrderAddedMeanwhileError from error
            raise

    async def _write_rejected(self, connection: Connection, rejected: Sequence[Rejected], now: datetime) -> int:
        if not rejected:
            return 0
        inserted = await connection.fetch(
            self._sql.insert_rejected, *rows.columns([rows.rejected_row(one) for one in rejected])
        )
        first_time = {tuple(row) for row in inserted}
        messages = [
            rows.message_row(one, self._render_rejected, now)
            for one in rejected
            if (one.origin.topic, one.origin.log, one.origin.partition, one.origin.offset) in first_time
        ]
        if messages:
            await connection.execute(self._sql.insert_outbox, *rows.columns(messages))
        return len(messages)

    async def _move_positions(self, connection: Connection, batch: Batch) -> None:
        if not batch.last:
            return
        last = [batch.last[place] for place in sorted(batch.last)]
        await connection.execute(
            self._sql.move_positions,
            *pairs([one.place for one in last]),
            [one.offset for one in last],
            [one.checksum for one in last],
        )


class PostgresOrderReader:
    """See consumer.ports.intake.OrderReader."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = load("intake")

    async def states(self, keys: Sequence[OrderKey]) -> Mapping[OrderKey, str]:
        """See the port."""
        async with self._database.connection() as connection:
            found = await connection.fetch(self._sql.read_states, *pairs(keys))
        return {OrderKey(row["shop_id"], row["order_id"]): row["state"] for row in found}
