"""Answers that Zoho Books really gave are read, all of them."""

import gzip
import json
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from consumer.adapters.zoho.classify import Reply, failure
from consumer.adapters.zoho.encoding import read_json
from consumer.adapters.zoho.exchanges import quota
from consumer.adapters.zoho.results import Organisation, read_result
from consumer.domain import ledger
from consumer.domain.ledger import Contact, Invoice, InvoiceStatus, Item, Page, TaxRounding
from tests.adapters.zoho.books import CREATE_CONTACT, CREATE_INVOICE, DRAFT, READ_INVOICE

FILE = Path(__file__).resolve().parents[4] / "shared" / "data" / "zoho-recorded" / "exchanges.jsonl.gz"
ERRORS = FILE.with_name("errors-seen.json")
pytestmark = pytest.mark.skipif(not FILE.is_file(), reason=f"the recorded answers are not there: {FILE}")

HERE = Organisation(organization_id="927270289", unique_field="cf_booked_key", app="https://books.zoho.com")
UPDATE_CONTACT = ledger.UpdateContact(contact_id="1", data=CREATE_CONTACT.data)

# Which of our operations would have got the answer; what is not here we never ask for.
OPERATIONS: list[tuple[str, ledger.Operation]] = [
    (r"GET /organizations", ledger.ReadOrganization()),
    (r"GET /settings/taxes", ledger.ListTaxes()),
    (r"GET /settings/currencies", ledger.ListCurrencies()),
    (r"GET /contacts", ledger.ListContacts()),
    (r"GET /contacts/\d+", ledger.ReadContact(contact_id="1")),
    (r"POST /contacts", CREATE_CONTACT),
    (r"PUT /contacts/\d+", UPDATE_CONTACT),
    (r"GET /invoices", ledger.ListInvoices()),
    (r"GET /invoices/\d+", READ_INVOICE),
    (r"POST /invoices", CREATE_INVOICE),
    (r"PUT /invoices/\d+", ledger.UpdateInvoice(invoice_id="1", draft=DRAFT)),
    (r"POST /invoices/\d+/status/void", ledger.VoidInvoice(invoice_id="1")),
    (r"DELETE /invoices/\d+", ledger.DeleteInvoice(invoice_id="1")),
    (r"GET /items", ledger.FindItems(text="x")),
]


