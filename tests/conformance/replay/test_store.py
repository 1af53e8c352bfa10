"""The replay's store: one runner at a time, what is stuck goes on, and figures are kept."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from consumer.domain.completeness import PaidOrder, Source, Sums, Tally, Window
from consumer.domain.events import Origin
from consumer.domain.orders import OrderKey
from consumer.domain.states import OrderState
from consumer.errors import FencedError
from consumer.ports.events import Record
from consumer.ports.intake import TopicPartition
from consumer.ports.replay import Progress, RunFigures
from tests.conformance.intake.making import key
from tests.conformance.replay.bench import PAID, Bench, order

NONE = Tally(sums={}, unrecorded=[])
MARCH = datetime(2026, 3, 1, tzinfo=UTC)


async def test_a_second_replay_finds_the_first_running(bench: Bench) -> None:
    """While one holds the lease another does nothing and says so; after it was given back it works."""
    lease = await bench.lease()
    report = await bench.replay()
    assert (report.busy, report.whole, report.records) == (True, False, 0)
    await bench.store.give_back(lease)
    assert not (await bench.replay()).busy


async def test_whoever_lost_the_lease_writes_nothing(bench: Bench) -> None:
    """The lease was given back and taken by another: progress of the first is refused."""
    first = await bench.lease("first")
    await bench.store.give_back(first)
    await bench.lease("second")
    with pytest.raises(FencedError):
        await bench.store.advance(first, PAID, Progress(log=1, next_offset=7), NONE)
    assert await bench.store.progress([PAID]) == {}


async def test_progress_is_kept_with_its_sums(bench: Bench) -> None:
    """What was summed on the way adds up; what is not recorded is named once."""
    lease = await bench.lease()
    window = Window("north", Source.TOPIC, "2026-03-02", "EUR")
    tally = Tally(
        sums={window: Sums(told_count=2, told_sum=Decimal(24), recorded_count=1, recorded_sum=Decimal(12))},
        unrecorded=[PaidOrder(key("9"), window, Decimal(12))],
    )
    for offset in (7, 9):
        await bench.store.advance(lease, PAID, Progress(log=1, next_offset=offset, reached=MARCH), tally)
    assert await bench.store.progress([PAID]) == {PAID: Progress(log=1, next_offset=9, reached=MARCH)}
    (row,) = await bench.store.completeness("2026-01-01")
    assert (row.window, row.sums.told_count, row.sums.told_sum) == (window, 4, Decimal(48))
    assert await bench.store.unrecorded(10) == [key("9")]
    assert await bench.store.unrecorded(10, "south") == []


async def test_an_order_with_an_intent_that_nobody_asks_about_is_made_due(bench: Bench) -> None:
    """Its write has had no outcome since 2020, and it is not due: the replay makes it so, and wakes its lane."""
    bench.publish(order("1"), order("2"))
    await bench.take(0, 1)
    for order_id in ("1", "2"):
        await bench.rig.put(key(order_id), OrderState.UNCERTAIN)
    await bench.rig.add_intent(key("1"), "books")
    await bench.rig.rest("books")
    report = await bench.replay()
    assert report.woken.intents == 1
    assert ((await bench.rig.order(key("1"))).due, (await bench.rig.order(key("2"))).due) == (True, False)
    assert (await bench.rig.lane("books"))[0]


async def test_messages_unsent_for_long_are_counted(bench: Bench) -> None:
    """A message of today is none of them."""
    await bench.rig.add_message("north/1")
    expected = 1 if (await bench.store.wake_stuck(-1.0)).outbox_rows else 0
    assert expected == 1
    assert (await bench.store.wake_stuck(3600.0 * 24 * 365 * 50)).outbox_rows == 0


async def test_the_lease_of_a_dead_lane_ends(bench: Bench) -> None:
    """Its owner has not renewed it: whoever is next need not know of it."""
    bench.publish(order("1"))
    await bench.take(0)
    leased = await bench.lanes.lease_due("dead", 0.0, 10)
    assert [one.connection_id for one in leased] == ["books"]
    assert (await bench.store.wake_stuck(-1.0)).leases == 1
    assert (await bench.store.wake_stuck(-1.0)).leases == 0


async def test_what_is_held_is_what_is_compared(bench: Bench) -> None:
    """Revision, payment, total; an unknown order is absent; the record that was rejected is told by its place."""
    bench.publish(order("1", 3))
    bench.broker.publish("order.paid", key=b"x", value=b"{", partition=0)
    await bench.take(0, 1)
    held = await bench.store.held([key("1"), key("nobody")])
    assert list(held) == [key("1")]
    one = held[OrderKey("north", "1")]
    assert (one.revision.version, one.revision.offset, one.paid, one.grand_total) == (3, 0, True, Decimal("12.20"))
    bad = Origin(topic="order.paid", log=1, partition=0, offset=1)
    good = Origin(topic="order.paid", log=1, partition=0, offset=0)
    assert await bench.store.rejected_before([bad, good]) == {bad}


async def test_a_run_is_kept_and_shown(bench: Bench) -> None:
    """The metrics tell when the last whole run ended, and what it found."""
    lease = await bench.lease()
    figures = RunFigures(whole=True, records=10, missing=2, lag=3, unverified=0, woken=1, details={"left": []})
    await bench.store.save_run(lease, MARCH, figures)
    shown = (await bench.rig.figures.figures()).replay
    assert (shown.lag, shown.missing, shown.difference) == (3, 2, 0)
    assert shown.success_age_seconds is not None
    assert shown.success_age_seconds < 60


async def test_a_run_that_did_not_end_is_no_success(bench: Bench) -> None:
    """Nothing has succeeded yet, so there is no age to show."""
    lease = await bench.lease()
    figures = RunFigures(whole=False, records=10, missing=2, lag=3, unverified=0, woken=1, details={})
    await bench.store.save_run(lease, MARCH, figures)
    assert (await bench.rig.figures.figures()).replay.success_age_seconds is None


async def test_a_run_whose_lease_passes_on_stops_and_says_so(bench: Bench) -> None:
    """It stood still for longer than its lease, and another took over: it writes no progress any more."""
    bench.publish(*(order(str(n)) for n in range(9)))
    await bench.take()
    inner = bench.log

    class Slow:
        """Lets the lease pass on before the second batch."""

        def __getattr__(self, name: str) -> Any:
            return getattr(inner, name)

        async def read(
            self, place: TopicPartition, from_offset: int, to_offset: int, most: int
        ) -> AsyncIterator[list[Record]]:
            """See ports.replay."""
            async for records in inner.read(place, from_offset, to_offset, most):
                if records[0].offset == 3:
                    await bench.rig.pass_lease()
                    await bench.lease("another")
                    bench.seconds[0] += bench.limits.lease_seconds
                yield records

    bench.reader = Slow()
    report = await bench.replay()
    assert not report.whole
    assert report.left == ["another replay took over: the lease replay has passed on"]
    assert (await bench.store.progress([PAID]))[PAID].next_offset == 3
