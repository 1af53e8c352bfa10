"""The OpenAPI document of a shop's order list is what the models say, and what the demo shop does."""

from typing import Any

import httpx
import jsonschema
import yaml

from sandbox.shop.orders_api import OrderBook, listing
from schemas import generate
from schemas.order_list import EXAMPLE_PAGE, OrderPage
from tests.schemas.samples import example

FILE = generate.GENERATED / "order-list.openapi.yaml"


def _document() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(FILE.read_text("utf-8"))
    return document


def _page_problems(page: Any) -> list[str]:
    """Validate by the published document: its schemas are those of JSON Schema 2020-12, as OpenAPI 3.1 has them."""
    document = _document()
    schema = {"$ref": "#/components/schemas/OrderPage", "components": document["components"]}
    return [error.message for error in jsonschema.Draft202012Validator(schema).iter_errors(page)]


def _references(node: Any) -> list[str]:
    if isinstance(node, dict):
        return [one for name, value in node.items() for one in ([value] if name == "$ref" else _references(value))]
    return [one for value in node for one in _references(value)] if isinstance(node, list) else []


def test_the_document_is_openapi_with_nothing_loose() -> None:
    """Every reference leads somewhere, every schema is one, and every parameter and answer is described."""
    document = _document()
    schemas = document["components"]["schemas"]
    references = _references(document)
    named = {one.removeprefix("#/components/schemas/") for one in references}
    assert {"OrderPage", "ListedOrder", "Line", "Totals", "Customer", "Address"} <= named <= set(schemas)
    for schema in schemas.values():
        jsonschema.Draft202012Validator.check_schema(schema)
    operation = document["paths"]["/booked/orders"]["get"]
    assert document["openapi"] == "3.1.0"
    assert [one["name"] for one in operation["parameters"]] == ["paid_since", "paid_until", "cursor", "limit"]
    assert set(operation["responses"]) == {"200", "400", "401", "403", "429", "503"}
    assert all(one["description"] for one in (*operation["parameters"], *operation["responses"].values()))
    assert operation["security"] == [{"token": []}]


def test_the_example_holds_by_model_and_by_document() -> None:
    """It is what a developer copies."""
    assert OrderPage.model_validate(EXAMPLE_PAGE).orders[0].order_id == "9b1c2f"
    assert _page_problems(EXAMPLE_PAGE) == []
    assert (
        _document()["paths"]["/booked/orders"]["get"]["responses"]["200"]["content"]["application/json"]["examples"][
            "page"
        ]["value"]
        == EXAMPLE_PAGE
    )


def test_a_developer_finds_mistakes_with_the_document() -> None:
    """A missing time of payment, a cursor that is a number, an order that is none: each is refused by it."""
    good = example("order.paid.full")["data"]
    assert _page_problems({"orders": [good], "next_cursor": None, "more": 1}) == []
    unpaid = {name: value for name, value in good.items() if name != "paid_at"}
    assert _page_problems({"orders": [unpaid]}) != []
    assert _page_problems({"orders": [good | {"currency": "EURO"}]}) != []
    assert _page_problems({"orders": [good], "next_cursor": 7}) != []
    assert _page_problems({"next_cursor": None}) != []
    assert _page_problems([good]) != []


async def test_the_demo_shop_answers_as_the_document_says() -> None:
    """Its pages by schema, and each refusal by its status."""
    book = OrderBook()
    for number in range(3):
        book.put(example("order.paid.full")["data"] | {"order_id": f"o-{number}"})
    asked = {"paid_since": "2020-01-01T00:00:00Z", "limit": "2"}
    async with listing(book, token="t") as url, httpx.AsyncClient(headers={"Authorization": "Bearer t"}) as client:
        first = (await client.get(url, params=asked)).json()
        second = (await client.get(url, params={**asked, "cursor": first["next_cursor"]})).json()
        refused = [
            (await client.get(url, params=params, headers=headers)).status_code
            for params, headers in (
                ({}, {}),
                ({"paid_since": "yesterday"}, {}),
                ({"paid_since": "2026-11-20T10:00:00"}, {}),
                (asked | {"limit": "0"}, {}),
                (asked | {"limit": "1001"}, {}),
                (asked | {"cursor": "x"}, {}),
                (asked, {"Authorization": "Bearer u"}),
            )
        ]
    assert _page_problems(first) == _page_problems(second) == []
    assert [len(first["orders"]), len(second["orders"]), second["next_cursor"]] == [2, 1, None]
    assert refused == [400, 400, 400, 400, 400, 400, 401]
