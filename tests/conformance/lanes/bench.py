"""Both kinds of the stores behind the lanes, with one face, a clock that can be moved, and looks at what is kept."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

import asyncpg

from consumer.adapters.memory.bookings import MemoryBookingStore
from consumer.adapters.memory.calls import MemoryCallStore
from consumer.adapters.memory.contacts import MemoryContactStore
from consumer.adapters.memory.database import MemoryDatabase
from consumer.adapters.memory.intake import MemoryIntakeStore
from consumer.adapters.memory.lanes import MemoryLaneStore
from consumer.adapters.memory.people import MemoryPeopleStore
from consumer.adapters.memory.settings import MemorySettingsStore
from consumer.adapters.memory.tokens import MemoryTokenStore
from consumer.adapters.postgres.bookings import PostgresBookingStore
from consumer.adapters.postgres.calls import PostgresCallStore
from consumer.adapters.postgres.contacts import PostgresContactStore
from consumer.adapters.postgres.intake import PostgresIntakeStore
from consumer.adapters.postgres.lanes import PostgresLaneStore
from consumer.adapters.postgres.people import PostgresPeopleStore
from consumer.adapters.postgres.pool import Database
from consumer.adapters.postgres.settings import PostgresSettingsStore
from consumer.adapters.postgres.tokens import PostgresTokenStore
from consumer.domain.orders import OrderKey
from consumer.ports.contacts import ContactStore
from consumer.ports.intake import IntakeStore
from consumer.ports.lanes import BookingStore, CallStore, LaneStore, TokenStore
from consumer.ports.people import PeopleStore
from consumer.ports.settings import SettingsStore
from consumer.secrets import Keyring
from tests.conformance.intake.rig import render

START = datetime(2026, 3, 2, 13, 0, tzinfo=UTC)
KEYRING = Keyring({"test": b"k" * 32})

# Every moment that a rule of the lanes looks at; moving them back is the same as letting time pass.
_MOMENTS = {
    "lanes": (
        "lease_until",
        "next_due",
        "paced_until",
        "throttled_until",
        "halved_until",
        "daily_resets_at",
        "contacts_fresh_at",
        "watch_due",
        "sweep_began_at",
    ),
    "slots": ("free_at", "open_until"),
    "orders": ("due_at",),
    "intents": ("begun_at", "deadline_at", "settled_at", "looked_at"),
    "tokens": ("access_expires_at", "access_made_at", "renewing_until"),
    "connections": ("ledger_facts_read_at",),
    "documents": ("created_at", "seen_at"),
    "exchanges": ("happened_at",),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One message of the outbox, and what is kept besides it of its order."""

    record_key: str
    sequence: int
    payload: bytes
    event_id: UUID


class Bench(Protocol):
    """The stores, and what a test may look at and set."""

    lanes: LaneStore
    bookings: BookingStore
    calls: CallStore
    tokens: TokenStore
    contacts: ContactStore
    people: PeopleStore
    settings: SettingsStore
    intake: IntakeStore

    def tokens_with(self, keyring: Keyring) -> TokenStore:
        """Give the token store of a process with other keys."""
        ...

    async def elapse(self, seconds: float) -> None:
        """Let time pass."""
        ...

    async def due_in_seconds(self, key: OrderKey) -> float | None:
        """Tell when an order is due."""
        ...

    async def next_due_in_seconds(self, connection_id: str) -> float | None:
        """Tell when a lane is due, as its row says."""
        ...

    async def set_next_due(self, connection_id: str, seconds: float | None) -> None:
        """Let a lane's row say something about when it is due."""
        ...

    async def told(self) -> list[Told]:
        """Look at the outbox."""
        ...

    async def exchanges(self) -> list[str]:
        """Look at the log of calls: their operations, in order."""
        ...

    async def decisions(self, key: OrderKey) -> list[str]:
        """Look at the decisions on an order, in order."""
        ...

    async def intent(self, intent_id: UUID) -> tuple[str | None, bool, dict[str, Any] | None]:
        """Look at an intent: its resolution, whether in doubt, and its late answer."""
        ...

    async def set_priority(self, key: OrderKey, rank: int) -> None:
        """Give an order a priority."""
        ...

    async def take_over_server(self) -> None:
        """Let the lanes know another server than this one."""
        ...


