"""Both kinds of the intake's stores behind one face, with looks into what they keep and levers to prepare it."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol
from uuid import UUID, uuid4

from consumer.adapters.postgres.figures import PostgresFiguresStore
from consumer.adapters.postgres.health import PostgresHealthStore
from consumer.adapters.postgres.intake import PostgresIntakeStore, PostgresOrderReader
from consumer.adapters.postgres.outbox import PostgresOutboxStore
from consumer.adapters.postgres.pool import Database
from consumer.adapters.postgres.settings import PostgresSettingsStore
from consumer.domain.events import Rejected
from consumer.domain.orders import OrderKey
from consumer.domain.states import OrderState, ReasonCode
from consumer.ports.intake import IntakeStore, OrderReader, OutboxStore
from consumer.ports.settings import FiguresStore, HealthStore, SettingsStore

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def render(rejected: Rejected, event_id: UUID, at: datetime) -> bytes:
    """Make a small message, in place of the real one of the wire contract."""
    return json.dumps({"reason": rejected.reason, "id": str(event_id), "at": at.isoformat()}).encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """An order as it is kept."""

    state: str
    reason: str | None
    due: bool
    change: int
    connection_id: str | None
    paid: bool
    cancelled: bool
    content: bytes | None
    version: int | None
    number: str
    priority: int
    takes: int
    attempts: int


class Rig(Protocol):
    """The stores, and what a test may look at and set."""

    intake: IntakeStore
    reader: OrderReader
    outbox: OutboxStore
    settings: SettingsStore
    figures: FiguresStore
    health: HealthStore

    async def order(self, key: OrderKey) -> Seen:
        """Look at an order."""
        ...

    async def verdicts(self) -> list[tuple[str, str]]:
        """Look at the events, as (order id, verdict), in the order of their coming."""
        ...

    async def rejected(self) -> list[tuple[str, bytes | None, int]]:
        """Look at the rejections, as (reason, value, size)."""
        ...

    async def messages(self) -> list[tuple[str, str, bytes, str]]:
        """Look at the outbox, as (kind, key, payload, state)."""
        ...

    async def gaps(self) -> list[tuple[str, int, int, int | None]]:
        """Look at the gaps, as (cause, log, from, to)."""
        ...

    async def audit(self) -> list[tuple[str, str]]:
        """Look at the audit log, as (actor, action)."""
        ...

    async def put(self, key: OrderKey, state: OrderState, reason: ReasonCode | None = None, **columns: Any) -> None:
        """Place an order by force; columns: wish, released, announced, due, takes, attempts, priority."""
        ...

    async def age_changes(self, key: OrderKey, by: timedelta) -> None:
        """Let the hour in which changes are counted have begun earlier."""
        ...

    async def add_document(self, key: OrderKey, connection_id: str, *, live: bool = True) -> None:
        """Give an order an invoice."""
        ...

    async def add_intent(self, key: OrderKey, connection_id: str) -> None:
        """Give an order an open intent."""
        ...

    async def lane(self, connection_id: str) -> tuple[bool, bool]:
        """Look at a lane: does it have work; must it look first."""
        ...

    async def rest(self, connection_id: str) -> None:
        """Let a lane have no work."""
        ...

    async def free_at(self, connection_id: str) -> list[datetime]:
        """Look at the slots: when each becomes free, sorted."""
        ...

    async def use_slots(self, connection_id: str, until: list[datetime]) -> None:
        """Let so many slots be taken until these moments."""
        ...

    async def add_message(self, key: str, payload: bytes = b"{}", sequence: int = 1) -> None:
        """Put an invoice.synced into the outbox."""
        ...

    async def pass_lease(self) -> None:
        """Let the relay's lease run out."""
        ...


