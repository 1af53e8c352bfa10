"""How a credit note is shown: in full, and as a row of a list."""

from decimal import Decimal
from typing import Any

from sandbox.zoho.calls import Call
from sandbox.zoho.contact_answers import LOCK
from sandbox.zoho.currencies import symbol
from sandbox.zoho.customfields import shown as shown_fields
from sandbox.zoho.invoice_answers import ACCOUNT, PAGE, ROUNDING, shown_line, times
from sandbox.zoho.numbers import decimal_of
from sandbox.zoho.shapes import CREDIT_NOTE, CREDIT_NOTE_LINE, CREDIT_NOTE_ROW
from sandbox.zoho.shares import amount_in
from sandbox.zoho.store import Document

_CORE = (
    *("creditnote_number", "date", "reference_number", "notes", "terms", "customer_id", "customer_name"),
    *("currency_id", "currency_code", "exchange_rate", "price_precision", "is_inclusive_tax", "discount"),
    *("is_discount_before_tax", "discount_type", "shipping_charge", "adjustment", "adjustment_description"),
    *("sub_total", "sub_total_inclusive_of_tax", "tax_total", "total", "balance", "taxes", "is_emailed"),
    *("shipping_charge_tax_id", "shipping_charge_tax_name", "shipping_charge_tax_type", "shipping_charge_tax"),
    *("shipping_charge_tax_percentage", "shipping_charge_exclusive_of_tax", "shipping_charge_inclusive_of_tax"),
)
_ADDRESS = ("address", "street2", "city", "state", "zip", "country", "fax", "phone", "attention")
_TEMPLATE = {"template_id": "460000000000017005", "template_type": "standard"}


def creditnote_detail(call: Call, document: Document) -> dict[str, Any]:
    """Give a credit note in full."""
    body = document.body
    code = body["currency_code"]
    zero = f"{symbol(code)}0"
    return {
        **CREDIT_NOTE,
        "creditnote_id": document.id,
        **{name: body[name] for name in _CORE},
        **PAGE,
        **ACCOUNT,
        **ROUNDING,
        **_TEMPLATE,
        **times(call, document),
        **shown_fields(call.organization, body["custom_values"]),
        **_uses(body),
        "template_name": "Standard Template",
        "status": body["status"],
        "current_sub_status": body["status"],
        "issued_date": body["date"],
        "tax_rounding": call.switch("tax_rounding"),
        "currency_symbol": symbol(code),
        "currency_name_formatted": f"{code}- {code}",
        "discount_applied_on_amount": 0,
        "shipping_charge_taxes": [],
        "shipping_charge_exclusive_of_tax_formatted": zero,
        "shipping_charge_inclusive_of_tax_formatted": zero,
        "line_items": [
            shown_line(
                {**CREDIT_NOTE_LINE, "invoice_id": "", "invoice_item_id": ""},
                line,
                body,
                call.organization.price_precision,
            )
            for line in body["line_items"]
        ],
        "billing_address": {name: body["billing_address"].get(name, "") for name in _ADDRESS},
        "shipping_address": {name: body["shipping_address"].get(name, "") for name in _ADDRESS},
        "lock_details": {"can_lock": False},
        "lock_detail": LOCK,
    }


def _uses(body: dict[str, Any]) -> dict[str, Any]:
    """Give where the credit has gone: on invoices, and back to the customer."""
    zero = Decimal(0)
    return {
        "invoice_id": body["shares"][0]["invoice_id"] if body["shares"] else "",
        "invoices_credited": [
            {
                "creditnote_id": one["source_id"],
                "invoice_id": one["invoice_id"],
                "creditnote_invoice_id": one["share_id"],
                "date": one["date"],
                "invoice_number": one["invoice_number"],
                "creditnote_number": body["creditnote_number"],
                "credited_amount": one["amount_applied"],
            }
            for one in body["shares"]
        ],
        "total_credits_used": sum((amount_in(one) for one in body["shares"]), zero),
        "total_refunded_amount": sum((decimal_of(one["amount"]) or zero for one in body["refunds"]), zero),
        "creditnote_refunds": body["refunds"],
    }


def creditnote_row(call: Call, document: Document) -> dict[str, Any]:
    """Give a credit note as lists show it."""
    body, made = document.body, times(call, document)
    names = (
        *("creditnote_number", "status", "reference_number", "date", "total", "balance", "customer_id"),
        *("customer_name", "is_emailed", "currency_id", "currency_code", "exchange_rate", "price_precision"),
    )
    return {
        **CREDIT_NOTE_ROW,
        "creditnote_id": document.id,
        **{name: body[name] for name in names},
        **_TEMPLATE,
        "issued_date": body["date"],
        "current_sub_status": body["status"],
        "created_time": made["created_time"],
        "last_modified_time": made["last_modified_time"],
        "rounding_mode": "round_half_up",
    }
