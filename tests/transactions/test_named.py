"""The cases that the design names, each in every order of the statements, and beside it the wrong way, seen to fail."""

from collections.abc import Callable, Sequence
from typing import Any, cast

import pytest

from consumer.adapters.postgres.intake import PostgresIntakeStore
from consumer.adapters.postgres.pool import Connection
from consumer.adapters.postgres.sql import load
from consumer.domain.orders import OrderKey
from consumer.domain.states import Priority
from consumer.errors import StopCause
from consumer.ports.intake import Taken
from consumer.ports.lanes import Begun, Claimed
from tests.conformance.intake.making import taken
from tests.conformance.lanes.scenes import intent
from tests.transactions.exploring import Played
from tests.transactions.pairs import Explored, Theatre
from tests.transactions.scenarios.every import SCENARIOS
from tests.transactions.scenarios.lanes import claim_without
from tests.transactions.scenarios.others import NEXT
from tests.transactions.scenarios.scenario import Call, Scenario
from tests.transactions.scene import BOOKS, LEASE, RELAY, Stores, order, render

pytestmark = pytest.mark.asyncio(loop_scope="session")
# Nothing is due in the lane, so that it goes to sleep.
NOTHING_DUE = "UPDATE orders SET due_at = NULL, state = 'booked' WHERE due_at IS NOT NULL"
RELAY_OVER = "UPDATE leases SET lease_until = clock_timestamp() - interval '1 hour'"


def scenario(name: str) -> Scenario:
    """Give a scenario by its name."""
    return next(one for one in SCENARIOS if one.name == name)


def _raised(result: Any) -> str:
    return str(result[1]) if isinstance(result, tuple) and result[:1] == ("raised",) else ""


def _whole(found: Explored) -> None:
    assert not found.problems, "\n\n".join(found.problems)
    assert found.orders > 2


# ---- the lost wake-up ------------------------------------------------------------------------------------------------


def _falls_asleep(call: Callable[[Stores], Any]) -> Scenario:
    # An order that is committed between the look for work and the sleep is left, and due: as if it had been locked.
    return Scenario(method="sleep", call=call, instead=(claim_without("new"),), prepare=NOTHING_DUE)


async def _is_woken(stores: Stores) -> Any:
    return await stores.intake.record([taken(order("new"), NEXT)])


_AN_ORDER_COMES = Scenario(method="an order comes", call=_is_woken)
_ASLEEP_IN_ONE = """
UPDATE lanes SET next_due = (SELECT min(o.due_at) FROM orders o WHERE o.connection_id = lanes.connection_id)
WHERE connection_id = $1
"""


async def _sleep_in_one_statement(stores: Stores) -> Claimed:
    """Fall asleep in one statement, whose snapshot is from before its wait for the lane's row."""
    database = stores.lanes._database
    async with database.connection() as connection:
        await connection.execute(_ASLEEP_IN_ONE, BOOKS)
    return Claimed()


async def test_a_lane_that_goes_to_sleep_loses_no_wake_up(theatre: Theatre) -> None:
    """Two statements, the lock and then the look: however an order's coming falls between, the lane is due by it."""
    sleeps = _falls_asleep(lambda s: s.lanes.claim(LEASE, 4, []))
    found = await theatre.explore((sleeps, _AN_ORDER_COMES))
    _whole(found)
    assert found.blocked > 0


async def test_going_to_sleep_in_one_statement_loses_a_wake_up(theatre: Theatre) -> None:
    """The wrong way, by one statement: the order is due and its lane sleeps for ever."""
    found = await theatre.explore((_falls_asleep(_sleep_in_one_statement), _AN_ORDER_COMES))
    assert any("lanes" in problem and "next_due" in problem for problem in found.problems)


# ---- crosswise locks -------------------------------------------------------------------------------------------------

_CROSSWISE = (["due1", "due2"], ["due2", "due1"])


def _release(names: list[str]) -> Call:
    return lambda s: s.lanes.release([order(name) for name in names])


