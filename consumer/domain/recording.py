"""What the record of a step makes of an order: whether it is news at all, and where it leaves the order.

Pure: the stores read the order and the intent under their locks, ask here, and write the answer.
"""

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any

from consumer.domain.records import Conclusion, Outcome, Resolution
from consumer.domain.states import OrderState, Reason, Wish, check_transition


class Reception(StrEnum):
    """How an outcome is taken."""

    FRESH = "fresh"
    REPEATED = "repeated"  # it was recorded before; the answer to its commit was lost
    LATE = "late"  # its intent was resolved otherwise meanwhile: kept, and the order is due for a check for doubles
    LATE_REPEATED = "late_repeated"


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderBefore:
    """An order as stored, as far as recording goes. ``other_intent`` tells of an open intent besides the outcome's."""

    state: OrderState
    change: int
    attempts: int
    reference: str
    connection_id: str | None
    recorded: bytes | None  # digest of the last outcome since the order was taken
    announced: bytes | None
    reason: Reason | None = None
    difference: Decimal | None = None
    due_at: datetime | None = None
    other_intent: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class IntentBefore:
    """The outcome's intent as stored."""

    resolution: Resolution | None
    doubtful: bool
    late: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderAfter:
    """The columns of the order as the outcome leaves them; its takes are nought."""

    state: OrderState
    reason: Reason | None
    difference: Decimal | None
    due_at: datetime | None
    change: int
    attempts: int
    reference: str
    connection_id: str | None
    booked: bool = False  # note the moment
    asked_ends: bool = False  # what a person had asked has come to a conclusion
    answer: str = ""  # and this is what came of it
    wish: Wish | None = None  # becomes the order's
    announces: bool = False


def outcome_digest(outcome: Outcome) -> bytes:
    """Give the hash of an outcome: the same for one that is recorded again."""
    news = b"" if outcome.announcement is None else outcome.announcement.digest
    return hashlib.blake2b(repr(replace(outcome, announcement=None)).encode("utf-8", "replace") + news).digest()[:16]


def receive(outcome: Outcome, before: OrderBefore, intent: IntentBefore | None) -> Reception:
    """Tell whether an outcome is news, a repetition, or comes too late."""
    if intent is not None and outcome.intent is not None and intent.resolution is not None:
        if outcome.intent.resolution in (intent.resolution, None):
            return Reception.REPEATED
        return Reception.LATE_REPEATED if intent.late else Reception.LATE
    if before.recorded is not None and before.recorded == outcome_digest(outcome):
        return Reception.REPEATED
    if intent is not None and outcome.intent is not None and _doubts_again(outcome, intent):
        return Reception.REPEATED
    return Reception.FRESH


def _doubts_again(outcome: Outcome, intent: IntentBefore) -> bool:
    """Tell whether an answer's absence was noted already; a call has one end only (its slot is in the outcome)."""
    end = outcome.intent
    return end is not None and end.resolution is None and outcome.slot is not None and intent.doubtful


def after_late(before: OrderBefore, now: datetime) -> OrderAfter:
    """Make the order due for a check for doubles; while another write of it is in doubt it stays uncertain."""
    uncertain = before.state is OrderState.UNCERTAIN and before.other_intent
    return replace(
        _unchanged(before),
        state=OrderState.UNCERTAIN if uncertain else OrderState.DUE,
        reason=None,
        difference=None,
        due_at=now,
        change=before.change + 1,
    )


def after(outcome: Outcome, before: OrderBefore, now: datetime) -> OrderAfter:
    """Tell where a fresh outcome leaves the order. Raises TransitionError for a step that the table does not know."""
    kept = replace(
        _unchanged(before),
        reference=before.reference or outcome.reference,
        connection_id=outcome.connection_id if outcome.document is not None else before.connection_id,
    )
    if before.change != outcome.change:
        # What a person asks, or wants, since then is not answered by what was decided before.
        return _changed_meanwhile(outcome, kept, now)
    kept = replace(kept, asked_ends=bool(outcome.answer), answer=outcome.answer, wish=outcome.wish)
    if outcome.conclusion is None:
        return _goes_on(outcome, before, kept, now)
    return _concluded(outcome, outcome.conclusion, before, kept, now)


