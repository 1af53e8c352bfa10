"""How the ledger computes an invoice: a model, written from what is documented and recorded of Zoho Books.

Sources (facts on Zoho Books, section 7): a line's amount is rounded first and tax is taken of the rounded amount
(54.54545 at 10 % is 54.55 + 5.46); halves go up (1.00 at 7.5 % is 0.08 of tax); tax is summed over a tax and rounded
once (``entity_level``) or rounded on each line (``item_level``); in an inclusive document tax lies within the amounts
and the total is their sum; an adjustment comes after tax. The members of a tax group are rounded each on its own.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from consumer.domain.ledger import InvoiceDraft, InvoiceLine, TaxRounding
from consumer.domain.money import ZERO, round_half_up, split_by_largest_remainder
from consumer.domain.orders import RateFigures

_HUNDRED = Decimal(100)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What a document comes to. ``tax_by_rate`` is sorted by rate; a rate that no line has is not in it."""

    total: Decimal
    tax_total: Decimal
    tax_by_rate: tuple[RateFigures, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxSum:
    """What a document comes to under one tax of the ledger; ``tax_id`` None: what bears no tax, adjustments included.

    ``rate`` in percent; ``parts`` are the rates of a group's members. ``gross`` is with ``tax``.
    """

    tax_id: str | None
    rate: Decimal
    gross: Decimal
    tax: Decimal
    parts: tuple[Decimal, ...] = ()


def line_amount(line: InvoiceLine, digits: int) -> Decimal:
    """Give a line's amount: quantity times rate less its discount, rounded to the currency's digits."""
    return round_half_up(line.quantity * line.rate - line.discount, digits)


def compute(draft: InvoiceDraft, digits: int, rounding: TaxRounding) -> Figures:
    """Compute the document as the ledger does; an UNKNOWN rounding is taken as the ledger's default, per rate."""
    amounts = [line_amount(line, digits) for line in draft.lines]
    bases = _less_discount(draft, amounts, digits)
    per_line = rounding is TaxRounding.PER_LINE
    groups = _groups(draft.lines, bases, per_line=per_line)
    by_rate: dict[Decimal, list[Decimal]] = {}
    for factors, group_bases in groups:
        _add_taxes(by_rate, factors, group_bases, digits, inclusive=draft.tax_inclusive)
    tax_total = sum((tax for _, tax in by_rate.values()), ZERO)
    total = sum(amounts, ZERO) - draft.discount + draft.adjustment
    figures = tuple(RateFigures(rate=rate, net=by_rate[rate][0], tax=by_rate[rate][1]) for rate in sorted(by_rate))
    return Figures(total=total if draft.tax_inclusive else total + tax_total, tax_total=tax_total, tax_by_rate=figures)


def sums_by_tax(draft: InvoiceDraft, digits: int, rounding: TaxRounding) -> tuple[TaxSum, ...]:
    """Compute the document per tax of the ledger: what of it may be credited under which tax. Nothing is left out."""
    amounts = [line_amount(line, digits) for line in draft.lines]
    bases = _less_discount(draft, amounts, digits)
    lines_of: dict[tuple[str, Decimal, tuple[Decimal, ...]], list[Decimal]] = {}
    untaxed = draft.adjustment - (ZERO if draft.discount_before_tax else draft.discount)
    for line, base in zip(draft.lines, bases, strict=True):
        if line.tax_id is None:
            untaxed += base
        else:
            lines_of.setdefault((line.tax_id, line.tax_rate, line.tax_parts), []).append(base)
    sums = []
    for (tax_id, rate, parts), of_tax in lines_of.items():
        by_rate: dict[Decimal, list[Decimal]] = {}
        rounded = of_tax if rounding is TaxRounding.PER_LINE else [sum(of_tax, ZERO)]
        _add_taxes(by_rate, tax_factors(rate, parts), rounded, digits, inclusive=draft.tax_inclusive)
        tax = sum((row[1] for row in by_rate.values()), ZERO)
        gross = sum(of_tax, ZERO) + (ZERO if draft.tax_inclusive else tax)
        sums.append(TaxSum(tax_id=tax_id, rate=rate, parts=parts, gross=gross, tax=tax))
    if untaxed or not sums:
        sums.append(TaxSum(tax_id=None, rate=ZERO, gross=untaxed, tax=ZERO))
    return tuple(sums)


def _less_discount(draft: InvoiceDraft, amounts: Sequence[Decimal], digits: int) -> Sequence[Decimal]:
    """Take a document's discount off the taxable amounts, in proportion to them; after tax it leaves them alone.

    How the ledger places the odd cents is not documented; no layout of ours relies on it over several taxes.
    """
    if not draft.discount or not draft.discount_before_tax:
        return amounts
    shares = split_by_largest_remainder(draft.discount, [max(amount, ZERO) for amount in amounts], digits)
    return [amount - share for amount, share in zip(amounts, shares, strict=True)]


Factors = tuple[tuple[Decimal, Decimal], ...]  # per member of the tax: its rate, and tax = base x factor / 100


def tax_factors(rate: Decimal, parts: Sequence[Decimal]) -> Factors:
    """Give per member of a tax (its rate, percent of the net that it comes to).

    A single tax is its own member. A group whose members do not add up to its rate has a compound last member, which
    is taken of the net and the taxes before it.
    """
    if len(parts) < 2:  # noqa: PLR2004 a group has at least two members
        return ((rate, rate),)
    plain = tuple((part, part) for part in parts)
    if sum(parts, ZERO) == rate:
        return plain
    before = sum(parts[:-1], ZERO)
    return (*plain[:-1], (parts[-1], parts[-1] * (1 + before / _HUNDRED)))


def _groups(
    lines: Sequence[InvoiceLine], bases: Sequence[Decimal], *, per_line: bool
) -> Iterable[tuple[Factors, Sequence[Decimal]]]:
    """Gather what is rounded together: all lines of one tax, or each line by itself."""
    found: dict[tuple[str, Decimal, tuple[Decimal, ...]], list[Decimal]] = {}
    for line, base in zip(lines, bases, strict=True):
        if line.tax_id is not None:
            found.setdefault((line.tax_id, line.tax_rate, line.tax_parts), []).append(base)
    for (_, rate, parts), of_tax in found.items():
        yield tax_factors(rate, parts), (of_tax if per_line else [sum(of_tax, ZERO)])


def _add_taxes(
    by_rate: dict[Decimal, list[Decimal]], factors: Factors, bases: Sequence[Decimal], digits: int, *, inclusive: bool
) -> None:
    # In an inclusive document the net is base x 100 / divisor, in the other one base x 100 / 100.
    divisor = _HUNDRED + sum((factor for _, factor in factors), ZERO) if inclusive else _HUNDRED
    taxes = [sum((round_half_up(base * factor / divisor, digits) for base in bases), ZERO) for _, factor in factors]
    net = sum(bases, ZERO) - (sum(taxes, ZERO) if inclusive else ZERO)
    for (rate, _), tax in zip(factors, taxes, strict=True):
        row = by_rate.setdefault(rate, [ZERO, ZERO])
        row[0] += net
        row[1] += tax
