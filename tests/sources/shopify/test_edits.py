"""Orders that were refunded or edited since: which figures the invoice has. Sums are made by hand."""

from typing import Any

import pytest

from consumer.domain.mapping import Mapped
from consumer.domain.states import Reason, ReasonCode
from tests.sources.shopify.payloads import booked, data_of, item, payload, tax


def refund(*lines: dict[str, Any], back: str | None, **more: Any) -> dict[str, Any]:
    """Give a refund record; ``back`` is the money that went back, None where none did."""
    moved = [] if back is None else [{"kind": "refund", "status": "success", "amount": back, "currency": "EUR"}]
    given = {"id": 900, "created_at": "2026-03-20T10:00:00Z", "note": "broken", "order_adjustments": []}
    return {**given, "refund_line_items": list(lines), "transactions": moved, **more}


def taken(line_id: int, subtotal: str, total_tax: str, quantity: int = 1, how: str = "no_restock") -> dict[str, Any]:
    """Give a line of a refund record."""
    return {
        "line_item_id": line_id,
        "quantity": quantity,
        "subtotal": subtotal,
        "total_tax": total_tax,
        "restock_type": how,
    }


def two_lines(current: str | None, *refunds: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Give 100.00 and 2 x 50.00 at 20 %: 200.00 + 40.00 = 240.00."""
    quantities = more.pop("current_quantities", (1, 2))
    lines = (
        item("100.00", id=1, current_quantity=quantities[0], tax_lines=[tax(0.2, "20.00")]),
        item("50.00", 2, id=2, current_quantity=quantities[1], tax_lines=[tax(0.2, "20.00")]),
    )
    now = {} if current is None else {"current_total_price": current}
    return payload(*lines, total="240.00", tax_total="40.00", refunds=list(refunds), **now, **more)


def sold(given: dict[str, Any]) -> tuple[str, list[str], list[str]]:
    """Book it, and give the total, the lines' quantities and the refunds' amounts."""
    result = booked(given)
    assert isinstance(result, Mapped), result
    data = data_of(given)
    assert str(result.expected.total) == data["totals"]["grand_total"]
    refunds = [row["amount"] for row in data.get("refunds", ())]
    return data["totals"]["grand_total"], [line["quantity"] for line in data["lines"]], refunds


def test_a_refund_of_money_leaves_the_invoice_as_sold() -> None:
    """One of two pieces given back, 60.00: the invoice is 240.00 and the refund a document of its own."""
    given = two_lines("180.00", refund(taken(2, "50.00", "10.00"), back="60.00"), current_quantities=(1, 1))
    assert sold(given) == ("240", ["1", "2"], ["60"])
    assert data_of(given)["refunds"] == [
        {
            "id": "900",
            "amount": "60",
            "created_at": "2026-03-20T10:00:00Z",
            "reason": "broken",
            "lines": [{"id": "2", "quantity": "1", "amount": "60", "taxes": [{"rate": "20", "amount": "10"}]}],
        }
    ]


def test_a_line_that_an_edit_removed_was_never_sold() -> None:
    """The first line is gone and no money went back: 120.00 is the order."""
    removed = refund(taken(1, "100.00", "20.00"), back=None)
    given = two_lines("120.00", removed, current_total_tax="20.00", current_quantities=(0, 2))
    assert sold(given) == ("120", ["2"], [])


def test_a_line_that_an_edit_made_smaller_keeps_its_share_of_the_discount() -> None:
    """2 x 50.00 less 10.00 is 90.00; one piece (45.00) removed leaves 50.00 - 5.00 = 45.00, with 20 % 54.00."""
    line = item("50.00", 2, id=2, off="10.00", current_quantity=1, tax_lines=[tax(0.2, "18.00")])
    removed = refund(taken(2, "45.00", "9.00", how="cancel"), back=None)
    now = {"current_total_price": "54.00", "current_total_tax": "9.00", "total_discounts": "10.00"}
    given = payload(line, total="108.00", tax_total="18.00", refunds=[removed], **now)
    assert sold(given) == ("54", ["1"], [])
    assert data_of(given)["lines"][0]["discount"] == "5"


def test_an_edit_without_a_record_is_told_by_the_current_quantities() -> None:
    """The current figures are the order: 120.00 + 0 of the first line."""
    given = two_lines("120.00", current_total_tax="20.00", current_quantities=(0, 2))
    assert sold(given) == ("120", ["2"], [])


def test_an_edit_and_the_repayment_of_its_difference_count_once() -> None:
    """Edited from 240.00 to 120.00, then 120.00 paid back without lines: the invoice is 120.00 and no refund on it."""
    removed = refund(taken(1, "100.00", "20.00"), back=None)
    repaid = refund(back="120.00", id=901)
    given = two_lines("120.00", removed, repaid, current_total_tax="20.00", current_quantities=(0, 2))
    assert sold(given) == ("120", ["2"], [])


def test_an_edit_and_a_refund_of_the_rest_are_told_apart() -> None:
    """240.00 - 120.00 by edit; of the rest one piece given back for 60.00: invoice 120.00, refund 60.00."""
    removed = refund(taken(1, "100.00", "20.00"), back=None)
    given_back = refund(taken(2, "50.00", "10.00"), back="60.00", id=901)
    given = two_lines("60.00", removed, given_back, current_quantities=(0, 1))
    assert sold(given) == ("120", ["2"], ["60"])


def test_goods_that_came_back_without_money_yet_change_nothing() -> None:
    """A return is no edit: the invoice stays 240.00, and the refund comes with its money."""
    back = refund(taken(1, "100.00", "20.00", how="return"), back=None)
    assert sold(two_lines("120.00", back, current_quantities=(0, 2))) == ("240", ["1", "2"], [])


def test_goods_put_back_into_stock_without_any_refund_change_nothing() -> None:
    """An adjustment of 120.00 takes back what the lines say: the price is still 240.00."""
    kept = {"kind": "refund_discrepancy", "amount": "120.00", "tax_amount": "0.00"}
    restocked = refund(taken(1, "100.00", "20.00", how="cancel"), back=None, order_adjustments=[kept])
    assert sold(two_lines("240.00", restocked, current_quantities=(0, 2)))[0] == "240"


def test_shipping_given_back_is_told_with_its_tax() -> None:
    """An adjustment of -5.00 and -1.00 of tax is shipping of 6.00."""
    adjustment = {"kind": "shipping_refund", "amount": "-5.00", "tax_amount": "-1.00"}
    given = payload(
        item("10.00", tax_lines=[tax(0.2, "2.00")]),
        total="18.00",
        tax_total="3.00",
        shipping_lines=[{"title": "DHL", "price": "5.00", "tax_lines": [tax(0.2, "1.00")]}],
        refunds=[refund(back="6.00", order_adjustments=[adjustment])],
        current_total_price="12.00",
    )
    assert data_of(given)["refunds"][0]["shipping"] == "6"
    assert sold(given) == ("18", ["1"], ["6"])


def test_a_refund_in_the_buyer_s_money_is_told_in_the_shop_s() -> None:
    """The transaction is of 70.00 USD; the lines say 50.00 + 10.00 in the order's money."""
    moved = [{"kind": "refund", "status": "success", "amount": "70.00", "currency": "USD"}]
    given = two_lines("180.00", refund(taken(2, "50.00", "10.00"), back=None, transactions=moved))
    assert [row["amount"] for row in data_of(given)["refunds"]] == ["60"]


def test_a_failed_refund_gave_nothing_back() -> None:
    """A transaction that failed moved no money, and without lines nothing happened."""
    moved = [{"kind": "refund", "status": "failure", "amount": "60.00", "currency": "EUR"}]
    assert "refunds" not in data_of(two_lines("240.00", refund(back=None, transactions=moved)))


def test_prices_with_tax_are_refunded_with_it_once() -> None:
    """A subtotal of 60.00 holds its tax of 10.00."""
    line = item("60.00", id=2, tax_lines=[tax(0.2, "10.00")])
    back = refund(taken(2, "60.00", "10.00"), back="60.00")
    given = payload(line, total="60.00", tax_total="10.00", taxes_included=True, refunds=[back])
    assert data_of(given)["refunds"][0]["lines"][0]["amount"] == "60"


@pytest.mark.parametrize("current", ["200.00", "10.00"])
def test_a_current_total_that_nothing_explains_parks(current: str) -> None:
    """Neither a refund nor an edit leads from 240.00 there."""
    result = booked(two_lines(current))
    assert isinstance(result, Reason)
    assert result.code is ReasonCode.TOTALS_DO_NOT_FOLLOW
    assert "240" in result.message
    assert current.removesuffix(".00") in result.message


def test_lines_that_an_edit_added_are_the_order() -> None:
    """total_price is still 240.00 in some versions; the current figures and the lines say 300.00."""
    given = two_lines("300.00", current_total_tax="50.00")
    given["line_items"].append(item("50.00", id=3, current_quantity=1, tax_lines=[tax(0.2, "10.00")]))
    assert sold(given) == ("300", ["1", "2", "1"], [])


def test_a_cancelled_order_is_given_as_it_was_sold() -> None:
    """Everything was taken off it; it is withdrawn in any case."""
    off = refund(taken(1, "100.00", "20.00"), taken(2, "100.00", "20.00", 2), back=None)
    given = two_lines("0.00", off, cancelled_at="2026-03-15T00:00:00Z", current_quantities=(0, 0))
    assert data_of(given)["totals"]["grand_total"] == "240"


def test_a_shipping_line_that_an_edit_removed_is_not_charged() -> None:
    """20.00 + 5.00 of shipping, of which the shipping was removed: 20.00."""
    removed = {"title": "DHL", "price": "5.00", "is_removed": True}
    given = payload(item("20.00"), total="25.00", shipping_lines=[removed], current_total_price="20.00")
    assert sold(given) == ("20", ["1"], [])
    given["total_price"] = "20.00"
    assert sold(given) == ("20", ["1"], [])
