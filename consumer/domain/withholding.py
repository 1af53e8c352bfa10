"""What the ledger says of an order, without the persons that it quotes: its words go into reasons and messages."""

import json
import re
from collections.abc import Iterator
from typing import Any, Final

MASK: Final = "***"
_PERSONS: Final = ("customer", "billing_address", "shipping_address")
# Fields of these that tell nobody from anybody else.
_HARMLESS: Final = frozenset({"country", "language", "state"})
_SHORTEST: Final = 3
_SHORTEST_NUMBER: Final = 5  # a house number would take the ledger's codes along
_EMAIL: Final = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}")


def without_persons(text: str, content: bytes | None) -> str:
    """Mask e-mail addresses, and whatever stands in the personal fields of the order's ``content`` (JSON).

    The whole of what was said is in the exchange, which is kept for as long as personal data is.
    """
    text = _EMAIL.sub(MASK, text)
    found = sorted(set(_texts(content)), key=len, reverse=True)
    if not found:
        return text
    return re.sub("|".join(map(re.escape, found)), MASK, text, flags=re.IGNORECASE)


def _texts(content: bytes | None) -> Iterator[str]:
    order = _read(content)
    parts: list[Any] = [order.get(name) for name in _PERSONS]
    for part in parts:
        if isinstance(part, dict):
            yield from (str(value) for name, value in part.items() if name not in _HARMLESS and _tells(value))
            # Somebody may be quoted by what stands before the @ alone.
            yield from (name for name in (str(part.get("email") or "").partition("@")[0],) if _tells(name))
    if _tells(order.get("note")):
        yield order["note"]


def _read(content: bytes | None) -> dict[str, Any]:
    try:
        order = json.loads(content or b"{}")
    except ValueError:
        return {}
    return order if isinstance(order, dict) else {}


def _tells(value: object) -> bool:
    if not isinstance(value, str):
        return False
    return len(value) >= (_SHORTEST_NUMBER if value.isdigit() else _SHORTEST)
