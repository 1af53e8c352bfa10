"""Whether one more call may leave now: the window, the pace, the day, and what answers and refusals say of them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from consumer.domain.budget import (
    Admission,
    Budget,
    Refusal,
    Window,
    admit,
    blocked_until,
    learn,
    one_back,
    rests_until,
    slots_kept_for_people,
    throttle,
)
from consumer.domain.exchanges import QuotaReading
from consumer.domain.settings import LedgerLimits
from consumer.domain.states import Priority

NOW = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)
# Ten calls a minute, spaced by six seconds, three of them without spacing after a pause; 1,000 a day.
LIMITS = LedgerLimits(calls_per_window=10, pace_share=Decimal(1), burst_calls=3, calls_at_once=4, daily_calls=1000)
FREE = Window(calls_under_way=0, nth_free_at=NOW)
PERSON, LIVE, BACKFILL = Priority.PERSON, Priority.LIVE, Priority.BACKFILL


def at(seconds: float) -> datetime:
    """Give the moment so many seconds from now."""
    return NOW + timedelta(seconds=seconds)


def asked(
    budget: Budget | None = None,
    window: Window = FREE,
    limits: LedgerLimits = LIMITS,
    *,
    priority: Priority = LIVE,
    queued: bool = True,
) -> Admission | Refusal:
    """Ask for one call of ten seconds."""
    return admit(budget or Budget(), window, limits, priority=priority, queued=queued, deadline_seconds=10.0, now=NOW)


# ---- the window and the pace -----------------------------------------------------------------------------------------


def test_a_call_takes_its_slot_until_a_window_after_its_deadline() -> None:
    """A second to leave and ten to be answered, then sixty; the next call is spaced by six seconds; 999 are left."""
    assert asked() == Admission(
        budget=Budget(paced_until=at(6), daily_left=999, daily_resets_at=at(86_400)),
        open_until=at(11),
        free_at=at(71),
    )


@pytest.mark.parametrize(("limits", "slots", "kept"), [(2, 10, 2), (2, 2, 1), (2, 1, 0), (0, 10, 0), (3, 0, 0)])
def test_slots_are_kept_for_people(limits: int, slots: int, kept: int) -> None:
    """A small window keeps one for the rest; a person leaves none alone."""
    given = replace(LIMITS, people_calls=limits)
    assert slots_kept_for_people(given, slots, LIVE) == kept
    assert slots_kept_for_people(given, slots, BACKFILL) == kept
    assert slots_kept_for_people(given, slots, PERSON) == 0


@pytest.mark.parametrize(
    ("window", "refusal"),
    [
        (Window(calls_under_way=3, nth_free_at=NOW), None),
        (Window(calls_under_way=4, nth_free_at=NOW), Refusal(cause="at_once", seconds=0.1)),
        (Window(calls_under_way=0, nth_free_at=at(1.5)), Refusal(cause="window", seconds=1.5)),
        (Window(calls_under_way=0, nth_free_at=at(0.0001)), Refusal(cause="window", seconds=0.001)),
        (Window(calls_under_way=0, nth_free_at=at(-1)), None),
        (Window(calls_under_way=0, nth_free_at=None), Refusal(cause="window", seconds=60.0)),
    ],
)
def test_a_call_waits_for_its_slot(window: Window, refusal: Refusal | None) -> None:
    """Four at once; the slot's own moment; a whole window where there is no slot at all."""
    answer = asked(window=window)
    assert (answer if isinstance(answer, Refusal) else None) == refusal


@pytest.mark.parametrize(
    ("paced_until", "seconds"),
    [(None, None), (at(-100), None), (at(12), None), (at(12.5), 0.5), (at(18), 6.0), (at(600), 48.0)],
    ids=["never called", "a long pause", "the third of a burst", "the fourth", "the fifth", "no more than a window"],
)
def test_calls_are_spaced_where_work_waits(paced_until: datetime | None, seconds: float | None) -> None:
    """Two spaces of six seconds may be taken in advance; a minute ahead is the most that is kept of the past."""
    answer = asked(Budget(paced_until=paced_until))
    assert (answer.seconds if isinstance(answer, Refusal) else None) == seconds
    assert not isinstance(answer, Refusal) or answer.cause == "pace"


