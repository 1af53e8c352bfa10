"""From what we want to the bodies that Zoho takes, within its limits.

A create sends only what says something. An update also sends the empty values, because Zoho keeps what is not sent
and a discount that is gone must not stay.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from consumer.adapters.zoho import limits
from consumer.adapters.zoho.countries import country_name
from consumer.domain.customer_changes import person_of
from consumer.domain.ledger import ContactData, ContactPerson, InvoiceDraft, InvoiceLine
from consumer.domain.orders import Address
from consumer.domain.tax_numbers import compact_tax_number
from consumer.errors import RefusedError

Body = dict[str, Any]

ZERO = Decimal(0)


def contact_body(data: ContactData, *, currency_ids: Mapping[str, str]) -> Body:
    """Write a new contact: a customer with one person where there is somebody or an address to write to."""
    person = _person_body(data, ContactPerson())
    body = _contact_fields(data) | _currency(data.currency, currency_ids) | {"contact_type": "customer"}
    language = _language(data.language)
    body |= {"language_code": language} if language else {}
    return body | ({"contact_persons": [person | {"is_primary_contact": True}]} if person else {})


def contact_change_body(data: ContactData, persons: tuple[ContactPerson, ...]) -> Body:
    """Write the change of a contact; every person it has is sent again, because Zoho removes those left out.

    Currency and language are not sent: the one is fixed once there are documents, the other is no field of a change.
    Nor is it made a private person again: somebody may have said that it is a company.
    """
    target = person_of(data, persons)
    kept = [_kept_person(person, data if person is target else None) for person in persons]
    if target is None and (added := _person_body(data, ContactPerson())):
        kept.append(added | {"is_primary_contact": not persons})
    fields = _contact_fields(data)
    if not data.is_business:
        del fields["customer_sub_type"]
    return fields | ({"contact_persons": kept} if kept else {})


def invoice_body(draft: InvoiceDraft, *, currency_ids: Mapping[str, str]) -> Body:
    """Write a new draft invoice. Raises RefusedError where it cannot be written within Zoho's rules."""
    body = _invoice_fields(draft, currency_ids) | {"line_items": [_line(line, n) for n, line in enumerate(draft.lines)]}
    body |= {name: value for name, value in _words(draft).items() if value}
    body |= _custom_fields(draft, with_empty=False)
    if draft.number:
        body["invoice_number"] = limits.whole(draft.number, limits.INVOICE_NUMBER, "invoice number")
    if draft.discount:
        body |= _document_discount(draft)
    elif any(line.discount for line in draft.lines):
        body |= {"discount_type": "item_level", "is_discount_before_tax": draft.discount_before_tax}
    if draft.adjustment:
        body |= _adjustment(draft)
    return body | ({"notes": limits.cut(draft.notes, limits.NOTES)} if draft.notes else {})


def invoice_change_body(draft: InvoiceDraft, line_ids: tuple[str, ...], *, currency_ids: Mapping[str, str]) -> Body:
    """Write the whole draft over an existing one. Lines with an id are kept in place, others are made, the rest goes.

    Raises RefusedError where there are more ids than lines: it would not be known which lines are meant.
    """
    if len(line_ids) > len(draft.lines):
        raise RefusedError(f"{len(line_ids)} line ids for {len(draft.lines)} lines of {draft.reference}", 0, None)
    ids = line_ids + ("",) * (len(draft.lines) - len(line_ids))
    lines = [
        _kept_line(line, n, line_id) if line_id else _line(line, n)
        for n, (line, line_id) in enumerate(zip(draft.lines, ids, strict=True))
    ]
    discount = _line_discounts(draft) if any(line.discount for line in draft.lines) else _document_discount(draft)
    body = _invoice_fields(draft, currency_ids) | {"line_items": lines} | discount | _adjustment(draft)
    words = {name: value for name, value in _words(draft).items() if value is not None}
    if words.get("payment_terms_label") == "":
        # The label of other terms must not stay; an empty one would be nobody's.
        words["payment_terms_label"] = _usual_label(draft.payment_terms)
    return body | words | _custom_fields(draft, with_empty=True) | {"notes": limits.cut(draft.notes, limits.NOTES)}


