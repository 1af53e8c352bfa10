"""The fixtures of the stores behind the lanes, for the tests of this folder."""

import pytest

from consumer.adapters.memory.rejected import MemoryRejectedStore
from consumer.adapters.postgres.rejected import PostgresRejectedStore
from consumer.ports.rejected import RejectedStore
from tests.conformance.lanes.bench import Bench, MemoryBench, PostgresBench
from tests.conformance.lanes.fixtures import bench, postgres_bench

__all__ = ["bench", "postgres_bench", "rejected"]


@pytest.fixture
def rejected(bench: Bench) -> RejectedStore:
    """The store of rejected messages over the same database."""
    if isinstance(bench, PostgresBench):
        return PostgresRejectedStore(bench.database)
    assert isinstance(bench, MemoryBench)
    return MemoryRejectedStore(bench.database)