def test_a_person_and_whoever_is_alone_are_never_spaced() -> None:
    """Slots are kept for people for that very reason; where nothing waits there is nothing to space."""
    paced = Budget(paced_until=at(30))
    assert isinstance(asked(paced, priority=PERSON), Admission)
    assert isinstance(asked(paced, queued=False), Admission)
    assert isinstance(asked(paced, priority=BACKFILL), Refusal)


def test_the_space_grows_from_where_it_stands_and_doubles_after_a_refusal() -> None:
    """From twelve seconds ahead to eighteen; halved pace: to twenty-four, until the moment itself."""
    assert isinstance(first := asked(Budget(paced_until=at(12))), Admission)
    assert first.budget.paced_until == at(18)
    assert isinstance(halved := asked(Budget(paced_until=at(12), halved_until=at(1))), Admission)
    assert halved.budget.paced_until == at(24)
    assert isinstance(over := asked(Budget(paced_until=at(12), halved_until=NOW)), Admission)
    assert over.budget.paced_until == at(18)
    assert asked(Budget(paced_until=at(25), halved_until=at(1))) == Refusal(cause="pace", seconds=1.0)


def test_the_share_of_the_pace_is_of_the_calls() -> None:
    """Half of ten calls a minute is one every twelve seconds."""
    assert isinstance(slow := asked(limits=replace(LIMITS, pace_share=Decimal("0.5"))), Admission)
    assert slow.budget.paced_until == at(12)


@pytest.mark.parametrize(("until", "refused"), [(at(2), True), (NOW, False), (at(-1), False)])
def test_a_refused_lane_rests(until: datetime, refused: bool) -> None:  # noqa: FBT001 a parameter
    """A person's call as well: the ledger would only refuse it again."""
    answer = asked(Budget(throttled_until=until), priority=PERSON)
    assert (answer == Refusal(cause="throttled", seconds=2.0)) is refused
    assert isinstance(answer, Admission) is not refused


# ---- the day's calls -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("priority", "left", "free"),
    [
        (LIVE, 51, True),
        (LIVE, 50, False),
        (BACKFILL, 301, True),
        (BACKFILL, 300, False),
        (PERSON, 0, True),
    ],
)
def test_each_priority_stops_at_its_share_of_the_day(priority: Priority, left: int, free: bool) -> None:  # noqa: FBT001 a parameter
    """Of 1,000 calls the last 300 are not for a backfill, and the last 50 for people only."""
    budget = Budget(daily_left=left, daily_resets_at=at(600))
    assert blocked_until(budget, LIMITS, priority, NOW) == (None if free else at(600))
    answer = asked(budget, priority=priority)
    assert answer == Refusal(cause="quota", seconds=600.0) if not free else isinstance(answer, Admission)


def test_the_ledgers_own_limit_counts_and_a_new_day_has_all_of_it() -> None:
    """Of 100 calls 5 are people's: 6 are enough, 5 are not; after the reset none are gone."""
    told = Budget(daily_limit=100, daily_left=6, daily_resets_at=at(600))
    assert blocked_until(told, LIMITS, LIVE, NOW) is None
    assert blocked_until(replace(told, daily_left=5), LIMITS, LIVE, NOW) == at(600)
    assert blocked_until(replace(told, daily_left=5, daily_resets_at=NOW), LIMITS, LIVE, NOW) is None
    assert blocked_until(Budget(), replace(LIMITS, daily_calls=0), LIVE, NOW) == at(3600)


def test_a_call_is_one_less_of_the_day() -> None:
    """And never less than none; at the day's end it begins anew; one that was not sent is counted back."""
    assert isinstance(last := asked(Budget(daily_left=0, daily_resets_at=at(5)), priority=PERSON), Admission)
    assert (last.budget.daily_left, last.budget.daily_resets_at) == (0, at(5))
    assert isinstance(second := asked(Budget(daily_left=2, daily_resets_at=at(5)), priority=PERSON), Admission)
    assert second.budget.daily_left == 1
    assert isinstance(anew := asked(Budget(daily_left=2, daily_resets_at=NOW)), Admission)
    assert (anew.budget.daily_left, anew.budget.daily_resets_at) == (999, at(86_400))
    assert one_back(Budget(daily_left=7)).daily_left == 8
    assert one_back(Budget()) == Budget()


