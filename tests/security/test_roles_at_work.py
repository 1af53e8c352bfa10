"""The whole main job under the services' role, as a careful installation runs it."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.acceptance.installation import Installation, installed, order
from tests.security.roled import Roled
from tests.server_fixtures import MakeTopic


@pytest.fixture
async def narrow(
    tmp_path: Path, kafka_servers: str, roled: Roled, zoho_url: str, topics: MakeTopic
) -> AsyncIterator[Installation]:
    """An installation whose every process and command knows the services' login only."""
    async with installed(
        folder=tmp_path,
        kafka_servers=kafka_servers,
        database_url=roled.services_url,
        ledger_url=zoho_url,
        make_topic=topics,
    ) as made:
        yield made


LOOKS = (
    ("explain", "shop", "1002"),
    ("parked",),
    ("rejected", "list"),
    ("positions", "list"),
    ("preview", "shop", "1002"),
    ("doctor",),
    ("replay",),
    ("keys", "check"),
)


async def _allowed(narrow: Installation, *words: str) -> None:
    code, said = await narrow.try_command(*words)
    assert code in {0, 7}, (words, code, said)
    assert "permission denied" not in said, words


async def test_the_main_job_and_peoples_commands_need_no_more_than_the_services_role(
    narrow: Installation, roled: Roled
) -> None:
    """Applied, connected, booked, changed, rejected, held, released, looked at: no command asks for a right it lacks.

    Every query that ran is therefore within the rights of queries/roles.sql, with row level security on.
    """
    await narrow.apply()
    await narrow.connect()
    async with narrow.process(BOOKED_DATABASE_SERVICES_ROLE=roled.roles.services) as running:
        await narrow.publish("paid", [order("1001"), order("1002")])
        await narrow.publish("paid", [{"order_id": "1003", "shop_id": "shop", "nonsense": True}])
        told = await narrow.synced(2, state="booked")
        await narrow.publish("updated", [order("1002", version=2, price="20.00", total="24.40")])
        await narrow.told("1002", order_version=2)
        await narrow.publish("cancelled", [{"shop_id": "shop", "order_id": "1001", "version": 2}])
        await narrow.told("1001", state="withdrawn")
        for words in (
            ("order", "hold", "shop", "1002", "--as", "jane"),
            ("order", "release", "shop", "1002", "--as", "jane"),
            ("look-first", "--as", "jane"),
            ("resume", "books", "--as", "jane"),
        ):
            await _allowed(narrow, *words)
        await asyncio.gather(*(_allowed(narrow, *words) for words in LOOKS))
        assert running.running
        log = (narrow.folder / "booked.log").read_text()
    assert {data["state"] for data in told.values()} == {"booked"}
    assert "permission denied" not in log
    assert "row-level security" not in log
    async with roled.as_(roled.app) as services:
        assert await services.fetchval("SELECT row_security_active('orders')")
        people = await services.fetch("SELECT actor, action FROM audit_log WHERE actor = 'jane' ORDER BY id")
    assert [row["action"] for row in people] == ["hold", "release", "look-first", "resume"]


async def test_the_services_cannot_migrate(roled: Roled, narrow: Installation) -> None:
    """With the services' address `booked migrate` is refused by Postgres, with its words, and changes nothing."""
    code, said = await narrow.try_command(
        "migrate",
        BOOKED_DATABASE_SERVICES_ROLE=roled.roles.services,
        BOOKED_DATABASE_READER_ROLE=roled.roles.reader,
    )
    assert code != 0
    assert "permission denied" in said or "must be owner" in said
