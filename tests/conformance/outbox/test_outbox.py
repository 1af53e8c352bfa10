"""The outbox gives each row until it is sent, to one process at a time, and never two of one order at once."""

import asyncio

import asyncpg
import pytest

from consumer.errors import FencedError
from consumer.ports.intake import Lease
from tests.conformance.intake.rig import PostgresRig, Rig
from tests.postgres_plans import executed_plan, pages_touched


async def _lease(rig: Rig, owner: str = "one") -> Lease:
    lease = await rig.outbox.lease(owner, 30.0)
    assert lease is not None
    return lease


async def test_the_lease_is_one_process_at_a_time(rig: Rig) -> None:
    """While one holds it nobody else gets it; renewing keeps the epoch; given back, the next epoch begins."""
    first = await _lease(rig)
    assert await rig.outbox.lease("two", 30.0) is None
    assert (await _lease(rig)).epoch == first.epoch
    await rig.outbox.give_back(first)
    second = await _lease(rig, "two")
    assert second.epoch == first.epoch + 1
    assert await rig.outbox.lease("one", 30.0) is None


async def test_a_lease_that_has_passed_on_is_fenced(rig: Rig) -> None:
    """Who held it before cannot read, and cannot give back what is another's; sent stays sent."""
    await rig.add_message("north/1")
    old = await _lease(rig)
    row = (await rig.outbox.waiting(old, 10, []))[0]
    await rig.pass_lease()
    with pytest.raises(FencedError, match="relay"):
        await rig.outbox.waiting(old, 10, [])
    new = await _lease(rig, "two")
    with pytest.raises(FencedError):
        await rig.outbox.waiting(old, 10, [])
    await rig.outbox.give_back(old)
    assert await rig.outbox.lease("three", 30.0) is None
    await rig.outbox.mark_sent([row.id])
    assert await rig.outbox.waiting(new, 10, []) == []


async def test_an_owner_whose_lease_ran_out_begins_a_new_epoch(rig: Rig) -> None:
    """Its own work of before is fenced too: it stood still, and does not know what happened meanwhile."""
    old = await _lease(rig)
    await rig.pass_lease()
    assert (await _lease(rig)).epoch == old.epoch + 1
    with pytest.raises(FencedError):
        await rig.outbox.waiting(old, 10, [])


async def test_rows_come_oldest_first_and_one_per_order(rig: Rig) -> None:
    """Of one order only the oldest row is given, and none while one of it is in flight."""
    for number, record_key in enumerate(["north/1", "north/2", "north/1", "north/3"]):
        await rig.add_message(record_key, b"%d" % number, sequence=number)
    lease = await _lease(rig)
    first = await rig.outbox.waiting(lease, 10, [])
    assert [(row.record_key, row.payload) for row in first] == [
        ("north/1", b"0"),
        ("north/2", b"1"),
        ("north/3", b"3"),
    ]
    assert [row.record_key for row in await rig.outbox.waiting(lease, 1, ["north/1"])] == ["north/2"]
    await rig.outbox.mark_sent([first[0].id, first[1].id])
    again = await rig.outbox.waiting(lease, 10, ["north/3"])
    assert [(row.record_key, row.payload, row.sequence, row.topic_kind) for row in again] == [
        ("north/1", b"2", 2, "invoice.synced")
    ]


async def test_a_row_set_aside_stops_nothing(rig: Rig) -> None:
    """What Kafka refuses for good is out of the way: the next row of the same order follows."""
    await rig.add_message("north/1", b"too large")
    await rig.add_message("north/1", b"small")
    lease = await _lease(rig)
    assert await rig.outbox.depth() == 2
    refused = (await rig.outbox.waiting(lease, 10, []))[0]
    await rig.outbox.set_aside(refused.id, "MessageSizeTooLargeError")
    assert [row.payload for row in await rig.outbox.waiting(lease, 10, [])] == [b"small"]
    assert [state for _, _, _, state in await rig.messages()] == ["set_aside", "waiting"]
    assert await rig.outbox.depth() == 1


