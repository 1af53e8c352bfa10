"""Random refunds of the random orders: what shops give back, in turn, until all of an order is given back.

Each refund is what a shop would tell: lines with or without their taxes, some pieces of a line, shipping, an amount
alone, more or less than its lines (a gift, a fee for the return); the last one gives back all that is left. Figures are
whole minor units; nothing of Booked is used to make them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

from tests.money.amounts import half_down, half_up, minor, text
from tests.money.generator import Made

Data = dict[str, Any]
REFUNDS_MAX = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenBack:
    """An order and its refunds, as the contract has them, in turn."""

    made: Made
    refunds: tuple[Data, ...]


def give_back(made: Made, seed: int) -> GivenBack:
    """Make the refunds of an order of this seed; together they are its total."""
    random = Random(seed)  # noqa: S311 - refunds for a test, no secret
    unit = minor(made.digits)
    left = made.total // unit
    refunds: list[Data] = []
    worth = _worth(made)
    while left > 0:
        closing = len(refunds) + 1 == REFUNDS_MAX or random.random() < 0.35
        refund = _one(random, made, worth, left, closing=closing)
        left -= refund["amount"]
        refunds.append(_told(refund, len(refunds) + 1, unit))
    return GivenBack(made=made, refunds=tuple(refunds))


def _worth(made: Made) -> Mapping[str, int]:
    """Give what each line is worth with tax, in minor units, once coupons told on the order are spread over them."""
    lines = made.data["lines"]
    unit = minor(made.digits)
    amounts = {line["id"]: _points(line) for line in lines}
    whole = sum(amounts.values())
    off = sum(_number(one["amount"]) for one in made.data["discounts"] if one.get("before_tax") is not False)
    spread = max(whole - off, 0)
    worth = {}
    for line in lines:
        net = half_up(amounts[line["id"]] * spread, whole or 1)
        tax = 0 if made.data["prices_include_tax"] else half_up(net * _rate(line), 10**7)
        worth[line["id"]] = half_up(net + tax, unit)
    return worth


def _number(value: str) -> int:
    whole, _, rest = value.partition(".")
    sign = -1 if whole.startswith("-") else 1
    return sign * (abs(int(whole or 0)) * 10**7 + int(rest.ljust(7, "0")[:7] or 0))


def _points(line: Data) -> int:
    if "total" in line:
        return _number(line["total"])
    return half_up(_number(line["unit_price"]) * _number(line["quantity"]), 10**7) - _number(line["discount"])


def _rate(charge: Data) -> int:
    """Give the rate of a line in parts of ten millions of its net, compound taxes worked out."""
    simple = sum(_number(tax["rate"]) // 100 for tax in charge["taxes"] if not tax.get("compound"))
    compound = sum(_number(tax["rate"]) // 100 for tax in charge["taxes"] if tax.get("compound"))
    return simple + half_up(compound * (10**7 + simple), 10**7)


def _one(random: Random, made: Made, worth: Mapping[str, int], left: int, *, closing: bool) -> Data:
    """Make one refund, amounts in minor units."""
    sort = random.random()
    if sort < 0.25:
        amount = left if closing else random.randint(1, left)
        return {"amount": amount, "lines": []}
    lines = _lines(random, made, worth, left)
    shipping = 0
    if made.data["shipping"] and random.random() < 0.3:
        most = _number(made.data["shipping"][0]["amount"]) // minor(made.digits)
        shipping = random.randint(1, most) if most > 0 else 0
    said = sum(line["amount"] for line in lines) + shipping
    amount = said
    if random.random() < 0.2:
        amount = half_up(said * random.randint(80, 115), 100)
    if closing or not amount:
        amount = left
    amount = min(amount, left)
    if said > amount * 2:
        lines, shipping = [], 0
    return {"amount": amount, "lines": lines, "shipping": shipping}


def _lines(random: Random, made: Made, worth: Mapping[str, int], left: int) -> list[Data]:
    lines = [line for line in made.data["lines"] if worth[line["id"]] > 0]
    chosen = random.sample(lines, random.randint(1, min(len(lines), 3))) if lines else []
    states_taxes = random.random() < 0.5
    told = []
    for line in chosen:
        share = random.choice((1, 1, 2, 3, 4))
        amount = min(worth[line["id"]] // share, left)
        if not amount:
            continue
        one = {"id": line["id"], "amount": amount}
        if share == 1:
            one["quantity"] = line["quantity"]
        if states_taxes and len(line["taxes"]) == 1:
            one["taxes"] = [{"rate": line["taxes"][0]["rate"], "amount": _tax(made, line, amount)}]
        told.append(one)
    return told


def _tax(made: Made, line: Data, amount: int) -> int:
    """Give the tax within an amount, as this shop rounds."""
    rate = _rate(line)
    divide = half_down if made.way.half_down else half_up
    return divide(amount * rate, 10**7 + rate)


def _told(refund: Data, at: int, unit: int) -> Data:
    """Write it as the contract has it."""
    lines = [
        {
            **line,
            "amount": text(line["amount"] * unit),
            "taxes": [{**tax, "amount": text(tax["amount"] * unit)} for tax in line.get("taxes", ())],
        }
        for line in refund["lines"]
    ]
    told = {
        "id": f"r{at}",
        "amount": text(refund["amount"] * unit),
        "created_at": f"2026-03-{14 + at}T12:00:00Z",
        "lines": lines,
    }
    return {**told, "shipping": text(refund["shipping"] * unit)} if refund.get("shipping") else told
