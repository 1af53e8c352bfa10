"""What the watch keeps, in memory and in Postgres: how far it came, what is known, noticed, put off and missing."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from consumer.domain.ledger import Invoice, InvoiceStatus
from consumer.domain.records import Announcement, Conclusion, Note, Resolution
from consumer.domain.states import OrderState, Reason, ReasonCode
from consumer.domain.watching import Found, Known, Verdict
from consumer.ports.lanes import LaneLease
from consumer.ports.watch import Notice, WatchStore
from tests.conformance.intake.making import key
from tests.conformance.lanes.bench import Bench
from tests.conformance.lanes.scenes import (
    BOOKS,
    begin,
    booked,
    change,
    claim,
    concluded,
    invoice,
    lease,
    news,
    open_books,
    pay,
)

WROTE = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)  # by the ledger, our own last write
LATER = WROTE + timedelta(hours=1)


async def _made(bench: Bench, order: str = "1001", leased: LaneLease | None = None, **fields: Any) -> LaneLease:
    """Book an order, so that it has a live invoice."""
    if leased is None:
        await open_books(bench, order)
        leased = await lease(bench)
    else:
        await pay(bench, order, first_offset=int(order))
    await claim(bench, leased)
    intent_id, slot = await begin(bench, leased, key(order))
    given = {"ledger_modified_at": WROTE, "reference": order, "ledger_id": f"46{order}", "unique_key": "", **fields}
    assert await bench.bookings.record(booked(key(order), intent_id, slot, document=invoice(**given)))
    return leased


async def _known(store: WatchStore, ledger_id: str = "461001") -> Known:
    (known,) = await store.known(BOOKS, [ledger_id])
    return known


def _listed(ledger_id: str = "461001", modified_at: datetime | None = LATER) -> Invoice:
    return Invoice(
        invoice_id=ledger_id,
        number="INV-1",
        status=InvoiceStatus.DRAFT,
        reference="1001",
        contact_id="c-1",
        total=Decimal("13.30"),
        currency="EUR",
        modified_at=modified_at,
    )


def _notice(known: Known, *, gone: bool = False, announcement: Announcement | None = None, **fields: Any) -> Notice:
    document = replace(known.document, status="voided_by_hand", live=False) if gone else known.document
    verdict = Verdict(
        found=Found.VOIDED if gone else Found.EDITED,
        document=fields.pop("document", document),
        noticed_at=LATER,
        note=Note(decision="edited_by_hand", words=("It was edited.",)),
        gone=gone,
    )
    given: dict[str, Any] = {"change": known.change, "judged_until": known.judged_until, **fields}
    return Notice(key=known.key, connection_id=BOOKS, verdict=verdict, announcement=announcement, **given)


# ---- how far ----


async def test_a_watch_begins_at_the_oldest_of_the_newest_invoices(bench: Bench, store: WatchStore) -> None:
    """Without an invoice there is nothing to begin with; with more than the limit the oldest are left out."""
    await open_books(bench)
    assert await store.first_cursor(BOOKS, 10) is None
    leased = await _made(bench)
    await _made(bench, "1002", leased, ledger_modified_at=LATER)
    assert await store.first_cursor(BOOKS, 10) == WROTE
    assert await store.first_cursor(BOOKS, 1) == LATER


async def test_how_far_a_look_came_is_kept(bench: Bench, store: WatchStore) -> None:
    """Cursor and cover are given back as they were saved; a new watch has neither, and no plan."""
    await open_books(bench)
    fresh = await store.state(BOOKS)
    assert (fresh.cursor, fresh.covered_since, fresh.due_in_seconds, fresh.daily_calls) == (None, None, None, 1000)
    await store.save_look(BOOKS, cursor=LATER, covered_since=WROTE)
    state = await store.state(BOOKS)
    assert (state.cursor, state.covered_since) == (LATER, WROTE)
    with pytest.raises(LookupError, match="nowhere"):
        await store.state("nowhere")


async def test_a_planned_look_makes_the_lane_due_without_an_order(bench: Bench, store: WatchStore) -> None:
    """The lane is leased when the look falls due, not before; who was overtaken plans nothing."""
    leased = await _made(bench)
    await store.plan(leased, 100.0)
    await bench.lanes.give_back(leased)
    waits = await bench.lanes.next_due_seconds()
    assert waits is not None
    assert 95.0 < waits <= 100.0
    assert await bench.lanes.lease_due("two", 15.0, 5) == []
    await bench.elapse(101.0)
    (second,) = await bench.lanes.lease_due("two", 15.0, 5)
    due = (await store.state(BOOKS)).due_in_seconds
    assert due is not None
    assert due <= 0
    await store.plan(leased, 500.0)  # the lease of before
    assert (await store.state(BOOKS)).due_in_seconds == pytest.approx(due, abs=5.0)
    await store.plan(second, 500.0)
    assert (await store.state(BOOKS)).due_in_seconds == pytest.approx(500.0, abs=5.0)


# ---- our invoices ----


async def test_an_invoice_of_ours_is_known_with_how_its_order_stands(bench: Bench, store: WatchStore) -> None:
    """By the ledger's id, only of this connection; busy while the order is due."""
    await _made(bench)
    known = await _known(store)
    assert (known.key, known.state, known.busy, known.put_off) == (key("1001"), OrderState.BOOKED, False, False)
    assert (known.document.ledger_id, known.judged_until) == ("461001", WROTE)
    assert await store.known(BOOKS, ["999"]) == []
    assert await store.known("other", ["461001"]) == []
    await change(bench, "1001", offset=7)
    assert (await _known(store)).busy


