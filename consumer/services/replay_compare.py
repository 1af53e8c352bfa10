"""Compares records with the orders that are recorded, and puts in what is missing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from consumer.domain.completeness import PaidOrder, Source, Tallying, Window
from consumer.domain.events import EventKind, OrderEvent, Rejected
from consumer.domain.orders import OrderKey
from consumer.domain.replay import Allowances, Glimpse, HeldOrder, holds_for_sure, lacks, list_lacks, tells_payment
from consumer.domain.settings import RevisionKey
from consumer.domain.states import Priority
from consumer.failpoints import failpoint
from consumer.ports.events import Record
from consumer.ports.intake import IntakeStore, Recorded, Taken
from consumer.ports.replay import ReplayStore
from consumer.services.positions import checksum
from consumer.services.record_reading import RecordReading
from consumer.services.replay_glimpse import day_of_record, glimpse
from consumer.services.replay_report import ReplayReport

_NOT_TAKEN = frozenset({"rejected", "repeated_delivery", "tombstone", "revision_missing", "revision_in_future"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Records of one source, as they are to be compared. Below ``counted_from`` they were summed by an earlier run."""

    source: Source
    log: int
    kind: EventKind | None
    counted_from: int | None  # None: nothing of it is summed


@dataclass(slots=True)
class _Seen:
    """One record under comparison: what the quick look told, or what the reader made of it."""

    record: Record
    glimpse: Glimpse | None
    kind: EventKind | None
    event: OrderEvent | None = None

    @property
    def key(self) -> OrderKey | None:
        if self.event is not None:
            return self.event.key
        return None if self.glimpse is None else self.glimpse.key


