"""Wake-ups between processes by LISTEN and NOTIFY, over one connection of its own; within the process at once.

A connection of the pool would lose its listeners when it is given back. Notifications are hints: while the connection
is away nothing is lost but time, since everybody also looks by himself every few seconds.
"""

import asyncio
import json
import random
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from types import TracebackType
from typing import Any, Self, TypeAlias
from uuid import uuid4

import asyncpg
import structlog

from consumer.adapters.postgres.errors import translated
from consumer.adapters.postgres.sql import load
from consumer.errors import DatabaseUnavailableError
from consumer.ports.wakeups import Signals, WakeKind

log = structlog.get_logger()

CHANNEL = "booked_wakeups"
NOTIFY_EVERY_SECONDS = 0.02
KEEP_ALIVE_SECONDS = 10.0
CONNECT_TIMEOUT_SECONDS = 5.0
COMMAND_TIMEOUT_SECONDS = 5.0
FIRST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 5.0
IDS_MAX = 50  # of one notification, whose size is limited; with more of them everybody is woken

RawConnection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"
Connect: TypeAlias = Callable[[], Awaitable[RawConnection]]


async def connect_to(url: str) -> RawConnection:
    """Open a connection outside the pool."""
    return await asyncpg.connect(
        url,
        timeout=CONNECT_TIMEOUT_SECONDS,
        command_timeout=COMMAND_TIMEOUT_SECONDS,
        server_settings={"application_name": "booked wake-ups", "timezone": "UTC"},
    )


class PostgresWakeups:
    """See consumer.ports.wakeups.Wakeups. ``async with PostgresWakeups(url)``, or ``start`` and ``stop``."""

    def __init__(self, url: str, *, connect: Connect | None = None) -> None:
        self._connect = connect or (lambda: connect_to(url))
        self._local = Signals()
        self._sender = uuid4().hex
        self._to_send: dict[WakeKind, set[str]] = {}
        self._something_to_send = asyncio.Event()
        self._lost = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._sql = load("wakeups")
        self.connected = asyncio.Event()  # set while other processes are heard

    async def start(self) -> None:
        """Begin to listen, in the background; a database that does not answer is tried again without end."""
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name="wakeups")

    async def stop(self) -> None:
        """Stop listening; legal at any time, and twice."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    def wake(self, kind: WakeKind, ids: Iterable[str] = ()) -> None:
        """See the port."""
        names = list(ids)
        self._local.wake(kind, names)
        self._to_send.setdefault(kind, set()).update(names)
        self._something_to_send.set()

    async def wait(self, kind: WakeKind, timeout_seconds: float, *, of: str | None = None) -> bool:
        """See the port."""
        return await self._local.wait(kind, timeout_seconds, of=of)

    # ---- the connection ----

    async def _run(self) -> None:
        pause_seconds = FIRST_PAUSE_SECONDS
        while True:
            try:
                with translated():
                    connection = await self._connect()
            except DatabaseUnavailableError:
                await self._pause(pause_seconds)
                pause_seconds = min(LONGEST_PAUSE_SECONDS, pause_seconds * 2)
                continue
            pause_seconds = FIRST_PAUSE_SECONDS
            with suppress(DatabaseUnavailableError):
                await self._serve(connection)
            log.warning("wakeups_lost_database")
            await self._pause(pause_seconds)

    async def _pause(self, seconds: float) -> None:
        """Not all processes are to come back at the same moment."""
        await asyncio.sleep(seconds * random.uniform(0.5, 1.0))  # noqa: S311 a pause needs no secret chance

    async def _serve(self, connection: RawConnection) -> None:
        self._lost.clear()
        try:
            with translated():
                connection.add_termination_listener(self._on_lost)
                await connection.add_listener(CHANNEL, self._on_notification)
                self.connected.set()
                # What was sent while nobody listened is lost: everybody looks once.
                for kind in WakeKind:
                    self._local.wake_all(kind)
                await self._send_and_keep_alive(connection)
        finally:
            self.connected.clear()
            # Cut, not closed: a server that does not answer would not answer a farewell either.
            connection.terminate()

    async def _send_and_keep_alive(self, connection: RawConnection) -> None:
        while not self._lost.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(KEEP_ALIVE_SECONDS):
                    await self._something_to_send.wait()
            if self._something_to_send.is_set():
                await self._send(connection)
                await asyncio.sleep(NOTIFY_EVERY_SECONDS)
            else:
                await connection.fetchval(self._sql.keep_alive)

    async def _send(self, connection: RawConnection) -> None:
        self._something_to_send.clear()
        to_send, self._to_send = self._to_send, {}
        for kind, ids in to_send.items():
            names = sorted(ids) if len(ids) <= IDS_MAX else None
            message = {"from": self._sender, "kind": kind.value, "ids": names}
            await connection.fetchval(self._sql.notify, json.dumps(message))

    def _on_lost(self, _: Any) -> None:
        self._lost.set()
        self._something_to_send.set()

    def _on_notification(self, _connection: Any, _process: int, _channel: str, payload: Any) -> None:
        try:
            message = json.loads(payload)
            kind, ids = WakeKind(message["kind"]), message["ids"]
            if message["from"] == self._sender:
                return
        except (ValueError, KeyError, TypeError):
            # Of a version that we do not know, or somebody else's: a hint that cannot be read is none.
            log.warning("wakeup_not_understood")
            return
        if ids is None:
            self._local.wake_all(kind)
        else:
            self._local.wake(kind, ids)
