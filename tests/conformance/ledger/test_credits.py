"""Credit notes, payments and what is sent: the ledger in memory and Zoho's adapter keep the same promises."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from consumer.adapters.memory.ledger import Fault
from consumer.domain import credits as money
from consumer.domain import ledger as ask
from consumer.domain.credits import CreditNoteStatus
from consumer.domain.ledger import Invoice, InvoiceDraft, InvoiceLine, InvoiceStatus
from consumer.domain.orders import RateFigures
from consumer.errors import (
    DocumentStateError,
    NotFoundError,
    OverBalanceError,
    PaymentsInTheWayError,
    PeriodClosedError,
    UncertainError,
)
from tests.conformance.ledger.benches import Bench

DAY = date(2026, 6, 10)
LATER = date(2099, 1, 1)  # an invoice that is not overdue


def credit(bench: Bench, invoice: Invoice, reference: str = "A-1~credit_note~r1") -> InvoiceDraft:
    """Draft a credit note of 10.00 and 2.20 of tax, with tax within its line."""
    return InvoiceDraft(
        contact_id=invoice.contact_id,
        reference=reference,
        issued_on=DAY,
        due_on=DAY,
        currency="EUR",
        tax_inclusive=True,
        lines=(InvoiceLine(name="Refund", quantity=Decimal(1), rate=Decimal("12.20"), tax_id=bench.taxes[22]),),
    )


async def test_a_credit_note_is_made_open_and_found_again(bench: Bench) -> None:
    """Its figures are the ledger's own, and all of it is left until it is used."""
    invoice = await bench.sent()
    made = await bench.ask(money.CreateCreditNote(draft=credit(bench, invoice)))
    assert (made.status, made.total, made.tax_total, made.balance) == (
        CreditNoteStatus.OPEN,
        Decimal("12.20"),
        Decimal("2.20"),
        Decimal("12.20"),
    )
    assert made.tax_by_rate == (RateFigures(rate=Decimal(22), net=made.tax_by_rate[0].net, tax=Decimal("2.20")),)
    assert made.url
    (found,) = (await bench.ask(money.FindCreditNotes(reference=made.reference))).rows
    assert (found.credit_note_id, found.contact_id, found.total) == (
        made.credit_note_id,
        invoice.contact_id,
        made.total,
    )
    assert (await bench.ask(money.FindCreditNotes(reference="A-1"))).rows == ()
    read = await bench.ask(money.ReadCreditNote(credit_note_id=made.credit_note_id))
    assert (read.number, read.issued_on, read.tax_total) == (made.number, DAY, Decimal("2.20"))


async def test_a_credit_note_is_put_on_its_invoice_at_once(bench: Bench) -> None:
    """One call: nothing of it is left, and so much less is owed."""
    invoice = await bench.sent()
    draft = credit(bench, invoice)
    made = await bench.ask(money.CreateCreditNote(draft=draft, apply_to=invoice.invoice_id))
    assert (made.balance, made.status) == (Decimal(0), CreditNoteStatus.CLOSED)
    now = await bench.ask(ask.ReadInvoice(invoice_id=invoice.invoice_id))
    assert (now.balance, now.total, now.status) == (Decimal("17.52"), Decimal("29.72"), InvoiceStatus.PARTIALLY_PAID)


async def test_a_credit_is_applied_and_paid_back_in_parts(bench: Bench) -> None:
    """What is used is not there a second time."""
    invoice = await bench.sent()
    made = await bench.ask(money.CreateCreditNote(draft=credit(bench, invoice)))
    note_id = made.credit_note_id
    apply = money.ApplyCredit(credit_note_id=note_id, invoice_id=invoice.invoice_id, amount=Decimal("2.20"))
    assert await bench.ask(apply) is None
    refund = money.RefundCredit(
        credit_note_id=note_id, amount=Decimal("10.00"), refunded_on=DAY, reference="A-1~refund~r1", account_id="1"
    )
    paid_back = await bench.ask(refund)
    assert (paid_back.amount, paid_back.reference) == (Decimal("10.00"), "A-1~refund~r1")
    (listed,) = (await bench.ask(money.ListCreditRefunds(credit_note_id=note_id))).rows
    assert (listed.refund_id, listed.amount, listed.reference) == (paid_back.refund_id, refund.amount, refund.reference)
    assert (await bench.ask(money.ReadCreditNote(credit_note_id=note_id))).balance == Decimal(0)
    await bench.refused(replace(refund, amount=Decimal("0.01")), DocumentStateError)


