"""What a Shopify order's own state says: paid, cancelled or neither, and since when."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from consumer.domain.events import EventKind
from consumer.domain.settings import ShopSettings
from consumer.sources.shopify.payload import ZERO, Row, decimal, first_text, money, places, rows, text, told, written

DEFAULT_PAID = ("paid", "partially_refunded")
DEFAULT_CANCELLED = ("voided",)

_MONEY_KINDS = ("sale", "capture")
_CREDIT_KINDS = {"gift_card": "gift_card", "shopify_store_credit": "store_credit", "store_credit": "store_credit"}


def kind_of(order: Row, shop: ShopSettings) -> EventKind:
    """Tell the kind: cancelled before paid before updated."""
    status = status_of(order)
    if text(order.get("cancelled_at")) or status in _statuses(shop.cancelled_statuses, DEFAULT_CANCELLED):
        return EventKind.CANCELLED
    return EventKind.PAID if is_paid(order, shop) else EventKind.UPDATED


def is_paid(order: Row, shop: ShopSettings) -> bool:
    """Tell whether the order's financial status means paid."""
    return status_of(order) in _statuses(shop.paid_statuses, DEFAULT_PAID)


def status_of(order: Row) -> str:
    """Give the financial status in small letters; GraphQL writes it in capitals."""
    return text(order.get("financial_status")).lower()


def times(order: Row, shop: ShopSettings) -> dict[str, Any]:
    """Give the order's times. ``cancelled_at`` is there in any case: None says that the order is not cancelled."""
    changed = first_text(order.get("updated_at"), order.get("processed_at"), order.get("created_at"))
    cancelled = text(order.get("cancelled_at"))
    if not cancelled and kind_of(order, shop) is EventKind.CANCELLED:
        cancelled = changed
    return {
        **told(
            updated_at=changed,
            placed_at=first_text(order.get("created_at"), order.get("processed_at")),
            paid_at=_paid_at(order) if is_paid(order, shop) else None,
        ),
        "cancelled_at": cancelled or None,
    }


def payments(order: Row, shop: ShopSettings, currency: str) -> list[dict[str, Any]]:
    """Give how it was paid: by its transactions, else by its only gateway. Raises NotTranslatedError.

    Of several gateways without transactions nobody says how much went by each; their names are in ``meta``.
    """
    found = [
        told(
            method=text(row.get("gateway")),
            kind=_CREDIT_KINDS.get(text(row.get("gateway"))),
            amount=written(amount),
            paid_at=first_text(row.get("processed_at"), row.get("created_at")),
            reference=text(row.get("authorization")),
        )
        for row, amount in _moved(order, currency)
    ]
    names = gateways(order)
    total = money(order, "total_price") or ZERO
    if found or len(names) != 1 or total <= 0 or not is_paid(order, shop):
        return found
    return [{"method": names[0], "amount": written(total), **told(kind=_CREDIT_KINDS.get(names[0]))}]


def gateways(order: Row) -> list[str]:
    """Give the names of the ways of paying."""
    names = order.get("payment_gateway_names")
    found = [text(name) for name in names] if isinstance(names, list) else [text(order.get("gateway"))]
    return [name for name in dict.fromkeys(found) if name]


def _moved(order: Row, currency: str) -> Iterator[tuple[Row, Any]]:
    for place, row in places(order.get("transactions"), "transactions"):
        amount = decimal(row.get("amount"), f"{place}.amount")
        is_money = text(row.get("kind")) in _MONEY_KINDS and text(row.get("status")) == "success"
        if is_money and amount and text(row.get("currency")) in ("", currency):
            yield row, amount


def _paid_at(order: Row) -> str:
    """Give when the last money came; Shopify has no field for it, and ``processed_at`` is the time of the sale."""
    moments = [
        first_text(row.get("processed_at"), row.get("created_at"))
        for row in rows(order.get("transactions"))
        if text(row.get("kind")) in _MONEY_KINDS and text(row.get("status")) == "success"
    ]
    return first_text(*sorted(moments, key=_instant, reverse=True), order.get("processed_at"), order.get("created_at"))


def _instant(moment: str) -> float:
    """Order times by the instant, since summer and winter write other offsets; what is no time comes first of all."""
    try:
        read = datetime.fromisoformat(moment)
    except ValueError:
        return 0.0
    return (read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp()


def _statuses(chosen: tuple[str, ...], default: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(status.lower() for status in chosen) or default
