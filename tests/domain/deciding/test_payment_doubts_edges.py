"""What the ledger's answers make of a payment without one."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from consumer.domain.credits import (
    FindCreditNotes,
    FindPayments,
    Payment,
)
from consumer.domain.deciding import decide
from consumer.domain.deciding.situation import Call, Decision, Rest, Restate
from consumer.domain.records import Document, DocumentKind, Note, Resolution
from tests.domain.deciding.building import PAID_AT, document, intent, record, situation
from tests.domain.deciding.test_money_doubts import doubt as in_doubt

D = Decimal
URL = "https://ledger.example/1"


PAY = FindPayments(reference="x")
PAID = Payment(
    payment_id="p1",
    contact_id="c1",
    amount=D("12.20"),
    reference="x",
    number="7",
    currency="USD",
    paid_on=date(2026, 3, 14),
    modified_at=PAID_AT,
)


def paying(*documents: Document, answer: Any = (PAID,), live: bool = True) -> Decision:
    """Decide about a payment without an answer."""
    given = in_doubt("record_payment", *documents, answers={PAY: answer}, reference="x", part="1")
    stored = replace(given.record, currency="EUR")
    if not live:
        stored = replace(stored, documents=documents)
    return decide(replace(given, record=stored))


def test_a_payment_is_recorded_as_the_ledger_has_it() -> None:
    """In its own currency, else the order's; on the invoice that there is."""
    made = Document(
        connection_id="books",
        kind=DocumentKind.PAYMENT,
        ledger_id="p1",
        number="7",
        status="recorded",
        live=True,
        reference="x",
        total=D("12.20"),
        currency="USD",
        part="1",
        issued_on=date(2026, 3, 14),
        contact_id="c1",
        ledger_modified_at=PAID_AT,
        settles="i1",
    )
    adopted = Restate(
        document=made,
        note=Note(decision="adopt", words=("No answer had come, but the payment was recorded.",)),
        resolve=Resolution.ADOPTED,
    )
    assert paying() == adopted
    assert paying(answer=(replace(PAID, currency=""),)) == replace(adopted, document=replace(made, currency="EUR"))
    assert paying(live=False) == replace(adopted, document=replace(made, settles=""))


def test_a_payment_that_is_recorded_already_is_none_of_this_one() -> None:
    """Nor does a credit note of its id stand for it; no answer is none."""
    known_payment = document(kind=DocumentKind.PAYMENT, ledger_id="p1")
    assert isinstance(paying(known_payment), Rest)
    assert isinstance(paying(document(kind=DocumentKind.CREDIT_NOTE, ledger_id="p1")), Restate)
    assert isinstance(paying(answer=None), Rest)


def test_the_credit_notes_question_is_by_its_reference() -> None:
    """A moment in another year changes nothing of it."""
    later = intent("create_credit_note", begun_at=datetime(2027, 1, 1, tzinfo=UTC), sought={"reference": "z"})
    assert decide(situation(record(open_intent=later))) == Call(operation=FindCreditNotes(reference="z"))
