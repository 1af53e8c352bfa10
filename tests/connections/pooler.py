"""PgBouncer before a Postgres, from Debian's package unpacked into ``.sandbox``; no root is needed."""

import asyncio
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from sandbox.embedded import EmbeddedServer
from sandbox.errors import SandboxError
from sandbox.folders import exclusive
from sandbox.ports import LOOPBACK, free_port
from sandbox.postgres_account import account_for_postgres
from sandbox.processes import Process
from tests.acceptance.waiting import until
from tests.debian_packages import unpack

UNPACKED = Path(__file__).resolve().parents[2] / ".sandbox" / "pgbouncer"
PACKAGES = ("pgbouncer", "libc-ares2", "libevent-2.1-7")
# What our connections ask for when they begin, and what PgBouncer refuses unless it is told to overlook it.
STARTUP = "statement_timeout,lock_timeout,idle_in_transaction_session_timeout,tcp_user_timeout,jit"


class PgBouncer(EmbeddedServer):
    """A pooler. ``mode`` is its ``pool_mode``; ``overlooks`` are startup parameters that it lets pass unseen."""

    def __init__(self, *, folder: Path, database_url: str, mode: str, overlooks: str = "") -> None:
        super().__init__("PgBouncer")
        self._folder = folder
        self._port = free_port()
        self._database = urlsplit(database_url)
        self._mode = mode
        self._overlooks = overlooks

    @property
    def url(self) -> str:
        """The database's address through the pooler, which knows its password."""
        user = self._database.username
        return urlunsplit(self._database._replace(netloc=f"{user}@{LOOPBACK}:{self._port}"))

    async def _prepared(self) -> Process:
        await asyncio.to_thread(fetched)
        programs = self._folder / "programs"
        await asyncio.to_thread(shutil.copytree, UNPACKED, programs, symlinks=True)
        libraries = next(programs.glob("usr/lib/*-linux-gnu*"))
        self._folder.chmod(0o755)
        settings = self._folder / "pgbouncer.ini"
        settings.write_text("\n".join(self._lines()) + "\n")
        return Process(
            name="PgBouncer",
            command=[str(programs / "usr/sbin/pgbouncer"), str(settings)],
            log_file=self._folder / "pgbouncer.log",
            environment={**os.environ, "LD_LIBRARY_PATH": str(libraries)},
            account=account_for_postgres(),
            ready=lambda _process: until(self._answers, bool, what="PgBouncer answers"),
        )

    def _lines(self) -> Sequence[str]:
        there = self._database
        known = f"host={there.hostname} port={there.port} user={there.username} password={there.password}"
        return (
            "[databases]",
            f"* = {known}",
            "[pgbouncer]",
            f"listen_addr = {LOOPBACK}",
            f"listen_port = {self._port}",
            "unix_socket_dir =",
            "auth_type = any",
            f"pool_mode = {self._mode}",
            f"ignore_startup_parameters = {self._overlooks}",
        )

    async def _answers(self) -> bool:
        try:
            _, writer = await asyncio.open_connection(LOOPBACK, self._port)
        except OSError:
            return False
        writer.close()
        await writer.wait_closed()
        return True


def fetched() -> None:
    """Have the package unpacked. Raises `SandboxError` where it cannot be downloaded."""
    with exclusive(UNPACKED.with_name("pgbouncer.lock")):
        if (UNPACKED / "usr/sbin/pgbouncer").is_file():
            return
        try:
            unpack(PACKAGES, UNPACKED)
        except (OSError, subprocess.SubprocessError) as error:
            raise SandboxError(f"PgBouncer cannot be had from Debian's packages: {error}") from error
