"""What mapping costs: processor time for orders of 10, 50 and 1,000 lines, and for one that no layout fits.

Run: ``python -m bench.mapping``. The orders have two VAT rates and a coupon over both. The last states a cent of VAT
that no layout gives, so that the whole search is gone through under both roundings. Processor time, the median of
several goes; the last column is the cost of one line beside that of the order of 10.
"""

import statistics
import sys
import time
from datetime import UTC, datetime
from decimal import Decimal

from consumer.domain.ledger import LedgerCurrency, LedgerFacts, LedgerTax, Organization, TaxRounding
from consumer.domain.mapping import Mapped, map_order
from consumer.domain.orders import Discount, Line, Order, OrderKey, RateFigures, Tax, Totals
from consumer.domain.settings import ConnectionSettings, ShopSettings

LINES = (10, 50, 1000)
GOES = {10: 200, 50: 60, 1000: 9}
RATES = (Decimal(22), Decimal(10))
COUPON = Decimal(10)
CENT = Decimal("0.01")
FACTS = LedgerFacts(
    organization=Organization(organization_id="1", name="Bench", currency="EUR", time_zone="UTC"),
    taxes=tuple(LedgerTax(tax_id=str(rate), name=f"VAT {rate}", rate=rate) for rate in RATES),
    currencies=(LedgerCurrency(currency_id="1", code="EUR", digits=2, is_base=True),),
    rounding=TaxRounding.PER_RATE,
)


def order(count: int, *, off: Decimal) -> Order:
    """Make an order of so many lines; its VAT is that of a shop per rate, ``off`` from it at the first rate."""
    lines = tuple(_line(number) for number in range(count))
    nets = {rate: sum((_net(line) for line in lines if line.taxes[0].rate == rate), Decimal(0)) for rate in RATES}
    whole = sum(nets.values())
    first = (COUPON * nets[RATES[0]] / whole).quantize(CENT)
    bases = {RATES[0]: nets[RATES[0]] - first, RATES[1]: nets[RATES[1]] - COUPON + first}
    taxes = {rate: (base * rate / 100).quantize(CENT) for rate, base in bases.items()}
    taxes[RATES[0]] += off
    total = sum(bases.values()) + sum(taxes.values())
    return Order(
        key=OrderKey("bench", "1"),
        number="1",
        currency="EUR",
        lines=lines,
        discounts=(Discount(amount=COUPON, code="SAVE"),),
        totals=Totals(
            grand_total=Decimal(total),
            tax_by_rate=tuple(RateFigures(rate=rate, net=None, tax=tax) for rate, tax in taxes.items()),
        ),
    )


def _line(number: int) -> Line:
    return Line(
        id=str(number),
        name=f"Product {number}",
        quantity=Decimal(1 + number % 4),
        unit_price=Decimal(107 + 37 * number % 5000) / 100,
        prices_include_tax=False,
        taxes=(Tax(rate=RATES[number % 2]),),
    )


def _net(line: Line) -> Decimal:
    return line.quantity * line.unit_price


def milliseconds(given: Order, goes: int) -> tuple[float, bool]:
    """Give the median processor time of mapping it, and whether it was booked."""
    times, booked = [], False
    for _ in range(goes):
        begin = time.process_time()
        result = map_order(
            given,
            facts=FACTS,
            shop=ShopSettings(shop_id="bench"),
            connection=ConnectionSettings(connection_id="books", data_center="eu"),
            contact_id="",
            paid_moment=datetime(2026, 3, 14, 12, tzinfo=UTC),
            document_n=1,
            items={},
        )
        times.append((time.process_time() - begin) * 1000)
        booked = isinstance(result, Mapped)
    return statistics.median(times), booked


def main() -> int:
    """Measure and print."""
    of_ten = 0.0
    for count, off in (*((count, Decimal(0)) for count in LINES), (LINES[0], CENT)):
        spent, booked = milliseconds(order(count, off=off), GOES[count])
        if booked == bool(off):
            sys.stdout.write(f"{count} lines: the order is not what this is to measure\n")
            return 1
        of_ten = of_ten or spent / count
        name = "no layout fits" if off else "booked"
        sys.stdout.write(f"{name:15} {count:5} lines {spent:8.2f} ms   {spent / count / of_ten:5.2f}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
