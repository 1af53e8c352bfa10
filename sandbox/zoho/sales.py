"""What invoices and credit notes have in common: currency, addresses, options, and their figures."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from sandbox.zoho import checks
from sandbox.zoho.arithmetic import LineResult, Totals
from sandbox.zoho.calls import Call, invalid, rule
from sandbox.zoho.contact_fields import ADDRESS
from sandbox.zoho.contacts import known_contact
from sandbox.zoho.currencies import currency_by_code, currency_by_id
from sandbox.zoho.lines import read_discount, totals_of
from sandbox.zoho.numbers import decimal_of, round_half_up
from sandbox.zoho.store import Document
from sandbox.zoho.taxes import percentage_of, tax_of

_DISCOUNT_TYPES = {"entity_level", "item_level"}


def blank_sale(call: Call) -> dict[str, Any]:
    """Give an invoice or credit note before anything is known of it."""
    return {
        "customer_id": "",
        "customer_name": "",
        "reference_number": "",
        "date": call.today,
        "exchange_rate": 1,
        "discount": 0,
        "discount_type": "item_level",
        "is_discount_before_tax": True,
        "is_inclusive_tax": False,
        "line_items": [],
        "shipping_charge": Decimal(0),
        "shipping_charge_tax_id": "",
        "adjustment": Decimal(0),
        "adjustment_description": "",
        "notes": "",
        "terms": "",
        "contact_persons": [],
        "custom_values": {},
        "is_emailed": False,
    }


def read_customer(call: Call, given: Mapping[str, Any], body: dict[str, Any]) -> Document:
    """Find the customer that a request names. An unknown one is refused with 1002, an inactive one by the switch."""
    customer_id = checks.text(call, given, "customer_id") or body["customer_id"]
    if not customer_id:
        raise invalid("customer_id")
    contact = known_contact(call, customer_id)
    if contact.body["status"] != "active":
        raise rule(int(call.switch("inactive_customer_code")), "The customer is inactive.")
    if contact.body["contact_type"] != "customer":
        raise invalid("customer_id")
    if body["customer_id"] != contact.id:
        body["customer_id"] = contact.id
        for name in ("billing_address", "shipping_address"):
            body[name] = {field: contact.body[name][field] for field in ADDRESS}
    body["customer_name"] = contact.body["contact_name"]
    body["email"] = contact.body["email"]
    return contact


def read_currency(call: Call, given: Mapping[str, Any], body: dict[str, Any], contact: Document) -> None:
    """Settle the currency: the one named, else the one there is, else the customer's."""
    currency_id = checks.text(call, given, "currency_id")
    code = checks.text(call, given, "currency_code") if call.switch("invoice_currency_code") == "accepted" else ""
    if currency_id or not code:
        currency_id = currency_id or body.get("currency_id") or contact.body["currency_id"]
        currency = currency_by_id(call, currency_id)
    else:
        currency = currency_by_code(call, code)
    if currency is None:
        raise rule(9004, "The currency does not exist in this organization.")
    if call.switch("invoice_currency") == "of_contact" and currency.id != contact.body["currency_id"]:
        raise rule(3009, "The currency differs from that of the customer.")
    if body.get("currency_id") != currency.id:
        body["exchange_rate"] = _usual_rate(call, currency)
    body["currency_id"], body["currency_code"] = currency.id, currency.body["currency_code"]
    body["price_precision"] = currency.body["price_precision"]
    body["exchange_rate"] = checks.amount(given, "exchange_rate", Decimal(str(body["exchange_rate"])))
    if body["exchange_rate"] <= 0:
        raise invalid("exchange_rate", code=4)


def _usual_rate(call: Call, currency: Document) -> Decimal:
    if currency.body["currency_code"] == call.organization.currency_code:
        return Decimal(1)
    return decimal_of(currency.body["exchange_rate"]) or Decimal(1)


def read_options(call: Call, given: Mapping[str, Any], body: dict[str, Any]) -> None:
    """Read what changes the sum beside the lines: discount, shipping, adjustment, inclusive prices."""
    if given.get("discount") not in (None, ""):
        read_discount(given["discount"])
        body["discount"] = given["discount"]
        # A discount on the whole document is what a discount without any type means.
        body["discount_type"] = "entity_level"
    if "discount_type" in given:
        body["discount_type"] = checks.text(call, given, "discount_type")
        if body["discount_type"] not in _DISCOUNT_TYPES:
            raise invalid("discount_type")
    for name in ("is_discount_before_tax", "is_inclusive_tax"):
        body[name] = checks.flag(given, name, default=body[name])
    if body["is_inclusive_tax"] and call.organization.country_code in {"US", "CA"}:
        raise invalid("is_inclusive_tax")
    body["shipping_charge"] = checks.amount(given, "shipping_charge", decimal_of(body["shipping_charge"]) or Decimal(0))
    if body["shipping_charge"] < 0:
        raise invalid("shipping_charge", code=4)
    body["adjustment"] = checks.amount(given, "adjustment", decimal_of(body["adjustment"]) or Decimal(0))
    _read_shipping_tax(call, given, body)


