"""Giving back: a credit note for a refund, for a difference or for all.

Each is one document with a key of its own: the refund's id, or a part that begins with ``!`` for what no refund of the
shop stands behind. Credits never exceed what is left of the invoice under each tax.
"""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal

from consumer.domain.arithmetic import TaxSum
from consumer.domain.credit_layout import credit_draft, credited_sums
from consumer.domain.crediting import (
    Given,
    UnclearError,
    all_of,
    check_within,
    given_of_refund,
    rest_of,
    sums_text,
    unclear,
)
from consumer.domain.credits import CreateCreditNote, CreditNote, CreditNoteStatus, FindCreditNotes
from consumer.domain.deciding.credit_use import REFERENCE_CHARACTERS, use_credits
from consumer.domain.deciding.situation import (
    CREDITED,
    Call,
    Decision,
    Restate,
    Situation,
    draft_digest,
    order_subject,
    park,
    unreadable,
)
from consumer.domain.deciding.wanted import credit_notes, day_of, digits_of, rounding_of, wanted_sent
from consumer.domain.ledger import Invoice, InvoiceDraft
from consumer.domain.mapping import Mapped
from consumer.domain.money import ZERO
from consumer.domain.orders import Order, Refund
from consumer.domain.records import Document, DocumentKind, Note, OrderRecord
from consumer.domain.references import unique_key_of
from consumer.domain.states import Reason, ReasonCode
from consumer.domain.texts import cut_with_hash, plain

ALL_PART = "!all-"  # the part of the credit note for all that is left of an invoice, with the invoice's number in line


def credit_refund(situation: Situation, live: Document, now: Invoice, refund: Refund) -> Decision:
    """Credit one refund of a sent invoice."""
    order = situation.order
    if order is None:
        raise ValueError(f"order {situation.record.key} has refunds and no content")
    if not live.sums:
        return park(made_before_sums(live))
    notes = [d.sums for d in credit_notes(situation.record, live)]
    rest = rest_of(live.sums, notes)
    label = "Refund" if situation.shop is None else situation.shop.refund_label
    try:
        given = given_of_refund(order, refund, rest, label=label, digits=digits_of(situation), whole=live.sums)
    except UnclearError as error:
        return park(error.reason)
    beyond = check_within(order, refund.id, given, rest)
    if beyond is not None:
        return park(beyond)
    day = None if refund.created_at is None else day_of(situation, refund.created_at)
    words = f"Refund {refund.id} of {plain(refund.amount)} {order.currency} is credited."
    same_as = _as_written(situation, live) if not notes and refund.amount == live.total else None
    return give_back(situation, live, now, part=refund.id, given=given, words=words, day=day, same_as=same_as)


def credit_rest(situation: Situation, live: Document, now: Invoice, why: str) -> Decision:
    """Credit all that is left of an invoice; where nothing is left it is no live one any more."""
    notes = credit_notes(situation.record, live)
    rest = rest_of(live.sums, [d.sums for d in notes])
    if any(one.gross or one.tax for one in rest):
        same_as = None if notes else _as_written(situation, live)
        part = f"{ALL_PART}{live.n}"
        label = f"Invoice {live.number}"
        given = all_of(rest, label=label)
        return give_back(situation, live, now, part=part, given=given, words=why, same_as=same_as)
    return use_credits(situation, live) or _is_credited(live, why)


def credited_in_full(situation: Situation, live: Document) -> Decision | None:
    """Go on where all of the invoice was credited a moment ago; None where it was not. Nothing is read for it."""
    part = f"{ALL_PART}{live.n}"
    if not any(note.part == part and note.agreed for note in credit_notes(situation.record, live)):
        return None
    return use_credits(situation, live) or _is_credited(live)


def _is_credited(live: Document, *why: str) -> Restate:
    words = f"Invoice {live.number} is credited in full."
    return Restate(
        document=replace(live, status=CREDITED, live=False), note=Note(decision="credited", words=(*why, words))
    )


def _as_written(situation: Situation, live: Document) -> InvoiceDraft | None:
    """Give the draft that the invoice was written from, where the order still gives it."""
    if situation.order is None or not isinstance(situation.mapped, Mapped):
        return None
    wanted = wanted_sent(situation, live)
    if isinstance(wanted, Reason) or draft_digest(wanted) != live.written_digest:
        return None
    return wanted.draft


