"""The shop's own page: its order list with the invoice column, for people and as JSON."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import asdict
from html import escape

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from sandbox.ports import LOOPBACK
from sandbox.shop.events import OrderList
from sandbox.shop.expectations import Key, ShopOrder

_PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Demo shop</title>
<meta http-equiv="refresh" content="5"><style>body{{font:15px system-ui;margin:2rem}}td,th{{padding:.2rem .8rem;
text-align:left;border-bottom:1px solid #ddd}}td.n{{text-align:right}}</style></head><body><h1>Orders</h1>
<table><tr><th>Order</th><th>Total</th><th>Invoice</th></tr>{rows}</table></body></html>"""
_ROW = "<tr><td>{order}</td><td class=n>{total}</td><td>{invoice}</td></tr>"


def shop_page(orders: Mapping[Key, ShopOrder], order_list: OrderList) -> Starlette:
    """Make the page; orders that another process published appear with what is told of them."""

    async def page(_: Request) -> Response:
        keys = dict.fromkeys([*orders, *order_list.told])
        return HTMLResponse(_PAGE.format(rows="".join(_row(key, orders.get(key), order_list) for key in keys)))

    async def as_json(_: Request) -> Response:
        rows = {"/".join(key): asdict(told) for key, told in order_list.told.items()}
        return Response(JSONResponse(_plain(rows)).body, media_type="application/json")

    return Starlette(routes=[Route("/", page), Route("/orders.json", as_json)])


def _plain(rows: Mapping[str, Mapping[str, object]]) -> dict[str, dict[str, object]]:
    """Write amounts as decimal strings."""
    simple = (str, int)
    return {
        key: {name: value if value is None or isinstance(value, simple) else str(value) for name, value in row.items()}
        for key, row in rows.items()
    }


def _row(key: Key, order: ShopOrder | None, order_list: OrderList) -> str:
    total = "" if order is None else f"{order.total} {order.currency}"
    return _ROW.format(
        order=escape("/".join(key)), total=escape(total), invoice=escape(invoice_column(key, order_list))
    )


def invoice_column(key: Key, order_list: OrderList) -> str:
    """Give the words of the list's invoice column."""
    refused, told = order_list.refused.get(key), order_list.told.get(key)
    if refused is not None:
        return f"rejected: {refused.reason}"
    if told is None:
        return "not yet"
    return told.invoice_number if told.state == "booked" else f"{told.state}: {told.reason}"


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals to the demo, which has more to end than this."""
        yield


@contextlib.asynccontextmanager
async def serving(app: Starlette) -> AsyncIterator[str]:
    """Serve the page on a free port of this machine while the block lasts; gives its address."""
    with socket.create_server((LOOPBACK, 0)) as listening:
        config = uvicorn.Config(app, log_level="warning", access_log=False, lifespan="off", ws="none")
        server = _Server(config)
        task = asyncio.create_task(server.serve(sockets=[listening]))
        try:
            yield f"http://{LOOPBACK}:{listening.getsockname()[1]}/"
        finally:
            server.should_exit = server.force_exit = True
            await asyncio.gather(task, return_exceptions=True)
