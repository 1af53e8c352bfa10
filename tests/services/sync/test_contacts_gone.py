"""A contact that the index knows is gone from the ledger, or seems to be: who gets the document then."""

from collections.abc import Callable
from dataclasses import replace

from consumer.domain.events import EventKind
from consumer.domain.states import OrderState
from consumer.errors import NotFoundError
from tests.services.sync.virtual_time import run
from tests.services.sync.world import World


async def book_another(world: World, *, after: Callable[[], None]) -> None:
    """Book order 1001, let that be done in the ledger, and book 1002 of the same customer."""
    await world.set_up()
    await world.pay("1001")
    async with world.process():
        await world.rest()
        after()
        await world.pay("1002")
        await world.rest()


def test_a_contact_that_is_gone_is_looked_up_again_and_the_invoice_made_for_the_new_one() -> None:
    """Somebody deleted the contact; the index still had it. One contact more, one invoice, one refused call."""
    world = World()

    run(book_another(world, after=world.book.contacts.clear))
    (contact_id,) = world.book.contacts
    assert [invoice.contact_id for invoice in world.live("1002")] == [contact_id]
    assert world.called()[-4:] == ["create_invoice", "read_contact", "create_contact", "create_invoice"]
    assert world.state("1002") is OrderState.BOOKED


def test_a_draft_goes_to_the_customers_new_contact_where_the_one_of_the_index_is_gone() -> None:
    """The order has another customer now, whose contact somebody deleted: it is made again, and the update succeeds."""
    world = World()

    async def work() -> None:
        await world.set_up()
        await world.pay("1001")
        await world.pay("1002", email="bruno@example.org", name="Bruno Neri")
        async with world.process():
            await world.rest()
            (gone,) = [one.contact_id for one in world.book.contacts.values() if one.email == "bruno@example.org"]
            world.book.contacts.pop(gone)
            await world.take("1001", EventKind.UPDATED, version=2, email="bruno@example.org", name="Bruno Neri")
            await world.rest()

    run(work())
    (invoice,) = world.live("1001")
    assert world.book.contacts[invoice.contact_id].email == "bruno@example.org"
    again = ["read_contact", "create_contact", "read_invoice", "update_invoice"]
    assert world.called()[-5:] == ["update_invoice", *again]
    assert world.state("1001") is OrderState.BOOKED


def test_a_refusal_for_something_else_that_is_gone_makes_no_second_contact() -> None:
    """The item was deleted, the contact is there under a name of the ledger's own: it stays the customer's."""
    world = World()

    def rename_and_refuse() -> None:
        (contact,) = world.book.contacts.values()
        world.book.contacts[contact.contact_id] = replace(contact, name="Bianchi, A.")
        world.refuse("create_invoice", NotFoundError("item 7 does not exist", 400, 2006), 1)

    run(book_another(world, after=rename_and_refuse))
    assert [contact.name for contact in world.book.contacts.values()] == ["Bianchi, A."]
    assert world.called()[-3:] == ["create_invoice", "read_contact", "create_invoice"]
    assert world.state("1002") is OrderState.BOOKED


def test_a_contact_that_was_made_inactive_is_replaced_by_one_of_another_name() -> None:
    """Its name is still taken, and it cannot be used: the customer's e-mail goes behind the name."""
    world = World()

    def make_inactive() -> None:
        world.book.set_contact_active(next(iter(world.book.contacts)), active=False)

    run(book_another(world, after=make_inactive))
    names = [contact.name for contact in world.book.contacts.values()]
    assert names == ["Anna Bianchi", "Anna Bianchi (anna@example.org)"]
    assert world.state("1002") is OrderState.BOOKED
