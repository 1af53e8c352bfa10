"""One order of a shop's own list, read by the intake's own reader, so that both see the same order in it."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from consumer.domain.events import EventKind, OrderEvent, Rejected
from consumer.domain.settings import Platform, ShopSettings
from consumer.ports.events import Record
from consumer.ports.intake import TopicPartition
from consumer.ports.shop_lists import ListedOrder
from consumer.sources.directory import directory_of
from consumer.sources.platforms import Translate
from consumer.sources.reading import ShopReader
from schemas.envelope import SHOP_HEADER

JSON: Final = "application/json"


class ListReader:
    """Reads the payloads of one shop's list; ``kind`` is in whose words they are."""

    def __init__(self, shop: ShopSettings, kind: Platform, translators: Mapping[Platform, Translate]) -> None:
        directory = directory_of([shop])
        self._place = TopicPartition(f"list:{shop.shop_id}", 0)
        self._headers = (("content-type", JSON.encode()), (SHOP_HEADER, shop.shop_id.encode()))
        # Whoever lists an order of our contract says that it is paid; a platform's order says so itself.
        self._kind = EventKind.PAID if kind is Platform.BOOKED else None
        self._reader = ShopReader(directory=lambda: directory, translators=translators)
        self._zone_of = directory.zone_of

    def read(self, payload: bytes, since: datetime) -> ListedOrder | None:
        """Read one order; None where it is not paid. One that the intake would refuse bears its ``problem``.

        ``since`` stands for the time of payment of an order that does not tell it, so that it is never passed over.
        """
        record = Record(self._place, 0, int(since.timestamp() * 1000), None, payload, self._headers)
        found = self._reader.read(record, log=0, kind=self._kind, zone_of=self._zone_of)
        if isinstance(found, OrderEvent):
            return self._order(found, payload, since)
        return None if found is None else self._refused(found, payload, since)

    def _order(self, event: OrderEvent, payload: bytes, since: datetime) -> ListedOrder | None:
        if event.paid_at is None and event.kind is not EventKind.PAID:
            return None
        changed = None if event.updated_at is None else event.updated_at.astimezone(UTC).isoformat()
        return ListedOrder(
            order_id=event.key.order_id,
            paid_at=event.paid_at or since,
            currency=event.currency,
            grand_total=event.grand_total,
            payload=payload,
            kind=self._kind,
            content_type=JSON,
            headers=self._headers,
            revision=changed if event.version is None else str(event.version),
        )

    def _refused(self, rejected: Rejected, payload: bytes, since: datetime) -> ListedOrder:
        return ListedOrder(
            order_id=rejected.order_id,
            paid_at=since,
            currency="",
            grand_total=None,
            payload=payload,
            kind=self._kind,
            content_type=JSON,
            headers=self._headers,
            problem=f"{rejected.reason}: {rejected.message}",
        )
