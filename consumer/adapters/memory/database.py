"""The in-memory twin of the database: the tables as dictionaries, a clock, and transactions with yields around them.

Each method of an in-memory store is one transaction: it yields to the event loop before and after, and does all its
work in between without a yield, so that other tasks interleave with it exactly where they could with Postgres.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from consumer.domain.completeness import PaidOrder, Source, Sums, Window
from consumer.domain.exchanges import Exchange
from consumer.domain.ledger import Contact, Invoice, LedgerFacts
from consumer.domain.orders import OrderKey
from consumer.domain.records import Document
from consumer.domain.revisions import OrderHead, Revision
from consumer.domain.settings import ConnectionSettings, ShopSettings
from consumer.domain.states import Ask, OrderState, Reason, Wish
from consumer.errors import StopCause
from consumer.ports.intake import Gap, Position, TopicPartition
from consumer.ports.replay import Progress, RunFigures


@dataclass(slots=True, kw_only=True)
class OrderRow:
    """One row of ``orders``; see the migration for the meaning of each column."""

    key: OrderKey
    head: OrderHead
    connection_id: str | None
    state: OrderState
    reason: Reason | None = None
    difference: Decimal | None = None
    paid: bool = False
    paid_moment: datetime | None = None
    cancelled: bool = False
    wish: Wish = Wish.AUTO
    wish_by: str = ""
    released: bool = False
    asked: Ask | None = None
    asked_by: str = ""
    asked_at: datetime | None = None
    asked_note: str = ""
    answer: str = ""
    change: int = 1
    priority: int = 1
    due_at: datetime | None = None
    takes: int = 0
    attempts: int = 0
    reference: str = ""
    sequence: int = 0
    announced: bytes | None = None
    recorded: bytes | None = None
    changes_in_hour: int = 0
    changes_since: datetime | None = None
    first_seen_at: datetime | None = None
    booked_at: datetime | None = None
    updated_at: datetime | None = None  # when the newest event came in
    layout: dict[str, Any] | None = None
    personal_removed_at: datetime | None = None
    erased_mark: Revision | None = None


@dataclass(slots=True, kw_only=True)
class IntentRow:
    """One row of ``intents``."""

    intent_id: UUID
    connection_id: str
    subject: str
    key: OrderKey
    operation: str
    digest: bytes
    sought: dict[str, str]
    epoch: int
    change: int
    slot: int
    begun_at: datetime
    deadline_at: datetime
    settled_at: datetime
    looked_at: datetime | None = None
    doubtful: bool = False
    resolution: str | None = None
    resolved_at: datetime | None = None
    late_answer: dict[str, Any] | None = None


@dataclass(slots=True, kw_only=True)
class LaneRow:
    """One row of ``lanes``, with its slots, each (free_at, open_until)."""

    connection_id: str
    owner: str | None = None
    lease_until: datetime | None = None
    epoch: int = 0
    next_due: datetime | None = None
    paced_until: datetime | None = None
    throttled_until: datetime | None = None
    halved_until: datetime | None = None
    daily_limit: int | None = None
    daily_left: int | None = None
    daily_resets_at: datetime | None = None
    look_first: bool = False
    looked_first: bool = False
    contacts_complete_at: datetime | None = None
    contacts_fresh_at: datetime | None = None
    contacts_seen_until: datetime | None = None
    contacts_seen_next: datetime | None = None
    contacts_page: int = 0
    calls_total: int = 0
    watch_due: datetime | None = None
    watch_cursor: datetime | None = None
    watch_covered_since: datetime | None = None
    sweep_page: int = 0
    sweep_began_at: datetime | None = None
    slots: list[tuple[datetime, datetime]] = field(default_factory=list)
    calls: dict[int, tuple[datetime, datetime]] = field(default_factory=dict)  # of the calls under way, their slots


@dataclass(slots=True, kw_only=True)
class TokenRow:
    """One row of ``tokens``; secrets are sealed."""

    client_id: str
    client_secret: bytes
    refresh_token: bytes
    access_token: bytes | None
    access_expires_at: datetime | None
    access_made_at: datetime | None
    connected_by: str
    connected_at: datetime
    renewing_until: datetime | None = None
    renewals: list[datetime] = field(default_factory=list)
    version: int = 1


@dataclass(slots=True, kw_only=True)
class ConnectionRow:
    """One row of ``connections``."""

    settings: ConnectionSettings
    facts: LedgerFacts | None = None
    facts_read_at: datetime | None = None
    stopped: StopCause | None = None
    stopped_message: str = ""


@dataclass(slots=True, kw_only=True)
class OutboxEntry:
    """One row of ``outbox``."""

    id: int
    topic_kind: str
    record_key: str
    event_id: UUID
    sequence: int
    payload: bytes
    created_at: datetime
    state: str = "waiting"
    error: str = ""


def wall_clock() -> datetime:
    """Read the time of the machine: the clock of an in-memory database outside a simulation."""
    return datetime.now(UTC)


class MemoryDatabase:
    """All tables. Give it a virtual clock for a simulation."""

    def __init__(self, clock: Callable[[], datetime] = wall_clock) -> None:
        self.clock = clock
        self.installation_name = ""
        self.identity = ("memory", 1)  # (system_identifier, timeline_id)
        self.stored_identity: tuple[str, int] | None = None
        self.connections: dict[str, ConnectionRow] = {}
        self.shops: dict[str, ShopSettings] = {}
        self.tokens: dict[str, TokenRow] = {}
        self.orders: dict[OrderKey, OrderRow] = {}
        self.documents: dict[OrderKey, list[Document]] = {}
        self.intents: dict[UUID, IntentRow] = {}
        self.lanes: dict[str, LaneRow] = {}
        self.contacts: dict[tuple[str, str], Contact] = {}
        self.contact_links: dict[tuple[str, str, str], str] = {}
        self.decisions: list[tuple[OrderKey, datetime, int, Any]] = []
        self.exchanges: list[tuple[str, OrderKey | None, datetime, Exchange]] = []
        self.events: list[dict[str, Any]] = []
        self.rejected: list[dict[str, Any]] = []
        self.positions: dict[TopicPartition, Position] = {}
        self.gaps: list[Gap] = []
        self.closed_gaps: set[int] = set()  # by their place in the list
        self.replay_progress: dict[TopicPartition, Progress] = {}
        self.replay_runs: list[tuple[datetime, datetime, RunFigures]] = []  # began, ended
        self.completeness: dict[Window, Sums] = {}
        self.unrecorded: dict[tuple[OrderKey, Source], PaidOrder] = {}
        self.outbox: dict[int, OutboxEntry] = {}
        self.leases: dict[str, tuple[str, int, datetime]] = {}  # name -> owner, epoch, until
        self.seen_invoices: dict[tuple[str, str, str], Invoice] = {}
        self.watch_noticed: dict[tuple[str, str], datetime] = {}  # (connection, ledger's id) -> the ledger's moment
        self.watch_seen: dict[tuple[str, str], datetime] = {}
        self.watch_put_off: dict[tuple[str, str], Invoice] = {}
        self.audit: list[dict[str, Any]] = []
        self.reconcile: Any = None  # the tables of adapters.memory.reconcile, made by it
        self.contacts_erased: dict[tuple[str, str], datetime | None] = {}  # the ledger's last change before the erasure

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[datetime]:
        """Yield to the loop, give the clock's time for the work, and yield again after it.

        The body must not await: what it does is one transaction. It must check before it changes, since nothing is
        rolled back when it raises.
        """
        await asyncio.sleep(0)
        yield self.clock()
        await asyncio.sleep(0)
