"""Money on invoices: shares of payments and of credit notes, put on, taken off."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from sandbox.zoho import checks
from sandbox.zoho.calls import Call, invalid, rule
from sandbox.zoho.invoice_fields import settle_balance
from sandbox.zoho.invoices import known_invoice, save_invoice
from sandbox.zoho.numbers import decimal_of
from sandbox.zoho.store import Document

_ZERO = Decimal(0)
_NOT_FROM_DRAFT = 12005
_SIDES = {"payment": "payments", "creditnote": "credits"}


def amount_in(one: Mapping[str, Any]) -> Decimal:
    """Give the amount of a share as it is kept."""
    return decimal_of(one.get("amount_applied")) or _ZERO


def settle_source(source: Document) -> None:
    """Work out what a payment or a credit note has left."""
    body = source.body
    whole = decimal_of(body["amount" if source.kind == "payment" else "total"]) or _ZERO
    used = sum((amount_in(one) for one in body["shares"]), _ZERO)
    refunded = sum((decimal_of(one["amount"]) or _ZERO for one in body["refunds"]), _ZERO)
    body["balance"] = whole - used - refunded
    if body["balance"] < 0:
        raise rule(24016, "The amount applied is more than what is there.")
    if source.kind == "creditnote" and body["status"] in {"open", "closed"}:
        body["status"] = "open" if body["balance"] > 0 else "closed"


def put_on(call: Call, source: Document, given: list[dict[str, Any]]) -> None:
    """Put parts of a payment or credit note on invoices, each `{invoice_id, amount_applied}`.

    Refused where an invoice belongs to somebody else or where an amount is above the balance (24016).
    """
    for one in given:
        share = checks.amount(one, "amount_applied")
        if share <= 0:
            raise invalid("amount_applied", code=4)
        _put_one(call, source, checks.text(call, one, "invoice_id"), share)
    settle_source(source)


def _put_one(call: Call, source: Document, invoice_id: str, share: Decimal) -> None:
    invoice = known_invoice(call, invoice_id)
    if invoice.body["customer_id"] != source.body["customer_id"]:
        raise invalid("invoice_id")
    _check_state(call, source, invoice)
    kept = {
        "share_id": call.ids.take(),
        "invoice_id": invoice.id,
        "invoice_number": invoice.body["invoice_number"],
        "source_id": source.id,
        "amount_applied": share,
        "date": source.body["date"],
    }
    source.body["shares"].append(kept)
    invoice.body[_SIDES[source.kind]].append(kept)
    if source.kind == "payment":
        invoice.body["last_payment_date"] = source.body["date"]
    settle_balance(invoice.body)
    save_invoice(call, invoice)


def _check_state(call: Call, source: Document, invoice: Document) -> None:
    status = invoice.body["status"]
    if status == "void":
        raise rule(12007, "The invoice is void.")
    if status in {"draft", "pending_approval"}:
        if source.kind == "creditnote" or call.switch("payment_on_draft") == "refused":
            raise rule(_NOT_FROM_DRAFT, "The invoice is a draft.")
        invoice.body["status"] = "sent"
    if status == "paid" and source.kind == "creditnote":
        raise rule(12006, "The invoice is closed.")


def take_off(call: Call, source: Document, share_id: str | None = None) -> None:
    """Take one share of a payment or credit note off its invoice, or all of them."""
    side = _SIDES[source.kind]
    taken = [one for one in source.body["shares"] if share_id in (None, one["share_id"])]
    source.body["shares"] = [one for one in source.body["shares"] if one not in taken]
    for one in taken:
        invoice = known_invoice(call, one["invoice_id"])
        invoice.body[side] = [kept for kept in invoice.body[side] if kept["share_id"] != one["share_id"]]
        settle_balance(invoice.body)
        save_invoice(call, invoice)
    settle_source(source)


def release_from_invoice(call: Call, invoice: Document, share_id: str | None = None) -> None:
    """Take payments and credits off an invoice: what they were becomes the customer's own again."""
    for kind, side in _SIDES.items():
        for one in [kept for kept in invoice.body[side] if share_id in (None, kept["share_id"])]:
            source = call.store.get(kind, invoice.organization_id, one["source_id"])
            if source is not None:
                source.body["shares"] = [kept for kept in source.body["shares"] if kept["share_id"] != one["share_id"]]
                settle_source(source)
                source.modified = call.now
                call.store.put(source)
            invoice.body[side].remove(one)


def add_refund(call: Call, source: Document, id_name: str) -> dict[str, Any]:
    """Pay a part of what is left back to the customer."""
    given = call.mapping()
    refund = {
        id_name: call.ids.take(),
        "date": checks.date(given, "date", call.today),
        "refund_mode": checks.text(call, given, "refund_mode", 100) or "cash",
        "reference_number": checks.text(call, given, "reference_number", 100),
        "amount": checks.amount(given, "amount"),
        "description": checks.text(call, given, "description"),
        "from_account_id": checks.text(call, given, "from_account_id"),
        "customer_name": source.body["customer_name"],
    }
    if refund["amount"] <= 0:
        raise invalid("amount", code=4)
    source.body["refunds"].append(refund)
    settle_source(source)
    source.modified = call.now
    call.store.put(source)
    return refund
