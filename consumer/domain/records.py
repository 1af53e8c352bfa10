"""What is recorded of an order and its documents: what the store gives to a decision, and takes from its outcome."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from consumer.domain.arithmetic import TaxSum
from consumer.domain.exchanges import Exchange
from consumer.domain.ledger import Contact
from consumer.domain.orders import OrderKey, RateFigures
from consumer.domain.standing import Facts
from consumer.domain.states import OrderState, Priority, Reason, Wish


class DocumentKind(StrEnum):
    """What we make in a ledger."""

    INVOICE = "invoice"
    CREDIT_NOTE = "credit_note"
    PAYMENT = "payment"
    REFUND = "refund"


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One thing we made in the ledger for an order, as last seen."""

    connection_id: str
    kind: DocumentKind
    ledger_id: str
    number: str
    status: str
    live: bool
    reference: str
    total: Decimal
    currency: str
    part: str = ""
    n: int = 1
    unique_key: str = ""
    tax_total: Decimal | None = None
    tax_by_rate: tuple[RateFigures, ...] = ()
    issued_on: date | None = None
    url: str = ""
    contact_id: str = ""
    layout: tuple[str, ...] = ()  # how it was laid out, in words
    written_digest: bytes | None = None  # of the draft as it was sent
    content_hash: bytes | None = None  # of the order's revision that it was written from
    agreed: bool = False  # the ledger's answer was compared with the order and agreed to the cent
    ledger_modified_at: datetime | None = None
    balance: Decimal | None = None  # what is open: of an invoice to be paid, of a credit note to be used
    line_ids: tuple[str, ...] = ()  # the ledger's, in the order of the draft's lines
    folded: tuple[str, ...] = ()  # ids of the refunds that the invoice itself accounts for
    paid_moment: datetime | None = None  # the order's, when it was written
    customer: str = ""  # digest of the customer and the addresses that it was written from
    sums: tuple[TaxSum, ...] = ()  # per tax of the ledger, as it was written
    settles: str = ""  # the ledger's id of the invoice that a credit note or payment is for
    applied: bool = False  # nothing more of a credit note is to be put on its invoice
    emailed: bool = False
    day_moved: bool = False  # its day was moved out of a closed period


class Resolution(StrEnum):
    """What came of an intent."""

    DONE = "done"  # the ledger answered that it was done
    REFUSED = "refused"  # the ledger refused for certain
    NEVER_SENT = "never_sent"  # for certain nothing left us
    ADOPTED = "adopted"  # no answer came, but it was found to be done
    ABSENT = "absent"  # no answer came, and two looks found nothing
    SUPERSEDED = "superseded"  # the state of the ledger made the question void


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """One write that was about to be sent. The seconds are measured by the database's clock when it was read.

    ``sought`` tells what to ask for: for an invoice ``reference``, ``unique_key``, ``contact_id``, ``total``; for a
    contact ``name``, ``email``; always as text.
    """

    intent_id: UUID
    connection_id: str
    subject: str
    key: OrderKey
    operation: str
    digest: bytes
    sought: Mapping[str, str]
    epoch: int
    change: int
    begun_at: datetime
    settles_in_seconds: float  # until another may ask; 0 or less: now
    looked_seconds_ago: float | None = None
    doubtful: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRecord:
    """An order as stored, with its documents and the intents that are open for it."""

    key: OrderKey
    connection_id: str | None
    number: str
    content: bytes | None
    content_hash: bytes | None
    facts: Facts
    state: OrderState
    change: int
    priority: Priority
    takes: int
    attempts: int
    currency: str = ""
    grand_total: Decimal | None = None
    version: int | None = None
    reason: Reason | None = None
    reference: str = ""  # as first booked; empty before
    sequence: int = 0
    event_time: datetime | None = None  # of the newest revision
    documents: tuple[Document, ...] = ()
    open_intent: Intent | None = None
    kept_refunds: tuple[bytes, ...] = ()  # as JSON: those that the content does not tell of; all where it is gone
    asked_note: str = ""
    answer: str = ""  # what came of what a person asked last
    due_at: datetime | None = None
    traceparent: str = ""  # of the newest revision's event
    personal_removed: bool = False  # the content is gone for good: by retention, or by an erasure

    @property
    def live_invoice(self) -> Document | None:
        """Give the order's live invoice, of which there is at most one."""
        return next((d for d in self.documents if d.kind is DocumentKind.INVOICE and d.live), None)

    @property
    def next_invoice_n(self) -> int:
        """Give the number of the next invoice: it grows only after the one before is known to be gone."""
        return 1 + max((d.n for d in self.documents if d.kind is DocumentKind.INVOICE), default=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """One decision for the story: a word, the reasons in sentences, and figures; without personal data."""

    decision: str
    words: tuple[str, ...] = ()
    figures: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Conclusion:
    """Where a decision leaves the order. ``due_in_seconds`` None means that there is nothing more to do.

    ``failed`` counts an attempt (of a retry); otherwise the attempts begin anew.
    """

    state: OrderState
    reason: Reason | None = None
    difference: Decimal | None = None
    due_in_seconds: float | None = None
    failed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Announcement:
    """An invoice.synced that may be due: it is written only where ``digest`` differs from the last one's.

    ``render`` gives the message's bytes for the order's next sequence, the event's id and the moment of the commit.
    """

    digest: bytes
    render: Callable[[int, UUID, datetime], bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class IntentEnd:
    """What is now known of an intent; a resolution of None leaves it open and in doubt."""

    intent_id: UUID
    resolution: Resolution | None
    looked: bool = False  # a look found nothing: the moment is noted


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactKnown:
    """A contact that was read or written, and the customer that it stands for (empty: no link)."""

    contact: Contact
    customer_key: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What one step of a booking came to; recorded in one transaction."""

    key: OrderKey
    connection_id: str
    change: int  # the change that was decided upon; a newer one keeps the order due
    intent: IntentEnd | None = None
    slot: int | None = None  # the call's slot, to be counted down from now
    exchange: Exchange | None = None
    document: Document | None = None
    also: Document | None = None  # another one of ours that the same answer has changed
    contact: ContactKnown | None = None
    note: Note | None = None
    conclusion: Conclusion | None = None
    announcement: Announcement | None = None
    reference: str = ""  # fixes the order's reference, where it has none yet
    wish: Wish | None = None  # becomes the order's: its document was deleted as somebody had asked
    answer: str = ""  # ends what a person had asked, with this in answer
