"""One Shopify order becomes one of our contract: the adapter's entry. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from consumer.domain.events import EventKind
from consumer.domain.settings import ShopSettings
from consumer.sources.platforms import NotTranslatedError, Translated
from consumer.sources.shopify.edits import Invoiced, invoiced, stated
from consumer.sources.shopify.extras import Parts, readings, settled
from consumer.sources.shopify.lines import shipping_lines, sold_lines
from consumer.sources.shopify.parties import address, customer
from consumer.sources.shopify.payload import (
    PROSE_CHARACTERS_MAX,
    ZERO,
    Row,
    first_text,
    id_text,
    mapping,
    money,
    rows,
    set_money,
    text,
    told,
    written,
)
from consumer.sources.shopify.refunds import refund_records
from consumer.sources.shopify.standing import gateways, kind_of, payments, status_of, times
from consumer.sources.shopify.taxes import by_rate, shared_out, stated_tax, tax_lines

_CURRENCY = re.compile(r"[A-Za-z]{3}")
_META_ROWS_MAX = 50
_META_CHARACTERS_MAX = 500
_META_WORDS = (
    "source_name", "app_id", "cancel_reason", "po_number", "financial_status", "fulfillment_status", "tags",
    "confirmation_number", "presentment_currency", "location_id", "user_id", "merchant_of_record_app_id",
)  # fmt: skip


def translate(payload: Mapping[str, Any], shop: ShopSettings) -> Translated:
    """Put an order of Shopify's Admin REST API or webhooks into the words of the contract.

    Raises NotTranslatedError where the payload is no order, or one of its figures no figure. An order whose figures
    contradict each other is given as it stands: the mapping parks it with both figures.
    """
    order = _order(payload)
    kind = kind_of(order, shop)
    currency = _currency(order)
    total = _total(order)
    includes_tax = order.get("taxes_included") is True
    figures = stated(order, total=total, includes_tax=includes_tax)
    lines, shipping = sold_lines(order), shipping_lines(order)
    parts = settled(
        readings(order, lines, shipping, tax_on_top=ZERO if includes_tax else figures.tax or _line_tax(order)), total
    )
    records = refund_records(order, currency, includes_tax=includes_tax)
    invoice = invoiced(figures, parts, records, is_cancelled=kind is EventKind.CANCELLED)
    data = {
        **_head(order, shop, currency),
        "prices_include_tax": includes_tax,
        **_charges(_with_sure_taxes(order, invoice)),
        **told(
            payments=payments(order, shop, currency),
            refunds=[record.refund({line.id: line for line in lines}) for record in invoice.refunds],
        ),
        "totals": _totals(order, invoice),
        "meta": _meta(order, invoice),
    }
    return Translated(kind=kind, data=data)


def _order(payload: Mapping[str, Any]) -> Row:
    """Unwrap the answer of ``GET /orders/<id>.json``, and check that it is an order at all."""
    order = mapping(payload)
    if "line_items" not in order and isinstance(order.get("order"), Mapping):
        order = mapping(order["order"])
    missing = [
        name
        for name, is_there in (
            ("id", id_text(order.get("id"))),
            ("line_items", isinstance(order.get("line_items"), list)),
            ("total_price", order.get("total_price", order.get("total_price_set")) is not None),
            ("updated_at", first_text(order.get("updated_at"), order.get("processed_at"), order.get("created_at"))),
        )
        if not is_there
    ]
    if missing:
        raise NotTranslatedError(
            f"the payload is no Shopify order: it has no usable {', '.join(missing)}; "
            "send whole orders, as orders/create, orders/paid, orders/updated and orders/cancelled have them"
        )
    return order


def _currency(order: Row) -> str:
    """Give the currency of the shop's books; what the buyer was shown may be in another (presentment_currency)."""
    shop_money = mapping(mapping(order.get("total_price_set")).get("shop_money"))
    currency = first_text(order.get("currency"), shop_money.get("currency_code"))
    if not _CURRENCY.fullmatch(currency):
        raise NotTranslatedError(f"currency should be three letters such as EUR, and is {currency[:20]!r}")
    return currency.upper()


def _total(order: Row) -> Decimal:
    total = money(order, "total_price")
    if total is None:
        raise NotTranslatedError("total_price is empty; send the whole order")
    return total