async def test_more_than_is_left_of_a_credit_is_refused(bench: Bench) -> None:
    """Neither put on an invoice nor paid back; nor is more put on than the invoice owes."""
    invoice = await bench.sent()
    note = await bench.ask(money.CreateCreditNote(draft=credit(bench, invoice)))
    apply = money.ApplyCredit(
        credit_note_id=note.credit_note_id, invoice_id=invoice.invoice_id, amount=Decimal("12.21")
    )
    await bench.refused(apply, OverBalanceError)
    refund = money.RefundCredit(
        credit_note_id=note.credit_note_id, amount=apply.amount, refunded_on=DAY, reference="A-1~r", account_id="1"
    )
    await bench.refused(refund, OverBalanceError)
    big = credit(bench, invoice, "A-1~credit_note~r2")
    big = replace(big, lines=(replace(big.lines[0], rate=Decimal("29.73")),))
    await bench.refused(money.CreateCreditNote(draft=big, apply_to=invoice.invoice_id), OverBalanceError)
    assert (await bench.ask(money.FindCreditNotes(reference=big.reference))).rows == ()
    now = await bench.ask(ask.ReadInvoice(invoice_id=invoice.invoice_id))
    assert (now.balance, now.status) == (Decimal("29.72"), InvoiceStatus.SENT)


async def test_a_voided_invoice_gives_its_credit_back(bench: Bench) -> None:
    """It is not deleted while the credit is on it; void, the note is open again and takes nothing."""
    invoice = await bench.sent()
    draft = credit(bench, invoice)
    note = await bench.ask(money.CreateCreditNote(draft=draft, apply_to=invoice.invoice_id))
    await bench.refused(ask.DeleteInvoice(invoice_id=invoice.invoice_id), PaymentsInTheWayError)
    await bench.ask(ask.VoidInvoice(invoice_id=invoice.invoice_id))
    now = await bench.ask(money.ReadCreditNote(credit_note_id=note.credit_note_id))
    assert (now.status, now.balance) == (CreditNoteStatus.OPEN, Decimal("12.20"))
    apply = money.ApplyCredit(
        credit_note_id=note.credit_note_id, invoice_id=invoice.invoice_id, amount=Decimal("12.20")
    )
    await bench.refused(apply, DocumentStateError)


async def test_a_paid_invoice_takes_no_credit_and_is_not_lowered(bench: Bench) -> None:
    """Its state and what was paid are in the way, each told by its type."""
    draft = await bench.draft(due_on=LATER)
    made = await bench.ask(ask.CreateInvoice(draft=draft))
    await bench.ask(money.MarkSent(invoice_id=made.invoice_id))
    await bench.ask(
        money.RecordPayment(
            contact_id=made.contact_id, invoice_id=made.invoice_id, amount=made.total, paid_on=DAY, reference="A-1~p"
        )
    )
    note = money.CreateCreditNote(draft=credit(bench, made), apply_to=made.invoice_id)
    await bench.refused(note, DocumentStateError)
    less = replace(draft, lines=(replace(draft.lines[0], rate=Decimal("0.10")), *draft.lines[1:]))
    await bench.refused(ask.UpdateInvoice(invoice_id=made.invoice_id, draft=less), OverBalanceError)
    same = await bench.ask(ask.ReadInvoice(invoice_id=made.invoice_id))
    assert (same.total, same.balance, same.status) == (Decimal("29.72"), Decimal(0), InvoiceStatus.PAID)
    more = replace(draft, lines=(*draft.lines, InvoiceLine(name="More", quantity=Decimal(1), rate=Decimal("1.00"))))
    await bench.ask(ask.UpdateInvoice(invoice_id=made.invoice_id, draft=more))
    raised = await bench.ask(ask.ReadInvoice(invoice_id=made.invoice_id))
    assert (raised.total, raised.balance, raised.status) == (
        Decimal("30.72"),
        Decimal("1.00"),
        InvoiceStatus.PARTIALLY_PAID,
    )


