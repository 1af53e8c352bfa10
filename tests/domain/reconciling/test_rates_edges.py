"""The edges of net and VAT per rate: groups, what nobody tells per rate, and some cents of rounding."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from consumer.domain.arithmetic import TaxSum
from consumer.domain.ledger import LedgerLine
from consumer.domain.orders import RateFigures
from consumer.domain.reconciling.findings import Entry, Period
from consumer.domain.reconciling.months import Months
from consumer.domain.reconciling.rates import RateSum, added, recorded_rates, told_rates
from tests.domain.deciding.building import document

D = Decimal


def row(rate: str | None, net: str, tax: str = "0") -> RateSum:
    """Give a row."""
    return RateSum(rate=None if rate is None else D(rate), net=D(net), tax=D(tax))


def vat(rate: str, tax: str) -> RateFigures:
    """Give what a ledger tells of one rate."""
    return RateFigures(rate=D(rate), net=None, tax=D(tax))


def item(rate: str, total: str) -> LedgerLine:
    """Give a line of a document."""
    return LedgerLine(line_id="1", name="", quantity=D(1), rate=D(total), total=D(total), tax_rate=D(rate))


def test_rates_are_added_highest_first_and_what_is_not_told_last() -> None:
    """Rows of nothing are left out."""
    rows = [row(None, "1"), row("10", "2"), row("22", "3"), row("0", "4"), row("5", "1"), row("5", "-1")]
    assert added(rows, [row("10", "1", "1")]) == (
        row("22", "3"),
        row("10", "3", "1"),
        row("0", "4"),
        row(None, "1"),
    )


GROUP = TaxSum(tax_id="g", rate=D(15), gross=D("11.50"), tax=D("1.50"), parts=(D(5), D(10)))
SINGLE = TaxSum(tax_id="t", rate=D(22), gross=D("12.20"), tax=D("2.20"))


@pytest.mark.parametrize(
    ("sums", "answered", "proven"),
    [
        ((SINGLE,), (vat("22", "2.20"),), True),
        ((SINGLE,), (vat("10", "2.20"),), False),
        ((replace(SINGLE, parts=(D(22),)),), (vat("10", "2.20"),), False),
        ((GROUP,), (vat("5", "0.50"), vat("10", "1.00")), True),
        ((SINGLE, GROUP), (vat("22", "2.20"), vat("5", "0.50"), vat("10", "1.00")), True),
        ((SINGLE,), (), True),
    ],
)
def test_recorded_sums_are_proven_by_what_the_ledger_answered(
    sums: tuple[TaxSum, ...],
    answered: tuple[RateFigures, ...],
    proven: bool,  # noqa: FBT001 a parameter
) -> None:
    """A group's members are told each: their sum is what counts."""
    stored = document(
        sums=sums,
        total=sum((one.gross for one in sums), D(0)),
        tax_total=sum((one.tax for one in sums), D(0)),
        tax_by_rate=answered,
    )
    assert (recorded_rates(stored) is not None) is proven
    assert recorded_rates(replace(stored, agreed=False)) is None
    assert recorded_rates(replace(stored, total=stored.total + 1)) is None
    assert recorded_rates(replace(stored, tax_total=D("99"))) is None


@pytest.mark.parametrize(
    ("total", "taxes", "lines", "expected"),
    [
        ("12.20", None, (item("22", "10.00"),), (row(None, "12.20"),)),
        ("12.20", (vat("22", "2.20"),), (item("22", "10.00"),), (row("22", "10.00", "2.20"),)),
        ("12.20", (vat("22", "2.20"),), (item("22", "12.20"),), (row("22", "10.00", "2.20"),)),
        ("10.00", (), (item("0", "10.00"),), (row("0", "10.00"),)),
        ("11.50", (vat("5", "0.50"), vat("10", "1.00")), (item("15", "10.00"),), (row("15", "10.00", "1.50"),)),
        (
            "23.00",
            (vat("5", "0.50"), vat("10", "1.00")),
            (item("15", "10.00"), item("16", "11.50")),
            (row(None, "21.50", "1.50"),),
        ),
        (
            "13.50",
            (vat("5", "0.50"), vat("10", "1.00")),
            (item("15", "10.00"), item("0", "2.00")),
            (row("15", "10.00", "1.50"), row("0", "2.00")),
        ),
        ("12.00", (vat("22", "2.20"),), (item("22", "10.00"),), (row("22", "10.00", "2.20"), row("0", "-0.20"))),
        ("12.00", (vat("22", "2.20"),), (item("22", "12.20"),), (row("22", "10.00", "2.20"), row("0", "-0.20"))),
        ("12.25", (vat("22", "2.20"),), None, (row("22", "10.05", "2.20"),)),
        ("12.26", (vat("22", "2.20"),), None, (row("22", "10.00", "2.20"), row("0", "0.06"))),
        ("12.20", (vat("22", "2.20"), vat("0", "0")), None, (row("22", "10.00", "2.20"),)),
        ("12.25", (vat("22", "2.20"), vat("10", "0")), None, (row("22", "10.05", "2.20"),)),
        ("11.80", (vat("22", "1.80"),), (item("22", "10.00"),), (row("22", "10.00", "1.80"),)),
        ("140.00", (vat("22", "24.42"),), (item("22", "122.00"),), (row("22", "122.00", "24.42"), row("0", "-6.42"))),
    ],
    ids=[
        "no VAT is told",
        "on top",
        "within",
        "none",
        "a group",
        "two groups",
        "a group beside what bears none",
        "a discount after tax, on top",
        "a discount after tax, within",
        "five cents of rounding",
        "six cents",
        "a rate of nought",
        "a rate without VAT",
        "on top by the total, though the VAT is nearer to that within",
        "as near to VAT on top (26.84) as to VAT within (22.00)",
    ],
)
def test_a_document_is_taken_apart_by_its_lines_else_by_its_vat(
    total: str,
    taxes: tuple[RateFigures, ...] | None,
    lines: tuple[LedgerLine, ...] | None,
    expected: tuple[RateSum, ...],
) -> None:
    """What neither accounts for bears no tax."""
    assert told_rates(D(total), taxes, lines, 2) == expected


def test_months_are_by_shop_month_currency_and_rate() -> None:
    """What is not told per rate last; a side without a day, or outside of the period, is not counted."""
    months = Months(Period(from_day=date(2026, 3, 1), to_day=date(2026, 3, 31)))
    entry = Entry(
        shop_id="b",
        currency="EUR",
        shop_day=date(2026, 3, 2),
        shop=(row(None, "1"), row("10", "2"), row("22", "3", "0.66")),
        ledger_day=date(2026, 4, 2),
        ledger=(row("22", "9"),),
    )
    months.add(entry)
    months.add(replace(entry, shop_id="a", shop_day=None, ledger_day=date(2026, 3, 3)))
    months.add(replace(entry, shop=(row("22", "1", "0.22"),)))
    assert [one.difference for one in months.rows()][:2] == [row("22", "9"), row("22", "-4", "-0.88")]
    found = [(one.shop_id, one.month, one.rate, one.shop.net, one.shop.tax, one.ledger.net) for one in months.rows()]
    assert found == [
        ("a", "2026-03", D(22), D(0), D(0), D(9)),
        ("b", "2026-03", D(22), D(4), D("0.88"), D(0)),
        ("b", "2026-03", D(10), D(2), D(0), D(0)),
        ("b", "2026-03", None, D(1), D(0), D(0)),
    ]
