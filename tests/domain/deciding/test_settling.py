"""What is done with credits, and what a shop wants done with an invoice that is right: each call, and each word."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from consumer.domain.credits import ApplyCredit, EmailInvoice, MarkSent, RecordPayment, RefundCredit
from consumer.domain.deciding.credit_use import use_credits
from consumer.domain.deciding.settling import leaves_more, settle
from consumer.domain.deciding.situation import Call, Decision, Observations, Restate, Situation
from consumer.domain.ledger import InvoiceStatus, ReadInvoice
from consumer.domain.orders import Customer, Order, Payment
from consumer.domain.records import Document, DocumentKind, Note
from consumer.domain.settings import PaymentRow, ShopSettings
from tests.domain.deciding.building import SHOP, document, invoice, situation, with_documents
from tests.domain.order_building import FACTS, line, order

D = Decimal
LIVE = document(status="sent", balance=D("12.20"))
READ = Call(operation=ReadInvoice(invoice_id="i1"))


def note(**more: Any) -> Document:
    """Give a credit note of 5.00 that is yet to be put on its invoice."""
    given: dict[str, Any] = {
        "kind": DocumentKind.CREDIT_NOTE,
        "ledger_id": "n1",
        "number": "CN-1",
        "part": "r1",
        "n": 2,
        "settles": "i1",
        "status": "open",
        "total": D("5.00"),
        "balance": D("5.00"),
        "issued_on": date(2026, 3, 20),
        **more,
    }
    return document(**given)


def of(*documents: Document, shop: ShopSettings | None = SHOP, **more: Any) -> Situation:
    """Give the situation of an order with these documents beside its invoice; ``now`` is the invoice as just read."""
    now = more.pop("now", None)
    known = Observations() if now is None else Observations(invoices={"i1": now})
    facts = more.pop("stored", {})
    stored = replace(with_documents(more.pop("live", LIVE), *documents, **facts), reference="1001")
    return situation(stored, **{"shop": shop, "known": known, "facts": FACTS, **more})


# ---- credits ---------------------------------------------------------------------------------------------------------


def put(amount: str, left: str, of_note: Document) -> Call:
    """Give the call that puts a credit on its invoice."""
    words = f"{amount} EUR of credit note CN-1 are put on invoice INV-1."
    return Call(
        operation=ApplyCredit(credit_note_id="n1", invoice_id="i1", amount=D(amount)),
        note=Note(decision="apply_credit", words=(words,)),
        subject="order:shop/1001",
        sought={"credit_note_id": "n1", "part": "r1", "n": "2"},
        about=replace(of_note, applied=True, balance=D(left)),
        more=True,
    )


@pytest.mark.parametrize(
    ("owed", "amount", "left"), [("12.20", "5", "0"), ("5.00", "5", "0"), ("0.75", "0.75", "4.25")]
)
def test_a_credit_is_put_on_its_invoice_as_far_as_that_is_owed(owed: str, amount: str, left: str) -> None:
    """The invoice is read first: payments may have come."""
    assert use_credits(of(note()), LIVE) == READ
    assert use_credits(of(note(), now=invoice(balance=D(owed))), LIVE) == put(amount, left, note())


@pytest.mark.parametrize("now", [invoice(balance=D(0)), invoice(balance=None), None])
def test_of_an_invoice_that_is_not_owed_the_credit_stays_the_customers(now: Any) -> None:
    """Paid, of an unknown balance, or gone."""
    given = replace(of(note()), known=Observations(invoices={"i1": now}))
    words = "Invoice INV-1 is not owed: credit note CN-1 stays the customer's credit."
    assert use_credits(given, LIVE) == Restate(
        document=note(applied=True), note=Note(decision="credit_open", words=(words,))
    )


def test_a_credit_that_is_used_up_is_passed_over() -> None:
    """The next one is not."""
    second = note(ledger_id="n2", balance=D(0))
    third = note(balance=None, ledger_id="n3")
    assert use_credits(of(second, third, note()), LIVE) == READ
    assert use_credits(of(second, third), LIVE) is None


PAYS = replace(SHOP, refund_account_id="77", refund_mode="cash")


def paid_out(day: date, part: str = "r1") -> Call:
    """Give the call that records what was paid back."""
    return Call(
        operation=RefundCredit(
            credit_note_id="n1",
            amount=D("5.00"),
            refunded_on=day,
            reference=f"1001~refund~{part}",
            account_id="77",
            mode="cash",
        ),
        note=Note(decision="refund_credit", words=("5 EUR are recorded as paid back.",)),
        subject="order:shop/1001",
        sought={
            "credit_note_id": "n1",
            "reference": f"1001~refund~{part}",
            "total": "5.00",
            "part": part,
            "n": "2",
        },
        about=Document(
            connection_id="books",
            kind=DocumentKind.REFUND,
            ledger_id="",
            number="",
            status="refunded",
            live=True,
            reference=f"1001~refund~{part}",
            total=D("5.00"),
            currency="EUR",
            part=part,
            n=2,
            issued_on=day,
            contact_id="c1",
            settles="n1",
        ),
        more=True,
    )


def test_what_is_left_of_a_credit_is_paid_out_where_the_shop_names_an_account() -> None:
    """On the note's own day, else today."""
    used = note(applied=True)
    assert use_credits(of(used, shop=PAYS), LIVE) == paid_out(date(2026, 3, 20))
    undated = note(applied=True, issued_on=None)
    assert use_credits(of(undated, shop=PAYS, today=date(2026, 3, 21)), LIVE) == paid_out(date(2026, 3, 21))
    assert use_credits(of(undated, shop=PAYS), LIVE) == paid_out(date.min)


