"""Names that are taken, contacts that do not count, persons that must not be lost, and two shops in one ledger."""

import unicodedata
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from consumer.domain.ledger import Contact, ContactPerson
from consumer.domain.orders import OrderKey
from consumer.domain.settings import ShopSettings
from consumer.domain.states import OrderState
from tests.services.contacts.test_contacts import ANNA, book, book_after_preparing, put
from tests.services.sync.virtual_time import run
from tests.services.sync.world import BOOKS, World

COMPOSED = "Jos\u00e9 Ruiz"


@pytest.mark.parametrize("unfit", [{"active": False}, {"is_customer": False}])
@pytest.mark.parametrize("email", ["", ANNA])
def test_a_name_that_an_inactive_contact_or_a_vendor_has_is_taken_with_a_suffix(
    unfit: dict[str, bool], email: str
) -> None:
    """Nothing is booked on it, nobody is asked."""
    world = World()
    run(book_after_preparing(world, "1001", before=lambda: put(world, "x-1", "Anna Bianchi", email, **unfit)))
    made = world.book.contacts[world.live()[0].contact_id]
    assert (world.state(), made.name) == (OrderState.BOOKED, f"Anna Bianchi ({ANNA})")


@pytest.mark.parametrize("taken", ["ANNA BIANCHI", "anna  bianchi"])
def test_a_name_that_differs_by_case_or_spacing_is_taken_with_a_suffix(taken: str) -> None:
    """The ledger refuses it, and its exact filter does not even find whose it is."""
    world = World()
    run(book_after_preparing(world, "1001", before=lambda: put(world, "x-1", taken, "other@example.org")))
    assert world.book.contacts[world.live()[0].contact_id].name == f"Anna Bianchi ({ANNA})"


def test_a_name_in_another_unicode_form_is_the_same_name() -> None:
    """An accent of its own or not: without e-mail the contact of that name is the customer."""
    world = World()
    put(world, "c-1", unicodedata.normalize("NFD", COMPOSED))
    run(book(world, "1001", name=COMPOSED, email=None))
    assert world.live()[0].contact_id == "c-1"


def test_two_customers_with_one_name_of_200_characters_are_two_contacts() -> None:
    """Both names keep within the limit, and the whole name stands in the notes where it was cut."""
    world = World()

    async def work() -> None:
        await world.set_up()
        await world.pay("1001", name="n" * 200, email="one@example.org")
        await world.pay("1002", name="n" * 200, email="two@example.org")
        await world.pay("1003", name="m" * 300, email="three@example.org")
        async with world.process():
            await world.rest()

    run(work())
    contacts = [world.book.contacts[world.live(order)[0].contact_id] for order in ("1001", "1002", "1003")]
    assert len({contact.name for contact in contacts}) == 3
    assert {len(contact.name) for contact in contacts} == {200}
    assert contacts[2].data is not None
    assert f"Name: {'m' * 300}" in contacts[2].data.notes


def test_two_contacts_with_one_e_mail_are_told_apart_by_the_name() -> None:
    """Else the order is parked with both."""
    world = World()
    put(world, "c-1", "Anna Rossi", ANNA)
    put(world, "c-2", "anna bianchi", ANNA)
    run(book(world, "1001"))
    assert world.live()[0].contact_id == "c-2"
    other = World()
    put(other, "c-1", "Anna Rossi", ANNA)
    put(other, "c-2", "Anna Verdi", ANNA)
    run(book(other, "1001"))
    assert (other.state(), other.reason()) == (OrderState.PARKED, "customer_ambiguous")


def test_the_persons_of_a_company_are_all_there_after_an_update() -> None:
    """The order's data are written to whom they are about; the others keep what they have."""
    world = World()
    put(world, "c-1", "Anna B.", ANNA)
    boss = ContactPerson(first_name="Eve", email="eve@example.org", mobile="1", person_id="1")
    anna = ContactPerson(first_name="A.", email=ANNA, primary=True, person_id="2", others=(("salutation", '"Dr."'),))
    contact: Contact = world.book.contacts["c-1"]
    world.book.contacts["c-1"] = replace(contact, persons=(boss, anna))
    run(book(world, "1001"))
    assert world.called("update_contact") == ["update_contact"]
    assert world.book.contacts["c-1"].persons == (boss, replace(anna, first_name="Anna", last_name="Bianchi"))


def test_two_shops_of_one_ledger_share_the_customer_with_an_e_mail() -> None:
    """Both orders at once: one contact is made, and each shop has its link to it."""
    world = World()
    began = datetime(2026, 1, 1, tzinfo=UTC)
    shops = [
        ShopSettings(shop_id=name, connection_id=BOOKS, automatic=True, book_from=began) for name in ("shop", "other")
    ]

    async def work() -> None:
        await world.set_up(*shops)
        await world.pay("1001")
        await world.pay("1001", shop="other")
        async with world.process():
            await world.rest()

    run(work())
    assert world.writes().count("create_contact") == 1
    assert {row.state for row in world.database.orders.values()} == {OrderState.BOOKED}
    assert set(world.database.orders) == {OrderKey("shop", "1001"), OrderKey("other", "1001")}
    assert len({invoice.contact_id for invoice in world.book.invoices.values()}) == 1
