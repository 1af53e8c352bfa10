"""F13 to F17: a ledger that is away, loses its answers, throttles, answers nonsense, or hides what it has."""

import asyncio
from collections.abc import Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

import httpx
import psutil

from tests.acceptance.installation import CLIENT_ID, CLIENT_SECRET
from tests.acceptance.waiting import until
from tests.chaos.faults.stage import Goals, acquaint, calls_of, judged, pair, pass_time, until_progress
from tests.chaos.proxy import LOOPBACK
from tests.chaos.registry import Trial, fault
from tests.chaos.rig import SHORT_LIMITS, Rig, World
from tests.chaos.story import Saying

STATUSES: Final = (500, 502, 503, 504)
OUTAGE_SECONDS: Final = 20.0
PAUSE_SECONDS: Final = 3.0
READ_SECONDS: Final = 0.5  # for the refusal to be read and recorded, while other calls are on their way
MEGABYTE: Final = 1024 * 1024


def creates(world: World) -> dict[str, Any]:
    """Match what makes an invoice of this world."""
    return {"organization_id": world.organization_id, "method": "POST", "path_regex": "/invoices$"}


async def _told_and_booked(world: World, count: int) -> tuple[int, int]:
    """Tell so many plain orders and wait until all is quiet; gives how many calls it took, and how many failed."""
    since = await world.ledger.newest_request()
    await world.tell(world.shop.orders(count, ("plain",)))
    await world.quiet()
    calls = await calls_of(world, since=since)
    return len(calls), sum((row["status"] or 0) >= min(STATUSES) for row in calls)


@fault("F13", "5xx from the ledger: one call in a hundred, in ten, in two, then all for 20 s")
async def errors_of_the_ledger(rig: Rig, seed: int) -> Trial:
    """Each failed call costs three more at most, 1.3 times at 10 %. Away it is probed, and back within 30 s."""
    goals = Goals()
    async with rig.world("F13", seed=seed) as world, pair(world):
        await acquaint(world)
        clean, _ = await _told_and_booked(world, 30)
        for percent in (1, 10):
            await _make_rough(world, percent)
            used, failed = await _told_and_booked(world, 30)
            goals.note(f"calls_at_{percent}_percent_to_clean", used / clean)
            goals.at_most(f"extra_calls_per_failed_at_{percent}_percent", (used - clean) / max(failed, 1), 3)
            await world.ledger.clear_faults()
        # Of two calls one: an order in doubt needs two looks that succeed, and the breaker rests longer each time.
        await _make_rough(world, 50)
        await world.tell(world.shop.orders(8, ("plain",)))
        await pass_time(OUTAGE_SECONDS / 2)
        await world.ledger.clear_faults()
        await world.quiet()
        await _away(world, goals)
        await world.quiet()
        return await judged(world, goals)


async def _make_rough(world: World, percent: int) -> None:
    share = percent / 100
    mine = {"organization_id": world.organization_id}
    await world.ledger.add_faults(
        *(
            {"match": mine, "share": share / len(STATUSES), "seed": world.seed + status, "action": {"status": status}}
            for status in STATUSES
        )
    )


async def _away(world: World, goals: Goals) -> None:
    status = world.lot.choice(STATUSES)
    await world.ledger.add_faults({"match": {"organization_id": world.organization_id}, "action": {"status": status}})
    await world.tell(world.shop.orders(8, ("plain",)))
    await until(lambda: _rests(world), bool, what="the breaker rests the lane")
    await pass_time(SHORT_LIMITS["call_deadline_seconds"])  # for what was under way when it opened
    since = await world.ledger.newest_request()
    await pass_time(OUTAGE_SECONDS / 2)
    # An order at a time probes. The rest may end at the edge of the span: then it is two.
    goals.at_most("probes_in_10_s", len(await calls_of(world, since=since)), 2)
    await world.ledger.clear_faults()
    goals.at_most("first_progress_seconds", await until_progress(world, what="work after the outage"), 30)


