"""One order in a file: read as if it had come in, or refused with what is wrong."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from consumer.domain.events import EventKind
from consumer.domain.orders import OrderKey
from consumer.domain.settings import Platform, ShopSettings
from consumer.sources.files import UnreadableFileError, record_of_file
from consumer.sources.platforms import NotTranslatedError, Translated

EXAMPLES = Path(__file__).resolve().parents[2] / "schemas" / "examples" / "v1"
NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
SHOP = ShopSettings(shop_id="nl", time_zone="Europe/Amsterdam")
BARE = json.loads((EXAMPLES / "order.paid.bare-json.json").read_text(encoding="utf-8"))


def _translate(payload: Mapping[str, Any], shop: ShopSettings) -> Translated:
    if "order_key" not in payload:
        raise NotTranslatedError("order_key is missing")
    return Translated(kind=EventKind.CANCELLED, data={**BARE, "shop_id": shop.shop_id})


def test_a_bare_order_is_read_as_paid() -> None:
    """Times without an offset are the shop's; 10:14:59 in Amsterdam is 09:14:59 UTC in November."""
    record = record_of_file(json.dumps(BARE).encode(), SHOP, now=NOW, translators={})
    assert (record.key, record.facts.paid, record.facts.cancelled) == (OrderKey("nl", "1005"), True, False)
    assert record.facts.paid_moment == datetime(2026, 11, 20, 9, 14, 59, tzinfo=UTC)
    assert (record.state.value, record.documents, record.number) == ("due", (), "A-1005")


@pytest.mark.parametrize("name", ["order.paid.minimal.json", "order.updated.json", "order.cancelled.full.json"])
def test_an_event_tells_its_kind_itself(name: str) -> None:
    """As it lies in Kafka, structured."""
    content = (EXAMPLES / name).read_bytes()
    shop = ShopSettings(shop_id=json.loads(content)["data"]["shop_id"])
    record = record_of_file(content, shop, now=NOW, translators={})
    assert record.facts.cancelled is name.startswith("order.cancelled")


def test_an_order_of_the_platform_is_translated_first() -> None:
    """By the adapter of the shop's platform, and its state is what the payload says."""
    shop = ShopSettings(shop_id="web", source=Platform.WOOCOMMERCE)
    translators = {Platform.WOOCOMMERCE: _translate}
    record = record_of_file(b'{"order_key": "wc"}', shop, now=NOW, translators=translators)
    assert (record.key.shop_id, record.facts.cancelled) == ("web", True)
    with pytest.raises(UnreadableFileError, match="order_key is missing"):
        record_of_file(b"{}", shop, now=NOW, translators=translators)
    with pytest.raises(UnreadableFileError, match="no order"):
        record_of_file(b"[]", shop, now=NOW, translators=translators)
    with pytest.raises(UnreadableFileError, match="no order"):
        record_of_file(b"{", shop, now=NOW, translators=translators)
    with pytest.raises(UnreadableFileError, match="no adapter"):
        record_of_file(b"{}", shop, now=NOW, translators={})


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "no order"),
        (b"no json", "no order"),
        (b"[1]", "one order, an object"),
        (json.dumps({**BARE, "lines": None}).encode(), "lines"),
        (json.dumps({**BARE, "shop_id": "de"}).encode(), "of shop de, not of nl"),
        (b'{"a": "' + b"x" * 1_048_600 + b'"}', "1048576 at most"),
    ],
    ids=["empty", "text", "list", "no lines", "other shop", "too long"],
)
def test_what_is_no_order_of_the_shop_is_refused_in_words(content: bytes, words: str) -> None:
    """The same words that a rejected message has."""
    with pytest.raises(UnreadableFileError, match=words):
        record_of_file(content, SHOP, now=NOW, translators={})
