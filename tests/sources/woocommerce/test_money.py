"""Money of WooCommerce orders: what the invoice has, with sums made by hand."""

from typing import Any

import pytest

from consumer.domain.ledger import TaxRounding
from consumer.domain.mapping import Mapped
from consumer.domain.states import Reason, ReasonCode
from tests.sources.woocommerce.payloads import booked, charge, data_of, item, payload, tax_line

BOTH = pytest.mark.parametrize("rounding", [TaxRounding.PER_RATE, TaxRounding.PER_LINE])
WITH_TAX = {"prices_include_tax": True}


def figures(given: dict[str, Any], rounding: TaxRounding = TaxRounding.PER_RATE) -> tuple[str, dict[str, str]]:
    """Book an order that must be exact; give total and tax per rate."""
    result = booked(given, rounding)
    assert isinstance(result, Mapped), result
    assert not result.draft.adjustment
    taxes = {format(row.rate.normalize(), "f"): format(row.tax, ".2f") for row in result.expected.tax_by_rate}
    return format(result.expected.total, ".2f"), taxes


def rates(given: dict[str, Any]) -> list[list[str]]:
    """Give the rates of each line."""
    return [[tax["rate"] for tax in line.get("taxes", [])] for line in data_of(given)["lines"]]


@BOTH
def test_prices_without_tax_are_delivered_without_tax(rounding: TaxRounding) -> None:
    """2 x 10.00 less 1.00 at 22 % is 19.00 + 4.18."""
    line = item("19.00", (1, "4.18"), quantity=2, subtotal="20.00", subtotal_tax="4.40")
    given = payload(line, total="23.18", tax="4.18", tax_lines=[tax_line(1, 22, "4.18")])
    data = data_of(given)
    assert data["prices_include_tax"] is False
    assert [data["lines"][0][name] for name in ("unit_price", "discount", "total")] == ["10", "1", "19"]
    assert figures(given, rounding) == ("23.18", {"22": "4.18"})


@BOTH
def test_prices_with_tax_are_delivered_as_the_customer_saw_them(rounding: TaxRounding) -> None:
    """Two lines of 10.00 with 21 % in them: 8.26 + 8.26 + 3.47 would be 19.99."""
    lines = (item("8.26", (1, "1.74")), item("8.26", (1, "1.74")))
    given = payload(*lines, total="20.00", tax="3.47", tax_lines=[tax_line(1, 21, "3.47")], **WITH_TAX)
    data = data_of(given)
    assert data["prices_include_tax"] is True
    assert [line["unit_price"] for line in data["lines"]] == ["10", "10"]
    assert figures(given, rounding) == ("20.00", {"21": "3.47"})


@BOTH
def test_a_price_that_rounding_apart_made_a_cent_dearer_is_found_again(rounding: TaxRounding) -> None:
    """9.99 at 20 % is 8.325 and 1.665; REST says 8.33 and 1.67, which is 10.00."""
    line = item("8.33", (1, "1.67"))
    given = payload(line, total="9.99", tax="1.67", tax_lines=[tax_line(1, 20, "1.67")], **WITH_TAX)
    assert data_of(given)["lines"][0]["unit_price"] == "9.99"
    assert figures(given, rounding) == ("9.99", {"20": "1.67"})


def test_a_cent_that_the_figures_do_not_allow_is_not_moved() -> None:
    """12.00 at 20 % is 10.00 and 2.00; a total of 11.99 is wrong and parks."""
    line = item("10.00", (1, "2.00"))
    result = booked(payload(line, total="11.99", tax="2.00", tax_lines=[tax_line(1, 20, "2.00")], **WITH_TAX))
    assert isinstance(result, Reason)
    assert result.code is ReasonCode.TOTALS_DO_NOT_FOLLOW


def test_a_shop_that_rounds_its_net_first_is_booked_with_what_it_took() -> None:
    """2 x 4.00 and 3.85 at 20 %: net 6.67 + 3.21 = 9.88, with tax 11.856, so the customer paid 11.86 (not 11.85)."""
    lines = (item("6.67", (1, "1.33"), quantity=2), item("3.21", (1, "0.64")))
    given = payload(*lines, total="11.86", tax="1.98", tax_lines=[tax_line(1, 20, "1.98")], **WITH_TAX)
    assert data_of(given)["prices_include_tax"] is False
    assert figures(given) == ("11.86", {"20": "1.98"})


