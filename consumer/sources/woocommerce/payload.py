"""Reading parts of a WooCommerce payload, whose every field may be missing, null or of another type in some version.

Texts and lists are read tolerantly: what is not as expected counts as not there. Amounts are not: a price that cannot
be read would be left out of the invoice, so it is refused with its place.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from html import unescape
from typing import Any

from consumer.sources.platforms import NotTranslatedError
from schemas.fields import TIME_PATTERN
from schemas.money import plain

ZERO = Decimal(0)
Row = Mapping[str, Any]

WORD_CHARACTERS_MAX = 200
NAME_CHARACTERS_MAX = 2_000
PROSE_CHARACTERS_MAX = 20_000
_INTEGER_DIGITS_MAX = 15
_DECIMALS_MAX = 10
_LAST_DECIMAL = Decimal(1).scaleb(-_DECIMALS_MAX)
_TIME = re.compile(TIME_PATTERN)
_OFFSET = re.compile(r"(?:Z|[+-][0-9]{2}:?[0-9]{2})$")
_MARKUP = re.compile(r"</?[A-Za-z][^<>]{0,500}>")
_TRUE = frozenset({"yes", "true", "1"})


def mapping(value: object) -> Row:
    """Give a JSON object; an empty one for anything else."""
    return value if isinstance(value, Mapping) else {}


def rows(value: object) -> tuple[Row, ...]:
    """Give the JSON objects of a list; none for anything else."""
    return tuple(row for row in value if isinstance(row, Mapping)) if isinstance(value, list | tuple) else ()


def text(value: object, characters_max: int = WORD_CHARACTERS_MAX) -> str:
    """Give a text or a number as text, entities resolved and markup taken out, cut to its limit."""
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        return ""
    try:
        raw = str(value)[: 4 * characters_max]
    except ValueError:  # an integer of more digits than Python writes out
        return ""
    # Markup first: an escaped "&lt;b&gt;" is text that the customer saw, and stays.
    return unescape(_MARKUP.sub("", raw)).strip()[:characters_max].strip()


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


def flag(value: object) -> bool:
    """Tell whether a flag is set: true, 1, or "yes" as WordPress keeps it."""
    return value is True or text(value).lower() in _TRUE


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
    return number.quantize(_LAST_DECIMAL, rounding=ROUND_HALF_UP) if decimals(number) > _DECIMALS_MAX else number


def _exact(value: object) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        return Decimal("NaN")
    if isinstance(value, str) and len(value) > WORD_CHARACTERS_MAX:
        return Decimal("NaN")
    return Decimal(value.strip()) if isinstance(value, str) else Decimal(value)


def amount(row: Row, name: str, place: str = "") -> Decimal:
    """Read an amount that counts as 0 where it is not there. Raises NotTranslatedError."""
    return decimal(row.get(name), f"{place}.{name}" if place else name) or ZERO


def decimals(number: Decimal) -> int:
    """Count the decimals that an amount needs."""
    exponent = number.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def written(number: Decimal) -> str:
    """Write an amount as the contract takes it, with at most ten decimals."""
    return plain(number.quantize(_LAST_DECIMAL, rounding=ROUND_HALF_UP) if decimals(number) > _DECIMALS_MAX else number)


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
