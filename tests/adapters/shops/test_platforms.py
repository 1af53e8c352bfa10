"""WooCommerce's and Shopify's own lists, asked through stand-ins on real sockets; payloads in the platforms' shapes."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from consumer.adapters.shops.shop_list import HttpShopList
from consumer.adapters.shops.ways import ContractWay, ShopifyWay, Way, WooCommerceWay
from consumer.domain.settings import Platform
from consumer.ports.shop_lists import ListedOrder, ShopListMalformedError, ShopListRefusedError
from consumer.sources.listing import ListReader
from consumer.sources.translators import TRANSLATORS
from sandbox.shop.orders_api import serving
from sandbox.shop.platform_api import PlatformBook, shopify_app, woocommerce_app
from sandbox.shop.platform_orders import Shape, is_paid, total_of
from tests.acceptance.platform_payloads import shopify_order, woo_order
from tests.adapters.shops.lists import SINCE, TOKEN, listed, opened, shop_with_list
from tests.adapters.zoho.raw_server import RawServer, Step, answer

SECRET = "ck_1:cs_2"
VERSION = "2025-10"
EXPORTS = Path(__file__).resolve().parents[4] / "shared" / "data"


def woo(number: int, *, paid: str = "2026-11-20T10:15:00", **more: Any) -> dict[str, Any]:
    """Give an order as its REST interface writes it, changed when it was paid."""
    modified = more.pop("modified", paid)
    times = {"date_paid": paid, "date_paid_gmt": paid, "date_modified": modified, "date_modified_gmt": modified}
    return {**woo_order(number), **times, **more}


async def test_woocommerce_gives_every_paid_order_of_every_page() -> None:
    """250 orders on three pages of 100; unpaid, cancelled and binned ones among them are none, an older one neither."""
    book = PlatformBook()
    for number in range(1, 251):
        book.put(woo(number))
    book.put(woo(251, status="pending", date_paid=None, date_paid_gmt=None))
    book.put(woo(252, status="cancelled"))
    book.put(woo(253, status="trash"))
    book.put(woo(254, paid="2026-11-19T10:15:00", modified="2026-11-20T10:16:00"))
    book.put(woo(255, paid="2026-11-20T10:00:00"))
    async with serving(woocommerce_app(book, secret=SECRET)) as origin:
        found = await listed(origin, kind=Platform.WOOCOMMERCE, token=SECRET)
    assert [one.order_id for one in found] == [str(number) for number in (*range(1, 251), 255)]
    first = found[0]
    assert json.loads(first.payload) == json.loads(json.dumps(book.orders[1]))
    assert (first.kind, first.headers[1]) == (None, ("booked-shop", b"nl"))
    assert (first.currency, first.grand_total) == ("EUR", Decimal("28.68"))
    assert first.paid_at == datetime(2026, 11, 20, 10, 15, tzinfo=UTC)
    assert first.revision == "2026-11-20T10:15:00+00:00"


async def test_woocommerce_loses_no_order_that_changes_while_its_list_is_read() -> None:
    """An order of the first page changes, and an older one joins the list: none of the later pages is passed over."""
    book = PlatformBook()
    for number in range(101, 351):
        book.put(woo(number))
    book.put(woo(1, paid="2026-11-20T10:20:00", modified="2026-11-19T00:00:00"))
    seen: list[str] = []
    async with serving(woocommerce_app(book, secret=SECRET)) as origin:
        shop = shop_with_list(origin, kind=Platform.WOOCOMMERCE)
        async with opened(shop, SECRET) as shop_list:
            async for one in shop_list.paid_since(SINCE):
                if not seen:
                    book.put(woo(101, modified="2026-11-20T12:00:00"))
                    book.put(woo(1, paid="2026-11-20T10:20:00", modified="2026-11-20T12:00:00"))
                seen.append(one.order_id)
    assert len(seen) == len(set(seen))
    assert set(seen) >= {str(number) for number in range(101, 351)}


async def test_woocommerce_is_asked_as_documented() -> None:
    """Basic authentication; the second before, in UTC, without an offset, and told to be so; by id, oldest first."""
    async with RawServer([answer(200, [], Content_Type="application/json")]) as server:
        await listed(f"{server.url}/shop/", kind=Platform.WOOCOMMERCE, token=SECRET)
    (seen,) = server.seen
    path, _, query = seen.target.partition("?")
    assert path == "/shop/wp-json/wc/v3/orders"
    assert dict(httpx.QueryParams(query)) == {
        "modified_after": "2026-11-20T09:59:59",
        "dates_are_gmt": "true",
        "status": "any",
        "orderby": "id",
        "order": "asc",
        "per_page": "100",
        "page": "1",
    }
    assert seen.headers["authorization"] == "Basic Y2tfMTpjc18y"


@pytest.mark.parametrize(
    ("headers", "kind_says"),
    [({"X_WP_TotalPages": "many"}, "X-WP-TotalPages"), ({"X_WP_TotalPages": "-1"}, "X-WP-TotalPages")],
)
async def test_a_number_of_pages_that_is_none_is_refused(headers: dict[str, str], kind_says: str) -> None:
    """Rather than to stop after the first page, in silence."""
    step = answer(200, [woo(1)], Content_Type="application/json", **headers)
    async with RawServer([step]) as server:
        with pytest.raises(ShopListMalformedError, match=kind_says):
            await listed(server.url, kind=Platform.WOOCOMMERCE, token=SECRET)


async def test_without_a_number_of_pages_a_full_page_has_a_next_one() -> None:
    """A proxy may drop the header: 100 orders are followed by a question for the second page, 3 by none."""
    script: list[Step] = [
        answer(200, [woo(number) for number in range(100)], Content_Type="application/json"),
        answer(200, [woo(number) for number in range(100, 103)], Content_Type="application/json"),
    ]
    async with RawServer(script) as server:
        found = await listed(server.url, kind=Platform.WOOCOMMERCE, token=SECRET)
    assert (len(found), len(server.seen)) == (103, 2)


async def test_shopify_gives_every_paid_order_of_every_page() -> None:
    """250 orders by links; unpaid ones are none; one placed long ago that changed since may have been paid since."""
    book = PlatformBook()
    for number in range(1, 251):
        book.put(shopify_order(number))
    book.put(shopify_order(251, status="pending"))
    book.put(shopify_order(252, cancelled_at="2026-11-20T11:00:00+00:00"))
    early = {"created_at": "2026-11-01T08:00:00+00:00", "processed_at": "2026-11-01T08:00:00+00:00"}
    book.put({**shopify_order(253), **early})
    book.put({**shopify_order(254, updated="2026-11-20T09:00:00"), **early})
    async with serving(shopify_app(book, token=TOKEN, version=VERSION)) as origin:
        found = await listed(origin, kind=Platform.SHOPIFY)
    assert sorted(int(one.order_id) for one in found) == [*range(1, 251), 253]
    first = next(one for one in found if one.order_id == "1")
    assert (first.grand_total, first.revision) == (Decimal("13.42"), "2026-11-20T10:15:00+00:00")


async def test_shopify_is_waited_for_when_it_says_so() -> None:
    """HTTP 429 with `Retry-After: 2.0`, twice, then its pages."""
    book = PlatformBook(busy=2)
    book.put(shopify_order(1))
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    async with serving(shopify_app(book, token=TOKEN, version=VERSION)) as origin:
        found = await _asked(ShopifyWay(origin), Platform.SHOPIFY, sleep=sleep)
    assert ([one.order_id for one in found], slept) == (["1"], [2.0, 2.0])


async def test_shopifys_link_is_followed_to_shopify_alone() -> None:
    """A link to another host gives its page_info and nothing else: the token stays where it belongs."""
    async with RawServer([answer(200)]) as elsewhere:
        link = f'<{elsewhere.url}/previous?page_info=p0>; rel="previous", <{elsewhere.url}/x?page_info=p1>; rel="next"'
        body = {"orders": [shopify_order(1)]}
        script = [
            answer(200, body, Content_Type="application/json", Link=link),
            answer(200, {"orders": []}, Content_Type="application/json"),
        ]
        async with RawServer(script) as server:
            await listed(server.url, kind=Platform.SHOPIFY)
    assert elsewhere.connections == 0
    first, second = server.seen
    asked = "status=any&updated_at_min=2026-11-20T10%3A00%3A00Z&limit=100"
    assert first.target == f"/admin/api/2025-10/orders.json?{asked}"
    assert first.headers["x-shopify-access-token"] == TOKEN
    assert second.target == "/admin/api/2025-10/orders.json?limit=100&page_info=p1"


async def test_a_link_without_its_place_is_refused() -> None:
    """Rather than to stop there, in silence."""
    step = answer(200, {"orders": []}, Content_Type="application/json", Link='<https://x.example/>; rel="next"')
    async with RawServer([step]) as server:
        with pytest.raises(ShopListMalformedError, match="page_info"):
            await listed(server.url, kind=Platform.SHOPIFY)


@pytest.mark.parametrize("kind", [Platform.WOOCOMMERCE, Platform.SHOPIFY])
async def test_a_wrong_secret_is_refused_by_both(kind: Platform) -> None:
    """401 of either platform."""
    apps = {
        Platform.WOOCOMMERCE: woocommerce_app(PlatformBook(), secret=SECRET),
        Platform.SHOPIFY: shopify_app(PlatformBook(), token=TOKEN, version=VERSION),
    }
    async with serving(apps[kind]) as origin:
        with pytest.raises(ShopListRefusedError, match="HTTP 401"):
            await listed(origin, kind=kind, token="wrong:secret")


async def test_a_payload_that_is_no_order_of_the_platform_bears_its_problem() -> None:
    """A price that is no amount: the order is told of, and those beside it come."""
    broken = woo(1, line_items=[{"id": 1, "name": "Mug", "quantity": 1, "total": "12,50"}])
    async with RawServer([answer(200, [broken, woo(2)], Content_Type="application/json")]) as server:
        found = await listed(server.url, kind=Platform.WOOCOMMERCE, token=SECRET)
    assert [(one.order_id, one.problem.partition(":")[0]) for one in found] == [("1", "not_translated"), ("2", "")]


@pytest.mark.parametrize(
    ("way", "path"),
    [
        (ContractWay("https://s.example/a?b=c"), "https://s.example/a"),
        (WooCommerceWay("https://s.example"), "https://s.example/wp-json/wc/v3/orders"),
        (WooCommerceWay("https://s.example/wp-json/wc/v3/orders/"), "https://s.example/wp-json/wc/v3/orders"),
        (ShopifyWay("https://s.myshopify.com/"), "https://s.myshopify.com/admin/api/2025-10/orders.json"),
        (ShopifyWay("https://s.example", version="2026-01"), "https://s.example/admin/api/2026-01/orders.json"),
        (ShopifyWay("https://s.example/api/orders.json"), "https://s.example/api/orders.json"),
    ],
)
def test_the_shops_address_is_enough(way: Way, path: str) -> None:
    """The platform's path is added where it is not there."""
    assert str(way.first(SINCE, None).copy_with(query=None)) == path


