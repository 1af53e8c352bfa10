"""An order that is booked: what is noted when its invoice is gone, what stops it, and what it goes on with."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from consumer.domain.arithmetic import TaxSum
from consumer.domain.deciding import decide
from consumer.domain.deciding.existing import gone_by_hand
from consumer.domain.deciding.situation import Call, Decision, Gone, Observations, Rest, Situation
from consumer.domain.ledger import InvoiceStatus, ReadInvoice
from consumer.domain.orders import Order, Refund
from consumer.domain.records import Conclusion, Document, DocumentKind, Note
from consumer.domain.settings import RefundOnDraft, UnpaidAfterBooking
from consumer.domain.states import Ask, OrderState, Reason, ReasonCode
from tests.domain.deciding.building import HASH, SHOP, document, invoice, situation, with_documents
from tests.domain.order_building import FACTS, D, line, mapped, order

URL = "https://ledger.example/1"
SUMS = (TaxSum(tax_id="t22", rate=D(22), gross=D("12.20"), tax=D("2.20")),)
LIVE = document(url=URL, status="sent", sums=SUMS)
SENT = invoice(status=InvoiceStatus.SENT)
REFUNDED = replace(order([line("1", "10.00", id="1")], "12.20"), refunds=(Refund(id="r1", amount=D("6.10")),))


def of(*documents: Document, given: Order | None = None, now: Any = None, **more: Any) -> Situation:
    """Give the situation of a booked order."""
    facts = more.pop("facts_", {})
    known = Observations() if now is None else Observations(invoices={"i1": now})
    stored = replace(with_documents(*(documents or (LIVE,)), **facts), currency="EUR")
    return situation(stored, order=given, facts=FACTS, known=known, **more)


def parked(decision: Decision) -> Reason:
    """Give why an order is parked."""
    assert isinstance(decision, Rest), decision
    assert decision.conclusion.state is OrderState.PARKED
    assert decision.conclusion.reason is not None
    return decision.conclusion.reason


def booked(word: str = "booked", *words: str) -> Rest:
    """Give the end of a booking."""
    return Rest(conclusion=Conclusion(state=OrderState.BOOKED), note=Note(decision=word, words=words))


@pytest.mark.parametrize(
    ("now", "status", "words"),
    [
        (None, "deleted_by_hand", "Invoice INV-1 was deleted in the ledger by hand."),
        (invoice(status=InvoiceStatus.VOID), "voided_by_hand", "Invoice INV-1 was made void in the ledger by hand."),
    ],
)
def test_what_somebody_took_away_is_noted(now: Any, status: str, words: str) -> None:
    """Deleted, or made void."""
    noted = Gone(invoice_id="i1", status=status, note=Note(decision="gone", words=(words,)))
    assert gone_by_hand(LIVE, now) == noted
    changed = replace(LIVE, content_hash=b"old", written_digest=b"old")
    given = replace(of(changed), known=Observations(invoices={"i1": now}))
    assert decide(given) == noted


def test_what_says_what_the_order_says_is_booked() -> None:
    """Without a call; a change that touches nothing on it says so, and so does an update of what is there."""
    assert decide(of()) == booked()
    touched = replace(LIVE, content_hash=b"old")
    assert decide(of(touched)) == booked("no_change", "The change touches nothing that stands on the document.")
    asked = of(LIVE, facts_={"asked": Ask.UPDATE})
    assert decide(asked) == Call(operation=ReadInvoice(invoice_id="i1"))
    assert decide(of(LIVE, facts_={"asked": Ask.UPDATE}, now=SENT)) == booked(
        "no_change", "It says what the order says already."
    )


def test_a_payment_that_was_taken_back_asks_a_person_or_takes_it_down() -> None:
    """By the setting."""
    taken_back = replace(order([line("1", "10.00")], "12.20"), payment_taken_back=True)
    assert parked(decide(of(given=taken_back))) == Reason(
        code=ReasonCode.UNPAID_AFTER_BOOKING,
        message="The order's payment was taken back after invoice INV-1 had been made (sent).",
        fix=f"Correct invoice INV-1 in the ledger, or delete it: booked order delete. {URL}",
    )
    as_cancelled = replace(SHOP, unpaid_after_booking=UnpaidAfterBooking.AS_CANCELLED)
    assert decide(of(given=taken_back, shop=as_cancelled)) == Call(operation=ReadInvoice(invoice_id="i1"))


def note(**more: Any) -> Document:
    """Give a credit note of 6.10 for the refund."""
    given: dict[str, Any] = {
        "kind": DocumentKind.CREDIT_NOTE,
        "ledger_id": "n1",
        "number": "CN-1",
        "part": "r1",
        "settles": "i1",
        "status": "open",
        "total": Decimal("6.10"),
        "balance": Decimal(0),
        "url": URL,
        "applied": True,
        **more,
    }
    return document(**given)


def test_a_credit_note_of_other_figures_stops_the_order_until_it_is_released() -> None:
    """A person looks at it."""
    wrong = note(agreed=False)
    assert parked(decide(of(LIVE, wrong, given=REFUNDED))) == Reason(
        code=ReasonCode.DIFFERENCE,
        message="Credit note CN-1 came to other figures in the ledger than were meant: 6.10.",
        fix=f"Correct it in the ledger, then release the order: {URL}",
    )
    assert decide(of(LIVE, wrong, given=REFUNDED, facts_={"released": True})) == booked()


def test_a_refund_that_is_told_otherwise_by_now_stops_the_order_until_it_is_released() -> None:
    """Its credit note is not changed for it."""
    dearer = replace(REFUNDED, refunds=(Refund(id="r1", amount=D("7.10")),))
    assert parked(decide(of(LIVE, note(), given=dearer))) == Reason(
        code=ReasonCode.REFUND_UNCLEAR,
        message="Refund r1 was credited with 6.1 EUR (credit note CN-1); the shop now says 7.1.",
        fix=f"Send the difference as a refund of its own, or correct the credit note and release. {URL}",
    )
    assert decide(of(LIVE, note(), given=dearer, facts_={"released": True})) == booked()
    assert decide(of(LIVE, note(), given=REFUNDED)) == booked()


def test_a_refund_is_credited_on_a_sent_invoice_and_taken_off_a_draft() -> None:
    """The invoice is read first; on a draft it may wait until that is sent."""
    assert decide(of(given=REFUNDED)) == Call(operation=ReadInvoice(invoice_id="i1"))
    credit = decide(of(given=REFUNDED, now=SENT))
    assert isinstance(credit, Call)
    assert (credit.operation.name, credit.sought["total"]) == ("create_credit_note", "6.10")
    draft = replace(LIVE, status="draft", content_hash=HASH)
    folds = decide(of(draft, given=REFUNDED, now=invoice(), mapped=mapped(REFUNDED)))
    assert isinstance(folds, Call)
    assert (folds.operation.name, folds.sought["total"]) == ("update_invoice", "6.10")
    later = replace(SHOP, refund_on_draft=RefundOnDraft.CREDIT_NOTE_LATER)
    assert decide(of(draft, given=REFUNDED, now=invoice(), shop=later)) == booked(
        "booked", "Refunds are credited once the invoice has been sent."
    )
    gone = replace(of(given=REFUNDED), known=Observations(invoices={"i1": None}))
    assert decide(gone) == gone_by_hand(LIVE, None)


def test_a_changed_order_that_cannot_be_mapped_is_parked_for_that() -> None:
    """With the mapping's own reason; the invoice stays as it is."""
    why = Reason(code=ReasonCode.TAX_MISSING, message="No tax.")
    changed = replace(LIVE, content_hash=b"old", written_digest=b"old")
    assert parked(decide(of(changed, mapped=why))) == why
