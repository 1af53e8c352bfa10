"""People's commands against a real Postgres: what they say is what they did."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from consumer.adapters.postgres.pool import Database
from consumer.cli.app import app
from consumer.cli.exits import Exit
from tests.conformance.intake.making import key, shop, unreadable
from tests.conformance.lanes.bench import PostgresBench
from tests.conformance.lanes.scenes import books, pay

RUNNER = CliRunner()
KEYS = "one:" + "a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2s="


class Booked:
    """The command over one database."""

    def __init__(self, url: str) -> None:
        self.url = url

    def prepare(self, work: Callable[[PostgresBench], Awaitable[Any]]) -> Any:
        """Do something with the stores before or after a command."""

        async def run() -> Any:
            async with Database.open(self.url) as database:
                return await work(PostgresBench(database, self.url))

        return asyncio.run(run())

    def __call__(self, *words: str, code: Exit = Exit.DONE) -> str:
        """Run the command and give what it printed; it ends with this exit code."""
        environment = {
            "BOOKED_DATABASE_URL": self.url,
            "BOOKED_KAFKA_SERVERS": "127.0.0.1:1",
            "BOOKED_SECRET_KEYS": KEYS,
            "COLUMNS": "250",
        }
        result = RUNNER.invoke(app, list(words), env=environment)
        assert result.exit_code == code, result.output
        return result.output


@pytest.fixture
def booked(migrated_database_url: str) -> Booked:
    """A database of this test's own, with a shop that does not book by itself, and its order 1."""
    made = Booked(migrated_database_url)

    async def begin(bench: PostgresBench) -> None:
        await bench.settings.apply([books()], [shop(automatic=False)], actor="test", dry_run=False)
        await pay(bench, "1")

    made.prepare(begin)
    return made


def plain(text: str) -> Any:
    """Read what was printed for a program."""
    return json.loads(text)


def test_an_order_is_held_shown_and_asked_for(booked: Booked) -> None:
    """Nobody serves the lane here, so that what is asked for is accepted."""
    booked("order", "hold", "north", "1", "--as", "jane", "--note", "wrong address")
    held = plain(booked("order", "show", "north", "1", "--json"))
    assert (held["state"], held["wish"], held["reason"]["code"]) == ("waiting", "hold", "held")
    accepted = plain(booked("order", "generate", "north", "1", "--as", "jane", "--wait", "0.2", "--json"))
    assert (accepted["result"], accepted["state"]) == ("accepted", "due")
    shown = booked("order", "show", "north", "1")
    assert "Asked for and not done yet: generate" in shown
    story = booked("explain", "north", "1")
    assert "jane: hold (wrong address)" in story
    assert "jane: generate" in story


def test_an_order_of_the_body_is_known_from_then_on(booked: Booked, tmp_path: Path) -> None:
    """It is due before everything else; without the body it is not known."""
    booked("order", "generate", "north", "2", "--as", "jane", code=Exit.NOT_FOUND)
    file = tmp_path / "order.json"
    order = {
        "shop_id": "north",
        "order_id": "2",
        "version": 1,
        "currency": "EUR",
        "lines": [{"name": "Mug", "quantity": "1", "unit_price": "12.30"}],
        "totals": {"grand_total": "12.30"},
    }
    file.write_text(json.dumps(order), encoding="utf-8")
    words = ("order", "generate", "north", "2", "--as", "jane", "--wait", "0", "--body", str(file))
    booked(*words)
    booked(*words)
    shown = plain(booked("order", "show", "north", "2", "--json"))
    assert (shown["state"], shown["asked"]) == ("due", "generate")
    story = plain(booked("explain", "north", "2", "--json"))["story"]
    assert [line["kind"] for line in story].count("event") == 1
    file.write_text("{", encoding="utf-8")
    assert "malformed_json" in booked(*words, code=Exit.REFUSED)


def test_groups_are_released_and_messages_dropped(booked: Booked) -> None:
    """The other commands for people, over the same stores."""

    async def reject(bench: PostgresBench) -> None:
        await bench.intake.record([unreadable(9, value=b"\xff{", shop_id="north", order_id="9")])

    booked.prepare(reject)
    assert "No order is parked." in booked("parked")
    assert "1 released" in booked("release", "automatic_off", "--yes", "--as", "jane")
    (listed,) = plain(booked("rejected", "list", "--json"))
    assert (listed["shop_id"], listed["value"]) == ("north", None)
    row = str(listed["id"])
    assert r"\xff{" in booked("rejected", "show", row)
    assert "still bad" in booked("rejected", "retry", row, "--as", "jane", code=Exit.FINDINGS)
    assert "1 dropped" in booked("rejected", "drop", row, "--as", "jane")
    assert "No rejected message is open." in booked("rejected", "list")

    async def look(bench: PostgresBench) -> str:
        record = await bench.bookings.read(key("1"))
        assert record is not None
        return record.state.value

    assert booked.prepare(look) == "due"
