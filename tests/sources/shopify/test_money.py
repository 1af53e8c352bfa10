"""Shopify's figures: what is charged, with which tax, and that it is booked to the cent. Sums are made by hand."""

from decimal import Decimal
from typing import Any

import pytest

from consumer.domain.arithmetic import compute
from consumer.domain.ledger import TaxRounding
from consumer.domain.mapping import Mapped
from consumer.domain.states import Reason, ReasonCode
from consumer.sources.shopify.taxes import percent
from tests.sources.shopify.payloads import booked, data_of, item, payload, tax


def figures(given: dict[str, Any], rounding: TaxRounding = TaxRounding.PER_RATE) -> tuple[str, dict[str, str]]:
    """Book it, and give the ledger's total and tax per rate."""
    result = booked(given, rounding)
    assert isinstance(result, Mapped), result
    found = compute(result.draft, 2, rounding)
    return str(found.total), {format(row.rate.normalize(), "f"): str(row.tax) for row in found.tax_by_rate if row.tax}


def parked(given: dict[str, Any]) -> Reason:
    """Map what must not be booked."""
    result = booked(given)
    assert isinstance(result, Reason), result
    return result


@pytest.mark.parametrize(
    ("fraction", "expected"),
    [("0.19", "19"), ("0.0725", "7.25"), ("0.088749999", "8.8749999"), ("0.08875000000000001", "8.875"), ("1", "100")],
)
def test_a_fraction_becomes_percent_by_its_own_digits(fraction: str, expected: str) -> None:
    """0.0725 is 7.25 %, and a double's noise in the seventeenth digit is none of the rate's."""
    assert format(percent(Decimal(fraction)), "f") == expected


def test_a_rate_that_another_parser_made_a_float_is_its_shortest_text() -> None:
    """0.1 is ten percent, and not the 55 digits of the double."""
    assert data_of(payload(item("10.00", tax_lines=[tax(0.1, "1.00")]), total="11.00", tax_total="1.00"))["lines"][0][
        "taxes"
    ] == [{"rate": "10", "name": "VAT", "amount": "1"}]


def test_prices_without_tax_and_taxed_shipping_are_booked_exactly() -> None:
    """2 x 10.00 at 19 % and shipping 5.00 at 19 %: 25.00 + 3.80 + 0.95 = 29.75."""
    given = payload(
        item("10.00", 2, tax_lines=[tax(0.19, "3.80")]),
        total="29.75",
        tax_total="4.75",
        shipping_lines=[{"title": "DHL", "price": "5.00", "tax_lines": [tax(0.19, "0.95")]}],
        tax_lines=[tax(0.19, "4.75")],
    )
    data = data_of(given)
    assert data["totals"]["tax_by_rate"] == [{"rate": "19", "tax": "4.75"}]
    assert data["shipping"] == [
        {"method": "DHL", "amount": "5", "taxes": [{"rate": "19", "name": "VAT", "amount": "0.95"}]}
    ]
    assert figures(given) == ("29.75", {"19": "4.75"})


def test_prices_with_tax_hold_it() -> None:
    """12.20 with 22 % in it: the tax is 2.20 and the total stays."""
    given = payload(item("12.20", tax_lines=[tax(0.22, "2.20")]), total="12.20", tax_total="2.20", taxes_included=True)
    assert data_of(given)["prices_include_tax"] is True
    assert figures(given) == ("12.20", {"22": "2.20"})


def test_allocated_discounts_are_the_lines_and_applications_count_no_second_time() -> None:
    """30.00 - 3.33 and 60.00 - 6.67 (10.00 off the order): 80.00 + 19 % = 95.20."""
    given = payload(
        item("30.00", off="3.33", id=1, tax_lines=[tax(0.19, "5.07")]),
        item("60.00", off="6.67", id=2, tax_lines=[tax(0.19, "10.13")]),
        total="95.20",
        tax_total="15.20",
        total_discounts="10.00",
        discount_codes=[{"code": "TEN", "amount": "10.00", "type": "fixed_amount"}],
        discount_applications=[{"type": "discount_code", "value": "10.0", "code": "TEN"}],
    )
    data = data_of(given)
    assert [line["discount"] for line in data["lines"]] == ["3.33", "6.67"]
    assert "discounts" not in data
    assert figures(given) == ("95.20", {"19": "15.20"})


