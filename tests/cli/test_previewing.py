"""`booked preview` on a real database: what it prints, how it ends, and that it sends and writes nothing."""

import asyncio
import json
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from typer.testing import CliRunner, Result

from consumer.adapters.zoho.calls import Calls
from consumer.bootstrap.parts import open_stores
from consumer.cli.app import app
from consumer.cli.exits import Exit
from consumer.cli.preview_output import with_decimals
from consumer.config import read_settings
from consumer.domain.ledger import Contact, LedgerFacts, LedgerTax, Organization, TaxRounding
from consumer.domain.orders import OrderKey
from consumer.domain.settings import ConnectionSettings, ShopSettings
from consumer.secrets import generate_key
from tests.conformance.intake.making import PAID, taken
from tests.domain.order_building import D

BOOKS = ConnectionSettings(connection_id="books", data_center="eu", organization_id="77")
SHOP = ShopSettings(shop_id="nl", connection_id="books", invoice_number="W-{{ number }}")
FACTS = LedgerFacts(
    organization=Organization(organization_id="77", name="Books", currency="EUR", time_zone="Europe/Amsterdam"),
    taxes=(LedgerTax(tax_id="21", name="VAT 21", rate=D(21)),),
    currencies=(),
    rounding=TaxRounding.PER_RATE,
)
ORDER: dict[str, Any] = {
    "shop_id": "nl",
    "order_id": "7",
    "number": "7",
    "version": 1,
    "paid_at": "2026-11-20T10:00:00Z",
    "currency": "EUR",
    "customer": {"email": "[bold]jane@example.com", "name": "Jane [/red]"},
    "lines": [{"name": "Mug [b]", "quantity": "2", "unit_price": "10.00", "taxes": [{"rate": "21"}]}],
    "totals": {"grand_total": "24.2", "tax": "4.2", "tax_by_rate": [{"rate": "21", "net": "20", "tax": "4.2"}]},
}


