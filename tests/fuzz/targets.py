"""What is fed: every parser that reads what others write, with good inputs to spoil and the errors it may raise."""

import json
import warnings
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from typing import Final

from consumer.adapters.shops.pages import NoPageError, page_of
from consumer.cli.shops_file import parse_shops
from consumer.domain.events import OrderEvent, Rejected
from consumer.domain.expressions import ExpressionError, template
from consumer.domain.mapping import Mapped, map_order
from consumer.domain.settings import ConnectionSettings, Platform, ShopSettings
from consumer.errors import ConfigurationError
from consumer.ports.events import Record
from consumer.ports.intake import TopicPartition
from consumer.sources import shopify, woocommerce
from consumer.sources.directory import directory_of
from consumer.sources.own import to_order
from consumer.sources.reading import ShopReader
from tests.domain.order_building import FACTS
from tests.fuzz.answers import feed_answer, feed_token, make_answer, make_token
from tests.fuzz.good import ORDER, SETTINGS_FILE, TEMPLATES, good_messages
from tests.fuzz.spoiling import spoilt, spoilt_text

NOW: Final = datetime(2026, 3, 14, 12, tzinfo=UTC)
ZONE: Final = "Europe/Rome"
_SHOPS: Final = (
    ShopSettings(shop_id="nl", time_zone=ZONE),
    ShopSettings(shop_id="shopify", source=Platform.SHOPIFY, time_zone=ZONE),
    ShopSettings(shop_id="woo", source=Platform.WOOCOMMERCE, time_zone=ZONE),
)
_DIRECTORY: Final = directory_of(_SHOPS, shared_topics=["order.paid"])
_READER: Final = ShopReader(
    directory=lambda: _DIRECTORY,
    translators={Platform.SHOPIFY: shopify.translate, Platform.WOOCOMMERCE: woocommerce.translate},
)
_LIST: Final = {"orders": [{"shop_id": "nl", "order_id": "1"}, {"shop_id": "nl", "order_id": "2"}], "next": "abc"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One parser. ``make`` draws an input; ``feed`` raises for what the parser may not do with it."""

    name: str
    make: Callable[[Random], bytes]
    feed: Callable[[bytes], None]
    share: int  # of the inputs, beside the others' shares


def _make_message(chance: Random) -> bytes:
    headers, body = chance.choice(good_messages())
    headers = dict(headers)
    if chance.random() < 0.2:
        headers["content-type"] = chance.choice(("application/cloudevents+json", "text/plain", "application/json", ""))
    if headers and chance.random() < 0.1:
        headers[chance.choice(list(headers))] = spoilt_text("order.paid.v1", chance)
    return json.dumps(headers).encode() + b"\n" + spoilt(body, chance)


def feed_message(given: bytes) -> None:
    """Read a message as the intake does; what is taken for an order must be mapped or refused with a reason."""
    head, _, value = given.partition(b"\n")
    headers = [(name, text.encode("utf-8", "replace")) for name, text in json.loads(head).items()]
    record = Record(TopicPartition("order.paid", 0), 5, int(NOW.timestamp() * 1000), b"nl/1", value, headers)
    found = _READER.read(record, log=1, kind=None, zone_of=_DIRECTORY.zone_of)
    if isinstance(found, Rejected):
        if not found.reason or len(found.value or b"") > len(value):
            raise AssertionError(f"rejected without a reason: {found.reason!r}")
    elif isinstance(found, OrderEvent) and found.content is not None:
        _map(found.content)


def _map(content: bytes) -> None:
    order = to_order(content, ZONE)
    result = map_order(
        order,
        facts=FACTS,
        shop=_SHOPS[0],
        connection=ConnectionSettings(connection_id="books", data_center="eu"),
        contact_id="1",
        paid_moment=NOW,
        document_n=1,
        items={},
    )
    if isinstance(result, Mapped) and result.expected.total != order.totals.grand_total:
        raise AssertionError(f"booked {result.expected.total} for an order of {order.totals.grand_total}")


def feed_page(given: bytes) -> None:
    """Read a page of a shop's own list, both ways in which lists come."""
    for under in (None, "orders"):
        with suppress(NoPageError):
            page_of(given, under=under)


def feed_settings(given: bytes) -> None:
    """Read a settings file; a fault names the file."""
    try:
        parse_shops(given.decode("utf-8", "replace"), name="shops.yaml", environment={})
    except ConfigurationError as error:
        if "shops.yaml" not in str(error):
            raise AssertionError(f"the fault does not name its file: {error}") from error


def feed_template(given: bytes) -> None:
    """Compile an expression and fill it with an order."""
    with suppress(ExpressionError), warnings.catch_warnings():
        # JMESPath tells of an old way to write literals, which it reads all the same.
        warnings.simplefilter("ignore", PendingDeprecationWarning)
        template(given.decode("utf-8", "replace")).fill(ORDER)


TARGETS: Final = (
    Target(name="messages", make=_make_message, feed=feed_message, share=10),
    Target(name="ledger answers", make=make_answer, feed=feed_answer, share=6),
    Target(name="token answers", make=make_token, feed=feed_token, share=1),
    Target(name="lists of shops", make=lambda chance: spoilt(_LIST, chance), feed=feed_page, share=1),
    Target(
        name="settings files",
        make=lambda chance: spoilt_text(SETTINGS_FILE, chance).encode(),
        feed=feed_settings,
        share=1,
    ),
    Target(
        name="expressions",
        make=lambda chance: spoilt_text(chance.choice(TEMPLATES), chance).encode(),
        feed=feed_template,
        share=1,
    ),
)
