"""The canonical form of an order and the hash of its content, made from the parsed JSON in one walk.

The walk follows shapes that are read off the models once, so that a new field of a model is in the hash by itself.
It works on the parsed JSON instead of dumping the models, and sorts as it goes, so that pydantic's encoder, which does
not sort, can write the bytes: measured, a third of the time of ``json.dumps``.
"""

import json
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from enum import Enum, auto
from hashlib import sha256
from operator import itemgetter
from types import UnionType
from typing import Annotated, Any, NamedTuple, Union, get_args, get_origin

from pydantic import BaseModel, StringConstraints
from pydantic_core import to_json

from schemas.fields import TimeText, VersionNumber
from schemas.money import DecimalText, plain_value
from schemas.orders import OrderData

UNKNOWN_FIELDS_MAX = 50
_NAME_MAX = 200
_PLANS_MAX = 64  # sets of fields remembered per model: a shop writes all its orders alike
_PLANNED_FIELDS_MIN = 2  # operator.itemgetter gives a tuple from two names on


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
    plans: dict[tuple[str, ...], "_Plan | None"] = field(default_factory=dict, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Canonical:
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
_NOTHING: Any = object()


def _walk(data: dict[str, Any], shape: "Shape", prefix: str, walk: _Walk) -> _Both:
    """Give an object with its fields sorted and in normal form, and the part of it that is hashed."""
    plan = _plan_for(data, shape)
    if plan is not None and not walk.also:
        values = plan.values_of(data)
        if all(values):
            return _by_plan(plan, values, prefix, walk)
    kept: dict[str, Any] = {}
    differs: dict[str, Any] = {}  # what the hash has in a field's place; _NOTHING: not that field
    how_of = shape.fields.get
    for name in sorted(data):
        value = data[name]
        how = how_of(name)
        if how is _KEEP:
            kept[name] = value
            if not value and value is not False:
                differs[name] = _NOTHING
        elif value is None or (how is _MOMENT and not walk.also):
            kept[name] = value
            differs[name] = _NOTHING
        elif how is _AMOUNT:
            # Without a zero at its end the text is in normal form already.
            kept[name] = value if type(value) is str and value[-1] != "0" else plain_value(value)
        elif type(how) is Shape:
            whole, part = _walk_below(value, how, f"{prefix}{name}.", walk)
            kept[name] = whole
            if part is not whole or not part:
                differs[name] = part or _NOTHING
        else:
            kept[name] = _rest(name, value, how, prefix, walk, differs)
    return kept, _without(kept, differs) if differs else kept


class _Plan(NamedTuple):
    """How to walk objects with these very fields, all of them known: a shop writes them alike, order after order."""

    names: tuple[str, ...]  # sorted
    values_of: Callable[[dict[str, Any]], tuple[Any, ...]]
    amounts: tuple[str, ...]
    codes: tuple[str, ...]
    moments: tuple[str, ...]
    below: tuple[tuple[str, Shape], ...]


def _plan_for(data: dict[str, Any], shape: Shape) -> _Plan | None:
    """Look the plan up, or make it; None where there are other fields, or more sets of fields than are remembered."""
    fields = tuple(data)
    plan = shape.plans.get(fields, _NOTHING)
    if plan is _NOTHING:
        if len(shape.plans) >= _PLANS_MAX:
            return None
        plan = shape.plans[fields] = _plan(sorted(fields), shape)
    return plan  # type: ignore[no-any-return]  # _NOTHING is Any


def _plan(names: list[str], shape: Shape) -> _Plan | None:
    hows = [(name, shape.fields.get(name)) for name in names]
    if len(hows) < _PLANNED_FIELDS_MIN or any(how is None or how is How.META for _, how in hows):
        return None

    def those(wanted: How) -> tuple[str, ...]:
        return tuple(name for name, how in hows if how is wanted)

    below = tuple((name, how) for name, how in hows if isinstance(how, Shape))
    return _Plan(tuple(names), itemgetter(*names), those(_AMOUNT), those(_CODE), those(_MOMENT), below)


def _by_plan(plan: _Plan, values: tuple[Any, ...], prefix: str, walk: _Walk) -> _Both:
    """Walk an object in which nothing is null, empty or false: no field needs to be looked at but those below."""
    kept = dict(zip(plan.names, values, strict=True))
    for name in plan.amounts:
        value = kept[name]
        if type(value) is not str or value[-1] == "0":
            kept[name] = plain_value(value)
    for name in plan.codes:
        kept[name] = kept[name].upper()
    differs = dict.fromkeys(plan.moments, _NOTHING)
    for name, shape in plan.below:
        whole, part = _walk_below(kept[name], shape, f"{prefix}{name}.", walk)
        kept[name] = whole
        if part is not whole or not part:
            differs[name] = part or _NOTHING
    return kept, _without(kept, differs) if differs else kept


def _without(kept: dict[str, Any], differs: dict[str, Any]) -> dict[str, Any]:
    """Give what is hashed of an object: mostly all of it, which is why only the differences are noted."""
    hashed = {**kept, **differs}
    for name, value in differs.items():
        if value is _NOTHING:
            del hashed[name]
    return hashed


def _walk_below(value: Any, shape: "Shape", prefix: str, walk: _Walk) -> tuple[Any, Any]:
    """Walk the object, or each object of the list; where all of it is hashed, both are the same object."""
    if type(value) is dict:
        return _walk(value, shape, prefix, walk)
    both = [_walk(item, shape, prefix, walk) for item in value]
    kept = [one for one, _ in both]
    if all(one is other for one, other in both):
        return kept, kept
    return kept, [other for _, other in both]


def _rest(name: str, value: Any, how: object, prefix: str, walk: _Walk, differs: dict[str, Any]) -> Any:
    """Take a code, or a field that is hashed only if it is asked for: an unknown one, a version, a time, or meta."""
    if how is _CODE:
        code = value.upper()
        if not code:
            differs[name] = _NOTHING
        return code
    if how is None:
        walk.unknown.add(f"{prefix}{name}"[:_NAME_MAX])
    value = _in_order(value)
    named: dict[str, Any] = {}
    if walk.also:
        _keep_named(named, name, value, prefix, walk.also)
    differs[name] = named.get(name, _NOTHING)
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
    if path in also:
        hashed[name] = value
    elif isinstance(value, dict) and any(one.startswith(f"{path}.") for one in also):
        part: dict[str, Any] = {}
        for inner, inner_value in value.items():
            _keep_named(part, inner, inner_value, f"{path}.", also)
        hashed[name] = part


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
