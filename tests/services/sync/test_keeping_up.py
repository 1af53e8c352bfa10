"""A lane that stays leased for hours keeps up: settings, facts, the index, and what a person switches off."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from consumer.adapters.memory.ledger_book import LedgerBook
from consumer.domain.events import EventKind
from consumer.domain.ledger import Contact, ContactData, LedgerTax
from consumer.domain.settings import ConnectionSettings, ShopSettings
from consumer.domain.states import OrderState
from consumer.errors import StopCause
from consumer.ports.lanes import Begun, LaneLease, MustWait, NewIntent, Occupied, SlotRequest, Superseded
from tests.services.sync.virtual_time import let_pass, run, until
from tests.services.sync.world import BOOKS, CONNECTION, SHOP, World, with_limits

START_OF_YEAR = datetime(2026, 1, 1, tzinfo=UTC)
AUTOMATIC = ShopSettings(shop_id=SHOP, connection_id=BOOKS, automatic=True, book_from=START_OF_YEAR)
LEASED_FOR_EVER = 1e9  # idle seconds: the lane under test is never given back


def test_switching_automatic_sending_off_reaches_a_leased_lane_within_seconds() -> None:
    """The order that comes three seconds after the switch waits, in the same lane."""
    world = World()

    async def work() -> None:
        await world.set_up(AUTOMATIC)
        await world.pay("1001")
        async with world.process(idle_seconds=LEASED_FOR_EVER):
            await world.rest()
            await world.settings.apply([CONNECTION], [replace(AUTOMATIC, automatic=False)], actor="t", dry_run=False)
            await let_pass(3.0)
            # As if the intake had still known the old settings: the lane itself has to refuse.
            await world.take("1001", EventKind.UPDATED, version=2, price="24.40")
            world.order().state, world.order().due_at = OrderState.DUE, world.now()
            await world.rest()

    run(work())
    assert (world.state(), world.reason()) == (OrderState.WAITING, "changed_automatic_off")
    assert [invoice.total for invoice in world.live()] == [Decimal("12.20")]


def test_a_connection_whose_settings_change_gets_a_new_lane_within_seconds() -> None:
    """The unique field is entered while the lane is leased: the next invoice carries its key."""
    world = World()

    async def work() -> None:
        await world.set_up(AUTOMATIC)
        await world.pay("1001")
        async with world.process(idle_seconds=LEASED_FOR_EVER):
            await world.rest()
            changed = replace(CONNECTION, unique_field="cf_booked")
            await world.settings.apply([changed], [AUTOMATIC], actor="t", dry_run=False)
            await let_pass(3.0)
            await world.pay("1002")
            await world.rest()

    run(work())
    assert world.live("1002")[0].unique_key == f"{SHOP}/1002/invoice//1"
    assert world.database.lanes[BOOKS].epoch == 2


def test_a_connection_that_is_stopped_by_a_person_makes_nothing_more() -> None:
    """The order stays due, and is booked when the connection goes on."""
    world = World()

    async def work() -> None:
        await world.set_up(AUTOMATIC)
        await world.pay("1001")
        async with world.process(idle_seconds=LEASED_FOR_EVER):
            await world.rest()
            await world.lanes.stop_connection(BOOKS, StopCause.WRONG_ORGANIZATION, "a person stopped it")
            await let_pass(3.0)
            await world.pay("1002")
            await let_pass(60.0)
            assert (world.state("1002"), world.live("1002")) == (OrderState.DUE, ())
            await world.lanes.resume_connection(BOOKS)
            await world.rest()

    run(work())
    assert world.state("1002") is OrderState.BOOKED


def test_facts_that_have_grown_too_old_are_read_again_by_a_lane_that_stays_leased() -> None:
    """With facts that are good for five minutes: not again after four, but after six."""
    world = World(connection=with_limits(facts_fresh_seconds=300.0))

    async def work() -> None:
        await world.set_up(AUTOMATIC)
        await world.pay("1001")
        async with world.process(idle_seconds=LEASED_FOR_EVER):
            await world.rest()
            await let_pass(240.0)
            await world.pay("1002")
            await world.rest()
            assert world.called("list_taxes") == ["list_taxes"]
            await let_pass(120.0)
            await world.pay("1003")
            await world.rest()

    run(work())
    assert world.called("list_taxes") == ["list_taxes"] * 2
    assert world.database.lanes[BOOKS].epoch == 1


def test_the_index_of_contacts_is_brought_up_to_date_while_the_lane_is_leased() -> None:
    """A contact that a person made in the ledger is found in the list of changes, and not made a second time."""
    world = World(connection=with_limits(contacts_fresh_seconds=300.0))

    async def work() -> None:
        await world.set_up(AUTOMATIC)
        await world.pay("1001")
        async with world.process(idle_seconds=LEASED_FOR_EVER):
            await world.rest()
            moment = world.now()
            data = ContactData(name="B. Blau", email="blau@example.org")
            world.book.contacts["c-9"] = Contact(
                contact_id="c-9", name=data.name, email=data.email, created_at=moment, modified_at=moment, data=data
            )
            await let_pass(310.0)
            await world.pay("1002", email="blau@example.org", name="Berta Blau")
            await world.rest()

    run(work())
    assert world.live("1002")[0].contact_id == "c-9"
    assert world.writes().count("create_contact") == 1


def test_an_index_that_is_not_complete_is_filled_further_while_the_lane_is_leased() -> None:
    """Twenty-five pages: ten at the start, ten a minute later, and the rest after another one."""
    world = World()
    world.book.page_size = 1
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    for n in range(25):
        world.book.contacts[f"c{n}"] = Contact(contact_id=f"c{n}", name=f"Name {n}", modified_at=moment)

    async def work() -> None:
        await world.set_up(AUTOMATIC)
        await world.pay("1001")
        async with world.process(idle_seconds=LEASED_FOR_EVER):
            await until(lambda: world.database.lanes[BOOKS].contacts_page == 10)
            await let_pass(65.0)
            assert world.database.lanes[BOOKS].contacts_page == 20
            await let_pass(65.0)

    run(work())
    assert world.database.lanes[BOOKS].contacts_complete_at is not None


class MovingStore:
    """Lets a shop move to another connection just before the invoice's intent is committed."""

    def __init__(self, world: World, move: Callable[[], Awaitable[object]]) -> None:
        self._world = world
        self._move = move
        self.moved = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._world.booking_store, name)

    async def begin(
        self, lease: LaneLease, intent: NewIntent, slot: SlotRequest
    ) -> Begun | MustWait | Superseded | Occupied:
        """Move, once, then begin."""
        if intent.operation == "create_invoice" and not self.moved:
            self.moved = True
            await self._move()
        return await self._world.booking_store.begin(lease, intent, slot)


