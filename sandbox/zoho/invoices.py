"""Invoices: made, listed, read, changed, deleted."""

from typing import Any

from sandbox.zoho import customfields
from sandbox.zoho.calls import Answer, Call, invalid, missing, rule
from sandbox.zoho.invoice_answers import invoice_detail, invoice_pdf, invoice_row
from sandbox.zoho.invoice_fields import blank_invoice, read_invoice
from sandbox.zoho.listing import Listing, dates, equal_to, listed, modified_after, number, search_of, texts
from sandbox.zoho.pdf import pdf_of
from sandbox.zoho.sales import check_lock
from sandbox.zoho.store import Document, Search

PDF_MAX = 25
_STATES = {
    "draft": "status = 'draft'",
    "sent": "status = 'sent'",
    "paid": "status = 'paid'",
    "void": "status = 'void'",
    "partially_paid": "status = 'partially_paid'",
    "unpaid": "status IN ('sent', 'partially_paid')",
    "overdue": "status IN ('sent', 'partially_paid') AND due_date < ?",
    "viewed": "0",
}
_CHOICES = {f"Status.{''.join(part.capitalize() for part in name.split('_'))}": name for name in _STATES}


def _status(call: Call, search: Search, value: str) -> None:
    condition = _STATES.get(value)
    if condition is not None:
        search.where(condition, *([call.today] if "?" in condition else []))


def _filter_by(call: Call, search: Search, value: str) -> None:
    _status(call, search, _CHOICES.get(value, ""))


def _search_text(_call: Call, search: Search, value: str) -> None:
    wanted = f"%{value}%"
    search.where("(number LIKE ? OR reference LIKE ? OR name LIKE ?)", wanted, wanted, wanted)


def _email(_call: Call, search: Search, value: str) -> None:
    search.where("email = ? COLLATE NOCASE", value)


def _item(field: str) -> Any:
    def apply(_call: Call, search: Search, value: str) -> None:
        search.where(
            f"EXISTS (SELECT 1 FROM json_each(body, '$.line_items') l WHERE json_extract(l.value, '$.{field}') = ?)",
            value,
        )

    return apply


_CREATED = "date(created, 'unixepoch')"
_LISTING = Listing(
    resource="invoices",
    report="Invoices",
    filters={
        **texts("invoice_number", "number"),
        **texts("customer_name", "name"),
        **dates("date", "date"),
        **dates("due_date", "due_date"),
        **dates("created_date", _CREATED),
        "reference_number": equal_to("reference"),
        "customer_id": equal_to("customer_id"),
        "item_id": _item("item_id"),
        "item_name": _item("name"),
        "item_description": _item("description"),
        "email": _email,
        "total": number("json_extract(body, '$.total')"),
        "balance": number("balance"),
        "status": _status,
        "filter_by": _filter_by,
        "search_text": _search_text,
        "last_modified_time": modified_after,
    },
    orders={
        "customer_name": "name",
        "invoice_number": "number",
        "date": "date",
        "due_date": "due_date",
        "total": "json_extract(body, '$.total')",
        "balance": "balance",
        "created_time": "created",
    },
    order="created_time",
    direction="D",
    extra={"seller_app_sales_channels": ""},
)


def list_invoices(call: Call) -> Answer:
    """GET /invoices; `response_option=2` gives the count alone."""
    chosen = call.query.get("filter_by", "")
    if call.query.get("response_option") == "2":
        search = search_of(call, _LISTING)
        search.limit, search.offset = 10**9, 0
        total = len(call.store.find("invoice", call.organization.organization_id, search))
        return Answer(body={"code": 0, "message": "success", "page_context": {"total": total}})
    return listed(call, "invoice", _LISTING, invoice_row, chosen if chosen in _CHOICES else "Status.All")


def create_invoice(call: Call) -> Answer:
    """POST /invoices: a draft, or sent at once with `send=true`."""
    return _create(call, call.mapping())


def _create(call: Call, given: dict[str, Any]) -> Answer:
    document = Document(
        id=call.ids.take(),
        kind="invoice",
        organization_id=call.organization.organization_id,
        body=blank_invoice(call),
        created=call.now,
    )
    read_invoice(call, given, document)
    if call.query.get("send") == "true":
        document.body |= {"status": "sent", "is_emailed": True}
    save_invoice(call, document)
    answer = _answer(call, document, "The invoice has been created.", status=201)
    answer.headers["Location"] = f"/api/v3/invoices/{document.id}"
    return answer


