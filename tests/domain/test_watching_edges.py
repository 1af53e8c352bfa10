"""The edges of watching: the words of the story, moments that are equal, and looks whose share is nothing."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest

from consumer.domain.ledger import Invoice, InvoiceStatus
from consumer.domain.records import Note
from consumer.domain.watching import (
    Found,
    Suspicion,
    advanced,
    as_seen,
    deleted,
    double_note,
    is_late_double,
    judge,
    may_be_deleted,
    merged,
    next_look_seconds,
)
from tests.domain.test_watching import (
    BEGUN,
    HOUR,
    SECOND,
    WROTE,
    _document,
    _known,
    _look,
    _row,
    _suspicion,
)

EDITED = "Invoice INV-1 was edited in the ledger by hand on 2026-03-02 10:00:00 +0000"
KEPT = "It is kept as it is; a change of the order asks first."
CHANGED_AT = {"changed_at": "2026-03-02T10:00:00+00:00"}


def note_of(row: Invoice) -> Note | None:
    """Give what the story says of a listed row of our draft."""
    verdict = judge(_known(), row)
    assert verdict is not None
    return verdict.note


def test_the_story_says_who_did_what_and_when() -> None:
    """An edit of the total, an edit of something else, a move, a void: each in its own words."""
    assert note_of(_row(total=Decimal("13.00"))) == Note(
        decision="edited_by_hand",
        words=(f"{EDITED} (total 12.20 to 13.00). {KEPT}",),
        figures=CHANGED_AT,
    )
    assert note_of(_row()) == Note(
        decision="edited_by_hand",
        words=(f"{EDITED}. {KEPT}",),
        figures=CHANGED_AT,
    )
    assert note_of(_row(contact_id="c-2")) == Note(
        decision="moved_by_hand",
        words=("Invoice INV-1 was moved to another contact in the ledger by hand. It is kept as it is.",),
        figures=CHANGED_AT,
    )
    assert note_of(_row(status=InvoiceStatus.VOID)) == Note(
        decision="gone",
        words=("Invoice INV-1 was made void in the ledger by hand (2026-03-02 10:00:00 +0000).",),
    )


def test_of_a_deleted_invoice_nobody_knows_when() -> None:
    """It was asked for and is not there."""
    verdict = deleted(_document())
    assert (verdict.found, verdict.gone, verdict.noticed_at) == (Found.DELETED, True, None)
    assert (verdict.document.live, verdict.document.status) == (False, "deleted_by_hand")
    assert verdict.note == Note(decision="gone", words=("Invoice INV-1 was deleted in the ledger by hand.",))


def test_of_a_merge_the_story_says_that_ours_follows() -> None:
    """It is nobody's edit."""
    row = _row(contact_id="c-2")
    verdict = judge(_known(), row)
    assert verdict is not None
    assert merged(verdict, _document(), row).note == Note(
        decision="contact_merged",
        words=("The contact of invoice INV-1 was merged into another one in the ledger; ours follows it.",),
    )


def test_what_a_row_does_not_tell_stays_as_it_was() -> None:
    """Number, contact and balance of a list that leaves them out."""
    verdict = judge(_known(), _row(number="", contact_id="", balance=None))
    assert verdict is not None
    after = verdict.document
    assert (after.number, after.contact_id, after.balance) == ("INV-1", "c-1", Decimal("12.20"))


def test_what_was_never_written_and_never_judged_is_news() -> None:
    """An adopted invoice of which no moment is known: whatever is listed is judged."""
    verdict = judge(_known(ledger_modified_at=None), _row(total=Decimal(13)))
    assert verdict is not None
    assert verdict.found is Found.EDITED


# ---- instead of a read ----


@pytest.mark.parametrize(
    ("noticed_at", "own", "read"),
    [
        (WROTE, WROTE, False),
        (WROTE - SECOND, WROTE, False),
        (None, WROTE - HOUR, False),
        (None, WROTE + HOUR, False),
        (None, WROTE - HOUR - SECOND, True),
        (None, WROTE + HOUR + SECOND, True),
        (WROTE, None, True),
    ],
    ids=[
        "noticed at our own moment",
        "noticed before we wrote",
        "written as the watch began",
        "written as the list begins",
        "written before the watch",
        "written after the list's beginning",
        "noticed and never written",
    ],
)
def test_between_the_watchs_beginning_and_the_lists_a_write_of_ours_is_proved(
    noticed_at: datetime | None,
    own: datetime | None,
    read: bool,  # noqa: FBT001 a parameter
) -> None:
    """Both ends count: the list holds what changed after its beginning, and the watch has judged since its own."""
    assert (as_seen(_look(), _known(noticed_at, ledger_modified_at=own)) is None) is read


