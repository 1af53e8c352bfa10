"""JSON as Zoho gets and gives it, with every amount exact: a Decimal is written as its own digits and read from them.

The standard library writes a Decimal not at all and reads numbers as doubles, which lose cents from 2**53 on.
"""

import json
from decimal import Decimal, InvalidOperation
from typing import Any, Final

MAX_NUMBER_CHARACTERS: Final = 40
"""Longer numbers are no amounts; ``1e999999`` would take a gigabyte when written out."""

_MAX_EXPONENT: Final = 30


class UnreadableBodyError(ValueError):
    """A body is not JSON, or not JSON that we are willing to read."""


def write_json(value: Any) -> str:
    """Write dicts, lists, texts, booleans, ints and Decimals; a Decimal becomes a number of exactly its digits."""
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(str(key))}:{write_json(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(write_json, value)) + "]"
    if isinstance(value, float):
        raise TypeError(f"amounts are Decimal, never float: {value!r}")
    return json.dumps(value)


def read_json(body: bytes) -> Any:
    """Read a body; numbers with a fraction become Decimal. Raises UnreadableBodyError with the reason in words."""
    try:
        return json.loads(body.decode("utf-8-sig"), parse_float=_decimal, parse_int=_int, parse_constant=_refuse)
    except UnreadableBodyError:
        raise
    except RecursionError:
        raise UnreadableBodyError("nested too deeply") from None
    except ValueError as error:
        raise UnreadableBodyError(f"not JSON: {error}") from None


def _decimal(text: str) -> Decimal:
    if len(text) > MAX_NUMBER_CHARACTERS:
        raise UnreadableBodyError("a number of more digits than any amount has")
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise UnreadableBodyError("a number that cannot be read") from None
    if abs(number.adjusted()) > _MAX_EXPONENT and number != 0:
        raise UnreadableBodyError("a number beyond any amount")
    return number


def _int(text: str) -> int:
    if len(text) > MAX_NUMBER_CHARACTERS:
        raise UnreadableBodyError("a number of more digits than any amount has")
    return int(text)


def _refuse(text: str) -> None:
    raise UnreadableBodyError(f"{text} is not a number")
