"""A quick look at a record: whose order it is and what it amounts to, at a fraction of the intake's full reading.

A million events are compared at every first run, and nearly all of them are recorded. This look only ever spares a
record the full reading (domain.replay.holds_for_sure); whatever it cannot make out goes to the intake's own reader.
"""

import json
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from consumer.domain.orders import OrderKey
from consumer.domain.replay import Glimpse
from consumer.ports.events import Record

_DAY_CHARACTERS = 10  # YYYY-MM-DD
_BYTES_MAX = 1024 * 1024  # what is larger is refused by the reader, and is not parsed here


def glimpse(record: Record) -> Glimpse | None:
    """Look at a record of our own contract; None where a quick look cannot make it out. Never raises."""
    value = record.value
    if value is None or len(value) > _BYTES_MAX:
        return None
    try:
        data = json.loads(value, parse_float=Decimal)
    except (ValueError, RecursionError):
        return None
    data = _data_of(data)
    shop_id, order_id = data.get("shop_id"), data.get("order_id")
    if type(shop_id) is not str or type(order_id) is not str:
        return None
    version, currency = data.get("version"), data.get("currency")
    return Glimpse(
        key=OrderKey(shop_id, order_id),
        version=version if type(version) is int else None,
        currency=currency if type(currency) is str else "",
        amount=_amount(data.get("totals")),
        day=_day(data.get("paid_at")),
    )


def day_of_record(record: Record) -> str:
    """Give the day on which a record came, in UTC."""
    return datetime.fromtimestamp(max(0, record.time_ms) / 1000, UTC).date().isoformat()


def _data_of(data: Any) -> dict[str, Any]:
    if type(data) is not dict:
        return {}
    inner = data.get("data")
    return inner if type(inner) is dict and "specversion" in data else data


def _amount(totals: Any) -> Decimal | None:
    told = totals.get("grand_total") if type(totals) is dict else None
    if not isinstance(told, str | int | Decimal):
        return None
    try:
        amount = Decimal(told)
    except InvalidOperation:
        return None
    return amount if amount.is_finite() else None


def _day(told: Any) -> str:
    if type(told) is not str:
        return ""
    try:
        return date.fromisoformat(told[:_DAY_CHARACTERS]).isoformat()
    except ValueError:
        return ""
