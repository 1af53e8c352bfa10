"""The other hand: what a list of changes says of our invoices, told from what we wrote ourselves. Pure.

By hand is what the ledger dates later than our own last write. What we write ourselves is in the list as well, under
the very moment that its answer told us. A write in flight beside the list is told apart by the order: while an order
is in work its invoice is not judged but put off, and by the time it is settled our record has that moment.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from consumer.domain.comparison import Sought, is_ours
from consumer.domain.deciding.situation import DELETED_BY_HAND, VOIDED_BY_HAND
from consumer.domain.ledger import Invoice, InvoiceStatus
from consumer.domain.orders import OrderKey
from consumer.domain.records import Document, Note, Resolution
from consumer.domain.states import OrderState

SEEN_FOR_SECONDS = 60.0  # a list of changes stands for a read so long
OVERLAP = timedelta(seconds=30)  # the ledger's times are whole seconds, and its lists may lag behind a little
CLOCK_TOLERANCE = timedelta(minutes=5)  # between the ledger's clock and ours
UNTOUCHED = timedelta(seconds=2)  # made and changed within this: nobody has had a hand in it since
_DAY_SECONDS = 86_400.0
INTERVAL_MIN_SECONDS = 60.0


class Found(StrEnum):
    """What the watch has found, for the metric."""

    EDITED = "edited"
    MOVED = "moved"  # to another contact
    STATUS = "status"
    VOIDED = "voided"
    DELETED = "deleted"
    LATE_DOUBLE = "late_double"


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """An invoice of ours as recorded. ``busy``: its order is due, in hand or in doubt, so that its booking looks."""

    key: OrderKey
    change: int
    state: OrderState
    busy: bool
    document: Document
    noticed_at: datetime | None = None  # the newest of the ledger's moments that was judged
    put_off: bool = False  # a change later than our own last write was listed and is yet to be judged

    @property
    def judged_until(self) -> datetime | None:
        """Give the ledger's moment up to which nothing is news."""
        moments = [m for m in (self.document.ledger_modified_at, self.noticed_at) if m is not None]
        return max(moments, default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a listed invoice comes to: the document as it is known from now on, and its line in the story (if any)."""

    found: Found
    document: Document
    noticed_at: datetime | None
    note: Note | None = None
    gone: bool = False

    @property
    def moved(self) -> bool:
        """Tell whether the invoice stands on another contact than before."""
        return self.found is Found.MOVED


@dataclass(frozen=True, slots=True, kw_only=True)
class Creation:
    """A request for an invoice that was sent: what it asked for, when, and what is known to have come of it."""

    sought: Mapping[str, str]
    begun_at: datetime
    resolution: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspicion:
    """What tells whether a second document of an order is ours."""

    creations: tuple[Creation, ...]
    told: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One list of changes, read to its end. ``rows`` by the ledger's id; times as in ports.watch."""

    begun_at: datetime  # by the database's clock
    steady_at: float  # the same moment by the process' steady clock
    changed_after: datetime
    covered_since: datetime
    rows: Mapping[str, Invoice]

    def is_good_for(self, due_at: datetime | None, steady_now: float) -> bool:
        """Tell whether it may stand for a read: begun since the order became due, and at most a minute old."""
        return due_at is not None and self.begun_at >= due_at and steady_now - self.steady_at <= SEEN_FOR_SECONDS


# ---- what a listed invoice says -------------------------------------------------------------------------------------


def judge(known: Known, row: Invoice) -> Verdict | None:
    """Tell what somebody did to our invoice since it was last judged; None: nothing.

    An older moment than ours is a list that was read before our last write: that write had seen it.
    """
    document, until = known.document, known.judged_until
    if not document.live or row.modified_at is None or (until is not None and row.modified_at <= until):
        return None
    if row.status is InvoiceStatus.VOID:
        return _gone(document, VOIDED_BY_HAND, row.modified_at)
    after = _followed(document, row)
    if row.contact_id and document.contact_id and row.contact_id != document.contact_id:
        return _told(Found.MOVED, after, row, _moved_words(document))
    if _edited(document, row):
        return _told(Found.EDITED, after, row, _edited_words(document, row))
    return Verdict(found=Found.STATUS, document=after, noticed_at=row.modified_at)


def deleted(document: Document) -> Verdict:
    """Say that our invoice was asked for by its id and is not there."""
    return _gone(document, DELETED_BY_HAND, None)


def merged(verdict: Verdict, document: Document, row: Invoice) -> Verdict:
    """Say of an invoice on another contact that its contact was merged: that is no edit of the invoice.

    Its moment is taken over, so that the next update does not ask because of it.
    """
    words = f"The contact of invoice {document.number} was merged into another one in the ledger; ours follows it."
    return replace(
        verdict,
        document=replace(verdict.document, ledger_modified_at=row.modified_at),
        note=Note(decision="contact_merged", words=(words,)),
    )


def _gone(document: Document, status: str, noticed_at: datetime | None) -> Verdict:
    deleted_too = status == DELETED_BY_HAND
    how = "deleted in the ledger" if deleted_too else "made void in the ledger"
    when = "" if noticed_at is None else f" ({_moment(noticed_at)})"
    return Verdict(
        found=Found.DELETED if deleted_too else Found.VOIDED,
        document=replace(document, status=status, live=False),
        noticed_at=noticed_at,
        note=Note(decision="gone", words=(f"Invoice {document.number} was {how} by hand{when}.",)),
        gone=True,
    )


def _followed(document: Document, row: Invoice) -> Document:
    """Take over what people may change without editing: status, number, what is open, whose it is.

    The moment of our own last write stays with a draft, so that an update of it asks first; a sent invoice is told
    by its total, and its moment is taken over.
    """
    draft = row.status is InvoiceStatus.DRAFT
    return replace(
        document,
        status=row.status.value,
        number=row.number or document.number,
        balance=row.balance if row.balance is not None else document.balance,
        contact_id=row.contact_id or document.contact_id,
        ledger_modified_at=document.ledger_modified_at if draft else row.modified_at,
    )


def _edited(document: Document, row: Invoice) -> bool:
    """A sent invoice's moment changes with every payment: only its total tells of an edit. A draft has none."""
    was_draft = document.status == InvoiceStatus.DRAFT.value
    return row.total != document.total or (was_draft and row.status is InvoiceStatus.DRAFT)


def _told(found: Found, document: Document, row: Invoice, words: str) -> Verdict:
    return Verdict(
        found=found,
        document=document,
        noticed_at=row.modified_at,
        note=Note(
            decision=f"{found.value}_by_hand",
            words=(words,),
            figures={"changed_at": "" if row.modified_at is None else row.modified_at.isoformat()},
        ),
    )


def _edited_words(document: Document, row: Invoice) -> str:
    total = f" (total {document.total} to {row.total})" if row.total != document.total else ""
    return (
        f"Invoice {document.number} was edited in the ledger by hand on {_moment(row.modified_at)}{total}. "
        "It is kept as it is; a change of the order asks first."
    )


def _moved_words(document: Document) -> str:
    return f"Invoice {document.number} was moved to another contact in the ledger by hand. It is kept as it is."


def _moment(moment: datetime | None) -> str:
    return "an unknown day" if moment is None else f"{moment:%Y-%m-%d %H:%M:%S %z}"


# ---- a list instead of a read ---------------------------------------------------------------------------------------


def as_seen(look: Look, known: Known) -> Invoice | None:
    """Give our invoice as a list of changes proves it to be; None: it has to be read.

    Listed, it is as it was left where the ledger dates it exactly as our own last write. Not listed, it has not
    changed since the list's beginning, and before that the watch has judged every change. Whatever was noticed or put
    off is read, and so is a document of which a write of ours is younger than the list.
    """
    document, own = known.document, known.document.ledger_modified_at
    judged = known.noticed_at is None or (own is not None and known.noticed_at <= own)
    if own is None or not document.live or known.put_off or not judged:
        return None
    row = look.rows.get(document.ledger_id)
    if row is not None:
        return row if row.modified_at == own and row.total == document.total else None
    if not look.covered_since <= own <= look.changed_after:
        return None
    return _as_recorded(document)


def _as_recorded(document: Document) -> Invoice | None:
    """Give the invoice of our record, in the words of a list: without its lines."""
    if document.status not in set(InvoiceStatus):
        return None
    return Invoice(
        invoice_id=document.ledger_id,
        number=document.number,
        status=InvoiceStatus(document.status),
        reference=document.reference,
        contact_id=document.contact_id,
        total=document.total,
        currency=document.currency,
        issued_on=document.issued_on,
        balance=document.balance,
        modified_at=document.ledger_modified_at,
        url=document.url,
        emailed=document.emailed,
    )


# ---- how far, and when again ----------------------------------------------------------------------------------------


def advanced(before: datetime, pages: Sequence[Sequence[Invoice]], begun_at: datetime) -> datetime:
    """Give the moment until which all changes are in these pages, read one after another.

    What changes while the pages are read may land on a page that was read already. So only the first page's newest
    moment is certain, and beyond it what lies well before the reading began (``begun_at``, by our own clock).
    """
    first = max(_moments(pages[0]), default=before) if pages else before
    newest = max((m for page in pages for m in _moments(page)), default=before)
    return max(before, first, min(newest, begun_at - CLOCK_TOLERANCE))


def _moments(rows: Sequence[Invoice]) -> list[datetime]:
    return [row.modified_at for row in rows if row.modified_at is not None]


def next_look_seconds(calls: int, share: float, daily_calls: int) -> float:
    """Give the pause after a look of so many calls, so that looks take at most this share of the day's calls."""
    if share <= 0 or daily_calls <= 0:
        return _DAY_SECONDS
    return max(INTERVAL_MIN_SECONDS, max(1, calls) * _DAY_SECONDS / (share * daily_calls))


# ---- a late double --------------------------------------------------------------------------------------------------


def is_late_double(row: Invoice, known: Known, suspicion: Suspicion) -> bool:
    """Tell whether a second live invoice of an order's reference is ours: a request that arrived after its settle time.

    Our own invoice is accounted for by one request. Another one was sent of which it was taken that it never
    arrived, and it asked for exactly this: without that a person's copy could be taken for ours.
    """
    if row.invoice_id == known.document.ledger_id or row.status is InvoiceStatus.VOID:
        return False
    return any(
        creation.resolution in (Resolution.ABSENT, Resolution.SUPERSEDED)
        and is_ours(row, reference=known.document.reference, unique_field=False, intent=_sought(creation))
        for creation in suspicion.creations
    )


def _sought(creation: Creation) -> Sought | None:
    total, contact_id = creation.sought.get("total"), creation.sought.get("contact_id")
    if not total or not contact_id:
        return None
    return Sought(contact_id=contact_id, total=Decimal(total), begun_at=creation.begun_at)


def may_be_deleted(row: Invoice, ours: Invoice | None) -> bool:
    """Tell whether the double is the younger of the two, a draft, and as it was made."""
    if row.status is not InvoiceStatus.DRAFT or row.created_at is None or row.modified_at is None:
        return False
    younger = ours is not None and ours.created_at is not None and ours.created_at <= row.created_at
    return younger and row.modified_at - row.created_at <= UNTOUCHED


def double_note(row: Invoice, document: Document, *, removed: bool) -> Note:
    """Say what was found and done."""
    first = (
        f"The ledger has two invoices of this order: {document.number} and {row.number}, which came of a late request."
    )
    did = (
        f"{row.number} was an untouched draft and was deleted."
        if removed
        else f"{row.number} is left as it is: look at both, and delete one by hand."
    )
    return Note(decision="late_double", words=(first, did), figures={"ledger_id": row.invoice_id})
