"""What a Shopify order may charge beside lines and shipping, and which of it its total really holds.

Tips, duties and cash rounding stand in fields of their own, and versions and markets differ in whether the total
holds them. The order's own total decides: a part is charged where only with it the parts give the total.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import product
from typing import Any

from consumer.sources.shopify.lines import Sold
from consumer.sources.shopify.payload import ZERO, Row, mapping, money, places, set_money, text, told, written
from consumer.sources.shopify.taxes import TaxLine, charged, tax_lines

_SWITCHES_MAX = 6  # 64 ways to read an order; no order is known to have more than four of these


@dataclass(frozen=True, slots=True, kw_only=True)
class Extra:
    """One charge that the total may hold; ``usual`` says that it does where the total does not tell."""

    name: str
    kind: str
    amount: Decimal
    taxes: tuple[TaxLine, ...] = ()
    usual: bool = True

    def fee(self) -> dict[str, Any]:
        """Give it as a fee of the contract."""
        taxes = [tax.wire() for tax in charged(self.taxes, self.amount)]
        return {"name": self.name, "kind": self.kind, "amount": written(self.amount), **told(taxes=taxes)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Coupon:
    """A discount of the order as a whole, which old payloads allocate to no line."""

    code: str
    amount: Decimal
    is_shipping: bool
    is_told: bool = True  # false for what only the order's sum of discounts tells

    def discount(self) -> dict[str, Any]:
        """Give it as a discount of the contract."""
        target = "shipping" if self.is_shipping else None
        return {"amount": written(self.amount), **told(code=self.code, target=target)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What the order charges, as it was sold."""

    lines: tuple[Sold, ...]
    shipping: tuple[Sold, ...]
    extras: tuple[Extra, ...]
    tax_on_top: Decimal  # zero where the prices include tax
    coupons: tuple[Coupon, ...] = ()

    @property
    def total(self) -> Decimal:
        """Give what the parts come to, with tax."""
        charges = [*(sold.net for sold in (*self.lines, *self.shipping)), *(extra.amount for extra in self.extras)]
        return sum(charges, self.tax_on_top) - sum((coupon.amount for coupon in self.coupons), ZERO)


def settled(choices: Iterable[Parts], total: Decimal) -> Parts:
    """Give the first of the readings (there is at least one) that gives the total, else the first."""
    usual: Parts | None = None
    for parts in choices:
        if parts.total == total:
            return parts
        usual = usual or parts
    if usual is None:
        raise ValueError("there is no reading of the order to choose from")
    return usual


def readings(
    order: Row, lines: tuple[Sold, ...], shipping: tuple[Sold, ...], *, tax_on_top: Decimal
) -> Iterator[Parts]:
    """Give the ways in which the order can be read, the usual one first. Raises NotTranslatedError."""
    extras = extras_of(order, lines)
    # A discount that no code tells is the last resort: first all that the payload does tell must have been tried.
    for told_by_codes in (True, False):
        for switched in _switches(extras):
            charged_extras = tuple(extra for extra, is_in in zip(extras, switched, strict=True) if is_in)
            for line_choice, sent in product(_line_choices(lines), _shipping_choices(shipping)):
                parts = Parts(lines=line_choice, shipping=sent, extras=charged_extras, tax_on_top=tax_on_top)
                for coupons in coupons_of(order, line_choice, sent):
                    if all(coupon.is_told for coupon in coupons) is told_by_codes:
                        yield replace(parts, coupons=coupons)


def extras_of(order: Row, lines: Sequence[Sold]) -> tuple[Extra, ...]:
    """Read what may be charged beside lines and shipping. Raises NotTranslatedError where a figure is none."""
    found = [
        Extra(name="Tip", kind="tip", amount=_tip(order, lines)),
        *_duties(order),
        Extra(
            name="Additional fees",
            kind="fee",
            amount=set_money(order, "original_total_additional_fees_set") or ZERO,
        ),
        Extra(
            name="Cash rounding",
            kind="rounding",
            amount=set_money(order, "total_cash_rounding_payment_adjustment_set") or ZERO,
            usual=False,  # it changes what is paid at the till, and not the price
        ),
    ]
    return tuple(extra for extra in found if extra.amount)