async def test_two_that_name_the_same_orders_crosswise_do_not_wait_for_each_other(theatre: Theatre) -> None:
    """Orders are locked by key, in one order whatever the caller's: no deadlock in any sequence of statements."""
    one, other = (Scenario(method=f"release {names}", call=_release(names)) for names in _CROSSWISE)
    found = await theatre.explore((one, other))
    _whole(found)
    assert found.blocked > 0
    assert found.conflicts == 0


def _one_by_one(names: list[str], retries: int) -> Callable[[Stores], Any]:
    async def call(stores: Stores) -> None:
        async def work(connection: Any) -> None:
            for name in names:
                await connection.execute(
                    "UPDATE orders SET takes = takes + 1 WHERE shop_id = 'north' AND order_id = $1", name
                )

        await stores.lanes._database.run(work, retries=retries)

    return call


async def test_a_deadlock_is_repeated_by_the_product_and_reaches_nobody(theatre: Theatre) -> None:
    """Locks taken crosswise do meet in a deadlock; `Database.run` repeats it, and both count."""
    one, other = (Scenario(method=f"{names}", call=_one_by_one(names, 5)) for names in _CROSSWISE)
    found = await theatre.explore((one, other))
    _whole(found)
    assert found.conflicts > 0


async def test_a_deadlock_that_is_not_repeated_is_a_fault(theatre: Theatre) -> None:
    """The same without the repetition: the deadlock comes out at a caller, and is told."""
    one, other = (Scenario(method=f"{names}", call=_one_by_one(names, 0)) for names in _CROSSWISE)
    found = await theatre.explore((one, other))
    assert any("Unavailable" in problem for problem in found.problems)


# ---- claims and takers -----------------------------------------------------------------------------------------------


def _no_order_twice(played: Played) -> str:
    first, second = ({record.key for record in claimed.orders} for claimed in played.results)
    # One after the other may take the same: the process keeps those in hand out. At once they must not.
    looks = max(n for n, step in enumerate(played.steps) if step.endswith("find_due"))
    ends = min(n for n, step in enumerate(played.steps) if step.endswith("COMMIT"))
    return f"both took {first & second}" if looks < ends and first & second else ""


async def test_two_claims_at_once_pass_over_what_the_other_has_locked(theatre: Theatre) -> None:
    """SKIP LOCKED: neither waits for the other, and what one has locked the other leaves alone."""
    claim = scenario("LaneStore.claim")
    found = await theatre.explore((claim, claim), judge=_no_order_twice)
    _whole(found)


def _take_a_lane(owner: str) -> Call:
    return lambda s: s.lanes.lease_due(owner, 1800.0, 1)


def _take_the_relay(owner: str) -> Call:
    return lambda s: s.outbox.lease(owner, 1800.0)


def _exactly_one(played: Played) -> str:
    return "" if sum(bool(result) for result in played.results) == 1 else f"not one of the two: {played.results}"


async def test_of_two_takers_of_a_lane_one_gets_it(theatre: Theatre) -> None:
    """Both find the lane due and its lease run out: one leases it, in every order of their statements."""
    one, other = (
        Scenario(
            method=f"lease by {owner}",
            call=_take_a_lane(owner),
            instead=scenario("LaneStore.lease_due").instead,
            prepare="UPDATE lanes SET next_due = NULL WHERE connection_id = 'books'",
        )
        for owner in ("two", "three")
    )
    _whole(await theatre.explore((one, other), judge=_exactly_one))


async def test_of_two_relays_one_gets_the_lease(theatre: Theatre) -> None:
    """The relay's lease has run out and two want it: one has the next epoch, the other nothing."""
    one, other = (
        Scenario(
            method=f"relay by {owner}",
            call=_take_the_relay(owner),
            prepare=RELAY_OVER,
        )
        for owner in ("two", "three")
    )
    _whole(await theatre.explore((one, other), judge=_exactly_one))


# ---- fences ----------------------------------------------------------------------------------------------------------


