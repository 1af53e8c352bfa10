"""Who the invoice is made out to: the customer's data from an order, and the keys under which two are the same."""

import unicodedata
from collections.abc import Iterator
from dataclasses import replace

from consumer.domain.ledger import Contact, ContactData
from consumer.domain.mailboxes import email_key, mailbox
from consumer.domain.orders import Address, Order
from consumer.domain.settings import DefaultCustomerFor, ShopSettings
from consumer.domain.tax_numbers import compact_tax_number, tax_key
from consumer.domain.texts import cut, cut_with_hash, one_line, several_lines

NAME_CHARACTERS = 200
COMPANY_CHARACTERS = 200
PERSON_NAME_CHARACTERS = 100
EMAIL_CHARACTERS = 100
PHONE_CHARACTERS = 50
TAX_NUMBER_CHARACTERS = 12
_STREET_CHARACTERS = 400
_HOUSE_NUMBER_CHARACTERS = 50
_STREET2_CHARACTERS = 255
_PLACE_CHARACTERS = 100
_POSTAL_CODE_CHARACTERS = 50
NOTES_CHARACTERS = 5000
_THIRD_NAME = 3

__all__ = [
    "contact_tax_key",
    "customer_data",
    "customer_key",
    "default_customer_note",
    "email_key",
    "is_named",
    "name_key",
    "name_with_suffix",
    "order_tax_key",
    "served_by_default",
]


# ---- the shop's default customer ------------------------------------------------------------------------------------


def served_by_default(order: Order, shop: ShopSettings) -> bool:
    """Tell whether the order is booked under the shop's default customer: a guest's, or every order, by the setting.

    A guest is who has neither a customer id in the shop nor an e-mail address.
    """
    if not shop.default_customer_id:
        return False
    if shop.default_customer_for is DefaultCustomerFor.ALL:
        return True
    return not order.customer.id.strip() and not mailbox(order.customer.email)


def default_customer_note(order: Order, shop: ShopSettings) -> tuple[str, ...]:
    """Give the lines that name the buyer in the notes of an invoice made out to the default customer; else none."""
    if not served_by_default(order, shop):
        return ()
    customer = order.customer
    names = dict.fromkeys(name for name in (_company(order), _person(order)) if name)
    number = one_line(customer.tax_number)
    words = (*names, mailbox(customer.email), f"VAT number {number}" if number else "")
    told = ", ".join(word for word in words if word)
    return (f"Customer: {told}",) if told else ()


# ---- the data of an order's customer ------------------------------------------------------------------------------


def customer_data(order: Order) -> ContactData:
    """Give what is written of the customer, within the ledger's field limits.

    The name is the company's, else the person's (the customer's, else of the addresses), else the e-mail's local
    part, else ``Guest`` with the order's number. What had to be cut stands whole in the notes where there is room. An
    e-mail address or a VAT number that is too long is not cut, which would make it another: it stands in the notes.
    """
    company, person = _company(order), _person(order)
    first, last = _first_and_last(order, person)
    email = mailbox(order.customer.email)
    number = compact_tax_number(order.customer.tax_number)
    return ContactData(
        name=cut(company or person or _without_name(order), NAME_CHARACTERS),
        company=cut(company, COMPANY_CHARACTERS),
        is_business=bool(company),
        email=email if len(email) <= EMAIL_CHARACTERS else "",
        first_name=cut(first, PERSON_NAME_CHARACTERS),
        last_name=cut(last, PERSON_NAME_CHARACTERS),
        phone=_phone(order.customer.phone or order.billing_address.phone),
        tax_number=number if len(number) <= TAX_NUMBER_CHARACTERS else "",
        language=order.customer.language.strip().replace("_", "-").lower(),
        billing=_address(order.billing_address),
        shipping=_address(order.shipping_address),
        currency=order.currency,
        notes=cut("\n".join(_too_long(order)), NOTES_CHARACTERS),
    )


def _too_long(order: Order) -> Iterator[str]:
    """Give a line for each text that its field has no room for."""
    company, person = _company(order), _person(order)
    first, last = _first_and_last(order, person)
    phone = one_line(order.customer.phone or order.billing_address.phone)
    number = one_line(order.customer.tax_number)
    email = mailbox(order.customer.email)
    told = (
        ("E-mail", email, len(email) > EMAIL_CHARACTERS),
        ("VAT number", number, len(compact_tax_number(number)) > TAX_NUMBER_CHARACTERS),
        ("Phone", phone, len(phone) > PHONE_CHARACTERS),
        ("Company", company, len(company) > COMPANY_CHARACTERS),
        ("Name", person, len(person) > NAME_CHARACTERS or max(len(first), len(last)) > PERSON_NAME_CHARACTERS),
    )
    yield from (f"{label}: {text}" for label, text, long in told if long)
    for label, address in (("Billing address", order.billing_address), ("Shipping address", order.shipping_address)):
        if _address(address) != _address(address, whole=True):
            yield several_lines(f"{label}: {', '.join(_words(address))}")


