"""`python -m sandbox.shop publish --kafka HOST:PORT --seed 7`: the shop sells one more order.

It waits for what comes of it, and says so. `python -m sandbox.shop list`: the shop's own list of orders
(docs/order-list.md) is served until it is interrupted.
"""

import argparse
import asyncio
import json
import signal
import sys
from collections.abc import Sequence
from datetime import UTC, datetime

from aiokafka.errors import KafkaError

from sandbox.kafka import quiet_client
from sandbox.shop.broker import listening, publish
from sandbox.shop.events import OrderList, Topics
from sandbox.shop.expectations import ShopOrder
from sandbox.shop.orders import SHOP_ID, make_order, make_season
from sandbox.shop.orders_api import DEMO_TOKEN, OrderBook, listing
from sandbox.shop.page import invoice_column

EXIT_UNAVAILABLE = 69  # EX_UNAVAILABLE of sysexits.h
EXIT_NO_ANSWER = 75  # EX_TEMPFAIL
ANSWER_TIMEOUT_SECONDS = 30.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command says, and give the exit code."""
    options = _parser().parse_args(arguments)
    return _list(options) if options.command == "list" else _publish(options)


def _list(options: argparse.Namespace) -> int:
    """Serve the list of a season's orders until the process is interrupted; 0."""
    book = OrderBook()
    for order in make_season(seed=options.seed, orders=options.orders, now=datetime.now(UTC)).orders:
        book.put(order.data)
    asyncio.run(_serve(book, options.token))
    return 0


async def _serve(book: OrderBook, token: str) -> None:
    interrupted = asyncio.Event()
    # Not Python's own way: a shell starts what it puts into the background deaf to interrupts.
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, interrupted.set)
    async with listing(book, token=token) as url:
        sys.stdout.write(json.dumps({"url": url, "token": token}) + "\n")
        sys.stdout.flush()
        await interrupted.wait()


def _publish(options: argparse.Namespace) -> int:
    """Publish one order; 0 once Booked has told what came of it, 75 when it does not, 69 without a broker."""
    order = make_order(seed=options.seed, now=datetime.now(UTC), shop_id=options.shop)
    topics = Topics(paid=options.topic_paid, synced=options.topic_synced, rejected=options.topic_rejected)
    try:
        with quiet_client():
            told = asyncio.run(_sell(options.kafka, topics, order, options.wait_seconds))
    except (KafkaError, OSError) as error:
        sys.stderr.write(f"Kafka at {options.kafka} cannot be used: {error}; is the demo still running?\n")
        return EXIT_UNAVAILABLE
    sys.stdout.write(f"order {'/'.join(order.key)} over {order.total} {order.currency}: {told or 'no answer yet'}\n")
    return 0 if told else EXIT_NO_ANSWER


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m sandbox.shop", description="The demo shop.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND", dest="command")
    many = commands.add_parser("list", help="serve the shop's own list of orders")
    many.add_argument("--seed", type=int, default=7, help="which orders (default: 7)")
    many.add_argument("--orders", type=int, default=250, help="how many (default: 250)")
    many.add_argument("--token", default=DEMO_TOKEN, help="what to ask with (default: %(default)s)")
    one = commands.add_parser("publish", help="sell one more order")
    defaults = Topics()
    one.add_argument("--kafka", required=True, metavar="HOST:PORT", help="the broker")
    one.add_argument("--seed", type=int, default=7, help="which order: the same seed gives the same order (default: 7)")
    one.add_argument("--shop", default=SHOP_ID, help=f"the shop's id (default: {SHOP_ID})")
    one.add_argument("--topic-paid", default=defaults.paid, help="default: %(default)s")
    one.add_argument("--topic-synced", default=defaults.synced, help="default: %(default)s")
    one.add_argument("--topic-rejected", default=defaults.rejected, help="default: %(default)s")
    one.add_argument(
        "--wait-seconds", type=float, default=ANSWER_TIMEOUT_SECONDS, help="how long to wait for an answer"
    )
    return parser


async def _sell(kafka_servers: str, topics: Topics, order: ShopOrder, wait_seconds: float) -> str:
    """Publish the order and wait for the first answer about it; gives the invoice column, empty without an answer."""
    order_list = OrderList()
    async with listening(kafka_servers, topics, order_list) as changed:
        await publish(kafka_servers, topics, [order])
        try:
            async with asyncio.timeout(wait_seconds):
                while order.key not in order_list.told and order.key not in order_list.refused:
                    changed.clear()
                    await changed.wait()
        except TimeoutError:
            return ""
    return invoice_column(order.key, order_list)


if __name__ == "__main__":
    sys.exit(main())
