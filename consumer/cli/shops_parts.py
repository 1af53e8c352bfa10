"""The parts of the file of connections and shops, as pydantic checks them, and what they are in the domain."""

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from consumer.cli.shops_order_list import OrderListPart
from consumer.domain.expressions import template
from consumer.domain.orders import FeeKind, LineKind
from consumer.domain.settings import (
    AccountRow,
    CancelledDraft,
    CancelledSent,
    ChangedSent,
    ClosedPeriod,
    ConnectionSettings,
    CustomField,
    DefaultCustomerFor,
    DeletedInLedger,
    InvoiceDate,
    LedgerLimits,
    MethodRow,
    NameMatch,
    PaymentRow,
    Platform,
    RefundOnDraft,
    RevisionKey,
    ShippingAddressIn,
    ShopSettings,
    TaxOverride,
    UnpaidAfterBooking,
)

MINUTE_SECONDS = 60.0
_PATTERN_FIELDS = re.compile(r"\{([^{}]*)\}")

DATA_CENTERS = ("us", "eu", "in", "au", "jp", "ca", "cn", "sa", "uk", "sandbox")
LINE_KINDS = (*(kind.value for kind in LineKind), "shipping", *(kind.value for kind in FeeKind), "discount")


def _time_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        # The last for a part of a name, such as Europe, which is a folder.
        raise ValueError(f"there is no time zone {name!r}; use a name such as Europe/Amsterdam") from error
    return name


def _pattern(pattern: str) -> str:
    unknown = set(_PATTERN_FIELDS.findall(pattern)) - {"shop_id", "order_id", "number"}
    if unknown:
        raise ValueError(f"{{{min(unknown)}}} is unknown; there are {{shop_id}}, {{order_id}} and {{number}}")
    if "{order_id}" not in pattern and "{number}" not in pattern:
        raise ValueError("it needs {order_id} or {number}, else all orders would have one reference")
    return pattern


def _data_center(name: str) -> str:
    if name not in DATA_CENTERS:
        raise ValueError(f"unknown; there are {', '.join(DATA_CENTERS)}")
    return name


def _template(text: str) -> str:
    template(text)
    return text


def _number(text: str) -> str:
    if text and template(text).is_plain:
        raise ValueError("it has no expression, so all invoices would have one number; use {{ number }} in it")
    return text


def _line_kind(kind: str) -> str:
    if kind and kind not in LINE_KINDS:
        raise ValueError(f"unknown; there are {', '.join(LINE_KINDS)}")
    return kind


Template = Annotated[str, Field(max_length=2000), AfterValidator(_template)]
Country = Annotated[str, Field(pattern=r"^([A-Z]{2})?$")]
LedgerId = Annotated[str, Field(pattern=r"^[0-9]{1,30}$")]
Topic = Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,249}$")]
Status = Annotated[str, Field(min_length=1, max_length=50)]
Rows = Field(default=(), max_length=1000)


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class LimitsPart(_Part):
    """Limits of one connection; what is not given is Zoho's own."""

    calls_per_minute: Annotated[int, Field(ge=1, le=100_000)] = 100
    calls_at_once: Annotated[int, Field(ge=1, le=8)] = 4
    calls_per_day: Annotated[int, Field(ge=1, le=10_000_000)] = 1000
    burst_calls: Annotated[int, Field(ge=1, le=1000)] = 8
    people_calls: Annotated[int, Field(ge=0, le=50)] = 2
    call_deadline_seconds: Annotated[float, Field(gt=0, le=120)] = 20.0
    settle_seconds: Annotated[float, Field(ge=0, le=3600)] = 300.0
    settle_seconds_with_unique_field: Annotated[float, Field(ge=0, le=3600)] = 30.0
    look_again_seconds: Annotated[float, Field(ge=0, le=3600)] = 30.0
    window_seconds: Annotated[float, Field(gt=0, le=600)] = 60.0
    contacts_fresh_seconds: Annotated[float, Field(gt=0)] = 3600.0
    facts_fresh_seconds: Annotated[float, Field(gt=0)] = 86400.0
    watch_share: Annotated[Decimal, Field(ge=0, le=Decimal("0.5"))] = Decimal("0.02")
    reconcile_share: Annotated[Decimal, Field(ge=0, le=Decimal("0.7"))] = Decimal("0.10")

    def settings(self) -> LedgerLimits:
        """Give them as the domain has them: calls a minute become calls of the window."""
        values = self.model_dump()
        per_minute, per_day = values.pop("calls_per_minute"), values.pop("calls_per_day")
        calls = (
            max(1, int(per_minute * self.window_seconds / MINUTE_SECONDS))
            if self.window_seconds != MINUTE_SECONDS
            else per_minute
        )
        return LedgerLimits(calls_per_window=calls, daily_calls=per_day, **values)


