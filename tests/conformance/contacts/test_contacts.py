"""The index of the ledger's contacts: looking up, lists that tell little, contacts that go, and how far it reaches."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from consumer.domain.customer_choice import default_missing
from consumer.domain.customers import email_key, name_key
from consumer.domain.ledger import Contact, ContactData, ContactPerson
from consumer.domain.orders import Address
from consumer.domain.records import Conclusion, Outcome
from consumer.domain.settings import ShopSettings
from consumer.domain.states import OrderState
from consumer.domain.tax_numbers import tax_key
from consumer.ports.contacts import ContactMatches
from tests.conformance.lanes.bench import Bench
from tests.conformance.lanes.scenes import BOOKS, claim, lease, open_books

MONDAY = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
LISTED = Contact(contact_id="c-1", name="Jane Roe", email="jane@shop.test", modified_at=MONDAY)
OTHERS = (("salutation", '"Dr."'), ("communication_preference", '{"is_sms_enabled": true}'))
WHOLE = replace(
    LISTED,
    currency="EUR",
    data=ContactData(name="Jane Roe", email="jane@shop.test", billing=Address(street="Main 1", country="ES")),
    persons=(ContactPerson(first_name="Jane", email="jane@shop.test", primary=True, person_id="p", others=OTHERS),),
)


async def _find(
    bench: Bench, email: str = "", name: str = "", key: str = "id:7", shop: str = "north"
) -> ContactMatches:
    return await bench.contacts.find(BOOKS, shop, key, email_key(email), name_key(name))


async def _page(bench: Bench, *contacts: Contact, page: int = 1, complete: bool = False, refresh: bool = False) -> None:
    await bench.contacts.save_page(BOOKS, contacts, page=page, complete=complete, refresh=refresh)


async def test_a_contact_is_found_by_its_keys_and_comes_back_exactly(bench: Bench) -> None:
    """By e-mail and by name, in any case and spacing; an empty key finds nobody, not the contacts without e-mail."""
    await open_books(bench)
    nobody = Contact(contact_id="c-2", name="Nobody")
    await bench.contacts.save(BOOKS, WHOLE)
    await bench.contacts.save(BOOKS, nobody)
    assert (await _find(bench, email="JANE@shop.test")).by_email == (WHOLE,)
    assert (await _find(bench, name=" jane  ROE ")).by_name == (WHOLE,)
    assert await _find(bench) == ContactMatches(linked=None, by_email=(), by_name=())
    other = await bench.contacts.find("other", "north", "id:7", email_key("jane@shop.test"), name_key("Jane Roe"))
    assert other == ContactMatches(linked=None, by_email=(), by_name=())


async def test_a_list_does_not_take_away_what_is_known_whole(bench: Bench) -> None:
    """Unchanged since: the data stay. Changed since: they are no longer known. Older than what is known: no effect."""
    await open_books(bench)
    await bench.contacts.save(BOOKS, WHOLE)
    await _page(bench, LISTED)
    assert (await _find(bench, email="jane@shop.test")).by_email == (WHOLE,)
    await _page(bench, replace(LISTED, email="old@shop.test", modified_at=MONDAY - timedelta(hours=1)), page=2)
    assert (await _find(bench, email="jane@shop.test")).by_email == (WHOLE,)
    changed = replace(LISTED, name="Jane Doe", modified_at=MONDAY + timedelta(hours=1))
    await _page(bench, changed, changed, page=3)
    assert (await _find(bench, name="Jane Roe")).by_name == ()
    assert (await _find(bench, name="Jane Doe")).by_name == (changed,)
    await bench.contacts.save(BOOKS, replace(WHOLE, modified_at=MONDAY + timedelta(hours=1)))
    assert (await _find(bench, email="jane@shop.test")).by_email[0].data == WHOLE.data


async def test_a_contact_that_is_gone_is_not_found_until_it_is_seen_again(bench: Bench) -> None:
    """Deleted or merged: no key and no link leads to it; links are not remembered when it comes back."""
    await open_books(bench)
    await bench.contacts.save(BOOKS, WHOLE)
    await bench.contacts.drop(BOOKS, "c-1")
    await bench.contacts.drop(BOOKS, "c-1")
    assert await _find(bench, "jane@shop.test", "Jane Roe") == ContactMatches(linked=None, by_email=(), by_name=())
    await _page(bench, LISTED)
    assert [c.contact_id for c in (await _find(bench, "jane@shop.test")).by_email] == ["c-1"]


async def test_the_filling_goes_on_where_it_was(bench: Bench) -> None:
    """Page by page, over days; sure to be seen are the changes of more than an hour before it began."""
    await open_books(bench)
    state = await bench.contacts.index_state(BOOKS)
    assert (state.complete, state.page, state.seen_until, state.fresh_seconds_ago) == (False, 0, None, None)
    await _page(bench, LISTED, page=1)
    began = (await bench.contacts.index_state(BOOKS)).seen_until
    await bench.elapse(86_400.0)
    await _page(bench, replace(LISTED, contact_id="c-2"), page=2, complete=True)
    state = await bench.contacts.index_state(BOOKS)
    assert (state.complete, state.page, state.seen_until) == (True, 2, began)
    assert state.fresh_seconds_ago == pytest.approx(86_400.0, abs=2.0)


async def test_a_look_by_the_way_does_not_move_the_filling(bench: Bench) -> None:
    """Contacts found by name are kept without pretending that a page was read."""
    await open_books(bench)
    await _page(bench, LISTED, page=1, complete=True)
    await bench.elapse(5000.0)
    before = await bench.contacts.index_state(BOOKS)
    await _page(bench, replace(LISTED, contact_id="c-9"), page=before.page, complete=before.complete)
    after = await bench.contacts.index_state(BOOKS)
    assert (after.complete, after.page, after.seen_until) == (before.complete, before.page, before.seen_until)
    assert after.fresh_seconds_ago == pytest.approx(5000.0, abs=2.0)


async def test_a_list_of_changes_counts_only_once_it_reached_the_last_one(bench: Bench) -> None:
    """Broken off after its first page, the changes of the second would be lost if the first one's newest counted."""
    await open_books(bench)
    await _page(bench, LISTED, page=1, complete=True)
    seen_until = (await bench.contacts.index_state(BOOKS)).seen_until
    assert seen_until is not None
    newest, middle, old = (
        replace(LISTED, contact_id=name, modified_at=seen_until + timedelta(hours=hours))
        for name, hours in (("n", 5), ("m", 2), ("o", -1))
    )
    await _page(bench, newest, middle, page=1, complete=True, refresh=True)
    state = await bench.contacts.index_state(BOOKS)
    assert (state.seen_until, state.page, state.complete) == (seen_until, 1, True)
    assert state.fresh_seconds_ago == pytest.approx(0.0, abs=2.0)
    await _page(bench, middle, old, page=2, complete=True, refresh=True)
    assert (await bench.contacts.index_state(BOOKS)).seen_until == newest.modified_at