def give_back(
    situation: Situation,
    live: Document,
    now: Invoice,
    *,
    part: str,
    given: Sequence[Given],
    words: str,
    day: date | None = None,
    same_as: InvoiceDraft | None = None,
) -> Decision:
    """Make the credit note of these sums, unless one of its reference is there already and ours."""
    reference = credit_reference(situation.record, part)
    header = _header(situation, live, now, part=part, reference=reference, day=day)
    draft = credit_draft(header, given, digits=digits_of(situation), rounding=rounding_of(situation), same_as=same_as)
    if draft is None:
        return park(unclear(f"The credit note {reference}", given))
    sums = credited_sums(draft, given, digits_of(situation), rounding_of(situation))
    call = _create(situation, live, now, part=part, draft=draft, sums=sums, words=words)
    if situation.looked_first or situation.known.key_taken:
        return _found(situation, live, call) or call
    return call


def credit_reference(record: OrderRecord, part: str) -> str:
    """Give the reference of an order's credit note: ``order~credit_note~part``, at most 100 characters."""
    return cut_with_hash(f"{record.reference}~credit_note~{part}", REFERENCE_CHARACTERS)


def _header(
    situation: Situation, live: Document, now: Invoice, *, part: str, reference: str, day: date | None
) -> InvoiceDraft:
    order, connection = situation.order, situation.connection
    field = None if connection is None else connection.credit_note_unique_field
    days = [one for one in (day or situation.today, live.issued_on) if one is not None]
    closed = situation.known.closed_until
    issued_on = max(days) if days else date.min
    if closed is not None and issued_on <= closed:
        issued_on = date.fromordinal(closed.toordinal() + 1)
    return InvoiceDraft(
        contact_id=now.contact_id,
        reference=reference,
        issued_on=issued_on,
        due_on=issued_on,
        currency=now.currency,
        currency_id=_currency_id(situation, now.currency),
        lines=(),
        exchange_rate=_exchange_rate(situation, order),
        notes=f"For invoice {live.number}.",
        adjustment_label="Rounding" if situation.shop is None else situation.shop.rounding_label,
        unique_field=field,
        unique_key="" if field is None else _key(situation.record, part),
    )


def _key(record: OrderRecord, part: str) -> str:
    return unique_key_of(record.key, kind=DocumentKind.CREDIT_NOTE.value, part=part, n=next_n(record, part))


def next_n(record: OrderRecord, part: str, kind: DocumentKind = DocumentKind.CREDIT_NOTE) -> int:
    """Give the number of the next document of a part; it grows only after the one before is known to be gone."""
    return 1 + max((d.n for d in record.documents if d.kind is kind and d.part == part), default=0)


def _currency_id(situation: Situation, code: str) -> str:
    currencies = () if situation.facts is None else situation.facts.currencies
    return next((currency.currency_id for currency in currencies if currency.code == code), "")


def _exchange_rate(situation: Situation, order: Order | None) -> Decimal | None:
    base = "" if situation.facts is None else situation.facts.organization.currency
    return None if order is None or order.currency == base else order.exchange_rate


def _create(
    situation: Situation,
    live: Document,
    now: Invoice,
    *,
    part: str,
    draft: InvoiceDraft,
    sums: tuple[TaxSum, ...],
    words: str,
) -> Call:
    total = sum((one.gross for one in sums), ZERO)
    owed = now.balance
    applies = owed is not None and owed >= total > 0
    n = next_n(situation.record, part)
    about = Document(
        connection_id=live.connection_id,
        kind=DocumentKind.CREDIT_NOTE,
        ledger_id="",
        number="",
        status=CreditNoteStatus.OPEN.value,
        live=True,
        reference=draft.reference,
        total=total,
        currency=draft.currency,
        part=part,
        n=n,
        unique_key=draft.unique_key,
        issued_on=draft.issued_on,
        contact_id=draft.contact_id,
        content_hash=situation.record.content_hash,
        sums=sums,
        settles=live.ledger_id,
        # Where nothing is owed there is nothing to put it on: it stays the customer's credit, or is paid out.
        applied=owed is not None and (applies or owed == 0),
    )
    return Call(
        operation=CreateCreditNote(draft=draft, apply_to=live.ledger_id if applies else ""),
        note=Note(decision="credit", words=(words,), figures={"expected_total": str(total), "part": part}),
        subject=order_subject(situation.record),
        sought={
            "reference": draft.reference,
            "unique_key": draft.unique_key,
            "contact_id": draft.contact_id,
            "total": str(total),
            "part": part,
            "n": str(n),
            "settles": live.ledger_id,
            "applied": "yes" if about.applied else "",
            "sums": sums_text(sums),
        },
        about=about,
        more=True,
    )


