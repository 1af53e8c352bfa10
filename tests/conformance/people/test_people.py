"""What people see and mark: groups with their sums, releases, and the story of one order."""

from decimal import Decimal

import pytest

from consumer.domain.records import Conclusion, Note
from consumer.domain.states import OrderState, Priority, Reason, ReasonCode
from tests.conformance.intake.making import NOON, PAID, connection, key, shop, taken
from tests.conformance.lanes.bench import Bench
from tests.conformance.lanes.scenes import BOOKS, begin, booked, books, claim, concluded, lease, news, open_books, pay


def _parked(code: ReasonCode = ReasonCode.TAX_MISSING, group: str = "tax_missing:22") -> Conclusion:
    reason = Reason(code=code, message="No tax of 22 %.", fix="Add it.", group_key=group)
    return Conclusion(state=OrderState.PARKED, reason=reason)


async def _switched_off(bench: Bench, *orders: str) -> None:
    await bench.settings.apply([books()], [shop(automatic=False)], actor="test", dry_run=False)
    await pay(bench, *orders)


async def _park(bench: Bench, *orders: str) -> None:
    await open_books(bench, *orders)
    leased = await lease(bench)
    await claim(bench, leased, len(orders))
    for order in orders:
        assert await bench.bookings.record(concluded(key(order), _parked()), leased)
    await bench.lanes.give_back(leased)


async def test_orders_are_summed_by_shop_reason_and_currency(bench: Bench) -> None:
    """Before anything is released its count and sums are shown, with the oldest and what to do."""
    await _switched_off(bench, "1", "2")
    await bench.intake.record([taken(key("3"), 2, currency="USD", grand_total=Decimal("5.00"))])
    (group,) = await bench.people.groups(OrderState.WAITING)
    assert (group.shop_id, group.reason_code, group.group_key) == ("north", ReasonCode.AUTOMATIC_OFF, "automatic_off")
    assert (group.count, group.sums) == (3, {"EUR": Decimal("24.60"), "USD": Decimal("5.00")})
    assert group.oldest == NOON
    assert group.fix == "Release the order, or switch automatic sending on."
    assert await bench.people.groups(OrderState.PARKED) == []
    assert await bench.people.groups(OrderState.WAITING, "south") == []


async def test_one_released_order_goes_first(bench: Bench) -> None:
    """A person waits for it: due now, before the live ones; the others stay."""
    await _switched_off(bench, "1", "2")
    assert await bench.people.release(actor="jane", shop_id="north", order_id="1", limit=10) == 1
    (order,) = await claim(bench, await lease(bench))
    assert (order.key, order.priority, order.facts.released) == (key("1"), Priority.PERSON, True)
    assert order.change == 2
    waiting = await bench.bookings.read(key("2"))
    assert waiting is not None
    assert waiting.state is OrderState.WAITING


async def test_many_released_orders_go_last(bench: Bench) -> None:
    """More than ten at once must not delay live orders; the limit bounds them, the next release takes the rest."""
    await _switched_off(bench, *(str(number) for number in range(15)))
    released = await bench.people.release(actor="jane", shop_id="north", reason=ReasonCode.AUTOMATIC_OFF, limit=12)
    assert released == 12
    orders = await claim(bench, await lease(bench), 20)
    assert {order.priority for order in orders} == {Priority.BACKFILL}
    assert len(orders) == 12
    assert await bench.people.release(actor="jane", shop_id="north", reason=ReasonCode.AUTOMATIC_OFF, limit=12) == 3
    assert await bench.people.release(actor="jane", shop_id="north", reason=ReasonCode.NOT_PAID, limit=12) == 0


async def test_a_parked_order_is_tried_again(bench: Bench) -> None:
    """With its attempts and takes forgotten; the change grows, so that a decision still under way does not count."""
    await _park(bench, "1")
    assert await bench.people.release(actor="jane", shop_id="north", reason=ReasonCode.TAX_MISSING, limit=10) == 1
    (order,) = await claim(bench, await lease(bench))
    assert (order.takes, order.attempts, order.change, order.reason) == (1, 0, 2, None)


async def test_a_release_cures_no_missing_connection(bench: Bench) -> None:
    """The order goes on waiting for what is missing, is not counted, and goes by itself once that is there."""
    await bench.settings.apply([books()], [shop(connection_id=None, automatic=False)], actor="test", dry_run=False)
    await pay(bench, "1")
    assert await bench.people.release(actor="jane", shop_id="north", order_id="1", limit=10) == 0
    order = await bench.bookings.read(key("1"))
    assert order is not None
    assert order.reason is not None
    assert (order.state, order.reason.code) == (OrderState.WAITING, ReasonCode.NO_CONNECTION)
    await bench.settings.apply([books()], [shop(automatic=False)], actor="test", dry_run=False)
    assert [order.key for order in await claim(bench, await lease(bench))] == [key("1")]


