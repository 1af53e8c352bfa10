"""What the random orders are to be like, written down before any of them was made; a test holds the generator to it."""

from enum import StrEnum


class Feature(StrEnum):
    """What an order has; a row of the table."""

    DISCOUNT = "a discount"
    SEVERAL_RATES = "two or more VAT rates"
    FIVE_LINES = "five lines or more"
    SHIPPING_RATE = "shipping at a rate of its own"
    FINE_FIGURES = "prices of 3 or 4 decimals, or fractional quantities"
    OTHER_DECIMALS = "a currency of 0 or 3 decimals"
    SPECIAL = "gift cards, compound or several taxes"
    TAX_INSIDE = "tax inside the price"
    # Parts of the above and others, shown as rows of their own.
    LINE_DISCOUNT = "discount of a line"
    COUPON_IN_LINES = "coupon within the lines"
    COUPON_ON_ORDER = "coupon on the order"
    COUPON_OF_LINES = "coupon for some lines"
    SHIPPING_DISCOUNT = "discount on shipping"
    AFTER_TAX = "discount after tax"
    FREE_LINE = "free line or 100 % off"
    BUNDLE = "bundle with a zero-price child"
    FRACTION = "fractional quantity"
    FINE_PRICE = "price of 3 or 4 decimals"
    GIFT_SOLD = "gift card sold"
    GIFT_PAID = "paid by gift card"
    COMPOUND = "compound tax"
    TAX_GROUP = "several taxes on a line"
    FEE = "fee or tip"
    TWENTY_LINES = "twenty lines or more"


SHARES_AT_LEAST = {
    Feature.DISCOUNT: 0.40,
    Feature.SEVERAL_RATES: 0.20,
    Feature.FIVE_LINES: 0.20,
    Feature.SHIPPING_RATE: 0.15,
    Feature.FINE_FIGURES: 0.10,
    Feature.OTHER_DECIMALS: 0.10,
    Feature.SPECIAL: 0.05,
    Feature.TAX_INSIDE: 0.30,
}

# What has to come of them in an organisation whose rounding fits the shop.
BOOKED_AT_LEAST = 0.995
WITHOUT_ADJUSTMENT_AT_LEAST = 0.99
BOOKED_OF_A_FEATURE_AT_LEAST = 0.97
