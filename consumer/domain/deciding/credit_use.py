"""What is done with a credit note: put on its invoice as far as that is owed, and what is left of it paid out."""

from dataclasses import replace
from datetime import date

from consumer.domain.credits import ApplyCredit, RefundCredit
from consumer.domain.deciding.situation import Call, Decision, Restate, Situation, order_subject
from consumer.domain.deciding.wanted import credit_notes
from consumer.domain.ledger import ReadInvoice
from consumer.domain.money import ZERO
from consumer.domain.records import Document, DocumentKind, Note
from consumer.domain.texts import cut_with_hash, plain

REFERENCE_CHARACTERS = 100
OWN_PART = "!"  # parts that begin so are credits that no refund of the shop stands behind


def use_credits(situation: Situation, live: Document) -> Decision | None:
    """Put open credits on the invoice as far as it is owed; then pay out the rest, where the shop names an account."""
    for note in credit_notes(situation.record, live):
        if not note.balance:
            continue
        step = _pay_out(situation, note) if note.applied else _apply(situation, live, note)
        if step is not None:
            return step
    return None


def _apply(situation: Situation, live: Document, note: Document) -> Decision:
    if live.ledger_id not in situation.known.invoices:
        return Call(operation=ReadInvoice(invoice_id=live.ledger_id))
    now = situation.known.invoices[live.ledger_id]
    amount = min(note.balance or ZERO, ZERO if now is None else now.balance or ZERO)
    if amount <= 0:
        words = f"Invoice {live.number} is not owed: credit note {note.number} stays the customer's credit."
        return Restate(document=replace(note, applied=True), note=Note(decision="credit_open", words=(words,)))
    operation = ApplyCredit(credit_note_id=note.ledger_id, invoice_id=live.ledger_id, amount=amount)
    words = f"{plain(amount)} {note.currency} of credit note {note.number} are put on invoice {live.number}."
    return Call(
        operation=operation,
        note=Note(decision="apply_credit", words=(words,)),
        subject=order_subject(situation.record),
        sought={"credit_note_id": note.ledger_id, "part": note.part, "n": str(note.n)},
        about=replace(note, applied=True, balance=(note.balance or ZERO) - amount),
        more=True,
    )


def _pay_out(situation: Situation, note: Document) -> Call | None:
    """Record the refund of what is left of a credit note; None where the shop names no account for it."""
    shop = situation.shop
    done = any(d.kind is DocumentKind.REFUND and d.settles == note.ledger_id for d in situation.record.documents)
    if shop is None or not shop.refund_account_id or done or not _was_given_back(situation, note):
        return None
    amount = note.balance or ZERO
    reference = cut_with_hash(f"{situation.record.reference}~refund~{note.part}", REFERENCE_CHARACTERS)
    day = note.issued_on or situation.today or date.min
    about = Document(
        connection_id=note.connection_id,
        kind=DocumentKind.REFUND,
        ledger_id="",
        number="",
        status="refunded",
        live=True,
        reference=reference,
        total=amount,
        currency=note.currency,
        part=note.part,
        n=note.n,
        issued_on=day,
        contact_id=note.contact_id,
        settles=note.ledger_id,
    )
    return Call(
        operation=RefundCredit(
            credit_note_id=note.ledger_id,
            amount=amount,
            refunded_on=day,
            reference=reference,
            account_id=shop.refund_account_id,
            mode=shop.refund_mode,
        ),
        note=Note(decision="refund_credit", words=(f"{plain(amount)} {note.currency} are recorded as paid back.",)),
        subject=order_subject(situation.record),
        sought={
            "credit_note_id": note.ledger_id,
            "reference": reference,
            "total": str(amount),
            "part": note.part,
            "n": str(note.n),
        },
        about=about,
        more=True,
    )


def _was_given_back(situation: Situation, note: Document) -> bool:
    """Tell whether the money went back: a refund was told, or the sale is none any more.

    The credit of an order that only changed stays the customer's: nobody has paid anything back for that.
    """
    taken_back = situation.order is not None and situation.order.payment_taken_back
    return not note.part.startswith(OWN_PART) or situation.record.facts.cancelled or taken_back
