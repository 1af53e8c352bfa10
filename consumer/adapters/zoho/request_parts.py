"""What requests are made of: the request itself, what it needs beside its operation, and the ways to ask."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote

from consumer.adapters.zoho import limits
from consumer.adapters.zoho.encoding import write_json
from consumer.errors import RefusedError

BASE_PATH: Final = "/books/v3"
"""The interface's base path; version 4 exists and is not used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request; ``path`` includes the base path, ``body`` is text of its content type, or empty."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: str = field(default="", repr=False)
    content_type: str = "application/json;charset=UTF-8"


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a request needs beside its operation: the organisation, and the currencies' ids as far as they are known."""

    organization_id: str | None
    currency_ids: Mapping[str, str] = field(default_factory=dict)
    base_path: str = BASE_PATH


def get_one(around: Surroundings, path: str, **query: str) -> Request:
    """Make the request of a read."""
    return Request(method="GET", path=around.base_path + path, query=query)


def list_of(around: Surroundings, path: str, page: int = 1, **query: str) -> Request:
    """Make the request for one page of a list."""
    # The number of rows is always sent: the documented default has changed from 200 to 10.
    return get_one(around, path, page=str(page), per_page=str(limits.PER_PAGE), **query)


def write(around: Surroundings, method: str, path: str, body: Any = None, **query: str) -> Request:
    """Make the request of a write."""
    text = "" if body is None else write_json(body)
    return Request(method=method, path=around.base_path + path, query=query, body=text)


def id_in_path(value: str, name: str) -> str:
    """Put an id into a path. Without this check an empty one would ask for, or delete, something else."""
    if not value.strip() or value in {".", ".."}:
        raise RefusedError(f"a call to Zoho Books lacks its {name}", 0, None)
    return quote(value, safe="")
