"""What becomes of an order's documents when money is given back: before booking, on a draft, on a sent or paid invoice.

Whole bookings over the ledger in memory, their calls counted.
"""

from datetime import date
from decimal import Decimal

import pytest

from consumer.domain.credits import RecordPayment
from consumer.domain.events import EventKind
from consumer.domain.ledger import InvoiceStatus, LedgerTax
from consumer.domain.records import DocumentKind
from consumer.domain.settings import ChangedSent, RefundOnDraft
from consumer.domain.states import OrderState
from tests.services.booking.changing import (
    AUTOMATIC,
    Data,
    Shop,
    an_order,
    count,
    paid,
    played,
    refund,
    sent,
    totals,
    with_shop,
)
from tests.services.booking.test_changes import pay_in_ledger

UPDATED, CANCELLED, PAID = EventKind.UPDATED, EventKind.CANCELLED, EventKind.PAID
LATER = with_shop(refund_on_draft=RefundOnDraft.CREDIT_NOTE_LATER)
ONE = refund("r1", "22.00")
TWO = refund("r2", "100.00", day=16)


def refunded(*refunds: Data, version: int = 2, **more: str) -> tuple[EventKind, int, Data]:
    """The order tells of these refunds."""
    return UPDATED, version, an_order(refunds=list(refunds), **more)


def test_a_refund_before_booking_is_taken_off_the_draft() -> None:
    """122.00 less 22.00, by a line of its own; VAT is that of what is left: 18.03 of 100.00."""
    world = played(AUTOMATIC, paid(an_order(refunds=[ONE])))
    invoice = world.invoice
    assert totals(world.invoices) == [("draft", "100.00")]
    assert [(line.name, str(line.rate)) for line in invoice.lines or ()] == [("Mug", "122"), ("Refund", "-22.00")]
    assert invoice.tax_total == Decimal("18.03")


def test_an_order_that_was_all_given_back_before_booking_has_no_invoice() -> None:
    """Nothing is made, and no call."""
    world = played(AUTOMATIC, count, paid(an_order(refunds=[refund("r1", "122.00")])))
    assert (world.counted(), world.invoices, world.state(), world.reason()) == (
        [],
        [],
        OrderState.WITHDRAWN,
        "refunded",
    )


def test_a_refund_on_a_draft_corrects_the_draft() -> None:
    """By default: one read and one write, for a draft takes no credits."""
    world = played(AUTOMATIC, paid(), count, refunded(ONE))
    assert (world.counted(), totals(world.invoices), world.notes) == (
        ["read_invoice", "update_invoice"],
        [("draft", "100.00")],
        [],
    )


def test_a_draft_of_which_all_is_given_back_goes_as_that_of_a_cancelled_order() -> None:
    """An invoice over nothing is no invoice."""
    world = played(AUTOMATIC, paid(), count, refunded(refund("r1", "122.00")))
    assert (world.counted(), totals(world.invoices)) == (["read_invoice", "void_invoice"], [("void", "122.00")])
    assert (world.state(), world.reason()) == (OrderState.WITHDRAWN, "refunded")


def test_a_refund_on_a_draft_may_wait_for_the_invoice_to_be_sent() -> None:
    """By the other setting: the draft stays, and the credit note follows once it was sent."""
    world = played(LATER, paid(), count, refunded(ONE))
    assert (world.counted(), totals(world.invoices)) == (["read_invoice"], [("draft", "122.00")])
    world = played(LATER, paid(), refunded(ONE), sent, refunded(ONE, version=3, note="x"))
    assert world.notes == [("1001~credit_note~r1", "22.00", "0.00")]


def test_a_refund_of_a_sent_invoice_is_a_credit_note_put_on_it_at_once() -> None:
    """One read and one write; its key is the refund's own."""
    world = played(AUTOMATIC, paid(), sent, count, refunded(ONE))
    assert world.counted() == ["read_invoice", "create_credit_note"]
    assert world.notes == [("1001~credit_note~r1", "22.00", "0.00")]
    assert (str(world.invoice.balance), world.state()) == ("100.00", OrderState.BOOKED)
    (note,) = world.book.credits.notes.values()
    assert note.tax_total == Decimal("3.97")  # 22.00 x 22 / 122


@pytest.mark.parametrize("at_once", [True, False])
def test_several_refunds_in_turn_close_the_invoice_to_the_cent(at_once: bool) -> None:  # noqa: FBT001 - a parameter
    """Told together or one by one: two credit notes, whose VAT together is the invoice's."""
    steps = [refunded(ONE, TWO)] if at_once else [refunded(ONE), refunded(ONE, TWO, version=3)]
    world = played(AUTOMATIC, paid(), sent, count, *steps)
    assert world.counted() == ["read_invoice", "create_credit_note"] * 2
    assert [total for _, total, _ in world.notes] == ["22.00", "100.00"]
    taxes = [note.tax_total for note in world.book.credits.notes.values()]
    assert taxes == [Decimal("3.97"), Decimal("18.03")]
    assert totals(world.invoices) == [("paid", "122.00")]


