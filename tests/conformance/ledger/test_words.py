"""The ledger in memory and Zoho's adapter against the stand-in write and read the same words of an invoice."""

from dataclasses import replace
from datetime import date

from consumer.domain import ledger as ask
from consumer.domain.comparison import same_document
from consumer.errors import NumberTakenError
from tests.conformance.ledger.benches import UNIQUE, Bench


async def test_the_words_of_a_draft_are_read_back(bench: Bench) -> None:
    """So that an update of which no answer came is known by what the invoice says."""
    draft = await bench.draft(
        notes="Thank you.",
        terms="14 days.",
        salesperson="Web shop",
        payment_terms=14,
        payment_terms_label="Within 14 days",
        due_on=date(2026, 6, 23),
    )
    made = await bench.ask(ask.CreateInvoice(draft=draft))
    read = await bench.ask(ask.ReadInvoice(invoice_id=made.invoice_id))
    told = (read.words.notes, read.words.terms, read.words.salesperson, read.words.payment_terms_label)
    assert told == ("Thank you.", "14 days.", "Web shop", "Within 14 days")
    assert read.words.due_on == date(2026, 6, 23)
    other = await bench.draft("A-2", contact_id=draft.contact_id, notes="Another.")
    await bench.ask(ask.CreateInvoice(draft=other))
    assert (await bench.found("A-1"))[0].words is None


async def test_an_update_changes_words_and_leaves_those_that_it_is_silent_about(bench: Bench) -> None:
    """None says nothing, an empty text takes away; the number stays."""
    draft = await bench.draft(number="WEB-1", notes="a", terms="b", salesperson="c")
    made = await bench.ask(ask.CreateInvoice(draft=draft))
    changed = replace(draft, notes="", terms=None, salesperson="", number="")
    after = await bench.ask(ask.UpdateInvoice(invoice_id=made.invoice_id, draft=changed))
    assert (after.words.notes, after.words.terms, after.words.salesperson) == ("", "b", "")
    assert (made.number, after.number) == ("WEB-1", "WEB-1")


async def test_custom_fields_are_written_and_emptied_beside_the_unique_one(bench: Bench) -> None:
    """An update that empties one leaves the key, without which the ledger would no longer refuse a second document."""
    draft = await bench.draft(unique_field=UNIQUE, unique_key="k-1", custom_fields=(("cf_po", "PO 7"),))
    made = await bench.ask(ask.CreateInvoice(draft=draft))
    assert dict(made.words.custom_fields)["cf_po"] == "PO 7"
    emptied = replace(draft, custom_fields=(("cf_po", ""),))
    after = await bench.ask(ask.UpdateInvoice(invoice_id=made.invoice_id, draft=emptied))
    assert dict(after.words.custom_fields).get("cf_po", "") == ""
    assert (made.unique_key, after.unique_key) == ("k-1", "k-1")


async def test_words_that_were_written_are_the_drafts_and_others_are_not(bench: Bench) -> None:
    """The comparison by which a doubt is resolved."""
    draft = await bench.draft(notes="a", terms="b")
    made = await bench.ask(ask.CreateInvoice(draft=draft))
    rated = [replace(line, tax_rate=seen.tax_rate) for line, seen in zip(draft.lines, made.lines, strict=True)]
    meant = replace(draft, lines=tuple(rated))
    assert same_document(meant, made)
    assert not same_document(replace(meant, terms="other"), made)


async def test_a_number_is_given_once(bench: Bench) -> None:
    """The second document is refused for certain, and none is made."""
    await bench.ask(ask.CreateInvoice(draft=await bench.draft("A-1", number="WEB-1")))
    second = ask.CreateInvoice(draft=await bench.draft("A-2", number="WEB-1"))
    await bench.refused(second, NumberTakenError)
    assert await bench.found("A-2") == []
