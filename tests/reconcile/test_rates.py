"""Net and VAT per rate, of ledgers' documents and of orders, with figures reckoned by hand."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from consumer.domain.arithmetic import TaxSum
from consumer.domain.ledger import LedgerCurrency, LedgerFacts, LedgerLine, LedgerTax, Organization, TaxKind
from consumer.domain.orders import OrderKey, RateFigures
from consumer.domain.reconciling.books import Listed
from consumer.domain.reconciling.rates import RateSum, added, recorded_rates, told_rates, total_of
from consumer.domain.reconciling.shop_figures import ShopGrounds, refund_rates, shop_rates
from consumer.domain.reconciling.strangers import needs_read, order_named
from consumer.domain.records import Document, DocumentKind
from consumer.domain.settings import ShopSettings
from consumer.sources.own import to_order

SHOP = ShopSettings(shop_id="shop", connection_id="books")
FACTS = LedgerFacts(
    organization=Organization(organization_id="1", name="O", currency="EUR", time_zone="Europe/Rome"),
    taxes=(
        LedgerTax(tax_id="t22", name="VAT 22", rate=Decimal(22)),
        LedgerTax(tax_id="t10", name="VAT 10", rate=Decimal(10)),
        LedgerTax(tax_id="g", name="G", rate=Decimal(15), kind=TaxKind.GROUP, parts=(Decimal(5), Decimal(10))),
    ),
    currencies=(LedgerCurrency(currency_id="1", code="EUR", digits=2, is_base=True),),
)
GROUNDS = ShopGrounds(shop=SHOP, facts=FACTS)


def rate(percent: str | None, net: str, tax: str) -> RateSum:
    """Give one row."""
    return RateSum(rate=None if percent is None else Decimal(percent), net=Decimal(net), tax=Decimal(tax))


def line(percent: str, total: str) -> LedgerLine:
    """Give a ledger's line."""
    return LedgerLine(
        line_id="1",
        name="Mug",
        quantity=Decimal(1),
        rate=Decimal(total),
        total=Decimal(total),
        tax_rate=Decimal(percent),
    )


def told(*rows: tuple[str, str]) -> tuple[RateFigures, ...]:
    """Give VAT per rate as a ledger tells it."""
    return tuple(RateFigures(rate=Decimal(percent), net=None, tax=Decimal(tax)) for percent, tax in rows)


TWO = told(("22", "2.20"), ("10", "0.50"))


@pytest.mark.parametrize(
    ("total", "taxes", "lines", "expected"),
    [
        ("17.70", TWO, (("22", "10"), ("10", "5")), (("22", "10", "2.20"), ("10", "5", "0.50"))),
        ("17.70", TWO, (("22", "12.20"), ("10", "5.50")), (("22", "10.00", "2.20"), ("10", "5.00", "0.50"))),
        ("12.21", told(("22", "2.20")), (("22", "10"),), (("22", "10", "2.20"), ("0", "0.01", "0"))),
        ("12.21", told(("22", "2.20")), (("22", "12.20"),), (("22", "10.00", "2.20"), ("0", "0.01", "0"))),
        ("15.20", told(("22", "2.20")), (("22", "10"), ("0", "3")), (("22", "10", "2.20"), ("0", "3", "0"))),
        ("11.50", told(("5", "0.50"), ("10", "1.00")), (("15", "10"),), (("15", "10", "1.50"),)),
        ("8.00", (), (("0", "8"),), (("0", "8", "0"),)),
    ],
    ids=["on-top", "within", "adjusted-on-top", "adjusted-within", "untaxed-part", "group", "no-tax"],
)  # fmt: skip
def test_a_document_read_whole_tells_its_rates(
    total: str,
    taxes: tuple[RateFigures, ...],
    lines: tuple[tuple[str, str], ...],
    expected: tuple[tuple[str, ...], ...],
) -> None:
    """Net is the lines' sum, less VAT where it lies within; what nothing accounts for bears no VAT."""
    found = told_rates(Decimal(total), taxes, [line(*one) for one in lines], 2)
    assert found == tuple(rate(*one) for one in expected)