def _fenced(played: Played) -> str:
    """A write of the lease must not be committed after the lease has gone."""
    ends = [(step[0], step) for step in played.steps if step.endswith("COMMIT")]
    order_of_ends = [who for who, _ in ends]
    if isinstance(played.results[0], Begun) and order_of_ends.index("B") < order_of_ends.index("A"):
        return "the write was committed after its lease had gone"
    return ""


_GIVES_BACK = Scenario(method="give back", call=lambda s: s.lanes.give_back(LEASE))


async def test_no_write_is_committed_once_its_lease_has_gone(theatre: Theatre) -> None:
    """The lane's row is locked from the look at the lease until the commit: the lease cannot go in between."""
    _whole(await theatre.explore((scenario("BookingStore.begin"), _GIVES_BACK), judge=_fenced))


async def _begin_with_a_look(stores: Stores) -> Any:
    """Begin a write after a look at the lease that locks nothing."""
    bookings, lanes = load("bookings"), load("lanes")
    wanted = intent(order("due1"))

    async def work(connection: Any) -> Begun | None:
        lane = await connection.fetchrow(lanes.read_lane, BOOKS)
        if lane["owner"] != LEASE.owner:
            return None
        await connection.execute(bookings.lock_order_to_begin, *wanted.key)
        return Begun(slot=None)  # type: ignore[arg-type]  # no slot is taken here

    return await stores.bookings._database.run(work)


async def test_a_lease_that_is_only_looked_at_is_no_fence(theatre: Theatre) -> None:
    """The wrong way: between the look and the commit the lease goes, and the write is committed all the same."""
    looks = Scenario(method="begin with a look", call=_begin_with_a_look)
    found = await theatre.explore((looks, _GIVES_BACK), judge=_fenced)
    assert any("after its lease had gone" in problem for problem in found.problems)


def _one_begins(played: Played) -> str:
    begun = sum(isinstance(result, Begun) for result in played.results)
    return "" if begun == 1 else f"{begun} writes for one contact began"


async def test_of_two_writes_for_one_contact_one_begins(theatre: Theatre) -> None:
    """Two orders of one new customer: one makes the contact, the other is told to wait, and nobody waits for ever."""
    pair = scenario("BookingStore.begin/for a contact"), scenario("BookingStore.begin/for the same contact")
    _whole(await theatre.explore(pair, judge=_one_begins))


async def test_a_relay_whose_lease_has_gone_reads_nothing(theatre: Theatre) -> None:
    """The lease is locked while the rows are read: who reads holds it until the end of the reading."""

    def judge(played: Played) -> str:
        rows = played.results[0]
        gone = next(n for n, step in enumerate(played.steps) if step.startswith("B") and step.endswith("COMMIT"))
        read = next((n for n, step in enumerate(played.steps) if step.endswith("outbox.check_lease")), len(rows))
        return "rows of a lease that was gone" if not _raised(rows) and gone < read else ""

    reads = Scenario(method="waiting", call=lambda s: s.outbox.waiting(RELAY, 10, []))
    gives = Scenario(method="give back", call=lambda s: s.outbox.give_back(RELAY))
    _whole(await theatre.explore((reads, gives), judge=judge))


# ---- a stop and a new authorisation ----------------------------------------------------------------------------------

_GRANT = "TokenStore.save_grant"


async def test_a_stop_for_the_token_before_never_outlives_the_new_one(theatre: Theatre) -> None:
    """A person authorises while a lane stops for the old token: the connection goes on, in every order of the two."""
    found = await theatre.explore((scenario("LaneStore.stop_connection/for the token before"), scenario(_GRANT)))
    _whole(found)
    assert found.blocked > 0


async def _stop_at_once(stores: Stores) -> None:
    """Stop in one statement, whose look at the tokens is from before its wait for the connection's row."""
    async with stores.lanes._database.connection() as connection:
        await connection.fetchval(load("lanes").stop_connection, BOOKS, StopCause.TOKEN_REVOKED.value, "revoked", 600.0)


async def test_a_stop_that_does_not_wait_for_the_new_token_outlives_it(theatre: Theatre) -> None:
    """The wrong way, without the lock: the new token is not seen, and the connection stays stopped for the old one."""
    found = await theatre.explore((Scenario(method="stop at once", call=_stop_at_once), scenario(_GRANT)))
    assert any("connections" in problem and "stopped_cause" in problem for problem in found.problems)


