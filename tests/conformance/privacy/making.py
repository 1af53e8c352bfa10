"""Orders of two people, for the tests of erasure, export and retention."""

import json
from datetime import timedelta
from typing import Any

from consumer.adapters.memory.privacy import MemoryPrivacyStore
from consumer.adapters.memory.retention import MemoryRetentionStore
from consumer.adapters.postgres.privacy import PostgresPrivacyStore
from consumer.adapters.postgres.retention import PostgresRetentionStore
from consumer.domain.orders import OrderKey
from consumer.ports.intake import Taken
from consumer.ports.privacy import PrivacyStore, RetentionStore
from tests.conformance.intake.making import key, taken
from tests.conformance.lanes.bench import Bench, MemoryBench, PostgresBench
from tests.conformance.lanes.scenes import begin, booked, claim, exchange, invoice, lease

ANNA = "anna.jansen@example.org"
BEN = "ben@example.org"
LINES = [{"name": "Mug", "quantity": "1", "unit_price": "12.30"}]
_MOMENTS = {
    "orders": ("updated_at", "first_seen_at", "booked_at"),
    "rejected_events": ("received_at",),
    "decisions": ("decided_at",),
    "intents": ("resolved_at",),
    "outbox": ("created_at", "sent_at"),
    "contacts": ("updated_at",),
    "audit_log": ("happened_at",),
    "events": ("received_at",),
    "exchanges": ("happened_at",),
}


def content(email: str = ANNA, **fields: Any) -> bytes:
    """Make an order's content in canonical form, with a person in every field that may hold one."""
    data = {
        "billing_address": {"city": "Utrecht", "country": "NL", "name": "Anna Jansen", "street": "Lange Gracht 1"},
        "currency": "EUR",
        "customer": {"email": email, "id": "c-77", "name": "Anna Jansen", "phone": "+31 6 1234", "tax_exempt": False},
        "lines": [{**LINES[0], "description": "engraved: for Ben"}],
        "meta": {"ip": "192.0.2.7"},
        "note": "leave it with the neighbour",
        "order_id": "1",
        "shop_id": "north",
        "totals": {"grand_total": "12.30"},
        **fields,
    }
    return json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def of(email: str, order_id: str, offset: int, version: int | None = 1, **fields: Any) -> Taken:
    """Make a record with an order of this customer."""
    text = content(email, **fields.pop("data", {})).decode()
    return taken(key(order_id), offset, version, text=text, **fields)


def with_bytes(record: Taken) -> Taken:
    """Let the record's own bytes hold what its event says."""
    event = record.outcome
    return Taken(
        place=record.place,
        offset=record.offset,
        checksum=record.checksum,
        outcome=event,
        value=getattr(event, "content", None),
        record_key=record.record_key,
        headers=record.headers,
    )


def privacy_of(bench: Bench) -> PrivacyStore:
    """The store of erasure and export over the same database."""
    if isinstance(bench, PostgresBench):
        return PostgresPrivacyStore(bench.database)
    assert isinstance(bench, MemoryBench)
    return MemoryPrivacyStore(bench.database)


def retention_of(bench: Bench) -> RetentionStore:
    """The store of the retention over the same database."""
    if isinstance(bench, PostgresBench):
        return PostgresRetentionStore(bench.database)
    assert isinstance(bench, MemoryBench)
    return MemoryRetentionStore(bench.database)


async def days_pass(bench: Bench, days: int) -> None:
    """Let days pass for whatever the retention looks at."""
    if isinstance(bench, MemoryBench):
        bench.now += timedelta(days=days)
        return
    assert isinstance(bench, PostgresBench)
    await bench.fetch("ALTER TABLE audit_log DISABLE TRIGGER USER")
    for table, columns in _MOMENTS.items():
        changes = ", ".join(f"{column} = {column} - make_interval(days => $1)" for column in columns)
        await bench.fetch(f"UPDATE {table} SET {changes}", days)
    await bench.fetch("ALTER TABLE audit_log ENABLE TRIGGER USER")


async def layout(bench: Bench, order: OrderKey) -> dict[str, Any] | None:
    """Read what is kept of an order's lines."""
    if isinstance(bench, MemoryBench):
        return bench.database.orders[order].layout
    assert isinstance(bench, PostgresBench)
    (row,) = await bench.fetch("SELECT layout FROM orders WHERE shop_id = $1 AND order_id = $2", *order)
    found: dict[str, Any] | None = row["layout"]
    return found


async def raw_events(bench: Bench, order: OrderKey) -> list[bytes | None]:
    """Read the bytes that are kept of an order's events, in the order of their coming."""
    if isinstance(bench, MemoryBench):
        return [row["value"] for row in bench.database.events if row["key"] == order]
    assert isinstance(bench, PostgresBench)
    query = 'SELECT value FROM events WHERE shop_id = $1 AND order_id = $2 ORDER BY topic, log, partition, "offset"'
    return [row["value"] for row in await bench.fetch(query, *order)]


async def book(bench: Bench, order_id: str) -> None:
    """Book a due order of the shop, with a call that names the person."""
    await book_order(bench, key(order_id))


async def book_order(bench: Bench, order: OrderKey) -> None:
    """Book a due order, with a call that names the person."""
    leased = await lease(bench)
    await claim(bench, leased)
    intent_id, slot = await begin(bench, leased, order, sought={"name": "Anna Jansen"})
    call = exchange(path=f"/contacts?email={ANNA}", request='{"name": "Anna Jansen"}', response="{}")
    document = invoice(ledger_id=f"4600{order.order_id}", number=f"INV-{order.order_id}")
    await bench.bookings.record(booked(order, intent_id, slot, document=document, exchange=call))
    await bench.lanes.give_back(leased)
