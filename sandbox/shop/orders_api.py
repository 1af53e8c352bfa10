"""The demo shop's own list of orders, on a real socket: the small HTTP contract of docs/order-list.md.

    book = OrderBook()
    book.put(order.data)                       # sold, and published as well
    book.put(other.data, published=False)      # sold, and its event forgotten
    async with listing(book, token="t") as url:
        ...                                    # `order_list.url`; `allow_private` and `allow_http` are needed

The list is served within the caller's event loop; other processes can ask it for as long as the loop turns.
"""

import asyncio
import binascii
import hmac
import json
import socket
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

LIST_PATH = "/booked/orders"
DEMO_TOKEN = "demo-shop-list"
PAGE_ORDERS_MAX = 1_000
PAGE_ORDERS = 100
STARTING_SECONDS = 10.0

Place = tuple[datetime, str]
"""Where an order stands in the list: its time of payment and its id."""


@dataclass(slots=True)
class OrderBook:
    """What the shop has sold, as its own database holds it, and which of it was never published."""

    orders: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    unpublished: set[str] = field(default_factory=set)

    def put(self, data: Mapping[str, Any], *, published: bool = True) -> None:
        """Keep an order as it stands now, by its id."""
        order_id = str(data["order_id"])
        self.orders[order_id] = data
        if published:
            self.unpublished.discard(order_id)
        else:
            self.unpublished.add(order_id)

    def forgotten(self) -> list[Mapping[str, Any]]:
        """Give the orders whose event was never published."""
        return [self.orders[order_id] for order_id in sorted(self.unpublished)]

    def paid(self) -> list[tuple[Place, Mapping[str, Any]]]:
        """Give the paid orders by time of payment, cancelled ones among them; of one moment, by their ids."""
        found = [
            ((datetime.fromisoformat(data["paid_at"]), order_id), data)
            for order_id, data in self.orders.items()
            if data.get("paid_at")
        ]
        return sorted(found, key=lambda entry: entry[0])


class AskedWronglyError(ValueError):
    """A parameter that this shop cannot read; the message names it."""


def list_app(book: OrderBook, *, token: str) -> Starlette:
    """Make the application that answers for this book."""

    async def orders(request: Request) -> Response:
        given = request.headers.get("authorization", "")
        if not hmac.compare_digest(given.encode(), f"Bearer {token}".encode()):
            return JSONResponse({"error": "the token is missing or unknown"}, status_code=401)
        try:
            return _json(_page(book, request.query_params))
        except AskedWronglyError as error:
            return JSONResponse({"error": str(error)}, status_code=400)

    return Starlette(routes=[Route(LIST_PATH, orders)])


def _page(book: OrderBook, asked: Mapping[str, str]) -> dict[str, Any]:
    """Give one page. The cursor is the place of the last order given, so what is sold meanwhile shifts nothing."""
    since = _moment(asked, "paid_since")
    if since is None:
        raise AskedWronglyError("paid_since is missing")
    until, behind = _moment(asked, "paid_until"), _cursor(asked.get("cursor"))
    limit = _limit(asked.get("limit"))
    fitting = [
        (place, data)
        for place, data in book.paid()
        if place[0] >= since and (until is None or place[0] < until) and (behind is None or place > behind)
    ]
    page = fitting[:limit]
    following = _written_cursor(page[-1][0]) if len(fitting) > limit else None
    return {"orders": [data for _, data in page], "next_cursor": following}


def _moment(asked: Mapping[str, str], name: str) -> datetime | None:
    text = asked.get(name)
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise AskedWronglyError(f"{name} is no time") from None
    if moment.tzinfo is None:
        raise AskedWronglyError(f"{name} has no offset")
    return moment


def _limit(text: str | None) -> int:
    if text is None:
        return PAGE_ORDERS
    if not text.isdecimal() or not 0 < int(text[:9]) <= PAGE_ORDERS_MAX:
        raise AskedWronglyError(f"limit is no number from 1 to {PAGE_ORDERS_MAX}")
    return int(text)


def _written_cursor(place: Place) -> str:
    return urlsafe_b64encode(json.dumps([place[0].isoformat(), place[1]]).encode()).decode()


def _cursor(text: str | None) -> Place | None:
    if text is None:
        return None
    try:
        moment, order_id = json.loads(urlsafe_b64decode(text.encode()))
        return datetime.fromisoformat(moment), str(order_id)
    except (ValueError, TypeError, binascii.Error):
        raise AskedWronglyError("cursor is none of this shop") from None


def _json(page: Mapping[str, Any]) -> Response:
    body = json.dumps(page, ensure_ascii=False, separators=(",", ":"), default=_text).encode()
    return Response(body, media_type="application/json")


def _text(value: object) -> str:
    if isinstance(value, Decimal):
        return format(value, "f")
    raise TypeError(f"{value!r} cannot be written as JSON")


@asynccontextmanager
async def listing(book: OrderBook, *, token: str = DEMO_TOKEN) -> AsyncIterator[str]:
    """Serve the list of this book while the block runs; gives its address, for the shop's `order_list.url`."""
    async with serving(list_app(book, token=token)) as origin:
        yield origin + LIST_PATH


@asynccontextmanager
async def serving(app: ASGIApp) -> AsyncIterator[str]:
    """Serve an application on a free port of this machine while the block runs; gives its origin."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        config = uvicorn.Config(app, log_config=None, access_log=False, lifespan="off", ws="none")
        server = _Server(config)
        task = asyncio.create_task(server.serve(sockets=[listening]))
        try:
            async with asyncio.timeout(STARTING_SECONDS):
                await server.ready.wait()
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = server.force_exit = True
            await task


class _Server(uvicorn.Server):
    """uvicorn that tells when it is ready, and leaves the signals to the process that it runs in."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and say so."""
        await super().startup(sockets)
        self.ready.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals alone."""
        yield