def test_decimals_that_rest_took_are_read_from_the_unit_price() -> None:
    """Three times 8.4949 is 25.4847, 25.48, and 5.10 of tax; three times 8.49 would be 25.47."""
    lines = [item("8.49", (1, "1.70"), subtotal="9.99", subtotal_tax="2.00", price=8.4949) for _ in range(3)]
    given = payload(*lines, total="30.58", tax="5.10", tax_lines=[tax_line(1, 20, "5.10")])
    assert data_of(given)["lines"][0]["total"] == "8.4949"
    assert figures(given) == ("30.58", {"20": "5.10"})


@BOTH
@pytest.mark.parametrize("decimals", ["six", "two"])
def test_compound_taxes_within_prices(rounding: TaxRounding, decimals: str) -> None:
    """3.17, 6.13 (20 % and 5 % on top) and 9.53 untaxed, less 10 %: 2.85 + 5.52 + 8.58 = 16.95.

    8.37 x 5 / 105 = 0.3986; (8.37 - 0.3986) x 20 / 120 = 1.3286; together 1.73.
    """
    if decimals == "six":
        first = item("2.261905", (1, "0.452381"), (2, "0.135714"), subtotal="2.515873", subtotal_tax="0.654127")
        second = item("4.380952", (1, "0.876190"), (2, "0.262857"), subtotal="4.865079", subtotal_tax="1.264921")
    else:
        first = item("2.26", (1, "0.45"), (2, "0.14"), subtotal="2.52", subtotal_tax="0.65")
        second = item("4.38", (1, "0.88"), (2, "0.26"), subtotal="4.87", subtotal_tax="1.26")
    taxes = [tax_line(1, 20, "1.33"), tax_line(2, 5, "0.40", compound=True)]
    given = payload(
        first, second, item("8.58", subtotal="9.53"), total="16.95", tax="1.73", tax_lines=taxes, **WITH_TAX
    )
    assert [line["unit_price"] for line in data_of(given)["lines"]] == ["3.17", "6.13", "9.53"]
    assert figures(given, rounding) == ("16.95", {"20": "1.33", "5": "0.40"})


def test_coupons_are_within_the_lines_and_never_taken_again() -> None:
    """1000.00 with 10 % in it, less 401.01: 598.99, of which 54.45 is tax."""
    line = item("544.54", (1, "54.45"), subtotal="909.09", subtotal_tax="90.91")
    coupons = [{"code": "A", "discount": "364.55", "discount_tax": "36.46"}]
    given = payload(
        line, total="598.99", tax="54.45", tax_lines=[tax_line(1, 10, "54.45")], coupon_lines=coupons, **WITH_TAX
    )
    assert "discounts" not in data_of(given)
    assert figures(given) == ("598.99", {"10": "54.45"})


@BOTH
def test_shipping_shared_by_two_rates_is_two_entries(rounding: TaxRounding) -> None:
    """1.32 / 22 % + 0.40 / 10 % is 6.00 + 4.00: shares of 10.00, and no tax group."""
    given = payload(
        item("100.00", (1, "22.00")),
        item("50.00", (2, "5.00")),
        total="188.72",
        tax="28.72",
        shipping_lines=[charge("10.00", (1, "1.32"), (2, "0.40"))],
        tax_lines=[tax_line(1, 22, "22.00", "1.32"), tax_line(2, 10, "5.00", "0.40")],
    )
    assert [(one["amount"], one["taxes"][0]["rate"]) for one in data_of(given)["shipping"]] == [
        ("6", "22"),
        ("4", "10"),
    ]
    assert figures(given, rounding) == ("188.72", {"22": "23.32", "10": "5.40"})


@BOTH
def test_a_fee_below_zero_stays_a_fee(rounding: TaxRounding) -> None:
    """100.00 less 5.00 at 22 % is 95.00 + 20.90."""
    fees = [charge("-5.00", (1, "-1.10"), name="Club")]
    given = payload(
        item("100.00", (1, "22.00")), total="115.90", tax="20.90", fee_lines=fees, tax_lines=[tax_line(1, 22, "20.90")]
    )
    assert data_of(given)["fees"][0]["amount"] == "-5"
    assert figures(given, rounding) == ("115.90", {"22": "20.90"})


