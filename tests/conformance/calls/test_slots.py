"""The budget of a connection: the window, calls at once, the pace, people's share, throttling, the day's calls."""

import pytest

from consumer.domain.exchanges import QuotaReading
from consumer.domain.states import Priority
from consumer.errors import ThrottleKind
from consumer.ports.lanes import MustWait, Slot, SlotRequest, Throttle, WaitCause
from tests.conformance.intake.making import key
from tests.conformance.lanes.bench import Bench
from tests.conformance.lanes.scenes import exchange, open_books, request


async def _take(bench: Bench, wish: SlotRequest) -> Slot:
    slot = await bench.calls.take_slot(wish)
    assert isinstance(slot, Slot), slot
    return slot


async def _waits(bench: Bench, wish: SlotRequest) -> MustWait:
    answer = await bench.calls.take_slot(wish)
    assert isinstance(answer, MustWait), answer
    return answer


async def _call(bench: Bench, wish: SlotRequest) -> None:
    await bench.calls.end_call(await _take(bench, wish), sent=True)


async def test_the_window_is_used_up_and_comes_back(bench: Bench) -> None:
    """Ten calls a minute: eight for everybody, two for people; the first slot is free 60 s after its answer."""
    await open_books(bench)
    for _ in range(8):
        await _call(bench, request())
        await bench.elapse(1.0)
    waits = await _waits(bench, request())
    assert waits.cause is WaitCause.WINDOW
    assert waits.seconds == pytest.approx(52.0, abs=1.5)
    for _ in range(2):
        await _call(bench, request(Priority.PERSON))
    assert (await _waits(bench, request(Priority.PERSON))).cause is WaitCause.WINDOW
    await bench.elapse(waits.seconds + 1.1)
    assert (await _waits(bench, request())).cause is WaitCause.WINDOW
    await _call(bench, request(Priority.PERSON))


async def test_a_call_without_an_answer_counts_from_its_deadline(bench: Bench) -> None:
    """Its process died: the call may have arrived at any moment until the deadline (and the second to leave in)."""
    await open_books(bench, calls_per_window=1, people_calls=0)
    await _take(bench, request(deadline_seconds=20.0))
    await bench.elapse(79.0)
    waits = await _waits(bench, request())
    assert waits.cause is WaitCause.WINDOW
    assert waits.seconds == pytest.approx(2.0, abs=1.0)
    await bench.elapse(2.1)
    await _take(bench, request())


async def test_a_call_that_never_left_counts_for_nothing(bench: Bench) -> None:
    """Its slot is free at once, and the day has one call more."""
    await open_books(bench, calls_per_window=1, people_calls=0, daily_calls=20)
    for _ in range(30):
        await bench.calls.end_call(await _take(bench, request()), sent=False)
    await _take(bench, request())


async def test_no_more_calls_at_once_than_allowed(bench: Bench) -> None:
    """Four under way; the fifth waits until one ends, or until a dead process's deadline is over."""
    await open_books(bench)
    slots = [await _take(bench, request()) for _ in range(4)]
    assert (await _waits(bench, request(Priority.PERSON))).cause is WaitCause.AT_ONCE
    await bench.calls.end_call(slots[0], sent=True)
    await _take(bench, request())
    await bench.elapse(21.5)
    await _take(bench, request())


async def test_who_ends_a_call_late_ends_no_other(bench: Bench) -> None:
    """A slot that was given to another meanwhile stays taken; an end that is told twice counts once."""
    await open_books(bench, calls_per_window=1, people_calls=0, calls_at_once=1)
    old = await _take(bench, request())
    await bench.elapse(81.5)
    new = await _take(bench, request())
    await bench.calls.end_call(old, sent=False)
    assert (await _waits(bench, request())).cause is WaitCause.AT_ONCE
    await bench.calls.end_call(new, sent=True)
    await bench.elapse(30.0)
    await bench.calls.end_call(new, sent=True)
    assert (await _waits(bench, request())).seconds == pytest.approx(30.0, abs=1.0)


async def test_queued_calls_are_spaced_after_a_burst(bench: Bench) -> None:
    """Three may leave at once after a pause, then one every 60/(10 x 0.97) s; people and single calls wait for none."""
    await open_books(bench, burst_calls=3, calls_at_once=10)
    for _ in range(3):
        await _call(bench, request(queued=True))
    waits = await _waits(bench, request(queued=True))
    assert waits.cause is WaitCause.PACE
    assert waits.seconds == pytest.approx(6.19, abs=0.5)
    await _call(bench, request(Priority.PERSON, queued=True))
    await _call(bench, request())
    waits = await _waits(bench, request(queued=True))
    assert waits.seconds == pytest.approx(18.6, abs=1.0)
    await bench.elapse(waits.seconds + 0.1)
    await _call(bench, request(queued=True))