async def _rests(world: World) -> bool:
    async with world.sql() as connection:
        return bool(await connection.fetchval("SELECT bool_or(throttled_until > clock_timestamp()) FROM lanes"))


@fault("F14", "answers lost after the commit, on every create", worst=True)
async def lost_answers(rig: Rig, seed: int) -> Trial:
    """No order has two invoices, and each lost answer costs at most three calls more."""
    goals = Goals()
    async with rig.world("F14", seed=seed) as world, pair(world):
        await acquaint(world)
        lost = 0
        since = await world.ledger.newest_request()
        for action in ("cut_after_commit", {"hold_after_commit": {"seconds": 2.5}}):
            await world.ledger.add_faults({"match": creates(world), "action": action})
            await world.tell(world.shop.orders(4, ("plain",)))
            lost += 4
            await until(world.unrest, lambda unrest: not unrest, what="all resolved", timeout_seconds=60)
            await world.ledger.clear_faults()
        used = [row for row in await calls_of(world, since=since) if "/invoices" in row["path"]]
        goals.at_most("extra_calls_per_lost_answer", (len(used) - lost) / lost, 3)
        return await judged(world, goals)


@fault("F15", "429 of the minute, the day, and of calls at once; as HTML from the edge")
async def throttled(rig: Rig, seed: int) -> Trial:
    """At most one call more within the pause, and the work goes on within five seconds of its end."""
    goals = Goals()
    async with rig.world("F15", seed=seed) as world, pair(world):
        await acquaint(world)
        for name, code in (("minute", 44), ("day", 45), ("at_once", 1070), ("edge", None)):
            await _throttle_once(world, goals, name, code)
        return await judged(world, goals)


async def _throttle_once(world: World, goals: Goals, name: str, code: int | None) -> None:
    body = "<html>Too many requests</html>" if code is None else {"code": code, "message": "Too many requests"}
    answer = {"code": 429, "body": body, "headers": {"Retry-After": str(PAUSE_SECONDS)}}
    mine = {"organization_id": world.organization_id}
    await world.ledger.add_faults({"match": mine, "times": 1, "action": {"status": answer}})
    since = await world.ledger.newest_request()
    await world.tell(world.shop.orders(4, ("plain",)))
    await world.quiet()
    await world.ledger.clear_faults()
    rows = await world.ledger.requests(since=since, organization_id=world.organization_id, limit=1000)
    refused = next(row for row in rows if row["status"] == 429)
    told_at = refused["time"] + (refused["duration_seconds"] or 0)
    within = [row for row in rows if told_at + READ_SECONDS < row["time"] < told_at + PAUSE_SECONDS - 0.1]
    after = [row["time"] for row in rows if row["time"] >= told_at + PAUSE_SECONDS - 0.1]
    goals.at_most(f"{name}_calls_in_the_pause", len(within), 1)
    goals.at_most(f"{name}_resumed_after_seconds", min(after) - told_at - PAUSE_SECONDS, 5)


NONSENSE: Final[Sequence[Any]] = (
    {"code_in_200": 1000},
    "missing_id",
    "truncated_json",
    "html",
    "garbage",
    "empty",
    {"gzip_bomb": 50 * MEGABYTE},
    {"big_body": 50 * MEGABYTE},
    {"slow_body": 1},
)


@fault(
    "F16", "answers that are nonsense: errors in a 200, no id, cut, HTML, bombs, a byte a second, redirects", worst=True
)
async def nonsense(rig: Rig, seed: int) -> Trial:
    """No order has two invoices, nothing is followed to another host, and a bomb does not fill the memory."""
    goals = Goals()
    async with rig.world("F16", seed=seed) as world, _trap() as (address, visits), pair(world) as processes:
        await acquaint(world)
        before = sum(_memory_bytes(process.pid) for process in processes)
        redirect = {"redirect": f"http://{address}/books/v3/invoices"}
        mine = {"organization_id": world.organization_id}
        await world.ledger.add_faults(
            *({"match": creates(world), "nth": 1 + number, "action": one} for number, one in enumerate(NONSENSE)),
            {"match": mine, "nth": 3 + world.lot.randrange(10), "action": redirect},
            {"match": mine, "share": 0.05, "seed": seed, "action": "stale_list"},
        )
        await world.tell(world.shop.orders(len(NONSENSE) + 2, ("plain", "changed")))
        await world.quiet()
        goals.note("faults_struck", sum(one["fired"] for one in await world.ledger.faults()))
        await world.ledger.clear_faults()
        grown = sum(_memory_bytes(process.pid) for process in processes) - before
        goals.at_most("memory_grown_megabytes", grown / MEGABYTE, 40)
        goals.at_most("redirects_followed", len(visits), 0)
        return await judged(world, goals)


