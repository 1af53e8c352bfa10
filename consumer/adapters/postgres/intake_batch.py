"""What the intake's store in Postgres works on within one transaction: the batch, and what it comes to."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from consumer.adapters.postgres import intake_rows as rows
from consumer.domain.events import OrderEvent, Rejected
from consumer.domain.orders import OrderKey
from consumer.domain.placing import FoldedBatch, KnownOrder, Place, key_of
from consumer.domain.revisions import Verdict
from consumer.domain.settings import ConnectionSettings, ShopSettings
from consumer.ports.intake import Recorded, Taken, TopicPartition, as_recorded

REFUSALS = frozenset({Verdict.REVISION_MISSING, Verdict.REVISION_IN_FUTURE})


@dataclass(slots=True, kw_only=True)
class Batch:
    """What is left of a batch after the deliveries that were taken before, in the course of its transaction."""

    now: datetime
    next_offsets: dict[TopicPartition, int]
    taken: list[Taken]
    last: dict[TopicPartition, Taken]
    verdicts: Counter[str]
    shops: dict[str, ShopSettings] = field(default_factory=dict)
    connections: dict[str, ConnectionSettings] = field(default_factory=dict)

    @property
    def events(self) -> list[tuple[Taken, OrderEvent]]:
        """Give the readable records."""
        return [(t, t.outcome) for t in self.taken if isinstance(t.outcome, OrderEvent)]

    def events_to_record(self, known: Mapping[OrderKey, KnownOrder]) -> list[tuple[Taken, OrderEvent]]:
        """Give the readable records, those that an erasure covers without what they say of a person."""
        marks = {key: order.erased for key, order in known.items() if order.erased is not None}
        if not marks:
            return self.events
        heads = {key: known[key].head for key in marks}
        return as_recorded(
            self.events, marks, heads, lambda event: key_of(event, self.shops.get(event.key.shop_id), heads[event.key])
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """Where the orders of a batch stand; for the lanes, since when which connection has work."""

    new: list[rows.Row]
    changed: list[rows.Row]
    moved_on: list[rows.Row]
    woken: frozenset[str]


def connection_id_of(shop: ShopSettings | None) -> str:
    """Give the connection of a shop; empty where it has none."""
    return "" if shop is None else shop.connection_id or ""


def matters(folded: FoldedBatch, key: OrderKey) -> bool:
    """Tell whether the events of a batch changed something of an order that matters."""
    fold = folded.folds.get(key)
    return fold is not None and fold.matters


def note_due(due: set[str], place: Place) -> None:
    """Note the connection whose lane has work by this place."""
    if place.due_at is not None and place.connection_id is not None:
        due.add(place.connection_id)


def admit_one(batch: Batch, one: Taken) -> None:
    """Take a record into the batch, unless its place was taken before."""
    if one.offset < batch.next_offsets[one.place]:
        batch.verdicts["repeated_delivery"] += 1
        return
    batch.next_offsets[one.place] = one.offset + 1
    batch.last[one.place] = one
    batch.taken.append(one)


def sort_out(batch: Batch, events: Sequence[tuple[Taken, OrderEvent]], folded: FoldedBatch) -> list[Rejected]:
    """Count what came of every record, and collect those that are rejected."""
    rejected = [one.outcome for one in batch.taken if isinstance(one.outcome, Rejected)]
    batch.verdicts["rejected"] += len(rejected)
    batch.verdicts["tombstone"] += sum(one.outcome is None for one in batch.taken)
    for (taken, event), verdict in zip(events, folded.verdicts, strict=True):
        batch.verdicts[verdict.value] += 1
        if verdict in REFUSALS:
            rejected.append(rows.not_placed(taken, event, verdict, folded.keys[event.key]))
    batch.verdicts = +batch.verdicts
    return rejected


def joined(first: Recorded, second: Recorded) -> Recorded:
    """Add up what two parts of a batch came to."""
    return Recorded(
        positions={**first.positions, **second.positions},
        verdicts=dict(Counter(first.verdicts) + Counter(second.verdicts)),
        woken=first.woken | second.woken,
        outbox_rows=first.outbox_rows + second.outbox_rows,
    )
