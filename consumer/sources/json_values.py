"""Reading values of a platform's payload, whose every field may be missing, null or of another type in some version.

Texts and lists are read tolerantly: what is not as expected counts as not there. Amounts are not: a price that cannot
be read would be left out of the invoice, so it is refused with its place.
"""

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from consumer.sources.platforms import NotTranslatedError
from schemas.money import plain

ZERO = Decimal(0)
Row = Mapping[str, Any]

WORD_CHARACTERS_MAX = 200
NAME_CHARACTERS_MAX = 2_000
PROSE_CHARACTERS_MAX = 20_000
_INTEGER_DIGITS_MAX = 15
_DECIMALS_MAX = 10
_LAST_DECIMAL = Decimal(1).scaleb(-_DECIMALS_MAX)


def mapping(value: object) -> Row:
    """Give a JSON object; an empty one for anything else."""
    return value if isinstance(value, Mapping) else {}


def rows(value: object) -> tuple[Row, ...]:
    """Give the JSON objects of a list; none for anything else."""
    return tuple(row for row in value if isinstance(row, Mapping)) if isinstance(value, list | tuple) else ()


def raw_text(value: object) -> str:
    """Give a text or a number as text, whole; empty for anything else."""
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        return ""
    try:
        return str(value)
    except ValueError:  # an integer of more digits than Python writes out
        return ""


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
    return _within_decimals(number)


def _exact(value: object) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        return Decimal("NaN")
    if isinstance(value, str) and len(value) > WORD_CHARACTERS_MAX:
        return Decimal("NaN")
    return Decimal(value.strip()) if isinstance(value, str) else Decimal(value)


def decimals(number: Decimal) -> int:
    """Count the decimals that an amount needs."""
    exponent = number.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def _within_decimals(number: Decimal) -> Decimal:
    return number.quantize(_LAST_DECIMAL, rounding=ROUND_HALF_UP) if decimals(number) > _DECIMALS_MAX else number


def written(number: Decimal) -> str:
    """Write an amount as the contract takes it, with at most ten decimals."""
    return plain(_within_decimals(number))
