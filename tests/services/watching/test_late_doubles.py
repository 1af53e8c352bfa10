"""A request that reaches the ledger after its settle time makes a second invoice: found, told, removed if it may be."""

from consumer.adapters.memory.ledger import Fault
from consumer.domain.states import OrderState
from tests.services.sync.virtual_time import let_pass, run, until
from tests.services.watching.hands import WatchedWorld, looks, watched


async def _doubled(world: WatchedWorld) -> tuple[str, str]:
    """Book an order twice, the first request arriving when it was long given up; gives ours, and the second."""
    await world.set_up()
    world.plan("create_invoice", Fault.ARRIVES_LATE)
    await world.pay("1001")
    await world.rest()
    ours = world.invoice().invoice_id
    world.factory.deliver_late()
    (second,) = [one for one in world.book.invoices if one != ours]
    return ours, second


def test_the_younger_is_deleted_where_it_is_an_untouched_draft_and_the_alarm_is_raised() -> None:
    """One live invoice is left, the one that we know; the story tells of both, the metric counts one."""
    world = WatchedWorld(connection=watched())

    async def work() -> None:
        async with world.watching():
            ours, _ = await _doubled(world)
            await looks(4)
            assert list(world.book.invoices) == [ours]

    run(work())
    assert world.found == ["late_double"]
    assert world.decisions().count("late_double") == 1
    assert "was deleted" in " ".join(world.words())
    assert (world.state(), world.open_intents()) == (OrderState.BOOKED, [])


def test_one_that_somebody_has_edited_is_left_and_told_once() -> None:
    """A person has to choose; nothing is deleted, and five looks say it once."""
    world = WatchedWorld(connection=watched())

    async def work() -> None:
        async with world.watching():
            ours, second = await _doubled(world)
            world.change(second, number="INV-EDITED")
            await looks(5)
            assert set(world.book.invoices) == {ours, second}

    run(work())
    assert world.found == ["late_double"]
    assert world.decisions().count("late_double") == 1
    assert "delete one by hand" in " ".join(world.words())


def test_a_persons_copy_of_our_invoice_is_not_ours() -> None:
    """Same reference, contact and total: without a request of ours that was given up it is nobody's business."""
    world = WatchedWorld(connection=watched())

    async def work() -> None:
        async with world.watching():
            await world.set_up()
            await world.pay("1001")
            await world.rest()
            world.copy(world.invoice().invoice_id)
            await looks(4)

    run(work())
    assert len(world.book.invoices) == 2
    assert world.found == []


def test_a_deletion_without_an_answer_is_looked_at_and_settled() -> None:
    """It was done, but the answer was cut: the intent ends once the invoice is seen to be gone."""
    world = WatchedWorld(connection=watched())

    async def work() -> None:
        async with world.watching():
            ours, _ = await _doubled(world)
            world.plan("delete_invoice", Fault.CUT_AFTER_COMMIT)
            await looks(8)
            assert list(world.book.invoices) == [ours]

    run(work())
    assert world.open_intents() == []
    assert world.called("delete_invoice") == ["delete_invoice"]
    assert world.database.watch_put_off == {}


def test_a_deletion_that_never_arrived_is_made_again() -> None:
    """After its settle time the second invoice is there still: it is deleted then."""
    world = WatchedWorld(connection=watched())

    async def work() -> None:
        async with world.watching():
            ours, _ = await _doubled(world)
            world.plan("delete_invoice", Fault.CUT_BEFORE_COMMIT)
            await until(lambda: bool(world.called("delete_invoice")))
            await let_pass(280.0)  # two looks, within deadline and settle time
            assert world.called("delete_invoice") == ["delete_invoice"]
            assert world.open_intents() == ["delete_invoice"]
            await looks(8)
            assert list(world.book.invoices) == [ours]

    run(work())
    assert world.open_intents() == []
    assert world.called("delete_invoice") == ["delete_invoice", "delete_invoice"]
