"""Random orders of shops that compute as shops do, each consistent in itself, with the figures that they come to.

``make_order(seed, index)`` gives the same order every time. Nothing of Booked or of the stand-in is used: the figures
come from tests.money.shop_ways, in whole numbers.
"""

from dataclasses import dataclass, field
from random import Random
from typing import Any

from tests.money.amounts import PRICE_STEPS, QUANTITY_STEPS, minor, scaled, text, to_minor
from tests.money.shares import Feature
from tests.money.shop_ways import (
    WAYS,
    Lines,
    Tax,
    Way,
    coupon_fixed,
    coupon_percent,
    line_amount,
    percent_off,
    vat,
)

SHOP = "random"
DIGITS = {"EUR": 2, "USD": 2, "GBP": 2, "PLN": 2, "JPY": 0, "KRW": 0, "CLP": 0, "KWD": 3, "TND": 3, "BHD": 3}
_TWO, _OTHERS = ("EUR", "EUR", "EUR", "USD", "GBP", "PLN"), ("JPY", "KRW", "CLP", "KWD", "TND", "BHD")
# Rates in thousandths of a percent: those that countries have side by side.
COUNTRIES = (
    (22000, 10000, 5000, 4000),
    (21000, 9000),
    (19000, 7000),
    (20000, 10000, 5500),
    (25000, 12000, 6000),
    (27000, 18000, 5000),
    (8100, 2600, 3800),
    (23000, 13500, 9000),
    (8875,),
    (7250,),
    (20000, 0),
    (22000, 9500, 0),
)
GROUPS = (
    (Tax(rate=5000), Tax(rate=9975)),
    (Tax(rate=9000), Tax(rate=9000)),
    (Tax(rate=6250), Tax(rate=1000), Tax(rate=250)),
)
COMPOUND = (Tax(rate=5000), Tax(rate=8500, compound=True))


@dataclass(slots=True, kw_only=True)
class Charge:
    """One line, shipping or fee while the order is made; amounts in points, before its reductions."""

    amount: int
    taxes: tuple[Tax, ...]
    price: int = 0
    quantity: int = QUANTITY_STEPS
    discount: int = 0  # its own, told on it
    share: int = 0  # of coupons told on the order
    kind: str = "goods"
    parent: str = ""

    @property
    def base(self) -> int:
        """Give what tax is taken of."""
        return self.amount - self.discount - self.share


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """One order as the contract has it, and the truth about it; VAT per rate in points, by thousandths of a percent."""

    data: dict[str, Any]
    way: Way
    features: frozenset[Feature]
    digits: int
    total: int
    tax_by_rate: dict[int, int]
    tells_rates: bool


@dataclass(slots=True)
class _Draft:
    random: Random
    way: Way
    currency: str
    digits: int
    rates: tuple[int, ...]
    lines: list[Charge] = field(default_factory=list)
    shipping: list[Charge] = field(default_factory=list)
    fees: list[Charge] = field(default_factory=list)
    discounts: list[dict[str, Any]] = field(default_factory=list)
    after_tax: int = 0
    features: set[Feature] = field(default_factory=set)

    def chance(self, share: float) -> bool:
        return self.random.random() < share


def make_order(seed: int, index: int) -> Made:
    """Make the order of this number."""
    random = Random(seed * 10_000_019 + index)  # noqa: S311 - an order for a test, no secret
    way = random.choices(WAYS, weights=[way.weight for way in WAYS])[0]
    currency = random.choice(_OTHERS if random.random() < 0.13 else _TWO)
    draft = _Draft(random, way, currency, DIGITS[currency], random.choice(COUNTRIES))
    if draft.digits != 2:
        draft.features.add(Feature.OTHER_DECIMALS)
    if way.inclusive:
        draft.features.add(Feature.TAX_INSIDE)
    _draw_lines(draft)
    _draw_reductions(draft)
    _draw_shipping(draft)
    _draw_fees(draft)
    return _told(draft, index)


# ---- what is sold -----------------------------------------------------------------------------------------------


def _draw_lines(draft: _Draft) -> None:
    special = draft.chance(0.09)
    several = draft.chance(0.42)
    count = draft.random.choice((1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 7, 9, 12))
    if draft.chance(0.015):
        count = draft.random.randint(20, 40)
    group = _special_taxes(draft) if special else None
    for _ in range(count):
        rate = draft.random.choice(draft.rates) if several else draft.rates[0]
        taxes = group if group and draft.chance(0.7) else (Tax(rate=rate),)
        draft.lines.append(_line(draft, taxes))
    if special and group is None:
        draft.features |= {Feature.SPECIAL, Feature.GIFT_SOLD}
        worth = draft.random.choice((10, 25, 50, 100)) * (100 if draft.digits == 0 else 1)
        price = worth * PRICE_STEPS
        draft.lines.append(Charge(amount=price * QUANTITY_STEPS, price=price, taxes=(), kind="gift_card"))
    if draft.chance(0.05):
        draft.features.add(Feature.BUNDLE)
        parent = draft.random.randrange(len(draft.lines))
        taxes = draft.lines[parent].taxes
        draft.lines.append(Charge(amount=0, price=0, taxes=taxes, parent=str(parent + 1)))
    if len(draft.lines) >= 5:
        draft.features.add(Feature.FIVE_LINES)
    if len(draft.lines) >= 20:
        draft.features.add(Feature.TWENTY_LINES)


