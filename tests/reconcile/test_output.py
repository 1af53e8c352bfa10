"""What people and programs are shown: nothing in it is markup or a formula, amounts are whole, exit codes are told."""

import csv
import io
import json
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
import typer

from consumer.cli.exits import Exit
from consumer.cli.reconcile_output import CSV_COLUMNS, as_csv, as_json, lines, money
from consumer.cli.reconcile_page import as_html
from consumer.cli.reconciling import exit_code, period_of
from consumer.domain.orders import OrderKey
from consumer.domain.reconciling.findings import About, Entry, Finding, FindingKind, Paper, Period
from consumer.domain.reconciling.months import Months
from consumer.domain.reconciling.rates import RateSum
from consumer.services.reconcile_report import Counts, ReconcileReport

PERIOD = Period(from_day=date(2026, 10, 1), to_day=date(2026, 10, 31))
EVIL = "<script>alert(1)</script>"
FINDING = Finding(
    kind=FindingKind.DIFFERENT,
    about=About.TOTAL,
    key=OrderKey("shop", EVIL),
    order_number="[bold]7[/]",
    currency="EUR",
    expected=Decimal("12.20"),
    found=Decimal("13.42"),
    papers=(Paper(kind="invoice", ledger_id="1", number=EVIL, status="draft", total=Decimal("13.42"), url=""),),
    words=f"Invoice {EVIL} comes to 13.42 EUR.",
    fix="booked order update shop 7",
)


def _report(*, shop_id: str = "shop", findings: tuple[Finding, ...] = (FINDING,)) -> ReconcileReport:
    months = Months(PERIOD)
    day = date(2026, 10, 5)
    months.add(
        Entry(
            shop_id=shop_id,
            currency="EUR",
            shop_day=day,
            shop=(RateSum(rate=Decimal(22), net=Decimal(10), tax=Decimal("2.2")),),
            ledger_day=day,
            ledger=(RateSum(rate=Decimal(22), net=Decimal(11), tax=Decimal("2.42")),),
        )
    )
    return ReconcileReport(
        connection_id="books",
        organization=EVIL,
        shops=(shop_id,),
        period=PERIOD,
        counts=Counts(orders=1, listed=1, calls=2, proven=1),
        findings=findings,
        findings_by_kind={"different": len(findings)},
        months=months.rows(),
        unexplained={(shop_id, "EUR"): Decimal("1.22")},
    )


def test_the_page_escapes_all_that_shops_and_ledgers_say() -> None:
    """A name with a script in it is shown as a name; the page loads nothing from elsewhere."""
    page = as_html([_report()], made_at=datetime(2026, 11, 1, 9, 0, tzinfo=UTC))
    assert EVIL not in page
    assert "&lt;script&gt;" in page
    assert "http" not in page
    assert "src=" not in page
    for shown in ("12.20", "13.42", "1.22", "booked order update shop 7", "2026-11-01 09:00 UTC"):
        assert shown in page


def test_the_page_of_nothing_says_so() -> None:
    """Also without any connection."""
    made_at = datetime(2026, 11, 1, tzinfo=UTC)
    assert "Nothing was found." in as_html([_report(findings=())], made_at=made_at)
    assert "There is no connection" in as_html([], made_at=made_at)


def test_the_table_has_one_row_per_shop_month_and_rate() -> None:
    """Decimal points, two decimals at least; the difference is the ledger's less the shop's."""
    (row,) = csv.DictReader(io.StringIO(as_csv([_report()])))
    assert tuple(row) == CSV_COLUMNS
    assert (row["shop"], row["month"], row["vat_rate"]) == ("shop", "2026-10", "22")
    assert [row[name] for name in CSV_COLUMNS[5:]] == [
        *("10.00", "2.20", "12.20"),
        *("11.00", "2.42", "13.42"),
        *("1.00", "0.22", "1.22"),
    ]


def test_a_shop_named_as_a_formula_is_a_text_in_a_spreadsheet() -> None:
    """Or opening the file would compute what somebody put into a name."""
    (row,) = csv.DictReader(io.StringIO(as_csv([_report(shop_id="=1+1")])))
    assert row["shop"] == "'=1+1"


def test_programs_get_exact_decimals() -> None:
    """As strings; everything of a finding is there."""
    plain = json.loads(json.dumps(as_json(_report())))
    (finding,) = plain["findings"]
    assert (finding["expected"], finding["found"], finding["difference"]) == ("12.20", "13.42", "1.22")
    assert finding["documents"][0]["total"] == "13.42"
    assert plain["unexplained"] == [{"shop": "shop", "currency": "EUR", "amount": "1.22"}]
    assert plain["complete"] is True


def test_lines_name_the_fix_under_its_finding() -> None:
    """What is the matter, the figures, the documents, the fix."""
    told = lines(_report(), adopting=False)
    at = next(number for number, line in enumerate(told) if line.startswith("different (total)"))
    assert told[at + 1].strip() == "shop 12.20, ledger 13.42, difference 1.22 EUR"
    assert told[at + 3].strip() == "fix: booked order update shop 7"


@pytest.mark.parametrize(
    ("amount", "text"), [("0", "0.00"), ("-1.5", "-1.50"), ("1E+2", "100.00"), ("0.125", "0.125"), ("-0", "0.00")]
)
def test_an_amount_is_written_whole(amount: str, text: str) -> None:
    """No exponent, no cut decimals, no negative nothing."""
    assert money(Decimal(amount)) == text


def test_the_command_ends_by_what_came_of_it() -> None:
    """Nothing found, found, stopped: what stopped says more than what was found until then."""
    assert exit_code([_report(findings=())]) is Exit.DONE
    assert exit_code([_report(findings=()), _report()]) is Exit.FINDINGS
    assert exit_code([_report(), replace(_report(), stopped="No more calls.")]) is Exit.STOPPED


def test_a_month_is_its_days_and_no_days_are_this_month() -> None:
    """February of a leap year has 29; without days it is the month until today."""
    today = date(2026, 11, 21)
    assert period_of("2028-02", None, None, today=today) == Period(from_day=date(2028, 2, 1), to_day=date(2028, 2, 29))
    assert period_of(None, None, None, today=today) == Period(from_day=date(2026, 11, 1), to_day=today)


@pytest.mark.parametrize("month", ["2026-13", "2026", "x-1", "0-1"])
def test_what_is_no_month_is_refused(month: str) -> None:
    """With the form that is meant."""
    with pytest.raises(typer.BadParameter, match="2026-10"):
        period_of(month, None, None, today=date(2026, 11, 21))


def test_days_in_the_wrong_sequence_are_refused() -> None:
    """The last day lies before the first."""
    first, last = datetime(2026, 10, 2), datetime(2026, 10, 1)  # noqa: DTZ001 - days, as the command line gives them
    with pytest.raises(typer.BadParameter, match="before"):
        period_of(None, first, last, today=date(2026, 11, 21))
