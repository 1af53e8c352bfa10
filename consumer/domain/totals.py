"""Whether the shop's own parts give its own totals, and what the invoice must come to: the total and VAT per rate.

A shop rounds its amounts, its taxes per line or per rate, or only the sum. What any of these ways gives is accepted;
what none gives is parked (TOTALS_DO_NOT_FOLLOW) and never balanced.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from consumer.domain.bases import Base, Parts, exact_taxes, parts_of, taxes_of
from consumer.domain.charges import Charges, Position
from consumer.domain.ledger import TaxRounding
from consumer.domain.money import ZERO, round_half_up
from consumer.domain.orders import Order, Totals
from consumer.domain.splitting import is_whole
from consumer.domain.states import Reason, ReasonCode
from consumer.domain.tax_play import NOTHING, Span, play_of, spans
from consumer.domain.texts import plain

_HUNDRED = Decimal(100)
TaxByRate = Mapping[Decimal, Decimal]


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """What the ledger's figures must be; ``stated`` tells that the shop itself states the tax per rate."""

    total: Decimal
    tax_by_rate: TaxByRate
    stated: bool


def goals(order: Order, charges: Charges, rounding: TaxRounding) -> tuple[Goal, ...] | Reason:
    """Give what the invoice may come to, the likeliest first; a Reason where the shop's parts contradict its totals."""
    totals = order.totals
    refusal = _lines_contradict(order, charges) or _rates_contradict(order)
    if refusal is not None:
        return refusal
    parts = parts_of(charges)
    allowed = spans(charges, parts)
    stated = {row.rate: row.tax for row in totals.tax_by_rate if row.tax}
    if totals.tax_by_rate:
        refusal = _tax_contradicts(order, charges, allowed, stated)
        candidates: list[TaxByRate] = [stated]
    else:
        from_lines = _stated_on_lines(charges)
        refusal = None if from_lines is None else _tax_contradicts(order, charges, allowed, from_lines)
        candidates = list(_untold(charges, parts, totals, rounding, from_lines))
    if refusal is not None:
        return refusal
    followed = [taxes for taxes in candidates if _follows(totals.grand_total, taxes, charges, parts)]
    if not followed:
        return _totals_differ(order, charges, parts, candidates)
    told = bool(totals.tax_by_rate)
    unique = [taxes for at, taxes in enumerate(followed) if taxes not in followed[:at]]
    return tuple(Goal(total=totals.grand_total, tax_by_rate=taxes, stated=told) for taxes in unique)


# ---- the taxes that the shop does not tell per rate ------------------------------------------------------------------


def _untold(
    charges: Charges, parts: Parts, totals: Totals, rounding: TaxRounding, from_lines: TaxByRate | None
) -> Iterator[TaxByRate]:
    """Give the taxes per rate that the shop may mean: as its lines state them, then as each rounding gives them."""
    computed = [taxes_of(charges, parts.by_tax, charges.digits), taxes_of(charges, parts.by_position, charges.digits)]
    if rounding is TaxRounding.PER_LINE:
        computed.reverse()
    if any(base.inclusive for base in parts.by_tax):
        # Some shops round half a cent of VAT down where prices contain it, so that the net gets the cent.
        every = (parts.by_tax, parts.by_position)
        computed += [taxes_of(charges, bases, charges.digits, half_down=True) for bases in every]
    if from_lines is not None and _are_the_last_word(charges, totals, from_lines):
        computed = []  # another split of the same tax would put a cent under the wrong rate
    for taxes in ([from_lines] if from_lines is not None else []) + computed:
        nonzero = {rate: tax for rate, tax in taxes.items() if tax}
        if totals.tax is None or sum(nonzero.values(), ZERO) == totals.tax:
            yield nonzero


def _are_the_last_word(charges: Charges, totals: Totals, from_lines: TaxByRate) -> bool:
    """Tell whether the lines' taxes are the shop's: they add up to its tax, or none is told and no coupon is."""
    if totals.tax is not None:
        return sum(from_lines.values(), ZERO) == totals.tax
    return all(reduction.after_tax for reduction in charges.reductions)


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


def _follows(total: Decimal, taxes: TaxByRate, charges: Charges, parts: Parts) -> bool:
    """Tell whether the total is that of the amounts and these taxes, in one of the ways in which shops round.

    Amounts of whole minor units leave no play: they and the tax must give the total exactly, or the total must be
    their exact sum with exact tax, rounded once. Amounts with more decimals are rounded each, per tax, or in the sum.
    """
    if total == round_half_up(_exact_total(charges, parts), charges.digits):
        return True
    beyond = tuple(_taxes_beyond(charges, parts, taxes))
    return any(abs(total - amounts - tax) <= play for amounts, play in _amounts(charges, parts) for tax in beyond)