def coupons_of(order: Row, lines: Sequence[Sold], shipping: Sequence[Sold]) -> list[tuple[Coupon, ...]]:
    """Give the order's discounts that no line holds: the likeliest reading first. Raises NotTranslatedError."""
    codes = tuple(
        Coupon(
            code=text(row.get("code")),
            amount=abs(money(row, "amount", place) or ZERO),
            is_shipping=text(row.get("type")) == "shipping",
        )
        for place, row in places(order.get("discount_codes"), "discount_codes")
    )
    draft = money(mapping(order.get("applied_discount")), "amount", "applied_discount")
    if draft:
        codes = (*codes, Coupon(code="", amount=draft, is_shipping=False))
    codes = tuple(coupon for coupon in codes if coupon.amount)
    held = sum((sold.discount for sold in (*lines, *shipping)), ZERO)
    stated = money(order, "total_discounts")
    left = sum((coupon.amount for coupon in codes), ZERO) if stated is None else stated - held
    if stated is None and draft:
        return [codes, ()]
    if left <= 0 or (stated is None and held):
        return [(), codes] if codes else [()]
    if sum((coupon.amount for coupon in codes), ZERO) == left:
        return [codes, ()]
    return [(Coupon(code=codes[0].code if codes else "", amount=left, is_shipping=False, is_told=False),), (), codes]


def _line_choices(lines: tuple[Sold, ...]) -> list[tuple[Sold, ...]]:
    """Give the lines with what was allocated to them; then with their own reductions added (some apps part them)."""
    both = tuple(
        replace(line, discount=line.discount + line.own_discount) if line.discount != line.own_discount else line
        for line in lines
    )
    return [lines] if both == lines else [lines, both]


def _shipping_choices(shipping: tuple[Sold, ...]) -> list[tuple[Sold, ...]]:
    """Give all shipping lines, then those that no edit removed: the total may or may not hold a removed one."""
    kept = tuple(sold for sold in shipping if not sold.is_removed)
    return [shipping] if kept == shipping else [shipping, kept]


def _switches(extras: Sequence[Extra]) -> list[tuple[bool, ...]]:
    """Give which extras are in, the usual way first, then those that differ from it in the fewest."""
    usual = tuple(extra.usual for extra in extras)
    if len(extras) > _SWITCHES_MAX:
        return [usual]
    ways = product((True, False), repeat=len(extras))
    return sorted(ways, key=lambda way: sum(is_in != was for is_in, was in zip(way, usual, strict=True)))


def _tip(order: Row, lines: Sequence[Sold]) -> Decimal:
    """Give the tip that no line holds."""
    held = sum((line.net for line in lines if line.is_tip), ZERO)
    return max((money(order, "total_tip_received") or ZERO) - held, ZERO)


def _duties(order: Row) -> list[Extra]:
    """Give the duties, line by line where the lines tell them; prices may hold them already."""
    if order.get("duties_included") is True:
        return []
    on_lines = [
        Extra(
            name="Duties",
            kind="fee",
            amount=money(duty, "price", where) or set_money(duty, "shop_money", where) or ZERO,
            taxes=tax_lines(duty.get("tax_lines"), where),
        )
        for place, row in places(order.get("line_items"), "line_items")
        for where, duty in places(row.get("duties"), f"{place}.duties")
    ]
    if sum((duty.amount for duty in on_lines), ZERO):
        return _joined(on_lines)
    total = money(order, "total_duties") or set_money(order, "original_total_duties_set") or ZERO
    return [Extra(name="Duties", kind="fee", amount=total)]


def _joined(duties: Sequence[Extra]) -> list[Extra]:
    """Sum the duties of equal rates: each is in or out with the others, and a thousand switches would never end."""
    groups: dict[tuple[Decimal, ...], list[Extra]] = {}
    for duty in duties:
        groups.setdefault(tuple(tax.rate for tax in duty.taxes), []).append(duty)
    return [
        Extra(
            name="Duties",
            kind="fee",
            amount=sum((duty.amount for duty in group), ZERO),
            taxes=tuple(
                TaxLine(name=tax.name, rate=tax.rate, amount=_summed(group, at))
                for at, tax in enumerate(group[0].taxes)
            ),
        )
        for group in groups.values()
    ]


def _summed(group: Sequence[Extra], at: int) -> Decimal:
    return sum((duty.taxes[at].amount or ZERO for duty in group), ZERO)