def test_a_refund_of_a_paid_invoice_stays_the_customers_credit() -> None:
    """There is nothing to put it on, and no account to pay it from."""
    world = played(AUTOMATIC, paid(), sent, pay_in_ledger, count, refunded(ONE))
    assert world.counted() == ["read_invoice", "create_credit_note"]
    assert world.notes == [("1001~credit_note~r1", "22.00", "22.00")]


def test_a_refund_of_a_paid_invoice_is_paid_out_where_the_shop_names_an_account() -> None:
    """Each under its own reference."""
    shop = with_shop(refund_account_id="77", refund_mode="stripe")
    world = played(shop, paid(), sent, pay_in_ledger, refunded(ONE, TWO))
    assert [(one.reference, str(one.amount)) for one in world.book.credits.refunds.values()] == [
        ("1001~refund~r1", "22.00"),
        ("1001~refund~r2", "100.00"),
    ]
    assert [open_ for _, _, open_ in world.notes] == ["0.00", "0.00"]
    assert len(world.of_kind(DocumentKind.REFUND)) == 2


def test_more_than_is_owed_is_put_on_the_invoice_as_far_as_it_is_owed_and_the_rest_paid_out() -> None:
    """A refund of 100.00 on an invoice of which 22.00 are owed: 22.00 are put on it, 78.00 paid out."""
    world = Shop()

    def pay_some(now: Shop) -> None:
        operation = RecordPayment(
            contact_id=now.invoice.contact_id,
            invoice_id=now.invoice.invoice_id,
            amount=Decimal("100.00"),
            paid_on=date(2026, 3, 14),
            reference="by hand",
        )
        now.book.apply(operation)

    played(with_shop(refund_account_id="77"), paid(), sent, pay_some, count, refunded(TWO), world=world)
    assert world.counted() == [
        "read_invoice",
        "create_credit_note",
        "read_invoice",
        "apply_credit",
        "refund_credit",
    ]
    assert totals(world.invoices) == [("paid", "122.00")]
    assert [str(one.amount) for one in world.book.credits.refunds.values()] == ["78.00"]


def test_a_refund_that_an_older_revision_told_stays_given_back() -> None:
    """A newer revision that is silent about it takes nothing back and credits nothing twice."""
    world = played(AUTOMATIC, paid(), sent, refunded(ONE), count, (UPDATED, 3, an_order()))
    assert (world.counted(), len(world.notes), world.state()) == ([], 1, OrderState.BOOKED)


def test_a_refund_that_only_an_older_revision_told_is_taken_off_the_newest() -> None:
    """The refund came in revision 2, late; the content is that of revision 3: 122.00 less 22.00."""
    world = played(AUTOMATIC, (PAID, 3, an_order()), refunded(ONE))
    assert totals(world.invoices) == [("draft", "100.00")]


def test_a_refund_told_once_more_is_credited_once() -> None:
    """The same id: the same credit note."""
    world = played(AUTOMATIC, paid(), sent, refunded(ONE), count, refunded(ONE, version=3), refunded(ONE, version=4))
    assert (world.counted(), len(world.notes)) == ([], 1)


def test_a_refund_that_the_draft_accounts_for_is_not_credited_when_it_was_sent() -> None:
    """Only what came after the sending: 100.00 of an invoice of 100.00."""
    world = played(AUTOMATIC, paid(), refunded(ONE), sent, count, refunded(ONE, TWO, version=3))
    assert world.counted() == ["read_invoice", "create_credit_note"]
    assert world.notes == [("1001~credit_note~r2", "100.00", "0.00")]
    assert totals(world.invoices) == [("paid", "100.00")]


def test_a_refund_beyond_the_invoice_is_refused() -> None:
    """Nothing is credited; the words say what is left."""
    world = played(AUTOMATIC, paid(), sent, refunded(ONE), refunded(ONE, refund("r2", "100.01"), version=3))
    reason = world.order().reason
    assert reason is not None
    assert (world.reason(), len(world.notes)) == ("refund_exceeds_invoice", 1)
    assert "100 EUR is left" in reason.message


def test_a_cancellation_after_a_refund_credits_only_the_rest() -> None:
    """22.00 were given back: 100.00 are credited, VAT of both that of the invoice."""
    world = played(AUTOMATIC, paid(), sent, refunded(ONE), count, (CANCELLED, 3, None))
    assert world.counted() == ["read_invoice", "create_credit_note"]
    assert [total for _, total, _ in world.notes] == ["22.00", "100.00"]
    assert sum(note.tax_total or 0 for note in world.book.credits.notes.values()) == Decimal("22.00")
    assert world.state() is OrderState.WITHDRAWN