def test_who_rests_until_when_is_told_for_each_priority() -> None:
    """The later of a refusal and of the day's end; nobody who may call is in it."""
    assert rests_until(Budget(), LIMITS, NOW) == {}
    assert rests_until(Budget(throttled_until=NOW), LIMITS, NOW) == {}
    assert rests_until(Budget(throttled_until=at(9)), LIMITS, NOW) == dict.fromkeys(Priority, at(9))
    spent = Budget(daily_left=100, daily_resets_at=at(600), throttled_until=at(9))
    assert rests_until(spent, LIMITS, NOW) == {PERSON: at(9), LIVE: at(9), BACKFILL: at(600)}


# ---- what answers say ------------------------------------------------------------------------------------------------


def learned(
    budget: Budget, left: int, *, limit: int = 1000, under_way: int = 0, resets_in: float | None = None
) -> Budget:
    """Take a reading of so many calls left."""
    reading = QuotaReading(limit=limit, left=left, resets_in_seconds=resets_in)
    return learn(budget, LIMITS, reading, calls_under_way=under_way, now=NOW)


KNOWN = Budget(daily_limit=1000, daily_left=500, daily_resets_at=at(600))


@pytest.mark.parametrize(
    ("reading", "left"),
    [(490, 490), (501, 500), (508, 500), (509, 509), (900, 900)],
    ids=["newer", "older", "as far as disorder goes", "a new day", "another plan"],
)
def test_within_a_day_the_smaller_figure_is_the_newer(reading: int, left: int) -> None:
    """Twice the four calls at once is what disorder explains."""
    assert learned(KNOWN, reading).daily_left == left


def test_calls_under_way_may_not_be_in_the_figure_yet() -> None:
    """Three of them: 487; and never less than none."""
    assert learned(KNOWN, 490, under_way=3).daily_left == 487
    assert learned(KNOWN, 2, under_way=3).daily_left == 0


@pytest.mark.parametrize(
    "budget",
    [
        replace(KNOWN, daily_limit=2000),
        replace(KNOWN, daily_resets_at=None),
        replace(KNOWN, daily_resets_at=NOW, daily_left=300),
    ],
    ids=["another limit", "no day known", "the day is over"],
)
def test_of_another_day_the_figure_is_taken_as_it_is(budget: Budget) -> None:
    """Nothing that we counted speaks against it."""
    assert learned(budget, 503).daily_left == 503


def test_the_days_end_is_as_the_answer_says_else_as_known_else_in_a_day() -> None:
    """And never in the past."""
    assert learned(KNOWN, 490) == replace(KNOWN, daily_left=490)
    assert learned(KNOWN, 490, resets_in=30.0).daily_resets_at == at(30)
    assert learned(KNOWN, 490, resets_in=-5.0).daily_resets_at == NOW
    assert learned(Budget(), 490, limit=700) == Budget(daily_limit=700, daily_left=490, daily_resets_at=at(86_400))


def test_a_refusal_for_the_minute_halves_the_pace_for_ten_minutes() -> None:
    """And rests as long as it says, but not shorter than an earlier one."""
    assert throttle(Budget(), "minute", 20.0, NOW) == Budget(throttled_until=at(20), halved_until=at(600))
    assert throttle(Budget(throttled_until=at(90)), "minute", 20.0, NOW).throttled_until == at(90)
    assert throttle(Budget(throttled_until=at(9)), "minute", -3.0, NOW).throttled_until == at(9)
    assert throttle(Budget(), "minute", -3.0, NOW).throttled_until == NOW


def test_a_refusal_for_the_day_spends_it_and_rests_a_minute_at_most() -> None:
    """Plans get extended: a person may try again after a minute."""
    assert throttle(Budget(), "day", 3600.0, NOW) == Budget(
        throttled_until=at(60), daily_left=0, daily_resets_at=at(3600)
    )
    assert throttle(Budget(), "day", 30.0, NOW).throttled_until == at(30)


def test_any_other_rest_is_only_a_rest() -> None:
    """Of the breaker, or of too many calls at once."""
    assert throttle(Budget(), "concurrent", 120.0, NOW) == Budget(throttled_until=at(120))
