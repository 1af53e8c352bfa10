"""An order without a live invoice: look for one that is there already, find the customer, make the draft."""

from dataclasses import replace
from decimal import Decimal

from consumer.domain.comparison import Sought, is_ours
from consumer.domain.customer_choice import Known
from consumer.domain.deciding.probing import PROBES_MAX, explained_by_rounding, total_otherwise, tried
from consumer.domain.deciding.settling import leaves_more
from consumer.domain.deciding.situation import (
    BY_HAND,
    DELETED_BY_HAND,
    DELETED_FOR_DIFFERENCE,
    Adopt,
    Call,
    Decision,
    Rest,
    Situation,
    WhoIs,
    draft_digest,
    order_subject,
    park,
    recorded,
    stands,
)
from consumer.domain.deciding.wanted import meant, refunds_of, wanted_draft, wanted_with
from consumer.domain.ledger import CreateInvoice, FindInvoices, Invoice, ReadInvoice
from consumer.domain.mapping import Mapped
from consumer.domain.money import ZERO
from consumer.domain.records import Conclusion, Document, DocumentKind, Note
from consumer.domain.settings import DeletedInLedger
from consumer.domain.states import OrderState, Reason, ReasonCode
from consumer.domain.texts import plain


def decide_new(situation: Situation) -> Decision:
    """Decide for an order that has no live invoice, and may have one."""
    left = _taken_away_by_hand(situation) or _not_paid(situation)
    if left is not None:
        return left
    mapped = wanted_draft(situation)
    if not isinstance(mapped, Mapped):
        return park(mapped)
    if mapped.expected.total == 0 and any(refund.amount for refund in refunds_of(situation)):
        return _look_at_found(situation, mapped) or _all_given_back()
    refused = _refused_before(situation, mapped)
    if refused is not None:
        return park(refused, difference=_difference_before(situation, mapped))
    return _look_at_found(situation, mapped) or _with_customer(situation, mapped)


def _with_customer(situation: Situation, mapped: Mapped) -> Decision:
    match situation.customer:
        case None:
            return WhoIs()
        case Reason() as reason:
            return park(reason)
        case Known(contact=contact):
            return _create(situation, mapped, contact.contact_id)
    raise TypeError(f"{situation.customer!r} is no answer to who the customer is")


def _taken_away_by_hand(situation: Situation) -> Decision | None:
    """What somebody deleted or made void in the ledger is not made again, unless a person or the setting says so.

    While the order is as it was then it only says so; a change of the order since asks a person.
    """
    record, shop = situation.record, situation.shop
    invoices = [d for d in record.documents if d.kind is DocumentKind.INVOICE]
    last = max(invoices, key=lambda d: d.n, default=None)
    if last is None or last.status not in BY_HAND or record.facts.released:
        return None
    if shop is not None and shop.deleted_in_ledger is DeletedInLedger.MAKE_AGAIN:
        return None
    done = "deleted" if last.status == DELETED_BY_HAND else "made void"
    reason = Reason(
        code=ReasonCode.GONE_FROM_LEDGER,
        message=f"Invoice {last.number} was {done} in the ledger by hand; none is made in its place.",
        fix="If there should be one again: booked order generate.",
    )
    if last.content_hash != record.content_hash:
        return park(reason)
    conclusion = Conclusion(state=OrderState.WITHDRAWN, reason=reason)
    return Rest(conclusion=conclusion, note=Note(decision="gone", words=(reason.message,)))


def _not_paid(situation: Situation) -> Decision | None:
    """Its payment was taken back before it was booked: it waits to be paid again, unless a person lets it through."""
    taken_back = situation.order is not None and situation.order.payment_taken_back
    if not taken_back or situation.record.facts.released:
        return None
    reason = Reason(code=ReasonCode.NOT_PAID, message="The order's payment was taken back before it was booked.")
    conclusion = Conclusion(state=OrderState.WAITING, reason=reason)
    return Rest(conclusion=conclusion, note=Note(decision="not_paid", words=(reason.message,)))


def _all_given_back() -> Rest:
    reason = Reason(
        code=ReasonCode.REFUNDED, message="All of the order was given back before it had an invoice: there is none."
    )
    conclusion = Conclusion(state=OrderState.WITHDRAWN, reason=reason)
    return Rest(conclusion=conclusion, note=Note(decision="refunded", words=(reason.message,)))


def _refused_before(situation: Situation, mapped: Mapped) -> Reason | None:
    """A document that was taken back because of its figures is not made again unless the draft is another one."""
    before = _taken_back(situation, mapped)
    if before is None:
        return None
    return Reason(
        code=ReasonCode.DIFFERENCE,
        message=(
            f"The shop's total is {mapped.expected.total}, the ledger's was {before.total} {before.currency}. "
            f"{_vat_differences(mapped, before)}The document was taken back."
        ),
        fix="Compare the order's lines with its total, or the ledger's rounding of VAT with the shop's; then retry.",
    )


