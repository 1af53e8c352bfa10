"""Which revision of an order is the newest, and what the facts add up to: the fold of events into an order's head.

Content is that of the newest revision; facts only ever add up, from whatever revision they come (design, section 5).
The fold of the same events gives the same head in any order and with any repetition.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any

from consumer.domain.events import EventKind, OrderEvent, Origin
from consumer.domain.orders import OrderKey
from consumer.domain.settings import RevisionKey

FUTURE_TOLERANCE = timedelta(hours=1)
_LONG_AGO = datetime(1, 1, 1, tzinfo=UTC)


class Verdict(StrEnum):
    """What came of one event."""

    NEWEST = "newest"  # it is the order's newest revision, with other content than before
    SAME_CONTENT = "same_content"  # the revision moved on, the content did not: nothing is due for it
    OLDER = "older"  # it lost against a newer revision; kept, counted and shown; its facts count
    REPEATED = "repeated"  # this very revision was taken before
    REVISION_MISSING = "revision_missing"  # rejected: it lacks the shop's revision key
    REVISION_IN_FUTURE = "revision_in_future"  # rejected: its time is more than an hour ahead of the database's clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """What places one revision of an order among the others."""

    version: int | None
    updated_at: datetime | None
    time: datetime
    kind: EventKind
    topic: str
    log: int
    partition: int
    offset: int
    content_hash: bytes

    @classmethod
    def of(cls, event: OrderEvent) -> "Revision":
        """Take the event's own."""
        origin: Origin = event.origin
        return cls(
            version=event.version,
            updated_at=event.updated_at,
            time=event.time,
            kind=event.kind,
            topic=origin.topic,
            log=origin.log,
            partition=origin.partition,
            offset=origin.offset,
            content_hash=event.content_hash,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundTold:
    """A refund as the newest revision that spoke of it told it; ``data`` is JSON in canonical form."""

    revision: Revision
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderHead:
    """What is known of an order as far as events go: its newest revision, and the facts.

    ``content`` is None while nothing but a bare cancellation was seen. ``number`` to ``placed_at`` are those of the
    newest revision that had content.
    """

    key: OrderKey
    revision: Revision
    content: bytes | None = None
    content_hash: bytes | None = None
    content_revision: Revision | None = None
    number: str = ""
    currency: str = ""
    grand_total: Decimal | None = None
    placed_at: datetime | None = None
    paid: bool = False
    paid_at: datetime | None = None  # the earliest that an event states
    paid_told_at: datetime | None = None  # the time of the earliest event that tells of a payment
    cancelled_by: Revision | None = None  # the newest revision that said so
    cancelled_at: datetime | None = None
    uncancelled_by: Revision | None = None  # the newest revision that said "cancelled_at": null
    refunds: Mapping[str, RefundTold] = field(default_factory=dict)  # by id; they only add up
    events: int = 0
    losing_events: int = 0
    traceparent: str = ""  # of the newest revision's event: what is done for the order belongs to that trace

    @property
    def kept_refunds(self) -> tuple[bytes, ...]:
        """Give the refunds that the newest content does not tell of, by id: what was given back stays given back."""
        kept = ((id_, told) for id_, told in sorted(self.refunds.items()) if told.revision != self.content_revision)
        return tuple(told.data for _, told in kept)

    @property
    def told_refunds(self) -> tuple[bytes, ...]:
        """Give all refunds by id: for an order whose own content is gone."""
        return tuple(told.data for _, told in sorted(self.refunds.items()))

    @property
    def paid_moment(self) -> datetime | None:
        """Give the moment of payment: as stated, else of placing, else of the first event that told; None if unpaid."""
        return (self.paid_at or self.placed_at or self.paid_told_at) if self.paid else None

    def cancelled(self, by: RevisionKey) -> bool:
        """Tell whether the order is cancelled: no revision newer than the cancellation took it back."""
        if self.cancelled_by is None:
            return False
        return self.uncancelled_by is None or newer(self.cancelled_by, self.uncancelled_by, by)


def _value(revision: Revision, by: RevisionKey) -> tuple[int, datetime]:
    if by is RevisionKey.VERSION:
        return (-1 if revision.version is None else revision.version, _LONG_AGO)
    if by is RevisionKey.UPDATED_AT:
        return (0, revision.updated_at or _LONG_AGO)
    return (0, revision.time)


def _order_between(first: Revision, second: Revision, by: RevisionKey) -> int:
    """Compare by the shop's key, then kind, then event time, then place in the log, then content hash.

    Offsets tell later from earlier within one partition only. Between two partitions, where an order's events stand
    only if its key was changed, the greater one wins: with the content hash there, three revisions could each be newer
    than the next one.
    """
    ours, theirs = _rank(first, by), _rank(second, by)
    return (ours > theirs) - (ours < theirs)


def _rank(revision: Revision, by: RevisionKey) -> tuple[object, ...]:
    place = (revision.topic, revision.partition, revision.log, revision.offset)
    return (_value(revision, by), revision.kind.rank, revision.time, place, revision.content_hash)


def newer(first: Revision, second: Revision, by: RevisionKey) -> bool:
    """Tell whether the first revision wins over the second: a total order, so that any two processes agree."""
    return _order_between(first, second, by) > 0


def tells_more(first: Revision, second: Revision, by: RevisionKey) -> bool:
    """Tell whether the first revision is newer by the shop's key alone.

    The same revision that comes once more, at a later place or under another kind, is not: it is told again.
    """
    return _value(first, by) > _value(second, by)


def default_key(event: OrderEvent) -> RevisionKey:
    """Choose the revision key that a shop without a setting gets from its first event."""
    if event.version is not None:
        return RevisionKey.VERSION
    return RevisionKey.UPDATED_AT if event.updated_at is not None else RevisionKey.TIME


def refuse(event: OrderEvent, by: RevisionKey, now: datetime) -> Verdict | None:
    """Tell why the event cannot be placed among the shop's revisions; None where it can. ``now`` is the database's."""
    missing = (by is RevisionKey.VERSION and event.version is None) or (
        by is RevisionKey.UPDATED_AT and event.updated_at is None
    )
    if missing:
        return Verdict.REVISION_MISSING
    told = event.updated_at if by is RevisionKey.UPDATED_AT else event.time if by is RevisionKey.TIME else None
    if told is not None and told - now > FUTURE_TOLERANCE:
        return Verdict.REVISION_IN_FUTURE
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fold:
    """An order's head after some events, and what came of each; ``matters`` says that a booking may be needed."""

    head: OrderHead
    verdicts: tuple[Verdict, ...]
    matters: bool


def fold(head: OrderHead | None, events: Sequence[OrderEvent], by: RevisionKey) -> Fold:
    """Fold events of one order, none of them refused, into its head. At least one event or a head is needed."""
    verdicts: list[Verdict] = []
    before = head
    for event in events:
        head, verdict = _take(head, event, by)
        verdicts.append(verdict)
    if head is None:
        raise ValueError("there is nothing to fold")
    return Fold(head=head, verdicts=tuple(verdicts), matters=_matters(before, head, by))


def _matters(before: OrderHead | None, after: OrderHead, by: RevisionKey) -> bool:
    if before is None:
        return True
    return (before.content_hash, before.paid_moment, before.cancelled(by), before.kept_refunds) != (
        after.content_hash,
        after.paid_moment,
        after.cancelled(by),
        after.kept_refunds,
    )


def _take(head: OrderHead | None, event: OrderEvent, by: RevisionKey) -> tuple[OrderHead, Verdict]:
    """Take one event. All that changes is gathered and put in at once: this runs thousands of times a second."""
    revision = Revision.of(event)
    if head is None:
        return _first(event, revision), Verdict.NEWEST
    verdict = _verdict(head, event, revision, by)
    changes = _content(head, event, revision, by) | _facts(head, event, revision, by)
    if newer(revision, head.revision, by):
        changes |= {"revision": revision, "traceparent": event.traceparent}
    if verdict is Verdict.OLDER:
        changes["losing_events"] = head.losing_events + 1
    return replace(head, **changes), verdict


def _first(event: OrderEvent, revision: Revision) -> OrderHead:
    """Make the head of an order's first event: there is nothing to compare with, and most orders have no second one."""
    paid = event.kind is EventKind.PAID or event.paid_at is not None
    cancels = event.kind is EventKind.CANCELLED or event.cancelled_at is not None
    facts: dict[str, Any] = {"paid_told_at": event.time} if paid else {}
    if cancels:
        facts |= {"cancelled_by": revision, "cancelled_at": event.cancelled_at or event.time}
    elif event.cancelled_null:
        facts["uncancelled_by"] = revision
    if event.content is not None:
        facts |= _content_of(event, revision)
    return OrderHead(
        key=event.key,
        revision=revision,
        paid=paid,
        paid_at=event.paid_at,
        refunds={id_: RefundTold(revision=revision, data=data) for id_, data in event.refunds},
        events=1,
        traceparent=event.traceparent,
        **facts,
    )


def _verdict(head: OrderHead, event: OrderEvent, revision: Revision, by: RevisionKey) -> Verdict:
    if revision == head.revision:
        return Verdict.REPEATED
    if not newer(revision, head.revision, by):
        return Verdict.OLDER
    return Verdict.SAME_CONTENT if event.content_hash == head.content_hash else Verdict.NEWEST


def _content(head: OrderHead, event: OrderEvent, revision: Revision, by: RevisionKey) -> dict[str, Any]:
    """Give what the event's content changes: all of it where it is the newest that had content, else nothing."""
    if event.content is None:
        return {}
    if head.content_revision is not None and not newer(revision, head.content_revision, by):
        return {}
    return _content_of(event, revision)


def _content_of(event: OrderEvent, revision: Revision) -> dict[str, Any]:
    return {
        "content": event.content,
        "content_hash": event.content_hash,
        "content_revision": revision,
        "number": event.number,
        "currency": event.currency,
        "grand_total": event.grand_total,
        "placed_at": event.placed_at,
    }


def _facts(head: OrderHead, event: OrderEvent, revision: Revision, by: RevisionKey) -> dict[str, Any]:
    """Give what the event adds to the facts; they count from whatever revision they come."""
    paid = event.kind is EventKind.PAID or event.paid_at is not None
    cancels = event.kind is EventKind.CANCELLED or event.cancelled_at is not None
    changes: dict[str, Any] = {
        "paid": head.paid or paid,
        "paid_at": _earliest(head.paid_at, event.paid_at),
        "paid_told_at": _earliest(head.paid_told_at, event.time if paid else None),
        "events": head.events + 1,
    }
    if cancels and (head.cancelled_by is None or newer(revision, head.cancelled_by, by)):
        changes |= {"cancelled_by": revision, "cancelled_at": event.cancelled_at or event.time}
    elif event.cancelled_null and (head.uncancelled_by is None or newer(revision, head.uncancelled_by, by)):
        changes["uncancelled_by"] = revision
    if event.refunds:
        changes["refunds"] = _with_refunds(head, event, revision, by)
    return changes


def _with_refunds(head: OrderHead, event: OrderEvent, revision: Revision, by: RevisionKey) -> Mapping[str, RefundTold]:
    """Add the event's refunds; of one that was told before, what the newer revision says holds."""
    refunds = dict(head.refunds)
    for id_, data in event.refunds:
        before = refunds.get(id_)
        if before is None or newer(revision, before.revision, by):
            refunds[id_] = RefundTold(revision=revision, data=data)
    return refunds


def _earliest(first: datetime | None, second: datetime | None) -> datetime | None:
    """Keep the earlier of two moments: facts must not depend on which event came first."""
    if first is None or second is None:
        return first or second
    return min(first, second)
