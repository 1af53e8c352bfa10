"""The file of connections and shops that `booked apply` reads: YAML, checked with the line that is wrong.

``${NAME}`` in a value is taken from the environment. Secrets have no place in the file: they come with
`booked connect`.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from consumer.cli.shops_parts import ShopsFile, connection_settings, shop_settings
from consumer.domain.reference_patterns import patterns_could_meet
from consumer.domain.settings import ConnectionSettings, Platform, ShopSettings
from consumer.errors import ConfigurationError

FILE_BYTES_MAX = 4 * 1024 * 1024
DEPTH_MAX = 50  # of brackets within brackets
_BRACKET = re.compile(r"[\[\]{}]")
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What the file asks for, as the domain has it."""

    connections: tuple[ConnectionSettings, ...]
    shops: tuple[ShopSettings, ...]


def read_shops_file(path: Path, environment: Mapping[str, str]) -> Plan:
    """Read and check a file. Raises ConfigurationError, whose key is ``file:line``."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(str(path), f"it cannot be read: {error}") from error
    if len(text) > FILE_BYTES_MAX:
        raise ConfigurationError(str(path), f"it is larger than {FILE_BYTES_MAX} bytes")
    return parse_shops(text, name=path.name, environment=environment)


def parse_shops(text: str, *, name: str, environment: Mapping[str, str]) -> Plan:
    """Check the text of a file. Raises ConfigurationError, whose key is ``name:line``."""
    node, loaded = _loaded(text, name)
    data = _filled(loaded or {}, node, name, environment)
    try:
        parsed = ShopsFile.model_validate(data)
    except ValidationError as error:
        raise _fault(error, node, name) from error
    plan = Plan(
        connections=tuple(connection_settings(key, part) for key, part in sorted(parsed.connections.items())),
        shops=tuple(shop_settings(key, part) for key, part in sorted(parsed.shops.items())),
    )
    _check_relations(parsed, node, name)
    return plan


def _loaded(text: str, name: str) -> tuple[yaml.Node | None, Any]:
    """Give the text's nodes, which know their lines, and its values."""
    _refuse_depth(text, name)
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        _refuse_repeated_keys(node, name)
        return node, yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = 0 if mark is None else mark.line + 1
        raise ConfigurationError(f"{name}:{line}", f"this is not YAML: {getattr(error, 'problem', error)}") from error
    except ValueError as error:
        # A date that there is not, such as 2026-02-30: YAML does not say on which line.
        raise ConfigurationError(f"{name}:{_line_of_date(node)}", f"a value cannot be read: {error}") from error


def _refuse_depth(text: str, name: str) -> None:
    """Refuse brackets within brackets without end: the parser's time grows with the square of their depth."""
    depth = 0
    for number, line in enumerate(text.splitlines(), start=1):
        for sign in _BRACKET.findall(line):
            depth = max(0, depth + (1 if sign in "[{" else -1))
            if depth > DEPTH_MAX:
                raise ConfigurationError(f"{name}:{number}", f"brackets are nested more than {DEPTH_MAX} deep")


def _line_of_date(node: yaml.Node | None) -> int:
    """Find the first scalar that YAML takes for a moment and that is none."""
    if isinstance(node, yaml.ScalarNode) and node.tag.endswith(":timestamp"):
        try:
            datetime.fromisoformat(node.value)
        except ValueError:
            return node.start_mark.line + 1
    children = [] if node is None else _children(node)
    return next((line for child in children if (line := _line_of_date(child))), 0)


def _check_relations(parsed: ShopsFile, node: yaml.Node | None, name: str) -> None:
    for shop_id, shop in parsed.shops.items():
        if shop.connection is not None and shop.connection not in parsed.connections:
            line = _line(node, ("shops", shop_id, "connection"))
            raise ConfigurationError(f"{name}:{line}", f"shop {shop_id}: there is no connection {shop.connection}")
    organizations: dict[tuple[str, str], str] = {}
    for connection_id, connection in parsed.connections.items():
        if connection.organization_id is None:
            continue
        place = (connection.data_center, connection.organization_id)
        if place in organizations:
            line = _line(node, ("connections", connection_id, "organization_id"))
            message = f"connection {connection_id}: {organizations[place]} has this organisation already"
            raise ConfigurationError(f"{name}:{line}", message)
        organizations[place] = connection_id
    _check_patterns(parsed, node, name)
    _check_unique_fields(parsed, node, name)
    _check_own(parsed, node, name, "topics", "topic")
    _check_own(parsed, node, name, "event_sources", "event source")
    _check_order_lists(parsed, node, name)


def _check_order_lists(parsed: ShopsFile, node: yaml.Node | None, name: str) -> None:
    """A platform's own list is in the platform's words, which are read only where they are the shop's `source`."""
    for shop_id, shop in parsed.shops.items():
        kind = None if shop.order_list is None else shop.order_list.kind
        if kind not in (None, Platform.BOOKED, shop.source):
            line = _line(node, ("shops", shop_id, "order_list", "kind"))
            message = f"shop {shop_id}: a list of kind {kind} needs `source: {kind}`; the shop has {shop.source}"
            raise ConfigurationError(f"{name}:{line}", message)


