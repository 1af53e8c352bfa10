"""Whether a document in the ledger is what was meant, and whose it is."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from consumer.domain.comparison import Expected, Sought, compare, is_ours, same_document
from consumer.domain.invoice_words import InvoiceWords
from consumer.domain.ledger import Invoice, InvoiceStatus, LedgerLine, TaxRounding
from consumer.domain.orders import RateFigures
from tests.domain.order_building import D, line, mapped, order

BEGUN = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)


def rates(**taxes: str) -> tuple[RateFigures, ...]:
    """Give tax per rate: ``rates(r22="2.20")``."""
    return tuple(RateFigures(rate=D(rate[1:]), net=None, tax=D(tax)) for rate, tax in taxes.items())


EXPECTED = Expected(total=D("23.20"), tax_total=D("3.20"), tax_by_rate=rates(r22="2.20", r10="1.00"), currency="EUR")


def invoice(**more: Any) -> Invoice:
    """Give an invoice of the ledger that is as expected, but for what is passed."""
    given: dict[str, Any] = {
        "invoice_id": "9",
        "number": "INV-9",
        "status": InvoiceStatus.DRAFT,
        "reference": "1001",
        "contact_id": "7",
        "total": D("23.20"),
        "currency": "EUR",
        "tax_total": D("3.2"),
        "tax_by_rate": rates(r10="1.0", r22="2.2"),
        "created_at": BEGUN,
    }
    return Invoice(**{**given, **more})


def test_equal_to_the_cent_is_equal() -> None:
    """Trailing zeros and the order of rates say nothing; a row of 0 is as good as none."""
    assert compare(EXPECTED, invoice(tax_by_rate=rates(r22="2.2", r10="1", r0="0"))).equal


@pytest.mark.parametrize(
    ("more", "word"),
    [
        ({"total": D("23.21")}, "difference 0.01 EUR"),
        ({"currency": "USD"}, "USD"),
        ({"tax_by_rate": rates(r22="2.19", r10="1.01")}, "VAT at 22 %"),
        ({"tax_by_rate": rates(r22="3.20")}, "VAT at 10 %"),
        ({"tax_total": None, "tax_by_rate": None}, "no VAT"),
        ({"tax_by_rate": None}, "no VAT per rate"),
        ({"tax_total": D("3.19")}, "3.19"),
    ],
)
def test_every_difference_is_seen_and_said(more: dict[str, Any], word: str) -> None:
    """VAT under the wrong rate is a difference although total and tax are right; what is not told is not proved."""
    agreement = compare(EXPECTED, invoice(**more))
    assert not agreement.equal
    assert any(word in each for each in agreement.words), agreement.words


def test_differences_are_the_ledgers_less_ours() -> None:
    """22 %: the ledger has a cent less."""
    agreement = compare(EXPECTED, invoice(total=D("23.19"), tax_by_rate=rates(r22="2.19", r10="1")))
    assert agreement.total_difference == D("-0.01")
    assert [(each.rate, each.difference) for each in agreement.tax_differences] == [(D(22), D("-0.01"))]


def test_a_single_rate_is_proved_by_the_sum() -> None:
    """With one rate the tax total says all."""
    one = Expected(total=D("12.20"), tax_total=D("2.20"), tax_by_rate=rates(r22="2.20"), currency="EUR")
    assert compare(one, invoice(total=D("12.20"), tax_total=D("2.20"), tax_by_rate=None)).equal


def test_a_group_may_be_told_as_one_figure() -> None:
    """5 % and 10 % as a group of 15 %: 0.50 and 1.00, or 1.50 at 15."""
    expected = replace(EXPECTED, total=D(12), tax_total=D("1.5"), tax_by_rate=rates(r5="0.50", r10="1.00"))
    grouped = replace(expected, group_rates=((D(15), (D(5), D(10))),))
    whole = invoice(total=D(12), tax_total=D("1.5"), tax_by_rate=rates(r15="1.50"))
    assert compare(grouped, whole).equal
    assert not compare(expected, whole).equal


def _written() -> tuple[Any, Invoice]:
    draft = mapped(order([line("2", "10"), line("1", "1", "10")], "25.50"), contact_id="7").draft
    lines = tuple(
        LedgerLine(
            line_id=str(at), name=row.name, quantity=row.quantity, rate=row.rate, total=row.rate, tax_rate=row.tax_rate
        )
        for at, row in enumerate(draft.lines)
    )
    return draft, invoice(total=D("25.50"), lines=lines, rounding=TaxRounding.PER_RATE)


@pytest.mark.parametrize(
    ("change", "shown"),
    [
        ({"notes": "a"}, {"notes": "b"}),
        ({"terms": "a"}, {"terms": ""}),
        ({"terms": ""}, {"terms": "a"}),
        ({"salesperson": "a"}, {"salesperson": "b"}),
        ({"template_id": "7"}, {"template_id": "8"}),
        ({"payment_terms_label": "Net 7"}, {"payment_terms_label": "Net 14"}),
        ({"custom_fields": (("cf_a", "1"),)}, {"custom_fields": ()}),
        ({"custom_fields": (("cf_a", ""),)}, {"custom_fields": (("cf_a", "1"),)}),
        ({"due_on": date(2026, 4, 1)}, {"due_on": date(2026, 4, 2)}),
    ],
    ids=str,
)
def test_a_document_with_other_words_is_not_the_drafts(change: dict[str, Any], shown: dict[str, Any]) -> None:
    """An update of the words alone that never arrived must not be taken for done."""
    draft, found = _written()
    meant = replace(draft, **change)
    assert not same_document(meant, replace(found, words=InvoiceWords(**shown)))
    as_meant = {name: change[name] for name in shown}
    assert same_document(meant, replace(found, words=InvoiceWords(**as_meant)))


def test_words_that_nobody_set_or_showed_prove_nothing() -> None:
    """Terms of the organisation's own, a layout that was not chosen, spaces that the ledger trimmed, other fields."""
    draft, found = _written()
    own = InvoiceWords(terms="ours", salesperson="Eve", template_id="7", custom_fields=(("cf_other", "1"),))
    assert same_document(draft, replace(found, words=own))
    assert same_document(replace(draft, terms="a  b ", notes="x"), replace(found, words=InvoiceWords(terms="a b")))


