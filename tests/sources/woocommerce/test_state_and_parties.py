"""What else a WooCommerce order says: its state, its times, who bought, refunds, bundles, metadata, and bad input."""

from typing import Any

import pytest

from consumer.domain.events import EventKind
from consumer.domain.settings import Platform, ShopSettings
from consumer.sources.platforms import NotTranslatedError
from consumer.sources.woocommerce import translate
from tests.sources.woocommerce.payloads import SHOP, checked, data_of, item, payload


def plain(**more: Any) -> dict[str, Any]:
    """Give an order of 10.00 without tax."""
    return payload(item("10.00"), **{"total": "10.00", **more})


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        ("processing", EventKind.PAID),
        ("completed", EventKind.PAID),
        ("wc-completed", EventKind.PAID),
        ("cancelled", EventKind.CANCELLED),
        ("trash", EventKind.CANCELLED),
        ("pending", EventKind.UPDATED),
        ("on-hold", EventKind.UPDATED),
        ("refunded", EventKind.UPDATED),
        ("failed", EventKind.UPDATED),
    ],
)
def test_the_state_decides_the_kind(status: str, kind: EventKind) -> None:
    """By default processing and completed are paid, cancelled and trash cancelled."""
    assert checked(translate(plain(status=status), SHOP)).kind is kind


def test_a_shop_names_its_own_states() -> None:
    """Its list replaces the default."""
    shop = ShopSettings(
        shop_id="woo", source=Platform.WOOCOMMERCE, paid_statuses=("wc-shipped",), cancelled_statuses=("void",)
    )
    kinds = [translate(plain(status=status), shop).kind for status in ("shipped", "void", "processing", "cancelled")]
    assert kinds == [EventKind.PAID, EventKind.CANCELLED, EventKind.UPDATED, EventKind.UPDATED]


def test_payment_is_told_of_paid_orders_only() -> None:
    """On hold with an old date of payment says nothing; refunded can only follow payment."""
    told = [data_of(plain(status=status)).get("paid_at") for status in ("processing", "on-hold", "refunded")]
    assert told == ["2026-03-14T09:01:00Z", None, "2026-03-14T09:01:00Z"]


def test_a_payment_that_failed_is_told_as_taken_back() -> None:
    """Of an order that was booked before, a person hears of it; of one on hold nothing is known."""
    told = [data_of(plain(status=status)).get("payment_taken_back") for status in ("failed", "on-hold", "processing")]
    assert told == [True, None, None]


def test_without_a_date_of_payment_the_next_one_is_taken() -> None:
    """First that of completion, then that of the last change."""
    given = plain(date_paid_gmt=None, date_completed_gmt="2026-03-15T08:00:00")
    assert data_of(given)["paid_at"] == "2026-03-15T08:00:00Z"
    assert data_of({**given, "date_completed_gmt": None})["paid_at"] == "2026-03-14T09:02:00Z"


def test_local_times_are_left_without_an_offset() -> None:
    """They are read in the shop's time zone later; a day that is none is left out."""
    given = plain(date_modified_gmt=None, date_modified="2026-03-14T10:02:00", date_created_gmt="0000-00-00T00:00:00")
    data = data_of(given)
    assert data["updated_at"] == "2026-03-14T10:02:00"
    assert "placed_at" not in data


def test_cancelled_at_is_always_there() -> None:
    """An order that is not cancelled takes an earlier cancellation back, in so many words."""
    data = data_of(plain())
    assert "cancelled_at" in data
    assert data["cancelled_at"] is None
    assert data_of(plain(status="cancelled"))["cancelled_at"] == "2026-03-14T09:02:00Z"


def test_refunds_are_positive() -> None:
    """WooCommerce writes them below zero, with tax."""
    given = plain(refunds=[{"id": 5, "total": "-4.00", "reason": "broken"}, {"id": 6, "refund": "", "total": "-1"}])
    assert data_of(given)["refunds"] == [{"id": "5", "amount": "4", "reason": "broken"}, {"id": "6", "amount": "1"}]


def test_who_bought() -> None:
    """Customer 0 is a guest; entities are resolved, markup is not taken over."""
    billing = {
        "first_name": "Ann",
        "last_name": "O&#039;Neil",
        "company": "A &amp; B",
        "country": "it",
        "email": "a@b.it",
    }
    data = data_of(plain(customer_id=0, billing=billing))
    assert data["customer"] == {
        "email": "a@b.it",
        "first_name": "Ann",
        "last_name": "O'Neil",
        "company": "A & B",
    }
    assert data["billing_address"] == {"name": "Ann O'Neil", "company": "A & B", "country": "IT"}
    assert data_of(plain(customer_id=7))["customer"]["id"] == "7"


