"""The search for a layout that the ledger computes to exactly the shop's total and VAT per rate.

In this order, the first that is exact is taken: as the shop states it; discounts split over the tax rates otherwise;
lines as one piece (quantity one, the count in the text) rounded down or up so that they add up; discounts within the
lines that they come off; the same with prices with tax instead of without, or the reverse; then a labelled
adjustment, under its three conditions; at last, where the shop allows it, VAT that is off by a minor unit. Lines
whose price has more decimals than the ledger takes are one piece in every layout. Pure, deterministic, always ends.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum

from consumer.domain.arithmetic import Figures, compute, tax_factors
from consumer.domain.charges import Charge, Charges, Reduction
from consumer.domain.fitting import Piece, Target, TaxRule, fit, nearest, tax_rule
from consumer.domain.ledger import InvoiceDraft, TaxRounding
from consumer.domain.money import ZERO
from consumer.domain.rendering import Render, Source, render
from consumer.domain.settings import ShopSettings
from consumer.domain.splitting import is_whole, over_positions, over_taxes
from consumer.domain.texts import plain
from consumer.domain.tolerance import near_goals
from consumer.domain.totals import Goal

_HUNDRED = Decimal(100)


class Freedom(StrEnum):
    """Which amounts a plan may round the other way."""

    NONE = "none"
    DISCOUNTS = "discounts"  # how a discount is split over the tax rates
    ALL = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One way of laying out; ``folded`` puts the discounts into the lines that they come off."""

    inclusive: bool
    freedom: Freedom
    folded: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """A document that comes to exactly the goal under the roundings asked for, and why it looks as it does.

    ``figures`` are what the ledger computes; they differ from the goal by the shop's tolerance for VAT only.
    """

    draft: InvoiceDraft
    figures: Figures
    goal: Goal
    explanation: tuple[str, ...]


def roundings_asked(rounding: TaxRounding) -> tuple[TaxRounding, ...]:
    """Give the roundings under which a layout must be exact: both, while the organisation's is unknown."""
    return (TaxRounding.PER_RATE, TaxRounding.PER_LINE) if rounding is TaxRounding.UNKNOWN else (rounding,)


def find_layout(
    charges: Charges,
    goals: Sequence[Goal],
    *,
    header: InvoiceDraft,
    shop: ShopSettings,
    rounding: TaxRounding,
    negative_lines: bool = True,
) -> Layout | None:
    """Search for an exact layout; None where there is none. ``header`` is the draft without its lines."""
    if not negative_lines:
        charges = without_negatives(charges)
    search = Search(charges, header, shop, roundings_asked(rounding), negative_lines=negative_lines)
    for plan in plans(charges, negative_lines=negative_lines):
        for goal in goals:
            found = search.exact(plan, goal)
            if found is not None:
                return found
    adjusted = next((found for goal in goals if (found := search.adjusted(goal)) is not None), None)
    return adjusted or within_tolerance(search, goals, plans(charges, negative_lines=negative_lines))


def within_tolerance(search: "Search", goals: Sequence[Goal], plans: Iterable[Plan]) -> Layout | None:
    """Find a layout of exactly the total whose VAT is off by what the shop's tolerance allows; by default nothing."""
    units = search.shop.vat_tolerance_units
    for plan in plans if units > 0 else ():
        for goal in goals:
            figures = compute(search.draft(plan, None)[0], search.charges.digits, search.roundings[0])
            found = next(
                (
                    found
                    for near in near_goals(goal, figures, units=units, digits=search.charges.digits)
                    if (found := search.exact(plan, near)) is not None
                ),
                None,
            )
            if found is not None:
                return replace(found, goal=goal)
    return None


def nearest_figures(charges: Charges, *, header: InvoiceDraft, shop: ShopSettings, rounding: TaxRounding) -> Figures:
    """Give what the ledger would compute of the order as the shop states it: to show the difference."""
    search = Search(charges, header, shop, roundings_asked(rounding)[:1], negative_lines=True)
    plan = Plan(inclusive=charges.inclusive, freedom=Freedom.NONE)
    return compute(search.draft(plan, None)[0], charges.digits, search.roundings[0])


