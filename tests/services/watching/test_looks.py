"""What a look of the watch makes of people's work in the ledger: kept, said once, and followed."""

from dataclasses import replace
from decimal import Decimal

import pytest

from consumer.adapters.memory.ledger import Fault
from consumer.domain.events import EventKind
from consumer.domain.ledger import InvoiceStatus, ListInvoices
from consumer.domain.settings import DeletedInLedger, RefundOnDraft
from consumer.domain.states import OrderState
from tests.services.sync.virtual_time import let_pass, run, until
from tests.services.sync.world import BOOKS
from tests.services.watching.hands import WatchedWorld, booked, looks, watched


def test_what_nobody_touched_is_no_find() -> None:
    """Our own writes stand in every list; no story speaks of them, and no order becomes due."""
    world = WatchedWorld(connection=watched())

    async def work() -> None:
        async with world.watching():
            await booked(world, "1001", "1002")
            await looks(5)

    run(work())
    assert world.found == []
    assert world.told_in_story() == ["create"]
    assert world.state() is OrderState.BOOKED


def test_an_edited_draft_is_kept_said_once_and_asked_about_later() -> None:
    """The story tells of it after the first look, not again after the fifth; the next change of the order asks."""
    world = WatchedWorld(connection=watched())

    async def work() -> None:
        async with world.watching():
            await booked(world)
            world.edit()
            await looks(5)
            assert world.decisions().count("edited_by_hand") == 1
            assert world.state() is OrderState.BOOKED
            await world.take("1001", EventKind.UPDATED, version=2, price="20.00")
            await world.rest()

    run(work())
    assert (world.state(), world.reason()) == (OrderState.PARKED, "edited_by_hand")
    assert world.invoice().total == Decimal("13.20")
    assert any("kept as it is" in words and "12.20 to 13.20" in words for words in world.words())
    assert world.found == ["edited"]


def test_a_second_edit_is_said_again() -> None:
    """What was said is the edit of that moment; the next one is news."""
    world = WatchedWorld(connection=watched())

    async def work() -> None:
        async with world.watching():
            await booked(world)
            world.edit()
            await looks()
            world.edit()
            await looks()

    run(work())
    assert world.decisions().count("edited_by_hand") == 2


def test_a_status_is_followed_and_told_to_the_shop_and_is_no_edit() -> None:
    """Sent, then paid: number, status and balance follow, one message each, and the story keeps silent."""
    world = WatchedWorld(connection=watched())

    async def work() -> None:
        async with world.watching():
            await booked(world)
            invoice_id = world.invoice().invoice_id
            world.book.set_status(invoice_id, InvoiceStatus.SENT)
            await looks()
            assert world.documents()[0].status == "sent"
            world.book.set_status(invoice_id, InvoiceStatus.PAID)
            await looks()

    run(work())
    (document,) = world.documents()
    assert (document.status, document.balance) == ("paid", Decimal(0))
    assert [told["invoice"]["status"] for told in world.told()] == ["draft", "sent", "paid"]
    assert world.told_in_story() == ["create"]


@pytest.mark.parametrize("how", ["voided", "deleted"])
def test_what_was_taken_away_by_hand_is_left_and_said(how: str) -> None:
    """By default none is made in its place: the order is withdrawn, the shop is told, and the story says so."""
    world = WatchedWorld(connection=watched())

    async def work() -> None:
        async with world.watching():
            await booked(world)
            if how == "voided":
                world.book.set_status(world.invoice().invoice_id, InvoiceStatus.VOID)
            else:
                world.book.remove(world.invoice().invoice_id)
            await looks(4)

    run(work())
    assert (world.state(), world.reason()) == (OrderState.WITHDRAWN, "gone_from_ledger")
    assert [d.live for d in world.documents()] == [False]
    assert world.found == [how]
    assert world.writes() == ["create_contact", "create_invoice"]
    assert world.told()[-1]["state"] == "withdrawn"


@pytest.mark.parametrize("how", ["voided", "deleted"])
def test_what_was_taken_away_by_hand_is_made_again_by_setting(how: str) -> None:
    """With the shop's setting the order is due at once and has a new invoice."""
    world = WatchedWorld(connection=watched())

    async def work() -> None:
        async with world.watching():
            await booked(world, deleted_in_ledger=DeletedInLedger.MAKE_AGAIN)
            if how == "voided":
                world.book.set_status(world.invoice().invoice_id, InvoiceStatus.VOID)
            else:
                world.book.remove(world.invoice().invoice_id)
            await looks(4)

    run(work())
    assert world.state() is OrderState.BOOKED
    assert world.writes().count("create_invoice") == 2
    assert len(world.live()) == 1


@pytest.mark.parametrize(
    ("choice", "decided"),
    [(RefundOnDraft.CREDIT_NOTE_LATER, ["create", "booked"]), (RefundOnDraft.CORRECT, ["create"])],
)
def test_an_order_whose_refunds_wait_for_the_sending_is_decided_anew(choice: RefundOnDraft, decided: list[str]) -> None:
    """Where refunds are credited only once an invoice was sent, its sending makes the order due; else it does not."""
    world = WatchedWorld(connection=watched())

    async def work() -> None:
        async with world.watching():
            await booked(world, refund_on_draft=choice)
            world.book.set_status(world.invoice().invoice_id, InvoiceStatus.SENT)
            await looks(3)

    run(work())
    assert world.told_in_story() == decided
    assert world.state() is OrderState.BOOKED
    assert world.writes().count("create_credit_note") == 0


