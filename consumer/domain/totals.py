"""Whether the shop's own parts give its own totals, and what the invoice must come to: the total and VAT per rate.

A shop rounds its amounts, its taxes per line or per rate, or only the sum. What any of these ways gives is accepted;
what none gives is parked (TOTALS_DO_NOT_FOLLOW) and never balanced.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from consumer.domain.arithmetic import tax_factors
from consumer.domain.charges import Charges, Position
from consumer.domain.ledger import TaxRounding
from consumer.domain.money import ZERO, round_half_up
from consumer.domain.orders import Order, Totals
from consumer.domain.splitting import is_whole, over_positions, over_taxes
from consumer.domain.states import Reason, ReasonCode
from consumer.domain.texts import plain

_HUNDRED = Decimal(100)
TaxByRate = Mapping[Decimal, Decimal]


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """What the ledger's figures must be; ``stated`` tells that the shop itself states the tax per rate."""

    total: Decimal
    tax_by_rate: TaxByRate
    stated: bool


@dataclass(frozen=True, slots=True)
class _Base:
    """An exact amount under one tax, and whether tax lies within it."""

    tax: int
    amount: Decimal
    inclusive: bool


@dataclass(frozen=True, slots=True)
class _Parts:
    """An order's exact amounts, per tax (in sum) and per position (discounts spread over the positions)."""

    by_tax: tuple[_Base, ...]
    by_position: tuple[_Base, ...]
    inexact: int  # how many of the amounts are no whole minor units: each may be off by half of one


def goals(order: Order, charges: Charges, rounding: TaxRounding) -> tuple[Goal, ...] | Reason:
    """Give what the invoice may come to, the likeliest first; a Reason where the shop's parts contradict its totals."""
    totals = order.totals
    refusal = _lines_contradict(order, charges) or _rates_contradict(order)
    if refusal is not None:
        return refusal
    parts = _parts(charges)
    stated = {row.rate: row.tax for row in totals.tax_by_rate if row.tax}
    if totals.tax_by_rate:
        refusal = _tax_contradicts(order, charges, parts, stated)
        candidates: list[TaxByRate] = [stated]
    else:
        candidates = list(_untold(charges, parts, totals, rounding))
    if refusal is not None:
        return refusal
    followed = [taxes for taxes in candidates if _follows(totals.grand_total, taxes, charges, parts)]
    if not followed:
        return _totals_differ(order, charges, parts, candidates)
    told = bool(totals.tax_by_rate)
    unique = [taxes for at, taxes in enumerate(followed) if taxes not in followed[:at]]
    return tuple(Goal(total=totals.grand_total, tax_by_rate=taxes, stated=told) for taxes in unique)


# ---- the exact amounts ---------------------------------------------------------------------------------------------


def _parts(charges: Charges) -> _Parts:
    positions, digits = charges.positions, charges.digits
    by_position = {at: position.amount - position.reduction for at, position in enumerate(positions)}
    by_tax: dict[tuple[int, bool], Decimal] = {}
    inexact = sum(not is_whole(amount, digits) for amount in by_position.values())
    for at, position in enumerate(positions):
        key = (position.tax, position.inclusive)
        by_tax[key] = by_tax.get(key, ZERO) + by_position[at]
    after_tax = []
    for reduction in charges.reductions:
        inexact += not is_whole(reduction.amount, digits)
        for tax, part in over_taxes(charges, reduction).items():
            by_tax[tax, reduction.inclusive] = by_tax.get((tax, reduction.inclusive), ZERO) - part
        if reduction.after_tax:
            after_tax.append(_Base(0, -reduction.amount, reduction.inclusive))
            continue
        for at, part in over_positions(charges, reduction).items():
            by_position[at] -= part
    return _Parts(
        by_tax=tuple(_Base(tax, amount, inclusive) for (tax, inclusive), amount in by_tax.items()),
        by_position=(
            *(_Base(positions[at].tax, amount, positions[at].inclusive) for at, amount in by_position.items()),
            *after_tax,
        ),
        inexact=inexact,
    )


def _exact_taxes(charges: Charges, base: _Base) -> Iterator[tuple[Decimal, Decimal]]:
    """Give per member of the base's tax its rate and the exact tax."""
    tax = charges.taxes[base.tax]
    if not tax.rate:
        return
    factors = tax_factors(tax.rate, tax.parts)
    divisor = _HUNDRED + sum((factor for _, factor in factors), ZERO) if base.inclusive else _HUNDRED
    for rate, factor in factors:
        yield rate, base.amount * factor / divisor


