"""What `booked apply` changes: the settings as they become, told in sentences, and the orders they may concern."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from enum import Enum
from typing import Any, TypeVar

from consumer.domain.settings import ConnectionSettings, ShopSettings

Settings = TypeVar("Settings", ConnectionSettings, ShopSettings)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """The change of one connection or shop; ``sentences`` is never empty. ``subject``: connection | shop."""

    subject: str
    name: str
    sentences: tuple[str, ...]
    orders_concerned: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All connections and shops as they become (also those that stay), and what changes."""

    connections: Mapping[str, ConnectionSettings]
    shops: Mapping[str, ShopSettings]
    changes: tuple[Change, ...]

    def changed(self, subject: str, *, orders_concerned: bool = False) -> list[str]:
        """Give the names of the changed connections or shops, sorted; or only those whose orders it concerns."""
        found = (c for c in self.changes if c.subject == subject)
        return sorted(c.name for c in found if c.orders_concerned or not orders_concerned)


def plan(
    stored_connections: Mapping[str, ConnectionSettings],
    stored_shops: Mapping[str, ShopSettings],
    connections: Iterable[ConnectionSettings],
    shops: Iterable[ShopSettings],
    now: datetime,
) -> Plan:
    """Work out what changes when the settings become these; what is not named becomes inactive."""
    new_connections = _complete(stored_connections, {c.connection_id: c for c in connections})
    named = {shop.shop_id: _settled(shop, stored_shops.get(shop.shop_id), now) for shop in shops}
    new_shops = _complete(stored_shops, named)
    return Plan(
        connections=new_connections,
        shops=new_shops,
        changes=(
            *_changes("connection", stored_connections, new_connections, silent={"limits"}),
            *_changes("shop", stored_shops, new_shops, silent={"name", "revision", "order_list"}),
        ),
    )


def _complete(stored: Mapping[str, Settings], named: Mapping[str, Settings]) -> dict[str, Settings]:
    gone = {name: replace(settings, active=False) for name, settings in stored.items() if name not in named}
    return {**named, **gone}


def _settled(shop: ShopSettings, stored: ShopSettings | None, now: datetime) -> ShopSettings:
    """Fill in what the database decides: the start when automatic sending is switched on, the key once fixed."""
    if stored is not None and shop.revision is None:
        shop = replace(shop, revision=stored.revision)
    if shop.book_from is not None:
        return shop
    if shop.automatic and (stored is None or not stored.automatic or stored.book_from is None):
        return replace(shop, book_from=now)
    return replace(shop, book_from=None if stored is None else stored.book_from)


def _changes(
    subject: str, before: Mapping[str, Settings], after: Mapping[str, Settings], silent: set[str]
) -> Iterable[Change]:
    for name in sorted(after):
        old = before.get(name)
        if old is None:
            yield Change(subject=subject, name=name, sentences=(f"{subject} {name} is added",))
            continue
        differing = [
            field.name for field in fields(old) if getattr(old, field.name) != getattr(after[name], field.name)
        ]
        if differing:
            yield Change(
                subject=subject,
                name=name,
                sentences=tuple(_sentences(subject, name, differing, old, after[name])),
                orders_concerned=not silent.issuperset(differing),
            )


def _sentences(subject: str, name: str, differing: Sequence[str], old: Any, new: Any) -> Iterable[str]:
    for field in differing:
        before, after = getattr(old, field), getattr(new, field)
        if field == "active":
            yield f"{subject} {name} becomes {'active' if after else 'inactive'}"
        elif field == "limits":
            parts = [f.name for f in fields(before) if getattr(before, f.name) != getattr(after, f.name)]
            for part in parts:
                yield _sentence(subject, name, f"limits.{part}", getattr(before, part), getattr(after, part))
        else:
            yield _sentence(subject, name, field, before, after)


def _sentence(subject: str, name: str, field: str, before: Any, after: Any) -> str:
    return f"{subject} {name}: {field} changes from {_told(before)} to {_told(after)}"


def _told(value: Any) -> str:
    if value is None or value == "":
        return "nothing"
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    if isinstance(value, Enum):
        return str(value.value)
    return f"{len(value)} rows" if isinstance(value, tuple) else str(value)
