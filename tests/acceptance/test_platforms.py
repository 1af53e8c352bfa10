"""WooCommerce and Shopify orders as they come: told apart by topic, header and source, booked to the cent, and once."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from sandbox.shop.events import raw_payload
from sandbox.shop.own_orders import currencies_used, read_orders_file, taxes_used
from sandbox.shop.platform_orders import Shape, is_paid, total_of
from tests.acceptance.installation import ORGANIZATION, Installation, installed
from tests.acceptance.platform_payloads import LATER, Sender, shopify_order, woo_order
from tests.acceptance.proof import created_invoices
from tests.acceptance.waiting import until
from tests.kafka_tools import read_all
from tests.server_fixtures import MakeTopic

pytestmark = pytest.mark.acceptance

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
SOURCE = "https://ann.example"
EACH = 12
KILL_AFTER = 8
REFERENCE = "{shop_id}/{order_id}"
# Of Shopify's five paid ones three contradict themselves on purpose (the data's README).
AT_LEAST_BOOKED = {Shape.SHOPIFY: 2, Shape.WOOCOMMERCE: 6}
# What is told of a payload that ends otherwise than booked may be anything but a fault of our own.
NO_REASONS = {"reader_failed", "shop_not_told", "shop_contradicted"}


def shop(**settings: Any) -> dict[str, Any]:
    """Give a shop's settings, for orders of any age."""
    return {"automatic": True, "book_from": "2000-01-01T00:00:00Z", "reference": REFERENCE, **settings}


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """The made-up orders of one platform: paid ones of a known total, and what changes them."""

    total: Decimal
    paid: Callable[[int], dict[str, Any]]
    unpaid: Callable[[int], dict[str, Any]]
    cancelled_later: Callable[[int], dict[str, Any]]


MADE = {
    Shape.WOOCOMMERCE: Made(
        total=Decimal("28.68"),
        paid=woo_order,
        unpaid=partial(woo_order, status="pending"),
        cancelled_later=partial(woo_order, status="cancelled", modified=LATER),
    ),
    Shape.SHOPIFY: Made(
        total=Decimal("13.42"),
        paid=shopify_order,
        unpaid=partial(shopify_order, status="pending"),
        cancelled_later=partial(shopify_order, cancelled_at=f"{LATER}+00:00", updated=LATER),
    ),
}


@pytest.mark.parametrize("shape", MADE)
async def test_three_ways_and_a_kill_in_the_middle(
    shape: Shape, tmp_path: Path, kafka_servers: str, migrated_database_url: str, zoho_url: str, topics: MakeTopic
) -> None:
    """By the ledger's books: every paid order has one invoice with the payload's total, whichever way it came.

    One that is not paid has none, and a cancelled one's draft is void, though the news came on the topic of paid ones.
    """
    own, made = await topics(3, prefix=shape.value), MADE[shape]
    async with installed(
        folder=tmp_path,
        kafka_servers=kafka_servers,
        database_url=migrated_database_url,
        ledger_url=zoho_url,
        make_topic=topics,
    ) as installation:
        paid_topic = installation.topics["order.paid"]
        installation.shops = {
            "by-topic": shop(source=shape.value, topics=[own]),
            "by-header": shop(source=shape.value),
            "by-source": shop(source=shape.value, event_sources=[SOURCE]),
        }
        senders = {
            "by-topic": Sender(topic=own),
            "by-header": Sender(topic=paid_topic, headers=(("booked-shop", b"by-header"),)),
            "by-source": Sender(topic=paid_topic, event_source=SOURCE),
        }
        await installation.apply()
        await installation.connect()
        numbers = range(1001, 1001 + EACH)
        wanted = {f"{name}/{number}" for name in senders for number in numbers}
        async with installation.process() as booked:
            for sender in senders.values():
                await sender.send(kafka_servers, [*map(made.paid, numbers), made.unpaid(1)])
            await until(lambda: created_invoices(installation), lambda n: n >= KILL_AFTER, what="some are booked")
            await booked.kill9()
            await booked.start()
            await until(lambda: _totals(installation), lambda found: found.keys() >= wanted, what="all are booked")
            assert await _totals(installation) == {key: [made.total] for key in wanted}
            for sender in senders.values():
                await sender.send(kafka_servers, [made.cancelled_later(1001)])
            left = {key for key in wanted if not key.endswith("/1001")}
            await until(lambda: _totals(installation), lambda found: found.keys() == left, what="drafts are void")
            for name in senders:
                await installation.until_stands("1", "waiting", "not_paid", shop_id=name)
        assert await created_invoices(installation) == len(wanted)


async def _totals(installation: Installation) -> dict[str, list[Decimal]]:
    live = await installation.live_invoices()
    return {reference: [Decimal(str(one["total"])) for one in found] for reference, found in live.items()}


