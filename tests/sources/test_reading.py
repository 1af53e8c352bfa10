"""The front door: which shop a record is of, however it is told, and a platform's payload put into our words."""

import json
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from consumer.domain.events import EventKind, OrderEvent, Rejected
from consumer.domain.settings import Platform, ShopSettings
from consumer.ports.events import Record
from consumer.ports.intake import TopicPartition
from consumer.sources.directory import directory_of
from consumer.sources.own import to_order
from consumer.sources.platforms import NotTranslatedError, Translated
from consumer.sources.reading import ShopReader

OWN_TOPIC = "woo-orders"
PAYLOAD = {"id": 727, "status": "processing", "total": "29.35", "line_items": []}
WOO = ShopSettings(
    shop_id="woo",
    source=Platform.WOOCOMMERCE,
    event_sources=("https://woo.example",),
    topics=(OWN_TOPIC,),
    time_zone="Europe/Rome",
)
OTHER = ShopSettings(shop_id="other", source=Platform.SHOPIFY, event_sources=("https://other.example",), topics=("o",))
PLAIN = ShopSettings(shop_id="nl")
SHOPS = (WOO, OTHER, PLAIN)


def fake(payload: Mapping[str, Any], shop: ShopSettings) -> Translated:
    """Stand in for an adapter: two states, one line, and a total of whatever type the payload has."""
    if "total" not in payload:
        raise NotTranslatedError("$.total is not there. Send the whole order.")
    kind = EventKind.CANCELLED if payload["status"] == "cancelled" else EventKind.PAID
    return Translated(
        kind=kind,
        data={
            "shop_id": shop.shop_id,
            "order_id": str(payload["id"]),
            "currency": "EUR",
            "updated_at": payload.get("modified", "2026-11-20T10:00:00"),
            "lines": [{"name": "Mug", "quantity": payload.get("quantity", "1"), "unit_price": payload["total"]}],
            "totals": {"grand_total": payload["total"]},
            "meta": payload.get("meta", {}),
        },
    )


READ = {Platform.WOOCOMMERCE: fake, Platform.SHOPIFY: fake}


def read(
    payload: object,
    *,
    topic: str = "order.paid",
    kind: EventKind | None = EventKind.PAID,
    key: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    shops: tuple[ShopSettings, ...] = SHOPS,
) -> OrderEvent | Rejected:
    """Read one record as the intake does."""
    directory = directory_of(shops, shared_topics=["order.paid"])
    reader = ShopReader(directory=lambda: directory, translators=READ)
    value = json.dumps(payload).encode()
    given = [(name, text.encode()) for name, text in (headers or {}).items()]
    record = Record(TopicPartition(topic, 0), 5, 1_767_225_600_000, key, value, given)
    found = reader.read(record, log=1, kind=kind, zone_of=directory.zone_of)
    assert found is not None
    return found


def event_of(payload: object, **more: Any) -> OrderEvent:
    """Read what has to be readable."""
    found = read(payload, **more)
    assert isinstance(found, OrderEvent), found
    return found


def rejection_of(payload: object, **more: Any) -> Rejected:
    """Read what has to be refused."""
    found = read(payload, **more)
    assert isinstance(found, Rejected), found
    return found


def cloud(data: object = PAYLOAD, **more: Any) -> dict[str, Any]:
    """Give a structured CloudEvent of a type that is not ours."""
    return (
        {"specversion": "1.0", "id": "e-1", "source": "https://nobody.example", "type": "com.woo.order"}
        | more
        | {"data": data}
    )


def own(shop_id: str = "nl", **more: Any) -> dict[str, Any]:
    """Give an order of our own contract."""
    return {
        "shop_id": shop_id,
        "order_id": "1",
        "currency": "EUR",
        "lines": [{"name": "Mug", "quantity": "1", "unit_price": "5"}],
        "totals": {"grand_total": "5"},
    } | more


BINARY = {"ce_specversion": "1.0", "ce_id": "e-1", "ce_type": "com.woo.order"}