def credit_note_body(draft: InvoiceDraft, *, currency_ids: Mapping[str, str]) -> Body:
    """Write a new credit note: an invoice's lines and head, without what only an invoice has (due date, terms).

    Its lines keep the order of the list: ``item_order`` is described for invoices alone.
    """
    body = invoice_body(draft, currency_ids=currency_ids)
    for line in body["line_items"]:
        line.pop("item_order", None)
    for name in ("due_date", "payment_terms", "payment_terms_label", "salesperson_name", "invoice_number"):
        body.pop(name, None)
    return body


def _contact_fields(data: ContactData) -> Body:
    body: Body = {
        "contact_name": limits.whole(data.name, limits.CONTACT_NAME, "contact name"),
        "customer_sub_type": "business" if data.is_business else "individual",
        "company_name": limits.cut(data.company, limits.COMPANY_NAME),
        "notes": limits.cut(data.notes, limits.NOTES),
        "vat_reg_no": _vat_number(data.tax_number),
        "billing_address": _address(data.billing),
        "shipping_address": _address(data.shipping),
    }
    return {name: value for name, value in body.items() if value}


def _vat_number(text: str) -> str:
    # The field takes 2 to 12 characters; a longer number is no VAT number of the editions that have the field.
    number = compact_tax_number(text)
    return number if limits.VAT_NUMBER_MIN <= len(number) <= limits.VAT_NUMBER else ""


def _language(text: str) -> str:
    wanted = text.strip().lower().replace("-", "_")
    return next((code for code in (wanted, wanted.split("_", maxsplit=1)[0]) if code in limits.LANGUAGES), "")


def _address(address: Address) -> Body:
    body = {
        "attention": limits.cut(address.name or address.company, limits.ATTENTION),
        "address": limits.cut(_street(address), limits.STREET),
        "street2": limits.cut(address.street2, limits.STREET2),
        "city": limits.cut(address.city, limits.CITY),
        "state": limits.cut(address.state, limits.STATE),
        "zip": limits.cut(address.postal_code, limits.ZIP_CODE),
        "country": limits.cut(country_name(address.country), limits.COUNTRY),
        "phone": limits.cut(address.phone, limits.PHONE),
    }
    # An address is written whole or not at all, so that no town stays behind from the one before.
    return body if any(body.values()) else {}


def _street(address: Address) -> str:
    return " ".join(part for part in (address.street, address.house_number) if part)


def _person_body(data: ContactData, person: ContactPerson) -> Body:
    body = {
        "first_name": limits.cut(data.first_name or person.first_name, limits.PERSON_NAME),
        "last_name": limits.cut(data.last_name or person.last_name, limits.PERSON_NAME),
        "email": _email(data.email or person.email),
        "phone": limits.cut(data.phone or person.phone, limits.PHONE),
    }
    return {name: value for name, value in body.items() if value}


def _email(text: str) -> str:
    # A cut address is somebody else's: rather none.
    return text if len(text) <= limits.EMAIL else ""


def _kept_person(person: ContactPerson, data: ContactData | None) -> Body:
    """Write a person that is there again, with every field it has: what is left out would be emptied."""
    wanted = data or ContactData(name="")
    if person.mobile and wanted.phone == person.mobile:
        wanted = replace(wanted, phone=person.phone)
    others = {name: json.loads(value) for name, value in person.others}
    mobile = {"mobile": person.mobile} if person.mobile else {}
    kept = {"contact_person_id": person.person_id, "is_primary_contact": person.primary}
    return others | mobile | kept | _person_body(wanted, person)


