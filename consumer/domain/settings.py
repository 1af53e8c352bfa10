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


class Platform(StrEnum):
    """In whose words a shop's payloads are."""

    BOOKED = "booked"  # our own contract
    WOOCOMMERCE = "woocommerce"  # WooCommerce REST orders
    SHOPIFY = "shopify"  # Shopify Admin orders, as webhooks bring them


class InvoiceDate(StrEnum):
    """Which day an invoice bears, in the organisation's time zone."""

    PAID = "paid"
    PLACED = "placed"
    TODAY = "today"  # the day of the first booking, which it keeps


class DefaultCustomerFor(StrEnum):
    """Whose orders are booked under the shop's one contact, where it names one."""

    GUESTS = "guests"  # no customer id and no e-mail
    ALL = "all"


class ShippingAddressIn(StrEnum):
    """Where the invoice shows an address that the goods go to."""

    CONTACT = "contact"  # the contact's own, which is kept up to date
    NOTES = "notes"  # written into the notes as well, where it is another than the billing address


class CancelledDraft(StrEnum):
    """What becomes of a draft whose order was cancelled."""

    VOID = "void"  # it keeps its number
    DELETE = "delete"  # a gap in the numbers


class CancelledSent(StrEnum):
    """What becomes of a sent invoice whose order was cancelled."""

    CREDIT_NOTE = "credit_note"
    VOID = "void"
    PARK = "park"


class ChangedSent(StrEnum):
    """How a sent or paid invoice is corrected whose order has changed."""

    PARK = "park"
    CREDIT_DIFFERENCE = "credit_difference"
    CREDIT_ALL = "credit_all"  # and a new invoice
    UPDATE = "update"  # in place, where the ledger allows it


class RefundOnDraft(StrEnum):
    """What a refund does to an order whose invoice is still a draft, which takes no credits."""

    CORRECT = "correct"
    CREDIT_NOTE_LATER = "credit_note_later"  # once the invoice has been sent


class DeletedInLedger(StrEnum):
    """What follows when somebody deletes or voids an invoice of ours in the ledger."""

    LEAVE = "leave"
    MAKE_AGAIN = "make_again"


class ClosedPeriod(StrEnum):
    """What is done with a document whose day lies in a closed period."""

    PARK = "park"
    FIRST_OPEN_DAY = "first_open_day"  # with a note


