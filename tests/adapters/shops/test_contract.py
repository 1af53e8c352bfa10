"""A shop that implements the contract is asked on a real socket: the demo shop."""

import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from consumer.domain.events import EventKind, OrderEvent
from consumer.ports.events import Record
from consumer.ports.intake import TopicPartition
from consumer.ports.shop_lists import ListedOrder, ShopListRefusedError
from consumer.sources.directory import directory_of
from consumer.sources.reading import ShopReader
from sandbox.shop.orders_api import OrderBook, listing, serving
from tests.adapters.shops.lists import SINCE, TOKEN, listed, opened, order, shop_with_list

PAGE = Path(__file__).resolve().parents[3] / "docs" / "order-list.md"


def read_by_the_intake(found: ListedOrder) -> OrderEvent:
    """Read a listed order as a record of a topic."""
    directory = directory_of([shop_with_list("http://127.0.0.1")])
    reader = ShopReader(directory=lambda: directory, translators={})
    record = Record(TopicPartition("list:nl", 0), 0, 0, None, found.payload, found.headers)
    event = reader.read(record, log=0, kind=found.kind, zone_of=directory.zone_of)
    assert isinstance(event, OrderEvent), event
    return event


async def test_every_order_of_every_page_comes_once_and_as_the_shop_wrote_it() -> None:
    """250 orders on three pages, published or forgotten; each payload is an order.paid to the intake's own reader."""
    book = OrderBook()
    for number in range(250):
        book.put(order(number, note="é"), published=number != 7)
    async with listing(book, token=TOKEN) as url:
        found = await listed(url)
    assert sorted(one.order_id for one in found) == sorted(f"o-{number}" for number in range(250))
    forgotten = next(one for one in found if one.order_id == "o-7")
    assert book.forgotten() == [json.loads(forgotten.payload)]
    assert (forgotten.currency, forgotten.grand_total, forgotten.revision) == ("EUR", Decimal("12.10"), "1")
    assert forgotten.paid_at == datetime(2026, 11, 20, 10, 15, tzinfo=UTC)
    assert (forgotten.kind, forgotten.problem) == (EventKind.PAID, "")
    event = read_by_the_intake(forgotten)
    assert (event.kind, event.key, event.paid_at) == (EventKind.PAID, ("nl", "o-7"), forgotten.paid_at)


async def test_the_time_asked_for_has_its_beginning_and_no_more_than_its_end() -> None:
    """Paid at the beginning: given; at the end, or before the beginning: not; cancelled afterwards: given."""
    book = OrderBook()
    book.put(order(1, paid_at="2026-11-20T09:59:59Z"))
    book.put(order(2, paid_at="2026-11-20T11:00:00+01:00"))
    book.put(order(3, paid_at="2026-11-20T10:59:59Z", cancelled_at="2026-11-20T12:00:00Z"))
    book.put(order(4, paid_at="2026-11-20T11:00:00Z"))
    book.put({name: value for name, value in order(5).items() if name != "paid_at"})
    async with listing(book, token=TOKEN) as url:
        within = await listed(url, until=SINCE + timedelta(hours=1))
        all_since = await listed(url)
    assert [one.order_id for one in within] == ["o-2", "o-3"]
    assert [one.order_id for one in all_since] == ["o-2", "o-3", "o-4"]


async def test_an_order_sold_while_the_list_is_read_shifts_none_off_it() -> None:
    """The cursor is a place and no count: what comes in before it moves no page."""
    book = OrderBook()
    for number in range(200):
        book.put(order(number, paid_at="2026-11-20T10:30:00Z"))
    seen: list[str] = []
    async with listing(book, token=TOKEN) as url, opened(shop_with_list(url)) as shop_list:
        async for one in shop_list.paid_since(SINCE):
            if not seen:
                book.put(order(999, paid_at="2026-11-20T10:01:00Z"))
            seen.append(one.order_id)
    assert len(seen) == len(set(seen)) == 200


async def test_a_token_that_the_shop_does_not_know_is_told_as_what_to_do() -> None:
    """Refused, not unavailable: asking again would not help; and the token is not quoted."""
    async with listing(OrderBook(), token="another") as url:
        with pytest.raises(ShopListRefusedError, match=r"shop nl: .* HTTP 401: .*check it") as raised:
            await listed(url)
    assert TOKEN not in str(raised.value)
    assert raised.value.shop_id == "nl"


async def test_an_order_that_the_intake_would_refuse_is_told_of_and_stops_no_other() -> None:
    """One without a currency, one of another shop: each with its problem; the good one behind them comes."""
    book = OrderBook()
    book.put({name: value for name, value in order(1).items() if name != "currency"})
    book.put(order(2, shop_id="be"))
    book.put(order(3))
    async with listing(book, token=TOKEN) as url:
        found = await listed(url)
    assert [one.problem.partition(":")[0] for one in found] == ["missing_field", "shop_contradicted", ""]
    assert [one.order_id for one in found][2] == "o-3"


async def test_the_snippet_of_the_page_is_a_list(monkeypatch: pytest.MonkeyPatch) -> None:
    """What docs/order-list.md shows for Python, over a real SQL database, gives 250 orders on three pages."""
    page = PAGE.read_text("utf-8")
    monkeypatch.setenv("LIST_TOKEN", TOKEN)
    snippet: dict[str, Any] = {}
    exec(compile(page.split("```python\n")[1].split("```")[0], "order-list.md", "exec"), snippet)  # noqa: S102 our own page
    with closing(sqlite3.connect(":memory:")) as database:
        database.execute("CREATE TABLE orders (paid_at TEXT, order_id TEXT, data TEXT)")
        rows = [order(number, paid_at=f"2026-11-20T10:{number // 10:02}:00Z") for number in range(250)]
        values = [(row["paid_at"], row["order_id"], json.dumps(row)) for row in rows]
        database.executemany("INSERT INTO orders VALUES (?, ?, ?)", values)

        async def fetch(query: str, **parameters: Any) -> list[Any]:
            found = database.execute(query, parameters).fetchall()
            return [SimpleNamespace(order_id=order_id, data=json.loads(data)) for _, order_id, data in found]

        snippet["fetch"] = fetch
        async with serving(snippet["app"]) as origin:
            found = await listed(f"{origin}/booked/orders")
            later = await listed(f"{origin}/booked/orders", since=SINCE + timedelta(minutes=24))
    assert sorted(one.order_id for one in found) == sorted(f"o-{number}" for number in range(250))
    assert len(later) == 10
