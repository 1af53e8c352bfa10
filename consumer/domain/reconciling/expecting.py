"""What each document of an order must come to, by the order's own figures, and what has no document."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from consumer.domain.dates import Moments, issued_day
from consumer.domain.money import ZERO
from consumer.domain.orders import Order
from consumer.domain.reconciling.books import stands
from consumer.domain.reconciling.rates import Rates, added, negated, recorded_rates, total_of, untold
from consumer.domain.reconciling.shop_figures import ShopGrounds, aligned, digits_of, refund_rates, shop_rates
from consumer.domain.records import Document, DocumentKind, OrderRecord
from consumer.domain.states import OrderState, ReasonCode, Wish

_PAPERS = (DocumentKind.INVOICE, DocumentKind.CREDIT_NOTE)
_NOT_WANTED = frozenset({Wish.NONE, Wish.IGNORE})
_BY_CHOICE = frozenset({ReasonCode.BEFORE_START, ReasonCode.NOT_PAID})


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectations:
    """By the ledger's id what each recorded document must come to (positive), and what no document is there for.

    ``unmade`` is what an order without an invoice comes to, less its refunds; ``refunds`` are those that neither the
    invoice nor a credit note accounts for, by id.
    """

    documents: Mapping[str, Rates] = field(default_factory=dict)
    unmade: Rates | None = None
    refunds: Mapping[str, Rates] = field(default_factory=dict)


def papers_of(record: OrderRecord) -> tuple[Document, ...]:
    """Give the invoices and credit notes of an order."""
    return tuple(one for one in record.documents if one.kind in _PAPERS)


def is_sold(record: OrderRecord, order: Order | None) -> bool:
    """Tell whether an order ought to have an invoice: paid, not cancelled, and nobody chose otherwise."""
    facts = record.facts
    taken_back = order is not None and order.payment_taken_back
    if not facts.paid or facts.cancelled or taken_back or facts.wish in _NOT_WANTED:
        return False
    code = None if record.reason is None else record.reason.code
    if record.state is OrderState.WITHDRAWN:
        return code is ReasonCode.GONE_FROM_LEDGER
    return not (record.state is OrderState.WAITING and code in _BY_CHOICE)


def expectations(record: OrderRecord, order: Order | None, grounds: ShopGrounds) -> Expectations:
    """Say what the order's documents must come to.

    A document that was credited in full, and a credit note that corrects one, stand for an earlier revision: what
    was recorded of them was compared with it to the cent, and counts as the shop's. The live invoice is compared
    with the order as it is now; refunds with what the shop says of them.
    """
    recorded = {one.ledger_id: _recorded(one) for one in papers_of(record) if stands(one)}
    live = record.live_invoice
    sold = is_sold(record, order)
    if order is None:
        bare = record.grand_total
        return Expectations(documents=recorded, unmade=untold(bare) if sold and bare and live is None else None)
    if live is None:
        return Expectations(documents=recorded, unmade=_unmade(order, grounds) if sold else None)
    if record.facts.wish is Wish.IGNORE:
        return Expectations(documents=recorded)
    return _of_live(record, order, grounds, live, recorded, sold=sold)


def _recorded(document: Document) -> Rates:
    return recorded_rates(document) or untold(document.total, document.tax_total or ZERO)


def _unmade(order: Order, grounds: ShopGrounds) -> Rates | None:
    whole = shop_rates(order, grounds)
    rest = added(whole, *(negated(one) for one in refund_rates(order, whole, grounds).values()))
    return rest if total_of(rest) else None


def _of_live(
    record: OrderRecord,
    order: Order,
    grounds: ShopGrounds,
    live: Document,
    recorded: Mapping[str, Rates],
    *,
    sold: bool,
) -> Expectations:
    notes = [
        one
        for one in papers_of(record)
        if one.kind is DocumentKind.CREDIT_NOTE and stands(one) and one.settles == live.ledger_id
    ]
    # Credit notes leave the invoice as it was written: it chooses among the shop's possible roundings all the same.
    whole = shop_rates(order, grounds, recorded_rates(live)) if sold else ()
    refunds = refund_rates(order, whole, grounds) if sold else {}
    digits = digits_of(order.currency, grounds.facts)
    documents = dict(recorded)
    for note in notes:
        if note.part in refunds:
            documents[note.ledger_id] = aligned(refunds[note.part], recorded_rates(note), digits)
    corrections = [recorded[note.ledger_id] for note in notes if note.part not in refunds]
    folded = [negated(rates) for part, rates in refunds.items() if part in live.folded]
    documents[live.ledger_id] = aligned(added(whole, *folded, *corrections), recorded_rates(live), digits)
    done = {*live.folded, *(note.part for note in notes)}
    return Expectations(
        documents=documents, refunds={part: rates for part, rates in refunds.items() if part not in done}
    )


# ---- days ------------------------------------------------------------------------------------------------------------


def day_at(moment: datetime | None, time_zone: str) -> date | None:
    """Give the day of a moment where the organisation is; by UTC where its time zone is unknown."""
    if moment is None:
        return None
    try:
        return moment.astimezone(ZoneInfo(time_zone or "UTC")).date()
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return moment.astimezone(UTC).date()


def sale_day(record: OrderRecord, order: Order | None, grounds: ShopGrounds, time_zone: str) -> date | None:
    """Give the day that an invoice of the order would bear; for a shop that dates by today that of the payment."""
    paid = record.facts.paid_moment or record.event_time
    placed = None if order is None else order.placed_at
    day = issued_day(Moments(paid=paid, placed=placed), grounds.shop.invoice_date, time_zone)
    return day if isinstance(day, date) else day_at(paid, time_zone)