def test_it_is_paid_out_once_and_never_without_an_account() -> None:
    """A refund of another note is none of this one."""
    used = note(applied=True)
    done = document(kind=DocumentKind.REFUND, ledger_id="f1", settles="n1")
    other = document(kind=DocumentKind.REFUND, ledger_id="f1", settles="n9")
    payment = document(kind=DocumentKind.PAYMENT, ledger_id="p1", settles="n1")
    assert use_credits(of(used, done, shop=PAYS), LIVE) is None
    assert use_credits(of(used, other, payment, shop=PAYS), LIVE) == paid_out(date(2026, 3, 20))
    assert use_credits(of(used), LIVE) is None
    assert use_credits(of(used, shop=None), LIVE) is None


def test_the_credit_of_a_change_stays_the_customers_unless_the_sale_is_none_any_more() -> None:
    """Nobody has paid anything back for a change; for a cancelled order, or a payment taken back, somebody has."""
    change = note(applied=True, part="!change-1")
    expected = paid_out(date(2026, 3, 20), "!change-1")
    assert use_credits(of(change, shop=PAYS), LIVE) is None
    assert use_credits(of(change, shop=PAYS, stored={"cancelled": True}), LIVE) == expected
    taken_back = replace(order([line("1", "10")], "12.20"), payment_taken_back=True)
    assert use_credits(of(change, shop=PAYS, order=taken_back), LIVE) == expected
    assert use_credits(of(change, shop=PAYS, order=replace(taken_back, payment_taken_back=False)), LIVE) is None


# ---- what the shop wants done ----------------------------------------------------------------------------------------

MAILS, MARKS, RECORDS = (
    replace(SHOP, email_invoice=True),
    replace(SHOP, mark_sent=True),
    replace(SHOP, record_payment=True),
)
EARLY = datetime(2026, 3, 1, 23, 30, tzinfo=UTC)  # the second of March in Rome
SOLD = replace(order([line("1", "10")], "12.20"), customer=Customer(email="ada@example.com"))


