"""Payments of customers: recorded, put on invoices, taken back."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from sandbox.zoho import checks, customfields
from sandbox.zoho.calls import Answer, Call, invalid, missing, rule
from sandbox.zoho.clock import stamp
from sandbox.zoho.contact_answers import LOCK
from sandbox.zoho.currencies import symbol
from sandbox.zoho.invoice_answers import ACCOUNT, PAGE
from sandbox.zoho.listing import Listing, dates, equal_to, listed, number, texts
from sandbox.zoho.sales import check_lock, in_base
from sandbox.zoho.shapes import PAYMENT, PAYMENT_INVOICE, PAYMENT_ROW
from sandbox.zoho.shares import add_refund, put_on, settle_source, take_off
from sandbox.zoho.store import Document, Search

_MODES = {"check", "cash", "creditcard", "banktransfer", "bankremittance", "autotransaction", "others"}
_TEXTS: dict[str, int | None] = {"reference_number": 100, "description": None, "account_id": 100}
_DEPOSIT = "460000000000000358"


def _search_text(_call: Call, search: Search, value: str) -> None:
    wanted = f"%{value}%"
    search.where("(number LIKE ? OR reference LIKE ? OR name LIKE ?)", wanted, wanted, wanted)


_LISTING = Listing(
    resource="customerpayments",
    report="Payments Received",
    filters={
        **texts("customer_name", "name"),
        **texts("reference_number", "reference"),
        **dates("date", "date"),
        "customer_id": equal_to("customer_id"),
        "payment_mode": equal_to("json_extract(body, '$.payment_mode')"),
        "amount": number("json_extract(body, '$.amount')"),
        "search_text": _search_text,
    },
    orders={"date": "date", "created_time": "created", "amount": "json_extract(body, '$.amount')"},
    order="date",
    direction="D",
)


def list_payments(call: Call) -> Answer:
    """GET /customerpayments."""
    return listed(call, "payment", _LISTING, _row, "PaymentMode.All")


def create_payment(call: Call) -> Answer:
    """POST /customerpayments."""
    return _create(call, call.mapping())


def _create(call: Call, given: dict[str, Any]) -> Answer:
    customer_id = checks.text(call, given, "customer_id")
    customer = call.store.get("contact", call.organization.organization_id, customer_id)
    if customer is None:
        raise rule(3004, "The customer does not exist.")
    body = {
        "payment_number": str(call.store.next_number(call.organization.organization_id, "payment")),
        "customer_id": customer_id,
        "customer_name": customer.body["contact_name"],
        "currency_id": customer.body["currency_id"],
        "currency_code": customer.body["currency_code"],
        "exchange_rate": 1,
        "date": "",
        "payment_mode": "",
        "amount": Decimal(0),
        "bank_charges": Decimal(0),
        "status": "paid",
        "shares": [],
        "refunds": [],
        "custom_values": {},
        **dict.fromkeys(_TEXTS, ""),
    }
    document = Document(
        id=call.ids.take(),
        kind="payment",
        organization_id=call.organization.organization_id,
        body=body,
        created=call.now,
    )
    _read(call, given, document)
    return _answer(call, document, "The payment from the customer has been recorded", status=201)


def _read(call: Call, given: Mapping[str, Any], document: Document) -> None:
    """Lay a request over a payment, put it on its invoices and write it."""
    body = document.body
    body |= checks.texts(call, given, _TEXTS)
    body["payment_mode"] = checks.text(call, given, "payment_mode") or body["payment_mode"]
    if body["payment_mode"].replace(" ", "") not in _MODES:
        raise invalid("payment_mode")
    body["date"] = checks.date(given, "date", body["date"])
    if not body["date"]:
        raise invalid("date")
    body["exchange_rate"] = checks.amount(given, "exchange_rate", Decimal(str(body["exchange_rate"])))
    body["bank_charges"] = checks.amount(given, "bank_charges", Decimal(str(body["bank_charges"])))
    _read_amount(call, given, document)
    body["custom_values"] = customfields.read(call, given, body["custom_values"])
    check_lock(call, body["date"])
    _save(call, document)


def _read_amount(call: Call, given: Mapping[str, Any], document: Document) -> None:
    document.body["amount"] = checks.amount(given, "amount", Decimal(str(document.body["amount"])))
    if document.body["amount"] <= 0:
        raise invalid("amount", code=4)
    if "invoices" in given:
        take_off(call, document)
        put_on(call, document, checks.objects(given, "invoices"))
    elif given.get("invoice_id"):
        take_off(call, document)
        put_on(call, document, [dict(given)])
    settle_source(document)


def _save(call: Call, document: Document) -> None:
    customfields.claim(call, document)
    document.modified = call.now
    call.store.put(document)


def get_payment(call: Call) -> Answer:
    """GET /customerpayments/{payment_id}."""
    return _answer(call, known_payment(call), "success")


def update_payment(call: Call) -> Answer:
    """PUT /customerpayments/{payment_id}: what is not named is kept."""
    return _update(call, known_payment(call), call.mapping())


def _update(call: Call, document: Document, given: dict[str, Any]) -> Answer:
    check_lock(call, document.body["date"])
    _read(call, given, document)
    return _answer(call, document, "The details of the payment received from the customer have been updated")


def upsert_payment(call: Call) -> Answer:
    """PUT /customerpayments with the unique field's headers."""
    target = customfields.upsert_target(call, "payment")
    if target is None:
        return customfields.upsert_status(call, _create(call, call.mapping()), created=True)
    return _update(call, known_payment(call, target), call.mapping())


