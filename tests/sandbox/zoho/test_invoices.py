"""Invoices: made, numbered, looked up, changed, deleted, and what is refused."""

from typing import Any

import pytest

from tests.sandbox.zoho.books import Books, line


async def test_a_created_invoice_is_a_draft_with_a_number(books: Books) -> None:
    """201, a draft, the series' first number, a Location, and an id of 18 digits."""
    body = {"customer_id": await books.customer(), "line_items": [line()]}
    answer = await books.raw("POST", "/invoices", body)
    invoice = answer.json()["invoice"]
    assert answer.status_code == 201
    assert (invoice["status"], invoice["invoice_number"]) == ("draft", "INV-000001")
    assert answer.headers["location"] == f"/api/v3/invoices/{invoice['invoice_id']}"
    assert (invoice["invoice_id"].isdigit(), len(invoice["invoice_id"])) == (True, 18)


async def test_totals_are_json_numbers(books: Books) -> None:
    """2 x 10.50 with 19 %: 21, 3.99 and 24.99 as numbers, not as texts."""
    tax_id = books.founded.taxes["VAT"]
    invoice = await books.invoice(line_items=[line(10.5, 2, tax_id=tax_id)])
    assert (invoice["sub_total"], invoice["tax_total"], invoice["total"]) == (21, 3.99, 24.99)
    assert invoice["taxes"] == [{"tax_id": tax_id, "tax_name": "VAT (19%)", "tax_amount": 3.99}]


async def test_a_tax_group_shows_its_parts(books: Books) -> None:
    """A line under a group of 19 and 7 has both taxes, the line shows 26 %."""
    invoice = await books.invoice(line_items=[line(100, tax_id=books.founded.tax_groups["Both"])])
    assert [one["tax_amount"] for one in invoice["taxes"]] == [19, 7]
    assert (invoice["line_items"][0]["tax_type"], invoice["line_items"][0]["tax_percentage"]) == ("tax_group", 26)


async def test_inclusive_prices_and_discounts_reach_the_total(books: Books) -> None:
    """119.00 inclusive less 10 %: 107.10 with 17.10 inside."""
    lines = [line(119, tax_id=books.founded.taxes["VAT"])]
    invoice = await books.invoice(line_items=lines, is_inclusive_tax=True, discount="10%", discount_type="entity_level")
    assert (invoice["total"], invoice["tax_total"], invoice["discount_total"]) == (107.1, 17.1, 11.9)
    assert (invoice["line_items"][0]["item_total"], invoice["line_items"][0]["item_total_inclusive_of_tax"]) == (
        100,
        119,
    )


@pytest.mark.parametrize(("code", "expected"), [("JPY", 1001), ("KWD", 1000.556)])
async def test_the_currency_decides_about_the_digits(books: Books, code: str, expected: float) -> None:
    """1000.5555 is 1001 yen and 1000.556 dinar."""
    invoice = await books.invoice(line_items=[line(1000.5555)], currency_code=code)
    assert (invoice["total"], invoice["currency_code"]) == (expected, code)


async def test_a_foreign_currency_has_its_rate(books: Books) -> None:
    """100 dollars at 0.9 are 90 euro in the books; a rate sent with the invoice wins."""
    dollars = books.founded.currencies["USD"]
    usual = await books.invoice(currency_id=dollars)
    own = await books.invoice(currency_id=dollars, exchange_rate=0.8)
    assert (usual["bcy_total"], own["bcy_total"]) == (90, 80)


async def test_own_numbers_need_the_flag_and_are_given_once(books: Books) -> None:
    """With the flag the number is taken, a second time 1001; without it 4097."""
    customer = await books.customer()
    flag = {"ignore_auto_number_generation": "true"}
    invoice = await books.invoice(customer, invoice_number="SHOP-1", query=flag)
    body = {"customer_id": customer, "line_items": [line()], "invoice_number": "SHOP-1"}
    assert invoice["invoice_number"] == "SHOP-1"
    assert await books.refused("POST", "/invoices", body, **flag) == (400, 1001)
    assert await books.refused("POST", "/invoices", {**body, "invoice_number": "SHOP-2"}) == (400, 4097)


async def test_the_series_steps_over_a_number_in_use(books: Books) -> None:
    """INV-000001 taken by hand: the first automatic number is the second."""
    customer = await books.customer()
    await books.invoice(customer, invoice_number="INV-000001", query={"ignore_auto_number_generation": "true"})
    assert (await books.invoice(customer))["invoice_number"] == "INV-000002"


