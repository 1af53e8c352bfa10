"""Fixtures of the tests that drive real processes from outside."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.acceptance.installation import Installation, installed
from tests.server_fixtures import MakeTopic


@pytest.fixture
async def installation(
    tmp_path: Path, kafka_servers: str, migrated_database_url: str, zoho_url: str, topics: MakeTopic
) -> AsyncIterator[Installation]:
    """An installation of Booked with real servers, that books fast."""
    async with installed(
        folder=tmp_path,
        kafka_servers=kafka_servers,
        database_url=migrated_database_url,
        ledger_url=zoho_url,
        make_topic=topics,
    ) as made:
        yield made
        await made.ledger.clear_faults()
        await made.ledger.set_latency(0)
