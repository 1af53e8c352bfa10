"""F19 and F29: one shop's ledger is down, or somebody tampers with the tokens; the others do not notice."""

import json
from collections.abc import Sequence
from time import time
from typing import Any, Final

from sandbox.zoho.client import Founded
from tests.acceptance.installation import ORGANIZATION
from tests.acceptance.waiting import until
from tests.chaos.faults.stage import BUYERS, Goals, acquaint, pass_time
from tests.chaos.registry import Trial, fault
from tests.chaos.rig import LIMITS, SHORT_LIMITS, Rig, World
from tests.chaos.running import percentile

OTHER: Final = "second"
ORDERS: Final = 20
EVERY_SECONDS: Final = 0.4
SLOWER_MAX: Final = 1.2
SWAP = """UPDATE tokens AS mine SET client_secret = theirs.client_secret, refresh_token = theirs.refresh_token,
          access_token = theirs.access_token
          FROM tokens AS theirs WHERE mine.connection_id <> theirs.connection_id"""


async def with_another(world: World) -> Founded:
    """Give the world a second connection with a shop of its own."""
    limits = {
        "per_minute": LIMITS.calls,
        "window_seconds": LIMITS.window_seconds,
        "per_day": LIMITS.per_day,
        "concurrent": LIMITS.at_once,
    }
    founded = await world.ledger.create_organization(**{**ORGANIZATION, "name": "Other", "limits": limits})
    installation = world.installation
    connection = {"data_center": "sandbox", "organization_id": founded.organization_id, "limits": dict(SHORT_LIMITS)}
    installation.more_connections = {OTHER: connection}
    installation.shops["other"] = {"automatic": True, "connection": OTHER}
    await installation.apply()
    await installation.connect(OTHER)
    return founded


def orders_of_the_other(world: World, count: int) -> list[dict[str, Any]]:
    """Give orders of the second shop; the judge knows nothing of them, their ledger is another."""
    found = []
    for _ in range(count):
        order = dict(world.shop.order()[0].order or {})
        found.append({**order, "shop_id": "other"})
    return found


async def p95_seconds(world: World, orders: int = ORDERS) -> float:
    """Publish orders of the first shop one by one; gives the time from acknowledgement to invoice, of 95 in 100."""
    since = await world.ledger.newest_request()
    told: dict[str, float] = {}
    for _ in range(orders):
        order = world.shop.orders(1, ("plain",))
        await world.tell(order)
        told[order[0][0].order_id] = time()
        await pass_time(EVERY_SECONDS)
    made = await until(lambda: _made(world, since), lambda found: set(told) <= set(found), what="all are booked")
    return percentile([made[order_id] - at for order_id, at in told.items()], 0.95)


async def _made(world: World, since: int) -> dict[str, float]:
    rows = await world.ledger.requests(since=since, organization_id=world.organization_id, limit=10_000)
    return {
        json.loads(row["body"])["reference_number"]: float(row["time"]) + float(row["duration_seconds"] or 0)
        for row in rows
        if row["committed"] and row["method"] == "POST" and row["template"].rstrip("/").endswith("/invoices")
    }


async def others_beside_one_down(world: World, goals: Goals) -> None:
    """Measure the first shop's p95 with the second one working, and with its ledger holding every call."""
    other = await with_another(world)
    async with world.process("one"), world.process("two"):
        await acquaint(world)
        await world.installation.publish("paid", orders_of_the_other(world, BUYERS))
        calm = await p95_seconds(world)
        await world.ledger.add_faults(
            {"match": {"organization_id": other.organization_id}, "action": {"delay": {"seconds": 30}}}
        )
        await world.installation.publish("paid", orders_of_the_other(world, 40))
        rough = await p95_seconds(world)
        await world.ledger.clear_faults()
    goals.note("p95_seconds_with_all_up", calm)
    goals.note("p95_seconds_with_one_down", rough)
    goals.at_most("p95_times_as_long", rough / calm, SLOWER_MAX)


@fault("F19", "one shop's ledger takes thirty seconds for every call, with orders waiting", soak=True)
async def one_down(rig: Rig, seed: int) -> Trial:
    """The other shops' p95 stays within 1.2 times."""
    goals = Goals()
    async with rig.world("F19", seed=seed) as world:
        await others_beside_one_down(world, goals)
        async with world.sql() as connection:
            state = await connection.fetch("SELECT state FROM orders WHERE shop_id = 'shop' AND state <> 'booked'")
        goals.holds(f"orders of the shop beside it are {state}", not state)
        # The judge knows one ledger; what is asked here is how long, and that all of the first shop are booked.
        return Trial(name="F19", seed=seed, missed=tuple(goals.missed), figures=goals.figures)


@fault("F29", "the tokens of two connections swapped in the database", soak=True)
async def tokens_swapped(rig: Rig, seed: int) -> Trial:
    """Neither is used for the other: both stop, no order reaches the wrong books, and both go on after `connect`."""
    goals = Goals()
    async with rig.world("F29", seed=seed) as world:
        other = await with_another(world)
        async with world.sql() as connection:
            await connection.execute(SWAP)
        async with world.process("one"):
            await world.tell(world.shop.orders(3, ("plain",)))
            await world.installation.publish("paid", orders_of_the_other(world, 3))
            await until(lambda: _stopped(world), lambda causes: len(causes) == 2, what="both are stopped")
            goals.holds("a cause is none of tokens", set(await _stopped(world)) <= {"secret_unreadable"})
            for organization_id in (world.organization_id, other.organization_id):
                there = await world.installation.live_invoices(organization_id)
                goals.holds(f"invoices were made with swapped tokens: {sorted(there)}", not there)
            await world.installation.connect()
            await world.installation.connect(OTHER)
            await until(lambda: _booked(world), lambda count: count == 6, what="all are booked")
        # Each shop's orders stand in its own books.
        mine = await world.installation.live_invoices()
        goals.holds(f"the first books hold {sorted(mine)}", set(mine) == {s.order_id for s, _ in world.log.sent})
        return Trial(name="F29", seed=seed, missed=tuple(goals.missed), figures=goals.figures)


async def _stopped(world: World) -> Sequence[str]:
    async with world.sql() as connection:
        rows = await connection.fetch("SELECT stopped_cause FROM connections WHERE stopped_cause IS NOT NULL")
    return [row["stopped_cause"] for row in rows]


async def _booked(world: World) -> int:
    async with world.sql() as connection:
        return int(await connection.fetchval("SELECT count(*) FROM orders WHERE state = 'booked'"))