def test_a_draft_s_line_discount_that_is_also_allocated_counts_once() -> None:
    """total_discount 5.00 is the same money as the allocation of 5.00: 20.00 - 5.00 = 15.00."""
    given = payload(item("20.00", off="5.00", total_discount="5.00"), total="15.00", total_discounts="5.00")
    assert data_of(given)["lines"][0]["discount"] == "5"
    assert figures(given) == ("15.00", {})


def test_a_reduction_kept_apart_from_the_allocations_counts_where_the_total_says_so() -> None:
    """20.00 - 5.00 (own) - 3.00 (allocated) = 12.00, as the total states."""
    given = payload(item("20.00", off="3.00", total_discount="5.00"), total="12.00", total_discounts="8.00")
    assert data_of(given)["lines"][0]["discount"] == "8"


def test_old_payloads_without_allocations_bring_their_codes_as_discounts() -> None:
    """20.00 - 2.00 on the line - 3.00 by code = 15.00."""
    line = item("20.00", total_discount="2.00")
    del line["discount_allocations"]
    given = payload(
        line,
        total="15.00",
        total_discounts="5.00",
        discount_codes=[{"code": "THREE", "amount": "3.00", "type": "percentage"}],
    )
    data = data_of(given)
    assert (data["lines"][0]["discount"], data["discounts"]) == ("2", [{"amount": "3", "code": "THREE"}])
    assert figures(given) == ("15.00", {})


def test_an_old_code_for_shipping_comes_off_shipping() -> None:
    """Shipping 5.00 less a code of 5.00 of type shipping: 20.00."""
    given = payload(
        item("20.00"),
        total="20.00",
        total_discounts="5.00",
        discount_codes=[{"code": "FREESHIP", "amount": "5.00", "type": "shipping"}],
        shipping_lines=[{"title": "Post", "price": "5.00"}],
    )
    assert data_of(given)["discounts"] == [{"amount": "5", "code": "FREESHIP", "target": "shipping"}]
    assert figures(given) == ("20.00", {})


@pytest.mark.parametrize(
    "more",
    [
        {"discounted_price": "0.00"},
        {"discounted_price": "0.00", "discount_allocations": [{"amount": "4.90"}]},
        {"discount_allocations": [{"amount_set": {"shop_money": {"amount": "4.90", "currency_code": "EUR"}}}]},
    ],
)
def test_free_shipping_is_shipping_less_its_discount(more: dict[str, Any]) -> None:
    """4.90 less 4.90, told by a lower price, by an allocation, or by both: once."""
    given = payload(item("20.00"), total="20.00", shipping_lines=[{"title": "DHL", "price": "4.90", **more}])
    assert data_of(given)["shipping"] == [{"method": "DHL", "amount": "4.9", "discount": "4.9"}]
    assert figures(given) == ("20.00", {})


def test_everything_off_is_an_invoice_of_nothing() -> None:
    """100 % off: 20.00 - 20.00 = 0.00."""
    assert figures(payload(item("20.00", off="20.00"), total="0.00", total_discounts="20.00")) == ("0.00", {})


def test_several_taxes_of_a_line_stay_apart_and_rates_of_nothing_are_left_out() -> None:
    """100.00 at 6 % state and 1.25 % county (city 0 %): 6.00 + 1.25."""
    taxes = [tax(0.06, "6.00", "State"), tax(0.0125, "1.25", "County"), tax(0, "0.00", "City")]
    given = payload(item("100.00", tax_lines=taxes), total="107.25", tax_total="7.25")
    assert [row["rate"] for row in data_of(given)["lines"][0]["taxes"]] == ["6", "1.25"]
    assert figures(given) == ("107.25", {"6": "6.00", "1.25": "1.25"})


def test_a_tax_that_is_named_and_not_charged_has_rate_0() -> None:
    """19 % of 10.00 stated as 0.00 is no rounding: nothing was charged."""
    given = payload(item("10.00", tax_lines=[tax(0.19, "0.00")]), total="10.00")
    assert data_of(given)["lines"][0]["taxes"] == [{"rate": "0", "name": "VAT", "amount": "0"}]
    assert figures(given) == ("10.00", {})