async def test_marking_twice_is_harmless(rig: Rig) -> None:
    """An ambiguous commit is repeated; a row that was sent is never set aside after it."""
    await rig.add_message("north/1")
    lease = await _lease(rig)
    row = (await rig.outbox.waiting(lease, 10, []))[0]
    for _ in range(2):
        await rig.outbox.mark_sent([row.id])
    await rig.outbox.set_aside(row.id, "late")
    assert [state for _, _, _, state in await rig.messages()] == ["sent"]
    assert await rig.outbox.depth() == 0


async def test_a_row_that_commits_late_is_not_lost(postgres_rig: PostgresRig) -> None:
    """A row with a smaller id becomes visible after a greater one was sent: it is given all the same."""
    rig = postgres_rig
    other = await asyncpg.connect(rig.url)
    transaction = other.transaction()
    await transaction.start()
    await other.execute(
        """INSERT INTO outbox (topic_kind, record_key, event_id, payload)
           VALUES ('invoice.synced', 'north/late', gen_random_uuid(), 'late')"""
    )
    await rig.add_message("north/early", b"early")
    lease = await _lease(rig)
    early = await rig.outbox.waiting(lease, 10, [])
    assert [row.payload for row in early] == [b"early"]
    await rig.outbox.mark_sent([early[0].id])
    await transaction.commit()
    await other.close()
    late = await rig.outbox.waiting(lease, 10, [])
    assert [row.payload for row in late] == [b"late"]
    assert late[0].id < early[0].id


async def test_of_many_processes_one_gets_the_lease(postgres_rig: PostgresRig) -> None:
    """Eight processes ask at once, again and again: each time exactly one holds it, and epochs only grow."""
    epochs = []
    for _ in range(5):
        async with asyncio.timeout(20):
            leases = await asyncio.gather(*(postgres_rig.outbox.lease(f"p{n}", 30.0) for n in range(8)))
        held = [lease for lease in leases if lease is not None]
        assert len(held) == 1
        epochs.append(held[0].epoch)
        await postgres_rig.outbox.give_back(held[0])
    assert epochs == sorted(set(epochs))


@pytest.mark.parametrize("queue", ["known", "unknown"])
@pytest.mark.parametrize("mode", ["force_custom_plan", "force_generic_plan"])
async def test_a_deep_outbox_is_read_through_its_index_and_no_further_than_asked(
    postgres_rig: PostgresRig, mode: str, queue: str
) -> None:
    """With 20,000 rows sent and 20,000 waiting, also where it has filled unnoticed by the planner."""
    rig = postgres_rig
    await rig.fetch("ALTER TABLE outbox SET (autovacuum_enabled = off)")
    if queue == "unknown":
        await rig.fetch("ANALYZE outbox")
    await rig.fetch(
        """INSERT INTO outbox (topic_kind, record_key, event_id, payload, state)
           SELECT 'invoice.synced', 'north/' || g % 5000, gen_random_uuid(), '{}',
                  CASE WHEN g <= 20000 THEN 'sent' ELSE 'waiting' END
           FROM generate_series(1, 40000) AS g"""
    )
    if queue == "known":
        await rig.fetch("ANALYZE outbox")
    from consumer.adapters.postgres.sql import load  # noqa: PLC0415 - the one test that looks at a query itself

    queries = load("outbox")
    async with rig.db.transaction() as connection:
        await connection.execute(f"SET LOCAL plan_cache_mode = {mode}")
        await connection.execute(queries.walk_by_index)
        plan = await executed_plan(connection, queries.waiting, "500, '{north/1}'")
    assert plan["Actual Rows"] == 500
    # A few pages of index and table for each row that is given: far from those of a queue that is read as a whole.
    assert pages_touched(plan) < 500 * 6
    (walk,) = plan["Plans"]
    assert (walk["Node Type"], walk["Index Name"]) == ("Index Scan", "outbox_waiting")
    assert len(await rig.outbox.waiting(await _lease(rig), 500, ["north/1"])) == 500
