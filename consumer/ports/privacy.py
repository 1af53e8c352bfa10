"""The stores behind retention, erasure and export, and the log of who looked at personal data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from consumer.domain.orders import OrderKey


class DayTable(StrEnum):
    """The tables whose rows are kept by day: a day that is old enough is dropped whole."""

    EVENTS = "events"
    EXCHANGES = "exchanges"


class Thinned(StrEnum):
    """What is removed, or blanked, row by row; the members say which rows, once they are old enough."""

    EVENTS_REST = "events_rest"  # rows that lie in no day of their own
    EXCHANGES_REST = "exchanges_rest"
    OUTBOX = "outbox"  # messages that were sent
    REJECTED = "rejected"  # rejected messages that were dealt with
    REJECTED_BYTES = "rejected_bytes"  # of open ones the bytes alone: the row stays until somebody has dealt with it
    CONTACTS = "contacts"  # contacts that are gone from the ledger
    INTENT_WORDS = "intent_words"  # of writes that have come to an end: names and addresses that they were sought by
    AUDIT = "audit"
    DECISIONS = "decisions"
    INTENTS = "intents"  # writes that have come to an end


@dataclass(frozen=True, slots=True, kw_only=True)
class OldDay:
    """One day of a table, and how many bytes it holds on disk."""

    name: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OrdersPage:
    """What came of a page of orders; ``last`` is the last key looked at, None at the end of the table."""

    blanked: int
    layouts: int  # of orders whose legal term is over
    unsettled: int  # as old, and not settled: they keep their content
    last: OrderKey | None


class RetentionStore(Protocol):
    """What the retention does. Each method is one short transaction, or some; each may be repeated."""

    async def make_days(self, days_ahead: int) -> int:
        """Make the days to come that are not there yet; gives how many were made."""
        ...

    async def old_days(self, table: DayTable, keep_days: int) -> Sequence[OldDay]:
        """Name the days that ended more than so many days ago, the oldest first."""
        ...

    async def drop_day(self, table: DayTable, name: str, keep_days: int) -> bool:
        """Drop such a day; False where it is not one, or could not be locked within two seconds."""
        ...

    async def thin(self, what: Thinned, keep_days: int, limit: int) -> int:
        """Remove rows older than so many days, at most ``limit``; gives how many. None that is locked or still needed.

        0 means that none is left.
        """
        ...

    async def count(self, what: Thinned, keep_days: int) -> int:
        """Count what ``thin`` would remove."""
        ...

    async def blank_orders(
        self, *, keep_days: int, legal_days: int, after: OrderKey | None, limit: int, dry_run: bool
    ) -> OrdersPage:
        """Take the content of settled orders that nothing happened to for so many days; their layout stays.

        Looks at ``limit`` orders after that key. Of those past ``legal_days`` the layout goes too. The row itself, its
        revision, hash and figures, stays for ever: it is what keeps an order that comes again from being booked twice.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """Whose data it is about: an e-mail address, or an id of a shop's own."""

    email: str = ""
    shop_id: str = ""
    customer_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is searched for besides the orders: keys of addresses, the customer's keys, and texts within bytes."""

    email_keys: tuple[str, ...] = ()
    customer_keys: tuple[str, ...] = ()
    needles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerDocument:
    """A document in the ledger, which the law keeps there: the controller's own duty."""

    connection_id: str
    kind: str
    number: str
    ledger_id: str
    contact_id: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundOrder:
    """One order of the customer. ``mentioned``: the address stands within a longer text of somebody else's order."""

    key: OrderKey
    state: str
    settled: bool
    mentioned: bool
    email: str
    customer_id: str
    documents: tuple[LedgerDocument, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundPage:
    """The customer's orders among a page of all; ``last`` is the last key looked at, None at the end."""

    orders: tuple[FoundOrder, ...]
    last: OrderKey | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Erased:
    """What was erased, as counts by table, and the orders that were not settled (any more)."""

    counts: Mapping[str, int]
    refused: tuple[OrderKey, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportedRow:
    """One row that holds the customer's data, as plain data, and the table that it stands in."""

    table: str
    row: Mapping[str, Any]


class PrivacyStore(Protocol):
    """What erasure and export do. Every method may be repeated: what is done already changes nothing."""

    async def find_orders(self, who: Customer, *, after: OrderKey | None, limit: int) -> FoundPage:
        """Look for the customer's orders among the ``limit`` orders after that key."""
        ...

    async def open_rejected(self, wanted: Wanted) -> Sequence[int]:
        """Name the open rejected messages that mention the customer, at most 1,000."""
        ...

    async def erase_around(self, wanted: Wanted) -> Erased:
        """Erase what stands outside of orders: contacts, links, logs, messages, raw events. Counts what it changed."""
        ...

    async def erase_orders(self, keys: Sequence[OrderKey], *, actor: str) -> Erased:
        """Erase these orders, each with all that hangs on it, in one transaction; those not settled are refused.

        Key, revision, figures, hash and layout stay, and a mark: events that are not newer bring nothing back.
        """
        ...

    async def around(self, wanted: Wanted) -> Sequence[ExportedRow]:
        """Read what stands outside of orders and mentions the customer; also the proof that nothing is left."""
        ...

    async def about_orders(self, keys: Sequence[OrderKey]) -> Sequence[ExportedRow]:
        """Read all that is kept of these orders, from every table."""
        ...

    async def note_access(
        self, *, actor: str, action: str, shop_id: str = "", order_id: str = "", details: Mapping[str, Any]
    ) -> None:
        """Write to the audit log who looked at personal data, or did something with it, and of whom."""
        ...