def _memory_bytes(pid: int) -> int:
    return int(psutil.Process(pid).memory_info().rss)


@asynccontextmanager
async def _trap() -> Any:
    """Listen where nobody may come; gives the address and who came."""
    visits: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        visits.append(await reader.read(200))
        writer.close()

    server = await asyncio.start_server(answer, LOOPBACK, 0)
    async with server:
        yield f"{LOOPBACK}:{server.sockets[0].getsockname()[1]}", visits


@fault("F17", "a ledger that shows what it has only after seconds, and one that has an order twice already")
async def hidden(rig: Rig, seed: int) -> Trial:
    """Lost answers beside late lists make no double; an order that the books have twice is parked, never a third."""
    goals = Goals()
    async with rig.world("F17", seed=seed) as world:
        world.installation.limits["settle_seconds"] = 4.0  # longer than the lists are late, as in production
        await world.installation.apply()
        double = world.shop.order()
        # Before a look at the books: what a person writes later under our references, nobody can foresee.
        await _make_twice(world, double[0])
        code, printed = await world.command("look-first", "--as", "tester")
        goals.holds(f"look-first ended with {code}: {printed[-200:]}", code == 0)
        await world.ledger.change_organization(world.organization_id, switches={"list_delay_seconds": 2})
        async with pair(world):
            await acquaint(world)
            lost = {"match": creates(world), "share": 0.5, "seed": seed, "action": "cut_after_commit"}
            await world.ledger.add_faults(lost)
            await world.tell([double, *world.shop.orders(6, ("plain", "changed"))])
            await world.quiet()
            await world.ledger.clear_faults()
        return await _without_the_double(world, goals, double[0].order_id)


async def _without_the_double(world: World, goals: Goals, order_id: str) -> Trial:
    twice = (await world.installation.live_invoices())[order_id]
    goals.holds(f"{order_id}, twice in the books before, has {len(twice)} invoices", len(twice) == 2)
    async with world.sql() as connection:
        state = await connection.fetchval("SELECT state FROM orders WHERE order_id = $1", order_id)
    goals.holds(f"{order_id}, twice in the books, is {state}", state == "parked")
    trial = await judged(world, goals)
    # The two were put there by hand: that they are two is the fault itself, not its consequence.
    ours = [one for one in trial.findings if order_id not in one.what]
    return Trial(name=trial.name, seed=trial.seed, findings=ours, missed=trial.missed, figures=trial.figures)


async def _make_twice(world: World, saying: Saying) -> None:
    """Write two invoices of one reference, as a person and another program would."""
    granted = await world.ledger.grant(
        client_id=CLIENT_ID, client_secret=CLIENT_SECRET, organization_ids=[world.organization_id]
    )
    headers = {"Authorization": f"Zoho-oauthtoken {granted.access_token}"}
    query = {"organization_id": world.organization_id}
    async with httpx.AsyncClient(
        base_url=world.ledger.url, headers=headers, params=query, trust_env=False, timeout=10
    ) as client:
        made = await client.post("/books/v3/contacts", json={"contact_name": "Somebody else"})
        customer = made.raise_for_status().json()["contact"]["contact_id"]
        line = {"name": "Mug", "rate": 1, "quantity": 1}
        body = {"customer_id": customer, "reference_number": saying.order_id, "line_items": [line]}
        for _ in range(2):
            (await client.post("/books/v3/invoices", json=body)).raise_for_status()