async def test_what_is_booked_is_not_released(bench: Bench) -> None:
    """Only what waits or is parked is let through; a booked order is left alone."""
    await open_books(bench, "1001")
    leased = await lease(bench)
    await claim(bench, leased)
    intent_id, slot = await begin(bench, leased, key("1001"))
    await bench.bookings.record(booked(key("1001"), intent_id, slot))
    assert await bench.people.release(actor="jane", shop_id="north", order_id="1001", limit=10) == 0
    order = await bench.bookings.read(key("1001"))
    assert order is not None
    assert (order.state, order.change) == (OrderState.BOOKED, 1)


async def test_an_order_told_parked_and_cancelled_since_is_told_again(bench: Bench) -> None:
    """A release lets the lane say that it is withdrawn; a silent end would leave the shop's list wrong."""
    await open_books(bench, "1")
    leased = await lease(bench)
    await claim(bench, leased)
    await bench.bookings.record(concluded(key("1"), _parked(), announcement=news(b"parked")), leased)
    assert len(await bench.told()) == 1
    assert await bench.people.release(actor="jane", shop_id="north", order_id="1", limit=10) == 1
    assert [order.key for order in await claim(bench, leased)] == [key("1")]


async def test_the_story_tells_everything_in_order(bench: Bench) -> None:
    """Events, decisions, intents, calls, messages and what people did, oldest first, each in a sentence."""
    await _park(bench, "1001")
    await bench.elapse(1.0)
    await bench.people.release(actor="jane", shop_id="north", order_id="1001", limit=10)
    await bench.elapse(1.0)
    leased = await lease(bench)
    await claim(bench, leased)
    intent_id, slot = await begin(bench, leased, key("1001"), 2)
    await bench.bookings.record(
        booked(key("1001"), intent_id, slot, 2, note=Note(decision="compared", words=("All agrees.",)))
    )
    story = await bench.people.story(key("1001"))
    assert story is not None
    assert story.order.state is OrderState.BOOKED
    assert [line.kind for line in story.lines if line.kind in ("audit", "intent")] == ["audit", "intent"]
    assert list(story.lines) == sorted(story.lines, key=lambda line: line.at)
    texts = {line.text for line in story.lines}
    assert {
        "paid came in (order.paid[0]@0): newest",
        "jane: release",
        "create_invoice was about to be sent: done",
        "compared: All agrees.",
        "POST /invoices: 201 (ok)",
        "invoice.synced number 1 is waiting",
    } <= texts
    assert {line.kind for line in story.lines} == {"event", "audit", "intent", "decision", "exchange", "message"}


async def test_the_story_of_nothing(bench: Bench) -> None:
    """Nothing is known of an order that never came."""
    assert await bench.people.story(key("none")) is None


async def test_a_long_story_keeps_its_newest_lines(bench: Bench) -> None:
    """A thousand lines at most, the newest, still oldest first."""
    await open_books(bench, "1")
    records = [taken(key("1"), offset, offset + 1, text="same", place=PAID) for offset in range(1, 1100)]
    for start in range(0, len(records), 250):
        await bench.intake.record(records[start : start + 250])
    story = await bench.people.story(key("1"))
    assert story is not None
    assert len(story.lines) == 1000
    assert story.lines[-1].details["offset"] == pytest.approx(1099, abs=250)


async def test_an_order_with_a_doubt_is_released_to_be_asked_about(bench: Bench) -> None:
    """A release does not put an order to rest whose write may have been done."""
    await open_books(bench, "1")
    leased = await lease(bench)
    await claim(bench, leased)
    await begin(bench, leased, key("1"))
    await bench.bookings.record(concluded(key("1"), _parked()), leased)
    await bench.settings.apply([books(), connection("other")], [shop(active=False)], actor="test", dry_run=False)
    assert await bench.people.release(actor="jane", shop_id="north", order_id="1", limit=10) == 1
    order = await bench.bookings.read(key("1"))
    assert order is not None
    assert (order.state, order.connection_id) == (OrderState.DUE, BOOKS)


async def test_a_sample_holds_the_newest_unbooked_orders_of_one_shop(bench: Bench) -> None:
    """Newest first, bounded; booked and cancelled ones, bare messages and other shops' orders are not in it."""
    await open_books(bench, "1", "2")
    leased = await lease(bench)
    (first, _) = await claim(bench, leased, 2)
    intent_id, slot = await begin(bench, leased, first.key)
    await bench.bookings.record(booked(first.key, intent_id, slot))
    await bench.elapse(1.0)
    await pay(bench, "3", first_offset=5)
    sample = await bench.people.newest_unbooked("north", 10)
    assert [order.key.order_id for order in sample] == ["3", "2"]
    assert all(order.content for order in sample)
    assert [order.key.order_id for order in await bench.people.newest_unbooked("north", 1)] == ["3"]
    assert await bench.people.newest_unbooked("south", 10) == []
