"""The head of an invoice: days, number, notes, terms and fields, as the shop's settings have them."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from consumer.domain.dates import Moments, issued_day
from consumer.domain.heading import Occasion, head_of
from consumer.domain.ledger import InvoiceDraft
from consumer.domain.orders import Address, Customer, Order, Payment
from consumer.domain.settings import (
    CustomField,
    DefaultCustomerFor,
    InvoiceDate,
    PaymentRow,
    ShippingAddressIn,
    ShopSettings,
)
from consumer.domain.states import Reason, ReasonCode
from tests.domain.order_building import CONNECTION, FACTS, PAID, SHOP, line, mapped, order, parked

PLACED = datetime(2026, 3, 10, 23, 30, tzinfo=UTC)  # the 11th in Rome
NOW = datetime(2026, 4, 2, 8, 0, tzinfo=UTC)
HOME = Address(name="Ada", street="Weg", house_number="1", postal_code="10115", city="Berlin", country="DE")
WORK = Address(name="Ada", company="Works", street="Hof 2", postal_code="1010", city="Wien", country="AT")


def an_order(data: dict[str, object] | None = None, **more: Any) -> Order:
    """Give an order of one line; ``data`` is what the shop's expressions see."""
    return replace(order([line("1", "10.00")], "12.20", **more), data=data or {})


def head(
    given: Order,
    *,
    unique_field: str | None = None,
    now: datetime | None = NOW,
    kept_day: date | None = None,
    reference: str = "",
    **settings: Any,
) -> InvoiceDraft:
    """Make the head that must be there."""
    result = made(
        given, replace(SHOP, **settings), unique_field=unique_field, now=now, kept_day=kept_day, reference=reference
    )
    assert isinstance(result, InvoiceDraft), result
    return result


def refused(given: Order, **settings: Any) -> Reason:
    """Make a head that must not be there."""
    result = made(given, replace(SHOP, **settings))
    assert isinstance(result, Reason), result
    return result


def made(
    given: Order,
    shop: ShopSettings,
    *,
    unique_field: str | None = None,
    now: datetime | None = NOW,
    kept_day: date | None = None,
    reference: str = "",
) -> InvoiceDraft | Reason:
    """Make the head, or the reason why there is none."""
    return head_of(
        given,
        shop=shop,
        connection=replace(CONNECTION, unique_field=unique_field),
        organization=FACTS.organization,
        currency=FACTS.currencies[0],
        occasion=Occasion(
            moments=Moments(paid=PAID, placed=given.placed_at, now=now, kept_day=kept_day),
            document_n=1,
            reference=reference,
        ),
    )


# ---- days


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        (InvoiceDate.PAID, date(2026, 3, 14)),
        (InvoiceDate.PLACED, date(2026, 3, 11)),
        (InvoiceDate.TODAY, date(2026, 4, 2)),
    ],
)
def test_the_day_is_the_chosen_moments_where_the_organisation_is(chosen: InvoiceDate, expected: date) -> None:
    """Half past eleven at night in UTC is the next day in Rome."""
    assert head(an_order(placed_at=PLACED), invoice_date=chosen).issued_on == expected


def test_an_invoice_dated_today_keeps_the_day_of_its_first_booking() -> None:
    """Whatever the clock says later; an invoice dated by payment does not."""
    first = date(2026, 4, 1)
    assert head(an_order(), invoice_date=InvoiceDate.TODAY, kept_day=first, payment_terms=3).due_on == date(2026, 4, 4)
    assert head(an_order(), invoice_date=InvoiceDate.TODAY, kept_day=first).issued_on == first
    assert head(an_order(), kept_day=first).issued_on == date(2026, 3, 14)


def test_an_order_without_the_chosen_moment_is_parked() -> None:
    """It is not dated by another one: the day decides about the VAT return."""
    reason = refused(an_order(), invoice_date=InvoiceDate.PLACED)
    assert (reason.code, "placed_at" in reason.fix) == (ReasonCode.DATE_MISSING, True)
    missing = issued_day(Moments(paid=None), InvoiceDate.PAID, "Europe/Rome")
    assert isinstance(missing, Reason)
    assert missing.code is ReasonCode.DATE_MISSING