def _check_unique_fields(parsed: ShopsFile, node: yaml.Node | None, name: str) -> None:
    """The unique field holds our key: with a shop's value in it the ledger would no longer refuse a second document."""
    for shop_id, shop in parsed.shops.items():
        field = None if shop.connection is None else parsed.connections[shop.connection].unique_field
        if field in shop.custom_fields:
            line = _line(node, ("shops", shop_id, "custom_fields", field), ("shops", shop_id, "custom_fields"))
            message = f"shop {shop_id}: {field} is the unique field of its connection; choose another custom field"
            raise ConfigurationError(f"{name}:{line}", message)


def _check_own(parsed: ShopsFile, node: yaml.Node | None, name: str, field: str, what: str) -> None:
    """What tells a shop from the others must not tell of two."""
    owners: dict[str, str] = {}
    for shop_id, shop in parsed.shops.items():
        values: tuple[str, ...] = getattr(shop, field)
        for at, value in enumerate(values):
            if value in owners:
                line = _line(node, ("shops", shop_id, field, at), ("shops", shop_id, field))
                message = f"shop {shop_id}: the {what} {value} is already that of shop {owners[value]}"
                raise ConfigurationError(f"{name}:{line}", message)
            owners[value] = shop_id


def _check_patterns(parsed: ShopsFile, node: yaml.Node | None, name: str) -> None:
    """Two shops of one connection must not be able to write the same reference."""
    by_connection: dict[str, list[str]] = {}
    for shop_id, shop in sorted(parsed.shops.items()):
        if shop.connection is not None:
            by_connection.setdefault(shop.connection, []).append(shop_id)
    for shop_ids in by_connection.values():
        for i, second in enumerate(shop_ids):
            for first in shop_ids[:i]:
                patterns = (parsed.shops[first].reference, parsed.shops[second].reference)
                if patterns_could_meet(first, patterns[0], second, patterns[1]):
                    line = _line(node, ("shops", second, "reference"), ("shops", second))
                    message = (
                        f"shops {first} and {second} share a connection and could write the same reference; "
                        "give each a reference such as {shop_id}/{order_id}"
                    )
                    raise ConfigurationError(f"{name}:{line}", message)


# ---- lines -------------------------------------------------------------------------------------------------------


def _filled(
    value: Any, node: yaml.Node | None, name: str, environment: Mapping[str, str], path: tuple[Any, ...] = ()
) -> Any:
    if isinstance(value, dict):
        return {str(k): _filled(v, node, name, environment, (*path, k)) for k, v in value.items()}
    if isinstance(value, list):
        return [_filled(v, node, name, environment, (*path, i)) for i, v in enumerate(value)]
    if not isinstance(value, str):
        return value
    for variable in _VARIABLE.findall(value):
        if variable not in environment:
            raise ConfigurationError(f"{name}:{_line(node, path)}", f"${{{variable}}} is not in the environment")
    return _VARIABLE.sub(lambda found: environment[found.group(1)], value)


def _fault(error: ValidationError, node: yaml.Node | None, name: str) -> ConfigurationError:
    fault = error.errors(include_url=False)[0]
    path = tuple(part for part in fault["loc"] if part != "[key]")
    where = ".".join(str(part) for part in path)
    message = {
        "missing": "it is missing",
        "extra_forbidden": "there is no setting of this name",
        "string_type": "it has to be text; put it in quotes",
    }.get(fault["type"], fault["msg"].removeprefix("Value error, "))
    return ConfigurationError(f"{name}:{_line(node, path, path[:-1])}", f"{where}: {message}")


def _line(node: yaml.Node | None, *paths: Sequence[Any]) -> int:
    """Give the line of the first of these paths that is there; a path that is only partly there gives its last part."""
    best = 1
    for path in paths:
        line, whole = _walk(node, path)
        if whole:
            return line
        best = max(best, line)
    return best


def _walk(node: yaml.Node | None, path: Sequence[Any]) -> tuple[int, bool]:
    line = 1 if node is None else node.start_mark.line + 1
    for part in path:
        step = _step(node, part)
        if step is None:
            return line, False
        line, node = step
    return line, True


def _step(node: yaml.Node | None, part: Any) -> tuple[int, yaml.Node] | None:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == str(part):
                return key.start_mark.line + 1, value
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        return node.value[part].start_mark.line + 1, node.value[part]
    return None


def _refuse_repeated_keys(node: yaml.Node | None, name: str, above: tuple[yaml.Node, ...] = ()) -> None:
    """YAML lets the last of two equal keys win in silence; half a shop's settings would be lost."""
    if node is None:
        return
    if any(node is one for one in above):
        raise ConfigurationError(f"{name}:{node.start_mark.line + 1}", "an alias stands within what it names")
    if isinstance(node, yaml.MappingNode):
        _check_names(node, name)
    for child in _children(node):
        _refuse_repeated_keys(child, name, (*above, node))


def _check_names(node: yaml.MappingNode, name: str) -> None:
    seen: set[str] = set()
    for key, _ in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise ConfigurationError(f"{name}:{key.start_mark.line + 1}", "a name has to be plain text")
        if key.value in seen:
            raise ConfigurationError(f"{name}:{key.start_mark.line + 1}", f"{key.value} stands twice")
        seen.add(key.value)


def _children(node: yaml.Node) -> list[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        return [value for _, value in node.value]
    return list(node.value) if isinstance(node, yaml.SequenceNode) else []
