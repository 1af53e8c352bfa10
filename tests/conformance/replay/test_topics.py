"""The replay finds exactly what the topics hold and `orders` lacks, and reads no day twice."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from consumer.domain.orders import OrderKey
from consumer.domain.states import OrderState
from tests.conformance.replay.bench import PAID, Bench, ids, order


async def test_orders_that_were_skipped_are_put_in_behind_live_ones(bench: Bench) -> None:
    """Of five orders two were never recorded: these two are found, due, and served after live orders."""
    bench.publish(*(order(str(n)) for n in range(5)))
    await bench.take(0, 2, 4)
    report = await bench.replay()
    assert (report.missing, ids(report), report.records) == (2, ["1", "3"], 5)
    assert report.whole
    assert await bench.states("1", "3") == ["due", "due"]
    assert (await bench.rig.order(OrderKey("north", "1"))).priority == 2
    assert (await bench.rig.order(OrderKey("north", "0"))).priority == 1


async def test_what_is_recorded_is_not_read_in_full(bench: Bench) -> None:
    """The intake's reader, which costs the time, is asked for the missing ones only."""
    bench.publish(*(order(str(n)) for n in range(6)))
    await bench.take(0, 1, 2, 3, 4)
    report = await bench.replay()
    assert (report.records, report.read_in_full, report.missing) == (6, 1, 1)


async def test_the_next_run_reads_its_overlap_only(bench: Bench) -> None:
    """The second run reads the two milliseconds before the end of the first (three records), and nothing else."""
    bench.publish(*(order(str(n)) for n in range(20)))
    await bench.take(*range(20))
    await bench.replay()
    assert bench.log.records_read == 20
    bench.log.records_read = 0
    bench.publish(order("20"))
    await bench.take(20)
    report = await bench.replay()
    assert (report.missing, bench.log.records_read) == (0, 4)


async def test_the_overlap_finds_what_was_forgotten_after_it_was_compared(bench: Bench) -> None:
    """A position set forward over a record that the last run has not seen, and one within the overlap: both found."""
    bench.limits = replace(bench.limits, overlap=timedelta(milliseconds=10))
    bench.publish(order("a"))
    await bench.take(0)
    await bench.replay()
    bench.publish(order("b"), order("c"))
    await bench.take(2)
    report = await bench.replay()
    assert (ids(report), report.records) == (["b"], 3)


async def test_beyond_the_position_is_lag_and_not_loss(bench: Bench) -> None:
    """Three records that the intake has not come to are counted as lag; none of them is put in."""
    bench.publish(order("1"))
    await bench.take(0)
    bench.publish(order("2"), order("3"), order("4"))
    report = await bench.replay()
    assert (report.lag, report.missing, report.records) == (3, 0, 1)
    assert await bench.states("2") == [None]


async def test_a_payment_that_was_lost_is_put_in(bench: Bench) -> None:
    """The order is known by a later update that does not tell of the payment; its order.paid was skipped."""
    late = order("1", 2)
    del late["paid_at"]
    bench.publish(order("1", 1))
    bench.publish(late, topic="order.updated")
    await bench.take(0, place=PAID._replace(topic="order.updated"))
    await bench.take()
    assert await bench.states("1") == ["waiting"]
    report = await bench.replay()
    assert ids(report) == ["1"]
    assert await bench.states("1") == ["due"]


async def test_a_newer_revision_that_was_lost_is_put_in(bench: Bench) -> None:
    """The topic holds version 3, the order stands at 2: the content becomes that of version 3."""
    bench.publish(order("1", 2))
    bench.publish(order("1", 3, number="new"), topic="order.updated")
    await bench.take(0)
    await bench.take(place=PAID._replace(topic="order.updated"))
    report = await bench.replay()
    assert ids(report) == ["1"]
    assert (await bench.rig.order(OrderKey("north", "1"))).number == "new"


async def test_a_cancellation_that_was_lost_is_put_in(bench: Bench) -> None:
    """A cancellation of an older revision than the newest one counts as a fact, and is not passed over."""
    bench.publish(order("1", 5))
    bench.publish(order("1", 3, cancelled_at="2026-03-02T12:00:00Z"), topic="order.cancelled")
    await bench.take(0)
    await bench.take(place=PAID._replace(topic="order.cancelled"))
    report = await bench.replay()
    assert ids(report) == ["1"]
    assert (await bench.rig.order(OrderKey("north", "1"))).cancelled