@pytest.mark.parametrize(
    ("payload", "how"),
    [
        (PAYLOAD, {"headers": {"booked-shop": "woo"}}),
        (PAYLOAD, {"headers": {"Booked-Shop": "woo"}}),
        (PAYLOAD, {"headers": BINARY | {"ce_bookedshop": "woo", "ce_source": "https://nobody.example"}}),
        (PAYLOAD, {"headers": BINARY | {"ce_source": "https://woo.example"}}),
        (cloud(source="https://woo.example"), {}),
        (cloud(bookedshop="woo"), {}),
        (cloud(), {"headers": {"booked-shop": "woo"}}),
        (PAYLOAD, {"topic": OWN_TOPIC, "kind": None}),
        (cloud(), {"topic": OWN_TOPIC, "kind": None}),
        (PAYLOAD, {"key": b"woo/727"}),
        (PAYLOAD, {"topic": OWN_TOPIC, "kind": None, "key": b"727", "headers": {"booked-shop": "woo"}}),
    ],
)
def test_each_way_tells_the_shop(payload: object, how: dict[str, Any]) -> None:
    """A platform's order is the same order of the same shop, whichever way told its shop, in whatever envelope."""
    event = event_of(payload, **how)
    assert event.key == ("woo", "727")
    assert event.kind is EventKind.PAID
    assert event.grand_total == Decimal("29.35")
    assert event.key_differs is False
    assert event.updated_at is not None
    assert event.updated_at.isoformat() == "2026-11-20T10:00:00+01:00"
    assert to_order(event.content or b"", "Europe/Rome").lines[0].unit_price == Decimal("29.35")


def test_base64_data_is_translated_too() -> None:
    """CloudEvents may carry the payload as base64."""
    envelope = cloud(source="https://woo.example")
    del envelope["data"]
    envelope["data_base64"] = b64encode(json.dumps(PAYLOAD).encode()).decode()
    assert event_of(envelope).key == ("woo", "727")


@pytest.mark.parametrize("topic", ["order.paid", OWN_TOPIC])
def test_the_payloads_state_decides_the_kind(topic: str) -> None:
    """A cancelled order on the topic of paid ones, in an event of type paid, is cancelled: it may be the only news."""
    envelope = cloud(PAYLOAD | {"status": "cancelled"}, source="https://woo.example", type="x.order.paid.v1")
    assert event_of(envelope, topic=topic, kind=EventKind.PAID).kind is EventKind.CANCELLED


def test_a_cloudevent_tells_its_id_and_version_as_ever() -> None:
    """The event's id is kept; a version of CloudEvents that is not ours is refused for platforms as well."""
    assert event_of(cloud(source="https://woo.example")).event_id == "e-1"
    assert rejection_of(cloud(bookedshop="woo", specversion="0.3")).reason == "unsupported_version"


@pytest.mark.parametrize(
    ("payload", "how", "said"),
    [
        (
            cloud(source="https://other.example"),
            {"headers": {"booked-shop": "woo"}},
            'the header booked-shop means shop "woo", the CloudEvents source shop "other"',
        ),
        (
            cloud(source="https://other.example"),
            {"topic": OWN_TOPIC},
            'the CloudEvents source means shop "other", the topic shop "woo"',
        ),
        (
            cloud(bookedshop="other"),
            {"headers": {"booked-shop": "woo"}},
            'the header booked-shop means shop "woo", the attribute bookedshop shop "other"',
        ),
        (PAYLOAD, {"topic": OWN_TOPIC, "key": b"other/727"}, 'the topic means shop "woo", the record key shop "other"'),
        (PAYLOAD, {"topic": OWN_TOPIC, "headers": {"booked-shop": "gone"}}, '"gone", the topic shop "woo"'),
        (own(), {"topic": OWN_TOPIC}, 'the payload names another shop than the topic, which means "woo"'),
        (
            own(),
            {"headers": {"booked-shop": "other"}},
            'the payload names another shop than the header booked-shop, which means "other"',
        ),
        (
            cloud(own(), type="x.order.paid.v1", source="https://woo.example"),
            {},
            'the payload names another shop than the CloudEvents source, which means "woo"',
        ),
    ],
)
def test_signs_that_disagree_are_refused(payload: object, how: dict[str, Any], said: str) -> None:
    """Two shops for one order could be two sets of books: it is refused, and both signs are named."""
    rejected = rejection_of(payload, **how)
    assert rejected.reason == "shop_contradicted"
    assert said in rejected.message


