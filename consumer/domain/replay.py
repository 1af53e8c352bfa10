"""What the replay decides: whether an order holds what a record told of it, and what it may put in today. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from consumer.domain.events import EventKind, OrderEvent
from consumer.domain.orders import OrderKey
from consumer.domain.revisions import Revision, newer
from consumer.domain.settings import RevisionKey

CALLS_PER_ORDER = 4  # of a backfill: look for the contact, make it, look for the document, make it


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldOrder:
    """What the database holds of an order, as far as the replay compares it."""

    revision: Revision
    paid: bool
    cancelled_by: Revision | None = None
    currency: str = ""
    grand_total: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Glimpse:
    """What a quick look at a record of our own contract tells, without a check of the rest.

    It may only ever spare a record the reader: for an order that holds it for sure. ``amount`` is None where the quick
    look could not tell it.
    """

    key: OrderKey
    version: int | None
    currency: str = ""
    amount: Decimal | None = None
    day: str = ""  # of the payment, as the shop writes it: YYYY-MM-DD; empty where it tells none


def holds_for_sure(
    held: HeldOrder | None, glimpse: Glimpse, place: tuple[str, int, int, int], kind: EventKind, by: RevisionKey | None
) -> bool:
    """Tell whether the order holds the record at ``place`` (topic, log, partition, offset) without reading it.

    It does where that very record is its newest revision, or where its newest one has a higher version. What is equal
    is left to `lacks`, which knows the whole order between revisions.
    """
    if held is None or (kind is EventKind.PAID and not held.paid):
        return False
    if kind is EventKind.CANCELLED and held.cancelled_by is None:
        return False
    newest = held.revision
    if (newest.topic, newest.log, newest.partition, newest.offset) == place:
        return True
    if (by or key_of(held)) is not RevisionKey.VERSION or glimpse.version is None or newest.version is None:
        return False
    return newest.version > glimpse.version


def lacks(held: HeldOrder | None, event: OrderEvent, by: RevisionKey | None) -> bool:
    """Tell whether the order lacks this event: it is unknown, a fact is missing, or its newest revision is older."""
    if held is None or (tells_payment(event) and not held.paid):
        return True
    key = by or key_of(held)
    revision = Revision.of(event)
    if event.kind is EventKind.CANCELLED and (held.cancelled_by is None or newer(revision, held.cancelled_by, key)):
        return True
    return newer(revision, held.revision, key)


def list_lacks(held: HeldOrder | None, event: OrderEvent, by: RevisionKey | None) -> bool:
    """Tell whether an order lacks what its shop's own list says of it.

    The list is another voice for the same revisions: one of equal version or time is no newer one, whatever else tells
    the two apart, or the same order would be put in again at every run.
    """
    if held is None or (tells_payment(event) and not held.paid):
        return True
    listed, newest = Revision.of(event), held.revision
    match by or key_of(held):
        case RevisionKey.VERSION:
            return (listed.version or -1) > (newest.version or -1)
        case RevisionKey.UPDATED_AT:
            return _later(listed.updated_at, newest.updated_at)
        case _:
            # Of orders without a revision the list's own time is the time of asking, which tells nothing.
            return False


def tells_payment(event: OrderEvent) -> bool:
    """Tell whether the event says that the order is paid."""
    return event.kind is EventKind.PAID or event.paid_at is not None


def key_of(held: HeldOrder) -> RevisionKey:
    """Tell by what an order of an unknown shop is placed: by what its newest revision has."""
    if held.revision.version is not None:
        return RevisionKey.VERSION
    return RevisionKey.UPDATED_AT if held.revision.updated_at is not None else RevisionKey.TIME


def _later(first: datetime | None, second: datetime | None) -> bool:
    return first is not None and (second is None or first > second)


def allowance(daily_left: int, waiting: int, share: Decimal) -> int:
    """Tell how many orders a backfill may put in for one connection now.

    At most ``share`` of the calls that the day still leaves, less what backfills before have put in and the lane has
    not booked yet (``waiting`` orders): so that runs one after another do not add up to the whole day.
    """
    return max(0, int(daily_left * share) // CALLS_PER_ORDER - waiting)


@dataclass(slots=True)
class Allowances:
    """What is left of each connection's allowance; a connection that is not named is not bounded by any."""

    left: dict[str, int]

    def take(self, connection_id: str | None) -> bool:
        """Take one order's share; False where nothing is left."""
        if connection_id is None or connection_id not in self.left:
            return True
        if self.left[connection_id] <= 0:
            return False
        self.left[connection_id] -= 1
        return True


def from_budgets(budgets: Mapping[str, tuple[int, int]], share: Decimal) -> Allowances:
    """Make the allowances of connections, each with the day's calls left and the backfilled orders that wait."""
    return Allowances({name: allowance(left, waiting, share) for name, (left, waiting) in budgets.items()})
