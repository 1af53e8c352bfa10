"""The ledger in memory and Zoho's adapter against the stand-in keep the same promises of the Ledger port."""

import dataclasses
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from consumer.adapters.memory.ledger import Fault
from consumer.domain import ledger as ask
from consumer.domain.ledger import (
    ContactData,
    ContactPerson,
    InvoiceLine,
    InvoiceStatus,
)
from consumer.domain.orders import Address, RateFigures
from consumer.errors import (
    KeyTakenError,
    LedgerUnavailableError,
    NameTakenError,
    NotFoundError,
    NumberTakenError,
    RefusedError,
    ThrottledError,
    UncertainError,
)
from tests.conformance.ledger.benches import UNIQUE, Bench


async def test_the_organisation_its_taxes_and_currencies(bench: Bench) -> None:
    """What a lane reads before anything else."""
    organization = await bench.ask(ask.ReadOrganization())
    assert (organization.organization_id, organization.currency, organization.time_zone, organization.active) == (
        bench.organization_id,
        "EUR",
        "Europe/Rome",
        True,
    )
    taxes = {tax.rate: tax.tax_id for tax in (await bench.ask(ask.ListTaxes())).rows}
    assert (taxes[Decimal(22)], taxes[Decimal(10)]) == (bench.taxes[22], bench.taxes[10])
    currencies = {row.code: row for row in (await bench.ask(ask.ListCurrencies())).rows}
    assert (currencies["EUR"].is_base, currencies["EUR"].digits) == (True, 2)


async def test_a_contact_is_made_and_read_back(bench: Bench) -> None:
    """What we write is what we read, so that no update is seen to be needed."""
    data = ContactData(
        name="Muster GmbH",
        company="Muster GmbH",
        is_business=True,
        email="ada@example.com",
        first_name="Ada",
        last_name="Muster",
        phone="+49 30 1",
        tax_number="DE123456789",
        language="de",
        billing=Address(name="Ada", street="Weg 1", postal_code="10115", city="Berlin", country="DE"),
        shipping=Address(name="Lager", street="Hof 2", postal_code="1010", city="Wien", country="AT"),
        notes="from shop",
    )
    made = await bench.ask(ask.CreateContact(data=data))
    read = await bench.ask(ask.ReadContact(contact_id=made.contact_id))
    assert read.data == replace(data, currency="EUR")
    assert (read.email, read.active, read.is_customer) == ("ada@example.com", True, True)
    assert read.modified_at is not None
    listed = [row for row in (await bench.ask(ask.ListContacts())).rows if row.contact_id == made.contact_id]
    assert [(row.name, row.email, row.data) for row in listed] == [("Muster GmbH", "ada@example.com", None)]


async def test_a_name_is_taken_once(bench: Bench) -> None:
    """Also in another case; and it can be looked up."""
    await bench.ask(ask.CreateContact(data=ContactData(name="Ada Muster")))
    error = await bench.refused(ask.CreateContact(data=ContactData(name="ADA MUSTER")), NameTakenError)
    assert isinstance(error, NameTakenError)
    assert error.code == 3062
    found = await bench.ask(ask.FindContacts(contact_name="Ada Muster"))
    assert [row.name for row in found.rows] == ["Ada Muster"]
    assert (await bench.ask(ask.FindContacts(contact_name="Ada"))).rows == ()
    other = await bench.contact_id()
    await bench.refused(ask.UpdateContact(contact_id=other, data=ContactData(name="Ada Muster")), NameTakenError)


async def test_an_update_of_a_contact_changes_what_is_sent_and_keeps_the_rest(bench: Bench) -> None:
    """Persons too: those named are kept."""
    billing = Address(street="Weg 1", city="Berlin", country="DE")
    data = ContactData(name="Ada", email="ada@example.com", first_name="Ada", phone="1", billing=billing)
    made = await bench.ask(ask.CreateContact(data=data))
    second = ContactPerson(first_name="Eve", email="eve@example.com")
    await bench.ask(ask.UpdateContact(contact_id=made.contact_id, data=data, persons=(*made.persons, second)))
    before = await bench.ask(ask.ReadContact(contact_id=made.contact_id))
    moved = ContactData(name="Ada", email="ada@example.org", billing=Address(street="Via 2", city="Roma", country="IT"))
    await bench.ask(ask.UpdateContact(contact_id=made.contact_id, data=moved, persons=before.persons))
    after = await bench.ask(ask.ReadContact(contact_id=made.contact_id))
    assert (after.data.billing.city, after.data.email, after.data.first_name) == ("Roma", "ada@example.com", "Ada")
    # Another address is another mailbox: nobody's is overwritten.
    assert [one.email for one in after.persons] == ["ada@example.com", "eve@example.com", "ada@example.org"]
    missing = ask.UpdateContact(contact_id="999999999999999999", data=data)
    await bench.refused(missing, NotFoundError)


