"""How an invoice is shown: in full, as a row of a list, as a PDF."""

from collections.abc import Mapping
from typing import Any

from sandbox.zoho.calls import Answer, Call
from sandbox.zoho.clock import stamp
from sandbox.zoho.contact_answers import LOCK, outstanding, unused_credits
from sandbox.zoho.currencies import symbol
from sandbox.zoho.customfields import shown as shown_fields
from sandbox.zoho.pdf import pdf_of
from sandbox.zoho.sales import in_base
from sandbox.zoho.shapes import INVOICE, INVOICE_LINE, INVOICE_ROW
from sandbox.zoho.store import Document

PAGE = {"page_width": "8.27in", "page_height": "11.69in", "orientation": "portrait"}
ACCOUNT = {"account_id": "460000000000000364", "account_name": "Accounts Receivable"}
SALES = {"account_id": "460000000000000388", "account_name": "Sales"}
ROUNDING = {
    "transaction_rounding_type": "no_rounding",
    "rounding_mode": "round_half_up",
    "bcy_rounding_mode": "round_half_up",
    "computation_type": "basic",
    "tds_calculation_type": "tds_item_level",
    "tax_override_preference": "no_override",
}
_ADDRESS = ("attention", "address", "street2", "city", "state", "zip", "country", "country_code", "phone", "fax")
_CORE = (
    *("invoice_number", "date", "due_date", "customer_id", "customer_name", "email", "currency_id", "currency_code"),
    *("payment_terms", "payment_terms_label", "payment_made", "reference_number", "exchange_rate", "price_precision"),
    *("sub_total", "tax_total", "total_taxable_amount", "discount_total", "discount", "discount_type"),
    *("is_discount_before_tax", "adjustment", "adjustment_description", "shipping_charge", "total", "balance"),
    *("shipping_charge_tax_id", "shipping_charge_tax_name", "shipping_charge_tax_type", "shipping_charge_tax"),
    *("shipping_charge_tax_percentage", "shipping_charge_exclusive_of_tax", "shipping_charge_inclusive_of_tax"),
    *("is_inclusive_tax", "sub_total_inclusive_of_tax", "taxes", "last_payment_date", "contact_persons", "is_emailed"),
    *("notes", "terms", "credits_applied", "write_off_amount"),
)


def shown_status(call: Call, body: Mapping[str, Any]) -> str:
    """Give the state that people see: a sent invoice past its due day is overdue."""
    status = str(body["status"])
    return "overdue" if status in {"sent", "partially_paid"} and body["due_date"] < call.today else status


