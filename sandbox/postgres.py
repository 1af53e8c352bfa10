"""A real Postgres on this machine, from the programs of a Python package, durable as in production.

It listens on a port of the loopback address and on a unix socket. A password drawn at each making of the data keeps
other users of the machine out: a superuser of a database can run programs as whoever started it.
"""

import asyncio
import contextlib
import os
import secrets
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

import asyncpg

from sandbox.embedded import EmbeddedServer
from sandbox.errors import SandboxError
from sandbox.ports import LOOPBACK, free_port
from sandbox.postgres_account import account_for_postgres, installation_for, require_reachable
from sandbox.processes import Process
from sandbox.progress import Narrator, Silent

SUPERUSER = "booked"
MAINTENANCE_DATABASE = "postgres"
START_TIMEOUT_SECONDS = 30.0
CONNECT_TIMEOUT_SECONDS = 10.0
POLL_SECONDS = 0.02
# The kernel's limit for the path of a unix socket: 108 bytes with the ending zero on Linux, 104 on macOS.
SOCKET_PATH_MAX_BYTES = 103
SETTINGS = {
    "listen_addresses": LOOPBACK,
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "max_connections": "200",
    "max_prepared_transactions": "4",  # none are used; a test makes one, to see that a forgotten one is noticed
    "timezone": "UTC",
    "log_timezone": "UTC",
}
# The collation is Postgres's own, so that it is the same on every system. Syncing the empty data would only take time.
INITDB_OPTIONS = (
    "--encoding=UTF8",
    "--locale=C",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--auth=scram-sha-256",
    # The password is drawn at random, 128 bits: many rounds of hashing would only slow down each new connection.
    "--set=scram_iterations=1",
    "--no-sync",
    "--no-instructions",
)


class Postgres(EmbeddedServer):
    """The database server: ``async with Postgres(folder=…) as postgres`` gives ``postgres.url``.

    The port is chosen anew where it is not given and then stays, so that the server comes back at the same address
    with the same data after `kill9` and `start`.
    """

    def __init__(self, *, folder: Path, port: int | None = None, narrator: Narrator | None = None) -> None:
        super().__init__("Postgres")
        self.port = port or free_port()
        self.log_file = folder / "postgres.log"
        self.password = secrets.token_hex(16)
        self._folder = folder
        self._account = account_for_postgres()
        self._narrator = narrator or Silent()
        self._socket_folder: Path | None = None

    @property
    def url(self) -> str:
        """The address of the maintenance database over TCP, with the superuser's name and password."""
        return f"postgresql://{SUPERUSER}:{self.password}@{LOOPBACK}:{self.port}/{MAINTENANCE_DATABASE}"

    @property
    def socket_url(self) -> str:
        """The same over the unix socket."""
        if self._socket_folder is None:
            raise SandboxError("Postgres was not started yet")
        host = quote(str(self._socket_folder), safe="")
        return f"postgresql://{SUPERUSER}:{self.password}@/{MAINTENANCE_DATABASE}?host={host}&port={self.port}"

    async def close(self) -> None:
        """Stop the server for good and remove the folder of its socket."""
        await super().close()
        if self._socket_folder is not None:
            shutil.rmtree(self._socket_folder, ignore_errors=True)

    async def _prepared(self) -> Process:
        self._narrator.say(f"Postgres starts on {LOOPBACK}:{self.port}")
        self._folder.mkdir(parents=True, exist_ok=True)
        require_reachable(self._folder, self._account)
        data = self._own(self._folder / "postgres-data")
        self._socket_folder = self._own(socket_folder(self._folder, self.port))
        programs = await asyncio.to_thread(self._installation, self._folder / "postgres-programs") / "bin"
        await self._initdb(programs, data)
        return Process(
            name="Postgres",
            command=[str(programs / "postgres"), "-D", str(data), *self._options()],
            log_file=self.log_file,
            ready=lambda _process: until_answering(self.url),
            account=self._account,
            # Postgres takes SIGINT for "stop fast"; at SIGTERM it would wait for its clients to leave.
            stop_signal=signal.SIGINT,
            start_timeout_seconds=START_TIMEOUT_SECONDS,
        )

    def _installation(self, copy_folder: Path) -> Path:
        """The folder of Postgres's programs; other versions come from elsewhere."""
        return installation_for(self._account, copy_folder)

    def _initdb_options(self) -> Sequence[str]:
        """How the data are made; older versions know fewer words."""
        return INITDB_OPTIONS

    def _options(self) -> list[str]:
        settings = {**SETTINGS, "port": str(self.port), "unix_socket_directories": f'"{self._socket_folder}"'}
        return [word for key, value in settings.items() for word in ("-c", f"{key}={value}")]

    async def _initdb(self, programs: Path, data: Path) -> None:
        password_file = self._folder / "postgres-password"
        password_file.write_text(self.password)
        self._own(password_file)
        options = (*self._initdb_options(), f"--username={SUPERUSER}", f"--pwfile={password_file}", f"--pgdata={data}")
        command = [str(programs / "initdb"), *options]
        initdb = Process(name="initdb", command=command, log_file=self.log_file, account=self._account)
        async with initdb:
            code = await asyncio.wait_for(initdb.wait(), START_TIMEOUT_SECONDS)
        password_file.unlink()
        if code:
            raise SandboxError(f"Postgres's data could not be made (initdb ended with {code}):\n{initdb.log_tail()}")

    def _own(self, path: Path) -> Path:
        """Make the folder if nothing is there, and hand it to the account that Postgres runs under, for it alone."""
        if not path.exists():
            path.mkdir()
        path.chmod(0o700 if path.is_dir() else 0o600)
        if self._account is not None:
            os.chown(path, *self._account)
        return path


def socket_folder(folder: Path, port: int) -> Path:
    """Where the unix socket goes: beside the data, or where that path is too long for a socket, in a short one."""
    beside = folder / "postgres-socket"
    if len(os.fsencode(beside / f".s.PGSQL.{port}")) <= SOCKET_PATH_MAX_BYTES:
        return beside
    return Path(tempfile.mkdtemp(prefix="booked-", dir="/tmp"))


async def until_answering(url: str) -> None:
    """Return once the server answers a query; waits without end."""
    while True:
        try:
            connection = await asyncpg.connect(url, timeout=CONNECT_TIMEOUT_SECONDS)
        except (OSError, asyncpg.CannotConnectNowError, asyncpg.ConnectionDoesNotExistError, TimeoutError):
            await asyncio.sleep(POLL_SECONDS)
            continue
        await connection.close()
        return


def with_database(url: str, name: str) -> str:
    """The same address with another database."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{quote(name)}"))


@contextlib.asynccontextmanager
async def admin_connection(url: str) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    """A connection for making and dropping databases, closed at the end."""
    connection = await asyncpg.connect(url, timeout=CONNECT_TIMEOUT_SECONDS)
    try:
        yield connection
    finally:
        await connection.close()


async def create_database(url: str, name: str, *, template: str = "template1") -> str:
    """Make a database, as a copy of another one to which nobody is connected; its address."""
    async with admin_connection(url) as connection:
        await connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    return with_database(url, name)


async def drop_database(url: str, name: str) -> None:
    """Drop a database with all connections to it; passes over one that is not there."""
    async with admin_connection(url) as connection:
        await connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
