"""What a person asks of one order: what is taken up goes before everything else, and all of it is written down."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from consumer.domain.asking import Mark, Reception
from consumer.domain.records import Conclusion, IntentEnd, Note, OrderRecord
from consumer.domain.standing import stand
from consumer.domain.states import Ask, OrderState, Priority, Reason, ReasonCode, Wish
from tests.conformance.intake.making import CANCELLED, NOON, PAID, UPDATED, connection, key, shop, taken
from tests.conformance.lanes.bench import Bench
from tests.conformance.lanes.scenes import (
    begin,
    booked,
    books,
    change,
    claim,
    concluded,
    exchange,
    invoice,
    lease,
    news,
    open_books,
    pay,
)
from tests.conformance.people.acting import TAX, audits, book, claimed, order, park, switch_off


def _open(intent_id: UUID) -> IntentEnd:
    return IntentEnd(intent_id=intent_id, resolution=None)


def _standing(record: OrderRecord) -> OrderState:
    """Tell where the lane would find the order."""
    return stand(record.facts, shop(), connection()).state


async def test_generate_goes_before_live_orders_whatever_the_settings_hold_back(bench: Bench) -> None:
    """Unpaid, automatic sending off: the person's word counts, and the lane takes the order first."""
    await switch_off(bench)
    await bench.intake.record([taken(key("1"), 0, place=UPDATED)])
    await open_books(bench, "2", "3")
    await switch_off(bench)
    asked = await bench.people.ask(key("1"), Ask.GENERATE, actor="jane", note="she waits on the phone")
    assert (asked.reception, asked.order and asked.order.facts.asked) == (Reception.TAKEN, Ask.GENERATE)
    (taken_up,) = await claimed(bench)
    assert (taken_up.key, taken_up.priority, taken_up.asked_note) == (
        key("1"),
        Priority.PERSON,
        "she waits on the phone",
    )
    assert (taken_up.facts.paid, taken_up.facts.released) == (False, True)
    assert await audits(bench) == [("jane", "generate", "taken")]


async def test_generate_of_an_order_of_before_the_start(bench: Bench) -> None:
    """`book_from` holds back what goes by itself, not what a person asks for."""
    late = shop(book_from=NOON + timedelta(days=1))
    await bench.settings.apply([books()], [late], actor="test", dry_run=False)
    await pay(bench, "1")
    assert (await order(bench)).state is OrderState.WAITING
    await bench.people.ask(key("1"), Ask.GENERATE, actor="jane")
    assert [one.key for one in await claimed(bench)] == [key("1")]


async def test_generate_on_a_booked_order_answers_with_its_document(bench: Bench) -> None:
    """No error, no change, and no second document."""
    await book(bench)
    before = await order(bench)
    asked = await bench.people.ask(key("1"), Ask.GENERATE, actor="jane")
    assert asked.reception is Reception.NOTHING
    assert asked.order is not None
    assert asked.order.live_invoice is not None
    assert asked.order.live_invoice.number == "INV-1"
    after = await order(bench)
    assert (after.change, after.state, after.facts.asked) == (before.change, OrderState.BOOKED, None)
    assert await audits(bench) == [("jane", "generate", "nothing")]


async def test_generate_on_a_cancelled_order_is_refused(bench: Bench) -> None:
    """Nothing is due by it, and the audit log keeps why."""
    await open_books(bench, "1")
    await bench.intake.record([taken(key("1"), 0, 2, place=CANCELLED)])
    asked = await bench.people.ask(key("1"), Ask.GENERATE, actor="jane")
    assert (asked.reception, asked.words) == (
        Reception.REFUSED,
        "The order is cancelled: no document is made for it.",
    )
    assert (await order(bench)).state is OrderState.WITHDRAWN
    assert await claimed(bench) == []


async def test_an_unknown_order_is_said_to_be_unknown(bench: Bench) -> None:
    """Whatever is asked of it."""
    await open_books(bench)
    for answer in (
        await bench.people.ask(key("9"), Ask.GENERATE, actor="jane"),
        await bench.people.mark(key("9"), Mark.HOLD, actor="jane"),
    ):
        assert (answer.reception, answer.order) == (Reception.UNKNOWN, None)


async def test_what_no_word_can_make_up_for_is_said(bench: Bench) -> None:
    """Without a connection there is nowhere to write; the order is not due in vain."""
    await bench.settings.apply([books()], [shop(connection_id=None)], actor="test", dry_run=False)
    await pay(bench, "1")
    asked = await bench.people.ask(key("1"), Ask.GENERATE, actor="jane")
    assert asked.reception is Reception.REFUSED
    assert asked.words.startswith("The shop has no active ledger connection.")
    assert (await order(bench)).state is OrderState.WAITING


