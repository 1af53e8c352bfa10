"""The edges of the mapping: what is remembered of an order, which reading is tried, and each refusal word for word."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from consumer.domain.ledger import LedgerTax, TaxKind, TaxRounding
from consumer.domain.mapping import Mapped, customer_digest, items_needed, map_order
from consumer.domain.orders import Address, Customer, Order, Payment, Tax
from consumer.domain.settings import InvoiceDate
from consumer.domain.states import Reason, ReasonCode
from tests.domain.order_building import (
    CONNECTION,
    FACTS,
    PAID,
    SHOP,
    D,
    line,
    mapped,
    mapping_of,
    order,
    parked,
    stated,
    taxes_of,
    with_rounding,
    with_tax,
)

SOLD = order([line("1", "10.00")], "12.20")
CUT = "The reference was cut or is an earlier one; the whole order id is in the notes."


def test_what_an_order_was_mapped_with_is_kept() -> None:
    """The moment of its payment, whose it is, and its day where that is the booking's own."""
    found = mapped(SOLD)
    assert (found.paid_moment, found.customer, found.day_is_kept) == (PAID, customer_digest(SOLD), False)
    assert CUT not in found.notes
    assert CUT in mapped(SOLD, reference="earlier").notes
    shop = replace(SHOP, invoice_date=InvoiceDate.TODAY)
    today = mapped(SOLD, shop=shop, now=PAID, kept_day=date(2026, 3, 1))
    assert (today.draft.issued_on, today.day_is_kept) == (date(2026, 3, 1), True)
    placed = replace(SOLD, placed_at=datetime(2026, 3, 2, tzinfo=UTC))
    by_placing = mapped(placed, shop=replace(SHOP, invoice_date=InvoiceDate.PLACED))
    assert by_placing.draft.issued_on == date(2026, 3, 2)
    assert mapping_of(replace(SOLD, currency="XXY")) == Reason(
        code=ReasonCode.UNKNOWN_CURRENCY,
        message="'XXY' is no currency of ISO 4217.",
        fix="Correct the currency in the shop and send the order again.",
    )


def test_whose_an_order_is_is_told_by_the_customer_and_both_addresses() -> None:
    """In sixteen bytes, half a character in a name included; its lines are no part of it."""
    digest = customer_digest(SOLD)
    assert len(digest) == 32
    assert customer_digest(replace(SOLD, number="2", lines=())) == digest
    for other in (
        replace(SOLD, customer=Customer(name="\ud800")),
        replace(SOLD, billing_address=Address(city="Rom")),
        replace(SOLD, shipping_address=Address(city="Rom")),
    ):
        assert len(customer_digest(other)) == 32
        assert customer_digest(other) != digest


def test_items_are_needed_of_lines_that_are_sold_and_have_a_sku() -> None:
    """Sorted, each once, and only where the shop books by items."""
    lines = [
        line("1", "1", sku="b"),
        line("2", "1", sku="a"),
        line("1", "1", sku="b"),
        line("0", "0", sku="c"),
        line("1", "1"),
    ]
    sold = order(lines, "0")
    assert items_needed(sold, replace(SHOP, items_by_sku=True)) == ("a", "b")
    assert items_needed(sold, SHOP) == ()


# ---- other readings --------------------------------------------------------------------------------------------------

FIRM = Customer(name="Firm", reverse_charge=True)


def test_an_exempt_buyers_order_is_read_without_tax_only_where_none_is_stated() -> None:
    """10.00 with 22 % named and 10.00 in all; with tax stated on one of its lines it contradicts itself."""
    assert taxes_of(mapped(replace(order([line("1", "10.00")], "10.00"), customer=FIRM))) == {}
    assert parked(order([line("1", "10.00")], "10.00")).code is ReasonCode.TOTALS_DO_NOT_FOLLOW
    charged = line("1", "5.00", taxes=(Tax(rate=D(22), amount=D("1.10")),))
    free = line("1", "5.00", taxes=(Tax(rate=D(22), amount=D(0)),))
    both = replace(order([charged, free], "10.00"), customer=FIRM)
    assert parked(both).code is ReasonCode.TOTALS_DO_NOT_FOLLOW


def test_prices_are_rounded_first_where_only_so_the_order_follows() -> None:
    """3 x 0.333 beside 10.00: 0.99 + 10.00 and 2.42 of tax is 13.41; with 0.999 it would be 10.999 and 2.42."""
    lines = [line("3", "0.333"), line("1", "10.00")]
    found = mapped(order(lines, "13.41", tax_by_rate=stated(r22="2.42")))
    assert found.expected.total == D("13.41")


# ---- what is expected ------------------------------------------------------------------------------------------------


def test_a_group_is_told_with_its_members_and_a_single_tax_is_none() -> None:
    """A ledger may tell a group's tax as one figure."""
    group = LedgerTax(tax_id="g", name="G", rate=D(15), kind=TaxKind.GROUP, parts=(D(5), D(10)))
    single = LedgerTax(tax_id="s", name="S", rate=D(22), parts=(D(22),))
    facts = replace(FACTS, taxes=(group, single))
    both = (Tax(rate=D(5)), Tax(rate=D(10)))
    found = mapped(order([line("1", "10.00", taxes=both), line("1", "10.00")], "23.70"), facts=facts)
    assert found.expected.group_rates == ((D(15), (D(5), D(10))),)


@pytest.mark.parametrize(("kind", "said"), [("money", False), ("gift_card", True)])
def test_a_payment_that_is_no_money_is_said(kind: str, said: bool) -> None:  # noqa: FBT001 a parameter
    """It leaves the invoice as it is."""
    paid = replace(SOLD, payments=(Payment(method="x", amount=D(1), kind=kind), Payment(method="y", amount=D(1))))
    words = "Paid in part by gift card or store credit: a payment, which leaves the invoice as it is."
    assert (words in mapped(paid).notes) is said


