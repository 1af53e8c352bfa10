"""What a Shopify order says of itself and of its buyer: kind, times, ids, addresses, tax number; and what is none."""

from typing import Any

import pytest

from consumer.domain.events import EventKind
from consumer.domain.settings import Platform, ShopSettings
from consumer.sources.platforms import NotTranslatedError
from consumer.sources.shopify import translate
from tests.sources.shopify.payloads import SHOP, data_of, item, payload, tax

CANCELLED = "2026-03-15T09:00:00+01:00"


def given(**more: Any) -> dict[str, Any]:
    """Give an order of 10.00."""
    return payload(item("10.00"), **{"total": "10.00", **more})


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        ("paid", EventKind.PAID),
        ("PAID", EventKind.PAID),
        ("partially_refunded", EventKind.PAID),
        ("pending", EventKind.UPDATED),
        ("authorized", EventKind.UPDATED),
        ("partially_paid", EventKind.UPDATED),
        ("refunded", EventKind.UPDATED),
        ("voided", EventKind.CANCELLED),
        (None, EventKind.UPDATED),
    ],
)
def test_the_financial_status_tells_the_kind(status: str | None, kind: EventKind) -> None:
    """By default paid and partially refunded are paid, voided is cancelled, and all else is not yet."""
    assert translate(given(financial_status=status), SHOP).kind is kind


def test_a_shop_s_own_statuses_replace_the_default() -> None:
    """Authorized means paid here, and paid no longer does."""
    shop = ShopSettings(
        shop_id="muro",
        source=Platform.SHOPIFY,
        paid_statuses=("Authorized",),
        cancelled_statuses=("expired",),
    )
    kinds = [translate(given(financial_status=status), shop).kind for status in ("authorized", "paid", "expired")]
    assert kinds == [EventKind.PAID, EventKind.UPDATED, EventKind.CANCELLED]
    assert data_of(given(financial_status="expired"), shop)["cancelled_at"] == "2026-03-14T10:01:00+01:00"


def test_a_cancelled_order_is_cancelled_though_it_was_paid() -> None:
    """cancelled_at decides before the financial status."""
    translated = translate(given(cancelled_at=CANCELLED), SHOP)
    assert translated.kind is EventKind.CANCELLED
    assert translated.data["cancelled_at"] == CANCELLED


def test_an_order_that_is_not_cancelled_says_so_in_so_many_words() -> None:
    """A null takes an earlier cancellation back; a field left out would not."""
    for more in ({}, {"cancelled_at": None}):
        data = data_of(given(**more))
        assert "cancelled_at" in data
        assert data["cancelled_at"] is None


def test_ids_number_and_times_keep_what_the_shop_wrote() -> None:
    """Offsets stay; the revision is updated_at; an order is paid when it was processed."""
    data = data_of(given())
    assert {name: data[name] for name in ("shop_id", "order_id", "number", "updated_at", "placed_at", "paid_at")} == {
        "shop_id": "muro",
        "order_id": "5001",
        "number": "#1001",
        "updated_at": "2026-03-14T10:01:00+01:00",
        "placed_at": "2026-03-14T10:00:00+01:00",
        "paid_at": "2026-03-14T10:00:05+01:00",
    }
    assert "paid_at" not in data_of(given(financial_status="pending"))


def test_a_later_capture_is_when_it_was_paid() -> None:
    """The sale was authorised on the 14th and captured on the 16th."""
    captured = {"kind": "capture", "status": "success", "amount": "10.00", "processed_at": "2026-03-16T08:00:00+01:00"}
    assert data_of(given(transactions=[captured]))["paid_at"] == "2026-03-16T08:00:00+01:00"
    earlier = {**captured, "processed_at": "2026-03-16T08:30:00+02:00"}
    assert data_of(given(transactions=[captured, earlier]))["paid_at"] == "2026-03-16T08:00:00+01:00"


def test_an_order_within_its_envelope_is_the_same_order() -> None:
    """The answer of the Admin API wraps it."""
    assert translate({"order": given()}, SHOP) == translate(given(), SHOP)


def test_the_buyer_is_told_with_company_and_addresses() -> None:
    """Names and lines of the address keep their places; a country that is no code is left out."""
    address = {
        "name": "Ana Kos",
        "company": "Kos d.o.o.",
        "address1": "Trg 1",
        "address2": "2. nadstropje",
        "zip": "1000",
        "city": "Ljubljana",
        "province": None,
        "country": "Slovenia",
        "country_code": "SI",
        "phone": "+386 1 000",
    }
    data = data_of(
        given(
            email="ana@kos.example",
            customer={"id": 7, "first_name": "Ana", "last_name": "Kos", "email": "old@kos.example"},
            billing_address=address,
            shipping_address={"country": "Slovenia", "city": "Maribor"},
            customer_locale="sl",
        )
    )
    assert data["customer"] == {
        "id": "7",
        "email": "ana@kos.example",
        "first_name": "Ana",
        "last_name": "Kos",
        "name": "Ana Kos",
        "company": "Kos d.o.o.",
        "phone": "+386 1 000",
        "language": "sl",
    }
    assert data["billing_address"]["street"] == "Trg 1"
    assert data["billing_address"]["postal_code"] == "1000"
    assert data["billing_address"]["country"] == "SI"
    assert data["shipping_address"] == {"city": "Maribor"}


