"""The fixture `bench`: a replay over a broker in memory, with stores of either kind."""

import pytest

from tests.conformance.intake.fixtures import postgres_rig, rig
from tests.conformance.intake.rig import Rig
from tests.conformance.replay.bench import Bench, make_bench

__all__ = ["bench", "postgres_rig", "rig"]


@pytest.fixture
async def bench(rig: Rig) -> Bench:
    """A broker with the order topics, one shop that books by itself, and nothing taken yet."""
    return await make_bench(rig)
