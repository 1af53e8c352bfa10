"""The SQL of the runbook works as it stands, on the schema of today; nobody finds out at night that it does not."""

import re

import asyncpg
import pytest

from sandbox.postgres import admin_connection
from tests.monitoring.test_alerts import RUNBOOK

_INLINE = re.compile(r"`((?:SELECT|UPDATE|DELETE) [^`]+)`")
STATEMENTS = [" ".join(found.split()) for found in _INLINE.findall(RUNBOOK.read_text(encoding="utf-8"))]
# What ends something that must be there, or that the planner cannot explain.
ONLY_NAMED = ("SELECT pg_terminate_backend(pid)", "SELECT pg_drop_replication_slot('…')")

pytestmark = pytest.mark.integration


def test_enough_statements_are_seen() -> None:
    """The search finds them: the tests below would pass if it found none."""
    assert len([one for one in STATEMENTS if one not in ONLY_NAMED]) >= 8


async def test_each_statement_can_be_run(migrated_database_url: str) -> None:
    """Planned and executed by Postgres, with something in the place of the dots; nothing is left of it."""
    faults = {}
    async with admin_connection(migrated_database_url) as connection:
        for statement in STATEMENTS:
            if statement in ONLY_NAMED:
                continue
            given = re.sub(r"\(…\)", "(0)", statement).replace("…", "x")
            transaction = connection.transaction()
            await transaction.start()
            try:
                await connection.execute(given)
            except asyncpg.PostgresError as error:
                faults[statement] = str(error)
            await transaction.rollback()
    assert faults == {}


async def test_a_statement_that_is_wrong_is_found(migrated_database_url: str) -> None:
    """The check above can fail."""
    async with admin_connection(migrated_database_url) as connection:
        with pytest.raises(asyncpg.PostgresError):
            await connection.execute("SELECT nothing FROM shop_stand")
