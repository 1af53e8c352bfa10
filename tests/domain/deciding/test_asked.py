"""What a person asks of an order that has an invoice: delete it, update it; and what is refused, with what to undo."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from consumer.domain.deciding import decide
from consumer.domain.deciding.situation import Answer, Call, Observations, Rest, Situation
from consumer.domain.ledger import DeleteInvoice, InvoiceStatus, ReadInvoice, VoidInvoice
from consumer.domain.settings import CancelledSent, ShopSettings
from consumer.domain.states import Ask, OrderState, ReasonCode, Wish
from tests.domain.deciding.building import SHOP, document, invoice, situation, with_documents

VOIDS = replace(SHOP, cancelled_sent=CancelledSent.VOID)
PARKS = replace(SHOP, cancelled_sent=CancelledSent.PARK)


def asked(ask: Ask, shop: ShopSettings = SHOP, **now: object) -> Situation:
    """Give the situation of an order with one invoice, which is in the ledger as said."""
    known = Observations(invoices={"i1": invoice(**now)}) if now else Observations()
    return situation(with_documents(document(), asked=ask), shop=shop, known=known)


def words_of(decision: object) -> str:
    """Give what a refusal says."""
    assert isinstance(decision, Answer), decision
    return " ".join(decision.note.words)


@pytest.mark.parametrize("ask", [Ask.DELETE, Ask.DELETE_SENT])
def test_a_draft_is_read_and_then_deleted(ask: Ask) -> None:
    """The ledger's real state decides, so that it is read first."""
    assert decide(asked(ask)) == Call(operation=ReadInvoice(invoice_id="i1"))
    decision = decide(asked(ask, status=InvoiceStatus.DRAFT))
    assert isinstance(decision, Call)
    assert (decision.operation, decision.sought["status"]) == (DeleteInvoice(invoice_id="i1"), "deleted")


def test_a_sent_invoice_is_asked_for_once_more() -> None:
    """And the words say what is then done, by the setting of cancelled orders."""
    assert "Ask once more" in words_of(decide(asked(Ask.DELETE, VOIDS, status=InvoiceStatus.SENT)))
    assert "made void" in words_of(decide(asked(Ask.DELETE, VOIDS, status=InvoiceStatus.SENT)))
    assert "credited in full" in words_of(decide(asked(Ask.DELETE, status=InvoiceStatus.SENT)))


def test_a_sent_invoice_that_was_asked_for_twice_goes_as_that_of_a_cancelled_order() -> None:
    """Here: void."""
    decision = decide(asked(Ask.DELETE_SENT, VOIDS, status=InvoiceStatus.SENT))
    assert isinstance(decision, Call)
    assert decision.operation == VoidInvoice(invoice_id="i1")


def test_a_sent_invoice_that_the_setting_leaves_to_a_person_is_refused() -> None:
    """However often it is asked for."""
    assert "leaves it to a person" in words_of(decide(asked(Ask.DELETE_SENT, PARKS, status=InvoiceStatus.SENT)))


@pytest.mark.parametrize(
    "now",
    [
        {"status": InvoiceStatus.PAID, "balance": Decimal(0)},
        {"status": InvoiceStatus.PARTIALLY_PAID, "balance": Decimal("2.20")},
        {"status": InvoiceStatus.SENT, "balance": Decimal("2.20")},
    ],
)
def test_an_invoice_with_money_on_it_is_refused_with_what_to_undo(now: dict[str, Any]) -> None:
    """Payments or credits have to be taken off first, in the ledger; the words say how much."""
    said = words_of(decide(asked(Ask.DELETE_SENT, **now)))
    assert ("take them off in the ledger first" in said, "EUR" in said) == (True, True)


def test_what_was_deleted_on_purpose_is_not_made_again() -> None:
    """Not by an event, nor by the replay: the wish says so from then on."""
    gone = with_documents(document(live=False, status="deleted"), asked=Ask.DELETE)
    decision = decide(situation(gone))
    assert isinstance(decision, Rest)
    assert (decision.wish, decision.conclusion.state) == (Wish.NONE, OrderState.WITHDRAWN)
    later = with_documents(document(live=False, status="deleted"), wish=Wish.NONE)
    again = decide(situation(later))
    assert isinstance(again, Rest)
    assert again.conclusion.reason is not None
    assert again.conclusion.reason.code is ReasonCode.NOT_WANTED


def test_generate_on_a_booked_order_is_no_error() -> None:
    """It rests booked, with the invoice that there is, and no call."""
    decision = decide(situation(with_documents(document(), asked=Ask.GENERATE)))
    assert isinstance(decision, Rest)
    assert decision.conclusion.state is OrderState.BOOKED


@pytest.mark.parametrize(
    ("paid", "shop"),
    [(False, SHOP), (True, replace(SHOP, automatic=False))],
    ids=["not paid", "automatic sending off"],
)
def test_generate_books_what_the_settings_hold_back(paid: bool, shop: ShopSettings) -> None:  # noqa: FBT001 a parameter
    """Paid or not, automatic sending on or off: it goes on to be made."""
    decision = decide(situation(with_documents(asked=Ask.GENERATE, paid=paid), shop=shop))
    assert isinstance(decision, Call)
    assert decision.operation.name == "create_invoice"


def test_generate_on_a_cancelled_order_makes_nothing() -> None:
    """It rests withdrawn."""
    decision = decide(situation(with_documents(asked=Ask.GENERATE, cancelled=True)))
    assert isinstance(decision, Rest)
    assert decision.conclusion.state is OrderState.WITHDRAWN


def test_a_held_order_is_not_written_whatever_comes() -> None:
    """A cancellation waits too."""
    decision = decide(situation(with_documents(document(), cancelled=True, wish=Wish.HOLD)))
    assert isinstance(decision, Rest)
    assert decision.conclusion.reason is not None
    assert (decision.conclusion.state, decision.conclusion.reason.code) == (OrderState.WAITING, ReasonCode.HELD)
