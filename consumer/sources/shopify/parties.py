"""Who bought and where to, of a Shopify order."""

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from consumer.sources.shopify.payload import (
    NAME_CHARACTERS_MAX,
    Row,
    first_text,
    mapping,
    money,
    rows,
    text,
    told,
)

_ZERO = Decimal(0)
_COUNTRY = re.compile(r"[A-Za-z]{2}")
# What apps call the field in which a buyer enters a tax number, in the languages of Europe.
_TAX_NUMBER_NAME = re.compile(
    r"^(eu )?(vat|vat ?(id|no|nr|number|reg(istration)?( ?number)?)|tax ?(id|no|nr|number)|ust ?id ?(nr)?"
    r"|btw ?(nr|nummer)?|tva|n tva|numero (de )?tva|p(artita)? ?iva|nif|cif|abn|gstin)$"
)
_TAX_NUMBER = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ./-]{3,38}[A-Za-z0-9]")
_REVERSE_CHARGE = "EU_REVERSE_CHARGE_EXEMPTION_RULE"


def customer(order: Row) -> dict[str, Any]:
    """Give the buyer; the order's own e-mail comes before that of the customer's account."""
    account, billing = mapping(order.get("customer")), mapping(order.get("billing_address"))
    home = mapping(account.get("default_address"))
    return told(
        id=text(account.get("id")),
        email=_email(order, account),
        first_name=_name(account.get("first_name"), billing.get("first_name")),
        last_name=_name(account.get("last_name"), billing.get("last_name")),
        name=_name(billing.get("name")),
        # The company of the account's address is taken only where the order has no billing address of its own.
        company=_name(billing.get("company")) if billing else _name(home.get("company")),
        phone=first_text(order.get("phone"), account.get("phone"), billing.get("phone")),
        tax_number=tax_number(order),
        tax_exempt=True if _is_exempt(order, account) else None,
        reverse_charge=True if _is_reverse_charge(order, account) else None,
        language=text(order.get("customer_locale")),
    )


def address(value: object) -> dict[str, Any] | None:
    """Give an address; None where nothing is known of it."""
    row = mapping(value)
    names = f"{text(row.get('first_name'))} {text(row.get('last_name'))}"
    country = first_text(row.get("country_code"), row.get("country"))
    found = told(
        name=_name(row.get("name"), names),
        company=_name(row.get("company")),
        street=_name(row.get("address1")),
        street2=_name(row.get("address2")),
        postal_code=text(row.get("zip")),
        city=_name(row.get("city")),
        state=_name(row.get("province"), row.get("province_code")),
        country=country.upper() if _COUNTRY.fullmatch(country) else None,
        phone=text(row.get("phone")),
    )
    return found or None


def tax_number(order: Row) -> str:
    """Find a tax number: in the order's localized fields, its note attributes, or the customer's metafields."""
    return next((value for value in _tax_numbers(order) if _TAX_NUMBER.fullmatch(value)), "")


def _tax_numbers(order: Row) -> Iterator[str]:
    for name in ("localized_fields", "localization_extensions"):
        for row in rows(order.get(name)):
            if text(row.get("purpose")).upper() == "TAX":
                yield text(row.get("value"))
    for row in rows(order.get("note_attributes")):
        if _names_tax_number(row.get("name")):
            yield text(row.get("value"))
    for row in rows(mapping(order.get("customer")).get("metafields")):
        if _names_tax_number(row.get("key")):
            yield text(row.get("value"))


def _names_tax_number(value: object) -> bool:
    words = re.sub(r"[\W_]+", " ", text(value).lower().replace("é", "e")).strip()
    return _TAX_NUMBER_NAME.fullmatch(words) is not None


def _email(order: Row, account: Row) -> str:
    emails = (order.get("email"), order.get("contact_email"), account.get("email"))
    return first_text(*emails, characters_max=NAME_CHARACTERS_MAX)


def _name(*values: object) -> str:
    return first_text(*values, characters_max=NAME_CHARACTERS_MAX)


def _is_exempt(order: Row, account: Row) -> bool:
    """An account may have become exempt after the order, so it counts only where no tax was charged."""
    return order.get("tax_exempt") is True or (account.get("tax_exempt") is True and _is_untaxed(order))


def _is_reverse_charge(order: Row, account: Row) -> bool:
    exemptions = account.get("tax_exemptions")
    return isinstance(exemptions, list) and _REVERSE_CHARGE in exemptions and _is_untaxed(order)


def _is_untaxed(order: Row) -> bool:
    return (money(order, "total_tax") or _ZERO) == 0