def _unchanged(before: OrderBefore) -> OrderAfter:
    return OrderAfter(
        state=before.state,
        reason=before.reason,
        difference=before.difference,
        due_at=before.due_at,
        change=before.change,
        attempts=before.attempts,
        reference=before.reference,
        connection_id=before.connection_id,
    )


def _changed_meanwhile(outcome: Outcome, kept: OrderAfter, now: datetime) -> OrderAfter:
    """The order stays due, or becomes it: what was done to the ledger was decided upon an older revision."""
    if kept.state is OrderState.UNCERTAIN:
        return _settled(outcome, kept, now)
    if kept.state is OrderState.DUE or outcome.document is not None or outcome.intent is not None:
        return replace(kept, state=OrderState.DUE, reason=None, difference=None, due_at=now)
    return kept


def _settled(outcome: Outcome, kept: OrderAfter, now: datetime) -> OrderAfter:
    """An uncertain order is due again once its doubt is resolved."""
    resolved = outcome.intent is not None and outcome.intent.resolution is not None
    return replace(kept, state=OrderState.DUE if resolved else OrderState.UNCERTAIN, reason=None, due_at=now)


def _goes_on(outcome: Outcome, before: OrderBefore, kept: OrderAfter, now: datetime) -> OrderAfter:
    """Without a conclusion the lane decides anew at once; a crash before that finds the order due."""
    resolved = outcome.intent is not None and outcome.intent.resolution is not None
    if kept.state is OrderState.UNCERTAIN and resolved and not before.other_intent:
        return _settled(outcome, kept, now)
    if kept.state is OrderState.BOOKED and outcome.document is not None and not outcome.document.live:
        return replace(kept, state=OrderState.DUE, due_at=now)
    return kept


def _concluded(
    outcome: Outcome, conclusion: Conclusion, before: OrderBefore, kept: OrderAfter, now: datetime
) -> OrderAfter:
    # A doubt that this very outcome resolves made the order due on the way.
    settled = outcome.intent is not None and outcome.intent.resolution is not None
    doubted = before.state is OrderState.UNCERTAIN
    check_transition(OrderState.DUE if doubted and settled else before.state, conclusion.state)
    due_in_seconds = conclusion.due_in_seconds
    if due_in_seconds is None and conclusion.state in (OrderState.DUE, OrderState.UNCERTAIN):
        due_in_seconds = 0.0
    return replace(
        kept,
        state=conclusion.state,
        reason=conclusion.reason,
        difference=conclusion.difference,
        due_at=None if due_in_seconds is None else now + timedelta(seconds=max(0.0, due_in_seconds)),
        attempts=before.attempts + 1 if conclusion.failed else 0,
        booked=conclusion.state is OrderState.BOOKED,
        asked_ends=conclusion.state not in (OrderState.DUE, OrderState.UNCERTAIN),
        answer=outcome.answer or ("" if outcome.note is None else " ".join(outcome.note.words)),
        announces=outcome.announcement is not None and outcome.announcement.digest != before.announced,
    )


def late_answer(outcome: Outcome, now: datetime) -> dict[str, Any]:
    """Give what is kept of an answer that came too late, as plain data."""
    end, document, exchange = outcome.intent, outcome.document, outcome.exchange
    return {
        "resolution": None if end is None or end.resolution is None else end.resolution.value,
        "came_at": now.isoformat(),
        "ledger_id": None if document is None else document.ledger_id,
        "number": None if document is None else document.number,
        "status": None if exchange is None else exchange.status,
        "code": None if exchange is None else exchange.code,
    }
