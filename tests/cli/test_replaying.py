"""`booked replay` says what it found in words, and ends with a code that an alert can use."""

import io
from collections import Counter

import pytest
from rich.console import Console
from typer.testing import CliRunner

from consumer.cli.app import app
from consumer.cli.exits import Exit
from consumer.cli.replaying import exit_code, lines, show
from consumer.domain.orders import OrderKey
from consumer.ports.replay import Woken
from consumer.services.replay_report import ReplayReport, Unverified

RUNNER = CliRunner()
SETTINGS = {
    "BOOKED_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none",
    "BOOKED_KAFKA_SERVERS": "127.0.0.1:1",
    "BOOKED_SECRET_KEYS": "k1:" + "A" * 43 + "=",
}


@pytest.mark.parametrize(
    ("report", "code"),
    [
        (ReplayReport(), Exit.DONE),
        (ReplayReport(busy=True), Exit.DONE),
        (ReplayReport(missing=3), Exit.DONE),
        (ReplayReport(difference=1), Exit.DONE),
        (ReplayReport(left=["order.paid[0]: the time is over"]), Exit.FINDINGS),
        (ReplayReport(list_problems=["shop nl: its list answers 503"]), Exit.FINDINGS),
    ],
)
def test_the_exit_code_tells_whether_something_is_left(report: ReplayReport, code: Exit) -> None:
    """Found and put in is what it is for; what is left, or a list that cannot be read, needs a look."""
    assert exit_code(report) is code


def test_a_run_that_is_not_whole_is_no_success() -> None:
    """The alert looks at the last whole run."""
    assert [ReplayReport().whole, ReplayReport(busy=True).whole, ReplayReport(left=["x"]).whole] == [True, False, False]


def test_the_report_names_what_a_person_needs() -> None:
    """Missing orders, ranges that cannot be verified, shops without a list, what was woken, and what is left."""
    report = ReplayReport(
        records=10,
        missing=1,
        missing_orders=[OrderKey("nl", "7")],
        put_in=Counter(newest=1),
        unverified=[Unverified(topic="order.paid", partition=2, log=1, from_offset=5, to_offset=None)],
        not_verifiable=["be"],
        woken=Woken(leases=1, intents=2, outbox_rows=3),
        left=["order.paid[0]: 6 offsets from 3 on: the time is over"],
    )
    told = "\n".join(lines(report))
    assert "1 were missing, and put in." in told
    assert "missing: nl/7" in told
    assert "order.paid[2], log 1, from 5 to its end" in told
    assert "not verifiable beyond the topic: be" in told
    assert "1 leases of the dead, 2 intents without outcome, 3 messages" in told
    assert "left: order.paid[0]: 6 offsets from 3 on" in told


def test_words_from_outside_are_no_markup() -> None:
    """An order's id may hold brackets; it is printed as it is."""
    text = io.StringIO()
    show(ReplayReport(missing=1, missing_orders=[OrderKey("nl", "[red]7[/]")]), Console(file=text, width=200))
    assert "nl/[red]7[/]" in text.getvalue()


def test_a_long_list_is_cut_and_counted() -> None:
    """Twenty names are shown, and how many more there are."""
    report = ReplayReport(missing=25, missing_orders=[OrderKey("nl", str(n)) for n in range(25)])
    told = lines(report)
    assert sum(line.startswith("  missing: nl/") for line in told) == 20
    assert "  missing: … 5 more (--json names them)" in told


def test_a_time_that_ends_before_it_begins_is_refused() -> None:
    """Before anything is asked of a server."""
    words = ["replay", "--since", "2026-03-02", "--until", "2026-03-01"]
    result = RUNNER.invoke(app, words, env=SETTINGS)
    assert result.exit_code == Exit.CONFIGURATION
    assert "--until" in result.output
