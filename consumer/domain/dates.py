"""The day of a document: the day on which the order was paid, where the organisation is."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from consumer.domain.states import Reason, ReasonCode


def document_days(paid_moment: datetime | None, time_zone: str, payment_terms: int) -> tuple[date, date] | Reason:
    """Give the days on which the document is issued and due; ``payment_terms`` in days, 0 for the same day.

    The moment is the caller's: ``paid_at``, else ``placed_at``, else the event's time. Parks as DATE_MISSING where
    there is none, or where the organisation's time zone is unknown here.
    """
    if paid_moment is None:
        return Reason(
            code=ReasonCode.DATE_MISSING,
            message="The order tells no moment at which it was paid or placed.",
            fix="Send the order again with paid_at or placed_at.",
        )
    try:
        issued = paid_moment.astimezone(ZoneInfo(time_zone or "UTC")).date()
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return Reason(
            code=ReasonCode.DATE_MISSING,
            message=f"The organisation's time zone {time_zone!r} is unknown, so the invoice has no date.",
            fix="Set the organisation's time zone in the ledger to one of the IANA list, such as Europe/Rome.",
            group_key="time_zone_unknown",
        )
    return issued, issued + timedelta(days=payment_terms)
