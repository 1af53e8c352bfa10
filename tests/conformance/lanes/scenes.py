"""Settings, orders, intents and outcomes for the tests of the stores behind the lanes."""

from dataclasses import replace
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from consumer.domain.exchanges import Exchange
from consumer.domain.orders import OrderKey, RateFigures
from consumer.domain.records import (
    Announcement,
    Conclusion,
    Document,
    DocumentKind,
    IntentEnd,
    Note,
    OrderRecord,
    Outcome,
    Resolution,
)
from consumer.domain.settings import ConnectionSettings, LedgerLimits
from consumer.domain.states import OrderState, Priority
from consumer.ports.lanes import Begun, LaneLease, NewIntent, SlotRequest
from tests.conformance.intake.making import PAID, connection, key, shop, taken
from tests.conformance.lanes.bench import Bench

BOOKS = "books"
LIMITS = LedgerLimits(calls_per_window=10, window_seconds=60.0, people_calls=2, calls_at_once=4, daily_calls=1000)


def books(**limits: Any) -> ConnectionSettings:
    """Make the connection."""
    return connection(BOOKS, limits=replace(LIMITS, **limits))


async def open_books(bench: Bench, *orders: str, **limits: Any) -> None:
    """Set the connection and its shop up, and take paid orders in."""
    await bench.settings.apply([books(**limits)], [shop()], actor="test", dry_run=False)
    if orders:
        await pay(bench, *orders)


async def pay(bench: Bench, *orders: str, first_offset: int = 0) -> None:
    """Take paid orders in."""
    records = [taken(key(order), first_offset + number) for number, order in enumerate(orders)]
    await bench.intake.record(records)


async def change(bench: Bench, order: str, *, offset: int, version: int = 2) -> None:
    """Take a newer revision in."""
    await bench.intake.record([taken(key(order), offset, version, place=PAID, text=f"another {version}")])


async def lease(bench: Bench, owner: str = "one", seconds: float = 15.0) -> LaneLease:
    """Lease the lane."""
    (leased,) = await bench.lanes.lease_due(owner, seconds, 5)
    return leased


async def claim(bench: Bench, leased: LaneLease, limit: int = 4, *exclude: OrderKey) -> list[OrderRecord]:
    """Claim orders."""
    return list((await bench.lanes.claim(leased, limit, exclude)).orders)


def request(priority: Priority = Priority.LIVE, *, queued: bool = False, deadline_seconds: float = 20.0) -> SlotRequest:
    """Wish to call."""
    return SlotRequest(
        connection_id=BOOKS, priority=priority, deadline_seconds=deadline_seconds, purpose="test", queued=queued
    )


def intent(order: OrderKey, change: int = 1, **fields: Any) -> NewIntent:
    """Be about to make an invoice."""
    given: dict[str, Any] = {
        "intent_id": uuid4(),
        "subject": f"order:{order}",
        "key": order,
        "change": change,
        "operation": "create_invoice",
        "digest": b"digest",
        "sought": {"reference": order.order_id, "total": "12.30"},
        "deadline_seconds": 20.0,
        "settle_seconds": 300.0,
    }
    return NewIntent(**{**given, **fields})


async def begin(bench: Bench, leased: LaneLease, order: OrderKey, change: int = 1, **fields: Any) -> tuple[UUID, int]:
    """Begin a write; gives its intent and its slot."""
    wanted = intent(order, change, **fields)
    begun = await bench.bookings.begin(leased, wanted, request())
    assert isinstance(begun, Begun), begun
    return wanted.intent_id, begun.slot.n


def exchange(operation: str = "create_invoice", status: int | None = 201, **fields: Any) -> Exchange:
    """Make the log of a call."""
    given: dict[str, Any] = {
        "operation": operation,
        "method": "POST",
        "path": "/invoices",
        "request": "{}",
        "response": "{}",
        "status": status,
        "code": 0,
        "duration_seconds": 0.2,
        "outcome": "ok" if status is not None else "UncertainError",
    }
    return Exchange(**{**given, **fields})


def invoice(n: int = 1, **fields: Any) -> Document:
    """Make a document with something in every field."""
    given: dict[str, Any] = {
        "connection_id": BOOKS,
        "kind": DocumentKind.INVOICE,
        "ledger_id": f"4600000{n}",
        "number": f"INV-{n}",
        "status": "draft",
        "live": True,
        "reference": "1001",
        "total": Decimal("12.30"),
        "currency": "EUR",
        "n": n,
        "unique_key": f"north/1001/invoice//{n}",
        "tax_total": Decimal("2.22"),
        "tax_by_rate": (RateFigures(rate=Decimal(22), net=Decimal("10.08"), tax=Decimal("2.22")),),
        "url": "https://books.test/46",
        "contact_id": "c-1",
        "layout": ("one line",),
        "written_digest": b"\x00\xff",
        "content_hash": b"\xfe\x00",
        "agreed": True,
    }
    return Document(**{**given, **fields})


def news(digest: bytes = b"booked") -> Announcement:
    """Make an announcement whose bytes tell their sequence."""
    return Announcement(digest=digest, render=lambda sequence, _id, _at: b"%s %d" % (digest, sequence))


def booked(order: OrderKey, intent_id: UUID, slot: int, change: int = 1, **fields: Any) -> Outcome:
    """Make the outcome of a write that succeeded."""
    given: dict[str, Any] = {
        "key": order,
        "connection_id": BOOKS,
        "change": change,
        "intent": IntentEnd(intent_id=intent_id, resolution=Resolution.DONE),
        "slot": slot,
        "exchange": exchange(),
        "document": invoice(),
        "note": Note(decision="compared", words=("All agrees.",), figures={"total": "12.30"}),
        "conclusion": Conclusion(state=OrderState.BOOKED),
        "announcement": news(),
        "reference": "1001",
    }
    return Outcome(**{**given, **fields})


def concluded(order: OrderKey, conclusion: Conclusion, change: int = 1, **fields: Any) -> Outcome:
    """Make the outcome of a decision that needed no call."""
    return Outcome(key=order, connection_id=BOOKS, change=change, conclusion=conclusion, **fields)
