"""Which contact of the ledger the customer of an order is: found, to be read, to be changed, or to be made.

The ladder: the stored link, the e-mail address, the VAT number, the name (under the shop's setting). Each rung counts
active customers only. Where several stand on one rung the VAT number decides among them, then the exact name; where
that leaves several, a person has to.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from consumer.domain.customer_changes import changed, differs
from consumer.domain.customers import contact_tax_key, customer_key, email_key, is_named, name_key, order_tax_key
from consumer.domain.ledger import Contact, ContactData
from consumer.domain.orders import Order
from consumer.domain.settings import NameMatch, ShopSettings
from consumer.domain.states import Reason, ReasonCode

_CANDIDATES_SHOWN = 5
CANDIDATES_READ_MAX = 5  # calls that a tie is worth

Narrowing = Callable[[Contact], bool]


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


def choose(
    order: Order,
    data: ContactData,
    *,
    candidates: Sequence[Contact],
    linked: Contact | None,
    match: NameMatch,
    update: bool,
) -> Choice:
    """Choose the contact by the ladder of this module.

    ``candidates`` is what the index found by e-mail, VAT number and name; each is verified here. Several on one rung
    that nothing tells apart park the order with the candidates.
    """
    if linked is not None and _may_buy(linked):
        return _settled(linked, data, update=update)
    unique = {contact.contact_id: contact for contact in candidates if _may_buy(contact)}
    key, number = email_key(order.customer.email), order_tax_key(order)
    rungs: tuple[tuple[str, Narrowing], ...] = (
        ("e-mail", lambda contact: bool(key) and email_key(contact.email) == key),
        ("VAT number", lambda contact: bool(number) and contact_tax_key(contact) == number),
        ("name", lambda contact: _same_name(order, data, contact, match)),
    )
    for rung, stands in rungs:
        if found := [contact for contact in unique.values() if stands(contact)]:
            return _one_of(order, data, found, rung, update=update)
    return NeedsCreate(data=data)


def _may_buy(contact: Contact) -> bool:
    return contact.active and contact.is_customer


def _same_name(order: Order, data: ContactData, contact: Contact, match: NameMatch) -> bool:
    """Tell whether name alone makes it the customer; a name that we made up for a guest never does.

    Two VAT numbers are two companies, whatever they are called.
    """
    if match is NameMatch.NEVER or not is_named(order):
        return False
    if match is NameMatch.WITHOUT_EMAIL and order.customer.email.strip() and contact.email.strip():
        return False
    numbers = {number for number in (order_tax_key(order), contact_tax_key(contact)) if number}
    return len(numbers) < 2 and name_key(contact.name) == name_key(data.name)  # noqa: PLR2004 two numbers


def _one_of(order: Order, data: ContactData, found: Sequence[Contact], rung: str, *, update: bool) -> Choice:
    """Choose among the contacts of one rung: by VAT number, then by exact name or company."""
    if len(found) == 1:
        return _settled(found[0], data, update=update)
    number = order_tax_key(order)
    unread = [contact for contact in found if contact.data is None]
    if number and unread and len(found) <= CANDIDATES_READ_MAX:
        # Lists tell no VAT numbers: only the contact itself does.
        return NeedsRead(contact_id=unread[0].contact_id)
    names = {name_key(data.name), name_key(data.company)} - {""} if is_named(order) else set()
    narrowings: tuple[Narrowing, ...] = (
        lambda contact: bool(number) and contact_tax_key(contact) == number,
        lambda contact: bool(names & {name_key(contact.name), name_key(contact.company)}),
    )
    for fits in narrowings:
        found = [contact for contact in found if fits(contact)] or found
    return _settled(found[0], data, update=update) if len(found) == 1 else _ambiguous(order, found, rung)


def _settled(contact: Contact, data: ContactData, *, update: bool) -> Choice:
    if contact.data is None:
        return NeedsRead(contact_id=contact.contact_id)
    same = not differs(contact, data)
    if same or not update:
        return Known(contact=contact, same=same)
    return NeedsUpdate(contact=contact, data=changed(contact, data))


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


# ---- the shop's default customer ------------------------------------------------------------------------------------


def default_customer_group(shop_id: str, contact_id: str) -> str:
    """Name the group of orders that wait for this contact to be one that may buy; contacts.sql knows it too."""
    return f"{ReasonCode.DEFAULT_CUSTOMER_MISSING.value}:{shop_id}:{contact_id}"


def choose_default(shop: ShopSettings, contact: Contact | None) -> Known | NeedsRead:
    """Take the shop's default customer where the index has it as one who may buy; else it has to be read."""
    if contact is not None and _may_buy(contact):
        return Known(contact=contact)
    return NeedsRead(contact_id=shop.default_customer_id)


def default_missing(shop: ShopSettings, contact: Contact | None) -> Reason:
    """Say why nothing can be booked under the default customer, which was read just now; None: it does not exist."""
    contact_id = shop.default_customer_id
    if contact is None:
        fault = "does not exist in the ledger"
    else:
        fault = "is a vendor and no customer" if not contact.is_customer else "is inactive in the ledger"
    return Reason(
        code=ReasonCode.DEFAULT_CUSTOMER_MISSING,
        message=f"The shop's default customer, contact {contact_id}, {fault}.",
        fix="Make that contact an active customer, or name another as default_customer in shops.yaml and apply it.",
        group_key=default_customer_group(shop.shop_id, contact_id),
    )
