"""Reading values of a Shopify payload: those of any platform, texts as they are, and money in two currencies."""

from collections.abc import Iterator, Mapping
from decimal import Decimal

from consumer.sources.json_values import (
    NAME_CHARACTERS_MAX,
    PROSE_CHARACTERS_MAX,
    WORD_CHARACTERS_MAX,
    ZERO,
    Row,
    decimal,
    id_text,
    mapping,
    raw_text,
    rows,
    told,
    written,
)

__all__ = [
    "NAME_CHARACTERS_MAX",
    "PROSE_CHARACTERS_MAX",
    "WORD_CHARACTERS_MAX",
    "ZERO",
    "Row",
    "decimal",
    "first_text",
    "id_text",
    "mapping",
    "money",
    "places",
    "rows",
    "set_money",
    "text",
    "told",
    "written",
]


def text(value: object, characters_max: int = WORD_CHARACTERS_MAX) -> str:
    """Give a text or a number as text, cut to its limit; empty for anything else."""
    return raw_text(value).strip()[:characters_max].strip()


def first_text(*values: object, characters_max: int = WORD_CHARACTERS_MAX) -> str:
    """Give the first of these that is not empty."""
    return next((found for value in values if (found := text(value, characters_max))), "")


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


def places(value: object, name: str) -> Iterator[tuple[str, Row]]:
    """Give the objects of a list with their places, ``line_items[0]``."""
    for at, row in enumerate(rows(value)):
        yield f"{name}[{at}]", row
