"""The decision for an order whose live invoice is known."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from consumer.domain.deciding import decide
from consumer.domain.deciding.situation import Adopt, Call, Gone, Observations, Rest
from consumer.domain.ledger import DeleteInvoice, InvoiceStatus, ReadInvoice, UpdateInvoice, VoidInvoice
from consumer.domain.settings import CancelledSent
from consumer.domain.states import OrderState, ReasonCode
from tests.domain.deciding.building import PAID_AT, SHOP, document, invoice, situation, with_documents

CHANGED = b"other content"


def read(**more: object) -> Observations:
    """Give the invoice as just read."""
    return Observations(invoices={"i1": invoice(**more)})


def reason_of(decision: object) -> ReasonCode | None:
    """Give the reason of a rest."""
    assert isinstance(decision, Rest), decision
    return None if decision.conclusion.reason is None else decision.conclusion.reason.code


def test_an_order_that_agrees_is_booked_without_a_call() -> None:
    """Written from this very content, and proved by the answer: nothing is left, whatever the settings say now."""
    decision = decide(situation(with_documents(document()), mapped=None))
    assert isinstance(decision, Rest)
    assert decision.conclusion.state is OrderState.BOOKED


def test_a_change_that_touches_nothing_on_the_document_costs_no_call() -> None:
    """Other content, the same draft: booked as it is."""
    decision = decide(situation(with_documents(document(content_hash=CHANGED))))
    assert isinstance(decision, Rest)
    assert decision.conclusion.state is OrderState.BOOKED


def test_a_changed_draft_is_read_before_it_is_updated() -> None:
    """There is no conditional write: the draft is read, and updated only while it is an untouched draft."""
    stored = with_documents(document(content_hash=CHANGED, written_digest=CHANGED))
    assert decide(situation(stored)) == Call(operation=ReadInvoice(invoice_id="i1"))
    decision = decide(situation(stored, known=read()))
    assert isinstance(decision, Call)
    assert isinstance(decision.operation, UpdateInvoice)
    assert decision.operation.draft.contact_id == "c1"


@pytest.mark.parametrize(
    ("now", "code"),
    [
        ({"modified_at": PAID_AT + timedelta(seconds=5)}, ReasonCode.EDITED_BY_HAND),
        ({"status": InvoiceStatus.SENT}, ReasonCode.CHANGED_AFTER_BOOKING),
    ],
)
def test_what_a_person_did_in_the_ledger_is_never_overwritten(now: dict[str, object], code: ReasonCode) -> None:
    """Edited, sent or voided by hand: the order is parked and a person decides."""
    stored = with_documents(document(content_hash=CHANGED, written_digest=CHANGED))
    assert reason_of(decide(situation(stored, known=read(**now)))) is code


def test_a_draft_with_other_figures_is_taken_back() -> None:
    """The very draft was answered with another total: nothing better can be sent, so it is read and deleted."""
    stored = with_documents(document(agreed=False, total=Decimal("12.21")))
    assert decide(situation(stored)) == Call(operation=ReadInvoice(invoice_id="i1"))
    decision = decide(situation(stored, known=read(total=Decimal("12.21"))))
    assert isinstance(decision, Call)
    assert isinstance(decision.operation, DeleteInvoice)


def test_a_draft_is_corrected_where_the_answer_has_shown_another_way() -> None:
    """With the rounding learnt the draft is laid out otherwise: the same document is updated, not deleted."""
    stored = with_documents(document(agreed=False, written_digest=b"the first draft"))
    decision = decide(situation(stored, known=read()))
    assert isinstance(decision, Call)
    assert isinstance(decision.operation, UpdateInvoice)


def test_a_change_finds_the_invoice_made_void_by_hand_and_leaves_it_so() -> None:
    """What a person made void stays void, and nothing is made in its place: a person is asked."""
    stored = with_documents(document(content_hash=CHANGED, written_digest=CHANGED))
    decision = decide(situation(stored, known=read(status=InvoiceStatus.VOID)))
    assert isinstance(decision, Gone)
    after = with_documents(document(content_hash=CHANGED, written_digest=CHANGED, live=False, status=decision.status))
    assert reason_of(decide(situation(after))) is ReasonCode.GONE_FROM_LEDGER


def test_a_cancelled_draft_is_made_void_and_keeps_its_number() -> None:
    """Read first; a draft is made void; what was sent needs a person."""
    stored = with_documents(document(), cancelled=True)
    assert decide(situation(stored)) == Call(operation=ReadInvoice(invoice_id="i1"))
    decision = decide(situation(stored, known=read()))
    assert isinstance(decision, Call)
    assert decision.operation == VoidInvoice(invoice_id="i1")
    sent = decide(
        replace(
            situation(stored, known=read(status=InvoiceStatus.SENT)),
            shop=replace(SHOP, cancelled_sent=CancelledSent.PARK),
        )
    )
    assert reason_of(sent) is ReasonCode.CANCELLED_AFTER_BOOKING


def test_a_cancelled_orders_document_that_is_void_or_gone_already_is_only_noted() -> None:
    """Somebody was faster: the ledger's state is taken over."""
    stored = with_documents(document(), cancelled=True)
    assert isinstance(decide(situation(stored, known=read(status=InvoiceStatus.VOID))), Adopt)
    assert isinstance(decide(situation(stored, known=Observations(invoices={"i1": None}))), Gone)


def test_with_automatic_sending_off_a_change_waits_for_a_click() -> None:
    """Nothing is written by itself: the changed booked order waits, and is shown as changed."""
    stored = with_documents(document(content_hash=CHANGED, written_digest=CHANGED))
    decision = decide(situation(stored, shop=replace(SHOP, automatic=False)))
    assert reason_of(decision) is ReasonCode.CHANGED_AUTOMATIC_OFF
