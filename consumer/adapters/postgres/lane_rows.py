"""Rows of lanes, orders, documents and intents: the columns of their queries to domain values, and back."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any
from uuid import UUID

import asyncpg

from consumer.adapters.postgres.codec import dump, load, load_head
from consumer.adapters.postgres.intake_rows import Row, read_reason, storable
from consumer.domain.arithmetic import TaxSum
from consumer.domain.budget import Budget
from consumer.domain.customers import contact_tax_key
from consumer.domain.exchanges import Exchange
from consumer.domain.ledger import Contact
from consumer.domain.orders import OrderKey, RateFigures
from consumer.domain.records import Document, DocumentKind, Intent, Note, OrderRecord
from consumer.domain.settings import LedgerLimits
from consumer.domain.standing import Facts
from consumer.domain.states import Ask, OrderState, Priority, Wish

PRIORITIES = tuple(Priority)


def key_of(row: asyncpg.Record) -> OrderKey:
    """Give the order's key of a row that has its two columns."""
    return OrderKey(row["shop_id"], row["order_id"])


def storable_json(value: Any) -> Any:
    """Make plain JSON data that Postgres takes: its texts without NUL and lone surrogates."""
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, Mapping):
        return {storable(str(name)): storable_json(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [storable_json(one) for one in value]
    return value


# ---- lanes ---------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=4096)
def _limits(text: str) -> LedgerLimits:
    """Read the limits of a connection. They are read with every call and change seldom: parsed once."""
    return load(LedgerLimits, json.loads(text))


def limits_of(row: asyncpg.Record) -> LedgerLimits:
    """Read the limits from the column of that name; without it they are the documented ones."""
    return LedgerLimits() if row["limits"] is None else _limits(row["limits"])


def budget_of(row: asyncpg.Record) -> Budget:
    """Read a lane's figures."""
    return Budget(
        paced_until=row["paced_until"],
        throttled_until=row["throttled_until"],
        halved_until=row["halved_until"],
        daily_limit=row["daily_limit"],
        daily_left=row["daily_left"],
        daily_resets_at=row["daily_resets_at"],
    )


def budget_columns(budget: Budget) -> Row:
    """Give a lane's figures in the order of `save_lane`."""
    return (
        budget.paced_until,
        budget.throttled_until,
        budget.halved_until,
        budget.daily_limit,
        budget.daily_left,
        budget.daily_resets_at,
    )


def exchange_columns(connection_id: str, key: OrderKey | None, intent_id: UUID | None, exchange: Exchange) -> Row:
    """Give a row of `insert_exchange`; what the ledger says may hold characters that Postgres refuses."""
    shop_id, order_id = key or ("", "")
    return (
        connection_id,
        shop_id,
        order_id,
        intent_id,
        exchange.operation,
        exchange.method,
        storable(exchange.path),
        storable(exchange.request),
        storable(exchange.response),
        exchange.status,
        exchange.code,
        exchange.duration_seconds,
        exchange.outcome,
    )


# ---- documents and intents -----------------------------------------------------------------------------------------


def document_columns(key: OrderKey, document: Document) -> Row:
    """Give a row of `put_document`."""
    return (
        document.connection_id,
        *key,
        document.kind.value,
        document.part,
        document.n,
        storable(document.reference),
        storable(document.unique_key),
        storable(document.ledger_id),
        storable(document.number),
        storable(document.status),
        document.live,
        document.total,
        document.tax_total,
        document.currency,
        document.issued_on,
        storable(document.url),
        document.written_digest,
        _document_details(document),
        document.ledger_modified_at,
    )


def _document_details(document: Document) -> dict[str, Any]:
    """Collect what no query looks for."""
    return {
        "contact_id": storable(document.contact_id),
        "layout": storable_json(document.layout),
        "content_hash": None if document.content_hash is None else document.content_hash.hex(),
        "agreed": document.agreed,
        "tax_by_rate": [
            [str(one.rate), None if one.net is None else str(one.net), str(one.tax)] for one in document.tax_by_rate
        ],
        "balance": None if document.balance is None else str(document.balance),
        "line_ids": storable_json(document.line_ids),
        "folded": storable_json(document.folded),
        "sums": [
            [one.tax_id, str(one.rate), str(one.gross), str(one.tax), [str(part) for part in one.parts]]
            for one in document.sums
        ],
        "customer": document.customer,
        "paid_moment": moment(document.paid_moment),
        "settles": storable(document.settles),
        "applied": document.applied,
        "emailed": document.emailed,
        "day_moved": document.day_moved,
    }


def read_document(row: asyncpg.Record) -> Document:
    """Make a document from its row."""
    details = row["details"]
    content_hash = details["content_hash"]
    return Document(
        connection_id=row["connection_id"],
        kind=DocumentKind(row["kind"]),
        ledger_id=row["ledger_id"],
        number=row["number"],
        status=row["status"],
        live=row["live"],
        reference=row["reference"],
        total=row["total"],
        currency=row["currency"],
        part=row["part"],
        n=row["n"],
        unique_key=row["unique_key"],
        tax_total=row["tax_total"],
        tax_by_rate=tuple(_rate(one) for one in details["tax_by_rate"]),
        issued_on=row["issued_on"],
        url=row["url"],
        contact_id=details["contact_id"],
        layout=tuple(details["layout"]),
        written_digest=row["written_digest"],
        content_hash=None if content_hash is None else bytes.fromhex(content_hash),
        agreed=details["agreed"],
        ledger_modified_at=row["ledger_modified_at"],
        # Documents of before the first release that wrote these have none of them.
        balance=None if details.get("balance") is None else Decimal(details["balance"]),
        line_ids=tuple(details.get("line_ids", ())),
        folded=tuple(details.get("folded", ())),
        sums=tuple(map(_tax_sum, details.get("sums", ()))),
        customer=details.get("customer", ""),
        paid_moment=datetime.fromisoformat(at) if (at := details.get("paid_moment")) else None,
        settles=details.get("settles", ""),
        applied=details.get("applied", False),
        emailed=details.get("emailed", False),
        day_moved=details.get("day_moved", False),
    )


def _rate(figures: Sequence[str | None]) -> RateFigures:
    rate, net, tax = figures
    return RateFigures(rate=Decimal(rate or 0), net=None if net is None else Decimal(net), tax=Decimal(tax or 0))


def _tax_sum(stored: Sequence[Any]) -> TaxSum:
    tax_id, rate, gross, tax, parts = stored
    return TaxSum(
        tax_id=tax_id,
        rate=Decimal(rate),
        gross=Decimal(gross),
        tax=Decimal(tax),
        parts=tuple(map(Decimal, parts)),
    )


def read_intent(row: asyncpg.Record) -> Intent:
    """Make an open intent from its row, with its seconds as the database has computed them."""
    return Intent(
        intent_id=row["intent_id"],
        connection_id=row["connection_id"],
        subject=row["subject"],
        key=key_of(row),
        operation=row["operation"],
        digest=row["digest"],
        sought=row["sought"],
        epoch=row["epoch"],
        change=row["change"],
        begun_at=row["begun_at"],
        settles_in_seconds=row["settles_in_seconds"],
        looked_seconds_ago=row["looked_seconds_ago"],
        doubtful=row["doubtful"],
    )


# ---- orders --------------------------------------------------------------------------------------------------------


def read_orders(
    orders: Iterable[asyncpg.Record], documents: Iterable[asyncpg.Record], intents: Iterable[asyncpg.Record]
) -> dict[OrderKey, OrderRecord]:
    """Make records of orders, with the documents and open intents that were read for all of them at once."""
    made: dict[OrderKey, list[Document]] = {}
    for row in documents:
        made.setdefault(key_of(row), []).append(read_document(row))
    doubts = {key_of(row): read_intent(row) for row in intents}
    return {key_of(row): _order(row, tuple(made.get(key_of(row), ())), doubts.get(key_of(row))) for row in orders}


def _order(row: asyncpg.Record, documents: tuple[Document, ...], intent: Intent | None) -> OrderRecord:
    head = load_head(row)
    return OrderRecord(
        key=head.key,
        connection_id=row["connection_id"],
        number=row["number"],
        content=row["content"],
        content_hash=row["content_hash"],
        facts=Facts(
            paid=row["paid"],
            paid_moment=row["paid_moment"],
            cancelled=row["cancelled"],
            wish=Wish(row["wish"]),
            released=row["released"],
            has_document=any(d.kind is DocumentKind.INVOICE and d.live for d in documents),
            asked=None if row["asked"] is None else Ask(row["asked"]),
        ),
        state=OrderState(row["state"]),
        change=row["change"],
        priority=PRIORITIES[row["priority"]],
        takes=row["takes"],
        attempts=row["attempts"],
        currency=row["currency"],
        grand_total=row["grand_total"],
        version=head.revision.version,
        reason=read_reason(row),
        reference=row["reference"],
        sequence=row["sequence"],
        event_time=head.revision.time,
        traceparent=head.traceparent,
        documents=documents,
        open_intent=intent,
        kept_refunds=head.told_refunds if row["personal_removed_at"] is not None else head.kept_refunds,
        asked_note=row["asked_note"],
        answer=row["answer"],
        due_at=row["due_at"],
        personal_removed=row["personal_removed_at"] is not None,
    )


# ---- contacts and notes --------------------------------------------------------------------------------------------


def contact_columns(contact: Contact, name_key: str, email_key: str) -> Row:
    """Give a row of `put_contacts`."""
    return (
        contact.contact_id,
        storable(contact.name),
        storable(name_key),
        storable(email_key),
        contact.active,
        contact.is_customer,
        storable_json(dump(contact)),
        contact.modified_at,
        storable(contact_tax_key(contact)),
    )


def note_columns(key: OrderKey, change: int, note: Note) -> Row:
    """Give a row of `insert_decision`."""
    return (*key, change, storable(note.decision), storable_json(note.words), storable_json(note.figures))


def moment(value: datetime | None) -> str | None:
    """Write a moment for details that are printed."""
    return None if value is None else value.isoformat()
