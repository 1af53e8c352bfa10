"""Retention, erasure and export on real tables, by the real commands; also killed half way, and beside running work."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import pytest
from typer.testing import CliRunner

from consumer.adapters.postgres.pool import Database
from consumer.adapters.postgres.retention import PostgresRetentionStore
from consumer.cli.app import app
from consumer.config import read_settings
from consumer.domain.states import OrderState
from consumer.errors import ConfigurationError
from consumer.ports.privacy import DayTable
from consumer.services.retention import Retention, Terms
from tests.conformance.intake.making import key, unreadable
from tests.conformance.lanes.bench import PostgresBench
from tests.conformance.lanes.scenes import open_books
from tests.conformance.privacy.making import ANNA, BEN, book, days_pass, of, with_bytes

RUNNER = CliRunner()
ROOT = Path(__file__).resolve().parents[2]
KEYS = "test:" + "a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2s="
OLD = datetime.now(UTC) - timedelta(days=40)


@pytest.fixture
async def bench(migrated_database_url: str) -> AsyncIterator[PostgresBench]:
    """The stores in a database of this test's own, with Anna's booked order, Ben's, and a message of Anna's."""
    async with Database.open(migrated_database_url) as database:
        made = PostgresBench(database, migrated_database_url)
        await open_books(made)
        broken = unreadable(2, value=b'{"order_id": "9", "email": "' + ANNA.encode() + b'"')
        await made.intake.record([with_bytes(of(ANNA, "1", 0)), with_bytes(of(BEN, "2", 1)), broken])
        await book(made, "1")
        await book(made, "2")
        yield made


def environment(bench: PostgresBench) -> dict[str, str]:
    """Give the settings of a command."""
    return {
        "BOOKED_DATABASE_URL": bench.url,
        "BOOKED_KAFKA_SERVERS": "127.0.0.1:1",
        "BOOKED_SECRET_KEYS": KEYS,
        "BOOKED_ENVIRONMENT": "development",
        "COLUMNS": "250",
    }


async def command(bench: PostgresBench, *words: str) -> tuple[int, str, str]:
    """Run a command in this process: its exit code and what it printed."""
    # In a thread: a command begins an event loop of its own.
    result = await asyncio.to_thread(RUNNER.invoke, app, list(words), env=environment(bench))
    return result.exit_code, result.stdout, result.stderr


async def killed(bench: PostgresBench, *words: str, at: str) -> int:
    """Run a command as a process of its own that kills itself at a place; gives its exit code."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("BOOKED_")}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "consumer",
        *words,
        cwd=ROOT,
        env={**kept, **environment(bench), "BOOKED_FAILPOINTS": f"{at}=kill9"},
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    return await asyncio.wait_for(process.wait(), 120)


async def everything(bench: PostgresBench) -> str:
    """Read every row of every table but the audit log as one text; bytes as what they hold."""
    tables = await bench.fetch(
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' "
        "AND relname <> 'audit_log'"
    )
    texts = []
    for table in tables:
        rows = await bench.fetch(f"SELECT * FROM {table['relname']}")
        texts += [
            repr([value.decode("utf-8", "replace") if isinstance(value, bytes) else value for value in row])
            for row in rows
        ]
    return "\n".join(texts)


async def audited(bench: PostgresBench) -> list[tuple[str, str, str]]:
    """Read who did what of which order, in order."""
    rows = await bench.fetch("SELECT actor, action, order_id FROM audit_log WHERE actor = 'jane' ORDER BY id")
    return [tuple(row) for row in rows]


# ---- erasure and export ------------------------------------------------------------------------------------------


async def test_nothing_of_the_customer_is_left_in_any_table(bench: PostgresBench) -> None:
    """Neither in bytes nor in text, but for the documents' and orders' ids; the others' data stay."""
    assert ANNA in await everything(bench)
    code, _, err = await command(bench, "erase", "--customer", ANNA, "--as", "jane", "--yes")
    assert (code, "rejected message 1 is open" in err) == (6, True)
    assert (await command(bench, "rejected", "drop", "1", "--as", "jane"))[0] == 0
    code, out, err = await command(bench, "erase", "--customer", ANNA.upper(), "--as", "jane", "--yes", "--json")
    assert code == 0, err
    report = json.loads(out)
    assert report["orders_erased"] == [{"shop_id": "north", "order_id": "1"}]
    assert report["left"] == {}
    assert [one["ledger_id"] for one in report["in_the_ledger"]] == ["46001"]
    left = await everything(bench)
    # Ben's call and intent name Anna Jansen in this scene, as a colleague's would: they are his.
    assert ANNA not in left
    assert BEN in left
    assert [what for what in await audited(bench) if what[1].startswith("erase")] == [
        ("jane", "erase", ""),
        ("jane", "erase order", "1"),
        ("jane", "erase done", ""),
    ]
    assert (await command(bench, "erase", "--customer", ANNA, "--as", "jane", "--yes"))[0] == 5


