"""Building Shopify payloads for the tests, with as few words as a sum needs, and booking what became of them."""

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

from consumer.domain.events import EventKind
from consumer.domain.ledger import LedgerCurrency, LedgerFacts, LedgerTax, TaxKind, TaxRounding
from consumer.domain.mapping import Mapped
from consumer.domain.money import minor_digits
from consumer.domain.orders import Fee, Line, Order, Shipping
from consumer.domain.settings import Platform, ShopSettings
from consumer.domain.states import Reason
from consumer.sources.own import to_order
from consumer.sources.platforms import Translated
from consumer.sources.shopify import translate
from schemas.orders import ORDER_MODELS, OrderKind
from tests.domain.order_building import FACTS, mapping_of

SHOP = ShopSettings(shop_id="muro", source=Platform.SHOPIFY)


def tax(rate: float | str, price: str, title: str = "VAT") -> dict[str, Any]:
    """Give a tax line; its rate is a fraction."""
    return {"title": title, "rate": rate, "price": price}


def item(price: str, quantity: int = 1, **more: Any) -> dict[str, Any]:
    """Give a line item; ``off`` is what a discount took off it."""
    off = more.pop("off", None)
    allocations = [] if off is None else [{"amount": off, "discount_application_index": 0}]
    given = {"id": 11, "title": "Mug", "name": "Mug", "quantity": quantity, "price": price, "total_discount": "0.00"}
    return {**given, "taxable": True, "gift_card": False, "discount_allocations": allocations, "tax_lines": [], **more}


def payload(*items: dict[str, Any], total: str, tax_total: str = "0.00", **more: Any) -> dict[str, Any]:
    """Give a paid order."""
    return {
        "id": 5001,
        "name": "#1001",
        "currency": "EUR",
        "financial_status": "paid",
        "created_at": "2026-03-14T10:00:00+01:00",
        "processed_at": "2026-03-14T10:00:05+01:00",
        "updated_at": "2026-03-14T10:01:00+01:00",
        "taxes_included": False,
        "line_items": list(items),
        "total_price": total,
        "total_tax": tax_total,
        "shipping_address": {"country_code": "DE"},
        **more,
    }


def data_of(given: dict[str, Any], shop: ShopSettings = SHOP) -> dict[str, Any]:
    """Translate, and check against the contract's own model of the kind."""
    translated = translate(given, shop)
    checked(translated)
    return translated.data


def checked(translated: Translated) -> None:
    """Check a translation against the contract."""
    ORDER_MODELS[OrderKind(EventKind(translated.kind).value)].model_validate(translated.data)


def order_of(translated: Translated) -> Order:
    """Give the domain's order, as it would be read back from the database."""
    return to_order(json.dumps(translated.data).encode(), "UTC")


def organisation(order: Order, rounding: TaxRounding) -> LedgerFacts:
    """Give an organisation that has every tax, group and currency that the order needs."""
    charges: tuple[Line | Shipping | Fee, ...] = (*order.lines, *order.shipping, *order.fees)
    rates = sorted({tax.rate for charge in charges for tax in charge.taxes})
    groups = sorted({tuple(tax.rate for tax in charge.taxes) for charge in charges if len(charge.taxes) > 1})
    taxes = [LedgerTax(tax_id=f"t{rate}", name=f"VAT {rate}", rate=rate) for rate in rates]
    taxes += [
        LedgerTax(tax_id=f"g{at}", name=f"Group {at}", rate=sum(parts, Decimal(0)), kind=TaxKind.GROUP, parts=parts)
        for at, parts in enumerate(groups)
    ]
    currency = LedgerCurrency(currency_id="1", code=order.currency, digits=minor_digits(order.currency))
    return replace(FACTS, taxes=tuple(taxes), currencies=(currency,), rounding=rounding)


def booked(given: dict[str, Any], rounding: TaxRounding = TaxRounding.PER_RATE) -> Mapped | Reason:
    """Translate, read back and map in an organisation that has what is needed."""
    translated = translate(given, SHOP)
    checked(translated)
    order = order_of(translated)
    return mapping_of(order, facts=organisation(order, rounding))
