"""Who bought in a WooCommerce order, and where to."""

import re
from decimal import Decimal
from typing import Any

from consumer.sources.woocommerce.payload import (
    NAME_CHARACTERS_MAX,
    ZERO,
    Row,
    first_text,
    flag,
    id_text,
    mapping,
    metas,
    text,
    told,
)

# By the plugins that ask for a VAT number: WooCommerce EU VAT Number, WPFactory, Germanized, YITH, Aelia, B2BKing.
VAT_NUMBER_KEYS = (
    "_billing_vat_number",
    "_vat_number",
    "vat_number",
    "VAT Number",
    "_billing_eu_vat_number",
    "billing_eu_vat_number",
    "_billing_vat",
    "billing_vat",
    "_billing_vat_id",
    "billing_vat_id",
    "_shipping_vat_id",
    "_vat_id",
    "vat_id",
    "yweu_billing_vat",
    "_yweu_billing_vat",
    "_billing_yweu_vat",
)
_VALID_KEYS = ("_vat_number_is_valid", "_vat_number_validated", "_billing_vat_number_is_valid", "_valid_eu_vat_number")
_EXEMPT_KEYS = ("is_vat_exempt", "_is_vat_exempt", "_customer_vat_exempt", "_vat_exempt")
_EU = re.compile("AT|BE|BG|CY|CZ|DE|DK|EE|EL|ES|FI|FR|GR|HR|HU|IE|IT|LT|LU|LV|MT|NL|PL|PT|RO|SE|SI|SK")
_COUNTRY = re.compile("[A-Z]{2}")


def parties(order: Row, total_tax: Decimal) -> dict[str, Any]:
    """Give customer, billing and shipping address in the words of the contract."""
    billing = mapping(order.get("billing")) or mapping(order.get("billing_address"))
    shipping = mapping(order.get("shipping")) or mapping(order.get("shipping_address"))
    return told(
        customer=_customer(order, billing, total_tax),
        billing_address=_address(billing),
        shipping_address=_address(shipping),
    )


def _customer(order: Row, billing: Row, total_tax: Decimal) -> dict[str, Any]:
    own, meta = mapping(order.get("customer")), metas(order)
    customer_id = id_text(order.get("customer_id"))
    tax_number = first_text(*(meta.get(key) for key in VAT_NUMBER_KEYS), billing.get("vat_number"))
    exempt = total_tax == ZERO and any(flag(meta.get(key)) for key in _EXEMPT_KEYS)
    proved = exempt or any(_says_valid(meta.get(key)) for key in _VALID_KEYS)
    reverse = bool(tax_number) and total_tax == ZERO and proved and _is_eu(tax_number, billing)
    return told(
        id="" if customer_id == "0" else customer_id,
        email=first_text(billing.get("email"), own.get("email"), characters_max=NAME_CHARACTERS_MAX),
        first_name=first_text(billing.get("first_name"), own.get("first_name"), characters_max=NAME_CHARACTERS_MAX),
        last_name=first_text(billing.get("last_name"), own.get("last_name"), characters_max=NAME_CHARACTERS_MAX),
        company=text(billing.get("company"), NAME_CHARACTERS_MAX),
        phone=text(billing.get("phone")),
        tax_number=tax_number,
        tax_exempt=True if exempt and not reverse else None,
        reverse_charge=True if reverse else None,
    )


def _says_valid(value: object) -> bool:
    return flag(value) or text(value).lower() == "valid"


def _is_eu(tax_number: str, billing: Row) -> bool:
    """Tell whether the number is one of the Union: by its prefix, or without a prefix by the billing country."""
    prefix = tax_number[:2].upper()
    return bool(_EU.fullmatch(prefix if prefix.isalpha() else text(billing.get("country")).upper()))


def _address(row: Row) -> dict[str, Any]:
    country = text(row.get("country")).upper()
    names = (text(row.get("first_name"), NAME_CHARACTERS_MAX), text(row.get("last_name"), NAME_CHARACTERS_MAX))
    fields = told(
        name=" ".join(name for name in names if name)[:NAME_CHARACTERS_MAX],
        company=text(row.get("company"), NAME_CHARACTERS_MAX),
        street=text(row.get("address_1"), NAME_CHARACTERS_MAX),
        street2=text(row.get("address_2"), NAME_CHARACTERS_MAX),
        postal_code=text(row.get("postcode")),
        city=text(row.get("city"), NAME_CHARACTERS_MAX),
        state=text(row.get("state"), NAME_CHARACTERS_MAX),
        phone=text(row.get("phone")),
    )
    return {**fields, "country": country} if _COUNTRY.fullmatch(country) else fields