# ---- what is refused -------------------------------------------------------------------------------------------------


def test_the_organisations_own_currency_needs_no_entry_and_another_one_does() -> None:
    """By its own decimals; a real one that it lacks is added in the ledger."""
    alone = replace(FACTS, currencies=())
    draft = mapped(SOLD, facts=alone).draft
    assert (draft.currency, draft.currency_id) == ("EUR", "")
    assert mapped(SOLD).draft.currency_id == "1"
    assert parked(replace(SOLD, currency="CHF")) == Reason(
        code=ReasonCode.CURRENCY_MISSING,
        message="The organisation does not have the currency CHF.",
        fix="Add CHF to the currencies of the organisation in the ledger.",
        group_key="currency_missing:CHF",
    )


HUGE = Reason(
    code=ReasonCode.NOT_SUPPORTED,
    message="An amount or quantity of the order is 1.000E+14, which is beyond 1E+14.",
    fix="Correct the order in the shop and send it again.",
    group_key="not_supported:too_large",
)


@pytest.mark.parametrize(
    "given",
    [
        order([line("100000000000000", "0.01"), line("1", "1")], "1"),
        order([line("1", "100000000000000"), line("1", "1")], "1"),
        order([line("1", "1"), line("1", "1")], "100000000000000"),
    ],
    ids=["a quantity of the first line", "a price", "the total"],
)
def test_amounts_that_are_no_money_of_a_shop_are_refused(given: Order) -> None:
    """A hundred billions are one too many; a cent less is money."""
    assert parked(given) == HUGE
    assert parked(order([line("1", "99999999999999.99")], "1")).code is ReasonCode.TOTALS_DO_NOT_FOLLOW


def test_a_total_below_nought_or_of_a_part_of_a_cent_is_refused() -> None:
    """With what to send instead."""
    assert parked(order([line("1", "-1.00")], "-1.22")) == Reason(
        code=ReasonCode.NOT_SUPPORTED,
        message="The order comes to -1.22 EUR; an invoice cannot be below zero.",
        fix="Send what is given back as a refund of the order that it belongs to.",
        group_key="not_supported:negative_total",
    )
    assert parked(order([line("1", "10.00")], "12.205")) == Reason(
        code=ReasonCode.NO_EXACT_LAYOUT,
        message="The shop states 12.205 EUR; the ledger keeps 2 decimals.",
        fix="Send the total rounded to the currency's decimals.",
    )


def test_what_no_layout_gives_is_shown_with_both_figures() -> None:
    """Per total and per rate; how it is put right depends on what it is."""
    rounding = parked(order([line("1", "0.34")] * 3, "1.23", tax_by_rate=stated(r22="0.21")))
    assert rounding.message == (
        "The shop rounds VAT on each line, the organisation once per tax rate. "
        "Total: ledger 1.24, shop 1.23, difference 0.01 EUR. VAT at 22 %: ledger 0.22, shop 0.21, difference 0.01 EUR."
    )
    unknown = parked(
        order([line("1", "0.34")] * 3, "1.23", tax_by_rate=stated(r22="0.21")),
        facts=with_rounding(TaxRounding.UNKNOWN),
    )
    assert unknown == Reason(
        code=ReasonCode.ROUNDING_UNKNOWN,
        message="It is exact under one way of rounding VAT only, and the organisation's way is not known yet.",
        fix="Nothing: it goes on by itself when the ledger's first answer has shown how it rounds.",
        group_key="rounding_unknown",
    )
    half = [with_tax("1", "0.09", "20")] * 2
    plain = parked(order(half, "0.18", tax_by_rate=stated(r20="0.02")), facts=with_rounding(TaxRounding.PER_LINE))
    assert plain.fix == "Correct the order in the shop, or book it by hand and choose ignore."
    assert plain.message == (
        "No layout gives the shop's figures. Total: ledger 0.18, shop 0.18, difference 0 EUR. "
        "VAT at 20 %: ledger 0.04, shop 0.02, difference 0.02 EUR."
    )


def test_an_order_that_was_never_booked_gets_its_reference_by_the_shops_pattern() -> None:
    """Which is the one that it has where nobody says another."""
    found = map_order(
        SOLD,
        facts=FACTS,
        shop=SHOP,
        connection=CONNECTION,
        contact_id="",
        paid_moment=PAID,
        document_n=1,
        items={},
    )
    assert isinstance(found, Mapped)
    assert (found.draft.reference, CUT in found.notes) == ("1001", False)


def test_an_order_of_mixed_prices_that_no_layout_gives_is_told_so() -> None:
    """12.20 with tax and 2.02 without at 22 %, 2.02 at 20 %: 14.04 + 3.0484 is 17.09; rounded per rate it is 17.08.

    With tax in the prices 2.02 is 2.46 or 2.47, and 2.42 or 2.43: 14.66 + 2.43 is 17.09, but 2.43 holds 0.41 and not
    0.40; 14.67 + 2.42 is 17.09, but 14.67 holds 2.65 and not 2.64. The shop lets nothing be adjusted.
    """
    lines = [with_tax("1", "12.20"), line("1", "2.02"), line("1", "2.02", "20")]
    given = order(lines, "17.09", tax_by_rate=stated(r22="2.64", r20="0.40"))
    reason = parked(given, shop=replace(SHOP, rounding_line_units_per_document=0))
    assert (reason.code, reason.fix) == (
        ReasonCode.NO_EXACT_LAYOUT,
        "The order mixes prices with and without tax: send them in one way.",
    )
