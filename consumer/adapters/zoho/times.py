"""Zoho's dates and moments: ``2026-06-09``, and ``2026-06-09T13:18:34-0400`` with the organisation's offset."""

from datetime import UTC, date, datetime


def read_moment(text: str | None) -> datetime | None:
    """Read a moment; None for an empty or unreadable one, or one without an offset (it would mean nothing)."""
    if not text or not text.strip():
        return None
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else None


def write_moment(moment: datetime) -> str:
    """Write an aware moment as the list filters want it, in UTC: ``2026-06-09T17:18:34+0000``."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S%z")


def read_date(text: str | None) -> date | None:
    """Read a day; None for an empty or unreadable one. A moment is cut to its day."""
    if not text:
        return None
    try:
        return date.fromisoformat(text.strip()[:10])
    except ValueError:
        return None
