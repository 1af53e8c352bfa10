"""Erasing a customer takes what is said of the person everywhere, keeps the figures, and holds against replays."""

from dataclasses import replace
from datetime import timedelta

import pytest

from consumer.domain.ledger import Contact
from consumer.domain.states import OrderState, Priority
from consumer.ports.intake import Taken
from consumer.ports.privacy import Customer, PrivacyStore
from consumer.services.erasure import ErasureReport, ErasureTools, erase
from consumer.services.erasure_finding import gather
from tests.conformance.intake.making import NOON, UPDATED, key, unreadable
from tests.conformance.lanes.bench import Bench
from tests.conformance.lanes.scenes import BOOKS, open_books
from tests.conformance.privacy.making import ANNA, BEN, LINES, book, content, layout, of, raw_events, with_bytes

LAYOUT = {
    "currency": "EUR",
    "customer": {"tax_exempt": False},
    "billing_address": {"country": "NL"},
    "lines": [LINES[0]],
    "totals": {"grand_total": "12.30"},
}


async def settle_orders(bench: Bench) -> None:
    """Book Anna's order 1 and Ben's order 2."""
    await open_books(bench)
    await bench.intake.record([with_bytes(of(ANNA, "1", 0)), with_bytes(of(BEN, "2", 1))])
    await book(bench, "1")
    await book(bench, "2")


async def erased(bench: Bench, privacy: PrivacyStore, *, force: bool = False) -> ErasureReport:
    """Erase Anna."""
    tools = ErasureTools(privacy=privacy, people=bench.people)
    return await erase(tools, Customer(email=ANNA), actor="jane", force=force)


async def test_an_order_keeps_its_figures_and_nothing_of_the_person(bench: Bench, privacy: PrivacyStore) -> None:
    """Key, hash, state and documents stay; content and raw bytes go; another's order is not touched."""
    await settle_orders(bench)
    before = await bench.bookings.read(key("1"))
    report = await erased(bench, privacy)
    after = await bench.bookings.read(key("1"))
    assert before is not None
    assert after is not None
    assert report.erased == [key("1")]
    assert (after.content, after.personal_removed, after.state) == (None, True, OrderState.BOOKED)
    assert (after.content_hash, after.grand_total, after.number) == (
        before.content_hash,
        before.grand_total,
        before.number,
    )
    assert after.documents == before.documents
    assert await layout(bench, key("1")) == LAYOUT
    assert await raw_events(bench, key("1")) == [None]
    other = await bench.bookings.read(key("2"))
    assert other is not None
    assert (other.content, other.personal_removed) == (content(BEN), False)
    assert await raw_events(bench, key("2")) == [content(BEN)]
    assert not report.left


async def test_what_the_ledger_keeps_is_named(bench: Bench, privacy: PrivacyStore) -> None:
    """The law keeps invoices: their ids, and the contact's, are told to whoever has erased."""
    await settle_orders(bench)
    report = await erased(bench, privacy)
    (document,) = report.documents
    assert (document.connection_id, document.kind, document.contact_id) == (BOOKS, "invoice", "c-1")


@pytest.mark.parametrize("put_in", [False, True], ids=["from Kafka", "put in again"])
async def test_an_event_that_is_not_newer_brings_nothing_back(
    bench: Bench, privacy: PrivacyStore, *, put_in: bool
) -> None:
    """The same event at another place, whoever replays it, is recorded without what it says of the person."""
    await settle_orders(bench)
    await erased(bench, privacy)
    again = with_bytes(of(ANNA, "1", 7))
    if put_in:
        await bench.intake.put_in([again], priority=Priority.BACKFILL)
    else:
        await bench.intake.record([again])
    after = await bench.bookings.read(key("1"))
    assert after is not None
    assert (after.content, after.state) == (None, OrderState.BOOKED)
    assert await raw_events(bench, key("1")) == [None, None]


async def test_an_older_event_with_a_refund_adds_the_fact_without_words(bench: Bench, privacy: PrivacyStore) -> None:
    """Facts add up from whatever revision they come; the reason that somebody wrote does not."""
    await open_books(bench)
    await bench.intake.record([with_bytes(of(ANNA, "1", 0, version=5))])
    await book(bench, "1")
    await erased(bench, privacy)
    refund = (("r-1", b'{"amount":"2.00","id":"r-1","reason":"Anna was not at home"}'),)
    await bench.intake.record([with_bytes(of(ANNA, "1", 8, version=3, refunds=refund))])
    after = await bench.bookings.read(key("1"))
    assert after is not None
    assert b"2.00" in after.kept_refunds[0]
    assert b"Anna" not in after.kept_refunds[0]
    assert (after.content, after.state) == (None, OrderState.DUE)


async def test_a_newer_event_brings_new_data(bench: Bench, privacy: PrivacyStore) -> None:
    """Who orders again, or changes the order, gives their data anew."""
    await settle_orders(bench)
    await erased(bench, privacy)
    await bench.intake.record([with_bytes(of(ANNA, "1", 9, version=2, place=UPDATED))])
    after = await bench.bookings.read(key("1"))
    assert after is not None
    assert (after.content, after.personal_removed) == (content(ANNA), False)
    assert await layout(bench, key("1")) is None
    await bench.intake.record([with_bytes(of(ANNA, "1", 10, version=1))])
    assert None in await raw_events(bench, key("1"))