class MemoryBench:
    """In memory, with a clock of its own."""

    def __init__(self) -> None:
        self.now = START
        self.database = MemoryDatabase(clock=lambda: self.now)
        self.lanes: LaneStore = MemoryLaneStore(self.database)
        self.bookings: BookingStore = MemoryBookingStore(self.database)
        self.calls: CallStore = MemoryCallStore(self.database)
        self.tokens: TokenStore = MemoryTokenStore(self.database, keyring=KEYRING)
        self.contacts: ContactStore = MemoryContactStore(self.database)
        self.people: PeopleStore = MemoryPeopleStore(self.database)
        self.settings: SettingsStore = MemorySettingsStore(self.database)
        self.intake: IntakeStore = MemoryIntakeStore(self.database, render_rejected=render)

    def tokens_with(self, keyring: Keyring) -> TokenStore:
        """See Bench."""
        return MemoryTokenStore(self.database, keyring=keyring)

    async def elapse(self, seconds: float) -> None:
        """See Bench."""
        self.now += timedelta(seconds=seconds)

    async def due_in_seconds(self, key: OrderKey) -> float | None:
        """See Bench."""
        due_at = self.database.orders[key].due_at
        return None if due_at is None else (due_at - self.now).total_seconds()

    async def next_due_in_seconds(self, connection_id: str) -> float | None:
        """See Bench."""
        next_due = self.database.lanes[connection_id].next_due
        return None if next_due is None else (next_due - self.now).total_seconds()

    async def set_next_due(self, connection_id: str, seconds: float | None) -> None:
        """See Bench."""
        moment = None if seconds is None else self.now + timedelta(seconds=seconds)
        self.database.lanes[connection_id].next_due = moment

    async def told(self) -> list[Told]:
        """See Bench."""
        return [
            Told(record_key=e.record_key, sequence=e.sequence, payload=e.payload, event_id=e.event_id)
            for e in self.database.outbox.values()
        ]

    async def exchanges(self) -> list[str]:
        """See Bench."""
        return [exchange.operation for _, _, _, exchange in self.database.exchanges]

    async def decisions(self, key: OrderKey) -> list[str]:
        """See Bench."""
        return [note.decision for order, _, _, note in self.database.decisions if order == key]

    async def intent(self, intent_id: UUID) -> tuple[str | None, bool, dict[str, Any] | None]:
        """See Bench."""
        row = self.database.intents[intent_id]
        return row.resolution, row.doubtful, row.late_answer

    async def set_priority(self, key: OrderKey, rank: int) -> None:
        """See Bench."""
        self.database.orders[key].priority = rank

    async def take_over_server(self) -> None:
        """See Bench."""
        self.database.identity = ("memory", 2)


class PostgresBench:
    """On a real Postgres; time passes by moving all moments back."""

    def __init__(self, database: Database, url: str) -> None:
        self.url = url
        self.database = database
        self.lanes: LaneStore = PostgresLaneStore(database)
        self.bookings: BookingStore = PostgresBookingStore(database)
        self.calls: CallStore = PostgresCallStore(database)
        self.tokens: TokenStore = PostgresTokenStore(database, keyring=KEYRING)
        self.contacts: ContactStore = PostgresContactStore(database)
        self.people: PeopleStore = PostgresPeopleStore(database)
        self.settings: SettingsStore = PostgresSettingsStore(database)
        self.intake: IntakeStore = PostgresIntakeStore(database, render_rejected=render)

    async def fetch(self, query: str, *arguments: Any) -> list[asyncpg.Record]:
        """Ask the database."""
        async with self.database.connection() as connection:
            return list(await connection.fetch(query, *arguments))

    def tokens_with(self, keyring: Keyring) -> TokenStore:
        """See Bench."""
        return PostgresTokenStore(self.database, keyring=keyring)

    async def elapse(self, seconds: float) -> None:
        """See Bench."""
        for table, columns in _MOMENTS.items():
            changes = ", ".join(f"{column} = {column} - make_interval(secs => $1)" for column in columns)
            await self.fetch(f"UPDATE {table} SET {changes}", seconds)
        await self.fetch(
            "UPDATE tokens SET renewals = ARRAY(SELECT r - make_interval(secs => $1) FROM unnest(renewals) r)", seconds
        )

    async def _seconds(self, query: str, *arguments: Any) -> float | None:
        rows = await self.fetch(query, *arguments)
        return None if rows[0]["moment"] is None else float(rows[0]["seconds"])

    async def due_in_seconds(self, key: OrderKey) -> float | None:
        """See Bench."""
        return await self._seconds(
            "SELECT due_at AS moment, extract(epoch FROM due_at - clock_timestamp()) AS seconds FROM orders "
            "WHERE shop_id = $1 AND order_id = $2",
            *key,
        )

    async def next_due_in_seconds(self, connection_id: str) -> float | None:
        """See Bench."""
        return await self._seconds(
            "SELECT next_due AS moment, extract(epoch FROM next_due - clock_timestamp()) AS seconds FROM lanes "
            "WHERE connection_id = $1",
            connection_id,
        )

    async def set_next_due(self, connection_id: str, seconds: float | None) -> None:
        """See Bench."""
        await self.fetch(
            "UPDATE lanes SET next_due = clock_timestamp() + make_interval(secs => $2) WHERE connection_id = $1",
            connection_id,
            seconds,
        )

    async def told(self) -> list[Told]:
        """See Bench."""
        rows = await self.fetch("SELECT record_key, sequence, payload, event_id FROM outbox ORDER BY id")
        return [Told(**dict(row)) for row in rows]

    async def exchanges(self) -> list[str]:
        """See Bench."""
        return [row["operation"] for row in await self.fetch("SELECT operation FROM exchanges ORDER BY happened_at")]

    async def decisions(self, key: OrderKey) -> list[str]:
        """See Bench."""
        query = "SELECT decision FROM decisions WHERE shop_id = $1 AND order_id = $2 ORDER BY id"
        return [row["decision"] for row in await self.fetch(query, *key)]

    async def intent(self, intent_id: UUID) -> tuple[str | None, bool, dict[str, Any] | None]:
        """See Bench."""
        query = "SELECT resolution, doubtful, late_answer FROM intents WHERE intent_id = $1"
        row = (await self.fetch(query, intent_id))[0]
        return row["resolution"], row["doubtful"], row["late_answer"]

    async def set_priority(self, key: OrderKey, rank: int) -> None:
        """See Bench."""
        await self.fetch("UPDATE orders SET priority = $3 WHERE shop_id = $1 AND order_id = $2", *key, rank)

    async def take_over_server(self) -> None:
        """See Bench."""
        await self.fetch("UPDATE installation SET timeline_id = timeline_id + 1")