@pytest.mark.skipif(not EXPORTS.is_dir(), reason="the shared exports of real shops are not on this machine")
@pytest.mark.parametrize("kind", [Platform.WOOCOMMERCE, Platform.SHOPIFY])
def test_real_orders_are_read_from_a_list_as_they_are_from_a_topic(kind: Platform) -> None:
    """Each one that is paid is listed, with its id and its total; none of them is refused."""
    read = ListReader(shop_with_list("https://s.example", kind=kind), kind, TRANSLATORS).read
    orders = _exported(kind)
    found = [one for order in orders if (one := read(json.dumps(order).encode(), SINCE)) is not None]
    assert all(one.problem == "" and one.headers and one.kind is None for one in found)
    paid = {(str(order["id"]), total_of(order, Shape(kind))) for order in orders if is_paid(order, Shape(kind))}
    assert len(paid) >= 5
    assert paid <= {(one.order_id, one.grand_total) for one in found}


def _exported(kind: Platform) -> list[Any]:
    files = sorted((EXPORTS / f"orders-{kind}").glob("*.jsonl"))
    return [json.loads(line)["order"] for file in files for line in file.read_bytes().splitlines()]


async def _asked(way: Way, kind: Platform, *, sleep: Any) -> list[ListedOrder]:
    shop_list = HttpShopList(
        "nl",
        way=way,
        token=TOKEN,
        transport=httpx.AsyncHTTPTransport(),
        read=ListReader(shop_with_list("", kind=kind), kind, TRANSLATORS).read,
        sleep=sleep,
    )
    try:
        return [one async for one in shop_list.paid_since(SINCE)]
    finally:
        await shop_list.aclose()
