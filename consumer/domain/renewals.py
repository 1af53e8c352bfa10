"""When an access token may be renewed: by one process at a time, and not more often than the ledger allows."""

from collections.abc import Sequence
from datetime import datetime, timedelta

RENEWALS_MAX = 9  # in ten minutes: the ledger locks out after ten
SPAN = timedelta(minutes=10)
SOON_SECONDS = 0.01  # somebody has renewed already: read again


def recent(renewals: Sequence[datetime], now: datetime) -> list[datetime]:
    """Keep the renewals that still count."""
    return [moment for moment in renewals if now - moment < SPAN]


def renewal_wait_seconds(
    *, version_is_current: bool, renewing_until: datetime | None, renewals: Sequence[datetime], now: datetime
) -> float:
    """Give how long to wait before reading again; 0: renew now."""
    if not version_is_current:
        return SOON_SECONDS
    if renewing_until is not None and renewing_until > now:
        return max(SOON_SECONDS, (renewing_until - now).total_seconds())
    counted = sorted(recent(renewals, now))
    if len(counted) < RENEWALS_MAX:
        return 0.0
    return max(SOON_SECONDS, (counted[-RENEWALS_MAX] + SPAN - now).total_seconds())
