"""One page of a list, taken apart without touching the orders in it: each stays the text that the shop wrote.

An order that went through a parser and back could come out another one (numbers above all), and its hash with it.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

_decode: Final = json.JSONDecoder().raw_decode
_SPACE: Final = re.compile(r"[ \t\r\n]*")
_WORDS_MAX: Final = 80


class NoPageError(ValueError):
    """The text is no page of orders; the message completes "it answered with …"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """The texts of a page's orders, each one JSON object, and what else the page holds, parsed."""

    orders: tuple[bytes, ...]
    rest: dict[str, Any] = field(default_factory=dict)


def page_of(body: bytes, *, under: str | None) -> Page:
    """Take a page apart: the orders are a list under that name, or without a name the whole body. Raises NoPageError.

    A field that comes twice is refused: one of two lists of orders would be lost.
    """
    try:
        text = body.decode("utf-8-sig")
        return _list_page(text) if under is None else _object_page(text, under)
    except UnicodeDecodeError:
        raise NoPageError("text that is not UTF-8") from None
    except RecursionError:
        raise NoPageError("JSON that is nested too deep") from None
    except json.JSONDecodeError as error:
        raise NoPageError(f"text that is not JSON ({error.msg} at character {error.pos})") from None
    except ValueError as error:
        if isinstance(error, NoPageError):
            raise
        raise NoPageError("JSON with a number of thousands of digits") from None


def _list_page(text: str) -> Page:
    at = _skip(text, 0)
    if text[at : at + 1] != "[":
        raise NoPageError(f"{_told(text, at)} instead of a list of orders")
    orders, at = _orders(text, at)
    _ended(text, at)
    return Page(orders=orders)


def _object_page(text: str, under: str) -> Page:
    at = _skip(text, 0)
    if text[at : at + 1] != "{":
        raise NoPageError(f"{_told(text, at)} instead of an object with the field {under!r}")
    orders: tuple[bytes, ...] | None = None
    rest: dict[str, Any] = {}
    fields = _Fields(text, at)
    for name, start in fields:
        if name in rest or (name == under and orders is not None):
            raise NoPageError(f"an object that has the field {name[:_WORDS_MAX]!r} twice")
        if name == under:
            orders, fields.at = _orders(text, start)
        else:
            rest[name], fields.at = _decode(text, start)
    _ended(text, fields.at)
    if orders is None:
        raise NoPageError(f"an object without the field {under!r}")
    return Page(orders=orders, rest=rest)


class _Fields:
    """Walks through the fields of an object: gives name and place of each value; who walks tells where it ended."""

    def __init__(self, text: str, at: int) -> None:
        self._text = text
        self.at = at

    def __iter__(self) -> Iterator[tuple[str, int]]:
        self.at = _skip(self._text, self.at + 1)
        if self._text[self.at : self.at + 1] == "}":
            self.at += 1
            return
        while True:
            name, at = _decode(self._text, self.at)
            if not isinstance(name, str):
                raise json.JSONDecodeError("a field's name is no text", self._text, self.at)
            yield name, _skip(self._text, _expect(self._text, _skip(self._text, at), ":"))
            at = _skip(self._text, self.at)
            self.at = _skip(self._text, _expect(self._text, at, ",}"))
            if self._text[at] == "}":
                return


def _orders(text: str, at: int) -> tuple[tuple[bytes, ...], int]:
    """Give the texts of the objects of the list that begins there, and where it ends."""
    if text[at : at + 1] != "[":
        raise NoPageError(f"{_told(text, at)} instead of a list of orders")
    found: list[bytes] = []
    at = _skip(text, at + 1)
    if text[at : at + 1] == "]":
        return (), at + 1
    while True:
        if text[at : at + 1] != "{":
            raise NoPageError(f"{_told(text, at)} as order {len(found) + 1} of the page, instead of an object")
        _, end = _decode(text, at)
        found.append(text[at:end].encode())
        comma = _skip(text, end)
        at = _skip(text, _expect(text, comma, ",]"))
        if text[comma] == "]":
            return tuple(found), comma + 1


def _expect(text: str, at: int, signs: str) -> int:
    """Give the place behind one of these signs. Raises JSONDecodeError where there is none."""
    if text[at : at + 1] not in tuple(signs):
        raise json.JSONDecodeError(f"there should be one of {' '.join(signs)}", text, at)
    return at + 1


def _skip(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return at if found is None else found.end()


def _ended(text: str, at: int) -> None:
    if _skip(text, at) != len(text):
        raise json.JSONDecodeError("there is more after the end", text, at)


def _told(text: str, at: int) -> str:
    """Name what begins there, without quoting it: it may be anything, a login page with somebody's name as well."""
    signs = {"": "nothing", "{": "an object", "[": "a list", '"': "a text", "<": "a page for people", "n": "null"}
    return signs.get(text[at : at + 1], "something else")
