"""Net and VAT per rate: of an order by the shop's own figures, and of a ledger's document as recorded or as read.

Amounts are in the document's currency and positive; whoever adds credit notes up turns their sign. A rate of None
holds what nobody tells per rate.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from consumer.domain.ledger import LedgerLine
from consumer.domain.money import ZERO, round_half_up
from consumer.domain.orders import RateFigures
from consumer.domain.records import Document

_HUNDRED = Decimal(100)
_ROUNDING_UNITS = 5  # minor units that belong to a single rate's net, rather than to no tax at all


@dataclass(frozen=True, slots=True, kw_only=True)
class RateSum:
    """Net and VAT under one rate (percent)."""

    rate: Decimal | None
    net: Decimal
    tax: Decimal

    @property
    def gross(self) -> Decimal:
        """Give the sum with VAT."""
        return self.net + self.tax


Rates = tuple[RateSum, ...]


def total_of(rates: Iterable[RateSum]) -> Decimal:
    """Give the sum with VAT over all rates."""
    return sum((one.gross for one in rates), ZERO)


def tax_of(rates: Iterable[RateSum]) -> dict[Decimal | None, Decimal]:
    """Give the VAT per rate, without rates that have none."""
    found: dict[Decimal | None, Decimal] = {}
    for one in rates:
        found[one.rate] = found.get(one.rate, ZERO) + one.tax
    return {rate: tax for rate, tax in found.items() if tax}


def added(*several: Iterable[RateSum]) -> Rates:
    """Add rates up, one row per rate, the highest first; rows of nothing are left out."""
    sums: dict[Decimal | None, tuple[Decimal, Decimal]] = {}
    for rates in several:
        for one in rates:
            net, tax = sums.get(one.rate, (ZERO, ZERO))
            sums[one.rate] = (net + one.net, tax + one.tax)
    rows = [RateSum(rate=rate, net=net, tax=tax) for rate, (net, tax) in sums.items() if net or tax]
    return tuple(sorted(rows, key=lambda one: (one.rate is None, -(one.rate or ZERO))))


def negated(rates: Iterable[RateSum]) -> Rates:
    """Turn the sign."""
    return tuple(RateSum(rate=one.rate, net=-one.net, tax=-one.tax) for one in rates)


def untold(total: Decimal, tax: Decimal = ZERO) -> Rates:
    """Give a sum of which nobody tells the rates."""
    return added([RateSum(rate=None, net=total - tax, tax=tax)])


def recorded_rates(document: Document) -> Rates | None:
    """Give the rates of a document as it was written and answered; None where what is kept does not prove them."""
    if not document.agreed or not document.sums:
        return None
    rates = added(RateSum(rate=one.rate, net=one.gross - one.tax, tax=one.tax) for one in document.sums)
    if total_of(rates) != document.total:
        return None
    tax = sum((one.tax for one in rates), ZERO)
    if document.tax_total is not None and tax != document.tax_total:
        return None
    grouped = any(len(one.parts) > 1 for one in document.sums)
    answered = {row.rate: row.tax for row in document.tax_by_rate if row.tax}
    if document.tax_by_rate and not grouped and answered != tax_of(rates):
        return None
    return rates


def told_rates(
    total: Decimal, taxes: Sequence[RateFigures] | None, lines: Sequence[LedgerLine] | None, digits: int
) -> Rates:
    """Give the rates of a document as the ledger tells it, read whole.

    A ledger tells VAT per rate and the amount of each line, but no net per rate: that is the lines' sum, less VAT
    where prices contain it. What neither accounts for (an adjustment, a discount after tax) bears no tax.
    """
    if taxes is None:
        return untold(total)
    told: dict[Decimal, Decimal] = {}
    for row in taxes:
        told[row.rate] = told.get(row.rate, ZERO) + row.tax
    if lines is None:
        return _without_lines(total, told, digits)
    bases: dict[Decimal, Decimal] = {}
    for line in lines:
        bases[line.tax_rate] = bases.get(line.tax_rate, ZERO) + line.total
    folded = _folded(told, bases)
    return untold(total, sum(told.values(), ZERO)) if folded is None else _by_lines(total, folded, bases)


def _folded(told: Mapping[Decimal, Decimal], bases: Mapping[Decimal, Decimal]) -> dict[Decimal, Decimal] | None:
    """Put the VAT of a group's members under the group's rate, which is what the lines bear."""
    members = [rate for rate, tax in told.items() if rate not in bases and tax]
    kept = {rate: tax for rate, tax in told.items() if rate in bases}
    if not members:
        return kept
    groups = [rate for rate in bases if rate and rate not in told]
    if len(groups) != 1:
        return None
    return {**kept, groups[0]: sum((told[rate] for rate in members), ZERO)}


def _by_lines(total: Decimal, taxes: Mapping[Decimal, Decimal], bases: Mapping[Decimal, Decimal]) -> Rates:
    inclusive = _inclusive(total, taxes, bases)
    rows = [
        RateSum(rate=rate, net=base - (taxes.get(rate, ZERO) if inclusive else ZERO), tax=taxes.get(rate, ZERO))
        for rate, base in bases.items()
    ]
    return added(rows, [RateSum(rate=ZERO, net=total - total_of(rows), tax=ZERO)])


def _inclusive(total: Decimal, taxes: Mapping[Decimal, Decimal], bases: Mapping[Decimal, Decimal]) -> bool:
    """Tell whether VAT lies within the lines' amounts: by the total, else by which of the two is nearer the VAT."""
    amounts, tax = sum(bases.values(), ZERO), sum(taxes.values(), ZERO)
    if not tax or amounts + tax == total:
        return False
    if amounts == total:
        return True
    on_top = sum((abs(base * rate / _HUNDRED - taxes.get(rate, ZERO)) for rate, base in bases.items()), ZERO)
    within = sum((abs(base * rate / (_HUNDRED + rate) - taxes.get(rate, ZERO)) for rate, base in bases.items()), ZERO)
    return within < on_top


def _without_lines(total: Decimal, taxes: Mapping[Decimal, Decimal], digits: int) -> Rates:
    """Take the net from the VAT itself; what is left over bears no tax, but for some cents of rounding."""
    rows = [
        RateSum(rate=rate, net=round_half_up(tax * _HUNDRED / rate, digits), tax=tax)
        for rate, tax in taxes.items()
        if rate and tax
    ]
    rest = total - total_of(rows)
    if len(rows) == 1 and abs(rest) <= Decimal(_ROUNDING_UNITS).scaleb(-digits):
        return added(rows, [RateSum(rate=rows[0].rate, net=rest, tax=ZERO)])
    return added(rows, [RateSum(rate=ZERO, net=rest, tax=ZERO)])
