"""The shop's order list: what holds when Booked tells of an order several times, late or twice."""

import json
from decimal import Decimal
from typing import Any

from sandbox.shop.events import OrderList, Told, paid_event
from sandbox.shop.expectations import Booked, ShopOrder
from sandbox.shop.page import invoice_column

KEY = ("shop", "1")


def synced(sequence: int, state: str = "booked", **more: Any) -> bytes:
    """Give an `invoice.synced` of order 1."""
    data = {
        "shop_id": "shop",
        "order_id": "1",
        "sequence": sequence,
        "operation": "created",
        "state": state,
        "reason": None,
        "invoice": None,
        **more,
    }
    return json.dumps({"specversion": "1.0", "data": data}).encode()


def test_the_greatest_sequence_holds() -> None:
    """Told 2, then 3, then 1 and 3 again: the third is what the list shows."""
    order_list = OrderList()
    reason = {"code": "tax_missing", "message": "No tax.", "fix": "Make one."}
    invoice = {"id": "77", "number": "INV-1", "total": "12.20"}
    messages = (
        synced(2, "parked", reason=reason),
        synced(3, invoice=invoice),
        synced(1, "parked"),
        synced(3, "withdrawn"),
    )
    for message in messages:
        order_list.read_synced(message)
    assert order_list.told == {
        KEY: Told(
            sequence=3,
            state="booked",
            operation="created",
            invoice_id="77",
            invoice_number="INV-1",
            invoice_total=Decimal("12.20"),
        )
    }


def test_the_column_says_number_or_reason() -> None:
    """Nothing told: not yet; parked: the reason; booked: the number; not readable: rejected."""
    order_list = OrderList()
    assert invoice_column(KEY, order_list) == "not yet"
    order_list.read_synced(synced(1, "parked", reason={"code": "tax_missing", "message": "", "fix": ""}))
    assert invoice_column(KEY, order_list) == "parked: tax_missing"
    order_list.read_synced(synced(2, invoice={"id": "1", "number": "INV-9", "total": "1"}))
    assert invoice_column(KEY, order_list) == "INV-9"
    refusal = {"shop_id": "shop", "order_id": "2", "reason": "missing_field", "message": "currency"}
    order_list.read_rejected(json.dumps({"data": refusal}).encode())
    assert invoice_column(("shop", "2"), order_list) == "rejected: missing_field"


def test_a_rejection_that_names_no_order_is_put_to_none() -> None:
    """A message of which not even the ids could be read changes no row of the list."""
    order_list = OrderList()
    refusal = {"shop_id": None, "order_id": None, "reason": "malformed_json", "message": ""}
    order_list.read_rejected(json.dumps({"data": refusal}).encode())
    assert order_list.refused == {}


def test_an_order_has_one_event_id_however_often_it_is_sent() -> None:
    """Sent twice at two times, the id and the key are the same; another order has another id."""
    order = ShopOrder(
        data={"shop_id": "s", "order_id": "é/1", "version": 1}, expected=Booked(total=Decimal(0), vat_by_rate={})
    )
    (key, first), (_, second) = (
        paid_event(order.data, time) for time in ("2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z")
    )
    other = paid_event({**order.data, "order_id": "2"}, "2026-01-01T00:00:00Z")[1]
    ids = [json.loads(value)["id"] for value in (first, second, other)]
    assert key == "s/é/1".encode()
    assert ids[0] == ids[1] != ids[2]
