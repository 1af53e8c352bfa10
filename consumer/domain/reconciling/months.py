"""Per month and VAT rate: net, VAT and total of the shop and of the ledger, side by side."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from consumer.domain.money import ZERO
from consumer.domain.reconciling.findings import Entry, Finding, Period
from consumer.domain.reconciling.rates import Rates, RateSum

MonthKey = tuple[str, str, str, Decimal | None]  # shop, month as 2026-10, currency, rate


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthRow:
    """One shop, month, currency and rate (percent; None: not told per rate) on both sides."""

    shop_id: str
    month: str
    currency: str
    rate: Decimal | None
    shop: RateSum
    ledger: RateSum

    @property
    def difference(self) -> RateSum:
        """Give the ledger's figures less the shop's."""
        return RateSum(rate=self.rate, net=self.ledger.net - self.shop.net, tax=self.ledger.tax - self.shop.tax)


class Months:
    """Adds entries up; what is kept grows with shops, months and rates, never with orders."""

    def __init__(self, period: Period) -> None:
        self._period = period
        self._shop: dict[MonthKey, tuple[Decimal, Decimal]] = {}
        self._ledger: dict[MonthKey, tuple[Decimal, Decimal]] = {}

    def add(self, entry: Entry) -> None:
        """Count both sides of a document, each in the month of its own day; outside of the period it is not counted."""
        self._add(self._shop, entry, entry.shop_day, entry.shop)
        self._add(self._ledger, entry, entry.ledger_day, entry.ledger)

    def _add(self, sums: dict[MonthKey, tuple[Decimal, Decimal]], entry: Entry, day: date | None, rates: Rates) -> None:
        if day is None or not self._period.has(day):
            return
        for one in rates:
            key = (entry.shop_id, f"{day:%Y-%m}", entry.currency, one.rate)
            net, tax = sums.get(key, (ZERO, ZERO))
            sums[key] = (net + one.net, tax + one.tax)

    def rows(self) -> tuple[MonthRow, ...]:
        """Give the rows by shop, month and currency, the highest rate first; those of nothing are left out."""
        keys = sorted({*self._shop, *self._ledger}, key=lambda k: (*k[:3], k[3] is None, -(k[3] or ZERO)))
        rows = (self._row(key) for key in keys)
        return tuple(row for row in rows if any((row.shop.net, row.shop.tax, row.ledger.net, row.ledger.tax)))

    def _row(self, key: MonthKey) -> MonthRow:
        shop_id, month, currency, rate = key
        sides = [sums.get(key, (ZERO, ZERO)) for sums in (self._shop, self._ledger)]
        shop, ledger = (RateSum(rate=rate, net=net, tax=tax) for net, tax in sides)
        return MonthRow(shop_id=shop_id, month=month, currency=currency, rate=rate, shop=shop, ledger=ledger)


Unexplained = dict[tuple[str, str], Decimal]  # by shop and currency


def add_unexplained(sums: Unexplained, findings: Iterable[Finding]) -> None:
    """Add up the money of findings that no order explains itself."""
    for one in findings:
        if not one.explained:
            place = (one.key.shop_id, one.currency)
            sums[place] = sums.get(place, ZERO) + one.money
