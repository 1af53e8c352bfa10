"""The ladder of the customer: VAT number, ties of one e-mail or name, and the shop's default customer."""

from dataclasses import replace
from typing import Any

import pytest

from consumer.domain.customer_choice import (
    Choice,
    Known,
    NeedsCreate,
    NeedsRead,
    choose,
    choose_default,
    default_missing,
)
from consumer.domain.customers import customer_data, default_customer_note, served_by_default
from consumer.domain.ledger import Contact, ContactData
from consumer.domain.orders import Address, Customer, Order
from consumer.domain.settings import DefaultCustomerFor, NameMatch
from consumer.domain.states import Reason, ReasonCode
from consumer.domain.tax_numbers import tax_key
from tests.domain.order_building import SHOP, line, order

FIRM = Customer(id="42", email="office@example.com", company="Berg GmbH", tax_number="DE 811.569-869")
GERMANY = Address(country="DE")


def of(customer: Customer, billing: Address = GERMANY) -> Order:
    """Give an order of this customer."""
    return order([line("1", "10")], "12.20", customer=customer, billing_address=billing)


def whole(contact_id: str, name: str = "Berg GmbH", email: str = "", tax_number: str = "", **more: Any) -> Contact:
    """Give a contact that was read whole."""
    data = ContactData(name=name, email=email, tax_number=tax_number, billing=GERMANY)
    return Contact(contact_id=contact_id, name=name, email=email, data=data, **more)


def listed(contact_id: str, name: str = "Berg GmbH", email: str = "", **more: Any) -> Contact:
    """Give a contact that is known from a list."""
    return Contact(contact_id=contact_id, name=name, email=email, **more)


def choice(customer: Customer, *candidates: Contact, match: NameMatch = NameMatch.WITHOUT_EMAIL) -> Choice:
    """Choose among these, without updates."""
    given = of(customer)
    return choose(given, customer_data(given), candidates=candidates, linked=None, match=match, update=False)


def chosen(made: Choice) -> str:
    """Give the contact that was chosen."""
    assert isinstance(made, Known), made
    return made.contact.contact_id


# ---- VAT numbers -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "country", "key"),
    [
        ("DE 811.569-869", "", "DE811569869"),
        ("de811569869", "AT", "DE811569869"),
        ("811 569 869", "DE", "DE811569869"),
        ("811569869", "", "811569869"),
        ("U12345678", "AT", "ATU12345678"),
        ("GR123456789", "", "EL123456789"),
        ("123456789", "GR", "EL123456789"),
        ("CHE-123.456.788 MWST", "", "CHE123456788"),
        ("00000000000", "IT", ""),
        ("n/a", "IT", ""),
        ("", "IT", ""),
    ],
)
def test_a_vat_number_is_one_however_it_is_written(number: str, country: str, key: str) -> None:
    """Spaces, dots, dashes, case and the country in front; what stands for none is none."""
    assert tax_key(number, country) == key


def test_the_vat_number_finds_the_company_under_another_mailbox() -> None:
    """Somebody else of the same company ordered: e-mail and name tell nothing, the number does."""
    assert chosen(choice(FIRM, whole("1", "Berg", "boss@example.com", "811569869"))) == "1"
    other = choice(FIRM, whole("1", "Berg", "boss@example.com", "811569868"))
    assert isinstance(other, NeedsCreate)


def test_the_e_mail_comes_before_the_vat_number_and_that_before_the_name() -> None:
    """Three contacts, one on each rung; then without the first; then without the second."""
    rungs = (
        whole("3", "Berg GmbH"),
        whole("2", "Other", "boss@example.com", "DE811569869"),
        whole("1", "Third", "OFFICE@example.com"),
    )
    assert [chosen(choice(FIRM, *rungs[:n])) for n in (3, 2, 1)] == ["1", "2", "3"]


def test_a_name_with_another_vat_number_is_another_company() -> None:
    """Two companies may have one name; nothing is booked on the wrong one."""
    made = choice(FIRM, whole("1", tax_number="DE129273398"), match=NameMatch.ALWAYS)
    assert isinstance(made, NeedsCreate)


# ---- ties ------------------------------------------------------------------------------------------------------------


def test_of_two_contacts_with_one_e_mail_the_vat_number_decides() -> None:
    """Although the other one has the exact name."""
    two = (whole("1", "Berg GmbH", FIRM.email), whole("2", "Berg", FIRM.email, "DE811569869"))
    assert chosen(choice(FIRM, *two)) == "2"


