"""Payloads as WooCommerce's REST interface and Shopify's webhooks write them, made up for the tests, and their senders.

Each way of telling the shop is one sender: it writes record key, value and headers as a bridge of that kind does.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.kafka_tools import producer

MOMENT = "2026-11-20T10:15:00"
LATER = "2026-11-20T12:00:00"

_SHOPIFY_TAX = {"title": "IVA", "rate": 0.22}
_WOO_LINES: Any = [
    {
        "id": 1,
        "name": "Mug",
        "product_id": 5,
        "variation_id": 0,
        "quantity": 2,
        "tax_class": "",
        "subtotal": "20.00",
        "subtotal_tax": "4.40",
        "total": "19.00",
        "total_tax": "4.18",
        "taxes": [{"id": 7, "total": "4.18", "subtotal": "4.40"}],
        "meta_data": [],
        "sku": "MUG",
        "price": 9.5,
    }
]
_WOO_TAXES: Any = [
    {
        "id": 3,
        "rate_code": "IT-VAT-1",
        "rate_id": 7,
        "label": "VAT",
        "compound": False,
        "tax_total": "4.18",
        "shipping_tax_total": "0.00",
        "rate_percent": 22,
        "meta_data": [],
    },
    {
        "id": 4,
        "rate_code": "IT-VAT-2",
        "rate_id": 8,
        "label": "VAT",
        "compound": False,
        "tax_total": "0.00",
        "shipping_tax_total": "0.50",
        "rate_percent": 10,
        "meta_data": [],
    },
]
_WOO_SHIPPING: Any = [
    {
        "id": 2,
        "method_title": "Flat rate",
        "method_id": "flat_rate",
        "total": "5.00",
        "total_tax": "0.50",
        "taxes": [{"id": 8, "total": "0.50", "subtotal": ""}],
        "meta_data": [],
    }
]
_SHOPIFY_LINES: Any = [
    {
        "id": 11,
        "title": "Mug",
        "name": "Mug",
        "sku": "MUG",
        "quantity": 1,
        "current_quantity": 1,
        "price": "12.20",
        "gift_card": False,
        "taxable": True,
        "requires_shipping": True,
        "total_discount": "0.00",
        "discount_allocations": [{"amount": "1.22", "discount_application_index": 0}],
        "tax_lines": [{**_SHOPIFY_TAX, "price": "1.98"}],
    }
]
_SHOPIFY_DISCOUNTS: Any = [
    {
        "type": "discount_code",
        "code": "TEN",
        "value": "10.0",
        "value_type": "percentage",
        "allocation_method": "across",
        "target_selection": "all",
        "target_type": "line_item",
    }
]
_SHOPIFY_SHIPPING: Any = [
    {
        "id": 12,
        "title": "Post",
        "code": "Post",
        "price": "2.44",
        "discounted_price": "2.44",
        "discount_allocations": [],
        "tax_lines": [{**_SHOPIFY_TAX, "price": "0.44"}],
    }
]


def woo_order(number: int, *, status: str = "processing", modified: str = MOMENT) -> dict[str, Any]:
    """Give an order of two mugs at 22 % and shipping at 10 %, prices net, a coupon of 1.00 on the mugs."""
    return {
        "id": number,
        "number": f"W-{number}",
        "status": status,
        "currency": "EUR",
        "version": "9.4.2",
        "prices_include_tax": False,
        "date_created": MOMENT,
        "date_created_gmt": MOMENT,
        "date_modified": modified,
        "date_modified_gmt": modified,
        "date_paid": MOMENT,
        "date_paid_gmt": MOMENT,
        "discount_total": "1.00",
        "discount_tax": "0.22",
        "shipping_total": "5.00",
        "shipping_tax": "0.50",
        "cart_tax": "4.18",
        "total": "28.68",
        "total_tax": "4.68",
        "customer_id": number,
        "payment_method": "bacs",
        "payment_method_title": "Bank",
        "billing": {
            "first_name": "Buyer",
            "last_name": str(number),
            "company": "",
            "address_1": "Via Roma 1",
            "address_2": "",
            "city": "Roma",
            "state": "RM",
            "postcode": "00100",
            "country": "IT",
            "email": f"woo-{number}@shop.example",
            "phone": "",
        },
        "shipping": {},
        "meta_data": [],
        "line_items": _WOO_LINES,
        "tax_lines": _WOO_TAXES,
        "shipping_lines": _WOO_SHIPPING,
        "fee_lines": [],
        "coupon_lines": [{"id": 9, "code": "one", "discount": "1.00", "discount_tax": "0.22", "meta_data": []}],
        "refunds": [],
    }


def shopify_order(
    number: int, *, status: str = "paid", cancelled_at: str | None = None, updated: str = MOMENT
) -> dict[str, Any]:
    """Give an order of one mug at 22 % inside its price of 12.20, shipped for 2.44, with 10 % off the mug."""
    return {
        "id": number,
        "name": f"#{number}",
        "order_number": number,
        "email": f"shopify-{number}@shop.example",
        "created_at": f"{MOMENT}+00:00",
        "updated_at": f"{updated}+00:00",
        "processed_at": f"{MOMENT}+00:00",
        "cancelled_at": cancelled_at,
        "financial_status": "voided" if cancelled_at else status,
        "currency": "EUR",
        "presentment_currency": "EUR",
        "taxes_included": True,
        "subtotal_price": "10.98",
        "total_discounts": "1.22",
        "total_line_items_price": "12.20",
        "total_price": "13.42",
        "total_tax": "2.42",
        "current_total_price": "13.42",
        "current_total_tax": "2.42",
        "customer": {"id": number, "email": f"shopify-{number}@shop.example", "first_name": "Ann", "last_name": "B"},
        "billing_address": {
            "first_name": "Ann",
            "last_name": str(number),
            "address1": "Via Roma 2",
            "city": "Roma",
            "zip": "00100",
            "country_code": "IT",
            "name": f"Ann {number}",
        },
        "line_items": _SHOPIFY_LINES,
        "discount_applications": _SHOPIFY_DISCOUNTS,
        "discount_codes": [{"code": "TEN", "amount": "1.22", "type": "percentage"}],
        "shipping_lines": _SHOPIFY_SHIPPING,
        "tax_lines": [{**_SHOPIFY_TAX, "price": "2.42"}],
        "refunds": [],
        "note_attributes": [],
        "payment_gateway_names": ["shopify_payments"],
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """A bridge from a platform to Kafka: the topic, and how it tells the shop there."""

    topic: str
    headers: tuple[tuple[str, bytes], ...] = ()
    event_source: str = ""  # given: a structured CloudEvent of this source; else the bare payload

    async def send(self, kafka_servers: str, payloads: Sequence[Mapping[str, Any]]) -> None:
        """Publish and return when the broker has acknowledged all."""
        async with producer(kafka_servers) as sender:
            waits = [
                await sender.send(
                    self.topic,
                    json.dumps(self._value(one)).encode(),
                    key=str(one["id"]).encode(),
                    headers=list(self.headers),
                )
                for one in payloads
            ]
            for wait in waits:
                await wait

    def _value(self, payload: Mapping[str, Any]) -> Mapping[str, Any]:
        if not self.event_source:
            return payload
        return {
            "specversion": "1.0",
            "id": f"{payload['id']}-{len(json.dumps(payload))}",
            "source": self.event_source,
            "type": "com.platform.orders.updated",
            "data": payload,
        }
