"""What a WooCommerce order's own state says: paid, cancelled or neither, and since when."""

from typing import Any

from consumer.domain.events import EventKind
from consumer.domain.settings import ShopSettings
from consumer.sources.woocommerce.payload import Row, moment, text, told

DEFAULT_PAID = ("processing", "completed")
DEFAULT_CANCELLED = ("cancelled", "trash")
FAILED = "failed"
FOLLOWS_PAYMENT = "refunded"  # the one other status of WooCommerce's own that only a paid order comes to


def status_of(order: Row) -> str:
    """Give the status without the prefix of the database: "wc-completed" is "completed"."""
    return text(order.get("status")).lower().removeprefix("wc-")


def kind_of(order: Row, shop: ShopSettings) -> EventKind:
    """Tell the kind: cancelled before paid before updated."""
    status = status_of(order)
    if status in _statuses(shop.cancelled_statuses, DEFAULT_CANCELLED):
        return EventKind.CANCELLED
    return EventKind.PAID if status in _statuses(shop.paid_statuses, DEFAULT_PAID) else EventKind.UPDATED


def moments(order: Row, kind: EventKind) -> dict[str, Any]:
    """Give the order's times. ``cancelled_at`` is always there: null says that the order is not cancelled.

    A time of payment is told of a paid order only: an order on hold may bear one of an earlier attempt.
    """
    updated = moment(order, "date_modified", "updated_at")
    paid = _paid_at(order, kind, updated)
    fields = told(updated_at=updated, placed_at=moment(order, "date_created", "created_at"), paid_at=paid)
    return {**fields, "cancelled_at": (updated or None) if kind is EventKind.CANCELLED else None}


def payment_failed(order: Row, kind: EventKind) -> bool:
    """Tell whether the payment has come to nothing: of an order that was paid before, it was taken back."""
    return kind is EventKind.UPDATED and status_of(order) == FAILED


def _paid_at(order: Row, kind: EventKind, updated: str) -> str:
    paid = moment(order, "date_paid", "paid_at")
    if kind is EventKind.PAID:
        return paid or moment(order, "date_completed", "completed_at") or updated
    return paid if status_of(order) == FOLLOWS_PAYMENT else ""


def _statuses(own: tuple[str, ...], default: tuple[str, ...]) -> set[str]:
    return {status.strip().lower().removeprefix("wc-") for status in own or default}
