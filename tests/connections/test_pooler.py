"""`booked doctor` tells what stands between us and Postgres, by a real pooler."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from consumer.adapters.postgres.direct import Directness, look
from consumer.adapters.postgres.pool import Database
from consumer.cli.doctor import check_directness
from consumer.errors import DatabaseUnavailableError
from consumer.services.checkup import Grade
from sandbox.folders import sandbox_folder
from tests.connections.conftest import served
from tests.connections.pooler import STARTUP, PgBouncer

pytestmark = pytest.mark.integration


@contextmanager
def pooler(database_url: str, mode: str, overlooks: str = "") -> Iterator[PgBouncer]:
    """Run a pooler before the database."""
    with (
        sandbox_folder() as folder,
        served(PgBouncer(folder=folder, database_url=database_url, mode=mode, overlooks=overlooks)) as made,
    ):
        yield made


async def test_without_a_pooler_all_is_good(database_url: str) -> None:
    """The server greets by its own number, and a NOTIFY is heard."""
    assert await look(database_url) == Directness(direct=True, heard=True)


async def test_pooling_by_the_transaction_loses_wake_ups_and_doctor_says_so(database_url: str) -> None:
    """The LISTEN stays with a connection that is somebody else's by then."""
    with pooler(database_url, "transaction") as between:
        seen = await look(between.url, heard_seconds=1.0)
    assert seen.heard is False
    (finding,) = check_directness(seen)
    assert finding.grade is Grade.WRONG
    assert "BOOKED_DATABASE_URL" in finding.fix


async def test_pooling_by_the_session_passes_them_on_and_doctor_mentions_it(database_url: str) -> None:
    """It works, and is of no use."""
    with pooler(database_url, "session") as between:
        seen = await look(between.url)
    assert seen == Directness(direct=False, heard=True)
    (finding,) = check_directness(seen)
    assert finding.grade is Grade.WARNING


async def test_a_pooler_that_refuses_our_settings_is_told_in_words(database_url: str) -> None:
    """As it does unless it is told to overlook them; then the pool opens, without the server's own ends."""
    with pooler(database_url, "session") as between, pytest.raises(DatabaseUnavailableError) as error:
        await Database.connect(between.url)
    assert "A pooler stands between" in str(error.value)
    with pooler(database_url, "session", STARTUP) as between:
        async with Database.open(between.url) as database, database.connection() as connection:
            assert await connection.fetchval("SHOW statement_timeout") == "0"


@pytest.mark.parametrize(("direct", "heard", "grade"), [(True, True, Grade.GOOD), (True, False, Grade.WRONG)])
def test_every_case_has_its_grade(direct: bool, heard: bool, grade: Grade) -> None:  # noqa: FBT001 a case of the test
    """Also that of something in between that gives the server's own number and passes nothing on."""
    (finding,) = check_directness(Directness(direct=direct, heard=heard))
    assert finding.grade is grade