async def test_a_write_in_flight_makes_its_order_busy(bench: Bench, store: WatchStore) -> None:
    """From the commit of the intent on."""
    leased = await _made(bench)
    await begin(bench, leased, key("1001"), operation="update_invoice")
    assert (await _known(store)).busy


async def test_an_intent_for_something_else_of_the_order_does_not(bench: Bench, store: WatchStore) -> None:
    """A deletion of a double, of which no answer came, must not keep the order from being judged for ever."""
    leased = await _made(bench)
    await begin(bench, leased, key("1001"), operation="delete_invoice", subject="double:77")
    assert not (await _known(store)).busy


async def test_our_live_invoice_is_found_by_its_reference(bench: Bench, store: WatchStore) -> None:
    """One that is gone is not."""
    leased = await _made(bench)
    assert [known.document.ledger_id for known in await store.by_reference(BOOKS, ["1001", "1002"])] == ["461001"]
    assert await store.by_reference(BOOKS, ["1002"]) == []
    await store.notice(_notice(await _known(store), gone=True))
    assert await store.by_reference(BOOKS, ["1001"]) == []
    assert leased.connection_id == BOOKS


async def test_the_requests_for_an_order_are_told_with_what_came_of_them(bench: Bench, store: WatchStore) -> None:
    """What each asked for, and whether the story spoke of this document already."""
    await _made(bench)
    suspicion = await store.suspicion(key("1001"), "77")
    (creation,) = suspicion.creations
    assert (creation.sought["total"], creation.resolution) == ("12.30", Resolution.DONE)
    assert not suspicion.told
    await store.tell(key("1001"), 1, Note(decision="late_double", figures={"ledger_id": "77"}))
    assert (await store.suspicion(key("1001"), "77")).told
    assert not (await store.suspicion(key("1001"), "78")).told


# ---- notices ----


async def test_a_notice_is_kept_with_its_line_and_does_not_move_our_own_moment(bench: Bench, store: WatchStore) -> None:
    """The document is known as noticed until then, and its own last write stays what it was."""
    await _made(bench)
    known = await _known(store)
    edited = replace(known.document, status="sent", balance=Decimal("1.00"))
    assert await store.notice(_notice(known, document=edited))
    after = await _known(store)
    assert (after.noticed_at, after.document.ledger_modified_at, after.judged_until) == (LATER, WROTE, LATER)
    assert (after.document.status, after.document.balance) == ("sent", Decimal("1.00"))
    assert (await bench.decisions(key("1001")))[-1] == "edited_by_hand"
    assert not after.busy


async def test_the_same_notice_is_not_kept_twice(bench: Bench, store: WatchStore) -> None:
    """Two looks that judged the same list: the second finds that the document was judged until then already."""
    await _made(bench)
    known = await _known(store)
    assert await store.notice(_notice(known))
    assert not await store.notice(_notice(known))
    assert (await bench.decisions(key("1001"))).count("edited_by_hand") == 1


async def test_an_order_in_work_keeps_its_document(bench: Bench, store: WatchStore) -> None:
    """A change that came since, or a write in flight: nothing is noticed, the booking looks for itself."""
    leased = await _made(bench)
    known = await _known(store)
    intent_id, slot = await begin(bench, leased, key("1001"), operation="update_invoice")
    assert not await store.notice(_notice(known, gone=True))
    moved = replace(known.document, ledger_modified_at=LATER, total=Decimal(99))
    assert await bench.bookings.record(booked(key("1001"), intent_id, slot, document=moved))
    assert not await store.notice(_notice(known, gone=True))  # it has another moment of ours by now
    await change(bench, "1001", offset=7)
    assert not await store.notice(_notice(await _known(store), gone=True))
    assert (await _known(store)).document.total == Decimal(99)