# ---- number, layout, fields


def test_the_number_is_the_shops_where_it_gives_one() -> None:
    """Without the setting the ledger counts."""
    assert head(an_order({"number": 17}), invoice_number="WEB-{{ number }}").number == "WEB-17"
    assert head(an_order({"number": 17})).number == ""


@pytest.mark.parametrize("text", ["WEB-{{ number }}", "{{ number }}"])
@pytest.mark.parametrize("value", [None, "", " ", "9" * 101])
def test_a_number_that_is_empty_or_too_long_parks_the_order(value: str | None, text: str) -> None:
    """It is neither cut nor left to the ledger: both would be another number than the shop's."""
    reason = refused(an_order({"number": value}), invoice_number=text)
    assert reason.code is ReasonCode.EXPRESSION_FAILED
    assert "invoice_number" in reason.message
    assert reason.group == "expression_failed:shop:invoice_number"
    assert head(an_order({"number": "9" * 96}), invoice_number="WEB-{{ number }}").number == "WEB-" + "9" * 96


@pytest.mark.parametrize("setting", ["notes", "terms", "salesperson", "invoice_number", "template_id"])
def test_an_expression_that_gives_no_text_parks_the_order_and_names_the_setting(setting: str) -> None:
    """An object is no text; the order waits in the group of this setting."""
    reason = refused(an_order({"meta": {"a": {"b": 1}}}), **{setting: "{{ meta.a }}"})
    assert (reason.code, setting in reason.message, setting in reason.fix) == (
        ReasonCode.EXPRESSION_FAILED,
        True,
        True,
    )


def test_a_layout_for_print_is_an_id_of_the_ledger_or_none() -> None:
    """Digits; what is no id parks before the ledger is asked."""
    by_language = "{{ meta.b2b && '460000000000017001' }}"
    assert head(an_order({"meta": {"b2b": True}}), template_id=by_language).template_id == "460000000000017001"
    assert head(an_order({"meta": {}}), template_id="{{ meta.layout }}").template_id == ""
    assert refused(an_order(), template_id="Standard").code is ReasonCode.EXPRESSION_FAILED


def test_custom_fields_are_filled_and_the_unique_one_is_never_the_shops() -> None:
    """An empty value stays in the draft: it takes away what a field had before."""
    fields = (
        CustomField(api_name="cf_po", value="{{ meta.po }}"),
        CustomField(api_name="cf_key", value="mine"),
        CustomField(api_name="cf_gone", value="{{ meta.gone }}"),
    )
    draft = head(an_order({"meta": {"po": "PO 7"}}), unique_field="cf_key", custom_fields=fields)
    assert draft.custom_fields == (("cf_po", "PO 7"), ("cf_gone", ""))
    assert draft.unique_key == "shop/1001/invoice//1"


# ---- words


def test_words_that_the_shop_has_no_setting_for_are_left_to_the_ledger() -> None:
    """None: an update does not touch them. With a setting that gives nothing they are emptied."""
    silent = head(an_order())
    assert (silent.terms, silent.salesperson, silent.payment_terms_label, silent.notes) == (None, None, None, "")
    emptied = head(an_order(), terms="{{ meta.terms }}", salesperson="{{ meta.by }}")
    assert (emptied.terms, emptied.salesperson) == ("", "")


def test_words_are_made_harmless() -> None:
    """Several lines in notes, one line in a name; control characters are no characters."""
    draft = head(an_order({"note": "a\r\nb\x00"}), notes="{{ note }}", salesperson="{{ note }}")
    assert (draft.notes, draft.salesperson) == ("a\nb", "a b")


def test_notes_that_are_too_long_are_cut_and_what_was_cut_elsewhere_stays_whole() -> None:
    """5,000 characters: the shop's words give way to the whole order id and the whole salesperson."""
    given = replace(an_order({"note": "n" * 6000, "by": "s" * 300}), number="7" * 80)
    draft = head(given, notes="{{ note }}", salesperson="{{ by }}", reference_pattern="{number}")
    assert (len(draft.notes), draft.notes[:2]) == (5000, "nn")
    assert draft.notes.endswith(f"\u2026\nOrder {'7' * 80}\nSalesperson: {'s' * 300}")
    assert (len(draft.reference), len(draft.salesperson or "")) == (50, 200)