async def test_a_void_invoice_is_not_changed_nor_sent(bench: Bench) -> None:
    """The type tells that its state is in the way."""
    draft = await bench.draft()
    made = await bench.ask(ask.CreateInvoice(draft=draft))
    await bench.ask(ask.VoidInvoice(invoice_id=made.invoice_id))
    await bench.refused(ask.UpdateInvoice(invoice_id=made.invoice_id, draft=draft), DocumentStateError)
    await bench.refused(money.MarkSent(invoice_id=made.invoice_id), DocumentStateError)


async def test_an_invoice_is_marked_as_sent_without_a_mail(bench: Bench) -> None:
    """A draft becomes sent; nobody was written to."""
    made = await bench.ask(ask.CreateInvoice(draft=await bench.draft(due_on=LATER)))
    assert made.status is InvoiceStatus.DRAFT
    assert await bench.ask(money.MarkSent(invoice_id=made.invoice_id)) is None
    now = await bench.ask(ask.ReadInvoice(invoice_id=made.invoice_id))
    assert (now.status, bool(now.emailed)) == (InvoiceStatus.SENT, False)


async def test_a_mailed_draft_is_sent_and_says_so(bench: Bench) -> None:
    """What a lost answer leaves open can be read."""
    made = await bench.ask(ask.CreateInvoice(draft=await bench.draft(due_on=LATER)))
    await bench.ask(money.EmailInvoice(invoice_id=made.invoice_id, to=("ada@example.com",)))
    now = await bench.ask(ask.ReadInvoice(invoice_id=made.invoice_id))
    assert (now.status, now.emailed) == (InvoiceStatus.SENT, True)


async def test_a_payment_is_recorded_and_found_by_its_reference(bench: Bench) -> None:
    """So much less is owed; more than is owed is refused."""
    invoice = await bench.sent()
    payment = money.RecordPayment(
        contact_id=invoice.contact_id,
        invoice_id=invoice.invoice_id,
        amount=Decimal("29.72"),
        paid_on=DAY,
        reference="A-1~payment~1",
        mode="creditcard",
    )
    await bench.refused(replace(payment, amount=Decimal("29.73")), OverBalanceError)
    made = await bench.ask(payment)
    assert (made.amount, made.reference, made.contact_id) == (payment.amount, payment.reference, invoice.contact_id)
    (found,) = (await bench.ask(money.FindPayments(reference=payment.reference))).rows
    assert (found.payment_id, found.amount) == (made.payment_id, payment.amount)
    now = await bench.ask(ask.ReadInvoice(invoice_id=invoice.invoice_id))
    assert (now.status, now.balance) == (InvoiceStatus.PAID, Decimal(0))
    await bench.refused(ask.DeleteInvoice(invoice_id=invoice.invoice_id), PaymentsInTheWayError)


async def test_a_draft_takes_no_credit(bench: Bench) -> None:
    """The type tells it: the invoice has to be sent first."""
    draft = await bench.ask(ask.CreateInvoice(draft=await bench.draft(due_on=LATER)))
    note = money.CreateCreditNote(draft=credit(bench, draft), apply_to=draft.invoice_id)
    await bench.refused(note, DocumentStateError)
    assert (await bench.ask(money.FindCreditNotes(reference=note.draft.reference))).rows == ()


