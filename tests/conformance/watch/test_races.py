"""A notice beside the work of bookings and of the intake, on real Postgres."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime

import asyncpg

from consumer.domain.records import Note
from consumer.domain.watching import Found, Verdict
from consumer.ports.watch import Notice, WatchStore
from tests.conformance.intake.making import key
from tests.conformance.lanes.bench import PostgresBench
from tests.conformance.lanes.scenes import BOOKS, begin, booked, claim, invoice, lease, open_books

DEADLINE_SECONDS = 20
WROTE = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


async def test_a_notice_waits_for_the_order_and_sees_what_was_written_meanwhile(
    postgres_bench: PostgresBench, postgres_store: WatchStore
) -> None:
    """A change of the order commits while the notice waits for its lock: the document stays the booking's."""
    await open_books(postgres_bench, "1001")
    leased = await lease(postgres_bench)
    await claim(postgres_bench, leased)
    intent_id, slot = await begin(postgres_bench, leased, key("1001"))
    made = invoice(ledger_modified_at=WROTE, ledger_id="46")
    await postgres_bench.bookings.record(booked(key("1001"), intent_id, slot, document=made))
    (known,) = await postgres_store.known(BOOKS, ["46"])
    verdict = Verdict(
        found=Found.DELETED,
        document=replace(known.document, live=False, status="deleted_by_hand"),
        noticed_at=None,
        note=Note(decision="gone"),
        gone=True,
    )
    notice = Notice(
        key=known.key, connection_id=BOOKS, change=known.change, judged_until=known.judged_until, verdict=verdict
    )
    other = await asyncpg.connect(postgres_bench.url)
    transaction = other.transaction()
    await transaction.start()
    await other.execute("UPDATE orders SET due_at = clock_timestamp() WHERE order_id = '1001'")
    noticing = asyncio.create_task(postgres_store.notice(notice))
    async with asyncio.timeout(DEADLINE_SECONDS):
        while not await _waits(postgres_bench):
            pass
    await transaction.commit()
    await other.close()
    assert await noticing is False
    (after,) = await postgres_store.known(BOOKS, ["46"])
    assert (after.document.live, after.busy) == (True, True)


async def _waits(bench: PostgresBench) -> bool:
    query = "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    return bool(await bench.fetch(query))