def _invoice_fields(draft: InvoiceDraft, currency_ids: Mapping[str, str]) -> Body:
    body: Body = {
        "customer_id": limits.whole(draft.contact_id, limits.REFERENCE, "contact id"),
        "reference_number": limits.whole(draft.reference, limits.REFERENCE, "reference"),
        "date": draft.issued_on.isoformat(),
        "due_date": draft.due_on.isoformat(),
        "payment_terms": draft.payment_terms,
        "is_inclusive_tax": draft.tax_inclusive,
    }
    if draft.exchange_rate is not None:
        body["exchange_rate"] = draft.exchange_rate
    known = {**currency_ids, draft.currency: draft.currency_id} if draft.currency_id else currency_ids
    return body | _currency(draft.currency, known)


def _words(draft: InvoiceDraft) -> dict[str, str | None]:
    """Give the texts that a shop may have settings for; None where it has none, so that the ledger's own stay."""
    cut = {
        "payment_terms_label": (draft.payment_terms_label, limits.TERMS_LABEL),
        "terms": (draft.terms, limits.TERMS),
        "salesperson_name": (draft.salesperson, limits.SALESPERSON),
    }
    words = {name: None if text is None else limits.cut(text, limit) for name, (text, limit) in cut.items()}
    return words | {"template_id": draft.template_id or None}


def _usual_label(days: int) -> str:
    return f"Net {days}" if days else "Due on Receipt"


def _custom_fields(draft: InvoiceDraft, *, with_empty: bool) -> Body:
    """The unique field comes first and is never one of the others: they are the shop's, it is ours."""
    unique = {draft.unique_field: draft.unique_key} if draft.unique_field and draft.unique_key else {}
    others = {name: value for name, value in draft.custom_fields if (value or with_empty) and name not in unique}
    rows = [{"api_name": name, "value": value} for name, value in unique.items()]
    rows += [{"api_name": name, "value": limits.cut(value, limits.CUSTOM_FIELD)} for name, value in others.items()]
    return {"custom_fields": rows} if rows else {}


def _currency(code: str, currency_ids: Mapping[str, str]) -> Body:
    # The id is what the interface describes; the code is taken in practice, for when the id has not been seen yet.
    if not code:
        return {}
    return {"currency_id": currency_ids[code]} if code in currency_ids else {"currency_code": code}


def _document_discount(draft: InvoiceDraft) -> Body:
    if any(line.discount for line in draft.lines) and draft.discount:
        raise RefusedError(
            f"invoice {draft.reference} has discounts both on lines and as a whole; Zoho Books takes one kind only",
            0,
            None,
        )
    return {
        "discount": draft.discount,
        "discount_type": "entity_level",
        "is_discount_before_tax": draft.discount_before_tax,
    }


def _line_discounts(draft: InvoiceDraft) -> Body:
    return _document_discount(draft) | {"discount_type": "item_level"}


def _adjustment(draft: InvoiceDraft) -> Body:
    label = limits.cut(draft.adjustment_label, limits.ADJUSTMENT_LABEL)
    return {"adjustment": draft.adjustment} | ({"adjustment_description": label} if label else {})


def _kept_line(line: InvoiceLine, order: int, line_id: str) -> Body:
    # What a kept line is not sent, it keeps: a tax or a discount that is gone has to be emptied.
    empty = {"line_item_id": line_id, "name": "", "description": "", "unit": "", "tax_id": "", "discount": ZERO}
    return empty | _line(line, order)


def _line(line: InvoiceLine, order: int) -> Body:
    body: Body = {
        "item_order": order + 1,
        "name": limits.cut(line.name, limits.LINE_NAME),
        "description": limits.cut(line.description, limits.LINE_DESCRIPTION),
        "quantity": line.quantity,
        "rate": line.rate,
        "unit": limits.cut(line.unit, limits.UNIT),
        "tax_id": line.tax_id or "",
        "item_id": line.item_id or "",
        "account_id": line.account_id or "",
        "discount": line.discount,
    }
    always = {"item_order", "quantity", "rate"}
    return {name: value for name, value in body.items() if value or name in always}
