"""Two hundred orders told in two hundred orders of their messages, on the real parts: the books end as they must.

The same histories, and the same expectation by construction, as tests/interleaving plays by the hundred thousand in
memory. Here they go through Kafka, the shipped process, Postgres and the stand-in's socket, in one installation.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import pytest
from aiokafka.admin import AIOKafkaAdminClient

from sandbox.processes import Process
from tests.acceptance.installation import ORGANIZATION, SHOP, Installation, installed, metric
from tests.acceptance.waiting import until
from tests.interleaving.histories import RATES, SHOP_BOOKS_FROM, History, Standing, make_history
from tests.interleaving.telling import Telling, lot, tell_all
from tests.kafka_tools import producer
from tests.server_fixtures import MakeTopic

pytestmark = pytest.mark.acceptance
KEY = "version"
HISTORIES, COPIES = 50, 4
SLICES = 8
REST_SECONDS = 90
WRONG_SHOWN = 10


@pytest.fixture
async def books(
    tmp_path: Path, kafka_servers: str, migrated_database_url: str, zoho_url: str, topics: MakeTopic
) -> AsyncIterator[Installation]:
    """An installation whose ledger has the taxes of the histories."""
    taxes = [{"tax_name": f"VAT {rate}", "tax_percentage": int(rate)} for rate in RATES]
    async with installed(
        folder=tmp_path,
        kafka_servers=kafka_servers,
        database_url=migrated_database_url,
        ledger_url=zoho_url,
        make_topic=topics,
        organization={**ORGANIZATION, "taxes": taxes},
    ) as made:
        yield made
        await made.ledger.clear_faults()


async def test_200_interleavings_end_with_what_the_newest_revisions_ask(books: Installation) -> None:
    """Told in any order and some twice, with lost answers and a kill -9: one invoice each, of the newest revision."""
    chance = lot("acceptance")
    orders = _orders(chance)
    books.shops = {
        SHOP: {
            "automatic": True,
            "book_from": SHOP_BOOKS_FROM.isoformat(),
            "revision": KEY,
            "notes": "{{ note }}",
        }
    }
    await books.apply()
    await books.connect()
    await _make_rough(books)
    tellings = tell_all(chance, orders)
    async with books.process() as booked:
        size = -(-len(tellings) // SLICES)
        for number in range(SLICES):
            await _publish(books, tellings[number * size : (number + 1) * size])
            if number == SLICES // 2:
                await booked.kill9()
                await booked.start()
        await books.ledger.clear_faults()
        await _until_at_rest(books, booked, len(tellings))
        await _judge(books, orders)


def _orders(chance: Random) -> dict[str, History]:
    customers = [f"customer{number}@example.org" for number in range(20)]
    histories = [make_history(chance, KEY, customers) for _ in range(HISTORIES)]
    return {f"{number}-{copy}": history for number, history in enumerate(histories) for copy in range(COPIES)}


async def _make_rough(books: Installation) -> None:
    mine = books.organization.organization_id
    await books.ledger.add_faults(
        {"match": {"organization_id": mine, "method": "POST"}, "share": 0.02, "action": "cut_after_commit"},
        {"match": {"organization_id": mine}, "share": 0.02, "seed": 1, "action": "cut_before_commit"},
        {"match": {"organization_id": mine}, "share": 0.02, "seed": 2, "action": {"status": 500}},
    )


async def _publish(books: Installation, tellings: Sequence[Telling]) -> None:
    """Publish in this order, and return when the broker has all; bookings go on meanwhile."""
    async with producer(books.kafka_servers) as sender:
        waits = [await sender.send(books.topics[telling.topic], telling.value, key=telling.key) for telling in tellings]
        await asyncio.gather(*waits)


async def _until_at_rest(books: Installation, booked: Process, messages: int) -> None:
    """Wait until everything is taken in and nothing is left to do, by figures that were read after the taking in."""
    admin = AIOKafkaAdminClient(bootstrap_servers=books.kafka_servers)
    await admin.start()

    async def taken() -> int:
        offsets = await admin.list_consumer_group_offsets(books.environment["BOOKED_CONSUMER_GROUP"])
        return sum(max(found.offset, 0) for found in offsets.values())

    try:
        await until(taken, lambda count: count >= messages, what=f"{messages} messages taken", timeout_seconds=60)
    finally:
        await admin.close()
    begun = time.time()

    async def left() -> float:
        if await metric(booked, "booked_figures_read_at_seconds") <= begun:
            return -1.0
        return sum([await metric(booked, "booked_orders", state=state) for state in ("due", "uncertain")])

    await until(left, lambda count: count == 0, what="nothing left to do", timeout_seconds=REST_SECONDS)


async def _judge(books: Installation, orders: Mapping[str, History]) -> None:
    whole = await books.books()
    emails = {contact["contact_id"]: contact["email"] for contact in whole["contacts"]}
    live = [invoice for invoice in whole["invoices"] if invoice["status"] != "void"]
    found: dict[str, list[Standing]] = {order_id: [] for order_id in orders}
    for invoice in live:
        found[invoice["reference_number"]].append(_standing(invoice, emails))
    wanted = {order_id: [one] if (one := history.wanted) else [] for order_id, history in orders.items()}
    wrong = [
        f"{order_id}: stands {found[order_id]}, wanted {wanted[order_id]}"
        for order_id in orders
        if found[order_id] != wanted[order_id]
    ]
    assert not wrong, f"{len(wrong)} of {len(orders)}:\n" + "\n".join(wrong[:WRONG_SHOWN])
    assert len(set(emails.values())) == len(emails), f"a customer has two contacts: {sorted(emails.values())}"


def _standing(invoice: Mapping[str, Any], emails: Mapping[str, str]) -> Standing:
    """Read an invoice of the stand-in's books as the histories state it; VAT by rate as the lines' nets come to."""
    nets: dict[str, Decimal] = {}
    for line in invoice["line_items"]:
        rate = f"{Decimal(str(line['tax_percentage'])):f}"
        nets[rate] = nets.get(rate, Decimal(0)) + Decimal(str(line["item_total"]))
    sold = [line for line in invoice["line_items"] if line["rate"] > 0]
    return Standing(
        total=Decimal(str(invoice["total"])),
        tax_by_rate=tuple(sorted((rate, net * Decimal(rate) / 100) for rate, net in nets.items() if net)),
        lines=tuple(
            sorted(
                (
                    line["name"],
                    int(line["quantity"]),
                    Decimal(str(line["rate"])),
                    f"{Decimal(str(line['tax_percentage'])):f}",
                )
                for line in sold
            )
        ),
        email=emails[invoice["customer_id"]],
        note=invoice["notes"],
        issued_on=date.fromisoformat(invoice["date"]),
    )