def test_a_refund_told_by_the_cancellation_itself_is_credited_with_the_rest() -> None:
    """All of it, once."""
    world = played(AUTOMATIC, paid(), sent, (CANCELLED, 2, an_order(refunds=[refund("r1", "122.00")])))
    assert [(total, open_) for _, total, open_ in world.notes] == [("122.00", "0.00")]
    assert world.state() is OrderState.WITHDRAWN


def test_a_refund_of_one_line_is_named_and_taxed_as_the_line() -> None:
    """Two rates: what is given back of the book goes to 10 %, to the cent that the shop says."""
    lines = [
        {"id": "1", "name": "Mug", "quantity": "1", "unit_price": "122.00", "taxes": [{"rate": "22"}]},
        {"id": "2", "name": "Book", "quantity": "2", "unit_price": "11.00", "taxes": [{"rate": "10"}]},
    ]
    order = an_order("144.00", lines=lines)
    one_book = refund(
        "r1",
        "11.00",
        lines=[{"id": "2", "quantity": "1", "amount": "11.00", "taxes": [{"rate": "10", "amount": "1.00"}]}],
    )
    world = Shop()
    world.book.taxes = (*world.book.taxes, LedgerTax(tax_id="t10", name="VAT 10", rate=Decimal(10)))
    played(AUTOMATIC, paid(order), sent, (UPDATED, 2, {**order, "refunds": [one_book]}), world=world)
    (note,) = world.book.credits.notes.values()
    assert [(str(row.rate), str(row.tax)) for row in note.tax_by_rate or () if row.tax] == [("10", "1.00")]
    assert str(note.total) == "11.00"


def test_a_refund_whose_amount_is_told_otherwise_later_asks_a_person() -> None:
    """What was credited stays; a release lets the order go on as it is."""
    world = played(AUTOMATIC, paid(), sent, refunded(ONE), count, refunded(refund("r1", "30.00"), version=3))
    reason = world.order().reason
    assert reason is not None
    assert (world.counted(), world.reason(), len(world.notes)) == ([], "refund_unclear", 1)
    assert ("22 EUR" in reason.message, "30" in reason.message) == (True, True)


def test_what_was_given_back_on_a_former_invoice_is_taken_off_the_new_one_too() -> None:
    """122.00 less 22.00 credited; changed to 244.00: the rest of 100.00 is credited, the new one is over 222.00."""
    shop = with_shop(changed_sent=ChangedSent.CREDIT_ALL)
    dearer = (UPDATED, 3, an_order("244.00", refunds=[ONE]))
    world = played(shop, paid(), sent, refunded(ONE), dearer)
    assert [total for _, total, _ in world.notes] == ["22.00", "100.00"]
    assert totals(world.invoices) == [("paid", "122.00"), ("draft", "222.00")]


def test_a_new_invoice_whose_refunds_wait_for_its_sending_has_credit_notes_of_its_own() -> None:
    """The same refund, once on each invoice: 22.00 of 122.00, and 22.00 of 244.00 when that was sent."""
    shop = with_shop(
        changed_sent=ChangedSent.CREDIT_ALL, refund_on_draft=RefundOnDraft.CREDIT_NOTE_LATER, refund_account_id="77"
    )
    dearer = (UPDATED, 3, an_order("244.00", refunds=[ONE]))
    again = (UPDATED, 4, an_order("244.00", refunds=[ONE], note="hello"))

    def send_new(now: Shop) -> None:
        now.book.set_status(now.invoices[-1].invoice_id, InvoiceStatus.SENT)

    world = played(shop, paid(), sent, refunded(ONE), dearer, send_new, again)
    assert [(note.n, note.part, str(note.total)) for note in world.of_kind(DocumentKind.CREDIT_NOTE)] == [
        (1, "r1", "22.00"),
        (1, "!all-1", "100.00"),
        (2, "r1", "22.00"),
    ]
    assert [str(invoice.balance) for invoice in world.invoices] == ["0.00", "222.00"]


def test_the_credit_of_an_order_that_only_changed_is_not_paid_out() -> None:
    """Nobody has given money back: it stays the customer's credit, whatever the account of refunds."""
    shop = with_shop(changed_sent=ChangedSent.CREDIT_ALL, refund_account_id="77")
    world = played(shop, paid(), sent, pay_in_ledger, (UPDATED, 2, an_order("244.00")))
    assert world.notes == [("1001~credit_note~!all-1", "122.00", "122.00")]
    assert world.book.credits.refunds == {}
