"""Who the invoice is made out to: the contact's data from an order, and which contact of the ledger it is."""

import hashlib
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace

from consumer.domain.ledger import Contact, ContactData
from consumer.domain.mailboxes import email_key, mailbox
from consumer.domain.orders import Address, Order
from consumer.domain.settings import NameMatch, ShopSettings
from consumer.domain.states import Reason, ReasonCode
from consumer.domain.texts import cut, cut_with_hash, one_line

NAME_CHARACTERS = 200
COMPANY_CHARACTERS = 200
PERSON_NAME_CHARACTERS = 100
EMAIL_CHARACTERS = 100
PHONE_CHARACTERS = 50
TAX_NUMBER_CHARACTERS = 100
_STREET_CHARACTERS = 400
_HOUSE_NUMBER_CHARACTERS = 50
_STREET2_CHARACTERS = 255
_PLACE_CHARACTERS = 100
_POSTAL_CODE_CHARACTERS = 50
_COUNTRY_LETTERS = 2
_CANDIDATES_SHOWN = 5

__all__ = [
    "Choice",
    "Known",
    "NeedsCreate",
    "NeedsRead",
    "NeedsUpdate",
    "choose",
    "customer_data",
    "customer_key",
    "differs",
    "email_key",
    "name_key",
    "name_with_suffix",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """This contact, as it is. ``same`` tells that its data are the order's; else they differ and stay."""

    contact: Contact
    same: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class NeedsRead:
    """This contact, but it has never been read whole: read it, then choose again."""

    contact_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NeedsUpdate:
    """This contact, whose data differ: write these."""

    contact: Contact
    data: ContactData


@dataclass(frozen=True, slots=True, kw_only=True)
class NeedsCreate:
    """Nobody in the ledger is this customer: make a contact."""

    data: ContactData


Choice = Known | NeedsRead | NeedsUpdate | NeedsCreate | Reason


# ---- the data of an order's customer ------------------------------------------------------------------------------


def customer_data(order: Order, shop: ShopSettings) -> ContactData:  # noqa: ARG001 a shop's default customer comes with its setting
    """Give what is written of the customer, within the ledger's field limits.

    The name is the company's, else the person's (the customer's, else of the addresses), else the e-mail's local
    part, else ``Guest`` with the order's number. An e-mail of more than 100 characters is not cut, which would make
    it another mailbox: it stands in the notes.
    """
    company, person = _company(order), _person(order)
    first, last = _first_and_last(order, person)
    email = mailbox(order.customer.email)
    fits = len(email) <= EMAIL_CHARACTERS
    return ContactData(
        name=cut(company or person or _without_name(order), NAME_CHARACTERS),
        company=cut(company, COMPANY_CHARACTERS),
        is_business=bool(company),
        email=email if fits else "",
        first_name=cut(first, PERSON_NAME_CHARACTERS),
        last_name=cut(last, PERSON_NAME_CHARACTERS),
        phone=_phone(order.customer.phone or order.billing_address.phone),
        tax_number=cut(one_line(order.customer.tax_number), TAX_NUMBER_CHARACTERS),
        language=order.customer.language.strip().replace("_", "-").lower(),
        billing=_address(order.billing_address),
        shipping=_address(order.shipping_address),
        currency=order.currency,
        notes="" if fits else f"E-mail: {email}",
    )


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


def _address(address: Address) -> Address:
    return Address(
        name=cut(one_line(address.name), _PLACE_CHARACTERS),
        company=cut(one_line(address.company), COMPANY_CHARACTERS),
        street=cut(one_line(address.street), _STREET_CHARACTERS),
        house_number=cut(one_line(address.house_number), _HOUSE_NUMBER_CHARACTERS),
        street2=cut(one_line(address.street2), _STREET2_CHARACTERS),
        postal_code=cut(one_line(address.postal_code), _POSTAL_CODE_CHARACTERS),
        city=cut(one_line(address.city), _PLACE_CHARACTERS),
        state=cut(one_line(address.state), _PLACE_CHARACTERS),
        country=address.country.strip().upper(),
        phone=_phone(address.phone),
    )


def name_with_suffix(data: ContactData, order: Order, attempt: int = 1) -> ContactData:
    """Give the data under a name that is free: the shop's customer id behind it, else the e-mail, else the number.

    From the second attempt on the order's own id comes behind that, so that no name is tried twice.
    """
    mark = one_line(order.customer.id or data.email or order.number or order.key.order_id)
    if attempt > 1:
        mark = f"{mark}, {order.key.shop_id}/{order.key.order_id}" + (f", {attempt}" if attempt > 2 else "")  # noqa: PLR2004 the third name
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


def differs(have: ContactData, want: ContactData) -> bool:
    """Tell whether the ledger's data are to be brought up to date.

    Only what we write and only what the order tells is compared: a field that the order leaves empty never empties
    one that a person filled in. The display name (people may choose another, and it may carry a suffix), the
    language and the currency (fixed once there are documents) are written at the beginning and never a reason.
    """
    fields = ("company", "first_name", "last_name", "phone", "tax_number")
    if any(_told_otherwise(getattr(have, field), getattr(want, field)) for field in fields):
        return True
    if want.email and email_key(have.email) != email_key(want.email):
        return True
    return _address_differs(have.billing, want.billing) or _address_differs(have.shipping, want.shipping)


def _told_otherwise(have: str, want: str) -> bool:
    return bool(want) and " ".join(have.split()) != " ".join(want.split())


def _address_differs(have: Address, want: Address) -> bool:
    if _told_otherwise(f"{have.street} {have.house_number}", f"{want.street} {want.house_number}".strip()):
        return True
    # The ledger has one field for who receives it; a country that it spells out cannot be compared with two letters.
    if _told_otherwise(have.name or have.company, want.name or want.company):
        return True
    if len(have.country) <= _COUNTRY_LETTERS and _told_otherwise(have.country.upper(), want.country):
        return True
    fields = ("street2", "postal_code", "city", "state", "phone")
    return any(_told_otherwise(getattr(have, field), getattr(want, field)) for field in fields)


# ---- the choice ----------------------------------------------------------------------------------------------------


def choose(
    order: Order,
    data: ContactData,
    *,
    candidates: Sequence[Contact],
    linked: Contact | None,
    match: NameMatch,
    update: bool,
) -> Choice:
    """Choose the contact: the stored link's, else the one of this e-mail, else the one of exactly this name, else new.

    ``candidates`` is what the index found by e-mail key and by name key; each is verified here, and only active
    customers count. Several of one e-mail or of one name park the order with the candidates.
    """
    if linked is not None and _may_buy(linked):
        return _settled(linked, data, update=update)
    unique = {contact.contact_id: contact for contact in candidates if _may_buy(contact)}
    key = email_key(data.email)
    by_email = [contact for contact in unique.values() if key and email_key(contact.email) == key]
    found = by_email or [contact for contact in unique.values() if _same_name(order, data, contact, match)]
    if len(found) > 1:
        return _ambiguous(order, found, "e-mail" if by_email else "name")
    return _settled(found[0], data, update=update) if found else NeedsCreate(data=data)


def _may_buy(contact: Contact) -> bool:
    return contact.active and contact.is_customer


def _same_name(order: Order, data: ContactData, contact: Contact, match: NameMatch) -> bool:
    """Tell whether name alone makes it the customer; a name that we made up for a guest never does."""
    if match is NameMatch.NEVER or not (_company(order) or _person(order)):
        return False
    if match is NameMatch.WITHOUT_EMAIL and order.customer.email.strip() and contact.email.strip():
        return False
    return name_key(contact.name) == name_key(data.name)


def _settled(contact: Contact, data: ContactData, *, update: bool) -> Choice:
    if contact.data is None:
        return NeedsRead(contact_id=contact.contact_id)
    same = not differs(contact.data, data)
    if same or not update:
        return Known(contact=contact, same=same)
    # The display name stays: people may have chosen it, it may carry a suffix, and another could be taken.
    return NeedsUpdate(contact=contact, data=replace(data, name=contact.name))


def _ambiguous(order: Order, found: Sequence[Contact], by: str) -> Reason:
    listed = ", ".join(contact.contact_id for contact in found[:_CANDIDATES_SHOWN])
    more = "" if len(found) <= _CANDIDATES_SHOWN else f" and {len(found) - _CANDIDATES_SHOWN} more"
    # The group must not carry personal data: it stands in metrics and pages.
    digest = hashlib.sha256(customer_key(order).encode("utf-8", "surrogatepass")).hexdigest()[:12]
    return Reason(
        code=ReasonCode.CUSTOMER_AMBIGUOUS,
        message=f"{len(found)} active customers of the ledger have the order's {by}: {listed}{more}.",
        fix="Merge them in the ledger, or make all but one inactive.",
        group_key=f"customer_ambiguous:{digest}",
    )
