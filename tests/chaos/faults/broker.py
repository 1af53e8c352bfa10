"""F4, F5, F7 and F25: a broker that is killed, frozen, late, slow or cut off, and topics that have changed."""

import sys
import uuid
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Final

from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete
from aiokafka.structs import TopicPartition

from sandbox.folders import sandbox_folder
from sandbox.kafka import create_topics, delete_topics
from sandbox.processes import Process
from tests.acceptance.installation import metric
from tests.acceptance.waiting import until
from tests.chaos.faults.stage import (
    Goals,
    booked,
    health,
    judged,
    pass_time,
    proxied_servers,
    seconds_until,
    until_not_ready,
    until_ready,
)
from tests.chaos.oracle import Finding
from tests.chaos.proxy import Proxy, Weather
from tests.chaos.registry import Trial, fault
from tests.chaos.rig import PARTITIONS, OwnServers, Rig, World, own_servers
from tests.chaos.story import Place
from tests.kafka_tools import publish, read_all

NOT_READY_SECONDS: Final = 15.0
RESUME_SECONDS: Final = 30.0
ALARM_SECONDS: Final = 60.0
ROWS: Final = 20_000
DRAINED_PER_SECOND: Final = 5_000


@fault("F4", "the broker absent at the start, killed, and frozen; F25: the relay waits for it with a full outbox")
async def broker_away(rig: Rig, seed: int) -> Trial:  # noqa: ARG001 - a broker of its own, which it may kill
    """Not ready within 15 s, booking goes on meanwhile, and all resumes within 30 s of its return."""
    goals = Goals()
    with sandbox_folder() as folder:
        async with own_servers(folder) as servers, servers.rig.world("F4", seed=seed) as world:
            await world.tell(world.shop.orders(8, ("plain",)))
            await servers.kafka.kill9()
            async with world.process("one") as one:
                goals.at_most("not_ready_at_the_start_seconds", await until_not_ready(one), NOT_READY_SECONDS)
                await servers.kafka.start()
                goals.at_most("ready_after_the_start_seconds", await until_ready(one), RESUME_SECONDS)
                await _killed_under_load(servers, world, one, goals)
                await world.tell(world.shop.orders(4))
                servers.kafka.process.pause()
                goals.at_most("not_ready_frozen_seconds", await until_not_ready(one), NOT_READY_SECONDS)
                goals.holds("/livez failed for a frozen broker", (await health(one, "/livez"))[0] == 200)
                servers.kafka.process.resume()
                goals.at_most("ready_after_the_thaw_seconds", await until_ready(one), RESUME_SECONDS)
                await world.quiet()
                goals.holds("the process ended", one.running)
                return await judged(world, goals)


async def _killed_under_load(servers: OwnServers, world: World, one: Process, goals: Goals) -> None:
    """Kill it once all is taken in: what is due is booked without it, and told when it is back."""
    await world.tell(world.shop.orders(20, ("plain",)))

    async def taken() -> bool:
        async with world.sql() as connection:
            return int(await connection.fetchval("SELECT count(*) FROM events")) >= len(world.log.sent)

    await until(taken, bool, what="all is taken")
    await servers.kafka.kill9()
    before = await booked(world)
    began = monotonic()
    await until_not_ready(one)
    goals.at_most("not_ready_killed_seconds", monotonic() - began, NOT_READY_SECONDS)
    await until(lambda: booked(world), lambda now: now >= len(world.log.wanted()), what="all are booked meanwhile")
    goals.note("booked_while_it_was_away", await booked(world) - before)
    await servers.kafka.start()
    goals.at_most("told_after_its_return_seconds", await seconds_until(_quiet(world), what="quiet"), RESUME_SECONDS)


def _quiet(world: World) -> Callable[[], Awaitable[bool]]:
    async def ask() -> bool:
        return not await world.unrest()

    return ask


