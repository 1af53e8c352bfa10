"""Values that a shop's settings take from the order: text with ``{{ expression }}`` in it.

An expression is JMESPath (jmespath.org): it reads and joins, has neither loops nor side effects, and always ends. It
sees the order as the contract has it, unknown fields and ``meta`` included: ``{{ meta.po_number || number }}``.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import jmespath
from jmespath.exceptions import JMESPathError
from jmespath.parser import ParsedResult

TEMPLATE_CHARACTERS_MAX = 2000
_OPEN, _CLOSE = "{{", "}}"
LINE = "line"  # in the tables, what the row is looked up for: a product line, a shipping line or a fee
_LINES_OF = ("lines", "shipping", "fees")
# Each of the children of these goes on from what the one before it gave; an index or a projection names no field.
_CHAINS = frozenset(
    {
        "subexpression",
        "index_expression",
        "projection",
        "flatten",
        "value_projection",
        "pipe",
    }
)
_Node = Mapping[str, Any]


class ExpressionError(ValueError):
    """A template that cannot be read, or that gave no text for an order; the message says which and why."""


@dataclass(frozen=True, slots=True)
class Template:
    """Text with expressions in it. ``parts`` are texts and compiled expressions in turn."""

    text: str
    parts: tuple[str | ParsedResult, ...]

    @property
    def is_plain(self) -> bool:
        """Tell whether it is the same for every order."""
        return all(isinstance(part, str) for part in self.parts)

    @property
    def fields(self) -> frozenset[str]:
        """Name the fields that it reads, dotted: ``meta.po_number``; a change of one of them is a change of content."""
        expressions = [part for part in self.parts if not isinstance(part, str)]
        return frozenset(path for part in expressions for path in _paths(part.parsed))

    def fill(self, data: Mapping[str, object]) -> str:
        """Give the text for one order; what is null or not there is empty. Raises ExpressionError."""
        return "".join(part if isinstance(part, str) else self._value(part, data) for part in self.parts)

    def _value(self, expression: ParsedResult, data: Mapping[str, object]) -> str:
        try:
            found: object = expression.search(data)
        except (JMESPathError, ValueError, TypeError, ArithmeticError, RecursionError) as error:
            raise ExpressionError(f"{self.text!r}: {error}") from error
        if isinstance(found, list):
            return ", ".join(self._text(one) for one in found if one is not None)
        return self._text(found)

    def _text(self, value: object) -> str:
        # Nothing that is nested becomes text: nobody wants braces on an invoice, and its size has no bound.
        if isinstance(value, dict | list):
            raise ExpressionError(f"{self.text!r} gives an object or a list within a list, which is no text")
        if value is None:
            return ""
        if isinstance(value, bool):
            return "true" if value else "false"
        return str(value)


@lru_cache(maxsize=4096)
def template(text: str) -> Template:
    """Read a template. Raises ExpressionError with the place that is wrong."""
    if len(text) > TEMPLATE_CHARACTERS_MAX:
        raise ExpressionError(f"it has {len(text)} characters; at most {TEMPLATE_CHARACTERS_MAX} are taken")
    parts: list[str | ParsedResult] = []
    rest = text
    while _OPEN in rest:
        before, _, after = rest.partition(_OPEN)
        inside, closed, rest = after.partition(_CLOSE)
        if not closed:
            raise ExpressionError(f"{_OPEN}{inside[:40]} is not closed by {_CLOSE}")
        parts += [before, _compiled(inside.strip())]
    return Template(text, (*parts, rest))


def fields_read(texts: Sequence[str]) -> frozenset[str]:
    """Name all fields that these templates read. Raises ExpressionError."""
    return frozenset().union(*(template(text).fields for text in texts))


def _compiled(expression: str) -> ParsedResult:
    try:
        return jmespath.compile(expression)
    except (JMESPathError, RecursionError) as error:
        raise ExpressionError(f"{expression!r} is no JMESPath expression: {error}".splitlines()[0]) from error


def _paths(node: _Node) -> Iterator[str]:
    """Give the dotted names that a parsed expression reads; rather one too many than one too few."""
    read: list[str] = []
    read += _trace(node, [""], read)
    for path in dict.fromkeys(read):
        if path.startswith(f"{LINE}."):
            yield from (f"{name}{path.removeprefix(LINE)}" for name in _LINES_OF)
        elif path:
            yield path


def _trace(node: _Node, bases: list[str], read: list[str]) -> list[str]:
    """Follow an expression from the fields that it starts at to those that it gives; ``read`` takes those between."""
    kind, children = node["type"], node["children"]
    if kind == "field":
        return [f"{base}.{node['value']}" if base else str(node["value"]) for base in bases]
    if kind == "filter_projection":
        left, right, condition = children
        bases = _trace(left, bases, read)
        read += _trace(condition, bases, read)
        return _trace(right, bases, read)
    if kind in _CHAINS:
        for child in children:
            bases = _trace(child, bases, read)
        return bases
    if not children:
        return [] if kind == "literal" else bases
    found = [path for child in children for path in _trace(child, bases, read)]
    read += found
    return found
