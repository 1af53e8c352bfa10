"""What the tests of shops' lists share: the settings of a shop that lists its orders, and orders of the contract."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from consumer.bootstrap.shop_lists import open_shop_list
from consumer.domain.settings import OrderListSettings, Platform, RevisionKey, ShopSettings
from consumer.ports.shop_lists import ListedOrder, ShopList

SINCE = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
TOKEN = "t0ken"


def shop_with_list(url: str, *, kind: Platform = Platform.BOOKED, **more: Any) -> ShopSettings:
    """Give shop ``nl``, whose list lies at this address of this machine."""
    settings: dict[str, Any] = {"allow_private": True, "allow_http": True, "token_variable": "SHOP_TOKEN"} | more
    return ShopSettings(
        shop_id="nl",
        source=kind,
        revision=RevisionKey.VERSION if kind is Platform.BOOKED else RevisionKey.UPDATED_AT,
        order_list=OrderListSettings(url=url, kind=kind, **settings),
    )


@asynccontextmanager
async def opened(shop: ShopSettings, token: str = TOKEN) -> AsyncIterator[ShopList]:
    """Open the shop's list as the program does, and close it."""
    shop_list = open_shop_list(shop, {"SHOP_TOKEN": token})
    assert shop_list is not None
    try:
        yield shop_list
    finally:
        await shop_list.aclose()


async def listed(
    url: str,
    *,
    kind: Platform = Platform.BOOKED,
    token: str = TOKEN,
    since: datetime = SINCE,
    until: datetime | None = None,
) -> list[ListedOrder]:
    """Ask the list at this address for everything paid since then."""
    async with opened(shop_with_list(url, kind=kind), token) as shop_list:
        return [order async for order in shop_list.paid_since(since, until)]


def order(number: int, *, paid_at: str = "2026-11-20T10:15:00Z", **more: Any) -> dict[str, Any]:
    """Give an order of the contract over 12.10."""
    return {
        "shop_id": "nl",
        "order_id": f"o-{number}",
        "version": 1,
        "paid_at": paid_at,
        "currency": "EUR",
        "lines": [{"name": "Mug", "quantity": "1", "unit_price": "10.00", "taxes": [{"rate": "21"}]}],
        "totals": {"grand_total": "12.10"},
        **more,
    }