async def test_a_refused_invoice_leaves_nothing_behind(books: Books) -> None:
    """After a refusal the same number and the same key are free."""
    customer = await books.customer()
    fields = [{"api_name": "cf_booked_key", "value": "a/1"}]
    bad = {"customer_id": customer, "line_items": [line(tax_id="1")], "custom_fields": fields}
    assert await books.refused("POST", "/invoices", bad) == (400, 2)
    assert (await books.invoice(customer, custom_fields=fields))["invoice_number"] == "INV-000001"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"customer_id": ""}, (400, 2)),
        ({"customer_id": "460000000000000001"}, (404, 1002)),
        ({"line_items": []}, (400, 2)),
        ({"line_items": [line(tax_id="1")]}, (400, 2)),
        ({"line_items": [line("ten")]}, (400, 4)),  # type: ignore[arg-type]  # the point of it
        ({"line_items": [line(1, 0)]}, (400, 2)),
        ({"line_items": [{"item_id": "1"}]}, (404, 1002)),
        ({"line_items": [line(name="x" * 101)]}, (400, 15)),
        ({"line_items": [line(description="x" * 2001)]}, (400, 15)),
        ({"reference_number": "x" * 101}, (400, 15)),
        ({"invoice_number": "x" * 101}, (400, 15)),
        ({"salesperson_name": "x" * 201}, (400, 15)),
        ({"billing_address": {"city": "Bonn"}}, (400, 15)),
        ({"unheard_of": "x" * 101}, (400, 15)),
        ({"date": "31.12.2026"}, (400, 2)),
        ({"payment_terms": "Net 30"}, (400, 2)),
        ({"discount": "-1"}, (400, 4)),
        ({"discount_type": "some_level"}, (400, 2)),
        ({"adjustment": "a"}, (400, 4)),
        ({"exchange_rate": 0}, (400, 4)),
        ({"currency_id": "1"}, (400, 9004)),
        ({"currency_code": "XXX"}, (400, 9004)),
        ({"billing_address_id": "1"}, (400, 2)),
        ({"contact_persons": ["1"]}, (400, 2)),
    ],
)
async def test_what_cannot_be_is_refused(books: Books, change: dict[str, Any], expected: tuple[int, int]) -> None:
    """Each wrong field has its status and code."""
    body = {"customer_id": await books.customer(), "line_items": [line()], **change}
    assert await books.refused("POST", "/invoices", body) == expected


async def test_half_a_character_is_refused(books: Books) -> None:
    """A lone surrogate, which JSON can write and no text can hold, is code 2 and no crash."""
    body = f'{{"customer_id": "{await books.customer()}", "reference_number": "\\ud800"}}'
    address = f"{books.url}/books/v3/invoices?organization_id={books.id}"
    headers = {"Authorization": f"Zoho-oauthtoken {books.token}"}
    answer = await books.client.post(address, content=body, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, 2)


async def test_every_length_is_allowed_up_to_its_end(books: Books) -> None:
    """Names of 100, descriptions of 2000 and references of 100 characters go through whole."""
    longest = line(name="n" * 100, description="d" * 2000)
    invoice = await books.invoice(line_items=[longest], reference_number="r" * 100)
    assert (len(invoice["line_items"][0]["name"]), len(invoice["reference_number"])) == (100, 100)


async def test_a_vendor_gets_no_invoice(books: Books) -> None:
    """Only customers are billed."""
    vendor = await books.customer("Supplier", contact_type="vendor")
    assert await books.refused("POST", "/invoices", {"customer_id": vendor, "line_items": [line()]}) == (400, 2)


async def test_inclusive_prices_do_not_exist_in_the_us_edition(books: Books) -> None:
    """An American organisation refuses the flag."""
    await books.control.change_organization(books.id, country_code="US")
    body = {"customer_id": await books.customer(), "line_items": [line()], "is_inclusive_tax": True}
    assert await books.refused("POST", "/invoices", body) == (400, 2)


async def test_a_reference_is_found_exactly(books: Books) -> None:
    """The filter gives the one with the whole reference, not those that begin with it."""
    customer = await books.customer()
    wanted = await books.invoice(customer, reference_number="1001")
    await books.invoice(customer, reference_number="10011")
    found = await books.good("GET", "/invoices", reference_number="1001")
    assert [one["invoice_id"] for one in found["invoices"]] == [wanted["invoice_id"]]
    assert "line_items" not in found["invoices"][0]
    assert "tax_total" not in found["invoices"][0]


