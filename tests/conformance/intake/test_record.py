"""The intake's store takes a batch whole: each record is accounted for once, and each order stands where it should."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from consumer.domain.states import OrderState, ReasonCode
from consumer.errors import FencedError
from consumer.ports.intake import Position
from tests.conformance.intake.making import (
    CANCELLED,
    NOON,
    PAID,
    UPDATED,
    connection,
    key,
    set_up,
    shop,
    taken,
    tombstone,
    unreadable,
)
from tests.conformance.intake.rig import Rig


async def test_a_paid_order_becomes_due_and_wakes_its_lane(rig: Rig) -> None:
    """A paid order of a shop that books by itself is due at once, and its lane has work."""
    await set_up(rig)
    recorded = await rig.intake.record([taken(key())])
    seen = await rig.order(key())
    assert (seen.state, seen.reason, seen.due, seen.change) == ("due", None, True, 1)
    assert (seen.connection_id, seen.paid, seen.content, seen.number) == ("books", True, b"paid 1", "#1001")
    assert recorded.woken == {"books"}
    assert recorded.verdicts == {"newest": 1}
    assert await rig.lane("books") == (True, False)
    assert await rig.verdicts() == [("1001", "newest")]
    assert await rig.reader.states([key(), key("nobody")]) == {key(): "due"}


async def test_positions_move_with_the_batch(rig: Rig) -> None:
    """The position holds the next offset, and the last record taken with its checksum; offsets may have holes."""
    await set_up(rig)
    assert await rig.intake.positions([PAID]) == {}
    recorded = await rig.intake.record([taken(key(), 3), tombstone(7), taken(key("2"), 0, place=UPDATED)])
    assert recorded.positions == {PAID: 8, UPDATED: 1}
    assert await rig.intake.positions([PAID, CANCELLED]) == {
        PAID: Position(log=1, next_offset=8, last_offset=7, last_checksum=b"sum7")
    }


async def test_a_repeated_delivery_is_dropped(rig: Rig) -> None:
    """Records below the position are dropped, whatever they hold now; those above it are taken."""
    await set_up(rig)
    await rig.intake.record([taken(key(), 0), taken(key(), 1, 2)])
    recorded = await rig.intake.record([taken(key(), 1, 9), taken(key("2"), 2)])
    assert recorded.verdicts == {"repeated_delivery": 1, "newest": 1}
    assert (await rig.order(key())).version == 2
    assert recorded.positions == {PAID: 3}


async def test_a_batch_that_is_wholly_repeated_changes_nothing(rig: Rig) -> None:
    """The same batch again (its commit's answer was lost) wakes nobody and writes nothing."""
    await set_up(rig)
    batch = [taken(key(), 0), unreadable(1), tombstone(2)]
    await rig.intake.record(batch)
    await rig.rest("books")
    recorded = await rig.intake.record(batch)
    assert recorded.verdicts == {"repeated_delivery": 3}
    assert (recorded.woken, recorded.outbox_rows, recorded.positions) == (frozenset(), 0, {PAID: 3})
    assert len(await rig.verdicts()) == len(await rig.rejected()) == len(await rig.messages()) == 1


async def test_a_batch_is_folded_to_the_newest_revision(rig: Rig) -> None:
    """Five revisions in one batch, out of order, are one change; each event keeps its verdict."""
    await set_up(rig)
    batch = [
        taken(key(), 0, 3),
        taken(key(), 1, 1),
        taken(key(), 0, 5, place=UPDATED),
        taken(key(), 1, 4, place=UPDATED),
        taken(key(), 2, 5, place=UPDATED, text="updated 5"),
    ]
    recorded = await rig.intake.record(batch)
    seen = await rig.order(key())
    assert (seen.version, seen.content, seen.change) == (5, b"updated 5", 1)
    assert recorded.verdicts == {"newest": 2, "older": 2, "same_content": 1}


async def test_a_change_makes_a_booked_order_due_again(rig: Rig) -> None:
    """Newer content: due again, one change more, attempts begin anew; the lane is woken."""
    await set_up(rig)
    await rig.intake.record([taken(key())])
    await rig.put(key(), OrderState.BOOKED, attempts=3)
    await rig.add_document(key(), "books")
    recorded = await rig.intake.record([taken(key(), 0, 2, place=UPDATED)])
    seen = await rig.order(key())
    assert (seen.state, seen.due, seen.change, seen.attempts) == ("due", True, 2, 0)
    assert recorded.woken == {"books"}


async def test_the_same_content_moves_the_revision_on_and_nothing_else(rig: Rig) -> None:
    """An echo of our own: the revision moves on, nothing is due, nobody is woken, nothing is published."""
    await set_up(rig)
    await rig.intake.record([taken(key(), text="same")])
    await rig.put(key(), OrderState.BOOKED)
    await rig.rest("books")
    recorded = await rig.intake.record([taken(key(), 0, 2, place=UPDATED, text="same")])
    seen = await rig.order(key())
    assert (seen.state, seen.due, seen.change, seen.version, seen.content) == ("booked", False, 1, 2, b"same")
    assert (recorded.verdicts, recorded.woken) == ({"same_content": 1}, frozenset())
    assert await rig.lane("books") == (False, False)


async def test_an_older_revision_is_kept_and_harms_nothing(rig: Rig) -> None:
    """An event that lost is kept with its verdict; the content stays, its facts count."""
    await set_up(rig)
    await rig.intake.record([taken(key(), 0, 5, place=UPDATED)])
    assert (await rig.order(key())).reason == "not_paid"
    recorded = await rig.intake.record([taken(key(), 0, 4)])
    seen = await rig.order(key())
    assert recorded.verdicts == {"older": 1}
    assert (seen.version, seen.content, seen.paid, seen.state) == (5, b"updated 5", True, "due")


async def test_a_cancellation_before_booking_withdraws_silently(rig: Rig) -> None:
    """Cancelled before it was booked and announced: withdrawn, nothing due, nothing published."""
    await set_up(rig)
    await rig.intake.record([taken(key())])
    await rig.intake.record([taken(key(), 0, 2, place=CANCELLED)])
    seen = await rig.order(key())
    assert (seen.state, seen.reason, seen.due, seen.cancelled) == ("withdrawn", "cancelled", False, True)
    assert seen.content == b"paid 1"
    assert await rig.messages() == []


async def test_a_bare_cancellation_may_come_first(rig: Rig) -> None:
    """An order of which only the cancellation is known waits withdrawn, without content, and stays cancelled."""
    await set_up(rig)
    await rig.intake.record([taken(key(), 0, 2, place=CANCELLED)])
    first = await rig.order(key())
    assert (first.state, first.content) == ("withdrawn", None)
    await rig.intake.record([taken(key(), 0, 1)])
    second = await rig.order(key())
    assert (second.state, second.content, second.version) == ("withdrawn", b"paid 1", 2)


async def test_an_announced_order_that_is_cancelled_is_left_to_the_lane(rig: Rig) -> None:
    """The shop was told that it is parked, so that the lane has to tell it that it is withdrawn: due."""
    await set_up(rig)
    await rig.intake.record([taken(key())])
    await rig.put(key(), OrderState.PARKED, ReasonCode.TAX_MISSING, announced=b"digest", takes=2)
    await rig.intake.record([taken(key(), 0, 2, place=CANCELLED)])
    seen = await rig.order(key())
    assert (seen.state, seen.due, seen.takes) == ("due", True, 0)


async def test_an_order_with_an_open_intent_never_goes_to_rest(rig: Rig) -> None:
    """A call is under way when the cancellation comes: the order stays due, or nobody would ask what came of it."""
    await set_up(rig)
    await rig.intake.record([taken(key())])
    await rig.add_intent(key(), "books")
    await rig.intake.record([taken(key(), 0, 2, place=CANCELLED)])
    seen = await rig.order(key())
    assert (seen.state, seen.due, seen.change, seen.cancelled) == ("due", True, 2, True)


async def test_an_uncertain_order_stays_uncertain(rig: Rig) -> None:
    """What came of a write has to be asked first; the change grows, and the moment to ask stays."""
    await set_up(rig)
    await rig.intake.record([taken(key())])
    await rig.put(key(), OrderState.UNCERTAIN, due=True)
    await rig.add_intent(key(), "books")
    await rig.intake.record([taken(key(), 0, 2, place=UPDATED)])
    seen = await rig.order(key())
    assert (seen.state, seen.due, seen.change) == ("uncertain", True, 2)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"automatic": False}, "automatic_off"),
        ({"book_from": datetime(2026, 6, 1, tzinfo=UTC)}, "before_start"),
        ({"connection_id": None}, "no_connection"),
    ],
)
async def test_settings_hold_an_order_back(rig: Rig, fields: dict[str, Any], reason: str) -> None:
    """An order that settings hold back waits with that reason and wakes nobody."""
    await rig.settings.apply([connection()], [shop(**fields)], actor="test", dry_run=False)
    recorded = await rig.intake.record([taken(key())])
    seen = await rig.order(key())
    assert (seen.state, seen.reason, seen.due) == ("waiting", reason, False)
    assert recorded.woken == frozenset()


