"""A stop that always ends: SIGTERM while the broker, the database or the ledger is frozen with calls under way."""

import sys
from contextlib import AsyncExitStack
from time import monotonic
from typing import Final

from sandbox.folders import sandbox_folder
from tests.acceptance.waiting import until
from tests.chaos.faults.stage import Goals, Proxied, judged, proxied_servers, until_ready
from tests.chaos.registry import Trial, fault
from tests.chaos.rig import Rig, World, ask_to_stop, ended

STOP_SECONDS: Final = 4
GRACE_SECONDS: Final = 5.0  # what docs/deploy.md asks to be left until the container's kill


@fault("F2 frozen", "SIGTERM with the broker, the database or the ledger frozen")
async def stop_with_a_frozen_peer(rig: Rig, seed: int) -> Trial:  # noqa: ARG001 - a broker that advertises the proxy
    """Whatever does not answer, the process ends within its deadline and five seconds, and nothing is lost by it."""
    goals = Goals()
    with sandbox_folder() as folder:
        async with (
            proxied_servers(folder, python=sys.executable) as servers,
            servers.rig.world("F2 frozen", seed=seed, via=servers.via) as world,
        ):
            for name in servers.proxies:
                await _stopped_while_frozen(world, servers, name, goals)
            async with world.process("last") as last:
                await until_ready(last)
                await world.quiet()
                return await judged(world, goals)


async def _stopped_while_frozen(world: World, servers: Proxied, name: str, goals: Goals) -> None:
    proxy = servers.proxies[name]
    async with AsyncExitStack() as stack:
        process = await stack.enter_async_context(world.process(name, BOOKED_STOP_SECONDS=str(STOP_SECONDS)))
        await until_ready(process)
        since = await world.ledger.newest_request()
        await world.tell(world.shop.orders(6, ("plain",)))
        await until(lambda: _called(world, since), bool, what="calls are under way")
        proxy.freeze()
        try:
            ask_to_stop(process)
            began = monotonic()
            await ended(process, timeout_seconds=60)
            goals.at_most(f"stopped_with_a_frozen_{name}_seconds", monotonic() - began, STOP_SECONDS + GRACE_SECONDS)
        finally:
            proxy.thaw()
            proxy.cut()


async def _called(world: World, since: int) -> bool:
    return bool(await world.ledger.requests(since=since, organization_id=world.organization_id, limit=1))