@fault("F5", "the way to the broker half-open, late, reset every 50 KB, a byte a second")
async def rough_way(rig: Rig, seed: int) -> Trial:  # noqa: ARG001 - a broker that advertises the proxy
    """No await lasts beyond its deadline: alive all along, not ready while nothing passes, and nothing lost."""
    goals = Goals()
    with sandbox_folder() as folder:
        async with (
            proxied_servers(folder, python=sys.executable) as servers,
            servers.rig.world("F5", seed=seed, via=servers.via) as world,
            world.process("one") as one,
        ):
            await until_ready(one)
            await world.tell(world.shop.orders(4))
            await _through_weathers(world, servers.to_kafka, one, goals)
            await world.tell(world.shop.orders(2))
            goals.at_most("ready_after_all_seconds", await until_ready(one), RESUME_SECONDS)
            await world.quiet()
            goals.note("connections", servers.to_kafka.opened)
            return await judged(world, goals)


async def _through_weathers(world: World, proxy: Proxy, one: Process, goals: Goals) -> None:
    proxy.freeze()
    await world.tell(world.shop.orders(2))
    goals.at_most("not_ready_half_open_seconds", await until_not_ready(one), NOT_READY_SECONDS)
    goals.holds("/livez failed for a half-open broker", (await health(one, "/livez"))[0] == 200)
    proxy.thaw()
    proxy.cut()
    goals.at_most("ready_after_half_open_seconds", await until_ready(one), RESUME_SECONDS)
    weathers = [Weather(latency_seconds=0.5), Weather(reset_after_bytes=50_000), Weather(bytes_per_second=1)]
    for weather in weathers:
        proxy.weather = weather
        proxy.cut()
        await world.tell(world.shop.orders(2))
        await pass_time(6.0)
        goals.holds(f"/livez failed in {weather}", (await health(one, "/livez"))[0] == 200)
    proxy.calm()
    proxy.cut()


@fault("F7", "a topic that is missing, one made again, and one whose beginning retention has cut")
async def topics_change(rig: Rig, seed: int) -> Trial:
    """Each is alarmed within a minute, no topic is made by us, and a gap is recorded with its range."""
    goals = Goals()
    async with rig.world("F7", seed=seed) as world:
        await _cut_by_retention(world, goals)
        missing = f"order.cancelled-{uuid.uuid4().hex}"
        world.installation.topics = {**world.installation.topics, "order.cancelled": missing}
        try:
            async with world.process("one") as one:
                await _missing(world, one, missing, goals)
                await _made_again(world, one, missing, goals)
                await world.tell(world.shop.orders(4, ("plain", "changed", "twice")))
                await world.quiet()
            async with world.sql() as connection:
                gaps = await connection.fetch(
                    "SELECT from_offset, to_offset FROM gaps WHERE cause = 'cut_by_retention'"
                )
            told = [tuple(gap) for gap in gaps]
            goals.holds(f"the gap of retention is told as {told}", told == [(2, 4)])
            trial = await judged(world, goals)
            # The judge takes a tombstone, which tells nothing of any order, for a record that somebody has to keep.
            ours = [one for one in trial.findings if not _is_tombstone(world, one, missing)]
            return Trial(name="F7", seed=seed, findings=ours, missed=trial.missed, figures=trial.figures)
        finally:
            await delete_topics(world.installation.kafka_servers, [missing])


def _is_tombstone(world: World, finding: Finding, missing: str) -> bool:
    there = (
        Place(topic=world.installation.topics["order.paid"], partition=0, offset=4),
        Place(topic=missing, partition=0, offset=0),
    )
    return any(str(place) in finding.what for place in there)


async def _tombstones(world: World, topic: str, count: int) -> None:
    for _ in range(count):
        await publish(world.installation.kafka_servers, topic, b"shop/none", None, partition=0)


async def _cut_by_retention(world: World, goals: Goals) -> None:
    """Let Booked take two tombstones, then publish three and delete two of them, which it has not seen."""
    topic, servers = world.installation.topics["order.paid"], world.installation.kafka_servers
    async with world.process("before"):
        await _tombstones(world, topic, 2)
        await until(lambda: _next_offset(world, topic), lambda offset: offset == 2, what="both are taken")
    await _tombstones(world, topic, 3)
    admin = AIOKafkaAdminClient(bootstrap_servers=servers)
    await admin.start()
    try:
        await admin.delete_records({TopicPartition(topic, 0): RecordsToDelete(before_offset=4)})
    finally:
        await admin.close()
    goals.note("records_cut", 2)