class PostgresRig:
    """The stores in Postgres."""

    def __init__(self, database: Database, url: str) -> None:
        self.db = database
        self.url = url
        self.intake: IntakeStore = PostgresIntakeStore(database, render_rejected=render)
        self.reader: OrderReader = PostgresOrderReader(database)
        self.outbox: OutboxStore = PostgresOutboxStore(database)
        self.settings: SettingsStore = PostgresSettingsStore(database)
        self.figures: FiguresStore = PostgresFiguresStore(database)
        self.health: HealthStore = PostgresHealthStore(database)

    async def fetch(self, query: str, *values: Any) -> list[Any]:
        """Run a query of the test's own."""
        async with self.db.connection() as connection:
            return list(await connection.fetch(query, *values))

    async def order(self, key: OrderKey) -> Seen:
        """See Rig."""
        rows = await self.fetch("SELECT * FROM orders WHERE shop_id = $1 AND order_id = $2", *key)
        row = rows[0]
        return Seen(
            state=row["state"],
            reason=row["reason_code"],
            due=row["due_at"] is not None,
            change=row["change"],
            connection_id=row["connection_id"],
            paid=row["paid"],
            cancelled=row["cancelled"],
            content=row["content"],
            version=row["head"]["revision"][0],
            number=row["number"],
            priority=row["priority"],
            takes=row["takes"],
            attempts=row["attempts"],
        )

    async def verdicts(self) -> list[tuple[str, str]]:
        """See Rig."""
        rows = await self.fetch("SELECT order_id, verdict FROM events ORDER BY received_at")
        return [(row["order_id"], row["verdict"]) for row in rows]

    async def rejected(self) -> list[tuple[str, bytes | None, int]]:
        """See Rig."""
        rows = await self.fetch("SELECT reason, value, size FROM rejected_events ORDER BY id")
        return [(row["reason"], row["value"], row["size"]) for row in rows]

    async def messages(self) -> list[tuple[str, str, bytes, str]]:
        """See Rig."""
        rows = await self.fetch("SELECT topic_kind, record_key, payload, state FROM outbox ORDER BY id")
        return [(row["topic_kind"], row["record_key"], row["payload"], row["state"]) for row in rows]

    async def gaps(self) -> list[tuple[str, int, int, int | None]]:
        """See Rig."""
        rows = await self.fetch("SELECT cause, log, from_offset, to_offset FROM gaps ORDER BY id")
        return [(row["cause"], row["log"], row["from_offset"], row["to_offset"]) for row in rows]

    async def audit(self) -> list[tuple[str, str]]:
        """See Rig."""
        rows = await self.fetch("SELECT actor, action FROM audit_log ORDER BY id")
        return [(row["actor"], row["action"]) for row in rows]

    async def put(self, key: OrderKey, state: OrderState, reason: ReasonCode | None = None, **columns: Any) -> None:
        """See Rig."""
        due = columns.pop("due", state is OrderState.DUE)
        values = {
            "state": state.value,
            "reason_code": None if reason is None else reason.value,
            "due_at": LONG_AGO if due else None,
            **columns,
        }
        settings = ", ".join(f"{name} = ${number}" for number, name in enumerate(values, start=3))
        await self.fetch(f"UPDATE orders SET {settings} WHERE shop_id = $1 AND order_id = $2", *key, *values.values())

    async def age_changes(self, key: OrderKey, by: timedelta) -> None:
        """See Rig."""
        query = "UPDATE orders SET changes_since = changes_since - $3::interval WHERE shop_id = $1 AND order_id = $2"
        await self.fetch(query, *key, by)

    async def add_document(self, key: OrderKey, connection_id: str, *, live: bool = True) -> None:
        """See Rig."""
        await self.fetch(
            """INSERT INTO documents (connection_id, shop_id, order_id, kind, n, reference, ledger_id, status, live,
                                      total, currency)
               VALUES ($1, $2, $3, 'invoice', 1, $3, 'L' || $3, 'draft', $4, 1, 'EUR')""",
            connection_id,
            *key,
            live,
        )

    async def add_intent(self, key: OrderKey, connection_id: str) -> None:
        """See Rig."""
        await self.fetch(
            """INSERT INTO intents (intent_id, connection_id, subject, shop_id, order_id, operation, digest, sought,
                                    epoch, change, begun_at, deadline_at, settled_at)
               VALUES ($1, $2, $3, $4, $5, 'create_invoice', 'd', '{}', 1, 1, $6, $6, $6)""",
            uuid4(),
            connection_id,
            f"order:{key}",
            *key,
            LONG_AGO,
        )

    async def lane(self, connection_id: str) -> tuple[bool, bool]:
        """See Rig."""
        rows = await self.fetch("SELECT next_due, look_first FROM lanes WHERE connection_id = $1", connection_id)
        return rows[0]["next_due"] is not None, rows[0]["look_first"]

    async def rest(self, connection_id: str) -> None:
        """See Rig."""
        await self.fetch("UPDATE lanes SET next_due = NULL WHERE connection_id = $1", connection_id)

    async def free_at(self, connection_id: str) -> list[datetime]:
        """See Rig."""
        rows = await self.fetch(
            "SELECT greatest(free_at, '0001-01-01+00') AS f FROM slots WHERE connection_id = $1 ORDER BY 1",
            connection_id,
        )
        return [row["f"] for row in rows]

    async def use_slots(self, connection_id: str, until: list[datetime]) -> None:
        """See Rig."""
        for number, moment in enumerate(until, start=1):
            await self.fetch(
                "UPDATE slots SET free_at = $3, open_until = $3 WHERE connection_id = $1 AND n = $2",
                connection_id,
                number,
                moment,
            )

    async def add_message(self, key: str, payload: bytes = b"{}", sequence: int = 1) -> None:
        """See Rig."""
        await self.fetch(
            """INSERT INTO outbox (topic_kind, record_key, event_id, sequence, payload)
               VALUES ('invoice.synced', $1, $2, $3, $4)""",
            key,
            uuid4(),
            sequence,
            payload,
        )

    async def pass_lease(self) -> None:
        """See Rig."""
        await self.fetch("UPDATE leases SET lease_until = $1", LONG_AGO)