def address(body: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Give a document's own copy of an address; the street is there twice."""
    return {field: body[name].get(field, "") for field in _ADDRESS}


def times(call: Call, document: Document) -> dict[str, Any]:
    """Give who made and changed a document, and when."""
    user_id = call.organization.organization_id.ljust(18, "1")
    created = stamp(document.created, call.organization.time_zone)
    return {
        "created_time": created,
        "last_modified_time": stamp(document.modified, call.organization.time_zone),
        "created_by_id": user_id,
        "created_by_name": call.user_name,
        "last_modified_by_id": user_id,
    }


def shown_line(
    shape: Mapping[str, Any], line: Mapping[str, Any], body: Mapping[str, Any], digits: int
) -> dict[str, Any]:
    """Give a line of an invoice or credit note."""
    return {
        **shape,
        "item_type": "",
        **SALES,
        "pricing_scheme": "unit",
        "line_item_category": "line_item",
        "discount": 0,
        **line,
        "bcy_rate": in_base({**line, "exchange_rate": body["exchange_rate"]}, "rate", digits),
    }


def invoice_detail(call: Call, document: Document) -> dict[str, Any]:
    """Give an invoice in full."""
    body = document.body
    status = shown_status(call, body)
    return {
        **INVOICE,
        "invoice_id": document.id,
        **{name: body[name] for name in _CORE},
        **{name: body[name] for name in _EDITION if body.get(name)},
        **_looks(call, body),
        **times(call, document),
        **shown_fields(call.organization, body["custom_values"]),
        **_base_figures(call, body),
        "status": status,
        "current_sub_status": status,
        "issued_date": "" if status == "draft" else body["date"],
        "salesperson_name": body.get("salesperson_name", ""),
        "discount_percent": _percent(body["discount"]),
        "discount_applied_on_amount": body["sub_total"] if body["discount_type"] == "entity_level" else 0,
        "shipping_charge_taxes": [],
        "tax_rounding": call.switch("tax_rounding"),
        "line_items": [
            shown_line({**INVOICE_LINE, "sales_rate": line["rate"]}, line, body, call.organization.price_precision)
            for line in body["line_items"]
        ],
        "billing_address": address(body, "billing_address") | {"street": body["billing_address"]["address"]},
        "shipping_address": address(body, "shipping_address") | {"street": body["shipping_address"]["address"]},
        "customer_default_billing_address": _default_billing(body),
        "contact": _contact(call, body),
        "created_date": call.clock.date(call.organization.time_zone, at=document.created),
        "invoice_url": f"{call.origin}/SecurePayment?CInvoiceID={document.id}",
    }


_EDITION = ("place_of_supply", "vat_treatment", "tax_treatment", "gst_treatment", "gst_no", "location_id")


def _percent(discount: object) -> float:
    return float(discount.rstrip("% ")) if isinstance(discount, str) and "%" in discount else 0


def _looks(call: Call, body: Mapping[str, Any]) -> dict[str, Any]:
    """Give what is the same for every invoice: template, account, locks."""
    code = body["currency_code"]
    zero = f"{symbol(code)}0"
    template_id = _template_id(call, body)
    return {
        **PAGE,
        **ACCOUNT,
        **ROUNDING,
        "retention_override_preference": "no_override",
        "template_id": template_id,
        "template_name": call.organization.templates.get(template_id, ""),
        "template_type": "standard",
        "currency_symbol": symbol(code),
        "currency_name_formatted": f"{code}- {code}",
        "invoice_source": "Api",
        "sales_channel": "direct_sales",
        "payment_terms_id": "",
        "payment_options": {"payment_gateways": []},
        "lock_details": {"can_lock": False},
        "lock_detail": LOCK,
        "qr_code": {"qr_source": "", "is_qr_enabled": False, "qr_value": "", "qr_description": ""},
        "shipping_charge_exclusive_of_tax_formatted": zero,
        "shipping_charge_inclusive_of_tax_formatted": zero,
    }


def _template_id(call: Call, body: Mapping[str, Any]) -> str:
    return str(body.get("template_id") or next(iter(call.organization.templates), ""))


def _base_figures(call: Call, body: Mapping[str, Any]) -> dict[str, Any]:
    names = ("shipping_charge", "adjustment", "sub_total", "discount_total", "tax_total", "total")
    return {f"bcy_{name}": in_base(body, name, call.organization.price_precision) for name in names}


def _default_billing(body: Mapping[str, Any]) -> dict[str, Any]:
    names = ("zip", "country", "address", "city", "phone", "street2", "state", "fax", "state_code")
    return {name: body["billing_address"].get(name, "") for name in names} | {"city_code": ""}


def _contact(call: Call, body: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "customer_balance": outstanding(call, body["customer_id"]),
        "credit_limit": 0,
        "unused_customer_credits": unused_credits(call, body["customer_id"]),
        "is_credit_limit_migration_completed": True,
    }


def invoice_row(call: Call, document: Document) -> dict[str, Any]:
    """Give an invoice as lists show it: without lines and without tax."""
    body = document.body
    status, made = shown_status(call, body), times(call, document)
    names = (
        *("invoice_number", "date", "due_date", "customer_id", "customer_name", "email", "currency_id"),
        *("currency_code", "reference_number", "exchange_rate", "total", "balance", "shipping_charge", "adjustment"),
        *("last_payment_date", "is_emailed", "write_off_amount"),
    )
    return {
        **INVOICE_ROW,
        "invoice_id": document.id,
        **{name: body[name] for name in names},
        **shown_fields(call.organization, body["custom_values"]),
        **body["custom_values"],
        "company_name": "",
        "status": status,
        "current_sub_status": status,
        "issued_date": "" if status == "draft" else body["date"],
        "due_days": "",
        "billing_address": _row_address(body, "billing_address"),
        "shipping_address": _row_address(body, "shipping_address"),
        "country": body["billing_address"]["country"],
        "phone": "",
        "created_by": made["created_by_name"],
        "salesperson_name": body.get("salesperson_name", ""),
        "created_time": made["created_time"],
        "last_modified_time": made["last_modified_time"],
        "updated_time": made["last_modified_time"],
        "currency_symbol": symbol(body["currency_code"]),
        "template_id": _template_id(call, body),
        "template_type": "standard",
        "invoice_source": "Api",
        "sales_channel": "direct_sales",
        "transaction_type": "renewal",
    }


def _row_address(body: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Give an address as rows have it: the postal code is spelt zipcode there."""
    full = address(body, name)
    return {("zipcode" if key == "zip" else key): value for key, value in full.items() if key != "country_code"}


def invoice_pdf(document: Document) -> Answer:
    """Give the invoice as a small PDF."""
    body = document.body
    text = f"Invoice {body['invoice_number']}  {body['total']} {body['currency_code']}"
    return Answer(content=pdf_of(text), media_type="application/pdf;charset=UTF-8")
