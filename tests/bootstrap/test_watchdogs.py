"""The question to Postgres, asked every few seconds by every process, also frees what a frozen process has locked."""

import pytest
from structlog.testing import capture_logs

from consumer.adapters.memory.figures import MemoryHealthStore
from consumer.bootstrap.watchdogs import STALLED_SECONDS, ask_database
from consumer.errors import DatabaseUnavailableError


class _Health(MemoryHealthStore):
    """A database in which so many sessions have stood still for long."""

    def __init__(self, stalled: int, *, answers: bool = True) -> None:
        self.stalled = stalled
        self.answers = answers
        self.asked: list[float] = []

    async def ping(self) -> None:
        """See the port."""
        if not self.answers:
            raise DatabaseUnavailableError("Postgres does not answer")

    async def end_stalled_sessions(self, still_seconds: float) -> int:
        """See the port."""
        self.asked.append(still_seconds)
        return self.stalled


async def test_stalled_sessions_are_ended_and_told_of() -> None:
    """Whoever looks into the log finds how many, and why."""
    health = _Health(2)
    with capture_logs() as lines:
        await ask_database(health)
    assert health.asked == [STALLED_SECONDS]
    assert [(line["event"], line["sessions"]) for line in lines] == [("stalled_sessions_ended", 2)]


async def test_nothing_is_said_where_nobody_stands_still() -> None:
    """As it is nearly always."""
    with capture_logs() as lines:
        await ask_database(_Health(0))
    assert lines == []


async def test_a_database_that_does_not_answer_is_told_as_such() -> None:
    """The question itself comes first: readiness rests on it."""
    health = _Health(2, answers=False)
    with pytest.raises(DatabaseUnavailableError):
        await ask_database(health)
    assert health.asked == []
