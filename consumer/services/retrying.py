"""What an error means for one order: when to try again, and when never."""

from collections.abc import Callable

from consumer.domain.records import Conclusion
from consumer.domain.states import OrderState, Reason, ReasonCode
from consumer.errors import (
    LedgerError,
    PaymentsInTheWayError,
    PeriodClosedError,
    RefusedError,
    ThrottledError,
    UncertainError,
)
from consumer.services.backoff import pause_seconds

FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 300.0


def order_pause_seconds(attempts: int, jitter: Callable[[], float]) -> float:
    """Give the pause before the next try of one order: from one second to five minutes."""
    return pause_seconds(attempts, jitter, first_seconds=FIRST_PAUSE_SECONDS, most_seconds=LONGEST_PAUSE_SECONDS)


def after_error(error: LedgerError, *, attempts: int, settle_seconds: float, jitter: Callable[[], float]) -> Conclusion:
    """Conclude from the error of a call where the order stands."""
    if isinstance(error, ThrottledError):
        return Conclusion(state=OrderState.DUE, due_in_seconds=error.wait_seconds + jitter())
    if isinstance(error, UncertainError):
        return Conclusion(state=OrderState.UNCERTAIN, due_in_seconds=settle_seconds, failed=True)
    if isinstance(error, RefusedError):
        return Conclusion(state=OrderState.PARKED, reason=refusal(error))
    return Conclusion(state=OrderState.DUE, due_in_seconds=order_pause_seconds(attempts, jitter), failed=True)


def refusal(error: RefusedError) -> Reason:
    """Say what the ledger refused, in its own words, and what to do where it is known."""
    if isinstance(error, PeriodClosedError):
        return Reason(
            code=ReasonCode.PERIOD_CLOSED,
            message=f"The document's day lies in a closed period ({error.status}, code {error.code}): {error}",
            fix="Open the period in the ledger, or set closed_period: first_open_day; then retry.",
        )
    if isinstance(error, PaymentsInTheWayError):
        return Reason(
            code=ReasonCode.PAYMENTS_IN_THE_WAY,
            message=f"The ledger refused ({error.status}, code {error.code}): {error}",
            fix=error.fix or "Take the payments or credits off the invoice in the ledger; then retry.",
        )
    return Reason(
        code=ReasonCode.LEDGER_REFUSED,
        message=f"The ledger refused ({error.status}, code {error.code}): {error}",
        fix=error.fix or "Look at the ledger's words; correct what they name, then retry.",
        group_key=f"ledger_refused:{error.code}",
    )
