"""Whether we speak with Postgres itself, and whether its wake-ups reach us: what a pooler in between would change."""

import asyncio
from dataclasses import dataclass
from uuid import uuid4

import asyncpg

from consumer.adapters.postgres.errors import translated
from consumer.adapters.postgres.sql import load
from consumer.adapters.postgres.wakeups import connect_to

HEARD_SECONDS = 2.0
# A statement that was prepared on another of the server's connections than the one that is to run it.
_PREPARED_ELSEWHERE = (asyncpg.InvalidSQLStatementNameError, asyncpg.DuplicatePreparedStatementError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Directness:
    """What was seen. ``direct``: the server that answers is the one that greeted us. ``heard``: a NOTIFY came."""

    direct: bool
    heard: bool


async def look(url: str, *, heard_seconds: float = HEARD_SECONDS) -> Directness:
    """Listen on one connection and notify on another. Raises DatabaseUnavailableError.

    A pooler greets with a number of its own, and behind one that deals connections by the transaction the LISTEN stays
    with a connection that is somebody else's a moment later.
    """
    channel = f"booked_doctor_{uuid4().hex}"
    heard = asyncio.Event()
    try:
        with translated():
            return await _look(url, channel, heard, heard_seconds)
    except _PREPARED_ELSEWHERE:
        return Directness(direct=False, heard=False)


async def _look(url: str, channel: str, heard: asyncio.Event, heard_seconds: float) -> Directness:
    sql = load("wakeups")
    listening = await connect_to(url)
    try:
        await listening.add_listener(channel, lambda *_: heard.set())
        direct = listening.get_server_pid() == await listening.fetchval(sql.answering_server)
        speaking = await connect_to(url)
        try:
            await speaking.fetchval(sql.notify_on, channel)
        finally:
            speaking.terminate()
        return Directness(direct=direct, heard=await _set_within(heard, heard_seconds))
    finally:
        # Cut, not closed, as the wake-ups' own: a farewell would take back the LISTEN, and may wait.
        listening.terminate()


async def _set_within(event: asyncio.Event, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return False
    return True
