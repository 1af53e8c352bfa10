"""The shop at a real Kafka: what it publishes, and that it hears what came of it."""

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from sandbox.ports import LOOPBACK
from sandbox.shop.__main__ import main
from sandbox.shop.broker import listening, publish
from sandbox.shop.events import OrderList, Told, Topics
from sandbox.shop.orders import make_order
from tests.kafka_tools import publish as put
from tests.kafka_tools import read_all
from tests.server_fixtures import MakeTopic

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
HEARD_TIMEOUT_SECONDS = 20


async def made(topics: MakeTopic) -> Topics:
    """Make the shop's topics."""
    return Topics(
        paid=await topics(3, prefix="order.paid"),
        synced=await topics(3, prefix="invoice.synced"),
        rejected=await topics(prefix="order.rejected"),
    )


async def test_an_order_that_is_to_come_twice_is_published_twice(kafka_servers: str, topics: MakeTopic) -> None:
    """Three messages of two orders: keyed by shop and order, structured CloudEvents, the two copies alike."""
    names = await made(topics)
    once, twice = make_order(seed=1, now=NOW), replace(make_order(seed=2, now=NOW), copies=2)
    assert await publish(kafka_servers, names, [once, twice]) == 3
    records = await read_all(kafka_servers, names.paid, 3)
    keys = sorted((record.key or b"").decode() for record in records)
    assert keys == ["demo-shop/1-1001", "demo-shop/2-1001", "demo-shop/2-1001"]
    events = [json.loads(record.value or b"") for record in records]
    assert {event["type"] for event in events} == {"example.shop.order.paid.v1"}
    assert len({event["id"] for event in events}) == 2
    assert {dict(record.headers)["content-type"][:28] for record in records} == {b"application/cloudevents+json"}


async def test_the_list_hears_what_was_told_before_and_after_it_listens(kafka_servers: str, topics: MakeTopic) -> None:
    """A message that lay there already and one that comes later are both in the list."""
    names, order_list = await made(topics), OrderList()

    async def tell(order_id: str) -> None:
        data = {"shop_id": "s", "order_id": order_id, "sequence": 1, "operation": "created", "state": "booked"}
        invoice = {"id": "7", "number": "INV-7", "total": "1.10"}
        await put(kafka_servers, names.synced, b"k", json.dumps({"data": data | {"invoice": invoice}}).encode())

    await tell("before")
    async with listening(kafka_servers, names, order_list) as changed:
        await tell("after")
        async with asyncio.timeout(HEARD_TIMEOUT_SECONDS):
            while len(order_list.told) < 2:
                changed.clear()
                await changed.wait()
    told = Told(
        sequence=1,
        state="booked",
        operation="created",
        invoice_id="7",
        invoice_number="INV-7",
        invoice_total=Decimal("1.10"),
    )
    assert order_list.told == {("s", "before"): told, ("s", "after"): told}


async def test_the_command_says_that_nobody_has_answered(
    kafka_servers: str, topics: MakeTopic, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without Booked the order is published all the same, and the exit code says that no answer came: 75."""
    names = await made(topics)
    words = ["publish", "--kafka", kafka_servers, "--seed", "7", "--wait-seconds", "0.1", "--topic-paid", names.paid]
    words += ["--topic-synced", names.synced, "--topic-rejected", names.rejected]
    assert await asyncio.to_thread(main, words) == 75
    assert "order demo-shop/7-1001" in capsys.readouterr().out
    assert len(await read_all(kafka_servers, names.paid, 1)) == 1


def test_the_command_says_where_it_looked_for_a_broker(free_port: int, capsys: pytest.CaptureFixture[str]) -> None:
    """Nobody listens there: exit code 69, and the address is named."""
    assert main(["publish", "--kafka", f"{LOOPBACK}:{free_port}"]) == 69
    assert f"Kafka at {LOOPBACK}:{free_port} cannot be used" in capsys.readouterr().err
