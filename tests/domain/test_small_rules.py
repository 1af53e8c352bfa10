"""Small rules with an edge: names of documents, renewals of a token, waiting times, the next document's number."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from consumer.domain.orders import OrderKey
from consumer.domain.records import DocumentKind
from consumer.domain.reference_patterns import patterns_could_meet
from consumer.domain.references import unique_key_of
from consumer.domain.renewals import recent, renewal_wait_seconds
from consumer.domain.settings import LedgerLimits
from tests.domain.deciding.building import CONNECTION, document, record

NOW = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)


def test_a_unique_key_keeps_its_parts_apart() -> None:
    """A slash and a percent sign within a part are escaped, the percent sign first."""
    assert unique_key_of(OrderKey("a/b", "1%"), kind="invoice") == "a%2Fb/1%25/invoice//1"
    assert unique_key_of(OrderKey("a", "%2F"), kind="refund", part="r/1", n=3) == "a/%252F/refund/r%2F1/3"


def test_two_patterns_are_kept_apart_by_their_ends_as_well() -> None:
    """Three free parts: it is the last text that counts."""
    assert not patterns_could_meet("n", "{order_id}-{number}-{number}x", "s", "{order_id}-{number}-{number}y")
    assert patterns_could_meet("n", "{order_id}a{number}-{number}x", "s", "{order_id}b{number}-{number}x")


def test_a_renewal_counts_for_ten_minutes() -> None:
    """Exactly ten minutes ago it does no longer."""
    moments = [NOW - timedelta(minutes=10), NOW - timedelta(minutes=9)]
    assert recent(moments, NOW) == moments[1:]


@pytest.mark.parametrize(("until", "seconds"), [(NOW, 0.0), (NOW + timedelta(seconds=5), 5.0), (None, 0.0)])
def test_a_renewal_of_somebody_else_is_waited_for(until: datetime | None, seconds: float) -> None:
    """Until its moment."""
    waited = renewal_wait_seconds(version_is_current=True, renewing_until=until, renewals=(), now=NOW)
    assert waited == seconds


@pytest.mark.parametrize(("count", "seconds"), [(8, 0.0), (9, 60.0), (10, 120.0)])
def test_nine_renewals_in_ten_minutes_are_the_most(count: int, seconds: float) -> None:
    """The first was nine minutes ago, each next one a minute later: until nine of them are eight."""
    moments = [NOW - timedelta(minutes=9 - at) for at in range(count)]
    waited = renewal_wait_seconds(version_is_current=True, renewing_until=None, renewals=moments, now=NOW)
    assert waited == seconds


def test_with_a_unique_field_a_write_settles_sooner() -> None:
    """The ledger itself refuses a second one."""
    limits = LedgerLimits(settle_seconds=300.0, settle_seconds_with_unique_field=30.0)
    plain = replace(CONNECTION, limits=limits)
    assert (plain.settle_seconds, replace(plain, unique_field="cf_key").settle_seconds) == (300.0, 30.0)


def test_the_next_invoice_has_the_number_after_the_highest() -> None:
    """Credit notes have their own."""
    note = document(kind=DocumentKind.CREDIT_NOTE, n=9)
    assert record(documents=(document(n=3, live=False), document(n=1, live=False), note)).next_invoice_n == 4
    assert record(documents=(note,)).next_invoice_n == 1
