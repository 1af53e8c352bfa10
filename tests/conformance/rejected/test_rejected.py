"""Rejected messages: listed, read as they came, put in again at their place and time, and dropped; all audited."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from consumer.domain.events import EventKind, Rejected
from consumer.domain.settings import RevisionKey, ShopSettings
from consumer.domain.states import OrderState, Priority
from consumer.ports.intake import Taken
from consumer.ports.rejected import RejectedFilter, RejectedState, RejectedStore
from consumer.services.record_reading import reading_of
from consumer.services.rejected import Outcome, RejectedRetry
from tests.conformance.intake.making import UPDATED, key, shop, taken, unreadable
from tests.conformance.lanes.bench import Bench, MemoryBench, PostgresBench
from tests.conformance.lanes.scenes import books

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
ALL = RejectedFilter(state=None)
KINDS: Mapping[str, EventKind] = {"order.paid": EventKind.PAID, "order.updated": EventKind.UPDATED}
BYTES = b'\xff\x00 "\x1b[31m" {'
HEADERS = (("content-type", b"application/json"), ("trace", b"\x00\xfe"))


def order(order_id: str = "1", **fields: Any) -> bytes:
    """Write an order of the shop, as it lies in Kafka."""
    data: dict[str, Any] = {
        "shop_id": "north",
        "order_id": order_id,
        "version": 1,
        "currency": "EUR",
        "lines": [{"name": "Mug", "quantity": "1", "unit_price": "12.30"}],
        "totals": {"grand_total": "12.30"},
        **fields,
    }
    return json.dumps({name: value for name, value in data.items() if value is not None}).encode()


def bad(offset: int, value: bytes, **fields: Any) -> Taken:
    """Make a rejected record with key and headers."""
    given = {"record_key": b"north/1", "headers": HEADERS, "shop_id": "north", "order_id": "1", **fields}
    return unreadable(offset, value=value, **given)


async def set_up(bench: Bench, *shops: ShopSettings) -> None:
    """Apply the connection and its shop."""
    await bench.settings.apply([books()], shops or (shop(),), actor="test", dry_run=False)


async def retry_of(bench: Bench, rejected: RejectedStore) -> RejectedRetry:
    """Make the way to put messages in again, with the shops as they are now."""
    reading = reading_of(await bench.settings.shops(), shared_topics=tuple(KINDS))
    return RejectedRetry(store=rejected, intake=bench.intake, reading=reading, kinds=KINDS)


async def ids(rejected: RejectedStore, wanted: RejectedFilter = RejectedFilter(), limit: int = 100) -> list[int]:  # noqa: B008 it is frozen
    """List messages by id."""
    return [row.row_id for row in await rejected.find(wanted, limit)]


async def test_what_came_is_kept_to_the_byte(bench: Bench, rejected: RejectedStore) -> None:
    """Value, key, headers, place and findings are read back as they came; a list leaves the values out."""
    await set_up(bench)
    record = bad(7, BYTES)
    await bench.intake.record([record])
    (listed,) = await rejected.find(RejectedFilter(), 10)
    assert listed.rejected.value is None
    row = await rejected.read(listed.row_id)
    assert row is not None
    assert row.rejected == record.outcome
    assert (row.state, row.is_whole) == (RejectedState.OPEN, True)
    assert await rejected.read(listed.row_id + 99) is None


async def test_messages_are_found_by_shop_reason_time_and_state(bench: Bench, rejected: RejectedStore) -> None:
    """The newest first, and no more than asked for."""
    await set_up(bench)
    await bench.intake.record([bad(0, b"{"), bad(1, b"[", shop_id="south"), bad(2, b"x")])
    everything = await ids(rejected)
    assert everything == sorted(everything, reverse=True)
    assert len(everything) == 3
    assert await ids(rejected, limit=2) == everything[:2]
    assert await ids(rejected, RejectedFilter(shop_id="south")) == [everything[1]]
    assert await ids(rejected, RejectedFilter(reason="json_malformed")) == everything
    assert await ids(rejected, RejectedFilter(reason="too_large")) == []
    assert await ids(rejected, RejectedFilter(since=LONG_AGO)) == everything
    assert await ids(rejected, RejectedFilter(since=datetime.now(UTC) + timedelta(days=365))) == []
    await rejected.settle(everything[0], RejectedState.DROPPED, actor="jane")
    assert await ids(rejected) == everything[1:]
    assert await ids(rejected, RejectedFilter(state=RejectedState.DROPPED)) == everything[:1]
    assert await ids(rejected, ALL) == everything


async def test_a_message_is_put_in_after_the_fix_at_its_place_and_time(bench: Bench, rejected: RejectedStore) -> None:
    """The schema of the time refused it; today's reader takes it: with its own offset, and the time of its coming."""
    await set_up(bench)
    await bench.intake.record([bad(7, order())])
    (row_id,) = await ids(rejected)
    row = await rejected.read(row_id)
    assert row is not None
    result = await (await retry_of(bench, rejected)).retry(row_id, actor="jane")
    assert (result.outcome, "Order 1 of shop north" in result.words) == (Outcome.TAKEN_IN, True)
    story = await bench.people.story(key("1"))
    assert story is not None
    (event,) = [line.details for line in story.lines if line.kind == "event"]
    assert (event["topic"], event["partition"], event["offset"]) == ("order.paid", 0, 7)
    assert story.order.event_time is not None
    assert abs(story.order.event_time - row.received_at) < timedelta(seconds=1)
    assert (story.order.facts.paid, story.order.state) == (True, OrderState.DUE)
    assert story.order.priority is Priority.BACKFILL
    assert [line.text for line in story.lines if line.kind == "audit"] == ["jane: rejected retried"]
    assert await ids(rejected) == []
    assert await bench.lanes.lease_due("one", 15.0, 5)


