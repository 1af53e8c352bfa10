"""The fixture `bench`: the stores behind the lanes, once in memory and once in Postgres."""

from collections.abc import AsyncIterator

import pytest

from consumer.adapters.postgres.pool import Database
from tests.conformance.lanes.bench import Bench, MemoryBench, PostgresBench


@pytest.fixture
async def postgres_bench(migrated_database_url: str) -> AsyncIterator[PostgresBench]:
    """The stores in a Postgres database of this test's own."""
    async with Database.open(migrated_database_url) as database:
        yield PostgresBench(database, migrated_database_url)


@pytest.fixture(params=["memory", "postgres"])
def bench(request: pytest.FixtureRequest) -> Bench:
    """The stores of either kind."""
    if request.param == "memory":
        return MemoryBench()
    bench: PostgresBench = request.getfixturevalue("postgres_bench")
    return bench
