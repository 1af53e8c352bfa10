"""The file of connections and shops that `booked apply` reads: YAML, checked with the line that is wrong.

``${NAME}`` in a value is taken from the environment. Secrets have no place in the file: they come with
`booked connect`.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from consumer.domain.reference_patterns import patterns_could_meet
from consumer.domain.settings import (
    ConnectionSettings,
    LedgerLimits,
    NameMatch,
    RevisionKey,
    ShopSettings,
    TaxOverride,
)
from consumer.errors import ConfigurationError

MINUTE_SECONDS = 60.0
FILE_BYTES_MAX = 4 * 1024 * 1024
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_PATTERN_FIELDS = re.compile(r"\{([^{}]*)\}")

DATA_CENTERS = ("us", "eu", "in", "au", "jp", "ca", "cn", "sa", "uk", "sandbox")


def _time_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError(f"there is no time zone {name!r}; use a name such as Europe/Amsterdam") from error
    return name


def _pattern(pattern: str) -> str:
    unknown = set(_PATTERN_FIELDS.findall(pattern)) - {"shop_id", "order_id", "number"}
    if unknown:
        raise ValueError(f"{{{min(unknown)}}} is unknown; there are {{shop_id}}, {{order_id}} and {{number}}")
    if "{order_id}" not in pattern and "{number}" not in pattern:
        raise ValueError("it needs {order_id} or {number}, else all orders would have one reference")
    return pattern


def _data_center(name: str) -> str:
    if name not in DATA_CENTERS:
        raise ValueError(f"unknown; there are {', '.join(DATA_CENTERS)}")
    return name


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class LimitsPart(_Part):
    """Limits of one connection; what is not given is Zoho's own."""

    calls_per_minute: Annotated[int, Field(ge=1, le=100_000)] = 100
    calls_at_once: Annotated[int, Field(ge=1, le=8)] = 4
    calls_per_day: Annotated[int, Field(ge=1, le=10_000_000)] = 1000
    burst_calls: Annotated[int, Field(ge=1, le=1000)] = 8
    people_calls: Annotated[int, Field(ge=0, le=50)] = 2
    call_deadline_seconds: Annotated[float, Field(gt=0, le=120)] = 20.0
    settle_seconds: Annotated[float, Field(ge=0, le=3600)] = 300.0
    settle_seconds_with_unique_field: Annotated[float, Field(ge=0, le=3600)] = 30.0
    look_again_seconds: Annotated[float, Field(ge=0, le=3600)] = 30.0
    window_seconds: Annotated[float, Field(gt=0, le=600)] = 60.0
    contacts_fresh_seconds: Annotated[float, Field(gt=0)] = 3600.0
    facts_fresh_seconds: Annotated[float, Field(gt=0)] = 86400.0

    def settings(self) -> LedgerLimits:
        """Give them as the domain has them: calls a minute become calls of the window."""
        values = self.model_dump()
        per_minute, per_day = values.pop("calls_per_minute"), values.pop("calls_per_day")
        calls = (
            max(1, int(per_minute * self.window_seconds / MINUTE_SECONDS))
            if self.window_seconds != MINUTE_SECONDS
            else per_minute
        )
        return LedgerLimits(calls_per_window=calls, daily_calls=per_day, **values)


class ConnectionPart(_Part):
    """One authorised ledger organisation."""

    data_center: Annotated[str, AfterValidator(_data_center)]
    organization_id: Annotated[str, Field(pattern=r"^[0-9]{1,20}$")] | None = None
    unique_field: Annotated[str, Field(pattern=r"^cf_[a-z0-9_]{1,90}$")] | None = None
    negative_lines: bool = True
    limits: LimitsPart = LimitsPart()


class TaxPart(_Part):
    """One row of a shop's own tax table."""

    tax_id: Annotated[str, Field(pattern=r"^[0-9]{1,30}$")]
    country: Annotated[str, Field(pattern=r"^([A-Z]{2})?$")] = ""
    rate: Decimal | None = None
    tax_class: str = ""


class ShopPart(_Part):
    """One source of orders."""

    connection: str | None = None
    name: Annotated[str, Field(max_length=200)] = ""
    automatic: bool = False
    book_from: datetime | None = None
    time_zone: Annotated[str, AfterValidator(_time_zone)] = "UTC"
    revision: RevisionKey | None = None
    reference: Annotated[str, Field(max_length=100), AfterValidator(_pattern)] = "{order_id}"
    customer_name_match: NameMatch = NameMatch.WITHOUT_EMAIL
    update_customers: bool = True
    items_by_sku: bool = False
    taxes: tuple[TaxPart, ...] = ()
    rounding_units_max: Annotated[int, Field(ge=0, le=100)] = 5
    discount_label: Annotated[str, Field(min_length=1, max_length=100)] = "Discount"
    shipping_label: Annotated[str, Field(min_length=1, max_length=100)] = "Shipping"
    rounding_label: Annotated[str, Field(min_length=1, max_length=100)] = "Rounding"
    notes: Annotated[str, Field(max_length=2000)] = ""
    payment_terms_days: Annotated[int, Field(ge=0, le=365)] = 0


class ShopsFile(_Part):
    """The whole file."""

    connections: dict[Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")], ConnectionPart] = {}
    # The same rule as the contract has: a shop of another id could never receive an order.
    shops: dict[Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^/\s]+$")], ShopPart] = {}


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
        connections=tuple(_connection(key, part) for key, part in sorted(parsed.connections.items())),
        shops=tuple(_shop(key, part) for key, part in sorted(parsed.shops.items())),
    )
    _check_relations(parsed, node, name)
    return plan


def _loaded(text: str, name: str) -> tuple[yaml.Node | None, Any]:
    """Give the text's nodes, which know their lines, and its values."""
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


def _line_of_date(node: yaml.Node | None) -> int:
    """Find the first scalar that YAML takes for a moment and that is none."""
    if isinstance(node, yaml.ScalarNode) and node.tag.endswith(":timestamp"):
        try:
            datetime.fromisoformat(node.value)
        except ValueError:
            return node.start_mark.line + 1
    children = [] if node is None else _children(node)
    return next((line for child in children if (line := _line_of_date(child))), 0)


def _connection(connection_id: str, part: ConnectionPart) -> ConnectionSettings:
    return ConnectionSettings(
        connection_id=connection_id,
        data_center=part.data_center,
        organization_id=part.organization_id,
        unique_field=part.unique_field,
        negative_lines=part.negative_lines,
        limits=part.limits.settings(),
    )


def _shop(shop_id: str, part: ShopPart) -> ShopSettings:
    book_from = part.book_from
    if book_from is not None and book_from.tzinfo is None:
        book_from = book_from.replace(tzinfo=ZoneInfo(part.time_zone))
    return ShopSettings(
        shop_id=shop_id,
        connection_id=part.connection,
        name=part.name,
        automatic=part.automatic,
        book_from=None if book_from is None else book_from.astimezone(UTC),
        time_zone=part.time_zone,
        revision=part.revision,
        reference_pattern=part.reference,
        customer_name_match=part.customer_name_match,
        update_customers=part.update_customers,
        items_by_sku=part.items_by_sku,
        tax_overrides=tuple(TaxOverride(**row.model_dump()) for row in part.taxes),
        rounding_line_units_per_document=part.rounding_units_max,
        discount_label=part.discount_label,
        shipping_label=part.shipping_label,
        rounding_label=part.rounding_label,
        notes=part.notes,
        payment_terms=part.payment_terms_days,
    )


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
