"""Two processes at once, one killed in the middle, data that Postgres refuses: the intake's store on real Postgres."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from consumer.adapters.postgres.pool import Database
from consumer.domain.events import OrderEvent
from consumer.errors import DatabaseUnavailableError
from consumer.ports.intake import Taken, TopicPartition
from tests.conformance.intake.making import NOON, PAID, UPDATED, connection, key, set_up, shop, taken, unreadable
from tests.conformance.intake.memory_rig import MemoryRig
from tests.conformance.intake.rig import PostgresRig

DEADLINE_SECONDS = 20


async def _until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(DEADLINE_SECONDS):
        while not await condition():
            pass


def _waits_for_lock(rig: PostgresRig, count: int = 1) -> Callable[[], Awaitable[bool]]:
    async def waits() -> bool:
        query = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        rows = await rig.fetch(query)
        return bool(rows[0]["count"] >= count)

    return waits


async def _outsider(rig: PostgresRig) -> "asyncpg.Connection[asyncpg.Record]":
    return await asyncpg.connect(rig.url)


async def test_an_order_added_meanwhile_is_folded_and_not_overwritten(postgres_rig: PostgresRig) -> None:
    """Neither of two sees the order, both insert it: who comes second runs again and folds into the other's."""
    await set_up(postgres_rig)
    other = await _outsider(postgres_rig)
    transaction = other.transaction()
    await transaction.start()
    # The other process has inserted the order with revision 1, and has not committed yet.
    await postgres_rig.intake.record([taken(key("template"), 0)])
    await other.execute(
        """INSERT INTO orders (shop_id, order_id, connection_id, number, head, content, content_hash, currency, paid,
                               paid_moment, state, due_at)
           SELECT shop_id, '1001', connection_id, number, head, content, content_hash, currency, paid, paid_moment,
                  state, due_at FROM orders WHERE order_id = 'template'"""
    )
    ours = asyncio.create_task(postgres_rig.intake.record([taken(key(), 0, 2, place=UPDATED)]))
    await _until(_waits_for_lock(postgres_rig))
    await transaction.commit()
    recorded = await asyncio.wait_for(ours, DEADLINE_SECONDS)
    await other.close()
    seen = await postgres_rig.order(key())
    # Had ours not run again it would know nothing of the payment, or stand as a new order with change 1.
    assert (seen.version, seen.change, seen.paid, seen.content) == (2, 2, True, b"updated 2")
    assert recorded.verdicts == {"newest": 1}
    assert len(await postgres_rig.verdicts()) == 2


async def test_many_processes_over_the_same_orders_lose_nothing(postgres_rig: PostgresRig) -> None:
    """Four processes write revisions of the same forty orders from four partitions, in any order: the newest wins."""
    await set_up(postgres_rig)
    choice = random.Random(7)  # noqa: S311 - a seed for a test, no secret
    places = [TopicPartition("order.paid", number) for number in range(4)]

    async def one_process(place: TopicPartition, versions: list[int]) -> None:
        for start in range(0, 10, 2):
            batch = [
                taken(key(str(order)), (start + step) * 40 + index, versions[start + step], place=place)
                for step in range(2)
                for index, order in enumerate(choice.sample(range(40), 40))
            ]
            await postgres_rig.intake.record(batch)

    numbers = choice.sample(range(1, 41), 40)
    async with asyncio.timeout(60):
        await asyncio.gather(*(one_process(place, numbers[at * 10 : at * 10 + 10]) for at, place in enumerate(places)))
    rows = await postgres_rig.fetch("SELECT head, content, state FROM orders ORDER BY order_id")
    assert [row["head"]["revision"][0] for row in rows] == [40] * 40
    assert {row["content"] for row in rows} == {b"paid 40"}
    assert [row["head"]["events"] for row in rows] == [40] * 40
    assert len(await postgres_rig.verdicts()) == 1600


async def test_two_processes_with_the_same_partition_take_each_record_once(postgres_rig: PostgresRig) -> None:
    """Who lost its partition in a rebalance records the batch that the new owner records too: it counts once."""
    await set_up(postgres_rig)
    batch = [taken(key(str(number)), number) for number in range(100)]
    both = await asyncio.gather(*(postgres_rig.intake.record(batch) for _ in range(2)))
    assert sorted(tuple(one.verdicts.items()) for one in both) == [(("newest", 100),), (("repeated_delivery", 100),)]
    assert len(await postgres_rig.verdicts()) == 100


