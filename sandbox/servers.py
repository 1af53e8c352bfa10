"""Kafka and Postgres for the demo and the tests: embedded, in Docker, or given, chosen by one setting.

``SANDBOX=embedded`` (default) starts the real servers from Python packages, ``SANDBOX=docker`` through testcontainers,
``SANDBOX=given`` uses what ``BOOKED_KAFKA_SERVERS`` and ``BOOKED_DATABASE_URL`` name and stops nothing; where both are
set and ``SANDBOX`` is not, ``given`` is meant.
"""

import asyncio
import contextlib
import enum
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from sandbox.errors import SandboxError
from sandbox.folders import sandbox_folder
from sandbox.kafka import MESSAGE_MAX_BYTES, Kafka
from sandbox.postgres import Postgres
from sandbox.progress import Narrator, Silent

MODE_KEY = "SANDBOX"
KAFKA_KEY = "BOOKED_KAFKA_SERVERS"
DATABASE_KEY = "BOOKED_DATABASE_URL"


class Mode(enum.StrEnum):
    """Where the servers come from."""

    EMBEDDED = "embedded"
    DOCKER = "docker"
    GIVEN = "given"


class Service(enum.StrEnum):
    """One of the servers."""

    KAFKA = "kafka"
    POSTGRES = "postgres"


BOTH = frozenset(Service)


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxSettings:
    """What to start and how.

    ``kafka_servers`` and ``database_url`` are the given servers' addresses. ``services`` are those that are wanted.
    ``folder`` holds data and logs of embedded servers and is kept; without it they go into a temporary folder that is
    removed at the end. ``fast_start=False`` lets Java compile fully, for benchmarks.
    """

    mode: Mode = Mode.EMBEDDED
    kafka_servers: str | None = None
    database_url: str | None = None
    services: frozenset[Service] = BOTH
    folder: Path | None = None
    message_max_bytes: int = MESSAGE_MAX_BYTES
    fast_start: bool = True

    @classmethod
    def from_environment(cls, environment: Mapping[str, str], *, services: frozenset[Service] = BOTH) -> Self:
        """Read the settings; raises `SandboxError` naming the key that is wrong or missing."""
        kafka_servers, database_url = environment.get(KAFKA_KEY) or None, environment.get(DATABASE_KEY) or None
        both_given = kafka_servers is not None and database_url is not None
        name = environment.get(MODE_KEY) or (Mode.GIVEN if both_given else Mode.EMBEDDED)
        if name not in set(Mode):
            raise SandboxError(f"{MODE_KEY}={name} is unknown: use {', '.join(Mode)}")
        return cls(mode=Mode(name), kafka_servers=kafka_servers, database_url=database_url, services=services)


@dataclass(frozen=True, slots=True, kw_only=True)
class Servers:
    """Servers that answer.

    ``kafka_servers`` is ``host:port``; ``database_url`` names the maintenance database, whose user may make others.
    What was not asked for is an empty string. ``kafka`` and ``postgres`` are there to kill, pause and restart them, in
    the embedded mode only; ``folder`` has the logs there.
    """

    kafka_servers: str = ""
    database_url: str = ""
    kafka: Kafka | None = None
    postgres: Postgres | None = None
    folder: Path | None = None


@contextlib.asynccontextmanager
async def servers(settings: SandboxSettings, *, narrator: Narrator | None = None) -> AsyncIterator[Servers]:
    """Start what the settings ask for, and stop it at the end; raises `SandboxError` where it cannot be had."""
    start = {Mode.EMBEDDED: _embedded, Mode.DOCKER: _docker, Mode.GIVEN: _given}[settings.mode]
    async with start(settings, narrator or Silent()) as running:
        yield running


@contextlib.asynccontextmanager
async def _given(settings: SandboxSettings, narrator: Narrator) -> AsyncIterator[Servers]:
    kafka_servers = _required(settings.kafka_servers, KAFKA_KEY, Service.KAFKA, settings)
    database_url = _required(settings.database_url, DATABASE_KEY, Service.POSTGRES, settings)
    narrator.say("The servers that were given are used; nothing is started")
    yield Servers(kafka_servers=kafka_servers, database_url=database_url)


def _required(value: str | None, key: str, service: Service, settings: SandboxSettings) -> str:
    if value is None and service in settings.services:
        raise SandboxError(f"{MODE_KEY}=given needs {key}: set it, or leave {MODE_KEY} out to have {service} started")
    return value or ""


@contextlib.asynccontextmanager
async def _docker(settings: SandboxSettings, narrator: Narrator) -> AsyncIterator[Servers]:
    # Here, because testcontainers takes a quarter of a second to import and asks the machine for Docker.
    from sandbox.docker import docker_kafka, docker_postgres  # noqa: PLC0415 - for the reason above

    async with contextlib.AsyncExitStack() as stack:
        kafka_servers, database_url = "", ""
        if Service.KAFKA in settings.services:
            running = docker_kafka(narrator, message_max_bytes=settings.message_max_bytes)
            kafka_servers = await stack.enter_async_context(running)
        if Service.POSTGRES in settings.services:
            database_url = await stack.enter_async_context(docker_postgres(narrator))
        yield Servers(kafka_servers=kafka_servers, database_url=database_url)


@contextlib.asynccontextmanager
async def _embedded(settings: SandboxSettings, narrator: Narrator) -> AsyncIterator[Servers]:
    with _folder(settings.folder) as folder:
        kafka, postgres = _made(settings, folder, narrator)
        chosen = [server for server in (kafka, postgres) if server is not None]
        try:
            await _start_together(chosen)
            yield Servers(
                kafka_servers=kafka.servers if kafka else "",
                database_url=postgres.url if postgres else "",
                kafka=kafka,
                postgres=postgres,
                folder=folder,
            )
        finally:
            await asyncio.gather(*(server.close() for server in chosen))


def _folder(chosen: Path | None) -> contextlib.AbstractContextManager[Path]:
    return sandbox_folder() if chosen is None else contextlib.nullcontext(chosen)


def _made(settings: SandboxSettings, folder: Path, narrator: Narrator) -> tuple[Kafka | None, Postgres | None]:
    kafka, postgres = None, None
    if Service.KAFKA in settings.services:
        kafka = Kafka(
            folder=folder,
            message_max_bytes=settings.message_max_bytes,
            fast_start=settings.fast_start,
            narrator=narrator,
        )
    if Service.POSTGRES in settings.services:
        postgres = Postgres(folder=folder, narrator=narrator)
    return kafka, postgres


async def _start_together(chosen: list[Kafka | Postgres]) -> None:
    """Start all at once; the first failure stops the others' start and is raised as it is."""
    tasks = [asyncio.ensure_future(server.start()) for server in chosen]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
