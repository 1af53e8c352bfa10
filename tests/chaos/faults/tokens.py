"""F18: tokens that end in the middle of the work, an accounts server that is away, and an access that is withdrawn."""

from time import monotonic
from typing import Final

from tests.acceptance.waiting import until
from tests.chaos.faults.stage import Goals, acquaint, judged, pair
from tests.chaos.registry import Trial, fault
from tests.chaos.rig import Rig, World

EXPIRIES: Final = 3
STOPPED_SECONDS: Final = 5.0


@fault("F18", "tokens expired in the middle of a batch, the accounts server away, the access withdrawn")
async def tokens(rig: Rig, seed: int) -> Trial:
    """One renewal for each expiry over all processes; withdrawn it stops within 5 s, and goes on after `connect`."""
    goals = Goals()
    async with rig.world("F18", seed=seed) as world, pair(world):
        await acquaint(world)
        before = await _renewals(world)
        for _ in range(EXPIRIES):
            await world.expire_tokens()
            await world.tell(world.shop.orders(4, ("plain", "changed")))
            await world.quiet()
        goals.at_most("renewals_per_expiry", (await _renewals(world) - before) / EXPIRIES, 1)
        await world.expire_tokens()
        away = {"path_regex": "/oauth/v2/token"}
        await world.ledger.add_faults({"match": away, "times": 3, "action": {"status": 500}})
        await world.tell(world.shop.orders(3))
        await world.quiet()
        await world.ledger.clear_faults()
        await _withdrawn(world, goals)
        await world.quiet()
        return await judged(world, goals)


async def _renewals(world: World) -> int:
    async with world.sql() as connection:
        return int(await connection.fetchval("SELECT max(version) FROM tokens"))


async def _withdrawn(world: World, goals: Goals) -> None:
    mine = {"organization_id": world.organization_id, "path_regex": "/books/"}
    await world.ledger.add_faults({"match": mine, "times": 1, "action": "revoked_token"})
    await world.tell(world.shop.orders(4))
    struck = await until(lambda: _struck(world), bool, what="the withdrawal is met")
    goals.holds("the withdrawal was not met", struck)
    began = monotonic()
    await until(lambda: _stopped(world), bool, what="the connection is stopped")
    goals.at_most("stopped_after_seconds", monotonic() - began, STOPPED_SECONDS)
    await world.ledger.clear_faults()
    await world.installation.connect()


async def _struck(world: World) -> bool:
    return any(one["fired"] for one in await world.ledger.faults())


async def _stopped(world: World) -> bool:
    async with world.sql() as connection:
        return bool(await connection.fetchval("SELECT stopped_cause FROM connections"))
