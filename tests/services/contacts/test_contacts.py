"""The customer of an order: found, read once, made once, whatever the ledger answers or does not answer."""

from dataclasses import replace
from typing import Any

import pytest

from consumer.adapters.memory.ledger import Fault
from consumer.domain.ledger import Contact, ContactData
from consumer.domain.settings import NameMatch
from consumer.domain.states import OrderState
from consumer.services.contacts import CustomerLocks
from tests.services.sync.test_keeping_up import AUTOMATIC
from tests.services.sync.virtual_time import let_pass, run, until
from tests.services.sync.world import World

ANNA = "anna@example.org"


async def book(world: World, *order_ids: str, **order: Any) -> None:
    """Book these orders from the beginning."""
    await world.set_up()
    await world.pay(*order_ids, **order)
    async with world.process():
        await world.rest()


async def book_after_preparing(world: World, *order_ids: str, before: Any = None, **order: Any) -> None:
    """Book after the index was filled; ``before`` then puts into the ledger what the index does not know."""
    await world.set_up()
    await world.pay("1000", email="first@example.org", name="The First")
    async with world.process():
        await world.rest()
        if before is not None:
            before()
        await world.pay(*order_ids, **order)
        await world.rest()


def put(world: World, contact_id: str, name: str, email: str = "", **more: Any) -> None:
    """Put a contact into the ledger, as a person does."""
    data = ContactData(name=name, email=email)
    world.book.contacts[contact_id] = Contact(
        contact_id=contact_id,
        name=name,
        email=email,
        data=data,
        created_at=world.now(),
        modified_at=world.now(),
        **more,
    )


@pytest.mark.parametrize("fault", [Fault.CUT_BEFORE_COMMIT, Fault.CUT_AFTER_COMMIT])
@pytest.mark.parametrize("email", [ANNA, None])
@pytest.mark.parametrize("match", list(NameMatch))
def test_a_contact_whose_create_had_no_answer_is_made_once(fault: Fault, email: str | None, match: NameMatch) -> None:
    """After the settle time it is looked for by its name: by its e-mail, or by when it was made, it is ours."""
    world = World()
    world.plan("create_contact", fault)

    async def work() -> None:
        await world.set_up(replace(AUTOMATIC, customer_name_match=match))
        await world.pay("1001", email=email)
        async with world.process():
            await world.rest()

    run(work())
    assert [contact.name for contact in world.book.contacts.values()] == ["Anna Bianchi"]
    assert (world.state(), world.open_intents()) == (OrderState.BOOKED, [])
    assert world.called("find_contacts") == ["find_contacts"]


def test_while_a_contact_is_in_doubt_no_order_of_that_customer_writes_and_others_go_on() -> None:
    """Two orders of Anna wait for the settle time; Berta's is booked meanwhile."""
    world = World()
    world.plan("create_contact", Fault.CUT_AFTER_COMMIT)

    async def work() -> None:
        await world.set_up()
        await world.pay("1001")
        async with world.process():
            await until(lambda: world.open_intents() == ["create_contact"] and world.state() is OrderState.UNCERTAIN)
            await world.pay("1002")
            await world.pay("1003", email="berta@example.org", name="Berta Blau")
            await let_pass(200.0)
            assert [world.state(order) for order in ("1001", "1002")] == [OrderState.UNCERTAIN, OrderState.DUE]
            assert world.state("1003") is OrderState.BOOKED
            await world.rest()

    run(work())
    assert sorted(contact.name for contact in world.book.contacts.values()) == ["Anna Bianchi", "Berta Blau"]
    assert {world.state(order) for order in ("1001", "1002")} == {OrderState.BOOKED}


def test_a_failed_contact_counts_one_attempt() -> None:
    """The outcome is recorded with the call, and not a second time by the order."""
    world = World()
    world.plan("create_contact", Fault.CUT_BEFORE_COMMIT)

    async def work() -> None:
        await world.set_up()
        await world.pay("1001")
        async with world.process():
            await until(lambda: world.state() is OrderState.UNCERTAIN)
            await let_pass(1.0)
            assert world.order().attempts == 1

    run(work())