def test_a_document_is_the_drafts_when_customer_total_and_every_line_are() -> None:
    """20.00 at 22 % and 1.00 at 10 %: 21.00 + 4.40 + 0.10."""
    draft, found = _written()
    assert same_document(draft, found)
    assert not same_document(draft, replace(found, contact_id="8"))
    assert not same_document(draft, replace(found, total=D("25.51")))
    assert not same_document(draft, replace(found, lines=None))
    lines = found.lines or ()
    assert not same_document(draft, replace(found, lines=lines[:1]))
    assert not same_document(draft, replace(found, lines=(replace(lines[0], quantity=D(1)), lines[1])))
    assert not same_document(draft, replace(found, lines=(lines[0], replace(lines[1], name="Plate"))))


MEANT = Sought(contact_id="7", total=D("23.20"), begun_at=BEGUN)


def test_with_the_unique_field_only_the_key_counts() -> None:
    """Equal key: ours, whatever the total; another or none: not ours, however like."""
    ask = {"reference": "1001", "unique_field": True, "unique_key": "shop/1001/invoice//1", "intent": MEANT}
    assert is_ours(invoice(unique_key="shop/1001/invoice//1", total=D(1)), **ask)  # type: ignore[arg-type]  # by name
    assert not is_ours(invoice(unique_key=None), **ask)  # type: ignore[arg-type]  # by name
    assert not is_ours(invoice(unique_key="shop/1001/invoice//2"), **ask)  # type: ignore[arg-type]  # by name


@pytest.mark.parametrize(
    ("more", "ours"),
    [
        ({}, True),
        ({"created_at": BEGUN - timedelta(seconds=60)}, True),
        ({"created_at": BEGUN - timedelta(seconds=61)}, False),
        ({"created_at": None}, False),
        ({"contact_id": "8"}, False),
        ({"total": D("23.21")}, False),
        ({"reference": "10010"}, False),
        ({"status": InvoiceStatus.VOID}, False),
    ],
)
def test_without_the_field_customer_total_and_time_are_the_intents(more: dict[str, Any], ours: bool) -> None:  # noqa: FBT001 a table's column
    """#1001 is not #10010, an older document is not ours, and a void one is none."""
    assert is_ours(invoice(**more), reference="1001", unique_field=False, intent=MEANT) is ours


def test_without_an_intent_our_own_user_must_have_made_it() -> None:
    """Look first: customer and total alone are not enough."""
    given = Sought(contact_id="7", total=D("23.20"))
    assert is_ours(invoice(), reference="1001", unique_field=False, order=given, made_by_us=True)
    assert not is_ours(invoice(), reference="1001", unique_field=False, order=given)
    assert not is_ours(invoice(reference=""), reference="", unique_field=False, order=given, made_by_us=True)