async def test_a_message_that_is_put_in_twice_is_one_event(bench: Bench, rejected: RejectedStore) -> None:
    """A crash between the putting in and the note of it harms nothing; who comes second is told that it is done."""
    await set_up(bench)
    await bench.intake.record([bad(7, order())])
    (row_id,) = await ids(rejected)
    way = await retry_of(bench, rejected)
    crashed = RejectedRetry(store=_NoNotes(rejected), intake=bench.intake, reading=way.reading, kinds=KINDS)
    with pytest.raises(RuntimeError, match="crash"):
        await crashed.retry(row_id, actor="jane")
    assert (await way.retry(row_id, actor="jane")).outcome is Outcome.TAKEN_IN
    assert (await way.retry(row_id, actor="john")).outcome is Outcome.NOT_OPEN
    story = await bench.people.story(key("1"))
    assert story is not None
    assert len([line for line in story.lines if line.kind == "event"]) == 1
    assert story.order.change == 1


async def test_a_message_that_is_still_bad_stays_open_and_says_why(bench: Bench, rejected: RejectedStore) -> None:
    """By the rules of today, which may name another fault than those of the day it came."""
    await set_up(bench)
    await bench.intake.record([bad(7, order(currency=None))])
    (row_id,) = await ids(rejected)
    result = await (await retry_of(bench, rejected)).retry(row_id, actor="jane")
    assert (result.outcome, "currency" in result.words) == (Outcome.STILL_BAD, True)
    row = await rejected.read(row_id)
    assert row is not None
    assert (row.state, row.rejected.reason) == (RejectedState.OPEN, "missing_field")
    assert await bench.bookings.read(key("1")) is None
    assert await _audited(bench) == [("jane", "rejected again")]


async def test_an_order_that_still_lacks_its_shops_revision_stays_open(bench: Bench, rejected: RejectedStore) -> None:
    """It can be read, and still cannot be placed; once the shop goes by another key it can."""
    await set_up(bench, shop(revision=RevisionKey.VERSION))
    dated = order(version=None, updated_at="2026-03-02T12:00:00Z")
    await bench.intake.record([bad(7, dated)])
    (row_id,) = await ids(rejected)
    result = await (await retry_of(bench, rejected)).retry(row_id, actor="jane")
    assert result.outcome is Outcome.STILL_BAD
    assert await ids(rejected) == [row_id]
    row = await rejected.read(row_id)
    assert row is not None
    assert row.rejected.reason == "revision_missing"
    await set_up(bench, shop(revision=RevisionKey.UPDATED_AT))
    assert (await (await retry_of(bench, rejected)).retry(row_id, actor="jane")).outcome is Outcome.TAKEN_IN


