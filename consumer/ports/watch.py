"""What the watch over the ledger keeps: how far it has looked, what it has noticed, and what it has yet to judge.

Times of the ledger and times of the database are never compared: ``cursor`` and ``covered_since`` are the ledger's own
(of ``Invoice.modified_at``), ``now`` the database's.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from consumer.domain.ledger import Invoice
from consumer.domain.orders import OrderKey
from consumer.domain.records import Announcement, Note
from consumer.domain.watching import Known, Suspicion, Verdict
from consumer.ports.lanes import LaneLease


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchState:
    """How far the watch of a connection has come. ``due_in_seconds`` None: it was never planned."""

    now: datetime
    cursor: datetime | None = None  # all changes until then were judged; None: it has not begun
    covered_since: datetime | None = None  # and none between this moment and the cursor was missed
    due_in_seconds: float | None = None
    daily_calls: int = 1000  # of the plan, as the last answer told it
    sweep_page: int = 0  # of the list of all invoices, the last one that was compared


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """A verdict to be kept, with what the shop is told.

    It holds for the order and the document as they were when they were judged: ``change`` and ``judged_until``.
    """

    key: OrderKey
    connection_id: str
    change: int
    judged_until: datetime | None
    verdict: Verdict
    announcement: Announcement | None = None
    due: bool = False  # the order is to be decided anew: refunds may have waited for its invoice to be sent
    contact_moved_from: str = ""  # the ledger's id of a contact that was merged into the document's


class WatchStore(Protocol):
    """The watch's memory. Every method is one transaction, as in ports.lanes; raises DatabaseUnavailableError."""

    async def state(self, connection_id: str) -> WatchState:
        """Tell how far it has come. Raises LookupError for a connection that has no lane."""
        ...

    async def first_cursor(self, connection_id: str, documents_max: int) -> datetime | None:
        """Tell where a first look begins: at the oldest last change of the newest live invoices, so many at most.

        None where the connection has no live invoice: there is nothing to watch.
        """
        ...

    async def save_look(self, connection_id: str, *, cursor: datetime, covered_since: datetime) -> None:
        """A list of changes was read to its end, and all of it was judged or put off."""
        ...

    async def plan(self, lease: LaneLease, seconds: float) -> None:
        """The next look is due in so many seconds; the lane is leased for it then, whatever else it has to do.

        Does nothing where the lease has passed on: its new owner plans.
        """
        ...

    async def known(self, connection_id: str, ledger_ids: Sequence[str]) -> Sequence[Known]:
        """Give the invoices of ours among these, live or not, with how their orders stand."""
        ...

    async def by_reference(self, connection_id: str, references: Sequence[str]) -> Sequence[Known]:
        """Give our live invoices of these references."""
        ...

    async def suspicion(self, key: OrderKey, ledger_id: str) -> Suspicion:
        """Give the requests for an invoice that were sent for this order, and whether this document was spoken of."""
        ...

    async def notice(self, notice: Notice) -> bool:
        """Keep a verdict with its line in the story; False where the order is in work or has changed meanwhile.

        The order's row is locked: a booking of it cannot write between the look at the order and the change of its
        document. An order whose document is gone becomes due, so that its booking decides what follows.
        """
        ...

    async def tell(self, key: OrderKey, change: int, note: Note) -> None:
        """Put a line into the order's story; nothing else changes."""
        ...

    async def put_off(self, connection_id: str, invoices: Sequence[Invoice]) -> None:
        """Keep listed invoices whose orders are in work: they are judged once these are settled."""
        ...

    async def put_off_rows(self, connection_id: str, limit: int) -> Sequence[Invoice]:
        """Give invoices that were put off and whose orders are settled by now."""
        ...

    async def settle(self, connection_id: str, ledger_ids: Sequence[str]) -> None:
        """These were judged: they are put off no longer."""
        ...

    async def seen(self, connection_id: str, ledger_ids: Sequence[str]) -> None:
        """These invoices stand in the ledger at this moment."""
        ...

    async def begin_sweep(self, connection_id: str) -> None:
        """The first page of all invoices is about to be asked for: what is made from now on cannot be missing."""
        ...

    async def save_sweep(self, connection_id: str, page: int) -> None:
        """So many pages of the list of all invoices were compared; 0: the next sweep may begin."""
        ...

    async def missing(self, connection_id: str, limit: int) -> Sequence[Known]:
        """Give our live invoices that the sweep has not seen although they were there when it began."""
        ...