def plans(charges: Charges, *, negative_lines: bool) -> Iterator[Plan]:
    """Give the ways of laying out, the fewest departures from the shop's own first."""
    stated = charges.inclusive
    reduced = bool(charges.reductions) or any(position.reduction for position in charges.positions)
    apart, within = negative_lines or not reduced, reduced
    for inclusive in (stated, not stated) if any(tax.rate for tax in charges.taxes) else (stated,):
        if apart:
            yield Plan(inclusive=inclusive, freedom=Freedom.NONE)
        if apart and charges.reductions and inclusive == stated:
            yield Plan(inclusive=inclusive, freedom=Freedom.DISCOUNTS)
        if apart:
            yield Plan(inclusive=inclusive, freedom=Freedom.ALL)
        if within:
            yield Plan(inclusive=inclusive, freedom=Freedom.NONE, folded=True)
            yield Plan(inclusive=inclusive, freedom=Freedom.ALL, folded=True)


def without_negatives(charges: Charges) -> Charges:
    """Turn positions below zero into reductions of the others of their tax: for ledgers without negative lines."""
    kept = [at for at, position in enumerate(charges.positions) if position.amount >= 0]
    if len(kept) == len(charges.positions) or not kept:
        return charges
    places = {old: new for new, old in enumerate(kept)}
    renumbered = [
        replace(reduction, positions=tuple(places[at] for at in reduction.positions if at in places))
        for reduction in charges.reductions
    ]
    moved = [_as_reduction(charges, at, places) for at, position in enumerate(charges.positions) if position.amount < 0]
    positions = tuple(charges.positions[at] for at in kept)
    return replace(charges, positions=positions, reductions=(*renumbered, *moved))


def _as_reduction(charges: Charges, at: int, places: Mapping[int, int]) -> Reduction:
    position = charges.positions[at]
    same = tuple(new for old, new in places.items() if charges.positions[old].tax == position.tax)
    return Reduction(
        name=position.name,
        amount=position.reduction - position.amount,
        positions=same,
        inclusive=position.inclusive,
        after_tax=not same or not charges.taxes[position.tax].rate,
    )


