"""Bad input gets a clear answer and loses nothing, whatever it is and whoever made it."""

import hashlib
import json
import uuid
from collections.abc import Awaitable, Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from sandbox.kafka import Kafka, admin_client, create_topics, delete_topics
from sandbox.postgres import create_database, drop_database, with_database
from sandbox.processes import Process
from tests.acceptance.installation import SHOP, Installation, ask_health, event, metric, order
from tests.acceptance.waiting import until
from tests.kafka_tools import publish, read_all

pytestmark = pytest.mark.acceptance

CANARY = "canary-of-the-payload"
MIB = 1024 * 1024


def _encoded(**more: Any) -> bytes:
    return json.dumps(event("paid", order("R-1", note=CANARY, **more))).encode()


def _nested(depth: int) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for _ in range(depth):
        value = {"a": value}
    return value


def _lines(count: int) -> list[dict[str, Any]]:
    return [{"name": "Pin", "quantity": "1", "unit_price": "0.01", "taxes": [{"rate": "22"}]}] * count


# What is wrong, the bytes that come, and the reason that the shop is given.
REJECTED: dict[str, tuple[Callable[[], bytes], str]] = {
    "half a document": (lambda: _encoded()[:-20], "malformed_json"),
    "no JSON": (f"<order>{CANARY}</order>".encode, "malformed_json"),
    "Latin-1": (lambda: _encoded().replace(b"Mug", b"Caf\xe9"), "not_utf8"),
    "a list for a text": (lambda: _encoded(number=[CANARY]), "wrong_type"),
    "no currency": (lambda: _encoded(currency=None), "missing_field"),
    "NaN": (lambda: _encoded().replace(b'"12.20"', b"NaN"), "not_a_number"),
    "40 deep": (lambda: _encoded(meta=_nested(40)), "too_deep"),
    "a byte beyond 1 MiB": (lambda: _encoded(meta={"x": "y" * MIB}), "too_large"),
    "10 MB": (lambda: _encoded(meta={"x": "y" * 10_000_000}), "too_large"),
    "1,001 lines": (lambda: _encoded(lines=_lines(1001)), "too_many_lines"),
    "another kind than the topic": (lambda: _encoded().replace(b"order.paid.v1", b"order.updated.v1"), "kind_mismatch"),
}


async def test_what_cannot_be_an_order_is_rejected_and_stops_nothing(installation: Installation) -> None:
    """Each kind gets order.rejected with reason and position and without its payload; its bytes are kept.

    All come on one partition, and a good order behind them is booked; a tombstone between is counted.
    """
    await installation.apply()
    await installation.connect()
    servers, topic = installation.kafka_servers, installation.topics["order.paid"]
    wanted: dict[int, tuple[str, bytes]] = {}
    async with installation.process() as booked:
        for make, reason in REJECTED.values():
            value = make()
            sent = await publish(servers, topic, b"shop/R-1", value, partition=0)
            wanted[sent.offset] = (reason, value)
        await publish(servers, topic, b"shop/R-1", None, partition=0)
        await publish(servers, topic, b"shop/R-2", json.dumps(event("paid", order("R-2"))).encode(), partition=0)
        await installation.synced(1, state="booked")
        records = await read_all(servers, installation.topics["order.rejected"], len(REJECTED))
        assert await metric(booked, "booked_events_total", topic=topic, result="rejected") == len(REJECTED)
        assert await metric(booked, "booked_events_total", topic=topic, result="tombstone") == 1
    told = {
        data["position"]["offset"]: data for data in (json.loads(record.value or b"")["data"] for record in records)
    }
    assert {offset: data["reason"] for offset, data in told.items()} == {o: reason for o, (reason, _) in wanted.items()}
    for offset, data in told.items():
        value = wanted[offset][1]
        assert (data["position"]["topic"], data["position"]["partition"]) == (topic, 0)
        assert (data["size"], data["hash"]) == (len(value), hashlib.sha256(value).hexdigest())
    assert not any(CANARY.encode() in (record.value or b"") for record in records)
    await _prove_kept(installation.database_url, wanted)
    assert list(await installation.live_invoices()) == ["R-2"]


async def _prove_kept(database_url: str, wanted: dict[int, tuple[str, bytes]]) -> None:
    connection = await asyncpg.connect(database_url)
    try:
        rows = await connection.fetch('SELECT "offset", value, size FROM rejected_events')
    finally:
        await connection.close()
    assert {row["offset"]: (row["value"], row["size"]) for row in rows} == {
        offset: (value[:MIB], len(value)) for offset, (_, value) in wanted.items()
    }