async def test_a_refusal_for_the_minute_rests_the_lane_and_halves_the_pace(bench: Bench) -> None:
    """After a 429 nobody calls for as long as told; then for ten minutes at half the pace."""
    await open_books(bench, burst_calls=1)
    throttle = Throttle(kind=ThrottleKind.MINUTE, wait_seconds=30.0)
    await bench.calls.end_call(await _take(bench, request()), sent=True, throttle=throttle)
    waits = await _waits(bench, request(Priority.PERSON))
    assert waits.cause is WaitCause.THROTTLED
    assert waits.seconds == pytest.approx(30.0, abs=1.0)
    await bench.elapse(31.0)
    await _call(bench, request(queued=True))
    assert (await _waits(bench, request(queued=True))).seconds == pytest.approx(12.4, abs=0.5)
    await bench.elapse(600.0)
    await _call(bench, request(queued=True))
    assert (await _waits(bench, request(queued=True))).seconds == pytest.approx(6.19, abs=0.5)


async def test_a_longer_rest_is_not_shortened(bench: Bench) -> None:
    """The breaker's short rest does not end the ledger's long one."""
    await open_books(bench)
    await bench.calls.throttle("books", Throttle(kind=ThrottleKind.CONCURRENT, wait_seconds=60.0))
    await bench.calls.throttle("books", Throttle(kind=ThrottleKind.OUTAGE, wait_seconds=10.0))
    assert (await _waits(bench, request())).seconds == pytest.approx(60.0, abs=1.0)


async def test_a_refusal_for_the_day_spends_the_days_budget(bench: Bench) -> None:
    """Live orders wait until the day ends; a person may try again after a minute, for plans get extended."""
    await open_books(bench)
    await bench.calls.throttle("books", Throttle(kind=ThrottleKind.DAY, wait_seconds=7200.0))
    assert (await _waits(bench, request(Priority.PERSON))).cause is WaitCause.THROTTLED
    await bench.elapse(61.0)
    await _call(bench, request(Priority.PERSON))
    waits = await _waits(bench, request())
    assert waits.cause is WaitCause.QUOTA
    assert waits.seconds == pytest.approx(7139.0, abs=2.0)
    await bench.elapse(7140.0)
    await _call(bench, request())


async def test_our_own_reckoning_holds_until_the_first_answer(bench: Bench) -> None:
    """Without a reading the setting counts: of twenty calls a day the last is for people, six are not backfill's."""
    await open_books(bench, calls_per_window=100, daily_calls=20)
    for _ in range(14):
        await _call(bench, request(Priority.BACKFILL))
    assert (await _waits(bench, request(Priority.BACKFILL))).cause is WaitCause.QUOTA
    for _ in range(5):
        await _call(bench, request())
    assert (await _waits(bench, request())).cause is WaitCause.QUOTA
    await _call(bench, request(Priority.PERSON))
    await _call(bench, request(Priority.PERSON))


async def _read(bench: Bench, limit: int, left: int, resets_in_seconds: float | None = 3600.0) -> None:
    slot = await _take(bench, request(Priority.PERSON))
    reading = QuotaReading(limit=limit, left=left, resets_in_seconds=resets_in_seconds)
    await bench.calls.end_call(slot, sent=True, exchange=exchange("read", 200, method="GET", quota=reading))


async def test_answers_correct_the_days_budget(bench: Bench) -> None:
    """A larger plan, a new day and other programs' calls show in the readings; answers out of order raise nothing."""
    await open_books(bench, calls_per_window=100)
    await _read(bench, 5000, 4000)
    await _take(bench, request(Priority.BACKFILL))
    await _read(bench, 5000, 1501)
    # One call is under way and may not be in that figure yet.
    assert (await _waits(bench, request(Priority.BACKFILL))).cause is WaitCause.QUOTA
    await _read(bench, 5000, 1506)
    assert (await _waits(bench, request(Priority.BACKFILL))).cause is WaitCause.QUOTA
    await _read(bench, 5000, 4999)
    await _take(bench, request(Priority.BACKFILL))


async def test_the_budget_is_whole_again_after_its_day(bench: Bench) -> None:
    """At the reset that an answer told, without another answer."""
    await open_books(bench)
    await _read(bench, 1000, 0, 100.0)
    assert (await _waits(bench, request())).cause is WaitCause.QUOTA
    await bench.elapse(101.0)
    await _take(bench, request())


async def test_the_log_of_calls_names_the_order(bench: Bench) -> None:
    """An exchange of a read is kept with its order, once, also where its end is told twice."""
    await open_books(bench, "1001")
    slot = await _take(bench, request())
    for _ in range(2):
        await bench.calls.end_call(slot, sent=True, exchange=exchange("read_invoice", 200), key=key("1001"))
    assert await bench.exchanges() == ["read_invoice"]
    story = await bench.people.story(key("1001"))
    assert story is not None
    assert [line.text for line in story.lines if line.kind == "exchange"] == ["POST /invoices: 200 (ok)"]


async def test_a_connection_that_is_not_there_has_no_budget(bench: Bench) -> None:
    """Asking for its slot is a fault that names it."""
    with pytest.raises(LookupError, match="books"):
        await bench.calls.take_slot(request())
