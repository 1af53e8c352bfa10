"""What the shop sold, as the rest of the domain sees it: one immutable order, in the words of the glossary.

Amounts are ``Decimal`` in ``Order.currency``. Whether unit prices, discounts, shipping and fees contain tax is said by
``prices_include_tax`` (the line's own value, already filled in here). Rates are percent: ``Decimal("22")``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple


class OrderKey(NamedTuple):
    """The identity of an order; sorts the way every transaction locks."""

    shop_id: str
    order_id: str

    def __str__(self) -> str:
        return f"{self.shop_id}/{self.order_id}"


class LineKind(StrEnum):
    """What a line sells; it decides about the tax and, later, the revenue account."""

    GOODS = "goods"
    SERVICE = "service"
    DIGITAL = "digital"
    GIFT_CARD = "gift_card"
    DEPOSIT = "deposit"


class FeeKind(StrEnum):
    """What a fee is for."""

    FEE = "fee"
    TIP = "tip"
    SURCHARGE = "surcharge"
    ROUNDING = "rounding"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tax:
    """One tax of a line as the shop states it; ``amount`` is missing where the shop states the rate alone."""

    rate: Decimal
    name: str = ""
    amount: Decimal | None = None
    compound: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One product line. ``discount`` is the line's whole reduction, positive; ``total`` is the line after it."""

    id: str
    name: str
    quantity: Decimal
    unit_price: Decimal
    prices_include_tax: bool
    parent_id: str = ""
    sku: str = ""
    description: str = ""
    kind: LineKind = LineKind.GOODS
    tax_class: str = ""
    unit: str = ""
    discount: Decimal = Decimal(0)
    taxes: tuple[Tax, ...] = ()
    total: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Discount:
    """A reduction beyond the lines' own, positive; ``line_ids`` empty means all lines."""

    amount: Decimal
    code: str = ""
    description: str = ""
    target: str = "order"  # order | shipping
    line_ids: tuple[str, ...] = ()
    before_tax: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Shipping:
    """What the shop asks for sending; ``discount`` is taken off it and is not in ``amount``."""

    amount: Decimal
    method: str = ""
    discount: Decimal = Decimal(0)
    taxes: tuple[Tax, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Fee:
    """A charge that is neither a product nor shipping."""

    name: str
    amount: Decimal
    kind: FeeKind = FeeKind.FEE
    taxes: tuple[Tax, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """How the customer paid; gift cards and store credit are payments, not discounts."""

    method: str
    amount: Decimal
    kind: str = "money"  # money | gift_card | store_credit
    paid_at: datetime | None = None
    reference: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundLine:
    """The part of a refund that belongs to one line; ``amount`` is positive and with tax, None where it is not said."""

    line_id: str
    quantity: Decimal | None = None
    amount: Decimal | None = None
    taxes: tuple[Tax, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Refund:
    """Money given back, positive and with tax; ``shipping`` is the part of it that is for sending."""

    id: str
    amount: Decimal
    created_at: datetime | None = None
    reason: str = ""
    lines: tuple[RefundLine, ...] = ()
    shipping: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A postal address; ``country`` is ISO 3166, two letters, or empty."""

    name: str = ""
    company: str = ""
    street: str = ""
    house_number: str = ""
    street2: str = ""
    postal_code: str = ""
    city: str = ""
    state: str = ""
    country: str = ""
    phone: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """Who bought; every field may be empty (a guest)."""

    id: str = ""
    email: str = ""
    name: str = ""
    first_name: str = ""
    last_name: str = ""
    company: str = ""
    phone: str = ""
    tax_number: str = ""
    tax_exempt: bool = False
    reverse_charge: bool = False
    language: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RateFigures:
    """Net and tax of one tax rate over a whole document."""

    rate: Decimal
    net: Decimal | None
    tax: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """The shop's own figures. ``grand_total`` is what the customer owes with tax, before gift cards and credit."""

    grand_total: Decimal
    subtotal: Decimal | None = None
    discount: Decimal | None = None
    shipping: Decimal | None = None
    fees: Decimal | None = None
    tax: Decimal | None = None
    tax_by_rate: tuple[RateFigures, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One revision of an order, complete; times are aware (the shop's time zone has been applied)."""

    key: OrderKey
    number: str
    currency: str
    lines: tuple[Line, ...]
    totals: Totals
    status: str = ""
    placed_at: datetime | None = None
    paid_at: datetime | None = None
    cancelled_at: datetime | None = None
    payment_taken_back: bool = False
    exchange_rate: Decimal | None = None
    prices_include_tax: bool = False
    customer: Customer = Customer()
    billing_address: Address = Address()
    shipping_address: Address = Address()
    discounts: tuple[Discount, ...] = ()
    shipping: tuple[Shipping, ...] = ()
    fees: tuple[Fee, ...] = ()
    payments: tuple[Payment, ...] = ()
    refunds: tuple[Refund, ...] = ()
    note: str = ""
    meta: Mapping[str, object] = field(default_factory=dict)
    # As the contract has it, unknown fields included: what a shop's expressions see. No part of what the order is.
    data: Mapping[str, object] = field(default_factory=dict, compare=False, repr=False)
