"""`booked reconcile` through real processes, Postgres and HTTP: findings made by hand in the books, and a restore.

Figures are compared with the stand-in's own books, which it computes by its own code.
"""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import httpx
import pytest

from tests.acceptance.installation import CLIENT_ID, CLIENT_SECRET, SHOP, Installation, ask_health, order
from tests.acceptance.test_changes import by_hand, credits_of, refund, started
from tests.acceptance.waiting import until
from tests.server_fixtures import MakeDatabase

pytestmark = pytest.mark.acceptance


async def compared(installation: Installation, *words: str, code: int) -> dict[str, Any]:
    """Run the comparison of this and the last days, and give what it tells programs."""
    ended, printed = await installation.try_command("reconcile", "--from", "2026-01-01", *words, "--json")
    assert ended == code, printed
    (report,) = json.loads(printed)
    found: dict[str, Any] = report
    return found


def named(report: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Name the findings: kind, about, order."""
    return sorted((one["kind"], one["about"], one["order"]) for one in report["findings"])


def of_order(report: Mapping[str, Any], order_id: str) -> dict[str, Any]:
    """Give the one finding of an order."""
    (found,) = [one for one in report["findings"] if one["order"] == order_id]
    finding: dict[str, Any] = found
    return finding


async def ledger_sums(installation: Installation) -> dict[str, tuple[Decimal, Decimal]]:
    """Give VAT and total of all that stands in the stand-in's own books, by month; credit notes count below nought."""
    books, sums = await installation.books(), dict[str, tuple[Decimal, Decimal]]()
    signed = [(1, one) for one in books["invoices"]] + [(-1, one) for one in books["creditnotes"]]
    for sign, one in signed:
        if one["status"] != "void":
            vat, total = sums.get(one["date"][:7], (Decimal(0), Decimal(0)))
            figures = (Decimal(str(one["tax_total"])), Decimal(str(one["total"])))
            sums[one["date"][:7]] = (vat + sign * figures[0], total + sign * figures[1])
    return sums


def report_sums(report: Mapping[str, Any], side: str) -> dict[str, tuple[Decimal, Decimal]]:
    """Give VAT and total of one side of the report, by month."""
    sums = dict[str, tuple[Decimal, Decimal]]()
    for row in report["months"]:
        vat, total = sums.get(row["month"], (Decimal(0), Decimal(0)))
        sums[row["month"]] = (vat + Decimal(row[side]["vat"]), total + Decimal(row[side]["total"]))
    return sums


async def test_equal_books_end_with_nothing_and_the_report_has_the_ledgers_own_sums(
    installation: Installation,
) -> None:
    """Orders of two rates, a refund credited, one cancelled: both sides are the books, in the report and the CSV."""
    await started(installation)
    mixed = order("E-2", price="50.00", total="116.00") | {
        "lines": [
            {"id": "a", "name": "Mug", "quantity": "1", "unit_price": "50.00", "taxes": [{"rate": "22"}]},
            {"id": "b", "name": "Book", "quantity": "1", "unit_price": "50.00", "taxes": [{"rate": "10"}]},
        ]
    }
    async with installation.process():
        await installation.publish("paid", [order("E-1"), mixed, order("E-3"), order("E-4")])
        booked = await installation.synced(4, state="booked")
        await by_hand(installation, booked["E-1"], "sent")
        await installation.publish("updated", [order("E-1", version=2, refunds=[refund("r1", "6.10")])])
        await installation.told("E-1", operation="credited")
        await installation.publish(
            "cancelled",
            [{"shop_id": SHOP, "order_id": "E-4", "version": 2, "cancelled_at": datetime.now(UTC).isoformat()}],
        )
        await installation.told("E-4", state="withdrawn")
    page, table = installation.folder / "report.html", installation.folder / "report.csv"
    report = await compared(installation, "--html", str(page), "--csv", str(table), code=0)
    books = await ledger_sums(installation)
    assert sum(total for _, total in books.values()) == Decimal("134.30")
    assert report_sums(report, "ledger") == report_sums(report, "shop") == books
    by_rate = {row["rate"]: row["ledger"] for row in report["months"]}
    assert by_rate["10"] == {"net": "50.00", "vat": "5.00", "total": "55.00"}
    assert by_rate["22"] == {"net": "65.00", "vat": "14.30", "total": "79.30"}
    assert [row["amount"] for row in report["unexplained"]] == ["0.00"]
    _is_csv_of(table, by_rate)
    text = page.read_text(encoding="utf-8")
    assert "79.30" in text
    assert "Nothing was found." in text


def _is_csv_of(table: Path, by_rate: Mapping[str, Mapping[str, str]]) -> None:
    rows = list(csv.DictReader(io.StringIO(table.read_bytes().decode("utf-8"))))
    assert {row["vat_rate"]: row["ledger_total"] for row in rows} == {
        rate: figures["total"] for rate, figures in by_rate.items()
    }
    assert {row["difference_total"] for row in rows} == {"0.00"}


async def test_what_people_do_in_the_books_is_named_and_the_fix_puts_it_right(installation: Installation) -> None:
    """Deleted, void, edited and copied by hand; the named commands mend what they can, the gauge shows the rest."""
    installation.limits = {**installation.limits, "watch_share": 0}
    await started(installation)
    async with installation.process() as process:
        await installation.publish("paid", [order(f"B-{number}") for number in range(1, 6)])
        booked = await installation.synced(5, state="booked")
        await by_hand(installation, booked["B-1"], "delete")
        await by_hand(installation, booked["B-2"], "void")
        line = {"name": "Mug", "quantity": 1, "rate": 20, "tax_id": installation.organization.taxes["VAT 22"]}
        await by_hand(installation, booked["B-3"], "edit", line_items=[line])
        await _copy(installation, booked["B-4"])
        report = await compared(installation, code=7)
        assert named(report) == [
            ("different", "status", "B-2"),
            ("different", "total", "B-3"),
            ("doubled", "invoice", "B-4"),
            ("missing", "invoice", "B-1"),
        ]
        assert (of_order(report, "B-3")["expected"], of_order(report, "B-3")["found"]) == ("12.20", "24.40")
        assert report_sums(report, "ledger") == await ledger_sums(installation)
        assert [row["amount"] for row in report["unexplained"]] == ["48.80"]
        await _gauge(process, Decimal("48.80"))
        await _mend(installation, report)
        again = await compared(installation, code=7)
        assert named(again) == [("doubled", "invoice", "B-4")]
        assert report_sums(again, "ledger") == await ledger_sums(installation)
        await _gauge(process, Decimal("12.20"))


async def _mend(installation: Installation, report: Mapping[str, Any]) -> None:
    """Run the commands that the findings name, in their sequence."""
    for order_id in ("B-1", "B-2", "B-3"):
        fix = of_order(report, order_id)["fix"]
        words = [part.strip().split() for part in fix.replace(" takes note of it; then", "\n").split("\n")]
        for command in words:
            await installation.try_command(*command[1:5], "--as", "tester")


async def _copy(installation: Installation, told: Mapping[str, Any]) -> None:
    """Make a copy of an invoice, as a person does: the same customer, reference and line."""
    books = await installation.books()
    (one,) = [i for i in books["invoices"] if i["invoice_id"] == told["invoice"]["id"]]
    line = {"name": "Mug", "quantity": 1, "rate": 10, "tax_id": one["line_items"][0]["tax_id"]}
    body = {
        "customer_id": one["customer_id"],
        "reference_number": one["reference_number"],
        "date": one["date"],
        "line_items": [line],
    }
    granted = await installation.ledger.grant(client_id=CLIENT_ID, client_secret=CLIENT_SECRET)
    async with httpx.AsyncClient(base_url=installation.ledger.url, trust_env=False) as person:
        answer = await person.post(
            "/books/v3/invoices",
            params={"organization_id": installation.organization.organization_id},
            headers={"Authorization": f"Zoho-oauthtoken {granted.access_token}"},
            json=body,
        )
    assert answer.status_code == 201, answer.text


async def _gauge(process: Any, wanted: Decimal) -> None:
    async def shown() -> str:
        _, text = await ask_health(process, "/metrics")
        lines = [line for line in text.splitlines() if line.startswith("booked_money_unexplained{")]
        return lines[0].split()[-1] if lines else ""

    await until(shown, lambda text: text and Decimal(text) == wanted, what=f"booked_money_unexplained is {wanted}")


# ---- after a restore ----


async def test_after_a_restore_documents_are_adopted_and_nothing_is_made_twice(
    installation: Installation, make_database: MakeDatabase
) -> None:
    """Taken in, backed up, booked, restored: the backup knows the orders and none of their documents.

    Nothing tells the lanes that Postgres forgot: same server, same positions. The comparison finds the documents, and
    the lanes take them over; without it they would make each a second time, because there is no unique field here.
    """
    await started(installation)
    ids = [f"R-{number}" for number in range(1, 7)]
    async with installation.process("intake"):
        await installation.publish("paid", [order(order_id) for order_id in ids])
        await _until_all(installation, ids, "due")
    backup = await _copy_of(installation.database_url, make_database)
    async with installation.process():
        await installation.synced(len(ids), state="booked")
        await by_hand(installation, await installation.told("R-1", state="booked"), "sent")
        await installation.publish("updated", [order("R-1", version=2, refunds=[refund("r1", "6.10")])])
        await installation.told("R-1", operation="credited")
    restored = replace(installation, database_url=backup)
    report = await compared(restored, code=7)
    assert {one[:2] for one in named(report)} == {("orphaned", "invoice"), ("orphaned", "credit_note")}
    assert report["counts"]["adoptable"] == len(ids) + 1
    assert report["counts"]["adopted"] == 0
    adopted = await compared(restored, "--adopt", "--yes", "--as", "tester", code=7)
    assert adopted["counts"]["adopted"] == len(ids) + 1
    async with restored.process(name="restored"):
        await _until_all(restored, ids, "booked")
        await restored.publish("paid", [order("R-9")])
        await _until_all(restored, [*ids, "R-9"], "booked")
        live = await restored.live_invoices()
        assert {reference: len(found) for reference, found in live.items()} == dict.fromkeys([*ids, "R-9"], 1)
        assert len(await credits_of(restored, "R-1")) == 1
    assert named(await compared(restored, code=0)) == []


async def _until_all(installation: Installation, order_ids: Sequence[str], state: str) -> None:
    """Wait until these are all the orders there are, and each has this state."""
    connection = await asyncpg.connect(installation.database_url)

    async def states() -> dict[str, str]:
        return {row["order_id"]: row["state"] for row in await connection.fetch("SELECT order_id, state FROM orders")}

    try:
        wanted = dict.fromkeys(order_ids, state)
        await until(states, lambda found: found == wanted, what=f"all are {state}", timeout_seconds=120)
    finally:
        await connection.close()


async def _copy_of(database_url: str, make_database: MakeDatabase) -> str:
    """Make a copy of a database that nobody is connected to, and give its address."""
    return await make_database(urlsplit(database_url).path.removeprefix("/"))