async def test_contacts_by_last_change_come_newest_first(bench: Bench) -> None:
    """How the index of contacts is kept fresh."""
    first = await bench.contact_id()
    await bench.contact_id()
    await bench.ask(ask.UpdateContact(contact_id=first, data=ContactData(name="Customer 1", company="New")))
    rows = (await bench.ask(ask.ListContacts(by_change=True))).rows
    moments = [row.modified_at for row in rows]
    assert moments == sorted(moments, reverse=True)
    assert first in {row.contact_id for row in rows}


async def test_an_invoice_is_a_draft_with_exact_figures(bench: Bench) -> None:
    """2 x 9.90 at 22 % is 4.356, so 4.36; 5.05 at 10 % is 0.505, so 0.51: half up."""
    draft = await bench.draft()
    made = await bench.ask(ask.CreateInvoice(draft=draft))
    assert made.status is InvoiceStatus.DRAFT
    assert (made.total, made.tax_total, made.balance) == (Decimal("29.72"), Decimal("4.87"), Decimal("29.72"))
    assert [(row.rate, row.tax) for row in made.tax_by_rate] == [
        (Decimal(10), Decimal("0.51")),
        (Decimal(22), Decimal("4.36")),
    ]
    assert isinstance(made.tax_by_rate[0], RateFigures)
    assert (made.reference, made.contact_id, made.currency, made.issued_on) == (
        "A-1",
        draft.contact_id,
        "EUR",
        date(2026, 6, 9),
    )
    assert [(line.name, line.quantity, line.rate, line.total, line.tax_rate) for line in made.lines] == [
        ("Cup", Decimal(2), Decimal("9.90"), Decimal("19.80"), Decimal(22)),
        ("Tea", Decimal(1), Decimal("5.05"), Decimal("5.05"), Decimal(10)),
    ]
    assert made.number
    assert made.url.endswith(f"/invoices/{made.invoice_id}")
    read = await bench.ask(ask.ReadInvoice(invoice_id=made.invoice_id))
    same = {f.name for f in dataclasses.fields(read)} - {"modified_at", "created_at"}
    assert {name: getattr(read, name) for name in same} == {name: getattr(made, name) for name in same}


async def test_a_negative_line_and_an_inclusive_document(bench: Bench) -> None:
    """10.00 with 22 % in it less a coupon of 2.00: 8.00, of which 1.44 are tax."""
    tax = bench.taxes[22]
    lines = (
        InvoiceLine(name="Cup", quantity=Decimal(1), rate=Decimal("10.00"), tax_id=tax),
        InvoiceLine(name="Coupon", quantity=Decimal(1), rate=Decimal("-2.00"), tax_id=tax),
    )
    made = await bench.ask(ask.CreateInvoice(draft=await bench.draft(lines=lines, tax_inclusive=True)))
    assert (made.total, made.tax_total) == (Decimal("8.00"), Decimal("1.44"))


async def test_an_invoice_is_found_by_its_whole_reference_only(bench: Bench) -> None:
    """Void ones too: it is for the caller to say what counts."""
    made = await bench.ask(ask.CreateInvoice(draft=await bench.draft("A-1")))
    await bench.ask(ask.CreateInvoice(draft=await bench.draft("A-10")))
    rows = await bench.found("A-1")
    assert [(row.invoice_id, row.lines) for row in rows] == [(made.invoice_id, None)]
    assert await bench.found("A") == []
    await bench.ask(ask.VoidInvoice(invoice_id=made.invoice_id))
    assert [row.status for row in await bench.found("A-1")] == [InvoiceStatus.VOID]


async def test_two_invoices_of_one_reference_are_both_there(bench: Bench) -> None:
    """The reference is not unique in the ledger: only our own rules keep it so."""
    contact = await bench.contact_id()
    for _ in range(2):
        await bench.ask(ask.CreateInvoice(draft=await bench.draft(contact_id=contact)))
    assert len(await bench.found("A-1")) == 2


async def test_the_unique_field_refuses_a_second_document(bench: Bench) -> None:
    """It is shown by the answer, so that it can be compared; an update of the same document may keep it."""
    keyed = await bench.draft(unique_field=UNIQUE, unique_key="shop/A-1/invoice//1")
    made = await bench.ask(ask.CreateInvoice(draft=keyed))
    assert made.unique_key == "shop/A-1/invoice//1"
    await bench.refused(ask.CreateInvoice(draft=keyed), KeyTakenError)
    line_ids = tuple(line.line_id for line in made.lines)
    await bench.ask(ask.UpdateInvoice(invoice_id=made.invoice_id, draft=keyed, line_ids=line_ids))
    assert len(await bench.found("A-1")) == 1


