"""Credit notes: made, listed, put on invoices, refunded, voided."""

from collections.abc import Mapping
from typing import Any

from sandbox.zoho import checks, customfields
from sandbox.zoho.calls import Answer, Call, missing, rule
from sandbox.zoho.creditnote_answers import creditnote_detail, creditnote_row
from sandbox.zoho.lines import read_lines
from sandbox.zoho.listing import Listing, dates, equal_to, listed, modified_after, number, texts
from sandbox.zoho.sales import (
    blank_sale,
    check_lock,
    read_currency,
    read_customer,
    read_options,
    settle_figures,
)
from sandbox.zoho.shares import add_refund, put_on, settle_source, take_off
from sandbox.zoho.store import Document

_TEXTS: dict[str, int | None] = {"reference_number": 100, "notes": 5000, "terms": 10_000}
_NUMBER_MAX = 100
_LISTING = Listing(
    resource="creditnotes",
    report="Credit Notes",
    filters={
        **texts("creditnote_number", "number"),
        **texts("reference_number", "reference"),
        **texts("customer_name", "name"),
        **dates("date", "date"),
        "customer_id": equal_to("customer_id"),
        "status": equal_to("status"),
        "total": number("json_extract(body, '$.total')"),
        "last_modified_time": modified_after,
    },
    orders={
        "customer_name": "name",
        "creditnote_number": "number",
        "date": "date",
        "total": "json_extract(body, '$.total')",
        "balance": "balance",
        "created_time": "created",
    },
    order="created_time",
    direction="D",
)


def _done(message: str, **more: Any) -> Answer:
    return Answer(body={"code": 0, "message": message, **more})


def list_creditnotes(call: Call) -> Answer:
    """GET /creditnotes."""
    return listed(call, "creditnote", _LISTING, creditnote_row, "Status.All")


def create_creditnote(call: Call) -> Answer:
    """POST /creditnotes: open at once, unless `is_draft`; with `invoice_id` in the query put on that invoice."""
    return _create(call, call.mapping())


def _create(call: Call, given: dict[str, Any]) -> Answer:
    body = blank_sale(call) | {"creditnote_number": "", "status": "open", "shares": [], "refunds": []}
    body["status"] = "draft" if checks.flag(given, "is_draft") else "open"
    document = Document(
        id=call.ids.take(),
        kind="creditnote",
        organization_id=call.organization.organization_id,
        body=body,
        created=call.now,
    )
    _read(call, given, document)
    invoice_id = call.query.get("invoice_id")
    if invoice_id:
        put_on(call, document, [{"invoice_id": invoice_id, "amount_applied": document.body["balance"]}])
    _save(call, document)
    return _answer(call, document, "The credit note has been created.", status=201)


def _read(call: Call, given: Mapping[str, Any], document: Document) -> None:
    body, date_before = document.body, document.body["date"]
    is_new = not body["creditnote_number"]
    contact = read_customer(call, given, body)
    read_currency(call, given, body, contact)
    body |= checks.texts(call, given, _TEXTS)
    body["date"] = checks.date(given, "date", body["date"])
    read_options(call, given, body)
    if "line_items" in given or is_new:
        body["line_items"] = read_lines(call, given, body["line_items"])
    body["custom_values"] = customfields.read(call, given, body["custom_values"])
    check_lock(call, body["date"], "" if is_new else date_before)
    settle_figures(call, body)
    settle_source(document)
    _number(call, given, body)


def _number(call: Call, given: Mapping[str, Any], body: dict[str, Any]) -> None:
    """Settle the number: one's own, refused with 12018 where it is taken, or the next of the series."""
    wanted = checks.text(call, given, "creditnote_number", _NUMBER_MAX)
    if wanted and wanted != body["creditnote_number"]:
        if call.store.first("creditnote", call.organization.organization_id, "number = ?", wanted) is not None:
            raise rule(12018, f'Credit note "{wanted}" already exists.')
        body["creditnote_number"] = wanted
    elif not body["creditnote_number"]:
        following = call.store.next_number(call.organization.organization_id, "creditnote")
        body["creditnote_number"] = f"CN-{following:05d}"


def _save(call: Call, document: Document) -> None:
    customfields.claim(call, document)
    document.modified = call.now
    call.store.put(document)


def get_creditnote(call: Call) -> Answer:
    """GET /creditnotes/{creditnote_id}."""
    return _answer(call, known_creditnote(call), "success")


def update_creditnote(call: Call) -> Answer:
    """PUT /creditnotes/{creditnote_id}: what is not named is kept."""
    return _update(call, known_creditnote(call), call.mapping())


