"""The words on an invoice: taken, kept, shown, and what is refused."""

from typing import Any

import pytest

from tests.sandbox.zoho.books import Books, line

WORDS: dict[str, Any] = {
    "notes": "Thank you.",
    "terms": "14 days.",
    "salesperson_name": "Web shop",
    "payment_terms": 14,
    "payment_terms_label": "Within 14 days",
    "template_id": "460000000000017001",
}


async def test_the_words_of_an_invoice_are_kept_and_shown(books: Books) -> None:
    """As they were sent, and again when it is read; the layout is shown by its name too."""
    made = await books.invoice(**WORDS, date="2026-06-09")
    read = (await books.good("GET", f"/invoices/{made['invoice_id']}"))["invoice"]
    for shown in (made, read):
        assert {name: shown[name] for name in WORDS} == WORDS
        assert (shown["template_name"], shown["due_date"]) == ("Standard Template", "2026-06-23")


async def test_an_update_keeps_the_words_that_it_does_not_name_and_the_number(books: Books) -> None:
    """Named and empty takes away; the number stays although it is not sent."""
    flag = {"ignore_auto_number_generation": "true"}
    made = await books.invoice(**WORDS, invoice_number="WEB-1", query=flag)
    changed = await books.good("PUT", f"/invoices/{made['invoice_id']}", {"terms": ""})
    after = changed["invoice"]
    assert (after["terms"], after["notes"], after["salesperson_name"]) == ("", "Thank you.", "Web shop")
    assert after["invoice_number"] == "WEB-1"


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("salesperson_name", "x" * 201, 15),
        ("payment_terms_label", "x" * 101, 15),
        ("notes", "x" * 5001, 15),
        ("terms", "x" * 10_001, 15),
        ("payment_terms", "soon", 2),
        ("template_id", "1", 2),
        ("custom_fields", [{"api_name": "cf_nobody", "value": "x"}], 2),
    ],
)
async def test_words_that_do_not_fit_are_refused(books: Books, field: str, value: Any, code: int) -> None:
    """Too long with 15, unknown or of the wrong kind with 2, and nothing is made."""
    body = {"customer_id": await books.customer(), "line_items": [line()], field: value}
    assert await books.refused("POST", "/invoices", body) == (400, code)
    assert (await books.good("GET", "/invoices"))["invoices"] == []


async def test_custom_fields_stand_beside_the_unique_one(books: Books) -> None:
    """Both are shown; an empty value takes a field away and leaves the other."""
    await books.control.change_organization(books.id, custom_fields={"cf_po": "460000000000000901"})
    fields = [{"api_name": "cf_booked_key", "value": "k"}, {"api_name": "cf_po", "value": "PO 7"}]
    made = await books.invoice(custom_fields=fields)
    assert {one["api_name"]: one["value"] for one in made["custom_fields"]} == {"cf_booked_key": "k", "cf_po": "PO 7"}
    emptied = await books.good(
        "PUT", f"/invoices/{made['invoice_id']}", {"custom_fields": [{"api_name": "cf_po", "value": ""}]}
    )
    assert {one["api_name"]: one["value"] for one in emptied["invoice"]["custom_fields"]} == {"cf_booked_key": "k"}
