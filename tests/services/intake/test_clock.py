"""Whose clock tells what lies in the future: the database's, which all processes share."""

from datetime import UTC, datetime, timedelta

from consumer.adapters.memory.database import MemoryDatabase
from consumer.adapters.memory.intake import MemoryIntakeStore
from tests.conformance.intake.making import key, taken
from tests.services.intake.world import render


async def test_the_databases_clock_says_what_lies_in_the_future() -> None:
    """An event of last year lies in the future of a database whose clock stands two years back, and is rejected."""
    two_years_ago = datetime.now(UTC) - timedelta(days=730)
    store = MemoryIntakeStore(MemoryDatabase(clock=lambda: two_years_ago), render_rejected=render)
    near = taken(key("1"), 0, version=None, updated_at=two_years_ago + timedelta(minutes=50))
    far = taken(key("2"), 1, version=None, updated_at=two_years_ago + timedelta(days=365))
    recorded = await store.record([near, far])
    assert recorded.verdicts == {"newest": 1, "revision_in_future": 1}