def settled(
    shop: ShopSettings | None,
    given: Order | None = SOLD,
    *documents: Document,
    live: Document = LIVE,
    **more: Any,
) -> Decision | None:
    """Give the next step."""
    return settle(of(*documents, shop=shop, order=given, live=live, **more), live)


def simple(operation: Any, decision: str, words: str) -> Call:
    """Give a call that is about the invoice alone."""
    return Call(
        operation=operation,
        note=Note(decision=decision, words=(words,)),
        subject="order:shop/1001",
        sought={"invoice_id": "i1"},
        more=True,
    )


MAILED = simple(
    EmailInvoice(invoice_id="i1", to=("ada@example.com",)), "email", "Invoice INV-1 is mailed to the customer."
)
MARKED = simple(MarkSent(invoice_id="i1"), "mark_sent", "Invoice INV-1 is marked as sent.")
DRAFTED = document(status="draft", balance=D("12.20"))
NOW = invoice(status=InvoiceStatus.SENT, balance=D("12.20"))


def test_nothing_is_done_that_the_shop_does_not_want() -> None:
    """Off by default; without a shop or content nothing is known."""
    assert [leaves_more(of(shop=shop)) for shop in (SHOP, None, MAILS, MARKS, RECORDS)] == [
        False,
        False,
        True,
        True,
        True,
    ]
    for shop, given in ((SHOP, SOLD), (None, SOLD), (MAILS, None)):
        assert settled(shop, given, now=NOW) is None


def test_an_invoice_is_mailed_once_to_who_has_an_address() -> None:
    """It is read first, and a draft is mailed as well."""
    assert settled(MAILS) == READ
    assert settled(MAILS, now=NOW) == MAILED
    assert settled(MAILS, live=DRAFTED, now=invoice()) == MAILED
    assert settled(MAILS, live=replace(LIVE, emailed=True), now=NOW) is None
    assert settled(MAILS, live=replace(DRAFTED, emailed=True), now=invoice()) is None
    assert settled(MAILS, replace(SOLD, customer=Customer()), now=NOW) is None


def test_a_draft_is_marked_as_sent() -> None:
    """What was sent meanwhile is only noted; what is gone or void is decided about elsewhere."""
    assert settled(MARKS, live=DRAFTED) == READ
    assert settled(MARKS, live=DRAFTED, now=invoice()) == MARKED
    assert settled(MARKS, live=DRAFTED, now=replace(NOW, balance=D(7))) == Restate(
        document=replace(DRAFTED, status="sent", balance=D(7)),
        note=Note(decision="seen", words=("Invoice INV-1 is sent in the ledger already.",)),
    )
    assert settled(MARKS, now=NOW) is None
    assert settled(MARKS, live=DRAFTED, now=invoice(status=InvoiceStatus.VOID)) is None
    gone = replace(of(shop=MARKS, order=SOLD, live=DRAFTED), known=Observations(invoices={"i1": None}))
    assert settle(gone, DRAFTED) is None


def recorded(amount: str, day: date, words: str, *, part: str = "1", mode: str = "", account_id: str = "") -> Call:
    """Give the call that records a payment."""
    reference = f"1001~payment~{part}"
    return Call(
        operation=RecordPayment(
            contact_id="c1",
            invoice_id="i1",
            amount=D(amount),
            paid_on=day,
            reference=reference,
            mode=mode,
            account_id=account_id,
        ),
        note=Note(decision="record_payment", words=(words,)),
        subject="order:shop/1001",
        sought={"reference": reference, "contact_id": "c1", "total": amount, "part": part},
        about=Document(
            connection_id="books",
            kind=DocumentKind.PAYMENT,
            ledger_id="",
            number="",
            status="recorded",
            live=True,
            reference=reference,
            total=D(amount),
            currency="EUR",
            part=part,
            issued_on=day,
            contact_id="c1",
            settles="i1",
        ),
        more=True,
    )


WHOLE = "12.2 EUR are recorded as paid on invoice INV-1."


