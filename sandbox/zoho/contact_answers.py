"""How a contact is shown: in full, and as a row of a list."""

from decimal import Decimal
from typing import Any

from sandbox.zoho.calls import Call
from sandbox.zoho.clock import stamp
from sandbox.zoho.currencies import symbol
from sandbox.zoho.customfields import shown as shown_fields
from sandbox.zoho.numbers import round_half_up
from sandbox.zoho.shapes import CONTACT, CONTACT_ROW, DEFAULT_TEMPLATES
from sandbox.zoho.store import Document

LOCK = {"can_lock": True, "custom_locks": [], "system_locks": []}
_OPEN = "('sent', 'partially_paid')"


def outstanding(call: Call, contact_id: str) -> Decimal:
    """Give what a customer owes on sent invoices."""
    return _sum(call, contact_id, f"kind = 'invoice' AND status IN {_OPEN}")


def unused_credits(call: Call, contact_id: str) -> Decimal:
    """Give what a customer has left of credit notes and payments."""
    return _sum(call, contact_id, "kind = 'creditnote' AND status = 'open'") + _sum(
        call, contact_id, "kind = 'payment' AND status = 'paid'"
    )


def _sum(call: Call, contact_id: str, condition: str) -> Decimal:
    row = call.store.row(
        "SELECT total(balance) AS balance FROM documents"
        f" WHERE organization_id = ? AND customer_id = ? AND {condition}",
        (call.organization.organization_id, contact_id),
    )
    return round_half_up(Decimal(repr(row["balance"] if row is not None else 0.0)), 3)


def has_transactions(call: Call, contact_id: str) -> bool:
    """Say whether any invoice, credit note or payment belongs to the contact."""
    organization_id = call.organization.organization_id
    found = call.store.row(
        "SELECT 1 FROM documents WHERE organization_id = ? AND customer_id = ?"
        " AND kind IN ('invoice', 'creditnote', 'payment') LIMIT 1",
        (organization_id, contact_id),
    )
    return found is not None


def _common(call: Call, document: Document) -> dict[str, Any]:
    body = document.body
    names = ("contact_name", "contact_type", "customer_sub_type", "status", "payment_terms", "payment_terms_label")
    texts = ("company_name", "website", "language_code", "facebook", "twitter", "first_name", "last_name", "email")
    owed, unused = outstanding(call, document.id), unused_credits(call, document.id)
    return {
        "contact_id": document.id,
        **{name: body[name] for name in names},
        **{name: body.get(name, "") for name in (*texts, "phone", "mobile")},
        "payment_terms_id": "",
        "currency_id": body["currency_id"],
        "currency_code": body["currency_code"],
        "outstanding_receivable_amount": owed,
        "outstanding_receivable_amount_bcy": owed,
        "unused_credits_receivable_amount": unused,
        "unused_credits_receivable_amount_bcy": unused,
        "source": "api",
        "portal_status": "disabled",
        "created_time": stamp(document.created, call.organization.time_zone),
        "last_modified_time": stamp(document.modified, call.organization.time_zone),
        **shown_fields(call.organization, body["custom_values"]),
    }


def contact_row(call: Call, document: Document) -> dict[str, Any]:
    """Give a contact as lists show it: without addresses and persons."""
    common = _common(call, document)
    name, kind = common["contact_name"], common["contact_type"]
    return {
        **CONTACT_ROW,
        **common,
        "customer_name": name,
        "vendor_name": name,
        "contact_type_formatted": f"{kind.capitalize()}s",
        "portal_status_formatted": "Disabled",
        "created_time_formatted": common["created_time"][:10],
        "last_modified_time_formatted": common["last_modified_time"][:10],
    }


def contact_detail(call: Call, document: Document) -> dict[str, Any]:
    """Give a contact in full."""
    body, common = document.body, _common(call, document)
    people = ("designation", "department", "contact_salutation", "primary_contact_id", "notes")
    return {
        **CONTACT,
        **common,
        **{name: body.get(name, "") for name in people},
        **{name: body[name] for name in _EDITION if body.get(name)},
        "currency_symbol": symbol(body["currency_code"]),
        "price_precision": call.organization.price_precision,
        "has_transaction": has_transactions(call, document.id),
        "is_bcy_only_contact": body["currency_code"] == call.organization.currency_code,
        "billing_address": body["billing_address"],
        "shipping_address": body["shipping_address"],
        "entity_address_id": body["entity_address_id"],
        "addresses": body["addresses"],
        "contact_persons": body["persons"],
        "default_templates": DEFAULT_TEMPLATES,
        "lock_details": {"can_lock": False},
        "lock_detail": LOCK,
        "sales_channel": "direct_sales",
        "created_date": common["created_time"][:10],
        "created_by_name": call.user_name,
        "created_by_id": _user_id(call),
        "last_modified_by_id": _user_id(call),
        "customer_currency_summaries": [_summary(call, body, common)],
    }


_EDITION = ("vat_reg_no", "vat_treatment", "tax_treatment", "country_code", "gst_no", "gst_treatment", "tax_id")


def _user_id(call: Call) -> str:
    return call.organization.organization_id.ljust(18, "1")


def _summary(call: Call, body: dict[str, Any], common: dict[str, Any]) -> dict[str, Any]:
    code = body["currency_code"]
    return {
        "currency_id": body["currency_id"],
        "currency_code": code,
        "currency_symbol": symbol(code),
        "price_precision": call.organization.price_precision,
        "is_base_currency": code == call.organization.currency_code,
        "currency_name_formatted": f"{code}- {code}",
        "outstanding_receivable_amount": common["outstanding_receivable_amount"],
        "unused_credits_receivable_amount": common["unused_credits_receivable_amount"],
    }