async def test_orders_that_no_invoice_can_state_are_parked(installation: Installation) -> None:
    """Negative quantity, unknown currency, a total that does not follow: parked with the reason, nothing written."""
    await installation.apply()
    await installation.connect()
    line = {"name": "Mug", "quantity": "-1", "unit_price": "10.00", "taxes": [{"rate": "22"}]}
    bad = [
        order("P-1", lines=[line], totals={"grand_total": "-12.20"}),
        order("P-2", currency="XXX"),
        order("P-3", total="99.99"),
        order("P-4", currency="USD"),
    ]
    async with installation.process():
        await installation.publish("paid", [*bad, order("P-5")])
        told = await installation.synced(5)
    reasons = {order_id: data["reason"]["code"] for order_id, data in told.items() if data["state"] == "parked"}
    assert reasons == {
        "P-1": "negative_quantity",
        "P-2": "unknown_currency",
        "P-3": "totals_do_not_follow",
        "P-4": "currency_missing",
    }
    assert all(told[order_id]["reason"]["fix"] for order_id in reasons)
    assert all(told[order_id]["invoice"] is None for order_id in reasons)
    assert list(await installation.live_invoices()) == ["P-5"]


async def test_characters_no_database_keeps_are_replaced_and_said(installation: Installation) -> None:
    """NUL and a lone surrogate become U+FFFD; the order is booked and its story says so."""
    await installation.apply()
    await installation.connect()
    line = {"name": "Mug\x00 and \ud800cup", "quantity": "1", "unit_price": "10.00", "taxes": [{"rate": "22"}]}
    async with installation.process():
        await installation.publish("paid", [order("N-1", lines=[line])])
        await installation.synced(1, state="booked")
    (invoice,) = (await installation.live_invoices())["N-1"]
    assert "Mug\ufffd and \ufffdcup" in (invoice["line_items"][0]["name"], invoice["line_items"][0]["description"])
    printed = json.dumps(await installation.story("N-1"))
    assert "replaced" in printed


async def test_an_unknown_shop_waits_with_an_alarm_and_goes_on(installation: Installation) -> None:
    """An order of a shop nobody set up is kept; the age of the oldest unbooked order shows it; apply lets it go on."""
    installation.shops = {SHOP: {"automatic": True, "reference": "{shop_id}/{order_id}"}}
    await installation.apply()
    await installation.connect()
    async with installation.process() as booked:
        await installation.publish("paid", [order("U-1", shop_id="new")])
        told = await installation.until_stands("U-1", "waiting", "unknown_shop", shop_id="new")
        assert "booked apply" in json.dumps(told)
        await until(
            lambda: metric(booked, "booked_oldest_unbooked_seconds"), lambda age: age > 0, what="the alarm's figure"
        )
        # The order was paid before the shop was known, so its start has to be named for it to be booked by itself.
        start = {"automatic": True, "reference": "{shop_id}/{order_id}", "book_from": "2020-01-01T00:00:00Z"}
        installation.shops |= {"new": start}
        await installation.apply()
        await installation.synced(1, state="booked")
        await until(
            lambda: metric(booked, "booked_oldest_unbooked_seconds"), lambda age: age == 0, what="the alarm's end"
        )
    (invoice,) = (await installation.live_invoices())["new/U-1"]
    assert Decimal(str(invoice["total"])) == Decimal("12.20")


