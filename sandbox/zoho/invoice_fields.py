"""An invoice's fields: read from a request over what is there, numbered, and summed up."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from sandbox.zoho import checks, customfields
from sandbox.zoho.calls import Call, invalid, missing, rule
from sandbox.zoho.clock import days_after
from sandbox.zoho.lines import read_lines
from sandbox.zoho.numbers import decimal_of
from sandbox.zoho.sales import (
    blank_sale,
    check_lock,
    read_addresses,
    read_currency,
    read_customer,
    read_options,
    read_persons,
    settle_figures,
)
from sandbox.zoho.store import Document

_TEXTS: dict[str, int | None] = {
    "payment_terms_label": 100,
    "adjustment_description": 100,
    "notes": 5000,
    "terms": 10000,
    "salesperson_name": 200,
    "place_of_supply": 100,
    "vat_treatment": 100,
    "tax_treatment": 100,
    "gst_treatment": 100,
    "gst_no": 100,
    "template_id": 100,
    "location_id": 100,
}
_DECLARED = frozenset(
    {*_TEXTS, "customer_id", "currency_id", "currency_code", "contact_persons", "contact_persons_associated"}
    | {"invoice_number", "reference_number", "date", "due_date", "payment_terms", "discount", "discount_type"}
    | {"is_discount_before_tax", "is_inclusive_tax", "exchange_rate", "line_items", "shipping_charge", "adjustment"}
    | {"shipping_charge_tax_id", "custom_fields", "billing_address_id", "shipping_address_id", "payment_options"}
    | {"tags", "batch_payments", "custom_body", "custom_subject", "reason", "allow_partial_payments", "send"}
    | {"is_reverse_charge_applied", "recurring_invoice_id", "invoiced_estimate_id", "tax_authority_id"}
    | {"tax_exemption_id", "cfdi_usage"}
)
_NUMBER_MAX = 100
_NOT_THERE = 1002
_ZERO = Decimal(0)


def blank_invoice(call: Call) -> dict[str, Any]:
    """Give an invoice before anything is known of it."""
    return blank_sale(call) | {
        "invoice_number": "",
        "due_date": "",
        "payment_terms": 0,
        "payment_terms_label": "Due on Receipt",
        "status": call.switch("created_status"),
        "payments": [],
        "credits": [],
        "write_off_amount": _ZERO,
        "last_payment_date": "",
    }


def read_invoice(call: Call, given: Mapping[str, Any], document: Document) -> None:
    """Lay the fields of a request over an invoice; what the request does not name is kept."""
    body, date_before = document.body, document.body["date"]
    is_new = not body["invoice_number"]
    checks.undeclared(given, _DECLARED)
    contact = read_customer(call, given, body)
    read_currency(call, given, body, contact)
    body |= checks.texts(call, given, _TEXTS)
    _check_template(call, given)
    reference_max = int(call.switch("reference_number_max"))
    body |= checks.texts(call, given, {"reference_number": reference_max})
    _read_dates(given, body)
    read_options(call, given, body)
    if "line_items" in given or is_new:
        body["line_items"] = read_lines(call, given, body["line_items"])
    read_addresses(call, given, body, contact)
    read_persons(given, body, contact)
    body["custom_values"] = customfields.read(call, given, body["custom_values"])
    check_lock(call, body["date"], "" if is_new else date_before)
    settle_figures(call, body)
    settle_balance(body)
    _number(call, given, document)


def _check_template(call: Call, given: Mapping[str, Any]) -> None:
    """Refuse a layout for print that the organisation does not have."""
    named = str(given.get("template_id") or "")
    if named and named not in call.organization.templates:
        code = int(call.switch("unknown_template_code"))
        raise missing(call, "The template") if code == _NOT_THERE else invalid("template_id")


def _read_dates(given: Mapping[str, Any], body: dict[str, Any]) -> None:
    moved = "date" in given or "payment_terms" in given
    body["date"] = checks.date(given, "date", body["date"])
    body["payment_terms"] = checks.whole(given, "payment_terms", int(body["payment_terms"]))
    usual = days_after(body["date"], int(body["payment_terms"]))
    body["due_date"] = checks.date(given, "due_date", usual if moved or not body["due_date"] else body["due_date"])


def settle_balance(body: dict[str, Any]) -> None:
    """Work out what is left to pay, and the state that follows from it.

    Refused with code 24016 where more has been paid than the invoice comes to.
    """
    total = decimal_of(body["total"]) or _ZERO
    paid = sum((decimal_of(one["amount_applied"]) or _ZERO for one in body["payments"]), _ZERO)
    credited = sum((decimal_of(one["amount_applied"]) or _ZERO for one in body["credits"]), _ZERO)
    body["payment_made"], body["credits_applied"] = paid, credited
    body["balance"] = total - paid - credited - (decimal_of(body["write_off_amount"]) or _ZERO)
    if body["balance"] < 0 and (paid or credited):
        raise rule(24016, "The amount applied is more than the balance of the invoice.")
    if body["status"] in {"sent", "partially_paid", "paid"}:
        settled = body["balance"] == 0 and (paid or credited or body["write_off_amount"])
        body["status"] = "paid" if settled else "partially_paid" if paid or credited else "sent"


def _number(call: Call, given: Mapping[str, Any], document: Document) -> None:
    """Settle the invoice's number: its own, or the next of the series. Refused with 1001 where it is taken."""
    body, wanted = document.body, checks.text(call, given, "invoice_number", _NUMBER_MAX)
    chosen = _wanted_number(call, wanted, body["invoice_number"])
    if not chosen:
        chosen = body["invoice_number"] or _next_number(call)
    if chosen != body["invoice_number"] and _is_taken(call, chosen):
        raise rule(1001, f'Invoice "{chosen}" already exists.')
    body["invoice_number"] = chosen


def _wanted_number(call: Call, wanted: str, current: str) -> str:
    if not wanted or wanted == current or call.query.get("ignore_auto_number_generation") == "true":
        return wanted
    manner = call.switch("number_without_flag")
    if manner == "refused":
        raise rule(4097, "Numbers are generated automatically; a number of your own needs the flag that says so.")
    return wanted if manner == "accepted" else ""


def _next_number(call: Call) -> str:
    while True:
        prefix = call.organization.number_prefix
        number = f"{prefix}{call.store.next_number(call.organization.organization_id, 'invoice'):06d}"
        if not _is_taken(call, number):
            return number


def _is_taken(call: Call, number: str) -> bool:
    return call.store.first("invoice", call.organization.organization_id, "number = ?", number) is not None
