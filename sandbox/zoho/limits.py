"""The limits of an organisation: calls a minute (44), a day (45), at once (1070), and the headers that tell of them.

The minute is a rolling window. After a restart it is filled again from the recorded requests, and the day is kept in
the state file: a restart of the stand-in must not hand out calls that Zoho would not.
"""

from collections import defaultdict, deque
from math import ceil

from sandbox.zoho.calls import Refusal
from sandbox.zoho.clock import Clock
from sandbox.zoho.organizations import Organization
from sandbox.zoho.store import Store


class CallLimits:
    """Counts the calls of all organisations."""

    def __init__(self, *, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._arrivals: dict[str, deque[float]] = defaultdict(deque)
        self._blocked_until: dict[str, float] = {}
        self._inside: dict[str, int] = defaultdict(int)

    def restore(self, organization: Organization) -> None:
        """Fill the rolling window again from what was recorded before a restart."""
        rows = self._store.rows(
            "SELECT time FROM requests WHERE organization_id = ? AND counted = 1 AND time > ? ORDER BY seq",
            (organization.organization_id, self._clock.now() - organization.limits.window_seconds),
        )
        self._arrivals[organization.organization_id] = deque(row["time"] for row in rows)

    def enter(self, organization: Organization) -> None:
        """Let a call in, or refuse it with 1070, 44 or 45. Who is let in has to `leave`.

        A refused call takes nothing from the minute or the day.
        """
        id_, limits, now = organization.organization_id, organization.limits, self._clock.now()
        if self._inside[id_] >= limits.concurrent:
            raise self._refusal(organization, 1070, "Too many calls are being worked on at once. Try again later.", 1)
        arrivals = self._arrivals[id_]
        while arrivals and arrivals[0] <= now - limits.window_seconds:
            arrivals.popleft()
        if now < self._blocked_until.get(id_, 0) or len(arrivals) >= limits.per_minute:
            raise self._too_fast(organization, now)
        if self.day_used(organization) >= limits.per_day:
            message = f"The organization has exceeded its maximum call rate limit of {limits.per_day} for the day."
            raise self._refusal(organization, 45, message, self.day_reset_seconds(organization))
        arrivals.append(now)
        self._inside[id_] += 1

    def leave(self, organization: Organization) -> None:
        """Say that a call that was let in is over."""
        self._inside[organization.organization_id] -= 1

    def count_day(self, organization: Organization) -> None:
        """Take one call from the day. Runs inside the transaction of the call's own record."""
        self._store.execute(
            "INSERT INTO calls_by_day (organization_id, day, calls) VALUES (?, ?, 1)"
            " ON CONFLICT (organization_id, day) DO UPDATE SET calls = calls + 1",
            (organization.organization_id, self._day(organization)),
        )

    def headers(self, organization: Organization) -> dict[str, str]:
        """Give the headers about the day; there are none about the minute."""
        limit = organization.limits.per_day
        return {
            "X-Rate-Limit-Limit": str(limit),
            "X-Rate-Limit-Remaining": str(max(0, limit - self.day_used(organization))),
            "X-Rate-Limit-Reset": str(self.day_reset_seconds(organization)),
        }

    def day_used(self, organization: Organization) -> int:
        """Give how many calls the day has had."""
        row = self._store.row(
            "SELECT calls FROM calls_by_day WHERE organization_id = ? AND day = ?",
            (organization.organization_id, self._day(organization)),
        )
        return 0 if row is None else int(row["calls"])

    def day_reset_seconds(self, organization: Organization) -> int:
        """Give the seconds until the day's calls are there again."""
        length = organization.limits.day_seconds
        if length is not None:
            return ceil(length - self._clock.now() % length)
        return self._clock.seconds_to_midnight(organization.time_zone)

    def _day(self, organization: Organization) -> str:
        length = organization.limits.day_seconds
        if length is not None:
            return f"{length:g}:{int(self._clock.now() // length)}"
        return self._clock.date(organization.time_zone)

    def _too_fast(self, organization: Organization, now: float) -> Refusal:
        id_, arrivals = organization.organization_id, self._arrivals[organization.organization_id]
        block_seconds = float(organization.switch("minute_block_seconds"))
        if block_seconds and now >= self._blocked_until.get(id_, 0):
            self._blocked_until[id_] = now + block_seconds
        free_at = arrivals[0] + organization.limits.window_seconds if arrivals else now
        wait_seconds = max(free_at, self._blocked_until.get(id_, 0)) - now
        message = "The organization is blocked for a while: too many calls in a minute."
        return self._refusal(organization, 44, message, ceil(wait_seconds))

    def _refusal(self, organization: Organization, code: int, message: str, wait_seconds: int) -> Refusal:
        headers = self.headers(organization)
        if organization.switch("retry_after") == "sent":
            headers["Retry-After"] = str(max(1, wait_seconds))
        return Refusal(status=429, code=code, message=message, headers=headers)
