"""A contact's fields: read from a request over what is there."""

from collections.abc import Mapping
from typing import Any

from sandbox.zoho import checks, customfields
from sandbox.zoho.calls import Call, invalid, rule
from sandbox.zoho.currencies import currency_by_id
from sandbox.zoho.store import Document

ADDRESS: dict[str, int | None] = {
    "attention": 100,
    "address": 500,
    "street2": 255,
    "city": 100,
    "state": 100,
    "state_code": 100,
    "zip": 50,
    "country": 100,
    "country_code": 100,
    "phone": 50,
    "fax": 50,
}
"""An address's fields and how long they may be."""

PERSON: dict[str, int | None] = {
    "salutation": 25,
    "first_name": 100,
    "last_name": 100,
    "email": 100,
    "phone": 50,
    "mobile": 50,
    "designation": 100,
    "department": 50,
    "skype": 50,
}
"""A contact person's fields and how long they may be."""

_TEXTS: dict[str, int | None] = {
    "company_name": 200,
    "contact_number": 200,
    "payment_terms_label": 200,
    "website": None,
    "notes": None,
    "facebook": 100,
    "twitter": 100,
    "tax_id": 100,
    "tax_reg_no": 100,
    "country_code": 100,
    "vat_treatment": 100,
    "tax_treatment": 100,
    "gst_no": 100,
    "gst_treatment": 100,
    "place_of_contact": 100,
    "tax_exemption_id": 100,
    "tax_authority_id": 100,
}
_CHOICES = {
    "contact_type": {"customer", "vendor"},
    "customer_sub_type": {"individual", "business"},
    "language_code": {"", "de", "en", "es", "fr", "it", "ja", "nl", "pt", "pt_br", "sv", "zh", "en_gb"},
}
_NAME_MAX = 200
_VAT_NUMBER = range(2, 13)
_DECLARED = frozenset(
    {*_TEXTS, *_CHOICES, "contact_name", "vat_reg_no", "currency_id", "payment_terms", "credit_limit", "is_taxable"}
    | {"contact_persons", "billing_address", "shipping_address", "custom_fields", "tags", "default_templates"}
    | {"opening_balances", "tax_exemption_code", "ignore_auto_number_generation", "is_portal_enabled", "track_1099"}
)


def blank_contact(call: Call) -> dict[str, Any]:
    """Give a contact before anything is known of it."""
    return {
        "contact_name": "",
        "contact_type": "customer",
        "customer_sub_type": "business",
        "currency_id": call.organization.currency_id,
        "currency_code": call.organization.currency_code,
        "payment_terms": 0,
        "payment_terms_label": "Due on Receipt",
        "status": "active",
        "persons": [],
        "billing_address": blank_address(call),
        "shipping_address": blank_address(call),
        "addresses": [],
        "entity_address_id": call.ids.take(),
        "custom_values": {},
    }


def blank_address(call: Call) -> dict[str, Any]:
    """Give an address without anything in it but its id."""
    return dict.fromkeys([*ADDRESS, "county", "latitude", "longitude"], "") | {"address_id": call.ids.take()}


def read_contact(call: Call, given: Mapping[str, Any], contact: dict[str, Any]) -> None:
    """Lay the fields of a request over a contact; what the request does not name is kept."""
    checks.undeclared(given, _DECLARED)
    if "contact_name" in given or not contact["contact_name"]:
        contact["contact_name"] = _name(call, given)
    contact |= checks.texts(call, given, _TEXTS)
    for name, choices in _CHOICES.items():
        if name in given:
            contact[name] = _choice(call, given, name, choices)
    if given.get("vat_reg_no"):
        contact["vat_reg_no"] = checks.text(call, given, "vat_reg_no", _VAT_NUMBER.stop - 1)
        if len(contact["vat_reg_no"]) not in _VAT_NUMBER:
            raise invalid("vat_reg_no")
    contact["payment_terms"] = checks.whole(given, "payment_terms", int(contact["payment_terms"]))
    _read_currency(call, given, contact)
    for name in ("billing_address", "shipping_address"):
        if isinstance(given.get(name), dict):
            contact[name] = contact[name] | checks.texts(call, given[name], ADDRESS)
    if "contact_persons" in given:
        contact["persons"] = _read_persons(call, given, contact["persons"])
    contact["custom_values"] = customfields.read(call, given, contact["custom_values"])
    copy_primary(contact)