class UnpaidAfterBooking(StrEnum):
    """What follows when a booked order's payment is taken back."""

    PARK = "park"
    AS_CANCELLED = "as_cancelled"


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
    watch_share: Decimal = Decimal("0.02")  # of the day's calls, for looking at what people changed; 0: no watch
    reconcile_share: Decimal = Decimal("0.10")  # of the day's calls, for all of the day's `booked reconcile`
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
    credit_note_unique_field: str | None = None  # the same of credit notes, which have fields of their own
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
class AccountRow:
    """One row of a shop's table of accounts: lines of this kind, country and tax class are booked to this account.

    ``kind`` is a line's kind, ``shipping``, a fee's kind, or ``discount``; an empty field matches any, except that
    gift cards, deposits and discounts need a row of their own kind. The most specific row decides, of equals the
    first. ``account_id`` may be a template (domain.expressions), which sees the order and its ``line``.
    """

    account_id: str
    kind: str = ""
    country: str = ""
    tax_class: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodRow:
    """One row of a shop's table of shipping methods and fees: lines of this name become this item, under this name.

    ``name`` is compared without case and may end in ``*``. ``item_id``, ``account_id`` and ``label`` may be templates
    that see the order and its ``line``; what is empty stays as it would be.
    """

    name: str
    item_id: str = ""
    account_id: str = ""
    label: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentRow:
    """One row of a shop's table of payment methods: the terms of orders paid so, and how their payment is recorded.

    ``method`` may end in ``*``.
    """

    method: str
    payment_terms: int | None = None  # days; None: the shop's own
    label: str = ""  # the name of the terms
    mode: str = ""  # the ledger's payment mode of recorded payments; empty: others
    account_id: str = ""  # the ledger's account that the money goes to; empty: the ledger's own default


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomField:
    """One custom field of the invoice; ``value`` is a template. Where it gives nothing, nothing is written."""

    api_name: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderListSettings:
    """Where a shop lists its own orders, so that the replay can ask it. The secret itself is no setting."""

    url: str
    kind: Platform = Platform.BOOKED  # in whose way it is asked, and in whose words it answers
    token_variable: str  # name of the environment's variable that holds the secret
    api_version: str = ""  # of Shopify
    allow_private: bool = False  # addresses of private networks and of this machine
    allow_http: bool = False

    def __str__(self) -> str:
        """Say it in few words, as `booked apply` shows it."""
        return f"{self.url} ({self.kind.value})"


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
    source: Platform = Platform.BOOKED
    event_sources: tuple[str, ...] = ()  # CloudEvents sources that are this shop
    topics: tuple[str, ...] = ()  # topics that carry this shop's orders alone, all kinds
    paid_statuses: tuple[str, ...] = ()  # of a platform; empty: the platform's default
    cancelled_statuses: tuple[str, ...] = ()
    reference_pattern: str = "{order_id}"
    customer_name_match: NameMatch = NameMatch.WITHOUT_EMAIL
    update_customers: bool = True
    default_customer_id: str = ""  # a contact of the ledger
    default_customer_for: DefaultCustomerFor = DefaultCustomerFor.GUESTS
    items_by_sku: bool = False
    tax_overrides: tuple[TaxOverride, ...] = ()
    accounts: tuple[AccountRow, ...] = ()
    methods: tuple[MethodRow, ...] = ()
    rounding_line_units_per_document: int = 5  # bound on a labelled adjustment, in minor units
    vat_tolerance_units: int = 0  # minor units that VAT of one rate may differ by: 0 or 1
    discount_label: str = "Discount"
    shipping_label: str = "Shipping"
    rounding_label: str = "Rounding"
    invoice_date: InvoiceDate = InvoiceDate.PAID
    invoice_number: str = ""  # template; empty: the ledger counts
    notes: str = ""  # template
    terms: str = ""  # template: the terms and conditions at the foot
    payment_terms: int = 0  # days; 0 = due on the day of the invoice
    payments: tuple[PaymentRow, ...] = ()
    salesperson: str = ""  # template
    template_id: str = ""  # template: the ledger's id of a layout for print
    custom_fields: tuple[CustomField, ...] = ()
    shipping_address: ShippingAddressIn = ShippingAddressIn.CONTACT
    cancelled_draft: CancelledDraft = CancelledDraft.VOID
    cancelled_sent: CancelledSent = CancelledSent.CREDIT_NOTE
    changed_sent: ChangedSent = ChangedSent.PARK
    refund_on_draft: RefundOnDraft = RefundOnDraft.CORRECT
    deleted_in_ledger: DeletedInLedger = DeletedInLedger.LEAVE
    closed_period: ClosedPeriod = ClosedPeriod.PARK
    unpaid_after_booking: UnpaidAfterBooking = UnpaidAfterBooking.PARK
    refund_label: str = "Refund"
    refund_account_id: str = ""  # refunds of credit notes are recorded from this account; empty: the credit stays open
    refund_mode: str = ""  # the ledger's payment mode of such a refund; empty: others
    mark_sent: bool = False
    email_invoice: bool = False
    record_payment: bool = False
    order_list: OrderListSettings | None = None

    @property
    def templates(self) -> tuple[str, ...]:
        """Give every template of the shop: what they read is content of its orders."""
        rows = [*(row.account_id for row in self.accounts), *(row.value for row in self.custom_fields)]
        rows += [text for row in self.methods for text in (row.item_id, row.account_id, row.label)]
        heads = (self.invoice_number, self.notes, self.terms, self.salesperson, self.template_id)
        return tuple(text for text in (*heads, *rows) if text)
