"""Reading the charges of an order in a test: one that can be booked, one that cannot, one of a single line."""

from typing import Any

from consumer.domain.charges import Charges, Position, read_charges
from consumer.domain.orders import Line, Order
from consumer.domain.settings import ShopSettings
from consumer.domain.states import Reason
from tests.domain.order_building import FACTS, SHOP, order


def read(given: Order, shop: ShopSettings = SHOP, **more: Any) -> Charges:
    """Read an order that can be booked."""
    found = read_charges(given, **{"facts": FACTS, "shop": shop, "digits": 2, "items": {}, **more})
    assert isinstance(found, Charges), found
    return found


def refused(given: Order, shop: ShopSettings = SHOP, **more: Any) -> Reason:
    """Read one that cannot."""
    found = read_charges(given, **{"facts": FACTS, "shop": shop, "digits": 2, "items": {}, **more})
    assert isinstance(found, Reason), found
    return found


def one(given: Line, **more: Any) -> Position:
    """Read an order of one line."""
    (position,) = read(order([given], "0"), **more).positions
    return position
