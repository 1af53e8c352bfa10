"""`python selling.py KAFKA`: the demo shop sells an order every few seconds, until it is stopped. For compose.yaml."""

import argparse
import asyncio
import sys
import time
from datetime import UTC, datetime

from sandbox.shop.broker import publish
from sandbox.shop.events import Topics
from sandbox.shop.orders import make_order


async def sell(kafka_servers: str, *, seed: int, every_seconds: float, orders: int | None) -> int:
    """Sell so many orders, or without end; gives how many the broker has."""
    sold = 0
    while orders is None or sold < orders:
        order = make_order(seed=seed + sold, now=datetime.now(UTC))
        await publish(kafka_servers, Topics(), [order])
        sold += 1
        sys.stdout.write(f"sold {'/'.join(order.key)} over {order.total} {order.currency}\n")
        sys.stdout.flush()
        await asyncio.sleep(every_seconds)
    return sold


def main(arguments: list[str] | None = None) -> None:
    """Read the command line and sell."""
    parser = argparse.ArgumentParser(prog="selling.py", description=__doc__)
    parser.add_argument("kafka", metavar="HOST:PORT")
    parser.add_argument("--every-seconds", type=float, default=5.0)
    parser.add_argument("--orders", type=int, help="how many (default: without end)")
    # Another first order after every start: a shop never sells the same order twice.
    parser.add_argument("--seed", type=int, default=int(time.time()), help="the first order (default: by the clock)")
    given = parser.parse_args(arguments)
    asyncio.run(sell(given.kafka, seed=given.seed, every_seconds=given.every_seconds, orders=given.orders))


if __name__ == "__main__":
    main()