class Search:
    """One search: its tax rules and pieces are made once per plan, and tried on every goal."""

    def __init__(
        self,
        charges: Charges,
        header: InvoiceDraft,
        shop: ShopSettings,
        roundings: Sequence[TaxRounding],
        *,
        negative_lines: bool,
    ) -> None:
        self.charges, self.header, self.shop, self.roundings = charges, header, shop, roundings
        self.negative_lines = negative_lines
        self.factors = {at: tax_factors(tax.rate, tax.parts) for at, tax in enumerate(charges.taxes) if tax.rate}
        self.splits = [over_taxes(charges, reduction) for reduction in charges.reductions]
        self.made: dict[Plan, tuple[list[Source], list[Piece]]] = {}
        self.rules: dict[bool, dict[int, TaxRule]] = {}

    # ---- one plan

    def exact(self, plan: Plan, goal: Goal) -> Layout | None:
        """Try one plan on one goal: fitted to each rounding in turn, and proved under all of them."""
        pieces = self._pieces(plan)[1]
        if plan.freedom is not Freedom.NONE and not any(piece.free for piece in pieces):
            return None  # it would be the plan without freedom again
        for rounding in self.roundings:
            chosen = fit(pieces, self._rules(plan.inclusive), self._target(plan, goal, rounding))
            if chosen is None:
                continue
            draft, words = self.draft(plan, chosen)
            figures = self._proved(draft, goal)
            if figures is not None:
                return Layout(draft=draft, figures=figures, goal=goal, explanation=words)
        return None

    def draft(self, plan: Plan, chosen: Sequence[int] | None) -> tuple[InvoiceDraft, tuple[str, ...]]:
        """Make the document of the amounts chosen (None: the nearest ones), with the reasons for its shape."""
        sources, pieces = self._pieces(plan)
        task = Render(
            charges=self.charges,
            shop=self.shop,
            sources=sources,
            amounts=nearest(pieces) if chosen is None else chosen,
            inclusive=plan.inclusive,
            folded=plan.folded,
        )
        lines, words = render(task)
        after_tax = ZERO if self.negative_lines else self._after_tax()
        draft = replace(
            self.header,
            lines=lines,
            tax_inclusive=plan.inclusive,
            discount=after_tax,
            discount_before_tax=not after_tax,
        )
        return draft, words

    def _proved(self, draft: InvoiceDraft, goal: Goal) -> Figures | None:
        """Give the document's figures where the model gives exactly the goal under every rounding asked for."""
        if not self.negative_lines and any(line.rate < 0 for line in draft.lines):
            return None
        figures = None
        for rounding in self.roundings:
            figures = compute(draft, self.charges.digits, rounding)
            if figures.total != goal.total or not same_taxes(figures, goal):
                return None
        return figures

    # ---- the pieces of a plan

    def _pieces(self, plan: Plan) -> tuple[list[Source], list[Piece]]:
        if plan not in self.made:
            parts = list(self._folded(plan) if plan.folded else self._apart(plan))
            self.made[plan] = ([source for source, _ in parts], [piece for _, piece in parts])
        return self.made[plan]

    def _apart(self, plan: Plan) -> Iterator[tuple[Source, Piece]]:
        """Give each position and each of its discounts by itself, then each discount per tax."""
        free = plan.freedom is Freedom.ALL
        for at, position in enumerate(self.charges.positions):
            yield Source(position=at), self._piece(plan, position.tax, position.amount, position.inclusive, free)
            if position.reduction:
                source = Source(position=at, own_reduction=True)
                yield source, self._piece(plan, position.tax, -position.reduction, position.inclusive, free)
        for family, reduction in enumerate(self.charges.reductions):
            if reduction.after_tax and not self.negative_lines:
                continue
            yield from self._discount(plan, family, reduction)

    def _discount(self, plan: Plan, family: int, reduction: Reduction) -> Iterator[tuple[Source, Piece]]:
        """Give a discount's parts per tax; in the shop's own mode they go on adding up to it, moving in pairs."""
        split = self.splits[family]
        several = len(split) > 1
        total = sum(split.values(), ZERO)
        weights = self._weights(reduction)
        for tax, part in split.items():
            source = Source(reduction=family, tax=tax, split=several)
            converted = reduction.inclusive != plan.inclusive and tax in self.factors
            if several and not converted and plan.freedom is not Freedom.NONE and is_whole(total, self.charges.digits):
                exact = self._fraction(part, total, weights, tax)
                yield source, Piece(tax, exact, free=True, family=family)
            else:
                free = plan.freedom is Freedom.ALL
                yield source, self._piece(plan, tax, -part, reduction.inclusive, free)

    def _weights(self, reduction: Reduction) -> dict[int, Decimal]:
        weights: dict[int, Decimal] = {}
        for at in reduction.positions:
            position = self.charges.positions[at]
            worth = max(position.amount - position.reduction, ZERO)
            weights[position.tax] = weights.get(position.tax, ZERO) + worth
        return weights

    def _fraction(self, part: Decimal, total: Decimal, weights: Mapping[int, Decimal], tax: int) -> Decimal:
        """Give a discount's exact share in minor units, kept on the side of its whole part from the split."""
        whole = sum(weights.values(), ZERO)
        share = total * weights.get(tax, ZERO) / whole if whole else part
        exact = -share.scaleb(self.charges.digits)
        units = -part.scaleb(self.charges.digits)
        # Half up may differ from the largest remainder: a hair's breadth keeps the split's own parts the nearest.
        return units + max(min(exact - units, Decimal("0.49")), Decimal("-0.49"))

    def _folded(self, plan: Plan) -> Iterator[tuple[Source, Piece]]:
        """Give each position less its own discount and its share of the others."""
        free = plan.freedom is Freedom.ALL
        shares: dict[int, list[tuple[Decimal, bool]]] = {}
        for reduction in self.charges.reductions:
            if not reduction.after_tax:
                # Exact shares leave each line free to be rounded as the shop did; their sum is pinned by the total.
                for at, part in over_positions(self.charges, reduction, whole=not free).items():
                    shares.setdefault(at, []).append((part, reduction.inclusive))
        for at, position in enumerate(self.charges.positions):
            exact = self._converted(plan, position.tax, position.amount - position.reduction, position.inclusive)
            for part, inclusive in shares.get(at, ()):
                exact -= self._converted(plan, position.tax, part, inclusive)
            yield Source(position=at), self._as_piece(position.tax, exact, free)
        for family, reduction in enumerate(self.charges.reductions):
            if reduction.after_tax and self.negative_lines:
                yield from self._discount(plan, family, reduction)

    def _piece(self, plan: Plan, tax: int, amount: Decimal, inclusive: bool, free: bool) -> Piece:  # noqa: FBT001 the plan's own words
        return self._as_piece(tax, self._converted(plan, tax, amount, inclusive), free)

    def _as_piece(self, tax: int, exact: Decimal, free: bool) -> Piece:  # noqa: FBT001 the plan's own word
        units = exact.scaleb(self.charges.digits)
        return Piece(tax, units, free=free and units != units.to_integral_value())

    def _converted(self, plan: Plan, tax: int, amount: Decimal, inclusive: bool) -> Decimal:  # noqa: FBT001 as above
        """Give the amount with or without tax, as the plan has it."""
        if inclusive == plan.inclusive or tax not in self.factors:
            return amount
        whole = _HUNDRED + sum((factor for _, factor in self.factors[tax]), ZERO)
        return amount * _HUNDRED / whole if inclusive else amount * whole / _HUNDRED

    # ---- what is to be met

    def _rules(self, inclusive: bool) -> dict[int, TaxRule]:  # noqa: FBT001 the key of a table
        if inclusive not in self.rules:
            self.rules[inclusive] = {at: tax_rule(factors, inclusive=inclusive) for at, factors in self.factors.items()}
        return self.rules[inclusive]

    def _target(self, plan: Plan, goal: Goal, rounding: TaxRounding) -> Target:
        digits = self.charges.digits
        after_tax = ZERO if self.negative_lines else self._after_tax()
        tax = ZERO if plan.inclusive else sum(goal.tax_by_rate.values(), ZERO)
        return Target(
            base=int((goal.total + after_tax - tax).scaleb(digits)),
            tax_by_rate={rate: int(value.scaleb(digits)) for rate, value in goal.tax_by_rate.items()},
            per_line=rounding is TaxRounding.PER_LINE,
        )

    def _after_tax(self) -> Decimal:
        return sum((reduction.amount for reduction in self.charges.reductions if reduction.after_tax), ZERO)

    # ---- the last resort

    def adjusted(self, goal: Goal) -> Layout | None:
        """Balance by a labelled adjustment, where VAT per rate is exact, every line agrees and it is small enough."""
        if not all(position.agrees for position in self.charges.positions):
            return None
        reduced = bool(self.charges.reductions) or any(position.reduction for position in self.charges.positions)
        for folded in (False, True) if self.negative_lines and reduced else (reduced and not self.negative_lines,):
            plan = Plan(inclusive=self.charges.inclusive, freedom=Freedom.NONE, folded=folded)
            found = self._balanced(plan, goal)
            if found is not None:
                return found
        return None

    def _balanced(self, plan: Plan, goal: Goal) -> Layout | None:
        draft, words = self.draft(plan, None)
        figures = compute(draft, self.charges.digits, self.roundings[0])
        difference = goal.total - figures.total
        if not difference or abs(difference) > self._bound():
            return None
        balanced = replace(draft, adjustment=difference, adjustment_label=self.shop.rounding_label)
        proved = self._proved(balanced, goal)
        if proved is None:
            return None
        word = f"{self.shop.rounding_label}: {plain(difference)} {draft.currency}, because the shop rounds otherwise."
        return Layout(draft=balanced, figures=proved, goal=goal, explanation=(*words, word))

    def _bound(self) -> Decimal:
        """Give the most that may be balanced: a minor unit per line of the shop, and the shop's bound per document."""
        lines = sum(position.charge is Charge.PRODUCT for position in self.charges.positions)
        units = min(lines, self.shop.rounding_line_units_per_document)
        return Decimal(units).scaleb(-self.charges.digits)


def same_taxes(figures: Figures, goal: Goal) -> bool:
    """Tell whether the VAT per rate is that of the goal; a rate that one of them lacks counts as 0."""
    found = {row.rate: row.tax for row in figures.tax_by_rate}
    told = goal.tax_by_rate
    return all(found.get(rate, ZERO) == told.get(rate, ZERO) for rate in {*found, *told})
