"""What tells one draft from another, what a refusal leaves in the story, and what is recorded of a credit note."""

from dataclasses import replace
from datetime import date
from typing import Any

from consumer.domain.credits import CreditNote, CreditNoteStatus
from consumer.domain.deciding.refunding import note_document
from consumer.domain.deciding.situation import draft_digest, park, unreadable
from consumer.domain.orders import RateFigures
from consumer.domain.records import Conclusion, Document, DocumentKind, Note
from consumer.domain.states import OrderState, Reason, ReasonCode
from tests.domain.deciding.building import MAPPED, PAID_AT, record
from tests.domain.order_building import D


def test_whose_a_draft_is_and_under_which_key_and_number_makes_no_other_draft() -> None:
    """What it says does."""
    digest = draft_digest(MAPPED)
    others: tuple[dict[str, Any], ...] = (
        {"contact_id": "c9"},
        {"unique_key": "k"},
        {"reference": "other"},
        {"number": "INV-9"},
    )
    for other in others:
        assert draft_digest(replace(MAPPED, draft=replace(MAPPED.draft, **other))) == digest, other
    assert draft_digest(replace(MAPPED, draft=replace(MAPPED.draft, notes="other"))) != digest


def test_a_draft_with_half_a_character_has_a_digest() -> None:
    """A shop may have cut a name in the middle of an emoji."""
    halves = [replace(MAPPED, draft=replace(MAPPED.draft, notes=notes)) for notes in ("\ud83d", "\ud83e")]
    assert draft_digest(halves[0]) != draft_digest(halves[1])


def test_a_refusal_leaves_its_words_and_its_code_in_the_story() -> None:
    """And parks the order with the whole reason."""
    reason = Reason(code=ReasonCode.TAX_MISSING, message="No tax of 5 %.", fix="Create one.")
    refused = park(reason, difference=D("0.01"))
    assert refused.conclusion == Conclusion(state=OrderState.PARKED, reason=reason, difference=D("0.01"))
    assert refused.note == Note(
        decision="park", words=("No tax of 5 %.", "Create one."), figures={"reason": "tax_missing"}
    )
    assert refused.resolve is None


def test_an_order_that_cannot_be_read_says_what_brings_it_back() -> None:
    """With its personal data gone there is a second way."""
    for lost in (unreadable(), unreadable(record())):
        assert (lost.code, lost.fix) == (
            ReasonCode.ORDER_UNREADABLE,
            "Send the whole order again as order.updated, with a newer revision.",
        )
    erased = unreadable(record(personal_removed=True))
    assert (erased.code, erased.fix) == (
        ReasonCode.PERSONAL_DATA_REMOVED,
        "Send the whole order again as order.updated with a newer revision, or do it by hand and release it.",
    )


def test_a_credit_note_is_recorded_as_the_ledger_tells_it() -> None:
    """Read whole, with its key and its VAT; from a list, which tells neither."""
    vat = (RateFigures(rate=D(22), net=None, tax=D("1.10")),)
    listed = CreditNote(
        credit_note_id="n1",
        number="CN-1",
        status=CreditNoteStatus.OPEN,
        reference="1001~credit_note~r1",
        contact_id="c1",
        total=D("6.10"),
        currency="EUR",
        balance=D("6.10"),
        issued_on=date(2026, 3, 20),
        modified_at=PAID_AT,
        url="https://ledger/n1",
    )
    recorded = Document(
        connection_id="books",
        kind=DocumentKind.CREDIT_NOTE,
        ledger_id="n1",
        number="CN-1",
        status="open",
        live=True,
        reference="1001~credit_note~r1",
        total=D("6.10"),
        currency="EUR",
        part="r1",
        n=2,
        issued_on=date(2026, 3, 20),
        url="https://ledger/n1",
        contact_id="c1",
        ledger_modified_at=PAID_AT,
        balance=D("6.10"),
        agreed=True,
        settles="i1",
    )
    assert note_document("books", listed, part="r1", n=2, settles="i1") == recorded
    whole = replace(listed, unique_key="shop/1001/credit_note/r1/2", tax_total=D("1.10"), tax_by_rate=vat)
    assert note_document("books", whole, part="r1", n=2, settles="i1") == replace(
        recorded, unique_key="shop/1001/credit_note/r1/2", tax_total=D("1.10"), tax_by_rate=vat
    )
    void = note_document("books", replace(listed, status=CreditNoteStatus.VOID), part="r1", n=2, settles="i1")
    assert (void.status, void.live) == ("void", False)