def test_what_is_not_told_is_said_to_be_not_told() -> None:
    """No VAT per rate in the answer: a row without a rate, never a guess."""
    assert told_rates(Decimal("12.20"), None, None, 2) == (rate(None, "12.20", "0"),)


def test_without_lines_net_follows_from_vat() -> None:
    """1.10 at 22 % is of 5.00; the cent beside it is rounding. Beyond five cents the rest bears no VAT."""
    assert told_rates(Decimal("6.11"), told(("22", "1.10")), None, 2) == (rate("22", "5.01", "1.10"),)
    assert told_rates(Decimal("7.10"), told(("22", "1.10")), None, 2) == (
        rate("22", "5.00", "1.10"),
        rate("0", "1.00", "0"),
    )


# ---- as recorded ----


def document(**fields: Any) -> Document:
    """Give a recorded invoice of 10.00 + 2.20."""
    given: dict[str, Any] = {
        "connection_id": "books",
        "kind": DocumentKind.INVOICE,
        "ledger_id": "1",
        "number": "INV-1",
        "status": "draft",
        "live": True,
        "reference": "1001",
        "total": Decimal("12.20"),
        "currency": "EUR",
        "tax_total": Decimal("2.20"),
        "tax_by_rate": told(("22", "2.20")),
        "sums": (TaxSum(tax_id="t22", rate=Decimal(22), gross=Decimal("12.20"), tax=Decimal("2.20")),),
        "agreed": True,
    }
    return Document(**{**given, **fields})


def test_recorded_sums_are_taken_where_the_answer_agreed_with_them() -> None:
    """Net is what the sum has beside its VAT."""
    assert recorded_rates(document()) == (rate("22", "10.00", "2.20"),)


@pytest.mark.parametrize(
    "fields",
    [
        {"agreed": False},
        {"sums": ()},
        {"total": Decimal("12.21")},
        {"tax_total": Decimal("2.21")},
        {"tax_by_rate": told(("10", "2.20"))},
    ],
    ids=["not-compared", "no-sums", "other-total", "other-vat", "other-rate"],
)
def test_sums_that_prove_nothing_are_not_taken(fields: dict[str, Any]) -> None:
    """The document is read instead."""
    assert recorded_rates(document(**fields)) is None


# ---- of the shop ----


def order(**fields: Any) -> Any:
    """Read an order of two rates: 10.00 at 22 % and 5.00 at 10 %, on top: 17.70."""
    given: dict[str, Any] = {
        "shop_id": "shop",
        "order_id": "1001",
        "version": 1,
        "currency": "EUR",
        "prices_include_tax": False,
        "lines": [
            {"id": "a", "name": "Mug", "quantity": "1", "unit_price": "10.00", "taxes": [{"rate": "22"}]},
            {"id": "b", "name": "Book", "quantity": "1", "unit_price": "5.00", "taxes": [{"rate": "10"}]},
        ],
        "totals": {"grand_total": "17.70"},
    }
    return to_order(json.dumps({**given, **fields}).encode(), "Europe/Rome")


def test_a_shops_rates_are_its_own_lines_and_taxes() -> None:
    """Without the shop's own sums per rate they are reckoned from its lines and proved by its total."""
    assert shop_rates(order(), GROUNDS) == (rate("22", "10.00", "2.20"), rate("10", "5.00", "0.50"))


def test_prices_with_tax_within_come_to_the_same_rates() -> None:
    """12.20 with 22 % in it is 10.00 + 2.20."""
    lines = [{"name": "Mug", "quantity": "1", "unit_price": "12.20", "taxes": [{"rate": "22"}]}]
    one = order(lines=lines, prices_include_tax=True, totals={"grand_total": "12.20"})
    assert shop_rates(one, GROUNDS) == (rate("22", "10.00", "2.20"),)


def test_a_groups_members_stand_under_the_groups_rate() -> None:
    """5 % and 10 % of 10.00, which the ledger's lines bear as 15 %."""
    lines = [{"name": "Mug", "quantity": "1", "unit_price": "10.00", "taxes": [{"rate": "5"}, {"rate": "10"}]}]
    one = order(lines=lines, totals={"grand_total": "11.50"})
    assert shop_rates(one, GROUNDS) == (rate("15", "10.00", "1.50"),)