def test_a_tax_that_rounds_to_nothing_keeps_its_rate() -> None:
    """5 % of 0.09 is 0.0045: 0.00 is its tax."""
    given = payload(item("0.09", tax_lines=[tax(0.05, "0.00")]), total="0.09")
    assert data_of(given)["lines"][0]["taxes"][0]["rate"] == "5"


def test_old_orders_that_tell_tax_only_in_sum_give_its_rate_to_taxable_lines() -> None:
    """100.00 taxable at 6 % and 50.00 not: 6.00."""
    taxable, free = item("100.00", id=1), item("50.00", id=2, taxable=False)
    del taxable["tax_lines"], free["tax_lines"]
    given = payload(taxable, free, total="156.00", tax_total="6.00", tax_lines=[tax("0.06", "6.00")])
    assert figures(given) == ("156.00", {"6": "6.00"})


def test_cents_that_shopify_hands_out_to_the_lines_are_the_order_s() -> None:
    """6 % of 129.99 + 39.98 is 10.20; the lines say 7.81 and 2.39, where their own would be 7.80 and 2.40."""
    given = payload(
        item("129.99", id=1, tax_lines=[tax(0.06, "7.81")]),
        item("19.99", 2, id=2, tax_lines=[tax(0.06, "2.39")]),
        total="180.17",
        tax_total="10.20",
        tax_lines=[tax(0.06, "10.20")],
    )
    assert figures(given) == ("180.17", {"6": "10.20"})
    given["line_items"][0]["tax_lines"] = [tax(0.06, "8.81")]
    assert parked(given).code is ReasonCode.TOTALS_DO_NOT_FOLLOW


@pytest.mark.parametrize(("total", "fees"), [("23.00", [{"name": "Tip", "kind": "tip", "amount": "3"}]), ("20.00", [])])
def test_a_tip_is_a_fee_exactly_where_the_total_holds_it(total: str, fees: list[dict[str, Any]]) -> None:
    """20.00 and a tip of 3.00: 23.00, or 20.00 where it was not part of the price."""
    given = payload(item("20.00"), total=total, total_tip_received="3.00")
    assert data_of(given).get("fees", []) == fees
    assert figures(given)[0] == total


@pytest.mark.parametrize(
    "signs", [{"tip_payment_gateway": "shopify_payments"}, {"title": "Tip", "product_id": None, "taxable": False}]
)
def test_a_tip_that_is_a_line_becomes_one_fee(signs: dict[str, Any]) -> None:
    """The line of 3.00 and total_tip_received 3.00 are the same money: 23.00."""
    tip = item("3.00", id=2, **{"name": "Tip", "taxable": False, **signs})
    given = payload(item("20.00"), tip, total="23.00", total_tip_received="3.00")
    data = data_of(given)
    assert (len(data["lines"]), data["fees"]) == (1, [{"name": "Tip", "kind": "tip", "amount": "3"}])
    assert figures(given) == ("23.00", {})


def test_duties_are_a_fee_with_their_tax() -> None:
    """20.00 and duties 4.00 taxed at 10 %: 24.40."""
    duty = {"price": "4.00", "tax_lines": [tax(0.1, "0.40")], "harmonized_system_code": "520300"}
    given = payload(item("20.00", duties=[duty]), total="24.40", tax_total="0.40")
    assert figures(given) == ("24.40", {"10": "0.40"})


def test_duties_told_in_sum_are_a_fee() -> None:
    """20.00 + 4.00 = 24.00."""
    duties = {"shop_money": {"amount": "4.00", "currency_code": "EUR"}}
    assert figures(payload(item("20.00"), total="24.00", original_total_duties_set=duties)) == ("24.00", {})


@pytest.mark.parametrize(("total", "is_in"), [("19.95", True), ("19.97", False)])
def test_cash_rounding_counts_only_where_the_total_was_rounded(total: str, is_in: object) -> None:
    """19.97 paid as 19.95: the price stays 19.97 unless the total itself says 19.95."""
    rounding = {"shop_money": {"amount": "-0.02", "currency_code": "EUR"}}
    given = payload(item("19.97"), total=total, total_cash_rounding_payment_adjustment_set=rounding)
    assert ("fees" in data_of(given)) is is_in
    assert figures(given) == (total, {})