async def test_the_mark_outlives_a_bare_order(bench: Bench, privacy: PrivacyStore) -> None:
    """Of an order whose content is gone no older content is taken, although it has none now."""
    await settle_orders(bench)
    await erased(bench, privacy)
    await bench.intake.record([with_bytes(of(ANNA, "1", 11, version=0, data={"note": "older"}))])
    after = await bench.bookings.read(key("1"))
    assert after is not None
    assert after.content is None


async def test_unsettled_orders_and_open_messages_refuse_it(bench: Bench, privacy: PrivacyStore) -> None:
    """What is not booked yet needs its customer: nothing at all is erased."""
    await settle_orders(bench)
    await bench.intake.record(
        [with_bytes(of(ANNA, "3", 3)), unreadable(4, value=b'{"mail": "Anna.Jansen@Example.org"')]
    )
    report = await erased(bench, privacy)
    assert set(report.refused) == {key("3")}
    assert len(report.open_rejected) == 1
    assert not report.erased
    assert await raw_events(bench, key("1")) == [content(ANNA)]


async def test_force_ends_what_is_not_settled(bench: Bench, privacy: PrivacyStore) -> None:
    """The order is ignored from then on, and the message keeps its row without its bytes."""
    await settle_orders(bench)
    await bench.intake.record(
        [with_bytes(of(ANNA, "3", 3)), unreadable(4, value=b'{"mail": "Anna.Jansen@Example.org"')]
    )
    report = await erased(bench, privacy, force=True)
    assert report.erased == [key("1"), key("3")]
    after = await bench.bookings.read(key("3"))
    assert after is not None
    assert (after.content, after.state, after.due_at) == (None, OrderState.WITHDRAWN, None)
    assert report.counts["rejected_events"] == 1
    assert not report.left


async def test_a_write_under_way_is_never_erased(bench: Bench, privacy: PrivacyStore) -> None:
    """An order that became due between the search and the erasure is refused under its lock."""
    await settle_orders(bench)
    await bench.intake.record([with_bytes(of(ANNA, "1", 12, version=2, data={"note": "changed"}))])
    came = await privacy.erase_orders([key("1"), key("2")], actor="jane")
    assert came.refused == (key("1"),)
    after = await bench.bookings.read(key("1"))
    assert after is not None
    assert after.content is not None


async def test_contacts_are_forgotten_until_the_ledger_changes_them(bench: Bench, privacy: PrivacyStore) -> None:
    """A list that shows the contact as it was brings nothing back; a newer change of it does."""
    await settle_orders(bench)
    known = Contact(
        contact_id="c-1", name="Anna Jansen", email=ANNA.upper(), active=True, is_customer=True, modified_at=NOON
    )

    async def found() -> bool:
        matches = await bench.contacts.find(BOOKS, "north", f"email:{ANNA}", ANNA, "anna jansen")
        return bool(matches.by_email or matches.by_name or matches.linked)

    await bench.contacts.save_page(BOOKS, [known], page=1, complete=True, refresh=False)
    assert await found()
    await erased(bench, privacy)
    assert not await found()
    await bench.contacts.save_page(BOOKS, [known], page=1, complete=True, refresh=True)
    assert not await found()
    changed = replace(known, modified_at=NOON + timedelta(hours=1))
    await bench.contacts.save_page(BOOKS, [changed], page=1, complete=True, refresh=True)
    assert await found()


async def test_an_order_of_another_that_mentions_the_address_is_named_only(bench: Bench, privacy: PrivacyStore) -> None:
    """A remark of Ben's about Anna is no reason to take Ben's order."""
    await settle_orders(bench)
    await bench.intake.record([with_bytes(of(BEN, "4", 5, data={"note": f"a gift for {ANNA}, please"}))])
    await book(bench, "4")
    found = await gather(privacy, Customer(email=ANNA))
    assert [one.key for one in found.own] == [key("1")]
    assert found.mentioned == (key("4"),)


async def test_a_shops_id_finds_its_customer_alone(bench: Bench, privacy: PrivacyStore) -> None:
    """An id counts within its shop, and is no part of another number."""
    await open_books(bench)
    seven = {"customer": {"email": ANNA, "id": "7"}}
    records: list[Taken] = [
        with_bytes(of(ANNA, "1", 0, data=seven)),
        with_bytes(of(BEN, "2", 1, data={"customer": {"email": BEN, "id": "77"}, "lines": [{**LINES[0], "id": "7"}]})),
    ]
    await bench.intake.record(records)
    found = await gather(privacy, Customer(shop_id="north", customer_id="7"))
    assert [one.key for one in found.own] == [key("1")]
    assert found.wanted.email_keys == (ANNA,)
    assert not (await gather(privacy, Customer(shop_id="south", customer_id="7"))).own
