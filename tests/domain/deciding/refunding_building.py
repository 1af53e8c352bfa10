"""Situations of invoices that were sent, and the credit notes that are made of them."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from consumer.domain.arithmetic import TaxSum
from consumer.domain.credit_layout import tax_line
from consumer.domain.crediting import key_of
from consumer.domain.credits import CreateCreditNote
from consumer.domain.deciding.situation import Call, Decision, Rest, Situation
from consumer.domain.ledger import InvoiceDraft, InvoiceStatus
from consumer.domain.orders import Order, Refund
from consumer.domain.records import Document, DocumentKind, Note
from consumer.domain.states import Reason
from tests.domain.deciding.building import HASH, document, invoice, situation, with_documents
from tests.domain.order_building import FACTS, D, line, order

URL = "https://ledger.example/1"
T22 = TaxSum(tax_id="t22", rate=D(22), gross=D("12.20"), tax=D("2.20"))
LIVE = document(url=URL, status="sent", sums=(T22,), written_digest=b"other", issued_on=date(2026, 3, 14))
SENT = invoice(status=InvoiceStatus.SENT, balance=D("12.20"))
GIVEN_BACK = Refund(id="r1", amount=D("6.10"), created_at=datetime(2026, 3, 19, 23, 30, tzinfo=UTC))
SOLD = replace(order([line("1", "10.00", id="1")], "12.20"), refunds=(GIVEN_BACK,))
TODAY = date(2026, 3, 25)
WORDS = "Refund r1 of 6.1 EUR is credited."


def of(*more: Document, live: Document = LIVE, given: Order | None = SOLD, **fields: Any) -> Situation:
    """Give the situation of an order whose invoice was sent."""
    stored = replace(with_documents(live, *more), currency="EUR", reference="1001")
    return situation(stored, **{"order": given, "facts": FACTS, "today": TODAY, **fields})


def note(**more: Any) -> Document:
    """Give a credit note of the invoice."""
    given: dict[str, Any] = {
        "kind": DocumentKind.CREDIT_NOTE,
        "ledger_id": "n1",
        "number": "CN-1",
        "part": "r1",
        "settles": "i1",
        "status": "open",
        "total": D("6.10"),
        "balance": D(0),
        "sums": (replace(T22, gross=D("6.10"), tax=D("1.10")),),
        **more,
    }
    return document(**given)


def parked(decision: Decision) -> Reason:
    """Give why an order is parked."""
    assert isinstance(decision, Rest), decision
    assert decision.conclusion.reason is not None
    return decision.conclusion.reason


def drafted(name: str = "Refund", amount: str = "6.10", day: date = date(2026, 3, 20), **more: Any) -> InvoiceDraft:
    """Give the draft of the refund's credit note: one line with its tax in it."""
    given: dict[str, Any] = {
        "contact_id": "c1",
        "reference": "1001~credit_note~r1",
        "issued_on": day,
        "due_on": day,
        "currency": "EUR",
        "currency_id": "1",
        "lines": (tax_line(name, key_of(T22), D(amount)),),
        "tax_inclusive": True,
        "notes": "For invoice INV-1.",
        "adjustment_label": "Rounding",
        **more,
    }
    return InvoiceDraft(**given)


def made(draft: InvoiceDraft, *, part: str = "r1", n: int = 1, words: str = WORDS, applies: bool = True) -> Call:
    """Give the call that makes it, on an invoice that is owed."""
    (one,) = draft.lines
    tax = "1.10" if one.rate == D("6.10") else "2.20"
    sums = (replace(T22, gross=one.rate, tax=D(tax)),)
    return Call(
        operation=CreateCreditNote(draft=draft, apply_to="i1" if applies else ""),
        note=Note(decision="credit", words=(words,), figures={"expected_total": str(one.rate), "part": part}),
        subject="order:shop/1001",
        sought={
            "reference": draft.reference,
            "unique_key": draft.unique_key,
            "contact_id": "c1",
            "total": str(one.rate),
            "part": part,
            "n": str(n),
            "settles": "i1",
            "applied": "yes" if applies else "",
            "sums": f"t22|22|{one.rate}|{tax}|",
        },
        about=Document(
            connection_id="books",
            kind=DocumentKind.CREDIT_NOTE,
            ledger_id="",
            number="",
            status="open",
            live=True,
            reference=draft.reference,
            total=one.rate,
            currency="EUR",
            part=part,
            n=n,
            unique_key=draft.unique_key,
            issued_on=draft.issued_on,
            contact_id="c1",
            content_hash=HASH,
            sums=sums,
            settles="i1",
            applied=applies,
        ),
        more=True,
    )
