"""Exporting all that is kept of a customer, as JSON, with where each piece stands and why."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any

from consumer.domain.data_map import why_of
from consumer.failpoints import failpoint
from consumer.ports.privacy import Customer, ExportedRow, PrivacyStore
from consumer.services.erasure_finding import Gathered, gather

ORDERS_AT_ONCE = 20  # an order's content, events and calls may be some MiB
_LOGS = frozenset({"events", "exchanges"})
_OTHERS = ("value", "request", "response", "path")

OUTSIDE = (
    "Kafka's topics keep the shop's own messages for as long as their retention says (docs/privacy.md).",
    "The ledger keeps its contact and documents; they are named by their ids under in_the_ledger.",
    "The program's log lines hold neither names nor addresses.",
    "Backups of the database keep what it held when they were made.",
)


@dataclass(slots=True)
class _Written:
    """What was written so far, so that no row is written twice."""

    digests: set[bytes] = field(default_factory=set)
    counts: dict[str, int] = field(default_factory=dict)

    def is_new(self, table: str, text: str) -> bool:
        """Tell whether a row was not written before, and count it."""
        digest = sha256(f"{table} {text}".encode()).digest()
        if digest in self.digests:
            return False
        self.digests.add(digest)
        self.counts[table] = self.counts.get(table, 0) + 1
        return True


async def export(
    store: PrivacyStore, who: Customer, *, actor: str, at: datetime, write: Callable[[str], object]
) -> tuple[Gathered, Mapping[str, int]]:
    """Write one JSON object, piece by piece; gives what was found, and the rows by table.

    An order of somebody else that mentions the address is named and not shown, and neither are logged calls about many
    customers at once. Raises DatabaseUnavailableError.
    """
    found = await gather(store, who)
    orders = [str(one.key) for one in found.own]
    details = {"orders": orders[:200], "orders_in_all": len(orders)}
    await store.note_access(actor=actor, action="export", details=details)
    write(_head(who, found, at))
    written = _Written()
    for start in range(0, len(found.own), ORDERS_AT_ONCE):
        keys = [one.key for one in found.own[start : start + ORDERS_AT_ONCE]]
        _rows(await store.about_orders(keys), written, write)
        failpoint("exported_half")
    own = {(one.key.shop_id, one.key.order_id) for one in found.own}
    _rows([_shown(row, own) for row in await store.around(found.wanted)], written, write)
    write("\n ]\n}\n")
    return found, written.counts


def _head(who: Customer, found: Gathered, at: datetime) -> str:
    told = {
        "customer": {"email": who.email} if who.email else {"shop_id": who.shop_id, "customer_id": who.customer_id},
        "exported_at": at.isoformat(),
        "not_here": OUTSIDE,
        "orders": [{"shop_id": one.key.shop_id, "order_id": one.key.order_id} for one in found.own],
        "mentioned_in": [{"shop_id": key.shop_id, "order_id": key.order_id} for key in found.mentioned],
        "customer_ids": [{"shop_id": shop, "customer_id": id_} for shop, id_ in found.customer_ids],
        "in_the_ledger": [
            {"kind": d.kind, "number": d.number, "ledger_id": d.ledger_id, "contact_id": d.contact_id}
            for one in found.own
            for d in one.documents
        ],
    }
    text = json.dumps(told, indent=1, ensure_ascii=False)
    return text[: text.rindex("\n}")] + ',\n "rows": ['


def _rows(rows: Sequence[ExportedRow], written: _Written, write: Callable[[str], object]) -> None:
    for row in rows:
        text = json.dumps(dict(_readable(row.row)), ensure_ascii=False, default=_plain)
        if written.is_new(row.table, text):
            comma = "" if len(written.digests) == 1 else ","
            told = json.dumps({"table": row.table, "why": why_of(row.table)}, ensure_ascii=False)
            write(f'{comma}\n  {told[:-1]}, "row": {text}}}')


def _shown(row: ExportedRow, own: set[tuple[str, str]]) -> ExportedRow:
    """Take out of a log what is of others: the row tells that there is one, and where."""
    key = (row.row.get("shop_id"), row.row.get("order_id"))
    if row.table not in _LOGS or key in own:
        return row
    hidden = {name: "names others too; not shown" for name in _OTHERS if name in row.row}
    return ExportedRow(table=row.table, row={**row.row, **hidden})


def _readable(row: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Give bytes as what they hold: JSON as data, else text."""
    for name, value in row.items():
        if isinstance(value, str) and value.startswith("\\x"):
            yield name, _decoded(value)
        else:
            yield name, value


def _decoded(text: str) -> Any:
    try:
        data = bytes.fromhex(text[2:])
    except ValueError:
        return text
    try:
        return json.loads(data)
    except ValueError:
        # A hash is no text: it stays as it is written.
        return text if b"\x00" in data or not _is_text(data) else data.decode()


def _is_text(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _plain(value: object) -> Any:
    return _decoded("\\x" + value.hex()) if isinstance(value, bytes) else str(value)
