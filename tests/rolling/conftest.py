"""The rig of the crashes and faults, for updates."""

from pathlib import Path

import pytest

from tests.chaos.rig import Rig


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
