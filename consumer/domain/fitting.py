"""Choosing whole minor units for a document's amounts so that the ledger computes given figures: the search's core.

Every amount may be rounded down or up, never further; which of the two is chosen is all the freedom there is. The
parts of one discount move in pairs, so that they always add up to it. Pure integers: minor units throughout.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from consumer.domain.arithmetic import Factors

_ALONE = -1


@dataclass(frozen=True, slots=True)
class Piece:
    """One amount to be laid out, exact, in minor units. ``free`` lets it be rounded the other way.

    ``family`` joins the parts of one discount (they move in pairs); -1 stands alone.
    """

    tax: int
    exact: Decimal
    free: bool = False
    family: int = _ALONE


@dataclass(frozen=True, slots=True)
class TaxRule:
    """One tax in integers: per member its rate, and tax = base x numerator / denominator."""

    rates: tuple[Decimal, ...]
    numerators: tuple[int, ...]
    denominator: int

    def of(self, base: int) -> tuple[int, ...]:
        """Give the tax of each member, rounded half up, away from zero."""
        return tuple(_round(base * numerator, self.denominator) for numerator in self.numerators)


def _round(numerator: int, denominator: int) -> int:
    rounded = (2 * abs(numerator) + denominator) // (2 * denominator)
    return rounded if numerator >= 0 else -rounded


def tax_rule(factors: Factors, *, inclusive: bool) -> TaxRule:
    """Write a tax's factors as integers."""
    divisor = Decimal(100) + sum((factor for _, factor in factors), Decimal(0)) if inclusive else Decimal(100)
    digits = max(0, *(-int(value.as_tuple().exponent) for value in (divisor, *(factor for _, factor in factors))))
    return TaxRule(
        rates=tuple(rate for rate, _ in factors),
        numerators=tuple(int(factor.scaleb(digits)) for _, factor in factors),
        denominator=int(divisor.scaleb(digits)),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What is to be met, in minor units: the sum of all amounts, and the tax per rate."""

    base: int
    tax_by_rate: Mapping[Decimal, int]
    per_line: bool


def nearest(pieces: Sequence[Piece]) -> list[int]:
    """Round every amount half up."""
    return [int(piece.exact.to_integral_value(ROUND_HALF_UP)) for piece in pieces]


def fit(pieces: Sequence[Piece], rules: Mapping[int, TaxRule], target: Target) -> list[int] | None:
    """Choose the amounts, as near to half up as can be; None where no choice was found that meets the target."""
    search = _Search(pieces, rules, target)
    if not (search.fit_per_line() if target.per_line else search.fit_per_rate()):
        return None
    return search.chosen if search.meets() else None


class _Search:
    """One search; ``chosen`` begins half up, and each move takes one piece to its other neighbour, once."""

    def __init__(self, pieces: Sequence[Piece], rules: Mapping[int, TaxRule], target: Target) -> None:
        self.pieces, self.rules, self.target = pieces, rules, target
        self.chosen = nearest(pieces)
        self.wanted = self._wanted_taxes()

    def _wanted_taxes(self) -> dict[int, tuple[int, ...] | None]:
        """Give what each tax must come to; None where another tax shares a rate, so that only the sum is known."""
        owners: dict[Decimal, int] = {}
        for rule in self.rules.values():
            for rate in rule.rates:
                owners[rate] = owners.get(rate, 0) + 1
        return {
            tax: tuple(self.target.tax_by_rate.get(rate, 0) for rate in rule.rates)
            if all(owners[rate] == 1 for rate in rule.rates)
            else None
            for tax, rule in self.rules.items()
        }

    def meets(self) -> bool:
        """Tell whether the amounts chosen give exactly the target."""
        if sum(self.chosen) != self.target.base:
            return False
        found: dict[Decimal, int] = {}
        for tax, rule in self.rules.items():
            own = [value for piece, value in zip(self.pieces, self.chosen, strict=True) if piece.tax == tax]
            for base in own if self.target.per_line else [sum(own)]:
                for rate, amount in zip(rule.rates, rule.of(base), strict=True):
                    found[rate] = found.get(rate, 0) + amount
        told = self.target.tax_by_rate
        return all(found.get(rate, 0) == told.get(rate, 0) for rate in {*found, *told})

    # ---- moves

    def _movable(self, tax: int | None, step: int) -> list[int]:
        """Find the pieces that may go one unit in the direction of ``step``, those nearest to it first."""
        found = [
            at
            for at, piece in enumerate(self.pieces)
            if piece.free and (tax is None or piece.tax == tax) and step * (piece.exact - self.chosen[at]) > 0
        ]
        return sorted(
            found,
            key=lambda at: (-step * (self.pieces[at].exact - self.chosen[at]), self._rank(self.pieces[at].tax), at),
        )

    def _rank(self, tax: int) -> tuple[Decimal, ...]:
        """Place a tax by its rates, the higher first: the order of an order's lines must not decide anything."""
        rule = self.rules.get(tax)
        return () if rule is None else tuple(-rate for rate in rule.rates)

    def _move(self, at: int, step: int) -> None:
        self.chosen[at] += step

    def _sums(self) -> dict[int, int]:
        sums: dict[int, int] = {}
        for piece, value in zip(self.pieces, self.chosen, strict=True):
            sums[piece.tax] = sums.get(piece.tax, 0) + value
        return {tax: sums[tax] for tax in sorted(sums, key=self._rank)}

    # ---- tax rounded once per tax

    def fit_per_rate(self) -> bool:
        """Find for each tax the sum that gives its VAT, nearest to half up, so that all add up; then move pieces."""
        sums = self._sums()
        missing = self.target.base - sum(sums.values())
        if not any(piece.free for piece in self.pieces):
            return missing == 0
        allowed = {tax: self._allowed(tax, base) for tax, base in sums.items()}
        if not all(allowed.values()):
            return False
        steps = {tax: min(found, key=lambda step: (abs(step), step)) for tax, found in allowed.items()}
        missing -= sum(steps.values())
        for tax, found in allowed.items():
            room = max(found) - steps[tax] if missing > 0 else min(found) - steps[tax]
            taken = min(missing, room) if missing > 0 else max(missing, room)
            steps[tax] += taken
            missing -= taken
        return missing == 0 and self._realise(steps)

    def _allowed(self, tax: int, base: int) -> list[int]:
        """Find by how many units the sum of a tax may be moved so that its VAT is right: one run of numbers."""
        span = range(-len(self._movable(tax, -1)), len(self._movable(tax, 1)) + 1)
        wanted = self.wanted.get(tax)
        if wanted is None:
            return list(span)
        rule = self.rules[tax]
        return [step for step in span if rule.of(base + step) == wanted]

    def _realise(self, steps: Mapping[int, int]) -> bool:
        """Move each tax's pieces: those that stand alone first, what is then left by parts of one discount in pairs."""
        left = dict(steps)
        for tax, steps_of_tax in steps.items():
            step = 1 if steps_of_tax > 0 else -1
            alone = [at for at in self._movable(tax, step) if self.pieces[at].family == _ALONE]
            for at in alone[: abs(steps_of_tax)]:
                self._move(at, step)
                left[tax] -= step
        while any(left.values()):
            pair = self._pair(left)
            if pair is None:
                return False
            for at, step in zip(pair, (1, -1), strict=True):
                self._move(at, step)
                left[self.pieces[at].tax] -= step
        return True

    def _pair(self, left: Mapping[int, int]) -> tuple[int, int] | None:
        """Find two parts of one discount: one whose tax still needs a unit, and one whose tax has it to spare."""
        ups = (at for tax, steps in left.items() if steps > 0 for at in self._movable(tax, 1))
        downs = [at for tax, steps in left.items() if steps < 0 for at in self._movable(tax, -1)]
        for up in ups:
            for down in downs:
                if self.pieces[up].family == self.pieces[down].family != _ALONE:
                    return up, down
        return None

    # ---- tax rounded on each line

    def fit_per_line(self) -> bool:
        """Move pieces whose tax then changes until each VAT is right, then others until the sum is."""
        for tax, wanted in self.wanted.items():
            if wanted is not None and not self._settle_tax(tax, sum(wanted)):
                return False
        missing = self.target.base - sum(self.chosen)
        step = 1 if missing > 0 else -1
        for at in self._singles(None, step):
            if missing == 0:
                break
            if self._tax_change(at, step) == 0:
                self._move(at, step)
                missing -= step
        return missing == 0

    def _settle_tax(self, tax: int, wanted: int) -> bool:
        rule = self.rules[tax]
        own = (value for piece, value in zip(self.pieces, self.chosen, strict=True) if piece.tax == tax)
        missing = wanted - sum(sum(rule.of(value)) for value in own)
        step = 1 if missing > 0 else -1
        for at in self._singles(tax, step):
            if missing == 0:
                break
            change = self._tax_change(at, step)
            if change == step:
                self._move(at, step)
                missing -= change
        return missing == 0

    def _singles(self, tax: int | None, step: int) -> Iterable[int]:
        return [at for at in self._movable(tax, step) if self.pieces[at].family == _ALONE]

    def _tax_change(self, at: int, step: int) -> int:
        rule = self.rules.get(self.pieces[at].tax)
        if rule is None:
            return 0
        return sum(rule.of(self.chosen[at] + step)) - sum(rule.of(self.chosen[at]))
