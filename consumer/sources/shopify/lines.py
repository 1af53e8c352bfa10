"""The line items and shipping lines of a Shopify order, as it was sold."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from consumer.sources.platforms import NotTranslatedError
from consumer.sources.shopify.payload import (
    NAME_CHARACTERS_MAX,
    PROSE_CHARACTERS_MAX,
    ZERO,
    Row,
    decimal,
    first_text,
    id_text,
    mapping,
    money,
    places,
    rows,
    text,
    told,
    written,
)
from consumer.sources.shopify.taxes import TaxLine, charged, tax_lines

_PROPERTIES_MAX = 20
_TIP_KEYS = ("tip", "tip_payment_gateway", "tip_payment_method")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sold:
    """One charge of the order: a line item, or shipping as one piece.

    ``discount`` is what Shopify allocated to it, else its own reduction (``total_discount``); ``own_discount`` is the
    latter. ``current_quantity`` is what is left after edits and refunds, None where the version does not tell.
    """

    id: str
    words: Mapping[str, Any]
    quantity: Decimal
    current_quantity: Decimal | None
    price: Decimal
    discount: Decimal
    own_discount: Decimal
    taxes: tuple[TaxLine, ...]
    is_tip: bool = False
    is_removed: bool = False
    tax_amounts_hold: bool = True

    @property
    def net(self) -> Decimal:
        """Give what it costs after its discount; with tax exactly when the order's prices include it."""
        return self.quantity * self.price - self.discount

    def line(self) -> dict[str, Any]:
        """Give it as a line of the contract."""
        return {
            **self.words,
            "quantity": written(self.quantity),
            "unit_price": written(self.price),
            **told(discount=written(self.discount) if self.discount else None, taxes=self._taxes()),
        }

    def shipping(self) -> dict[str, Any]:
        """Give it as shipping of the contract."""
        discount = written(self.discount) if self.discount else None
        return {"amount": written(self.price), **self.words, **told(discount=discount, taxes=self._taxes())}

    def fee(self, kind: str) -> dict[str, Any]:
        """Give it as a fee of the contract, less its discount."""
        return {
            "name": self.words.get("name", ""),
            "kind": kind,
            "amount": written(self.net),
            **told(taxes=self._taxes()),
        }

    def _taxes(self) -> list[dict[str, Any]]:
        return [tax.wire(with_amount=self.tax_amounts_hold) for tax in charged(self.taxes, self.net)]


def sold_lines(order: Row) -> tuple[Sold, ...]:
    """Read the line items. Raises NotTranslatedError where a figure is none."""
    found = tuple(_line(row, place) for place, row in places(order.get("line_items"), "line_items"))
    if any(line.taxes for line in found):
        return found
    return _taxed_by_order(found, order)


def shipping_lines(order: Row) -> tuple[Sold, ...]:
    """Read the shipping lines, also those that an edit removed. Raises NotTranslatedError where a figure is none."""
    value = order.get("shipping_lines")
    if not isinstance(value, list) and isinstance(order.get("shipping_line"), Mapping):
        value = [order["shipping_line"]]  # checkouts and drafts have one, in a field of its own
    return tuple(_shipping(row, place) for place, row in places(value, "shipping_lines"))


def allocated(row: Row, place: str) -> Decimal:
    """Sum what discounts were allocated to a line. Raises NotTranslatedError."""
    found = places(row.get("discount_allocations"), f"{place}.discount_allocations")
    return sum((money(part, "amount", where) or ZERO for where, part in found), ZERO)


def _line(row: Row, place: str) -> Sold:
    own = money(row, "total_discount", place) or ZERO
    if not own:
        own = money(mapping(row.get("applied_discount")), "amount", f"{place}.applied_discount") or ZERO
    return Sold(
        id=id_text(row.get("id")),
        words=_words(row, place),
        quantity=_quantity(row, place),
        current_quantity=decimal(row.get("current_quantity"), f"{place}.current_quantity"),
        price=_price(row, place),
        discount=allocated(row, place) or own,
        own_discount=own,
        taxes=tax_lines(row.get("tax_lines"), place),
        is_tip=_is_tip(row),
    )


def _price(row: Row, place: str) -> Decimal:
    price = money(row, "price", place)
    if price is None:
        raise NotTranslatedError(f"{place} has no price")
    return price


def _quantity(row: Row, place: str) -> Decimal:
    quantity = decimal(row.get("quantity"), f"{place}.quantity")
    if quantity is None:
        raise NotTranslatedError(f"{place} has no quantity")
    return quantity


def _words(row: Row, place: str) -> dict[str, Any]:
    names = (row.get("name"), _titles(row), row.get("sku"))
    return {
        "name": first_text(*names, characters_max=NAME_CHARACTERS_MAX) or place,
        **told(
            id=id_text(row.get("id")),
            sku=text(row.get("sku")),
            description=_properties(row),
            kind="gift_card" if row.get("gift_card") is True else "",
            # What the tax service calls the class of goods: a shop's own tax table may name it.
            tax_class=text(row.get("tax_code")),
        ),
    }


def _titles(row: Row) -> str:
    titles = (text(row.get("title"), NAME_CHARACTERS_MAX), text(row.get("variant_title"), NAME_CHARACTERS_MAX))
    return " - ".join(title for title in titles if title and title != "Default Title")


def _properties(row: Row) -> str:
    """Give what the buyer chose or had engraved; names with an underscore are an app's own and not for readers."""
    found = [
        (text(part.get("name")), text(part.get("value"), NAME_CHARACTERS_MAX)) for part in rows(row.get("properties"))
    ]
    shown = [f"{name}: {value}" for name, value in found if name and value and not name.startswith("_")]
    return "\n".join(shown[:_PROPERTIES_MAX])[:PROSE_CHARACTERS_MAX]


def _is_tip(row: Row) -> bool:
    """Tell a tip: its two fields are on tips only, though null where the gateway is not known."""
    if any(row.get(key) for key in _TIP_KEYS):
        return True
    may_be = row.get("product_id") is None and row.get("taxable") is not True and row.get("gift_card") is not True
    return may_be and (text(row.get("title")) == "Tip" or ("tip_payment_gateway" in row and "variant_id" in row))


def _shipping(row: Row, place: str) -> Sold:
    price = money(row, "price", place) or ZERO
    discounted = money(row, "discounted_price", place)
    # Payloads before allocations were there tell a discount on shipping only by its lower price.
    discount = allocated(row, place) or (ZERO if discounted is None else price - discounted)
    return Sold(
        id=id_text(row.get("id")),
        words=told(method=first_text(row.get("title"), row.get("code"), characters_max=NAME_CHARACTERS_MAX)),
        quantity=Decimal(1),
        current_quantity=None,
        price=price,
        discount=discount,
        own_discount=ZERO,
        taxes=tax_lines(row.get("tax_lines"), place),
        is_removed=row.get("is_removed") is True,
    )


def _taxed_by_order(lines: Sequence[Sold], order: Row) -> tuple[Sold, ...]:
    """Give lines of old payloads, which state no tax, the rates of the order where they are taxable."""
    taxes = tuple(
        TaxLine(name=tax.name, rate=tax.rate, amount=None) for tax in tax_lines(order.get("tax_lines"), "") if tax.rate
    )
    if not taxes or any(row.get("tax_lines") for row in rows(order.get("shipping_lines"))):
        return tuple(lines)
    taxable = [row.get("taxable") is not False for row in rows(order.get("line_items"))]
    return tuple(
        replace(line, taxes=taxes) if is_taxable else line for line, is_taxable in zip(lines, taxable, strict=True)
    )