def _name(call: Call, given: Mapping[str, Any]) -> str:
    name = checks.text(call, given, "contact_name", _NAME_MAX).strip()
    if not name:
        raise rule(3013, "Enter a valid name for the contact.")
    return name


def _choice(call: Call, given: Mapping[str, Any], name: str, choices: set[str]) -> str:
    value = checks.text(call, given, name)
    if value not in choices:
        raise invalid(name)
    return value


def _read_currency(call: Call, given: Mapping[str, Any], contact: dict[str, Any]) -> None:
    currency_id = checks.text(call, given, "currency_id")
    if not currency_id:
        return
    currency = currency_by_id(call, currency_id)
    if currency is None:
        raise rule(9004, "The currency does not exist in this organization.")
    contact["currency_id"], contact["currency_code"] = currency_id, currency.body["currency_code"]


def _read_persons(call: Call, given: Mapping[str, Any], kept: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Read the whole list of persons: whoever is not in it any more is removed, and so is what is not said of one.

    That fields left out are emptied is the harder of the two readings of Zoho's pages: who sends them is right in both.
    """
    known = {person["contact_person_id"]: person for person in kept}
    persons = [
        read_person(call, one, _emptied(known.get(checks.text(call, one, "contact_person_id"))))
        for one in checks.objects(given, "contact_persons")
    ]
    choose_primary(persons)
    return persons


def _emptied(kept: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if kept is None:
        return None
    return dict.fromkeys(PERSON, "") | {"contact_person_id": kept["contact_person_id"], "is_primary_contact": False}


def read_person(call: Call, given: Mapping[str, Any], kept: Mapping[str, Any] | None) -> dict[str, Any]:
    """Read one contact person, over the one that is there."""
    blank = dict.fromkeys(PERSON, "") | {"is_primary_contact": False}
    person: dict[str, Any] = dict(kept) if kept is not None else blank | {"contact_person_id": call.ids.take()}
    person |= checks.texts(call, given, PERSON)
    if isinstance(given.get("communication_preference"), dict):
        person["communication_preference"] = dict(given["communication_preference"])
    if person["email"] and "@" not in person["email"]:
        raise invalid("email")
    person["is_primary_contact"] = checks.flag(given, "is_primary_contact", default=person["is_primary_contact"])
    return person


def choose_primary(persons: list[dict[str, Any]]) -> None:
    """See to it that exactly one person is the primary one: the last that says so, else the first."""
    chosen = next((one for one in reversed(persons) if one["is_primary_contact"]), persons[0] if persons else None)
    for one in persons:
        one["is_primary_contact"] = one is chosen


def copy_primary(contact: dict[str, Any]) -> None:
    """Copy the primary person's data to the contact, where lists and filters look for them."""
    primary: dict[str, Any] = next((one for one in contact["persons"] if one["is_primary_contact"]), {})
    for name in ("first_name", "last_name", "email", "phone", "mobile", "designation", "department"):
        contact[name] = primary.get(name, "")
    contact["contact_salutation"] = primary.get("salutation", "")
    contact["primary_contact_id"] = primary.get("contact_person_id", "")


def check_name_is_free(call: Call, document: Document) -> None:
    """Refuse a name that another contact has, with code 3062. Customers and vendors share one space of names."""
    exact = call.switch("contact_name_uniqueness") == "exact"
    name = document.body["contact_name"]
    column, wanted = ("name", name) if exact else ("name_key", name.casefold())
    other = call.store.first("contact", document.organization_id, f"{column} = ? AND id <> ?", wanted, document.id)
    if other is not None:
        raise rule(3062, f'The customer "{name}" already exists. Please specify a different name.')
