"""Two processes at once, a connection cut in the middle, a wake-up at the wrong moment: the lanes on real Postgres."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import asyncpg
import pytest

from consumer.domain.records import Outcome
from consumer.errors import DatabaseUnavailableError, FencedError
from consumer.ports.lanes import Begun, Occupied, Superseded
from tests.conformance.intake.making import connection, key, shop
from tests.conformance.lanes.bench import PostgresBench
from tests.conformance.lanes.scenes import (
    BOOKS,
    begin,
    booked,
    change,
    claim,
    intent,
    lease,
    open_books,
    request,
)

DEADLINE_SECONDS = 20
ORDER = key("1001")


async def _until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(DEADLINE_SECONDS):
        while not await condition():
            pass


def _waiting(bench: PostgresBench, count: int = 1) -> Callable[[], Awaitable[bool]]:
    async def waits() -> bool:
        query = "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        return len(await bench.fetch(query)) >= count

    return waits


async def _outsider(bench: PostgresBench) -> "asyncpg.Connection[asyncpg.Record]":
    return await asyncpg.connect(bench.url)


async def test_processes_that_lease_at_once_share_the_lanes(postgres_bench: PostgresBench) -> None:
    """Twelve lanes, six processes: every lane has exactly one owner, whoever was quicker."""
    names = [f"books{number}" for number in range(12)]
    shops = [shop(f"shop{number}", name) for number, name in enumerate(names)]
    await postgres_bench.settings.apply([connection(name) for name in names], shops, actor="test", dry_run=False)
    for name in names:
        await postgres_bench.set_next_due(name, -1.0)
    leased = await asyncio.gather(*(postgres_bench.lanes.lease_due(str(n), 15.0, 12) for n in range(6)))
    assert sorted(one.connection_id for some in leased for one in some) == sorted(names)
    assert {one.epoch for some in leased for one in some} == {1}


async def test_a_wake_up_while_the_lane_goes_to_sleep_is_not_lost(postgres_bench: PostgresBench) -> None:
    """The order's transaction holds the lane's row when the lane computes its sleep: the sleep must see the order."""
    await open_books(postgres_bench, "1001")
    leased = await lease(postgres_bench)
    await claim(postgres_bench, leased)
    other = await _outsider(postgres_bench)
    transaction = other.transaction()
    await transaction.start()
    # As the intake does: the order first, the lane last, not yet committed.
    await other.execute(
        """INSERT INTO orders (shop_id, order_id, connection_id, number, head, content, content_hash, state, due_at)
           SELECT shop_id, '1002', connection_id, number, head, content, content_hash, 'due', clock_timestamp()
           FROM orders"""
    )
    await other.execute("UPDATE lanes SET next_due = least(next_due, clock_timestamp())")
    sleeping = asyncio.create_task(postgres_bench.lanes.claim(leased, 1, [ORDER]))
    await _until(_waiting(postgres_bench))
    await transaction.commit()
    await other.close()
    claimed = await asyncio.wait_for(sleeping, DEADLINE_SECONDS)
    assert claimed.orders == ()
    assert claimed.next_due_seconds is not None
    assert claimed.next_due_seconds < 1.0
    assert (await postgres_bench.next_due_in_seconds(BOOKS) or 0.0) <= 0.0
    assert await postgres_bench.lanes.sweep() == 0


async def test_a_take_over_while_a_write_begins_fences_it(postgres_bench: PostgresBench) -> None:
    """The lease passes on between the begin's first statement and its last: no intent, no slot."""
    await open_books(postgres_bench, "1001")
    leased = await lease(postgres_bench)
    await claim(postgres_bench, leased)
    other = await _outsider(postgres_bench)
    transaction = other.transaction()
    await transaction.start()
    await other.execute("UPDATE lanes SET owner = 'two', epoch = epoch + 1")
    beginning = asyncio.create_task(postgres_bench.bookings.begin(leased, intent(ORDER), request()))
    await _until(_waiting(postgres_bench))
    await transaction.commit()
    await other.close()
    with pytest.raises(FencedError):
        await asyncio.wait_for(beginning, DEADLINE_SECONDS)
    assert await postgres_bench.bookings.open_intent(BOOKS, f"order:{ORDER}") is None
    assert await postgres_bench.fetch("SELECT n FROM slots WHERE open_until > clock_timestamp()") == []


