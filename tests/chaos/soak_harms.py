"""What the long run does to its world every half minute: each harm ends by itself, and nothing of it is left."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final

from sandbox.processes import Process
from tests.chaos.faults.stage import Proxied, pass_time
from tests.chaos.proxy import Proxy, Weather
from tests.chaos.rig import World

LASTS_SECONDS: Final = 8.0
SLOW: Final = Weather(latency_seconds=0.2)
Harm = Callable[[], Awaitable[None]]


def harms_of(world: World, servers: Proxied, processes: Sequence[Process]) -> Mapping[str, Harm]:
    """Give all of them by name."""
    mine = {"organization_id": world.organization_id}
    creates = {**mine, "method": "POST", "path_regex": "/invoices$"}
    harms: dict[str, Harm] = {
        "process killed": partial(_killed, processes),
        "process frozen": partial(_frozen, world, processes),
        "ledger away": partial(_misbehaving, world, {"match": mine, "share": 0.5, "action": {"status": 503}}),
        "answers lost": partial(_misbehaving, world, {"match": creates, "share": 0.5, "action": "cut_after_commit"}),
    }
    for name, proxy in servers.proxies.items():
        harms[f"{name} cut off"] = partial(_cut, proxy)
        harms[f"{name} half-open"] = partial(_half_open, proxy)
        harms[f"{name} slow"] = partial(_slow, proxy)
    return harms


async def _killed(processes: Sequence[Process]) -> None:
    # Always the last one: what the others hold is measured from their start to the end.
    victim = processes[-1]
    await victim.kill9()
    await victim.start()


async def _frozen(world: World, processes: Sequence[Process]) -> None:
    victim = world.lot.choice(list(processes))
    victim.pause()
    await pass_time(LASTS_SECONDS)
    victim.resume()


async def _misbehaving(world: World, ordered: Mapping[str, Any]) -> None:
    ids = await world.ledger.add_faults({**ordered, "seed": world.lot.randrange(1_000_000)})
    await pass_time(LASTS_SECONDS)
    await world.ledger.clear_faults(ids[0])


async def _cut(proxy: Proxy) -> None:
    proxy.cut()


async def _half_open(proxy: Proxy) -> None:
    proxy.freeze()
    await pass_time(LASTS_SECONDS)
    proxy.thaw()
    proxy.cut()


async def _slow(proxy: Proxy) -> None:
    proxy.weather = SLOW
    await pass_time(LASTS_SECONDS)
    proxy.calm()
