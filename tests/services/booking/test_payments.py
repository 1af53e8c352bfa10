"""What a shop wants done with an invoice that is right: marked as sent, mailed, its payment recorded."""

from decimal import Decimal

from consumer.domain.credits import EmailInvoice, RecordPayment
from consumer.domain.events import EventKind
from consumer.domain.records import DocumentKind
from consumer.domain.settings import PaymentRow, ShopSettings
from consumer.domain.states import OrderState
from tests.services.booking.changing import AUTOMATIC, Data, Shop, an_order, count, paid, played, totals, with_shop
from tests.services.booking.test_changes import pay_in_ledger

UPDATED = EventKind.UPDATED
CONTACT = "create_contact"
ALL_ON = with_shop(mark_sent=True, email_invoice=True, record_payment=True)


def paid_by(*payments: Data) -> tuple[EventKind, int, Data | None]:
    """The order tells how it was paid."""
    return paid(an_order(payments=list(payments)))


def recorded(world: Shop) -> list[RecordPayment]:
    """Look at the payments that we recorded."""
    return [one for one in world.book.commits if isinstance(one, RecordPayment)]


def test_by_default_nothing_is_done_with_a_booked_draft() -> None:
    """It stays a draft; no mail, no payment."""
    world = played(AUTOMATIC, count, paid())
    assert (world.counted(), totals(world.invoices)) == ([CONTACT, "create_invoice"], [("draft", "122.00")])


def test_marked_as_sent() -> None:
    """One call more, without a mail."""
    world = played(with_shop(mark_sent=True), count, paid())
    assert world.counted() == [CONTACT, "create_invoice", "mark_sent"]
    assert (totals(world.invoices), world.book.credits.mails) == ([("sent", "122.00")], {})


def test_mailed_to_the_customer_once() -> None:
    """One call more, which makes it sent as well; an update mails nothing again."""
    shop = with_shop(email_invoice=True)
    world = played(shop, count, paid(), (UPDATED, 2, an_order(note="hello")))
    assert world.counted() == [CONTACT, "create_invoice", "email_invoice"]
    assert list(world.book.credits.mails.values()) == [[("anna@example.org",)]]


def test_an_order_without_an_address_is_not_mailed() -> None:
    """And rests booked."""
    order = an_order(customer={"name": "Anna Bianchi"})
    world = played(with_shop(email_invoice=True), paid(order))
    assert ([one for one in world.calls if isinstance(one, EmailInvoice)], world.state()) == ([], OrderState.BOOKED)


def test_its_payment_is_recorded_with_mode_and_account_of_its_method() -> None:
    """By the shop's table, on the day that it was paid, over what the order says."""
    rows = (PaymentRow(method="paypal*", mode="PayPal", account_id="1200"), PaymentRow(method="card", mode="Card"))
    shop = with_shop(record_payment=True, payments=rows)
    payment = {"method": "paypal_express", "amount": "122.00", "paid_at": "2026-03-13T23:30:00Z"}
    world = played(shop, paid_by(payment))
    (one,) = recorded(world)
    assert (one.mode, one.account_id, f"{one.amount:.2f}", one.reference) == (
        "PayPal",
        "1200",
        "122.00",
        "1001~payment~1",
    )
    assert one.paid_on.isoformat() == "2026-03-14", "half past midnight where the organisation is"
    assert (totals(world.invoices), world.state()) == ([("paid", "122.00")], OrderState.BOOKED)


def test_an_order_that_does_not_say_how_is_recorded_as_paid_whole() -> None:
    """By the ledger's default mode and account."""
    world = played(with_shop(record_payment=True), paid())
    assert [(f"{one.amount:.2f}", one.mode, one.account_id) for one in recorded(world)] == [("122.00", "", "")]


def test_gift_cards_and_store_credit_are_no_money() -> None:
    """Only what was paid in money is recorded; the rest stays owed."""
    gift = {"kind": "gift_card", "method": "gift card", "amount": "22.00"}
    world = played(with_shop(record_payment=True), paid_by(gift, {"method": "card", "amount": "100.00"}))
    assert [(f"{one.amount:.2f}", one.reference) for one in recorded(world)] == [("100.00", "1001~payment~2")]
    assert (totals(world.invoices), str(world.invoice.balance)) == ([("partially_paid", "122.00")], "22.00")


def test_several_payments_are_recorded_each() -> None:
    """One call each, and one read for both: each write's answer is not the invoice, so it is read between."""
    payments = ({"method": "card", "amount": "22.00"}, {"method": "paypal", "amount": "100.00"})
    world = played(with_shop(record_payment=True), paid_by(*payments))
    assert [f"{one.amount:.2f}" for one in recorded(world)] == ["22.00", "100.00"]
    assert totals(world.invoices) == [("paid", "122.00")]


def test_never_more_than_is_owed_at_that_moment() -> None:
    """The order says 200.00, the invoice is over 122.00."""
    world = played(with_shop(record_payment=True), paid_by({"method": "card", "amount": "200.00"}))
    assert [f"{one.amount:.2f}" for one in recorded(world)] == ["122.00"]


def test_what_a_person_has_recorded_already_is_not_recorded_twice() -> None:
    """The payment setting is switched on later: the live balance says that nothing is owed."""
    world = Shop()

    def person_first(now: Shop) -> None:
        now.send()
        pay_in_ledger(now)

    shop: ShopSettings = with_shop(mark_sent=True)
    played(shop, paid(), person_first, world=world)
    world.now_seconds = 4000.0
    played(with_shop(record_payment=True), (UPDATED, 2, an_order(note="hello")), world=world)
    assert recorded(world) == []
    assert world.state() is OrderState.BOOKED


def test_all_of_it_in_turn() -> None:
    """Mail (which sends it), read, payment; recorded each as a document of its own."""
    world = played(ALL_ON, count, paid())
    assert world.counted() == [CONTACT, "create_invoice", "email_invoice", "read_invoice", "record_payment"]
    assert [f"{one.total:.2f}" for one in world.of_kind(DocumentKind.PAYMENT)] == ["122.00"]
    assert world.invoice.balance == Decimal("0.00")
