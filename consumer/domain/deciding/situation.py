"""What a decision looks at, and what it may say: the types that the parts of the decision share."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Any, Final

from consumer.domain.customer_choice import Known
from consumer.domain.ledger import CreateInvoice, Invoice, InvoiceStatus, LedgerFacts, Operation
from consumer.domain.mapping import Mapped
from consumer.domain.orders import Order
from consumer.domain.records import Conclusion, Document, Note, OrderRecord, Resolution
from consumer.domain.settings import ConnectionSettings, ShopSettings
from consumer.domain.states import OrderState, Reason, ReasonCode, Wish

DELETED_FOR_DIFFERENCE = "deleted_for_difference"  # a document's status: taken back because of its figures
DELETED_BY_HAND = "deleted_by_hand"  # a document's status: somebody deleted it in the ledger
DELETED_ON_PURPOSE = "deleted"  # a document's status: as its order or a person asked
VOIDED_BY_HAND = "voided_by_hand"  # a document's status: somebody made it void in the ledger
CREDITED = "credited"  # an invoice's status: all of it was given back by credit notes
BY_HAND: Final = frozenset({DELETED_BY_HAND, VOIDED_BY_HAND})
TAKES_MAX = 3  # an order that was in hand at three ends of a process is not taken a fourth time


@dataclass(frozen=True, slots=True, kw_only=True)
class Observations:
    """What this booking has read so far. An invoice that was found gone is None; one not looked at is absent."""

    invoices: Mapping[str, Invoice | None] = field(default_factory=dict)
    by_reference: tuple[Invoice, ...] | None = None
    key_taken: bool = False  # the unique field refused: a document of ours must be there
    answers: Mapping[Hashable, Any] = field(default_factory=dict)  # to the other reads, by the operation that asked
    closed_until: date | None = None  # the ledger refused a day of a closed period, which ends with this one

    def with_invoice(self, invoice_id: str, invoice: Invoice | None) -> "Observations":
        """Add an invoice that was read whole, or found gone."""
        return replace(self, invoices={**self.invoices, invoice_id: invoice})

    def with_answer(self, operation: Operation, result: Any) -> "Observations":
        """Add what another read has given; None where the thing asked for is gone."""
        return replace(self, answers={**self.answers, operation: result})


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """All that a decision looks at.

    ``mapped`` and ``customer`` are None until somebody needed them; ``seen`` is what a look first found under the
    order's reference. ``mapped`` is the order as it stands, without its refunds. ``order`` is None where only a bare
    message is known, ``facts`` where nothing needed the ledger's facts yet. ``today`` is the day by the organisation.
    """

    record: OrderRecord
    shop: ShopSettings | None
    connection: ConnectionSettings | None
    mapped: Mapped | Reason | None = None
    customer: Known | Reason | None = None
    seen: tuple[Invoice, ...] = ()
    known: Observations = field(default_factory=Observations)
    order: Order | None = None
    facts: LedgerFacts | None = None
    today: date | None = None
    looked_first: bool = False  # documents may be in the ledger that Postgres has forgotten

    @property
    def has_unique_field(self) -> bool:
        """Tell whether the ledger itself refuses a second document of the same key."""
        return self.connection is not None and self.connection.unique_field is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rest:
    """Nothing to call now: where the order stands. ``resolve`` ends the open intent in the same transaction."""

    conclusion: Conclusion
    note: Note | None = None
    resolve: Resolution | None = None
    looked: bool = False
    wish: Wish | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call to make. For a write ``subject`` is what it writes for, ``sought`` how to find it again.

    ``mapped`` is what an invoice is written from. ``about`` is our record of the document that it changes or that it
    makes, as far as it is known before the answer. ``more``: something is left to do after it.
    """

    operation: Operation
    note: Note | None = None
    subject: str = ""
    sought: Mapping[str, str] = field(default_factory=dict)
    mapped: Mapped | None = None
    about: Document | None = None
    more: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class WhoIs:
    """The order's customer is needed: find or make the contact, then decide again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Adopt:
    """A document of this order was read in the ledger: record it as it is, then decide again."""

    invoice: Invoice
    note: Note
    resolve: Resolution | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Forget:
    """The open intent came to nothing, or the question has lost its sense: end it, then decide again."""

    resolve: Resolution
    note: Note


@dataclass(frozen=True, slots=True, kw_only=True)
class Gone:
    """A document of ours is no longer in the ledger: note it under this status, then decide again."""

    invoice_id: str
    status: str
    note: Note
    resolve: Resolution | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Restate:
    """One of our documents is to be known otherwise from now on: record it, then decide again."""

    document: Document
    note: Note
    resolve: Resolution | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a person asked is refused: tell them why, then decide as if it had not been asked."""

    note: Note


Decision = Rest | Call | WhoIs | Adopt | Forget | Gone | Restate | Answer


def draft_digest(mapped: Mapped) -> bytes:
    """Give the hash of what a draft says; whose contact it is and under which key it is sent do not count.

    Neither does the number, which a document keeps, nor the day where it is that of the booking: mapped again
    tomorrow, the same order must give the same hash.
    """
    draft = replace(mapped.draft, contact_id="", unique_key="", reference="", number="")
    if mapped.day_is_kept:
        draft = replace(draft, issued_on=date.min, due_on=date.min + (draft.due_on - draft.issued_on))
    return CreateInvoice(draft=draft).digest()


def order_subject(record: OrderRecord) -> str:
    """Name the subject of an order's intents."""
    return f"order:{record.key}"


def stands(invoice: Invoice) -> bool:
    """Tell whether an invoice found in the ledger counts as one."""
    return invoice.status is not InvoiceStatus.VOID


def recorded(record: OrderRecord, invoice: Invoice) -> bool:
    """Tell whether an invoice of the ledger is among the order's documents already."""
    return any(document.ledger_id == invoice.invoice_id for document in record.documents)


def park(reason: Reason, *, resolve: Resolution | None = None, difference: Decimal | None = None) -> Rest:
    """Refuse, with the reason; nothing else waits for this order."""
    return Rest(
        conclusion=Conclusion(state=OrderState.PARKED, reason=reason, difference=difference),
        note=Note(decision="park", words=(reason.message, reason.fix), figures={"reason": reason.code.value}),
        resolve=resolve,
    )


def unreadable(record: OrderRecord | None = None) -> Reason:
    """Say that the stored order cannot be read, or that it is no longer stored."""
    if record is not None and record.personal_removed:
        return Reason(
            code=ReasonCode.PERSONAL_DATA_REMOVED,
            message="The order's content was removed with its personal data; its figures and documents are kept.",
            fix="Send the whole order again as order.updated with a newer revision, or do it by hand and release it.",
        )
    return Reason(
        code=ReasonCode.ORDER_UNREADABLE,
        message="The order's content is missing or cannot be read.",
        fix="Send the whole order again as order.updated, with a newer revision.",
    )