def test_currencies_keep_their_own_decimals() -> None:
    """1000 JPY at 10 % is 1100."""
    given = payload(
        item("1000", (1, "100")), total="1100", tax="100", currency="jpy", tax_lines=[tax_line(1, 10, "100")]
    )
    assert figures(given) == ("1100.00", {"10": "100.00"})


def test_free_lines_stay_at_nothing() -> None:
    """A present costs 0 and has its rate."""
    present = item("0.00", (1, "0"), subtotal="5.00", subtotal_tax="1.10")
    lines = (item("10.00", (1, "2.20")), present)
    given = payload(*lines, total="12.20", tax="2.20", tax_lines=[tax_line(1, 22, "2.20")])
    assert [data_of(given)["lines"][1][name] for name in ("unit_price", "discount", "total")] == ["5", "5", "0"]
    assert figures(given) == ("12.20", {"22": "2.20"})


def test_a_line_above_its_subtotal_has_no_discount() -> None:
    """A price raised by hand is the price."""
    line = item("12.00", (1, "2.64"), subtotal="10.00", subtotal_tax="2.20")
    data = data_of(payload(line, total="14.64", tax="2.64", tax_lines=[tax_line(1, 22, "2.64")]))
    assert data["lines"][0]["unit_price"] == "12"
    assert "discount" not in data["lines"][0]


def test_a_tax_that_does_not_apply_is_no_tax() -> None:
    """WooCommerce lists it with an empty total, or with 0 on an amount that its rate would tax."""
    shipping = {"method_title": "Parcel", "total": "10.00", "total_tax": "0.00", "taxes": [{"id": 1, "total": "0"}]}
    line = item("10.00", (1, "2.20"))
    line["taxes"].append({"id": 2, "total": "", "subtotal": ""})
    taxes = [tax_line(1, 22, "2.20"), tax_line(2, 10, "0.00")]
    given = payload(line, total="22.20", tax="2.20", shipping_lines=[shipping], tax_lines=taxes)
    assert rates(given) == [["22"]]
    assert "taxes" not in data_of(given)["shipping"][0]
    assert figures(given) == ("22.20", {"22": "2.20"})


def test_contradicting_figures_are_handed_over_and_park() -> None:
    """100.00 + 22.00 is not 121.00; the shop's figures are shown."""
    given = payload(item("100.00", (1, "22.00")), total="121.00", tax="22.00", tax_lines=[tax_line(1, 22, "22.00")])
    assert data_of(given)["totals"]["grand_total"] == "121"
    result = booked(given)
    assert isinstance(result, Reason)
    assert result.code is ReasonCode.TOTALS_DO_NOT_FOLLOW


# ---- rates that are not stated ---------------------------------------------------------------------------------------


def test_a_rate_is_what_all_amounts_of_its_tax_agree_on() -> None:
    """2.20 on 21.99 and 0.90 on 9.00 are 10 %."""
    lines = (item("21.99", (1, "2.20")), item("9.00", (1, "0.90")))
    assert rates(payload(*lines, total="34.09", tax="3.10", tax_lines=[tax_line(1, None, "3.10")])) == [["10"], ["10"]]


def test_words_tell_a_rate_only_where_it_gives_the_amounts() -> None:
    """0.02 on 0.10 may be anything from 13.6 % to 26.3 %: "19%" fits. 1.00 on 10.00 is not 19 %."""
    told = tax_line(1, None, "0.02", rate_code="DE-VAT 19%-1")
    assert rates(payload(item("0.10", (1, "0.02")), total="0.12", tax="0.02", tax_lines=[told])) == [["19"]]
    told = tax_line(1, None, "1.00", rate_code="DE-VAT 19%-1")
    assert rates(payload(item("10.00", (1, "1.00")), total="11.00", tax="1.00", tax_lines=[told])) == [["10"]]


def test_amounts_too_small_to_tell_a_rate_are_not_guessed() -> None:
    """0.02 on 0.11 may be 14 % to 23 %: its own quotient stands, which no tax of a ledger has."""
    given = payload(item("0.11", (1, "0.02")), total="0.13", tax="0.02", tax_lines=[tax_line(1, None, "0.02")])
    assert rates(given) == [["18.181818"]]