async def test_lists_filter_by_every_described_field(books: Books) -> None:
    """Each filter alone singles out the second of two invoices."""
    ann = await books.customer("Ann")
    bob = await books.customer("Bob", contact_persons=[{"email": "bob@example.test"}])
    await books.invoice(ann, date="2026-01-01", line_items=[line(1)])
    second = await books.invoice(
        bob, date="2026-03-01", line_items=[line(2, name="Lamp", description="bright")], reference_number="R-2"
    )
    await books.good("POST", f"/invoices/{second['invoice_id']}/status/sent")
    filters: dict[str, Any] = {
        "invoice_number": second["invoice_number"],
        "invoice_number_contains": "000002",
        "customer_id": bob,
        "customer_name": "Bob",
        "email": "bob@example.test",
        "item_name": "Lamp",
        "item_description": "bright",
        "total": 2,
        "balance": 2,
        "date": "2026-03-01",
        "date_start": "2026-02-01",
        "date_after": "2026-01-01",
        "due_date": "2026-03-01",
        "status": "overdue",
        "filter_by": "Status.Unpaid",
        "search_text": "R-2",
    }
    for name, value in filters.items():
        found = await books.good("GET", "/invoices", **{name: value})
        assert [one["invoice_id"] for one in found["invoices"]] == [second["invoice_id"]], name
    count = await books.good("GET", "/invoices", response_option=2)
    assert count["page_context"]["total"] == 2


async def test_only_what_changed_after_a_moment_is_listed(books: Books) -> None:
    """The filter takes the ledger's own times, and gives what was changed after that second."""
    invoice = await books.invoice()
    same = await books.good("GET", "/invoices", last_modified_time=invoice["last_modified_time"])
    before = await books.good("GET", "/invoices", last_modified_time="2020-01-01T00:00:00+0100")
    assert (len(same["invoices"]), len(before["invoices"])) == (0, 1)


async def test_an_update_replaces_the_lines_that_it_does_not_name(books: Books) -> None:
    """A line under its id is changed in place, a new one is added, the rest is gone; other fields stay."""
    invoice = await books.invoice(line_items=[line(1, name="A"), line(2, name="B")], notes="kept")
    kept = invoice["line_items"][0]["line_item_id"]
    lines = [{"line_item_id": kept, "rate": 5}, line(7, name="C")]
    changed = (await books.good("PUT", f"/invoices/{invoice['invoice_id']}", {"line_items": lines}))["invoice"]
    assert [(one["name"], one["rate"]) for one in changed["line_items"]] == [("A", 5), ("C", 7)]
    assert changed["line_items"][0]["line_item_id"] == kept
    assert (changed["total"], changed["notes"]) == (12, "kept")


async def test_an_update_of_a_foreign_line_is_refused(books: Books) -> None:
    """A line id of another invoice is no line of this one."""
    first, second = await books.invoice(), await books.invoice()
    foreign = {"line_items": [{"line_item_id": second["line_items"][0]["line_item_id"], "rate": 1}]}
    assert await books.refused("PUT", f"/invoices/{first['invoice_id']}", foreign) == (400, 2)


async def test_an_item_gives_its_line_what_the_line_lacks(books: Books) -> None:
    """Name, rate and tax come from the item; a rate on the line wins."""
    body = {"name": "Lamp", "rate": 10, "sku": "L-1", "tax_id": books.founded.taxes["VAT"]}
    item_id = (await books.good("POST", "/items", body))["item"]["item_id"]
    invoice = await books.invoice(line_items=[{"item_id": item_id}, {"item_id": item_id, "rate": 20}])
    assert [(one["name"], one["rate"]) for one in invoice["line_items"]] == [("Lamp", 10), ("Lamp", 20)]
    assert invoice["tax_total"] == 5.7
    assert await books.refused("DELETE", f"/items/{item_id}") == (400, 2049)


async def test_items_have_names_and_skus_of_their_own(books: Books) -> None:
    """A second item of a name or SKU is refused with 1000; the SKU is found by the search text, not by a filter."""
    await books.good("POST", "/items", {"name": "Lamp", "rate": 1, "sku": "L-1"})
    await books.good("POST", "/items", {"name": "Chair", "rate": 1, "sku": "C-1"})
    assert await books.refused("POST", "/items", {"name": "Lamp", "rate": 1}) == (400, 1000)
    assert await books.refused("POST", "/items", {"name": "Table", "rate": 1, "sku": "L-1"}) == (400, 1000)
    assert len((await books.good("GET", "/items", sku="L-1"))["items"]) == 2
    assert [one["sku"] for one in (await books.good("GET", "/items", search_text="L-1"))["items"]] == ["L-1"]


