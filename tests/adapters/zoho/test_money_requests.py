"""Credit notes, payments and locks: what is sent for them, and what their answers are read as."""

import json
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from consumer.adapters.zoho.accounts import SCOPES
from consumer.adapters.zoho.classify import Reply, failure
from consumer.adapters.zoho.requests import Surroundings, build
from consumer.adapters.zoho.results import Organisation, UnusableAnswerError, read_result
from consumer.domain import credits as money
from consumer.domain.credits import CreditNoteStatus
from consumer.domain.ledger import CreateInvoice, Operation, ReadInvoice
from consumer.domain.orders import RateFigures
from consumer.errors import LedgerError, PeriodClosedError, RefusedError, UncertainError
from tests.adapters.zoho.books import DRAFT, KEYED_DRAFT
from tests.sandbox.zoho import openapi

ROOT = Path(__file__).resolve().parents[3]
HERE = Surroundings(organization_id="927270289", currency_ids={"EUR": "460000000000000097"})
READER = Organisation(
    organization_id="1",
    unique_field="cf_booked_key",
    credit_note_unique_field="cf_note_key",
    app="https://books.zoho.eu",
)
NOTE, INVOICE, CONTACT = "460000000000000031", "460000000000000099", "460000000000000017"
DAY = date(2026, 6, 10)

CREATE = money.CreateCreditNote(draft=KEYED_DRAFT, apply_to=INVOICE)
APPLY = money.ApplyCredit(credit_note_id=NOTE, invoice_id=INVOICE, amount=Decimal("0.30"))
REFUND = money.RefundCredit(
    credit_note_id=NOTE, amount=Decimal("12.20"), refunded_on=DAY, reference="A~refund~r1", account_id="5"
)
PAY = money.RecordPayment(
    contact_id=CONTACT, invoice_id=INVOICE, amount=Decimal("29.72"), paid_on=DAY, reference="A~payment~1", mode="cash"
)
SENT = money.MarkSent(invoice_id=INVOICE)
MAIL = money.EmailInvoice(invoice_id=INVOICE, to=("ada@example.com", "bob@example.com"))
READS: list[tuple[Operation, str, dict[str, str]]] = [
    (
        money.FindCreditNotes(reference="A-1"),
        "/creditnotes",
        {"page": "1", "per_page": "200", "reference_number": "A-1"},
    ),
    (money.ReadCreditNote(credit_note_id=NOTE), f"/creditnotes/{NOTE}", {}),
    (money.ListCreditRefunds(credit_note_id=NOTE), f"/creditnotes/{NOTE}/refunds", {}),
    (
        money.FindPayments(reference="A-1"),
        "/customerpayments",
        {"page": "1", "per_page": "200", "reference_number": "A-1"},
    ),
    (money.ReadLock(), "/transactionlocks", {}),
]
WRITES: list[tuple[Operation, str, dict[str, str]]] = [
    (CREATE, "/creditnotes", {"invoice_id": INVOICE}),
    (money.CreateCreditNote(draft=DRAFT), "/creditnotes", {}),
    (APPLY, f"/creditnotes/{NOTE}/invoices", {}),
    (REFUND, f"/creditnotes/{NOTE}/refunds", {}),
    (SENT, f"/invoices/{INVOICE}/status/sent", {}),
    (MAIL, f"/invoices/{INVOICE}/email", {}),
    (PAY, "/customerpayments", {}),
]
DESCRIBED = [one[0] for one in [*READS[:4], *WRITES]]


def body(operation: Operation) -> Any:
    """Give the body of an operation, read back with exact amounts."""
    return json.loads(build(operation, HERE).body, parse_float=Decimal)


@pytest.mark.parametrize(("operation", "path", "query"), [*READS, *WRITES])
def test_addresses_and_queries(operation: Operation, path: str, query: dict[str, str]) -> None:
    """Reads are GET, writes POST; the organisation is always named."""
    made = build(operation, HERE)
    assert made.method == ("POST" if operation.is_write else "GET")
    assert (made.path, dict(made.query)) == (f"/books/v3{path}", {"organization_id": "927270289", **query})


@openapi.needs_description
@pytest.mark.parametrize("operation", DESCRIBED, ids=lambda operation: operation.name)
def test_every_request_fits_zohos_own_description(operation: Operation) -> None:
    """Method, address, query and body."""
    made = build(operation, HERE)
    sent = json.loads(made.body) if made.body else None
    assert openapi.check_request(made.method, made.path, dict(made.query), sent) == []


def test_the_bodies_carry_amounts_to_the_cent() -> None:
    """Amounts are numbers with their own digits, and what has no value is not named."""
    assert body(APPLY) == {"invoices": [{"invoice_id": INVOICE, "amount_applied": Decimal("0.30")}]}
    assert body(REFUND) == {
        "date": "2026-06-10",
        "refund_mode": "others",
        "amount": Decimal("12.20"),
        "reference_number": "A~refund~r1",
        "from_account_id": "5",
    }
    assert body(PAY) == {
        "customer_id": CONTACT,
        "payment_mode": "cash",
        "amount": Decimal("29.72"),
        "date": "2026-06-10",
        "reference_number": "A~payment~1",
        "invoices": [{"invoice_id": INVOICE, "amount_applied": Decimal("29.72")}],
    }
    assert body(replace(PAY, account_id="8"))["account_id"] == "8"
    assert body(MAIL) == {"to_mail_ids": ["ada@example.com", "bob@example.com"]}


