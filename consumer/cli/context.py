"""What every command begins with: settings from the environment, logs, and the stores."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

from consumer.bootstrap.parts import LedgerWay, Stores, open_ledger_way, open_stores
from consumer.cli.exits import exits
from consumer.config import Settings, read_settings
from consumer.errors import ConfigurationError
from consumer.failpoints import arm_failpoints
from consumer.hardening import forbid_core_dumps
from consumer.observability.logging import set_up_logging

T = TypeVar("T")


def settings_now(*, quiet: bool = True) -> Settings:
    """Read the settings and set the logs up; a command for people logs only what is wrong."""
    forbid_core_dumps()
    settings = read_settings(os.environ)
    arm_failpoints(settings.failpoints)
    set_up_logging("error" if quiet else settings.log_level, sandbox_ledger=settings.sandbox_ledger_url)
    return settings


def run_command(work: Callable[[Settings], Awaitable[T]]) -> T:
    """Run one command to its end; errors become messages and exit codes."""
    with exits():
        settings = settings_now()
        return asyncio.run(_awaited(work, settings))


async def _awaited(work: Callable[[Settings], Awaitable[T]], settings: Settings) -> T:
    return await work(settings)


@asynccontextmanager
async def stores_and_ledgers(settings: Settings) -> AsyncIterator[tuple[Stores, LedgerWay]]:
    """Open what a command that asks a ledger needs."""
    async with open_stores(settings, name="booked-cli") as stores, open_ledger_way(settings, stores) as way:
        yield stores, way


def onlooker(name: str | None) -> str:
    """Give who looks: as ``person``, else the process's own number: a look is noted, and not refused for a name."""
    actor = (name or os.environ.get("USER") or os.environ.get("LOGNAME") or "").strip()
    return actor[:200] or f"user {os.getuid()}"


def person(name: str | None) -> str:
    """Give who acts: ``--as NAME``, else the user of this machine. Raises ConfigurationError where nobody is named."""
    actor = (name or os.environ.get("USER") or os.environ.get("LOGNAME") or "").strip()
    if not actor:
        raise ConfigurationError("--as", "say who you are: --as NAME")
    return actor[:200]
