"""The replay with real processes: what was skipped, and what was never published, is booked exactly once."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from sandbox.shop.orders_api import OrderBook, listing
from tests.acceptance.installation import SHOP, Installation, metric, order
from tests.acceptance.waiting import until
from tests.kafka_tools import read_all

TOKEN = "a-token-of-the-test"


@pytest.fixture
async def shop_list() -> AsyncIterator[tuple[OrderBook, str]]:
    """The shop's own list of orders, served as its developers would."""
    book = OrderBook()
    async with listing(book, token=TOKEN) as url:
        yield book, url


async def replay(installation: Installation, *words: str) -> tuple[int, dict[str, Any]]:
    """Run the CronJob's command; its exit code and its report."""
    code, printed = await installation.try_command("replay", "--json", *words, SHOP_LIST_TOKEN=TOKEN)
    report: dict[str, Any] = json.loads(printed[printed.index("{") :])
    return code, report


async def skip_all(installation: Installation, records: int) -> None:
    """Move the positions of the topic of paid orders over all that it holds."""
    topic = installation.topics["order.paid"]
    found = await read_all(installation.kafka_servers, topic, lambda records_: len(records_) >= records)
    ends: dict[int, int] = {}
    for record in found:
        ends[record.partition] = max(ends.get(record.partition, 0), record.offset + 1)
    for partition, end in ends.items():
        await installation.command("positions", "set", topic, str(partition), str(end), "--as", "tester")


def sold(number: int) -> dict[str, Any]:
    """Write an order that was paid an hour ago: it is young enough to be booked, and old enough to be in the list."""
    paid_at = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
    return order(str(number), price=f"{number}.00", total=f"{number * Decimal('1.22')}", paid_at=paid_at)


async def test_the_replay_brings_everything_right(installation: Installation, shop_list: tuple[OrderBook, str]) -> None:
    """Down for a while, events skipped, some never published: the command brings each order into the books once."""
    book, url = shop_list
    installation.shops[SHOP] |= {
        "book_from": "2026-01-01",
        "order_list": {"url": url, "token_variable": "SHOP_LIST_TOKEN", "allow_private": True, "allow_http": True},
    }
    await installation.apply()
    await installation.connect()
    orders = [sold(number) for number in range(100, 112)]
    before, skipped, after, forgotten = orders[:3], orders[3:8], orders[8:10], orders[10:]
    for one in orders:
        book.put(one, published=one not in forgotten)
    async with installation.process():
        await installation.publish("paid", before)
        await installation.synced(3)
    # The consumer is down. What is published meanwhile, somebody moves the positions over.
    await installation.publish("paid", skipped)
    await skip_all(installation, 8)
    async with installation.process(name="again") as process:
        await installation.publish("paid", after)
        await installation.synced(5)
        assert sorted(await installation.live_invoices()) == sorted(one["order_id"] for one in before + after)
        code, report = await replay(installation, "--dry-run")
        assert (code, report["missing"], report["put_in"]) == (0, 7, {})
        code, report = await replay(installation)
        assert (code, report["missing"], report["list_problems"]) == (0, 7, [])
        assert sorted(report["missing_orders"]) == sorted(f"{SHOP}/{one['order_id']}" for one in skipped + forgotten)
        await installation.synced(12, state="booked")
        code, report = await replay(installation)
        assert (code, report["missing"], report["gaps_open"], report["difference"]) == (0, 0, 0, 0)
        await until(
            lambda: metric(process, "booked_replay_last_success_seconds"), bool, what="the last success is shown"
        )
        assert await metric(process, "booked_completeness_difference") == 0
    books = await installation.live_invoices()
    found = {name: [Decimal(str(invoice["total"])) for invoice in made] for name, made in books.items()}
    assert found == {one["order_id"]: [Decimal(one["totals"]["grand_total"])] for one in orders}
