"""What came in over Kafka, as the domain sees it: who, which revision, which facts, and the content."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from consumer.domain.orders import OrderKey


class EventKind(StrEnum):
    """What an event tells; the order of the members is the order between equal revisions: the later wins."""

    PAID = "paid"
    UPDATED = "updated"
    CANCELLED = "cancelled"

    @property
    def rank(self) -> int:
        """Give the place in the order between equal revisions: cancelled over updated over paid."""
        return tuple(EventKind).index(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a record stood; ``log`` grows by one whenever a topic was made again or truncated."""

    topic: str
    log: int
    partition: int
    offset: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderEvent:
    """One readable event. ``time`` is the event's own, else the Kafka record's; all times are aware.

    ``content`` is the order's data in canonical form, None for a bare cancellation; ``content_hash`` covers what
    matters on the document (schemas.reading tells what it leaves out).
    """

    key: OrderKey
    kind: EventKind
    origin: Origin
    event_id: str
    time: datetime
    version: int | None
    updated_at: datetime | None
    content: bytes | None
    content_hash: bytes
    number: str = ""
    currency: str = ""
    grand_total: Decimal | None = None
    placed_at: datetime | None = None
    paid_at: datetime | None = None
    cancelled_at: datetime | None = None
    cancelled_null: bool = False  # the event says "cancelled_at": null in so many words
    refunds: tuple[tuple[str, bytes], ...] = ()  # by id, each as JSON in canonical form
    unknown_fields: tuple[str, ...] = ()
    replaced_characters: int = 0
    key_differs: bool = False
    traceparent: str = ""
    erased: bool = False  # what it says of a person was left out: its order's customer was erased (domain.erasing)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """A message that cannot be an order; ``value`` is what came, cut at 1 MiB, and ``size`` its whole length."""

    origin: Origin
    reason: str
    message: str
    value: bytes | None
    size: int
    digest: bytes
    record_key: bytes | None = None
    headers: tuple[tuple[str, bytes], ...] = ()
    shop_id: str = ""
    order_id: str = ""
