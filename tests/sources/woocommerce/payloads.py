"""Building WooCommerce payloads for the tests, with as few words as a sum needs, and booking what became of them."""

import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
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
from consumer.sources.woocommerce import translate
from schemas.orders import ORDER_MODELS, OrderKind
from tests.domain.order_building import FACTS, mapping_of

SHOP = ShopSettings(shop_id="woo", source=Platform.WOOCOMMERCE, time_zone="Europe/Rome")
DATA = Path(__file__).resolve().parents[4] / "shared" / "data"


def item(total: str, *taxes: tuple[int, str], quantity: int = 1, **more: Any) -> dict[str, Any]:
    """Give a line; each tax is the id of its rate and its amount, and ``total`` is without them."""
    tax = str(sum((Decimal(amount) for _, amount in taxes), Decimal(0)))
    stated = [{"id": tax_id, "total": amount, "subtotal": amount} for tax_id, amount in taxes]
    given = {"id": 11, "name": "Mug", "quantity": quantity, "sku": "MUG", "subtotal": total, "subtotal_tax": tax}
    return {**given, "total": total, "total_tax": tax, "taxes": stated, "meta_data": [], **more}


def charge(total: str, *taxes: tuple[int, str], name: str = "Parcel") -> dict[str, Any]:
    """Give a shipping line or a fee."""
    tax = str(sum((Decimal(amount) for _, amount in taxes), Decimal(0)))
    stated = [{"id": tax_id, "total": amount} for tax_id, amount in taxes]
    return {"id": 21, "method_title": name, "name": name, "total": total, "total_tax": tax, "taxes": stated}


def tax_line(rate_id: int, percent: float | None, tax: str, shipping: str = "0.00", **more: Any) -> dict[str, Any]:
    """Give a tax line of the order."""
    given = {"rate_id": rate_id, "label": "VAT", "compound": False, "tax_total": tax, "shipping_tax_total": shipping}
    return {**given, **({} if percent is None else {"rate_percent": percent}), **more}


def payload(*items: dict[str, Any], total: str, tax: str = "0.00", **more: Any) -> dict[str, Any]:
    """Give a paid order."""
    return {
        "id": 727,
        "number": "727",
        "status": "processing",
        "currency": "EUR",
        "date_created_gmt": "2026-03-14T09:00:00",
        "date_modified_gmt": "2026-03-14T09:02:00",
        "date_paid_gmt": "2026-03-14T09:01:00",
        "prices_include_tax": False,
        "line_items": list(items),
        "total": total,
        "total_tax": tax,
        "billing": {"country": "IT", "email": "one@example.com"},
        **more,
    }


def data_of(given: dict[str, Any], shop: ShopSettings = SHOP) -> dict[str, Any]:
    """Translate, and check against the contract's own model of the kind."""
    return checked(translate(given, shop)).data


def checked(translated: Translated) -> Translated:
    """Check a translation against the contract."""
    ORDER_MODELS[OrderKind(EventKind(translated.kind).value)].model_validate(translated.data)
    return translated


def organisation(order: Order, rounding: TaxRounding) -> LedgerFacts:
    """Give an organisation that has every tax, group and currency that the order needs."""
    charges: tuple[Line | Shipping | Fee, ...] = (*order.lines, *order.shipping, *order.fees)
    rates = sorted({tax.rate for one in charges for tax in one.taxes})
    groups = sorted({(_whole_rate(one), tuple(tax.rate for tax in one.taxes)) for one in charges if len(one.taxes) > 1})
    taxes = [LedgerTax(tax_id=f"t{rate}", name=f"VAT {rate}", rate=rate) for rate in rates]
    taxes += [
        LedgerTax(tax_id=f"g{at}", name=f"Group {at}", rate=rate, kind=TaxKind.GROUP, parts=parts)
        for at, (rate, parts) in enumerate(groups)
    ]
    currency = LedgerCurrency(currency_id="1", code=order.currency, digits=minor_digits(order.currency))
    return replace(FACTS, taxes=tuple(taxes), currencies=(currency,), rounding=rounding)


def _whole_rate(one: Line | Shipping | Fee) -> Decimal:
    """Give the rate of a group; a compound member lies on the others: 5 % and 8.5 % are 13.925 %."""
    plain = sum((tax.rate for tax in one.taxes if not tax.compound), Decimal(0))
    compound = sum((tax.rate for tax in one.taxes if tax.compound), Decimal(0))
    return plain + compound + plain * compound / 100


def booked(given: dict[str, Any], rounding: TaxRounding = TaxRounding.PER_RATE) -> Mapped | Reason:
    """Translate, read back and map in an organisation that has what is needed."""
    order = to_order(json.dumps(checked(translate(given, SHOP)).data).encode(), "Europe/Rome")
    return mapping_of(order, facts=organisation(order, rounding))
