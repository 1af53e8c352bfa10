"""What a lane does before its first order: facts, index, and the look at what the ledger already holds."""

from consumer.adapters.memory.ledger import Fault
from consumer.domain.events import EventKind
from consumer.domain.states import OrderState
from tests.services.sync.virtual_time import let_pass, run
from tests.services.sync.world import BOOKS, World, with_limits


def restored(world: World) -> World:
    """Give the world after its database was lost: the ledger still has what was made."""
    fresh = World(connection=world.connection, now_seconds=5000.0)
    fresh.book = world.book
    fresh.book.now = fresh.now
    fresh.factory.books = {"1": world.book}
    return fresh


async def book(world: World, *order_ids: str, look_first: bool = False) -> None:
    """Book these orders from the beginning."""
    await world.set_up()
    world.database.lanes[BOOKS].look_first = look_first
    await world.pay(*order_ids)
    async with world.process():
        await world.rest()


def test_after_a_restore_the_invoices_that_are_there_are_adopted_and_none_is_made_twice() -> None:
    """Postgres has forgotten everything; the ledger is looked through before anything is made."""
    before = World()
    run(book(before, "1001", "1002"))
    after = restored(before)
    run(book(after, "1001", "1002", "1003", look_first=True))
    assert {order: len(after.live(order)) for order in ("1001", "1002", "1003")} == {"1001": 1, "1002": 1, "1003": 1}
    assert {after.state(order) for order in ("1001", "1002", "1003")} == {OrderState.BOOKED}
    assert sorted(told["operation"] for told in after.told()) == ["adopted", "adopted", "created"]
    assert not after.database.lanes[BOOKS].look_first


def test_the_look_goes_to_the_very_end_however_many_pages_there_are() -> None:
    """120 pages of one invoice each: the last of them is adopted as well."""
    before = World()
    orders = [f"{1001 + n}" for n in range(120)]
    run(book(before, *orders))
    before.book.page_size = 1
    after = restored(before)
    run(book(after, *orders, look_first=True))
    assert len(after.called("list_invoices")) == 120
    assert {len(after.live(order)) for order in orders} == {1}
    assert after.called("create_invoice") == []


def test_nothing_is_made_while_the_look_has_not_come_to_its_end() -> None:
    """The ledger does not answer on the second page: the lane rests, and begins the look again."""
    before = World()
    run(book(before, "1001", "1002"))
    before.book.page_size = 1
    after = restored(before)
    after.plan("list_invoices", None, Fault.CUT_BEFORE_COMMIT)

    async def work() -> None:
        await after.set_up()
        after.database.lanes[BOOKS].look_first = True
        await after.pay("1001", "1002")
        async with after.process():
            await let_pass(5.0)
            assert (after.database.lanes[BOOKS].look_first, after.called("create_invoice")) == (True, [])
            await after.rest()

    run(work())
    assert after.called("create_invoice") == []
    assert {len(after.live(order)) for order in ("1001", "1002")} == {1}


def test_a_look_that_is_asked_for_while_the_lane_is_leased_is_made_before_the_next_order() -> None:
    """As the intake asks when Kafka's offset is ahead of ours."""
    world = World()

    async def work() -> None:
        await world.set_up()
        await world.pay("1001")
        async with world.process(idle_seconds=1e9):
            await world.rest()
            await world.intake.note_committed_ahead(())
            await world.take("1002", EventKind.PAID)
            await world.rest()

    run(work())
    assert world.called("list_invoices", "create_invoice") == ["create_invoice", "list_invoices", "create_invoice"]


def test_facts_and_index_are_kept_for_the_next_lane() -> None:
    """The second lane of the hour asks nothing before its first order."""
    world = World()

    async def work() -> None:
        await world.set_up()
        async with world.process(idle_seconds=5.0):
            await world.pay("1001")
            await world.rest()
            await let_pass(60.0)
            before = len(world.calls)
            await world.pay("1002")
            await world.rest()
            assert world.called()[before:] == ["create_invoice"]

    run(work())
    assert world.database.lanes[BOOKS].epoch == 2


def test_an_index_that_is_older_than_it_may_be_is_brought_up_to_date_by_the_next_lane() -> None:
    """One list of changes, before the first create after the pause."""
    world = World(connection=with_limits(contacts_fresh_seconds=30.0))

    async def work() -> None:
        await world.set_up()
        async with world.process(idle_seconds=5.0):
            await world.pay("1001")
            await world.rest()
            await let_pass(60.0)
            before = len(world.calls)
            await world.pay("1002", email="berta@example.org", name="Berta Blau")
            await world.rest()
            assert world.called()[before:] == ["list_contacts", "create_contact", "create_invoice"]

    run(work())


def test_an_organisation_that_is_not_active_stops_the_connection() -> None:
    """Nothing is made in it, and the orders stay due."""
    world = World()
    world.book.organization = world.book.organization.__class__(
        organization_id="1", name="Organisation", currency="EUR", time_zone="Europe/Rome", active=False
    )

    async def work() -> None:
        await world.set_up()
        await world.pay("1001")
        async with world.process():
            await let_pass(120.0)

    run(work())
    stopped = world.database.connections[BOOKS].stopped
    assert stopped is not None
    assert (stopped.value, world.state(), world.writes()) == ("wrong_organization", OrderState.DUE, [])
    assert world.called() == ["read_organization"]
