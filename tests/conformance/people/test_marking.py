"""What a person does to one order beside asking for its document: it is held, released, retried, or ignored."""

from consumer.domain.asking import Mark, Reception
from consumer.domain.records import Conclusion
from consumer.domain.states import Ask, OrderState, Priority, ReasonCode, Wish
from consumer.ports.lanes import Superseded
from tests.conformance.intake.making import key
from tests.conformance.lanes.bench import Bench
from tests.conformance.lanes.scenes import (
    begin,
    booked,
    change,
    claim,
    concluded,
    intent,
    lease,
    news,
    open_books,
    request,
)
from tests.conformance.people.acting import TAX, audits, book, claimed, order, park


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
