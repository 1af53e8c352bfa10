"""Who reads in several statements reads one moment: never an order of before a record and its documents of after."""

from typing import Any

import pytest

from consumer.adapters.postgres.bookings import read_whole
from consumer.adapters.postgres.pool import Database
from consumer.adapters.postgres.sql import load
from consumer.errors import DatabaseUnavailableError
from tests.transactions.pairs import Theatre
from tests.transactions.scenarios.every import SCENARIOS
from tests.transactions.scenarios.scenario import Scenario
from tests.transactions.scene import Stores, order

pytestmark = pytest.mark.asyncio(loop_scope="session")


def _scenario(name: str) -> Scenario:
    return next(one for one in SCENARIOS if one.name == name)


async def _read_without_snapshot(stores: Stores) -> Any:
    """Read an order by three statements, each of which sees what was committed before it."""

    async def read(connection: Any) -> Any:
        found = await connection.fetch(load("bookings").read_order, *order("open"))
        return (await read_whole(connection, found)).get(order("open"))

    return await stores.bookings._database.run(read)


async def test_an_order_is_read_as_of_one_moment(theatre: Theatre) -> None:
    """A record is committed between the statements of a read: the read tells of before it, or of after it."""
    found = await theatre.explore((_scenario("BookingStore.read"), _scenario("BookingStore.record/booked")))
    assert found.orders > 2
    assert not found.problems, found.problems[0]


async def test_statements_without_a_snapshot_read_a_mixture(theatre: Theatre) -> None:
    """The wrong way, as it was: an order that is due, together with the invoice that was recorded since."""
    mixed = Scenario(method="read without a snapshot", call=_read_without_snapshot)
    found = await theatre.explore((mixed, _scenario("BookingStore.record/booked")))
    assert any("documents" in problem for problem in found.problems)


async def test_a_read_writes_nothing_and_sees_nothing_newer(migrated_database_url: str) -> None:
    """What is committed after its first statement is not seen by its second, and a write within it is refused."""
    async with Database.open(migrated_database_url) as database:

        async def look(connection: Any) -> list[int]:
            count = "SELECT count(*) FROM audit_log"
            before = await connection.fetchval(count)
            async with database.connection() as other:
                await other.execute("INSERT INTO audit_log (actor, action) VALUES ('ada', 'looked')")
            return [before, await connection.fetchval(count)]

        assert await database.read(look) == [0, 0]
        assert await database.run(look) == [1, 2]
        with pytest.raises(DatabaseUnavailableError, match="read-only"):
            await database.read(lambda connection: connection.execute("DELETE FROM gaps"))