async def test_update_is_for_orders_with_a_document(bench: Bench) -> None:
    """A booked order is looked at again before everything else; one without a document is told what makes one."""
    await open_books(bench, "2")
    refused = await bench.people.ask(key("2"), Ask.UPDATE, actor="jane")
    assert (refused.reception, "generate" in refused.words) == (Reception.REFUSED, True)
    await bench.intake.record([taken(key("1"), 5)])
    leased = await lease(bench)
    await claim(bench, leased, 1)
    intent_id, slot = await begin(bench, leased, key("1"))
    await bench.bookings.record(booked(key("1"), intent_id, slot))
    await bench.people.ask(key("1"), Ask.UPDATE, actor="jane")
    (first,) = await claim(bench, leased, 1, key("2"))
    assert (first.key, first.facts.asked, first.change) == (key("1"), Ask.UPDATE, 2)


async def test_a_conclusion_ends_what_was_asked_and_keeps_the_answer(bench: Bench) -> None:
    """Whoever waits reads there what came of it."""
    await park(bench, "1")
    await bench.people.ask(key("1"), Ask.GENERATE, actor="jane")
    leased = await lease(bench)
    await claim(bench, leased)
    note = Note(decision="park", words=("There still is no tax of 22 %.",))
    conclusion = Conclusion(state=OrderState.PARKED, reason=TAX)
    assert await bench.bookings.record(concluded(key("1"), conclusion, 2, note=note), leased)
    after = await order(bench)
    assert (after.facts.asked, after.answer) == (None, "There still is no tax of 22 %.")
    await bench.people.ask(key("1"), Ask.GENERATE, actor="jane")
    assert (await order(bench)).answer == ""


async def test_what_is_asked_meanwhile_is_not_answered_by_what_was_decided_before(bench: Bench) -> None:
    """A deletion comes to its end while a person asks for the document again: the newer word stands, and its wish."""
    await book(bench)
    await bench.people.ask(key("1"), Ask.DELETE, actor="jane")
    leased = await lease(bench)
    await claim(bench, leased)
    await bench.people.ask(key("1"), Ask.UPDATE, actor="joe")
    conclusion = Conclusion(state=OrderState.WITHDRAWN, reason=Reason(code=ReasonCode.NOT_WANTED, message="Deleted."))
    late = replace(concluded(key("1"), conclusion, 2), wish=Wish.NONE, answer="There is no document any more.")
    assert not await bench.bookings.record(late, leased)
    after = await order(bench)
    assert (after.facts.asked, after.facts.wish, after.answer) == (Ask.UPDATE, Wish.AUTO, "")


@pytest.mark.parametrize("ask", [Ask.DELETE, Ask.DELETE_SENT])
async def test_a_deletion_is_due_at_once_and_releases_nothing(bench: Bench, ask: Ask) -> None:
    """Should it be refused in the end, what automatic sending holds back stays held back."""
    await book(bench)
    await switch_off(bench)
    await change(bench, "1", offset=5)
    assert (await order(bench)).state is OrderState.WAITING
    await bench.people.ask(key("1"), ask, actor="jane")
    (one,) = await claimed(bench)
    assert (one.facts.asked, one.facts.released, one.priority) == (ask, False, Priority.PERSON)


async def test_neither_an_event_nor_a_setting_takes_an_order_out_of_the_line(bench: Bench) -> None:
    """A person waits for it: what automatic sending would hold back does not hold back what was asked for."""
    await book(bench)
    await switch_off(bench)
    await bench.people.ask(key("1"), Ask.DELETE, actor="jane")
    await change(bench, "1", offset=5)
    assert (await order(bench)).state is OrderState.DUE
    await bench.settings.apply([books()], [shop(automatic=False, name="other")], actor="t", dry_run=False)
    await bench.settings.apply([books()], [shop(automatic=False, refund_label="Given back")], actor="t", dry_run=False)
    (one,) = await claimed(bench)
    assert (one.facts.asked, one.priority) == (Ask.DELETE, Priority.PERSON)


async def test_a_deletion_without_a_document_changes_nothing(bench: Bench) -> None:
    """And says how an order is kept from being booked."""
    await open_books(bench, "1")
    asked = await bench.people.ask(key("1"), Ask.DELETE, actor="jane")
    assert (asked.reception, "ignore" in asked.words) == (Reception.NOTHING, True)
    assert ((await order(bench)).change, (await order(bench)).facts.wish) == (1, Wish.AUTO)


async def test_a_held_order_is_not_deleted_before_it_is_released(bench: Bench) -> None:
    """To end the hold for it could let the order's changes be written."""
    await book(bench)
    await bench.people.mark(key("1"), Mark.HOLD, actor="jane")
    assert (await bench.people.ask(key("1"), Ask.DELETE, actor="jane")).reception is Reception.REFUSED
    assert (await order(bench)).facts.wish is Wish.HOLD


