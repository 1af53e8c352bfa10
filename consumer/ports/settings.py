"""Settings, people's wishes, and reads for people."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol

from consumer.domain.orders import OrderKey
from consumer.domain.records import OrderRecord
from consumer.domain.settings import ConnectionSettings, ShopSettings
from consumer.domain.states import OrderState, ReasonCode


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """What `apply` changed, in words, one sentence each; and how many orders became due by it."""

    changes: tuple[str, ...]
    orders_due: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupSum:
    """How many orders stand under one reason, what they sum up to per currency, and since when the oldest waits."""

    shop_id: str
    state: OrderState
    reason_code: ReasonCode | None
    group_key: str
    count: int
    sums: Mapping[str, Decimal]
    oldest: datetime | None
    fix: str = ""


class SettingsStore(Protocol):
    """Connections and shops."""

    async def connections(self) -> Sequence[ConnectionSettings]:
        """Read all connections, by id."""
        ...

    async def shops(self) -> Sequence[ShopSettings]:
        """Read all shops, by id."""
        ...

    async def apply(
        self, connections: Sequence[ConnectionSettings], shops: Sequence[ShopSettings], *, actor: str, dry_run: bool
    ) -> Applied:
        """Make the settings these, in one transaction; with ``dry_run`` only tell what would change.

        Connections and shops not named become inactive, nothing is deleted. Switching `automatic` on without a
        `book_from` sets it to the database's clock. Orders that waited for what has changed (unknown shop, no
        connection, no organisation …) are placed anew by domain.standing; booked orders never become due by it.
        Orders without documents move with their shop to another connection. Lanes and slots follow the limits.
        """
        ...


class PeopleStore(Protocol):
    """What people see and mark."""

    async def groups(self, state: OrderState, shop_id: str | None = None) -> Sequence[GroupSum]:
        """Count and sum the orders of a state by shop and reason."""
        ...

    async def release(
        self, *, actor: str, shop_id: str, order_id: str | None = None, reason: ReasonCode | None = None, limit: int
    ) -> int:
        """Let waiting orders through (one, or all of a reason), or parked ones be tried again; audited. Gives a count.

        More than ten at once go at the priority of a backfill, so that live orders are not delayed.
        """
        ...

    async def newest_unbooked(self, shop_id: str, limit: int) -> Sequence[OrderRecord]:
        """Read a shop's newest orders that wait, are due or are parked, as a sample; without documents and intents."""
        ...

    async def story(self, key: OrderKey) -> "Story | None":
        """Read all that is known of one order; None where nothing is."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryLine:
    """One thing that happened; ``details`` is plain data for printing."""

    at: datetime
    kind: str  # event | decision | exchange | intent | message | audit
    text: str
    details: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """The whole story of one order, oldest first."""

    order: OrderRecord
    lines: tuple[StoryLine, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What the metrics show of the database; counts stop at 100,000 where counting more would cost too much."""

    orders_by_state: Mapping[str, int]
    oldest_unbooked_seconds: float
    outbox_waiting: int
    outbox_set_aside: int
    rejected_open: int
    token_age_seconds: Mapping[str, float]
    daily_left: Mapping[str, int]
    connections_stopped: Mapping[str, str]
    gaps_open: int
    oldest_snapshot_seconds: float = 0.0


class FiguresStore(Protocol):
    """Figures for the metrics."""

    async def figures(self) -> Figures:
        """Read them, in bounded time."""
        ...


class HealthStore(Protocol):
    """Whether the database can be worked with."""

    async def ping(self) -> None:
        """Answer, or raise DatabaseUnavailableError."""
        ...

    async def schema_version(self) -> str | None:
        """Tell the newest migration that was applied; None on an empty database."""
        ...
