"""Reading single fields of a request body, refused as Zoho refuses them: code 2, 4 or 15."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from sandbox.zoho.calls import Call, Refusal, invalid, rule
from sandbox.zoho.clock import is_date
from sandbox.zoho.numbers import decimal_of

_UNDECLARED_MAX = 100
_BASIC_PLANE_END = 0xFFFF
_AMOUNT_MAX = Decimal(10) ** 15


def too_long(name: str, characters_max: int) -> Refusal:
    """Refuse a text that is too long: code 15."""
    return rule(15, f"Please ensure that the {name} has less than {characters_max} characters.")


def text(call: Call, body: Mapping[str, Any], name: str, characters_max: int | None = None) -> str:
    """Read a text; a number is taken as its text, as Zoho does. Missing or null gives an empty text."""
    value = body.get(name)
    if value is None:
        return ""
    if isinstance(value, (dict, list, bool)):
        raise invalid(name)
    written = str(value)
    if characters_max is not None and len(written) > characters_max:
        raise too_long(name, characters_max)
    _check_characters(call, name, written)
    return written


def _check_characters(call: Call, name: str, written: str) -> None:
    if any("\ud800" <= character <= "\udfff" for character in written):
        raise invalid(name)
    if call.switch("markup_in_text") == "refused" and any(character in written for character in "<>"):
        raise invalid(name)
    if call.switch("four_byte_characters") == "refused" and any(ord(one) > _BASIC_PLANE_END for one in written):
        raise invalid(name)


def texts(call: Call, body: Mapping[str, Any], limits: Mapping[str, int | None]) -> dict[str, str]:
    """Read those of several texts that the body has."""
    return {name: text(call, body, name, limit) for name, limit in limits.items() if name in body}


def amount(body: Mapping[str, Any], name: str, default: Decimal = Decimal(0)) -> Decimal:
    """Read an amount; null and an empty text mean the default. Refused with code 4."""
    value = body.get(name)
    if value is None or value == "":
        return default
    read = decimal_of(value)
    if read is None or abs(read) >= _AMOUNT_MAX:
        raise invalid(name, code=4)
    return read


def whole(body: Mapping[str, Any], name: str, default: int = 0) -> int:
    """Read a whole number. Refused with code 2, for instance a label where days are asked for."""
    value = body.get(name)
    if value is None or value == "":
        return default
    read = decimal_of(value)
    if read is None or read != read.to_integral_value():
        raise invalid(name)
    return int(read)


def flag(body: Mapping[str, Any], name: str, *, default: bool = False) -> bool:
    """Read a yes or no; the texts true and false are taken too."""
    value = body.get(name, default)
    if isinstance(value, bool):
        return value
    if value in ("true", "false"):
        return bool(value == "true")
    raise invalid(name)


def date(body: Mapping[str, Any], name: str, default: str) -> str:
    """Read a day as yyyy-mm-dd."""
    value = body.get(name)
    if value is None or value == "":
        return default
    if not is_date(value):
        raise invalid(name)
    return str(value)


def objects(body: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    """Read a list of objects; missing or null gives none."""
    value = body.get(name)
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise invalid(name)
    return value


def undeclared(body: Mapping[str, Any], declared: frozenset[str]) -> None:
    """Refuse an object or a long text in a field that the call does not know, with code 15.

    This is what happens to addresses written into an invoice: the field exists in answers only.
    """
    for name, value in body.items():
        if name in declared:
            continue
        if isinstance(value, dict) or (isinstance(value, str) and len(value) > _UNDECLARED_MAX):
            raise too_long(name, _UNDECLARED_MAX)