def test_of_two_contacts_with_one_e_mail_the_exact_name_decides_next() -> None:
    """Or the exact company; case and spacing are passed over."""
    by_name = (whole("1", "Other", FIRM.email), whole("2", "BERG  gmbh", FIRM.email))
    assert chosen(choice(FIRM, *by_name)) == "2"
    by_company = (whole("1", "Other", FIRM.email), whole("2", "Eva", FIRM.email, company="Berg GmbH"))
    assert chosen(choice(FIRM, *by_company)) == "2"


def test_contacts_that_were_only_listed_are_read_before_a_tie_is_decided() -> None:
    """Lists tell no VAT numbers; without one the name decides at once, and more than five are not read."""
    two = (listed("1", "Berg", FIRM.email), listed("2", "Berg GmbH", FIRM.email))
    assert choice(FIRM, *two) == NeedsRead(contact_id="1")
    assert choice(replace(FIRM, tax_number=""), *two) == NeedsRead(contact_id="2")
    six = [listed(str(n), f"Berg {n}", FIRM.email) for n in range(6)]
    assert isinstance(choice(FIRM, *six), Reason)


def test_a_tie_that_nothing_decides_parks_with_the_candidates() -> None:
    """Two of one e-mail and one name, none or both with the number."""
    made = choice(FIRM, whole("1", email=FIRM.email), whole("2", email=FIRM.email))
    assert isinstance(made, Reason)
    assert (made.code, "1, 2" in made.message) == (ReasonCode.CUSTOMER_AMBIGUOUS, True)
    both = (whole("1", "A", FIRM.email, "DE811569869"), whole("2", "B", FIRM.email, "DE811569869"))
    assert isinstance(choice(FIRM, *both), Reason)


@pytest.mark.parametrize("unfit", [{"active": False}, {"is_customer": False}])
def test_inactive_contacts_and_vendors_stand_on_no_rung(unfit: dict[str, bool]) -> None:
    """E-mail, number and name all agree, and still nothing is booked on them."""
    made = choice(FIRM, whole("1", "Berg GmbH", FIRM.email, "DE811569869", **unfit), match=NameMatch.ALWAYS)
    assert isinstance(made, NeedsCreate)


# ---- the default customer --------------------------------------------------------------------------------------------

GUEST = Customer(name="Ada Guest")
DEFAULT = replace(SHOP, default_customer_id="900")
FOR_ALL = replace(DEFAULT, default_customer_for=DefaultCustomerFor.ALL)


def test_guests_are_who_have_neither_an_id_nor_an_e_mail() -> None:
    """With ``all`` everybody is served by it; without a default customer nobody."""
    asked = [GUEST, replace(GUEST, id="7"), replace(GUEST, email="a@example.com"), replace(GUEST, email="none")]
    assert [served_by_default(of(one), DEFAULT) for one in asked] == [True, False, False, True]
    assert [served_by_default(of(one), FOR_ALL) for one in asked] == [True] * 4
    assert not served_by_default(of(GUEST), SHOP)


def test_the_default_customer_is_taken_as_it_is_and_never_changed() -> None:
    """Known from a list is enough; unknown, inactive and vendors are read first."""
    known = listed("900", "Counter sales")
    assert choose_default(DEFAULT, known) == Known(contact=known)
    for unfit in (None, replace(known, active=False), replace(known, is_customer=False)):
        assert choose_default(DEFAULT, unfit) == NeedsRead(contact_id="900")


@pytest.mark.parametrize(
    ("contact", "words"),
    [
        (None, "does not exist"),
        (listed("900", active=False), "is inactive"),
        (listed("900", is_customer=False), "is a vendor"),
    ],
)
def test_a_default_customer_that_cannot_be_used_parks_one_group_per_shop(contact: Contact | None, words: str) -> None:
    """The message says which contact and why."""
    reason = default_missing(DEFAULT, contact)
    assert (reason.code, reason.group) == (
        ReasonCode.DEFAULT_CUSTOMER_MISSING,
        "default_customer_missing:shop:900",
    )
    assert words in reason.message
    assert "900" in reason.message


def test_the_buyer_stands_in_the_notes_of_the_default_customers_invoice() -> None:
    """Company, person, mailbox and VAT number; a customer of one's own needs no such line."""
    told = replace(FIRM, name="Ada Berg", email=" Office@Example.com ")
    assert default_customer_note(of(told), FOR_ALL) == (
        "Customer: Berg GmbH, Ada Berg, Office@example.com, VAT number DE 811.569-869",
    )
    assert default_customer_note(of(told), DEFAULT) == ()
    assert default_customer_note(of(Customer()), DEFAULT) == ()
