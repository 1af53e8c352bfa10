"""Random orders tried in both settings of an organisation, and counted by feature, by the shop's way and by reason."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal

from consumer.domain.ledger import LedgerFacts, TaxRounding
from consumer.domain.mapping import Mapped
from tests.money.generator import Made, make_order
from tests.money.organisation import book, computed, facts
from tests.money.shares import (
    BOOKED_AT_LEAST,
    BOOKED_OF_A_FEATURE_AT_LEAST,
    SHARES_AT_LEAST,
    WITHOUT_ADJUSTMENT_AT_LEAST,
    Feature,
)

EXAMPLES_KEPT = 20
OTHER = {TaxRounding.PER_RATE: TaxRounding.PER_LINE, TaxRounding.PER_LINE: TaxRounding.PER_RATE}


@dataclass(slots=True)
class Row:
    """Counts of one row of the table."""

    orders: int = 0
    booked: int = 0
    adjusted: int = 0
    booked_otherwise: int = 0  # with the organisation's other setting

    def add(self, other: "Row") -> None:
        """Add another process's counts."""
        self.orders += other.orders
        self.booked += other.booked
        self.adjusted += other.adjusted
        self.booked_otherwise += other.booked_otherwise


@dataclass(slots=True)
class Trial:
    """What came of many orders; ``wrong`` names booked ones whose figures are not the shop's."""

    whole: Row = field(default_factory=Row)
    rows: dict[str, Row] = field(default_factory=dict)
    reasons: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    parked: list[int] = field(default_factory=list)

    def add(self, other: "Trial") -> None:
        """Add what another process found."""
        self.whole.add(other.whole)
        for name, row in other.rows.items():
            self.rows.setdefault(name, Row()).add(row)
        self.reasons.update(other.reasons)
        self.wrong = (self.wrong + other.wrong)[:EXAMPLES_KEPT]
        self.parked = (self.parked + other.parked)[:EXAMPLES_KEPT]

    def failures(self) -> list[str]:
        """Say which of the promises did not hold, in words."""
        return [*self.wrong, *self._thresholds()]

    def _thresholds(self) -> Iterator[str]:
        whole = self.whole
        if whole.booked < BOOKED_AT_LEAST * whole.orders:
            yield f"booked {whole.booked} of {whole.orders}, less than {BOOKED_AT_LEAST:.1%}"
        if whole.booked - whole.adjusted < WITHOUT_ADJUSTMENT_AT_LEAST * whole.orders:
            yield f"{whole.adjusted} adjusted: without it less than {WITHOUT_ADJUSTMENT_AT_LEAST:.0%}"
        for feature in Feature:
            row = self.rows.get(feature.value, Row())
            if row.booked < BOOKED_OF_A_FEATURE_AT_LEAST * row.orders:
                yield f"{feature.value}: booked {row.booked} of {row.orders}"
            if row.orders < SHARES_AT_LEAST.get(feature, 0) * whole.orders:
                yield f"{feature.value}: only {row.orders} of {whole.orders} orders"


def run(seed: int, indexes: Iterable[int]) -> Trial:
    """Try the orders of these numbers."""
    known = {rounding: facts(rounding) for rounding in OTHER}
    trial = Trial()
    for index in indexes:
        _try(trial, make_order(seed, index), index, known)
    return trial


def _try(trial: Trial, made: Made, index: int, known: dict[TaxRounding, LedgerFacts]) -> None:
    fits = TaxRounding.PER_RATE if made.way.per_rate else TaxRounding.PER_LINE
    booked, adjusted = _booked(trial, made, index, fits, known[fits])
    otherwise, _ = _booked(trial, made, index, OTHER[fits], known[OTHER[fits]])
    if not booked:
        trial.parked = [*trial.parked, index][:EXAMPLES_KEPT]
    rows = [trial.rows.setdefault(name, Row()) for name in (*(f.value for f in made.features), made.way.name)]
    for row in (trial.whole, *rows):
        row.orders += 1
        row.booked += booked
        row.adjusted += adjusted
        row.booked_otherwise += otherwise


def _booked(
    trial: Trial, made: Made, index: int, rounding: TaxRounding, organisation: LedgerFacts
) -> tuple[bool, bool]:
    """Tell whether the order was booked and whether by an adjustment; note it where its figures are wrong."""
    mapped = book(made.data, organisation)
    if not isinstance(mapped, Mapped):
        trial.reasons[f"{rounding.value}: {mapped.group}"] += 1
        return False, False
    document = computed(mapped.draft, made.digits, rounding)
    stated = {Decimal(rate) / 1000: Decimal(tax).scaleb(-7) for rate, tax in made.tax_by_rate.items() if tax}
    total = Decimal(made.total).scaleb(-7)
    taxes_agree = (
        document.tax_by_rate == stated
        if made.tells_rates
        else sum(document.tax_by_rate.values()) == sum(stated.values())
    )
    if document.total != total or not taxes_agree:
        trial.wrong.append(f"order {index} ({rounding.value}): {document} is not {total} {stated}")
    return True, bool(mapped.draft.adjustment)
