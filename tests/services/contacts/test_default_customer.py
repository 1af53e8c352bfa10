"""Orders under the shop's default customer: nothing is made or changed, and one that cannot be used parks them all."""

from dataclasses import replace

import pytest

from consumer.domain.ledger import ContactData
from consumer.domain.settings import DefaultCustomerFor
from consumer.domain.states import OrderState
from tests.services.contacts.test_contacts import put
from tests.services.sync.test_keeping_up import AUTOMATIC
from tests.services.sync.virtual_time import let_pass, run, until
from tests.services.sync.world import World

GUESTS = replace(AUTOMATIC, default_customer_id="900")
ALL = replace(GUESTS, default_customer_for=DefaultCustomerFor.ALL)
COUNTER = "Counter sales"


def test_guests_are_booked_under_it_and_others_under_themselves() -> None:
    """No call but the invoice for the guest; the buyer stands in the notes."""
    world = World()
    put(world, "900", COUNTER)

    async def work() -> None:
        await world.set_up(GUESTS)
        await world.pay("1001", email=None, name="Ada Guest")
        await world.pay("1002")
        async with world.process():
            await world.rest()

    run(work())
    guest, other = world.live("1001")[0], world.live("1002")[0]
    assert (guest.contact_id, other.contact_id == "900") == ("900", False)
    assert guest.words is not None
    assert guest.words.notes == "Customer: Ada Guest"
    assert world.writes().count("create_contact") == 1
    assert world.called("read_contact", "update_contact") == []
    assert world.book.contacts["900"].data == ContactData(name=COUNTER, email="")


def test_all_orders_are_booked_under_it_where_the_shop_says_so() -> None:
    """Nobody is made, whoever buys."""
    world = World()
    put(world, "900", COUNTER)

    async def work() -> None:
        await world.set_up(ALL)
        await world.pay("1001", "1002")
        async with world.process():
            await world.rest()

    run(work())
    assert [world.live(order)[0].contact_id for order in ("1001", "1002")] == ["900", "900"]
    assert set(world.writes()) == {"create_invoice"}


def test_one_that_is_missing_parks_and_the_settings_let_them_go_on() -> None:
    """Nothing is sent to the ledger for them; another default customer, and they are booked."""
    world = World()
    put(world, "901", "Till")

    async def work() -> None:
        await world.set_up(ALL)
        await world.pay("1001", "1002")
        async with world.process():
            await world.rest()
            assert [world.state(order) for order in ("1001", "1002")] == [OrderState.PARKED] * 2
            reason = world.order().reason
            assert reason is not None
            assert reason.group == "default_customer_missing:shop:900"
            assert world.writes() == []
            await world.set_up(replace(ALL, default_customer_id="901"))
            await until(lambda: world.state("1001") is world.state("1002") is OrderState.BOOKED)

    run(work())
    assert world.live("1001")[0].contact_id == "901"


@pytest.mark.parametrize("hours", [0.1, 2.0])
def test_one_that_is_inactive_parks_and_goes_on_when_somebody_made_it_active(hours: float) -> None:
    """With the shop's next order: it reads the contact, or the list of changes shows it; nobody has to retry."""
    world = World()
    put(world, "900", COUNTER, active=False)

    async def work() -> None:
        await world.set_up(ALL)
        await world.pay("1001")
        async with world.process():
            await world.rest()
            assert (world.state(), world.reason()) == (OrderState.PARKED, "default_customer_missing")
            world.book.set_contact_active("900", active=True)
            await let_pass(hours * 3600.0)
            await world.pay("1002")
            await until(lambda: world.state("1001") is world.state("1002") is OrderState.BOOKED)

    run(work())
    assert [world.live(order)[0].contact_id for order in ("1001", "1002")] == ["900", "900"]


def test_one_that_is_a_vendor_parks() -> None:
    """The list of contacts told it; it is read once more before anybody is bothered."""
    world = World()
    put(world, "900", COUNTER, is_customer=False)

    async def work() -> None:
        await world.set_up(ALL)
        await world.pay("1001")
        async with world.process():
            await world.rest()

    run(work())
    assert (world.state(), world.reason()) == (OrderState.PARKED, "default_customer_missing")
    assert world.called("read_contact") == ["read_contact"]


def test_one_that_became_inactive_since_the_index_saw_it_parks() -> None:
    """The ledger refuses the invoice; then the contact is read, and the order parks under its own reason."""
    world = World()
    put(world, "900", COUNTER)

    async def work() -> None:
        await world.set_up(ALL)
        await world.pay("1001")
        async with world.process():
            await world.rest()
            world.book.set_contact_active("900", active=False)
            await world.pay("1002")
            await world.rest()

    run(work())
    assert world.state("1001") is OrderState.BOOKED
    assert (world.state("1002"), world.reason("1002")) == (OrderState.PARKED, "default_customer_missing")