def test_only_the_one_that_is_missing_is_read_singly() -> None:
    """Of five invoices one was deleted: the sweep lists them all, and asks for that one alone."""
    world = WatchedWorld(connection=watched())
    orders = ["1001", "1002", "1003", "1004", "1005"]

    async def work() -> None:
        async with world.watching():
            await booked(world, *orders)
            before = len(world.calls)
            world.book.remove(world.invoice("1003").invoice_id)
            await looks(4)
            assert world.called()[before:].count("read_invoice") == 1

    run(work())
    assert world.state("1003") is OrderState.WITHDRAWN
    assert {world.state(order) for order in orders if order != "1003"} == {OrderState.BOOKED}


def test_the_list_of_changes_finds_what_the_sweep_will_not_come_to_for_long() -> None:
    """Thirty pages of one invoice each: the last one's edit is found by the next look, not by the thirtieth."""
    world = WatchedWorld(connection=watched())
    world.book.page_size = 1
    orders = [str(3000 + n) for n in range(30)]

    async def work() -> None:
        async with world.watching():
            await booked(world, *orders)
            await until(lambda: world.database.lanes[BOOKS].watch_cursor is not None)
            newest = max(world.documents(order)[0].ledger_id for order in orders)
            (last,) = [order for order in orders if world.documents(order)[0].ledger_id == newest]
            world.edit(last)
            await let_pass(2 * 35 * 60.0)
            assert world.database.lanes[BOOKS].sweep_page < 10

    run(work())
    assert world.found == ["edited"]


def test_a_merged_contact_is_followed() -> None:
    """Its invoice stands on another contact and the old one is gone: document and link follow, and no update asks."""
    world = WatchedWorld(connection=watched())

    async def work() -> None:
        async with world.watching():
            await booked(world)
            old = world.invoice().contact_id
            other = replace(world.book.contacts[old], contact_id="c-merged", name="Anna B.")
            world.book.contacts["c-merged"] = other
            del world.book.contacts[old]
            world.by_hand(contact_id="c-merged")
            await looks()
            assert world.documents()[0].contact_id == "c-merged"
            assert set(world.database.contact_links.values()) == {"c-merged"}
            assert (BOOKS, old) not in world.database.contacts
            await world.take("1001", EventKind.UPDATED, version=2, price="20.00")
            await world.rest()

    run(work())
    assert world.state() is OrderState.BOOKED
    assert (world.invoice().contact_id, world.invoice().total) == ("c-merged", Decimal("20.00"))
    assert "contact_merged" in world.decisions()


def test_an_invoice_that_was_given_to_another_contact_moves_no_customer() -> None:
    """The old contact is there still: the story tells, the customer's own link stays."""
    world = WatchedWorld(connection=watched())

    async def work() -> None:
        async with world.watching():
            await booked(world)
            old = world.invoice().contact_id
            world.book.contacts["c-2"] = replace(world.book.contacts[old], contact_id="c-2", name="Somebody else")
            world.by_hand(contact_id="c-2")
            await looks()
            assert set(world.database.contact_links.values()) == {old}

    run(work())
    assert "moved_by_hand" in world.decisions()


def test_a_write_in_flight_beside_the_list_is_nobodys_edit() -> None:
    """The list shows our own update before its answer is recorded: it is put off, and judged to be ours later."""
    world = WatchedWorld(connection=watched())
    seen: list[bool] = []

    async def slow() -> None:
        # Time passes between the ledger's commit and our record, so that a look falls in between.
        if world.calls and world.calls[-1].name == "update_invoice":
            await let_pass(8.0)

    async def work() -> None:
        async with world.watching():
            await booked(world)
            world.factory.pause = slow
            lane = world.database.lanes[BOOKS]
            await world.take("1001", EventKind.UPDATED, version=2, price="20.00")
            lane.watch_due = world.now()
            await let_pass(10.0)
            seen.append(any(isinstance(one, ListInvoices) for one in world.calls[-3:]))
            await world.rest()
            await looks(3)

    run(work())
    assert seen == [True]
    assert world.found == []
    assert world.told_in_story() == ["create", "update"]
    assert world.database.watch_put_off == {}


def test_an_edit_while_the_order_is_in_work_is_judged_once_it_is_settled() -> None:
    """An order that waits for a long retry is its booking's; what was listed meanwhile is not forgotten."""
    world = WatchedWorld(connection=watched())

    async def work() -> None:
        async with world.watching():
            await booked(world)
            world.order().due_at = world.now().replace(hour=23)
            world.edit()
            await looks(3)
            assert world.told_in_story() == ["create"]
            world.order().due_at = None
            await looks(2)

    run(work())
    assert world.told_in_story() == ["create", "edited_by_hand"]


def test_the_cursor_moves_only_at_the_end_of_a_list() -> None:
    """The second page is not answered: the look is forgotten, and the next one finds what the first page told."""
    world = WatchedWorld(connection=watched())
    world.book.page_size = 1

    async def work() -> None:
        async with world.watching():
            await booked(world, "1001", "1002")
            cursor = world.database.lanes[BOOKS].watch_cursor
            world.edit("1001")
            world.edit("1002")
            world.plan("list_invoices", None, Fault.CUT_BEFORE_COMMIT)
            await until(lambda: not world.faults["list_invoices"])
            await let_pass(1.0)
            assert (world.database.lanes[BOOKS].watch_cursor, world.found) == (cursor, [])
            await looks(4)

    run(work())
    assert sorted(world.found) == ["edited", "edited"]
