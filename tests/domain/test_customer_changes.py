"""A contact is changed only where the order tells otherwise; nothing that people filled in and nobody is lost."""

from dataclasses import replace

import pytest

from consumer.domain.customer_changes import changed, differs, person_of
from consumer.domain.ledger import Contact, ContactData, ContactPerson
from consumer.domain.orders import Address

HOME = Address(
    name="Ada", street="Weg 1", street2="2nd floor", postal_code="10115", city="Berlin", country="DE", phone="1"
)
EVE = ContactPerson(first_name="Eve", email="eve@example.com", phone="7", primary=True, person_id="1")
ADA = ContactPerson(first_name="Ada", last_name="Berg", email="ada@example.com", person_id="2")
DATA = ContactData(name="Berg", company="Berg", email="eve@example.com", first_name="Eve", phone="7", billing=HOME)
BERG = Contact(contact_id="9", name="Berg", email="eve@example.com", data=DATA, persons=(EVE, ADA))


@pytest.mark.parametrize(
    ("want", "who"),
    [
        (ContactData(name="x", email="ADA@example.com", first_name="A."), "2"),
        (ContactData(name="x", first_name="ada", last_name="BERG"), "2"),
        (ContactData(name="x", phone="5"), "1"),
        (ContactData(name="x", email="new@example.com", first_name="Ada", last_name="Berg"), ""),
        (ContactData(name="x", first_name="Otto"), ""),
    ],
)
def test_the_person_meant_is_found_by_mailbox_then_by_name(want: ContactData, who: str) -> None:
    """Whoever names nobody means the primary person; somebody new is nobody that is there."""
    person = person_of(want, BERG.persons)
    assert ("" if person is None else person.person_id) == who


def test_a_person_without_address_and_name_takes_them() -> None:
    """And one of the same name takes the address that was missing."""
    blank = ContactPerson(phone="1", person_id="3")
    assert person_of(ContactData(name="x", email="new@example.com"), (EVE, blank)) == blank
    nameless = replace(ADA, email="")
    wanted = ContactData(name="x", email="new@example.com", first_name="Ada", last_name="Berg")
    assert person_of(wanted, (EVE, nameless)) == nameless


def test_another_person_of_the_company_is_a_difference_once() -> None:
    """Ada is there, though not the primary person: nothing differs. Otto is not: he is added."""
    ada = ContactData(name="Berg", email="ada@example.com", first_name="Ada", last_name="Berg")
    assert not differs(BERG, ada)
    assert differs(BERG, replace(ada, email="otto@example.com", first_name="Otto"))
    assert differs(BERG, replace(ada, last_name="Klein"))


def test_a_number_that_is_the_persons_mobile_is_no_difference() -> None:
    """People enter it where it belongs."""
    mobile = replace(BERG, persons=(replace(EVE, phone="", mobile="7"),))
    assert not differs(mobile, ContactData(name="Berg", phone="7"))
    assert differs(mobile, ContactData(name="Berg", phone="8"))


def test_a_vat_number_written_otherwise_is_no_difference() -> None:
    """Else every order would write the contact again."""
    have = replace(BERG, data=replace(DATA, tax_number="DE 811 569 869"))
    assert not differs(have, ContactData(name="Berg", tax_number="DE811569869"))
    assert differs(have, ContactData(name="Berg", tax_number="DE811569868"))


def test_at_the_same_place_what_the_order_leaves_out_stays() -> None:
    """Only the receiver changes: the second line and the phone are still there."""
    wanted = Address(name="Ada Berg", street="Weg", house_number="1", postal_code="10115", city="Berlin", country="DE")
    assert changed(BERG, ContactData(name="x", billing=wanted)).billing == replace(
        wanted, street2="2nd floor", phone="1"
    )


def test_of_another_place_nothing_old_stays_but_who_and_the_phone() -> None:
    """Berlin's second floor would be wrong in Rome."""
    wanted = Address(street="Via 2", postal_code="00100", city="Roma", country="IT")
    assert changed(BERG, ContactData(name="x", billing=wanted)).billing == replace(wanted, name="Ada", phone="1")


def test_name_notes_and_untold_addresses_are_left_alone() -> None:
    """They are people's."""
    made = changed(BERG, ContactData(name="Other", notes="E-mail: x", company="Berg"))
    assert (made.name, made.notes, made.shipping) == ("Berg", "", Address())