def test_an_order_whose_parts_do_not_follow_counts_with_what_it_states() -> None:
    """Its lines give 17.70, it says 20.00 with 4.00 of tax: that is what the shop has, without rates."""
    assert shop_rates(order(totals={"grand_total": "20.00", "tax": "4.00"}), GROUNDS) == (rate(None, "16.00", "4.00"),)


def test_another_split_of_cents_is_taken_over_only_with_the_same_vat_and_total() -> None:
    """The net of a rate may differ by rounding; never its VAT."""
    off_by_a_cent = (rate("22", "10.01", "2.20"), rate("10", "4.99", "0.50"))
    assert shop_rates(order(), GROUNDS, off_by_a_cent) == off_by_a_cent
    other_vat = (rate("22", "9.99", "2.21"), rate("10", "5.00", "0.50"))
    assert shop_rates(order(), GROUNDS, other_vat) == (rate("22", "10.00", "2.20"), rate("10", "5.00", "0.50"))


def test_refunds_take_from_the_rates_that_they_name_and_the_rest_from_what_is_left() -> None:
    """5.50 for the book; then all of the rest, 12.20: nothing is left of either rate."""
    refunds = [
        {"id": "r1", "amount": "5.50", "created_at": "2026-03-14T12:00:00Z", "lines": [{"id": "b", "amount": "5.50"}]},
        {"id": "r2", "amount": "12.20", "created_at": "2026-03-15T12:00:00Z"},
    ]
    one = order(refunds=refunds)
    whole = shop_rates(one, GROUNDS)
    found = refund_rates(one, whole, GROUNDS)
    assert found == {"r1": (rate("10", "5.00", "0.50"),), "r2": (rate("22", "10.00", "2.20"),)}
    assert total_of(added(whole)) == sum(total_of(rates) for rates in found.values())


# ---- whose it is ----


def listed(**fields: Any) -> Listed:
    """Give a listed invoice."""
    given: dict[str, Any] = {
        "kind": DocumentKind.INVOICE,
        "ledger_id": "9",
        "number": "INV-9",
        "status": "draft",
        "reference": "1001",
        "contact_id": "c",
        "total": Decimal(1),
        "currency": "EUR",
        "issued_on": date(2026, 3, 1),
        "created_at": datetime(2026, 3, 1, tzinfo=UTC),
    }
    return Listed(**{**given, **fields})


@pytest.mark.parametrize(
    ("pattern", "fields", "named"),
    [
        ("{order_id}", {"reference": "1001"}, None),
        ("SH-{order_id}", {"reference": "SH-1001"}, OrderKey("shop", "1001")),
        ("SH-{order_id}", {"reference": "SH-1001~credit_note~r1"}, OrderKey("shop", "1001")),
        ("SH-{order_id}", {"reference": "PO-1001"}, None),
        ("{shop_id}/{order_id}", {"reference": "shop/7"}, OrderKey("shop", "7")),
        ("{order_id}", {"unique_key": "shop/10%2F1/invoice//1"}, OrderKey("shop", "10/1")),
        ("{order_id}", {"unique_key": "elsewhere/1001/invoice//1"}, None),
        ("{order_id}", {"unique_key": "a person's words"}, None),
    ],
)
def test_an_order_is_named_by_the_unique_field_or_a_reference_that_only_ours_have(
    pattern: str, fields: dict[str, Any], named: OrderKey | None
) -> None:
    """A bare id says nothing: anybody's reference would fit."""
    shop = ShopSettings(shop_id="shop", connection_id="books", reference_pattern=pattern)
    assert order_named(listed(**fields), [shop]) == named


def test_a_list_without_the_unique_field_makes_a_stranger_be_read() -> None:
    """Once; and only where there is such a field."""
    assert needs_read(listed(), unique_field=True)
    assert not needs_read(listed(), unique_field=False)
    assert not needs_read(listed(unique_key=""), unique_field=True)
    assert not needs_read(listed(rates=()), unique_field=True)
