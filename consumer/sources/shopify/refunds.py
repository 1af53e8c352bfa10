"""Refund records of a Shopify order: money given back, goods come back, or lines removed by an edit.

Shopify writes a refund record for all three. What moved money has a transaction. Of those that moved none, one whose
lines are of type ``return`` tells that delivered goods came back; any other takes lines off the order (an edit, or a
cancellation of part of it before it was paid).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any

from consumer.sources.shopify.lines import Sold
from consumer.sources.shopify.payload import (
    NAME_CHARACTERS_MAX,
    ZERO,
    Row,
    decimal,
    id_text,
    mapping,
    money,
    places,
    rows,
    set_money,
    text,
    told,
    written,
)

_FAILED = ("failure", "error")


class RecordKind(StrEnum):
    """What a refund record tells."""

    MONEY = "money"
    RETURN = "return"
    REMOVAL = "removal"


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundedLine:
    """One line of a record; ``amount`` is with tax, ``net`` as the order's prices are."""

    line_id: str
    quantity: Decimal
    net: Decimal
    tax: Decimal
    amount: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundRecord:
    """One refund record. ``worth`` is what it takes off the order by its parts, ``paid_back`` the money, with tax."""

    id: str
    kind: RecordKind
    created_at: str
    reason: str
    lines: tuple[RefundedLine, ...]
    shipping: Decimal
    worth: Decimal
    paid_back: Decimal

    def refund(self, lines: Mapping[str, Sold]) -> dict[str, Any]:
        """Give it as a refund of the contract."""
        return {
            "id": self.id,
            "amount": written(self.paid_back),
            **told(
                created_at=self.created_at,
                reason=self.reason,
                shipping=written(self.shipping) if self.shipping > 0 else None,
                lines=[_wire(line, lines) for line in self.lines],
            ),
        }


def refund_records(order: Row, currency: str, *, includes_tax: bool) -> tuple[RefundRecord, ...]:
    """Read all records that take anything off. Raises NotTranslatedError where a figure is none."""
    records = (
        _record(row, place, currency, includes_tax=includes_tax)
        for place, row in places(order.get("refunds"), "refunds")
    )
    return tuple(record for record in records if record.id and (record.lines or record.paid_back > 0))


def of_kind(records: Iterable[RefundRecord], kind: RecordKind) -> tuple[RefundRecord, ...]:
    """Give the records of one kind."""
    return tuple(record for record in records if record.kind is kind)


def _record(row: Row, place: str, currency: str, *, includes_tax: bool) -> RefundRecord:
    lines = tuple(
        _line(part, where, includes_tax=includes_tax)
        for where, part in places(row.get("refund_line_items"), f"{place}.refund_line_items")
    )
    shipping = _shipping(row, place, includes_tax=includes_tax)
    adjusted = sum((-amount for kind, amount in _adjustments(row, place) if kind != "shipping_refund"), ZERO)
    worth = sum((line.amount for line in lines), ZERO) + shipping + adjusted
    paid_back = _paid_back(row, place, currency, worth)
    return RefundRecord(
        id=id_text(row.get("id")),
        kind=_kind(row, paid_back),
        created_at=text(row.get("processed_at")) or text(row.get("created_at")),
        reason=text(row.get("note"), NAME_CHARACTERS_MAX),
        lines=lines,
        shipping=shipping,
        worth=worth,
        paid_back=paid_back,
    )


def _line(row: Row, place: str, *, includes_tax: bool) -> RefundedLine:
    net = money(row, "subtotal", place) or ZERO
    tax = money(row, "total_tax", place) or ZERO
    return RefundedLine(
        line_id=id_text(row.get("line_item_id")) or id_text(mapping(row.get("line_item")).get("id")),
        quantity=decimal(row.get("quantity"), f"{place}.quantity") or ZERO,
        net=net,
        tax=tax,
        amount=net if includes_tax else net + tax,
    )


def _adjustments(row: Row, place: str) -> list[tuple[str, Decimal]]:
    """Give the adjustments, with tax; negative ones give back more than the lines."""
    return [
        (
            text(part.get("kind")),
            (money(part, "amount", where) or ZERO) + (money(part, "tax_amount", where) or ZERO),
        )
        for where, part in places(row.get("order_adjustments"), f"{place}.order_adjustments")
    ]


def _shipping(row: Row, place: str, *, includes_tax: bool) -> Decimal:
    """Give what was given back of shipping; from 2024-10 on it has its own list, before it was an adjustment."""
    found = ZERO
    for where, part in places(row.get("refund_shipping_lines"), f"{place}.refund_shipping_lines"):
        net = set_money(part, "subtotal_amount_set", where) or ZERO
        found += net if includes_tax else net + (set_money(part, "tax_amount_set", where) or ZERO)
    return found or sum((-amount for kind, amount in _adjustments(row, place) if kind == "shipping_refund"), ZERO)


def _paid_back(row: Row, place: str, currency: str, worth: Decimal) -> Decimal:
    """Sum the money that went back; by the record's parts where the transactions are not there or in other money."""
    if not isinstance(row.get("transactions"), list):
        return worth
    refunds = [
        (where, part)
        for where, part in places(row["transactions"], f"{place}.transactions")
        if text(part.get("kind")) == "refund" and text(part.get("status")) not in _FAILED
    ]
    if any(text(part.get("currency")) not in ("", currency) for _, part in refunds):
        return worth
    return sum((money(part, "amount", where) or ZERO for where, part in refunds), ZERO)


def _kind(row: Row, paid_back: Decimal) -> RecordKind:
    if paid_back > 0:
        return RecordKind.MONEY
    types = {text(part.get("restock_type")) for part in rows(row.get("refund_line_items"))}
    return RecordKind.RETURN if "return" in types or isinstance(row.get("return"), Mapping) else RecordKind.REMOVAL


def _wire(line: RefundedLine, lines: Mapping[str, Sold]) -> dict[str, Any]:
    sold = lines.get(line.line_id)
    taxes = [tax for tax in sold.taxes if tax.rate] if sold is not None else []
    # Of several taxes nobody says how the refunded tax is shared, and a guess would be booked as a fact.
    told_tax = [{"rate": written(taxes[0].rate), "amount": written(line.tax)}] if len(taxes) == 1 else []
    return told(id=line.line_id, quantity=written(line.quantity), amount=written(line.amount), taxes=told_tax)
