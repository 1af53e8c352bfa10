"""What the ledger may answer to a write of an invoice, and what becomes of the order."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from consumer.adapters.memory.ledger import Fault
from consumer.domain import arithmetic
from consumer.domain.events import EventKind
from consumer.domain.ledger import InvoiceDraft, InvoiceStatus, Operation, TaxRounding
from consumer.domain.settings import CancelledSent, ShopSettings
from consumer.domain.states import OrderState
from consumer.errors import KeyTakenError, NotFoundError, RefusedError
from tests.services.sync.virtual_time import let_pass, run, until
from tests.services.sync.world import BOOKS, SHOP, World, with_unique_field


async def book(world: World, *order_ids: str, **order: Any) -> None:
    """Book these orders from the beginning."""
    await world.set_up()
    await world.pay(*(order_ids or ("1001",)), **order)
    async with world.process():
        await world.rest()


def off_by(cents: str, times: int | None = None) -> Callable[..., arithmetic.Figures]:
    """Compute totals that differ, so many times (None: always)."""
    left = [times]

    def totals(draft: InvoiceDraft, digits: int, rounding: TaxRounding) -> arithmetic.Figures:
        figures = arithmetic.compute(draft, digits, rounding)
        if left[0] == 0:
            return figures
        left[0] = None if left[0] is None else left[0] - 1
        return replace(figures, total=figures.total + Decimal(cents))

    return totals


# ---- figures that differ ----


def test_a_document_with_other_figures_is_taken_back_and_the_order_parked_with_the_difference() -> None:
    """The ledger says one cent more, and nothing better can be sent: no wrong document stays."""
    world = World()
    world.book.totals = off_by("0.01")
    run(book(world))
    assert (world.state(), world.reason()) == (OrderState.PARKED, "difference")
    assert (world.live(), world.writes()[-2:]) == ((), ["create_invoice", "delete_invoice"])
    assert world.order().difference == Decimal("0.01")
    told = world.told()[-1]
    assert (told["state"], told["invoice"], Decimal(told["difference"])) == ("parked", None, Decimal("0.01"))
    assert "12.20" in told["reason"]["message"]
    assert "12.21" in told["reason"]["message"]


def test_three_differences_in_a_row_stop_the_connection_even_over_several_lanes() -> None:
    """Each order comes a minute after the other, so that the lane was given back in between."""
    world = World()
    world.book.totals = off_by("0.01")

    async def work() -> None:
        await world.set_up()
        async with world.process():
            for order in ("1001", "1002", "1003"):
                await world.pay(order)
                await world.rest()
                await let_pass(60.0)
            await world.pay("1004")
            await let_pass(600.0)

    run(work())
    stopped = world.database.connections[BOOKS].stopped
    assert stopped is not None
    assert stopped.value == "differences_in_a_row"
    assert (world.state("1003"), world.state("1004")) == (OrderState.PARKED, OrderState.DUE)
    assert world.writes().count("create_invoice") == 3


def test_two_differences_and_a_good_one_are_not_three_in_a_row() -> None:
    """The connection goes on."""
    world = World()

    async def work() -> None:
        await world.set_up()
        async with world.process():
            for order, wrong in (("1001", 1), ("1002", 1), ("1003", 0), ("1004", 1)):
                world.book.totals = off_by("0.01", times=wrong)
                await world.pay(order)
                await world.rest()

    run(work())
    assert world.database.connections[BOOKS].stopped is None
    assert [world.state(order) for order in ("1003", "1004")] == [OrderState.BOOKED, OrderState.PARKED]


# ---- no answer ----


@pytest.mark.parametrize("fault", [Fault.CUT_BEFORE_COMMIT, Fault.CUT_AFTER_COMMIT])
def test_a_create_without_an_answer_is_asked_about_and_ends_with_one_invoice(fault: Fault) -> None:
    """Whether it was in effect or not: found and adopted, or looked for twice and made again under the same key."""
    world = World(connection=with_unique_field())
    world.plan("create_invoice", fault)
    run(book(world))
    drafts = [operation.draft for operation in world.calls if operation.name == "create_invoice"]  # type: ignore[attr-defined]
    assert {draft.unique_key for draft in drafts} == {f"{SHOP}/1001/invoice//1"}
    assert (len(world.live()), world.state(), world.open_intents()) == (1, OrderState.BOOKED, [])
    absent = fault is Fault.CUT_BEFORE_COMMIT
    assert world.called("find_invoices") == ["find_invoices"] * (2 if absent else 1)
    assert len(drafts) == (2 if absent else 1)
    assert world.told()[-1]["operation"] == ("created" if absent else "adopted")


def test_between_the_two_looks_for_an_absent_invoice_lie_thirty_seconds() -> None:
    """A list may lag behind its writes: one look proves nothing."""
    world = World()
    world.plan("create_invoice", Fault.CUT_BEFORE_COMMIT)
    looks: list[Any] = []

    async def note() -> None:
        if world.calls and world.calls[-1].name == "find_invoices":
            looks.append(world.now())

    world.factory.pause = note
    run(book(world))
    assert max(looks) - min(looks) >= timedelta(seconds=30)


def test_a_request_that_arrives_after_the_second_create_is_refused_by_the_unique_field() -> None:
    """The lost request reaches the ledger late, after the order was booked: it has no effect."""
    world = World(connection=with_unique_field())
    world.plan("create_invoice", Fault.ARRIVES_LATE)
    run(book(world))
    world.factory.deliver_late()
    assert (len(world.live()), world.state()) == (1, OrderState.BOOKED)


def test_a_request_that_arrives_just_before_the_second_create_is_found_by_its_key() -> None:
    """The ledger refuses the second one with its key; the first is read, and adopted."""
    world = World(connection=with_unique_field())
    world.plan("create_invoice", Fault.ARRIVES_LATE)

    def arrive_now(operation: Operation) -> None:
        if operation.name == "create_invoice":
            world.factory.deliver_late()

    world.book.before = arrive_now
    run(book(world))
    assert (len(world.live()), world.state(), world.open_intents()) == (1, OrderState.BOOKED, [])
    assert world.writes().count("create_invoice") == 1
    assert world.told()[-1]["operation"] == "adopted"
    assert world.documents()[0].unique_key == f"{SHOP}/1001/invoice//1"


def test_while_a_write_is_in_doubt_nothing_else_is_written_for_the_order() -> None:
    """A newer revision, and even a cancellation, wait until it is known what came of the create."""
    world = World()
    world.plan("create_invoice", Fault.CUT_AFTER_COMMIT)

    async def work() -> None:
        await world.set_up()
        await world.pay("1001")
        async with world.process():
            await until(lambda: world.state() is OrderState.UNCERTAIN)
            await world.take("1001", EventKind.CANCELLED, version=2)
            await let_pass(300.0)
            assert world.writes() == ["create_contact", "create_invoice"]
            assert world.state() is OrderState.UNCERTAIN
            await world.rest()

    run(work())
    assert (world.state(), world.live()) == (OrderState.WITHDRAWN, ())
    assert world.writes()[-1] == "void_invoice"


@pytest.mark.parametrize("fault", [Fault.CUT_BEFORE_COMMIT, Fault.CUT_AFTER_COMMIT])
def test_an_update_without_an_answer_ends_with_the_newer_figures(fault: Fault) -> None:
    """It is read by its id; where it never arrived it is sent again."""
    world = World()
    world.plan("update_invoice", fault)

    async def work() -> None:
        await world.set_up()
        await world.pay("1001")
        async with world.process():
            await world.rest()
            await world.take("1001", EventKind.UPDATED, version=2, price="24.40")
            await world.rest()

    run(work())
    assert [invoice.total for invoice in world.live()] == [Decimal("24.40")]
    assert (world.state(), world.open_intents()) == (OrderState.BOOKED, [])
    assert world.writes().count("update_invoice") == 1


def test_a_look_that_is_refused_leaves_the_doubt_as_it_is() -> None:
    """A 400 to the question is no answer to it: the order stays uncertain, and is asked about again."""
    world = World()
    world.plan("create_invoice", Fault.CUT_AFTER_COMMIT)
    world.refuse("find_invoices", RefusedError("the filter is not accepted", 400, 2), 2)
    states: set[OrderState | None] = set()

    async def work() -> None:
        await world.set_up()
        await world.pay("1001")
        async with world.process():
            while not world.settled():
                states.add(world.state())
                await let_pass(0.5)

    run(work())
    assert world.book.refusals == {"find_invoices": []}
    assert OrderState.PARKED not in states
    assert (world.state(), len(world.live()), world.open_intents()) == (OrderState.BOOKED, 1, [])


# ---- refusals ----


def test_a_write_that_met_the_limit_leaves_no_open_intent_and_is_made_later() -> None:
    """429: for certain nothing was done; after the minute it is sent again, without asking."""
    world = World()
    world.plan("create_invoice", Fault.THROTTLED)
    run(book(world))
    assert world.called("find_invoices") == []
    assert world.called("create_invoice") == ["create_invoice"] * 2
    assert [row.resolution for row in world.database.intents.values()] == ["done", "never_sent", "done"]
    assert world.state() is OrderState.BOOKED
    assert world.database.lanes[BOOKS].halved_until is not None


def test_a_request_that_did_not_leave_is_sent_again_without_asking() -> None:
    """No connection: nothing left us, so there is no doubt."""
    world = World()
    world.plan("create_invoice", Fault.NOT_SENT)
    run(book(world))
    assert (world.called("find_invoices"), world.state()) == ([], OrderState.BOOKED)


def test_a_refusal_parks_this_order_in_the_ledgers_words_and_no_other() -> None:
    """The next order is booked."""
    world = World()
    world.refuse("create_invoice", RefusedError("Invalid value passed for notes", 400, 15), 1)
    run(book(world, "1001", "1002"))
    states = {order: world.state(order) for order in ("1001", "1002")}
    parked = next(order for order, state in states.items() if state is OrderState.PARKED)
    assert sorted(state.value for state in states.values() if state) == ["booked", "parked"]
    reason = world.order(parked).reason
    assert reason is not None
    assert "Invalid value passed for notes" in reason.message
    assert world.open_intents() == []


def test_what_is_not_found_twice_parks_the_order_instead_of_turning_in_a_circle() -> None:
    """The ledger says twice that something is gone: the second refusal stands."""
    world = World()
    world.refuse("create_invoice", NotFoundError("item 7 does not exist", 400, 2006), 9)
    run(book(world))
    assert (world.state(), world.reason()) == (OrderState.PARKED, "ledger_refused")
    assert world.called("create_invoice") == ["create_invoice"] * 2


def test_a_key_that_is_taken_by_nothing_that_can_be_found_asks_a_person() -> None:
    """The ledger refuses for the unique field, but has no document of the reference: nothing is guessed."""
    world = World(connection=with_unique_field())
    world.refuse("create_invoice", KeyTakenError("the value is in use", 400, 2), 1)
    run(book(world))
    assert (world.state(), world.reason()) == (OrderState.PARKED, "already_in_ledger")
    assert world.live() == ()


# ---- people in the ledger ----


def test_an_invoice_that_was_deleted_between_the_look_and_the_update_asks_a_person() -> None:
    """The update is refused as not found; the next look sees that it is gone, and none is made in its place."""
    world = World()

    def delete_after_the_look(operation: Operation) -> None:
        if operation.name == "read_invoice":
            world.book.invoices.clear()

    async def work() -> None:
        await world.set_up()
        await world.pay("1001")
        async with world.process():
            await world.rest()
            await world.take("1001", EventKind.UPDATED, version=2, price="24.40")
            world.book.after = delete_after_the_look
            await world.rest()

    run(work())
    assert (world.state(), world.reason()) == (OrderState.PARKED, "gone_from_ledger")
    assert world.book.invoices == {}


def test_a_sent_invoice_is_not_touched_when_the_shop_leaves_cancellations_to_a_person() -> None:
    """A person has to void or credit it; the shop is told, with the invoice that still stands."""
    world = World()

    async def work() -> None:
        shop = ShopSettings(
            shop_id=SHOP,
            connection_id=BOOKS,
            automatic=True,
            book_from=datetime(2026, 1, 1, tzinfo=UTC),
            cancelled_sent=CancelledSent.PARK,
        )
        await world.set_up(shop)
        await world.pay("1001")
        async with world.process():
            await world.rest()
            world.book.set_status(world.live()[0].invoice_id, InvoiceStatus.SENT)
            await world.take("1001", EventKind.CANCELLED, version=2)
            await world.rest()

    run(work())
    assert (world.state(), world.reason()) == (OrderState.PARKED, "cancelled_after_booking")
    assert len(world.live()) == 1
    assert world.told()[-1]["invoice"]["number"] == world.live()[0].number


# ---- calls ----
