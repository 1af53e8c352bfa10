"""A shop may answer anything at any time: each wrong answer ends the question in bounded time, under its own name."""

import asyncio
import json
from collections.abc import Awaitable
from typing import Any

import httpx
import pytest

from consumer.adapters.shops import asking
from consumer.adapters.shops.shop_list import HttpShopList, ListLimits
from consumer.adapters.shops.ways import ContractWay
from consumer.domain.settings import Platform
from consumer.ports.shop_lists import (
    ListedOrder,
    ShopListError,
    ShopListMalformedError,
    ShopListRefusedError,
    ShopListUnavailableError,
)
from consumer.sources.listing import ListReader
from tests.adapters.shops.lists import SINCE, TOKEN, listed, order, shop_with_list
from tests.adapters.zoho.raw_server import RawServer, Seen, Step, answer, cut, hold, raw

JSON: Any = {"Content_Type": "application/json"}


def page(*orders: Any, following: Any = None) -> Step:
    """Answer with a page of the contract."""
    return answer(200, {"orders": orders, "next_cursor": following}, **JSON)


@pytest.mark.parametrize(
    ("step", "kind", "says"),
    [
        (answer(200, b"<html>login</html>", Content_Type="text/html"), ShopListMalformedError, "text/html"),
        (answer(200, b"<html>login</html>", **JSON), ShopListMalformedError, "a page for people"),
        (answer(200, b"{}"), ShopListMalformedError, "no content type"),
        (answer(200, b"{}", **JSON), ShopListMalformedError, "without the field 'orders'"),
        (answer(200, b"[]", **JSON), ShopListMalformedError, "a list instead of an object"),
        (answer(200, b'{"orders": {}}', **JSON), ShopListMalformedError, "an object instead of a list"),
        (answer(200, b'{"orders": [1]}', **JSON), ShopListMalformedError, "as order 1 of the page"),
        (answer(200, b'{"orders": [{"a": 1}', **JSON), ShopListMalformedError, "not JSON"),
        (answer(200, b'{"orders": [], "orders": []}', **JSON), ShopListMalformedError, "'orders' twice"),
        (answer(200, b"\xff\xfe", **JSON), ShopListMalformedError, "not UTF-8"),
        (answer(200, b'{"orders":[{"a":' + b"[" * 200_000, **JSON), ShopListMalformedError, "nested too deep"),
        (page(following=7), ShopListMalformedError, "next_cursor that is no text"),
        (page(following=""), ShopListMalformedError, "next_cursor that is no text"),
        (page(following="x" * 2001), ShopListMalformedError, "next_cursor that is no text"),
        (answer(200, b"{}", Content_Encoding="gzip", **JSON), ShopListMalformedError, "packed"),
        (answer(204), ShopListMalformedError, "HTTP 204"),
        (answer(302, Location="http://127.0.0.1:1/elsewhere"), ShopListRefusedError, "redirect, which is not followed"),
        (answer(308, Location="/orders"), ShopListRefusedError, "redirect"),
        (answer(401), ShopListRefusedError, "does not know the secret"),
        (answer(403), ShopListRefusedError, "may not read orders"),
        (answer(404), ShopListRefusedError, "no list at this address"),
        (answer(422), ShopListRefusedError, "check `url` and `kind`"),
        (answer(500, b"<html>fatal</html>"), ShopListUnavailableError, "HTTP 500; it is asked again later"),
        (answer(503), ShopListUnavailableError, "HTTP 503"),
        (cut(), ShopListUnavailableError, "cannot be reached"),
        (raw(b"SSH-2.0-x\r\n"), ShopListUnavailableError, "RemoteProtocolError"),
        (raw(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{"),
         ShopListUnavailableError, "RemoteProtocolError"),
    ],
)  # fmt: skip
async def test_what_is_no_page_is_told_by_its_type(step: Step, kind: type[ShopListError], says: str) -> None:
    """Malformed: its developers; refused: its settings; unavailable: later. One question each, nothing followed."""
    async with RawServer([step]) as server:
        with pytest.raises(kind, match=says) as raised:
            await listed(f"{server.url}/orders?key=hidden")
    assert type(raised.value) is kind
    assert len(server.seen) == 1
    assert str(raised.value).startswith("shop nl: its order list at 127.0.0.1/orders ")
    assert "hidden" not in str(raised.value)


async def test_one_failure_among_the_pages_does_not_cost_them_all() -> None:
    """The second page fails twice and comes at the third question; the orders of all pages are there."""
    found: list[str] = []
    slept: list[float] = []
    script = [page(order(1), following="2"), answer(502), cut(), page(order(2))]
    async with RawServer(script) as server:
        await _collect(shop_list_of(server.url, sleep=_noting(slept)), found)
    assert (found, slept) == (["o-1", "o-2"], [2.0, 2.0])
    assert [seen.target.rpartition("cursor=")[2] for seen in server.seen[1:]] == ["2", "2", "2"]


async def test_what_came_before_a_failing_page_was_given() -> None:
    """The second page fails for good; the first one's order is there, so the next run has less to find."""
    found: list[str] = []
    slept: list[float] = []
    async with RawServer([page(order(1), following="2"), answer(502)]) as server:
        with pytest.raises(ShopListUnavailableError, match="HTTP 502"):
            await _collect(shop_list_of(server.url, ListLimits(failures=3), sleep=_noting(slept)), found)
    assert found == ["o-1"]
    assert (len(server.seen), slept) == (5, [2.0, 2.0, 2.0])


async def test_a_cursor_that_comes_back_ends_the_question() -> None:
    """a, b, a: the third page would be the first again, for ever."""
    script = [page(order(1), following="a"), page(order(2), following="b"), page(order(3), following="a")]
    async with RawServer(script) as server:
        with pytest.raises(ShopListMalformedError, match="its list has no end"):
            await listed(server.url)
    assert len(server.seen) == 3


async def test_a_list_of_ever_new_cursors_ends_at_the_bound_of_pages() -> None:
    """Five pages are allowed; a sixth is not asked for."""

    async def step(seen: Seen, writer: asyncio.StreamWriter) -> None:
        await page(following=f"c{len(server.seen)}")(seen, writer)

    async with RawServer([step]) as server:
        with pytest.raises(ShopListMalformedError, match="more than 5 pages"):
            await _collect(shop_list_of(server.url, ListLimits(pages=5)), [])
    assert len(server.seen) == 5


async def test_a_page_beyond_the_bound_of_bytes_is_not_read_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Told to hold 10 GB, it is given up at the first bytes beyond the bound."""
    monkeypatch.setattr(asking, "BODY_BYTES_MAX", 64 * 1024)

    async def endless(_: Seen, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 10000000000\r\n\r\n")
        while True:
            writer.write(b" " * 16_384)
            await writer.drain()

    async with RawServer([endless]) as server:
        with pytest.raises(ShopListMalformedError, match="more than 65536 bytes"):
            await listed(server.url)


async def test_a_shop_that_never_ends_its_answer_is_left_after_the_time_for_a_page() -> None:
    """The header comes, the body does not."""
    never = asyncio.Event()
    async with RawServer([hold(never, page())]) as server:
        with pytest.raises(ShopListUnavailableError, match=r"within 0\.1 s"):
            await _collect(shop_list_of(server.url, ListLimits(page_seconds=0.1)), [])


async def test_the_time_of_all_pages_together_is_bounded() -> None:
    """By a clock on which each page takes 40 s, the 100 s are used up by the third."""
    ticks = iter(range(0, 100_000, 40))

    async def step(seen: Seen, writer: asyncio.StreamWriter) -> None:
        await page(following=f"c{len(server.seen)}")(seen, writer)

    async with RawServer([step]) as server:
        shop_list = shop_list_of(server.url, ListLimits(asking_seconds=100), clock=lambda: float(next(ticks)))
        with pytest.raises(ShopListUnavailableError, match="not at its end after 100 s, 3 pages"):
            await _collect(shop_list, [])


@pytest.mark.parametrize(("told", "waited"), [("2.0", [2.0]), ("", [2.0]), ("0", [0.0])])
async def test_a_shop_that_asks_to_wait_is_waited_for(told: str, waited: list[float]) -> None:
    """429, then the page: as long as it says, 2 s where it does not say."""
    slept: list[float] = []
    async with RawServer([answer(429, Retry_After=told), page(order(1))]) as server:
        found: list[str] = []
        await _collect(shop_list_of(server.url, sleep=_noting(slept)), found)
    assert (found, slept) == (["o-1"], waited)


async def test_a_shop_that_asks_for_too_much_patience_is_left() -> None:
    """An hour is left to the next run; and after the bound of waits, too."""
    slept: list[float] = []
    async with RawServer([answer(503, Retry_After="3600")]) as server:
        with pytest.raises(ShopListUnavailableError, match="HTTP 503"):
            await _collect(shop_list_of(server.url, sleep=_noting(slept)), [])
    assert slept == []
    async with RawServer([answer(429)]) as server:
        with pytest.raises(ShopListUnavailableError, match="HTTP 429"):
            await _collect(shop_list_of(server.url, ListLimits(waits=3), sleep=_noting(slept)), [])
    assert slept == [2.0, 2.0, 2.0]


async def test_a_payload_is_the_text_of_the_shop_to_the_byte() -> None:
    """Numbers of 17 digits, spaces, escapes and the order of the fields stay: a parser in between would change them."""
    text = json.dumps(order(1), indent=1).replace('"12.10"', "12.100000000000000000") + " "
    body = b'\xef\xbb\xbf {"more": [{"a": "]"}], "orders" : [ ' + text.encode() + b' , {"x":1}], "next_cursor":null} '
    async with RawServer([answer(200, body, **JSON)]) as server:
        found = await listed(server.url)
    assert found[0].payload == text.strip().encode()
    assert found[1].payload == b'{"x":1}'
    assert found[1].problem.startswith("missing_field")


async def test_the_question_is_the_documented_one() -> None:
    """Time in UTC, limit, bearer token; the query of the address stays."""
    async with RawServer([page()]) as server:
        await listed(f"{server.url}/list?shop=nl")
    (seen,) = server.seen
    assert seen.method == "GET"
    assert seen.target == "/list?shop=nl&paid_since=2026-11-20T10%3A00%3A00Z&limit=100"
    assert seen.headers["authorization"] == f"Bearer {TOKEN}"
    assert seen.headers["accept-encoding"] == "identity"


def shop_list_of(url: str, limits: ListLimits | None = None, **more: Any) -> HttpShopList:
    """Make a list with other limits than the program's."""
    shop = shop_with_list(url)
    return HttpShopList(
        "nl",
        way=ContractWay(url),
        token=TOKEN,
        transport=httpx.AsyncHTTPTransport(),
        read=ListReader(shop, Platform.BOOKED, {}).read,
        limits=limits,
        **more,
    )


async def _collect(shop_list: HttpShopList, into: list[str]) -> None:
    try:
        async for one in shop_list.paid_since(SINCE):
            assert isinstance(one, ListedOrder)
            into.append(one.order_id)
    finally:
        await shop_list.aclose()


def _noting(slept: list[float]) -> Any:
    def sleep(seconds: float) -> Awaitable[None]:
        slept.append(seconds)
        return asyncio.sleep(0)

    return sleep
