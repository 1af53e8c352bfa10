"""A rolling update while orders come in: two processes of the old release, the migration, one after the other replaced.

``roll(world, …)`` plays it and gives what was seen; the judge of `tests.chaos` says whether anything was lost or done
twice. `python -m tests.rolling` plays it with servers of its own and writes how long orders took meanwhile.
"""

import asyncio
import json
import statistics
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, Final

from bench.starting import until_ready
from sandbox.processes import Process
from tests.acceptance.waiting import until
from tests.chaos.rig import INPUTS, START_SECONDS, World
from tests.chaos.story import Place, Saying
from tests.kafka_tools import Records, producer, read_all
from tests.rolling.release import Release

EVERY_SECONDS: Final = 0.4  # an event; the ledger of a world allows far more calls than these need
STOP_SECONDS: Final = 25.0  # BOOKED_STOP_SECONDS as it is by default
STEP_SECONDS: Final = 120.0
P99_SECONDS: Final = 10.0  # what is promised, on a machine of its own
READ_SECONDS: Final = 60.0


@dataclass(slots=True, kw_only=True)
class Rolled:
    """What was seen of one update. ``stops`` are how long each old process took to end, and its exit code."""

    stops: list[tuple[float, int]] = field(default_factory=list)
    starts: list[float] = field(default_factory=list)
    migrated_seconds: float = 0.0
    orders: int = 0
    events: int = 0
    latencies: list[float] = field(default_factory=list)

    @property
    def p99_seconds(self) -> float:
        """Give the time, from an order's last event to the shop being told, that 99 of 100 orders stayed within."""
        return statistics.quantiles(self.latencies, n=100, method="inclusive")[98]

    def table(self) -> str:
        """Give the figures as Markdown."""
        rows = {
            "orders, events": f"{self.orders}, {self.events}",
            "migration beside two processes at work": f"{self.migrated_seconds:.2f} s",
            "an old process, from SIGTERM to its end": _each([seconds for seconds, _ in self.stops]),
            "a new process, from its start to ready": _each(self.starts),
            "from an order's event to the shop being told": f"median {statistics.median(self.latencies):.2f} s, "
            f"p99 {self.p99_seconds:.2f} s, longest {max(self.latencies):.2f} s",
        }
        return "\n".join(["| what | seen |", "| --- | --- |", *(f"| {what} | {seen} |" for what, seen in rows.items())])


def _each(seconds: list[float]) -> str:
    return ", ".join(f"{one:.2f} s" for one in seconds)


@dataclass(slots=True, kw_only=True)
class Load:
    """Orders that come in one after the other until they are told to stop; each with a fate of its own."""

    world: World
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    measured: set[str] = field(default_factory=set)
    orders: int = 0

    async def run(self) -> None:
        """Publish; every event is logged with its place once the broker has it."""
        installation = self.world.installation
        async with producer(installation.kafka_servers) as sender:
            while not self.stopping.is_set():
                for saying in self._order():
                    put = await sender.send_and_wait(
                        installation.topics[INPUTS[saying.kind]], saying.value, key=saying.key
                    )
                    place = Place(topic=put.topic, partition=put.partition, offset=put.offset)
                    self.world.log.sent.append((saying, place))
                    await self._pause()

    def _order(self) -> list[Saying]:
        (sayings,) = self.world.shop.orders(1)
        self.orders += 1
        # Of an order that is told twice, or whose newer event comes first, nobody can say which event was answered; and
        # of one that is cancelled before it was booked nothing is told.
        if [saying.kind for saying in sayings] in (["paid"], ["paid", "updated"]):
            self.measured.add(sayings[0].order_id)
        return sayings

    async def _pause(self) -> None:
        try:
            await asyncio.wait_for(self.stopping.wait(), EVERY_SECONDS)
        except TimeoutError:
            return


@asynccontextmanager
async def load(world: World) -> AsyncIterator[Load]:
    """Publish orders while the block lasts."""
    coming = Load(world=world)
    task = asyncio.create_task(coming.run())
    try:
        yield coming
    finally:
        coming.stopping.set()
        await task


