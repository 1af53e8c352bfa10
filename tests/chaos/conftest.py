"""The rig on the session's servers, and the seed of this run, which changes from run to run."""

import os
import random
from pathlib import Path

import pytest

from tests.chaos.rig import Rig

SEED_VARIABLE = "CHAOS_SEED"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say at the end of a run how to repeat its crashes and faults; at its head this file is not loaded yet."""
    terminalreporter.write_line(f"{SEED_VARIABLE}={_seed()}")


def _seed() -> int:
    # Kept in the environment, so that the summary and every fixture tell the same one.
    drawn = os.environ.setdefault(SEED_VARIABLE, str(random.SystemRandom().randrange(1_000_000)))
    return int(drawn)


@pytest.fixture(scope="session")
def chaos_seed() -> int:
    """The seed of all draws; CHAOS_SEED repeats one."""
    return _seed()


@pytest.fixture
def rig(kafka_servers: str, postgres_admin_url: str, zoho_url: str, migrated_template: str, tmp_path: Path) -> Rig:
    """Worlds on the session's broker, database and stand-in."""
    return Rig(
        kafka_servers=kafka_servers,
        postgres_admin_url=postgres_admin_url,
        ledger_url=zoho_url,
        folder=tmp_path,
        template=migrated_template,
    )
