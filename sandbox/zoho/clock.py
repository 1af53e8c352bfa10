"""Times as the ledger writes them: epoch seconds inside, an organisation's own zone outside."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo


@lru_cache(maxsize=64)
def zone(name: str) -> ZoneInfo:
    """Load a time zone once. Raises `ZoneInfoNotFoundError` for a name that does not exist."""
    return ZoneInfo(name)


class Clock:
    """The stand-in's clock; `read` gives epoch seconds and is replaced in tests."""

    def __init__(self, *, read: Callable[[], float] = time.time) -> None:
        self._read = read

    def now(self) -> float:
        """Give the moment as epoch seconds."""
        return self._read()

    def date(self, time_zone: str, *, at: float | None = None) -> str:
        """Give the day in a zone, as yyyy-mm-dd."""
        return datetime.fromtimestamp(self.now() if at is None else at, zone(time_zone)).strftime("%Y-%m-%d")

    def seconds_to_midnight(self, time_zone: str) -> int:
        """Give the whole seconds until the next day begins in a zone (daylight saving counted)."""
        local = datetime.fromtimestamp(self.now(), zone(time_zone))
        midnight = datetime.combine(local.date() + timedelta(days=1), datetime.min.time(), tzinfo=zone(time_zone))
        return max(0, int(midnight.timestamp() - self.now()) + 1)


def stamp(at: float, time_zone: str) -> str:
    """Write a moment as the ledger does: 2026-06-09T16:22:34-0400."""
    return datetime.fromtimestamp(at, zone(time_zone)).strftime("%Y-%m-%dT%H:%M:%S%z")


def moment(text: str, time_zone: str) -> float | None:
    """Read a moment as a filter gives it, or None where it is none. A plus sign may have become a blank on its way."""
    cleaned = text.strip().replace(" ", "+")
    try:
        read = datetime.fromisoformat(cleaned)
    except ValueError:
        return None
    return (read if read.tzinfo else read.replace(tzinfo=zone(time_zone))).astimezone(UTC).timestamp()


def is_date(text: object) -> bool:
    """Say whether a value is a day written as yyyy-mm-dd."""
    if not isinstance(text, str) or len(text) != len("2026-01-31"):
        return False
    try:
        datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        return False
    return True


def days_after(date: str, days: int) -> str:
    """Give the day that lies a number of days after another."""
    start = datetime.strptime(date, "%Y-%m-%d").replace(tzinfo=UTC)
    return (start + timedelta(days=days)).strftime("%Y-%m-%d")
