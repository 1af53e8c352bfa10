"""The commit of an intent with its slot: only while lease and change hold, and one per subject."""

import pytest

from consumer.domain.records import IntentEnd, Outcome, Resolution
from consumer.domain.states import OrderState
from consumer.errors import ConnectionStoppedError, FencedError, StopCause
from consumer.ports.lanes import Begun, MustWait, Occupied, Superseded, WaitCause
from tests.conformance.intake.making import key
from tests.conformance.lanes.bench import Bench
from tests.conformance.lanes.scenes import BOOKS, begin, change, claim, intent, lease, open_books, request

ORDER = key("1001")


async def test_an_intent_keeps_what_is_to_be_asked_for(bench: Bench) -> None:
    """All of the intent comes back, with the seconds until another may ask: a second, deadline and settle time."""
    await open_books(bench, "1001")
    leased = await lease(bench)
    await claim(bench, leased)
    wanted = intent(ORDER)
    begun = await bench.bookings.begin(leased, wanted, request())
    assert isinstance(begun, Begun)
    found = await bench.bookings.open_intent(BOOKS, f"order:{ORDER}")
    assert found is not None
    assert (found.intent_id, found.operation, found.digest) == (wanted.intent_id, "create_invoice", b"digest")
    assert (found.sought, found.change, found.epoch) == ({"reference": "1001", "total": "12.30"}, 1, leased.epoch)
    assert (found.looked_seconds_ago, found.doubtful) == (None, False)
    assert found.settles_in_seconds == pytest.approx(321.0, abs=2.0)
    assert await bench.bookings.open_intent("other", f"order:{ORDER}") is None


async def test_an_order_that_changed_is_decided_anew(bench: Bench) -> None:
    """A newer revision between reading and beginning: nothing of the intent is kept, no slot is used."""
    await open_books(bench, "1001")
    leased = await lease(bench)
    await claim(bench, leased)
    await change(bench, "1001", offset=1)
    assert await bench.bookings.begin(leased, intent(ORDER, 1), request()) == Superseded()
    assert await bench.bookings.open_intent(BOOKS, f"order:{ORDER}") is None
    assert isinstance(await bench.bookings.begin(leased, intent(ORDER, 2), request()), Begun)


async def test_who_lost_the_lease_begins_nothing(bench: Bench) -> None:
    """Run out, or passed on: fenced, and nothing is kept."""
    await open_books(bench, "1001")
    old = await lease(bench, "one")
    await claim(bench, old)
    await bench.elapse(15.1)
    with pytest.raises(FencedError):
        await bench.bookings.begin(old, intent(ORDER), request())
    new = await lease(bench, "two")
    with pytest.raises(FencedError):
        await bench.bookings.begin(old, intent(ORDER), request())
    assert await bench.bookings.open_intent(BOOKS, f"order:{ORDER}") is None
    assert isinstance(await bench.bookings.begin(new, intent(ORDER), request()), Begun)


async def test_one_write_per_subject_at_a_time(bench: Bench) -> None:
    """While an intent is open another for its order or contact is told how long; another subject is free."""
    await open_books(bench, "1001", "1002")
    leased = await lease(bench)
    await claim(bench, leased)
    await begin(bench, leased, ORDER, subject="contact:jane")
    second = intent(key("1002"), subject="contact:jane")
    occupied = await bench.bookings.begin(leased, second, request())
    assert isinstance(occupied, Occupied)
    assert occupied.seconds == pytest.approx(321.0, abs=2.0)
    await bench.elapse(400.0)
    assert await bench.bookings.begin(leased, second, request()) == Occupied(seconds=0.0)
    assert await bench.lanes.renew(leased, 15.0)
    assert isinstance(await bench.bookings.begin(leased, intent(key("1002")), request()), Begun)


async def test_without_a_slot_nothing_of_the_intent_is_kept_but_the_take_is_forgiven(bench: Bench) -> None:
    """The order has been mapped without harm by then; it may wait for its slot through many processes."""
    await open_books(bench, "1001", "1002", calls_at_once=1)
    leased = await lease(bench)
    await claim(bench, leased)
    await begin(bench, leased, key("1002"))
    wanted = intent(ORDER)
    waits = await bench.bookings.begin(leased, wanted, request())
    assert isinstance(waits, MustWait)
    assert waits.cause is WaitCause.AT_ONCE
    order = await bench.bookings.read(ORDER)
    assert order is not None
    assert (order.takes, order.open_intent) == (0, None)
    await bench.elapse(100.0)
    assert await bench.lanes.renew(leased, 15.0)
    assert isinstance(await bench.bookings.begin(leased, wanted, request()), Begun)


async def test_nothing_is_written_to_a_stopped_connection(bench: Bench) -> None:
    """Stopped by whomever, in whatever process: what is in hand begins no more."""
    await open_books(bench, "1001")
    leased = await lease(bench)
    await claim(bench, leased)
    await bench.lanes.stop_connection(BOOKS, StopCause.DIFFERENCES_IN_A_ROW, "three in a row")
    with pytest.raises(ConnectionStoppedError) as caught:
        await bench.bookings.begin(leased, intent(ORDER), request())
    assert caught.value.cause is StopCause.DIFFERENCES_IN_A_ROW
    assert await bench.bookings.open_intent(BOOKS, f"order:{ORDER}") is None


async def test_a_settled_subject_is_free_again(bench: Bench) -> None:
    """Once it is known what came of an intent the next may begin."""
    await open_books(bench, "1001")
    leased = await lease(bench)
    await claim(bench, leased)
    intent_id, slot = await begin(bench, leased, ORDER)
    end = IntentEnd(intent_id=intent_id, resolution=Resolution.NEVER_SENT)
    assert await bench.bookings.record(Outcome(key=ORDER, connection_id=BOOKS, change=1, intent=end, slot=slot))
    await begin(bench, leased, ORDER)
    order = await bench.bookings.read(ORDER)
    assert order is not None
    assert order.state is OrderState.DUE


async def test_an_order_that_is_not_there_begins_nothing(bench: Bench) -> None:
    """An unknown order counts as changed."""
    await open_books(bench, "1001")
    assert await bench.bookings.begin(await lease(bench), intent(key("none")), request()) == Superseded()
    assert await bench.bookings.read(key("none")) is None