def _vat_differences(mapped: Mapped, before: Document) -> str:
    """Say where VAT differed: the totals may be equal all the same."""
    ours = {row.rate: row.tax for row in mapped.expected.tax_by_rate}
    theirs = {row.rate: row.tax for row in before.tax_by_rate}
    pairs = {rate: (ours.get(rate, ZERO), theirs.get(rate, ZERO)) for rate in sorted({*ours, *theirs})}
    told = [
        f"VAT at {plain(rate)} %: shop {plain(shop)}, ledger {plain(ledger)}. "
        for rate, (shop, ledger) in pairs.items()
        if shop != ledger
    ]
    return "".join(told) if theirs else ""


def _taken_back(situation: Situation, mapped: Mapped) -> Document | None:
    """Find the same draft taken back before; one that only the setting of that moment explains is no obstacle.

    So often only: a ledger that goes on answering otherwise is not to be asked for ever.
    """
    digest = draft_digest(mapped)
    if tried(situation.record, mapped) < PROBES_MAX:
        explained = {d.n for d in situation.record.documents if explained_by_rounding(mapped, d)}
    else:
        explained = set()
    return next(
        (
            document
            for document in situation.record.documents
            if document.status == DELETED_FOR_DIFFERENCE
            and document.written_digest == digest
            and document.n not in explained
        ),
        None,
    )


def _difference_before(situation: Situation, mapped: Mapped) -> Decimal | None:
    before = _taken_back(situation, mapped)
    return None if before is None else before.total - mapped.expected.total


def _look_at_found(situation: Situation, mapped: Mapped) -> Decision | None:
    """A document under our reference may be there already: after a look first, or where the unique field refused."""
    known = situation.known
    if known.key_taken and known.by_reference is None:
        return Call(operation=FindInvoices(reference=mapped.draft.reference))
    found = (known.by_reference or ()) if known.key_taken else situation.seen
    candidates = [invoice for invoice in found if stands(invoice) and not recorded(situation.record, invoice)]
    if not candidates:
        return None if not known.key_taken else park(_already_there(mapped, ()))
    if not situation.has_unique_field and situation.customer is None:
        return WhoIs()  # whose contact it is tells it from a stranger's document of the same reference and total
    for invoice in candidates:
        if invoice.invoice_id not in known.invoices:
            return Call(operation=ReadInvoice(invoice_id=invoice.invoice_id))
    read = [whole for c in candidates if (whole := known.invoices[c.invoice_id]) is not None and stands(whole)]
    ours = [invoice for invoice in read if _ours(situation, mapped, invoice)]
    if len(ours) == 1:
        return Adopt(
            invoice=ours[0], note=Note(decision="adopt", words=("It was in the ledger already, and is ours.",))
        )
    return park(_already_there(mapped, tuple(read))) if read else None


def _ours(situation: Situation, mapped: Mapped, invoice: Invoice) -> bool:
    """After a restore no intent tells of it: key, or reference, customer and total have to be the order's.

    The listed documents do not say who made them; that somebody else should have made one of exactly our reference,
    customer and total is what only the unique field rules out, and what doctor therefore advises.
    """
    customer = situation.customer
    sought = (
        [Sought(contact_id=customer.contact.contact_id, total=total) for total in _totals_as_made(situation, mapped)]
        if isinstance(customer, Known)
        else [None]
    )
    return any(
        is_ours(
            invoice,
            reference=mapped.draft.reference,
            unique_field=situation.has_unique_field,
            unique_key=mapped.draft.unique_key,
            order=one,
            made_by_us=True,
        )
        for one in sought
    )


def _totals_as_made(situation: Situation, mapped: Mapped) -> list[Decimal]:
    """Give what the forgotten document may come to: the order less its refunds, or all that was sold.

    A refund that came after the invoice had been sent was credited beside it; the invoice has kept its total.
    """
    sold = wanted_with(situation, ())
    return [mapped.expected.total, *([sold.expected.total] if isinstance(sold, Mapped) else [])]


def _already_there(mapped: Mapped, found: tuple[Invoice, ...]) -> Reason:
    links = ", ".join(f"{invoice.number} {invoice.url}".strip() for invoice in found)
    return Reason(
        code=ReasonCode.ALREADY_IN_LEDGER,
        message=f"The ledger has a document of reference {mapped.draft.reference} that is not ours. {links}".strip(),
        fix="Look at it in the ledger: delete or void it there and retry, or ignore the order.",
    )


def _create(situation: Situation, mapped: Mapped, contact_id: str) -> Decision:
    draft = replace(mapped.draft, contact_id=contact_id)
    sought = {
        "reference": draft.reference,
        "unique_key": draft.unique_key,
        "contact_id": draft.contact_id,
        "total": str(mapped.expected.total),
        "n": str(situation.record.next_invoice_n),
        "digest": draft_digest(mapped).hex(),
        "content_hash": (situation.record.content_hash or b"").hex(),
    }
    otherwise = total_otherwise(mapped)
    if otherwise is not None:
        # An invoice made under the other rounding is ours as well, and has to be found to be taken back.
        sought["total_otherwise"] = str(otherwise)
    note = Note(decision="create", words=mapped.words, figures={"expected_total": str(mapped.expected.total)})
    sought |= meant(situation, mapped)
    return Call(
        operation=CreateInvoice(draft=draft),
        note=note,
        subject=order_subject(situation.record),
        sought=sought,
        mapped=mapped,
        more=leaves_more(situation),
    )