def test_a_name_that_is_taken_by_the_same_mailbox_is_adopted() -> None:
    """The index does not know the contact yet; the ledger refuses the name, and it is the customer."""
    world = World()
    run(book_after_preparing(world, "1001", before=lambda: put(world, "c-9", "Anna Bianchi", "Anna@Example.org")))
    assert world.live()[0].contact_id == "c-9"
    assert world.called()[-5:-1] == ["create_contact", "find_contacts", "read_contact", "update_contact"]


def test_a_name_that_is_taken_by_somebody_else_gets_the_mailbox_behind_it() -> None:
    """Two people of one name are two contacts; the second keeps its own e-mail."""
    world = World()
    run(book_after_preparing(world, "1001", before=lambda: put(world, "c-9", "Anna Bianchi", "other@example.org")))
    made = world.book.contacts[world.live()[0].contact_id]
    assert (made.name, made.email) == (f"Anna Bianchi ({ANNA})", ANNA)
    assert world.called()[-4:] == ["create_contact", "find_contacts", "create_contact", "create_invoice"]


def test_a_vendor_of_the_same_mailbox_is_not_made_out_an_invoice_to() -> None:
    """Names are unique over vendors too; the customer is made under another name."""
    world = World()
    run(book_after_preparing(world, "1001", before=lambda: put(world, "v-1", "Anna Bianchi", ANNA, is_customer=False)))
    assert world.live()[0].contact_id != "v-1"
    assert world.state() is OrderState.BOOKED


def test_names_that_are_all_taken_ask_a_person() -> None:
    """The name, the name with the mailbox, and the name with the order are taken: three creates, then parked."""
    world = World()

    def take_all() -> None:
        for n, name in enumerate(
            ("Anna Bianchi", f"Anna Bianchi ({ANNA})", f"Anna Bianchi ({ANNA}, shop/1001)", "Anna Bianchi (x)")
        ):
            put(world, f"c{n}", name, f"other{n}@example.org")

    run(book_after_preparing(world, "1001", before=take_all))
    assert (world.state(), world.reason()) == (OrderState.PARKED, "customer_ambiguous")
    assert world.called("create_contact") == ["create_contact"] * 4  # one of them for the first order


def test_many_orders_of_one_new_customer_make_one_contact() -> None:
    """Four of them in hand at once: the others wait for the contact, and for nothing else."""
    world = World()
    run(book(world, *[f"{1001 + n}" for n in range(12)]))
    assert world.writes().count("create_contact") == 1
    assert len(world.book.invoices) == 12


def test_a_contact_known_from_a_list_is_read_once() -> None:
    """Two orders later it costs nothing any more."""
    world = World()
    data = ContactData(name="Anna Bianchi", email=ANNA, first_name="Anna", last_name="Bianchi", currency="EUR")
    world.book.contacts["c-1"] = Contact(
        contact_id="c-1", name=data.name, email=ANNA, data=data, created_at=world.now(), modified_at=world.now()
    )
    run(book(world, "1001", "1002"))
    assert world.called("read_contact") == ["read_contact"]
    assert world.writes() == ["create_invoice", "create_invoice"]


def test_an_update_of_a_contact_without_an_answer_is_read_before_it_is_written_again() -> None:
    """The ledger's own state is the answer."""
    world = World()
    put(world, "c-1", "Anna B.", ANNA)
    world.plan("update_contact", Fault.CUT_AFTER_COMMIT)
    run(book(world, "1001"))
    assert (world.state(), world.open_intents()) == (OrderState.BOOKED, [])
    assert world.called("read_contact", "update_contact") == ["read_contact", "update_contact", "read_contact"]


def test_the_locks_of_customers_are_forgotten_when_nobody_holds_them() -> None:
    """A lane that lives for months must not keep one lock per customer it ever saw."""
    locks = CustomerLocks()

    async def use() -> None:
        async with locks.held("a"):
            assert list(locks._locks) == ["a"]

    run(use())
    assert locks._locks == {}
