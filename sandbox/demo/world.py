"""Everything that has to run for the demo: servers, stand-in, organisations, and Booked set up as a new user would."""

import asyncio
import contextlib
import os
import sys
import uuid
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sandbox.demo.booked import PERSON, Booked, Books, new_installation, write_shops_file
from sandbox.demo.books import UNIQUE_FIELD
from sandbox.demo.ledger import TIME_ZONE, Organization, add_contacts, found
from sandbox.demo.plans import Plan
from sandbox.folders import sandbox_folder
from sandbox.kafka import create_topics, delete_topics
from sandbox.postgres import create_database, drop_database
from sandbox.processes import Process, json_line
from sandbox.progress import Narrator
from sandbox.servers import Mode, SandboxSettings, Servers, Service, servers
from sandbox.shop.events import Topics
from sandbox.zoho.client import CLIENT_ID, ControlClient

PARTITIONS = 3
LATENCY_SECONDS = 0.01
# Commands want an address, and none of those that come before `booked run` speaks to it.
NO_BROKER_YET = "127.0.0.1:9"


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What runs. ``organizations`` are those of the plans; ``since`` is the last request that was not Booked's."""

    booked: Booked
    process: Process
    control: ControlClient
    organizations: tuple[Organization, ...]
    since: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Start:
    """What every step of the start needs; whatever is started is ended by ``stack``."""

    stack: contextlib.AsyncExitStack
    given: SandboxSettings
    folder: Path
    narrator: Narrator

    @property
    def theirs(self) -> bool:
        """Tell whether the servers are somebody's own, where nothing of ours may stay."""
        return self.given.mode is Mode.GIVEN


@contextlib.asynccontextmanager
async def running_world(plans: Sequence[Plan], narrator: Narrator) -> AsyncIterator[World]:
    """Start everything, and end it with the block. Raises SandboxError where something cannot be had."""
    given = SandboxSettings.from_environment(os.environ)
    async with contextlib.AsyncExitStack() as stack:
        folder = stack.enter_context(sandbox_folder())
        start = _Start(stack=stack, given=given, folder=folder, narrator=narrator)
        # The broker takes the longest to start; the others are made ready meanwhile.
        broker = asyncio.ensure_future(_servers(start, Service.KAFKA))
        try:
            booked, control, organizations = await _prepared(start, plans)
            kafka_servers = (await broker).kafka_servers
        finally:
            broker.cancel()
            await asyncio.gather(broker, return_exceptions=True)
        booked = replace(booked, kafka_servers=kafka_servers)
        await _make_topics(start, booked)
        since = await control.newest_request()
        narrator.say("Booked starts: booked run")
        process = await stack.enter_async_context(booked.run())
        yield World(booked=booked, process=process, control=control, organizations=organizations, since=since)


async def _prepared(start: _Start, plans: Sequence[Plan]) -> tuple[Booked, ControlClient, tuple[Organization, ...]]:
    """Make all ready that needs no broker."""
    ledger_url = await _stand_in(start)
    control = await start.stack.enter_async_context(ControlClient(ledger_url))
    postgres = await _servers(start, Service.POSTGRES)
    database_url = await _database(start, postgres.database_url)
    booked = new_installation(
        folder=start.folder,
        database_url=database_url,
        ledger_url=control.url,
        kafka_servers=NO_BROKER_YET,
        topics=_topics(prefix=f"booked-demo-{uuid.uuid4().hex[:8]}." if start.theirs else ""),
    )
    start.narrator.say("Booked is set up: booked migrate, booked apply shops.yaml, booked connect")
    migrating = asyncio.ensure_future(booked.command("migrate"))
    try:
        organizations = await _organizations(plans, control)
    finally:
        await migrating
    await _apply(booked, plans, organizations)
    await asyncio.gather(*(_connect(booked, plan.connection, control) for plan in plans))
    return booked, control, organizations


async def _servers(start: _Start, service: Service) -> Servers:
    settings = replace(start.given, services=frozenset({service}), folder=start.folder)
    return await start.stack.enter_async_context(servers(settings, narrator=start.narrator))


async def _stand_in(start: _Start) -> str:
    start.narrator.say("The stand-in for Zoho Books starts")
    stand_in = Process(
        name="the stand-in for Zoho Books",
        command=[sys.executable, "-m", "sandbox.zoho", "--state", str(start.folder / "books.sqlite")],
        log_file=start.folder / "zoho.log",
        ready=lambda process: json_line(process, "url"),
    )
    await start.stack.enter_async_context(stand_in)
    return str((await json_line(stand_in, "url"))["url"])


async def _database(start: _Start, admin_url: str) -> str:
    name = f"booked_demo_{uuid.uuid4().hex[:8]}"
    url = await create_database(admin_url, name)
    if start.theirs:
        start.stack.push_async_callback(drop_database, admin_url, name)
    return url


def _topics(*, prefix: str) -> Topics:
    plain = Topics()
    return Topics(
        paid=prefix + plain.paid,
        updated=prefix + plain.updated,
        cancelled=prefix + plain.cancelled,
        synced=prefix + plain.synced,
        rejected=prefix + plain.rejected,
        platform=prefix + plain.platform,
    )


async def _make_topics(start: _Start, booked: Booked) -> None:
    names = (*booked.topics.names(), booked.topics.platform)
    await create_topics(booked.kafka_servers, dict.fromkeys(names, PARTITIONS))
    if start.theirs:
        start.stack.push_async_callback(delete_topics, booked.kafka_servers, names)


async def _organizations(plans: Sequence[Plan], control: ControlClient) -> tuple[Organization, ...]:
    made = []
    for plan in plans:
        name = f"Demo, {plan.connection}"
        organization = await found(control, name=name, wanted=plan.wanted, limits=plan.limits)
        await add_contacts(control, organization, plan.in_ledger)
        made.append(organization)
    await control.set_latency(LATENCY_SECONDS)
    return tuple(made)


async def _apply(booked: Booked, plans: Sequence[Plan], organizations: Sequence[Organization]) -> None:
    connections = [
        Books(
            connection=plan.connection,
            organization_id=organization.organization_id,
            unique_field=UNIQUE_FIELD,
            shops=plan.shops,
            limits=plan.settings,
            platform=plan.platform,
            platform_topic=booked.topics.platform,
        )
        for plan, organization in zip(plans, organizations, strict=True)
    ]
    file = booked.folder / "shops.yaml"
    write_shops_file(file, connections, time_zone=TIME_ZONE)
    await booked.command("apply", str(file), "--as", PERSON)


async def _connect(booked: Booked, connection: str, control: ControlClient) -> None:
    code = await control.create_code(client_id=CLIENT_ID)
    await booked.command("connect", connection, "--self-client", code, "--as", PERSON)
