"""The fixture `rig`: the intake's stores, once in memory and once in Postgres."""

from collections.abc import AsyncIterator

import pytest

from consumer.adapters.postgres.pool import Database
from tests.conformance.intake.memory_rig import MemoryRig
from tests.conformance.intake.rig import PostgresRig, Rig


@pytest.fixture
async def postgres_rig(migrated_database_url: str) -> AsyncIterator[PostgresRig]:
    """The stores in a Postgres database of this test's own."""
    async with Database.open(migrated_database_url) as database:
        yield PostgresRig(database, migrated_database_url)


@pytest.fixture(params=["memory", "postgres"])
def rig(request: pytest.FixtureRequest) -> Rig:
    """The stores of either kind."""
    if request.param == "memory":
        return MemoryRig()
    rig: PostgresRig = request.getfixturevalue("postgres_rig")
    return rig