def test_an_order_whose_shop_moves_while_it_is_in_hand_is_booked_in_the_new_connection_alone() -> None:
    """The settings change between the claim and the intent: the old lane lets go, the new one books."""
    world = World()
    other = ConnectionSettings(connection_id="other", data_center="eu", organization_id="2", limits=CONNECTION.limits)
    other_book = LedgerBook(
        organization=world.book.organization,
        taxes=world.book.taxes,
        currencies=world.book.currencies,
        rounding=world.book.rounding,
        now=world.now,
    )
    world.factory.books = {"1": world.book, "2": other_book}
    moved = replace(AUTOMATIC, connection_id="other")
    store = MovingStore(world, lambda: world.settings.apply([CONNECTION, other], [moved], actor="t", dry_run=False))

    async def work() -> None:
        await world.settings.apply([CONNECTION, other], [AUTOMATIC], actor="t", dry_run=False)
        await world.pay("1001")
        async with world.process(bookings=store):
            await until(lambda: world.state() is OrderState.BOOKED)
            await let_pass(30.0)

    run(work())
    assert (list(world.book.invoices), len(other_book.invoices)) == ([], 1)
    assert (store.moved, world.order().connection_id) == (True, "other")


def test_a_tax_that_somebody_adds_lets_the_parked_orders_go_on() -> None:
    """The facts are read again for the next order that wants it, a minute later at the earliest."""
    world = World(connection=with_limits(facts_fresh_seconds=120.0))
    world.book.taxes = ()

    async def work() -> None:
        await world.set_up(AUTOMATIC)
        await world.pay("1001")
        async with world.process(idle_seconds=LEASED_FOR_EVER):
            await world.rest()
            assert (world.state(), world.reason()) == (OrderState.PARKED, "tax_missing")
            world.book.taxes = (LedgerTax(tax_id="t22", name="VAT 22", rate=Decimal(22)),)
            await let_pass(61.0)
            await world.pay("1002")
            await until(lambda: world.state("1001") is OrderState.BOOKED)

    run(work())
    assert world.state("1002") is OrderState.BOOKED
