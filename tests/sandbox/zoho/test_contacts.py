"""Contacts: unique names, lists and their filters, partial updates, persons and addresses."""

import pytest

from tests.sandbox.zoho.books import Books

_PERSON = {"first_name": "Ann", "last_name": "Example", "email": "ann@example.test"}


async def test_a_name_is_given_once(books: Books) -> None:
    """The second contact of a name is refused with 3062, also as a vendor and in capitals."""
    await books.customer("Ann Example")
    assert await books.refused("POST", "/contacts", {"contact_name": "Ann Example"}) == (400, 3062)
    assert await books.refused("POST", "/contacts", {"contact_name": "ANN EXAMPLE"}) == (400, 3062)
    vendor = {"contact_name": "Ann Example", "contact_type": "vendor"}
    assert await books.refused("POST", "/contacts", vendor) == (400, 3062)


async def test_a_contact_cannot_take_anothers_name(books: Books) -> None:
    """Renaming meets the same rule; keeping one's own name does not."""
    await books.customer("Ann Example")
    other = await books.customer("Bob Example")
    assert await books.refused("PUT", f"/contacts/{other}", {"contact_name": "Ann Example"}) == (400, 3062)
    await books.good("PUT", f"/contacts/{other}", {"contact_name": "Bob Example"})


async def test_a_contact_needs_a_name(books: Books) -> None:
    """An empty name is code 3013."""
    assert await books.refused("POST", "/contacts", {"contact_name": "  "}) == (400, 3013)


async def test_names_in_any_script_are_kept(books: Books) -> None:
    """Cyrillic, Greek, Japanese and an emoji come back as they were sent."""
    contact_id = await books.customer("Анна Ωμέγα 花子 🙂")
    found = await books.good("GET", f"/contacts/{contact_id}")
    assert found["contact"]["contact_name"] == "Анна Ωμέγα 花子 🙂"


@pytest.mark.parametrize(
    "body",
    [
        {"contact_name": "x" * 201},
        {"contact_name": "a", "company_name": "x" * 201},
        {"contact_name": "a", "billing_address": {"address": "x" * 501}},
        {"contact_name": "a", "billing_address": {"zip": "x" * 51}},
        {"contact_name": "a", "contact_persons": [{"email": "x" * 100 + "@example.test"}]},
        {"contact_name": "a", "contact_persons": [{"phone": "1" * 51}]},
    ],
)
async def test_too_long_is_code_15(books: Books, body: dict[str, object]) -> None:
    """Every field of a contact has its length."""
    assert await books.refused("POST", "/contacts", body) == (400, 15)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"language_code": "xx"}, 2),
        ({"contact_type": "friend"}, 2),
        ({"payment_terms": "Net 30"}, 2),
        ({"vat_reg_no": "1"}, 2),
        ({"currency_id": "1"}, 9004),
        ({"custom_fields": [{"api_name": "cf_unknown", "value": "1"}]}, 2),
    ],
)
async def test_wrong_values_are_refused(books: Books, body: dict[str, object], code: int) -> None:
    """A value that cannot be is code 2, an unknown currency 9004."""
    assert await books.refused("POST", "/contacts", {"contact_name": "Ann", **body}) == (400, code)


async def test_filters_look_at_the_primary_person(books: Books) -> None:
    """The e-mail of the primary person finds the contact, that of another person does not."""
    second = {"first_name": "Bob", "email": "bob@example.test"}
    contact_id = await books.customer("Example", contact_persons=[_PERSON, second])
    by_primary = await books.good("GET", "/contacts", email="ANN@example.test")
    by_other = await books.good("GET", "/contacts", email="bob@example.test")
    assert [one["contact_id"] for one in by_primary["contacts"]] == [contact_id]
    assert by_other["contacts"] == []


async def test_names_are_found_exactly_or_by_their_parts(books: Books) -> None:
    """Exact means the whole name; a wildcard of SQL in a name is a plain character."""
    await books.customer("Ann_Example")
    await books.customer("AnnXExample")
    found = {
        name: [one["contact_name"] for one in (await books.good("GET", "/contacts", **{name: value}))["contacts"]]
        for name, value in (
            ("contact_name", "Ann_Example"),
            ("contact_name_startswith", "Ann_"),
            ("contact_name_contains", "XEx"),
        )
    }
    assert found == {
        "contact_name": ["Ann_Example"],
        "contact_name_startswith": ["Ann_Example"],
        "contact_name_contains": ["AnnXExample"],
    }


async def test_an_unknown_filter_gives_the_whole_list(books: Books) -> None:
    """A misspelt filter is ignored without a word."""
    await books.customer("Ann")
    await books.customer("Bob")
    found = await books.good("GET", "/contacts", emial="nobody@example.test")
    assert len(found["contacts"]) == 2


async def test_a_list_is_ten_rows_unless_asked_otherwise(books: Books) -> None:
    """Eleven contacts: a page of ten and a page of one; 500 a page becomes 200."""
    for number in range(11):
        await books.customer(f"Customer {number:02d}")
    first = await books.good("GET", "/contacts")
    second = await books.good("GET", "/contacts", page=2)
    wide = await books.good("GET", "/contacts", per_page=500)
    assert (len(first["contacts"]), first["page_context"]["has_more_page"]) == (10, True)
    assert (len(second["contacts"]), second["page_context"]["has_more_page"]) == (1, False)
    assert (len(wide["contacts"]), wide["page_context"]["per_page"]) == (11, 200)


