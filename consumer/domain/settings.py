"""What people set: the connection to one ledger organisation, and one shop.

Both are made by ``booked apply`` and stored; the defaults here are the documented ones.
"""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

SANDBOX_DATA_CENTER = "sandbox"


class RevisionKey(StrEnum):
    """By what a shop tells its newer revisions from the older ones."""

    VERSION = "version"
    UPDATED_AT = "updated_at"
    TIME = "time"


class NameMatch(StrEnum):
    """When a contact of exactly the same name may be taken for the customer."""

    NEVER = "never"
    WITHOUT_EMAIL = "without_email"
    ALWAYS = "always"


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerLimits:
    """The ledger's limits and our share of them; the defaults are Zoho's. A test or the demo raises the figures."""

    calls_per_window: int = 100
    window_seconds: float = 60.0
    pace_share: Decimal = Decimal("0.97")  # of calls_per_window, when work waits
    burst_calls: int = 8  # calls that may leave unspaced after a pause
    people_calls: int = 2  # slots of the window kept for people's clicks
    calls_at_once: int = 4
    daily_calls: int = 1000  # until the first answer tells the plan's own
    backfill_stops_at: Decimal = Decimal("0.30")  # of the day's calls left
    live_stops_at: Decimal = Decimal("0.05")
    call_deadline_seconds: float = 20.0
    settle_seconds: float = 300.0  # after a deadline nobody else writes before it
    settle_seconds_with_unique_field: float = 30.0
    look_again_seconds: float = 30.0  # between the two looks for a document that is absent
    contacts_fresh_seconds: float = 3600.0
    facts_fresh_seconds: float = 86400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionSettings:
    """One authorised ledger organisation."""

    connection_id: str
    data_center: str
    organization_id: str | None = None
    ledger: str = "zoho_books"
    unique_field: str | None = None  # API name of a custom field that refuses duplicates, as proved by doctor
    negative_lines: bool = True  # what `doctor --prove` found; without: discounts of the document
    active: bool = True
    limits: LedgerLimits = field(default_factory=LedgerLimits)

    @property
    def settle_seconds(self) -> float:
        """Give the time after a call's deadline in which nobody else writes for the same order."""
        return self.limits.settle_seconds_with_unique_field if self.unique_field else self.limits.settle_seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxOverride:
    """One row of a shop's own tax table: an order's (country, rate, class) is booked under this tax of the ledger.

    An empty country or class, and a rate of None, match any.
    """

    tax_id: str
    country: str = ""
    rate: Decimal | None = None
    tax_class: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShopSettings:
    """One source of orders, and how its orders are booked."""

    shop_id: str
    connection_id: str | None = None
    active: bool = True
    automatic: bool = False  # off until somebody switches it on
    book_from: datetime | None = None  # orders paid before it wait; set when automatic is switched on
    time_zone: str = "UTC"
    revision: RevisionKey | None = None  # unset: fixed by the first event
    name: str = ""
    source: str = "booked"  # the shape of its payloads
    reference_pattern: str = "{order_id}"
    customer_name_match: NameMatch = NameMatch.WITHOUT_EMAIL
    update_customers: bool = True
    items_by_sku: bool = False
    tax_overrides: tuple[TaxOverride, ...] = ()
    rounding_line_units_per_document: int = 5  # bound on a labelled adjustment, in minor units
    discount_label: str = "Discount"
    shipping_label: str = "Shipping"
    rounding_label: str = "Rounding"
    notes: str = ""
    payment_terms: int = 0  # days; 0 = due on the day of the invoice
