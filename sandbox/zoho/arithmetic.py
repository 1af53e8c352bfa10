"""What an invoice adds up to, by the ledger's own rules.

The rules: a line's amount is rounded first; tax is computed on rounded amounts; under `entity_level` tax is summed per
tax and rounded once, under `item_level` it is rounded on every line; every half goes away from zero. With inclusive
prices the tax is taken out of the amount, with exclusive prices it comes on top. Shared with Booked is nothing: the two
are meant to find each other's mistakes.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import Literal

from sandbox.zoho.numbers import round_half_up

_ZERO = Decimal(0)
_HUNDRED = Decimal(100)


@dataclass(frozen=True, slots=True, kw_only=True)
class Discount:
    """A reduction: an amount, or a percentage where `is_percent`."""

    value: Decimal = _ZERO
    is_percent: bool = False

    def of(self, amount: Decimal, digits: int) -> Decimal:
        """Give the reduction of an amount, rounded."""
        return round_half_up(amount * self.value / _HUNDRED if self.is_percent else self.value, digits)


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxPart:
    """One tax: its percentage, and whether it is compound (computed on the amount with the simple taxes in it)."""

    tax_id: str
    name: str
    percentage: Decimal
    is_compound: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Tax:
    """What a line's tax id stands for: a tax alone, or a group of several."""

    tax_id: str
    name: str
    parts: tuple[TaxPart, ...]
    is_group: bool = False

    def shares(self) -> list[tuple[TaxPart, Decimal]]:
        """Give every part with the fraction of a net amount that it takes."""
        simple = sum((part.percentage for part in self.parts if not part.is_compound), _ZERO) / _HUNDRED
        return [(part, part.percentage / _HUNDRED * ((1 + simple) if part.is_compound else 1)) for part in self.parts]

    def fraction(self) -> Decimal:
        """Give all parts' share of a net amount together."""
        return sum((share for _, share in self.shares()), _ZERO)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line as it was sent."""

    rate: Decimal
    quantity: Decimal = Decimal(1)
    discount: Discount = field(default_factory=Discount)
    tax: Tax | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """All that a total depends on. `digits` is the currency's precision."""

    lines: Sequence[Line]
    is_inclusive: bool = False
    discount: Discount = field(default_factory=Discount)
    is_discount_before_tax: bool = True
    shipping_charge: Decimal = _ZERO
    shipping_tax: Tax | None = None
    is_shipping_inclusive: bool | None = None
    adjustment: Decimal = _ZERO
    digits: int = 2
    rounding: Literal["entity_level", "item_level"] = "entity_level"


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxAmount:
    """What one tax comes to."""

    tax_id: str
    name: str
    percentage: Decimal
    amount: Decimal
    base: Decimal = _ZERO