def _taxes(charges: Charges, bases: Sequence[_Base], digits: int | None) -> dict[Decimal, Decimal]:
    """Sum the tax per rate, each base's rounded to ``digits`` (None: not at all)."""
    found: dict[Decimal, Decimal] = {}
    for base in bases:
        for rate, tax in _exact_taxes(charges, base):
            found[rate] = found.get(rate, ZERO) + (tax if digits is None else round_half_up(tax, digits))
    return found


# ---- the taxes that the shop does not tell per rate ------------------------------------------------------------------


def _untold(charges: Charges, parts: _Parts, totals: Totals, rounding: TaxRounding) -> Iterator[TaxByRate]:
    """Give the taxes per rate that the shop may mean: as its lines state them, then as each rounding gives them."""
    from_lines = _stated_on_lines(charges)
    computed = [_taxes(charges, parts.by_tax, charges.digits), _taxes(charges, parts.by_position, charges.digits)]
    if rounding is TaxRounding.PER_LINE:
        computed.reverse()
    before_tax = any(not reduction.after_tax for reduction in charges.reductions)
    if from_lines is not None and totals.tax is None and not before_tax:
        computed = []  # the lines' own figures are the shop's last word
    for taxes in ([from_lines] if from_lines is not None else []) + computed:
        nonzero = {rate: tax for rate, tax in taxes.items() if tax}
        if totals.tax is None or sum(nonzero.values(), ZERO) == totals.tax:
            yield nonzero


def _stated_on_lines(charges: Charges) -> dict[Decimal, Decimal] | None:
    """Sum the taxes that the positions state, rounded per rate; None unless all taxed positions state them."""
    found: dict[Decimal, Decimal] = {}
    for position in charges.positions:
        if not charges.taxes[position.tax].rate:
            continue
        for tax in position.stated_taxes or ():
            if tax.amount is None:
                return None
            found[tax.rate] = found.get(tax.rate, ZERO) + tax.amount
        if not position.stated_taxes:
            return None
    return {rate: round_half_up(tax, charges.digits) for rate, tax in found.items()}


# ---- do they agree ---------------------------------------------------------------------------------------------------


def _half(digits: int) -> Decimal:
    return Decimal(5).scaleb(-digits - 1)


def _follows(total: Decimal, taxes: TaxByRate, charges: Charges, parts: _Parts) -> bool:
    """Tell whether the total is that of the amounts and these taxes, in one of the ways in which shops round.

    Amounts of whole minor units leave no play: they and the tax must give the total exactly, or the total must be
    their exact sum with exact tax, rounded once. Each amount with more decimals may have been rounded by half a unit.
    """
    half = _half(charges.digits)
    exact = _exact_total(charges, parts)
    if abs(total - exact) <= half:
        return True
    bases = sum((base.amount for base in parts.by_tax), ZERO)
    return any(abs(total - bases - tax) <= parts.inexact * half for tax in _taxes_beyond(charges, parts, taxes))


def _taxes_beyond(charges: Charges, parts: _Parts, taxes: TaxByRate) -> Iterator[Decimal]:
    """Give the tax on top of the amounts: all of it, none, or in a mixed order that of its exclusive part."""
    exclusive = [base for base in parts.by_tax if not base.inclusive]
    if len(exclusive) == len(parts.by_tax):
        yield sum(taxes.values(), ZERO)
    elif not charges.mixed:
        taxed_within = any(base.inclusive and charges.taxes[base.tax].rate for base in parts.by_tax)
        yield ZERO if taxed_within else sum(taxes.values(), ZERO)
    else:
        yield sum(_taxes(charges, exclusive, charges.digits).values(), ZERO)
        lines = [base for base in parts.by_position if not base.inclusive]
        yield sum(_taxes(charges, lines, charges.digits).values(), ZERO)


def _exact_total(charges: Charges, parts: _Parts) -> Decimal:
    exclusive = [base for base in parts.by_tax if not base.inclusive]
    on_top = sum(_taxes(charges, exclusive, None).values(), ZERO)
    return sum((base.amount for base in parts.by_tax), ZERO) + on_top