async def test_a_killed_connection_leaves_nothing_half_done(postgres_rig: PostgresRig) -> None:
    """The server ends the connection between two statements: nothing of the batch is there, and it can be repeated."""
    await set_up(postgres_rig)
    batch = [taken(key(), 0), unreadable(1)]
    other = await _outsider(postgres_rig)
    transaction = other.transaction()
    await transaction.start()
    # Held by the other, the lane's row stops ours at its last statement, after everything else was written.
    await other.execute("SELECT FROM lanes FOR UPDATE")
    ours = asyncio.create_task(postgres_rig.intake.record(batch))
    await _until(_waits_for_lock(postgres_rig))
    await other.execute(
        """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
           WHERE wait_event_type = 'Lock' AND datname = current_database()"""
    )
    with pytest.raises(DatabaseUnavailableError):
        await asyncio.wait_for(ours, DEADLINE_SECONDS)
    await transaction.rollback()
    await other.close()
    assert await postgres_rig.verdicts() == []
    assert await postgres_rig.rejected() == []
    assert await postgres_rig.intake.positions([PAID]) == {}
    recorded = await postgres_rig.intake.record(batch)
    assert recorded.verdicts == {"newest": 1, "rejected": 1}


async def test_a_cancelled_batch_leaves_nothing_and_gives_its_connection_back(postgres_rig: PostgresRig) -> None:
    """A process that is told to stop gives up in the middle: rolled back, and the pool is whole."""
    await set_up(postgres_rig)
    other = await _outsider(postgres_rig)
    transaction = other.transaction()
    await transaction.start()
    await other.execute("SELECT FROM lanes FOR UPDATE")
    for _ in range(12):  # more often than the pool has connections
        ours = asyncio.create_task(postgres_rig.intake.record([taken(key(), 0)]))
        await _until(_waits_for_lock(postgres_rig))
        ours.cancel()
        with pytest.raises(asyncio.CancelledError):
            await ours
    await transaction.rollback()
    await other.close()
    assert await postgres_rig.verdicts() == []
    assert (await postgres_rig.intake.record([taken(key(), 0)])).verdicts == {"newest": 1}


@pytest.mark.parametrize(
    "broken",
    [{"event_id": "a\x00b"}, {"event_id": "lone \ud800"}, {"number": "NUL \x00"}, {"version": 2**70}],
    ids=["nul", "surrogate", "nul in the order", "huge version"],
)
async def test_what_the_database_refuses_is_found_and_rejected(
    postgres_rig: PostgresRig, broken: dict[str, Any]
) -> None:
    """One record among twenty that Postgres refuses is rejected alone; the others are taken."""
    await set_up(postgres_rig)
    batch = [taken(key(str(number)), number) for number in range(20)]
    outcome = batch[13].outcome
    assert isinstance(outcome, OrderEvent)
    batch[13] = replace(batch[13], outcome=replace(outcome, **broken))
    recorded = await postgres_rig.intake.record(batch)
    if "version" in broken:
        # jsonb holds integers of any size, so that this one is no error at all.
        assert recorded.verdicts == {"newest": 20}
        return
    assert recorded.verdicts == {"newest": 19, "rejected": 1}
    assert recorded.positions == {PAID: 20}
    assert [(reason, value) for reason, value, _ in await postgres_rig.rejected()] == [
        ("refused_by_database", b"as it came")
    ]
    assert [row[1] for row in await postgres_rig.messages()] == ["north/13"]
    assert len(await postgres_rig.verdicts()) == 19


async def test_a_rejection_with_odd_texts_is_storable(postgres_rig: PostgresRig) -> None:
    """NUL and lone surrogates in what little is known of a bad message do not make it bad again."""
    recorded = await postgres_rig.intake.record(
        [unreadable(0, shop_id="a\x00", order_id="\ud800", record_key=b"\x00", headers=(("h\x00", b"\xff"),))]
    )
    assert recorded.verdicts == {"rejected": 1}
    rows = await postgres_rig.fetch("SELECT shop_id, order_id, headers, reason FROM rejected_events")
    assert [tuple(row) for row in rows] == [("a\ufffd", "?", [["h\ufffd", "/w=="]], "json_malformed")]


async def test_a_shop_added_meanwhile_finds_its_orders(postgres_rig: PostgresRig) -> None:
    """`apply` adds the shop while its order is being recorded as unknown: the order is due in the end."""
    rig = postgres_rig
    await rig.settings.apply([connection()], [], actor="test", dry_run=False)
    other = await _outsider(rig)
    transaction = other.transaction()
    await transaction.start()
    # Stops the intake after it has read that there is no such shop, and before it commits.
    await other.execute("LOCK TABLE events IN EXCLUSIVE MODE")
    recording = asyncio.create_task(rig.intake.record([taken(key(), 0)]))
    await _until(_waits_for_lock(rig))
    applying = asyncio.create_task(rig.settings.apply([connection()], [shop()], actor="test", dry_run=False))
    await _until(_waits_for_lock(rig, 2))
    await transaction.commit()
    await asyncio.wait_for(asyncio.gather(recording, applying), DEADLINE_SECONDS)
    await other.close()
    assert (await rig.order(key())).state == "due"