def test_shop_money_is_booked_not_what_the_buyer_was_shown() -> None:
    """Charged 45.62 AUD, shown as 34.00 USD."""
    both = {
        "shop_money": {"amount": "45.62", "currency_code": "AUD"},
        "presentment_money": {"amount": "34.00", "currency_code": "USD"},
    }
    line = item("45.62", price_set=both)
    given = payload(line, total="45.62", currency="AUD", presentment_currency="USD", total_price_set=both)
    data = data_of(given)
    assert (data["currency"], data["lines"][0]["unit_price"]) == ("AUD", "45.62")
    assert data["meta"]["presentment_currency"] == "USD"
    del line["price"], given["total_price"]
    assert data_of(given)["lines"] == data["lines"]


def test_a_gift_card_that_was_bought_is_a_liability() -> None:
    """The line keeps its kind, and such an order is parked as not supported."""
    given = payload(item("50.00", gift_card=True, taxable=False), total="50.00")
    assert data_of(given)["lines"][0]["kind"] == "gift_card"
    assert parked(given).code is ReasonCode.NOT_SUPPORTED


def test_an_order_paid_with_a_gift_card_is_invoiced_in_full() -> None:
    """30.00 of which a gift card paid 20.00: the invoice is 30.00."""
    transactions = [
        {"kind": "sale", "status": "success", "gateway": "gift_card", "amount": "20.00", "currency": "EUR"},
        {"kind": "authorization", "status": "success", "gateway": "shopify_payments", "amount": "10.00"},
        {"kind": "capture", "status": "success", "gateway": "shopify_payments", "amount": "10.00"},
        {"kind": "sale", "status": "failure", "gateway": "shopify_payments", "amount": "10.00"},
    ]
    given = payload(item("30.00"), total="30.00", transactions=transactions)
    assert data_of(given)["payments"] == [
        {"method": "gift_card", "kind": "gift_card", "amount": "20"},
        {"method": "shopify_payments", "amount": "10"},
    ]
    assert figures(given) == ("30.00", {})


def test_one_gateway_without_transactions_paid_all_and_of_several_none_is_guessed() -> None:
    """30.00 by gift card alone; by two ways nobody says how much each paid."""
    given = payload(item("30.00"), total="30.00", payment_gateway_names=["gift_card"])
    assert data_of(given)["payments"] == [{"method": "gift_card", "amount": "30", "kind": "gift_card"}]
    given["payment_gateway_names"] = ["gift_card", "paypal"]
    data = data_of(given)
    assert "payments" not in data
    assert data["meta"]["payment_gateway_names"] == ["gift_card", "paypal"]


@pytest.mark.parametrize(("total", "tax_total"), [("13.00", "2.00"), ("12.00", "1.00"), ("11.00", "1.00")])
def test_totals_that_contradict_the_lines_park(total: str, tax_total: str) -> None:
    """10.00 at 20 % is 12.00 with 2.00 of tax; nothing else is booked."""
    given = payload(item("10.00", tax_lines=[tax(0.2, tax_total)]), total=total, tax_total=tax_total)
    assert parked(given).code is ReasonCode.TOTALS_DO_NOT_FOLLOW


def test_two_totals_in_one_payload_park_with_both() -> None:
    """total_price 10.00, which the lines give, and 9.00 in its set: handed over with the one that does not follow."""
    other = {"shop_money": {"amount": "9.00", "currency_code": "EUR"}}
    reason = parked(payload(item("10.00"), total="10.00", total_price_set=other))
    assert reason.code is ReasonCode.TOTALS_DO_NOT_FOLLOW
    assert "10" in reason.message
    assert "9" in reason.message


def test_tax_of_no_line_parks() -> None:
    """2.00 of tax and no rate anywhere: it would be lost."""
    assert parked(payload(item("10.00"), total="12.00", tax_total="2.00")).code is ReasonCode.TAX_WOULD_BE_LOST
