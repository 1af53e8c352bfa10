"""What differs between the ways of asking a shop: the addresses of its pages, and how it says who asks."""

import re
from base64 import b64encode
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

import httpx

from consumer.adapters.shops.pages import NoPageError, Page

PAGE_ORDERS: Final = 100
CURSOR_CHARACTERS_MAX: Final = 2_000
SHOPIFY_VERSION: Final = "2025-10"

_WOO_PATH: Final = "/wp-json/wc/v3/orders"
_SECOND: Final = timedelta(seconds=1)
_NEXT_LINK: Final = re.compile(r'<([^<>]{1,4000})>\s*;[^,<>]*\brel="?next"?')


class Way(Protocol):
    """One way of asking."""

    @property
    def under(self) -> str | None:
        """Name the field of a page that holds its orders; None: the page is the list itself."""
        ...

    @property
    def shows_payment_time(self) -> bool:
        """Tell whether an order says when it was paid, so that the time asked for can be held against it."""
        ...

    def headers(self, token: str) -> Mapping[str, str]:
        """Say who asks. Raises ValueError where the secret is not of the form that this way takes."""
        ...

    def first(self, since: datetime, until: datetime | None) -> httpx.URL:
        """Give the address of the first page."""
        ...

    def following(self, asked: httpx.URL, page: Page, headers: Mapping[str, str]) -> httpx.URL | None:
        """Give the address of the next page; None after the last. Raises NoPageError."""
        ...


class ContractWay:
    """Our own contract; see docs/order-list.md."""

    under = "orders"
    shows_payment_time = True

    def __init__(self, url: str) -> None:
        self._url = httpx.URL(url)

    def headers(self, token: str) -> Mapping[str, str]:
        """Bear the token."""
        return {"Authorization": f"Bearer {token}"}

    def first(self, since: datetime, until: datetime | None) -> httpx.URL:
        """Ask by the time of payment; ``paid_until`` is a hint that a shop may pass over."""
        asked = {"paid_since": _utc(since), "limit": str(PAGE_ORDERS)}
        if until is not None:
            asked["paid_until"] = _utc(until + _SECOND)  # whole seconds are asked for, and never too few of them
        return self._url.copy_merge_params(asked)

    def following(self, asked: httpx.URL, page: Page, headers: Mapping[str, str]) -> httpx.URL | None:
        """Ask the same with the page's cursor."""
        del headers
        cursor = page.rest.get("next_cursor")
        if cursor is None:
            return None
        if not isinstance(cursor, str) or not 0 < len(cursor) <= CURSOR_CHARACTERS_MAX:
            raise NoPageError(f"a next_cursor that is no text of 1 to {CURSOR_CHARACTERS_MAX} characters, nor null")
        return asked.copy_set_param("cursor", cursor)


class WooCommerceWay:
    """WooCommerce's REST interface, version 3: every order that changed since then, oldest id first.

    A payment changes its order, so what was paid since then has changed since then. By id nothing moves to a page that
    was read already: what changes meanwhile may come twice, which harms nobody. Only an order that is put into the bin
    in that moment moves the others up, and one of them over the edge; the overlap of the next run has it. The times are
    in UTC and without an offset: WordPress would turn one with an offset to its own zone and compare it with a column
    in UTC.
    """

    under = None
    shows_payment_time = True

    def __init__(self, url: str) -> None:
        base = httpx.URL(url)
        path = base.path.rstrip("/")
        self._url = base.copy_with(path=path if path.endswith("/orders") else path + _WOO_PATH)

    def headers(self, token: str) -> Mapping[str, str]:
        """Give key and secret as basic authentication."""
        key, _, secret = token.partition(":")
        if not key or not secret:
            raise ValueError("of WooCommerce it is ck_…:cs_…, consumer key and consumer secret with a colon between")
        return {"Authorization": f"Basic {b64encode(token.encode()).decode('ascii')}"}

    def first(self, since: datetime, until: datetime | None) -> httpx.URL:
        """Ask for what changed after the second before; an end would let orders leave the list while it is read."""
        del until
        changed = (since.astimezone(UTC) - _SECOND).replace(microsecond=0, tzinfo=None)
        return self._url.copy_merge_params(
            {
                "modified_after": changed.isoformat(),
                "dates_are_gmt": "true",
                "status": "any",
                "orderby": "id",
                "order": "asc",
                "per_page": str(PAGE_ORDERS),
                "page": "1",
            }
        )

    def following(self, asked: httpx.URL, page: Page, headers: Mapping[str, str]) -> httpx.URL | None:
        """Count on, up to the number of pages that the answer names; without it, until a page is not full."""
        number = int(asked.params["page"])
        pages = headers.get("x-wp-totalpages")
        if pages is not None and not re.fullmatch(r"[0-9]{1,9}", pages):
            raise NoPageError("a number of pages (X-WP-TotalPages) that is none")
        more = number < int(pages) if pages is not None else len(page.orders) >= PAGE_ORDERS
        return asked.copy_set_param("page", str(number + 1)) if more else None


class ShopifyWay:
    """Shopify's Admin REST interface: every order, of any status, that changed since then.

    Its orders do not tell when the money came, only when the sale was made; so none is left out for its time.
    """

    under = "orders"
    shows_payment_time = False

    def __init__(self, url: str, *, version: str = "") -> None:
        base = httpx.URL(url)
        path = base.path.rstrip("/")
        whole = f"{path}/admin/api/{version or SHOPIFY_VERSION}/orders.json"
        self._url = base.copy_with(path=path if path.endswith("/orders.json") else whole)

    def headers(self, token: str) -> Mapping[str, str]:
        """Give the access token of the custom app."""
        return {"X-Shopify-Access-Token": token}

    def first(self, since: datetime, until: datetime | None) -> httpx.URL:
        """Ask by the time of the last change."""
        del until
        asked = {"status": "any", "updated_at_min": _utc(since), "limit": str(PAGE_ORDERS)}
        return self._url.copy_merge_params(asked)

    def following(self, asked: httpx.URL, page: Page, headers: Mapping[str, str]) -> httpx.URL | None:
        """Follow the link, but for its host: only its ``page_info`` is taken, which allows no other condition."""
        del asked, page
        link = _NEXT_LINK.search(headers.get("link", ""))
        if link is None:
            return None
        try:
            told = httpx.URL(link[1]).params.get("page_info", "")
        except httpx.InvalidURL:
            told = ""
        if not 0 < len(told) <= CURSOR_CHARACTERS_MAX:
            raise NoPageError("a link to the next page that has no page_info")
        return self._url.copy_merge_params({"limit": str(PAGE_ORDERS), "page_info": told})


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