async def test_an_erasure_that_was_killed_is_ended_by_the_next(bench: PostgresBench) -> None:
    """Kill -9 between contacts and orders: the orders are still there, to be found and erased."""
    words = ("erase", "--customer", ANNA, "--as", "jane", "--yes", "--force")
    assert await killed(bench, *words, at="erased_half") == -signal.SIGKILL
    record = await bench.bookings.read(key("1"))
    assert record is not None
    assert record.content is not None
    code, _, err = await command(bench, *words)
    assert code == 0, err
    assert ANNA not in await everything(bench)
    assert [what[1] for what in await audited(bench)] == ["erase", "erase", "erase order", "erase done"]


async def test_an_export_is_whole_and_holds_nobody_else(bench: PostgresBench, tmp_path: Path) -> None:
    """Every table that holds the customer is in it, with why; the file is readable by its owner alone."""
    file = tmp_path / "anna.json"
    words = ("export", "--customer", ANNA, "--as", "jane", "--output", str(file))
    assert (await killed(bench, *words, at="exported_half"), file.exists()) == (-signal.SIGKILL, False)
    code, _, err = await command(bench, *words)
    assert code == 0, err
    told = json.loads(file.read_text("utf-8"))
    assert file.stat().st_mode & 0o777 == 0o600
    tables = {row["table"] for row in told["rows"]}
    expected = {"orders", "documents", "intents", "decisions", "events", "exchanges", "rejected_events", "outbox"}
    assert tables - {"audit_log"} == expected
    (order,) = [row for row in told["rows"] if row["table"] == "orders"]
    assert order["row"]["content"]["customer"]["email"] == ANNA
    assert "to book" in order["why"]
    assert BEN not in json.dumps(told)
    assert [what[1] for what in await audited(bench)] == ["export", "export"]
    assert (await command(bench, "export", "--customer", "nobody@example.org", "--as", "jane"))[0] == 5


async def test_who_looks_is_noted(bench: PostgresBench) -> None:
    """By each command that shows what a person sent, with the name and the order."""
    for words in (("explain", "north", "1"), ("order", "show", "north", "1"), ("rejected", "show", "1")):
        assert (await command(bench, *words, "--as", "jane"))[0] == 0
    # Without the ledger's facts there is no preview, and nothing was seen.
    assert (await command(bench, "preview", "north", "1", "--as", "jane"))[0] == 4
    rows = await bench.fetch("SELECT shop_id, order_id, details FROM audit_log WHERE action = 'looked at' ORDER BY id")
    assert [(row["order_id"], row["details"]["by"]) for row in rows] == [
        ("1", "explain"),
        ("1", "order show"),
        ("", "rejected show"),
    ]


# ---- retention -----------------------------------------------------------------------------------------------------


async def old_day(bench: PostgresBench, table: str, column: str) -> str:
    """Make a day of forty days ago with one row of each order in it."""
    name = f"{table}_{OLD:%Y%m%d}"
    await bench.fetch(f"CREATE TABLE {name} (LIKE {table} INCLUDING ALL)")
    columns = ", ".join(
        f'"{row["attname"]}"'
        for row in await bench.fetch(
            "SELECT attname FROM pg_attribute WHERE attrelid = $1::regclass AND attnum > 0 AND attname <> $2",
            table,
            column,
        )
    )
    await bench.fetch(f"INSERT INTO {name} ({columns}, {column}) SELECT {columns}, $1 FROM {table}", OLD)
    day = f"{OLD:%Y-%m-%d}"
    await bench.fetch(f"ALTER TABLE {table} ATTACH PARTITION {name} FOR VALUES FROM ('{day}') TO ('{day}'::date + 1)")
    return name