def test_a_guest_has_no_id() -> None:
    """Without a customer there is the order's e-mail alone."""
    assert data_of(given(contact_email="guest@shop.example", customer=None))["customer"] == {
        "email": "guest@shop.example"
    }


@pytest.mark.parametrize(
    "more",
    [
        {"note_attributes": [{"name": "VAT Number", "value": "SI12345678"}]},
        {"note_attributes": [{"name": "gift", "value": "yes"}, {"name": "vat_id", "value": "SI12345678"}]},
        {"note_attributes": [{"name": "USt-IdNr", "value": "SI12345678"}]},
        {"localized_fields": [{"purpose": "TAX", "title": "VAT", "value": "SI12345678"}]},
        {"customer": {"id": 1, "metafields": [{"key": "vat_number", "value": "SI12345678"}]}},
    ],
)
def test_a_tax_number_is_found_where_apps_put_it(more: dict[str, Any]) -> None:
    """Note attributes under their usual names, localized fields, metafields of the customer."""
    assert data_of(given(**more))["customer"]["tax_number"] == "SI12345678"


def test_other_attributes_are_no_tax_number() -> None:
    """private_note and innovative are words that hold iva and vat."""
    attributes = [{"name": "private_note", "value": "12345678"}, {"name": "innovative", "value": "12345678"}]
    assert "customer" not in data_of(given(note_attributes=attributes))


def test_reverse_charge_needs_the_exemption_and_an_order_without_tax() -> None:
    """The account's exemption alone says nothing of an order that was taxed."""
    customer = {"id": 7, "tax_exempt": True, "tax_exemptions": ["EU_REVERSE_CHARGE_EXEMPTION_RULE"]}
    assert data_of(given(customer=customer))["customer"] == {"id": "7", "tax_exempt": True, "reverse_charge": True}
    taxed = payload(
        item("10.00", tax_lines=[tax(0.2, "2.00")]),
        total="12.00",
        tax_total="2.00",
        customer=customer,
    )
    assert data_of(taxed)["customer"] == {"id": "7"}
    assert data_of(given(tax_exempt=True))["customer"] == {"tax_exempt": True}


def test_meta_holds_what_settings_may_read_within_bounds() -> None:
    """Test orders are marked, note attributes by name, and a long list of them is cut."""
    attributes = [{"name": f"n{at}", "value": "v" * 900} for at in range(80)]
    meta = data_of(given(test=True, tags="a, b", source_name="pos", note_attributes=attributes))["meta"]
    assert (meta["test"], meta["tags"], meta["source_name"]) == (True, "a, b", "pos")
    assert (len(meta["note_attributes"]), len(meta["note_attributes"]["n0"])) == (50, 500)
    assert "test" not in data_of(given(test=False))["meta"]


def test_a_line_says_what_was_bought() -> None:
    """Variant and choices are told; an app's own properties are not for readers."""
    line = item(
        "10.00", name=None, title="Mug", variant_title="Blue", sku="M-1",
        properties=[{"name": "Engraving", "value": "Ana"}, {"name": "_app", "value": "x"}],
    )  # fmt: skip
    assert data_of(payload(line, total="10.00"))["lines"] == [
        {
            "name": "Mug - Blue",
            "id": "11",
            "sku": "M-1",
            "description": "Engraving: Ana",
            "quantity": "1",
            "unit_price": "10",
        }
    ]


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        ({}, "id, line_items, total_price"),
        ({"order": []}, "id, line_items, total_price"),
        ({"id": 5, "order_id": 6}, "line_items"),
        ({**given(), "id": None}, "id"),
        ({**given(), "currency": "euro"}, "currency"),
        ({**given(), "total_price": "ten"}, "total_price should be an amount"),
        ({**given(), "total_price": ""}, "total_price is empty"),
        ({**given(), "total_tax": True}, "total_tax should be an amount"),
        (payload(item("1e99"), total="10.00"), "line_items[0].price"),
        (payload({**item("10.00"), "quantity": None}, total="10.00"), "line_items[0] has no quantity"),
        (payload({**item("10.00"), "price": None}, total="10.00"), "line_items[0] has no price"),
    ],
)
def test_what_is_no_order_is_refused_with_its_place(broken: dict[str, Any], says: str) -> None:
    """Nothing is guessed where a figure is missing, and the message names it."""
    with pytest.raises(NotTranslatedError) as caught:
        translate(broken, SHOP)
    assert says in str(caught.value)
