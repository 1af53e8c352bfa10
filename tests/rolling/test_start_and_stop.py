"""A process becomes ready, and told to stop in the midst of work it ends within its deadline and loses nothing."""

from time import monotonic

import pytest

from tests.chaos.rig import Rig
from tests.rolling.release import this_release
from tests.rolling.update import STOP_SECONDS, process_of, told

pytestmark = pytest.mark.acceptance
ORDERS = 40
# The keeper that starts it, and the interpreter's own end: no part of what is in hand.
ENDING_SECONDS = 5.0


async def test_it_is_ready_and_stops_within_its_deadline_under_load(rig: Rig) -> None:
    """SIGTERM in the midst of bookings: it ends with 0 in time, and the next process does the rest, nothing twice."""
    async with rig.world("stopping", seed=2) as world:
        async with process_of(world, this_release(), "first") as first:
            await world.tell(world.shop.orders(ORDERS))
            await told(world, 3)
            assert await world.unrest(), "all was done before it was told to stop"
            begun = monotonic()
            await first.stop()
            stopped_seconds = monotonic() - begun
            assert await first.wait() == 0
        assert stopped_seconds < STOP_SECONDS + ENDING_SECONDS
        async with process_of(world, this_release(), "second"):
            await world.quiet()
        assert [str(finding) for finding in await world.findings()] == []
