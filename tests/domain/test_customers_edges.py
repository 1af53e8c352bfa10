"""The edges of a customer: limits to the character, what is told whole in the notes, who is chosen, what moves."""

import hashlib
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from consumer.domain.customer_changes import changed, differs, person_of
from consumer.domain.customer_choice import Known, NeedsRead, choose, default_missing
from consumer.domain.customers import contact_tax_key, customer_data, name_with_suffix
from consumer.domain.dates import Moments, issued_day
from consumer.domain.ledger import Contact, ContactData, ContactPerson
from consumer.domain.orders import Address, Customer, Order
from consumer.domain.settings import InvoiceDate, NameMatch
from consumer.domain.states import Reason, ReasonCode
from tests.domain.order_building import SHOP, line, order
from tests.domain.test_customer_changes import BERG, DATA, EVE, HOME

FULL = Address(
    name=" Ada  Berg ",
    company="Berg",
    street="Weg",
    house_number="1a",
    street2="2nd floor",
    postal_code="10115",
    city="Berlin",
    state="BE",
    country=" de ",
    phone="+49 30",
)


def of(customer: Customer, **more: object) -> Order:
    """Give an order of this customer."""
    return order([line("1", "10")], "12.20", customer=customer, **more)


def test_all_that_an_order_tells_of_its_customer_is_written() -> None:
    """One line each, the country and the language as the ledger takes them."""
    buyer = Customer(
        email="ada@example.com", company="Berg", name="Ada Berg", tax_number="DE 811.569", language=" de_AT "
    )
    home = replace(FULL, name="Ada Berg", country="DE")
    assert customer_data(of(buyer, billing_address=FULL, shipping_address=replace(FULL, city="Rom"))) == ContactData(
        name="Berg",
        company="Berg",
        is_business=True,
        email="ada@example.com",
        first_name="Ada",
        last_name="Berg",
        phone="+49 30",
        tax_number="DE811569",
        language="de-at",
        billing=home,
        shipping=replace(home, city="Rom"),
        currency="EUR",
    )
    assert customer_data(of(replace(buyer, phone="7"), billing_address=FULL)).phone == "7"


@pytest.mark.parametrize(
    ("customer", "field", "kept", "notes"),
    [
        (Customer(email="a" * 88 + "@example.com"), "email", "a" * 88 + "@example.com", ""),
        (Customer(email="a" * 89 + "@example.com"), "email", "", f"E-mail: {'a' * 89}@example.com"),
        (Customer(tax_number="DE-1234567890"), "tax_number", "DE1234567890", ""),
        (Customer(tax_number="DE 12345678901"), "tax_number", "", "VAT number: DE 12345678901"),
        (Customer(phone="1" * 50), "phone", "1" * 50, ""),
        (Customer(phone="1" * 51), "phone", "", f"Phone: {'1' * 51}"),
        (Customer(company="c" * 200), "company", "c" * 200, ""),
        (Customer(company="c" * 201), "company", "c" * 199 + "\u2026", f"Company: {'c' * 201}"),
        (Customer(name="n" * 100), "first_name", "n" * 100, ""),
        (Customer(name="n" * 101), "first_name", "n" * 100, f"Name: {'n' * 101}"),
        (
            Customer(first_name="a", last_name="n" * 101),
            "last_name",
            "n" * 99 + "\u2026",
            f"Name: a {'n' * 101}",
        ),
    ],
)
def test_a_text_fits_its_field_or_stands_whole_in_the_notes(
    customer: Customer, field: str, kept: str, notes: str
) -> None:
    """What would be another when it is cut is left out: an address, a number, a phone."""
    data = customer_data(of(customer))
    expected = kept if field != "first_name" or len(notes) == 0 else "n" * 99 + "\u2026"
    assert (getattr(data, field), data.notes) == (expected, notes)


