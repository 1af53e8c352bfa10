"""A judge of orders: whether an order's own parts give its stated total and tax. It uses nothing of what it judges.

Exact fractions. An order is consistent when one way of computing gives both figures: amounts exact or rounded per line,
piece or rate; tax rounded on each piece, each line, once per rate or only in the sum, halves up or down; a total may be
rounded once at the end. What a platform states beside the lines (tax of a line, of a rate) has to fit as well.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import product
from typing import Any

DIGITS = {"JPY": 0, "KRW": 0, "CLP": 0, "ISK": 0, "VND": 0, "KWD": 3, "BHD": 3, "TND": 3, "JOD": 3, "OMR": 3}
NOUGHT = Fraction(0)
Figures = tuple[Fraction, Fraction]


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What the judge says; differences are what the nearest way gives less what is stated, zero where consistent."""

    consistent: bool
    difference: Fraction = NOUGHT
    tax_difference: Fraction = NOUGHT


@dataclass(frozen=True, slots=True)
class Part:
    """One charge after its reductions; ``rates`` are fractions of the net, compound ones already worked out.

    ``by_piece`` is its amount where the price of one piece is rounded first, if that is another one.
    """

    amount: Fraction
    rates: tuple[Fraction, ...]
    inclusive: bool
    pieces: int = 1
    by_piece: Fraction | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stated:
    """What the order says of itself; ``off_after_tax`` lowers the total and no tax."""

    total: Fraction
    tax: Fraction | None
    digits: int
    off_after_tax: Fraction = NOUGHT


def number(value: Any) -> Fraction:
    """Read an amount; nothing is nought."""
    return Fraction(str(value)) if value not in (None, "") else NOUGHT


def rounded(value: Fraction, digits: int, *, down: bool = False) -> Fraction:
    """Round to so many decimals, halves away from nought, or towards it."""
    scaled = abs(value) * 10**digits
    whole = scaled.numerator // scaled.denominator
    rest = scaled - whole
    up = rest > Fraction(1, 2) or (rest == Fraction(1, 2) and not down)
    return Fraction(whole + up, 10**digits) * (-1 if value < 0 else 1)


def judge(parts: Sequence[Part], stated: Stated) -> Judgement:
    """Judge by total and tax."""
    best: tuple[Fraction, Judgement] | None = None
    for total, tax in _ways(parts, stated):
        off = total - stated.total
        tax_off = NOUGHT if stated.tax is None else tax - stated.tax
        if not off and not tax_off:
            return Judgement(consistent=True)
        distance = abs(off) + abs(tax_off)
        if best is None or distance < best[0]:
            best = (distance, Judgement(consistent=False, difference=off, tax_difference=tax_off))
    if best is None:
        raise ValueError("an order has at least one way of computing")
    return best[1]


def _ways(parts: Sequence[Part], stated: Stated) -> Iterator[Figures]:
    """Give total and tax in every way that shops compute."""
    digits = stated.digits
    for amounts, down in product((_exact, _by_line, _by_rate, _by_piece), (False, True)):
        taken = amounts(parts, digits)
        net = sum((part.amount for part in taken), NOUGHT) - stated.off_after_tax
        taxes = [[(part, rate, _tax(part, rate)) for rate in part.rates] for part in taken]
        flat = [entry for entries in taxes for entry in entries]
        exact = sum((tax for part, _, tax in flat if not part.inclusive), NOUGHT)
        for sums in (_once, _per_rate, _per_line, _per_piece):
            tax, on_top = sums(flat, digits, down=down)
            yield rounded(net + on_top, digits), tax
            yield rounded(net + exact, digits), tax


def _exact(parts: Sequence[Part], _digits: int) -> Sequence[Part]:
    return parts


def _by_line(parts: Sequence[Part], digits: int) -> Sequence[Part]:
    return [replace(part, amount=rounded(part.amount, digits)) for part in parts]


def _by_piece(parts: Sequence[Part], digits: int) -> Sequence[Part]:
    first = [part if part.by_piece is None else replace(part, amount=part.by_piece) for part in parts]
    return _by_line(first, digits)


def _by_rate(parts: Sequence[Part], digits: int) -> Sequence[Part]:
    sums: dict[tuple[tuple[Fraction, ...], bool], Fraction] = {}
    for part in parts:
        key = (part.rates, part.inclusive)
        sums[key] = sums.get(key, NOUGHT) + part.amount
    return [Part(rounded(amount, digits), rates, within) for (rates, within), amount in sums.items()]


