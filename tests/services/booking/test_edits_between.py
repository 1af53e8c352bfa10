"""Somebody edits the draft at the very moment of our write: it is seen before the next one, and a person is asked."""

from dataclasses import replace
from decimal import Decimal

import pytest

from consumer.adapters.memory.ledger import Fault
from consumer.domain.events import EventKind
from consumer.domain.ledger import Operation
from consumer.domain.states import Ask, OrderState
from consumer.errors import ThrottledError, ThrottleKind
from tests.services.booking.changing import AUTOMATIC, Shop, an_order, paid, played, totals
from tests.services.booking.test_changes import DEARER, edit
from tests.services.sync.virtual_time import run


def booked() -> Shop:
    """Give the order booked as a draft of 122.00."""
    world = played(AUTOMATIC, paid())
    world.now_seconds = 5000.0
    return world


def edit_once(world: Shop) -> None:
    """Let a person edit the draft when our update is about to arrive."""
    edited: list[Operation] = []

    def before(operation: Operation) -> None:
        if operation.name == "update_invoice" and not edited:
            edited.append(operation)
            edit(world)

    world.book.before = before


def test_an_edit_between_two_attempts_of_an_update_is_not_overwritten() -> None:
    """The first attempt was refused for want of calls: the next one reads again, and finds the edit."""
    world = booked()
    edit_once(world)
    world.refuse("update_invoice", ThrottledError("too many calls", ThrottleKind.MINUTE, 60.0))
    played(AUTOMATIC, DEARER, world=world)
    assert (world.reason(), totals(world.invoices)) == ("edited_by_hand", [("draft", "122.00")])
    assert "update_invoice" not in world.writes()[1:]


@pytest.mark.parametrize("newer", [False, True], ids=["the same revision", "a newer revision"])
def test_an_edit_while_an_update_was_lost_on_the_way_is_not_overwritten(newer: bool) -> None:  # noqa: FBT001 a parameter
    """No answer, and no effect: what is found changed afterwards was somebody else's doing, and is asked about."""
    world = booked()
    world.plan("update_invoice", Fault.CUT_BEFORE_COMMIT)

    async def scene() -> None:
        async with world.process():
            await world.say(*DEARER)
            await world.rest_uncertain()
            edit(world)
            if newer:
                await world.say(EventKind.UPDATED, 3, an_order("366.00"))
            await world.rest()

    run(scene())
    assert (world.reason(), totals(world.invoices)) == ("edited_by_hand", [("draft", "122.00")])
    played(AUTOMATIC, Ask.UPDATE, world=world)
    assert totals(world.invoices) == [("draft", "366.00" if newer else "244.00")]
    assert world.state() is OrderState.BOOKED


def test_an_update_that_arrived_without_an_answer_is_no_edit() -> None:
    """It is ours: found out, and the next change goes through without a question."""
    world = booked()
    world.plan("update_invoice", Fault.CUT_AFTER_COMMIT)
    played(AUTOMATIC, DEARER, (EventKind.UPDATED, 3, an_order("366.00")), world=world)
    assert (totals(world.invoices), world.state()) == ([("draft", "366.00")], OrderState.BOOKED)


def test_the_draft_that_a_person_sent_meanwhile_is_a_sent_invoice() -> None:
    """Our record says draft; the ledger's state decides."""
    world = booked()
    world.send()
    played(AUTOMATIC, DEARER, world=world)
    assert world.reason() == "changed_after_booking"


def _edit_in_the_same_second(world: Shop) -> None:
    invoice = world.invoice
    world.book.invoices[invoice.invoice_id] = replace(invoice, total=Decimal("150.00"))


def test_an_edit_within_the_second_of_our_own_write_is_told_by_the_total() -> None:
    """The ledger's moments are whole seconds, so that the edit has the same: the figures say that it was changed."""
    world = booked()
    _edit_in_the_same_second(world)
    played(AUTOMATIC, Ask.UPDATE, world=world)
    assert totals(world.invoices) == [("draft", "122.00")]
    _edit_in_the_same_second(world)
    played(AUTOMATIC, DEARER, world=world)
    assert world.reason() == "edited_by_hand"