def process_of(world: World, release: Release, name: str) -> Process:
    """Make a `booked run` of a release; it counts as started once it is ready, as Kubernetes counts it."""
    return Process(
        name=name,
        command=[*release.program, "run"],
        log_file=world.installation.folder / f"{name}.log",
        environment=release.environment(world.installation.environment),
        ready=until_ready,
        start_timeout_seconds=START_SECONDS,
        stop_timeout_seconds=STOP_SECONDS + 15,  # longer than its own deadline: it must be seen that it keeps it
    )


async def run_command(world: World, release: Release, *words: str) -> None:
    """Run one `booked` command of a release to its end."""
    process = Process(
        name=f"booked {words[0]}",
        command=[*release.program, *words],
        log_file=world.installation.folder / f"command-{words[0]}.log",
        environment=release.environment(world.installation.environment),
    )
    async with process:
        async with asyncio.timeout(STEP_SECONDS):
            code = await process.wait()
        assert code == 0, process.log_tail()


async def told(world: World, more: int) -> None:
    """Wait until so many messages more than now have been sent to the shop."""
    _, _, before = await world.progress()
    await until(
        world.progress,
        lambda seen: seen[2] >= before + more,
        what=f"{more} more messages to the shop",
        timeout_seconds=STEP_SECONDS,
    )


async def roll(world: World, old: Release, new: Release, *, messages_between: int = 8) -> Rolled:
    """Update from one release to the other while orders come in; at the end all is quiet and both old ones are gone.

    The first old process ends before its successor starts (maxUnavailable 1), the second after it (maxSurge 1).
    """
    seen = Rolled()
    async with AsyncExitStack() as stack:
        first, second = process_of(world, old, "old-1"), process_of(world, old, "old-2")
        await asyncio.gather(*(stack.enter_async_context(one) for one in (first, second)))
        async with load(world) as coming:
            await told(world, messages_between)
            begun = monotonic()
            await run_command(world, new, "migrate")
            seen.migrated_seconds = monotonic() - begun
            await told(world, messages_between)
            await _stop(first, seen)
            await _start(stack, process_of(world, new, "new-1"), seen)
            await told(world, messages_between)
            await _start(stack, process_of(world, new, "new-2"), seen)
            await _stop(second, seen)
            await told(world, messages_between)
        await world.quiet()
        seen.orders, seen.events = coming.orders, len(world.log.sent)
        seen.latencies = await _latencies(world, coming.measured)
    return seen


async def _stop(process: Process, seen: Rolled) -> None:
    begun = monotonic()
    await process.stop()
    seen.stops.append((monotonic() - begun, await process.wait()))


async def _start(stack: AsyncExitStack, process: Process, seen: Rolled) -> None:
    begun = monotonic()
    await stack.enter_async_context(process)
    seen.starts.append(monotonic() - begun)


async def _latencies(world: World, measured: set[str]) -> list[float]:
    """Give the seconds from the record of each order's last event to the record of the last message about it."""
    asked: dict[str, int] = {}
    installation = world.installation
    for kind in INPUTS.values():
        topic = installation.topics[kind]
        sent = sum(place.topic == topic for _, place in world.log.sent)
        for record in await read_all(installation.kafka_servers, topic, sent, READ_SECONDS):
            order_id = _order_of(record.key or b"")
            asked[order_id] = max(asked.get(order_id, 0), record.timestamp)
    answered: dict[str, int] = {}
    answers = await _answers(world, measured)
    for record in answers:
        order_id = str(_data(record)["order_id"])
        answered[order_id] = max(answered.get(order_id, 0), record.timestamp)
    return [max(0, answered[order_id] - asked[order_id]) / 1000 for order_id in sorted(measured)]


async def _answers(world: World, measured: set[str]) -> Records:
    topic = world.installation.topics["invoice.synced"]

    def enough(records: Records) -> bool:
        return measured <= {str(_data(record)["order_id"]) for record in records}

    return await read_all(world.installation.kafka_servers, topic, enough, READ_SECONDS)


def _data(record: Any) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(record.value)["data"]
    return data


def _order_of(key: bytes) -> str:
    return key.decode().partition("/")[2]