def test_a_credit_note_has_its_key_and_no_due_day() -> None:
    """The unique field is what a second try is refused by; a credit note is never due."""
    sent = body(CREATE)
    assert sent["custom_fields"] == [{"api_name": "cf_booked_key", "value": "shop/A-1001/invoice//1"}]
    assert (sent["customer_id"], sent["reference_number"], sent["date"]) == (CONTACT, "A-1001", "2026-06-09")
    assert not {"due_date", "payment_terms", "payment_terms_label", "invoice_number"} & set(sent)


@pytest.mark.parametrize("operation", [replace(APPLY, credit_note_id=""), money.ReadCreditNote(credit_note_id=" ")])
def test_a_missing_id_never_becomes_another_address(operation: Operation) -> None:
    """Without its id the call would be about all credit notes."""
    with pytest.raises(RefusedError, match="credit note id"):
        build(operation, HERE)


def test_a_credit_note_is_read_as_an_invoice_is() -> None:
    """Its VAT per rate comes from its own lines, its key from its own field, its page is the one with a login."""
    line = {"line_item_id": "1", "tax_id": "t", "tax_name": "VAT", "tax_percentage": 22, "item_total": Decimal("10.00")}
    document = {
        "creditnote_id": 31,
        "creditnote_number": "CN-1",
        "status": "open",
        "reference_number": "A-1",
        "customer_id": 17,
        "date": "2026-06-10",
        "total": Decimal("12.20"),
        "balance": Decimal("2.20"),
        "tax_total": Decimal("2.20"),
        "currency_code": "EUR",
        "line_items": [line],
        "taxes": [{"tax_id": "t", "tax_name": "VAT (22%)", "tax_amount": Decimal("2.20")}],
        "custom_field_hash": {"cf_note_key": "k"},
    }
    note = read_result(money.ReadCreditNote(credit_note_id="31"), {"code": 0, "creditnote": document}, READER)
    assert (note.credit_note_id, note.number, note.status) == ("31", "CN-1", CreditNoteStatus.OPEN)
    assert (note.total, note.balance, note.tax_total) == (Decimal("12.20"), Decimal("2.20"), Decimal("2.20"))
    assert note.tax_by_rate == (RateFigures(rate=Decimal(22), net=None, tax=Decimal("2.20")),)
    assert (note.unique_key, note.url) == ("k", "https://books.zoho.eu/app/1#/creditnotes/31")


LOCKED = {"transaction_lock_module": "sales", "transaction_lock_date": "2026-03-31"}


@pytest.mark.parametrize(
    ("rows", "day"),
    [
        ([], None),
        ([LOCKED], date(2026, 3, 31)),
        ([LOCKED | {"transaction_lock_status": "enabled_with_logging"}], date(2026, 3, 31)),
        ([LOCKED | {"transaction_lock_status": "disabled"}], None),
        ([LOCKED | {"transaction_lock_module": "purchase"}], None),
        ([{"module": "Sales", "lock_date": "2026-03-31"}], date(2026, 3, 31)),
        ([LOCKED, {"transaction_lock_module": "all", "transaction_lock_date": "2026-04-30"}], date(2026, 4, 30)),
        ([{"transaction_lock_date": "2026-02-28"}], date(2026, 2, 28)),
    ],
)
def test_the_last_locked_day_of_sales(rows: list[dict[str, Any]], day: date | None) -> None:
    """Under either set of names; locks of other modules, and those switched off, say nothing."""
    assert read_result(money.ReadLock(), {"code": 0, "transaction_locks": rows}, READER) == day


def test_a_lock_without_a_day_is_no_open_period() -> None:
    """It cannot be read, and is said so, instead of "nothing is locked"."""
    with pytest.raises(UnusableAnswerError, match="names no day"):
        read_result(money.ReadLock(), {"code": 0, "transaction_locks": [{"module": "sales"}]}, READER)


@pytest.mark.parametrize(
    ("operation", "code", "words", "kind"),
    [
        (CreateInvoice(draft=DRAFT), 2, "Transactions dated on or before 2026-03-31 are locked.", PeriodClosedError),
        (PAY, 777, "The period is locked.", PeriodClosedError),
        (CREATE, 4055, "This date falls within the lock of your books", PeriodClosedError),
        (CreateInvoice(draft=DRAFT), 2, "Invalid value passed for Block", RefusedError),
        (ReadInvoice(invoice_id=INVOICE), 2, "The books are locked.", RefusedError),
    ],
)
def test_a_closed_period_is_known_by_its_words(
    operation: Operation, code: int, words: str, kind: type[LedgerError]
) -> None:
    """Its code is not proved; only a write is refused for it, and only by words about a period."""
    reply = Reply(status=400, headers={}, body={"code": code, "message": words})
    assert type(failure(operation, reply)) is kind


@pytest.mark.parametrize("operation", [one[0] for one in WRITES], ids=lambda operation: operation.name)
def test_a_write_without_a_readable_answer_is_uncertain(operation: Operation) -> None:
    """A server's error after a write tells nothing of what came of it."""
    assert type(failure(operation, Reply(status=500, headers={}, body=None))) is UncertainError


def test_the_documentation_names_the_scopes_that_are_asked_for() -> None:
    """Who types them into Zoho's console copies them from there."""
    assert f"`{','.join(SCOPES)}`" in (ROOT / "docs" / "connecting-zoho.md").read_text(encoding="utf-8")
