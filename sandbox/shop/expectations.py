"""What the shop expects of an order, decided when it is made and never changed afterwards."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any


class Standing(StrEnum):
    """What the ledger knows of an order's customer before the first order of this shop."""

    NEW = "new"  # nothing
    LISTED = "listed"  # a contact with the same billing data, which Booked knows from a list only
    MOVED = "moved"  # such a contact, with another address
    NAMESAKE = "namesake"  # another customer's contact has the very same name
    GUEST = "guest"  # no account; the order is all that there is


@dataclass(frozen=True, slots=True, kw_only=True)
class Booked:
    """One live invoice of exactly this total, and this VAT for each rate (percent) that has any."""

    total: Decimal
    vat_by_rate: Mapping[Decimal, Decimal]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parked:
    """No invoice, and `invoice.synced` says this reason."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """Not an order: `order.rejected` says this reason."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stated:
    """For orders that the shop did not make: booked as the order itself states, or parked for whatever reason.

    ``vat_by_rate`` is None where the order does not state it. With ``or_refused`` it may be no order at all: exports
    of platforms hold drafts and payloads of long ago.
    """

    total: Decimal
    vat_by_rate: Mapping[Decimal, Decimal] | None
    or_refused: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class NotBooked:
    """For an order of a platform that is not paid, or cancelled: no invoice, whatever is told of it.

    ``status`` is the payload's own word for where it stands, to be shown.
    """

    status: str = ""


Expectation = Booked | Parked | Rejected | Stated | NotBooked
Key = tuple[str, str]
"""Shop id and order id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShopOrder:
    """An order as the shop publishes it, and what it expects; ``copies`` is how often it is published.

    Of an order in a platform's own words, ``raw`` is what is published, and ``data`` a summary in ours.
    """

    data: Mapping[str, Any]
    expected: Expectation
    standing: Standing = Standing.NEW
    copies: int = 1
    raw: Mapping[str, Any] | None = None
    platform: str = ""

    @property
    def key(self) -> Key:
        """Give shop id and order id."""
        return str(self.data["shop_id"]), str(self.data["order_id"])

    @property
    def currency(self) -> str:
        """Give the currency; empty where there is none."""
        return str(self.data.get("currency") or "")

    @property
    def total(self) -> str:
        """Give the total as the order states it; empty where there is none."""
        return str((self.data.get("totals") or {}).get("grand_total", ""))
