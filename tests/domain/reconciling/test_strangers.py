"""Documents that no recorded order claims: whose they are, and what is said of ours; and how a listed one is taken."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from consumer.domain.credits import CreditNote, CreditNoteStatus
from consumer.domain.ledger import Invoice, InvoiceStatus
from consumer.domain.orders import OrderKey, RateFigures
from consumer.domain.reconciling.books import Listed, as_invoice, gone, of_credit_note, of_invoice, stands
from consumer.domain.reconciling.findings import About, Entry, Finding, FindingKind, Paper, Period, Source
from consumer.domain.reconciling.rates import RateSum
from consumer.domain.reconciling.strangers import Ours, judge_stranger, needs_read, order_named
from consumer.domain.records import DocumentKind
from consumer.domain.settings import ShopSettings
from tests.domain.deciding.building import document
from tests.domain.reconciling.test_wording import URL, listed

D = Decimal
MOMENT = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)
NORTH = ShopSettings(shop_id="north", reference_pattern="N-{order_id}")
SOUTH = ShopSettings(shop_id="south", reference_pattern="{shop_id}/{number}")
ANY = ShopSettings(shop_id="any", reference_pattern="{order_id}")
SHOPS = (ANY, NORTH, SOUTH)


@pytest.mark.parametrize(
    ("one", "key"),
    [
        (listed(reference="N-77"), OrderKey("north", "77")),
        (listed(reference="south/77"), OrderKey("south", "77")),
        (listed(reference="N-77~credit_note~r1"), OrderKey("north", "77")),
        (listed(reference="77"), None),
        (listed(reference="xN-77"), None),
        (listed(unique_key="north/7%2F7/invoice//1"), OrderKey("north", "7/7")),
        (listed(unique_key="north/77/invoice//1", reference="south/1"), OrderKey("north", "77")),
        (listed(unique_key="west/77/invoice//1", reference="N-77"), None),
        (listed(unique_key="north/77", reference="N-77"), None),
    ],
)
def test_a_document_names_an_order_by_its_key_or_by_a_reference_that_only_ours_have(
    one: Listed, key: OrderKey | None
) -> None:
    """A pattern of nothing but the order's own id fits anybody's reference."""
    assert order_named(one, SHOPS) == key


def test_a_pattern_without_a_free_part_names_no_order_by_its_id() -> None:
    """Nothing tells which one it is."""
    fixed = ShopSettings(shop_id="fixed", reference_pattern="POS")
    assert order_named(listed(reference="POS"), (fixed,)) == OrderKey("fixed", "")


@pytest.mark.parametrize(
    ("one", "unique_field", "read"),
    [
        (listed(), True, True),
        (listed(), False, False),
        (listed(unique_key=""), True, False),
        (listed(rates=()), True, False),
        (listed(reference=""), True, False),
        (listed(kind=DocumentKind.CREDIT_NOTE), True, False),
    ],
)
def test_an_invoice_is_read_where_only_its_unique_field_can_say_whose_it_is(
    one: Listed,
    unique_field: bool,  # noqa: FBT001 a parameter
    read: bool,  # noqa: FBT001 a parameter
) -> None:
    """A list does not show the field."""
    assert needs_read(one, unique_field=unique_field) is read


def test_a_document_of_ours_without_an_order_is_told_with_the_money() -> None:
    """An invoice of 12.30, and a credit note, which is below nought; one that is not ours is nobody's finding."""
    one = listed(reference="N-77")
    rates = (RateSum(rate=None, net=D("12.30"), tax=D(0)),)
    finding = Finding(
        kind=FindingKind.ORPHANED,
        about=About.INVOICE,
        key=OrderKey("north", "77"),
        order_number="",
        currency="EUR",
        expected=D(0),
        found=D("12.30"),
        papers=(Paper(kind="invoice", ledger_id="i1", number="INV-1", status="sent", total=D("12.30"), url=URL),),
        words="Invoice INV-1 of 12.3 EUR names an order that is not recorded.",
        fix="booked replay --since 2026-03-15 brings the order; then booked reconcile --adopt --yes",
        day=date(2026, 3, 15),
    )
    entry = Entry(shop_id="north", currency="EUR", ledger_day=date(2026, 3, 15), ledger=rates, source=Source.NONE)
    assert judge_stranger(one, SHOPS) == Ours(entry=entry, finding=finding)
    read = replace(one, rates=(RateSum(rate=D(22), net=D("10.08"), tax=D("2.22")),))
    known = judge_stranger(read, SHOPS)
    assert known is not None
    assert (known.entry.ledger, known.entry.source) == (read.rates, Source.READ)
    credit = judge_stranger(replace(read, kind=DocumentKind.CREDIT_NOTE), SHOPS)
    assert credit is not None
    assert (credit.finding.about, credit.finding.found) == (About.CREDIT_NOTE, D("-12.30"))
    assert credit.entry.ledger == (RateSum(rate=D(22), net=D("-10.08"), tax=D("-2.22")),)
    assert judge_stranger(listed(reference="77"), SHOPS) is None


