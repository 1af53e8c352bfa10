"""The edges of comparing a document: what nobody tells, the words of a difference, and a currency's own decimals."""

from dataclasses import replace

import pytest

from consumer.domain.comparison import Agreement, Expected, TaxDifference, compare, same_document
from consumer.domain.invoice_words import InvoiceWords
from consumer.domain.ledger import Invoice, LedgerLine
from tests.domain.order_building import D, line, mapped, order
from tests.domain.test_comparison import EXPECTED, invoice, rates


def test_a_difference_is_said_with_both_figures() -> None:
    """Of the total and of each rate."""
    assert compare(EXPECTED, invoice(total=D("23.21"), tax_by_rate=rates(r22="2.20", r10="1.01"))) == Agreement(
        equal=False,
        total_difference=D("0.01"),
        tax_differences=(TaxDifference(rate=D(10), expected=D("1.00"), found=D("1.01")),),
        words=(
            "Total: ledger 23.21, order 23.2, difference 0.01 EUR.",
            "VAT at 10 %: ledger 1.01, order 1, difference 0.01 EUR.",
        ),
    )


def test_where_nothing_is_expected_of_the_tax_the_total_is_compared_alone() -> None:
    """Of an order whose tax nobody knows."""
    unknown = Expected(total=D("23.20"), tax_total=None, tax_by_rate=(), currency="EUR")
    assert compare(unknown, invoice()) == Agreement(
        equal=True,
        total_difference=D(0),
        tax_differences=(),
        words=("Total and VAT per rate are those of the order.",),
    )


@pytest.mark.parametrize(
    ("found", "words"),
    [
        ("2.20", ("Total and VAT per rate are those of the order.",)),
        ("2.19", ("VAT: ledger 2.19, order 2.2.",)),
    ],
)
def test_of_one_rate_the_sum_alone_is_enough(found: str, words: tuple[str, ...]) -> None:
    """A list tells the sum, and only of several rates could they make up for each other."""
    one = replace(EXPECTED, tax_total=D("2.20"), tax_by_rate=rates(r22="2.20"))
    assert compare(one, invoice(tax_total=D(found), tax_by_rate=None)).words == words


def test_a_groups_tax_may_be_told_as_one_figure_or_by_its_members() -> None:
    """5 % and 10 % of a group of 15 %; beside the group its rate may be one of its own."""
    both = replace(EXPECTED, tax_total=D("3.00"), tax_by_rate=rates(r5="1.00", r10="2.00"))
    grouped = replace(both, group_rates=((D(15), (D(5), D(10))),))
    assert compare(grouped, invoice(tax_total=D(3), tax_by_rate=rates(r15="3.00"))).equal
    assert compare(grouped, invoice(tax_total=D(3), tax_by_rate=rates(r5="1.00", r10="2.00"))).equal
    assert not compare(both, invoice(tax_total=D(3), tax_by_rate=rates(r15="3.00"))).equal


def as_written(currency: str, price: str, total: str) -> Invoice:
    """Give the invoice of one line of that price at 22 %, as the ledger has it."""
    one = LedgerLine(line_id="1", name="Mug", quantity=D(1), rate=D(price), total=D(price), tax_rate=D(22))
    return invoice(contact_id="7", currency=currency, total=D(total), lines=(one,), words=None)


def test_a_document_is_reckoned_in_the_decimals_that_the_ledger_keeps() -> None:
    """10.01 at 22 % is 2.20 in two decimals and 2.202 in three."""
    draft = replace(mapped(order([line("1", "10.01")], "12.21")).draft, contact_id="7")
    assert same_document(draft, as_written("EUR", "10.01", "12.21"))
    assert same_document(draft, as_written("EUR", "10.01", "12.212"), digits=3)
    assert not same_document(draft, as_written("EUR", "10.01", "12.21"), digits=3)


@pytest.mark.parametrize(
    ("words", "same"),
    [
        (InvoiceWords(notes="a", custom_fields=(("cf", "x"),)), True),
        (InvoiceWords(notes="b", custom_fields=(("cf", "x"),)), False),
        (InvoiceWords(notes="a", custom_fields=(("cf", "y"),)), False),
        (InvoiceWords(notes="a", custom_fields=()), False),
        (InvoiceWords(notes="a"), True),
    ],
    ids=["the same", "other notes", "another value", "a field that is empty", "fields that are not shown"],
)
def test_words_and_fields_are_compared_as_far_as_both_sides_tell_them(words: InvoiceWords, same: bool) -> None:  # noqa: FBT001 a parameter
    """A field that is not there is empty."""
    drafted = mapped(order([line("1", "10.01")], "12.21")).draft
    draft = replace(drafted, contact_id="7", notes="a", custom_fields=(("cf", "x"),))
    assert same_document(draft, replace(as_written("EUR", "10.01", "12.21"), words=words)) is same


def test_a_field_that_is_to_be_emptied_is_empty_where_it_is_not_shown() -> None:
    """Nothing on either side is the same."""
    drafted = mapped(order([line("1", "10.01")], "12.21")).draft
    draft = replace(drafted, contact_id="7", custom_fields=(("cf", ""),))
    shown = InvoiceWords(custom_fields=())
    assert same_document(draft, replace(as_written("EUR", "10.01", "12.21"), words=shown))
