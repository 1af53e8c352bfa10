"""Refunds within a draft: a draft takes no credits, so what was given back is taken off it. Pure.

One negative line per refund and tax, so that what is left is the order less its refunds to the cent, and so is VAT
where the refund says how much of it is tax. Where no amount of the line gives that, a labelled adjustment balances it,
as it balances an order.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from consumer.domain.arithmetic import TaxSum, compute, sums_by_tax
from consumer.domain.comparison import Expected
from consumer.domain.credit_layout import ADJUSTED_UNITS_MAX, tax_line, tax_of, ways_of
from consumer.domain.crediting import (
    Given,
    TaxKey,
    UnclearError,
    check_within,
    given_of_refund,
    joined,
    key_of,
    unclear,
)
from consumer.domain.ledger import InvoiceDraft, TaxRounding
from consumer.domain.mapping import Mapped
from consumer.domain.money import ZERO
from consumer.domain.orders import Order, Refund
from consumer.domain.states import Reason
from consumer.domain.texts import plain


@dataclass(frozen=True, slots=True, kw_only=True)
class Folding:
    """What refunds are taken off by: the shop's words, the currency's decimals, the ledger's rounding."""

    label: str
    adjustment_label: str
    digits: int
    rounding: TaxRounding


def folded(mapped: Mapped, order: Order, refunds: Sequence[Refund], way: Folding) -> Mapped | Reason:
    """Take refunds off a draft, exact under the ledger's rounding.

    Raises nothing; gives the reason where a refund exceeds what is left or cannot be laid out. A draft of which all
    was given back is never written: it is given with a total of nought, as it was.
    """
    whole = sums_by_tax(mapped.draft, way.digits, ways_of(way.rounding)[0])
    for refund in refunds:
        if not refund.amount:
            mapped = replace(mapped, folded=(*mapped.folded, refund.id))
            continue
        taken = _fold_one(mapped, order, refund, whole, way)
        if isinstance(taken, Reason):
            return taken
        mapped = taken
    return mapped


def _fold_one(mapped: Mapped, order: Order, refund: Refund, whole: Sequence[TaxSum], way: Folding) -> Mapped | Reason:
    ways = ways_of(way.rounding)
    # Of a draft of which all was given back nothing is left, although its lines stand as they were.
    rest = sums_by_tax(mapped.draft, way.digits, ways[0]) if mapped.expected.total else ()
    if refund.amount == sum((one.gross for one in rest), ZERO):
        return _emptied(mapped, refund)
    try:
        given = given_of_refund(order, refund, rest, label=way.label, digits=way.digits, whole=whole)
    except UnclearError as unclear_error:
        return unclear_error.reason
    beyond = check_within(order, refund.id, given, rest)
    if beyond is not None:
        return beyond
    draft = mapped.draft
    for one in joined(given):
        # An adjustment of the tax before counts among what bears no tax: each is measured by the draft as it is now.
        lined = _with_line(draft, one, _row(draft, one.key, way.digits, ways[0]), way)
        if lined is None:
            return unclear(f"Refund {refund.id} within the draft", given)
        draft = lined
    return _folded_mapped(mapped, draft, refund, way)


def _emptied(mapped: Mapped, refund: Refund) -> Mapped:
    expected = replace(mapped.expected, total=ZERO, tax_total=ZERO, tax_by_rate=())
    return replace(mapped, expected=expected, folded=(*mapped.folded, refund.id))


def _with_line(draft: InvoiceDraft, one: Given, before: TaxSum, way: Folding) -> InvoiceDraft | None:
    """Add the negative line that leaves what is to be left; the further its amount is moved, the later it is tried."""
    unit = Decimal(1).scaleb(-way.digits)
    amount = one.gross if draft.tax_inclusive else one.gross - tax_of(one, way.digits)
    for units in range(ADJUSTED_UNITS_MAX + 1):
        for off in (unit * units, -unit * units):
            candidate = replace(draft, lines=(*draft.lines, tax_line(one.name, one.key, -(amount + off))))
            found = [_row(candidate, one.key, way.digits, rounding) for rounding in ways_of(way.rounding)]
            moves = {before.gross - one.gross - row.gross for row in found}
            if len(moves) == 1 and all(_is_left(row, before, one) for row in found):
                return _balanced(candidate, moves.pop(), way)
    return None


def _row(draft: InvoiceDraft, key: TaxKey, digits: int, rounding: TaxRounding) -> TaxSum:
    rows = {key_of(row): row for row in sums_by_tax(draft, digits, rounding)}
    return rows.get(key, TaxSum(tax_id=key[0], rate=key[1], parts=key[2], gross=ZERO, tax=ZERO))


def _is_left(row: TaxSum, before: TaxSum, one: Given) -> bool:
    """Tell whether the tax that is left is the right one; where nobody said how much was given back, any in between."""
    return ZERO <= row.tax <= before.tax if one.tax is None else row.tax == before.tax - one.tax


def _balanced(draft: InvoiceDraft, moved: Decimal, way: Folding) -> InvoiceDraft:
    if not moved:
        return draft
    label = draft.adjustment_label or way.adjustment_label
    return replace(draft, adjustment=draft.adjustment + moved, adjustment_label=label)


def _folded_mapped(mapped: Mapped, draft: InvoiceDraft, refund: Refund, way: Folding) -> Mapped:
    figures = compute(draft, way.digits, ways_of(way.rounding)[0])
    expected = Expected(
        total=figures.total,
        tax_total=figures.tax_total,
        tax_by_rate=figures.tax_by_rate,
        currency=mapped.expected.currency,
        group_rates=mapped.expected.group_rates,
    )
    words = f"Refund {refund.id} of {plain(refund.amount)} {expected.currency} is taken off within the draft."
    return replace(
        mapped, draft=draft, expected=expected, folded=(*mapped.folded, refund.id), notes=(*mapped.notes, words)
    )
