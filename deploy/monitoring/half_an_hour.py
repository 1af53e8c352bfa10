"""A demo that lasts: orders come all the time, and what goes wrong in real life goes wrong, so that there is a past.

Two processes of `booked run` and one of `booked figures` under a Prometheus, three organisations, and what a cluster
does beside them: the replay every ten minutes, and at the end a comparison. Which orders come hangs on a seed alone.
"""

import asyncio
import contextlib
import math
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import chain, zip_longest
from pathlib import Path
from typing import Any, Final

from sandbox.demo.booked import PERSON, Booked
from sandbox.demo.ledger import Organization, wanted_by_the_shop
from sandbox.demo.plans import RAISED_LIMITS, RAISED_SETTINGS, REAL_LIMITS, Plan
from sandbox.demo.world import World, running_world
from sandbox.ports import LOOPBACK
from sandbox.postgres import admin_connection
from sandbox.processes import Process
from sandbox.progress import Narrator
from sandbox.prometheus import prometheus
from sandbox.shop.broker import publish
from sandbox.shop.expectations import ShopOrder
from sandbox.shop.orders import make_season
from sandbox.zoho.client import CLIENT_ID

SCRAPE_SECONDS: Final = 5
REPLAY_SECONDS: Final = 600.0  # as the CronJob has it
PUBLISH_SECONDS: Final = 2.0
WHOLE_SECONDS: Final = 1800.0
SEED: Final = 7
SKIPPED: Final = 3
FOUND_DIFFERENCES: Final = 7  # what `booked reconcile` ends with, where it has found something
# Orders of half an hour by shop, and the calls of the day that its organisation has.
SHOPS: Final = {
    "demo": ({"north": 420, "south": 260, "coast": 120}, 5_000),
    "market": ({"market": 640}, 1_000),
    "corner": ({"corner": 380}, 400),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """What runs: the processes' world, Prometheus' address, and how long all of it lasts."""

    world: World
    plans: Sequence[Plan]
    processes: Sequence[Process]  # of `booked run`
    prometheus_url: str
    seconds: float

    def organization(self, connection: str) -> Organization:
        """Give the organisation of a connection."""
        names = [plan.connection for plan in self.plans]
        return self.world.organizations[names.index(connection)]


@contextlib.asynccontextmanager
async def lasting_demo(*, binary: Path, seconds: float, narrator: Narrator) -> AsyncIterator[Running]:
    """Start everything, and end it with the block. Raises SandboxError where something cannot be had."""
    plans = plans_for(seconds / WHOLE_SECONDS, datetime.now(UTC))
    async with running_world(plans, narrator) as world, contextlib.AsyncExitStack() as stack:
        second, figures = (world.booked.another(world.booked.folder / name) for name in ("second", "figures"))
        beside = await stack.enter_async_context(second.run())
        await stack.enter_async_context(figures.figures())
        jobs = {
            "booked": {"booked-1": _address(world.booked), "booked-2": _address(second)},
            "booked-figures": {"figures": _address(figures)},
        }
        url = await stack.enter_async_context(
            prometheus(world.booked.folder, jobs, binary=binary, scrape_seconds=SCRAPE_SECONDS)
        )
        processes = (world.process, beside)
        yield Running(world=world, plans=plans, processes=processes, prometheus_url=url, seconds=seconds)


def plans_for(share: float, now: datetime) -> tuple[Plan, ...]:
    """Give the organisations with the orders of their shops, as many as for this share of half an hour."""
    return tuple(_plan(connection, share, now) for connection in SHOPS)


def _plan(connection: str, share: float, now: datetime) -> Plan:
    shops, calls_a_day = SHOPS[connection]
    seasons = [
        make_season(seed=SEED, orders=math.ceil(orders * share), now=now, shop_id=shop)
        for shop, orders in shops.items()
    ]
    orders = chain.from_iterable(zip_longest(*(season.orders for season in seasons)))
    raised = connection == "demo"
    # A short run has a short day: what is to be seen of it must happen in the meantime.
    per_day = calls_a_day if raised else math.ceil(calls_a_day * share) + 20
    return Plan(
        title=connection,
        connection=connection,
        orders=tuple(order for order in orders if order is not None),
        wanted=wanted_by_the_shop(),
        limits=(RAISED_LIMITS if raised else REAL_LIMITS) | {"per_day": per_day},
        settings=RAISED_SETTINGS | {"calls_per_day": per_day} if raised else {"calls_per_day": per_day},
        # Of the first shop alone: two shops' customers may have one name, and a ledger has each name once.
        in_ledger=seasons[0].in_ledger,
    )


def _address(booked: Booked) -> str:
    return f"{LOOPBACK}:{booked.http_port}"


# ---- what happens ----


async def let_it_happen(running: Running, narrator: Narrator) -> None:
    """Sell, replay and disturb until the time is over, and compare shops and ledger at the end."""
    began = time.monotonic()
    async with asyncio.TaskGroup() as tasks:
        for plan in running.plans:
            tasks.create_task(_sell(plan, running, began))
        tasks.create_task(_replay(running, began))
        tasks.create_task(_disturb(running, began, narrator))


async def _sell(plan: Plan, running: Running, began: float) -> None:
    """Publish each order in its time: they come in waves, and the last some moments before the end."""
    booked, left = running.world.booked, list(plan.orders)
    moments = list(selling_moments(len(left), running.seconds * 0.97))
    while left:
        passed = time.monotonic() - began
        due = sum(moment <= passed for moment in moments)
        batch, left, moments = left[:due], left[due:], moments[due:]
        if batch:
            await publish(booked.kafka_servers, booked.topics, [_paid_now(order) for order in batch])
        await asyncio.sleep(PUBLISH_SECONDS)


def selling_moments(orders: int, seconds: float) -> Iterator[float]:
    """Give the seconds at which orders are paid: three waves, each four times as high in its middle as between them."""
    steps = 600
    pace = [1.0 - 0.6 * math.cos(2 * math.pi * 3 * step / steps) for step in range(steps)]
    share, made = 0.0, 0
    for step, here in enumerate(pace):
        share += here / sum(pace)
        while made < orders and (made + 0.5) / orders <= share:
            yield seconds * step / steps
            made += 1


def _paid_now(order: ShopOrder) -> ShopOrder:
    now = datetime.now(UTC).isoformat()
    return replace(order, data={**order.data, "placed_at": now, "paid_at": now})


async def _replay(running: Running, began: float) -> None:
    """Run what the CronJob runs, as often as it does, and three times in a run of any length."""
    every = min(REPLAY_SECONDS, running.seconds / 3)
    for count in range(int(running.seconds / every)):
        await _until(began + count * every)
        await running.world.booked.command("replay", "--json")


async def _until(moment: float) -> None:
    await asyncio.sleep(max(0.0, moment - time.monotonic()))


async def _disturb(running: Running, began: float, narrator: Narrator) -> None:
    """Let each thing happen at its share of the time."""
    for share, what, act in DISTURBANCES:
        await _until(began + share * running.seconds)
        narrator.say(f"{time.monotonic() - began:5.0f} s: {what}")
        await act(running)
    await _until(began + running.seconds)


async def _with_fault(running: Running, share: float, fault: Mapping[str, Any]) -> None:
    control = running.world.control
    (fault_id,) = await control.add_faults(fault)
    await asyncio.sleep(share * running.seconds)
    await control.clear_faults(fault_id)


async def _outage(running: Running) -> None:
    await _with_fault(running, 0.05, {"match": {}, "action": {"status": 503}})


async def _answers_lost(running: Running) -> None:
    """What is made without an answer is looked for before it is made again."""
    await _with_fault(
        running,
        0.06,
        {"match": {"method": "POST", "path_regex": "/invoices"}, "share": 0.1, "action": "cut_after_commit"},
    )


async def _slow(running: Running) -> None:
    await _with_fault(running, 0.06, {"match": {}, "action": {"delay": {"seconds": 0.8}}})


async def _database_locked(running: Running) -> None:
    """A migration of somebody's own holds the table that every intake writes to."""
    async with admin_connection(running.world.booked.database_url) as connection, connection.transaction():
        await connection.execute("LOCK TABLE positions IN ACCESS EXCLUSIVE MODE")
        await asyncio.sleep(0.015 * running.seconds)


async def _position_moved(running: Running) -> None:
    """With all intakes stopped a person moves a position too far: what it skips, the replay finds and puts in."""
    booked = running.world.booked
    for process in running.processes:
        await process.stop()
    await asyncio.sleep(0.012 * running.seconds)
    async with admin_connection(booked.database_url) as connection:
        query = "SELECT max(next_offset) FROM positions WHERE topic = $1 AND partition = 0"
        offset = int(await connection.fetchval(query, booked.topics.paid))
    await booked.command("positions", "set", booked.topics.paid, "0", str(offset + SKIPPED), "--as", PERSON)
    await asyncio.sleep(0.012 * running.seconds)
    await asyncio.gather(*(process.start() for process in running.processes))


async def _revoked(running: Running) -> None:
    """Somebody takes Booked's access back in Zoho's own settings, and a person connects again."""
    organization = running.organization("market").organization_id
    await _with_fault(running, 0.05, {"match": {"organization_id": organization}, "action": "revoked_token"})
    code = await running.world.control.create_code(client_id=CLIENT_ID)
    await running.world.booked.command("connect", "market", "--self-client", code, "--as", PERSON)


async def _deleted_by_hand(running: Running) -> None:
    """A person deletes an invoice in the books."""
    control, organization = running.world.control, running.organization("demo").organization_id
    invoices = (await control.ledger(organization))["invoices"]
    await control.by_hand(organization, str(invoices[0]["invoice_id"]), "delete")


async def _compare(running: Running) -> None:
    await running.world.booked.command("reconcile", "--connection", "demo", codes=(0, FOUND_DIFFERENCES))


Act = Callable[[Running], Awaitable[None]]
DISTURBANCES: Final[Sequence[tuple[float, str, Act]]] = (
    (0.20, "the ledger answers 503 to everything", _outage),
    (0.40, "a tenth of the ledger's answers are lost", _answers_lost),
    (0.49, "somebody locks a table in Postgres", _database_locked),
    (0.55, "the ledger takes almost a second for a call", _slow),
    (0.645, "all of booked run is stopped, and a position is moved too far", _position_moved),
    (0.75, "Booked's access to one organisation is taken back", _revoked),
    (0.84, "a person deletes an invoice in the books", _deleted_by_hand),
    (0.90, "shops and ledger are compared: booked reconcile", _compare),
)
"""When (as a share of the time), what, and how it is done."""