def _words(address: Address) -> Iterator[str]:
    parts = (
        address.name,
        address.company,
        f"{address.street} {address.house_number}",
        address.street2,
        f"{address.postal_code} {address.city}",
        address.state,
        address.country,
        address.phone,
    )
    return (part for part in map(one_line, parts) if part)


def _company(order: Order) -> str:
    return one_line(order.customer.company) or one_line(order.billing_address.company)


def _person(order: Order) -> str:
    customer = order.customer
    parts = (customer.name, f"{customer.first_name} {customer.last_name}")
    places = (order.billing_address.name, order.shipping_address.name)
    return next((name for name in map(one_line, (*parts, *places)) if name), "")


def _without_name(order: Order) -> str:
    local = mailbox(order.customer.email).partition("@")[0]
    return local or one_line(f"Guest {order.number or order.key.order_id}")


def _first_and_last(order: Order, person: str) -> tuple[str, str]:
    first, last = one_line(order.customer.first_name), one_line(order.customer.last_name)
    if first or last:
        return first, last
    if not person or person == _company(order):
        return "", ""
    head, _, tail = person.rpartition(" ")
    return (head, tail) if head else (person, "")


def _phone(text: str) -> str:
    # A number that is cut is another number: one that does not fit is left out.
    phone = one_line(text)
    return phone if len(phone) <= PHONE_CHARACTERS else ""


def _address(address: Address, *, whole: bool = False) -> Address:
    def fitted(text: str, limit: int) -> str:
        return one_line(text) if whole else cut(one_line(text), limit)

    return Address(
        name=fitted(address.name, _PLACE_CHARACTERS),
        company=fitted(address.company, COMPANY_CHARACTERS),
        street=fitted(address.street, _STREET_CHARACTERS),
        house_number=fitted(address.house_number, _HOUSE_NUMBER_CHARACTERS),
        street2=fitted(address.street2, _STREET2_CHARACTERS),
        postal_code=fitted(address.postal_code, _POSTAL_CODE_CHARACTERS),
        city=fitted(address.city, _PLACE_CHARACTERS),
        state=fitted(address.state, _PLACE_CHARACTERS),
        country=address.country.strip().upper(),
        phone=one_line(address.phone) if whole else _phone(address.phone),
    )


def name_with_suffix(data: ContactData, order: Order, attempt: int = 1) -> ContactData:
    """Give the data under a name that is free: the shop's customer id behind it, else the e-mail, else the number.

    From the second attempt on the order's own id comes behind that, so that no name is tried twice.
    """
    mark = one_line(order.customer.id or data.email or order.number or order.key.order_id)
    if attempt > 1:
        mark = f"{mark}, {order.key.shop_id}/{order.key.order_id}"
    if attempt >= _THIRD_NAME:
        mark = f"{mark}, {attempt}"
    suffix = f" ({cut_with_hash(mark, NAME_CHARACTERS // 2)})"
    return replace(data, name=cut(data.name, NAME_CHARACTERS - len(suffix)) + suffix)


# ---- who is the same -----------------------------------------------------------------------------------------------


def name_key(name: str) -> str:
    """Give the key under which two names are exactly the same: case, spacing and Unicode form are passed over."""
    return unicodedata.normalize("NFC", one_line(name)).casefold()


def customer_key(order: Order) -> str:
    """Name the customer of an order: its mailbox, else the shop's customer id, else the name, else this order alone.

    The key names who must not be made twice at once; a shop's ids and names count within that shop only.
    """
    email = email_key(order.customer.email)
    if email:
        return f"email:{email}"
    shop_id = order.key.shop_id
    if order.customer.id:
        return f"id:{shop_id}/{order.customer.id}"
    name = name_key(_company(order) or _person(order))
    return f"name:{shop_id}/{name}" if name else f"order:{order.key}"


def is_named(order: Order) -> bool:
    """Tell whether the order itself names its buyer; else the contact's name is one that we made up."""
    return bool(_company(order) or _person(order))


def order_tax_key(order: Order) -> str:
    """Give the key of the buyer's VAT number; empty where there is none."""
    return tax_key(order.customer.tax_number, order.billing_address.country)


def contact_tax_key(contact: Contact) -> str:
    """Give the key of a contact's VAT number; empty where there is none, or where it was never read whole."""
    return "" if contact.data is None else tax_key(contact.data.tax_number, contact.data.billing.country)
