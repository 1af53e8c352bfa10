"""Who may write for a connection: leases, their fence, and when a lane is due."""

import pytest

from consumer.errors import ConfigurationError, FencedError, StopCause, ThrottleKind
from consumer.ports.lanes import Throttle
from tests.conformance.intake.making import connection, key, shop
from tests.conformance.lanes.bench import Bench
from tests.conformance.lanes.scenes import BOOKS, claim, lease, open_books, pay


async def test_a_due_lane_is_leased_by_one_at_a_time(bench: Bench) -> None:
    """A lane with a due order is leased once; nobody else gets it before the lease has run out."""
    await open_books(bench, "1001")
    first = await lease(bench, "one")
    assert (first.connection_id, first.owner, first.epoch) == (BOOKS, "one", 1)
    assert await bench.lanes.lease_due("two", 15.0, 5) == []
    await bench.elapse(15.1)
    assert (await lease(bench, "two")).epoch == 2


async def test_a_lease_that_passed_on_can_do_nothing(bench: Bench) -> None:
    """Who was overtaken cannot renew, claim or give back; the new owner keeps the lane."""
    await open_books(bench, "1001")
    old = await lease(bench, "one")
    await bench.elapse(15.1)
    new = await lease(bench, "two")
    assert not await bench.lanes.renew(old, 15.0)
    with pytest.raises(FencedError):
        await bench.lanes.claim(old, 1, [])
    await bench.lanes.give_back(old)
    assert await bench.lanes.renew(new, 15.0)
    assert await bench.lanes.lease_due("three", 15.0, 5) == []


async def test_a_lease_that_ran_out_claims_nothing(bench: Bench) -> None:
    """Also before anybody has taken the lane over: only renewing makes the lease good again."""
    await open_books(bench, "1001")
    leased = await lease(bench)
    await bench.elapse(15.1)
    with pytest.raises(FencedError):
        await bench.lanes.claim(leased, 1, [])
    assert await bench.lanes.renew(leased, 15.0)
    assert [order.key for order in await claim(bench, leased)] == [key("1001")]


async def test_renewing_keeps_the_lane(bench: Bench) -> None:
    """A renewed lease outlives its first seconds."""
    await open_books(bench, "1001")
    leased = await lease(bench)
    await bench.elapse(10.0)
    assert await bench.lanes.renew(leased, 15.0)
    await bench.elapse(10.0)
    assert await bench.lanes.lease_due("two", 15.0, 5) == []


async def test_what_is_stopped_or_rests_is_not_leased(bench: Bench) -> None:
    """A stopped connection's lane rests until a person resumes it, a throttled one until its time."""
    await open_books(bench, "1001")
    await bench.lanes.stop_connection(BOOKS, StopCause.TOKEN_REVOKED, "gone")
    assert await bench.lanes.lease_due("one", 15.0, 5) == []
    assert await bench.lanes.next_due_seconds() is None
    await bench.lanes.resume_connection(BOOKS)
    await bench.calls.throttle(BOOKS, Throttle(kind=ThrottleKind.MINUTE, wait_seconds=30.0))
    assert await bench.lanes.lease_due("one", 15.0, 5) == []
    assert await bench.lanes.next_due_seconds() == pytest.approx(30.0, abs=1.0)
    await bench.elapse(30.1)
    assert (await lease(bench)).connection_id == BOOKS


@pytest.mark.parametrize("fields", [{"active": False}, {"organization_id": None}])
async def test_a_connection_that_cannot_be_written_to_is_not_leased(bench: Bench, fields: dict[str, object]) -> None:
    """Inactive, or without an organisation: no lane, whatever its row says."""
    await open_books(bench, "1001")
    await bench.settings.apply([connection(BOOKS, **fields)], [shop()], actor="test", dry_run=False)
    await bench.set_next_due(BOOKS, -1.0)
    assert await bench.lanes.lease_due("one", 15.0, 5) == []


async def test_the_lane_that_is_due_longest_is_leased_first(bench: Bench) -> None:
    """The limit bounds how many are leased, and the order is that of their due times."""
    await bench.settings.apply(
        [connection("a"), connection("b")], [shop("north", "a"), shop("south", "b")], actor="test", dry_run=False
    )
    await bench.set_next_due("a", -5.0)
    await bench.set_next_due("b", -10.0)
    assert [leased.connection_id for leased in await bench.lanes.lease_due("one", 15.0, 1)] == ["b"]
    assert [leased.connection_id for leased in await bench.lanes.lease_due("one", 15.0, 5)] == ["a"]


async def test_giving_back_tells_when_the_lane_is_due_again(bench: Bench) -> None:
    """With nothing left the lane sleeps without end; with an order in hand it is due at once for whoever comes."""
    await open_books(bench)
    await bench.lanes.wake(BOOKS)
    leased = await lease(bench)
    await bench.lanes.give_back(leased)
    assert await bench.next_due_in_seconds(BOOKS) is None
    await pay(bench, "1001")
    leased = await lease(bench)
    await bench.set_next_due(BOOKS, None)
    await bench.lanes.give_back(leased)
    assert (await bench.next_due_in_seconds(BOOKS) or 0.0) <= 0.0
    assert (await lease(bench, "two")).epoch == 3


async def test_the_sweep_finds_lost_wake_ups_only(bench: Bench) -> None:
    """A lane that sleeps over a due order is woken and counted; one that wakes too early is not wrong."""
    await open_books(bench, "1001")
    assert await bench.lanes.sweep() == 0
    await bench.set_next_due(BOOKS, -500.0)
    assert await bench.lanes.sweep() == 0
    await bench.set_next_due(BOOKS, None)
    assert await bench.lanes.sweep() == 1
    assert (await bench.next_due_in_seconds(BOOKS) or 0.0) <= 0.0
    await bench.set_next_due(BOOKS, 3600.0)
    assert await bench.lanes.sweep() == 1
    assert await bench.lanes.sweep() == 0


async def test_a_copy_of_the_database_starts_no_lane(bench: Bench) -> None:
    """The name of the first installation stays; another one is refused and names the setting."""
    await bench.lanes.check_in("main")
    await bench.lanes.check_in("main")
    with pytest.raises(ConfigurationError, match="BOOKED_INSTALLATION"):
        await bench.lanes.check_in("staging")


async def test_another_server_makes_every_lane_look_first(bench: Bench) -> None:
    """After a failover or a restore nothing is made before the ledger was looked through; the same server asks none."""
    await open_books(bench)
    await bench.lanes.check_in("main")
    await bench.lanes.check_in("main")
    assert not (await bench.lanes.view(BOOKS)).look_first
    await bench.take_over_server()
    await bench.lanes.check_in("main")
    view = await bench.lanes.view(BOOKS)
    assert (view.look_first, view.look_first_since, view.installation) == (True, None, "main")
    await bench.lanes.finish_look_first(BOOKS)
    await bench.lanes.check_in("main")
    assert not (await bench.lanes.view(BOOKS)).look_first