async def test_a_number_of_our_own_is_taken_once(bench: Bench) -> None:
    """Numbers of the ledger's own series go on beside it."""
    draft = await bench.draft(number="SHOP-1")
    assert (await bench.ask(ask.CreateInvoice(draft=draft))).number == "SHOP-1"
    await bench.refused(ask.CreateInvoice(draft=draft), NumberTakenError)
    assert (await bench.ask(ask.CreateInvoice(draft=replace(draft, number="")))).number != "SHOP-1"


async def test_an_update_keeps_named_lines_and_drops_the_others(bench: Bench) -> None:
    """In place: the first line keeps its id, the second goes, a new one comes; the tax that is gone is gone."""
    draft = await bench.draft()
    made = await bench.ask(ask.CreateInvoice(draft=draft))
    first = made.lines[0].line_id
    lines = (
        InvoiceLine(name="Cup", quantity=Decimal(3), rate=Decimal("9.90")),
        InvoiceLine(name="Pot", quantity=Decimal(1), rate=Decimal("1.00"), tax_id=bench.taxes[22]),
    )
    changed = ask.UpdateInvoice(invoice_id=made.invoice_id, draft=replace(draft, lines=lines), line_ids=(first,))
    after = await bench.ask(changed)
    assert after.lines[0].line_id == first
    assert after.lines[1].line_id not in {line.line_id for line in made.lines}
    assert (after.total, after.tax_total, after.number) == (Decimal("30.92"), Decimal("0.22"), made.number)
    foreign = replace(changed, line_ids=("999999999999999999",))
    with pytest.raises(RefusedError):
        await bench.ask(foreign)


async def test_what_is_gone_is_not_found(bench: Bench) -> None:
    """404 is what tells that a person deleted the document."""
    made = await bench.ask(ask.CreateInvoice(draft=await bench.draft()))
    await bench.ask(ask.DeleteInvoice(invoice_id=made.invoice_id))
    await bench.refused(ask.ReadInvoice(invoice_id=made.invoice_id), NotFoundError)
    await bench.refused(ask.DeleteInvoice(invoice_id=made.invoice_id), NotFoundError)
    await bench.refused(ask.VoidInvoice(invoice_id=made.invoice_id), NotFoundError)
    await bench.refused(ask.ReadContact(contact_id="999999999999999999"), NotFoundError)
    assert await bench.found("A-1") == []


async def test_an_invoice_for_nobody_is_refused(bench: Bench) -> None:
    """The contact may have been merged away since it was indexed."""
    draft = await bench.draft(contact_id="999999999999999999")
    await bench.refused(ask.CreateInvoice(draft=draft), NotFoundError)


async def test_invoices_changed_since(bench: Bench) -> None:
    """How a lane that looks first finds what Postgres has forgotten."""
    made = await bench.ask(ask.CreateInvoice(draft=await bench.draft()))
    rows = (await bench.ask(ask.ListInvoices())).rows
    assert [row.invoice_id for row in rows] == [made.invoice_id]
    early = replace(ask.ListInvoices(), changed_after=made.modified_at.replace(year=2020))
    assert [row.invoice_id for row in (await bench.ask(early)).rows] == [made.invoice_id]
    late = replace(ask.ListInvoices(), changed_after=made.modified_at.replace(year=2099))
    assert (await bench.ask(late)).rows == ()


async def test_a_write_that_was_cut_off_before_or_after_its_effect_looks_the_same(bench: Bench) -> None:
    """Both are uncertain; only looking tells them apart."""
    draft = await bench.draft()
    await bench.fail_next(Fault.CUT_BEFORE_COMMIT)
    await bench.refused(ask.CreateInvoice(draft=draft), UncertainError)
    assert await bench.found("A-1") == []
    await bench.fail_next(Fault.CUT_AFTER_COMMIT)
    await bench.refused(ask.CreateInvoice(draft=draft), UncertainError)
    assert [row.total for row in await bench.found("A-1")] == [Decimal("29.72")]


async def test_a_read_that_was_cut_off_may_be_repeated(bench: Bench) -> None:
    """It has no effect that anybody would have to look up."""
    await bench.fail_next(Fault.CUT_BEFORE_COMMIT)
    await bench.refused(ask.ListTaxes(), LedgerUnavailableError)
    assert len((await bench.ask(ask.ListTaxes())).rows) == 2


async def test_a_limit_leaves_nothing_behind(bench: Bench) -> None:
    """A 429 is for certain: nothing was made."""
    draft = await bench.draft()
    await bench.fail_next(Fault.THROTTLED)
    await bench.refused(ask.CreateInvoice(draft=draft), ThrottledError)
    assert await bench.found("A-1") == []
