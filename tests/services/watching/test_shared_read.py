"""One list of changes stands for the reads of many orders, and never for one that somebody has changed since."""

from decimal import Decimal

from consumer.adapters.memory.ledger import Fault
from consumer.domain.events import EventKind
from consumer.domain.ledger import InvoiceStatus, ListInvoices, UpdateInvoice
from consumer.domain.states import OrderState
from tests.services.sync.virtual_time import let_pass, run, until
from tests.services.watching.hands import WatchedWorld

HUNDRED = [str(2000 + n) for n in range(100)]


async def _book(world: WatchedWorld, *orders: str) -> int:
    """Book these orders; gives how many calls were made by then."""
    await world.set_up()
    for order in orders:
        await world.pay(order)
    await world.rest()
    return len(world.calls)


async def _update(world: WatchedWorld, *orders: str, version: int = 2, price: str = "13.42") -> None:
    for order in orders:
        await world.take(order, EventKind.UPDATED, version=version, price=price)
    await world.rest()


def test_a_hundred_updates_of_a_lane_cost_at_most_105_calls() -> None:
    """Counted by the ledger: 100 writes, and a few pages of the list of changes instead of 100 reads."""
    world = WatchedWorld()

    async def work() -> None:
        async with world.watching():
            before = await _book(world, *HUNDRED)
        for order in HUNDRED:  # they have come in while nobody was at work
            await world.take(order, EventKind.UPDATED, version=2, price="13.42")
        async with world.watching("two"):
            await world.rest()
            made = world.calls[before:]
            assert len([one for one in made if isinstance(one, UpdateInvoice)]) == 100
            assert len(made) <= 105
            assert any(isinstance(one, ListInvoices) for one in made)

    run(work())
    assert {world.invoice(order).total for order in HUNDRED} == {Decimal("13.42")}
    assert {world.state(order) for order in HUNDRED} == {OrderState.BOOKED}


def test_a_lone_update_costs_one_read_and_one_write() -> None:
    """A list would cost as much as the read, and tell less."""
    world = WatchedWorld()

    async def work() -> None:
        async with world.watching():
            before = await _book(world, "1001")
            await _update(world, "1001")
            assert world.called()[before:] == ["read_invoice", "update_invoice"]

    run(work())


def test_an_edit_by_hand_among_many_updates_is_not_overwritten() -> None:
    """Of ten orders that changed, the one whose draft was edited is parked; its draft stays as the person left it."""
    world = WatchedWorld()
    ten = HUNDRED[:10]

    async def work() -> None:
        async with world.watching():
            await _book(world, *ten)
            world.edit(ten[3])
            await _update(world, *ten)

    run(work())
    assert (world.state(ten[3]), world.reason(ten[3])) == (OrderState.PARKED, "edited_by_hand")
    assert world.invoice(ten[3]).total == Decimal("13.20")
    others = [order for order in ten if order != ten[3]]
    assert {world.invoice(order).total for order in others} == {Decimal("13.42")}


def test_an_edit_that_an_older_list_cannot_show_is_not_overwritten() -> None:
    """A list at hand was begun before the second round fell due: it stands for none of its reads."""
    world = WatchedWorld()
    ten = HUNDRED[:10]

    async def work() -> None:
        async with world.watching():
            await _book(world, *ten)
            await _update(world, *ten)
            await let_pass(1.0)
            world.edit(ten[5])
            await _update(world, *ten, version=3, price="14.64")

    run(work())
    assert (world.state(ten[5]), world.reason(ten[5])) == (OrderState.PARKED, "edited_by_hand")
    assert world.invoice(ten[5]).total == Decimal("14.42")


def test_an_edit_between_the_list_and_a_later_update_is_seen() -> None:
    """The edit comes while the first of many are written: orders that fall due after it are seen anew."""
    world = WatchedWorld()
    ten = HUNDRED[:10]
    edited: list[str] = []

    def edit_after_list(operation: object) -> None:
        if isinstance(operation, ListInvoices) and not edited:
            # At the moment of the first list's answer: what is listed is right, and what follows is not in it.
            edited.append("listed")

    async def work() -> None:
        async with world.watching():
            await _book(world, *ten)
            world.book.after = edit_after_list
            await _update(world, *ten[:5])
            await let_pass(0.5)
            world.edit(ten[7])
            await _update(world, *ten[5:])

    run(work())
    assert edited
    assert world.reason(ten[7]) == "edited_by_hand"


def test_what_was_deleted_by_hand_stands_in_no_list_and_is_found_by_the_refused_write() -> None:
    """Its update is refused as not found; the invoice is read by itself, and the order is told to be gone."""
    world = WatchedWorld()
    ten = HUNDRED[:10]

    async def work() -> None:
        async with world.watching():
            await _book(world, *ten)
            await let_pass(90.0)
            # Somebody's work since, so that the list's beginning is later than what we wrote.
            world.by_hand(ten[0], number="INV-X")
            await let_pass(90.0)
            world.book.remove(world.invoice(ten[4]).invoice_id)
        for order in ten:
            await world.take(order, EventKind.UPDATED, version=2, price="13.42")
        async with world.watching("two"):
            before = len(world.calls)
            await world.rest()
            # Nine are sent, since the renumbered one is asked about; one of them is refused.
            assert world.called()[before:].count("update_invoice") == 9
            assert world.writes().count("update_invoice") == 8

    run(work())
    assert (world.state(ten[4]), world.reason(ten[4])) == (OrderState.PARKED, "gone_from_ledger")
    assert len(world.called("read_invoice")) <= 2  # of it, and of the one that somebody had changed
    assert not [one for one in world.book.invoices.values() if one.reference == ten[4]]


def test_a_write_that_rests_on_a_list_and_is_refused_is_decided_again_from_a_read() -> None:
    """Somebody makes one void right after the list: its update is refused, and what is there now decides."""
    world = WatchedWorld()
    ten = HUNDRED[:10]
    voided: list[str] = []

    def void_after_list(operation: object) -> None:
        if isinstance(operation, ListInvoices) and not voided:
            voided.append(world.invoice(ten[6]).invoice_id)
            world.book.set_status(voided[0], InvoiceStatus.VOID)

    async def work() -> None:
        async with world.watching():
            await _book(world, *ten)
        for order in ten:
            await world.take(order, EventKind.UPDATED, version=2, price="13.42")
        world.book.after = void_after_list
        async with world.watching("two"):
            await world.rest()

    run(work())
    assert (world.state(ten[6]), world.reason(ten[6])) == (OrderState.PARKED, "gone_from_ledger")
    assert world.book.invoices[voided[0]].total == Decimal("12.20")


def test_what_came_of_a_lost_write_is_told_by_a_read_alone() -> None:
    """Three updates without an answer, asked about together: a list may lag behind, so each is read by itself."""
    world = WatchedWorld()
    three = HUNDRED[:3]

    async def work() -> None:
        async with world.watching():
            await _book(world, *three)
        for order in three:
            await world.take(order, EventKind.UPDATED, version=2, price="13.42")
        world.plan("update_invoice", *[Fault.CUT_BEFORE_COMMIT] * 3)
        async with world.watching("two"):
            await until(lambda: len(world.open_intents()) == 3)
            before = len(world.calls)
            await until(lambda: world.open_intents() == [])
            assert world.called()[before:].count("read_invoice") == 3
            await world.rest()

    run(work())
    assert {world.invoice(order).total for order in three} == {Decimal("13.42")}
