"""What was sold and what was charged: lines, discounts, shipping, fees, payments and refunds of an order.

Amounts are in the order's currency. "With tax exactly when `prices_include_tax` says so" means the line's own value
where the line has one, else the order's.

Lists fail fast: a message of 1 MiB holds some 300,000 wrong entries, and telling of each takes seconds.
"""

from typing import Annotated, Literal

from pydantic import FailFast, Field

from schemas.fields import Flag, Id, Name, NullIsEmpty, Part, Prose, Time, Word
from schemas.money import Amount, Quantity, Rate

LINES_MAX = 1_000


class Tax(Part):
    """One tax on a line, on shipping or on a fee."""

    rate: Rate = Field(description='Percent, as a decimal string: "22", "5.5".')
    name: Name | None = Field(None, description="What the shop calls it: VAT 22 %.")
    amount: Amount | None = Field(None, description="The tax itself, after discounts, for the whole quantity.")
    compound: Flag | None = Field(None, description="True when it is computed on the price plus the taxes before it.")


Taxes = Annotated[tuple[Tax, ...], Field(max_length=20), FailFast(), NullIsEmpty()]


class Line(Part):
    """One product line."""

    id: Id | None = Field(None, description="Id of the line within the order; refunds and discounts name it.")
    parent_id: Id | None = Field(None, description="Id of the line that this one is a part of: a bundle's children.")
    sku: Word | None = Field(None, description="The shop's article number.")
    name: Name = Field(description="What was sold, as the customer read it.")
    description: Prose | None = Field(None, description="More about it: variant, options, engraving.")
    kind: Literal["goods", "service", "digital", "gift_card", "deposit"] | None = Field(
        None, description="What is sold; it decides about tax and account. Left out: goods."
    )
    tax_class: Word | None = Field(None, description="The shop's tax class: standard, reduced, books.")
    quantity: Quantity = Field(description='How many; may be a fraction: "0.250" of kg.')
    unit: Word | None = Field(None, description="Unit of the quantity: pcs, kg, h.")
    unit_price: Amount = Field(
        description="Price of one unit before `discount`; with tax exactly when `prices_include_tax` says so."
    )
    prices_include_tax: Flag | None = Field(
        None, description="Whether this line's price and discount contain tax. Left out: the order's value."
    )
    discount: Amount | None = Field(
        None,
        description="The line's whole reduction, positive, for all units together; with tax exactly when "
        "`prices_include_tax` says so; not repeated in the order's `discounts`.",
    )
    taxes: Taxes = Field(default=(), description="Every tax on the line. Empty: the line is not taxed.")
    total: Amount | None = Field(
        None, description="The line after `discount`; with tax exactly when `prices_include_tax` says so."
    )


class Discount(Part):
    """A reduction beyond the lines' own: a coupon, a promotion on the whole order or on its shipping."""

    code: Word | None = Field(None, description="The coupon's code, as the customer typed it.")
    description: Name | None = Field(None, description="What the customer was told it is.")
    amount: Amount = Field(
        description="How much comes off, positive; with tax exactly when the order's `prices_include_tax` says so."
    )
    target: Literal["order", "shipping"] | None = Field(None, description="What it comes off. Left out: order.")
    line_ids: Annotated[tuple[Id, ...], Field(max_length=LINES_MAX), FailFast(), NullIsEmpty()] = Field(
        default=(), description="The lines that it comes off, by their ids. Empty: all lines."
    )
    before_tax: Flag | None = Field(
        None, description="False when it lowers what is paid but not the tax. Left out: true, it lowers the tax too."
    )


class Shipping(Part):
    """What sending costs; one entry per method or per tax rate."""

    method: Name | None = Field(None, description="How it is sent, as the customer read it.")
    amount: Amount = Field(
        description="Price before `discount`; with tax exactly when the order's `prices_include_tax` says so."
    )
    discount: Amount | None = Field(None, description="What comes off it, positive; same meaning of tax as `amount`.")
    taxes: Taxes = Field(default=(), description="Every tax on it.")


class Fee(Part):
    """A charge that is neither a product nor shipping."""

    name: Name | None = Field(None, description="What it is called on the order.")
    kind: Literal["fee", "tip", "surcharge", "rounding"] | None = Field(
        None,
        description="What it is for; rounding: the shop's own cash rounding, which may be negative. Left out: fee.",
    )
    amount: Amount = Field(description="With tax exactly when the order's `prices_include_tax` says so.")
    taxes: Taxes = Field(default=(), description="Every tax on it.")


class Payment(Part):
    """How the customer paid. Gift cards and store credit are payments, not discounts."""

    method: Name | None = Field(None, description="Name of the way of paying: ideal, card, cash.")
    kind: Literal["money", "gift_card", "store_credit"] | None = Field(
        None, description="What was paid with. Left out: money."
    )
    amount: Amount = Field(description="How much, positive, in the order's currency.")
    paid_at: Time | None = Field(None, description="When it was paid.")
    reference: Name | None = Field(None, description="The payment provider's own id of it.")


class RefundLine(Part):
    """The part of a refund that belongs to one line."""

    id: Id | None = Field(None, description="The id of the order's line.")
    quantity: Quantity | None = Field(None, description="How many were taken back, positive.")
    amount: Amount | None = Field(None, description="How much was given back for them, positive and with tax.")
    taxes: Taxes = Field(default=(), description="The tax within `amount`, per tax.")


class Refund(Part):
    """Money given back. Refunds only add up: one that was sent once stays known by its id."""

    id: Id = Field(description="The shop's own id of the refund; two refunds of an order never share one.")
    amount: Amount = Field(description="The whole refund, positive and with tax.")
    created_at: Time | None = Field(None, description="When it was made.")
    lines: Annotated[tuple[RefundLine, ...], Field(max_length=LINES_MAX), FailFast(), NullIsEmpty()] = Field(
        default=(), description="What it is for, line by line. Empty: not said."
    )
    shipping: Amount | None = Field(None, description="The part of it that is shipping, positive and with tax.")
    reason: Name | None = Field(None, description="Why, in words.")


class TaxByRate(Part):
    """Net and tax of one rate over the whole order."""

    rate: Rate = Field(description="Percent.")
    net: Amount | None = Field(None, description="What the tax is computed on, without tax.")
    tax: Amount = Field(description="The tax of this rate.")


class Totals(Part):
    """The shop's own figures; they decide: a document that does not come to them is not booked."""

    subtotal: Amount | None = Field(None, description="Sum of the lines, as the shop shows it.")
    discount: Amount | None = Field(None, description="Sum of all reductions, positive, as the shop shows it.")
    shipping: Amount | None = Field(None, description="Sum of shipping, as the shop shows it.")
    fees: Amount | None = Field(None, description="Sum of the fees, as the shop shows it.")
    tax: Amount | None = Field(None, description="All taxes together.")
    tax_by_rate: Annotated[tuple[TaxByRate, ...], Field(max_length=50), FailFast(), NullIsEmpty()] = Field(
        default=(), description="Net and tax per rate; the more the shop states, the more is checked."
    )
    grand_total: Amount = Field(
        description="What the customer owes with tax, before gift cards and store credit are taken off."
    )