async def test_what_the_store_itself_rejects_is_kept_with_key_and_headers(
    bench: Bench, rejected: RejectedStore
) -> None:
    """Without them a message in binary mode, or of a platform, could not be read again."""
    await set_up(bench, shop(revision=RevisionKey.VERSION))
    record = replace(taken(key("1"), 3, None), value=order(), record_key=b"north/1", headers=HEADERS)
    await bench.intake.record([record])
    (row_id,) = await ids(rejected)
    row = await rejected.read(row_id)
    assert row is not None
    assert (row.rejected.reason, row.rejected.record_key) == ("revision_missing", b"north/1")
    assert (row.rejected.headers, row.rejected.value) == (HEADERS, order())


async def test_of_a_message_that_was_cut_nothing_is_put_in(bench: Bench, rejected: RejectedStore) -> None:
    """Half an order may be readable and is another order."""
    await set_up(bench)
    record = bad(7, order())
    assert isinstance(record.outcome, Rejected)
    cut = replace(record, outcome=replace(record.outcome, size=2_000_000))
    await bench.intake.record([cut])
    (row_id,) = await ids(rejected)
    result = await (await retry_of(bench, rejected)).retry(row_id, actor="jane")
    assert (result.outcome, "2000000 bytes" in result.words) == (Outcome.STILL_BAD, True)
    assert await bench.bookings.read(key("1")) is None


async def test_an_older_revision_put_in_late_loses_as_it_would_have(bench: Bench, rejected: RejectedStore) -> None:
    """The order has gone on since: what was rejected is kept, and changes nothing."""
    await set_up(bench)
    await bench.intake.record([bad(7, order())])
    await bench.intake.record([taken(key("1"), 0, 5, place=UPDATED)])
    (row_id,) = await ids(rejected)
    assert (await (await retry_of(bench, rejected)).retry(row_id, actor="jane")).outcome is Outcome.TAKEN_IN
    record = await bench.bookings.read(key("1"))
    assert record is not None
    assert (record.version, record.facts.paid) == (5, True)


async def test_a_message_is_dropped_once(bench: Bench, rejected: RejectedStore) -> None:
    """With the note in the audit log; it is not retried after that, and an unknown id is said to be one."""
    await set_up(bench)
    await bench.intake.record([bad(7, order())])
    (row_id,) = await ids(rejected)
    assert await rejected.settle(row_id, RejectedState.DROPPED, actor="jane", note="a test")
    assert not await rejected.settle(row_id, RejectedState.DROPPED, actor="john")
    way = await retry_of(bench, rejected)
    assert (await way.retry(row_id, actor="john")).outcome is Outcome.NOT_OPEN
    assert (await way.retry(row_id + 99, actor="john")).outcome is Outcome.UNKNOWN
    assert not await rejected.settle(row_id + 99, RejectedState.DROPPED, actor="john")
    assert await _audited(bench) == [("jane", "rejected dropped")]


class _NoNotes:
    """A store of a process that dies before it can note what it did."""

    def __init__(self, inner: RejectedStore) -> None:
        self.find = inner.find
        self.read = inner.read
        self.still_bad = inner.still_bad

    async def settle(self, row_id: int, state: RejectedState, *, actor: str, note: str = "") -> bool:
        raise RuntimeError(f"crash before {row_id} was {state.value} by {actor}{note}")


async def _audited(bench: Bench) -> list[tuple[str, str]]:
    """Look at who did what to the messages of order 1."""
    if isinstance(bench, MemoryBench):
        return [(a["actor"], a["action"]) for a in bench.database.audit if a["action"].startswith("rejected")]
    assert isinstance(bench, PostgresBench)
    rows = await bench.fetch("SELECT actor, action FROM audit_log WHERE action LIKE 'rejected%' ORDER BY id")
    return [(row["actor"], row["action"]) for row in rows]
