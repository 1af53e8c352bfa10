"""The fixtures of the watch's store: one bench of the stores behind the lanes, and the store of the same kind."""

import pytest

from consumer.adapters.memory.watch import MemoryWatchStore
from consumer.adapters.postgres.watch import PostgresWatchStore
from consumer.ports.watch import WatchStore
from tests.conformance.lanes.bench import Bench, MemoryBench, PostgresBench
from tests.conformance.lanes.fixtures import bench, postgres_bench

__all__ = ["bench", "postgres_bench", "postgres_store", "store"]


@pytest.fixture
def store(bench: Bench) -> WatchStore:  # pytest finds the fixture by this very name
    """The watch's store over the bench's database."""
    if isinstance(bench, MemoryBench):
        return MemoryWatchStore(bench.database)
    assert isinstance(bench, PostgresBench)
    return PostgresWatchStore(bench.database)


@pytest.fixture
def postgres_store(postgres_bench: PostgresBench) -> WatchStore:
    """The watch's store over a Postgres database of this test's own."""
    return PostgresWatchStore(postgres_bench.database)