def test_a_payment_is_recorded_on_its_own_day_where_the_organisation_is() -> None:
    """A draft is marked as sent before; without payments of its own the whole is one, on the day of payment."""
    assert settled(RECORDS, live=DRAFTED, now=invoice()) == MARKED
    paid = replace(SOLD, payments=(Payment(method="card", amount=D("12.20"), paid_at=EARLY),))
    rows = replace(RECORDS, payments=(PaymentRow(method="card", mode="creditcard", account_id="9"),))
    assert settled(rows, paid, now=NOW) == recorded("12.20", date(2026, 3, 2), WHOLE, mode="creditcard", account_id="9")
    assert settled(RECORDS, now=NOW) == recorded("12.20", date(2026, 3, 14), WHOLE)
    assert settled(RECORDS, replace(SOLD, paid_at=EARLY), now=NOW) == recorded("12.20", date(2026, 3, 2), WHOLE)
    unpaid = {"paid_moment": None}
    assert settled(RECORDS, now=NOW, stored=unpaid, today=date(2026, 3, 9)) == recorded(
        "12.20", date(2026, 3, 9), WHOLE
    )
    dated = replace(LIVE, issued_on=date(2026, 3, 8))
    assert settled(RECORDS, live=dated, now=NOW, stored=unpaid) == recorded("12.20", date(2026, 3, 8), WHOLE)


def test_a_payment_without_any_day_is_a_fault_of_ours() -> None:
    """It names the order."""
    with pytest.raises(ValueError, match="order shop/1001 has no day for its payment"):
        settled(RECORDS, now=NOW, stored={"paid_moment": None})


def test_no_more_is_recorded_than_is_owed() -> None:
    """And that is said; where nothing is owed the invoice is noted as it is."""
    assert settled(RECORDS, now=replace(NOW, balance=D("2.20"))) == recorded(
        "2.20",
        date(2026, 3, 14),
        "2.2 EUR are recorded as paid on invoice INV-1. The order says 12.2; no more than that is owed.",
    )
    half = D("0.50")
    assert settled(RECORDS, live=replace(LIVE, balance=half), now=replace(NOW, balance=half)) is not None
    paid = replace(NOW, status=InvoiceStatus.PAID, balance=D(0))
    for now in (paid, replace(paid, balance=None)):
        assert settled(RECORDS, now=now) == Restate(
            document=replace(LIVE, status="paid", balance=now.balance),
            note=Note(decision="seen", words=("Invoice INV-1 is paid in the ledger already.",)),
        )
    assert settled(RECORDS, live=replace(LIVE, balance=D(0)), now=NOW) is None


def test_each_payment_of_money_is_recorded_once() -> None:
    """A gift card is no money, nothing is no payment; what was recorded is not recorded again."""
    payments = (
        Payment(method="card", amount=D(0)),
        Payment(method="voucher", amount=D(5), kind="gift_card"),
        Payment(method="card", amount=D("0.50")),
        Payment(method="bank", amount=D("6.70")),
    )
    paid = replace(SOLD, payments=payments)
    first = document(kind=DocumentKind.PAYMENT, ledger_id="p1", part="3")
    second = document(kind=DocumentKind.PAYMENT, ledger_id="p2", part="4")
    other = document(kind=DocumentKind.CREDIT_NOTE, ledger_id="n1", part="3", live=False)
    day = date(2026, 3, 14)
    half = "0.5 EUR are recorded as paid on invoice INV-1."
    assert settled(RECORDS, paid, now=NOW) == recorded("0.50", day, half, part="3")
    assert settled(RECORDS, paid, other, now=NOW) == recorded("0.50", day, half, part="3")
    assert settled(RECORDS, paid, first, now=NOW) == recorded(
        "6.70", day, "6.7 EUR are recorded as paid on invoice INV-1.", part="4"
    )
    assert settled(RECORDS, paid, first, second, now=NOW) is None
