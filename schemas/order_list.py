"""The shop's own list of orders: a page of it, and the OpenAPI document for the shop's developers."""

from typing import Annotated, Any, Final

from pydantic import Field, StringConstraints
from pydantic.json_schema import models_json_schema

from schemas.fields import Part, Time
from schemas.orders import OrderData

PAGE_ORDERS_MAX: Final = 1_000
CURSOR_MAX: Final = 2_000

Cursor = Annotated[str, StringConstraints(strict=True, min_length=1, max_length=CURSOR_MAX)]


class ListedOrder(OrderData):
    """An order that was paid in full, as it stands now: the data of `order.paid`, with the time of its payment."""

    paid_at: Time = Field(description="When it was paid in full; kept when the order is cancelled or refunded.")


class OrderPage(Part):
    """One page of the list."""

    orders: tuple[ListedOrder, ...] = Field(
        max_length=PAGE_ORDERS_MAX, description="At most `limit` orders; a page may be empty and have a next one."
    )
    next_cursor: Cursor | None = Field(None, description="Asks for the next page; null or left out on the last.")


def openapi_document() -> dict[str, Any]:
    """Describe the list from the shop's side: the one request that it answers."""
    _, written = models_json_schema([(OrderPage, "validation")], ref_template="#/components/schemas/{model}")
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "A shop's order list for Booked",
            "version": "1.0.0",
            "description": "Booked asks the shop itself which orders were paid, and so finds those whose event was "
            "never published. docs/order-list.md tells what a shop has to guarantee.",
        },
        "servers": [{"url": "https://shop.example", "description": "The shop; the path is of its own choice."}],
        "paths": {"/booked/orders": {"get": _operation()}},
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": dict(sorted(written["$defs"].items())),
        },
    }


def _operation() -> dict[str, Any]:
    page = {"$ref": "#/components/schemas/OrderPage"}
    return {
        "operationId": "listPaidOrders",
        "summary": "Every order that was paid at or after a moment.",
        "security": [{"token": []}],
        "parameters": _parameters(),
        "responses": {
            "200": {
                "description": "One page.",
                "content": {"application/json": {"schema": page, "examples": {"page": {"value": EXAMPLE_PAGE}}}},
            },
            "400": {"description": "A parameter, such as a cursor, that this shop did not give or cannot read."},
            "401": {"description": "No token, or one that the shop does not know."},
            "403": {"description": "The token is known and may not read orders."},
            "429": {
                "description": "Too many questions.",
                "headers": {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "number"}}},
            },
            "503": {"description": "Not now; asked again at the next run, or after `Retry-After`."},
        },
    }


def _parameters() -> list[dict[str, Any]]:

    return [
        _parameter(
            "paid_since",
            {"type": "string", "format": "date-time"},
            "Give the orders with `paid_at` at this moment or later; UTC.",
            required=True,
        ),
        _parameter(
            "paid_until",
            {"type": "string", "format": "date-time"},
            "A hint: orders paid at this moment or later may be left out; UTC.",
        ),
        _parameter(
            "cursor",
            {"type": "string", "minLength": 1, "maxLength": CURSOR_MAX},
            "The `next_cursor` of the page before, with the other parameters as they were.",
        ),
        _parameter(
            "limit",
            {"type": "integer", "minimum": 1, "maximum": PAGE_ORDERS_MAX, "default": 100},
            "Most orders of the page; fewer are always allowed.",
        ),
    ]


def _parameter(name: str, schema: dict[str, Any], description: str, *, required: bool = False) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": required, "description": description, "schema": schema}


EXAMPLE_PAGE: Final[dict[str, Any]] = {
    "orders": [
        {
            "shop_id": "nl",
            "order_id": "9b1c2f",
            "number": "A-1001",
            "version": 3,
            "placed_at": "2026-11-20T10:14:20Z",
            "paid_at": "2026-11-20T10:15:00Z",
            "currency": "EUR",
            "prices_include_tax": True,
            "customer": {"id": "c-77", "email": "buyer@shop.example", "name": "A. Buyer"},
            "billing_address": {
                "street": "Dorpsstraat 1",
                "postal_code": "1234 AB",
                "city": "Ons Dorp",
                "country": "NL",
            },
            "lines": [
                {
                    "id": "1",
                    "sku": "MUG",
                    "name": "Mug",
                    "quantity": "2",
                    "unit_price": "12.10",
                    "taxes": [{"rate": "21"}],
                    "total": "24.20",
                }
            ],
            "totals": {"tax": "4.20", "grand_total": "24.20"},
        }
    ],
    "next_cursor": "MjAyNi0xMS0yMFQxMDoxNTowMFp8OWIxYzJm",
}
