"""What a comparison of orders with the ledger's documents keeps, and what it asks of the recorded orders.

Everything goes in pages, so that memory stays flat however many orders and documents there are, and no transaction
is open between two of them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from consumer.domain.orders import OrderKey
from consumer.domain.reconciling.books import Listed
from consumer.domain.reconciling.findings import Period
from consumer.domain.records import DocumentKind, OrderRecord
from consumer.errors import BookedError

# Which list is read next; the last word: both were read to their end.
STAGES = (DocumentKind.INVOICE.value, DocumentKind.CREDIT_NOTE.value, "listed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One comparison of one connection. ``page``: the last one of the stage's list that is kept."""

    run_id: int
    connection_id: str
    period: Period
    stage: str = STAGES[0]
    page: int = 0
    resumed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What the day leaves: calls that comparisons have made of it, and the day's calls as the plan has them."""

    made: int
    daily_calls: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Slip:
    """One order, by its key. ``record`` is None where the order cannot have to do with the period.

    ``noticed`` holds by the ledger's id the newest change of a document by somebody else that the watch took over.
    """

    key: OrderKey
    number: str
    reference: str
    record: OrderRecord | None = None
    noticed: Mapping[str, datetime] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """A listed document, and the order that it is recorded for; None: it is not recorded."""

    listed: Listed
    owner: OrderKey | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a run that came to its end has found, for the metric: by shop and currency, also where it is nothing."""

    unexplained: Mapping[tuple[str, str], Decimal]
    findings: int
    doubles: int = 0  # those of them that are a second document of an order


class ReconcileStore(Protocol):
    """Every method is one transaction; raises DatabaseUnavailableError."""

    async def begin(self, connection_id: str, period: Period, *, resume: bool) -> Run:
        """Begin a run, or with ``resume`` go on with the newest one of the same days that did not come to its end.

        What former runs of the connection had listed is dropped. Raises LookupError for an unknown connection.
        """
        ...

    async def budget(self, connection_id: str) -> Budget:
        """Tell what comparisons have called today (UTC), and how many calls the day has."""
        ...

    async def save_page(self, run: Run, rows: Sequence[Listed], *, page: int, more: bool) -> Run:
        """Keep a page of the stage's list and count its call; gives the run as it stands then.

        Raises ReplacedError where another run of the connection has begun.
        """
        ...

    async def save_read(self, run: Run, row: Listed) -> None:
        """Keep what one read by id has told, and count its call."""
        ...

    async def orders(self, run: Run, shop_id: str, after: str, limit: int) -> Sequence[Slip]:
        """Give a shop's next orders by id, from the one after this; the record of those that may concern the period."""
        ...

    async def records(self, run: Run, shop_id: str, order_ids: Sequence[str]) -> Sequence[Slip]:
        """Give these orders of a shop with their records, as far as they belong to the connection."""
        ...

    async def listed(self, run: Run, ledger_ids: Sequence[str], references: Sequence[str]) -> Sequence[Match]:
        """Give what was listed of these ids, or under these orders' references (a credit note's begins with one)."""
        ...

    async def claim(self, run: Run, places: Sequence[tuple[DocumentKind, str]]) -> None:
        """These listed documents belong to recorded orders."""
        ...

    async def unclaimed(self, run: Run, after: tuple[str, str] | None, limit: int) -> Sequence[Listed]:
        """Give the next listed documents that nothing has claimed and that no order has recorded, by kind and id."""
        ...

    async def hand_over(
        self, run: Run, found: Mapping[OrderKey, Sequence[Listed]], *, actor: str
    ) -> Sequence[OrderKey]:
        """Give documents to the lane to adopt, and make their orders due; gives those that are due by it.

        The lane decides by its own rules whether a document is the order's. An order with a live invoice or an open
        intent, or one that is not wanted, is left as it is.
        """
        ...

    async def finish(self, run: Run, outcome: Outcome) -> None:
        """Keep what the run has found, for the metrics, and drop what it had listed. Raises ReplacedError."""
        ...


def after_page(run: Run, *, page: int, more: bool) -> Run:
    """Give the run as it stands once a page of its stage's list is kept: at the next page, or the next list."""
    if more:
        return replace(run, page=page)
    return replace(run, stage=STAGES[STAGES.index(run.stage) + 1], page=0)


class ReplacedError(BookedError):
    """Another comparison of the same connection has begun; this one must not go on."""

    def __init__(self, run: Run) -> None:
        super().__init__(
            f"Another comparison of connection {run.connection_id} has begun: this one ends; see that one's result."
        )
