"""Stand-ins for the order lists of WooCommerce and Shopify: as much of both as a list of orders needs.

They do what the originals do where a caller could be wrong: WooCommerce's pages are counted and hold 100 at most,
Shopify's go by `page_info`, beside which it refuses any other condition, and both know who asks.
"""

import hmac
import json
from base64 import b64encode, urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

WOO_PATH = "/wp-json/wc/v3/orders"
WOO_PAGE_MAX = 100
WOO_PAGE = 10
SHOPIFY_PAGE_MAX = 250
SHOPIFY_PAGE = 50

Payload = Mapping[str, Any]


@dataclass(slots=True)
class PlatformBook:
    """The orders of a platform's shop in its own words, newest state each; ``busy`` questions get HTTP 429 first."""

    orders: dict[int, Payload] = field(default_factory=dict)
    busy: int = 0

    def put(self, payload: Payload) -> None:
        """Keep an order as it stands now, by its id."""
        self.orders[int(payload["id"])] = payload

    def is_busy(self) -> bool:
        """Tell whether this question comes too soon, and count it."""
        was_busy = self.busy > 0
        self.busy -= was_busy
        return was_busy


def woocommerce_app(book: PlatformBook, *, secret: str) -> Starlette:
    """Make WooCommerce's `GET /wp-json/wc/v3/orders`; ``secret`` is consumer key and consumer secret, ``ck:cs``."""
    expected = f"Basic {b64encode(secret.encode()).decode()}"

    async def orders(request: Request) -> Response:
        if not hmac.compare_digest(request.headers.get("authorization", "").encode(), expected.encode()):
            return _woo_error("woocommerce_rest_cannot_view", 401)
        asked = request.query_params
        size, number = int(asked.get("per_page", WOO_PAGE)), int(asked.get("page", "1"))
        if not 0 < size <= WOO_PAGE_MAX or number < 1:
            return _woo_error("rest_invalid_param", 400)
        found = _woo_found(book, asked)
        pages = -(-len(found) // size)
        headers = {"X-WP-Total": str(len(found)), "X-WP-TotalPages": str(pages)}
        return JSONResponse(found[(number - 1) * size : number * size], headers=headers)

    return Starlette(routes=[Route(WOO_PATH, orders)])


def _woo_error(code: str, status: int) -> Response:
    return JSONResponse({"code": code, "message": code, "data": {"status": status}}, status_code=status)


def _woo_found(book: PlatformBook, asked: Mapping[str, str]) -> list[Payload]:
    """Give what fits, as WordPress compares: the column in UTC where the dates are said to be; "after" is strict."""
    column = "date_modified_gmt" if asked.get("dates_are_gmt") == "true" else "date_modified"
    after = asked.get("modified_after", "")
    status = asked.get("status", "any")
    statuses = {payload["status"] for payload in book.orders.values()} - {"trash"}
    newest_first = asked.get("order", "desc") == "desc"
    found = [
        payload
        for payload in book.orders.values()
        if payload[column] > after and payload["status"] in ({status} if status != "any" else statuses)
    ]
    return sorted(found, key=lambda payload: int(payload["id"]), reverse=newest_first)


def shopify_app(book: PlatformBook, *, token: str, version: str) -> Starlette:
    """Make Shopify's `GET /admin/api/<version>/orders.json`."""

    async def orders(request: Request) -> Response:
        if not hmac.compare_digest(request.headers.get("x-shopify-access-token", "").encode(), token.encode()):
            return JSONResponse({"errors": "[API] Invalid API key or access token"}, status_code=401)
        if book.is_busy():
            return JSONResponse({"errors": "Exceeded 2 calls per second"}, 429, headers={"Retry-After": "2.0"})
        return _shopify_page(book, request)

    return Starlette(routes=[Route(f"/admin/api/{version}/orders.json", orders)])


def _shopify_page(book: PlatformBook, request: Request) -> Response:
    asked = dict(request.query_params)
    size = int(asked.pop("limit", SHOPIFY_PAGE))
    told = asked.pop("page_info", None)
    if not 0 < size <= SHOPIFY_PAGE_MAX or (told is not None and asked):
        return JSONResponse({"errors": {"page_info": "Invalid value."}}, status_code=400)
    conditions = asked if told is None else json.loads(urlsafe_b64decode(told.encode()))
    found = _shopify_found(book, conditions)
    headers = {}
    if len(found) > size:
        following = {**conditions, "below": int(found[size - 1]["id"])}
        info = urlsafe_b64encode(json.dumps(following).encode()).decode()
        url = str(request.url.replace(query="")).rstrip("?")
        headers["Link"] = f'<{url}?limit={size}&page_info={info}>; rel="next"'
    return JSONResponse({"orders": found[:size]}, headers=headers)


def _shopify_found(book: PlatformBook, conditions: Mapping[str, Any]) -> list[Payload]:
    """Give what fits, newest first; without a status only open orders are listed."""
    since = _moment(conditions.get("updated_at_min", "1970-01-01T00:00:00Z"))
    found = [
        payload
        for number, payload in book.orders.items()
        if _moment(payload["updated_at"]) >= since
        and number < conditions.get("below", number + 1)
        and (conditions.get("status") == "any" or not payload.get("cancelled_at"))
    ]
    return sorted(found, key=lambda payload: int(payload["id"]), reverse=True)


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
