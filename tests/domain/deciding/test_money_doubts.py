"""A credit note, payment or refund without an answer: adopted where it is ours, made anew only when it is absent."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from consumer.domain.arithmetic import TaxSum
from consumer.domain.crediting import sums_text
from consumer.domain.credits import (
    CreditNote,
    CreditNoteStatus,
    CreditRefund,
    FindCreditNotes,
    FindPayments,
    ListCreditRefunds,
    Payment,
    ReadCreditNote,
)
from consumer.domain.deciding import decide
from consumer.domain.deciding.situation import Call, Forget, Observations, Rest, Restate, Situation
from consumer.domain.records import Document, DocumentKind, Resolution
from consumer.domain.states import OrderState, ReasonCode
from tests.domain.deciding.building import PAID_AT, document, intent, record, situation

SUMS = (TaxSum(tax_id="t22", rate=Decimal(22), gross=Decimal("12.20"), tax=Decimal("2.20")),)
REFERENCE = "1001~credit_note~r1"
SOUGHT = {
    "reference": REFERENCE,
    "unique_key": "",
    "contact_id": "c1",
    "total": "12.20",
    "part": "r1",
    "n": "1",
    "settles": "i1",
    "applied": "yes",
    "sums": sums_text(SUMS),
    "credit_note_id": "n1",
}
FIND, READ = FindCreditNotes(reference=REFERENCE), ReadCreditNote(credit_note_id="n1")


def note(**more: Any) -> CreditNote:
    """Give a credit note as the ledger has it."""
    given: dict[str, Any] = {
        "credit_note_id": "n1",
        "number": "CN-1",
        "status": CreditNoteStatus.OPEN,
        "reference": REFERENCE,
        "contact_id": "c1",
        "total": Decimal("12.20"),
        "currency": "EUR",
        "balance": Decimal(0),
        "created_at": PAID_AT,
        **more,
    }
    return CreditNote(**given)


def known_note(**more: Any) -> Document:
    """Give our record of it."""
    given: dict[str, Any] = {
        "connection_id": "books",
        "kind": DocumentKind.CREDIT_NOTE,
        "ledger_id": "n1",
        "number": "CN-1",
        "status": "open",
        "live": True,
        "reference": REFERENCE,
        "total": Decimal("12.20"),
        "currency": "EUR",
        "part": "r1",
        "settles": "i1",
        "balance": Decimal("12.20"),
        "agreed": True,
        **more,
    }
    return Document(**given)


def doubt(
    operation: str,
    *documents: Document,
    looked: float | None = None,
    answers: dict[Any, Any] | None = None,
    **sought: str,
) -> Situation:
    """Give the situation of an order with an open intent that may be asked about."""
    open_intent = intent(operation, sought={**SOUGHT, **sought}, looked_seconds_ago=looked)
    stored = record(documents=(document(status="sent"), *documents), open_intent=open_intent)
    return situation(stored, known=Observations(answers=answers or {}))


def restated(decision: object) -> Document:
    """Give the document that was recorded, where the doubt ended by it."""
    assert isinstance(decision, Restate), decision
    assert decision.resolve is Resolution.ADOPTED
    return decision.document


# ---- a credit note ----


def test_a_credit_note_that_was_made_is_adopted_with_all_that_was_known_of_it() -> None:
    """Found by its reference, read whole, and recorded with its sums: what is left to be credited stays right."""
    assert decide(doubt("create_credit_note")) == Call(operation=FIND)
    found = decide(doubt("create_credit_note", answers={FIND: (note(),)}))
    assert found == Call(operation=READ)
    document_ = restated(decide(doubt("create_credit_note", answers={FIND: (note(),), READ: note()})))
    assert (document_.sums, document_.part, document_.settles, document_.applied) == (SUMS, "r1", "i1", True)


@pytest.mark.parametrize(
    "other",
    [
        note(total=Decimal("12.21")),
        note(contact_id="c2"),
        note(created_at=PAID_AT - timedelta(hours=1)),
    ],
    ids=["total", "customer", "older"],
)
def test_a_credit_note_of_our_reference_that_is_not_ours_parks(other: CreditNote) -> None:
    """Another one is not made beside it; a person looks."""
    decision = decide(doubt("create_credit_note", answers={FIND: (other,)}))
    assert isinstance(decision, Rest)
    assert decision.conclusion.reason is not None
    assert (decision.conclusion.reason.code, decision.resolve) == (
        ReasonCode.ALREADY_IN_LEDGER,
        Resolution.SUPERSEDED,
    )


@pytest.mark.parametrize("other", [note(status=CreditNoteStatus.VOID), note(reference=f"{REFERENCE}2")])
def test_a_void_one_and_one_of_a_longer_reference_do_not_count(other: CreditNote) -> None:
    """A list may find by the beginning: what it gives is checked."""
    decision = decide(doubt("create_credit_note", answers={FIND: (other,)}))
    assert isinstance(decision, Rest)
    assert (decision.conclusion.state, decision.looked) == (OrderState.UNCERTAIN, True)


def test_only_two_looks_some_time_apart_make_an_absence() -> None:
    """A list may lag behind."""
    first = decide(doubt("create_credit_note", answers={FIND: ()}))
    assert isinstance(first, Rest)
    assert first.looked
    early = decide(doubt("create_credit_note", answers={FIND: ()}, looked=10.0))
    assert isinstance(early, Rest)
    second = decide(doubt("create_credit_note", answers={FIND: ()}, looked=30.0))
    assert isinstance(second, Forget)
    assert second.resolve is Resolution.ABSENT


def test_a_credit_note_with_another_unique_key_is_not_ours() -> None:
    """The key is told by the document itself only."""
    answers = {FIND: (note(),), READ: note(unique_key="shop/2002/credit_note/r1/1")}
    decision = decide(doubt("create_credit_note", answers=answers, unique_key="shop/1001/credit_note/r1/1"))
    assert isinstance(decision, Rest)
    assert decision.conclusion.state is OrderState.UNCERTAIN


# ---- what is done with it ----


@pytest.mark.parametrize(
    ("balance", "applied"), [("0.00", True), ("12.20", False)], ids=["was put on", "was not put on"]
)
def test_whether_a_credit_was_put_on_its_invoice_is_told_by_what_is_left_of_it(balance: str, applied: bool) -> None:  # noqa: FBT001 a parameter
    """Decided anew from there: not put on twice, and not forgotten."""
    assert decide(doubt("apply_credit", known_note())) == Call(operation=READ)
    now = note(balance=Decimal(balance))
    document_ = restated(decide(doubt("apply_credit", known_note(), answers={READ: now})))
    assert (document_.applied, document_.balance) == (applied, Decimal(balance))


def test_a_refund_that_was_recorded_is_found_by_its_reference() -> None:
    """Among those of its credit note."""
    ask = ListCreditRefunds(credit_note_id="n1")
    reference = "1001~refund~r1"
    assert decide(doubt("refund_credit", known_note(), reference=reference)) == Call(operation=ask)
    row = CreditRefund(refund_id="f1", credit_note_id="n1", amount=Decimal("12.20"), reference=reference)
    made = restated(decide(doubt("refund_credit", known_note(), answers={ask: (row,)}, reference=reference)))
    assert (made.kind, made.ledger_id, made.part) == (DocumentKind.REFUND, "f1", "r1")
    other = CreditRefund(refund_id="f2", credit_note_id="n1", amount=Decimal("12.20"), reference="by hand")
    assert isinstance(decide(doubt("refund_credit", known_note(), answers={ask: (other,)}, reference=reference)), Rest)


# ---- a payment ----


def test_a_payment_that_was_recorded_is_adopted() -> None:
    """By reference, customer and amount."""
    reference = "1001~payment~1"
    ask = FindPayments(reference=reference)
    row = Payment(payment_id="p1", contact_id="c1", amount=Decimal("12.20"), reference=reference)
    assert decide(doubt("record_payment", reference=reference, part="1")) == Call(operation=ask)
    made = restated(decide(doubt("record_payment", answers={ask: (row,)}, reference=reference, part="1")))
    assert (made.kind, made.ledger_id, made.part, made.settles) == (DocumentKind.PAYMENT, "p1", "1", "i1")


@pytest.mark.parametrize("other", [{"amount": Decimal(5)}, {"contact_id": "c2"}, {"reference": "1001~payment~11"}])
def test_another_payment_is_not_taken_for_ours(other: dict[str, Any]) -> None:
    """It is looked for once more, and then recorded anew."""
    reference = "1001~payment~1"
    ask = FindPayments(reference=reference)
    given = {"payment_id": "p1", "contact_id": "c1", "amount": Decimal("12.20"), "reference": reference, **other}
    decision = decide(doubt("record_payment", answers={ask: (Payment(**given),)}, reference=reference, looked=60.0))
    assert isinstance(decision, Forget)
    assert decision.resolve is Resolution.ABSENT


def test_nothing_is_asked_before_the_write_has_settled() -> None:
    """Until then a late answer, or a late effect, may still come."""
    open_intent = intent("create_credit_note", settles_in=120.0, sought=SOUGHT)
    decision = decide(situation(record(documents=(document(),), open_intent=open_intent)))
    assert isinstance(decision, Rest)
    assert (decision.conclusion.state, decision.conclusion.due_in_seconds) == (OrderState.UNCERTAIN, 120.0)
