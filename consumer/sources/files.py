"""One order in a file, read as if it had come in: for a preview, so nothing of it is stored."""

from collections.abc import Mapping
from datetime import datetime

from consumer.domain.events import EventKind, OrderEvent, Rejected
from consumer.domain.orders import OrderKey
from consumer.domain.records import OrderRecord
from consumer.domain.settings import Platform, ShopSettings
from consumer.domain.standing import Facts
from consumer.domain.states import OrderState, Priority
from consumer.ports.events import Record
from consumer.ports.intake import TopicPartition
from consumer.sources.directory import directory_of
from consumer.sources.platforms import Translate
from consumer.sources.reading import ShopReader
from schemas.envelope import SHOP_HEADER

_PLACE = TopicPartition("file", 0)


class UnreadableFileError(ValueError):
    """The file holds no order of the shop; the message says what is wrong and what helps."""


def record_of_file(
    content: bytes, shop: ShopSettings, *, now: datetime, translators: Mapping[Platform, Translate]
) -> OrderRecord:
    """Read an order of our contract, or of the shop's platform, as the record of a paid order that is new.

    Raises UnreadableFileError.
    """
    is_platform = shop.source is not Platform.BOOKED
    # An event tells its kind itself, and so does a platform's order; a bare order of ours stands for order.paid.
    kind = None if is_platform or b'"specversion"' in content else EventKind.PAID
    headers = ((SHOP_HEADER, shop.shop_id.encode()),) if is_platform else ()
    record = Record(_PLACE, 0, int(now.timestamp() * 1000), None, content, headers)
    return _record(_event(record, kind, shop, translators))


def _event(
    record: Record, kind: EventKind | None, shop: ShopSettings, translators: Mapping[Platform, Translate]
) -> OrderEvent:
    directory = directory_of([shop])
    reader = ShopReader(directory=lambda: directory, translators=translators)
    read = reader.read(record, log=0, kind=kind, zone_of=directory.zone_of)
    if read is None:
        raise UnreadableFileError("the file is empty")
    if isinstance(read, Rejected):
        raise UnreadableFileError(f"the file is no order ({read.reason}): {read.message}")
    if read.key.shop_id != shop.shop_id:
        raise UnreadableFileError(f"the order is of shop {read.key.shop_id}, not of {shop.shop_id}")
    return read


def _record(event: OrderEvent) -> OrderRecord:
    cancelled = event.kind is EventKind.CANCELLED or event.cancelled_at is not None
    return OrderRecord(
        key=OrderKey(*event.key),
        connection_id=None,
        number=event.number,
        content=event.content,
        content_hash=event.content_hash,
        facts=Facts(paid=True, paid_moment=event.paid_at or event.placed_at, cancelled=cancelled),
        state=OrderState.DUE,
        change=0,
        priority=Priority.PERSON,
        takes=0,
        attempts=0,
        currency=event.currency,
        grand_total=event.grand_total,
        version=event.version,
        event_time=event.time,
    )