async def test_old_days_are_dropped_as_tables_and_young_ones_stay(bench: PostgresBench) -> None:
    """And the story that is left still answers; a second run finds nothing to do."""
    names = [await old_day(bench, "events", "received_at"), await old_day(bench, "exchanges", "happened_at")]
    code, out, err = await command(bench, "retention", "--dry-run", "--json")
    assert code == 0, err
    assert json.loads(out)["days_dropped"] == names
    code, out, err = await command(bench, "retention", "--json")
    assert code == 0, err
    assert json.loads(out)["days_dropped"] == names
    left = await bench.fetch("SELECT to_regclass($1) AS events, to_regclass($2) AS exchanges", *names)
    assert tuple(left[0]) == (None, None)
    assert len(await bench.fetch("SELECT FROM events")) == 2
    assert json.loads((await command(bench, "retention", "--json"))[1])["days_dropped"] == []


async def test_a_day_that_is_being_read_waits_for_the_next_run(bench: PostgresBench) -> None:
    """A long backup holds its lock: the run gives up after two seconds, goes on, and says so."""
    name = await old_day(bench, "events", "received_at")
    store = PostgresRetentionStore(bench.database)
    reader = await asyncpg.connect(bench.url)
    try:
        async with reader.transaction():
            await reader.fetch("SELECT FROM events")
            report = await Retention(store=store, terms=Terms()).run()
            assert (report.days_busy, report.days_dropped) == ([name], [])
        report = await Retention(store=store, terms=Terms()).run()
        assert (report.days_busy, report.days_dropped) == ([], [name])
    finally:
        await reader.close()


async def test_an_order_in_hand_is_passed_over_without_waiting(bench: PostgresBench) -> None:
    """The retention never stands in a booking's way, nor it in the retention's."""
    await days_pass(bench, 500)
    store = PostgresRetentionStore(bench.database)
    holder = await asyncpg.connect(bench.url)
    try:
        async with holder.transaction():
            await holder.fetch("SELECT FROM orders WHERE order_id = '1' FOR UPDATE")
            report = await asyncio.wait_for(Retention(store=store, terms=Terms()).run(), 15)
            assert report.removed["order_contents"] == 1
        report = await Retention(store=store, terms=Terms()).run()
        assert report.removed["order_contents"] == 1
    finally:
        await holder.close()


async def test_explain_answers_when_all_of_the_person_is_gone(bench: PostgresBench) -> None:
    """Nine years later: where it stands, its invoice, what was decided and why, and its lines; nobody's name."""
    await days_pass(bench, 9 * 365)
    # Those rows lie in no day of their own now: they go row by row.
    code, out, err = await command(bench, "retention")
    assert code == 0, err
    assert "order_contents: 2 removed" in out
    code, out, err = await command(bench, "explain", "north", "1", "--as", "jane", "--json")
    assert code == 0, err
    story = json.loads(out)
    assert (story["state"], story["documents"][0]["number"]) == (OrderState.BOOKED.value, "INV-1")
    assert [line["text"] for line in story["story"] if line["kind"] == "decision"] == ["compared: All agrees."]
    assert story["lines"]["lines"] == [{"name": "Mug", "quantity": "1", "unit_price": "12.30"}]
    assert not [line for line in story["story"] if line["kind"] in ("event", "exchange")]
    assert "Anna" not in out
    assert "content was removed" in (await command(bench, "explain", "north", "1", "--as", "jane"))[1]


async def test_the_functions_of_the_retention_remove_nothing_else(bench: PostgresBench) -> None:
    """They run as the owner, for roles that own nothing: a young day, another table, a young audit row stay."""
    young = f"events_{datetime.now(UTC):%Y%m%d}"
    for parent, child, days in (("events", young, 0), ("events", "orders", 30), ("orders", "orders", 30)):
        assert not (await bench.fetch("SELECT booked_retention_drop_day($1, $2, $3) AS done", parent, child, days))[0][
            "done"
        ]
    with pytest.raises(asyncpg.RaiseError, match="30 days"):
        await bench.fetch("SELECT booked_retention_audit(0, 100)")
    store = PostgresRetentionStore(bench.database)
    assert not await store.drop_day(DayTable.EVENTS, young, 30)


def test_terms_are_refused_that_would_remove_what_is_needed() -> None:
    """Settings have floors: today's and yesterday's events, thirty days of audit."""
    needed = {
        "BOOKED_DATABASE_URL": "postgresql://localhost/x",
        "BOOKED_KAFKA_SERVERS": "localhost:1",
        "BOOKED_SECRET_KEYS": KEYS,
    }
    for name, value in (("EVENTS_DAYS", "1"), ("AUDIT_DAYS", "29"), ("LEGAL_YEARS", "0"), ("PERSONAL_DAYS", "0")):
        with pytest.raises(ConfigurationError):
            read_settings({**needed, f"BOOKED_RETENTION_{name}": value})
