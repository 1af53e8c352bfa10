"""Writing chosen amounts as the lines of an invoice, and saying in words where they depart from the shop's own."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from consumer.domain.charges import QUANTITY_DIGITS, Charges, Position
from consumer.domain.ledger import InvoiceLine
from consumer.domain.money import ZERO, round_half_up
from consumer.domain.settings import ShopSettings
from consumer.domain.splitting import is_whole
from consumer.domain.taxes import TaxChosen
from consumer.domain.texts import cut, one_line, plain, several_lines

NAME_CHARACTERS = 100
DESCRIPTION_CHARACTERS = 2000
UNIT_CHARACTERS = 100
_ONE = Decimal(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What an amount is of: a position, its own reduction, or a reduction's part under one tax."""

    position: int = -1
    own_reduction: bool = False
    reduction: int = -1
    tax: int = 0
    split: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Render:
    """All that is needed to write the lines; ``amounts`` are minor units, one per source."""

    charges: Charges
    shop: ShopSettings
    sources: Sequence[Source]
    amounts: Sequence[int]
    inclusive: bool
    folded: bool


@dataclass(slots=True)
class _Departures:
    """How often the lines are not what the shop states, by kind of departure."""

    one_piece: int = 0
    rounded: int = 0
    converted: int = 0
    discounted: int = 0


def render(task: Render) -> tuple[tuple[InvoiceLine, ...], tuple[str, ...]]:
    """Write the lines, and give the reasons for their shape in words."""
    seen = _Departures()
    unit = _ONE.scaleb(-task.charges.digits)
    lines = [
        _line(task, source, amount * unit, seen) for source, amount in zip(task.sources, task.amounts, strict=True)
    ]
    return tuple(lines), tuple(_words(task, lines, seen))


def _line(task: Render, source: Source, amount: Decimal, seen: _Departures) -> InvoiceLine:
    if source.reduction >= 0:
        return _reduction_line(task, source, amount)
    position = task.charges.positions[source.position]
    if source.own_reduction:
        name = f"{task.shop.discount_label}: {position.name}"
        return _written(name, amount, task.charges.taxes[position.tax], position.reduction_account_id)
    return _position_line(task, position, amount, seen)


def _reduction_line(task: Render, source: Source, amount: Decimal) -> InvoiceLine:
    tax = task.charges.taxes[source.tax]
    reduction = task.charges.reductions[source.reduction]
    name = reduction.name
    if source.split:
        rate = f" ({plain(tax.rate)} %)"
        name = cut(one_line(name), NAME_CHARACTERS - len(rate)) + rate
    return _written(name, amount, tax, reduction.account_id)


def _written(name: str, amount: Decimal, tax: TaxChosen, account_id: str | None) -> InvoiceLine:
    whole = one_line(name)
    short = cut(whole, NAME_CHARACTERS)
    return InvoiceLine(
        name=short,
        quantity=_ONE,
        rate=amount,
        description="" if short == whole else cut(whole, DESCRIPTION_CHARACTERS),
        tax_id=tax.tax_id,
        tax_rate=tax.rate,
        tax_parts=tax.parts,
        account_id=account_id,
    )


def _position_line(task: Render, position: Position, amount: Decimal, seen: _Departures) -> InvoiceLine:
    quantity, rate, discount = _shape(task, position, amount, seen)
    one_piece = quantity == 1 and position.quantity != 1
    tax = task.charges.taxes[position.tax]
    name = one_line(position.name)
    if one_piece:
        measure = f" {one_line(position.unit)}" if position.unit else ""
        name = f"{plain(position.quantity)}{measure} \u00d7 {name}"
    short = cut(name, NAME_CHARACTERS)
    return InvoiceLine(
        name=short,
        quantity=quantity,
        rate=rate,
        description=_description(position, "" if short == name else name, with_price=one_piece),
        unit="" if one_piece else cut(one_line(position.unit), UNIT_CHARACTERS),
        tax_id=tax.tax_id,
        tax_rate=tax.rate,
        tax_parts=tax.parts,
        discount=discount,
        item_id=position.item_id,
        account_id=position.account_id,
    )


def _description(position: Position, whole_name: str, *, with_price: bool) -> str:
    price = f"{plain(position.quantity)} \u00d7 {plain(position.unit_price)}" if with_price else ""
    parts = (whole_name, price, several_lines(position.description) if position.description else "")
    return cut("\n".join(part for part in parts if part), DESCRIPTION_CHARACTERS)


def _shape(task: Render, position: Position, amount: Decimal, seen: _Departures) -> tuple[Decimal, Decimal, Decimal]:
    """Give quantity, rate and the line's own discount: as stated if that gives the amount, else as near as can be."""
    digits = task.charges.digits
    own_mode = position.inclusive == task.inclusive or not task.charges.taxes[position.tax].rate
    if own_mode and position.multiplies:
        product = round_half_up(position.quantity * position.unit_price, digits)
        if product == amount:
            return position.quantity, position.unit_price, ZERO
        if task.folded and product > amount >= 0:
            seen.discounted += 1
            return position.quantity, position.unit_price, product - amount
    if own_mode:
        seen.rounded += amount != round_half_up(position.amount, digits) and not task.folded
    else:
        seen.converted += 1
    if position.quantity in (0, 1):
        return _ONE, amount, ZERO
    rate = amount / position.quantity
    if is_whole(rate, digits) and is_whole(position.quantity, QUANTITY_DIGITS):
        return position.quantity, round_half_up(rate, digits), ZERO
    seen.one_piece += 1
    return _ONE, amount, ZERO


def _words(task: Render, lines: Sequence[InvoiceLine], seen: _Departures) -> list[str]:
    within = "with tax in them" if task.inclusive else "without tax in them"
    flipped = task.inclusive != task.charges.inclusive
    words = [f"Prices are {within}{', other than in the shop: only so it is exact.' if flipped else '.'}"]
    splits = [line for source, line in zip(task.sources, lines, strict=True) if source.split]
    if splits:
        parts = ", ".join(f"{plain(line.rate)} at {plain(line.tax_rate)} %" for line in splits)
        words.append(f"Discounts are split over the tax rates: {parts}.")
    if seen.one_piece:
        words.append(f"{seen.one_piece} line(s) as one piece: quantity and unit price do not give the amount exactly.")
    if seen.rounded:
        words.append(f"{seen.rounded} line(s) rounded the other way, so that the lines add up as in the shop.")
    if seen.discounted:
        words.append(f"{seen.discounted} line(s) with the discount within: only so VAT is exact.")
    if seen.converted and not flipped:
        words.append(f"{seen.converted} line(s) converted: the order mixes prices with and without tax.")
    return words
