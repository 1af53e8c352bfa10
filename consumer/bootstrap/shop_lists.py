"""Opens a shop's own list of orders, where its settings name one."""

import os
import re
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import httpx

from consumer.adapters.shops.addresses import CheckedTransport
from consumer.adapters.shops.shop_list import HttpShopList
from consumer.adapters.shops.ways import ContractWay, ShopifyWay, Way, WooCommerceWay
from consumer.config import FILE_SUFFIX
from consumer.domain.settings import OrderListSettings, Platform, ShopSettings
from consumer.ports.shop_lists import ShopList, ShopListRefusedError
from consumer.sources.listing import ListReader
from consumer.sources.translators import TRANSLATORS

TOKEN_CHARACTERS_MAX: Final = 2_000
_TOKEN: Final = re.compile(r"[\x21-\x7e]+")
_CONNECTIONS: Final = httpx.Limits(max_connections=2, max_keepalive_connections=1, keepalive_expiry=15.0)


def open_shop_list(
    shop: ShopSettings, environment: Mapping[str, str] = os.environ, *, tls: ssl.SSLContext | None = None
) -> ShopList | None:
    """Open the shop's list; None where it has none. Nothing is asked yet; whoever opens it closes it.

    The secret is that of the environment's variable that the settings name, or of the file that the variable of the
    same name with ``_FILE`` names. Raises ShopListRefusedError where there is none, or none of the right form: one
    shop's missing secret stops the question to that shop alone. ``tls`` is what certificates are held against, by
    default what the machine trusts.
    """
    settings = shop.order_list
    if settings is None or not shop.active:
        return None
    if httpx.URL(settings.url).scheme != "https" and not settings.allow_http:
        found = (
            "`url` does not begin with https://, so its secret could be read on the way; mend it, or set `allow_http`"
        )
        raise ShopListRefusedError(shop.shop_id, f"shop {shop.shop_id}: its order list is not asked: {found}.")
    token = _token(shop.shop_id, settings.token_variable, environment)
    inner = httpx.AsyncHTTPTransport(
        verify=tls or ssl.create_default_context(), trust_env=False, http1=True, http2=False, limits=_CONNECTIONS
    )
    try:
        return HttpShopList(
            shop.shop_id,
            way=_way(settings),
            token=token,
            transport=CheckedTransport(inner, allow_private=settings.allow_private),
            read=ListReader(shop, settings.kind, TRANSLATORS).read,
        )
    except ValueError as error:
        raise ShopListRefusedError(shop.shop_id, _about(shop.shop_id, settings.token_variable, str(error))) from error


def _way(settings: OrderListSettings) -> Way:
    if settings.kind is Platform.WOOCOMMERCE:
        return WooCommerceWay(settings.url)
    if settings.kind is Platform.SHOPIFY:
        return ShopifyWay(settings.url, version=settings.api_version)
    return ContractWay(settings.url)


def _token(shop_id: str, name: str, environment: Mapping[str, str]) -> str:
    """Read the secret. Raises ShopListRefusedError, which never quotes it."""
    file = environment.get(name + FILE_SUFFIX)
    if file and name in environment:
        raise ShopListRefusedError(shop_id, _about(shop_id, name, "it is given twice, as itself and as a file"))
    try:
        token = (Path(file).read_text(encoding="utf-8") if file else environment.get(name, "")).strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ShopListRefusedError(shop_id, _about(shop_id, name, "its file cannot be read")) from error
    if not token:
        raise ShopListRefusedError(shop_id, _about(shop_id, name, f"it is not set, nor is {name}{FILE_SUFFIX}"))
    # A line break in it would end the header and begin one of whoever wrote the secret.
    if len(token) > TOKEN_CHARACTERS_MAX or not _TOKEN.fullmatch(token):
        raise ShopListRefusedError(shop_id, _about(shop_id, name, "it holds spaces or signs that no secret has"))
    return token


def _about(shop_id: str, name: str, found: str) -> str:
    return f"shop {shop_id}: the secret of its order list should be in the variable {name}, and {found}."
