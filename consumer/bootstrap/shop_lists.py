"""Opens a shop's own list of orders, where its settings name one."""

import os
import ssl
from collections.abc import Mapping
from pathlib import Path

from consumer.adapters.shops.opening import about_secret, open_list
from consumer.config import FILE_SUFFIX
from consumer.domain.settings import OrderListSettings, ShopSettings
from consumer.ports.shop_lists import ShopList, ShopListRefusedError
from consumer.sources.listing import ListReader
from consumer.sources.translators import TRANSLATORS


def open_shop_list(
    shop: ShopSettings, environment: Mapping[str, str] = os.environ, *, tls: ssl.SSLContext | None = None
) -> ShopList | None:
    """Open the shop's list; None where it has none. Nothing is asked yet; whoever opens it closes it.

    The secret is that of the environment's variable that the settings name, or of the file that the variable of the
    same name with ``_FILE`` names. Raises ShopListRefusedError where there is none, or none of the right form: one
    shop's missing secret stops the question to that shop alone. ``tls`` is what certificates are held against, by
    default the public roots.
    """
    settings = shop.order_list
    if settings is None or not shop.active:
        return None
    return open_list(
        shop.shop_id,
        settings,
        token=_token(shop.shop_id, settings, environment),
        read=ListReader(shop, settings.kind, TRANSLATORS).read,
        tls=tls,
    )


def _token(shop_id: str, settings: OrderListSettings, environment: Mapping[str, str]) -> str:
    """Read the secret. Raises ShopListRefusedError, which never quotes it."""
    name = settings.token_variable
    file = environment.get(name + FILE_SUFFIX)
    if file and name in environment:
        raise ShopListRefusedError(shop_id, about_secret(shop_id, settings, "it is given twice, also as a file"))
    try:
        token = (Path(file).read_text(encoding="utf-8") if file else environment.get(name, "")).strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ShopListRefusedError(shop_id, about_secret(shop_id, settings, "its file cannot be read")) from error
    if not token:
        found = f"it is not set, nor is {name}{FILE_SUFFIX}"
        raise ShopListRefusedError(shop_id, about_secret(shop_id, settings, found))
    return token
