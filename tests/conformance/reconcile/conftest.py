"""The fixtures of the comparison's store: one bench of the stores behind the lanes, and the store of the same kind."""

import pytest

from consumer.adapters.memory.reconcile import MemoryReconcileStore
from consumer.adapters.postgres.reconcile import PostgresReconcileStore
from consumer.ports.reconcile import ReconcileStore
from tests.conformance.lanes.bench import Bench, MemoryBench, PostgresBench
from tests.conformance.lanes.fixtures import bench, postgres_bench

__all__ = ["bench", "postgres_bench", "store"]


@pytest.fixture
def store(bench: Bench) -> ReconcileStore:  # pytest finds the fixture by this very name
    """The comparison's store over the bench's database."""
    if isinstance(bench, MemoryBench):
        return MemoryReconcileStore(bench.database)
    assert isinstance(bench, PostgresBench)
    return PostgresReconcileStore(bench.database)