def test_our_record_stands_for_the_read_with_all_that_it_knows() -> None:
    """In the words of a list: no lines, no taxes."""
    known = _known(issued_on=date(2026, 3, 1), url="https://ledger.example/46", emailed=True, status="sent")
    assert as_seen(_look(), known) == Invoice(
        invoice_id="46",
        number="INV-1",
        status=InvoiceStatus.SENT,
        reference="1001",
        contact_id="c-1",
        total=Decimal("12.20"),
        currency="EUR",
        issued_on=date(2026, 3, 1),
        balance=Decimal("12.20"),
        modified_at=WROTE,
        url="https://ledger.example/46",
        emailed=True,
    )


# ---- how far, and when again ----


def test_the_first_pages_newest_moment_is_certain_however_late() -> None:
    """Two changes on the first page, the later one after the reading began; without pages nothing is."""
    pages = [[_row(BEGUN + HOUR), _row(BEGUN)], [_row(BEGUN - HOUR)]]
    assert advanced(WROTE, pages, BEGUN) == BEGUN + HOUR
    assert advanced(WROTE, [], BEGUN) == WROTE
    assert advanced(BEGUN, [[_row(WROTE)]], BEGUN) == BEGUN


@pytest.mark.parametrize(
    ("calls", "share", "daily_calls", "seconds"),
    [
        (0, 0.02, 1000, 4320.0),
        (1, 0.02, 1000, 4320.0),
        (3, 0.0, 1000, 86_400.0),
        (3, 0.02, 0, 86_400.0),
        (1, 2.0, 1, 43_200.0),
    ],
    ids=["a look without calls counts as one", "one call", "no share", "no calls a day", "one call a day"],
)
def test_without_a_share_it_looks_once_a_day(calls: int, share: float, daily_calls: int, seconds: float) -> None:
    """86,400 seconds by 20 calls are 4,320."""
    assert next_look_seconds(calls, share, daily_calls) == pytest.approx(seconds)


# ---- a late double ----


@pytest.mark.parametrize("lacking", ["total", "contact_id"])
def test_a_request_that_does_not_say_what_it_asked_for_proves_nothing(lacking: str) -> None:
    """An old entry without its total or its contact."""
    assert not is_late_double(_row(invoice_id="47"), _known(), _suspicion(**{lacking: ""}))


def test_two_made_in_the_same_second_and_touched_within_two_may_be_told_apart_by_their_requests() -> None:
    """Not younger than ours is older; two seconds are no hand; what has no moment is left alone."""
    ours, double = _row(), _row(WROTE + 2 * SECOND, invoice_id="47", created_at=WROTE)
    assert may_be_deleted(double, ours)
    assert not may_be_deleted(replace(double, modified_at=WROTE + 3 * SECOND), ours)
    assert not may_be_deleted(replace(double, created_at=None), ours)
    assert not may_be_deleted(replace(double, modified_at=None), ours)
    assert not may_be_deleted(double, replace(ours, created_at=WROTE + timedelta(seconds=1)))
    assert not may_be_deleted(double, replace(ours, created_at=None))


def test_one_request_that_was_given_up_is_enough() -> None:
    """Ours came of the first one, the double of the second."""
    creations = (*_suspicion("done").creations, *_suspicion().creations)
    assert is_late_double(_row(invoice_id="47"), _known(), Suspicion(creations=creations, told=False))


@pytest.mark.parametrize(
    ("removed", "did"),
    [
        (True, "INV-2 was an untouched draft and was deleted."),
        (False, "INV-2 is left as it is: look at both, and delete one by hand."),
    ],
)
def test_the_story_names_both_invoices_and_what_was_done(removed: bool, did: str) -> None:  # noqa: FBT001 a parameter
    """A person has to look at the second one unless it is gone."""
    row = _row(invoice_id="47", number="INV-2")
    first = "The ledger has two invoices of this order: INV-1 and INV-2, which came of a late request."
    assert double_note(row, _document(), removed=removed) == Note(
        decision="late_double", words=(first, did), figures={"ledger_id": "47"}
    )
