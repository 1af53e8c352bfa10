"""What was erased does not come back from any source: our contract, WooCommerce, Shopify; Kafka, replay or list."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from consumer.domain.events import EventKind, OrderEvent
from consumer.domain.settings import Platform, ShopSettings
from consumer.domain.states import OrderState, Priority
from consumer.ports.events import Record
from consumer.ports.intake import Taken, TopicPartition
from consumer.ports.privacy import Customer
from consumer.services.erasure import ErasureTools, erase
from consumer.services.positions import checksum
from consumer.services.record_reading import reading_of
from tests.acceptance.platform_payloads import LATER, shopify_order, woo_order
from tests.conformance.intake.making import shop
from tests.conformance.lanes.bench import MemoryBench
from tests.conformance.lanes.scenes import books
from tests.conformance.privacy.making import book_order, privacy_of

PLACE = TopicPartition("order.paid", 0)


def own_order(number: int, *, modified: str = "1") -> dict[str, Any]:
    """An order in our contract."""
    return {
        "shop_id": "north",
        "order_id": str(number),
        "version": int(modified),
        "currency": "EUR",
        "paid_at": "2026-11-20T10:15:00Z",
        "customer": {"email": f"own-{number}@shop.example", "name": "Ann Buyer"},
        "lines": [{"name": "Mug", "quantity": "1", "unit_price": "12.30"}],
        "totals": {"grand_total": "12.30"},
    }


OWN = shop()
WOO = replace(OWN, source=Platform.WOOCOMMERCE, topics=("woo.orders",), time_zone="Europe/Rome")
SHOPIFY = replace(OWN, source=Platform.SHOPIFY, topics=("shopify.orders",), time_zone="Europe/Rome")
WAYS: dict[str, tuple[ShopSettings, Any, Any, str]] = {
    "own": (OWN, own_order(7), own_order(7, modified="2"), "own-7@shop.example"),
    "WooCommerce": (WOO, woo_order(7), woo_order(7, modified=LATER), "woo-7@shop.example"),
    "Shopify": (SHOPIFY, shopify_order(7), shopify_order(7, updated=LATER), "shopify-7@shop.example"),
}


def record(settings: ShopSettings, payload: Any, offset: int, *, time_ms: int = 1_763_600_000_000) -> Taken:
    """Read a payload as the intake does, from the shop's own topic where it has one."""
    topic = settings.topics[0] if settings.topics else PLACE.topic
    headers = (("x-wc-webhook-topic", b"order.updated"),) if settings.source is Platform.WOOCOMMERCE else ()
    value = json.dumps(payload).encode()
    came = Record(TopicPartition(topic, 0), offset, time_ms, None, value, headers)
    kind = EventKind.PAID if settings.source is Platform.BOOKED else None
    event = reading_of([settings], shared_topics=("order.paid",)).read(came, log=1, kind=kind)
    assert isinstance(event, OrderEvent), event
    return Taken(place=came.place, offset=offset, checksum=checksum(came), outcome=event, value=value)


@pytest.mark.parametrize("way", sorted(WAYS))
@pytest.mark.parametrize("put_in", [False, True], ids=["from Kafka", "by the replay or a list"])
async def test_the_same_order_told_again_says_nothing_of_the_person(way: str, *, put_in: bool) -> None:
    """Read at another place and another time; a newer revision of it brings its data."""
    settings, payload, changed, email = WAYS[way]
    bench = MemoryBench()
    bench.now = datetime(2026, 11, 21, tzinfo=UTC)
    privacy = privacy_of(bench)
    await bench.settings.apply([books()], [settings], actor="test", dry_run=False)
    first = record(settings, payload, 0)
    assert isinstance(first.outcome, OrderEvent)
    key = first.outcome.key
    await bench.intake.record([first])
    await book_order(bench, key)
    report = await erase(ErasureTools(privacy=privacy, people=bench.people), Customer(email=email), actor="jane")
    assert report.erased == [key]
    again = record(settings, payload, 5, time_ms=1_763_700_000_000)
    if put_in:
        await bench.intake.put_in([again], priority=Priority.BACKFILL)
    else:
        await bench.intake.record([again])
    row = bench.database.orders[key]
    assert (row.head.content, row.state) == (None, OrderState.BOOKED)
    assert email not in repr((bench.database.events, bench.database.orders, bench.database.rejected))
    await bench.intake.record([record(settings, changed, 6, time_ms=1_763_800_000_000)])
    assert email.encode() in (bench.database.orders[key].head.content or b"")