def _rates_contradict(order: Order) -> Reason | None:
    """Refuse where the tax per rate does not add up to the tax; of several rates each and the sum may be rounded."""
    totals = order.totals
    if totals.tax is None or not totals.tax_by_rate:
        return None
    told = sum((row.tax for row in totals.tax_by_rate), ZERO)
    digits = max(0, -int(totals.tax.as_tuple().exponent), 2)
    rates = sum(row.tax != 0 for row in totals.tax_by_rate)
    if told == totals.tax or (rates > 1 and abs(told - totals.tax) < (rates + 1) * _half(digits)):
        return None
    return _contradiction(
        f"The tax per rate adds up to {plain(told)} {order.currency}, the shop states {plain(totals.tax)} as its tax.",
        told - totals.tax,
        order.currency,
    )


def _tax_contradicts(order: Order, charges: Charges, parts: _Parts, stated: TaxByRate) -> Reason | None:
    """Refuse a stated tax that is not that of its rate's lines, give or take what rounding can do to each of them."""
    exact = _taxes(charges, parts.by_tax, None)
    counts = _roundings(charges)
    for rate in sorted({*exact, *stated}):
        computed, told = exact.get(rate, ZERO), stated.get(rate, ZERO)
        if abs(computed - told) > _play(rate, counts.get(rate, Decimal(1)), charges.digits):
            shown = round_half_up(computed, charges.digits)
            return _contradiction(
                f"VAT at {plain(rate)} %: the lines give {plain(shown)} {order.currency}, "
                f"the shop states {plain(told)}.",
                shown - told,
                order.currency,
            )
    return None


def _roundings(charges: Charges) -> dict[Decimal, Decimal]:
    """Count per rate how often a shop may have rounded: each unit of each position, and each discount on it."""
    found: dict[Decimal, Decimal] = {}
    for position in charges.positions:
        tax = charges.taxes[position.tax]
        for rate in tax.parts or (tax.rate,):
            often = max(position.quantity, Decimal(1)) + 2 * len(charges.reductions)
            found[rate] = found.get(rate, ZERO) + often
    return found


def _play(rate: Decimal, times: Decimal, digits: int) -> Decimal:
    """Give how far a tax may be off that was rounded so many times, of amounts that were rounded as often."""
    return _half(digits) * times * (1 + rate / _HUNDRED)


def _lines_contradict(order: Order, charges: Charges) -> Reason | None:
    """Refuse a position whose stated tax is not its rate's, unless a discount on the order may have changed it."""
    if any(not reduction.after_tax for reduction in charges.reductions):
        return None
    for position in charges.positions:
        reason = _position_contradicts(order, charges, position)
        if reason is not None:
            return reason
    return None


def _position_contradicts(order: Order, charges: Charges, position: Position) -> Reason | None:
    if all(tax.amount is None for tax in position.stated_taxes):
        return None
    base = _Base(position.tax, position.amount - position.reduction, position.inclusive)
    exact = dict(_exact_taxes(charges, base))
    times = max(position.quantity, Decimal(1))
    for tax in position.stated_taxes:
        computed = exact.get(tax.rate, ZERO)
        if tax.amount is not None and abs(tax.amount - computed) > _play(tax.rate, times, charges.digits):
            shown = round_half_up(computed, charges.digits)
            return _contradiction(
                f"{position.label}: tax at {plain(tax.rate)} % is {plain(shown)} {order.currency}, "
                f"the shop states {plain(tax.amount)}.",
                shown - tax.amount,
                order.currency,
            )
    return None


# ---- what is said ---------------------------------------------------------------------------------------------------


def _totals_differ(order: Order, charges: Charges, parts: _Parts, candidates: Sequence[TaxByRate]) -> Reason:
    stated = order.totals
    exact = round_half_up(_exact_total(charges, parts), charges.digits)
    if not candidates and stated.tax is not None:
        computed = sum(_taxes(charges, parts.by_tax, charges.digits).values(), ZERO)
        return _contradiction(
            f"The lines give {plain(computed)} {order.currency} of tax, the shop states {plain(stated.tax)}.",
            computed - stated.tax,
            order.currency,
        )
    return _contradiction(
        f"Lines, discounts, shipping, fees and tax give {plain(exact)} {order.currency}, "
        f"the shop states {plain(stated.grand_total)}.",
        exact - stated.grand_total,
        order.currency,
    )


def _contradiction(message: str, difference: Decimal, currency: str) -> Reason:
    return Reason(
        code=ReasonCode.TOTALS_DO_NOT_FOLLOW,
        message=f"{message} The difference is {plain(difference)} {currency}.",
        fix="Correct the order in the shop and send it again; it is never balanced here.",
    )