def save_invoice(call: Call, document: Document) -> None:
    """Write an invoice, with its unique field checked. Its change time becomes now."""
    customfields.claim(call, document)
    document.modified = call.now
    call.store.put(document)


def get_invoice(call: Call) -> Answer:
    """GET /invoices/{invoice_id}, as JSON or with `accept=pdf` as PDF."""
    document = known_invoice(call)
    wants_pdf = call.query.get("accept") == "pdf" or call.query.get("print") == "true"
    if wants_pdf or call.headers.get("accept", "").startswith("application/pdf"):
        return invoice_pdf(document)
    return _answer(call, document, "success")


def get_pdfs(call: Call) -> Answer:
    """GET /invoices/pdf?invoice_ids=: at most 25 in one file."""
    ids = [one for one in call.query.get("invoice_ids", "").split(",") if one]
    if not 0 < len(ids) <= PDF_MAX:
        raise invalid("invoice_ids")
    names = ", ".join(known_invoice(call, one).body["invoice_number"] for one in ids)
    return Answer(content=pdf_of(names), media_type="application/pdf;charset=UTF-8")


def update_invoice(call: Call) -> Answer:
    """PUT /invoices/{invoice_id}: what is not named is kept; named lines replace all lines."""
    return _update(call, known_invoice(call), call.mapping())


def _update(call: Call, document: Document, given: dict[str, Any]) -> Answer:
    body = document.body
    if body["status"] == "void" and call.switch("edit_of_void") == "refused":
        raise rule(12007, "A void invoice cannot be edited; make it a draft first.")
    customer = str(given.get("customer_id") or body["customer_id"])
    if customer != body["customer_id"] and body["payments"]:
        raise rule(3010, "The customer of an invoice with payments cannot be changed.")
    if customer != body["customer_id"] and body["credits"]:
        raise rule(3009, "The customer of an invoice with credits cannot be changed.")
    read_invoice(call, given, document)
    save_invoice(call, document)
    return _answer(call, document, "Invoice information has been updated.")


def upsert_invoice(call: Call) -> Answer:
    """PUT /invoices with the unique field's headers."""
    target = customfields.upsert_target(call, "invoice")
    if target is None:
        return customfields.upsert_status(call, _create(call, call.mapping()), created=True)
    return _update(call, known_invoice(call, target), call.mapping())


def delete_invoice(call: Call) -> Answer:
    """DELETE /invoices/{invoice_id}: refused with payments (4001) or credits (12008)."""
    remove_invoice(call, known_invoice(call))
    return Answer(body={"code": 0, "message": "The invoice has been deleted."})


def delete_invoices(call: Call) -> Answer:
    """DELETE /invoices?invoice_ids=: all of them or none."""
    for invoice_id in filter(None, call.query.get("invoice_ids", "").split(",")):
        remove_invoice(call, known_invoice(call, invoice_id))
    return Answer(body={"code": 0, "message": "The invoices have been deleted."})


def remove_invoice(call: Call, document: Document) -> None:
    """Delete an invoice where the books allow it. Its number is not given again."""
    body = document.body
    if body["payments"]:
        raise rule(4001, "The invoice has payments and cannot be deleted.")
    if body["credits"]:
        raise rule(12008, "The invoice has credits applied and cannot be deleted.")
    if body["status"] == "void" and call.switch("delete_of_void") == "refused":
        raise rule(12007, "A void invoice cannot be deleted.")
    check_lock(call, body["date"])
    customfields.release(call, document)
    call.store.delete(document)


def known_invoice(call: Call, invoice_id: str | None = None) -> Document:
    """Read the invoice that a call names. Refused with code 1002 where there is none."""
    id_ = call.names["invoice_id"] if invoice_id is None else invoice_id
    document = call.store.get("invoice", call.organization.organization_id, id_)
    if document is None:
        raise missing(call, "The invoice")
    return document


def _answer(call: Call, document: Document, message: str, *, status: int = 200) -> Answer:
    return Answer(status=status, body={"code": 0, "message": message, "invoice": invoice_detail(call, document)})