class ConnectionPart(_Part):
    """One authorised ledger organisation."""

    data_center: Annotated[str, AfterValidator(_data_center)]
    organization_id: Annotated[str, Field(pattern=r"^[0-9]{1,20}$")] | None = None
    unique_field: Annotated[str, Field(pattern=r"^cf_[a-z0-9_]{1,90}$")] | None = None
    credit_note_unique_field: Annotated[str, Field(pattern=r"^cf_[a-z0-9_]{1,90}$")] | None = None
    negative_lines: bool = True
    limits: LimitsPart = LimitsPart()


class TaxPart(_Part):
    """One row of a shop's own tax table."""

    tax_id: LedgerId
    country: Country = ""
    rate: Decimal | None = None
    tax_class: str = ""


class AccountPart(_Part):
    """One row of a shop's table of accounts."""

    account_id: Template
    kind: Annotated[str, AfterValidator(_line_kind)] = ""
    country: Country = ""
    tax_class: str = ""


class MethodPart(_Part):
    """One row of a shop's table of shipping methods and fees."""

    name: Annotated[str, Field(min_length=1, max_length=200)]
    item_id: Template = ""
    account_id: Template = ""
    label: Template = ""


class PaymentPart(_Part):
    """One row of a shop's table of payment methods."""

    method: Annotated[str, Field(min_length=1, max_length=200)]
    payment_terms_days: Annotated[int, Field(ge=0, le=365)] | None = None
    label: Annotated[str, Field(max_length=100)] = ""
    mode: Annotated[str, Field(max_length=50)] = ""
    account_id: LedgerId | None = None


class ShopPart(_Part):
    """One source of orders."""

    connection: str | None = None
    source: Platform = Platform.BOOKED
    event_sources: Annotated[tuple[Annotated[str, Field(min_length=1, max_length=500)], ...], Field(max_length=50)] = ()
    topics: Annotated[tuple[Topic, ...], Field(max_length=20)] = ()
    paid_statuses: Annotated[tuple[Status, ...], Field(max_length=50)] = ()
    cancelled_statuses: Annotated[tuple[Status, ...], Field(max_length=50)] = ()
    name: Annotated[str, Field(max_length=200)] = ""
    automatic: bool = False
    book_from: datetime | None = None
    time_zone: Annotated[str, AfterValidator(_time_zone)] = "UTC"
    revision: RevisionKey | None = None
    reference: Annotated[str, Field(max_length=100), AfterValidator(_pattern)] = "{order_id}"
    customer_name_match: NameMatch = NameMatch.WITHOUT_EMAIL
    update_customers: bool = True
    default_customer: LedgerId | None = None
    default_customer_for: DefaultCustomerFor = DefaultCustomerFor.GUESTS
    items_by_sku: bool = False
    taxes: tuple[TaxPart, ...] = Rows
    accounts: tuple[AccountPart, ...] = Rows
    methods: tuple[MethodPart, ...] = Rows
    rounding_units_max: Annotated[int, Field(ge=0, le=100)] = 5
    vat_tolerance_units: Annotated[int, Field(ge=0, le=1)] = 0
    discount_label: Annotated[str, Field(min_length=1, max_length=100)] = "Discount"
    shipping_label: Annotated[str, Field(min_length=1, max_length=100)] = "Shipping"
    rounding_label: Annotated[str, Field(min_length=1, max_length=100)] = "Rounding"
    invoice_date: InvoiceDate = InvoiceDate.PAID
    invoice_number: Annotated[Template, AfterValidator(_number)] = ""
    notes: Template = ""
    terms: Template = ""
    payment_terms_days: Annotated[int, Field(ge=0, le=365)] = 0
    payments: tuple[PaymentPart, ...] = Rows
    salesperson: Template = ""
    template_id: Template = ""
    custom_fields: Annotated[
        dict[Annotated[str, Field(pattern=r"^cf_[a-z0-9_]{1,90}$")], Template], Field(max_length=50)
    ] = {}
    shipping_address: ShippingAddressIn = ShippingAddressIn.CONTACT
    order_list: OrderListPart | None = None
    cancelled_draft: CancelledDraft = CancelledDraft.VOID
    cancelled_sent: CancelledSent = CancelledSent.CREDIT_NOTE
    changed_sent: ChangedSent = ChangedSent.PARK
    refund_on_draft: RefundOnDraft = RefundOnDraft.CORRECT
    deleted_in_ledger: DeletedInLedger = DeletedInLedger.LEAVE
    closed_period: ClosedPeriod = ClosedPeriod.PARK
    unpaid_after_booking: UnpaidAfterBooking = UnpaidAfterBooking.PARK
    refund_label: Annotated[str, Field(min_length=1, max_length=100)] = "Refund"
    refund_account: LedgerId | None = None
    refund_mode: Annotated[str, Field(max_length=50)] = ""
    mark_sent: bool = False
    email_invoice: bool = False
    record_payment: bool = False


