"""What is said of an order that cannot be booked whatever its figures are: each a reason with the fix."""

from decimal import Decimal

from consumer.domain.money import ZERO
from consumer.domain.orders import Line, LineKind
from consumer.domain.states import Reason, ReasonCode
from consumer.domain.texts import plain


class RefusedError(Exception):
    """Ends the reading of an order that cannot be booked; never leaves the reading (domain/charges)."""

    def __init__(self, reason: Reason) -> None:
        """Keep the reason for parking the order."""
        super().__init__(reason.message)
        self.reason = reason


def bad_quantity(line: Line, label: str) -> Reason:
    """Refuse a quantity below zero, or of zero at a price."""
    return Reason(
        code=ReasonCode.NEGATIVE_QUANTITY,
        message=f"{label} has quantity {plain(line.quantity)}; an invoice's line needs one above 0.",
        fix="Send what was taken back as a refund, or correct the quantity, and send the order again.",
    )


def liability(line: Line, label: str) -> Reason:
    """Refuse a gift card or deposit that is sold, where the shop names no account for it."""
    what = "a gift card" if line.kind is LineKind.GIFT_CARD else "a deposit"
    return Reason(
        code=ReasonCode.NOT_SUPPORTED,
        message=f"{label} sells {what}: that is a liability and no revenue, and there is no account set for it.",
        fix=(
            f"Add a row of kind {line.kind.value} with the liability's account_id to accounts of the shop in "
            "shops.yaml and run `booked apply`; or book this order by hand and choose ignore for it."
        ),
        group_key=f"not_supported:{line.kind.value}",
    )


def line_does_not_follow(line: Line, label: str, computed: Decimal) -> Reason:
    """Refuse a line whose stated total is not that of its quantity, price and discount."""
    return Reason(
        code=ReasonCode.TOTALS_DO_NOT_FOLLOW,
        message=(
            f"{label}: {plain(line.quantity)} x {plain(line.unit_price)} less {plain(line.discount)} is "
            f"{plain(computed)}, the shop states {plain(line.total or ZERO)}."
        ),
        fix="Correct the line in the shop and send the order again.",
    )


def item_missing(line: Line, label: str) -> Reason:
    """Refuse a line without an item in the ledger, of a shop that books by items."""
    sku = f"SKU {line.sku!r}" if line.sku else "no SKU"
    return Reason(
        code=ReasonCode.ITEM_MISSING,
        message=f"{label} has {sku}; the ledger has no item for it, and the shop books by items.",
        fix="Create an item with this SKU in the ledger, or switch items_by_sku off for the shop.",
        group_key=f"item_missing:{line.sku}",
    )


def tax_would_be_lost(what: str, stated: Decimal, currency: str) -> Reason:
    """Refuse stated tax that would not be on the document; ``what`` says where, with ``{tax}`` in it."""
    return Reason(
        code=ReasonCode.TAX_WOULD_BE_LOST,
        message=what.replace("{tax}", f"{plain(stated)} {currency}"),
        fix="Send the tax rate with each line, or name a tax in the shop's tax_overrides.",
    )


def expression_failed(message: str, *, shop_id: str, setting: str) -> Reason:
    """Refuse a value of the shop's tables that is none for this order; one group per shop and setting."""
    return Reason(
        code=ReasonCode.EXPRESSION_FAILED,
        message=message,
        fix=f"Correct {setting} of the shop in shops.yaml and run `booked apply`, or correct the order.",
        group_key=f"expression_failed:{shop_id}:{setting}",
    )
