"""What people see of the orders, what they ask of one, and what they let through."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol

from consumer.domain.asking import Mark, Reception
from consumer.domain.orders import OrderKey
from consumer.domain.records import OrderRecord
from consumer.domain.states import Ask, OrderState, Priority, ReasonCode


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
    layout: Mapping[str, Any] | None = None  # lines and figures, also when the content is gone


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What came of a person's words to an order at once; ``order`` is as it stands now, None where it is not known."""

    reception: Reception
    words: str
    order: OrderRecord | None = None


class PeopleStore(Protocol):
    """What people see and ask. Each method is one transaction."""

    async def ask(self, key: OrderKey, ask: Ask, *, actor: str, note: str = "") -> Asked:
        """Ask for an order's document to be made, brought up to date or deleted; domain.asking says what it does.

        What is taken up is due now, before everything else, and written to the audit log with who, when and the note;
        so is what is refused. What came of it stands in the order (``asked`` empty again, ``answer``) once a booking
        has come to its conclusion.
        """
        ...

    async def mark(self, key: OrderKey, mark: Mark, *, actor: str, note: str = "") -> Asked:
        """Hold, release, retry or ignore one order; audited. What a booking has in hand is stopped before its write."""
        ...

    async def groups(self, state: OrderState, shop_id: str | None = None) -> Sequence[GroupSum]:
        """Count and sum the orders of a state by shop and reason."""
        ...

    async def release(
        self,
        *,
        actor: str,
        shop_id: str,
        order_id: str | None = None,
        reason: ReasonCode | None = None,
        group_key: str | None = None,
        priority: Priority | None = None,
        limit: int,
    ) -> int:
        """Let waiting orders through, or parked ones be tried again: one, all of a reason, or all of a group; audited.

        Gives the count of those that have become due. More than ten at once go at the priority of a backfill, so that
        live orders are not delayed; ``priority`` is for who releases in several parts.
        """
        ...

    async def retry_closed(self, *, older_than_seconds: float, limit: int) -> int:
        """Let orders be tried again that are parked for a closed period and were not tried for so long; gives a count.

        Nobody tells when a period of the ledger is opened again. At the priority of a backfill.
        """
        ...

    async def newest_unbooked(self, shop_id: str, limit: int) -> Sequence[OrderRecord]:
        """Read a shop's newest orders that wait, are due or are parked, as a sample; without documents and intents."""
        ...

    async def story(self, key: OrderKey) -> Story | None:
        """Read all that is known of one order; None where nothing is."""
        ...

    async def note(self, *, actor: str, action: str, details: Mapping[str, Any]) -> None:
        """Write to the audit log what a person does that concerns no single order."""
        ...