async def test_a_closed_period_refuses_and_tells_its_last_day(bench: Bench) -> None:
    """Invoices and credit notes of that day and before; the day after is open."""
    invoice = await bench.sent()
    assert await bench.ask(money.ReadLock()) is None
    await bench.lock(DAY)
    assert await bench.ask(money.ReadLock()) == DAY
    await bench.refused(money.CreateCreditNote(draft=credit(bench, invoice)), PeriodClosedError)
    await bench.refused(ask.CreateInvoice(draft=await bench.draft("A-2")), PeriodClosedError)
    await bench.refused(ask.VoidInvoice(invoice_id=invoice.invoice_id), PeriodClosedError)
    await bench.refused(ask.DeleteInvoice(invoice_id=invoice.invoice_id), PeriodClosedError)
    after = date(2026, 6, 11)
    await bench.ask(money.CreateCreditNote(draft=replace(credit(bench, invoice), issued_on=after, due_on=after)))


async def test_what_is_not_there_is_not_found(bench: Bench) -> None:
    """A note that was never made."""
    await bench.refused(money.ReadCreditNote(credit_note_id="46000000000099"), NotFoundError)


@pytest.mark.parametrize("kind", ["apply", "refund", "pay", "send", "mail"])
async def test_a_write_without_an_answer_is_uncertain_and_can_be_looked_up(bench: Bench, kind: str) -> None:
    """It was done once, and what is read afterwards says so."""
    invoice = await bench.sent()
    note = await bench.ask(money.CreateCreditNote(draft=credit(bench, invoice)))
    note_id, amount = note.credit_note_id, Decimal("1.00")
    drafted = await bench.ask(ask.CreateInvoice(draft=await bench.draft("A-2", due_on=LATER)))
    writes = {
        "apply": money.ApplyCredit(credit_note_id=note_id, invoice_id=invoice.invoice_id, amount=amount),
        "refund": money.RefundCredit(
            credit_note_id=note_id, amount=amount, refunded_on=DAY, reference="A-1~r", account_id="1"
        ),
        "pay": money.RecordPayment(
            contact_id=invoice.contact_id,
            invoice_id=invoice.invoice_id,
            amount=amount,
            paid_on=DAY,
            reference="A-1~p",
        ),
        "send": money.MarkSent(invoice_id=drafted.invoice_id),
        "mail": money.EmailInvoice(invoice_id=drafted.invoice_id, to=("ada@example.com",)),
    }
    await bench.fail_next(Fault.CUT_AFTER_COMMIT)
    await bench.refused(writes[kind], UncertainError)
    seen = {
        "balance": (await bench.ask(ask.ReadInvoice(invoice_id=invoice.invoice_id))).balance,
        "left": (await bench.ask(money.ReadCreditNote(credit_note_id=note_id))).balance,
        "refunds": len((await bench.ask(money.ListCreditRefunds(credit_note_id=note_id))).rows),
        "payments": len((await bench.ask(money.FindPayments(reference="A-1~p"))).rows),
        "status": (await bench.ask(ask.ReadInvoice(invoice_id=drafted.invoice_id))).status,
    }
    before: dict[str, object] = {
        "balance": Decimal("29.72"),
        "left": Decimal("12.20"),
        "refunds": 0,
        "payments": 0,
        "status": InvoiceStatus.DRAFT,
    }
    after: dict[str, dict[str, object]] = {
        "apply": {"balance": Decimal("28.72"), "left": Decimal("11.20")},
        "refund": {"left": Decimal("11.20"), "refunds": 1},
        "pay": {"balance": Decimal("28.72"), "payments": 1},
        "send": {"status": InvoiceStatus.SENT},
        "mail": {"status": InvoiceStatus.SENT},
    }
    assert seen == before | after[kind]


@pytest.mark.parametrize("fault", [Fault.CUT_BEFORE_COMMIT, Fault.CUT_AFTER_COMMIT])
async def test_a_credit_note_without_an_answer_is_uncertain(bench: Bench, fault: Fault) -> None:
    """Whether it was made is for a look to say."""
    invoice = await bench.sent()
    note = money.CreateCreditNote(draft=credit(bench, invoice))
    await bench.fail_next(fault)
    await bench.refused(note, UncertainError)
    rows = (await bench.ask(money.FindCreditNotes(reference=note.draft.reference))).rows
    assert len(rows) == (1 if fault is Fault.CUT_AFTER_COMMIT else 0)