@dataclass(frozen=True, slots=True, kw_only=True)
class LineResult:
    """One line's figures. `item_total` is without tax; `stated_total` is as the line states it, after its discount."""

    discount_amount: Decimal
    stated_total: Decimal
    item_total: Decimal
    taxes: tuple[TaxAmount, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """An invoice's figures. `sub_total - discount_before_tax + tax_total + shipping_net + adjustment` is `total`."""

    lines: tuple[LineResult, ...]
    taxes: tuple[TaxAmount, ...]
    sub_total: Decimal
    sub_total_inclusive: Decimal
    discount_total: Decimal
    tax_total: Decimal
    taxable_total: Decimal
    shipping_net: Decimal
    shipping_tax: Decimal
    total: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class _Taxed:
    """An amount on its way into the taxes: after all discounts before tax."""

    amount: Decimal
    tax: Tax | None
    is_inclusive: bool

    def exact(self) -> list[tuple[TaxPart, Fraction, Fraction]]:
        """Give every part with its unrounded tax and the net that it is computed on.

        Fractions, because a Decimal cuts a third off somewhere: lines that come to half a cent together would then
        fall short of it, and be rounded down.
        """
        if self.tax is None:
            return []
        net = Fraction(self.amount)
        if self.is_inclusive:
            net /= 1 + Fraction(self.tax.fraction())
        return [(part, net * Fraction(share), net) for part, share in self.tax.shares()]


def compute(bill: Bill) -> Totals:
    """Compute an invoice. Never raises for finite figures."""
    before_tax, after_tax = _line_amounts(bill)
    stated = sum(before_tax, _ZERO)
    entity_before = bill.discount.of(stated, bill.digits) if bill.is_discount_before_tax else _ZERO
    shares = _spread(entity_before, before_tax, bill.digits)
    taxed = [
        _Taxed(amount=amount - share, tax=line.tax, is_inclusive=bill.is_inclusive)
        for amount, share, line in zip(before_tax, shares, bill.lines, strict=True)
    ]
    shipping = _shipping(bill)
    taxes = _taxes([*taxed, shipping], bill)
    tax_total = sum((tax.amount for tax in taxes), _ZERO)
    shipping_tax = sum((tax.amount for tax in _line_taxes(shipping, bill.digits)), _ZERO)
    shipping_net = shipping.amount - (shipping_tax if shipping.is_inclusive else _ZERO)
    gross = _gross([*taxed, shipping], tax_total, shipping_tax, bill)
    late = sum(after_tax, _ZERO)
    if not bill.is_discount_before_tax:
        late += bill.discount.of(gross - shipping_net - shipping_tax, bill.digits)
    return Totals(
        lines=tuple(_line_result(bill, index, taxed[index], before_tax[index]) for index in range(len(bill.lines))),
        taxes=taxes,
        sub_total=gross - tax_total - shipping_net + entity_before,
        sub_total_inclusive=stated if bill.is_inclusive else _ZERO,
        discount_total=entity_before + late,
        tax_total=tax_total,
        taxable_total=sum((one.amount for one in taxed if one.tax is not None), _ZERO),
        shipping_net=shipping_net,
        shipping_tax=shipping_tax,
        total=gross - late + round_half_up(bill.adjustment, bill.digits),
    )


def _line_amounts(bill: Bill) -> tuple[list[Decimal], list[Decimal]]:
    """Give each line's rounded amount as it goes into the taxes, and what its discount takes off afterwards."""
    amounts, later = [], []
    for line in bill.lines:
        full = line.rate * line.quantity
        off = line.discount.of(full, bill.digits)
        amounts.append(round_half_up(full - off if bill.is_discount_before_tax else full, bill.digits))
        later.append(_ZERO if bill.is_discount_before_tax else off)
    return amounts, later


def _spread(discount: Decimal, amounts: Sequence[Decimal], digits: int) -> list[Decimal]:
    """Share a discount out over amounts in proportion, to the last unit: the largest remainders get the odd ones."""
    whole = sum(amounts, _ZERO)
    if not discount or not whole:
        return [_ZERO for _ in amounts]
    exact = [discount * amount / whole for amount in amounts]
    shares = [round_half_up(share, digits) for share in exact]
    unit = Decimal(1).scaleb(-digits)
    missing = discount - sum(shares, _ZERO)
    step = unit if missing > 0 else -unit
    nearest = sorted(range(len(exact)), key=lambda index: (shares[index] - exact[index]) * step)
    for index in nearest[: int(abs(missing) / unit)]:
        shares[index] += step
    return shares


def _shipping(bill: Bill) -> _Taxed:
    inclusive = bill.is_inclusive if bill.is_shipping_inclusive is None else bill.is_shipping_inclusive
    return _Taxed(
        amount=round_half_up(bill.shipping_charge, bill.digits), tax=bill.shipping_tax, is_inclusive=inclusive
    )


def _taxes(taxed: Sequence[_Taxed], bill: Bill) -> tuple[TaxAmount, ...]:
    """Sum every tax over the lines: rounded once at the end, or on each line."""
    parts: dict[str, TaxPart] = {}
    amounts: dict[str, Fraction] = defaultdict(Fraction)
    bases: dict[str, Fraction] = defaultdict(Fraction)
    for one in taxed:
        for part, amount, base in one.exact():
            parts[part.tax_id] = part
            amounts[part.tax_id] += amount if bill.rounding == "entity_level" else Fraction(_whole(amount, bill.digits))
            bases[part.tax_id] += base
    return tuple(
        TaxAmount(
            tax_id=key,
            name=part.name,
            percentage=part.percentage,
            amount=_whole(amounts[key], bill.digits),
            base=_whole(bases[key], bill.digits),
        )
        for key, part in parts.items()
    )


def _line_taxes(taxed: _Taxed, digits: int) -> tuple[TaxAmount, ...]:
    return tuple(
        TaxAmount(tax_id=part.tax_id, name=part.name, percentage=part.percentage, amount=_whole(amount, digits))
        for part, amount, _ in taxed.exact()
    )


def _whole(amount: Fraction, digits: int) -> Decimal:
    """Round an exact amount to a number of digits after the point, a half away from zero."""
    units = int(abs(amount) * 10**digits + Fraction(1, 2))
    return Decimal(units if amount >= 0 else -units).scaleb(-digits)


def _gross(taxed: Sequence[_Taxed], tax_total: Decimal, shipping_tax: Decimal, bill: Bill) -> Decimal:
    """Give everything with tax in it. An inclusive amount has its tax in it already, an exclusive one gets it added."""
    *lines, shipping = taxed
    stated = sum((one.amount for one in lines), _ZERO)
    if bill.is_inclusive == shipping.is_inclusive:
        return stated + shipping.amount + (_ZERO if bill.is_inclusive else tax_total)
    return stated + shipping.amount + (shipping_tax if bill.is_inclusive else tax_total - shipping_tax)


def _line_result(bill: Bill, index: int, taxed: _Taxed, stated: Decimal) -> LineResult:
    line = bill.lines[index]
    taxes = _line_taxes(taxed, bill.digits)
    inside = sum(
        (tax.amount for tax in _line_taxes(_Taxed(amount=stated, tax=line.tax, is_inclusive=True), bill.digits)), _ZERO
    )
    return LineResult(
        discount_amount=line.discount.of(line.rate * line.quantity, bill.digits),
        stated_total=stated,
        item_total=stated - inside if bill.is_inclusive else stated,
        taxes=taxes,
    )