def _update(call: Call, document: Document, given: dict[str, Any]) -> Answer:
    if document.body["status"] == "void":
        raise rule(12004, "The credit note is void.")
    _read(call, given, document)
    _save(call, document)
    return _answer(call, document, "The credit note has been updated.")


def upsert_creditnote(call: Call) -> Answer:
    """PUT /creditnotes with the unique field's headers."""
    target = customfields.upsert_target(call, "creditnote")
    if target is None:
        return customfields.upsert_status(call, _create(call, call.mapping()), created=True)
    return _update(call, known_creditnote(call, target), call.mapping())


def delete_creditnote(call: Call) -> Answer:
    """DELETE /creditnotes/{creditnote_id}: refused while it is put on invoices."""
    document = known_creditnote(call)
    if document.body["shares"] or document.body["refunds"]:
        raise rule(12008, "The credit note has been applied and cannot be deleted.")
    check_lock(call, document.body["date"])
    customfields.release(call, document)
    call.store.delete(document)
    return _done("The credit note has been deleted.")


def apply_creditnote(call: Call) -> Answer:
    """POST /creditnotes/{creditnote_id}/invoices."""
    document = known_creditnote(call)
    given = call.mapping()
    _check_open(document)
    put_on(call, document, checks.objects(given, "invoices") or [dict(given)])
    _save(call, document)
    return _done("Credits have been applied to the invoice(s).")


def _check_open(document: Document) -> None:
    if document.body["status"] == "closed":
        raise rule(12003, "The credit note is closed.")
    if document.body["status"] in {"void", "draft"}:
        raise rule(12004, f"The credit note is {document.body['status']}.")


def list_applied(call: Call) -> Answer:
    """GET /creditnotes/{creditnote_id}/invoices."""
    document = known_creditnote(call)
    return _done("success", invoices_credited=creditnote_detail(call, document)["invoices_credited"])


def unapply(call: Call) -> Answer:
    """DELETE /creditnotes/{creditnote_id}/invoices/{creditnote_invoice_id}."""
    document = known_creditnote(call)
    take_off(call, document, call.names["creditnote_invoice_id"])
    _save(call, document)
    return _done("The credits have been taken off the invoice.")


def refund(call: Call) -> Answer:
    """POST /creditnotes/{creditnote_id}/refunds."""
    document = known_creditnote(call)
    _check_open(document)
    made = add_refund(call, document, "creditnote_refund_id") | {"creditnote_id": document.id}
    return Answer(body={"code": 0, "message": "The refund has been recorded.", "creditnote_refund": made})


def list_refunds(call: Call) -> Answer:
    """GET /creditnotes/{creditnote_id}/refunds."""
    return _done("success", creditnote_refunds=known_creditnote(call).body["refunds"])


def void(call: Call) -> Answer:
    """POST /creditnotes/{creditnote_id}/status/void: not while it is put on invoices."""
    document = known_creditnote(call)
    if document.body["shares"]:
        raise rule(12008, "The credit note has been applied and cannot be voided.")
    return _set_status(call, document, "void")


def mark_draft(call: Call) -> Answer:
    """POST /creditnotes/{creditnote_id}/status/draft: only from void."""
    document = known_creditnote(call)
    if document.body["status"] != "void":
        raise rule(12004, "Only a void credit note can become a draft.")
    return _set_status(call, document, "draft")


def mark_open(call: Call) -> Answer:
    """POST /creditnotes/{creditnote_id}/status/open: from draft or void."""
    return _set_status(call, known_creditnote(call), "open")


def _set_status(call: Call, document: Document, status: str) -> Answer:
    document.body["status"] = status
    settle_source(document)
    _save(call, document)
    return _done(f"The status of the credit note has been changed to {status}.")


def mail(call: Call) -> Answer:
    """POST /creditnotes/{creditnote_id}/email."""
    document = known_creditnote(call)
    document.body["is_emailed"] = True
    _save(call, document)
    return _done("The credit note has been sent.")


def known_creditnote(call: Call, creditnote_id: str | None = None) -> Document:
    """Read the credit note that a call names. Refused with code 1002 where there is none."""
    id_ = call.names["creditnote_id"] if creditnote_id is None else creditnote_id
    document = call.store.get("creditnote", call.organization.organization_id, id_)
    if document is None:
        raise missing(call, "The credit note")
    return document


def _answer(call: Call, document: Document, message: str, *, status: int = 200) -> Answer:
    shown = creditnote_detail(call, document)
    return Answer(status=status, body={"code": 0, "message": message, "creditnote": shown})