def _line_tax(order: Row) -> Decimal:
    """Sum the tax of the lines, of a payload that does not state its sum."""
    found = [
        tax
        for name in ("line_items", "shipping_lines")
        for row in rows(order.get(name))
        for tax in tax_lines(row.get("tax_lines"), name)
    ]
    return stated_tax(found)


def _head(order: Row, shop: ShopSettings, currency: str) -> dict[str, Any]:
    return {
        "shop_id": shop.shop_id,
        "order_id": id_text(order.get("id")),
        "currency": currency,
        **times(order, shop),
        **told(
            number=first_text(order.get("name"), order.get("order_number"), order.get("number")),
            status=status_of(order),
            customer=customer(order),
            billing_address=address(order.get("billing_address")),
            shipping_address=address(order.get("shipping_address")),
            note=text(order.get("note"), PROSE_CHARACTERS_MAX),
        ),
    }


def _with_sure_taxes(order: Row, invoice: Invoiced) -> Parts:
    """Leave out the tax amounts of lines that only share out the order's tax, where the order tells it per rate."""
    if not invoice.as_sold or not _tax_by_rate(order, invoice):
        return invoice.parts
    includes_tax = order.get("taxes_included") is True
    lines, shipping = (
        tuple(
            replace(one, tax_amounts_hold=not shared_out(one.taxes, one.net, includes_tax=includes_tax)) for one in sold
        )
        for sold in (invoice.parts.lines, invoice.parts.shipping)
    )
    return replace(invoice.parts, lines=lines, shipping=shipping)


def _charges(parts: Parts) -> dict[str, Any]:
    tips = [line.fee("tip") for line in parts.lines if line.is_tip]
    return {
        "lines": [line.line() for line in parts.lines if not line.is_tip],
        **told(
            shipping=[sold.shipping() for sold in parts.shipping],
            fees=[*tips, *(extra.fee() for extra in parts.extras)],
            discounts=[coupon.discount() for coupon in parts.coupons],
        ),
    }


def _totals(order: Row, invoice: Invoiced) -> dict[str, Any]:
    """Give the shop's figures; the parts of the total only where they are those of the sale."""
    grand_total = {"grand_total": written(_doubted(order, invoice))}
    tax = None if invoice.tax is None else written(invoice.tax)
    if not invoice.as_sold:
        return {**grand_total, **told(tax=tax)}
    return {
        **grand_total,
        **told(
            tax=tax,
            tax_by_rate=_tax_by_rate(order, invoice),
            subtotal=_written(money(order, "subtotal_price")),
            discount=_written(money(order, "total_discounts")),
            shipping=_written(set_money(order, "total_shipping_price_set")),
        ),
    }


def _doubted(order: Row, invoice: Invoiced) -> Decimal:
    """Give the total; of two that the order states, the one that its parts do not give, so that it parks."""
    other = set_money(order, "total_price_set")
    if not invoice.as_sold or other is None or other == invoice.grand_total:
        return invoice.grand_total
    return other if invoice.parts.total == invoice.grand_total else invoice.grand_total


def _tax_by_rate(order: Row, invoice: Invoiced) -> Sequence[dict[str, Any]]:
    """Give the order's own tax per rate, unless only the lines' taxes, and not it, add up to the order's tax."""
    taxes = tax_lines(order.get("tax_lines"), "")
    on_lines = _line_tax(order)
    if invoice.tax is None or (stated_tax(taxes) != invoice.tax and on_lines == invoice.tax):
        return []
    return by_rate(taxes)


def _written(amount: Decimal | None) -> str | None:
    return None if amount is None else written(amount)


def _meta(order: Row, invoice: Invoiced) -> dict[str, Any]:
    """Keep what a setting may want to read, within bounds."""
    attributes = {
        text(row.get("name")): text(row.get("value"), _META_CHARACTERS_MAX)
        for row in rows(order.get("note_attributes"))[:_META_ROWS_MAX]
        if text(row.get("name"))
    }
    codes = [text(row.get("code")) for row in rows(order.get("discount_codes"))[:_META_ROWS_MAX]]
    return told(
        **{name: text(order.get(name), _META_CHARACTERS_MAX) for name in _META_WORDS},
        test=True if order.get("test") is True else None,
        note_attributes=attributes,
        discount_codes=[code for code in codes if code],
        payment_gateway_names=gateways(order)[:_META_ROWS_MAX],
        total_price=None if invoice.as_sold else text(order.get("total_price")),
        current_total_price=None if invoice.as_sold else text(order.get("current_total_price")),
    )
