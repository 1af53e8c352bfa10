"""What the record of a step makes of an order: news or not, and where it leaves the order, column by column."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from consumer.domain.exchanges import Exchange
from consumer.domain.orders import OrderKey
from consumer.domain.recording import (
    IntentBefore,
    OrderAfter,
    OrderBefore,
    Reception,
    after,
    after_late,
    late_answer,
    outcome_digest,
    receive,
)
from consumer.domain.records import Announcement, Conclusion, IntentEnd, Note, Outcome, Resolution
from consumer.domain.states import OrderState, Reason, ReasonCode, TransitionError, Wish
from tests.domain.deciding.building import document

NOW = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)
EARLIER, LATER = NOW - timedelta(hours=1), NOW + timedelta(minutes=2)
WHY = Reason(code=ReasonCode.DIFFERENCE, message="It differs.")
W, D, U, B, P, N = OrderState
DONE, ABSENT = Resolution.DONE, Resolution.ABSENT


def before(state: OrderState = D, **more: Any) -> OrderBefore:
    """Give an order at its fourth change, failed twice, of an older connection."""
    given: dict[str, Any] = {
        "state": state,
        "change": 4,
        "attempts": 2,
        "reference": "",
        "connection_id": "old",
        "recorded": None,
        "announced": None,
        "reason": WHY,
        "difference": Decimal(1),
        "due_at": EARLIER,
        **more,
    }
    return OrderBefore(**given)


def left(state: OrderState, **more: Any) -> OrderAfter:
    """Give the order as it was, but for what is named."""
    given: dict[str, Any] = {
        "state": state,
        "reason": WHY,
        "difference": Decimal(1),
        "due_at": EARLIER,
        "change": 4,
        "attempts": 2,
        "reference": "1001",
        "connection_id": "old",
        **more,
    }
    return OrderAfter(**given)


def outcome(**more: Any) -> Outcome:
    """Give an outcome that was decided upon the fourth change."""
    given: dict[str, Any] = {
        "key": OrderKey("north", "1"),
        "connection_id": "books",
        "change": 4,
        "reference": "1001",
        **more,
    }
    return Outcome(**given)


def end(resolution: Resolution | None) -> IntentEnd:
    """Give what is known of the intent."""
    return IntentEnd(intent_id=UUID(int=1), resolution=resolution)


def news(digest: bytes) -> Announcement:
    """Give an announcement; each has a function of its own."""
    return Announcement(digest=digest, render=lambda *_: b"")


# ---- is it news ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stored", "told", "slot", "expected"),
    [
        (IntentBefore(resolution=DONE, doubtful=False, late=False), DONE, 1, Reception.REPEATED),
        (IntentBefore(resolution=DONE, doubtful=False, late=False), None, 1, Reception.REPEATED),
        (IntentBefore(resolution=ABSENT, doubtful=True, late=False), DONE, 1, Reception.LATE),
        (IntentBefore(resolution=ABSENT, doubtful=True, late=True), DONE, 1, Reception.LATE_REPEATED),
        (IntentBefore(resolution=None, doubtful=True, late=False), None, 1, Reception.REPEATED),
        (IntentBefore(resolution=None, doubtful=True, late=False), None, None, Reception.FRESH),
        (IntentBefore(resolution=None, doubtful=False, late=False), None, 1, Reception.FRESH),
        (IntentBefore(resolution=None, doubtful=True, late=False), DONE, 1, Reception.FRESH),
        (None, DONE, 1, Reception.FRESH),
    ],
    ids=[
        "known",
        "in doubt of what is known",
        "too late",
        "too late, again",
        "the same doubt",
        "a look that finds nothing",
        "a first doubt",
        "an answer to a doubt",
        "no intent is stored",
    ],
)
def test_an_answer_is_news_once(
    stored: IntentBefore | None, told: Resolution | None, slot: int | None, expected: Reception
) -> None:
    """A call has one end: its slot is in the outcome."""
    assert receive(outcome(intent=end(told), slot=slot), before(), stored) is expected


def test_an_outcome_that_was_recorded_is_a_repetition() -> None:
    """By its hash, which is the same whatever function writes its announcement, and another for another digest."""
    first = outcome(announcement=news(b"1"), note=Note(decision="x"))
    again = outcome(announcement=news(b"1"), note=Note(decision="x"))
    assert outcome_digest(first) == outcome_digest(again)
    assert len(outcome_digest(first)) == 16
    assert receive(again, before(recorded=outcome_digest(first)), None) is Reception.REPEATED
    for other in (outcome(announcement=news(b"2"), note=Note(decision="x")), outcome(note=Note(decision="x"))):
        assert receive(other, before(recorded=outcome_digest(first)), None) is Reception.FRESH
    assert receive(first, before(recorded=None), None) is Reception.FRESH


def test_an_outcome_with_half_a_character_has_a_hash_as_well() -> None:
    """What a ledger says may be cut anywhere."""
    assert len(outcome_digest(outcome(answer="\ud800"))) == 16


# ---- where it leaves the order ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("state", "other", "expected"), [(U, True, U), (U, False, D), (B, False, D), (B, True, D)])
def test_a_late_answer_makes_the_order_due_for_a_look(state: OrderState, other: bool, expected: OrderState) -> None:  # noqa: FBT001 a parameter
    """While another write of it is in doubt it stays uncertain."""
    found = after_late(before(state, other_intent=other, reference="1001"), NOW)
    assert found == left(expected, reason=None, difference=None, due_at=NOW, change=5)


def test_a_document_fixes_the_connection_and_the_first_reference_stays() -> None:
    """Without a document neither an older connection nor an older reference is given up."""
    assert after(outcome(), before(), NOW) == left(D)
    assert after(outcome(document=document()), before(), NOW) == left(D, connection_id="books")
    assert after(outcome(), before(reference="first"), NOW) == left(D, reference="first")


@pytest.mark.parametrize(
    ("state", "more", "expected"),
    [
        (D, {}, left(D, reason=None, difference=None, due_at=NOW, change=5)),
        (W, {}, left(W, change=5)),
        (W, {"intent": end(DONE)}, left(D, reason=None, difference=None, due_at=NOW, change=5)),
        (
            W,
            {"document": document()},
            left(D, reason=None, difference=None, due_at=NOW, change=5, connection_id="books"),
        ),
        (U, {"intent": end(DONE)}, left(D, reason=None, due_at=NOW, change=5)),
        (U, {"intent": end(None)}, left(U, reason=None, due_at=NOW, change=5)),
        (U, {}, left(U, reason=None, due_at=NOW, change=5)),
    ],
    ids=["due", "it waits", "a write was sent", "a document was made", "settled", "in doubt", "nothing is known"],
)
def test_what_was_decided_upon_an_older_change_is_decided_anew(
    state: OrderState, more: dict[str, Any], expected: OrderAfter
) -> None:
    """And answers nothing of what a person has asked since then."""
    stale = outcome(answer="Done.", wish=Wish.NONE, conclusion=Conclusion(state=B), **more)
    assert after(stale, before(state, change=5), NOW) == expected


@pytest.mark.parametrize(
    ("state", "more", "expected"),
    [
        (U, {"intent": end(DONE)}, left(D, reason=None, due_at=NOW)),
        (U, {"intent": end(None)}, left(U)),
        (U, {}, left(U)),
        (B, {"document": document(live=False)}, left(D, due_at=NOW, connection_id="books")),
        (B, {"document": document()}, left(B, connection_id="books")),
        (B, {}, left(B)),
        (D, {"document": document(live=False)}, left(D, connection_id="books")),
        (D, {"intent": end(DONE)}, left(D)),
    ],
    ids=["settled", "in doubt", "a read", "its document is gone", "it changed", "booked", "due and gone", "due"],
)
def test_without_a_conclusion_the_lane_decides_anew(
    state: OrderState, more: dict[str, Any], expected: OrderAfter
) -> None:
    """A crash before that has to find the order due."""
    assert after(outcome(**more), before(state), NOW) == expected


def test_a_doubt_beside_another_write_stays() -> None:
    """Both have to be asked about."""
    assert after(outcome(intent=end(DONE)), before(U, other_intent=True), NOW) == left(U)


def test_what_a_person_asked_ends_with_an_answer() -> None:
    """And what is wanted from now on is kept."""
    found = after(outcome(answer="It is deleted.", wish=Wish.NONE), before(), NOW)
    assert found == left(D, asked_ends=True, answer="It is deleted.", wish=Wish.NONE)


def concluded(conclusion: Conclusion, of: OrderBefore, **more: Any) -> OrderAfter:
    """Give where a conclusion leaves an order."""
    return after(outcome(conclusion=conclusion, **more), of, NOW)


def test_a_booked_order_is_at_rest() -> None:
    """Its attempts begin anew, and the note is the answer to who asked."""
    note = Note(decision="book", words=("It is booked.", "Well."))
    found = concluded(Conclusion(state=B), before(), note=note, announcement=news(b"1"))
    assert found == left(
        B,
        reason=None,
        difference=None,
        due_at=None,
        attempts=0,
        booked=True,
        asked_ends=True,
        answer="It is booked. Well.",
        announces=True,
    )
    assert concluded(Conclusion(state=B), before(), note=note, answer="So.").answer == "So."
    assert concluded(Conclusion(state=B), before()).answer == ""


def test_a_parked_order_keeps_its_reason_and_its_difference() -> None:
    """It is not booked."""
    found = concluded(Conclusion(state=P, reason=WHY, difference=Decimal(2)), before(reason=None))
    assert found == left(P, difference=Decimal(2), due_at=None, attempts=0, asked_ends=True)


@pytest.mark.parametrize(
    ("state", "seconds", "due_at"),
    [(D, None, NOW), (U, None, NOW), (D, 120.0, LATER), (U, -5.0, NOW), (D, 0.25, NOW + timedelta(seconds=0.25))],
)
def test_an_order_that_goes_on_is_due_at_once_or_when_it_is_said(
    state: OrderState, seconds: float | None, due_at: datetime
) -> None:
    """Never earlier than now; a failure is counted, and who asked goes on waiting."""
    found = concluded(Conclusion(state=state, due_in_seconds=seconds, failed=True), before())
    assert found == left(state, reason=None, difference=None, due_at=due_at, attempts=3)


def test_a_message_is_announced_where_it_is_another_than_the_last() -> None:
    """By its digest."""
    assert concluded(Conclusion(state=B), before(announced=b"1"), announcement=news(b"2")).announces
    assert not concluded(Conclusion(state=B), before(announced=b"1"), announcement=news(b"1")).announces
    assert not concluded(Conclusion(state=B), before(announced=b"1")).announces


def test_only_a_doubt_that_the_outcome_itself_settles_may_end_in_waiting() -> None:
    """From in doubt there is no step to waiting; the doubt was settled on the way, and then it was due."""
    assert concluded(Conclusion(state=W), before(U), intent=end(DONE)).state is W
    with pytest.raises(TransitionError):
        concluded(Conclusion(state=W), before(U), intent=end(None))
    with pytest.raises(TransitionError):
        concluded(Conclusion(state=W), before(U))
    with pytest.raises(TransitionError):
        concluded(Conclusion(state=B), before(N), intent=end(DONE))


# ---- a late answer ---------------------------------------------------------------------------------------------------


def test_of_a_late_answer_is_kept_what_it_said() -> None:
    """What came of it, when it came, the document, and the ledger's own words in figures."""
    call = Exchange(
        operation="x",
        method="POST",
        path="/",
        request="",
        response="",
        status=201,
        code=0,
        duration_seconds=1.0,
        outcome="ok",
    )
    whole = outcome(intent=end(DONE), document=document(ledger_id="46", number="INV-1"), exchange=call)
    assert late_answer(whole, NOW) == {
        "resolution": "done",
        "came_at": "2026-03-14T12:00:00+00:00",
        "ledger_id": "46",
        "number": "INV-1",
        "status": 201,
        "code": 0,
    }
    nothing = dict.fromkeys(("resolution", "ledger_id", "number", "status", "code"))
    assert late_answer(outcome(intent=end(None)), NOW) == {**nothing, "came_at": "2026-03-14T12:00:00+00:00"}
    assert late_answer(outcome(), NOW)["resolution"] is None