@pytest.mark.parametrize(
    ("payload", "how", "shop_id", "said"),
    [
        (PAYLOAD, {"headers": {"booked-shop": "gone"}}, "gone", 'the header booked-shop names shop "gone"'),
        (PAYLOAD, {}, "", 'no CloudEvents source, and topic "order.paid" is no shop\'s own'),
        (cloud(), {}, "", 'CloudEvents source "https://nobody.example"'),
        (PAYLOAD, {"headers": {"booked-shop": "nl"}}, "nl", 'shop "nl" has `source: booked`'),
    ],
)
def test_a_payload_of_no_known_shop_is_kept_and_told(
    payload: object, how: dict[str, Any], shop_id: str, said: str
) -> None:
    """It is rejected with all its bytes, to be put in again; the message says what was seen and what to set."""
    rejected = rejection_of(payload, **how)
    assert rejected.reason == "shop_not_told"
    assert (rejected.shop_id, rejected.order_id) == (shop_id, "727")
    assert said in rejected.message
    assert "`event_sources`" in rejected.message
    assert rejected.value == json.dumps(payload).encode()


def test_what_is_put_in_again_once_the_shop_is_set_is_taken() -> None:
    """The same bytes on the same topic: refused before the shop was set, an order after."""
    assert rejection_of(PAYLOAD, topic=OWN_TOPIC, shops=(PLAIN,)).reason == "shop_not_told"
    assert event_of(PAYLOAD, topic=OWN_TOPIC, shops=SHOPS).key == ("woo", "727")


def test_a_faulty_order_of_our_contract_is_told_in_its_own_words() -> None:
    """Without shop_id, and nothing of a platform in it: the field that is missing is named, as ever."""
    order = own()
    del order["shop_id"]
    rejected = rejection_of(order)
    assert (rejected.reason, rejected.message.partition(":")[0]) == ("missing_field", "$.shop_id")


def test_a_shop_of_a_platform_may_send_our_contract_too() -> None:
    """An order with shop_id is read as our contract, wherever it comes: a bridge may be changed over in its time."""
    event = event_of(cloud(own("woo"), type="x.order.updated.v1"), topic=OWN_TOPIC, kind=None)
    assert (event.key, event.kind) == (("woo", "1"), EventKind.UPDATED)


def test_what_the_adapter_cannot_read_is_refused_with_its_reason() -> None:
    """The adapter's words stand in the message, with the order's id as a hint."""
    rejected = rejection_of({"id": 9, "line_items": []}, topic=OWN_TOPIC)
    assert (rejected.reason, rejected.shop_id, rejected.order_id) == ("not_translated", "woo", "9")
    assert "read as an order of woocommerce, and: $.total is not there. Send the whole order." in rejected.message


def test_a_fault_after_the_translation_is_told_in_our_words() -> None:
    """The path is that of our contract, and the message says that the payload was translated."""
    rejected = rejection_of(cloud(PAYLOAD | {"quantity": "two"}, bookedshop="woo"))
    assert (rejected.reason, rejected.shop_id, rejected.order_id) == ("not_a_number", "woo", "727")
    assert rejected.message.startswith("$.lines[0].quantity: ")
    assert "(after translation from woocommerce)" in rejected.message


