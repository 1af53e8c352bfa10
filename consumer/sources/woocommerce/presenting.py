"""Whether an order's amounts are delivered with or without tax: so that they give the shop's own total to the cent.

WooCommerce keeps amounts without tax, and REST rounds them. A cup of 10.00 with 21 % in it comes as 8.26 and 1.74; two
lines of it as 16.52, and 3.47 of tax, which is 19.99. With tax they are the prices that the customer saw: 20.00.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_DOWN, ROUND_HALF_UP, Decimal

from consumer.domain.money import round_half_up
from consumer.sources.woocommerce.charges import Charge, ShopTax, factor
from consumer.sources.woocommerce.payload import ZERO, decimals


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One charge as it is delivered: ``amount`` after its discount and ``before`` it."""

    charge: Charge
    amount: Decimal
    before: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """All charges of an order in one way, with tax or without."""

    inclusive: bool
    shown: tuple[Shown, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What the charges must come to: total and tax of the order as stated, and the currency's decimals."""

    total: Decimal
    tax: Decimal
    digits: int
    inclusive: bool  # how the shop enters its prices


def shape_of(charges: Sequence[Charge], taxes: dict[str, ShopTax], figures: Figures) -> Shape:
    """Choose the first way that gives the total; where none does, the shop's own way, so that its figures are shown."""
    net = Shape(inclusive=False, shown=tuple(_net(charge) for charge in charges))
    fine = Shape(inclusive=False, shown=tuple(_net_fine(charge) for charge in charges))
    gross = _gross(charges, taxes, figures)
    ways: tuple[Shape, ...] = (net, fine, gross)
    if figures.inclusive:
        # Amounts with tax are what the customer saw where they are whole prices. 2 x 4.00 in a shop that rounds its net
        # first came to 8.01: no price of anything, so what the shop keeps is taken before.
        stated = replace(figures, total=sum((_with_tax(charge, figures.digits) for charge in charges), ZERO))
        ways = (gross, *ways) if _are_prices(gross, figures.digits) else (_gross(charges, taxes, stated), *ways)
    return next((way for way in ways if _follows(way, figures)), ways[0])


def _are_prices(shape: Shape, digits: int) -> bool:
    return all(decimals(one.before / (one.charge.quantity or 1)) <= digits for one in shape.shown)


def _follows(shape: Shape, figures: Figures) -> bool:
    total = sum((one.amount for one in shape.shown), ZERO) + (ZERO if shape.inclusive else figures.tax)
    inexact = sum(decimals(one.amount) > figures.digits for one in shape.shown)
    return abs(total - figures.total) <= inexact * Decimal(5).scaleb(-figures.digits - 1)


def _net(charge: Charge) -> Shown:
    return Shown(charge=charge, amount=charge.net, before=charge.net_before)


def _net_fine(charge: Charge) -> Shown:
    before = charge.net_fine if charge.net_before == charge.net else charge.net_before
    return Shown(charge=charge, amount=charge.net_fine, before=before)


def _with_tax(charge: Charge, digits: int) -> Decimal:
    return round_half_up(charge.net + charge.tax, digits)


# ---- with tax -------------------------------------------------------------------------------------------------------


def _gross(charges: Sequence[Charge], taxes: dict[str, ShopTax], figures: Figures) -> Shape:
    digits = figures.digits
    amounts = [_with_tax(charge, digits) for charge in charges]
    amounts = _moved(amounts, charges, taxes, figures)
    shown = (
        Shown(charge=charge, amount=amount, before=_before(charge, amount, taxes, digits))
        for charge, amount in zip(charges, amounts, strict=True)
    )
    return Shape(inclusive=True, shown=tuple(shown))


def _moved(
    amounts: list[Decimal], charges: Sequence[Charge], taxes: dict[str, ShopTax], figures: Figures
) -> list[Decimal]:
    """Undo the rounding of net and tax apart: 9.99 at 20 % is 8.325 and 1.665, stated as 8.33 and 1.67, or 10.00.

    A minor unit is moved only where the other amount has the very net and tax that the shop states, and only as many
    as the total tells; the amounts whose own two figures deny them first.
    """
    unit = Decimal(1).scaleb(-figures.digits)
    missing = figures.total - sum(amounts, ZERO)
    step = unit if missing > 0 else -unit
    count = int(abs(missing) / unit)
    if not count or count > len(amounts):
        return amounts
    places = [
        at
        for at, charge in enumerate(charges)
        if charge.net
        and _has_figures(amounts[at] + step, charge.net, charge.tax, factor(charge, taxes), figures.digits)
    ]
    if len(places) < count:
        return amounts
    places.sort(
        key=lambda at: _has_figures(
            amounts[at], charges[at].net, charges[at].tax, factor(charges[at], taxes), figures.digits
        )
    )
    chosen = set(places[:count])
    return [amount + step if at in chosen else amount for at, amount in enumerate(amounts)]


def _has_figures(gross: Decimal, net: Decimal, tax: Decimal, times: Decimal, digits: int) -> bool:
    """Tell whether a price with tax has this net and this tax, rounded as they are written; a half to either side."""
    exact = gross / times
    return _rounds_to(exact, net, digits) and _rounds_to(gross - exact, tax, digits)


def _rounds_to(exact: Decimal, stated: Decimal, digits: int) -> bool:
    unit = Decimal(1).scaleb(-max(digits, min(decimals(stated), 6)))
    return stated in (exact.quantize(unit, rounding=way) for way in (ROUND_HALF_UP, ROUND_HALF_DOWN))


def _before(charge: Charge, amount: Decimal, taxes: dict[str, ShopTax], digits: int) -> Decimal:
    """Give the amount before the discount: of those that have the stated figures one that is a whole price each."""
    if charge.net_before == charge.net:
        return amount
    nearest = round_half_up(charge.net_before + charge.tax_before, digits)
    unit, times = Decimal(1).scaleb(-digits), factor(charge, taxes)
    for candidate in (nearest, nearest - unit, nearest + unit):
        whole = not charge.quantity or decimals(candidate / charge.quantity) <= digits
        if whole and _has_figures(candidate, charge.net_before, charge.tax_before, times, digits):
            return candidate
    return nearest


def without_rise(shown: Shown) -> Shown:
    """Take an amount above its own subtotal as its price: a discount below zero would be none."""
    lower = abs(shown.before) < abs(shown.amount) or shown.before * shown.amount < 0
    return replace(shown, before=shown.amount) if lower else shown