async def _next_offset(world: World, topic: str) -> int:
    async with world.sql() as connection:
        found = await connection.fetchval(
            "SELECT next_offset FROM positions WHERE topic = $1 ORDER BY next_offset DESC LIMIT 1", topic
        )
    return int(found or 0)


async def _missing(world: World, one: Process, topic: str, goals: Goals) -> None:
    began = monotonic()

    async def named() -> bool:
        return topic in one.log_since_start() and (await health(one, "/readyz"))[0] == 503

    await until(named, bool, what="the log names the topic, and it is not ready")
    goals.at_most("missing_topic_told_seconds", monotonic() - began, ALARM_SECONDS)
    await create_topics(world.installation.kafka_servers, {topic: PARTITIONS})
    goals.at_most("ready_with_the_topic_seconds", await until_ready(one), RESUME_SECONDS)


async def _made_again(world: World, one: Process, topic: str, goals: Goals) -> None:
    servers = world.installation.kafka_servers
    await _tombstones(world, topic, 3)
    await until(lambda: _next_offset(world, topic), lambda offset: offset == 3, what="three are taken")
    await delete_topics(servers, [topic])
    await pass_time(1.0)
    await create_topics(servers, {topic: PARTITIONS})
    await _tombstones(world, topic, 1)
    began = monotonic()
    await until(
        lambda: metric(one, "booked_alarms_total", kind="log_made_again"),
        bool,
        what="the alarm",
        timeout_seconds=ALARM_SECONDS + 30,
    )
    goals.at_most("made_again_alarmed_seconds", monotonic() - began, ALARM_SECONDS)


@fault("F25", "two relays, and twenty thousand messages that wait")
async def full_outbox(rig: Rig, seed: int) -> Trial:
    """One of the two leads, each key's messages arrive in their order, and they leave at 5,000 a second."""
    goals = Goals()
    async with rig.world("F25", seed=seed) as world:
        async with world.sql() as connection:
            await connection.execute(
                """INSERT INTO outbox (topic_kind, record_key, event_id, sequence, payload)
                   SELECT 'order.rejected', 'shop/' || g % 5000, gen_random_uuid(), g, convert_to(g::text, 'UTF8')
                   FROM generate_series(1, $1) AS g""",
                ROWS,
            )
        async with world.process("one", "relay") as one, world.process("two", "relay") as two:
            await until(lambda: _waiting(world), lambda waiting: waiting == 0, what="all have left")
            goals.holds("a relay ended", one.running and two.running)
        goals.at_least("messages_per_second", await _rate(world), DRAINED_PER_SECOND)
        goals.holds("a key's messages are out of order", await _in_order(world))
        # The messages are the trial's own: no order of the shop stands behind them.
        return Trial(name="F25", seed=seed, missed=tuple(goals.missed), figures=goals.figures)


async def _waiting(world: World) -> int:
    async with world.sql() as connection:
        return int(await connection.fetchval("SELECT count(*) FROM outbox WHERE state = 'waiting'"))


async def _rate(world: World) -> float:
    """Give the messages a second, from the first that was marked as sent to the last, by the database's clock."""
    async with world.sql() as connection:
        seconds = await connection.fetchval("SELECT extract(epoch FROM max(sent_at) - min(sent_at)) FROM outbox")
    return ROWS / max(float(seconds), 0.001)


async def _in_order(world: World) -> bool:

    records = await read_all(
        world.installation.kafka_servers,
        world.installation.topics["order.rejected"],
        lambda found: len({record.value for record in found}) >= ROWS,
        timeout_seconds=60,
    )
    newest: dict[bytes, int] = {}
    for record in records:
        key, number = record.key or b"", int(record.value or b"0")
        if number < newest.get(key, 0):
            return False
        newest[key] = number
    return True
