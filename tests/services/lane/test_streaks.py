"""What fails in a row on a connection: when the lane rests, for how long, and when the connection is stopped."""

import pytest

from consumer.domain.records import Conclusion
from consumer.domain.states import OrderState, Reason, ReasonCode
from consumer.services.streaks import Streaks

FAILED = Conclusion(state=OrderState.DUE, due_in_seconds=1.0, failed=True)
BOOKED = Conclusion(state=OrderState.BOOKED)
DIFFERENT = Conclusion(state=OrderState.PARKED, reason=Reason(code=ReasonCode.DIFFERENCE, message="one cent"))
PARKED = Conclusion(state=OrderState.PARKED, reason=Reason(code=ReasonCode.TAX_MISSING, message="no tax"))
DAY_SECONDS = 24 * 3600.0


def test_the_fifth_failure_in_a_row_rests_and_later_rests_are_a_tenth_of_what_was_rested() -> None:
    """Ten seconds in the first minutes, five minutes after an hour; a day of it costs some three hundred probes."""
    streaks, now, rests = Streaks(), 0.0, []
    while now < DAY_SECONDS:
        rest = streaks.rest_seconds(FAILED, now)
        if rest is not None:
            rests.append(rest)
            now += rest
    assert rests[:13] == pytest.approx([10.0] * 11 + [11.0, 12.1])
    assert all(sum(rests[:n]) >= 3000.0 for n, rest in enumerate(rests) if rest == 300.0)
    assert rests[-1] == 300.0
    assert 300 < len(rests) < 350


def test_whoever_is_back_is_tried_within_ten_seconds_or_a_tenth_of_the_time_they_were_away() -> None:
    """Within thirty seconds of an outage of five minutes; whatever the first rests were."""
    streaks, now = Streaks(), 0.0
    while now < 3000.0:
        rest = streaks.rest_seconds(FAILED, now) or 0.0
        assert rest <= max(10.0, 1.0001 * now / 10.0)
        now += rest


def test_four_calls_that_fail_together_are_one_reason_to_rest() -> None:
    """They were under way when the lane began to rest: they are not rested for again."""
    streaks = Streaks(failures=4)
    assert [streaks.rest_seconds(FAILED, 100.0) for _ in range(4)] == [10.0, None, None, None]
    assert (streaks.failures, streaks.rested_seconds) == (5, 10.0)


def test_a_success_ends_the_streak_and_a_parked_order_does_not() -> None:
    """That the ledger answers is shown by what it did, not by what we refused to send."""
    streaks = Streaks()
    for conclusion in (FAILED, FAILED, FAILED, FAILED, PARKED):
        assert streaks.rest_seconds(conclusion, 0.0) is None
    assert streaks.rest_seconds(FAILED, 0.0) == 10.0
    streaks = Streaks(failures=4)
    assert streaks.rest_seconds(BOOKED, 0.0) is None
    assert streaks.rest_seconds(FAILED, 0.0) is None
    streaks = Streaks(failures=5, rested_seconds=5000.0)
    streaks.rest_seconds(BOOKED, 0.0)
    assert [streaks.rest_seconds(FAILED, 0.0) for _ in range(5)][-1] == 10.0


def test_after_a_rest_one_order_probes_until_one_is_booked() -> None:
    """Four at once would be four probes of a ledger that is away."""
    streaks = Streaks(failures=4)
    assert streaks.places(4) == 4
    streaks.rest_seconds(FAILED, 0.0)
    assert streaks.places(4) == 1
    streaks.rest_seconds(PARKED, 10.0)
    assert streaks.places(4) == 1
    streaks.rest_seconds(BOOKED, 10.0)
    assert streaks.places(4) == 4


@pytest.mark.parametrize(
    ("conclusions", "stops"),
    [
        ([DIFFERENT] * 3, [False, False, True]),
        ([DIFFERENT, PARKED, DIFFERENT, FAILED, DIFFERENT], [False, False, False, False, True]),
        ([DIFFERENT, DIFFERENT, BOOKED, DIFFERENT, DIFFERENT], [False] * 5),
        ([DIFFERENT] * 6, [False, False, True, False, False, True]),
    ],
)
def test_three_differences_with_no_document_that_agrees_between_them_stop(
    conclusions: list[Conclusion], stops: list[bool]
) -> None:
    """After a person has resumed the connection it takes three again."""
    streaks = Streaks()
    assert [streaks.differs_too_often(conclusion) for conclusion in conclusions] == stops
