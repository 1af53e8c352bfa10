"""A shop's own list names what was never published; it is compared, put in, and harms nobody when it fails."""

from dataclasses import replace
from datetime import timedelta

from consumer.domain.completeness import Source
from consumer.ports.intake import Gap
from consumer.ports.replay import list_place
from consumer.ports.shop_lists import ShopListUnavailableError
from tests.conformance.intake.making import key
from tests.conformance.replay.bench import PAID, Bench, ids, listed, order, with_list


async def test_an_order_that_was_never_published_is_put_in(bench: Bench) -> None:
    """The list names three orders, one of which no topic holds: that one becomes due, behind live orders."""
    bench.publish(order("1"), order("2"))
    await bench.take(0, 1)
    shop_list = with_list(bench, order("1"), order("2"), order("3"))
    report = await bench.replay()
    assert (ids(report), report.lists_asked, report.not_verifiable) == (["3"], ["north"], [])
    assert await bench.states("3") == ["due"]
    assert (await bench.rig.order(key("3"))).priority == 2
    assert shop_list.closed == 1


async def test_the_event_that_comes_after_the_list_changes_nothing(bench: Bench) -> None:
    """The shop publishes at last what its list has named: one order, not due a second time by it."""
    with_list(bench, order("1"))
    await bench.replay()
    bench.publish(order("1"))
    await bench.take(0)
    assert (await bench.rig.order(key("1"))).change == 1


async def test_the_next_question_begins_at_the_last_one_less_the_overlap(bench: Bench) -> None:
    """The first question goes back so many days; the second begins where the first ended, less the overlap."""
    shop_list = with_list(bench)
    await bench.replay()
    first_until = shop_list.asked[0][1]
    assert first_until is not None
    assert first_until - shop_list.asked[0][0] == timedelta(days=bench.limits.first_list_days)
    await bench.replay()
    assert shop_list.asked[1][0] == first_until - bench.limits.overlap


async def test_the_same_order_is_put_in_once(bench: Bench) -> None:
    """Two runs, the same list: the second finds nothing, and there is one event."""
    with_list(bench, order("1"))
    assert (await bench.replay()).missing == 1
    assert (await bench.replay()).missing == 0
    assert await bench.rig.verdicts() == [("1", "newest")]


async def test_a_list_of_equal_revision_is_no_newer_one(bench: Bench) -> None:
    """The list's words of the same version may differ from the event's: that makes nothing due."""
    bench.publish(order("1", 4, number="A"))
    await bench.take(0)
    with_list(bench, order("1", 4, number="B"))
    assert (await bench.replay()).missing == 0


async def test_a_newer_revision_of_the_list_is_put_in(bench: Bench) -> None:
    """The list has version 5, the order stands at 4: the update was never published."""
    bench.publish(order("1", 4))
    await bench.take(0)
    with_list(bench, order("1", 5, number="B"))
    assert ids(await bench.replay()) == ["1"]
    assert (await bench.rig.order(key("1"))).number == "B"


async def test_a_list_that_fails_harms_nothing_else(bench: Bench) -> None:
    """It breaks off after one order: that one is in, the problem is told, the next run asks for all of it again."""
    bench.publish(order("1"))
    await bench.take()
    shop_list = with_list(bench, order("2"))
    shop_list.failure = ShopListUnavailableError("north", "shop north: its list answers 503; ask again later")
    bench.limits = replace(bench.limits, records_at_once=1)
    report = await bench.replay()
    assert report.list_problems == ["shop north: its list answers 503; ask again later"]
    assert await bench.states("1", "2") == ["due", "due"]
    assert await bench.store.progress([list_place("north")]) == {}
    assert shop_list.closed == 1


async def test_an_order_that_the_reader_refuses_is_told_and_not_put_in(bench: Bench) -> None:
    """Put in it would be rejected anew at every run."""
    shop_list = with_list(bench)
    shop_list.orders.append(listed(order("9"), problem="it has no lines"))
    report = await bench.replay()
    assert report.list_problems == ["shop north, order 9: it has no lines"]
    assert await bench.rig.rejected() == []


async def test_a_shop_without_a_list_is_named(bench: Bench) -> None:
    """Nothing but its topic can tell of it."""
    report = await bench.replay()
    assert report.not_verifiable == ["north"]


async def test_a_gap_is_asked_for_at_the_shop_and_closed(bench: Bench) -> None:
    """Offsets 0 to 4 were cut by retention before they were read: the shop names what lay there."""
    bench.publish(order("1"))
    await bench.rig.intake.record_gap(Gap(place=PAID, log=1, from_offset=0, to_offset=1, cause="cut_by_retention"))
    shop_list = with_list(bench, order("1"))
    report = await bench.replay()
    assert (report.gaps_closed, report.gaps_open, report.unverified) == (1, 0, [])
    assert await bench.states("1") == ["due"]
    assert len(shop_list.asked) == 2


async def test_a_gap_of_a_shop_without_a_list_stays_open(bench: Bench) -> None:
    """Its range is named at every run, and the gauge of open gaps stays up."""
    bench.publish(order("1"))
    await bench.rig.intake.record_gap(Gap(place=PAID, log=1, from_offset=0, to_offset=1, cause="cut_by_retention"))
    report = await bench.replay()
    assert [(one.from_offset, one.to_offset) for one in report.unverified] == [(0, 1)]
    assert report.gaps_open == 1


async def test_the_list_is_summed_beside_the_topic(bench: Bench) -> None:
    """What the list tells has rows of its own: an order that was never published shows as told and recorded."""
    with_list(bench, order("1"), order("2"))
    await bench.replay()
    rows = await bench.store.completeness("2026-01-01")
    assert [(row.window.source, row.sums.told_count, row.sums.recorded_count) for row in rows] == [(Source.LIST, 2, 2)]


async def test_a_gap_that_others_keep_open_is_asked_for_once(bench: Bench) -> None:
    """One shop has a list and has answered, another has none: the gap stays open, and the first is left alone."""
    south = replace(bench.shops[0], shop_id="south")
    shop_list = with_list(bench)
    bench.shops.append(south)
    bench.publish(order("1"))
    await bench.rig.intake.record_gap(Gap(place=PAID, log=1, from_offset=0, to_offset=1, cause="cut_by_retention"))
    reports = [await bench.replay(), await bench.replay()]
    assert [report.gaps_open for report in reports] == [1, 1]
    # Once for the gap, and once in each run for what is new.
    assert len(shop_list.asked) == 3
