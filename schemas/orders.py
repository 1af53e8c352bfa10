"""The data of `order.paid`, `order.updated` and `order.cancelled`: one order, complete, as the shop sees it now.

Strict in what a field may hold, tolerant in what else is there: a wrong type or a missing required field refuses the
message, and an unknown field is kept, counted and can be mapped. The published JSON Schemas say the same (they are
open), so a shop may add fields at any time; what it may not do is to give a known field another meaning.

A field that is left out and one that is null mean the same, nothing being said, with one exception: `cancelled_at`,
where null says in so many words that the order is not cancelled (any more).
"""

import json
from enum import StrEnum
from typing import Annotated, Any

from pydantic import FailFast, Field

from schemas.fields import Currency, Flag, Id, NullIsEmpty, Part, Prose, ShopId, Time, Version, Word
from schemas.lines import LINES_MAX, Discount, Fee, Line, Payment, Refund, Shipping, Totals
from schemas.money import ExchangeRate
from schemas.parties import Address, Customer

Lines = Annotated[tuple[Line, ...], Field(max_length=LINES_MAX), FailFast()]


class OrderKind(StrEnum):
    """What an event tells of an order."""

    PAID = "paid"
    UPDATED = "updated"
    CANCELLED = "cancelled"


class OrderFields(Part):
    """What all three kinds share."""

    shop_id: ShopId = Field(description="The shop, by the name that its settings have; no slash, no spaces.")
    order_id: Id = Field(description="The shop's own id of the order; it never changes.")
    number: Word | None = Field(None, description="The order's number as the customer knows it: A-1001.")
    status: Word | None = Field(None, description="The shop's own status; kept and shown, never decided upon.")
    version: Version | None = Field(
        None, description="Grows with every change of the order; whole number, or a string of digits."
    )
    updated_at: Time | None = Field(None, description="When the order last changed in the shop.")
    placed_at: Time | None = Field(None, description="When the customer placed it.")
    paid_at: Time | None = Field(None, description="When it was paid in full; its day is the invoice's date.")
    cancelled_at: Time | None = Field(
        None, description="When it was cancelled. null takes an earlier cancellation back; left out, it says nothing."
    )
    payment_taken_back: Flag | None = Field(
        None,
        description="The payment was taken back: a chargeback, a payment that failed after all. It holds for as long "
        "as the newest revision says it; an order that was paid again leaves it out.",
    )
    exchange_rate: ExchangeRate | None = Field(
        None, description="How much of the organisation's currency one unit of `currency` is."
    )
    prices_include_tax: Flag | None = Field(
        None,
        description="Whether unit prices, discounts, shipping and fees contain tax; a line may say otherwise for "
        "itself. Left out: false.",
    )
    customer: Customer | None = Field(None, description="Who bought.")
    billing_address: Address | None = Field(None, description="Where the invoice goes.")
    shipping_address: Address | None = Field(None, description="Where the goods go; its country decides about tax.")
    discounts: Annotated[tuple[Discount, ...], Field(max_length=200), FailFast(), NullIsEmpty()] = Field(
        default=(), description="Reductions beyond those of the lines; never one that a line holds already."
    )
    shipping: Annotated[tuple[Shipping, ...], Field(max_length=100), FailFast(), NullIsEmpty()] = Field(
        default=(), description="What sending costs."
    )
    fees: Annotated[tuple[Fee, ...], Field(max_length=200), FailFast(), NullIsEmpty()] = Field(
        default=(), description="Other charges."
    )
    payments: Annotated[tuple[Payment, ...], Field(max_length=200), FailFast(), NullIsEmpty()] = Field(
        default=(), description="How it was paid."
    )
    refunds: Annotated[tuple[Refund, ...], Field(max_length=500), FailFast(), NullIsEmpty()] = Field(
        default=(), description="Every refund so far, not only the newest."
    )
    note: Prose | None = Field(None, description="The customer's remark.")
    meta: dict[str, Any] | None = Field(
        None, description="Anything else, under names of the shop's choice; changes nothing unless a setting reads it."
    )


class OrderData(OrderFields):
    """A whole order: what `order.paid` and `order.updated` carry."""

    currency: Currency = Field(description="ISO 4217, three letters: EUR. Every amount of the order is in it.")
    lines: Lines = Field(description="What was sold; at most 1,000.")
    totals: Totals = Field(description="The shop's own figures.")


class OrderPaid(OrderData):
    """The order was paid in full."""


class OrderUpdated(OrderData):
    """The order changed, whatever changed; it need not be paid."""


class OrderCancelled(OrderFields):
    """The order was cancelled. It may be bare: ids, a revision and `cancelled_at`."""

    currency: Currency | None = Field(None, description="ISO 4217, three letters; with `lines` and `totals`.")
    lines: Annotated[Lines, NullIsEmpty()] = Field(default=(), description="What was sold; at most 1,000.")
    totals: Totals | None = Field(None, description="The shop's own figures.")


ORDER_MODELS: dict[OrderKind, type[OrderFields]] = {
    OrderKind.PAID: OrderPaid,
    OrderKind.UPDATED: OrderUpdated,
    OrderKind.CANCELLED: OrderCancelled,
}


def parse_order(content: bytes) -> OrderData:
    """Get the order back from its canonical bytes (``ReadEvent.content`` of an event that is not bare).

    Raises pydantic.ValidationError, a ValueError, if these are not such bytes.
    """
    return OrderData.model_validate(json.loads(content))