async def test_an_unknown_connection_has_an_empty_index(bench: Bench) -> None:
    """Asked before the connection is there, the index knows nothing."""
    state = await bench.contacts.index_state("none")
    assert (state.complete, state.page) == (False, 0)


NUMBERED = replace(WHOLE, data=replace(WHOLE.data or ContactData(name=""), tax_number="ES B-1234.5678"))


async def test_a_contact_that_was_read_whole_is_found_by_its_vat_number(bench: Bench) -> None:
    """With the address's country where it has none in front; a list that tells none does not take it away."""
    await open_books(bench)
    await bench.contacts.save(BOOKS, NUMBERED)
    for _ in range(2):
        found = await bench.contacts.find(BOOKS, "north", "id:7", "", "", tax_key("b12345678", "ES"))
        assert (found.by_tax, found.by_email, found.by_name) == ((NUMBERED,), (), ())
        await _page(bench, LISTED)
    assert (await bench.contacts.find(BOOKS, "north", "id:7", "", "", tax_key("b12345678", "PT"))).by_tax == ()
    assert (await _find(bench)).by_tax == ()
    await _page(bench, replace(LISTED, modified_at=MONDAY + timedelta(hours=1)), page=2)
    assert (await bench.contacts.find(BOOKS, "north", "id:7", "", "", tax_key("b12345678", "ES"))).by_tax == ()


async def test_one_contact_is_given_by_its_id(bench: Bench) -> None:
    """Of its own connection, and not when it is gone."""
    await open_books(bench)
    await bench.contacts.save(BOOKS, WHOLE)
    assert await bench.contacts.get(BOOKS, "c-1") == WHOLE
    assert await bench.contacts.get("other", "c-1") is None
    await bench.contacts.drop(BOOKS, "c-1")
    assert await bench.contacts.get(BOOKS, "c-1") is None


@pytest.mark.parametrize(
    ("listed", "refresh", "goes_on"),
    [
        (LISTED, True, True),
        (LISTED, False, False),
        (replace(LISTED, active=False), True, False),
        (replace(LISTED, is_customer=False), True, False),
        (replace(LISTED, contact_id="c-2"), True, False),
    ],
)
async def test_orders_that_wait_for_the_default_customer_go_on_when_a_list_shows_it_usable(
    bench: Bench,
    listed: Contact,
    refresh: bool,  # noqa: FBT001 a table's column
    goes_on: bool,  # noqa: FBT001 a table's column
) -> None:
    """Only that contact, active and a customer, in a list of changes; or when it was read itself."""
    await open_books(bench, "1")
    leased = await lease(bench)
    (record,) = await claim(bench, leased)
    reason = default_missing(ShopSettings(shop_id=record.key.shop_id, default_customer_id="c-1"), None)
    parked = Conclusion(state=OrderState.PARKED, reason=reason)
    await bench.bookings.record(
        Outcome(key=record.key, connection_id=BOOKS, change=record.change, conclusion=parked), leased
    )
    await _page(bench, listed, complete=True, refresh=refresh)
    assert [one.key for one in await claim(bench, leased)] == ([record.key] if goes_on else [])
    if not goes_on:
        await bench.contacts.save(BOOKS, replace(WHOLE, active=False))
        assert await claim(bench, leased) == []
        await bench.contacts.save(BOOKS, WHOLE)
        assert [one.key for one in await claim(bench, leased)] == [record.key]
