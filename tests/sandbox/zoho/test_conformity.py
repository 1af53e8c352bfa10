"""Requests and answers of a whole working day fit Zoho's own description, but for its known defects."""

from typing import Any

from tests.sandbox.zoho.books import Books, line
from tests.sandbox.zoho.openapi import check_answer, check_request, needs_description

pytestmark = needs_description


async def _working_day(books: Books) -> None:
    """Make every kind of call once or more."""
    person = {"first_name": "Ann", "email": "ann@example.test", "is_primary_contact": True}
    address = {"address": "1 Test Street", "city": "Bonn", "zip": "53111", "country": "Germany"}
    customer = await books.customer("Ann Example", contact_persons=[person], billing_address=address)
    await books.good("PUT", f"/contacts/{customer}", {"notes": "n"})
    await books.good("GET", "/contacts", email="ann@example.test", per_page=200)
    await books.good("GET", f"/contacts/{customer}")
    added = await books.good("POST", f"/contacts/{customer}/address", {"city": "Köln"})
    await books.good("GET", f"/contacts/{customer}/address")
    path = f"/contacts/{customer}/address/{added['address_info']['address_id']}"
    await books.good("PUT", path, {"zip": "50667"})
    item = (await books.good("POST", "/items", {"name": "Lamp", "rate": 10}))["item"]
    await books.good("GET", "/items", search_text="Lamp")
    await books.good("GET", f"/items/{item['item_id']}")
    await books.good("PUT", f"/items/{item['item_id']}", {"name": "Lamp", "rate": 11})
    tax_id = books.founded.taxes["VAT"]
    lines = [line(100, 2, tax_id=tax_id, description="d"), {"item_id": item["item_id"], "quantity": 1.5}]
    options: dict[str, Any] = {"date": "2026-06-09", "due_date": "2026-06-09", "reference_number": "R-1", "notes": "n"}
    fields = [{"customfield_id": books.founded.unique_field_id, "value": "shop/1"}]
    invoice = await books.invoice(customer, line_items=lines, custom_fields=fields, is_inclusive_tax=True, **options)
    await _invoice_life(books, customer, invoice)
    for listed in ("/settings/taxes", "/settings/currencies", "/organizations", "/settings/taxexemptions"):
        await books.good("GET", listed)
    await books.good("GET", f"/settings/taxes/{tax_id}")
    await books.good("GET", f"/settings/taxgroups/{books.founded.tax_groups['Both']}")
    await books.good("DELETE", path)


async def _invoice_life(books: Books, customer: str, invoice: dict[str, Any]) -> None:
    path = f"/invoices/{invoice['invoice_id']}"
    await books.good("GET", path)
    await books.good("GET", "/invoices", reference_number="R-1", per_page=200)
    kept = [{"line_item_id": one["line_item_id"], "rate": one["rate"]} for one in invoice["line_items"]]
    await books.good("PUT", path, {"line_items": kept, "adjustment": 0.01, "adjustment_description": "rounding"})
    await books.good("PUT", f"{path}/address/billing", {"address": "2 Test Street", "city": "Mainz"})
    await books.good("GET", f"{path}/email")
    await books.good("POST", f"{path}/email", {"to_mail_ids": ["ann@example.test"], "subject": "s", "body": "b"})
    paid = {"customer_id": customer, "payment_mode": "cash", "amount": 5, "date": "2026-06-09"}
    paid["invoices"] = [{"invoice_id": invoice["invoice_id"], "amount_applied": 5}]
    payment = (await books.good("POST", "/customerpayments", paid))["payment"]
    await books.good("GET", "/customerpayments", reference_number="R-1")
    await books.good("GET", f"/customerpayments/{payment['payment_id']}")
    await books.good("GET", f"{path}/payments")
    body = {"customer_id": customer, "date": "2026-06-09", "line_items": [{"name": "Back", "rate": 7, "quantity": 1}]}
    note = (await books.good("POST", "/creditnotes", {**body, "reference_number": "R-1~credit~1"}))["creditnote"]
    share = {"invoices": [{"invoice_id": invoice["invoice_id"], "amount_applied": 7}]}
    await books.good("POST", f"/creditnotes/{note['creditnote_id']}/invoices", share)
    await books.good("GET", f"/creditnotes/{note['creditnote_id']}")
    await books.good("GET", "/creditnotes", reference_number="R-1~credit~1")
    await books.good("GET", f"{path}/creditsapplied")
    await books.good("POST", f"{path}/status/void")
    await books.good("POST", f"{path}/status/draft")
    await books.good("DELETE", path)


async def test_a_working_day_fits_the_description(books: Books) -> None:
    """No call and no answer of it has a problem that is not a listed defect."""
    await _working_day(books)
    problems = [
        problem
        for method, path, query, body, status, answer in books.calls
        for problem in [*check_request(method, path, query, body), *check_answer(method, path, status, answer)]
    ]
    assert len(books.calls) > 35
    assert sorted(set(problems)) == []


def test_what_does_not_fit_is_found() -> None:
    """An address, a filter, a field, a type and a missing field that are not described are each a problem."""
    body = {"line_items": [line(colour="red")], "payment_terms": "thirty"}
    found = check_request("POST", "/books/v3/invoices", {"organization_id": "1", "colour": "red"}, body)
    assert found == [
        "POST /invoices: query colour: not described",
        "POST /invoices: request : 'customer_id' is a required property",
        "POST /invoices: request line_items[].colour: not described",
        "POST /invoices: request payment_terms: 'thirty' is not of type 'integer'",
    ]
    assert check_request("GET", "/nowhere", {}) == ["GET /nowhere: not described"]
    answer = {"code": "0", "message": "m", "invoice": {"invoice_id": 1}}
    assert check_answer("POST", "/invoices", 201, answer) == [
        "POST /invoices: answer code: '0' is not of type 'integer'",
        "POST /invoices: answer invoice.invoice_id: 1 is not of type 'string'",
    ]
    assert check_answer("POST", "/invoices", 418, {}) == ["POST /invoices: answer status 418: described are 201"]
