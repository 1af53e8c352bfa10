"""Settings, figures and health."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from consumer.domain.settings import ConnectionSettings, ShopSettings
from consumer.ports.figures import ConnectionFigures, Judgement, ShopFigures


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """What `apply` changed, in words, one sentence each; and how many orders became due by it."""

    changes: tuple[str, ...]
    orders_due: int = 0


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


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayFigures:
    """What the metrics show of the replay. ``success_age_seconds`` is None where no run has come to its end yet."""

    success_age_seconds: float | None = None
    missing: int = 0  # found by all runs that are kept
    lag: int = 0  # records beyond the positions, when the last run began
    unverified: int = 0  # ranges that the last run could not verify
    difference: int = 0  # paid orders told of and not recorded; stops counting at 100,000


@dataclass(frozen=True, slots=True, kw_only=True)
class CleaningFigures:
    """What tells whether Postgres can clean up behind the queues."""

    dead_rows: Mapping[str, int] = field(default_factory=dict)  # of the tables that change with every order
    prepared_seconds: float = 0.0  # age of the oldest prepared transaction of this database
    idle_slots: int = 0  # replication slots of the server that nobody reads


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What the metrics show of the database; counts stop at 100,000 where counting more would cost too much."""

    orders_by_state: Mapping[str, int]
    oldest_unbooked_seconds: float
    outbox_waiting: int
    outbox_set_aside: int
    rejected_open: int
    gaps_open: int
    oldest_with_budget_seconds: float = 0.0  # the same without backfills and what waits for the ledger's next day
    connections: ConnectionFigures = field(default_factory=ConnectionFigures)
    shops: ShopFigures = field(default_factory=ShopFigures)
    judgement: Judgement = field(default_factory=Judgement)
    oldest_snapshot_seconds: float = 0.0
    replay: ReplayFigures = ReplayFigures()
    cleaning: CleaningFigures = CleaningFigures()


class FiguresStore(Protocol):
    """Figures for the metrics."""

    async def figures(self, judged_until: datetime | None = None) -> Figures:
        """Read them, in bounded time; ``judged_until`` is the former reading's, see Judgement."""
        ...


class HealthStore(Protocol):
    """Whether the database can be worked with."""

    async def ping(self) -> None:
        """Answer, or raise DatabaseUnavailableError."""
        ...

    async def schema_version(self) -> str | None:
        """Tell the newest migration that was applied; None on an empty database."""
        ...

    async def end_stalled_sessions(self, still_seconds: float) -> int:
        """End the sessions of processes that have stood still for so long in the midst of a statement; tell how many.

        Such a process is frozen, or its machine is gone, and what it had locked stays locked until somebody ends it.
        """
        ...
