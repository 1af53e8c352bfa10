"""Puts a shop's list together: its way of asking, its secret, and a transport that goes nowhere else."""

import re
import ssl
from typing import Final
from urllib.parse import urlsplit

import httpx

from consumer.adapters.shops.addresses import CheckedTransport
from consumer.adapters.shops.shop_list import HttpShopList, ReadOrder
from consumer.adapters.shops.ways import ContractWay, ShopifyWay, Way, WooCommerceWay
from consumer.domain.settings import OrderListSettings, Platform
from consumer.ports.shop_lists import ShopListRefusedError

TOKEN_CHARACTERS_MAX: Final = 2_000
_TOKEN: Final = re.compile(r"[\x21-\x7e]+")
_CONNECTIONS: Final = httpx.Limits(max_connections=4, max_keepalive_connections=1, keepalive_expiry=15.0)


def open_list(
    shop_id: str, settings: OrderListSettings, *, token: str, read: ReadOrder, tls: ssl.SSLContext | None = None
) -> HttpShopList:
    """Open a list; nothing is asked yet. ``tls`` is what certificates are held against, by default the public roots.

    Raises ShopListRefusedError for a secret that cannot be sent and an address that must not be asked; the message
    names the setting and never quotes the secret.
    """
    if urlsplit(settings.url).scheme != "https" and not settings.allow_http:
        found = "`url` does not begin with https://, so anybody on the way could read the secret; see `allow_http`"
        raise ShopListRefusedError(shop_id, f"shop {shop_id}: its order list is not asked: {found}.")
    # A line break in it would end the header and begin one of whoever wrote the secret.
    if len(token) > TOKEN_CHARACTERS_MAX or not _TOKEN.fullmatch(token):
        raise ShopListRefusedError(shop_id, about_secret(shop_id, settings, "it holds spaces or signs that none has"))
    verify = tls or httpx.create_ssl_context(trust_env=False)
    inner = httpx.AsyncHTTPTransport(verify=verify, trust_env=False, http1=True, http2=False, limits=_CONNECTIONS)
    transport = CheckedTransport(inner, allow_private=settings.allow_private)
    try:
        return HttpShopList(shop_id, way=_way(settings), token=token, transport=transport, read=read)
    except ValueError as error:
        raise ShopListRefusedError(shop_id, about_secret(shop_id, settings, str(error))) from error
    except httpx.InvalidURL as error:
        message = f"shop {shop_id}: its order list is not asked: `url` is no address."
        raise ShopListRefusedError(shop_id, message) from error


def about_secret(shop_id: str, settings: OrderListSettings, found: str) -> str:
    """Say what is wrong with a list's secret, by the name of its variable."""
    return (
        f"shop {shop_id}: the secret of its order list should be in the variable {settings.token_variable}, "
        f"and {found}."
    )


def _way(settings: OrderListSettings) -> Way:
    if settings.kind is Platform.WOOCOMMERCE:
        return WooCommerceWay(settings.url)
    if settings.kind is Platform.SHOPIFY:
        return ShopifyWay(settings.url, version=settings.api_version)
    return ContractWay(settings.url)
