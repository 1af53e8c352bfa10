"""The fixtures of the stores behind the lanes, for the tests of this folder."""

import pytest

from consumer.ports.privacy import PrivacyStore, RetentionStore
from tests.conformance.lanes.bench import Bench
from tests.conformance.lanes.fixtures import bench, postgres_bench
from tests.conformance.privacy.making import privacy_of, retention_of

__all__ = ["bench", "postgres_bench", "privacy", "retention"]


@pytest.fixture
def privacy(bench: Bench) -> PrivacyStore:
    """The store of erasure and export, over the same database as the bench."""
    return privacy_of(bench)


@pytest.fixture
def retention(bench: Bench) -> RetentionStore:
    """The store of the retention, over the same database as the bench."""
    return retention_of(bench)
