"""One connection's ledger is down or slow, in virtual time: the others do not feel it, and it catches up soon after."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil

import pytest
import structlog

from consumer.domain.ledger import TaxRounding
from consumer.domain.orders import OrderKey
from consumer.domain.settings import CancelledDraft
from consumer.domain.states import OrderState
from tests.interleaving.telling import lot
from tests.simulation.clocks import START, in_place
from tests.simulation.judging import judge
from tests.simulation.loop import SimulatedLoop, run
from tests.simulation.plan import Plan
from tests.simulation.scenario import (
    BOOKS,
    CALLS_PER_WINDOW,
    ORGANIZATIONS,
    WINDOW_SECONDS,
    Feature,
    Scenario,
    Told,
    plain_order,
)
from tests.simulation.world import World

TELLING_SECONDS = 16.0
FAULT_BEGINS, FAULT_ENDS = 3.0, 15.0
OTHERS = 48  # orders of the connection that is well
SLOW_SECONDS = 30.0
SEEDS = range(4)  # of one seed alone the p95 rests on two orders
SLOWER_MOST = 1.2
RECOVERY_SECONDS = 30.0
RECOVERED_SHARE = 0.8
LOOK_SECONDS = 5.0  # over which a rate is measured


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What is wrong with the first connection's ledger from FAULT_BEGINS to FAULT_ENDS."""

    down: bool = False
    slow_seconds: float = 0.0


def played(seed: int, fault: Fault, concerned: int) -> World:
    """Play the orders of both connections; ``concerned`` of the one with the fault."""
    well = [plain_order("candles", f"{n}", TELLING_SECONDS * n / OTHERS) for n in range(OTHERS)]
    ill = [plain_order("apples", f"{n}", TELLING_SECONDS * n / concerned) for n in range(concerned)]
    before = structlog.get_config()
    structlog.configure(processors=[_drop])
    loop = SimulatedLoop(lot(f"isolation {seed}"), wildness=0.5, step_seconds=0.0001)
    found: list[World] = []

    async def live() -> None:
        world = World(loop, _scenario([*well, *ill]), _plan(seed), None)
        found.append(world)
        server = world.servers[ORGANIZATIONS[BOOKS[0]]]

        def begin() -> None:
            server.down, server.slow_seconds = fault.down, fault.slow_seconds

        def end() -> None:
            server.down, server.slow_seconds = False, 0.0

        loop.outside(FAULT_BEGINS, begin)
        loop.outside(FAULT_ENDS, end)
        await world.live()

    try:
        with in_place(loop, lot(seed)):
            run(loop, live())
    finally:
        structlog.configure(**before)
    (world,) = found
    assert not world.problems + judge(world)
    return world


def _drop(_logger: object, _name: str, _event: object) -> structlog.typing.EventDict:
    raise structlog.DropEvent


def _scenario(orders: Sequence[Told]) -> Scenario:
    return Scenario(
        features=Feature.NONE,
        key="version",
        unique=dict.fromkeys(BOOKS, True),
        rounding=TaxRounding.PER_RATE,
        cancelled_draft=CancelledDraft.VOID,
        orders=orders,
    )


def _plan(seed: int) -> Plan:
    return Plan(
        seed=f"isolation {seed}",
        wildness=0.5,
        step_seconds=0.0001,
        faults=(),
        call_faults=0.0,
        other_faults=0.0,
        commands=(),
        unpublished=(),
        token_seconds=3600.0,
        farewell=False,
        hints_lost=0.0,
        faults_min=0,
    )


def p95_seconds(worlds: Sequence[World]) -> float:
    """Give the time from event to booked of the connection that is well, which 95 of 100 of its orders keep."""
    waits = sorted(wait for world in worlds for wait in _waits(world))
    return waits[ceil(len(waits) * 0.95) - 1]


def _waits(world: World) -> Iterator[float]:
    for order in world.scenario.orders:
        if order.shop_id == "candles":
            row = world.database.orders[OrderKey(order.shop_id, order.order_id)]
            assert row.state is OrderState.BOOKED
            assert row.booked_at is not None
            yield (row.booked_at - START).total_seconds() - order.tellings[0].at_seconds


def recovered_after_seconds(world: World) -> float:
    """Give how long after the fault's end the first stretch begins that has 80 % of the permitted rate."""
    server = world.servers[ORGANIZATIONS[BOOKS[0]]]
    times = [arrival.at for arrival in server.arrivals if arrival.at >= FAULT_ENDS]
    wanted = RECOVERED_SHARE * CALLS_PER_WINDOW * LOOK_SECONDS / WINDOW_SECONDS
    for at in times:
        if sum(at <= time < at + LOOK_SECONDS for time in times) >= wanted:
            return at - FAULT_ENDS
    return float("inf")


@pytest.mark.parametrize("fault", [Fault(down=True), Fault(slow_seconds=SLOW_SECONDS)], ids=["down", "slow"])
def test_while_one_ledger_is_away_the_others_are_as_quick_as_without_it(fault: Fault) -> None:
    """The p95 from event to booked of the other connection is within 1.2 times that of the same seeds without fault."""
    without, beside = (p95_seconds([played(seed, one, OTHERS) for seed in SEEDS]) for one in (Fault(), fault))
    assert beside <= SLOWER_MOST * without, (beside, without)


def test_the_fault_is_felt_where_it_is() -> None:
    """Else the comparison would prove nothing: orders of the connection that is down wait for its end."""
    world = played(1, Fault(down=True), OTHERS)
    rows = [row for key, row in world.database.orders.items() if key.shop_id == "apples"]
    late = [row for row in rows if row.booked_at and (row.booked_at - START).total_seconds() > FAULT_ENDS]
    assert len(late) > OTHERS / 2


@pytest.mark.parametrize("fault", [Fault(down=True), Fault(slow_seconds=SLOW_SECONDS)], ids=["down", "slow"])
def test_after_the_fault_the_connection_is_soon_back_at_its_rate(fault: Fault) -> None:
    """Within 30 s of the fault's end calls leave at 80 % of the permitted rate or more, as long as work waits."""
    world = played(4, fault, 120)
    assert recovered_after_seconds(world) <= RECOVERY_SECONDS
