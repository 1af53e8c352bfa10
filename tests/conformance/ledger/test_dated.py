"""The lists by the documents' own days: the ledger in memory and Zoho's adapter give the same of them."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

from consumer.domain import credits as money
from consumer.domain.ledger import CreateInvoice, InvoiceDraft, InvoiceLine
from consumer.domain.reconciling.operations import ListCreditNotesDated, ListInvoicesDated
from tests.conformance.ledger.benches import Bench

FIRST, LAST = date(2026, 6, 1), date(2026, 6, 30)
DAYS = (date(2026, 5, 31), FIRST, LAST, date(2026, 7, 1))


async def test_invoices_of_the_days_are_listed_both_ends_included(bench: Bench) -> None:
    """Those made first come first; a row tells neither lines nor VAT, and when it was changed last."""
    for number, day in enumerate(DAYS):
        draft = await bench.draft(f"D-{number}")
        await bench.ask(CreateInvoice(draft=replace(draft, issued_on=day, due_on=day)))
    page = await bench.ask(ListInvoicesDated(from_day=FIRST, to_day=LAST))
    assert [row.reference for row in page.rows] == ["D-1", "D-2"]
    assert not page.more
    assert all(row.lines is None and row.tax_by_rate is None and row.modified_at is not None for row in page.rows)
    assert (await bench.ask(ListInvoicesDated(from_day=FIRST, to_day=LAST, page=2))).rows == ()


async def test_credit_notes_of_the_days_are_listed_and_tell_their_lines_when_read(bench: Bench) -> None:
    """One of June and one of July; of a whole one the VAT per rate is told."""
    invoice = await bench.sent()
    made = []
    for number, day in enumerate(DAYS[2:]):
        lines = (InvoiceLine(name="Back", quantity=Decimal(1), rate=Decimal("6.10"), tax_id=bench.taxes[22]),)
        draft = InvoiceDraft(
            contact_id=invoice.contact_id,
            reference=f"A-1~credit_note~r{number}",
            issued_on=day,
            due_on=day,
            currency="EUR",
            tax_inclusive=True,
            lines=lines,
        )
        made.append(await bench.ask(money.CreateCreditNote(draft=draft)))
    (row,) = (await bench.ask(ListCreditNotesDated(from_day=FIRST, to_day=LAST))).rows
    assert (row.credit_note_id, row.total, row.issued_on) == (made[0].credit_note_id, Decimal("6.10"), LAST)
    assert row.tax_by_rate is None
    whole = await bench.ask(money.ReadCreditNote(credit_note_id=row.credit_note_id))
    assert [(one.rate, one.tax) for one in whole.tax_by_rate] == [(Decimal(22), Decimal("1.10"))]
