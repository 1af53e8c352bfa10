"""What the ledger is to say of an order: its invoice with or without its refunds, and what those refunds are."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from consumer.domain.arithmetic import sums_by_tax
from consumer.domain.crediting import sums_text
from consumer.domain.customer_choice import Known
from consumer.domain.deciding.situation import Decision, Situation, WhoIs, park, unreadable
from consumer.domain.folding import Folding, folded
from consumer.domain.ledger import TaxRounding
from consumer.domain.mapping import Mapped
from consumer.domain.money import minor_digits
from consumer.domain.orders import Refund
from consumer.domain.records import Document, DocumentKind, OrderRecord
from consumer.domain.settings import RefundOnDraft
from consumer.domain.states import Reason


def digits_of(situation: Situation) -> int:
    """Give the decimals that the ledger keeps of the order's currency."""
    code = situation.record.currency
    currencies = () if situation.facts is None else situation.facts.currencies
    known = next((currency.digits for currency in currencies if currency.code == code), None)
    return minor_digits(code) if known is None else known


def rounding_of(situation: Situation) -> TaxRounding:
    """Give how the organisation rounds, as far as it is known."""
    return TaxRounding.UNKNOWN if situation.facts is None else situation.facts.rounding


def day_of(situation: Situation, moment: datetime) -> date:
    """Give the day of a moment where the organisation is; by UTC where its time zone is unknown."""
    name = "UTC" if situation.facts is None else situation.facts.organization.time_zone or "UTC"
    try:
        return moment.astimezone(ZoneInfo(name)).date()
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return moment.astimezone(UTC).date()


def refunds_of(situation: Situation) -> tuple[Refund, ...]:
    """Give all refunds of the order, in the sequence in which they were made."""
    refunds = () if situation.order is None else situation.order.refunds
    return tuple(sorted(refunds, key=lambda one: (one.created_at is None, one.created_at or date.min, one.id)))


def credit_notes(record: OrderRecord, invoice: Document) -> tuple[Document, ...]:
    """Give the credit notes of an invoice that stand."""
    return tuple(
        d for d in record.documents if d.kind is DocumentKind.CREDIT_NOTE and d.live and d.settles == invoice.ledger_id
    )


def contact_wanted(situation: Situation, live: Document, wanted: Mapped) -> str | Decision:
    """Give the contact that the invoice is to be of, or what is to be found out before, or why it cannot be told.

    While customer and addresses are those that it was written from, nobody has to be asked.
    """
    if not live.customer or wanted.customer == live.customer:
        return live.contact_id
    match situation.customer:
        case None:
            return WhoIs()
        case Reason() as reason:
            return park(reason)
        case Known(contact=contact):
            return contact.contact_id
    raise TypeError(f"{situation.customer!r} is no answer to who the customer is")


def meant(situation: Situation, mapped: Mapped) -> dict[str, str]:
    """Give what an intent keeps of an invoice that is about to be written, to know it by if no answer comes."""
    sums = sums_by_tax(mapped.draft, digits_of(situation), rounding_of(situation))
    return {
        "sums": sums_text(sums),
        "customer": mapped.customer,
        "folded": "\n".join(mapped.folded),
        "day_moved": "yes" if mapped.day_moved else "",
        "paid_moment": "" if mapped.paid_moment is None else mapped.paid_moment.isoformat(),
    }


def pending_refunds(situation: Situation, live: Document) -> tuple[Refund, ...]:
    """Give the refunds that neither the invoice itself nor a credit note accounts for."""
    # What was credited on a former invoice of the order is not given back on this one.
    done = {*live.folded, *(note.part for note in credit_notes(situation.record, live))}
    return tuple(one for one in refunds_of(situation) if one.id not in done and one.amount)


def folds_refunds(situation: Situation) -> bool:
    """Tell whether refunds are taken off a draft; without negative lines there is no exact way to."""
    shop, connection = situation.shop, situation.connection
    negative = connection is None or connection.negative_lines
    return shop is not None and shop.refund_on_draft is RefundOnDraft.CORRECT and negative


def wanted_draft(situation: Situation) -> Mapped | Reason:
    """Give what the order's draft is to say: all that was sold, less all that was given back, by setting."""
    return wanted_with(situation, refunds_of(situation) if folds_refunds(situation) else ())


def wanted_sent(situation: Situation, live: Document) -> Mapped | Reason:
    """Give what a sent invoice is to say: as it was sent, only the refunds that it accounts for taken off.

    It keeps its day, though the period is closed by now: only what is yet to be written is moved.
    """
    as_sent = replace(situation, known=replace(situation.known, closed_until=None))
    return wanted_with(as_sent, tuple(one for one in refunds_of(situation) if one.id in live.folded))


def wanted_with(situation: Situation, refunds: tuple[Refund, ...]) -> Mapped | Reason:
    """Give the order as mapped, less these refunds, on a day that is open."""
    mapped = situation.mapped
    if not isinstance(mapped, Mapped):
        return mapped or unreadable(situation.record)
    if refunds and situation.order is not None and situation.shop is not None:
        taken = folded(
            mapped,
            situation.order,
            refunds,
            Folding(
                label=situation.shop.refund_label,
                adjustment_label=situation.shop.rounding_label,
                digits=digits_of(situation),
                rounding=rounding_of(situation),
            ),
        )
        if isinstance(taken, Reason):
            return taken
        mapped = taken
    return _on_an_open_day(situation, mapped)


def _on_an_open_day(situation: Situation, mapped: Mapped) -> Mapped:
    """Move the day out of a closed period, where the shop wants that; a document that was moved stays where it is."""
    live, draft = situation.record.live_invoice, mapped.draft
    day = None
    if live is not None and live.day_moved:
        day = live.issued_on
    elif situation.known.closed_until is not None and draft.issued_on <= situation.known.closed_until:
        day = situation.known.closed_until + timedelta(days=1)
    if day is None or day == draft.issued_on:
        return mapped
    words = f"Its day, {draft.issued_on}, lies in a closed period: dated on the first open day, {day}."
    moved = replace(
        draft,
        issued_on=day,
        due_on=day + (draft.due_on - draft.issued_on),
        notes=f"{draft.notes}\n{words}".strip(),
    )
    return replace(mapped, draft=moved, day_moved=True, notes=(*mapped.notes, words))
