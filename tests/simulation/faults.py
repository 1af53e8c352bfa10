"""The kinds of faults, and which of them a schedule has met."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import combinations


class FaultKind(StrEnum):
    """What goes wrong. A kind counts as met where it has happened to somebody, not where it was planned."""

    CRASH = "a process killed"
    PAUSE = "a process stopped beyond its lease"
    STEADY_JUMP = "a steady clock leaps"
    WALL_JUMP = "a wall clock is set"
    DATABASE_AWAY = "the database does not answer for seconds"
    COMMIT_UNDONE = "a transaction lost"
    COMMIT_UNANSWERED = "a commit whose answer is lost"
    BROKER_AWAY = "the broker does not answer for seconds"
    REBALANCE = "partitions dealt anew"
    REDELIVERY = "records delivered again"
    ACKNOWLEDGEMENT_LOST = "messages taken whose acknowledgement is lost"
    CALL_LOST = "a call to a ledger lost"
    ANSWER_LOST = "a ledger's answer lost"
    ANSWER_LATE = "a ledger's answer later than its deadline"
    CALL_LATE = "a call that reaches the ledger after it was given up"
    CALL_REPEATED = "a call that reaches the ledger twice"
    NOT_SENT = "a call that cannot leave"
    THROTTLED = "a ledger that throttles"
    TOKEN_EXPIRED = "a token expired"
    LEDGER_AWAY = "a ledger that is down for seconds"
    REFUSED = "a ledger that refuses for no reason"


ANY_TIME = frozenset(
    {
        FaultKind.CRASH,
        FaultKind.PAUSE,
        FaultKind.STEADY_JUMP,
        FaultKind.WALL_JUMP,
        FaultKind.DATABASE_AWAY,
        FaultKind.BROKER_AWAY,
        FaultKind.REBALANCE,
        FaultKind.REDELIVERY,
        FaultKind.TOKEN_EXPIRED,
        FaultKind.LEDGER_AWAY,
    }
)
"""What happens at a moment of its own; the others happen to the next call, transaction or message."""

PAIRS = frozenset(frozenset(pair) for pair in combinations(FaultKind, 2))


@dataclass(slots=True)
class Faults:
    """The faults of one schedule: which are armed for the next occasion, and which were met."""

    armed: list[FaultKind] = field(default_factory=list)
    met: list[tuple[float, FaultKind]] = field(default_factory=list)

    def arm(self, kind: FaultKind) -> None:
        """Let the next occasion go wrong."""
        self.armed.append(kind)

    def take(self, kinds: Iterable[FaultKind], now: float) -> FaultKind | None:
        """Give an armed kind of these, which has happened by that; None where nothing of them is armed."""
        for kind in kinds:
            if kind in self.armed:
                self.armed.remove(kind)
                self.note(kind, now)
                return kind
        return None

    def note(self, kind: FaultKind, now: float) -> None:
        """Note that a fault has happened."""
        self.met.append((now, kind))

    @property
    def kinds(self) -> frozenset[FaultKind]:
        """Give the kinds that were met."""
        return frozenset(kind for _, kind in self.met)

    def pairs(self) -> frozenset[frozenset[FaultKind]]:
        """Give the pairs of kinds that were met in one schedule."""
        return frozenset(frozenset(pair) for pair in combinations(sorted(self.kinds), 2))