async def test_a_revoked_token_stops_one_connection_only(installation: Installation) -> None:
    """The other organisation's orders go on; after connecting again the backlog is booked."""
    second = await installation.ledger.create_organization(
        name="Second",
        currency_code="EUR",
        time_zone="Europe/Rome",
        country_code="IT",
        taxes=[{"tax_name": "VAT 22", "tax_percentage": 22}],
        limits={"per_minute": 6000, "per_day": 1_000_000, "concurrent": 10},
    )
    installation.more_connections["second"] = {
        "data_center": "sandbox",
        "organization_id": second.organization_id,
        "limits": installation.limits,
    }
    installation.shops["other"] = {"automatic": True, "connection": "second"}
    await installation.apply()
    await installation.connect("books")
    await installation.connect("second")
    async with installation.process() as booked:
        await installation.publish("paid", [order("T-1"), order("T-2", shop_id="other")])
        await installation.synced(2, state="booked")
        await installation.ledger.add_faults(
            {
                "match": {"organization_id": second.organization_id, "path_regex": "/books/"},
                "times": 1,
                "action": "revoked_token",
            }
        )
        await installation.publish("paid", [order(f"T-{n}", shop_id="other") for n in range(3, 8)])
        await until(
            lambda: metric(booked, "booked_connection_stopped", connection="second"),
            lambda stopped: stopped == 1,
            what="the connection is stopped",
        )
        assert await metric(booked, "booked_connection_stopped", connection="books") == 0
        await installation.publish("paid", [order("T-8")])
        assert "T-8" in await installation.synced(3, state="booked")
        assert set(await installation.live_invoices(second.organization_id)) == {"T-2"}
        await installation.connect("second")
        await installation.synced(8, state="booked")
    assert set(await installation.live_invoices(second.organization_id)) == {"T-2", "T-3", "T-4", "T-5", "T-6", "T-7"}
    assert set(await installation.live_invoices()) == {"T-1", "T-8"}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("BOOKED_DATABASE_URL", "mysql://somewhere/else"),
        ("BOOKED_HTTP_PORT", "eighty"),
        ("BOOKED_KAFKA_SERVRES", "localhost:9092"),
        ("BOOKED_SECRET_KEYS", "no-key"),
        ("BOOKED_ENVIRONMENT", "production"),
    ],
)
async def test_wrong_configuration_is_refused(installation: Installation, key: str, value: str) -> None:
    """`booked run` ends with code 3 and names the key; a stand-in for the ledger is refused in production."""
    code, printed = await installation.try_command("run", **{key: value})
    assert code == 3
    assert key in printed or (key == "BOOKED_ENVIRONMENT" and "BOOKED_SANDBOX_LEDGER_URL" in printed)
    assert "Traceback" not in printed


async def _prove_that_it_waits(process: Process, for_what: str) -> None:
    await until(lambda: ask_health(process, "/livez"), lambda answer: answer[0] == 200, what="it lives")
    await until(
        lambda: ask_health(process, "/readyz"),
        lambda answer: answer[0] == 503 and for_what in answer[1],
        what="not ready",
    )
    assert (await ask_health(process, "/livez"))[0] == 200


async def _prove_that_it_came_up(process: Process, installation: Installation) -> None:
    await until(lambda: ask_health(process, "/readyz"), lambda answer: answer[0] == 200, what="ready")
    await installation.publish("paid", [order("W-1")])
    await installation.synced(1, state="booked")


async def test_waits_for_the_database(installation: Installation, postgres_admin_url: str) -> None:
    """Started before its database is there and before it is migrated, it waits, says for what, and comes up."""
    name = f"late_{uuid.uuid4().hex}"
    installation.database_url = with_database(postgres_admin_url, name)
    async with installation.process() as booked:
        await _prove_that_it_waits(booked, "database")
        await create_database(postgres_admin_url, name)
        try:
            await until(lambda: ask_health(booked, "/readyz"), lambda answer: "migrate" in answer[1], what="schema")
            assert "waits_for_database" in booked.log_since_start()
            await installation.command("migrate")
            await installation.apply()
            await installation.connect()
            await _prove_that_it_came_up(booked, installation)
            await booked.stop()
        finally:
            await drop_database(postgres_admin_url, name)


async def test_waits_for_a_topic(installation: Installation) -> None:
    """Started before one of its topics is made, it waits, names the topic, and comes up; it never makes it itself."""
    await installation.apply()
    await installation.connect()
    late = f"order.paid-late-{uuid.uuid4().hex}"
    installation.topics = {**installation.topics, "order.paid": late}
    async with installation.process() as booked:
        await _prove_that_it_waits(booked, "intake")
        await until(_log_of(booked), lambda text: late in text, what="the topic's name in the log")
        async with admin_client(installation.kafka_servers) as client:
            assert late not in await client.list_topics()
        await create_topics(installation.kafka_servers, {late: 1})
        try:
            await _prove_that_it_came_up(booked, installation)
            await booked.stop()
        finally:
            await delete_topics(installation.kafka_servers, [late])


def _log_of(process: Process) -> Callable[[], Awaitable[str]]:
    async def read() -> str:
        return process.log_since_start()

    return read


async def test_waits_for_the_broker(installation: Installation, tmp_path: Path) -> None:
    """Started before the broker, it waits and says so; once the broker is there with its topics, it comes up."""
    await installation.apply()
    await installation.connect()
    kafka = Kafka(folder=tmp_path / "kafka")
    installation.kafka_servers = kafka.servers
    async with installation.process() as booked:
        await _prove_that_it_waits(booked, "intake")
        await until(_log_of(booked), lambda text: '"waits"' in text and "broker" in text, what="it says so")
        async with kafka:
            await create_topics(kafka.servers, dict.fromkeys(installation.topics.values(), 1))
            await _prove_that_it_came_up(booked, installation)
            await booked.stop()