def recorded() -> list[dict[str, Any]]:
    """Read the recordings."""
    with gzip.open(FILE, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def operation_of(exchange: Mapping[str, Any]) -> ledger.Operation | None:
    """Find our operation for a recorded call."""
    call = f"{exchange['method']} {exchange['path'].removeprefix('/books/v3')}"
    return next((operation for pattern, operation in OPERATIONS if re.fullmatch(pattern, call)), None)


def reply_of(exchange: Mapping[str, Any]) -> Reply:
    """Make the answer as the adapter has it after reading its bytes."""
    text = json.dumps(exchange["response"])
    return Reply(status=exchange["status"], body=read_json(text.encode()), text=text, headers=exchange["headers"])


def test_every_recorded_answer_is_taken_for_the_success_that_it_was() -> None:
    """85 answers of all kinds of calls, those too that we never make."""
    exchanges = recorded()
    assert len(exchanges) == 85
    for exchange in exchanges:
        assert failure(operation_of(exchange) or ledger.ReadOrganization(), reply_of(exchange)) is None


def test_every_recorded_answer_to_one_of_our_calls_is_read() -> None:
    """Each of our operations but the searches by name and reference has at least one recording."""
    kinds: dict[str, list[Any]] = {}
    for exchange in recorded():
        operation = operation_of(exchange)
        if operation is not None:
            result = read_result(operation, reply_of(exchange).body or {}, HERE)
            kinds.setdefault(operation.name, []).append(result)
    assert set(kinds) == {operation.name for _, operation in OPERATIONS}
    for name, results in kinds.items():
        if name in {"void_invoice", "delete_invoice"}:
            assert results == [None] * len(results)
        elif name.startswith("list_") or name == "find_items":
            assert all(isinstance(result, Page) and not result.more for result in results)


def one(pattern: str) -> Any:
    """Read the first recorded answer of a call."""
    for exchange in recorded():
        if re.fullmatch(pattern, f"{exchange['method']} {exchange['path'].removeprefix('/books/v3')}"):
            operation = operation_of(exchange)
            assert operation is not None
            return read_result(operation, reply_of(exchange).body or {}, HERE)
    raise AssertionError(pattern)


def test_a_created_invoice_as_it_was_answered() -> None:
    """The figures were taken from the recording by eye."""
    invoice = one(r"POST /invoices")
    assert isinstance(invoice, Invoice)
    assert invoice.invoice_id == "260815000000124029"
    assert invoice.number == "INV-000011"
    assert invoice.status is InvoiceStatus.DRAFT
    assert (invoice.total, invoice.balance, invoice.tax_total) == (Decimal("199.99"), Decimal("199.99"), Decimal(0))
    assert invoice.tax_by_rate == ()
    assert invoice.issued_on == date(2026, 6, 9)
    assert invoice.created_at == datetime(2026, 6, 9, 20, 22, 34, tzinfo=UTC)
    assert invoice.rounding is TaxRounding.PER_RATE
    assert invoice.unique_key is None
    assert invoice.url == "https://books.zoho.com/app/927270289#/invoices/260815000000124029"
    assert invoice.lines is not None
    (line,) = invoice.lines
    assert (line.line_id, line.name, line.quantity, line.rate, line.total) == (
        "260815000000124034",
        "Software License",
        Decimal(1),
        Decimal("199.99"),
        Decimal("199.99"),
    )


def test_an_invoice_of_a_list_tells_no_lines_and_no_tax() -> None:
    """A list's row must not look like an invoice without lines."""
    page = one(r"GET /invoices")
    row = page.rows[0]
    assert (row.lines, row.tax_total, row.tax_by_rate, row.rounding) == (None, None, None, TaxRounding.UNKNOWN)
    assert (row.number, row.status, row.total, row.balance) == (
        "INV-000001",
        InvoiceStatus.PAID,
        Decimal(598),
        Decimal(0),
    )


def test_contacts_as_they_were_answered() -> None:
    """A whole one with its address, and rows of a list, a vendor among them."""
    contact = one(r"GET /contacts/\d+")
    assert isinstance(contact, Contact)
    assert contact.data is not None
    assert (contact.data.billing.street, contact.data.billing.city, contact.data.billing.country) == (
        "123 Main St",
        "New York",
        "US",
    )
    rows = one(r"GET /contacts").rows
    assert {row.data for row in rows} == {None}
    assert [row.is_customer for row in rows if row.name == "Beta Supplies Ltd"] == [False]


def test_the_organisation_and_its_currencies() -> None:
    """What the lane maps by."""
    organization = one(r"GET /organizations")
    assert (organization.currency, organization.time_zone, organization.country, organization.active) == (
        "USD",
        "America/New_York",
        "US",
        True,
    )
    currencies = {row.code: row for row in one(r"GET /settings/currencies").rows}
    assert currencies["USD"].is_base
    assert not currencies["AED"].is_base
    items = one(r"GET /items").rows
    assert {type(row) for row in items} == {Item}


def test_the_daily_headers() -> None:
    """Of 85 answers two kinds have none: organisations, and one deletion."""
    readings = [quota(exchange["headers"]) for exchange in recorded()]
    told = [reading for reading in readings if reading is not None]
    assert {reading.limit for reading in told} == {1000}
    assert len(told) >= 80
    assert all(reading.resets_in_seconds and 0 < reading.resets_in_seconds <= 86400 for reading in told)


def test_the_error_bodies_that_were_seen_have_a_row() -> None:
    """Each of them is a code of the table, so it has a sentence and a fix."""
    for seen in json.loads(ERRORS.read_text(encoding="utf-8")):
        body = {"code": seen["code"], "message": seen["message"]}
        error = failure(CREATE_CONTACT, Reply(status=seen["http"], body=body))
        assert error is not None
        assert f"code {seen['code']}" in str(error)
        assert str(error).endswith((".", " s")), str(error)
