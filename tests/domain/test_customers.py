"""Who the invoice is made out to: the contact's data, who is the same, and which contact is chosen."""

from dataclasses import replace
from typing import Any

import pytest

from consumer.domain import customer_changes
from consumer.domain.customer_choice import Choice, Known, NeedsCreate, NeedsRead, NeedsUpdate, choose
from consumer.domain.customers import customer_data, customer_key, email_key, name_key, name_with_suffix
from consumer.domain.ledger import Contact, ContactData
from consumer.domain.mailboxes import mailbox
from consumer.domain.orders import Address, Customer, Order
from consumer.domain.settings import NameMatch
from consumer.domain.states import Reason, ReasonCode
from tests.domain.order_building import line, order

PERSON = Customer(id="42", email="anna@example.com", name="Anna Maria Berg")
BY_NAME = NameMatch.WITHOUT_EMAIL


def of(customer: Customer, **more: Any) -> Order:
    """Give an order of this customer."""
    return order([line("1", "10")], "12.20", customer=customer, **more)


def data_of(customer: Customer, **more: Any) -> ContactData:
    """Give the contact data of this customer."""
    return customer_data(of(customer, **more))


def contact(contact_id: str, name: str = "Anna Maria Berg", email: str = "anna@example.com", **more: Any) -> Contact:
    """Give a contact as a list tells it."""
    return Contact(contact_id=contact_id, name=name, email=email, **more)


def choice(
    customer: Customer,
    *candidates: Contact,
    linked: Contact | None = None,
    match: NameMatch = BY_NAME,
    update: bool = True,
) -> Choice:
    """Choose among these contacts."""
    given = of(customer)
    data = customer_data(given)
    return choose(given, data, candidates=candidates, linked=linked, match=match, update=update)


# ---- data ------------------------------------------------------------------------------------------------------------


def test_a_person_is_named_by_the_person_and_a_company_by_the_company() -> None:
    """The last word is the last name where the shop does not tell the two apart."""
    person = data_of(PERSON)
    assert (person.name, person.first_name, person.last_name, person.is_business) == (
        "Anna Maria Berg",
        "Anna Maria",
        "Berg",
        False,
    )
    firm = data_of(replace(PERSON, company="Berg & Co."))
    assert (firm.name, firm.company, firm.last_name, firm.is_business) == ("Berg & Co.", "Berg & Co.", "Berg", True)


@pytest.mark.parametrize(
    ("customer", "more", "name"),
    [
        (Customer(first_name="Anna", last_name="Berg"), {}, "Anna Berg"),
        (Customer(), {"billing_address": Address(company="Berg AG", name="Anna")}, "Berg AG"),
        (Customer(), {"billing_address": Address(name="Anna")}, "Anna"),
        (Customer(), {"shipping_address": Address(name="Ola")}, "Ola"),
        (Customer(email="info@example.com"), {}, "info"),
        (Customer(), {}, "Guest 1001"),
        (Customer(name=" \t<Anna>\x00 "), {}, "\u2039Anna\u203a"),
        (Customer(name="山田太郎"), {}, "山田太郎"),
    ],
)
def test_a_guest_is_named_by_what_there_is(customer: Customer, more: dict[str, Any], name: str) -> None:
    """Name, else company, else the addresses' names, else the e-mail's local part, else the order's number."""
    assert data_of(customer, **more).name == name


def test_long_texts_are_cut_and_an_e_mail_never_is() -> None:
    """A cut address would be another mailbox: it goes to the notes whole."""
    long = "a" * 95 + "@example.com"
    data = data_of(Customer(name="n" * 250, email=long, phone="1" * 60))
    assert (len(data.name), data.email, data.phone) == (200, "", "")
    assert data.notes.splitlines() == [f"E-mail: {long}", f"Phone: {'1' * 60}", f"Name: {'n' * 250}"]


def test_the_suffix_keeps_the_name_within_its_limit_and_each_attempt_differs() -> None:
    """The shop's customer id behind the name; later the order's own id as well."""
    data = data_of(replace(PERSON, name="n" * 250))
    names = [name_with_suffix(data, of(PERSON), attempt).name for attempt in (1, 2, 3)]
    assert names[0].endswith(" (42)")
    assert names[1].endswith(" (42, shop/1001)")
    assert (len(set(names)), {len(name) for name in names}) == (3, {200})
    assert name_with_suffix(data_of(Customer(name="A")), of(Customer())).name == "A (1001)"


# ---- who is the same -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("email", "key"),
    [
        (" Anna@Example.COM ", "anna@example.com"),
        ("<anna@example.com>", "anna@example.com"),
        ("mailto:anna@example.com", "anna@example.com"),
        ("anna@bücher.example", "anna@xn--bcher-kva.example"),
        ("anna@XN--BCHER-KVA.example", "anna@xn--bcher-kva.example"),
        ("anna", ""),
        ("", ""),
        ("a@b@example.com", ""),
        ("anna@example", ""),
    ],
)
def test_e_mails_are_one_mailbox_whatever_their_case_spaces_and_idn(email: str, key: str) -> None:
    """What is no address gives no key, so that no two nobodies are merged."""
    assert email_key(email) == key


def test_different_mailboxes_are_never_merged() -> None:
    """Dots and plus signs tell mailboxes apart; the local part's case is written as it came."""
    keys = {email_key(email) for email in ("a.b@example.com", "ab@example.com", "ab+x@example.com")}
    assert len(keys) == 3
    assert mailbox("Anna@Example.com") == "Anna@example.com"


def test_names_are_the_same_over_case_spacing_and_unicode_form() -> None:
    """An accent that is composed or not is the same; another letter is not."""
    assert name_key(" Jos\u00e9  Ruiz") == name_key("JOSE\u0301 ruiz")
    assert name_key("Jose Ruiz") != name_key("José Ruiz")