class Installation:
    """A database with one shop, and the command on it."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url, self.folder = url, folder
        self.environment = {
            "BOOKED_KAFKA_SERVERS": "127.0.0.1:1",
            "BOOKED_DATABASE_URL": url,
            "BOOKED_SECRET_KEYS": f"k1:{generate_key()}",
        }

    async def set_up(self, *, facts: LedgerFacts | None = FACTS, shop: ShopSettings = SHOP) -> None:
        """Store the settings and what is known of the ledger."""
        async with open_stores(read_settings(self.environment)) as stores:
            await stores.settings.apply([BOOKS], [shop], actor="test", dry_run=False)
            if facts is not None:
                await stores.lanes.save_facts("books", facts)

    async def take(self, order: dict[str, Any]) -> None:
        """Take an order in."""
        event = taken(OrderKey("nl", order["order_id"]), text=json.dumps(order), place=PAID, number=order["number"])
        async with open_stores(read_settings(self.environment)) as stores:
            await stores.intake.record([event])

    async def preview(self, *words: str, content: str | None = None) -> Result:
        """Run the command; every row of every table must stay as it is, but for the note of who looked."""
        before = await self._rows()
        environment = {**self.environment, "COLUMNS": "200", "NO_COLOR": "1"}
        result = await asyncio.to_thread(
            CliRunner().invoke, app, ["preview", "nl", *words], env=environment, input=content
        )
        assert await self._rows() == before
        return result

    def file(self, order: dict[str, Any]) -> str:
        """Write an order to a file."""
        path = self.folder / "order.json"
        path.write_text(json.dumps(order), encoding="utf-8")
        return str(path)

    async def _rows(self) -> dict[str, list[str]]:
        connection = await asyncpg.connect(self.url)
        try:
            tables = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
            names = sorted(row["tablename"] for row in tables)
            assert {"orders", "contacts", "slots", "exchanges"} <= set(names)
            return {
                name: sorted(str(row) for row in await connection.fetch(f'SELECT t::text FROM "{name}" t'))
                for name in names
                if name != "audit_log"
            }
        finally:
            await connection.close()


@pytest.fixture
def installation(migrated_database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Installation:
    """Give an installation whose ledger nobody may call."""

    async def no_call(*_: object, **__: object) -> None:
        raise AssertionError("a preview sends nothing")

    monkeypatch.setattr(Calls, "call", no_call)
    return Installation(migrated_database_url, tmp_path)


async def test_a_file_is_previewed_with_requests_totals_and_customer(installation: Installation) -> None:
    """20.00 and 4.20: the ledger's figures beside the shop's, each request to the letter; brackets are no markup."""
    await installation.set_up()
    result = await installation.preview(installation.file(ORDER))
    assert result.exit_code == Exit.DONE, result.output
    text = result.output
    assert "Customer: a new contact, Jane [/red], which is made first" in text
    assert "POST /books/v3/contacts?organization_id=77" in text
    assert "POST /books/v3/invoices?organization_id=77&ignore_auto_number_generation=true" in text
    assert '"invoice_number": "W-7"' in text
    assert '"rate": 10,' in text
    figures = [row.split("│")[1:-1] for row in text.splitlines() if "│" in row]
    assert [[cell.strip() for cell in row] for row in figures] == [
        ["Net at 21 %", "20.00", "20.00"],
        ["VAT at 21 %", "4.20", "4.20"],
        ["VAT", "4.20", "4.20"],
        ["Total", "24.20", "24.20"],
    ]
    assert text.rstrip().endswith("Nothing was sent and nothing was written.")


async def test_a_recorded_order_is_previewed_for_a_program(installation: Installation) -> None:
    """JSON: amounts as texts, each body as the text that is sent. The known contact is taken, nothing is made."""
    await installation.set_up()
    await installation.take({**ORDER, "customer": {"email": "jane@example.com", "name": "Jane"}})
    async with open_stores(read_settings(installation.environment)) as stores:
        jane = Contact(contact_id="901", name="Jane", email="jane@example.com")
        await stores.contacts.save_page("books", [jane], page=1, complete=True, refresh=False)
    result = await installation.preview("7", "--json")
    assert result.exit_code == Exit.DONE, result.output
    data = json.loads(result.stdout)
    assert (data["decision"], data["total"]) == ("create", {"ledger": "24.20", "shop": "24.20"})
    assert data["rates"] == [
        {"rate": "21", "ledger": {"net": "20.00", "tax": "4.20"}, "shop": {"net": "20.00", "tax": "4.20"}}
    ]
    assert "901" in data["customer"]
    assert [one["path"] for one in data["requests"]] == ["/books/v3/contacts/901", "/books/v3/invoices"]
    body = json.loads(data["requests"][-1]["body"])
    assert (body["customer_id"], body["reference_number"], body["date"]) == ("901", "7", "2026-03-02")
    assert data["layout"] == ["Prices are without tax in them."]
    connection = await asyncpg.connect(installation.url)
    try:
        rows = await connection.fetch("SELECT order_id FROM audit_log WHERE action = 'looked at'")
    finally:
        await connection.close()
    assert [row["order_id"] for row in rows] == ["7"]


async def test_standard_input_is_read_too(installation: Installation) -> None:
    """With - in place of a file."""
    await installation.set_up()
    result = await installation.preview("-", "--json", content=json.dumps(ORDER))
    assert (result.exit_code, json.loads(result.stdout)["order_id"]) == (Exit.DONE, "7")


async def test_an_order_that_would_park_says_why_and_ends_with_findings(installation: Installation) -> None:
    """12.20 at 21 % is no 30.00; the fix stands beside it."""
    await installation.set_up()
    wrong = {**ORDER, "totals": {"grand_total": "30.00"}}
    result = await installation.preview(installation.file(wrong))
    assert result.exit_code == Exit.FINDINGS
    assert "Why (totals_do_not_follow)" in result.output
    assert "Fix: " in result.output
    assert "/books/v3" not in result.output


async def test_without_facts_of_the_organisation_it_says_what_to_do(installation: Installation) -> None:
    """`booked run` has not read them yet: nothing can be foretold."""
    await installation.set_up(facts=None)
    result = await installation.preview(installation.file(ORDER))
    assert result.exit_code == Exit.UNAVAILABLE
    assert "booked run" in result.stderr
    assert "booked doctor" in result.stderr


async def test_what_is_not_there_is_said(installation: Installation) -> None:
    """An unknown shop and an unknown order end with 5, no order in a file and no connection with 3."""
    result = await installation.preview("8")
    assert (result.exit_code, "no shop nl" in result.stderr) == (Exit.NOT_FOUND, True)
    await installation.set_up()
    result = await installation.preview("8")
    assert (result.exit_code, "nothing is known of order 8" in result.stderr) == (Exit.NOT_FOUND, True)
    result = await installation.preview(installation.file({"shop_id": "nl"}))
    assert (result.exit_code, "the file is no order" in result.stderr) == (Exit.CONFIGURATION, True)
    await installation.set_up(shop=ShopSettings(shop_id="nl"), facts=None)
    result = await installation.preview(installation.file(ORDER))
    assert (result.exit_code, "names no connection" in result.stderr) == (Exit.CONFIGURATION, True)


@pytest.mark.parametrize(
    ("amount", "digits", "text"),
    [("24.4", 2, "24.40"), ("1005.0", 0, "1005"), ("0.335", 2, "0.335"), ("7", 3, "7.000"), ("0.5", 0, "0.5")],
)
def test_amounts_have_the_currencys_decimals(amount: str, digits: int, text: str) -> None:
    """And never fewer digits than they say."""
    assert with_decimals(D(amount), digits) == text