def _special_taxes(draft: _Draft) -> tuple[Tax, ...] | None:
    """Choose what makes the order special: several taxes or a compound one on net prices, else gift cards (None)."""
    if draft.way.inclusive or draft.chance(0.4):
        return None
    draft.features.add(Feature.SPECIAL)
    if draft.chance(0.4):
        draft.features.add(Feature.COMPOUND)
        return COMPOUND
    draft.features.add(Feature.TAX_GROUP)
    return draft.random.choice(GROUPS)


def _line(draft: _Draft, taxes: tuple[Tax, ...]) -> Charge:
    random, digits = draft.random, draft.digits
    low, high = 50, 30_000
    step = PRICE_STEPS // 10 ** min(digits, 3)
    price = int(low * (high / low) ** random.random()) * (PRICE_STEPS // 100 if digits else PRICE_STEPS)
    price = price // step * step
    quantity = random.choice((1, 1, 1, 1, 2, 2, 3, 4, 6, 10, 24)) * QUANTITY_STEPS
    if draft.chance(0.06):
        draft.features |= {Feature.FINE_FIGURES, Feature.FINE_PRICE}
        price = price // step * step + random.randrange(1, step) if step > 1 else price
    elif draft.chance(0.04) and draft.way.lines is not Lines.PIECES:
        draft.features |= {Feature.FINE_FIGURES, Feature.FRACTION}
        quantity = random.choice((250, 500, 750, 1250, 333, 1500, 125, 2340))
    return Charge(amount=line_amount(draft.way, price, quantity, digits), price=price, quantity=quantity, taxes=taxes)


# ---- what comes off -----------------------------------------------------------------------------------------------


def _draw_reductions(draft: _Draft) -> None:
    if draft.chance(0.24):
        _discount_lines(draft)
    if draft.chance(0.30):
        _coupon(draft)
    if draft.chance(0.025):
        _after_tax(draft)


def _discount_lines(draft: _Draft) -> None:
    unit = minor(draft.digits)
    for line in draft.lines:
        if line.kind != "goods" or line.amount < unit or not draft.chance(0.5):
            continue
        pieces = max(line.quantity // QUANTITY_STEPS, 1)
        sort = draft.random.random()
        if sort < 0.5:
            line.discount = percent_off(
                draft.way, line.amount, draft.random.choice((5, 10, 15, 20, 33, 50)), pieces, draft.digits
            )
        elif sort < 0.8:
            line.discount = draft.random.randint(1, max(line.amount // unit // 2, 1)) * unit
        elif sort < 0.9 and pieces > 1:
            line.discount = to_minor(line.amount // pieces, draft.digits)  # the second one for nothing
        else:
            draft.features.add(Feature.FREE_LINE)
            line.discount = line.amount
        if line.discount:
            draft.features |= {Feature.DISCOUNT, Feature.LINE_DISCOUNT}


def _coupon(draft: _Draft) -> None:
    """Take a coupon off some or all lines; a shop tells it on the lines, or on the order."""
    chosen = [line for line in draft.lines if line.kind == "goods"]
    some = len(chosen) > 1 and draft.chance(0.2)
    if some:
        chosen = sorted(draft.random.sample(chosen, len(chosen) - 1), key=draft.lines.index)
    amounts = [line.base for line in chosen]
    if draft.chance(0.5):
        shares = coupon_percent(draft.way, amounts, draft.random.choice((5, 10, 12, 20, 25, 30, 100)), draft.digits)
    else:
        pieces = [max(line.quantity // QUANTITY_STEPS, 1) for line in chosen]
        value = draft.random.choice((1, 5, 10, 20, 50)) * (100 if draft.digits != 3 else 1000) - draft.random.choice(
            (0, 1)
        )
        shares = coupon_fixed(draft.way, amounts, pieces, value, draft.digits)
    if not sum(shares):
        return
    draft.features.add(Feature.DISCOUNT)
    on_order = not draft.way.tells_shares
    for line, share in zip(chosen, shares, strict=True):
        if on_order:
            line.share += share
        else:
            line.discount += share
    if on_order:
        ids = [str(draft.lines.index(line) + 1) for line in chosen] if some or len(chosen) < len(draft.lines) else []
        draft.discounts.append({"code": "SAVE", "amount": text(sum(shares)), "line_ids": ids})
        draft.features |= {Feature.COUPON_ON_ORDER} | ({Feature.COUPON_OF_LINES} if some else set())
    else:
        draft.features.add(Feature.COUPON_IN_LINES)


def _after_tax(draft: _Draft) -> None:
    """A voucher of the shop that leaves VAT alone."""
    unit = minor(draft.digits)
    most = sum(to_minor(line.base, draft.digits) for line in draft.lines) // unit // 3
    if most < 1:
        return
    draft.after_tax = draft.random.randint(1, most) * unit
    draft.discounts.append({"code": "VOUCHER", "amount": text(draft.after_tax), "before_tax": False})
    draft.features |= {Feature.DISCOUNT, Feature.AFTER_TAX}


# ---- shipping and fees --------------------------------------------------------------------------------------------


def _draw_shipping(draft: _Draft) -> None:
    if not draft.chance(0.6):
        return
    unit = minor(draft.digits)
    first = draft.lines[0].taxes
    taxes = first or (Tax(rate=draft.rates[0]),)
    if draft.chance(0.5):
        others = [rate for rate in (*draft.rates, 0) if (Tax(rate=rate),) != first]
        taxes = (Tax(rate=draft.random.choice(others)),)
    amount = draft.random.randint(200, 2500) * (unit if draft.digits != 3 else unit * 10)
    charge = Charge(amount=amount, taxes=taxes)
    if draft.chance(0.1):
        charge.discount = amount if draft.chance(0.6) else draft.random.randint(1, amount // unit) * unit
        draft.features |= {Feature.DISCOUNT, Feature.SHIPPING_DISCOUNT}
    if taxes != first:
        draft.features.add(Feature.SHIPPING_RATE)
    draft.shipping.append(charge)


def _draw_fees(draft: _Draft) -> None:
    if not draft.chance(0.08):
        return
    draft.features.add(Feature.FEE)
    unit = minor(draft.digits)
    tip = draft.chance(0.3)
    taxes = () if tip else (Tax(rate=draft.rates[0]),)
    draft.fees.append(Charge(amount=draft.random.randint(20, 900) * unit, taxes=taxes, kind="tip" if tip else "fee"))


# ---- what the shop tells -----------------------------------------------------------------------------------------


def _told(draft: _Draft, index: int) -> Made:
    charges = [*draft.lines, *draft.shipping, *draft.fees]
    by_rate, each = vat(draft.way, [(charge.base, charge.taxes) for charge in charges], draft.digits)
    tax = sum(by_rate.values())
    bases = sum(charge.base for charge in charges)
    total = to_minor(bases, draft.digits) + (0 if draft.way.inclusive else tax) - draft.after_tax
    tells = draft.random.random()
    tells_rates = tells < 0.9
    tells_lines = 0.7 < tells < 0.9 and not draft.way.per_rate
    if len({tax.rate for charge in charges for tax in charge.taxes if charge.base}) > 1:
        draft.features.add(Feature.SEVERAL_RATES)
    amounts = iter(each if tells_lines else [[]] * len(charges))
    data: dict[str, Any] = {
        "shop_id": SHOP,
        "order_id": str(index),
        "version": 1,
        "paid_at": "2026-03-14T12:00:00Z",
        "currency": draft.currency,
        "prices_include_tax": draft.way.inclusive,
        "customer": {"email": f"{index}@shop.example"},
        "lines": [_line_data(draft, at, line, next(amounts)) for at, line in enumerate(draft.lines, 1)],
        "discounts": draft.discounts,
        "shipping": [
            {
                "method": "Parcel",
                "amount": text(one.amount),
                "discount": text(one.discount),
                "taxes": _taxes(one, next(amounts)),
            }
            for one in draft.shipping
        ],
        "fees": [
            {"name": "Extra", "kind": one.kind, "amount": text(one.amount), "taxes": _taxes(one, next(amounts))}
            for one in draft.fees
        ],
        "totals": {"grand_total": text(total), "tax": text(tax)},
    }
    if tells_rates and not tells_lines:
        data["totals"]["tax_by_rate"] = [
            {"rate": scaled(rate, 1000), "tax": text(amount)} for rate, amount in by_rate.items()
        ]
    if total > 0 and draft.chance(0.03):
        draft.features |= {Feature.SPECIAL, Feature.GIFT_PAID}
        data["payments"] = [{"kind": "gift_card", "method": "gift card", "amount": text(total)}]
    return Made(
        data=data,
        way=draft.way,
        features=frozenset(draft.features),
        digits=draft.digits,
        total=total,
        tax_by_rate=by_rate,
        tells_rates=tells_rates,
    )


def _line_data(draft: _Draft, at: int, line: Charge, amounts: list[int]) -> dict[str, Any]:
    data = {
        "id": str(at),
        "name": f"Product {at}",
        "kind": line.kind,
        "quantity": scaled(line.quantity, QUANTITY_STEPS),
        "unit_price": scaled(line.price, PRICE_STEPS),
        "discount": text(line.discount),
        "taxes": _taxes(line, amounts),
    }
    if line.parent:
        data["parent_id"] = line.parent
    if draft.way.lines is not Lines.ROUNDED or draft.chance(0.5):
        data["total"] = text(line.amount - line.discount)
    return data


def _taxes(charge: Charge, amounts: list[int]) -> list[dict[str, Any]]:
    told = [{"rate": scaled(tax.rate, 1000), **({"compound": True} if tax.compound else {})} for tax in charge.taxes]
    return [{**tax, "amount": text(amount)} for tax, amount in zip(told, amounts, strict=True)] if amounts else told
