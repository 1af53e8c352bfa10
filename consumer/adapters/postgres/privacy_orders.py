"""Taking an order's personal data away, in Postgres: the same for the retention and for an erasure."""

from collections.abc import Iterable, Sequence

import asyncpg

from consumer.adapters.postgres.codec import dump_head, dump_mark, load_head
from consumer.adapters.postgres.intake_rows import Row, columns
from consumer.adapters.postgres.pool import Connection
from consumer.adapters.postgres.sql import load
from consumer.domain.erasing import head_without_words, is_settled, layout_of
from consumer.domain.orders import OrderKey
from consumer.domain.states import OrderState, Wish


def key_of(row: asyncpg.Record) -> OrderKey:
    """Name the order of a row."""
    return OrderKey(row["shop_id"], row["order_id"])


def settled(row: asyncpg.Record, *, open_intent: bool) -> bool:
    """Tell whether nothing more is to be done for the order of a row."""
    return is_settled(
        OrderState(row["state"]),
        Wish(row["wish"]),
        due=row["due_at"] is not None,
        asked=row["asked"] is not None,
        open_intent=open_intent,
    )


async def blank(connection: Connection, orders: Iterable[asyncpg.Record]) -> int:
    """Take the content of locked orders, keep their layout, and set the mark; gives how many."""
    table = [_row(row) for row in orders]
    if table:
        await connection.execute(load("privacy").blank, *columns(table))
    return len(table)


def _row(row: asyncpg.Record) -> Row:
    head = load_head(row)
    return (
        *head.key,
        dump_head(head_without_words(head)),
        layout_of(row["content"]),
        dump_mark(head.revision),
    )


def last_of(rows: Sequence[asyncpg.Record]) -> OrderKey | None:
    """Give the last key of a page; None where the page was empty."""
    return next((key_of(row) for row in rows if row["is_last"]), None)