def test_an_address_that_does_not_fit_stands_whole_in_the_notes() -> None:
    """Each part in its order; one that fits is not repeated."""
    long = replace(FULL, street="s" * 401, state="")
    data = customer_data(of(Customer(name="Ada"), billing_address=long, shipping_address=FULL))
    assert data.billing.street == "s" * 399 + "\u2026"
    assert data.notes == f"Billing address: Ada Berg, Berg, {'s' * 401} 1a, 2nd floor, 10115 Berlin, de, +49 30"
    other = customer_data(of(Customer(name="Ada"), shipping_address=replace(FULL, phone="1" * 51)))
    assert other.shipping.phone == ""
    assert other.notes.startswith("Shipping address: Ada Berg, Berg, Weg 1a, ")


@pytest.mark.parametrize(
    ("field", "limit"),
    [
        ("name", 100),
        ("company", 200),
        ("street", 400),
        ("house_number", 50),
        ("street2", 255),
        ("postal_code", 50),
        ("city", 100),
        ("state", 100),
    ],
)
def test_each_part_of_an_address_has_its_own_limit(field: str, limit: int) -> None:
    """To the character."""
    for length in (limit, limit + 1):
        address = Address(**{field: "x" * length})
        data = customer_data(of(Customer(name="Ada"), shipping_address=address))
        assert len(getattr(data.shipping, field)) == limit
        assert bool(data.notes) is (length > limit)


def test_a_name_that_is_taken_is_told_apart_by_what_names_the_customer() -> None:
    """The shop's id, the e-mail, the number, the order's own id."""
    data = ContactData(name="Ada")
    assert name_with_suffix(data, of(Customer(id="42"))).name == "Ada (42)"
    assert name_with_suffix(data, of(Customer())).name == "Ada (1001)"
    assert name_with_suffix(data, of(Customer(), number="")).name == "Ada (1001)"
    nameless = replace(of(Customer()), number="", key=of(Customer()).key._replace(order_id="77"))
    assert name_with_suffix(data, nameless).name == "Ada (77)"
    assert name_with_suffix(data, of(Customer(id="42")), 2).name == "Ada (42, shop/1001)"
    assert name_with_suffix(data, of(Customer(id="42")), 3).name == "Ada (42, shop/1001, 3)"


def test_a_contact_that_was_never_read_has_no_vat_number() -> None:
    """Nothing is known of it."""
    assert contact_tax_key(Contact(contact_id="1", name="x")) == ""


# ---- who is chosen ---------------------------------------------------------------------------------------------------


def several(count: int, *, named: bool = True) -> Reason:
    """Choose among so many contacts of one e-mail address that nothing tells apart."""
    buyer = Customer(email="ada@example.com", name="Ada" if named else "")
    found = [
        Contact(contact_id=str(at), name="X", email="ada@example.com", data=ContactData(name="X"))
        for at in range(count)
    ]
    given = of(buyer)
    made = choose(
        given,
        customer_data(given),
        candidates=found,
        linked=None,
        match=NameMatch.NEVER,
        update=False,
    )
    assert isinstance(made, Reason), made
    return made


@pytest.mark.parametrize(("count", "listed"), [(5, "0, 1, 2, 3, 4."), (7, "0, 1, 2, 3, 4 and 2 more.")])
def test_of_several_customers_five_are_named(count: int, listed: str) -> None:
    """And how many more there are; the group is a hash of twelve digits, so that it tells of nobody."""
    reason = several(count)
    assert (reason.code, reason.message, reason.fix) == (
        ReasonCode.CUSTOMER_AMBIGUOUS,
        f"{count} active customers of the ledger have the order's e-mail: {listed}",
        "Merge them in the ledger, or make all but one inactive.",
    )
    digest = hashlib.sha256(b"email:ada@example.com").hexdigest()
    assert reason.group_key == f"customer_ambiguous:{digest[:12]}"


def test_customers_of_one_name_are_named_by_it() -> None:
    """With half a character in the shop's id as well."""
    buyer = Customer(id="\ud800", name="Ada")
    found = [Contact(contact_id=str(at), name="Ada", data=ContactData(name="Ada")) for at in range(2)]
    given = of(buyer)
    made = choose(given, customer_data(given), candidates=found, linked=None, match=NameMatch.ALWAYS, update=False)
    assert isinstance(made, Reason)
    assert made.message == "2 active customers of the ledger have the order's name: 0, 1."


