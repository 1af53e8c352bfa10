"""The names under which a document is found again: its reference, and the key of the unique custom field."""

from consumer.domain.orders import Order, OrderKey
from consumer.domain.settings import ShopSettings
from consumer.domain.texts import cut_with_hash, one_line

REFERENCE_CHARACTERS = 50
UNIQUE_KEY_CHARACTERS = 200


def full_reference(order: Order, shop: ShopSettings) -> str:
    """Fill the shop's pattern; braces in an order's own values are never filled again."""
    parts = {"{shop_id}": order.key.shop_id, "{order_id}": order.key.order_id, "{number}": order.number}
    text, rest = "", shop.reference_pattern
    while rest:
        name = next((n for n in parts if rest.startswith(n)), "")
        text += parts[name] if name else rest[0]
        rest = rest[len(name) or 1 :]
    return one_line(text) or order.key.order_id


def reference_of(order: Order, shop: ShopSettings) -> str:
    """Give the reference: the filled pattern, beyond 50 characters cut and ended with a hash of the whole."""
    return cut_with_hash(full_reference(order, shop), REFERENCE_CHARACTERS)


def unique_key_of(key: OrderKey, *, kind: str, part: str = "", n: int = 1) -> str:
    """Give ``shop/order/kind/part/n``; a slash or percent sign within a part is escaped, so that no two collide."""
    parts = [text.replace("%", "%25").replace("/", "%2F") for text in (key.shop_id, key.order_id, kind, part)]
    return cut_with_hash("/".join([*parts, str(n)]), UNIQUE_KEY_CHARACTERS)