async def test_locked_books_take_nothing(books: Books) -> None:
    """On the lock's day and before nothing is made, changed or deleted; the day after is free."""
    invoice = await books.invoice(date="2026-01-31")
    await books.control.change_organization(books.id, transaction_lock_date="2026-01-31")
    path = f"/invoices/{invoice['invoice_id']}"
    body = {"customer_id": await books.customer(), "line_items": [line()]}
    assert await books.refused("POST", "/invoices", {**body, "date": "2026-01-31"}) == (400, 12020)
    assert await books.refused("PUT", path, {"date": "2026-02-01"}) == (400, 12020)
    assert await books.refused("DELETE", path) == (400, 12020)
    await books.good("POST", "/invoices", {**body, "date": "2026-02-01"})


async def test_the_unique_field_refuses_a_second_document(books: Books) -> None:
    """The same key is refused on a second POST and by a PUT, and is free again after a deletion."""
    customer = await books.customer()
    fields = {"custom_fields": [{"customfield_id": books.founded.unique_field_id, "value": "shop/1"}]}
    first = await books.invoice(customer, **fields)
    body = {"customer_id": customer, "line_items": [line()], **fields}
    other = await books.invoice(customer)
    assert first["custom_field_hash"]["cf_booked_key"] == "shop/1"
    assert await books.refused("POST", "/invoices", body) == (400, 2)
    assert await books.refused("PUT", f"/invoices/{other['invoice_id']}", fields) == (400, 2)
    await books.good("DELETE", f"/invoices/{first['invoice_id']}")
    await books.good("POST", "/invoices", body)


async def test_an_upsert_updates_what_it_finds_and_creates_what_it_may(books: Books) -> None:
    """Found: updated. Not found: refused, or created with `X-Upsert`."""
    customer = await books.customer()
    body = {"customer_id": customer, "line_items": [line(5)], "custom_fields": [
        {"api_name": "cf_booked_key", "value": "k"}]}  # fmt: skip
    headers = {"X-Unique-Identifier-Key": "cf_booked_key", "X-Unique-Identifier-Value": "k"}
    missing = await books.raw("PUT", "/invoices", body, headers=headers)
    created = await books.raw("PUT", "/invoices", body, headers={**headers, "X-Upsert": "true"})
    updated = await books.raw("PUT", "/invoices", {"line_items": [line(6)]}, headers=headers)
    assert [one.status_code for one in (missing, created, updated)] == [400, 201, 200]
    assert updated.json()["invoice"]["invoice_id"] == created.json()["invoice"]["invoice_id"]
    assert updated.json()["invoice"]["total"] == 6
    unknown = {**headers, "X-Unique-Identifier-Key": "cf_other"}
    assert (await books.raw("PUT", "/invoices", body, headers=unknown)).status_code == 400


async def test_custom_fields_are_set_under_the_singular_address(books: Books) -> None:
    """PUT /invoice/{id}/customfields changes the field alone."""
    invoice = await books.invoice()
    fields = [{"customfield_id": books.founded.unique_field_id, "value": "k9"}]
    await books.good("PUT", f"/invoice/{invoice['invoice_id']}/customfields", fields)
    found = await books.good("GET", "/invoices", cf_booked_key="k9")
    assert [one["invoice_id"] for one in found["invoices"]] == [invoice["invoice_id"]]


@pytest.mark.parametrize(
    ("content", "code"),
    [(b"{", 1038), (b'{"a": NaN}', 1038), (b"[]", 1038), (b"JSONString=%7B%7D", 1038), (b"[" * 20_000, 1038)],
)
async def test_a_malformed_body_is_code_1038(books: Books, content: bytes, code: int) -> None:
    """What is no JSON object is refused, a form too."""
    address = f"{books.url}/books/v3/invoices?organization_id={books.id}"
    headers = {"Authorization": f"Zoho-oauthtoken {books.token}"}
    answer = await books.client.post(address, content=content, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, code)


async def test_wrong_addresses_methods_and_organizations_are_told_apart(books: Books) -> None:
    """An unknown address is 5, a method that it lacks 37, a foreign organisation 6041."""
    assert await books.refused("GET", "/invoicez") == (404, 5)
    assert await books.refused("DELETE", "/settings/currencies") == (405, 37)
    assert await books.refused("GET", "/invoices", organization_id="1") == (400, 6041)