def _read_shipping_tax(call: Call, given: Mapping[str, Any], body: dict[str, Any]) -> None:
    tax_id = checks.text(call, given, "shipping_charge_tax_id")
    if not tax_id or call.switch("shipping_charge_tax_id") == "ignored":
        return
    if tax_of(call, tax_id) is None:
        raise invalid("shipping_charge_tax_id")
    body["shipping_charge_tax_id"] = tax_id


def read_addresses(call: Call, given: Mapping[str, Any], body: dict[str, Any], contact: Document) -> None:
    """Take the addresses that `billing_address_id` and `shipping_address_id` name from the customer."""
    owned = [contact.body["billing_address"], contact.body["shipping_address"], *contact.body["addresses"]]
    for name in ("billing_address", "shipping_address"):
        wanted = checks.text(call, given, f"{name}_id")
        if not wanted:
            continue
        found = next((one for one in owned if one["address_id"] == wanted), None)
        if found is None:
            raise invalid(f"{name}_id")
        body[name] = {field: found[field] for field in ADDRESS}


def read_persons(given: Mapping[str, Any], body: dict[str, Any], contact: Document) -> None:
    """Read the ids of the persons that get the mail; they must belong to the customer."""
    wanted = given.get("contact_persons")
    if wanted is None:
        return
    known = {person["contact_person_id"] for person in contact.body["persons"]}
    if not isinstance(wanted, list) or not set(map(str, wanted)) <= known:
        raise invalid("contact_persons")
    body["contact_persons"] = [str(one) for one in wanted]


def check_lock(call: Call, *dates: str) -> None:
    """Refuse what lies in locked books. The lock's own day is locked too."""
    locked_until = call.organization.transaction_lock_date
    if locked_until and any(day and day <= locked_until for day in dates):
        code = int(call.switch("transaction_lock_code"))
        raise rule(code, f"Transactions dated on or before {locked_until} are locked.")


def settle_figures(call: Call, body: dict[str, Any]) -> None:
    """Compute all figures of an invoice or credit note and write them into it."""
    totals = totals_of(call, body)
    for line, result in zip(body["line_items"], totals.lines, strict=True):
        line.update(_line_figures(call, line, result, is_inclusive=body["is_inclusive_tax"]))
    body |= {
        "sub_total": totals.sub_total,
        "sub_total_inclusive_of_tax": totals.sub_total_inclusive,
        "discount_total": totals.discount_total,
        "tax_total": totals.tax_total,
        "total_taxable_amount": totals.taxable_total,
        "total": totals.total,
        "taxes": [
            {"tax_id": tax.tax_id, "tax_name": f"{tax.name} ({tax.percentage:f}%)", "tax_amount": tax.amount}
            for tax in totals.taxes
        ],
        **_shipping_figures(call, body, totals),
    }


def _line_figures(call: Call, line: Mapping[str, Any], result: LineResult, *, is_inclusive: bool) -> dict[str, Any]:
    overridden = call.switch("sent_tax") == "overridden"
    tax = tax_of(call, line["tax_id"]) if line["tax_id"] and not overridden else None
    inclusive = {"item_total_inclusive_of_tax": result.stated_total} if is_inclusive else {}
    return {
        "discount_amount": result.discount_amount,
        "item_total": result.item_total,
        **inclusive,
        "tax_name": tax.name if tax else "",
        "tax_type": "tax_group" if tax and tax.is_group else "tax",
        "tax_percentage": percentage_of(tax) if tax else 0,
        "line_item_taxes": [
            {"tax_id": one.tax_id, "tax_name": f"{one.name} ({one.percentage:f}%)", "tax_amount": one.amount}
            for one in result.taxes
        ],
    }


def _shipping_figures(call: Call, body: Mapping[str, Any], totals: Totals) -> dict[str, Any]:
    tax = tax_of(call, body["shipping_charge_tax_id"]) if body["shipping_charge_tax_id"] else None
    return {
        "shipping_charge_exclusive_of_tax": totals.shipping_net,
        "shipping_charge_inclusive_of_tax": totals.shipping_net + totals.shipping_tax,
        "shipping_charge_tax": totals.shipping_tax if tax else "",
        "shipping_charge_tax_name": tax.name if tax else "",
        "shipping_charge_tax_type": ("tax_group" if tax.is_group else "tax") if tax else "",
        "shipping_charge_tax_percentage": percentage_of(tax) if tax else "",
    }


def in_base(body: Mapping[str, Any], name: str, digits: int) -> Decimal:
    """Give one of a document's amounts in the organisation's own currency."""
    amount = decimal_of(body.get(name) or 0) or Decimal(0)
    return round_half_up(amount * (decimal_of(body["exchange_rate"]) or Decimal(1)), digits)
