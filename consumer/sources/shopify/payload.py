"""Reading parts of a Shopify payload, whose every field may be missing, null or of another type in some version.

Texts and lists are read tolerantly: what is not as expected counts as not there. Amounts are not: a price that cannot
be read would be left out of the invoice, so it is refused with its place.
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from consumer.sources.platforms import NotTranslatedError
from schemas.money import plain

ZERO = Decimal(0)
Row = Mapping[str, Any]

WORD_CHARACTERS_MAX = 200
NAME_CHARACTERS_MAX = 2_000
PROSE_CHARACTERS_MAX = 20_000

_INTEGER_DIGITS_MAX = 18
_DECIMALS_MAX = 10
_LAST_DECIMAL = Decimal(1).scaleb(-_DECIMALS_MAX)


def mapping(value: object) -> Row:
    """Give a JSON object; an empty one for anything else."""
    return value if isinstance(value, Mapping) else {}


def rows(value: object) -> tuple[Row, ...]:
    """Give the JSON objects of a list; none for anything else."""
    return tuple(row for row in value if isinstance(row, Mapping)) if isinstance(value, list | tuple) else ()


def text(value: object, characters_max: int = WORD_CHARACTERS_MAX) -> str:
    """Give a text or a number as text, cut to its limit; empty for anything else."""
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        return ""
    try:
        return str(value).strip()[:characters_max].strip()
    except ValueError:  # an integer of more digits than Python writes out
        return ""


def first_text(*values: object, characters_max: int = WORD_CHARACTERS_MAX) -> str:
    """Give the first of these that is not empty."""
    return next((found for value in values if (found := text(value, characters_max))), "")


def id_text(value: object) -> str:
    """Give an id as the contract takes it; empty where it is none. An id is never cut: two could become one."""
    if isinstance(value, bool) or not isinstance(value, str | int) or (isinstance(value, int) and abs(value) >= 10**30):
        return ""
    found = str(value).strip()
    unfit = len(found) > WORD_CHARACTERS_MAX or any(not sign.isprintable() or sign == "\ufffd" for sign in found)
    return "" if unfit else found


def told(**fields: object) -> dict[str, Any]:
    """Give the fields that say something: no empty text, list or None."""
    return {name: value for name, value in fields.items() if value is not None and value not in ("", [], {}, ())}


def decimal(value: object, place: str) -> Decimal | None:
    """Read an amount; None where nothing stands. Raises NotTranslatedError with the place where it is no amount."""
    if value is None or value == "":
        return None
    try:
        # A float is what a parser other than ours made; its repr is the shortest text that gives it again.
        number = Decimal(repr(value)) if isinstance(value, float) else _exact(value)
    except (InvalidOperation, ValueError):
        number = Decimal("NaN")
    if not number.is_finite() or number.adjusted() >= _INTEGER_DIGITS_MAX:
        raise NotTranslatedError(f"{place} should be an amount such as 19.90, and is {str(value)[:40]!r}")
    exponent = number.as_tuple().exponent
    return number.quantize(_LAST_DECIMAL) if isinstance(exponent, int) and -exponent > _DECIMALS_MAX else number


def _exact(value: object) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        return Decimal("NaN")
    if isinstance(value, str) and len(value) > WORD_CHARACTERS_MAX:
        return Decimal("NaN")
    return Decimal(value.strip()) if isinstance(value, str) else Decimal(value)


def money(row: Row, name: str, place: str = "") -> Decimal | None:
    """Read an amount in shop money: the plain field, else ``<name>_set.shop_money``. Raises NotTranslatedError."""
    where = f"{place}.{name}" if place else name
    value = row.get(name)
    if isinstance(value, Mapping):  # duties of some versions hold the set itself under the plain name
        return decimal(mapping(value.get("shop_money")).get("amount"), where)
    plain_amount = decimal(value, where)
    return plain_amount if plain_amount is not None else set_money(row, f"{name}_set", place)


def set_money(row: Row, name: str, place: str = "") -> Decimal | None:
    """Read the shop money of a set of two currencies. Raises NotTranslatedError."""
    shop_money = mapping(mapping(row.get(name)).get("shop_money"))
    return decimal(shop_money.get("amount"), f"{place}.{name}" if place else name)


def written(amount: Decimal) -> str:
    """Write an amount as the contract takes it."""
    return plain(amount)


def places(value: object, name: str) -> Iterator[tuple[str, Row]]:
    """Give the objects of a list with their places, ``line_items[0]``."""
    for at, row in enumerate(rows(value)):
        yield f"{name}[{at}]", row
