"""What one lane is made of, once its settings and its ledger are at hand."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from consumer.domain.records import OrderRecord
from consumer.ports.lanes import LaneLease, LaneView
from consumer.ports.ledger import Ledger
from consumer.ports.tracing import Tracing
from consumer.services.booking import Bench
from consumer.services.calling import Caller
from consumer.services.contacts import CustomerLocks, Desk
from consumer.services.knowing import Knowledge
from consumer.services.lane_tools import LaneTools
from consumer.services.watching import Watch


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneParts:
    """Made by ``open_parts``. ``watch`` is None where a process keeps none."""

    caller: Caller
    knowledge: Knowledge
    bench: Bench
    watch: Watch | None


async def traced(tracing: Tracing, record: OrderRecord, book: Callable[[OrderRecord], Awaitable[None]]) -> None:
    """Book within a step of the order's trace, as its newest event has brought it."""
    notes = {
        "shop": record.key.shop_id,
        "order": record.key.order_id,
        "connection": record.connection_id or "",
        "priority": record.priority.value,
    }
    with tracing.within("booking", parent=record.traceparent, notes=notes):
        await book(record)


def open_parts(
    *,
    lease: LaneLease,
    tools: LaneTools,
    view: LaneView,
    ledger: Ledger,
    queued: Callable[[], bool],
    several: Callable[[], bool],
    leaving: asyncio.Event,
) -> LaneParts:
    """Make the parts of a lane; nothing is called yet. ``several``: more than one of its orders may need a read."""
    connection = view.connection
    caller = Caller(
        lease=lease,
        ledger=ledger,
        bookings=tools.bookings,
        calls=tools.calls,
        steady=tools.steady,
        queued=queued,
        deadline_seconds=connection.limits.call_deadline_seconds,
        settle_seconds=connection.settle_seconds,
        on_call=tools.on_call,
        leaving=leaving,
        tracing=tools.tracing,
    )
    knowledge = Knowledge(view=view, caller=caller, lanes=tools.lanes, contacts=tools.contacts, steady=tools.steady)
    watch = _watch(lease, tools, view, caller, knowledge, several)
    return LaneParts(
        caller=caller, knowledge=knowledge, bench=_bench(lease, tools, view, caller, knowledge, watch), watch=watch
    )


def _watch(
    lease: LaneLease,
    tools: LaneTools,
    view: LaneView,
    caller: Caller,
    knowledge: Knowledge,
    several: Callable[[], bool],
) -> Watch | None:
    if tools.watch is None:
        return None
    return Watch(
        lease=lease,
        connection=view.connection,
        caller=caller,
        store=tools.watch,
        bookings=tools.bookings,
        contacts=tools.contacts,
        announce=tools.announce_for(view),
        steady=tools.steady,
        several=several,
        shop=knowledge.shop,
        on_found=tools.on_found,
    )


def _bench(
    lease: LaneLease, tools: LaneTools, view: LaneView, caller: Caller, knowledge: Knowledge, watch: Watch | None
) -> Bench:
    connection = view.connection
    desk = Desk(
        connection=connection,
        caller=caller,
        contacts=tools.contacts,
        bookings=tools.bookings,
        locks=CustomerLocks(),
    )
    return Bench(
        lease=lease,
        connection=connection,
        caller=caller,
        bookings=tools.bookings,
        lanes=tools.lanes,
        desk=desk,
        read_order=tools.read_order,
        announce=tools.announce_for(view),
        jitter=tools.jitter,
        facts=knowledge.facts,
        learn_rounding=knowledge.learn_rounding,
        # A lane that is about to look first has done so before its first order: this view is from before that.
        looked_first=view.looked_first or view.look_first,
        shop=knowledge.shop,
        items=knowledge.items,
        instead_of_reading=None if watch is None else watch.instead_of_reading,
    )