async def test_a_shop_applied_while_running_has_its_topic_read(
    tmp_path: Path, kafka_servers: str, migrated_database_url: str, zoho_url: str, topics: MakeTopic
) -> None:
    """Its topic held an order before, and another shop's topic is missing all the time; no restart is needed."""
    own = await topics(1, prefix="later")
    async with installed(
        folder=tmp_path,
        kafka_servers=kafka_servers,
        database_url=migrated_database_url,
        ledger_url=zoho_url,
        make_topic=topics,
    ) as installation:
        installation.shops = {"none": shop(source="shopify", topics=[f"{own}-missing"])}
        await installation.apply()
        await installation.connect()
        await Sender(topic=own).send(kafka_servers, [shopify_order(7)])
        async with installation.process():
            installation.shops["shop"] = shop(source="shopify", topics=[own])
            await installation.apply()
            told = await installation.told("7", state="booked")
        assert Decimal(str(told["invoice"]["total"])) == Decimal("13.42")
        code, printed = await installation.try_command("doctor")
        assert code != 0
        assert f"Create the topic {own}-missing" in " ".join(printed.split())


@pytest.mark.skipif(not DATA.exists(), reason="no shared data beside the repository")
@pytest.mark.parametrize("shape", [Shape.WOOCOMMERCE, Shape.SHOPIFY])
async def test_real_payloads_are_booked_to_the_cent_or_said_why(
    shape: Shape, tmp_path: Path, kafka_servers: str, migrated_database_url: str, zoho_url: str, topics: MakeTopic
) -> None:
    """Each has an end: an invoice with the payload's total, or a reason; one that is not paid has no invoice."""
    own = await topics(1, prefix=shape.value)
    payloads = _real(shape)
    async with installed(
        folder=tmp_path,
        kafka_servers=kafka_servers,
        database_url=migrated_database_url,
        ledger_url=zoho_url,
        make_topic=topics,
        organization=_organization(shape),
    ) as installation:
        installation.shops = {shape.value: shop(source=shape.value, topics=[own])}
        await installation.apply()
        await installation.connect()
        async with installation.process():
            await Sender(topic=own).send(kafka_servers, list(payloads.values()))
            paid = {order_id for order_id, payload in payloads.items() if is_paid(payload, shape)}
            ends = await until(
                lambda: _ends(installation, shape, paid), lambda e: all(e.values()), what="all have ends"
            )
        assert not NO_REASONS & set(ends.values()), ends
        live = await installation.live_invoices()
        assert {reference.partition("/")[2] for reference in live} <= paid
        for reference, (invoice,) in live.items():
            payload = payloads[reference.partition("/")[2]]
            # A draft is less what was given back; of Shopify's refunds the payload does not tell one sum.
            if not payload.get("refunds") or shape is Shape.WOOCOMMERCE:
                back = sum((Decimal(str(one["total"])) for one in payload.get("refunds") or ()), Decimal(0))
                wanted = (total_of(payload, shape) or Decimal(0)) - abs(back)
                assert Decimal(str(invoice["total"])) == wanted, reference
        assert sum(end == "booked" for end in ends.values()) >= AT_LEAST_BOOKED[shape], json.dumps(ends, indent=1)


def _real(shape: Shape) -> dict[str, dict[str, Any]]:
    """Give the payloads by order id; of several of one id the last."""
    orders = [order for file in _files(shape) for order in read_orders_file(file)]
    return {order.key[1]: dict(json.loads(raw_payload("", order.raw)[1])) for order in orders if order.raw}


def _files(shape: Shape) -> list[Path]:
    return sorted((DATA / f"orders-{shape.value}").glob("*.jsonl"))


def _organization(shape: Shape) -> dict[str, Any]:
    orders = [order for file in _files(shape) for order in read_orders_file(file)]
    rates = sorted(taxes_used(orders).rates)
    return {
        **ORGANIZATION,
        "taxes": [{"tax_name": f"VAT {rate}", "tax_percentage": float(rate)} for rate in rates],
        "currencies": sorted(set(currencies_used(orders)) - {"EUR"}),
    }


async def _ends(installation: Installation, shape: Shape, order_ids: set[str]) -> dict[str, str]:
    """Tell of each order how it ended: booked, or the reason why not; empty where it has no end yet."""
    polls = iter((False, False, True))
    records = await read_all(
        installation.kafka_servers, installation.topics["order.rejected"], lambda _: next(polls, True)
    )
    refused = {
        data["order_id"]: str(data["reason"]) for one in records if (data := json.loads(one.value or b"")["data"])
    }
    asked = sorted(order_ids - refused.keys())
    return refused | {order_id: _end(await installation.story(order_id, shape.value)) for order_id in asked}


def _end(told: Mapping[str, Any]) -> str:
    if told.get("state") == "booked":
        return "booked"
    return str(told["reason"]["code"]) if told.get("state") in {"parked", "waiting"} and told.get("reason") else ""