async def test_an_older_revision_is_no_loss(bench: Bench) -> None:
    """Version 2 of an order that stands at 7 is known to be older, without being read in full."""
    bench.publish(order("1", 2), order("1", 7))
    await bench.take(0, 1)
    report = await bench.replay()
    assert (report.missing, report.read_in_full) == (0, 0)


async def test_the_same_revision_published_again_is_no_loss(bench: Bench) -> None:
    """A shop that publishes an order twice has lost nothing, whichever of the two is the newest."""
    bench.publish(order("1"), order("1"))
    await bench.take(0, 1)
    report = await bench.replay()
    assert report.missing == 0


async def test_an_expired_event_is_no_loss(bench: Bench) -> None:
    """It is `orders` that is compared with: an order stays known when its events were dropped."""
    bench.publish(order("1"))
    await bench.take(0)
    await bench.rig.put(OrderKey("north", "1"), OrderState.BOOKED)
    report = await bench.replay()
    assert (report.missing, await bench.states("1")) == (0, ["booked"])


async def test_a_dry_run_changes_nothing(bench: Bench) -> None:
    """It names what is missing; the run after it finds the same again."""
    bench.publish(order("1"), order("2"))
    await bench.take(0)
    report = await bench.replay(dry_run=True)
    assert (ids(report), await bench.states("2")) == (["2"], [None])
    assert (await bench.replay()).missing == 1


async def test_a_backfill_reads_its_time_and_leaves_the_progress(bench: Bench) -> None:
    """From the third record's time on: three of five; the run every ten minutes still begins at the beginning."""
    bench.publish(*(order(str(n)) for n in range(5)))
    await bench.take()
    times = [record.time_ms for record in bench.broker.records("order.paid")]
    since, until = (datetime.fromtimestamp(times[n] / 1000, UTC) for n in (2, 4))
    report = await bench.replay(since=since, until=until)
    assert ids(report) == ["2", "3"]
    assert ids(await bench.replay()) == ["0", "1", "4"]


async def test_a_backfill_of_one_shop_leaves_the_others(bench: Bench) -> None:
    """Records of other shops are passed over."""
    bench.publish(order("1"), order("2", shop_id="south"))
    await bench.take()
    report = await bench.replay(shop_id="south")
    assert ids(report) == ["2"]
    assert await bench.states("1") == [None]


async def test_a_backfill_uses_its_share_of_the_day_only(bench: Bench) -> None:
    """Half of 16 calls that are left, at four calls an order, is two orders; the third is left, and said so."""
    await _leave_calls(bench, 16)
    bench.publish(*(order(str(n)) for n in range(3)))
    await bench.take()
    report = await bench.replay(since=datetime(2020, 1, 1, tzinfo=UTC))
    assert (report.missing, report.over_share) == (2, 1)
    assert not report.whole
    # What the first run put in waits still: the next one, a minute later, adds nothing on top of it.
    assert (await bench.replay(since=datetime(2020, 1, 1, tzinfo=UTC))).missing == 0


async def _leave_calls(bench: Bench, left: int) -> None:
    if hasattr(bench.rig, "fetch"):
        query = "UPDATE lanes SET daily_left = $1, daily_limit = 1000, daily_resets_at = now() + interval '1 hour'"
        await bench.rig.fetch(query, left)
    else:
        lane = bench.rig.db.lanes["books"]  # type: ignore[attr-defined]  # the memory rig has its tables at hand
        lane.daily_left, lane.daily_limit = left, 1000


async def test_a_run_that_ends_early_says_what_is_left_and_goes_on_there(bench: Bench) -> None:
    """The deadline comes within the first batch of three: the next run begins behind it."""
    bench.publish(*(order(str(n)) for n in range(9)))
    await bench.take()
    bench.limits = replace(bench.limits, deadline_seconds=0.0)
    report = await bench.replay()
    assert report.missing == 3
    assert report.left[0] == "order.paid[0]: 6 offsets from 3 on: the time is over"
    bench.limits = replace(bench.limits, deadline_seconds=60.0)
    report = await bench.replay()
    assert report.whole
    assert ids(report) == ["3", "4", "5", "6", "7", "8"]


