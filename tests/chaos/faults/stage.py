"""What the faults share: goals with their figures, processes at work, servers behind proxies, and looks at a world."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any, Final

import httpx

from sandbox.kafka import Kafka
from sandbox.ports import LOOPBACK, free_port
from sandbox.postgres import Postgres
from sandbox.processes import Process, json_line
from sandbox.zoho.client import running
from tests.acceptance.waiting import until
from tests.chaos.proxy import Proxy
from tests.chaos.registry import Trial
from tests.chaos.rig import PARTITIONS, Reroute, Rig, Via, World

BUYERS: Final = 5  # of the world's shop: once each of them has bought, an order needs no new contact
_ADDRESS = re.compile(r"127\.0\.0\.1:\d+")


@dataclass(slots=True)
class Goals:
    """The figures of a trial, and which of its goals were missed."""

    figures: dict[str, float] = field(default_factory=dict)
    missed: list[str] = field(default_factory=list)

    def note(self, name: str, value: float) -> float:
        """Note a figure that has no goal, and give it."""
        self.figures[name] = round(value, 3)
        return value

    def at_most(self, name: str, value: float, limit: float) -> None:
        """Note a figure that must not be larger."""
        if self.note(name, value) > limit:
            self.missed.append(f"{name} is {value:.2f}, the goal is at most {limit:g}")

    def at_least(self, name: str, value: float, limit: float) -> None:
        """Note a figure that must not be smaller."""
        if self.note(name, value) < limit:
            self.missed.append(f"{name} is {value:.2f}, the goal is at least {limit:g}")

    def holds(self, what: str, so: object) -> None:
        """Say what is missed where it is not so."""
        if not so:
            self.missed.append(what)


async def judged(world: World, goals: Goals | None = None) -> Trial:
    """Judge a quiet world by the oracle, and add the goals."""
    goals = goals or Goals()
    return Trial(
        name=world.name,
        seed=world.seed,
        findings=await world.findings(),
        missed=tuple(goals.missed),
        figures=goals.figures,
    )


def through(proxy: Proxy) -> Reroute:
    """Lead an address through a proxy."""
    return lambda address: _ADDRESS.sub(proxy.address, address)


def port_of(address: str) -> int:
    """Read the port of an address of this machine."""
    found = _ADDRESS.search(address)
    if found is None:
        raise ValueError(f"no address of this machine in {address!r}")
    return int(found.group().rpartition(":")[2])


@asynccontextmanager
async def pair(world: World, **settings: str) -> AsyncIterator[tuple[Process, Process]]:
    """Run two `booked run` processes for the time of the block."""
    async with (
        world.process("one", ahead_seconds=0, **settings) as one,
        world.process("two", ahead_seconds=0, **settings) as two,
    ):
        yield one, two


async def acquaint(world: World) -> None:
    """Book one order of each buyer, so that what follows costs the same calls each time."""
    await world.tell(world.shop.orders(BUYERS, ("plain",)))
    await world.quiet()


async def health(process: Process, path: str, *, timeout_seconds: float = 5.0) -> tuple[int, str]:
    """Ask a process; status 0 where it does not answer in time."""
    address = (await json_line(process, "listens"))["listens"]
    try:
        async with httpx.AsyncClient(timeout=timeout_seconds, trust_env=False) as client:
            answer = await client.get(f"http://{address}{path}")
    except httpx.HTTPError as error:
        return 0, type(error).__name__
    return answer.status_code, answer.text


async def until_ready(process: Process, *, timeout_seconds: float = 60.0) -> float:
    """Wait until /readyz answers 200; gives how long it took, in seconds."""
    return await _until_status(process, 200, "ready", timeout_seconds)


async def until_not_ready(process: Process, *, timeout_seconds: float = 60.0) -> float:
    """Wait until /readyz answers 503; gives how long it took, in seconds."""
    return await _until_status(process, 503, "not ready", timeout_seconds)


async def _until_status(process: Process, status: int, what: str, timeout_seconds: float) -> float:
    began = monotonic()
    await until(
        lambda: health(process, "/readyz"),
        lambda answer: answer[0] == status,
        what=what,
        timeout_seconds=timeout_seconds,
    )
    return monotonic() - began


async def calls_of(world: World, *, since: int = 0) -> list[dict[str, Any]]:
    """Give the counted calls of the world's organisation after a number, oldest first."""
    found = await world.ledger.requests(since=since, organization_id=world.organization_id, limit=100_000)
    return [row for row in found if row["counted"]]


