"""How a shop rounds VAT, told from its orders' own figures, and what share of them an organisation's setting concerns.

Two questions that are kept apart. What the figures say: the tax that the shop states against what once per rate and
what each line give. And what it costs: how many orders the mapping can book under the one setting and not under the
other; that is the truth of a booking, whatever the shop had in mind.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from consumer.domain.ledger import LedgerFacts, TaxRounding
from consumer.domain.mapping import Mapped, map_order
from consumer.domain.money import ZERO, minor_digits, round_half_up
from consumer.domain.orders import Order, Tax
from consumer.domain.settings import ConnectionSettings, ShopSettings

_HUNDRED = Decimal(100)
CLEARLY = 9  # times as many orders must speak for the one way as for the other


class Evidence(StrEnum):
    """What one order's figures say of how its shop rounds."""

    PER_RATE = "per_rate"
    PER_LINE = "per_line"
    EITHER = "either"  # both ways give the stated figures, or the order states none
    NEITHER = "neither"  # no way does: the shop computes otherwise, or the order contradicts itself


@dataclass(frozen=True, slots=True)
class _Taxed:
    """An amount with the rate that lies on it or within it."""

    amount: Decimal
    rate: Decimal
    inclusive: bool

    def tax(self) -> Decimal:
        """Give the exact tax."""
        return self.amount * self.rate / (_HUNDRED + self.rate if self.inclusive else _HUNDRED)


def evidence(order: Order) -> Evidence:
    """Tell how the shop rounded in this order, from nothing but the order.

    Orders with discounts on the whole, or with several taxes on a line, say nothing: how a shop spreads those over its
    lines is another question. So say orders that state no tax in sum.
    """
    taxed = _taxed(order)
    stated = order.totals.tax_by_rate or order.totals.tax
    if taxed is None or stated is None or stated == ():
        return Evidence.EITHER
    digits = minor_digits(order.currency)
    per_rate, per_line = _once_per_rate(taxed, digits), _on_each_line(taxed, digits)
    fits_rate, fits_line = _fits(order, per_rate), _fits(order, per_line)
    if fits_rate and fits_line:
        return Evidence.EITHER
    if not fits_rate and not fits_line:
        return Evidence.NEITHER
    return Evidence.PER_RATE if fits_rate else Evidence.PER_LINE


def _taxed(order: Order) -> list[_Taxed] | None:
    """Give the amounts that the order is taxed on; None where they cannot be told without spreading a sum."""
    if any(discount.amount for discount in order.discounts):
        return None
    rows: list[tuple[Decimal, Sequence[Tax], bool]] = [
        (
            line.quantity * line.unit_price - line.discount if line.total is None else line.total,
            line.taxes,
            line.prices_include_tax,
        )
        for line in order.lines
    ]
    rows += [(one.amount - one.discount, one.taxes, order.prices_include_tax) for one in order.shipping]
    rows += [(one.amount, one.taxes, order.prices_include_tax) for one in order.fees]
    if any(len(taxes) > 1 for _, taxes, _ in rows):
        return None
    digits = minor_digits(order.currency)
    return [
        _Taxed(round_half_up(amount, digits), taxes[0].rate, inclusive) for amount, taxes, inclusive in rows if taxes
    ]


def _once_per_rate(taxed: Iterable[_Taxed], digits: int) -> dict[Decimal, Decimal]:
    sums: dict[Decimal, Decimal] = {}
    for one in taxed:
        sums[one.rate] = sums.get(one.rate, ZERO) + one.tax()
    return {rate: round_half_up(tax, digits) for rate, tax in sums.items()}


def _on_each_line(taxed: Iterable[_Taxed], digits: int) -> dict[Decimal, Decimal]:
    sums: dict[Decimal, Decimal] = {}
    for one in taxed:
        sums[one.rate] = sums.get(one.rate, ZERO) + round_half_up(one.tax(), digits)
    return sums


def _fits(order: Order, taxes: dict[Decimal, Decimal]) -> bool:
    nonzero = {rate: tax for rate, tax in taxes.items() if tax}
    if order.totals.tax_by_rate:
        return nonzero == {row.rate: row.tax for row in order.totals.tax_by_rate if row.tax}
    return sum(nonzero.values(), ZERO) == order.totals.tax


# ---- over a sample -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class ShopRounding:
    """What a sample of a shop's orders says: how it rounds, and how many can be booked under one setting only."""

    shop_id: str
    orders: int
    told: Counter[Evidence]
    only_per_rate: int = 0
    only_per_line: int = 0

    @property
    def way(self) -> TaxRounding:
        """Give how the shop rounds; UNKNOWN where nothing tells, or its orders contradict each other."""
        rate = self.told[Evidence.PER_RATE]
        line = self.told[Evidence.PER_LINE]
        if not rate + line:
            # The stated figures are silent (every order has a coupon, perhaps): what can be booked speaks.
            rate, line = self.only_per_rate, self.only_per_line
        if rate > CLEARLY * line:
            return TaxRounding.PER_RATE
        return TaxRounding.PER_LINE if line > CLEARLY * rate else TaxRounding.UNKNOWN

    @property
    def needed(self) -> TaxRounding:
        """Give the setting that books more of the sample; UNKNOWN where both book the same."""
        if self.only_per_rate == self.only_per_line:
            return TaxRounding.UNKNOWN
        return TaxRounding.PER_RATE if self.only_per_rate > self.only_per_line else TaxRounding.PER_LINE

    def lost_under(self, setting: TaxRounding) -> int:
        """Count the orders that this setting of the organisation cannot book and the other can."""
        return {TaxRounding.PER_RATE: self.only_per_line, TaxRounding.PER_LINE: self.only_per_rate}.get(setting, 0)


def survey(
    shop: ShopSettings,
    orders: Sequence[tuple[Order, datetime | None]],
    *,
    facts: LedgerFacts,
    connection: ConnectionSettings,
) -> ShopRounding:
    """Look at a sample: orders, each with the moment of its payment. An item is never looked up for it."""

    def booked(order: Order, moment: datetime | None, way: TaxRounding) -> bool:
        mapped = map_order(
            order,
            facts=replace(facts, rounding=way),
            shop=shop,
            connection=connection,
            contact_id="",
            paid_moment=moment,
            document_n=1,
            items={},
            now=moment,
        )
        return isinstance(mapped, Mapped)

    told, only = _counted(orders, booked)
    return ShopRounding(
        shop_id=shop.shop_id,
        orders=len(orders),
        told=told,
        only_per_rate=only[TaxRounding.PER_RATE],
        only_per_line=only[TaxRounding.PER_LINE],
    )


def _counted(
    orders: Sequence[tuple[Order, datetime | None]], booked: Callable[[Order, datetime | None, TaxRounding], bool]
) -> tuple[Counter[Evidence], Counter[TaxRounding]]:
    told: Counter[Evidence] = Counter()
    only: Counter[TaxRounding] = Counter()
    for order, moment in orders:
        told[evidence(order)] += 1
        per_rate, per_line = (booked(order, moment, way) for way in (TaxRounding.PER_RATE, TaxRounding.PER_LINE))
        if per_rate != per_line:
            only[TaxRounding.PER_RATE if per_rate else TaxRounding.PER_LINE] += 1
    return told, only
