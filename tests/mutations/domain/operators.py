"""Which changes are made to a module: mutmut's operators, where they can mean something, and a few of our own.

From mutmut come numbers plus one, comparisons and arithmetic turned, ``and``/``or``, ``not`` dropped,
``True``/``False``, assignments of None, named arguments dropped, both arms of a conditional, cases of a ``match``
dropped, ``break`` and ``continue``. Ours: ``min``/``max`` and ``any``/``all`` swapped, ``None`` returned for a value
that is not as false as None is.

Not taken from mutmut: None for each argument, and a positional argument dropped. Nearly all of those raise TypeError in
whatever test comes by; half of all mutants would be of that kind, and the share of killed ones would flatter.

Left alone, because a change there changes no behaviour that anything but a person's eye could notice: annotations,
docstrings, and texts of messages. A message is a string (or an f-string, with what it shows) that holds a space; in the
modules of ``WORDS`` strings with spaces are what a customer or the ledger reads, and there they are mutated too.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import libcst as cst
import libcst.matchers as m
from libcst.metadata import ByteSpanPositionProvider, MetadataWrapper, PositionProvider
from mutmut.mutation import mutators

from tests.mutations.domain.mutants import Mutant, changed_lines

WORDS = frozenset({"heading", "invoice_words", "texts", "rendering", "graphemes", "references", "tables"})

_SWAPPED = {"min": "max", "max": "min", "any": "all", "all": "any"}
_EMPTY = m.Tuple(elements=[]) | m.List(elements=[]) | m.Dict(elements=[]) | m.SimpleString(value='""')
_AS_FALSE = m.Name("None") | m.Name("False") | _EMPTY
_UNTOUCHED_CALLS = {"len", "isinstance", "cast", "TypeVar"}


def mutants_of(module: str, text: str) -> list[Mutant]:
    """Give every mutant of the module, in the order of the text, each that changes anything once."""
    wrapper = MetadataWrapper(cst.parse_module(text))
    visitor = _Visitor(with_words=module in WORDS)
    wrapper.visit(visitor)
    found: list[Mutant] = []
    times: dict[tuple[str, str, str], int] = {}
    for place in visitor.places:
        mutated = _spliced(wrapper.module, text.encode(), place)
        if mutated == text:
            continue
        before, after = changed_lines(text, mutated)
        key = (place.function, before, after)
        times[key] = times.get(key, 0) + 1
        found.append(
            Mutant(
                module=module,
                function=place.function,
                before=before,
                after=after,
                ordinal=times[key],
                line=place.line,
                last_line=place.last_line,
                function_lines=place.function_lines,
                in_default=place.in_default,
                text=mutated,
            )
        )
    return found


def _spliced(module: cst.Module, text: bytes, place: "_Place") -> str:
    """Put the change into the text; by the bytes of its place where those are the node's own, else by the tree."""
    old = module.code_for_node(place.node).encode()
    if text[place.start : place.start + place.length] == old:
        new = module.code_for_node(place.becomes).encode()
        return (text[: place.start] + new + text[place.start + place.length :]).decode()
    # The tree's way takes twenty times as long: it writes the whole module again.
    replaced = module.deep_replace(place.node, place.becomes)
    if not isinstance(replaced, cst.Module):
        raise TypeError(f"a module with a change in it is a module, not {type(replaced).__name__}")
    return replaced.code


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """A node, what takes its place, and where it stands: bytes from 0, lines from 1."""

    node: cst.CSTNode
    becomes: cst.CSTNode
    function: str
    start: int
    length: int
    line: int
    last_line: int
    function_lines: tuple[int, int]
    in_default: bool