def test_amounts_that_agree_on_no_rate_are_handed_over_and_park() -> None:
    """1.00 on 10.00 and 2.00 on 10.00 under one tax."""
    lines = (item("10.00", (1, "1.00")), item("10.00", (1, "2.00")))
    result = booked(payload(*lines, total="23.00", tax="3.00", tax_lines=[tax_line(1, None, "3.00")]))
    assert isinstance(result, Reason)
    assert result.code is ReasonCode.TOTALS_DO_NOT_FOLLOW


def test_a_compound_rate_is_told_by_what_lies_beneath_it() -> None:
    """5.00 on 100.00, then 8.93 on 105.00, is 5 % and 8.5 %."""
    taxes = [tax_line(1, None, "5.00"), tax_line(2, None, "8.93", compound=True)]
    given = payload(item("100.00", (1, "5.00"), (2, "8.93")), total="113.93", tax="13.93", tax_lines=taxes)
    assert rates(given) == [["5", "8.5"]]
    assert figures(given) == ("113.93", {"5": "5.00", "8.5": "8.93"})


def test_the_older_api_tells_rates_by_class() -> None:
    """No taxes on the lines, two tax lines without rates: 2.20 on 21.99 reduced, 0.45 on 9.00, 0.50 on shipping."""
    old = {
        "id": 644,
        "order_number": "#644",
        "status": "completed",
        "currency": "USD",
        "total": "44.14",
        "total_tax": "3.15",
        "shipping_tax": "0.50",
        "line_items": [
            {"id": 1, "name": "A", "quantity": 1, "tax_class": "reduced", "total": "21.99", "total_tax": "2.20"},
            {"id": 2, "name": "B", "quantity": 1, "tax_class": None, "total": "9.00", "total_tax": "0.45"},
        ],
        "shipping_lines": [{"method_title": "Flat Rate", "total": "10.00"}],
        "tax_lines": [{"rate_id": "5", "code": "A", "total": "2.20"}, {"rate_id": "4", "code": "B", "total": "0.95"}],
    }
    assert figures({"order": old}) == ("44.14", {"10": "2.20", "5": "0.95"})
    assert data_of(old)["number"] == "#644"


# ---- gift cards ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("more", "kind"),
    [
        ({"gift_cards": [{"code": "GIFT", "amount": 50}]}, "gift_card"),
        ({"meta_data": [{"key": "_ywgc_applied_gift_cards", "value": {"GIFT": "50.00"}}]}, "gift_card"),
        ({"meta_data": [{"key": "smart_coupons_contribution", "value": {"GIFT": 50}}]}, "store_credit"),
        ({"coupon_lines": [{"code": "GIFT", "discount": "50", "discount_type": "smart_coupon"}]}, "store_credit"),
    ],
)
def test_what_was_paid_by_card_is_a_payment(more: dict[str, Any], kind: str) -> None:
    """122.00 paid with 72.00 of money and a card of 50.00: the invoice is 122.00."""
    line, taxes = item("100.00", (1, "22.00")), [tax_line(1, 22, "22.00")]
    given = payload(line, total="72.00", tax="22.00", tax_lines=taxes, payment_method="bacs", **more)
    paid = [(one["kind"], one["amount"]) for one in data_of(given)["payments"]]
    assert paid == [(kind, "50"), ("money", "72")]
    assert figures(given) == ("122.00", {"22": "22.00"})


def test_a_card_that_the_total_does_not_lack_is_not_added() -> None:
    """The lines bear it already, like a coupon."""
    line, taxes = item("100.00", (1, "22.00")), [tax_line(1, 22, "22.00")]
    cards = [{"code": "GIFT", "amount": 50}]
    assert figures(payload(line, total="122.00", tax="22.00", tax_lines=taxes, gift_cards=cards))[0] == "122.00"


def test_a_gift_card_that_is_bought_is_told() -> None:
    """It is a liability, which no invoice may book as revenue."""
    line = item("50.00", meta_data=[{"key": "wc_gc_giftcard_amount", "value": "50"}])
    assert data_of(payload(line, total="50.00"))["lines"][0]["kind"] == "gift_card"
