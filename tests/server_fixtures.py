"""Fixtures for tests against a real Kafka, a real Postgres and the ledger's stand-in.

The servers start when the first test asks for one, serve the whole session, and end with it. Tests share them, and keep
out of each other's way by topics and databases of their own. ``SANDBOX`` chooses where they come from
(`sandbox/servers.py`).
"""

import asyncio
import uuid
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

import pytest

from sandbox import ports
from sandbox.kafka import create_topics, delete_topics
from sandbox.postgres import admin_connection, create_database, drop_database, with_database
from sandbox.zoho.client import CLIENT_SECRET, ControlClient, Founded, Granted
from tests.session_processes import session_process, unavailable

SERVER_FIXTURES = frozenset({"kafka_servers", "postgres_admin_url"})
EMPTY_TEMPLATE = "template1"


class MakeDatabase(Protocol):
    """What `make_database` gives."""

    async def __call__(self, template: str = EMPTY_TEMPLATE) -> str:
        """Make a database, as a copy of the template; its address."""
        ...


class MakeTopic(Protocol):
    """What `topics` gives."""

    async def __call__(
        self, partitions: int = 1, *, prefix: str = "topic", configs: dict[str, str] | None = None
    ) -> str:
        """Make a topic whose name begins with the prefix and is used by no other test; its name."""
        ...


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark as ``integration`` whatever needs one of the servers, also by way of another fixture."""
    for item in items:
        if SERVER_FIXTURES.intersection(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.integration)


@pytest.fixture(scope="session")
def kafka_servers() -> Iterator[str]:
    """The address of a broker for the whole session, ``host:port``."""
    with session_process(["-m", "sandbox", "kafka", "--until-input-ends"]) as announced:
        yield announced["kafka_servers"]


@pytest.fixture(scope="session")
def postgres_admin_url() -> Iterator[str]:
    """The address of the maintenance database of a server for the whole session; its user may make databases."""
    with session_process(["-m", "sandbox", "postgres", "--until-input-ends"]) as announced:
        yield announced["database_url"]


@pytest.fixture
async def make_database(postgres_admin_url: str) -> AsyncIterator[MakeDatabase]:
    """A maker of databases for one test (``url = await …()``); they are dropped at its end, connected or not."""
    names: list[str] = []

    async def make(template: str = EMPTY_TEMPLATE) -> str:
        names.append(f"test_{uuid.uuid4().hex}")
        return await create_database(postgres_admin_url, names[-1], template=template)

    yield make
    for name in names:
        await drop_database(postgres_admin_url, name)


@pytest.fixture
async def database_url(make_database: MakeDatabase) -> str:
    """The address of an empty database for this test alone."""
    return await make_database()


@pytest.fixture(scope="session")
def migrated_template(postgres_admin_url: str) -> str:
    """The name of a database with our schema and no rows, to copy from; nobody may connect to it."""
    name = f"migrated_{uuid.uuid4().hex}"
    # In a thread of its own: pytest-asyncio may have a loop at hand in this one, and asyncio.run would take its place.
    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, _make_migrated(postgres_admin_url, name)).result()
    return name


async def _make_migrated(admin_url: str, name: str) -> None:
    try:
        from consumer.adapters.postgres.migrations import migrate  # noqa: PLC0415 - only tests of the store need it
    except ModuleNotFoundError as error:
        unavailable(f"the migrations cannot be imported: {error}")
    await create_database(admin_url, name)
    await migrate(with_database(admin_url, name))
    async with admin_connection(admin_url) as connection:
        # A forgotten connection to it would make every later copy fail, far from its cause.
        await connection.execute(f'ALTER DATABASE "{name}" WITH ALLOW_CONNECTIONS false')


@pytest.fixture
async def migrated_database_url(make_database: MakeDatabase, migrated_template: str) -> str:
    """The address of a database with our schema and no rows, for this test alone."""
    return await make_database(migrated_template)


@pytest.fixture
async def topics(kafka_servers: str) -> AsyncIterator[MakeTopic]:
    """A maker of topics for one test (``name = await …(3)``, three partitions); they are deleted at its end."""
    names: list[str] = []

    async def make(partitions: int = 1, *, prefix: str = "topic", configs: dict[str, str] | None = None) -> str:
        names.append(f"{prefix}-{uuid.uuid4().hex}")
        await create_topics(kafka_servers, {names[-1]: partitions}, configs=configs)
        return names[-1]

    yield make
    if names:
        await delete_topics(kafka_servers, names)


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerStandIn:
    """The running stand-in for Zoho Books, with an organisation of this test's own.

    ``url`` is where Booked calls it. ``control`` sets faults and limits and reads what was received. ``granted`` has a
    refresh token and an access token for this organisation, made for the client ``client_id`` and ``client_secret``.
    """

    url: str
    control: ControlClient
    organization: Founded
    granted: Granted
    client_id: str
    client_secret: str

    @property
    def organization_id(self) -> str:
        """The organisation's id in the ledger."""
        return self.organization.organization_id


@pytest.fixture(scope="session")
def zoho_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of one stand-in for the whole session."""
    state = tmp_path_factory.mktemp("zoho") / "books.sqlite"
    with session_process(["-m", "sandbox.zoho", "--state", str(state), "--exit-with-parent"]) as announced:
        yield announced["url"]


@pytest.fixture
async def zoho(zoho_url: str) -> AsyncIterator[LedgerStandIn]:
    """The stand-in with a fresh organisation and tokens for it; faults and latency are taken back at the end."""
    client_id = f"client-{uuid.uuid4().hex}"
    async with ControlClient(zoho_url) as control:
        organization = await control.create_organization()
        granted = await control.grant(
            client_id=client_id, client_secret=CLIENT_SECRET, organization_ids=[organization.organization_id]
        )
        yield LedgerStandIn(
            url=zoho_url,
            control=control,
            organization=organization,
            granted=granted,
            client_id=client_id,
            client_secret=CLIENT_SECRET,
        )
        await control.clear_faults()
        await control.set_latency(0)


@pytest.fixture
def free_port() -> int:
    """A TCP port of the loopback address that nothing listens on."""
    return ports.free_port()
