"""The canonical form of an order and the hash of its content, made from the parsed JSON in one walk.

The walk follows shapes that are read off the models once, so that a new field of a model is in the hash by itself.
It works on the parsed JSON instead of dumping the models, and sorts as it goes, so that pydantic's encoder, which does
not sort, can write the bytes: measured, a third of the time of ``json.dumps``.
"""

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from enum import Enum, auto
from hashlib import sha256
from types import UnionType
from typing import Annotated, Any, NamedTuple, Union, get_args, get_origin

from pydantic import BaseModel, StringConstraints
from pydantic_core import to_json

from schemas.fields import TimeText, VersionNumber
from schemas.money import DecimalText, plain_value
from schemas.orders import OrderData

UNKNOWN_FIELDS_MAX = 50
_NAME_MAX = 200


class How(Enum):
    """What the walk does with a known field."""

    KEEP = auto()  # text, flag: as it came
    AMOUNT = auto()  # a decimal: its normal form
    CODE = auto()  # currency, country: in capitals
    MOMENT = auto()  # version, times: no part of the content
    META = auto()  # what the shop adds under `meta`: no part of the content either


@dataclass(frozen=True, slots=True)
class Shape:
    """The known fields of one model: what to do with each, or the shape of the object or of the list's objects."""

    fields: dict[str, "How | Shape"]


class Canonical(NamedTuple):
    """An order in canonical form: UTF-8 JSON, fields sorted, no blanks; numbers with a fraction as texts."""

    content: bytes
    content_hash: bytes  # SHA-256, 32 bytes
    unknown_fields: tuple[str, ...]  # sorted dotted names, at most 50


def canonical(data: dict[str, Any], also: Collection[str] = ()) -> Canonical:
    """Make the canonical form of a validated order, parsed by ``read_json``.

    The hash covers every known field but ``version``, the times and ``meta``, and of the others those that ``also``
    names (dotted: "meta.po_number", "lines.colour"; a name covers all below it). Null, the empty text and the empty
    list or object count as left out, since they mean the same; so do not false and "0", which may mean more.
    """
    unknown: set[str] = set()
    kept, hashed = _walk(data, _ORDER, "", _Walk(also, unknown))
    return Canonical(
        content=to_json(kept),
        content_hash=sha256(to_json(hashed)).digest(),
        unknown_fields=tuple(sorted(unknown)[:UNKNOWN_FIELDS_MAX]),
    )


def content_hash(content: bytes, also: Collection[str] = ()) -> bytes:
    """Compute the hash of canonical bytes anew, with those fields that the shop's expressions read."""
    return canonical(json.loads(content), also).content_hash


class _Walk(NamedTuple):
    """What one walk is told, and the names of unknown fields that it finds."""

    also: Collection[str]
    unknown: set[str]


_Both = tuple[dict[str, Any], dict[str, Any]]


def _walk(data: dict[str, Any], shape: "Shape", prefix: str, walk: _Walk) -> _Both:
    """Give an object with its fields sorted and in normal form, and the part of it that is hashed."""
    kept: dict[str, Any] = {}
    hashed: dict[str, Any] = {}
    how_of = shape.fields.get
    for name in sorted(data):
        value = data[name]
        how = how_of(name)
        if how is _KEEP:
            kept[name] = value
            if value or value is False:
                hashed[name] = value
        elif value is None or (how is _MOMENT and not walk.also):
            kept[name] = value
        elif how is _AMOUNT:
            if type(value) is not str or value[-1] == "0":
                value = plain_value(value)
            kept[name] = hashed[name] = value
        elif type(how) is Shape:
            kept[name], part = _walk_below(value, how, prefix + name + ".", walk)
            if part:
                hashed[name] = part
        else:
            kept[name] = _rest(name, value, how, prefix, walk, hashed)
    return kept, hashed


def _walk_below(value: Any, shape: "Shape", prefix: str, walk: _Walk) -> tuple[Any, Any]:
    """Walk the object, or each object of the list."""
    if type(value) is dict:
        return _walk(value, shape, prefix, walk)
    kept, hashed = [], []
    for item in value:
        kept_item, hashed_item = _walk(item, shape, prefix, walk)
        kept.append(kept_item)
        hashed.append(hashed_item)
    return kept, hashed


def _rest(name: str, value: Any, how: object, prefix: str, walk: _Walk, hashed: dict[str, Any]) -> Any:
    """Take a code, or a field that is hashed only if it is asked for: an unknown one, a version, a time, or meta."""
    if how is _CODE:
        code = value.upper()
        if code:
            hashed[name] = code
        return code
    if how is None:
        walk.unknown.add(f"{prefix}{name}"[:_NAME_MAX])
    value = _in_order(value)
    if walk.also:
        _keep_named(hashed, name, value, prefix, walk.also)
    return value


def _in_order(value: Any) -> Any:
    """Sort the fields of whatever the shop added."""
    if isinstance(value, dict):
        return {name: _in_order(value[name]) for name in sorted(value)}
    if isinstance(value, list):
        return [_in_order(item) for item in value]
    return value


def _keep_named(hashed: dict[str, Any], name: str, value: Any, prefix: str, also: Collection[str]) -> None:
    """Put a field that is otherwise left out, or those parts of it that are named, into the hash."""
    path = prefix + name
    if _is_named(path, also):
        hashed[name] = value
    elif isinstance(value, dict | list) and any(one.startswith(f"{path}.") for one in also):
        hashed[name] = _named_parts(value, f"{path}.", also)


def _is_named(path: str, also: Collection[str]) -> bool:
    """Tell whether this field is named, or one that it lies in: ``lines`` names the unknown fields of lines too."""
    while path:
        if path in also:
            return True
        path = path.rpartition(".")[0]
    return False


def _named_parts(value: Any, prefix: str, also: Collection[str]) -> Any:
    """Give what is named of an object, or of each of a list; an expression's path does not tell of lists."""
    if isinstance(value, list):
        return [_named_parts(item, prefix, also) for item in value]
    part: dict[str, Any] = {}
    if isinstance(value, dict):
        for inner, inner_value in value.items():
            _keep_named(part, inner, inner_value, prefix, also)
    return part


def annotation_parts(annotation: Any) -> Iterator[Any]:
    """Give everything that an annotation is made of: types, unions' members, and the metadata of ``Annotated``."""
    yield annotation
    if get_origin(annotation) in {Annotated, Union, UnionType, tuple}:
        for part in get_args(annotation):
            yield from annotation_parts(part)


def _how(parts: list[Any]) -> "How | Shape":
    for part in parts:
        if isinstance(part, type) and issubclass(part, BaseModel):
            return shape_of(part)
        if isinstance(part, DecimalText):
            return How.AMOUNT
        if isinstance(part, (TimeText, VersionNumber)):
            return How.MOMENT
        if get_origin(part) is dict:
            return How.META
        if isinstance(part, StringConstraints) and part.to_upper:
            return How.CODE
    return How.KEEP


def shape_of(model: type[BaseModel]) -> Shape:
    """Read the shape off a model's fields."""
    fields = {}
    for name, info in model.model_fields.items():
        parts = [part for one in (info.annotation, *info.metadata) for part in annotation_parts(one)]
        fields[name] = _how(parts)
    return Shape(fields)


# Looked up once: reading a member off its enum costs more than everything else that the walk does with a field.
_KEEP, _AMOUNT, _CODE, _MOMENT = How.KEEP, How.AMOUNT, How.CODE, How.MOMENT
_ORDER = shape_of(OrderData)
