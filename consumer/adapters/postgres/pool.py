"""Connections to Postgres: one bounded pool, one way to run a transaction, every wait with an end."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from consumer.adapters.postgres.errors import is_repeatable, translated

T = TypeVar("T")
Connection: TypeAlias = "PoolConnectionProxy[asyncpg.Record]"

READ_RETRIES = 5  # of a transaction that only reads: plans that DDL broke meanwhile
_JSONB_VERSION = b"\x01"
# Made once: json.dumps() would make an encoder for every value, which is half of its cost.
_ENCODE = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolLimits:
    """Sizes and deadlines of the pool, in connections and seconds."""

    min_size: int = 1
    max_size: int = 8
    connect_timeout_seconds: float = 5.0
    acquire_timeout_seconds: float = 5.0
    release_timeout_seconds: float = 5.0
    command_timeout_seconds: float = 60.0  # the client's patience; the server's own end comes before it
    statement_timeout_seconds: float = 50.0
    lock_timeout_seconds: float = 20.0
    idle_in_transaction_timeout_seconds: float = 30.0
    tcp_user_timeout_seconds: float = 30.0


class Database:
    """A pool of connections. ``async with Database.open(url)`` or ``await Database.connect(url)`` and ``close()``.

    Everything raises DatabaseUnavailableError where Postgres does not answer (see errors.py).
    """

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]", limits: PoolLimits) -> None:
        self._pool = pool
        self._limits = limits

    @classmethod
    async def connect(
        cls, url: str, *, application_name: str = "booked", limits: PoolLimits | None = None
    ) -> "Database":
        """Open the pool and its first connection."""
        bounds = limits or PoolLimits()
        with translated():
            pool = await asyncpg.create_pool(
                url,
                min_size=bounds.min_size,
                max_size=bounds.max_size,
                timeout=bounds.connect_timeout_seconds,
                command_timeout=bounds.command_timeout_seconds,
                server_settings=_server_settings(application_name, bounds),
                init=_prepare,
            )
        return cls(pool, bounds)

    @classmethod
    @asynccontextmanager
    async def open(
        cls, url: str, *, application_name: str = "booked", limits: PoolLimits | None = None
    ) -> "AsyncIterator[Database]":
        """Open the pool for the time of the block."""
        database = await cls.connect(url, application_name=application_name, limits=limits)
        try:
            yield database
        finally:
            await database.close()

    async def close(self, timeout_seconds: float = 5.0) -> None:
        """Close all connections, waiting so long for those in use; then they are cut."""
        try:
            async with asyncio.timeout(timeout_seconds):
                await self._pool.close()
        except TimeoutError:
            self._pool.terminate()

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """Lend a connection without a transaction, for single statements."""
        with translated():
            connection = await self._pool.acquire(timeout=self._limits.acquire_timeout_seconds)
            try:
                yield connection
            finally:
                # asyncpg shields the release itself; the bound is ours, because a release that waits for a
                # cancellation to reach a dead server would otherwise wait without end.
                await self._pool.release(connection, timeout=self._limits.release_timeout_seconds)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """Lend a connection with an open transaction (READ COMMITTED): committed at the end, rolled back on an error.

        It cannot run the block again; use run() wherever locks are taken.
        """
        async with self.connection() as connection, connection.transaction():
            yield connection

    async def run(self, work: Callable[[Connection], Awaitable[T]], *, retries: int = 5) -> T:
        """Run a whole transaction, and again after a conflict or deadlock (40001, 40P01), at most ``retries`` times.

        ``work`` must not keep anything outside the transaction that a second run would count twice.
        """
        return await self._repeated(work, retries, snapshot=False)

    async def read(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """Run statements that only read, all by one snapshot, so that they tell of one moment and never of a mixture.

        Not for a look that something is going to be written by: that needs locks, and run().
        """
        return await self._repeated(work, READ_RETRIES, snapshot=True)

    async def _repeated(self, work: Callable[[Connection], Awaitable[T]], retries: int, *, snapshot: bool) -> T:
        with translated():
            for _ in range(retries):
                try:
                    return await self._once(work, snapshot=snapshot)
                except (asyncpg.PostgresError, asyncpg.InternalClientError) as error:
                    if not is_repeatable(error):
                        raise
            return await self._once(work, snapshot=snapshot)

    async def _once(self, work: Callable[[Connection], Awaitable[T]], *, snapshot: bool) -> T:
        connection = await self._pool.acquire(timeout=self._limits.acquire_timeout_seconds)
        try:
            async with connection.transaction(isolation="repeatable_read" if snapshot else None, readonly=snapshot):
                return await work(connection)
        finally:
            await self._pool.release(connection, timeout=self._limits.release_timeout_seconds)


def _server_settings(application_name: str, limits: PoolLimits) -> dict[str, str]:
    """Give the server its own ends for everything, so that a client that has died blocks nobody for long."""
    return {
        "application_name": application_name,
        "timezone": "UTC",
        "statement_timeout": _milliseconds(limits.statement_timeout_seconds),
        "lock_timeout": _milliseconds(limits.lock_timeout_seconds),
        "idle_in_transaction_session_timeout": _milliseconds(limits.idle_in_transaction_timeout_seconds),
        "tcp_user_timeout": _milliseconds(limits.tcp_user_timeout_seconds),
        # Just-in-time compilation costs more than any of our short queries takes.
        "jit": "off",
    }


def _milliseconds(seconds: float) -> str:
    return str(max(1, round(seconds * 1000)))


async def _prepare(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    """Let jsonb be plain Python data; in binary form, because COPY takes nothing else."""
    await connection.set_type_codec(
        "jsonb", encoder=_to_jsonb, decoder=_from_jsonb, schema="pg_catalog", format="binary"
    )


def _to_jsonb(value: Any) -> bytes:
    return _JSONB_VERSION + _ENCODE(value).encode()


def _from_jsonb(data: bytes) -> Any:
    return json.loads(data[1:])