def _found(situation: Situation, live: Document, call: Call) -> Decision | None:
    """Postgres may have forgotten a credit note: what is there under our reference is ours where its figures are.

    None where there is none; where the unique field has refused, there must be one, and it is not ours.
    """
    about = call.about
    if about is None:
        raise ValueError("a credit note is described before it is made")
    ask = FindCreditNotes(reference=about.reference)
    if ask not in situation.known.answers:
        return Call(operation=ask)
    recorded = {d.ledger_id for d in situation.record.documents}
    found = [
        note
        for note in situation.known.answers[ask] or ()
        if note.reference == about.reference
        and note.status is not CreditNoteStatus.VOID
        and note.credit_note_id not in recorded
    ]
    if not found:
        return park(_not_ours(about.reference, ())) if situation.known.key_taken else None
    note = found[0]
    if len(found) > 1 or note.total != about.total or note.contact_id != live.contact_id:
        return park(_not_ours(about.reference, found))
    adopted = note_document(live.connection_id, note, part=about.part, n=about.n, settles=live.ledger_id)
    # How much of it is on the invoice a list does not tell: what is open is put on it, as far as it is owed.
    document = replace(adopted, sums=about.sums, unique_key=about.unique_key, content_hash=about.content_hash)
    words = ("The credit note was in the ledger already.",)
    return Restate(document=document, note=Note(decision="adopt", words=words))


def note_document(connection_id: str, note: CreditNote, *, part: str, n: int, settles: str) -> Document:
    """Make our record of a credit note as the ledger has it."""
    return Document(
        connection_id=connection_id,
        kind=DocumentKind.CREDIT_NOTE,
        ledger_id=note.credit_note_id,
        number=note.number,
        status=note.status.value,
        live=note.status is not CreditNoteStatus.VOID,
        reference=note.reference,
        total=note.total,
        currency=note.currency,
        part=part,
        n=n,
        unique_key=note.unique_key or "",
        tax_total=note.tax_total,
        tax_by_rate=note.tax_by_rate or (),
        issued_on=note.issued_on,
        url=note.url,
        contact_id=note.contact_id,
        ledger_modified_at=note.modified_at,
        balance=note.balance,
        agreed=True,
        settles=settles,
    )


def _not_ours(reference: str, found: Sequence[CreditNote]) -> Reason:
    links = ", ".join(f"{note.number} {note.url}".strip() for note in found)
    return Reason(
        code=ReasonCode.ALREADY_IN_LEDGER,
        message=f"Other credit notes in the ledger have the reference {reference}: {links}",
        fix="Look at them in the ledger: delete or void what is wrong and retry, or ignore the order.",
    )


def made_before_sums(live: Document) -> Reason:
    """Say that nothing is known of what may be credited under which tax."""
    return Reason(
        code=ReasonCode.REFUND_UNCLEAR,
        message=f"How invoice {live.number} is made up of taxes is not known: it was adopted as it stood.",
        fix=f"Make the credit note by hand and ignore the order: {live.url}".strip(),
    )


def told_otherwise(situation: Situation, live: Document) -> Reason | None:
    """Say that a refund which was credited is of another amount by now; its credit note is not changed for it.

    Where the content is gone that could say how, a refund that is not accounted for needs a person as well.
    """
    if _refunded_without_content(situation, live):
        return unreadable(situation.record)
    notes = {note.part: note for note in credit_notes(situation.record, live)}
    refunds = () if situation.order is None else situation.order.refunds
    for refund in refunds:
        note = notes.get(refund.id)
        if note is not None and note.agreed and note.total != refund.amount:
            return Reason(
                code=ReasonCode.REFUND_UNCLEAR,
                message=(
                    f"Refund {refund.id} was credited with {plain(note.total)} {note.currency} (credit note "
                    f"{note.number}); the shop now says {plain(refund.amount)}."
                ),
                fix=f"Send the difference as a refund of its own, or correct the credit note and release. {note.url}",
            )
    return None


def _refunded_without_content(situation: Situation, live: Document) -> bool:
    """Tell whether there is a refund to be accounted for, and the content that says how is gone.

    Silence would keep the money: nothing else of a booked order without content is to be done.
    """
    record = situation.record
    if not record.personal_removed or situation.order is not None:
        return False
    done = {*live.folded, *(note.part for note in credit_notes(record, live))}
    return any(str(json.loads(refund).get("id", "")) not in done for refund in record.kept_refunds)