def _amounts(charges: Charges, parts: Parts) -> Iterator[tuple[Decimal, Decimal]]:
    """Give the sum of the amounts in each way of rounding them, and by how much the total may be off it."""
    digits, half = charges.digits, _half(charges.digits)
    exact = sum((base.amount for base in parts.by_tax), ZERO)
    if not all(is_whole(reduction.amount, digits) for reduction in charges.reductions):
        yield exact, parts.inexact * half  # nobody tells where a discount with more decimals was rounded
        return
    yield exact, ZERO if is_whole(exact, digits) else half
    for bases in (parts.by_position, parts.by_tax):
        yield sum((round_half_up(base.amount, digits) for base in bases), ZERO), ZERO


def _taxes_beyond(charges: Charges, parts: Parts, taxes: TaxByRate) -> Iterator[Decimal]:
    """Give the tax on top of the amounts: all of it, none, or in a mixed order that of its exclusive part."""
    exclusive = [base for base in parts.by_tax if not base.inclusive]
    if len(exclusive) == len(parts.by_tax):
        yield sum(taxes.values(), ZERO)
    elif not charges.mixed:
        taxed_within = any(base.inclusive and charges.taxes[base.tax].rate for base in parts.by_tax)
        yield ZERO if taxed_within else sum(taxes.values(), ZERO)
    else:
        yield sum(taxes_of(charges, exclusive, charges.digits).values(), ZERO)
        lines = [base for base in parts.by_position if not base.inclusive]
        yield sum(taxes_of(charges, lines, charges.digits).values(), ZERO)


def _exact_total(charges: Charges, parts: Parts) -> Decimal:
    exclusive = [base for base in parts.by_tax if not base.inclusive]
    on_top = sum(taxes_of(charges, exclusive, None).values(), ZERO)
    return sum((base.amount for base in parts.by_tax), ZERO) + on_top


def _rates_contradict(order: Order) -> Reason | None:
    """Refuse where the tax per rate does not add up to the tax: one of the two would not be on the invoice."""
    totals = order.totals
    if totals.tax is None or not totals.tax_by_rate:
        return None
    told = sum((row.tax for row in totals.tax_by_rate), ZERO)
    if told == totals.tax:
        return None
    return _contradiction(
        f"The tax per rate adds up to {plain(told)} {order.currency}, the shop states {plain(totals.tax)} as its tax.",
        told - totals.tax,
        order.currency,
    )


def _tax_contradicts(
    order: Order, charges: Charges, allowed: Mapping[Decimal, Span], stated: TaxByRate
) -> Reason | None:
    """Refuse a stated tax that is not that of its rate's lines, give or take what rounding can do to each of them."""
    for rate in sorted({*allowed, *stated}):
        span, told = allowed.get(rate, NOTHING), stated.get(rate, ZERO)
        if not span.admits(told):
            # Where the tax is right but for its rounding, both figures would look alike: the exact one is shown.
            shown = round_half_up(span.exact, charges.digits)
            shown = span.exact if shown == told else shown
            return _contradiction(
                f"VAT at {plain(rate)} %: the lines give {plain(shown)} {order.currency}, "
                f"the shop states {plain(told)}.",
                shown - told,
                order.currency,
            )
    return None


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
    base = Base(position.tax, position.amount - position.reduction, position.inclusive)
    exact = dict(exact_taxes(charges, base))
    times = max(position.quantity, Decimal(1))
    for tax in position.stated_taxes:
        computed = exact.get(tax.rate, ZERO)
        if tax.amount is not None and abs(tax.amount - computed) > play_of(tax.rate, times, charges.digits):
            shown = round_half_up(computed, charges.digits)
            return _contradiction(
                f"{position.label}: tax at {plain(tax.rate)} % is {plain(shown)} {order.currency}, "
                f"the shop states {plain(tax.amount)}.",
                shown - tax.amount,
                order.currency,
            )
    return None


# ---- what is said ---------------------------------------------------------------------------------------------------


def _totals_differ(order: Order, charges: Charges, parts: Parts, candidates: Sequence[TaxByRate]) -> Reason:
    stated = order.totals
    exact = round_half_up(_exact_total(charges, parts), charges.digits)
    if not candidates and stated.tax is not None:
        computed = sum(taxes_of(charges, parts.by_tax, charges.digits).values(), ZERO)
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