async def test_a_topic_made_again_is_compared_by_its_new_log(bench: Bench) -> None:
    """The old log's progress counts for nothing; before the intake has begun the new log nothing is compared."""
    bench.publish(order("1"), order("2"))
    await bench.take(0, 1)
    await bench.replay()
    await bench.broker.make_again("order.paid")
    bench.publish(order("3"))
    report = await bench.replay()
    assert report.left == ["order.paid[0] was made again; the intake has to begin its new log first"]
    await bench.rig.intake.begin_log(PAID, 0)
    await bench.take(log=2)
    assert ids(await bench.replay()) == ["3"]


async def test_what_retention_cut_is_reported_with_its_range(bench: Bench) -> None:
    """The last run ended at 2; the log begins at 5 by now: offsets 2 to 4 cannot be verified any more."""
    bench.publish(order("0"), order("1"))
    await bench.take(0, 1)
    await bench.replay()
    bench.publish(*(order(str(n)) for n in range(2, 7)))
    await bench.take(2, 3, 4, 5)
    bench.broker.cut(PAID, 5)
    report = await bench.replay()
    assert [(one.from_offset, one.to_offset) for one in report.unverified] == [(2, 5)]
    assert ids(report) == ["6"]


async def test_a_gap_made_by_hand_is_closed_once_it_was_compared(bench: Bench) -> None:
    """`positions set` forward leaves an open gap; after the replay it is closed."""
    bench.publish(order("1"), order("2"))
    await bench.take(0)
    assert len(await bench.store.open_gaps(10)) == 1
    report = await bench.replay()
    assert (report.gaps_closed, report.gaps_open) == (1, 0)


async def test_a_message_that_is_no_order_is_rejected_once(bench: Bench) -> None:
    """Skipped garbage is kept as rejected by the replay, and told of once, however often it is compared."""
    bench.broker.publish("order.paid", key=b"x", value=b"{", partition=0)
    await bench.take()
    report = await bench.replay()
    assert report.refused == 1
    await bench.replay(since=datetime(2020, 1, 1, tzinfo=UTC))
    assert len(await bench.rig.rejected()) == len(await bench.rig.messages()) == 1


async def test_completeness_is_summed_per_day_and_named_by_id(bench: Bench) -> None:
    """Two orders of one day, one of the next: counts and sums, each order once; the second run adds nothing."""
    bench.publish(order("1"), order("2"), order("3", paid_at="2026-03-03T09:00:00Z"), order("1"))
    await bench.take(0, 2, 3)
    await bench.replay()
    await bench.replay()
    table = await bench.store.completeness("2026-01-01")
    told = [(row.window.day, row.window.currency, row.sums.told_count, row.sums.told_sum) for row in table]
    assert told == [("2026-03-02", "EUR", 2, Decimal("24.40")), ("2026-03-03", "EUR", 1, Decimal("12.20"))]
    assert [(row.sums.recorded_count, row.sums.recorded_sum) for row in table] == [
        (2, Decimal("24.40")),
        (1, Decimal("12.20")),
    ]
    assert await bench.store.unrecorded(10) == []


async def test_an_order_that_cannot_be_put_in_is_the_difference_until_it_can(bench: Bench) -> None:
    """It was rejected when it came (no version): told of, not recorded, named; recorded later, it is settled."""
    bench.publish(order("1"))
    await bench.take(0)
    bare = order("2")
    del bare["version"]
    bench.publish(bare)
    await bench.take(1)
    report = await bench.replay()
    assert (report.difference, [str(key) for key in report.unrecorded]) == (1, ["north/2"])
    bench.publish(order("2"))
    await bench.take(2)
    report = await bench.replay()
    assert (report.settled, report.difference) == (1, 0)
    table = await bench.store.completeness("2026-01-01")
    assert sum(row.sums.told_count - row.sums.recorded_count for row in table) == 0