def _tax(part: Part, rate: Fraction) -> Fraction:
    return part.amount * rate / (1 + sum(part.rates, NOUGHT) if part.inclusive else 1)


_Entries = Sequence[tuple[Part, Fraction, Fraction]]


def _once(entries: _Entries, digits: int, *, down: bool) -> Figures:
    whole = rounded(sum((tax for *_, tax in entries), NOUGHT), digits, down=down)
    top = rounded(sum((tax for part, _, tax in entries if not part.inclusive), NOUGHT), digits, down=down)
    return whole, top


def _per_rate(entries: _Entries, digits: int, *, down: bool) -> Figures:
    sums: dict[tuple[Fraction, bool], Fraction] = {}
    for part, rate, tax in entries:
        sums[rate, part.inclusive] = sums.get((rate, part.inclusive), NOUGHT) + tax
    each = {key: rounded(tax, digits, down=down) for key, tax in sums.items()}
    return sum(each.values(), NOUGHT), sum((tax for (_, within), tax in each.items() if not within), NOUGHT)


def _per_line(entries: _Entries, digits: int, *, down: bool) -> Figures:
    each = [(part, rounded(tax, digits, down=down)) for part, _, tax in entries]
    return sum((tax for _, tax in each), NOUGHT), sum((tax for part, tax in each if not part.inclusive), NOUGHT)


def _per_piece(entries: _Entries, digits: int, *, down: bool) -> Figures:
    each = [(part, part.pieces * rounded(tax / part.pieces, digits, down=down)) for part, _, tax in entries]
    return sum((tax for _, tax in each), NOUGHT), sum((tax for part, tax in each if not part.inclusive), NOUGHT)


# ---- the shapes -----------------------------------------------------------------------------------------------------


def judge_shopify(order: Mapping[str, Any]) -> Judgement:
    """Judge an Admin order: lines less allocations, shipping and a tip, and the taxes as its lines state them."""
    digits = DIGITS.get(str(order["currency"]), 2)
    within = bool(order.get("taxes_included"))
    charges = [*(order.get("line_items") or ()), *(order.get("shipping_lines") or ())]
    charges += [order["shipping_line"]] if order.get("shipping_line") else []  # of a draft
    net = sum((_shopify_amount(charge) for charge in charges), NOUGHT)
    net -= number((order.get("applied_discount") or {}).get("amount"))
    told = [tax for charge in charges for tax in charge.get("tax_lines") or ()]
    lines = sum((number(tax.get("price")) for tax in told), NOUGHT)
    tax, extra = number(order.get("total_tax")), number(order.get("total_tip_received"))
    candidates = [
        net + extra_part + (NOUGHT if within else tax) - number(order["total_price"]) for extra_part in (NOUGHT, extra)
    ]
    off = min(candidates, key=abs)
    tax_off = lines - tax if abs(lines - tax) > Fraction(len(told), 2 * 10**digits) else NOUGHT
    rates_off = _shopify_rates_off(charges, within=within, digits=digits)
    return Judgement(consistent=not (off or tax_off or rates_off), difference=off, tax_difference=tax_off or rates_off)


def _shopify_amount(charge: Mapping[str, Any]) -> Fraction:
    off = sum((number(one.get("amount")) for one in charge.get("discount_allocations") or ()), NOUGHT)
    if not charge.get("discount_allocations"):
        off = number(charge.get("total_discount"))
    return number(charge.get("price")) * int(charge.get("quantity") or 1) - off


def _shopify_rates_off(charges: Sequence[Mapping[str, Any]], *, within: bool, digits: int) -> Fraction:
    """Give by how much the taxes of the charges are not their rates', over all; a cent for each charge is rounding."""
    exact = given = NOUGHT
    count = 0
    for charge in charges:
        rates = [number(tax.get("rate")) for tax in charge.get("tax_lines") or ()]
        part = Part(_shopify_amount(charge), tuple(rates), within)
        exact += sum((_tax(part, rate) for rate in rates), NOUGHT)
        given += sum((number(tax.get("price")) for tax in charge.get("tax_lines") or ()), NOUGHT)
        count += len(rates) * int(charge.get("quantity") or 1)
    return exact - given if abs(exact - given) > Fraction(count, 10**digits) else NOUGHT


