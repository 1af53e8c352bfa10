"""The days of a document: on which it is issued and due, where the organisation is."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from consumer.domain.settings import InvoiceDate
from consumer.domain.states import Reason, ReasonCode


@dataclass(frozen=True, slots=True, kw_only=True)
class Moments:
    """The moments that a document's day may be told by; which one counts is the shop's setting.

    ``paid`` is ``paid_at``, else ``placed_at``, else the event's time. ``now`` is the caller's clock; ``kept_day`` is
    the day that the order's live document bears, which a shop that dates by ``today`` keeps.
    """

    paid: datetime | None
    placed: datetime | None = None
    now: datetime | None = None
    kept_day: date | None = None


_SAID = {
    InvoiceDate.PAID: ("at which it was paid or placed", "paid_at or placed_at"),
    InvoiceDate.PLACED: ("at which it was placed", "placed_at, or set invoice_date to paid"),
    InvoiceDate.TODAY: ("of its booking", "it"),
}


def issued_day(moments: Moments, chosen: InvoiceDate, time_zone: str) -> date | Reason:
    """Give the day on which the document is issued.

    Parks as DATE_MISSING where the moment that the shop's setting asks for is not known, or where the organisation's
    time zone is unknown here.
    """
    if chosen is InvoiceDate.TODAY and moments.kept_day is not None:
        return moments.kept_day
    by = {InvoiceDate.PAID: moments.paid, InvoiceDate.PLACED: moments.placed, InvoiceDate.TODAY: moments.now}
    moment = by[chosen]
    if moment is None:
        what, fields = _SAID[chosen]
        return Reason(
            code=ReasonCode.DATE_MISSING,
            message=f"The order tells no moment {what}.",
            fix=f"Send the order again with {fields}.",
        )
    try:
        return moment.astimezone(ZoneInfo(time_zone or "UTC")).date()
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return Reason(
            code=ReasonCode.DATE_MISSING,
            message=f"The organisation's time zone {time_zone!r} is unknown, so the invoice has no date.",
            fix="Set the organisation's time zone in the ledger to one of the IANA list, such as Europe/Rome.",
            group_key="time_zone_unknown",
        )


def due_day(issued_on: date, payment_terms: int) -> date:
    """Give the day on which the document is due; ``payment_terms`` in days, 0 for the day of issue."""
    return issued_on + timedelta(days=payment_terms)
