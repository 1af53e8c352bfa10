"""How a WooCommerce order was paid, in money, gift cards and store credit, and what was given back."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from consumer.domain.events import EventKind
from consumer.sources.woocommerce.payload import (
    NAME_CHARACTERS_MAX,
    ZERO,
    Row,
    amount,
    decimal,
    first_text,
    id_text,
    mapping,
    metas,
    moment,
    rows,
    text,
    told,
    written,
)


@dataclass(frozen=True, slots=True)
class Credit:
    """A gift card or store credit that was used."""

    kind: str
    code: str
    amount: Decimal


def credits_used(order: Row, missing: Decimal, play: Decimal) -> tuple[Credit, ...]:
    """Give the gift cards and credit that lowered the total; ``missing`` is what the total lacks of the charges.

    Plugins differ in whether a card is off the total, or off the lines already like a coupon. The order's own figures
    tell: only cards that come to what is missing count, give or take the ``play`` that REST's rounding left in it.
    """
    sources = [tuple(source) for source in (_cards(order), _yith(order), _smart_coupons(order), _contributions(order))]
    every = tuple(credit for source in sources for credit in source)
    return next((found for found in (*sources, every) if found and abs(_sum(found) - missing) <= play), ())


def _sum(found: tuple[Credit, ...]) -> Decimal:
    return sum((credit.amount for credit in found), ZERO)


def _cards(order: Row) -> Iterator[Credit]:
    """Read the cards of WooCommerce Gift Cards and of PW Gift Cards, which have lists of their own."""
    for name in ("gift_cards", "pw_gift_cards", "pw_gift_card_lines", "gift_card_lines"):
        for at, row in enumerate(rows(order.get(name))):
            yield Credit("gift_card", first_text(row.get("code"), row.get("card_number")), _amount(row, name, at))


def _amount(row: Row, name: str, at: int) -> Decimal:
    return abs(amount(row, "amount", f"{name}[{at}]"))


def _yith(order: Row) -> Iterator[Credit]:
    yield from _by_code(metas(order).get("_ywgc_applied_gift_cards"), "gift_card")


def _contributions(order: Row) -> Iterator[Credit]:
    yield from _by_code(metas(order).get("smart_coupons_contribution"), "store_credit")


def _by_code(value: object, kind: str) -> Iterator[Credit]:
    for code, used in mapping(value).items():
        found = decimal(used, f"meta_data.{code}")
        if found:
            yield Credit(kind, text(code), abs(found))


def _smart_coupons(order: Row) -> Iterator[Credit]:
    for at, row in enumerate(rows(order.get("coupon_lines"))):
        data = mapping(metas(row).get("coupon_data"))
        if "smart_coupon" in (text(row.get("discount_type")), text(data.get("discount_type"))):
            place = f"coupon_lines[{at}]"
            off = amount(row, "discount", place) + amount(row, "discount_tax", place)
            yield Credit("store_credit", text(row.get("code")), abs(off))


def payments(order: Row, kind: EventKind, total: Decimal, used: tuple[Credit, ...]) -> list[dict[str, Any]]:
    """Give the payments: the cards and credit, and of a paid order its money."""
    found = [told(kind=credit.kind, amount=written(credit.amount), reference=credit.code) for credit in used]
    details = mapping(order.get("payment_details"))
    method = first_text(
        order.get("payment_method_title"),
        order.get("payment_method"),
        details.get("method_title"),
        details.get("method_id"),
        characters_max=NAME_CHARACTERS_MAX,
    )
    if kind is EventKind.PAID and method and total > 0:
        money = told(
            method=method,
            kind="money",
            amount=written(total),
            paid_at=moment(order, "date_paid", "paid_at"),
            reference=first_text(
                order.get("transaction_id"), details.get("transaction_id"), characters_max=NAME_CHARACTERS_MAX
            ),
        )
        found.append(money)
    return found


def refunds(order: Row) -> list[dict[str, Any]]:
    """Give what was given back, positive and with tax: WooCommerce states it below zero."""
    found = []
    for at, row in enumerate(rows(order.get("refunds"))):
        refund_id = id_text(row.get("id"))
        given = decimal(row.get("total", row.get("amount")), f"refunds[{at}].total")
        if refund_id and given is not None:
            found.append(
                told(
                    id=refund_id,
                    amount=written(abs(given)),
                    reason=first_text(row.get("reason"), row.get("refund"), characters_max=NAME_CHARACTERS_MAX),
                    created_at=moment(row, "date_created", "created_at"),
                )
            )
    return found