async def test_an_order_in_doubt_is_asked_about_no_earlier(bench: Bench) -> None:
    """A person's word does not shorten the time after which the ledger's answer may be trusted."""
    await open_books(bench, "1")
    leased = await lease(bench)
    await claim(bench, leased)
    intent_id, slot = await begin(bench, leased, key("1"))
    doubt = Conclusion(state=OrderState.UNCERTAIN, due_in_seconds=300.0)
    await bench.bookings.record(
        booked(
            key("1"),
            intent_id,
            slot,
            intent=_open(intent_id),
            exchange=exchange(status=None),
            document=None,
            conclusion=doubt,
            announcement=None,
        )
    )
    await bench.people.ask(key("1"), Ask.GENERATE, actor="jane")
    after = await order(bench)
    assert (after.state, after.facts.asked, after.priority) == (OrderState.UNCERTAIN, Ask.GENERATE, Priority.PERSON)
    assert await bench.due_in_seconds(key("1")) == pytest.approx(300.0, abs=5.0)


async def test_what_the_replay_puts_in_makes_no_document_that_was_deleted(bench: Bench) -> None:
    """Deleted on purpose: the same revision and a newer one leave the order withdrawn, and none of it is due."""
    await book(bench)
    await bench.people.ask(key("1"), Ask.DELETE, actor="jane")
    leased = await lease(bench)
    await claim(bench, leased)
    intent_id, slot = await begin(bench, leased, key("1"), 2, operation="delete_invoice")
    reason = Reason(code=ReasonCode.NOT_WANTED, message="Deleted.")
    gone = booked(
        key("1"),
        intent_id,
        slot,
        2,
        document=invoice(live=False, status="deleted"),
        conclusion=Conclusion(state=OrderState.WITHDRAWN, reason=reason),
        wish=Wish.NONE,
        announcement=news(b"deleted"),
    )
    assert await bench.bookings.record(gone, leased)
    await bench.lanes.give_back(leased)
    assert (await order(bench)).facts.wish is Wish.NONE
    same = taken(key("1"), 0, place=PAID)
    await bench.intake.put_in([same], priority=Priority.BACKFILL)
    after = await order(bench)
    assert (after.state, await bench.due_in_seconds(key("1"))) == (OrderState.WITHDRAWN, None)
    await bench.intake.put_in([taken(key("1"), 50, 2, place=UPDATED)], priority=Priority.BACKFILL)
    after = await order(bench)
    assert after.facts.wish is Wish.NONE
    assert after.live_invoice is None
    # Whoever was told of the document may be told again; making one would need the wish to be another.
    assert _standing(after) is OrderState.WITHDRAWN


async def test_orders_of_a_closed_period_are_tried_again_once_a_day(bench: Bench) -> None:
    """Nobody tells when a period is opened. Behind live orders, not before a day has passed, and no other order."""
    closed = Reason(code=ReasonCode.PERIOD_CLOSED, message="Closed.", fix="Open it.")
    await open_books(bench, "1", "2")
    leased = await lease(bench)
    await claim(bench, leased, 2)
    for order_id, reason in (("1", closed), ("2", TAX)):
        outcome = concluded(
            key(order_id), Conclusion(state=OrderState.PARKED, reason=reason), note=Note(decision="park")
        )
        await bench.bookings.record(outcome, leased)
    await bench.lanes.give_back(leased)
    assert await bench.people.retry_closed(older_than_seconds=86_400.0, limit=10) == 0
    assert await bench.people.retry_closed(older_than_seconds=0.0, limit=10) == 1
    (one,) = await claimed(bench)
    assert (one.key, one.priority, one.change) == (key("1"), Priority.BACKFILL, 2)


async def test_a_group_is_released_and_no_other(bench: Bench) -> None:
    """The group is finer than the reason: another missing tax stays parked."""
    await open_books(bench, "1", "2")
    leased = await lease(bench)
    await claim(bench, leased, 2)
    other = Reason(code=ReasonCode.TAX_MISSING, message="No tax of 5 %.", group_key="tax_missing:5")
    for order_id, reason in (("1", TAX), ("2", other)):
        await bench.bookings.record(
            concluded(key(order_id), Conclusion(state=OrderState.PARKED, reason=reason)), leased
        )
    released = await bench.people.release(
        actor="jane", shop_id="north", group_key="tax_missing:22", priority=Priority.BACKFILL, limit=10
    )
    assert released == 1
    assert [(one.key, one.priority) for one in await claim(bench, leased)] == [(key("1"), Priority.BACKFILL)]
