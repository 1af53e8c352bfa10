"""Shopify's tax lines: rates from fractions to percent, and which of them were charged at all."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from consumer.domain.money import round_half_up
from consumer.sources.shopify.payload import NAME_CHARACTERS_MAX, ZERO, decimal, money, places, text, told, written

_HUNDRED = Decimal(100)
_RATE_DECIMALS = 10  # what the contract takes; a double's noise lies far behind it
_MINOR_UNIT = Decimal("0.01")


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxLine:
    """One tax of a line: its rate in percent, its amount in shop money (None: not stated)."""

    name: str
    rate: Decimal
    amount: Decimal | None

    def wire(self, *, with_amount: bool = True) -> dict[str, Any]:
        """Give it in the words of the contract."""
        amount = None if self.amount is None or not with_amount else written(self.amount)
        return {"rate": written(self.rate), **told(name=self.name, amount=amount)}


def tax_lines(value: object, place: str) -> tuple[TaxLine, ...]:
    """Read tax lines as they stand. Raises NotTranslatedError where a figure is none."""
    return tuple(
        TaxLine(
            name=text(row.get("title"), NAME_CHARACTERS_MAX),
            rate=percent(decimal(row.get("rate"), f"{where}.rate") or ZERO),
            amount=money(row, "price", where),
        )
        for where, row in places(value, f"{place}.tax_lines" if place else "tax_lines")
    )


def percent(fraction: Decimal) -> Decimal:
    """Give a fraction as percent, by its own digits: 0.0725 is 7.25, and 0.08875000000000001 is 8.875."""
    return round_half_up(fraction * _HUNDRED, _RATE_DECIMALS).normalize()


def charged(taxes: Sequence[TaxLine], base: Decimal) -> tuple[TaxLine, ...]:
    """Give the taxes that were charged on a base; one of rate 0 where taxes are named and none was.

    Shopify names the taxes of a place also where it charges none of them: of a rate of 0, or with 0.00 on an amount
    that its rate would have given a cent or more.
    """
    found = tuple(tax for tax in taxes if tax.rate and not _spared(tax, base))
    if found or not taxes:
        return found
    return (TaxLine(name=taxes[0].name, rate=ZERO, amount=sum((tax.amount or ZERO for tax in taxes), ZERO)),)


def _spared(tax: TaxLine, base: Decimal) -> bool:
    return tax.amount == ZERO and abs(base) * tax.rate / _HUNDRED >= _MINOR_UNIT


def shared_out(taxes: Sequence[TaxLine], base: Decimal, *, includes_tax: bool) -> bool:
    """Tell whether a line's taxes are a share of the order's tax: not their rate's own, but within a cent of it.

    Shopify rounds the tax of a rate over the order and hands the cents out to the lines: 7.81 and 2.39 instead of
    7.80 and 2.40. The order's own tax lines are then the truth, and those of the lines are none.
    """
    divisor = _HUNDRED + (sum((tax.rate for tax in taxes), ZERO) if includes_tax else ZERO)
    off = [abs(tax.amount - base * tax.rate / divisor) for tax in taxes if tax.amount is not None]
    return any(part > _MINOR_UNIT / 2 for part in off) and all(part <= _MINOR_UNIT * 3 / 2 for part in off)


def stated_tax(taxes: Sequence[TaxLine]) -> Decimal:
    """Sum what the tax lines state."""
    return sum((tax.amount or ZERO for tax in taxes), ZERO)


def by_rate(taxes: Sequence[TaxLine]) -> list[dict[str, Any]]:
    """Sum the tax per rate, in the order of the rates; what states nothing is left out."""
    found: dict[Decimal, Decimal] = {}
    for tax in taxes:
        if tax.amount is not None:
            found[tax.rate] = found.get(tax.rate, ZERO) + tax.amount
    return [{"rate": written(rate), "tax": written(found[rate])} for rate in sorted(found) if rate or found[rate]]