def test_the_customers_key_is_mailbox_then_id_then_name_then_the_order() -> None:
    """Ids and names count within their shop."""
    keys = [
        customer_key(of(each)) for each in (PERSON, replace(PERSON, email=""), Customer(name="Anna Berg"), Customer())
    ]
    assert keys == ["email:anna@example.com", "id:shop/42", "name:shop/anna berg", "order:shop/1001"]


def differs(have: ContactData, want: ContactData) -> bool:
    """Compare with a contact that has these data."""
    whole = Contact(contact_id="1", name=have.name, email=have.email, data=have)
    return customer_changes.differs(whole, want)


def test_only_what_the_order_tells_is_compared() -> None:
    """An empty wish never blanks a field; name, language, currency and notes are never a reason."""
    have = ContactData(name="Anna (7)", phone="1", tax_number="IT1", notes="x", language="it", currency="EUR")
    assert not differs(have, ContactData(name="Anna", language="de", currency="USD", notes="y"))
    assert differs(have, ContactData(name="Anna", phone="2"))
    assert differs(have, ContactData(name="Anna", billing=Address(city="Rome")))


def test_the_ledgers_way_of_keeping_an_address_is_no_difference() -> None:
    """One street line, a country spelled out, the company as receiver: all read back otherwise than written."""
    want = ContactData(
        name="A", billing=Address(company="Berg AG", street="Hauptstr.", house_number="5", country="DE", city="Ulm")
    )
    have = ContactData(name="A", billing=Address(name="Berg AG", street="Hauptstr. 5", country="Germany", city="Ulm"))
    assert not differs(have, want)
    assert differs(have, replace(want, billing=replace(want.billing, house_number="6")))
    assert differs(replace(have, billing=replace(have.billing, country="AT")), want)


# ---- the choice ------------------------------------------------------------------------------------------------------


def known(contact_id: str, **more: Any) -> Contact:
    """Give a contact that was read whole, with the data of the person."""
    return contact(contact_id, data=data_of(PERSON), **more)


def test_the_stored_link_comes_first() -> None:
    """Even where others have the e-mail."""
    assert choice(PERSON, known("2"), known("3"), linked=known("1")) == Known(contact=known("1"), same=True)


def test_a_link_to_an_inactive_contact_is_looked_up_again() -> None:
    """Somebody made it inactive: the e-mail decides."""
    assert choice(PERSON, known("2"), linked=known("1", active=False)) == Known(contact=known("2"), same=True)


def test_a_contact_that_was_only_listed_is_read_first() -> None:
    """In the index but never read: one read."""
    assert choice(PERSON, contact("2")) == NeedsRead(contact_id="2")


def test_e_mail_beats_name_and_vendors_and_inactive_ones_do_not_count() -> None:
    """The name's contact is another one; of the e-mail's only the active customer counts."""
    candidates = (known("1", email="ANNA@example.com"), known("2", active=False), known("3", is_customer=False))
    named = contact("4", email="")
    assert choice(PERSON, *candidates, named) == Known(contact=candidates[0], same=True)


def test_several_of_one_e_mail_park_with_the_candidates_and_without_personal_data() -> None:
    """A person merges them; the group carries a hash and no address."""
    reason = choice(PERSON, known("1"), known("2"))
    assert isinstance(reason, Reason)
    assert reason.code is ReasonCode.CUSTOMER_AMBIGUOUS
    assert "1, 2" in reason.message
    assert "anna" not in reason.group + reason.message


@pytest.mark.parametrize(
    ("match", "ours", "theirs", "taken"),
    [
        (NameMatch.NEVER, "", "", False),
        (NameMatch.WITHOUT_EMAIL, "", "other@example.com", True),
        (NameMatch.WITHOUT_EMAIL, "anna@example.com", "", True),
        (NameMatch.WITHOUT_EMAIL, "anna@example.com", "other@example.com", False),
        (NameMatch.ALWAYS, "anna@example.com", "other@example.com", True),
    ],
)
def test_name_alone_joins_only_under_the_shops_setting(match: NameMatch, ours: str, theirs: str, taken: bool) -> None:  # noqa: FBT001 a table's column
    """``without_email``: the order or the contact has none."""
    made = choice(replace(PERSON, email=ours), contact("1", email=theirs), match=match)
    assert isinstance(made, NeedsRead) is taken
    assert isinstance(made, NeedsCreate) is not taken


def test_a_name_that_was_made_up_for_a_guest_joins_nobody() -> None:
    """``info@…`` must not be taken for a contact that is called info."""
    assert isinstance(choice(Customer(email="info@example.com"), contact("1", name="info", email="")), NeedsCreate)


def test_several_of_one_name_park() -> None:
    """Name is no way to choose between two."""
    made = choice(replace(PERSON, email=""), contact("1", email=""), contact("2", email=""))
    assert isinstance(made, Reason)


def test_data_that_differ_are_written_unless_the_shop_says_never() -> None:
    """With the setting off the contact is taken as it is, and said to differ."""
    old = replace(known("1"), data=replace(data_of(PERSON), last_name="Klein"))
    made = choice(PERSON, old)
    assert isinstance(made, NeedsUpdate)
    assert (made.contact, made.data.last_name) == (old, "Berg")
    assert choice(PERSON, old, update=False) == Known(contact=old, same=False)


def test_nobody_known_is_created() -> None:
    """A candidate of another e-mail and another name is nobody."""
    assert choice(PERSON, contact("1", name="Otto", email="otto@example.com")) == NeedsCreate(data=data_of(PERSON))