async def test_a_booked_order_that_changes_while_automatic_is_off_waits(rig: Rig) -> None:
    """With automatic sending off a booked order that changed is shown as changed and waits for the click."""
    await set_up(rig)
    await rig.intake.record([taken(key())])
    await rig.put(key(), OrderState.BOOKED)
    await rig.add_document(key(), "books")
    await rig.settings.apply([connection()], [shop(automatic=False)], actor="test", dry_run=False)
    assert (await rig.order(key())).state == "booked"
    await rig.intake.record([taken(key(), 0, 2, place=UPDATED)])
    seen = await rig.order(key())
    assert (seen.state, seen.reason, seen.due) == ("waiting", "changed_automatic_off", False)


async def test_an_unknown_shops_order_waits(rig: Rig) -> None:
    """An order of a shop that nobody has set up waits; nothing is rejected."""
    recorded = await rig.intake.record([taken(key(shop_id="nowhere"))])
    seen = await rig.order(key(shop_id="nowhere"))
    assert (seen.state, seen.reason, seen.connection_id) == ("waiting", "unknown_shop", None)
    assert recorded.verdicts == {"newest": 1}


async def test_more_than_ten_changes_in_an_hour_park(rig: Rig) -> None:
    """Ten changes pass, the eleventh within the hour parks; an hour later a change makes it due again."""
    await set_up(rig)
    await rig.intake.record([taken(key())])
    for version in range(2, 12):
        await rig.intake.record([taken(key(), version, version, place=UPDATED)])
    assert (await rig.order(key())).state == "due"
    await rig.intake.record([taken(key(), 12, 12, place=UPDATED)])
    seen = await rig.order(key())
    assert (seen.state, seen.reason, seen.due, seen.change) == ("parked", "changes_in_a_loop", False, 12)
    await rig.age_changes(key(), timedelta(hours=1, seconds=1))
    await rig.intake.record([taken(key(), 13, 13, place=UPDATED)])
    assert (await rig.order(key())).state == "due"