async def pass_time(seconds: float) -> None:
    """Let so much time pass: for a fault that has to last, where nothing tells its end."""
    with suppress(TimeoutError):
        await asyncio.wait_for(asyncio.Event().wait(), seconds)


async def seconds_until(ask: Callable[[], Awaitable[object]], *, what: str, timeout_seconds: float = 60.0) -> float:
    """Wait until the answer is true; gives how long it took."""
    began = monotonic()
    await until(ask, bool, what=what, timeout_seconds=timeout_seconds)
    return monotonic() - began


async def booked(world: World) -> int:
    """Count the booked orders."""
    async with world.sql() as connection:
        return int(await connection.fetchval("SELECT count(*) FROM orders WHERE state = 'booked'"))


async def until_progress(world: World, *, what: str, timeout_seconds: float = 60.0) -> float:
    """Wait until something was taken, written or told; gives how long it took, in seconds."""
    before = await world.progress()
    began = monotonic()
    await until(world.progress, lambda now: now != before, what=what, timeout_seconds=timeout_seconds)
    return monotonic() - began


class ProxiedKafka(Kafka):
    """A broker with a second listener that tells its clients a proxy's address, so that all they send goes through it.

    ``servers`` is the direct way, for the judge and the producer; ``proxied_servers`` the one through the proxy.
    """

    def __init__(self, *, folder: Path, proxy_port: int) -> None:
        super().__init__(folder=folder)
        self.listener_port = free_port()
        self._proxy_port = proxy_port

    @property
    def proxied_servers(self) -> str:
        """The address through the proxy."""
        return f"{LOOPBACK}:{self._proxy_port}"

    def _write_properties(self) -> Path:
        file = super()._write_properties()
        known = dict(line.partition("=")[::2] for line in file.read_text().splitlines())
        known["listeners"] += f",PROXIED://{LOOPBACK}:{self.listener_port}"
        known["advertised.listeners"] += f",PROXIED://{LOOPBACK}:{self._proxy_port}"
        known["listener.security.protocol.map"] += ",PROXIED:PLAINTEXT"
        known["inter.broker.listener.name"] = "PLAINTEXT"
        file.write_text("".join(f"{key}={value}\n" for key, value in known.items()))
        return file


@dataclass(frozen=True, slots=True, kw_only=True)
class Proxied:
    """Servers of one trial's own, each with a proxy before it; ``via`` leads a world's processes through them."""

    kafka: ProxiedKafka
    postgres: Postgres
    rig: Rig
    to_kafka: Proxy
    to_postgres: Proxy
    to_ledger: Proxy

    @property
    def via(self) -> Via:
        """Give the ways through the proxies."""
        return Via(
            kafka_servers=lambda _: self.kafka.proxied_servers,
            database_url=through(self.to_postgres),
            ledger_url=through(self.to_ledger),
        )

    @property
    def proxies(self) -> Mapping[str, Proxy]:
        """Name the proxies."""
        return {"broker": self.to_kafka, "database": self.to_postgres, "ledger": self.to_ledger}


@asynccontextmanager
async def proxied_servers(folder: Path, *, python: str) -> AsyncIterator[Proxied]:
    """Start a broker, a database and a stand-in with a proxy before each. ``folder`` is a sandbox folder."""
    async with AsyncExitStack() as stack:
        proxy_port = free_port()
        kafka = ProxiedKafka(folder=folder / "kafka", proxy_port=proxy_port)
        postgres = Postgres(folder=folder / "postgres")
        to_kafka = await stack.enter_async_context(Proxy(kafka.listener_port, port=proxy_port))
        await asyncio.gather(stack.enter_async_context(kafka), stack.enter_async_context(postgres))
        ledger_url, _ = await stack.enter_async_context(running(folder / "books.sqlite", python=python))
        to_postgres = await stack.enter_async_context(Proxy(postgres.port))
        to_ledger = await stack.enter_async_context(Proxy(port_of(ledger_url)))
        rig = Rig(
            kafka_servers=kafka.servers,
            postgres_admin_url=postgres.url,
            ledger_url=ledger_url,
            folder=folder / "worlds",
        )
        yield Proxied(
            kafka=kafka,
            postgres=postgres,
            rig=rig,
            to_kafka=to_kafka,
            to_postgres=to_postgres,
            to_ledger=to_ledger,
        )


def partitions() -> Sequence[int]:
    """Number the partitions of a world's topics."""
    return range(PARTITIONS)
