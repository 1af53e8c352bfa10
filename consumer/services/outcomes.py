"""What a write's answer makes of an order: pure judges that turn it into the outcome to record."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from consumer.domain.arithmetic import sums_by_tax
from consumer.domain.comparison import compare, same_document
from consumer.domain.crediting import read_sums
from consumer.domain.credits import CreateCreditNote, EmailInvoice, MarkSent
from consumer.domain.deciding.situation import DELETED_FOR_DIFFERENCE, Call, draft_digest
from consumer.domain.ledger import (
    CreateInvoice,
    DeleteInvoice,
    Invoice,
    InvoiceStatus,
    Operation,
    UpdateInvoice,
    VoidInvoice,
)
from consumer.domain.mapping import Mapped
from consumer.domain.money import ZERO, minor_digits
from consumer.domain.records import (
    Announcement,
    Conclusion,
    Document,
    DocumentKind,
    IntentEnd,
    Note,
    OrderRecord,
    Outcome,
    Resolution,
)
from consumer.domain.states import OrderState
from consumer.domain.withholding import without_persons
from consumer.errors import KeyTakenError, LedgerError, NotSentError, RefusedError, ThrottledError, UncertainError
from consumer.services.calling import Sent
from consumer.services.money_outcomes import money_after, sent_out
from consumer.services.retrying import after_error

SOMEBODY = "?"  # in place of the digest of a customer who is not known: no digest is equal to it
# What a write did to the order's documents, in the words of invoice.synced.
DONE = {
    "create_invoice": "created",
    "update_invoice": "updated",
    "void_invoice": "voided",
    "delete_invoice": "deleted",
    "create_credit_note": "credited",
    "record_payment": "paid",
}

Announce = Callable[[OrderRecord, Conclusion, str], Announcement | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Judging:
    """What every judge needs besides the answer."""

    record: OrderRecord
    connection_id: str
    settle_seconds: float
    jitter: Callable[[], float]
    announce: Announce


def intent_end(sent: Sent) -> IntentEnd:
    """Say what is known of the intent: done, refused, never sent, or still in doubt (None)."""
    if sent.error is None:
        resolution: Resolution | None = Resolution.DONE
    elif isinstance(sent.error, UncertainError):
        resolution = None
    elif isinstance(sent.error, RefusedError):
        resolution = Resolution.REFUSED
    elif isinstance(sent.error, NotSentError | ThrottledError):
        resolution = Resolution.NEVER_SENT
    else:
        # A connection that is stopped refused for certain (401, 403): nothing was written.
        resolution = Resolution.REFUSED
    return IntentEnd(intent_id=sent.intent_id, resolution=resolution)


def withhold_persons(error: LedgerError, record: OrderRecord) -> None:
    """Take the persons out of what the ledger said: reasons go to the shop, to decisions and into the log."""
    error.args = (without_persons(str(error), record.content), *error.args[1:])


def is_there(operation: Operation, error: LedgerError | None) -> bool:
    """Tell whether the ledger refused to make a document because one of its key is there already: then it is ours."""
    return isinstance(error, KeyTakenError) and isinstance(operation, CreateInvoice | CreateCreditNote)


def judge_error(
    judging: Judging, sent: Sent, error: LedgerError, *, keep_due: bool = False, in_doubt: bool = False
) -> Outcome:
    """Make the outcome of a write that did not succeed; with ``keep_due`` the order is decided anew at once.

    ``in_doubt``: the refusal says that a document of ours is there (its key is taken). Until it is found the intent
    stays open, so that an order which is cancelled meanwhile, or a process that ends, does not forget the document.
    """
    withhold_persons(error, judging.record)
    conclusion = after_error(
        error,
        attempts=judging.record.attempts,
        settle_seconds=judging.settle_seconds,
        jitter=judging.jitter,
    )
    return Outcome(
        key=judging.record.key,
        connection_id=judging.connection_id,
        change=judging.record.change,
        intent=IntentEnd(intent_id=sent.intent_id, resolution=None) if in_doubt else intent_end(sent),
        slot=sent.slot,
        exchange=error.exchange,
        note=Note(decision=type(error).__name__, words=(str(error),)),
        conclusion=None if keep_due else conclusion,
        announcement=None if keep_due else judging.announce(judging.record, conclusion, "parked"),
    )


def judge_write(judging: Judging, call: Call, sent: Sent) -> Outcome:
    """Make the outcome of a successful write: the document, and booked where all agrees and nothing is left to do."""
    if sent.answer is None:
        raise ValueError("an answer is needed")
    operation = call.operation
    also: Document | None = None
    if call.about is not None:
        document, also, note = money_after(judging.record, operation, call.about, sent.answer.result)
    else:
        document, note = _document_after(judging, call, sent.answer.result)
    record = with_document(judging.record, document)
    conclusion = None if call.more else _conclusion_after(operation, document)
    return Outcome(
        key=record.key,
        connection_id=judging.connection_id,
        change=record.change,
        intent=intent_end(sent),
        slot=sent.slot,
        exchange=sent.answer.exchange,
        document=document,
        also=also,
        note=note,
        conclusion=conclusion,
        announcement=(
            judging.announce(record, conclusion, DONE.get(operation.name, "")) if conclusion is not None else None
        ),
        reference=document.reference if document.kind is DocumentKind.INVOICE else "",
    )


def _conclusion_after(operation: Operation, document: Document) -> Conclusion | None:
    if isinstance(operation, CreateInvoice | UpdateInvoice) and document.agreed:
        return Conclusion(state=OrderState.BOOKED)
    return None  # decided anew: the order stays due


def _document_after(judging: Judging, call: Call, invoice: Invoice | None) -> tuple[Document, Note]:
    operation, mapped = call.operation, call.mapped
    match operation:
        case CreateInvoice() if mapped is not None and invoice is not None:
            return _made(judging, mapped, invoice, judging.record.next_invoice_n)
        case UpdateInvoice() if mapped is not None and invoice is not None:
            live = live_document(judging.record)
            document, note = _made(judging, mapped, invoice, live.n)
            return replace(document, unique_key=live.unique_key), note
        case VoidInvoice():
            gone = replace(live_document(judging.record), status=InvoiceStatus.VOID.value, live=False)
            return gone, Note(decision="voided", words=(f"Invoice {gone.number} is void.",))
        case DeleteInvoice():
            status = call.sought.get("status", DELETED_FOR_DIFFERENCE)
            gone = replace(live_document(judging.record), status=status, live=False)
            return gone, Note(decision="deleted", words=(f"Invoice {gone.number} is gone.",))
        case MarkSent() | EmailInvoice():
            return sent_out(live_document(judging.record), operation)
        case _:
            raise TypeError(f"{operation.name} has no judge")


def _made(judging: Judging, mapped: Mapped, invoice: Invoice, n: int) -> tuple[Document, Note]:
    agreement = compare(mapped.expected, invoice)
    document = document_of(
        invoice,
        connection_id=judging.connection_id,
        n=n,
        agreed=agreement.equal,
        content_hash=judging.record.content_hash,
        written_digest=draft_digest(mapped),
        layout=mapped.words,
        unique_key=mapped.draft.unique_key,
    )
    document = _with_content(document, mapped, invoice)
    figures = {"expected_total": str(mapped.expected.total), "ledger_total": str(invoice.total)}
    return document, Note(decision="compared", words=agreement.words, figures=figures)


def live_document(record: OrderRecord) -> Document:
    """Give the live invoice of an order that is known to have one."""
    live = record.live_invoice
    if live is None:
        raise ValueError(f"order {record.key} has no live invoice")
    return live


def document_of(
    invoice: Invoice,
    *,
    connection_id: str,
    n: int,
    agreed: bool,
    content_hash: bytes | None,
    written_digest: bytes | None,
    layout: tuple[str, ...] = (),
    unique_key: str = "",
) -> Document:
    """Make our record of an invoice as the ledger answered it."""
    return Document(
        connection_id=connection_id,
        kind=DocumentKind.INVOICE,
        ledger_id=invoice.invoice_id,
        number=invoice.number,
        status=invoice.status.value,
        live=invoice.status is not InvoiceStatus.VOID,
        reference=invoice.reference,
        total=invoice.total,
        currency=invoice.currency,
        n=n,
        unique_key=unique_key,
        tax_total=invoice.tax_total,
        tax_by_rate=invoice.tax_by_rate or (),
        issued_on=invoice.issued_on,
        url=invoice.url,
        contact_id=invoice.contact_id,
        layout=layout,
        written_digest=written_digest,
        content_hash=content_hash,
        agreed=agreed,
        ledger_modified_at=invoice.modified_at,
        balance=invoice.balance,
        line_ids=tuple(line.line_id for line in invoice.lines or ()),
        emailed=bool(invoice.emailed),
    )


def adopted(record: OrderRecord, connection_id: str, invoice: Invoice, mapped: Mapped | None) -> Document:
    """Record a document that was read in the ledger: from a lost answer, from before a restore, or as it is now."""
    known = next((d for d in record.documents if d.ledger_id == invoice.invoice_id), None)
    sought: Mapping[str, str] = {} if record.open_intent is None else record.open_intent.sought
    if known is not None:
        return _seen_again(known, invoice, sought, mapped)
    proved, written = _adopted_as(sought, invoice, mapped)
    document = document_of(
        invoice,
        connection_id=connection_id,
        n=int(sought.get("n", record.next_invoice_n)),
        agreed=proved,
        content_hash=bytes.fromhex(sought["content_hash"]) if "content_hash" in sought else record.content_hash,
        written_digest=written,
        layout=() if mapped is None else mapped.words,
        # Sent again with every update: without it an update would take the ledger's own guard away.
        unique_key=sought.get("unique_key") or invoice.unique_key or "",
    )
    if mapped is not None and proved:
        # Whose it is does not show in what a draft says: the order may have got another customer since.
        customer = sought.get("customer", mapped.customer)
        return replace(_with_content(document, mapped, invoice), customer=customer)
    return _as_meant(document, sought, None, invoice)


def is_forgotten(record: OrderRecord, invoice: Invoice, sold: Mapped | None) -> bool:
    """Tell whether an invoice under the key of the open intent was made before it, and its record lost in a restore.

    It comes to all that was sold then, and not to what the intent was to make; a refund that is known by now was
    credited beside it, or will be.
    """
    intent = record.open_intent
    if intent is None or intent.operation != "create_invoice" or sold is None:
        return False
    meant = {intent.sought.get("total"), intent.sought.get("total_otherwise")}
    return invoice.total == sold.expected.total and all(Decimal(one) != invoice.total for one in meant if one)


def _adopted_as(sought: Mapping[str, str], invoice: Invoice, mapped: Mapped | None) -> tuple[bool, bytes | None]:
    """Tell whether it is proved to agree, and as what it was written; None where that is not known any more.

    The total alone proves nothing: VAT has to be right per rate. Where the order has changed since, its figures
    are not at hand, and what is there is written anew.
    """
    if mapped is None:
        return False, None
    digest, agrees = draft_digest(mapped), compare(mapped.expected, invoice).equal
    if "digest" in sought:
        same = sought["digest"] == digest.hex()
        return (agrees, digest) if same else (False, None)
    return agrees, digest if agrees else None


def _seen_again(known: Document, invoice: Invoice, sought: Mapping[str, str], mapped: Mapped | None) -> Document:
    """Note a document of ours as it stands now; what an update without an answer did to it is told from its content."""
    base = document_of(
        invoice,
        connection_id=known.connection_id,
        n=known.n,
        agreed=known.agreed,
        content_hash=known.content_hash,
        written_digest=known.written_digest,
        layout=known.layout,
        unique_key=known.unique_key,
    )
    base = replace(base, emailed=known.emailed or base.emailed)
    as_known, base = _as_meant(base, {}, known, invoice), _as_meant(base, sought, known, invoice)
    # As we last saw it: where our write has not arrived, whatever changed the document since was somebody else.
    not_ours = replace(base, ledger_modified_at=known.ledger_modified_at)
    if "digest" not in sought:
        return base if base.status != known.status else not_ours
    if mapped is None or draft_digest(mapped).hex() != sought["digest"]:
        # The order has changed again: what is there now is not known, so that it is written anew. Of an edit only a
        # total that was never meant tells.
        meant = invoice.total == Decimal(sought.get("total", invoice.total))
        return replace(base if meant else not_ours, agreed=False, written_digest=None)
    if not same_document(replace(mapped.draft, contact_id=sought.get("contact_id", invoice.contact_id)), invoice):
        # It never arrived. Of a change of words or of the day alone no figure tells that.
        return replace(as_known, ledger_modified_at=known.ledger_modified_at)
    return replace(
        _with_content(base, mapped, invoice),
        customer=base.customer,
        agreed=compare(mapped.expected, invoice).equal,
        content_hash=bytes.fromhex(sought["content_hash"]),
        written_digest=draft_digest(mapped),
        layout=mapped.words,
    )


def _as_meant(document: Document, sought: Mapping[str, str], known: Document | None, invoice: Invoice) -> Document:
    """Note what an invoice is made up of: what was about to be written, or what was known, if it comes to its total.

    Whether a lost write arrived is told by that, and by whose contact it is now: a change of the customer alone leaves
    every figure as it was. Where neither fits nothing may be credited without a person.
    """
    sums = read_sums(sought.get("sums", ""))
    arrived = sought.get("contact_id", invoice.contact_id) == invoice.contact_id
    if arrived and sums and sum((one.gross for one in sums), ZERO) == invoice.total:
        paid = sought.get("paid_moment", "")
        return replace(
            document,
            sums=sums,
            customer=sought.get("customer", ""),
            folded=tuple(filter(None, sought.get("folded", "").split("\n"))),
            day_moved=bool(sought.get("day_moved", "")),
            paid_moment=datetime.fromisoformat(paid) if paid else None,
        )
    if known is None:
        # Ours, of another revision than was asked for last: whose it is its contact tells, or is found out before the
        # next write. Left empty it would be taken for whoever's the order is by now.
        meant = sought.get("customer", "")
        return replace(document, customer=meant if arrived or not meant else SOMEBODY)
    fits = sum((one.gross for one in known.sums), ZERO) == invoice.total
    return replace(
        document,
        sums=known.sums if fits else (),
        customer=known.customer,
        folded=known.folded,
        day_moved=known.day_moved,
        paid_moment=known.paid_moment,
    )


def _with_content(document: Document, mapped: Mapped, invoice: Invoice) -> Document:
    """Note what the draft, which the ledger is proved to have, is made up of."""
    return replace(
        document,
        customer=mapped.customer,
        paid_moment=mapped.paid_moment,
        folded=mapped.folded,
        day_moved=mapped.day_moved,
        sums=sums_by_tax(mapped.draft, minor_digits(mapped.draft.currency), invoice.rounding),
    )


def with_document(record: OrderRecord, document: Document) -> OrderRecord:
    """Give the record as it will be once this document is stored."""
    others = tuple(d for d in record.documents if (d.kind, d.part, d.n) != (document.kind, document.part, document.n))
    return replace(record, documents=(*others, document), reference=record.reference or document.reference)


def joined(decided: Note | None, came: Note | None) -> Note | None:
    """Tell in one note why a write was made and what came of it."""
    if decided is None or came is None:
        return decided or came
    return Note(
        decision=decided.decision,
        words=decided.words + came.words,
        figures={**decided.figures, **came.figures},
    )