# ---- what a list shows -----------------------------------------------------------------------------------------------

INVOICE = Invoice(
    invoice_id="i1",
    number="INV-1",
    status=InvoiceStatus.SENT,
    reference="1001",
    contact_id="c1",
    total=D("12.20"),
    currency="EUR",
    issued_on=date(2026, 3, 14),
    unique_key="k",
    created_at=MOMENT,
    modified_at=MOMENT,
    url=URL,
)
LISTED = Listed(
    kind=DocumentKind.INVOICE,
    ledger_id="i1",
    number="INV-1",
    status="sent",
    reference="1001",
    contact_id="c1",
    total=D("12.20"),
    currency="EUR",
    unique_key="k",
    issued_on=date(2026, 3, 14),
    created_at=MOMENT,
    modified_at=MOMENT,
    url=URL,
)
TAXES = (RateFigures(rate=D(22), net=None, tax=D("2.20")),)
TOLD = (RateSum(rate=D(22), net=D("10.00"), tax=D("2.20")),)


def test_an_invoice_is_taken_with_all_that_it_tells() -> None:
    """By a list without its rates; read whole with them; and back as a look keeps it."""
    assert of_invoice(INVOICE) == LISTED
    assert of_invoice(replace(INVOICE, tax_by_rate=TAXES), by_list=False) == replace(
        LISTED, rates=TOLD, found_by_list=False
    )
    assert as_invoice(LISTED) == INVOICE


def test_a_credit_note_is_taken_with_all_that_it_tells() -> None:
    """In the same way."""
    note = CreditNote(
        credit_note_id="i1",
        number="INV-1",
        status=CreditNoteStatus.OPEN,
        reference="1001",
        contact_id="c1",
        total=D("12.20"),
        currency="EUR",
        issued_on=date(2026, 3, 14),
        unique_key="k",
        created_at=MOMENT,
        modified_at=MOMENT,
        url=URL,
    )
    expected = replace(LISTED, kind=DocumentKind.CREDIT_NOTE, status="open")
    assert of_credit_note(note) == expected
    assert of_credit_note(replace(note, tax_by_rate=TAXES), by_list=False) == replace(
        expected, rates=TOLD, found_by_list=False
    )


def test_what_was_asked_for_and_is_not_there_has_no_figures() -> None:
    """It is gone, and does not stand; void does not either."""
    missing = gone(LISTED)
    assert missing == replace(
        LISTED,
        status="gone",
        unique_key=None,
        created_at=None,
        modified_at=None,
        rates=(),
        found_by_list=False,
    )
    assert (missing.gone, missing.stands, LISTED.gone, LISTED.stands) == (True, False, False, True)
    assert not replace(LISTED, status="void").stands
    recorded = document(issued_on=date(2026, 3, 14), url=URL)
    assert gone(recorded) == missing


@pytest.mark.parametrize(
    ("status", "counts"), [("draft", True), ("open", True), ("void", False), ("deleted", False), ("gone", False)]
)
def test_a_recorded_document_counts_in_a_state_that_the_ledger_knows(status: str, counts: bool) -> None:  # noqa: FBT001 a parameter
    """But void."""
    assert stands(document(status=status)) is counts


def test_both_ends_of_a_period_are_in_it() -> None:
    """A document without a day is in none."""
    march = Period(from_day=date(2026, 3, 1), to_day=date(2026, 3, 31))
    days = [date(2026, 2, 28), date(2026, 3, 1), date(2026, 3, 31), date(2026, 4, 1), None]
    assert [march.has(day) for day in days] == [False, True, True, False, False]
