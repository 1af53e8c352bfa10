"""A stop always ends, whoever is frozen: within the deadline and the five seconds that the docs ask for."""

import pytest

from tests.chaos.faults.stopping import stop_with_a_frozen_peer
from tests.chaos.rig import Rig

pytestmark = pytest.mark.acceptance


async def test_sigterm_with_a_frozen_broker_database_and_ledger(rig: Rig, chaos_seed: int) -> None:
    """One after the other, with calls under way; afterwards nothing is lost or done twice."""
    trial = await stop_with_a_frozen_peer(rig, chaos_seed)
    assert [str(finding) for finding in trial.findings] == []
    assert list(trial.missed) == [], trial.figures