class _Visitor(cst.CSTVisitor):
    """Walks a module and gathers what may be put in place of what, inside functions and methods only."""

    METADATA_DEPENDENCIES = (PositionProvider, ByteSpanPositionProvider)

    def __init__(self, *, with_words: bool) -> None:
        super().__init__()
        self.places: list[_Place] = []
        self._with_words = with_words
        self._names: list[str] = []
        self._functions = 0
        self._default = 0
        self._lines = (0, 0)

    def on_visit(self, node: cst.CSTNode) -> bool:
        """Step into a node unless nothing in it is to be changed."""
        if self._left_alone(node):
            return False
        if isinstance(node, cst.ClassDef) and self._functions == 0:
            self._names.append(node.name.value)
        if isinstance(node, cst.FunctionDef):
            if self._functions == 0:
                self._names.append(node.name.value)
                span = self.get_metadata(PositionProvider, node)
                self._lines = (span.start.line, span.end.line)
            self._functions += 1
        if isinstance(node, cst.Param):
            self._default += 1
        if self._functions:
            self._gather(node)
        return True

    def on_leave(self, original_node: cst.CSTNode) -> None:
        """Step out again; what was left alone was never stepped into."""
        if self._left_alone(original_node):
            return
        if isinstance(original_node, cst.Param):
            self._default -= 1
        if isinstance(original_node, cst.FunctionDef):
            self._functions -= 1
            if self._functions == 0:
                self._names.pop()
        if isinstance(original_node, cst.ClassDef) and self._functions == 0:
            self._names.pop()

    def _left_alone(self, node: cst.CSTNode) -> bool:
        if isinstance(node, cst.Annotation | cst.Decorator | cst.Assert):
            return True
        if isinstance(node, cst.Expr) and isinstance(node.value, cst.BaseString):
            return True
        if isinstance(node, cst.Call) and isinstance(node.func, cst.Name) and node.func.value in _UNTOUCHED_CALLS:
            return True
        if isinstance(node, cst.Arg) and node.keyword is not None and node.keyword.value == "strict":
            return True
        if isinstance(node, cst.Param) and node.default is not None:
            return not isinstance(node.default, cst.Name | cst.BaseNumber | cst.BaseString)
        return not self._with_words and _is_message(node)

    def _gather(self, node: cst.CSTNode) -> None:
        position = self.get_metadata(PositionProvider, node, None)
        span = self.get_metadata(ByteSpanPositionProvider, node, None)
        if position is None or span is None:
            return
        for becomes in changes(node):
            self.places.append(
                _Place(
                    node=node,
                    becomes=becomes,
                    function=".".join(self._names),
                    start=span.start,
                    length=span.length,
                    line=position.start.line,
                    last_line=position.end.line,
                    function_lines=self._lines,
                    in_default=self._default > 0,
                )
            )


def changes(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """Give what may stand in the place of a node."""
    if isinstance(node, cst.BaseString):
        # One change of a string is as telling as three: whoever compares it notices the letters, not their case.
        yield from list(mutators.operator_string(node))[:1]
        return
    for kind, operator in mutators.mutation_operators:
        if isinstance(node, kind) and operator is not mutators.operator_arg_removal:
            yield from operator(node)
    yield from _own_changes(node)


def _own_changes(node: cst.CSTNode) -> Iterable[cst.CSTNode]:
    if isinstance(node, cst.Call) and isinstance(node.func, cst.Name) and node.func.value in _SWAPPED:
        yield node.with_changes(func=node.func.with_changes(value=_SWAPPED[node.func.value]))
    if isinstance(node, cst.Call):
        # What `strict` guards against is a fault of ours that no call makes; there is nothing to tell the two apart.
        for number, argument in enumerate(node.args):
            if argument.keyword is not None and argument.keyword.value != "strict":
                yield node.with_changes(args=[*node.args[:number], *node.args[number + 1 :]])
    if isinstance(node, cst.Return) and node.value is not None and not m.matches(node.value, _AS_FALSE):
        yield node.with_changes(value=cst.Name("None"), whitespace_after_return=cst.SimpleWhitespace(" "))


def _is_message(node: cst.CSTNode) -> bool:
    """Say whether a string is read by people only: it holds a space between words."""
    if isinstance(node, cst.SimpleString):
        return " " in node.value
    if isinstance(node, cst.ConcatenatedString):
        return _is_message(node.left) or _is_message(node.right)
    if isinstance(node, cst.FormattedString):
        return any(isinstance(part, cst.FormattedStringText) and " " in part.value for part in node.parts)
    return False
