"""How long from the broker's acknowledgement of order.paid until invoice.synced can be read, on an idle system.

``python -m bench.latency [--orders N]``: whole processes, one order after the other. From each time the time is taken
off that the ledger's stand-in held the order's calls, by its own record of requests: what is left is ours, and Kafka's.
"""

import argparse
import asyncio
import json
import statistics
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from bench.pages import TARGET_MISSED
from bench.running import whole_installation
from tests.acceptance.installation import Installation, event
from tests.acceptance.proof import orders_of_returning_customers

WARM_UP_ORDERS = 30
TARGET_MEDIAN_SECONDS = 0.050
TARGET_P99_SECONDS = 0.200
DEADLINE_SECONDS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """One order: seconds from acknowledgement to answer, and of them those inside the stand-in; its ledger calls."""

    whole_seconds: float
    held_seconds: float
    calls: int

    @property
    def ours_seconds(self) -> float:
        """Give what is left for Booked and Kafka."""
        return self.whole_seconds - self.held_seconds


class Stopwatch:
    """Publishes orders one by one and times each."""

    def __init__(self, installation: Installation, sender: AIOKafkaProducer, reader: AIOKafkaConsumer) -> None:
        self._installation = installation
        self._sender = sender
        self._reader = reader
        self._seen_requests = 0

    async def time(self, order: Mapping[str, Any]) -> Timing:
        """Time one order. Raises TimeoutError where no answer comes."""
        topic, key = self._installation.topics["order.paid"], f"{order['shop_id']}/{order['order_id']}".encode()
        await self._sender.send_and_wait(topic, json.dumps(event("paid", order)).encode(), key=key)
        acknowledged = perf_counter()
        async with asyncio.timeout(DEADLINE_SECONDS):
            async for record in self._reader:
                if record.key == key:
                    break
        whole_seconds = perf_counter() - acknowledged
        held_seconds, calls = await self._held()
        return Timing(whole_seconds=whole_seconds, held_seconds=held_seconds, calls=calls)

    async def _held(self) -> tuple[float, int]:
        requests = await self._installation.ledger.requests(since=self._seen_requests)
        if requests:
            self._seen_requests = int(requests[-1]["seq"])
        return sum(request["duration_seconds"] or 0.0 for request in requests), len(requests)


async def measure(count: int) -> list[Timing]:
    """Time so many orders on a fresh installation, after some that are not counted."""
    async with whole_installation() as installation:
        await installation.apply()
        await installation.connect()
        servers = installation.kafka_servers
        reader = AIOKafkaConsumer(
            installation.topics["invoice.synced"], bootstrap_servers=servers, auto_offset_reset="earliest"
        )
        async with (
            installation.process(),
            AIOKafkaProducer(bootstrap_servers=servers, acks="all") as sender,
            reader,
        ):
            watch = Stopwatch(installation, sender, reader)
            orders = orders_of_returning_customers(count + WARM_UP_ORDERS)
            timings = [await watch.time(order) for order in orders]
    return timings[WARM_UP_ORDERS:]


def report(timings: Sequence[Timing]) -> bool:
    """Print the figures; tells whether the targets are met."""
    rows = {
        "whole": [timing.whole_seconds for timing in timings],
        "in the ledger": [timing.held_seconds for timing in timings],
        "ours": [timing.ours_seconds for timing in timings],
        "ours, 1 call": [timing.ours_seconds for timing in timings if timing.calls == 1],
        "ours, 2 calls": [timing.ours_seconds for timing in timings if timing.calls > 1],
    }
    for name, seconds in rows.items():
        if len(seconds) > 1:
            print(f"{name:>14}: {_milliseconds(seconds)} ({len(seconds)} orders)")
    median, p99 = statistics.median(rows["ours"]), _p99(rows["ours"])
    good = median < TARGET_MEDIAN_SECONDS and p99 < TARGET_P99_SECONDS
    print(
        f"targets: median < {TARGET_MEDIAN_SECONDS * 1000:.0f} ms, p99 < {TARGET_P99_SECONDS * 1000:.0f} ms:", end=" "
    )
    print("met" if good else "MISSED")
    return good


def _milliseconds(seconds: Sequence[float]) -> str:
    figures = {"median": statistics.median(seconds), "p99": _p99(seconds), "max": max(seconds)}
    return ", ".join(f"{name} {value * 1000:6.1f} ms" for name, value in figures.items())


def _p99(seconds: Sequence[float]) -> float:
    return statistics.quantiles(seconds, n=100)[98]


def main() -> None:
    """Read the command line, measure, and say in the end's number whether a target is missed."""
    parser = argparse.ArgumentParser(description="Time from order.paid to invoice.synced.")
    parser.add_argument("--orders", type=int, default=1000, help="how many orders (default: 1000)")
    given = parser.parse_args()
    sys.exit(0 if report(asyncio.run(measure(given.orders))) else TARGET_MISSED)


if __name__ == "__main__":
    main()
