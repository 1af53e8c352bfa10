"""Puts an order into each of its states, and lets each event come: what the table of docs/states.md is proved by."""

from collections.abc import Awaitable, Callable, Mapping

from consumer.adapters.memory.ledger import Fault
from consumer.domain.asking import Mark
from consumer.domain.events import EventKind
from consumer.domain.states import Ask, OrderState
from consumer.ports.wakeups import WakeKind
from tests.services.booking.changing import AUTOMATIC, Data, Shop, an_order, refund
from tests.services.sync.virtual_time import run
from tests.services.sync.world import key

Come = Callable[[Shop], Awaitable[object]]
UPDATED, CANCELLED, PAID = EventKind.UPDATED, EventKind.CANCELLED, EventKind.PAID
UNKNOWN_RATE = [{"id": "1", "name": "Mug", "quantity": "1", "unit_price": "122.00", "taxes": [{"rate": "10"}]}]


def _says(kind: EventKind, data: Data | None) -> Come:
    async def come(world: Shop) -> None:
        await world.say(kind, 9, data)

    return come


def _asks(ask: Ask) -> Come:
    async def come(world: Shop) -> None:
        await world.ask(ask)

    return come


def _marks(mark: Mark) -> Come:
    async def come(world: Shop) -> None:
        await world.people.mark(key(), mark, actor="jane")
        world.signals.wake(WakeKind.LANES, ["books"])

    return come


# By the names of the rows of the table.
EVENTS: Mapping[str, Come] = {
    "order.paid": _says(PAID, an_order()),
    "order.updated": _says(UPDATED, an_order("244.00")),
    "order.updated, nothing on the document": _says(UPDATED, an_order(note="ring twice")),
    "order.updated with a refund": _says(UPDATED, an_order(refunds=[refund("r1", "22.00")])),
    "order.updated, payment taken back": _says(UPDATED, an_order(payment_taken_back=True)),
    "order.updated, no longer cancelled": _says(UPDATED, an_order(cancelled_at=None)),
    "order.cancelled": _says(CANCELLED, None),
    "generate": _asks(Ask.GENERATE),
    "update": _asks(Ask.UPDATE),
    "delete": _asks(Ask.DELETE),
    "hold": _marks(Mark.HOLD),
    "release": _marks(Mark.RELEASE),
    "ignore": _marks(Mark.IGNORE),
}


async def _into(world: Shop, state: OrderState) -> None:
    """Bring the order into a state: unpaid, not yet in hand, a create without an answer, booked, no tax, cancelled."""
    if state is OrderState.WAITING:
        await world.say(UPDATED, 1, an_order())
    else:
        await world.say(PAID, 1, an_order(lines=UNKNOWN_RATE) if state is OrderState.PARKED else an_order())
    if state in (OrderState.WAITING, OrderState.DUE):
        return
    if state is OrderState.UNCERTAIN:
        world.plan("create_invoice", Fault.CUT_AFTER_COMMIT)
    async with world.process("first"):
        await (world.rest_uncertain() if state is OrderState.UNCERTAIN else world.rest())
        if state is OrderState.WITHDRAWN:
            await world.say(CANCELLED, 2, None)
            await world.rest()


def played_from(state: OrderState, event: str) -> Shop:
    """Give the world after the event came in this state and nothing is left to do; only later writes are in it."""
    world = Shop()

    async def scene() -> None:
        await world.set_up(AUTOMATIC)
        await _into(world, state)
        assert world.state() is state, f"the order is {world.state()} before {event}"
        world.book.commits.clear()
        await EVENTS[event](world)
        async with world.process("second"):
            await world.rest()

    run(scene())
    return world
