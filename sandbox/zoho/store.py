"""The stand-in's state: one SQLite file, written before any answer leaves.

All documents (contacts, items, invoices …) lie in one table: the columns are what lists look for, the body is the rest.
The journal is a write-ahead log with `synchronous=NORMAL`: what is committed survives a kill of the process at any
moment (a loss of power may cost the last moments, which no test of ours causes).
"""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sandbox.zoho.numbers import dumps, loads

_SCHEMA = Path(__file__).with_name("schema.sql")

_COLUMNS: dict[str, dict[str, str]] = {
    "contact": {"name": "contact_name", "email": "email"},
    "item": {"name": "name", "number": "sku"},
    "invoice": {"number": "invoice_number", "reference": "reference_number", "name": "customer_name", "email": "email"},
    "creditnote": {"number": "creditnote_number", "reference": "reference_number", "name": "customer_name"},
    "payment": {"number": "payment_number", "reference": "reference_number", "name": "customer_name"},
    "tax": {"name": "tax_name"},
    "tax_group": {"name": "tax_group_name"},
    "currency": {"name": "currency_code"},
}
"""Which field of a body fills which column. Customer, status, date and balance are called alike in all of them."""


_SELECTIVE = ("reference = ?", "number = ?", "name = ?", "name_key = ?", "email = ?", "customer_id = ?", "id IN")
"""How conditions begin that leave few rows and have an index."""


@dataclass(slots=True, kw_only=True)
class Document:
    """One thing in the books. `created` and `modified` are epoch seconds."""

    id: str
    kind: str
    organization_id: str
    body: dict[str, Any]
    created: float = 0.0
    modified: float = 0.0


@dataclass(slots=True, kw_only=True)
class Search:
    """What a list asks for: conditions in SQL with their values, an order, and which rows."""

    conditions: list[str] = field(default_factory=list)
    values: list[Any] = field(default_factory=list)
    order: str = "created DESC, id DESC"
    limit: int = 200
    offset: int = 0

    def where(self, condition: str, *values: object) -> None:
        """Add a condition with the values for its question marks."""
        self.conditions.append(condition)
        self.values.extend(values)

    def ordering(self) -> str:
        """Give the order in SQL.

        With a condition that leaves few rows, the order must not tempt SQLite to walk through all rows in that order
        until enough have met the condition: a plus sign keeps it from using an index for the order.
        """
        if not any(one.startswith(_SELECTIVE) for one in self.conditions):
            return self.order
        return ", ".join(f"+{term}" for term in self.order.split(", "))


class Store:
    """The open state file. One process, one thread: every call of it is short."""

    def __init__(self, path: Path | str) -> None:
        self.connection = sqlite3.connect(path, isolation_level=None, cached_statements=512)
        self.connection.row_factory = sqlite3.Row
        self.connection.executescript(_SCHEMA.read_text(encoding="utf-8"))

    def close(self) -> None:
        """Close the file."""
        self.connection.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Run a block as one transaction: all of it is there afterwards, or nothing where it raised."""
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self.connection.execute("ROLLBACK")
            raise
        self.connection.execute("COMMIT")

    def execute(self, statement: str, values: Sequence[Any] | Mapping[str, Any] = ()) -> sqlite3.Cursor:
        """Run one statement."""
        return self.connection.execute(statement, values)

    def rows(self, statement: str, values: Sequence[Any] | Mapping[str, Any] = ()) -> list[sqlite3.Row]:
        """Run one query and give all its rows."""
        return self.connection.execute(statement, values).fetchall()

    def row(self, statement: str, values: Sequence[Any] | Mapping[str, Any] = ()) -> sqlite3.Row | None:
        """Run one query and give its first row."""
        found: sqlite3.Row | None = self.connection.execute(statement, values).fetchone()
        return found

    def put(self, document: Document) -> None:
        """Write a document, new or changed."""
        body = document.body
        columns = _COLUMNS.get(document.kind, {})
        named = {column: str(body.get(name) or "") for column, name in columns.items()}
        self.execute(
            "INSERT OR REPLACE INTO documents (id, kind, organization_id, name, name_key, email, number, reference,"
            " customer_id, status, date, due_date, balance, created, modified, body)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                document.id,
                document.kind,
                document.organization_id,
                named.get("name", ""),
                named.get("name", "").casefold(),
                named.get("email", ""),
                named.get("number", ""),
                named.get("reference", ""),
                str(body.get("customer_id") or ""),
                str(body.get("status") or ""),
                str(body.get("date") or ""),
                str(body.get("due_date") or ""),
                float(body.get("balance") or 0),
                document.created,
                document.modified,
                dumps(body),
            ),
        )

    def get(self, kind: str, organization_id: str, id_: str) -> Document | None:
        """Read one document by its id, if the organisation has it."""
        row = self.row(
            "SELECT * FROM documents WHERE id = ? AND kind = ? AND organization_id = ?", (id_, kind, organization_id)
        )
        return _document(row) if row is not None else None

    def delete(self, document: Document) -> None:
        """Remove a document."""
        self.execute("DELETE FROM documents WHERE id = ?", (document.id,))

    def find(self, kind: str, organization_id: str, search: Search) -> list[Document]:
        """List the documents that a search asks for."""
        conditions = " AND ".join(["organization_id = ?", "kind = ?", *search.conditions])
        rows = self.rows(
            f"SELECT * FROM documents WHERE {conditions} ORDER BY {search.ordering()} LIMIT ? OFFSET ?",
            [organization_id, kind, *search.values, search.limit, search.offset],
        )
        return [_document(row) for row in rows]

    def first(self, kind: str, organization_id: str, condition: str, *values: object) -> Document | None:
        """Read any document under a condition."""
        row = self.row(
            f"SELECT * FROM documents WHERE organization_id = ? AND kind = ? AND {condition} LIMIT 1",
            [organization_id, kind, *values],
        )
        return _document(row) if row is not None else None

    def next_number(self, organization_id: str, series: str) -> int:
        """Take the next number of a series, from 1 on. What was taken is not given again."""
        row = self.row(
            "INSERT INTO series (organization_id, series, number) VALUES (?, ?, 1)"
            " ON CONFLICT (organization_id, series) DO UPDATE SET number = number + 1 RETURNING number",
            (organization_id, series),
        )
        return int(row["number"]) if row is not None else 1


def _document(row: sqlite3.Row) -> Document:
    return Document(
        id=row["id"],
        kind=row["kind"],
        organization_id=row["organization_id"],
        body=loads(row["body"]),
        created=row["created"],
        modified=row["modified"],
    )