async def test_lists_sort_by_last_change(books: Books) -> None:
    """What was changed last stands first, as a refresh of an index needs it."""
    ann = await books.customer("Ann")
    await books.customer("Bob")
    await books.good("PUT", f"/contacts/{ann}", {"notes": "changed"})
    found = await books.good("GET", "/contacts", sort_column="last_modified_time", sort_order="D")
    assert [one["contact_name"] for one in found["contacts"]] == ["Ann", "Bob"]


async def test_active_and_inactive_are_told_apart(books: Books) -> None:
    """An inactive contact leaves the list of the active ones and gets no invoice."""
    contact_id = await books.customer("Ann")
    await books.good("POST", f"/contacts/{contact_id}/inactive")
    active = await books.good("GET", "/contacts", filter_by="Status.Active")
    inactive = await books.good("GET", "/contacts", filter_by="Status.Inactive")
    assert (len(active["contacts"]), len(inactive["contacts"])) == (0, 1)
    body = {"customer_id": contact_id, "line_items": [{"name": "a", "rate": 1}]}
    assert await books.refused("POST", "/invoices", body) == (400, 1002)
    await books.good("POST", f"/contacts/{contact_id}/active")
    await books.good("POST", "/invoices", body)


async def test_an_update_keeps_what_it_does_not_name(books: Books) -> None:
    """Notes change, the address and the persons stay."""
    contact_id = await books.customer("Ann", contact_persons=[_PERSON], billing_address={"city": "Bonn"})
    changed = await books.good("PUT", f"/contacts/{contact_id}", {"notes": "new"})
    assert changed["contact"]["billing_address"]["city"] == "Bonn"
    assert changed["contact"]["email"] == "ann@example.test"


async def test_persons_that_a_sent_list_omits_are_removed(books: Books) -> None:
    """Of two persons the named one stays under its id, the other is gone."""
    second = {"first_name": "Bob", "email": "bob@example.test"}
    contact_id = await books.customer("Example", contact_persons=[_PERSON, second])
    before = (await books.good("GET", f"/contacts/{contact_id}"))["contact"]["contact_persons"]
    kept = {"contact_person_id": before[1]["contact_person_id"], "phone": "123"}
    after = (await books.good("PUT", f"/contacts/{contact_id}", {"contact_persons": [kept]}))["contact"]
    assert [one["contact_person_id"] for one in after["contact_persons"]] == [kept["contact_person_id"]]
    # And what is not said of the named one is emptied.
    assert (after["email"], after["phone"]) == ("", "123")


async def test_a_contact_with_transactions_stays(books: Books) -> None:
    """Deleting is refused with 3000 while there is an invoice, even a draft; afterwards the contact is gone."""
    contact_id = await books.customer("Ann")
    invoice = await books.invoice(contact_id)
    assert await books.refused("DELETE", f"/contacts/{contact_id}") == (400, 3000)
    await books.good("DELETE", f"/invoices/{invoice['invoice_id']}")
    await books.good("DELETE", f"/contacts/{contact_id}")
    assert await books.refused("GET", f"/contacts/{contact_id}") == (404, 1002)


async def test_a_currency_is_fixed_by_the_first_transaction(books: Books) -> None:
    """Before an invoice the currency changes freely, after it not."""
    contact_id = await books.customer("Ann")
    dollars = {"currency_id": books.founded.currencies["USD"]}
    await books.good("PUT", f"/contacts/{contact_id}", dollars)
    await books.invoice(contact_id)
    euros = {"currency_id": books.founded.currencies["EUR"]}
    assert await books.refused("PUT", f"/contacts/{contact_id}", euros) == (400, 3010)


async def test_addresses_have_ids_of_their_own(books: Books) -> None:
    """An additional address is added, changed, chosen for billing, and goes onto invoices by its id."""
    contact_id = await books.customer("Ann", billing_address={"city": "Bonn"})
    added = (await books.good("POST", f"/contacts/{contact_id}/address", {"city": "Köln"}))["address_info"]
    path = f"/contacts/{contact_id}/address/{added['address_id']}"
    await books.good("PUT", path, {"zip": "50667"})
    invoice = await books.invoice(contact_id, billing_address_id=added["address_id"])
    assert (invoice["billing_address"]["city"], invoice["billing_address"]["zip"]) == ("Köln", "50667")
    await books.good("POST", f"{path}/markasbilling")
    contact = (await books.good("GET", f"/contacts/{contact_id}"))["contact"]
    assert (contact["billing_address"]["city"], contact["addresses"][0]["city"]) == ("Köln", "Bonn")


async def test_persons_have_calls_of_their_own(books: Books) -> None:
    """A person is added, made primary, changed and removed, and the contact follows."""
    contact_id = await books.customer("Ann", contact_persons=[_PERSON])
    body = {"contact_id": contact_id, "first_name": "Bob", "email": "bob@example.test"}
    person = (await books.good("POST", "/contacts/contactpersons", body))["contact_person"]
    path = f"/contacts/contactpersons/{person['contact_person_id']}"
    await books.good("POST", f"{path}/primary")
    await books.good("PUT", path, {"mobile": "77"})
    contact = (await books.good("GET", f"/contacts/{contact_id}"))["contact"]
    assert (contact["email"], contact["mobile"]) == ("bob@example.test", "77")
    await books.good("DELETE", path)
    assert len((await books.good("GET", f"/contacts/{contact_id}/contactpersons"))["contact_persons"]) == 1
    assert (await books.good("GET", f"/contacts/{contact_id}"))["contact"]["email"] == "ann@example.test"
