"""A document's day is the day on which it was paid where the organisation is, whatever day it was elsewhere."""

from datetime import date, datetime

import pytest

from consumer.domain.dates import Moments, issued_day
from consumer.domain.settings import InvoiceDate


@pytest.mark.parametrize(
    ("paid", "zone", "day"),
    [
        ("2026-12-31T22:59:59+00:00", "Europe/Rome", date(2026, 12, 31)),
        ("2026-12-31T23:00:00+00:00", "Europe/Rome", date(2027, 1, 1)),
        ("2026-07-31T21:59:59+00:00", "Europe/Rome", date(2026, 7, 31)),
        ("2026-07-31T22:00:00+00:00", "Europe/Rome", date(2026, 8, 1)),
        # Summer time begins on the 29th of March 2026, and ends on the 25th of October, at 01:00 UTC.
        ("2026-03-28T22:59:59+00:00", "Europe/Rome", date(2026, 3, 28)),
        ("2026-03-29T22:00:00+00:00", "Europe/Rome", date(2026, 3, 30)),
        ("2026-10-24T22:00:00+00:00", "Europe/Rome", date(2026, 10, 25)),
        ("2026-10-25T22:59:59+00:00", "Europe/Rome", date(2026, 10, 25)),
        ("2024-02-28T23:00:00+00:00", "Europe/Rome", date(2024, 2, 29)),
        ("2024-02-29T23:30:00+00:00", "Europe/Rome", date(2024, 3, 1)),
        ("2026-03-01T04:59:00+00:00", "America/New_York", date(2026, 2, 28)),
        ("2026-01-01T00:30:00+14:00", "Asia/Kolkata", date(2025, 12, 31)),
        ("2026-05-01T00:30:00+02:00", "", date(2026, 4, 30)),
    ],
)
def test_the_day_is_the_organisations_over_midnights_summer_time_and_leap_days(paid: str, zone: str, day: date) -> None:
    """The shop's offset does not count, the organisation's on that very day does; without a zone it is UTC."""
    assert issued_day(Moments(paid=datetime.fromisoformat(paid)), InvoiceDate.PAID, zone) == day