@dataclass(slots=True, kw_only=True)
class Comparison:
    """Compares batch after batch of one run. ``allowances`` is None where nothing bounds what may be put in."""

    store: ReplayStore
    intake: IntakeStore
    reading: RecordReading
    report: ReplayReport
    tallying: Tallying
    put_in_at_once: int
    shop_id: str | None = None
    dry_run: bool = False
    allowances: Allowances | None = None
    _recorded: set[OrderKey] = field(default_factory=set)
    _found: set[OrderKey] = field(default_factory=set)

    async def compare(self, records: Sequence[Record], stretch: Stretch) -> None:
        """Compare one batch: one look-up for all its keys, and full readings only of what is not surely held."""
        self.report.records += len(records)
        seen = [self._look(record, stretch) for record in records if record.value is not None]
        rejected = self._read_unclear(seen, stretch)
        seen = [one for one in seen if one.key is not None and self.shop_id in (None, one.key.shop_id)]
        held = await self.store.held(sorted({one.key for one in seen if one.key is not None}))
        missing = [one for one in seen if self._is_missing(one, held, stretch, rejected)]
        await self._put_in(missing, rejected, stretch)
        if stretch.counted_from is not None:
            self._sum(seen, held, {id(one) for one in missing}, stretch)

    def _look(self, record: Record, stretch: Stretch) -> _Seen:
        return _Seen(record, glimpse(record), stretch.kind)

    def _read_unclear(self, seen: list[_Seen], stretch: Stretch) -> list[Taken]:
        """Read in full what the quick look could not make out: platforms' orders, and what is no order at all."""
        rejected: list[Taken] = []
        for one in seen:
            if one.glimpse is None or one.kind is None:
                self._read(one, stretch, rejected)
        return rejected

    def _read(self, one: _Seen, stretch: Stretch, rejected: list[Taken]) -> None:
        outcome = self.reading.read(one.record, log=stretch.log, kind=stretch.kind)
        self.report.read_in_full += 1
        if isinstance(outcome, OrderEvent):
            one.event, one.kind = outcome, outcome.kind
            return
        one.glimpse = None
        if isinstance(outcome, Rejected) and self.shop_id in (None, outcome.shop_id):
            rejected.append(_taken(one.record, outcome, outcome.value))

    def _is_missing(
        self, one: _Seen, held: Mapping[OrderKey, HeldOrder], stretch: Stretch, rejected: list[Taken]
    ) -> bool:
        key = one.key
        if key is None:
            return False
        order, by = held.get(key), self._revision_key(key)
        if one.event is None:
            record = one.record
            place = (record.place.topic, stretch.log, record.place.partition, record.offset)
            if one.glimpse is None or one.kind is None or holds_for_sure(order, one.glimpse, place, one.kind, by):
                return False
            self._read(one, stretch, rejected)
        if one.event is None:
            return False
        # The reader may have found another order than the quick look, whose state was not looked up: then it is put
        # in, where it is known by its place.
        order = held.get(one.event.key)
        return (list_lacks if stretch.source is Source.LIST else lacks)(order, one.event, by)

    def _revision_key(self, key: OrderKey) -> RevisionKey | None:
        shop = self.reading.directory.shops.get(key.shop_id)
        return None if shop is None else shop.settings.revision

    async def _put_in(self, missing: list[_Seen], rejected: list[Taken], stretch: Stretch) -> None:
        """Put in what is missing, through the intake's own path; behind live orders."""
        kept_back = await self.store.rejected_before([one.event.origin for one in missing if one.event is not None])
        batch: list[Taken] = []
        for one in missing:
            if one.event is None:
                continue
            if one.event.origin in kept_back:
                # Rejected when it came, and kept: whether it is tried again or dropped is for people to say.
                self.report.kept_back += 1
            elif self.allowances is not None and not self.allowances.take(self._connection(one.event.key)):
                self.report.over_share += 1
            elif self.dry_run and stretch.source is Source.LIST and one.event.key in self._found:
                # Named already by the topic; a run that puts things in would find it recorded by now.
                continue
            else:
                self.report.found(one.event.key)
                self._found.add(one.event.key)
                batch.append(_taken(one.record, one.event, one.record.value))
        if stretch.source is Source.TOPIC:
            batch += rejected
        if self.dry_run or not batch:
            return
        failpoint("replay_listed")
        for start in range(0, len(batch), self.put_in_at_once):
            part = batch[start : start + self.put_in_at_once]
            self._note(await self.intake.put_in(part, priority=Priority.BACKFILL))
            failpoint("replay_half_put_in")
        # Looked up again, since the store may have refused some: only what stands in `orders` is recorded.
        after = await self.store.held(sorted({one.event.key for one in missing if one.event is not None}))
        self._recorded = {key for key, order in after.items() if order.paid}

    def _connection(self, key: OrderKey) -> str | None:
        shop = self.reading.directory.shops.get(key.shop_id)
        return None if shop is None else shop.settings.connection_id

    def _note(self, recorded: Recorded) -> None:
        self.report.refused += recorded.outbox_rows
        for verdict, count in recorded.verdicts.items():
            if verdict not in _NOT_TAKEN:
                self.report.put_in[verdict] += count

    def _sum(self, seen: list[_Seen], held: Mapping[OrderKey, HeldOrder], missing: set[int], stretch: Stretch) -> None:
        """Sum the paid orders; what was put in just now counts as recorded, what could not be put in does not."""
        for one in seen:
            paid = _paid(one, stretch)
            if paid is None or (stretch.counted_from is not None and one.record.offset < stretch.counted_from):
                continue
            self.report.paid += 1
            order = held.get(paid.key)
            recorded = order is not None and order.paid
            if not recorded and id(one) in missing:
                recorded = paid.key in self._recorded
            amount = _amount_recorded(one, order, stretch)
            self.tallying.add(paid, recorded=recorded, recorded_amount=amount)
        self._recorded.clear()


def _taken(record: Record, outcome: OrderEvent | Rejected, value: bytes | None) -> Taken:
    return Taken(place=record.place, offset=record.offset, checksum=checksum(record), outcome=outcome, value=value)


def _paid(one: _Seen, stretch: Stretch) -> PaidOrder | None:
    """Give what the record tells of a paid order; None where it tells of no payment."""
    if one.event is not None:
        if not tells_payment(one.event):
            return None
        key, currency, amount = one.event.key, one.event.currency, one.event.grand_total
        day = one.event.paid_at.date().isoformat() if one.event.paid_at else day_of_record(one.record)
    elif one.glimpse is not None and (one.kind is EventKind.PAID or one.glimpse.day):
        key, currency, amount = one.glimpse.key, one.glimpse.currency, one.glimpse.amount
        day = one.glimpse.day or day_of_record(one.record)
    else:
        return None
    return PaidOrder(key, Window(key.shop_id, stretch.source, day, currency), Decimal(0) if amount is None else amount)


def _amount_recorded(one: _Seen, order: HeldOrder | None, stretch: Stretch) -> Decimal | None:
    """Give the total recorded of this very record; None where a newer revision has another one by right."""
    if order is None:
        return None
    newest, record = order.revision, one.record
    same = (newest.topic, newest.log, newest.partition, newest.offset) == (
        record.place.topic,
        stretch.log,
        record.place.partition,
        record.offset,
    )
    return order.grand_total if same else None