async def test_a_rejection_is_kept_and_told_without_its_payload(rig: Rig) -> None:
    """What cannot be an order is kept raw and told of; the records beside it are taken."""
    await set_up(rig)
    recorded = await rig.intake.record(
        [
            taken(key(), 0),
            unreadable(1, value=b"{secret", shop_id="north", order_id="7"),
            unreadable(2),
            taken(key("2"), 3),
        ]
    )
    assert recorded.verdicts == {"newest": 2, "rejected": 2}
    assert recorded.outbox_rows == 2
    assert await rig.rejected() == [("json_malformed", b"{secret", 7), ("json_malformed", b"{", 1)]
    messages = await rig.messages()
    assert [(kind, record_key, state) for kind, record_key, _, state in messages] == [
        ("order.rejected", "north/7", "waiting"),
        ("order.rejected", "order.paid/0/2", "waiting"),
    ]
    assert json.loads(messages[0][2])["reason"] == "json_malformed"


async def test_a_rejected_value_is_cut_at_a_mebibyte(rig: Rig) -> None:
    """Of a huge message no more than 1 MiB is kept; its whole size is."""
    await rig.intake.record([unreadable(0, value=b"x" * (1024 * 1024 + 5))])
    reason, value, size = (await rig.rejected())[0]
    assert (reason, len(value or b""), size) == ("json_malformed", 1024 * 1024, 1024 * 1024 + 5)