@pytest.mark.parametrize(("count", "read"), [(5, True), (6, False)])
def test_a_tie_is_worth_five_reads(count: int, read: bool) -> None:  # noqa: FBT001 a parameter
    """Lists tell no VAT numbers: up to five contacts are read for one."""
    buyer = Customer(email="ada@example.com", name="Ada", tax_number="DE123456")
    found = [Contact(contact_id=str(at), name="X", email="ada@example.com") for at in range(count)]
    given = of(buyer)
    made = choose(given, customer_data(given), candidates=found, linked=None, match=NameMatch.NEVER, update=False)
    assert isinstance(made, NeedsRead) is read


def test_a_name_that_we_made_up_breaks_no_tie() -> None:
    """A guest called after the e-mail address: a contact of that name is not meant by it."""
    buyer = Customer(email="ada@example.com")
    same = Contact(contact_id="1", name="ada", email="ada@example.com", data=ContactData(name="ada"))
    other = replace(same, contact_id="2", name="Berg")
    given = of(buyer)
    made = choose(
        given, customer_data(given), candidates=(same, other), linked=None, match=NameMatch.NEVER, update=False
    )
    assert isinstance(made, Reason)
    named = of(replace(buyer, name="Berg"))
    chosen = choose(
        named, customer_data(named), candidates=(same, other), linked=None, match=NameMatch.NEVER, update=False
    )
    assert isinstance(chosen, Known)
    assert chosen.contact.contact_id == "2"


@pytest.mark.parametrize(
    ("contact", "fault"),
    [
        (None, "does not exist in the ledger"),
        (Contact(contact_id="9", name="x", is_customer=False), "is a vendor and no customer"),
        (Contact(contact_id="9", name="x", active=False), "is inactive in the ledger"),
    ],
)
def test_a_default_customer_that_may_not_buy_is_told_with_the_fix(contact: Contact | None, fault: str) -> None:
    """What is wrong with it, and what to do."""
    assert default_missing(replace(SHOP, default_customer_id="9"), contact) == Reason(
        code=ReasonCode.DEFAULT_CUSTOMER_MISSING,
        message=f"The shop's default customer, contact 9, {fault}.",
        fix="Make that contact an active customer, or name another as default_customer in shops.yaml and apply it.",
        group_key="default_customer_missing:shop:9",
    )


# ---- what is changed -------------------------------------------------------------------------------------------------

WANT = ContactData(name="Berg", email="eve@example.com", first_name="Eve", phone="7", billing=HOME, company="Berg")


@pytest.mark.parametrize(
    ("want", "expected"),
    [
        (WANT, False),
        (replace(WANT, company="Berg KG"), True),
        (replace(WANT, first_name="Eva"), True),
        (replace(WANT, phone="8"), True),
        (replace(WANT, billing=replace(HOME, name="Adam")), True),
        (replace(WANT, billing=replace(HOME, name="", company="Ada")), False),
        (replace(WANT, billing=replace(HOME, street2="3rd floor")), True),
        (replace(WANT, billing=replace(HOME, state="BE")), True),
        (replace(WANT, billing=replace(HOME, phone="2")), True),
        (replace(WANT, billing=replace(HOME, city="Rom")), True),
        (replace(WANT, shipping=HOME), True),
    ],
)
def test_one_difference_that_the_order_tells_is_enough(want: ContactData, expected: bool) -> None:  # noqa: FBT001 a parameter
    """Of the company, the person, the receiver, or any part of either address."""
    assert differs(BERG, want) is expected


def test_a_contact_without_persons_is_its_own_person() -> None:
    """Name, address and phone as its data tell them; of one that was never read its name."""
    alone = replace(BERG, persons=())
    assert not differs(alone, WANT)
    assert differs(alone, replace(WANT, phone="8"))
    assert differs(alone, replace(WANT, email="new@example.com", first_name=""))
    bare = Contact(contact_id="9", name="Berg")
    assert changed(bare, WANT).name == "Berg"
    assert differs(bare, WANT)