@pytest.mark.parametrize(
    ("meta", "tax", "told"),
    [
        ({"_vat_number": "IT12345678901", "is_vat_exempt": "yes"}, "0.00", (None, True)),
        ({"_billing_eu_vat_number": "DE123456789", "_vat_number_is_valid": "true"}, "0.00", (None, True)),
        ({"vat_number": "IT12345678901"}, "0.00", (None, None)),
        ({"vat_number": "US123", "is_vat_exempt": "yes"}, "0.00", (True, None)),
        ({"is_vat_exempt": "yes"}, "0.00", (True, None)),
        ({"_vat_number": "IT12345678901", "is_vat_exempt": "yes"}, "2.20", (None, None)),
    ],
)
def test_exempt_and_reverse_charge(meta: dict[str, str], tax: str, told: tuple[object, object]) -> None:
    """Reverse charge needs a number of the Union, no tax, and a plugin that found it valid or exempt."""
    data = data_of(plain(total_tax=tax, meta_data=[{"key": key, "value": value} for key, value in meta.items()]))
    assert (data["customer"].get("tax_exempt"), data["customer"].get("reverse_charge")) == told
    number = next((value for key, value in meta.items() if key.endswith("vat_number")), None)
    assert data["customer"].get("tax_number") == number


def test_parts_of_a_bundle_name_it() -> None:
    """By the id that newer plugins give, or by the key that older ones keep."""
    bundle = item("10.00", id=1, meta_data=[{"key": "_bundle_cart_key", "value": "abc"}])
    by_key = item("0.00", id=2, meta_data=[{"key": "_bundled_by", "value": "abc"}])
    by_id = item("0.00", id=3, bundled_by=1)
    parents = [line.get("parent_id") for line in data_of(payload(bundle, by_key, by_id, total="10.00"))["lines"]]
    assert parents == [None, "1", "1"]


def test_names_and_options() -> None:
    """Entities and markup go; options are the description, keys of WordPress's own are not."""
    options = [{"key": "pa_color", "value": "black"}, {"key": "_reduced_stock", "value": "1"}]
    line = data_of(payload(item("10.00", name="<b>Mug</b> &ndash; 5 &lt; 6", meta_data=options), total="10.00"))[
        "lines"
    ][0]
    assert line["name"] == "Mug \u2013 5 < 6"
    assert line["description"] == "color: black"


def test_payment_and_metadata() -> None:
    """The method is in the payment and in meta; plain values stay, others do not, and there are at most 200."""
    entries = [{"key": "po", "value": "77"}, {"key": "n", "value": 3}, {"key": "list", "value": [1]}]
    entries += [{"key": f"k{at}", "value": "x"} for at in range(300)]
    data = data_of(
        plain(payment_method="stripe", payment_method_title="Card", transaction_id="pi_1", meta_data=entries)
    )
    payment = {
        "method": "Card",
        "kind": "money",
        "amount": "10",
        "paid_at": "2026-03-14T09:01:00Z",
        "reference": "pi_1",
    }
    assert data["payments"] == [payment]
    assert [data["meta"].get(key) for key in ("payment_method", "po", "n", "list")] == ["stripe", "77", 3, None]
    assert len(data["meta"]) == 200


def test_an_order_of_a_thousand_lines() -> None:
    """As many as the contract takes."""
    assert len(data_of(payload(*(item("1.00") for _ in range(1000)), total="1000.00"))["lines"]) == 1000


@pytest.mark.parametrize("name", ["fee_lines", "shipping_lines", "tax_lines", "coupon_lines", "refunds", "meta_data"])
def test_null_lists_are_empty(name: str) -> None:
    """Some exports write null for none."""
    assert data_of(plain(**{name: None}))["totals"]["grand_total"] == "10"


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"id": None}, "id is missing"),
        ({"line_items": None, "total": ""}, "no line_items or no total"),
        ({"total": "\u20ac 10.00"}, "total should be an amount"),
        ({"total": float("nan")}, "total should be an amount"),
        ({"total": "1,00"}, "total should be an amount"),
        ({"total": True}, "total should be an amount"),
        ({"currency": "EURO"}, "currency of order 727"),
        ({"line_items": [{"total": "x"}]}, "line_items[0].total should be an amount"),
    ],
)
def test_what_is_no_order_is_refused_with_its_place(change: dict[str, Any], place: str) -> None:
    """An amount that cannot be read would be left out of the invoice."""
    with pytest.raises(NotTranslatedError) as refused:
        translate({**plain(), **change}, SHOP)
    assert place in str(refused.value)