def delete_payment(call: Call) -> Answer:
    """DELETE /customerpayments/{payment_id}: its invoices are open again."""
    document = known_payment(call)
    check_lock(call, document.body["date"])
    take_off(call, document)
    customfields.release(call, document)
    call.store.delete(document)
    return Answer(body={"code": 0, "message": "The payment has been deleted."})


def refund_payment(call: Call) -> Answer:
    """POST /customerpayments/{payment_id}/refunds: of what is not on any invoice."""
    document = known_payment(call)
    refund = add_refund(call, document, "payment_refund_id") | {"payment_id": document.id}
    return Answer(body={"code": 0, "message": "The refund has been recorded.", "payment_refund": refund})


def list_refunds(call: Call) -> Answer:
    """GET /customerpayments/{payment_id}/refunds."""
    return Answer(body={"code": 0, "message": "success", "payment_refunds": known_payment(call).body["refunds"]})


def known_payment(call: Call, payment_id: str | None = None) -> Document:
    """Read the payment that a call names. Refused with code 1002 where there is none."""
    id_ = call.names["payment_id"] if payment_id is None else payment_id
    document = call.store.get("payment", call.organization.organization_id, id_)
    if document is None:
        raise missing(call, "The payment")
    return document


_CORE = (
    *("payment_number", "customer_id", "customer_name", "payment_mode", "date", "currency_id", "currency_code"),
    *("exchange_rate", "amount", "bank_charges", "description", "reference_number"),
)


def _answer(call: Call, document: Document, message: str, *, status: int = 200) -> Answer:
    return Answer(status=status, body={"code": 0, "message": message, "payment": payment_detail(call, document)})


def payment_detail(call: Call, document: Document) -> dict[str, Any]:
    """Give a payment in full."""
    body = document.body
    return {
        **PAYMENT,
        "payment_id": document.id,
        **{name: body[name] for name in _CORE},
        **PAGE,
        "payment_number_suffix": body["payment_number"],
        "created_by": call.user_name,
        "created_time": stamp(document.created, call.organization.time_zone),
        "updated_time": stamp(document.modified, call.organization.time_zone),
        "account_id": body["account_id"] or _DEPOSIT,
        "account_name": "Undeposited Funds",
        "account_type": "cash",
        "customer_advance_account_id": ACCOUNT["account_id"],
        "customer_advance_account_name": ACCOUNT["account_name"],
        "currency_symbol": symbol(body["currency_code"]),
        "unused_amount": body["balance"],
        "invoices": [_share(call, one) for one in body["shares"]],
        "payment_status": "paid",
        "payment_refunds": body["refunds"],
        **customfields.shown(call.organization, body["custom_values"]),
        "price_precision": call.organization.price_precision,
        "rounding_mode": "round_half_up",
        "lock_details": {"can_lock": False},
        "lock_detail": LOCK,
        "template_id": "460000000000039005",
        "template_name": "Standard Template",
        "template_type": "standard",
    }


def _share(call: Call, share: Mapping[str, Any]) -> dict[str, Any]:
    invoice = call.store.get("invoice", call.organization.organization_id, share["invoice_id"])
    known = invoice.body if invoice is not None else {}
    return {
        **PAYMENT_INVOICE,
        "invoice_number": share["invoice_number"],
        "invoice_payment_id": share["share_id"],
        "invoice_id": share["invoice_id"],
        "amount_applied": share["amount_applied"],
        **{name: known.get(name, 0) for name in ("total", "balance")},
        **{name: known.get(name, "") for name in ("date", "due_date")},
        "price_precision": call.organization.price_precision,
        "apply_date": share["date"],
    }


def _row(call: Call, document: Document) -> dict[str, Any]:
    body = document.body
    names = ("payment_number", "date", "payment_mode", "amount", "description", "reference_number", "customer_id")
    return {
        **PAYMENT_ROW,
        "payment_id": document.id,
        **{name: body[name] for name in (*names, "customer_name")},
        "invoice_numbers": ",".join(one["invoice_number"] for one in body["shares"]),
        "payment_mode_formatted": body["payment_mode"],
        "bcy_amount": in_base(body, "amount", call.organization.price_precision),
        "unused_amount": body["balance"],
        "bcy_unused_amount": in_base(body, "balance", call.organization.price_precision),
        "account_id": body["account_id"] or _DEPOSIT,
        "account_name": "Undeposited Funds",
        "created_time": stamp(document.created, call.organization.time_zone),
        "last_modified_time": stamp(document.modified, call.organization.time_zone),
        "applied_invoices": [],
        "payment_type": "Invoice Payment" if body["shares"] else "Customer Payment",
        "payment_status": "paid",
    }