def judge_woocommerce(order: Mapping[str, Any]) -> Judgement:
    """Judge a REST order: lines, shipping and fees without tax, and the tax beside them, as they are stated."""
    digits = DIGITS.get(str(order["currency"]), 2)
    charges = [one for name in ("line_items", "shipping_lines", "fee_lines") for one in order.get(name) or ()]
    nets = [number(one.get("total")) for one in charges]
    taxes = [number(one.get("total_tax")) for one in charges]
    if not any(one.get("total_tax") for one in order.get("shipping_lines") or ()):
        taxes.append(number(order.get("shipping_tax")))  # older versions state it beside the lines
    tax = number(order.get("total_tax"))
    play = Fraction(len(charges), 2 * 10**digits)
    off = sum(nets, NOUGHT) + tax - number(order["total"])
    if abs(off) <= (play if any(taxes) else NOUGHT):
        off = NOUGHT
    tax_off = sum(taxes, NOUGHT) - tax
    if abs(tax_off) <= play:
        tax_off = NOUGHT
    return Judgement(consistent=not (off or tax_off), difference=off, tax_difference=tax_off)


def judge_neutral(row: Mapping[str, Any]) -> Judgement:
    """Judge a document in the neutral shape of the shared data; ``total`` of its lines is net, after their discount.

    Shipping, fees and discounts whose rate is not told have that of the lines where these have one only, else none.
    """
    rates = {line["tax_rate"] for line in row["lines"]}
    only = next(iter(rates)) if len(rates) == 1 else None
    parts = [_neutral_part(line, line["total"], line["tax_rate"]) for line in row["lines"]]
    charges = (*row["shipping"], *row["fees"])
    parts += [_neutral_part(charge, charge["total"], charge.get("tax_rate", only)) for charge in charges]
    parts += [_neutral_part({}, -number(one["amount"]), one.get("tax_rate", only)) for one in row["discounts"]]
    tax = None if row["tax_total"] is None else number(row["tax_total"])
    stated = Stated(total=number(row["grand_total"]), tax=tax, digits=DIGITS.get(row["currency"], 2))
    return judge(parts, stated)


def _neutral_part(charge: Mapping[str, Any], net: Any, rate: Any) -> Part:
    within = charge.get("total_incl") is not None
    amount = number(charge["total_incl"]) if within else number(net)
    return Part(amount, () if rate is None else (number(rate) / 100,), within)


def judge_order(data: Mapping[str, Any]) -> Judgement:
    """Judge an order of the contract whose discounts stand on its lines, or that has none."""
    within = bool(data.get("prices_include_tax"))
    digits = DIGITS.get(data["currency"], 2)
    parts = [_contract_part(line, within, digits) for line in data["lines"]]
    for charge in (*(data.get("shipping") or ()), *(data.get("fees") or ())):
        amount = number(charge["amount"]) - number(charge.get("discount"))
        parts.append(Part(amount, _rates(charge), within))
    discounts = data.get("discounts") or ()
    if any(one.get("before_tax") is not False for one in discounts):
        raise ValueError("how a coupon on the order was spread is not told: it cannot be judged by its parts")
    totals = data["totals"]
    stated = Stated(
        total=number(totals["grand_total"]),
        tax=None if totals.get("tax") is None else number(totals["tax"]),
        digits=digits,
        off_after_tax=sum((number(one["amount"]) for one in discounts), NOUGHT),
    )
    return judge(parts, stated)


def _contract_part(line: Mapping[str, Any], within: bool, digits: int) -> Part:  # noqa: FBT001 the order's own word
    quantity, price, off = number(line["quantity"]), number(line["unit_price"]), number(line.get("discount"))
    amount, by_piece = quantity * price - off, quantity * rounded(price, digits) - off
    if line.get("total") is not None:
        amount = by_piece = number(line["total"])
    pieces = int(quantity) if quantity.denominator == 1 and quantity > 0 else 1
    return Part(amount, _rates(line), bool(line.get("prices_include_tax", within)), pieces, by_piece)


def _rates(charge: Mapping[str, Any]) -> tuple[Fraction, ...]:
    taxes = charge.get("taxes") or ()
    simple = sum((number(tax["rate"]) for tax in taxes if not tax.get("compound")), NOUGHT) / 100
    return tuple(number(tax["rate"]) / 100 * (1 + simple if tax.get("compound") else 1) for tax in taxes)
