"""Methods of the port on real connections, stopped before each of their statements until they are let go on.

A method runs on a connection of its own, through the product's own `Database.run`, with its retries. Each statement
that the other method could notice waits at a gate, and so does each COMMIT after such a statement. A statement that
the port sends without a transaction gets one here, so that the other may act between its locks and its commit, as it
may in truth.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

import asyncpg

from consumer.adapters.postgres.errors import is_repeatable, translated
from consumer.adapters.postgres.pool import Connection, Database, PoolLimits, _prepare
from tests.transactions.statements import COMMIT, ROLLBACK, named

T = TypeVar("T")
Raw = "asyncpg.Connection[asyncpg.Record]"
DEADLINE_SECONDS = 60.0
# Longer than most statements take; who has not come to its next gate by then is asked for in Postgres.
PATIENCE_SECONDS = 0.003
# Whether a backend waits for a lock that another one holds.
_BLOCKED = "SELECT cardinality(pg_blocking_pids($1)) > 0"


@dataclass(slots=True, kw_only=True)
class Actor:
    """One method under way. ``notices`` tells of which statements the other method could know the order.

    ``holds`` tells which statements keep something until the end of their transaction.
    """

    name: str
    notices: Callable[[str], bool]
    holds: Callable[[str], bool]
    pid: int = 0
    statements: list[str] = field(default_factory=list)
    label: str = ""
    conflicts: int = 0
    free: bool = False
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    done: bool = False
    _go: asyncio.Event = field(default_factory=asyncio.Event)

    async def gate(self, statement: str) -> None:
        """Wait to be let go on, where the other could notice what comes now."""
        if statement not in (COMMIT, ROLLBACK):
            self.statements.append(statement)
            if not self.notices(statement):
                return
        self.label = named(statement)
        if self.free:
            return
        self._go.clear()
        self.arrived.set()
        await self._go.wait()

    def let_go(self) -> str:
        """Let it do one step; gives which."""
        self.arrived.clear()
        self._go.set()
        return self.label

    def finish(self) -> None:
        """Note that the method has come to its end."""
        self.done = True
        self.arrived.set()


class SteppedConnection:
    """A connection that asks its actor before each statement."""

    def __init__(self, inner: Any, actor: Actor) -> None:
        self._inner = inner
        self._actor = actor
        self._within = False
        self._held = False

    async def execute(self, query: str, *arguments: Any) -> Any:
        """See asyncpg."""
        return await self._step(query, lambda: self._inner.execute(query, *arguments))

    async def fetch(self, query: str, *arguments: Any) -> Any:
        """See asyncpg."""
        return await self._step(query, lambda: self._inner.fetch(query, *arguments))

    async def fetchrow(self, query: str, *arguments: Any) -> Any:
        """See asyncpg."""
        return await self._step(query, lambda: self._inner.fetchrow(query, *arguments))

    async def fetchval(self, query: str, *arguments: Any) -> Any:
        """See asyncpg."""
        return await self._step(query, lambda: self._inner.fetchval(query, *arguments))

    async def copy_records_to_table(self, table: str, **fields: Any) -> Any:
        """See asyncpg."""
        return await self._step(f"COPY {table}", lambda: self._inner.copy_records_to_table(table, **fields))

    async def _step(self, query: str, run: Callable[[], Awaitable[T]]) -> T:
        if self._within:
            return await self._run(query, run)
        async with self.transaction():
            return await self._run(query, run)

    async def _run(self, query: str, run: Callable[[], Awaitable[T]]) -> T:
        await self._actor.gate(query)
        # What was only read binds nobody, and its commit tells nobody anything.
        self._held = self._held or self._actor.holds(query)
        return await run()

    @contextlib.asynccontextmanager
    async def transaction(self, **options: Any) -> AsyncIterator[None]:
        """Begin, and stop before the end, which gives the locks free."""
        transaction = self._inner.transaction(**options)
        await transaction.start()
        self._within, self._held = True, False
        try:
            yield
            await self._before_the_end(COMMIT)
        except BaseException as error:
            if not isinstance(error, asyncpg.PostgresError | asyncio.CancelledError):
                await self._before_the_end(ROLLBACK)
            await transaction.rollback()
            raise
        else:
            await transaction.commit()
        finally:
            self._within = False

    async def _before_the_end(self, end: str) -> None:
        if self._held:
            await self._actor.gate(end)


class SteppedDatabase(Database):
    """The product's Database, but for where its connections come from: one, which is its actor's."""

    def __init__(self, inner: Any, actor: Actor) -> None:
        self._limits = PoolLimits()
        self._actor = actor
        self._stepped = SteppedConnection(inner, actor)

    @contextlib.asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """See Database."""
        with translated():
            yield cast("Connection", self._stepped)

    async def _once(self, work: Callable[[Connection], Awaitable[T]], *, snapshot: bool) -> T:
        try:
            isolation = "repeatable_read" if snapshot else None
            async with self._stepped.transaction(isolation=isolation, readonly=snapshot):
                return await work(cast("Connection", self._stepped))
        except asyncpg.PostgresError as error:
            self._actor.conflicts += is_repeatable(error)
            raise


@dataclass(slots=True, kw_only=True)
class Stage:
    """Two connections for two actors, and a third that looks at who waits for whom."""

    connections: tuple[Any, Any]
    observer: Any

    async def settle(self, actor: Actor, *, waited: bool) -> bool:
        """Wait until an actor stands at its next gate, or is at its end: True; or waits for the other's lock: False."""
        while not actor.arrived.is_set():
            if not waited:
                await _arrives(actor)
            if actor.arrived.is_set():
                return True
            if await self.observer.fetchval(_BLOCKED, actor.pid):
                return False
            waited = False
        return True


async def _arrives(actor: Actor) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(PATIENCE_SECONDS):
            await actor.arrived.wait()


@contextlib.asynccontextmanager
async def open_stage(url: str) -> AsyncIterator[Stage]:
    """Open the three connections."""
    async with contextlib.AsyncExitStack() as stack:
        opened = [await _connect(stack, url) for _ in range(3)]
        yield Stage(connections=(opened[0], opened[1]), observer=opened[2])


async def _connect(stack: contextlib.AsyncExitStack, url: str) -> Any:
    connection = await asyncpg.connect(url, timeout=10, command_timeout=DEADLINE_SECONDS)
    stack.push_async_callback(connection.close, timeout=5)
    await _prepare(connection)
    return connection