def test_somebody_without_a_name_but_with_an_address_is_somebody_else() -> None:
    """Only who has neither may be taken for the one who is new."""
    nameless = ContactPerson(email="office@example.com", person_id="3")
    unreachable = ContactPerson(first_name="Otto", person_id="4")
    want = ContactData(name="x", email="new@example.com", first_name="Ida")
    assert person_of(want, (EVE, nameless, unreachable)) is None


def test_the_person_that_the_address_names_gets_a_missing_address() -> None:
    """Of the same name without one: that is a difference."""
    nobody = replace(BERG, persons=(ContactPerson(first_name="Eve", phone="7", person_id="1"),))
    assert differs(nobody, replace(WANT, last_name=""))


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (Address(street="Weg 1", postal_code="10115", city="Berlin", country="DE"), HOME),
        (
            Address(company="Berg", street="Weg 1", postal_code="10115", city="Berlin", country="DE"),
            replace(HOME, name="", company="Berg"),
        ),
        (Address(street="Weg", house_number="1", city="Berlin"), replace(HOME, street="Weg", house_number="1")),
        (Address(city="Berlin"), replace(HOME)),
    ],
    ids=["who and what is left out", "another receiver", "the number apart", "the place alone"],
)
def test_an_address_at_the_same_place_is_filled_up(wanted: Address, expected: Address) -> None:
    """A receiver that is named takes the place of the other, in whichever of the two fields."""
    assert changed(BERG, replace(WANT, billing=wanted)).billing == expected


def test_the_house_number_stays_in_the_street() -> None:
    """The ledger has one field for both: its own number is not put beside a street that has it."""
    have = replace(BERG, data=replace(DATA, billing=replace(HOME, street="Weg", house_number="1")))
    wanted = Address(street="Weg 1", postal_code="10115", city="Berlin", country="DE")
    assert changed(have, replace(WANT, billing=wanted)).billing.house_number == ""
    shipped = replace(BERG, data=replace(DATA, shipping=HOME))
    assert changed(shipped, replace(WANT, shipping=wanted)).shipping == HOME


# ---- days ------------------------------------------------------------------------------------------------------------


def test_a_day_is_one_of_the_organisations_time_zone() -> None:
    """Without one it is that of UTC; one that is not known here says so."""
    late = Moments(paid=datetime(2026, 3, 14, 23, 30, tzinfo=UTC))
    assert str(issued_day(late, InvoiceDate.PAID, "Europe/Rome")) == "2026-03-15"
    assert str(issued_day(late, InvoiceDate.PAID, "")) == "2026-03-14"
    assert issued_day(late, InvoiceDate.PAID, "Rome/Europe") == Reason(
        code=ReasonCode.DATE_MISSING,
        message="The organisation's time zone 'Rome/Europe' is unknown, so the invoice has no date.",
        fix="Set the organisation's time zone in the ledger to one of the IANA list, such as Europe/Rome.",
        group_key="time_zone_unknown",
    )


@pytest.mark.parametrize(
    ("customer", "first", "last"),
    [
        (Customer(name="Ada Maria Berg"), "Ada Maria", "Berg"),
        (Customer(name="Ada"), "Ada", ""),
        (Customer(name="Ada Berg", first_name="Ada"), "Ada", ""),
        (Customer(name="Ada Berg", last_name="Berg"), "", "Berg"),
        (Customer(name="Berg Works", company="Berg Works"), "", ""),
        (Customer(), "", ""),
    ],
    ids=["three words", "one word", "the first alone is told", "the last alone", "the company's own name", "nobody"],
)
def test_first_and_last_name_are_told_or_taken_from_the_name(customer: Customer, first: str, last: str) -> None:
    """The last word is the last name; a company is nobody."""
    data = customer_data(of(customer))
    assert (data.first_name, data.last_name) == (first, last)


def test_a_name_of_two_hundred_characters_fits() -> None:
    """With ninety-nine for the first and a hundred for the last."""
    data = customer_data(of(Customer(name=f"{'f' * 99} {'l' * 100}")))
    assert (len(data.name), len(data.first_name), len(data.last_name), data.notes) == (200, 99, 100, "")
