"""kill -9 of real processes at every crash point, once: nothing is lost, nothing is done twice, and all goes on."""

import asyncio
import logging
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import pytest

from consumer.failpoints import POINTS
from tests.chaos.points import SCENARIOS
from tests.chaos.registry import Trial
from tests.chaos.rig import Rig
from tests.chaos.running import run_all

log = logging.getLogger(__name__)
pytestmark = pytest.mark.acceptance
AT_ONCE = 3  # worlds; most of their time they wait for a lease to run out


@pytest.fixture(scope="module")
def trials(
    request: pytest.FixtureRequest,
    kafka_servers: str,
    postgres_admin_url: str,
    zoho_url: str,
    migrated_template: str,
    chaos_seed: int,
    tmp_path_factory: pytest.TempPathFactory,
) -> Mapping[str, Trial]:
    """One trial of every point that is asked for, several at a time; each test looks at its own."""
    rig = Rig(
        kafka_servers=kafka_servers,
        postgres_admin_url=postgres_admin_url,
        ledger_url=zoho_url,
        folder=tmp_path_factory.mktemp("points"),
        template=migrated_template,
    )
    chosen = {item.callspec.params.get("point") for item in request.session.items if hasattr(item, "callspec")}
    jobs = [(name, scenario, chaos_seed) for name, scenario in SCENARIOS.items() if name in chosen]

    async def run() -> Mapping[str, Trial]:
        return {trial.name: trial async for trial in run_all(rig, jobs, at_once=AT_ONCE)}

    # In a thread of its own: pytest-asyncio may have a loop at hand in this one, and asyncio.run would take its place.
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, run()).result()


@pytest.mark.parametrize("point", SCENARIOS)
def test_nothing_is_lost_or_done_twice_when_killed_at(point: str, trials: Mapping[str, Trial], chaos_seed: int) -> None:
    """A process died at this point, others went on, and no invariant is violated."""
    log.warning("CHAOS_SEED=%d", chaos_seed)
    trial = trials[point]
    assert [str(finding) for finding in trial.findings] == []
    assert list(trial.missed) == []


def test_every_point_has_a_scenario() -> None:
    """A new failpoint cannot be forgotten here."""
    assert sorted(SCENARIOS) == sorted(POINTS)
