"""What a person asks of one order: what is taken up goes before everything else, and all of it is written down."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import pytest

from consumer.domain.asking import Mark, Reception
from consumer.domain.records import Conclusion, IntentEnd, Note, OrderRecord
from consumer.domain.standing import stand
from consumer.domain.states import Ask, OrderState, Priority, Reason, ReasonCode, Wish
from consumer.ports.lanes import Superseded
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
    intent,
    invoice,
    lease,
    news,
    open_books,
    pay,
    request,
)

TAX = Reason(code=ReasonCode.TAX_MISSING, message="No tax of 22 %.", fix="Add it.", group_key="tax_missing:22")


async def order(bench: Bench, order_id: str = "1") -> OrderRecord:
    """Read an order."""
    record = await bench.bookings.read(key(order_id))
    assert record is not None
    return record


async def audits(bench: Bench, order_id: str = "1") -> list[tuple[str, str, str]]:
    """Look at who said what of an order, and how it was received."""
    story = await bench.people.story(key(order_id))
    assert story is not None
    found = [line.details for line in story.lines if line.kind == "audit"]
    return [(line["actor"], line["action"], line["details"]["reception"]) for line in found]


async def book(bench: Bench, order_id: str = "1") -> None:
    """Take an order in and book it."""
    await open_books(bench, order_id)
    leased = await lease(bench)
    await claim(bench, leased)
    intent_id, slot = await begin(bench, leased, key(order_id))
    await bench.bookings.record(booked(key(order_id), intent_id, slot))
    await bench.lanes.give_back(leased)


async def park(bench: Bench, *orders: str, reason: Reason = TAX) -> None:
    """Take orders in and park them."""
    await open_books(bench, *orders)
    leased = await lease(bench)
    await claim(bench, leased, len(orders))
    for order_id in orders:
        outcome = concluded(key(order_id), Conclusion(state=OrderState.PARKED, reason=reason))
        await bench.bookings.record(outcome, leased)
    await bench.lanes.give_back(leased)


async def switch_off(bench: Bench) -> None:
    """Switch automatic sending off."""
    await bench.settings.apply([books()], [shop(automatic=False)], actor="test", dry_run=False)


async def claimed(bench: Bench) -> Sequence[OrderRecord]:
    """Take in hand what is due."""
    leases = await bench.lanes.lease_due("one", 15.0, 5)
    if not leases:
        return []
    found = await claim(bench, leases[0])
    await bench.lanes.give_back(leases[0])
    return found


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


async def test_a_hold_stops_a_booking_before_its_write(bench: Bench) -> None:
    """The lane has the order in hand and is about to write: it is superseded, and finds the order held."""
    await open_books(bench, "1")
    leased = await lease(bench)
    (in_hand,) = await claim(bench, leased)
    asked = await bench.people.mark(key("1"), Mark.HOLD, actor="jane", note="wrong address")
    assert asked.reception is Reception.TAKEN
    begun = await bench.bookings.begin(leased, intent(key("1"), in_hand.change), request())
    assert isinstance(begun, Superseded)
    after = await order(bench)
    assert after.reason is not None
    assert (after.state, after.reason.code, after.facts.wish) == (OrderState.WAITING, ReasonCode.HELD, Wish.HOLD)
    assert await bench.due_in_seconds(key("1")) is None


async def test_a_hold_waits_for_the_answer_of_a_write_under_way(bench: Bench) -> None:
    """Nobody would ask what came of the write if the order went to rest now; after that it is held."""
    await open_books(bench, "1")
    leased = await lease(bench)
    await claim(bench, leased)
    intent_id, slot = await begin(bench, leased, key("1"))
    await bench.people.mark(key("1"), Mark.HOLD, actor="jane")
    assert (await order(bench)).state is OrderState.DUE
    # The answer was decided upon before the hold: the document is kept, and the order stays with the lane.
    assert not await bench.bookings.record(booked(key("1"), intent_id, slot))
    after = await order(bench)
    assert (after.state, after.live_invoice is None, after.facts.wish) == (OrderState.DUE, False, Wish.HOLD)


async def test_a_held_order_is_not_made_by_newer_revisions_and_goes_on_when_released(bench: Bench) -> None:
    """The wish is stronger than any event; a person ends it."""
    await open_books(bench, "1")
    await bench.people.mark(key("1"), Mark.HOLD, actor="jane")
    again = await bench.people.mark(key("1"), Mark.HOLD, actor="jane")
    assert (again.reception, again.words) == (Reception.NOTHING, "It is held already.")
    await change(bench, "1", offset=7)
    assert await claimed(bench) == []
    assert (await bench.people.mark(key("1"), Mark.RELEASE, actor="john")).reception is Reception.TAKEN
    (one,) = await claimed(bench)
    assert (one.facts.wish, one.facts.released, one.priority) == (Wish.AUTO, True, Priority.PERSON)
    assert [who for who, _, _ in await audits(bench)] == ["jane", "jane", "john"]


async def test_a_release_where_there_is_nothing_to_release(bench: Bench) -> None:
    """A booked order is left alone."""
    await book(bench)
    answer = await bench.people.mark(key("1"), Mark.RELEASE, actor="jane")
    assert (answer.reception, answer.words) == (Reception.NOTHING, "It is booked; there is nothing to release.")


async def test_retry_is_for_parked_orders(bench: Bench) -> None:
    """Due again at once, as if never tried; one that waits is told what lets it go on."""
    await park(bench, "1")
    assert (await bench.people.mark(key("1"), Mark.RETRY, actor="jane")).reception is Reception.TAKEN
    (one,) = await claimed(bench)
    assert (one.priority, one.takes, one.attempts, one.reason) == (Priority.PERSON, 1, 0, None)
    await bench.people.mark(key("1"), Mark.HOLD, actor="jane")
    answer = await bench.people.mark(key("1"), Mark.RETRY, actor="jane")
    assert (answer.reception, "release" in answer.words) == (Reception.NOTHING, True)


async def test_an_ignored_order_is_withdrawn_for_good(bench: Bench) -> None:
    """No event brings it back; generate does, because a person says so."""
    await park(bench, "1")
    await bench.people.mark(key("1"), Mark.IGNORE, actor="jane", note="booked by hand as INV-7")
    after = await order(bench)
    assert after.reason is not None
    assert (after.state, after.reason.code) == (OrderState.WITHDRAWN, ReasonCode.IGNORED)
    await change(bench, "1", offset=9)
    assert await claimed(bench) == []
    story = await bench.people.story(key("1"))
    assert story is not None
    (line,) = [line for line in story.lines if line.kind == "audit"]
    assert line.details["details"]["note"] == "booked by hand as INV-7"
    assert "booked by hand as INV-7" in line.text
    await bench.people.ask(key("1"), Ask.GENERATE, actor="jane")
    assert [one.key for one in await claimed(bench)] == [key("1")]


async def test_an_ignored_order_that_was_told_of_is_told_to_be_withdrawn(bench: Bench) -> None:
    """The shop's list says parked; the lane has to tell the end of it."""
    await open_books(bench, "1")
    leased = await lease(bench)
    await claim(bench, leased)
    parked = Conclusion(state=OrderState.PARKED, reason=TAX)
    await bench.bookings.record(concluded(key("1"), parked, announcement=news(b"parked")), leased)
    await bench.people.mark(key("1"), Mark.IGNORE, actor="jane", note="by hand")
    assert [one.facts.wish for one in await claim(bench, leased)] == [Wish.IGNORE]


async def test_an_ignored_order_keeps_its_document_as_it_is(bench: Bench) -> None:
    """It waits and says so: nothing more is written for it, and nothing is taken down."""
    await book(bench)
    answer = await bench.people.mark(key("1"), Mark.IGNORE, actor="jane", note="credited by hand")
    assert answer.order is not None
    assert answer.order.live_invoice is not None
    await change(bench, "1", offset=9)
    after = await order(bench)
    assert after.reason is not None
    assert (after.facts.wish, after.state, after.reason.code) == (
        Wish.IGNORE,
        OrderState.WAITING,
        ReasonCode.IGNORED,
    )
    assert await claimed(bench) == []


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