async def test_what_is_gone_makes_its_order_due(bench: Bench, store: WatchStore) -> None:
    """Also a parked one: its change counts up, so that nothing decided before is carried out, and the lane wakes."""
    leased = await _made(bench)
    await change(bench, "1001", offset=7)
    await claim(bench, leased)
    reason = Reason(code=ReasonCode.CHANGED_AFTER_BOOKING, message="It changed.", fix="Look.")
    parked = Conclusion(state=OrderState.PARKED, reason=reason)
    assert await bench.bookings.record(concluded(key("1001"), parked, change=2))
    await bench.set_next_due(BOOKS, None)
    assert await store.notice(_notice(await _known(store), gone=True))
    record = await bench.bookings.read(key("1001"))
    assert record is not None
    assert (record.state, record.change, record.live_invoice, record.reason) == (OrderState.DUE, 3, None, None)
    assert await bench.due_in_seconds(key("1001")) is not None
    assert await bench.next_due_in_seconds(BOOKS) is not None


async def test_the_shop_is_told_once_of_what_is_news(bench: Bench, store: WatchStore) -> None:
    """The same digest as before is no news; another one takes the order's next number."""
    await _made(bench)
    known = await _known(store)
    assert await store.notice(_notice(known, announcement=news(b"booked")))
    assert [told.sequence for told in await bench.told()] == [1]
    again = replace(_notice(await _known(store), announcement=news(b"sent")))
    assert await store.notice(again)
    told = (await bench.told())[-1]
    assert (told.sequence, told.payload, told.record_key) == (2, b"sent 2", "north/1001")


async def test_links_follow_a_merged_contact(bench: Bench, store: WatchStore) -> None:
    """Only those of the contact that was merged."""
    leased = await _made(bench)
    await bench.contacts.drop(BOOKS, "nobody")
    known = await _known(store)
    moved = replace(known.document, contact_id="c-9")
    assert await store.notice(_notice(known, document=moved, contact_moved_from="c-1"))
    assert (await _known(store)).document.contact_id == "c-9"
    assert leased.connection_id == BOOKS


# ---- what has to wait ----


async def test_what_is_put_off_comes_back_once_its_order_is_settled(bench: Bench, store: WatchStore) -> None:
    """With the newest row of it; a row of no order of ours comes back at once."""
    leased = await _made(bench)
    await change(bench, "1001", offset=7)
    await store.put_off(BOOKS, [_listed(modified_at=WROTE + timedelta(minutes=1)), _listed("77")])
    await store.put_off(BOOKS, [_listed()])
    assert [row.invoice_id for row in await store.put_off_rows(BOOKS, 10)] == ["77"]
    assert (await _known(store)).put_off
    await claim(bench, leased)
    await bench.bookings.record(concluded(key("1001"), Conclusion(state=OrderState.BOOKED), change=2))
    rows = {row.invoice_id: row for row in await store.put_off_rows(BOOKS, 10)}
    assert rows["461001"] == _listed()
    await store.settle(BOOKS, ["461001", "77"])
    assert await store.put_off_rows(BOOKS, 10) == []
    assert not (await _known(store)).put_off


async def test_what_was_put_off_and_was_our_own_write_is_no_news(bench: Bench, store: WatchStore) -> None:
    """Once our record has the row's moment, nothing is waiting for a judgement."""
    await _made(bench)
    await store.put_off(BOOKS, [_listed(modified_at=WROTE)])
    assert not (await _known(store)).put_off


# ---- the sweep ----


async def test_what_a_sweep_has_not_seen_is_missing(bench: Bench, store: WatchStore) -> None:
    """Of two invoices that were there when it began, the one that stood on no page; what was made since is not."""
    leased = await _made(bench)
    await _made(bench, "1002", leased)
    await bench.elapse(1.0)
    await store.begin_sweep(BOOKS)
    await store.save_sweep(BOOKS, 1)
    await bench.elapse(1.0)
    await store.seen(BOOKS, ["461001"])
    await _made(bench, "1003", leased)
    assert [known.key for known in await store.missing(BOOKS, 10)] == [key("1002")]
    assert (await store.state(BOOKS)).sweep_page == 1
    await store.notice(_notice(await _known(store, "461002"), gone=True))
    assert await store.missing(BOOKS, 10) == []


async def test_the_next_sweep_has_seen_nothing_yet(bench: Bench, store: WatchStore) -> None:
    """What the one before has seen counts for that one only; so many at most are given."""
    leased = await _made(bench)
    await _made(bench, "1002", leased)
    await store.seen(BOOKS, ["461001", "461002"])
    await bench.elapse(1.0)
    await store.begin_sweep(BOOKS)
    assert len(await store.missing(BOOKS, 10)) == 2
    assert len(await store.missing(BOOKS, 1)) == 1
