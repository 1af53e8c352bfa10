"""A credit note, a payment or a refund of which no answer is known: the ledger is asked what became of it."""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from consumer.domain.comparison import CLOCK_TOLERANCE
from consumer.domain.crediting import read_sums
from consumer.domain.credits import (
    CreditNote,
    CreditNoteStatus,
    FindCreditNotes,
    FindPayments,
    ListCreditRefunds,
    Payment,
    ReadCreditNote,
)
from consumer.domain.deciding.absence import absent
from consumer.domain.deciding.refunding import note_document
from consumer.domain.deciding.situation import Call, Decision, Forget, Restate, Situation, park
from consumer.domain.records import Document, DocumentKind, Intent, Note, Resolution
from consumer.domain.states import Reason, ReasonCode


def _recorded(situation: Situation, kind: DocumentKind) -> set[str]:
    return {d.ledger_id for d in situation.record.documents if d.kind is kind}


def _not_before(moment: datetime | None, intent: Intent) -> bool:
    return moment is None or moment >= intent.begun_at - CLOCK_TOLERANCE


def resolve_credit_note(situation: Situation, intent: Intent) -> Decision:
    """Look for it by its reference, twice; adopt it where customer and total are those that were sent."""
    ask = FindCreditNotes(reference=intent.sought["reference"])
    if ask not in situation.known.answers:
        return Call(operation=ask)
    recorded = _recorded(situation, DocumentKind.CREDIT_NOTE)
    found = [
        note
        for note in situation.known.answers[ask] or ()
        if note.reference == ask.reference
        and note.status is not CreditNoteStatus.VOID
        and note.credit_note_id not in recorded
    ]
    ours = [note for note in found if _is_of_intent(note, intent, by_key=situation.known.key_taken)]
    if len(ours) == 1:
        return _read_whole(situation, intent, ours[0])
    if found:
        links = ", ".join(f"{note.number} {note.url}".strip() for note in found)
        reason = Reason(
            code=ReasonCode.ALREADY_IN_LEDGER,
            message=f"Other credit notes in the ledger have the reference {ask.reference}: {links}",
            fix="Look at them in the ledger: delete or void what is wrong and retry, or ignore the order.",
        )
        return park(reason, resolve=Resolution.SUPERSEDED)
    if situation.known.key_taken:
        reason = Reason(
            code=ReasonCode.ALREADY_IN_LEDGER,
            message=f"The ledger says that the key of {ask.reference} is taken, and shows no such credit note.",
            fix="Look for it in the ledger, among the void too; delete it or free its key, then retry.",
        )
        return park(reason, resolve=Resolution.SUPERSEDED)
    return absent(situation, intent)


def _is_of_intent(note: CreditNote, intent: Intent, *, by_key: bool) -> bool:
    """Tell whether it has the intent's figures; ``by_key``: its key will tell whose it is, however old it is."""
    same = note.total == Decimal(intent.sought["total"]) and note.contact_id == intent.sought["contact_id"]
    return same and (by_key or _not_before(note.created_at, intent))


def _read_whole(situation: Situation, intent: Intent, listed: CreditNote) -> Decision:
    """A list does not show the unique key, nor VAT: read it before it is taken for ours."""
    ask = ReadCreditNote(credit_note_id=listed.credit_note_id)
    if ask not in situation.known.answers:
        return Call(operation=ask)
    note = situation.known.answers[ask]
    key = intent.sought.get("unique_key", "")
    if note is None or (key and note.unique_key not in (None, key)):
        return absent(situation, intent)
    sought = intent.sought
    document = note_document(
        intent.connection_id, note, part=sought["part"], n=int(sought["n"]), settles=sought["settles"]
    )
    document = replace(
        document,
        sums=read_sums(sought["sums"]),
        applied=bool(sought["applied"]),
        content_hash=situation.record.content_hash,
    )
    words = ("No answer had come, but the credit note was made.",)
    return Restate(document=document, note=Note(decision="adopt", words=words), resolve=Resolution.ADOPTED)


def resolve_applied(situation: Situation, intent: Intent) -> Decision:
    """Read the credit note: what is left of it tells whether it was put on the invoice; decided anew from there."""
    ask = ReadCreditNote(credit_note_id=intent.sought["credit_note_id"])
    if ask not in situation.known.answers:
        return Call(operation=ask)
    note: CreditNote | None = situation.known.answers[ask]
    known = next((d for d in situation.record.documents if d.ledger_id == ask.credit_note_id), None)
    if note is None or known is None:
        return Forget(resolve=Resolution.SUPERSEDED, note=Note(decision="gone", words=("The credit note is gone.",)))
    applied = note.balance is not None and known.balance is not None and note.balance < known.balance
    document = replace(known, balance=note.balance, status=note.status.value, applied=applied or known.applied)
    words = "The credit had been put on the invoice." if applied else "The credit was not put on the invoice."
    return Restate(document=document, note=Note(decision="seen", words=(words,)), resolve=Resolution.ADOPTED)


def resolve_paid_out(situation: Situation, intent: Intent) -> Decision:
    """Look through what was paid back of the credit note for our reference."""
    ask = ListCreditRefunds(credit_note_id=intent.sought["credit_note_id"])
    if ask not in situation.known.answers:
        return Call(operation=ask)
    found = [one for one in situation.known.answers[ask] or () if one.reference == intent.sought["reference"]]
    if not found:
        return absent(situation, intent)
    refund = found[0]
    document = Document(
        connection_id=intent.connection_id,
        kind=DocumentKind.REFUND,
        ledger_id=refund.refund_id,
        number="",
        status="refunded",
        live=True,
        reference=refund.reference,
        total=refund.amount,
        currency=situation.record.currency,
        part=intent.sought["part"],
        n=int(intent.sought.get("n", "1")),
        issued_on=refund.refunded_on,
        settles=refund.credit_note_id,
    )
    words = ("No answer had come, but the refund was recorded.",)
    return Restate(document=document, note=Note(decision="adopt", words=words), resolve=Resolution.ADOPTED)


def resolve_payment(situation: Situation, intent: Intent) -> Decision:
    """Look for the payment by its reference, twice; adopt it where customer and amount are those that were sent."""
    ask = FindPayments(reference=intent.sought["reference"])
    if ask not in situation.known.answers:
        return Call(operation=ask)
    recorded = _recorded(situation, DocumentKind.PAYMENT)
    found = [
        one
        for one in situation.known.answers[ask] or ()
        if one.reference == ask.reference
        and one.payment_id not in recorded
        and one.amount == Decimal(intent.sought["total"])
        and one.contact_id == intent.sought["contact_id"]
    ]
    if not found:
        return absent(situation, intent)
    live = situation.record.live_invoice
    document = payment_document(
        intent.connection_id,
        found[0],
        part=intent.sought["part"],
        currency=situation.record.currency,
        settles="" if live is None else live.ledger_id,
    )
    words = ("No answer had come, but the payment was recorded.",)
    return Restate(document=document, note=Note(decision="adopt", words=words), resolve=Resolution.ADOPTED)


def payment_document(connection_id: str, payment: Payment, *, part: str, currency: str, settles: str) -> Document:
    """Make our record of a payment as the ledger has it."""
    return Document(
        connection_id=connection_id,
        kind=DocumentKind.PAYMENT,
        ledger_id=payment.payment_id,
        number=payment.number,
        status="recorded",
        live=True,
        reference=payment.reference,
        total=payment.amount,
        currency=payment.currency or currency,
        part=part,
        issued_on=payment.paid_on,
        contact_id=payment.contact_id,
        ledger_modified_at=payment.modified_at,
        settles=settles,
    )
