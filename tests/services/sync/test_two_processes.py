"""Two processes over one database: one writes at a time, and one that stood still does no harm when it goes on."""

from collections.abc import Awaitable, Callable
from typing import Any

from consumer.adapters.memory.ledger import MemoryLedgerFactory
from consumer.domain.states import OrderState
from consumer.ports.lanes import (
    Begun,
    BookingStore,
    LaneLease,
    LaneStore,
    MustWait,
    NewIntent,
    Occupied,
    SlotRequest,
    Superseded,
)
from tests.services.sync.virtual_time import let_pass, run, until
from tests.services.sync.world import SHOP, Token, World, key

ORDERS = [f"{1000 + n}" for n in range(20)]
STANDS_STILL_SECONDS = 400.0  # longer than deadline, settle time and both looks


class Standing:
    """A process that stands still: stores that answer it only after a long time, from a certain step on."""

    def __init__(self, lanes: LaneStore, bookings: BookingStore) -> None:
        self._lanes = lanes
        self._bookings = bookings
        self.stands = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._bookings if hasattr(self._bookings, name) else self._lanes, name)

    async def begin(
        self, lease: LaneLease, intent: NewIntent, slot: SlotRequest
    ) -> Begun | MustWait | Superseded | Occupied:
        """Commit the intent of the invoice, then stand still before the call."""
        begun = await self._bookings.begin(lease, intent, slot)
        if intent.operation == "create_invoice" and not self.stands:
            self.stands = True
            await let_pass(STANDS_STILL_SECONDS)
        return begun

    async def renew(self, lease: LaneLease, seconds: float) -> bool:
        """Renew, unless the process stands still."""
        if self.stands:
            await let_pass(STANDS_STILL_SECONDS)
        return await self._lanes.renew(lease, seconds)


def _slow_ledger(world: World, pause: Callable[[], Awaitable[None]]) -> Any:
    factory = MemoryLedgerFactory(books={"1": world.book}, pause=pause)
    return lambda connection, slot: factory.open(connection, Token(slot))


def test_two_processes_share_the_work_and_make_every_invoice_once() -> None:
    """The second takes over in the middle, when the first is stopped: 20 orders, 20 invoices, one contact."""
    world = World()

    async def work() -> None:
        await world.set_up()
        await world.pay(*ORDERS)
        async with world.process("two"):
            async with world.process("one"):
                await until(lambda: len(world.book.invoices) >= 5)
            await world.rest()

    run(work())
    assert [len(world.live(order)) for order in ORDERS] == [1] * len(ORDERS)
    assert {world.state(order) for order in ORDERS} == {OrderState.BOOKED}
    assert world.writes().count("create_contact") == 1
    assert world.open_intents() == []


def test_a_process_that_stood_still_after_its_intent_sends_nothing_when_it_goes_on() -> None:
    """Its lease ran out; the other asked twice, found nothing and made the invoice. Its own request is too late."""
    world = World()
    standing = Standing(world.lanes, world.booking_store)

    async def work() -> None:
        await world.set_up()
        await world.pay("1001")
        async with world.process("one", lanes=standing, bookings=standing):
            await until(lambda: standing.stands)
            async with world.process("two"):
                await until(lambda: world.state() is OrderState.BOOKED)
                made = list(world.book.invoices)
                await let_pass(STANDS_STILL_SECONDS)
                await world.rest()
                assert list(world.book.invoices) == made

    run(work())
    assert world.writes().count("create_invoice") == 1
    assert world.called("find_invoices") == ["find_invoices"] * 2
    resolutions = [row.resolution for row in world.database.intents.values() if row.operation == "create_invoice"]
    assert resolutions == ["absent", "done"]


def test_an_answer_after_another_process_has_adopted_the_invoice_changes_nothing() -> None:
    """The call was in effect at once, its answer took 400 s; meanwhile the other process found the invoice."""
    world = World()
    waits: list[float] = []

    async def slow_after_the_commit() -> None:
        if world.book.invoices and not waits:
            waits.append(STANDS_STILL_SECONDS)
            standing.stands = True
            await let_pass(STANDS_STILL_SECONDS)

    standing = Standing(world.lanes, world.booking_store)

    async def work() -> None:
        await world.set_up()
        await world.pay("1001")
        slow = _slow_ledger(world, slow_after_the_commit)
        standing.begin = world.booking_store.begin  # type: ignore[method-assign] # this time the answer is late
        async with world.process("one", lanes=standing, bookings=standing, open_ledger=slow):
            await until(lambda: bool(waits))
            async with world.process("two"):
                await until(lambda: world.state() is OrderState.BOOKED)
                await let_pass(STANDS_STILL_SECONDS)
                await world.rest()

    run(work())
    assert (len(world.live()), len(world.documents()), world.state()) == (1, 1, OrderState.BOOKED)
    late = [row.late_answer for row in world.database.intents.values() if row.operation == "create_invoice"]
    assert [answer and answer["resolution"] for answer in late] == ["done"]


def test_a_lane_whose_lease_has_passed_on_takes_nothing_more() -> None:
    """The orders it had claimed are not counted as having stopped a process."""
    world = World()

    async def work() -> None:
        await world.set_up()
        await world.pay("1001")
        async with world.process("one"):
            await world.rest()
            world.database.lanes["books"].owner = "somebody else"
            world.database.lanes["books"].epoch += 1
            await world.pay("1002")
            await let_pass(30.0)  # its next look finds the lease gone; the other's runs out
            await world.rest()

    run(work())
    assert world.state("1002") is OrderState.BOOKED
    assert world.database.orders[key("1002")].takes == 0
    assert world.order("1002").key.shop_id == SHOP
