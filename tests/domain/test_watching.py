"""What a list of changes says of our invoices, and when it may stand for a read."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from consumer.domain.ledger import Invoice, InvoiceStatus
from consumer.domain.orders import OrderKey
from consumer.domain.records import Document, DocumentKind
from consumer.domain.states import OrderState
from consumer.domain.watching import (
    Creation,
    Found,
    Known,
    Look,
    Suspicion,
    advanced,
    as_seen,
    is_late_double,
    judge,
    may_be_deleted,
    merged,
    next_look_seconds,
)

WROTE = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)


def _document(**fields: Any) -> Document:
    given: dict[str, Any] = {
        "connection_id": "books",
        "kind": DocumentKind.INVOICE,
        "ledger_id": "46",
        "number": "INV-1",
        "status": "draft",
        "live": True,
        "reference": "1001",
        "total": Decimal("12.20"),
        "currency": "EUR",
        "contact_id": "c-1",
        "ledger_modified_at": WROTE,
        "balance": Decimal("12.20"),
    }
    return Document(**{**given, **fields})


def _known(noticed_at: datetime | None = None, *, put_off: bool = False, **fields: Any) -> Known:
    return Known(
        key=OrderKey("shop", "1001"),
        change=1,
        state=OrderState.BOOKED,
        busy=False,
        document=_document(**fields),
        noticed_at=noticed_at,
        put_off=put_off,
    )


def _row(modified_at: datetime | None = WROTE + HOUR, **fields: Any) -> Invoice:
    given: dict[str, Any] = {
        "invoice_id": "46",
        "number": "INV-1",
        "status": InvoiceStatus.DRAFT,
        "reference": "1001",
        "contact_id": "c-1",
        "total": Decimal("12.20"),
        "currency": "EUR",
        "balance": Decimal("12.20"),
        "created_at": WROTE,
        "modified_at": modified_at,
    }
    return Invoice(**{**given, **fields})


# ---- what it says ----


@pytest.mark.parametrize("moment", [WROTE, WROTE - SECOND, None])
def test_our_own_write_and_a_list_from_before_it_are_no_news(moment: datetime | None) -> None:
    """Whatever else such a row says: it is what our write had seen, or has made."""
    assert judge(_known(), _row(moment, total=Decimal(99))) is None


def test_what_was_judged_before_is_no_news() -> None:
    """The edit of that moment was said; a later one is news."""
    known = _known(WROTE + HOUR)
    assert judge(known, _row(WROTE + HOUR)) is None
    later = judge(known, _row(WROTE + 2 * HOUR))
    assert later is not None
    assert later.found is Found.EDITED


def test_a_draft_changed_later_than_by_us_was_edited_and_keeps_our_moment() -> None:
    """Its number and balance follow; the moment of our own write stays, so that the next update asks."""
    verdict = judge(_known(), _row(number="INV-2", total=Decimal(13), balance=Decimal(13)))
    assert verdict is not None
    assert (verdict.found, verdict.gone, verdict.noticed_at) == (Found.EDITED, False, WROTE + HOUR)
    document = verdict.document
    assert (document.ledger_modified_at, document.number, document.balance) == (WROTE, "INV-2", Decimal(13))
    assert document.total == Decimal("12.20")  # as we wrote it
    assert verdict.note is not None
    assert "2026-03-02 10:00:00" in verdict.note.words[0]
    assert "12.20 to 13" in verdict.note.words[0]


@pytest.mark.parametrize("status", [InvoiceStatus.SENT, InvoiceStatus.PARTIALLY_PAID, InvoiceStatus.PAID])
def test_a_status_is_no_edit(status: InvoiceStatus) -> None:
    """The moment of a sent invoice is taken over: only its total tells of an edit from now on."""
    verdict = judge(_known(), _row(status=status, balance=Decimal(0)))
    assert verdict is not None
    assert (verdict.found, verdict.note) == (Found.STATUS, None)
    assert (verdict.document.status, verdict.document.ledger_modified_at) == (status.value, WROTE + HOUR)


def test_another_total_of_a_sent_invoice_is_an_edit() -> None:
    """Its payments do not change it."""
    verdict = judge(_known(status="sent"), _row(status=InvoiceStatus.SENT, total=Decimal(13)))
    assert verdict is not None
    assert verdict.found is Found.EDITED


def test_void_is_gone_and_what_is_not_live_is_nobodys_news() -> None:
    """Made void by somebody: not live any more; what we made void ourselves says nothing."""
    verdict = judge(_known(), _row(status=InvoiceStatus.VOID))
    assert verdict is not None
    assert (verdict.found, verdict.gone) == (Found.VOIDED, True)
    assert (verdict.document.live, verdict.document.status) == (False, "voided_by_hand")
    assert judge(_known(live=False, status="void"), _row(status=InvoiceStatus.VOID)) is None


def test_a_merged_contact_is_no_edit_of_the_invoice() -> None:
    """Moved to another contact; where that was a merge, the moment is taken over."""
    row = _row(contact_id="c-2")
    verdict = judge(_known(), row)
    assert verdict is not None
    assert verdict.moved
    assert (verdict.document.contact_id, verdict.document.ledger_modified_at) == ("c-2", WROTE)
    assert merged(verdict, _document(), row).document.ledger_modified_at == WROTE + HOUR


# ---- instead of a read ----

BEGUN = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def _look(*rows: Invoice, changed_after: datetime = WROTE + HOUR, since: datetime = WROTE - HOUR) -> Look:
    return Look(
        begun_at=BEGUN,
        steady_at=100.0,
        changed_after=changed_after,
        covered_since=since,
        rows={row.invoice_id: row for row in rows},
    )


@pytest.mark.parametrize(
    ("due_at", "steady_now", "good"),
    [
        (BEGUN - SECOND, 160.0, True),
        (BEGUN - SECOND, 160.1, False),
        (BEGUN, 100.0, True),
        (BEGUN + SECOND, 100.0, False),
        (None, 100.0, False),
    ],
)
def test_a_list_stands_for_a_minute_and_for_what_was_due_before_it(
    due_at: datetime | None, steady_now: float, *, good: bool
) -> None:
    """Begun since the order became due, and at most sixty seconds ago."""
    assert _look().is_good_for(due_at, steady_now) is good


def test_listed_under_our_own_moment_it_is_as_we_left_it() -> None:
    """The row itself stands for the read."""
    row = _row(WROTE)
    assert as_seen(_look(row), _known()) == row


@pytest.mark.parametrize("row", [_row(WROTE + SECOND), _row(WROTE, total=Decimal(13)), _row(None)])
def test_listed_otherwise_it_has_to_be_read(row: Invoice) -> None:
    """A later moment, or another total within the same second."""
    assert as_seen(_look(row), _known()) is None


def test_not_listed_it_has_not_changed_since_the_lists_beginning() -> None:
    """Its state is that of our record, under our own moment and without lines."""
    seen = as_seen(_look(), _known(status="sent"))
    assert seen is not None
    assert (seen.status, seen.total, seen.modified_at, seen.lines) == (
        InvoiceStatus.SENT,
        Decimal("12.20"),
        WROTE,
        None,
    )


@pytest.mark.parametrize(
    "known",
    [
        _known(WROTE + SECOND),  # somebody's change was noticed
        _known(put_off=True),
        _known(live=False),
        _known(ledger_modified_at=None),
        _known(ledger_modified_at=WROTE + 2 * HOUR),  # our write is younger than the list's beginning: it lags behind
        _known(ledger_modified_at=WROTE - 2 * HOUR),  # from before the watch
        _known(status="deleted"),
    ],
)
def test_not_listed_and_not_proved_it_has_to_be_read(known: Known) -> None:
    """Nothing is written to what was neither listed nor judged without a gap."""
    assert as_seen(_look(), known) is None


# ---- how far, and when again ----


def test_of_one_page_all_is_seen() -> None:
    """The newest change of the page."""
    assert advanced(WROTE, [[_row(WROTE + HOUR), _row(WROTE + SECOND)]], BEGUN) == WROTE + HOUR
    assert advanced(WROTE, [[]], BEGUN) == WROTE


def test_what_changes_while_pages_are_read_is_listed_again() -> None:
    """A change on the second page may be later than one that landed on the first page after it was read."""
    pages = [[_row(BEGUN - HOUR)], [_row(BEGUN + SECOND)]]
    assert advanced(WROTE, pages, BEGUN) == BEGUN - timedelta(minutes=5)
    old = [[_row(BEGUN - 3 * HOUR)], [_row(BEGUN - 2 * HOUR)]]
    assert advanced(WROTE, old, BEGUN) == BEGUN - 2 * HOUR


@pytest.mark.parametrize(
    ("calls", "share", "daily", "seconds"),
    [(2, 0.02, 1000, 8640.0), (2, 0.02, 5000, 1728.0), (10, 0.02, 5000, 8640.0), (1, 0.02, 10_000_000, 60.0)],
)
def test_looks_take_their_share(calls: int, share: float, daily: int, seconds: float) -> None:
    """So many calls, so long a pause; a minute at least."""
    assert next_look_seconds(calls, share, daily) == pytest.approx(seconds)


# ---- a late double ----


def _suspicion(resolution: str | None = "absent", **sought: str) -> Suspicion:
    asked = {"reference": "1001", "contact_id": "c-1", "total": "12.20", **sought}
    return Suspicion(creations=(Creation(sought=asked, begun_at=WROTE, resolution=resolution),), told=False)


def test_a_double_is_what_a_request_asked_for_that_was_given_up() -> None:
    """Same reference, contact and total, made not before the request; any other is somebody's own."""
    double = _row(invoice_id="47")
    assert is_late_double(double, _known(), _suspicion())
    assert not is_late_double(_row(), _known(), _suspicion())  # ours itself
    assert not is_late_double(double, _known(), _suspicion("done"))
    assert not is_late_double(double, _known(), _suspicion("never_sent"))
    assert not is_late_double(double, _known(), _suspicion(total="12.21"))
    assert not is_late_double(double, _known(), _suspicion(contact_id="c-2"))
    assert not is_late_double(replace(double, reference="1001 "), _known(), _suspicion())
    assert not is_late_double(replace(double, created_at=WROTE - HOUR), _known(), _suspicion())
    assert not is_late_double(replace(double, status=InvoiceStatus.VOID), _known(), _suspicion())


def test_only_the_younger_untouched_draft_may_be_deleted() -> None:
    """Not the older one, not one that was sent, not one that was changed after it was made."""
    ours, double = _row(), _row(WROTE + SECOND, invoice_id="47", created_at=WROTE + SECOND)
    assert may_be_deleted(double, ours)
    assert not may_be_deleted(replace(double, created_at=WROTE - SECOND, modified_at=WROTE - SECOND), ours)
    assert not may_be_deleted(replace(double, status=InvoiceStatus.SENT), ours)
    assert not may_be_deleted(replace(double, modified_at=WROTE + HOUR), ours)
    assert not may_be_deleted(double, None)
