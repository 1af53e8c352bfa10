"""Good inputs, to be spoilt: our golden messages, orders as the platforms send them, a settings file, templates."""

import json
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from tests.sources.shopify import payloads as shopify
from tests.sources.shopify.test_any_json import whole as shopify_whole
from tests.sources.woocommerce import payloads as woocommerce
from tests.sources.woocommerce.test_any_json import WHOLE as WOOCOMMERCE_WHOLE

_EXAMPLES: Final = Path(__file__).resolve().parents[2] / "schemas" / "examples" / "v1"
Message = tuple[dict[str, str], Any]  # headers, and the body as JSON

SETTINGS_FILE: Final = """\
connections:
  books:
    data_center: eu
    organization_id: "60001"
    unique_field: cf_booked
    limits: {calls_per_minute: 50, calls_at_once: 3, calls_per_day: 5000}
shops:
  north:
    connection: books
    automatic: true
    book_from: 2026-03-01 00:00:00
    time_zone: Europe/Amsterdam
    revision: updated_at
    reference: "{shop_id}/{order_id}"
    notes: "Order {{ number }} {{ meta.po }}"
    taxes:
      - {tax_id: "7", country: NL, rate: 21}
  south:
    connection: books
    source: woocommerce
    topics: [south-orders]
    reference: "S-{shop_id}-{number}"
"""
TEMPLATES: Final = (
    "Order {{ number }}, {{ meta.po || 'none' }}",
    "{{ lines[?total > `10`].name | [0] }}",
    "{{ join(', ', lines[].sku) }} {{ length(lines) }}",
    "{{ customer.{a: name, b: email}.a }}",
    "{{ sort_by(lines, &name)[-1].name }} {{ sum(lines[].quantity) }}",
)
ORDER: Final[dict[str, Any]] = {
    "number": "A-1",
    "meta": {"po": "77"},
    "customer": {"name": "Ada", "email": "ada@example.com"},
    "lines": [{"name": "Mug", "sku": "M", "total": 12, "quantity": 1}, {"name": "Pot", "sku": "P", "total": 9}],
}


@lru_cache(maxsize=1)
def good_messages() -> tuple[Message, ...]:
    """Give every golden example of an order's events, and the platforms' orders with their shop told by a header."""
    found: list[Message] = []
    for file in sorted(_EXAMPLES.glob("order.*.json")):
        if "rejected" in file.name:
            continue
        body = json.loads(file.read_text(encoding="utf-8"))
        if set(body) == {"headers", "value"}:
            found.append((dict(body["headers"]), body["value"]))
        else:
            found.append(({}, body))
    found += [({"booked-shop": "shopify"}, one) for one in (shopify_whole(), _shopify_order())]
    found += [({"booked-shop": "woo"}, one) for one in (WOOCOMMERCE_WHOLE, _woocommerce_order())]
    return tuple(found)


def _shopify_order() -> dict[str, Any]:
    return shopify.payload(
        shopify.item("12.00", 2, tax_lines=[shopify.tax("0.2", "4.00")]), total="24.00", tax_total="4.00"
    )


def _woocommerce_order() -> dict[str, Any]:
    lines = [woocommerce.item("10.00", (1, "2.00"))]
    return woocommerce.payload(*lines, total="12.00", tax="2.00", tax_lines=[woocommerce.tax_line(1, 20, "2.00")])
