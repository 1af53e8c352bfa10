"""Whether a contact of the ledger is to be brought up to date, with what, and which of its persons is meant.

A change never empties what a person has filled in, and never takes a contact person away: somebody else at the same
company is added beside those that are there.
"""

from collections.abc import Sequence
from dataclasses import replace

from consumer.domain.ledger import Contact, ContactData, ContactPerson
from consumer.domain.mailboxes import email_key
from consumer.domain.orders import Address
from consumer.domain.tax_numbers import compact_tax_number
from consumer.domain.texts import one_line

_COUNTRY_LETTERS = 2
_PLACE = ("street", "house_number", "street2", "postal_code", "city", "state", "country")


def person_of(data: ContactData, persons: Sequence[ContactPerson]) -> ContactPerson | None:
    """Find whom the data are about; None: nobody that is there, so that somebody has to be added.

    Whoever has the e-mail address; else who has the name, where one of the two has no address; else, where the data
    name nobody, the primary person; else a person without name and address.
    """
    by_rank = sorted(persons, key=lambda person: not person.primary)
    key, name = email_key(data.email), _name(data.first_name, data.last_name)
    if key and (same := next((one for one in by_rank if email_key(one.email) == key), None)):
        return same
    if not key and not name:
        return next(iter(by_rank), None)
    for one in by_rank:
        if name and name == _name(one.first_name, one.last_name) and not (key and one.email):
            return one
    return next((one for one in by_rank if not one.email and not _name(one.first_name, one.last_name)), None)


def _name(first: str, last: str) -> str:
    return one_line(f"{first} {last}").casefold()


def differs(contact: Contact, want: ContactData) -> bool:
    """Tell whether the ledger's data are to be brought up to date; ``contact`` was read whole.

    Only what we write and only what the order tells is compared. The display name (people may choose another, and it
    may carry a suffix), the kind of customer, the notes, the language and the currency (fixed once there are
    documents) are written at the beginning and never a reason.
    """
    have = contact.data or ContactData(name=contact.name)
    if _told_otherwise(have.company, want.company) or _other_number(have.tax_number, want.tax_number):
        return True
    if _person_differs(contact, have, want):
        return True
    return _address_differs(have.billing, want.billing) or _address_differs(have.shipping, want.shipping)


def _person_differs(contact: Contact, have: ContactData, want: ContactData) -> bool:
    as_told = ContactPerson(first_name=have.first_name, last_name=have.last_name, email=have.email, phone=have.phone)
    person = person_of(want, contact.persons or (as_told,))
    if person is None:
        return True
    if want.email and email_key(person.email) != email_key(want.email):
        return True
    if _told_otherwise(person.first_name, want.first_name) or _told_otherwise(person.last_name, want.last_name):
        return True
    return _told_otherwise(person.phone, want.phone) and _told_otherwise(person.mobile, want.phone)


def _told_otherwise(have: str, want: str) -> bool:
    return bool(want) and " ".join(have.split()) != " ".join(want.split())


def _other_number(have: str, want: str) -> bool:
    # The ledger gives a number back as it was typed there.
    return bool(want) and compact_tax_number(have) != compact_tax_number(want)


def _address_differs(have: Address, want: Address) -> bool:
    # The ledger has one field for who receives it; a country that it spells out cannot be compared with two letters.
    if _told_otherwise(have.name or have.company, want.name or want.company):
        return True
    return _other_place(have, want) or any(
        _told_otherwise(getattr(have, field), getattr(want, field)) for field in ("street2", "state", "phone")
    )


def _other_place(have: Address, want: Address) -> bool:
    if _told_otherwise(f"{have.street} {have.house_number}", f"{want.street} {want.house_number}".strip()):
        return True
    if len(have.country) <= _COUNTRY_LETTERS and _told_otherwise(have.country.upper(), want.country):
        return True
    return any(_told_otherwise(getattr(have, field), getattr(want, field)) for field in ("postal_code", "city"))


def changed(contact: Contact, want: ContactData) -> ContactData:
    """Give what to write over the contact: the order's data, and where the order is silent the contact's own.

    The display name stays: people may have chosen it, it may carry a suffix, and another could be taken. The notes
    stay as well, they are people's.
    """
    have = contact.data or ContactData(name=contact.name)
    return replace(
        want,
        name=contact.name,
        notes="",
        billing=_moved(have.billing, want.billing),
        shipping=_moved(have.shipping, want.shipping),
    )


def _moved(have: Address, want: Address) -> Address:
    """Fill the gaps of an address: all of them at the same place; of another place the old parts do not stay."""
    if want == Address():
        return want
    gaps = [field for field in ("name", "company", "phone") if not getattr(want, field)]
    if want.name or want.company:
        gaps = [field for field in gaps if field == "phone"]
    if not _other_place(have, want):
        gaps += [field for field in _PLACE if not getattr(want, field)]
        if want.street:
            # The ledger keeps both in one field: its street has the number in it.
            gaps = [field for field in gaps if field != "house_number"]
    return replace(want, **{field: getattr(have, field) for field in gaps})
