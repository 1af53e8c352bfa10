"""What failed several times in a row on one connection: the breaker, and the stop of a model that is wrong.

The counts outlive a lane, because a quiet shop's lane is given back between two orders.
"""

from dataclasses import dataclass

from consumer.domain.records import Conclusion
from consumer.domain.states import OrderState, ReasonCode

FAILURES_MAX = 5  # of the ledger in a row: then the breaker rests the lane
BREAKER_SECONDS = 10.0  # the shortest rest
BREAKER_SHARE = 0.1  # of what was rested since it opened: who is away for long is asked seldom, and is soon back
BREAKER_CAP_SECONDS = 300.0
DIFFERENCES_MAX = 3  # in a row: our model of the ledger is wrong, nothing more is made


@dataclass(slots=True)
class Streaks:
    """The counts of one connection in this process."""

    failures: int = 0
    differences: int = 0
    rests_until: float = 0.0  # by the steady clock; what fails meanwhile was under way before
    rested_seconds: float = 0.0  # since the breaker opened

    def places(self, usual: int) -> int:
        """Give how many orders may be in hand: one until the breaker has closed, since each probes the ledger."""
        return 1 if self.failures >= FAILURES_MAX else usual

    def differs_too_often(self, conclusion: Conclusion) -> bool:
        """Count a conclusion; tell whether so many documents in a row came out with other figures than computed."""
        if conclusion.state in (OrderState.BOOKED, OrderState.WITHDRAWN):
            self.differences = 0
        elif conclusion.reason is not None and conclusion.reason.code is ReasonCode.DIFFERENCE:
            self.differences += 1
        if self.differences < DIFFERENCES_MAX:
            return False
        self.differences = 0  # whoever resumes the connection begins anew
        return True

    def rest_seconds(self, conclusion: Conclusion, now: float) -> float | None:
        """Count a conclusion; give how long the lane has to rest, None where it need not."""
        if conclusion.state in (OrderState.BOOKED, OrderState.WITHDRAWN):
            self.failures, self.rested_seconds = 0, 0.0
        if not conclusion.failed or now < self.rests_until:
            return None
        self.failures += 1
        if self.failures < FAILURES_MAX:
            return None
        rest = min(BREAKER_CAP_SECONDS, max(BREAKER_SECONDS, BREAKER_SHARE * self.rested_seconds))
        self.rests_until, self.rested_seconds = now + rest, self.rested_seconds + rest
        return rest
