"""Whatever happens at whichever step of a booking, the ledger ends with one live invoice, of the newest revision."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from functools import partial

import pytest

from consumer.adapters.memory.ledger import Fault
from consumer.domain.events import EventKind
from consumer.domain.settings import ConnectionSettings
from consumer.domain.states import OrderState
from tests.services.sync.virtual_time import CrashedError, run
from tests.services.sync.world import CONNECTION, World, with_unique_field

STEPS_MAX = 1000  # far more than a booking takes, with its first calls and the end of its process


def _count(world: World) -> tuple[int, list[Decimal], OrderState | None, list[str]]:
    live = world.live()
    return len(live), [invoice.total for invoice in live], world.state(), world.open_intents()


async def _book(world: World) -> None:
    await world.set_up()
    await world.pay("1001")
    async with world.process():
        await world.rest()


async def _go_on(world: World) -> None:
    """Start again over what is stored, as a new process does, and wait until all is done."""
    async with world.process("another"):
        await world.rest(within_seconds=7200.0)


def _crash_and_go_on(world: World, step: int) -> bool:
    """Leave the first process standing at a step and start anew; gives whether there was such a step."""
    try:
        run(_book(world), crash_at=step)
    except CrashedError:
        # The lease of the dead process runs out by itself.
        world.now_seconds = 20.0
        if world.state() is not None:
            run(_go_on(world))
        return True
    return False


@pytest.mark.parametrize("connection", [CONNECTION, with_unique_field()], ids=["by reference", "unique field"])
def test_a_crash_at_any_step_ends_with_one_live_invoice(connection: ConnectionSettings) -> None:
    """The process dies, without a farewell, at step 1, 2, 3 … of a booking; the next one finishes it."""
    for step in range(1, STEPS_MAX):
        world = World(connection=connection)
        if not _crash_and_go_on(world, step):
            break
        if world.state() is not None:  # else it died before the event was taken, which Kafka still has
            assert _count(world) == (1, [Decimal("12.20")], OrderState.BOOKED, []), step
            assert world.writes().count("create_invoice") == 1, step
            assert len(world.book.contacts) == 1, step
    assert step > 60, "the booking has more steps than that"


def test_a_crash_at_any_step_of_a_correction_ends_with_the_newest_figures() -> None:
    """The same for the update of a booked order: one invoice, of the second revision, made once."""
    for step in range(1, STEPS_MAX):
        world = World()
        run(_book(world))
        run(world.take("1001", EventKind.UPDATED, version=2, price="24.40"))
        world.now_seconds = 500.0
        if not _crashes_going_on(world, step):
            break
        world.now_seconds = 520.0
        run(_go_on(world))
        assert _count(world) == (1, [Decimal("24.40")], OrderState.BOOKED, []), step
        assert world.writes().count("create_invoice") == 1, step
    assert step > 40, "the correction has more steps than that"


def _crashes_going_on(world: World, step: int) -> bool:
    try:
        run(_go_on(world), crash_at=step)
    except CrashedError:
        return True
    return False


@dataclass
class _Disturbance:
    """Something that happens once, at a step."""

    at: int
    what: Callable[[], object]
    happened: bool = False

    def __call__(self, step: int) -> None:
        if step == self.at:
            self.happened = True
            self.what()


def _take_newer(world: World) -> None:
    """Let a newer revision be there from now on, as if its transaction had just been committed."""
    if not world.database.orders:
        return
    # A coroutine of the store yields at its edges only: driven by hand it is one step.
    taking = world.take("1001", EventKind.UPDATED, version=2, price="24.40")
    while True:
        try:
            taking.send(None)
        except StopIteration:
            return


def test_a_newer_revision_at_any_step_of_a_booking_is_what_the_ledger_ends_with() -> None:
    """The order changes at step 1, 2, 3 … of its booking: one invoice, of the newer revision, whatever the step."""
    changed = 0
    for step in range(1, STEPS_MAX):
        world = World()
        disturbance = _Disturbance(at=step, what=partial(_take_newer, world))
        run(_book(world), on_step=disturbance)
        if not disturbance.happened:
            break
        if world.order().head.revision.version == 2:
            changed += 1
            # Where it came while the process was already leaving, the next one takes it up.
            world.now_seconds = 500.0
            run(_go_on(world))
            assert _count(world) == (1, [Decimal("24.40")], OrderState.BOOKED, []), step
            assert world.writes().count("create_invoice") == 1, step
    assert changed > 60, "the booking has more steps than that"


def test_an_invoice_that_was_made_while_the_order_was_cancelled_is_made_void() -> None:
    """The cancellation comes while the create is under way: what it made is taken down again."""
    world = World()

    async def cancel_at_once() -> None:
        if world.calls and world.calls[-1].name == "create_invoice" and not world.order().cancelled:
            await world.take("1001", EventKind.CANCELLED, version=2)

    world.factory.pause = cancel_at_once
    run(_book(world))
    assert (world.live(), world.state()) == ((), OrderState.WITHDRAWN)
    assert [invoice.status.value for invoice in world.book.invoices.values()] == ["void"]
    assert world.told()[-1]["state"] == "withdrawn"


def test_after_the_settle_time_and_not_before_a_lost_create_is_asked_about() -> None:
    """No answer to a create: nothing is asked for deadline and settle time, then it is found and adopted."""
    world = World()
    world.plan("create_invoice", Fault.CUT_AFTER_COMMIT)
    run(_book(world))
    intent = next(row for row in world.database.intents.values() if row.operation == "create_invoice")
    assert intent.resolution == "adopted"
    assert intent.resolved_at is not None
    assert intent.resolved_at - intent.begun_at >= timedelta(seconds=20 + 300)
    assert [document.agreed for document in world.documents()] == [True]
    assert _count(world) == (1, [Decimal("12.20")], OrderState.BOOKED, [])