class ShopsFile(_Part):
    """The whole file."""

    connections: dict[Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")], ConnectionPart] = {}
    # The same rule as the contract has: a shop of another id could never receive an order.
    shops: dict[Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^/\s]+$")], ShopPart] = {}


def connection_settings(connection_id: str, part: ConnectionPart) -> ConnectionSettings:
    """Give a connection as the domain has it."""
    return ConnectionSettings(
        connection_id=connection_id,
        data_center=part.data_center,
        organization_id=part.organization_id,
        unique_field=part.unique_field,
        credit_note_unique_field=part.credit_note_unique_field,
        negative_lines=part.negative_lines,
        limits=part.limits.settings(),
    )


def _payment(row: PaymentPart) -> PaymentRow:
    return PaymentRow(
        method=row.method,
        payment_terms=row.payment_terms_days,
        label=row.label,
        mode=row.mode,
        account_id=row.account_id or "",
    )


def _book_from(part: ShopPart) -> datetime | None:
    """Give the start in UTC; without an offset it is the shop's own time."""
    start = part.book_from
    if start is not None and start.tzinfo is None:
        start = start.replace(tzinfo=ZoneInfo(part.time_zone))
    return None if start is None else start.astimezone(UTC)


def shop_settings(shop_id: str, part: ShopPart) -> ShopSettings:
    """Give a shop as the domain has it; a platform's revisions go by ``updated_at``, which both of them send."""
    return ShopSettings(
        shop_id=shop_id,
        connection_id=part.connection,
        name=part.name,
        automatic=part.automatic,
        book_from=_book_from(part),
        time_zone=part.time_zone,
        revision=part.revision or (None if part.source is Platform.BOOKED else RevisionKey.UPDATED_AT),
        source=part.source,
        event_sources=part.event_sources,
        topics=part.topics,
        paid_statuses=part.paid_statuses,
        cancelled_statuses=part.cancelled_statuses,
        reference_pattern=part.reference,
        customer_name_match=part.customer_name_match,
        update_customers=part.update_customers,
        items_by_sku=part.items_by_sku,
        default_customer_id=part.default_customer or "",
        default_customer_for=part.default_customer_for,
        tax_overrides=tuple(TaxOverride(**row.model_dump()) for row in part.taxes),
        accounts=tuple(AccountRow(**row.model_dump()) for row in part.accounts),
        methods=tuple(MethodRow(**row.model_dump()) for row in part.methods),
        vat_tolerance_units=part.vat_tolerance_units,
        rounding_line_units_per_document=part.rounding_units_max,
        discount_label=part.discount_label,
        shipping_label=part.shipping_label,
        rounding_label=part.rounding_label,
        invoice_date=part.invoice_date,
        invoice_number=part.invoice_number,
        notes=part.notes,
        terms=part.terms,
        payment_terms=part.payment_terms_days,
        payments=tuple(map(_payment, part.payments)),
        salesperson=part.salesperson,
        template_id=part.template_id,
        custom_fields=tuple(
            CustomField(api_name=name, value=value) for name, value in sorted(part.custom_fields.items())
        ),
        shipping_address=part.shipping_address,
        order_list=None if part.order_list is None else part.order_list.settings(part.source),
        cancelled_draft=part.cancelled_draft,
        cancelled_sent=part.cancelled_sent,
        changed_sent=part.changed_sent,
        refund_on_draft=part.refund_on_draft,
        deleted_in_ledger=part.deleted_in_ledger,
        closed_period=part.closed_period,
        unpaid_after_booking=part.unpaid_after_booking,
        refund_label=part.refund_label,
        refund_account_id=part.refund_account or "",
        refund_mode=part.refund_mode,
        mark_sent=part.mark_sent,
        email_invoice=part.email_invoice,
        record_payment=part.record_payment,
    )
