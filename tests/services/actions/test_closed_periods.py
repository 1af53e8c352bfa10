"""Orders of a closed period are tried again by a running process, once a day; an outage of the database harms none."""

from consumer.domain.records import Note
from consumer.domain.states import OrderState, Reason, ReasonCode
from consumer.errors import DatabaseUnavailableError
from consumer.ports.people import PeopleStore
from consumer.services.groups_retrying import ClosedPeriods
from tests.services.sync.virtual_time import let_pass, run
from tests.services.sync.world import World, key

HOUR = 3600.0


async def park(world: World) -> None:
    """Park an order for a closed period, decided upon now."""
    await world.set_up()
    await world.pay("1001")
    row = world.order()
    row.state, row.due_at = OrderState.PARKED, None
    row.reason = Reason(code=ReasonCode.PERIOD_CLOSED, message="Closed.")
    world.database.decisions.append((key(), world.now(), row.change, Note(decision="park")))


def test_an_order_of_a_closed_period_is_tried_again_after_a_day() -> None:
    """Not before; and with no call in between."""
    world = World()

    async def work() -> None:
        await park(world)
        service = ClosedPeriods(world.people)
        await service.start()
        await let_pass(23.5 * HOUR)
        assert world.state() is OrderState.PARKED
        await let_pass(2 * HOUR)
        assert world.state() is OrderState.DUE
        await service.stop(1.0)
        assert service.failure is None

    run(work())


def test_an_outage_of_the_database_ends_no_service() -> None:
    """The next look is an hour later."""
    world = World()

    class Out:
        looks = 0

        async def retry_closed(self, *, older_than_seconds: float, limit: int) -> int:
            self.looks += 1
            if self.looks == 1:
                raise DatabaseUnavailableError("gone")
            return await world.people.retry_closed(older_than_seconds=older_than_seconds, limit=limit)

    async def work() -> int:
        out = Out()
        people: PeopleStore = out  # type: ignore[assignment] # the service uses this one method
        service = ClosedPeriods(people)
        await service.start()
        await let_pass(1.5 * HOUR)
        await service.stop(1.0)
        assert service.failure is None
        return out.looks

    assert run(work()) == 2
