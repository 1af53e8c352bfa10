"""What a database holds: kept once, put back before each order, and compared without clocks and drawn ids.

Moments that were there from the start are compared exactly, new ones by how far they lie from now (`Near`). Ids that
the database draws are left out; those of the outbox become ranks within their key, because the relay sends by them.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

from tests.transactions.statements import Schema

TOLERANCE_SECONDS = 50.0
RESTORED_PER_VACUUM = 100  # every restored table leaves dead rows, which would make each run slower than the last
# Identities begin here after the scene is set: whatever is at least this was drawn in a run.
DRAWN_FROM = 1_000_000
_MOMENT = re.compile(r"^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d(?::?\d\d)?)$")
_UUID = re.compile(r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")
_LEFT_OUT = frozenset({"alembic_version"})


class Unordered(list[Any]):
    """A result whose sequence means nothing."""


class Near:
    """A figure of seconds; two are equal when they are less than 50 s apart: runs do not take the same time."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Near) and abs(self.seconds - other.seconds) < TOLERANCE_SECONDS

    def __hash__(self) -> int:
        return 0

    def __repr__(self) -> str:
        # The same for all, because rows are sorted by what they look like.
        return "~"


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """Moments and ids that were there from the start, and now."""

    moments: frozenset[datetime]
    ids: frozenset[str]
    now: datetime

    def plain(self, value: Any) -> Any:
        """Make a value that can be compared between two runs."""
        if isinstance(value, Enum | bool | bytes | type) or value is None:
            return value
        if isinstance(value, int | float):
            return self._number(value)
        if isinstance(value, str | UUID | Decimal):
            return self._text(str(value))
        return self._moment(value) if isinstance(value, datetime) else self._composed(value)

    def _number(self, value: Any) -> Any:
        if isinstance(value, float):
            return Near(value)
        return "drawn" if value >= DRAWN_FROM else value

    def _composed(self, value: Any) -> Any:
        if is_dataclass(value):
            named = {one.name: self.plain(getattr(value, one.name)) for one in fields(value)}
            return type(value).__name__, named
        if isinstance(value, Mapping):
            return {self._name(name): self.plain(one) for name, one in value.items()}
        if isinstance(value, set | frozenset | Unordered):
            return sorted((self.plain(one) for one in value), key=repr)
        if isinstance(value, Collection):
            return [self.plain(one) for one in value]
        return repr(value)

    def _name(self, name: Any) -> str:
        return name if isinstance(name, str) else repr(self.plain(name))

    def _text(self, text: str) -> Any:
        if _UUID.match(text):
            return text if text in self.ids else "drawn"
        return self._moment(datetime.fromisoformat(text)) if _MOMENT.match(text) else text

    def _moment(self, moment: datetime) -> Any:
        aware = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
        return aware.isoformat() if aware in self.moments else Near((aware - self.now).total_seconds())


class Kept:
    """The scene as it was set, in tables beside the real ones."""

    def __init__(self, schema: Schema, known: Known) -> None:
        self.schema = schema
        self._known = known
        self._restored = 0

    async def restore(self, connection: Any, tables: Collection[str], prepare: str = "") -> None:
        """Put the scene back. The rules between tables sleep meanwhile, so that their sequence does not matter."""
        self._restored += 1
        if self._restored % RESTORED_PER_VACUUM == 0:
            await connection.execute(f"VACUUM {', '.join(sorted(self.schema.tables))}")
        changes = "".join(
            f"DELETE FROM {table}; INSERT INTO {table} OVERRIDING SYSTEM VALUE SELECT * FROM kept.{table};"
            for table in sorted(tables)
        )
        within = f"BEGIN; {changes} {prepare}; COMMIT"
        await connection.execute(f"SET session_replication_role = replica; {within}; RESET session_replication_role")

    def known_at(self, now: datetime) -> Known:
        """Give what is known, with another now."""
        return Known(moments=self._known.moments, ids=self._known.ids, now=now)

    async def read(self, connection: Any, tables: Collection[str], known: Known) -> dict[str, Any]:
        """Read tables as they can be compared."""
        found: dict[str, Any] = {}
        for table in sorted(tables):
            rows = await connection.fetch(f"SELECT to_jsonb(t) AS row FROM {table} t")
            found[table] = _comparable(table, [row["row"] for row in rows], known)
        return found


def _comparable(table: str, rows: list[dict[str, Any]], known: Known) -> Any:
    if table == "outbox":
        keys: dict[str, int] = {}
        for row in sorted(rows, key=lambda one: one["id"]):
            keys[row["record_key"]] = row["rank"] = keys.get(row["record_key"], 0) + 1
    plain = [known.plain(row) for row in rows]
    return sorted(plain, key=repr)


async def keep(connection: Any) -> Kept:
    """Copy all that there is into tables of their own, and learn the schema."""
    rows = await connection.fetch(
        """SELECT c.relname AS name FROM pg_class c
           WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition"""
    )
    tables = frozenset(row["name"] for row in rows) - _LEFT_OUT
    await connection.execute("CREATE SCHEMA kept")
    for table in tables:
        await connection.execute(f"CREATE TABLE kept.{table} AS SELECT * FROM {table}")
    await _draw_from(connection)
    schema = Schema(tables, await _referred(connection), await _functions(connection))
    return Kept(schema, await _known(connection, tables))


async def _draw_from(connection: Any) -> None:
    """Let identities begin where they cannot be taken for what was there."""
    rows = await connection.fetch(
        """SELECT a.attrelid::regclass::text AS "table", a.attname AS "column" FROM pg_attribute a
           JOIN pg_class c ON c.oid = a.attrelid
           WHERE a.attidentity <> '' AND c.relnamespace = 'public'::regnamespace AND NOT c.relispartition"""
    )
    for row in rows:
        await connection.execute(f"ALTER TABLE {row['table']} ALTER {row['column']} RESTART WITH {DRAWN_FROM}")


async def _referred(connection: Any) -> dict[str, frozenset[str]]:
    rows = await connection.fetch(
        """SELECT conrelid::regclass::text AS own, array_agg(confrelid::regclass::text) AS others
           FROM pg_constraint WHERE contype = 'f' AND connamespace = 'public'::regnamespace GROUP BY conrelid"""
    )
    return {row["own"]: frozenset(row["others"]) for row in rows}


async def _functions(connection: Any) -> dict[str, str]:
    rows = await connection.fetch(
        "SELECT proname AS name, prosrc AS body FROM pg_proc WHERE pronamespace = 'public'::regnamespace"
    )
    return {row["name"]: row["body"] for row in rows}


async def _known(connection: Any, tables: Collection[str]) -> Known:
    moments: set[datetime] = set()
    ids: set[str] = set()
    for table in tables:
        for row in await connection.fetch(f"SELECT * FROM kept.{table}"):
            for value in row.values():
                if isinstance(value, datetime):
                    moments.add(value)
                elif isinstance(value, UUID):
                    ids.add(str(value))
    return Known(moments=frozenset(moments), ids=frozenset(ids), now=await connection.fetchval("SELECT now()"))