# ---- settings and positions ------------------------------------------------------------------------------------------


async def test_two_who_apply_settings_at_once_come_one_after_the_other(theatre: Theatre) -> None:
    """Each sees all that the other has done, or nothing: what is written is what one of them asked for."""
    found = await theatre.explore(
        (scenario("SettingsStore.apply/switched off"), scenario("SettingsStore.apply/other limits"))
    )
    _whole(found)
    assert found.conflicts == 0


@pytest.mark.parametrize("placing", ["begin_log", "record_gap", "set_position"])
async def test_a_partition_that_is_placed_while_its_first_batch_is_taken(theatre: Theatre, placing: str) -> None:
    """No row stands there to be locked yet: it is added, so that one waits for the other and sees what it did."""
    first = (scenario("IntakeStore.record/cancelled"), scenario(f"IntakeStore.{placing}/first"))
    _whole(await theatre.explore(first))


async def test_of_two_comparisons_begun_at_once_one_takes_the_others_place(theatre: Theatre) -> None:
    """Neither sees the other's run before its commit: who comes second waits, and one run stays open."""
    begin = scenario("ReconcileStore.begin")
    found = await theatre.explore((begin, begin))
    # There is one order only: the lock is the first statement of both.
    assert not found.problems, "\n\n".join(found.problems)
    assert found.blocked > 0


def _taken_once(played: Played) -> str:
    counts = sorted(sum(n for verdict, n in r.verdicts.items() if verdict == "newest") for r in played.results)
    return "" if counts == [0, 1] else f"the record was taken {sum(counts)} times"


async def test_a_record_that_two_processes_were_given_is_taken_once(theatre: Theatre) -> None:
    """After a rebalance both have the same batch: the position's row lets one of them take it."""
    both = Scenario(method="record", call=lambda s: s.intake.record([taken(order("new"), NEXT)]))
    _whole(await theatre.explore((both, both), judge=_taken_once))


async def test_a_record_that_two_put_in_is_taken_once(theatre: Theatre) -> None:
    """A replay and a person's retry put the same record in: the order's lock comes before the look at its events."""
    put_in = scenario("IntakeStore.put_in")
    found = await theatre.explore((put_in, put_in))
    _whole(found)


async def test_a_record_of_a_new_order_that_the_intake_takes_and_a_person_puts_in_is_taken_once(
    theatre: Theatre,
) -> None:
    """There is no order to lock yet at the look: whoever finds it there afterwards looks once more."""
    _whole(
        await theatre.explore(
            (scenario("IntakeStore.record/new, newer, rejected"), scenario("IntakeStore.put_in")),
        )
    )


class _WithoutLocks:
    """A connection on which the locks of orders and shops are left out."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    async def fetch(self, query: str, *arguments: Any) -> Any:
        """See asyncpg."""
        left_out = query in (load("intake").lock_shops, load("intake").lock_orders)
        return [] if left_out else await self._inner.fetch(query, *arguments)


class _LooksFirst(PostgresIntakeStore):
    """Looks at the events of an order before it locks the order."""

    async def _not_taken_before(
        self, connection: Any, batch: Sequence[Taken]
    ) -> tuple[list[Taken], frozenset[OrderKey]]:
        new, _ = await super()._not_taken_before(cast("Connection", _WithoutLocks(connection)), batch)
        return new, frozenset()


async def test_a_look_that_locks_nothing_lets_a_record_in_twice(theatre: Theatre) -> None:
    """The wrong way: both look at the order's events, both find their record new, and it stands there twice."""

    async def put_in(stores: Stores) -> Any:
        store = _LooksFirst(stores.intake._database, render_rejected=render)
        return await store.put_in([taken(order("due1"), NEXT, 3)], priority=Priority.BACKFILL)

    wrong = Scenario(method="put in after a look", call=put_in)
    found = await theatre.explore((wrong, wrong))
    assert any("events" in problem for problem in found.problems)