async def test_a_revision_that_is_being_committed_is_waited_for(postgres_bench: PostgresBench) -> None:
    """The order changes while the begin waits for its row: superseded, the older revision is not sent."""
    await open_books(postgres_bench, "1001")
    leased = await lease(postgres_bench)
    await claim(postgres_bench, leased)
    other = await _outsider(postgres_bench)
    transaction = other.transaction()
    await transaction.start()
    await other.execute("UPDATE orders SET change = change + 1")
    beginning = asyncio.create_task(postgres_bench.bookings.begin(leased, intent(ORDER), request()))
    await _until(_waiting(postgres_bench))
    await transaction.commit()
    await other.close()
    assert await asyncio.wait_for(beginning, DEADLINE_SECONDS) == Superseded()


async def test_many_begin_for_one_customer_and_one_does(postgres_bench: PostgresBench) -> None:
    """Eight orders want to make the same contact at once: one begins, the others are told to wait; no deadlock."""
    orders = [str(number) for number in range(8)]
    await open_books(postgres_bench, *orders, calls_at_once=10, calls_per_window=100)
    leased = await lease(postgres_bench)
    await claim(postgres_bench, leased, 8)
    begun = await asyncio.gather(
        *(
            postgres_bench.bookings.begin(leased, intent(key(order), subject="contact:jane"), request())
            for order in orders
        )
    )
    assert sorted(type(one).__name__ for one in begun) == [Begun.__name__] + [Occupied.__name__] * 7
    (row,) = await postgres_bench.fetch("SELECT count(*) AS open FROM slots WHERE open_until > clock_timestamp()")
    assert row["open"] == 1


async def test_a_record_cut_in_the_middle_is_recorded_once(postgres_bench: PostgresBench) -> None:
    """The server ends the connection between two statements: nothing of it is kept, and the repetition is whole."""
    await open_books(postgres_bench, "1001")
    leased = await lease(postgres_bench)
    await claim(postgres_bench, leased)
    outcome = booked(ORDER, *(await begin(postgres_bench, leased, ORDER)))
    other = await _outsider(postgres_bench)
    transaction = other.transaction()
    await transaction.start()
    await other.execute("SELECT 1 FROM lanes FOR UPDATE")
    recording = asyncio.create_task(postgres_bench.bookings.record(outcome))
    await _until(_waiting(postgres_bench))
    await other.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE wait_event_type = 'Lock' AND datname = current_database()"
    )
    with pytest.raises(DatabaseUnavailableError):
        await asyncio.wait_for(recording, DEADLINE_SECONDS)
    await transaction.rollback()
    await other.close()
    order = await postgres_bench.bookings.read(ORDER)
    assert order is not None
    assert (order.documents, await postgres_bench.told(), await postgres_bench.exchanges()) == ((), [], [])
    assert await postgres_bench.bookings.record(outcome)
    assert await postgres_bench.bookings.record(outcome)
    assert (len(await postgres_bench.told()), len(await postgres_bench.exchanges())) == (1, 1)


async def test_everything_at_once_ends_without_a_deadlock_that_shows(postgres_bench: PostgresBench) -> None:
    """Claims, begins, records, newer revisions, sweeps and calls of one lane side by side: all orders get booked."""
    orders = [f"{number:02}" for number in range(12)]
    await open_books(postgres_bench, *orders, calls_per_window=1000, calls_at_once=50, daily_calls=100_000)
    leased = await lease(postgres_bench, seconds=60.0)

    async def book(order: str) -> None:
        for _ in range(20):
            record = await postgres_bench.bookings.read(key(order))
            assert record is not None
            begun = await postgres_bench.bookings.begin(leased, wanted := intent(key(order), record.change), request())
            if isinstance(begun, Begun):
                outcome = booked(key(order), wanted.intent_id, begun.slot.n, record.change)
                document = outcome.document
                assert document is not None
                if await postgres_bench.bookings.record(_named(outcome, order)):
                    return
        raise AssertionError(f"order {order} never came to rest")

    async def disturb() -> None:
        for number, order in enumerate(orders):
            await change(postgres_bench, order, offset=100 + number)
            await postgres_bench.lanes.claim(leased, 4, [])
            await postgres_bench.lanes.sweep()

    await asyncio.wait_for(asyncio.gather(disturb(), *(book(order) for order in orders)), DEADLINE_SECONDS)
    rows = await postgres_bench.fetch("SELECT count(*) AS documents FROM documents")
    assert rows[0]["documents"] == len(orders)


def _named(outcome: Outcome, order: str) -> Outcome:
    document = outcome.document
    assert document is not None
    return replace(outcome, document=replace(document, ledger_id=f"46-{order}"))
