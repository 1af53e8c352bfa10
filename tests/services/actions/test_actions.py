"""A person's action from the words to the result: done, refused, or accepted when it takes longer than they wait."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from consumer.domain.asking import Mark, Reception
from consumer.domain.events import EventKind
from consumer.domain.ledger import InvoiceStatus
from consumer.domain.states import Ask, OrderState, ReasonCode
from consumer.errors import StopCause
from consumer.services.actions import ActionResult, act
from tests.services.actions.acting import AUTOMATIC, BY_HAND, doing, tools
from tests.services.sync.virtual_time import let_pass, run
from tests.services.sync.world import BOOKS, World, key


def test_generate_makes_the_document_of_an_order_that_nothing_else_would_make() -> None:
    """Automatic sending is off and nothing was paid; the person sees the number within the wait."""
    world = World()

    async def work() -> ActionResult:
        await world.set_up(BY_HAND)
        await world.take("1001", EventKind.UPDATED)
        return await doing(world, Ask.GENERATE)

    result = run(work())
    assert (result.reception, result.done, result.accepted) == (Reception.TAKEN, True, False)
    assert result.state is OrderState.BOOKED
    assert result.document is not None
    assert result.document.total == Decimal("12.20")
    assert [invoice.number for invoice in world.live()] == [result.document.number]


def test_generate_twice_makes_one_document_and_answers_with_it() -> None:
    """The second click is no error."""
    world = World()

    async def work() -> tuple[ActionResult, ActionResult]:
        await world.set_up(BY_HAND)
        await world.pay("1001")
        return await doing(world, Ask.GENERATE), await doing(world, Ask.GENERATE)

    first, second = run(work())
    assert (second.reception, second.done) == (Reception.NOTHING, True)
    assert first.document is not None
    assert second.document is not None
    assert second.document.number == first.document.number
    assert len(world.live()) == 1


def test_what_takes_longer_than_the_wait_is_accepted_and_goes_on() -> None:
    """Nobody serves the lane within the wait; a process that comes later does the work."""
    world = World()

    async def work() -> ActionResult:
        await world.set_up(AUTOMATIC)
        await world.pay("1001")
        result = await act(key(), Ask.GENERATE, tools=tools(world), actor="jane", wait_seconds=3.0)
        assert asyncio.get_running_loop().time() == pytest.approx(3.0, abs=0.5)
        async with world.process():
            await world.rest()
        return result

    result = run(work())
    assert (result.accepted, result.done, result.state) == (True, False, OrderState.DUE)
    assert result.answer.startswith("Accepted")
    assert world.state() is OrderState.BOOKED


def test_what_waits_for_a_stopped_connection_says_so() -> None:
    """Accepted, with what a person has to do first."""
    world = World()

    async def work() -> ActionResult:
        await world.set_up(AUTOMATIC)
        await world.pay("1001")
        await world.lanes.stop_connection(BOOKS, StopCause.TOKEN_REVOKED, "revoked")
        return await act(key(), Ask.GENERATE, tools=tools(world), actor="jane", wait_seconds=1.0)

    result = run(work())
    assert result.accepted
    assert "stopped (token_revoked); run booked doctor" in result.answer


def test_an_order_that_cannot_be_mapped_answers_with_the_fix() -> None:
    """The person sees at once why it is parked; it is no success."""
    world = World()

    async def work() -> ActionResult:
        await world.set_up(AUTOMATIC)
        world.book.taxes = ()
        await world.pay("1001")
        return await doing(world, Ask.GENERATE)

    result = run(work())
    assert (result.state, result.done, result.accepted) == (OrderState.PARKED, False, False)
    assert result.reason is not None
    assert result.reason.code is ReasonCode.TAX_MISSING
    assert result.reason.message in result.answer


def test_a_draft_is_deleted_and_not_made_again() -> None:
    """The same revision once more, and a newer one, leave it gone."""
    world = World()

    async def work() -> ActionResult:
        await world.set_up(AUTOMATIC)
        await world.pay("1001")
        async with world.process():
            await world.rest()
        result = await doing(world, Ask.DELETE, note="a test order")
        async with world.process():
            await world.take("1001", EventKind.PAID, version=2, price="24.40")
            await world.rest()
        return result

    result = run(work())
    assert (result.done, result.document, result.state) == (True, None, OrderState.WITHDRAWN)
    assert (world.live(), world.state(), world.reason()) == ((), OrderState.WITHDRAWN, "not_wanted")
    assert world.writes().count("create_invoice") == 1


def test_a_sent_invoice_is_not_deleted_by_the_first_word() -> None:
    """It asks once more, says what would come of it, and stays as it is."""
    world = World()

    async def work() -> ActionResult:
        await world.set_up(AUTOMATIC)
        await world.pay("1001")
        async with world.process():
            await world.rest()
        (sent,) = world.live()
        world.book.invoices[sent.invoice_id] = replace(sent, status=InvoiceStatus.SENT)
        return await doing(world, Ask.DELETE)

    result = run(work())
    assert (result.reception, result.done, result.accepted) == (Reception.TAKEN, False, False)
    assert "Ask once more" in result.answer
    assert len(world.live()) == 1
    assert "delete_invoice" not in world.writes()


def test_a_hold_is_done_at_once_and_keeps_the_order_from_being_booked() -> None:
    """And a release lets it go on, to its document."""
    world = World()

    async def work() -> tuple[ActionResult, ActionResult]:
        await world.set_up(AUTOMATIC)
        await world.pay("1001")
        held = await doing(world, Mark.HOLD, note="wrong address")
        assert world.live() == ()
        return held, await doing(world, Mark.RELEASE)

    held, released = run(work())
    assert (held.done, held.state, held.answer) == (True, OrderState.WAITING, "It is held.")
    assert (released.done, released.state) == (True, OrderState.BOOKED)
    assert len(world.live()) == 1


def test_a_retry_after_the_fix_books_the_order() -> None:
    """The tax was made; the person need not wait for anything else."""
    world = World()

    async def work() -> ActionResult:
        await world.set_up(AUTOMATIC)
        taxes, world.book.taxes = world.book.taxes, ()
        await world.pay("1001")
        async with world.process():
            await world.rest()
        assert world.state() is OrderState.PARKED
        world.book.taxes = taxes
        await let_pass(6.0)  # the person has just added the tax: facts of the last minute are not good enough
        return await doing(world, Mark.RETRY)

    result = run(work())
    assert (result.done, result.state) == (True, OrderState.BOOKED)


def test_to_ignore_an_order_a_note_is_needed() -> None:
    """Whoever asks in a year finds why."""
    world = World()

    async def work() -> tuple[ActionResult, ActionResult]:
        await world.set_up(AUTOMATIC)
        await world.pay("1001")
        without = await doing(world, Mark.IGNORE, note=" ")
        return without, await act(key("1002"), Mark.IGNORE, tools=tools(world), actor="jane", note="x" * 2001)

    for result in run(work()):
        assert result.reception is Reception.REFUSED
        assert "note" in result.answer


def test_a_hold_while_the_write_is_under_way_waits_for_its_answer() -> None:
    """The invoice is there, and nothing follows it: the order ends held, with its document."""
    world = World()

    async def work() -> ActionResult:
        await world.set_up(AUTOMATIC)
        await world.pay("1001")
        held: list[asyncio.Task[ActionResult]] = []

        def hold(operation: Any) -> None:
            if operation.name == "create_invoice" and not held:
                hold_it = act(key(), Mark.HOLD, tools=tools(world), actor="jane")
                held.append(asyncio.get_running_loop().create_task(hold_it))

        world.book.before = hold
        async with world.process():
            await world.rest()
            return await held[0]

    result = run(work())
    assert (result.done, result.state) == (True, OrderState.WAITING)
    assert result.reason is not None
    assert result.reason.code is ReasonCode.HELD
    assert len(world.live()) == 1


def test_what_somebody_deleted_in_the_ledger_is_made_again_by_generate_only() -> None:
    """A newer revision finds it gone and makes none, nor does one after that; the person's word does."""
    world = World()

    async def work() -> ActionResult:
        await world.set_up(AUTOMATIC)
        await world.pay("1001")
        async with world.process():
            await world.rest()
        (made,) = world.live()
        del world.book.invoices[made.invoice_id]
        for version in (2, 3):
            async with world.process():
                await world.take("1001", EventKind.UPDATED, version=version, price=f"{version}4.40")
                await world.rest()
            assert (world.live(), world.reason()) == ((), "gone_from_ledger")
        return await doing(world, Ask.GENERATE)

    result = run(work())
    assert (result.done, result.state) == (True, OrderState.BOOKED)
    assert [invoice.total for invoice in world.live()] == [Decimal("34.40")]


