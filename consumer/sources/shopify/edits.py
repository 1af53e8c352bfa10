"""Which figures of a Shopify order are its invoice, where it was refunded or edited since.

Shopify keeps two sets of figures: ``total_price`` is the order as sold, ``current_total_price`` what edits, returns
and refunds left of it. A refund is a document of its own for us, so the invoice is the order as sold. What an edit
took off was never sold in the end, so it is not on the invoice. Both figures must be explained by that; else the
order is handed over with the figure that its lines do not give, and parks.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from consumer.domain.money import round_half_up
from consumer.sources.shopify.extras import Parts, settled
from consumer.sources.shopify.lines import Sold
from consumer.sources.shopify.payload import ZERO, Row, money
from consumer.sources.shopify.refunds import RecordKind, RefundRecord, of_kind

_PRORATED_DECIMALS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Invoiced:
    """What the invoice is to come to: its parts, the shop's figure for them, and the refunds that lower it later.

    ``tax`` is None where the shop states none for these parts. ``as_sold``: the figures are those of the sale.
    """

    parts: Parts
    grand_total: Decimal
    tax: Decimal | None
    refunds: tuple[RefundRecord, ...]
    as_sold: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Stated:
    """The order's own figures."""

    total: Decimal
    tax: Decimal | None
    current_total: Decimal | None
    current_tax: Decimal | None
    includes_tax: bool


def stated(order: Row, *, total: Decimal, includes_tax: bool) -> Stated:
    """Read the figures. Raises NotTranslatedError where one is no amount."""
    return Stated(
        total=total,
        tax=money(order, "total_tax"),
        current_total=money(order, "current_total_price"),
        current_tax=money(order, "current_total_tax"),
        includes_tax=includes_tax,
    )


def invoiced(figures: Stated, parts: Parts, records: Sequence[RefundRecord], *, is_cancelled: bool) -> Invoiced:
    """Decide what the invoice is. Of a cancelled order nothing is left to explain: it is given as it was sold."""
    paid_back = of_kind(records, RecordKind.MONEY)
    as_sold = Invoiced(parts=parts, grand_total=figures.total, tax=figures.tax, refunds=paid_back)
    removed = _removed(parts.lines, records)
    if not is_cancelled and (removed or any(sold.is_removed for sold in parts.shipping)):
        edited = _edited(figures, parts, records, removed)
        if edited is not None:
            return edited
    if is_cancelled or figures.current_total is None or figures.current_total in _left(figures.total, records):
        return as_sold
    # The current figures tell another sale than total_price does. The lines follow the one or the other or neither:
    # what is given is the current one, with which an order whose lines are those of the sale parks.
    tax = figures.current_tax if not records else figures.tax
    return replace(as_sold, grand_total=figures.current_total + _sum_paid_back(paid_back), tax=tax, as_sold=False)


def _edited(
    figures: Stated, parts: Parts, records: Sequence[RefundRecord], removed: Mapping[str, Decimal]
) -> Invoiced | None:
    """Give the order less what edits removed; None where that does not lead to the current total."""
    removals, paid_back = of_kind(records, RecordKind.REMOVAL), of_kind(records, RecordKind.MONEY)
    current = figures.current_total
    if removals or current is None:
        total = figures.total - sum((record.worth for record in removals), ZERO)
    else:
        total = current + _sum_paid_back(paid_back)
    others = [record for record in records if record.kind is not RecordKind.REMOVAL]
    if (total == figures.total == parts.total) or (current is not None and current not in _left(total, others)):
        return None
    if current == total:
        # Money that went back and did not lower the order repaid what the edit had taken off already.
        paid_back = tuple(record for record in paid_back if record.lines)
    tax = _edited_tax(figures, records)
    on_top = ZERO if figures.includes_tax else tax or ZERO
    choices = _without(replace(parts, tax_on_top=on_top), removed, removals)
    return Invoiced(parts=settled(choices, total), grand_total=total, tax=tax, refunds=paid_back, as_sold=False)


def _left(total: Decimal, records: Sequence[RefundRecord]) -> set[Decimal]:
    """Give what may be left of a total: after none of the records, after the money, and after the returned goods.

    A refund's money and its worth by lines and adjustments differ where it was made by hand.
    """
    by_money = _sum_paid_back(of_kind(records, RecordKind.MONEY))
    by_parts = sum((record.worth for record in of_kind(records, RecordKind.MONEY)), ZERO)
    returned = sum((record.worth for record in of_kind(records, RecordKind.RETURN)), ZERO)
    return {total - lowered - back for lowered in (ZERO, by_money, by_parts) for back in (ZERO, returned)}


def _sum_paid_back(records: Sequence[RefundRecord]) -> Decimal:
    return sum((record.paid_back for record in records), ZERO)


def _edited_tax(figures: Stated, records: Sequence[RefundRecord]) -> Decimal | None:
    removals = of_kind(records, RecordKind.REMOVAL)
    if len(removals) == len(records) and figures.current_tax is not None:
        return figures.current_tax
    if figures.tax is None or not removals:
        return None
    return figures.tax - sum((line.tax for record in removals for line in record.lines), ZERO)


def _removed(lines: Sequence[Sold], records: Sequence[RefundRecord]) -> dict[str, Decimal]:
    """Give per line how many pieces an edit took off: what is gone and neither refunded nor returned."""
    kept_on = [record for record in records if record.kind is not RecordKind.REMOVAL]
    found = {}
    for line in lines:
        if line.current_quantity is None:
            gone = _pieces(line.id, of_kind(records, RecordKind.REMOVAL))
        else:
            gone = line.quantity - line.current_quantity - _pieces(line.id, kept_on)
        if gone > 0 and line.id:
            found[line.id] = min(gone, line.quantity)
    return found


def _pieces(line_id: str, records: Sequence[RefundRecord]) -> Decimal:
    return sum((line.quantity for record in records for line in record.lines if line.line_id == line_id), ZERO)


def _without(parts: Parts, removed: Mapping[str, Decimal], removals: Sequence[RefundRecord]) -> Iterator[Parts]:
    """Give the parts without what was removed, by each way in which a rest's discount may be meant."""
    parts = replace(parts, shipping=tuple(sold for sold in parts.shipping if not sold.is_removed))
    for rest in (_rest_by_record, _rest_in_proportion, _rest_with_whole_discount):
        lines = (
            rest(line, removed[line.id], removals) if line.id in removed else line
            for line in parts.lines
            if line.quantity != removed.get(line.id, ZERO) or not line.quantity
        )
        yield replace(parts, lines=tuple(lines))


def _rest_by_record(line: Sold, gone: Decimal, removals: Sequence[RefundRecord]) -> Sold:
    """Give the rest its discount by what the record says that the removed pieces were worth."""
    nets = [part.net for record in removals for part in record.lines if part.line_id == line.id]
    left = line.quantity - gone
    return _rest(line, left, left * line.price - (line.net - sum(nets, ZERO)))


def _rest_in_proportion(line: Sold, gone: Decimal, removals: Sequence[RefundRecord]) -> Sold:
    del removals
    left = line.quantity - gone
    return _rest(line, left, round_half_up(line.discount * left / line.quantity, _PRORATED_DECIMALS))


def _rest_with_whole_discount(line: Sold, gone: Decimal, removals: Sequence[RefundRecord]) -> Sold:
    """Give the rest the discount that stands on the line: newer versions state it for what is left already."""
    del removals
    return _rest(line, line.quantity - gone, line.discount)


def _rest(line: Sold, left: Decimal, discount: Decimal) -> Sold:
    return replace(line, quantity=left, discount=discount, tax_amounts_hold=False)