def test_words_are_cut_at_the_end_of_a_character() -> None:
    """A family of four joined code points is kept or left, never halved."""
    family = "\U0001f469\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466"
    text = "x" * 9996 + family + "tail"
    assert head(an_order({"t": text}), terms="{{ t }}").terms == "x" * 9996 + "\u2026"


def test_the_whole_order_id_is_in_the_notes_also_when_an_earlier_reference_is_kept() -> None:
    """The shop's pattern has changed since: the order keeps its reference, and can be found by its id."""
    assert head(an_order(), reference="nl/1001").notes == "Order 1001"
    assert head(an_order(), reference="1001").notes == ""


def test_a_delivery_address_stands_in_the_notes_where_it_is_another_one() -> None:
    """Whole, one line each; not where it is the billing address in other letters, nor where there is none."""
    given = an_order(billing_address=HOME, shipping_address=WORK)
    wanted = "Thanks\nDelivery address:\nAda\nWorks\nHof 2\n1010 Wien\nAT"
    in_notes: dict[str, Any] = {"notes": "Thanks", "shipping_address": ShippingAddressIn.NOTES}
    assert head(given, **in_notes).notes == wanted
    assert head(given, notes="Thanks").notes == "Thanks"
    same = replace(HOME, city="BERLIN")
    assert head(an_order(billing_address=HOME, shipping_address=same), **in_notes).notes == "Thanks"
    assert head(an_order(billing_address=HOME), **in_notes).notes == "Thanks"


# ---- terms by payment

ROWS = (
    PaymentRow(method="Bank transfer", payment_terms=14, label="Within 14 days"),
    PaymentRow(method="klarna*", payment_terms=30),
)


def paid_by(*methods: tuple[str, str]) -> Order:
    """Give an order with these payments: method and kind."""
    payments = tuple(Payment(method=method, amount=Decimal(1), kind=kind) for method, kind in methods)
    return an_order(payments=payments)


@pytest.mark.parametrize(
    ("methods", "days", "label"),
    [
        ([("bank transfer", "money")], 14, "Within 14 days"),
        ([("Klarna Later", "money")], 30, ""),
        ([("Gift", "gift_card"), ("BANK TRANSFER", "money"), ("klarna", "money")], 14, "Within 14 days"),
        ([("bank transfers", "money")], 7, ""),
        ([("bank transfer", "store_credit")], 7, ""),
        ([], 7, ""),
    ],
)
def test_terms_go_by_the_first_payment_in_money(methods: list[tuple[str, str]], days: int, label: str) -> None:
    """Without case, with * for any end; else the shop's usual terms."""
    draft = head(paid_by(*methods), payments=ROWS, payment_terms=7)
    assert (draft.payment_terms, draft.payment_terms_label) == (days, label)
    assert (draft.due_on - draft.issued_on).days == days


# ---- as a part of the mapping


def test_the_mapping_takes_the_head_over() -> None:
    """Into the draft, and its refusals into the order's reason."""
    shop = replace(
        SHOP, invoice_number="W-{{ number }}", terms="Net", custom_fields=(CustomField(api_name="cf_a", value="b"),)
    )
    result = mapped(an_order({"number": "1"}), shop=shop)
    assert (result.draft.number, result.draft.terms, result.draft.custom_fields) == ("W-1", "Net", (("cf_a", "b"),))
    assert parked(an_order(), shop=shop).code is ReasonCode.EXPRESSION_FAILED


def test_the_buyer_stands_in_the_notes_where_the_shop_books_under_its_default_customer() -> None:
    """Behind the shop's own notes; an order with a customer of its own has no such line."""
    buyer = Customer(name="Ada Berg", email="ada@example.com")
    settings: dict[str, Any] = {
        "default_customer_id": "900",
        "default_customer_for": DefaultCustomerFor.ALL,
        "notes": "Thank you",
    }
    assert head(an_order(customer=buyer), **settings).notes == "Thank you\nCustomer: Ada Berg, ada@example.com"
    assert head(an_order(customer=buyer), notes="Thank you").notes == "Thank you"
