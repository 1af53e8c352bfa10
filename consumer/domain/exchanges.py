"""One HTTP call to a ledger, as kept in the log: what was asked, what was answered, how long it took."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotaReading:
    """What an answer's headers said of the day's calls; ``resets_in_seconds`` counts from the answer."""

    limit: int
    left: int
    resets_in_seconds: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One call, redacted: no token, no secret, no customer link. Bodies are cut at 64 KiB.

    ``status`` is None where no answer came. ``code`` is the ledger's own code in the body.
    """

    operation: str
    method: str
    path: str
    request: str
    response: str
    status: int | None
    code: int | None
    duration_seconds: float
    outcome: str  # ok, or the name of the error type
    quota: QuotaReading | None = None
    started_at: datetime | None = None
