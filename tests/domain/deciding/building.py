"""Situations for the tests of the decision: one paid order of 12.20, and what may be known of it."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from consumer.domain.customer_choice import Known
from consumer.domain.deciding.situation import Observations, Situation, draft_digest
from consumer.domain.ledger import Contact, Invoice, InvoiceStatus
from consumer.domain.orders import OrderKey, RateFigures
from consumer.domain.records import Document, DocumentKind, Intent, OrderRecord
from consumer.domain.settings import ConnectionSettings, LedgerLimits, ShopSettings
from consumer.domain.standing import Facts
from consumer.domain.states import OrderState, Priority
from tests.domain.order_building import line, mapped, order, stated

KEY = OrderKey("shop", "1001")
SHOP = ShopSettings(shop_id="shop", connection_id="books", automatic=True)
CONNECTION = ConnectionSettings(
    connection_id="books", data_center="eu", organization_id="1", limits=LedgerLimits(look_again_seconds=30.0)
)
MAPPED = mapped(order([line("1", "10.00")], "12.20", tax="2.20", tax_by_rate=stated(r22="2.20")))
CONTACT = Contact(contact_id="c1", name="Buyer")
HASH = b"h" * 32
PAID_AT = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)


def record(**more: Any) -> OrderRecord:
    """Give the order as stored: paid, due, without documents."""
    given: dict[str, Any] = {
        "key": KEY,
        "connection_id": "books",
        "number": "1001",
        "content": b"{}",
        "content_hash": HASH,
        "facts": Facts(paid=True, paid_moment=PAID_AT, cancelled=False),
        "state": OrderState.DUE,
        "change": 1,
        "priority": Priority.LIVE,
        "takes": 1,
        "attempts": 0,
        **more,
    }
    return OrderRecord(**given)


def with_documents(*documents: Document, **facts: Any) -> OrderRecord:
    """Give the order with these documents; facts tell of a live one by themselves."""
    live = any(document.live for document in documents)
    known = replace(Facts(paid=True, paid_moment=PAID_AT, cancelled=False, has_document=live), **facts)
    return record(documents=documents, facts=known)


def document(**more: Any) -> Document:
    """Give our record of the order's invoice: a draft that agrees."""
    given: dict[str, Any] = {
        "connection_id": "books",
        "kind": DocumentKind.INVOICE,
        "ledger_id": "i1",
        "number": "INV-1",
        "status": "draft",
        "live": True,
        "reference": "1001",
        "total": Decimal("12.20"),
        "tax_total": Decimal("2.20"),
        "tax_by_rate": (RateFigures(rate=Decimal(22), net=None, tax=Decimal("2.20")),),
        "currency": "EUR",
        "contact_id": "c1",
        "written_digest": draft_digest(MAPPED),
        "content_hash": HASH,
        "agreed": True,
        "ledger_modified_at": PAID_AT,
        **more,
    }
    return Document(**given)


def invoice(**more: Any) -> Invoice:
    """Give the order's invoice as the ledger has it."""
    given: dict[str, Any] = {
        "invoice_id": "i1",
        "number": "INV-1",
        "status": InvoiceStatus.DRAFT,
        "reference": "1001",
        "contact_id": "c1",
        "total": Decimal("12.20"),
        "tax_total": Decimal("2.20"),
        "tax_by_rate": (RateFigures(rate=Decimal(22), net=None, tax=Decimal("2.20")),),
        "currency": "EUR",
        "lines": (),
        "created_at": PAID_AT,
        "modified_at": PAID_AT,
        **more,
    }
    return Invoice(**given)


def intent(operation: str = "create_invoice", *, settles_in: float = 0.0, **more: Any) -> Intent:
    """Give an open intent of the order."""
    sought = {
        "reference": "1001",
        "unique_key": "shop/1001/invoice//1",
        "contact_id": "c1",
        "total": "12.20",
        "n": "1",
        "invoice_id": "i1",
        "digest": draft_digest(MAPPED).hex(),
        "content_hash": HASH.hex(),
    }
    given: dict[str, Any] = {
        "intent_id": UUID(int=1),
        "connection_id": "books",
        "subject": f"order:{KEY}",
        "key": KEY,
        "operation": operation,
        "digest": b"d",
        "sought": sought,
        "epoch": 1,
        "change": 1,
        "begun_at": PAID_AT,
        "settles_in_seconds": settles_in,
        **more,
    }
    return Intent(**given)


def situation(stored: OrderRecord | None = None, **more: Any) -> Situation:
    """Give a situation in which the customer is known and nothing has been read."""
    given: dict[str, Any] = {
        "record": stored or record(),
        "shop": SHOP,
        "connection": CONNECTION,
        "mapped": MAPPED,
        "customer": Known(contact=CONTACT),
        "known": Observations(),
        **more,
    }
    return Situation(**given)