def test_one_word_lets_an_update_write_over_what_somebody_has_edited() -> None:
    """The change of the order asks first; after the person's word the draft says what the order says."""
    world = World()

    async def work() -> ActionResult:
        await world.set_up(AUTOMATIC)
        await world.pay("1001")
        async with world.process():
            await world.rest()
            (made,) = world.live()
            edited = replace(made, modified_at=world.now() + timedelta(hours=1))
            world.book.invoices[made.invoice_id] = edited
            await world.take("1001", EventKind.UPDATED, version=2, price="24.40")
            await world.rest()
        assert (world.state(), world.reason()) == (OrderState.PARKED, "edited_by_hand")
        return await doing(world, Ask.UPDATE)

    result = run(work())
    assert (result.done, result.state) == (True, OrderState.BOOKED)
    assert [invoice.total for invoice in world.live()] == [Decimal("24.40")]


def test_an_invoice_with_payments_is_not_deleted_and_says_what_to_undo_first() -> None:
    """Neither by the first word nor by the second."""
    world = World()

    async def work() -> list[ActionResult]:
        await world.set_up(AUTOMATIC)
        await world.pay("1001")
        async with world.process():
            await world.rest()
        (made,) = world.live()
        paid = replace(made, status=InvoiceStatus.PAID, balance=Decimal(0))
        world.book.invoices[made.invoice_id] = paid
        return [await doing(world, Ask.DELETE), await doing(world, Ask.DELETE_SENT)]

    for result in run(work()):
        assert (result.done, result.accepted) == (False, False)
        assert "payments or credits of 12.2" in result.answer
        assert "take them off in the ledger first" in result.answer
    assert len(world.live()) == 1