def test_a_payload_without_a_time_of_change_goes_by_the_messages_own() -> None:
    """A platform's revisions are told apart by that time; without it by the event's time, else by the record's."""
    payload = PAYLOAD | {"modified": None}
    timed = event_of(cloud(payload, bookedshop="woo", time="2026-11-19T10:00:00Z"))
    assert timed.updated_at == datetime(2026, 11, 19, 10, tzinfo=UTC)
    assert event_of(payload, topic=OWN_TOPIC).updated_at == datetime(2026, 1, 1, tzinfo=UTC)
    assert event_of(own()).updated_at is None


def test_a_fault_in_an_adapter_harms_one_record() -> None:
    """An exception that no adapter should raise becomes a rejection, and is not passed on."""
    rejected = rejection_of({"id": 9, "total": "1"}, topic=OWN_TOPIC)  # the stand-in fails at the missing status
    assert rejected.reason == "reader_failed"


def test_an_inactive_shop_gives_its_topic_up() -> None:
    """Its late events are still its own, but a shop that took over the topic has it; only active ones are read."""
    gone, heir = replace(WOO, active=False), replace(WOO, shop_id="heir", event_sources=())
    assert directory_of([gone]).topics == frozenset()
    assert event_of(PAYLOAD, topic=OWN_TOPIC, shops=(gone,)).key.shop_id == "woo"
    assert event_of(PAYLOAD, topic=OWN_TOPIC, shops=(gone, heir)).key.shop_id == "heir"


def test_the_installations_topics_are_no_shops_own() -> None:
    """A shop that names the topic of rejections gets nothing from it: each rejection would be rejected again."""
    shop = replace(WOO, topics=(OWN_TOPIC, "order.rejected"))
    assert directory_of([shop], shared_topics=["order.rejected"]).topics == {OWN_TOPIC}


TEMPLATES = {
    "{{ meta.po }}": (
        own(meta={"po": "1", "x": "1"}),
        own(meta={"po": "2", "x": "1"}),
        own(meta={"po": "1", "x": "2"}),
    ),
    "{{ colour }}": (own(colour="1"), own(colour="2"), own(other="2", colour="1")),
    "{{ lines[0].meta.size }}": tuple(
        own(lines=[own()["lines"][0] | {"meta": one}])
        for one in ({"size": "1", "x": "1"}, {"size": "2", "x": "1"}, {"size": "1", "x": "2"})
    ),
    "{{ lines[].options[].value }}": tuple(
        own(lines=[own()["lines"][0] | {"options": [one]}])
        for one in ({"value": "1", "x": "1"}, {"value": "2", "x": "1"}, {"value": "1", "x": "2"})
    ),
    "{{ placed_at }}": (
        own(placed_at="2026-01-01T00:00:00Z"),
        own(placed_at="2026-01-02T00:00:00Z"),
        own(placed_at="2026-01-01T00:00:00Z", paid_at="2026-01-03T00:00:00Z"),
    ),
}


@pytest.mark.parametrize("text", TEMPLATES)
def test_what_a_template_reads_is_content(text: str) -> None:
    """A change of a field that the shop's template reads changes the hash; of one beside it, or elsewhere, not."""
    first, changed, beside = TEMPLATES[text]
    with_it, without = (replace(PLAIN, notes=text),), (PLAIN,)
    hashes = [event_of(order, shops=with_it).content_hash for order in (first, changed, beside)]
    assert hashes[0] != hashes[1]
    assert hashes[0] == hashes[2]
    assert len({event_of(order, shops=without).content_hash for order in (first, changed, beside)}) == 1


def test_what_a_template_reads_of_a_platforms_order_is_content_too() -> None:
    """The names are those of our contract: what the adapter has put under `meta`."""
    shops = (replace(WOO, notes="{{ meta.po }}"),)
    hashes = {
        event_of(PAYLOAD | {"meta": {"po": po}}, topic=OWN_TOPIC, shops=shops).content_hash for po in ("1", "2", "1")
    }
    assert len(hashes) == 2


def test_a_template_of_another_version_harms_nobody() -> None:
    """Settings that `apply` would refuse leave the shop's orders readable."""
    assert event_of(own(), shops=(replace(PLAIN, notes="{{ not ( closed"),)).key == ("nl", "1")