async def test_a_tombstone_is_counted_and_passed_over(rig: Rig) -> None:
    """A record without a value moves the position and does nothing else."""
    recorded = await rig.intake.record([tombstone(0)])
    assert (recorded.verdicts, recorded.positions) == ({"tombstone": 1}, {PAID: 1})


async def test_the_first_event_fixes_the_shops_revision_key(rig: Rig) -> None:
    """Unset, the key is what the first event has; an event without it is rejected from then on, never compared."""
    await set_up(rig)
    assert [s.revision for s in await rig.settings.shops()] == [None]
    recorded = await rig.intake.record([taken(key(), 0, 7), taken(key("2"), 1, None)])
    assert [s.revision for s in await rig.settings.shops()] == ["version"]
    assert recorded.verdicts == {"newest": 1, "revision_missing": 1}
    assert [reason for reason, _, _ in await rig.rejected()] == ["revision_missing"]
    assert (await rig.messages())[0][1] == "north/2"
    assert await rig.verdicts() == [("1001", "newest")]


async def test_a_revision_from_the_future_is_rejected(rig: Rig) -> None:
    """A time more than an hour ahead of the database's clock would win for ever: it is rejected; within it is not."""
    await set_up(rig)
    now = datetime.now(UTC)
    fields: dict[str, Any] = {"version": None}
    near = taken(key(), 0, **fields, updated_at=now + timedelta(minutes=50))
    far = taken(key("2"), 1, **fields, updated_at=now + timedelta(minutes=70))
    recorded = await rig.intake.record([near, far])
    assert recorded.verdicts == {"newest": 1, "revision_in_future": 1}


async def test_an_order_stays_with_the_connection_it_was_booked_in(rig: Rig) -> None:
    """The shop has moved: an order with a document goes on in the old connection, a new one in the new."""
    await set_up(rig)
    await rig.intake.record([taken(key())])
    await rig.put(key(), OrderState.BOOKED)
    await rig.add_document(key(), "books")
    await rig.settings.apply(
        [connection(), connection("other")], [shop(connection_id="other")], actor="test", dry_run=False
    )
    recorded = await rig.intake.record([taken(key(), 0, 2, place=UPDATED), taken(key("2"), 1)])
    assert (await rig.order(key())).connection_id == "books"
    assert (await rig.order(key())).state == "due"
    assert (await rig.order(key("2"))).connection_id == "other"
    assert recorded.woken == {"books", "other"}


async def test_a_batch_from_an_older_log_is_refused(rig: Rig) -> None:
    """Somebody has begun a new log of the partition: a batch read from the old one is refused as a whole."""
    await set_up(rig)
    await rig.intake.record([taken(key(), 5)])
    assert await rig.intake.begin_log(PAID, 0) == Position(log=2, next_offset=0)
    with pytest.raises(FencedError, match="log 2"):
        await rig.intake.record([taken(key(), 6, 2)])
    assert (await rig.order(key())).version == 1
    recorded = await rig.intake.record([taken(key(), 0, 2, log=2)])
    assert recorded.positions == {PAID: 1}


async def test_beginning_a_log_records_the_gap_once(rig: Rig) -> None:
    """A new log begins at the given offset, and the end of the old one is a gap; begun twice it is one."""
    assert await rig.intake.begin_log(PAID, 0) == Position(log=1, next_offset=0)
    assert await rig.gaps() == []
    await rig.intake.record([taken(key(), 5)])
    for _ in range(2):
        assert await rig.intake.begin_log(PAID, 0) == Position(log=2, next_offset=0)
    assert await rig.gaps() == [("made_again", 1, 6, None)]


async def test_a_message_without_shop_settings_uses_its_own_key(rig: Rig) -> None:
    """Orders of an unknown shop are compared by what they have, here the time they were updated."""
    order = key(shop_id="nowhere")
    later = NOON + timedelta(minutes=1)
    await rig.intake.record([taken(order, 0, None, updated_at=later, text="late")])
    recorded = await rig.intake.record([taken(order, 1, None, updated_at=NOON, text="early")])
    assert recorded.verdicts == {"older": 1}
    assert (await rig.order(order)).content == b"late"


async def test_an_empty_batch_is_nothing(rig: Rig) -> None:
    """Nothing in, nothing out."""
    recorded = await rig.intake.record([])
    assert (recorded.positions, recorded.verdicts, recorded.outbox_rows) == ({}, {}, 0)