async def test_an_intent_committed_while_we_waited_for_the_order_is_seen(postgres_rig: PostgresRig) -> None:
    """A lane begins a write under the order's lock while the cancellation waits for it: the order stays due."""
    rig = postgres_rig
    await set_up(rig)
    await rig.intake.record([taken(key())])
    other = await _outsider(rig)
    transaction = other.transaction()
    await transaction.start()
    await other.execute("SELECT FROM orders FOR UPDATE")
    cancelling = taken(key(), 0, 2, place=TopicPartition("order.cancelled", 0))
    ours = asyncio.create_task(rig.intake.record([cancelling]))
    await _until(_waits_for_lock(rig))
    await other.execute(
        """INSERT INTO intents (intent_id, connection_id, subject, shop_id, order_id, operation, digest, sought, epoch,
                                change, begun_at, deadline_at, settled_at)
           VALUES (gen_random_uuid(), 'books', 'order:north/1001', 'north', '1001', 'create_invoice', 'd', '{}', 1, 1,
                   $1, $1, $1)""",
        NOON,
    )
    await transaction.commit()
    await asyncio.wait_for(ours, DEADLINE_SECONDS)
    await other.close()
    seen = await rig.order(key())
    assert (seen.state, seen.due, seen.change) == ("due", True, 2)


async def test_a_lane_that_falls_asleep_meanwhile_is_woken(postgres_rig: PostgresRig) -> None:
    """The lane sees no order and goes to sleep while our batch waits to wake it: it has work after both."""
    rig = postgres_rig
    await set_up(rig)
    await rig.fetch("UPDATE lanes SET next_due = $1", NOON)
    other = await _outsider(rig)
    transaction = other.transaction()
    await transaction.start()
    await other.execute("SELECT FROM lanes FOR UPDATE")
    ours = asyncio.create_task(rig.intake.record([taken(key())]))
    await _until(_waits_for_lock(rig))
    await other.execute("UPDATE lanes SET next_due = (SELECT min(due_at) FROM orders)")
    await transaction.commit()
    await asyncio.wait_for(ours, DEADLINE_SECONDS)
    await other.close()
    assert await rig.lane("books") == (True, False)


async def test_memory_and_postgres_agree_on_any_history(postgres_rig: PostgresRig) -> None:
    """A thousand random events, in random batches, with repetitions: both stores end with the same orders."""
    choice = random.Random(20)  # noqa: S311 - a seed for a test, no secret
    memory = MemoryRig()
    for rig in (memory, postgres_rig):
        await set_up(rig)
    history = _history(choice)
    while history:
        size = choice.randint(1, 80)
        batch, history = history[:size], history[size - choice.randint(0, min(5, size - 1)) :]
        results = [await rig.intake.record(batch) for rig in (memory, postgres_rig)]
        assert results[0] == results[1]
    orders = sorted(memory.db.orders)
    assert len(orders) == 25
    for order in orders:
        assert await memory.order(order) == await postgres_rig.order(order)


def _history(choice: random.Random) -> list[Taken]:
    offsets = dict.fromkeys((PAID, UPDATED, TopicPartition("order.cancelled", 0)), 0)
    history = []
    for _ in range(1000):
        place = choice.choices(list(offsets), [5, 10, 1])[0]
        text = f"content {choice.randint(1, 4)}"
        fields: dict[str, Any] = {"text": text, "cancelled_null": choice.random() < 0.05}
        order = key(str(choice.randint(1, 25)), choice.choice(["north", "north"]))
        moment = NOON + timedelta(minutes=choice.randint(-50, 50))
        history.append(taken(order, offsets[place], choice.randint(1, 60), place=place, time=moment, **fields))
        offsets[place] += 1
    return history


async def test_the_database_that_is_gone_is_said_to_be(postgres_rig: PostgresRig) -> None:
    """Where nobody listens, opening the pool says so in one type of error, at once."""
    with pytest.raises(DatabaseUnavailableError, match="does not answer"):
        await Database.connect("postgresql://nobody@127.0.0.1:1/none")
    with pytest.raises(DatabaseUnavailableError):
        await Database.connect(postgres_rig.url.replace("/test_", "/missing_"))
