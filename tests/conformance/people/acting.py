"""Orders to act on, and looks at what came of it, for the tests of people's actions."""

from collections.abc import Sequence

from consumer.domain.records import Conclusion, OrderRecord
from consumer.domain.states import OrderState, Reason, ReasonCode
from tests.conformance.intake.making import key, shop
from tests.conformance.lanes.bench import Bench
from tests.conformance.lanes.scenes import (
    begin,
    booked,
    books,
    claim,
    concluded,
    lease,
    open_books,
)

TAX = Reason(code=ReasonCode.TAX_MISSING, message="No tax of 22 %.", fix="Add it.", group_key="tax_missing:22")


async def order(bench: Bench, order_id: str = "1") -> OrderRecord:
    """Read an order."""
    record = await bench.bookings.read(key(order_id))
    assert record is not None
    return record


async def audits(bench: Bench, order_id: str = "1") -> list[tuple[str, str, str]]:
    """Look at who said what of an order, and how it was received."""
    story = await bench.people.story(key(order_id))
    assert story is not None
    found = [line.details for line in story.lines if line.kind == "audit"]
    return [(line["actor"], line["action"], line["details"]["reception"]) for line in found]


async def book(bench: Bench, order_id: str = "1") -> None:
    """Take an order in and book it."""
    await open_books(bench, order_id)
    leased = await lease(bench)
    await claim(bench, leased)
    intent_id, slot = await begin(bench, leased, key(order_id))
    await bench.bookings.record(booked(key(order_id), intent_id, slot))
    await bench.lanes.give_back(leased)


async def park(bench: Bench, *orders: str, reason: Reason = TAX) -> None:
    """Take orders in and park them."""
    await open_books(bench, *orders)
    leased = await lease(bench)
    await claim(bench, leased, len(orders))
    for order_id in orders:
        outcome = concluded(key(order_id), Conclusion(state=OrderState.PARKED, reason=reason))
        await bench.bookings.record(outcome, leased)
    await bench.lanes.give_back(leased)


async def switch_off(bench: Bench) -> None:
    """Switch automatic sending off."""
    await bench.settings.apply([books()], [shop(automatic=False)], actor="test", dry_run=False)


async def claimed(bench: Bench) -> Sequence[OrderRecord]:
    """Take in hand what is due."""
    leases = await bench.lanes.lease_due("one", 15.0, 5)
    if not leases:
        return []
    found = await claim(bench, leases[0])
    await bench.lanes.give_back(leases[0])
    return found
