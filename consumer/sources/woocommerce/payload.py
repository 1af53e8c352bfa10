"""Reading values of a WooCommerce payload: those of any platform, texts without markup, flags, times and metadata."""

import re
from datetime import datetime
from decimal import Decimal
from html import unescape
from typing import Any

from consumer.sources.json_values import (
    NAME_CHARACTERS_MAX,
    PROSE_CHARACTERS_MAX,
    WORD_CHARACTERS_MAX,
    ZERO,
    Row,
    decimal,
    decimals,
    id_text,
    mapping,
    raw_text,
    rows,
    told,
    written,
)
from schemas.fields import TIME_PATTERN

__all__ = [
    "NAME_CHARACTERS_MAX",
    "PROSE_CHARACTERS_MAX",
    "WORD_CHARACTERS_MAX",
    "ZERO",
    "Row",
    "amount",
    "decimal",
    "decimals",
    "first_text",
    "flag",
    "id_text",
    "mapping",
    "metas",
    "moment",
    "rows",
    "text",
    "told",
    "written",
]

_TIME = re.compile(TIME_PATTERN)
_OFFSET = re.compile(r"(?:Z|[+-][0-9]{2}:?[0-9]{2})$")
_MARKUP = re.compile(r"</?[A-Za-z][^<>]{0,500}>")
_TRUE = frozenset({"yes", "true", "1"})


def text(value: object, characters_max: int = WORD_CHARACTERS_MAX) -> str:
    """Give a text or a number as text, entities resolved and markup taken out, cut to its limit."""
    # Markup first: an escaped "&lt;b&gt;" is text that the customer saw, and stays.
    return unescape(_MARKUP.sub("", raw_text(value)[: 4 * characters_max])).strip()[:characters_max].strip()


def first_text(*values: object, characters_max: int = WORD_CHARACTERS_MAX) -> str:
    """Give the first of these that is not empty."""
    return next((found for value in values if (found := text(value, characters_max))), "")


def flag(value: object) -> bool:
    """Tell whether a flag is set: true, 1, or "yes" as WordPress keeps it."""
    return value is True or text(value).lower() in _TRUE


def amount(row: Row, name: str, place: str = "") -> Decimal:
    """Read an amount that counts as 0 where it is not there. Raises NotTranslatedError."""
    return decimal(row.get(name), f"{place}.{name}" if place else name) or ZERO


def moment(row: Row, *names: str) -> str:
    """Give the first of these times; ``<name>_gmt`` (UTC) goes before ``<name>``, which is local to the shop."""
    for name in names:
        utc, local = _time(row.get(f"{name}_gmt")), _time(row.get(name))
        if utc:
            return utc if _OFFSET.search(utc) else f"{utc}Z"
        if local:
            return local
    return ""


def _time(value: object) -> str:
    found = text(value)
    if not _TIME.match(found):
        return ""
    try:
        datetime.fromisoformat(found)
    except ValueError:  # a day that no calendar has; WordPress writes 0000-00-00 for none
        return ""
    return found


def metas(row: Row) -> dict[str, Any]:
    """Give the entries of ``meta_data`` as keys and values; of a key that comes twice the last."""
    return {key: entry.get("value") for entry in rows(row.get("meta_data")) if (key := text(entry.get("key")))}
