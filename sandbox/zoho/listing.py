"""Lists: which filters a list knows, how it sorts, and how it is cut into pages.

A filter that a list does not know, or whose value makes no sense, is ignored without a word, as Zoho does: the answer
is then the list without it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sandbox.zoho.calls import Answer, Call
from sandbox.zoho.clock import is_date, moment
from sandbox.zoho.customfields import field_ids
from sandbox.zoho.numbers import decimal_of
from sandbox.zoho.store import Document, Search

PER_PAGE_MAX = 200
_TEXT_MAX = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """What one list can do. `orders` maps a sort column to its SQL; `order` is the usual one."""

    resource: str
    report: str
    filters: Mapping[str, Callable[[Call, Search, str], None]]
    orders: Mapping[str, str]
    order: str
    direction: str = "A"
    extra: Mapping[str, Any] = field(default_factory=dict)


def equal_to(column: str) -> Callable[[Call, Search, str], None]:
    """Make a filter for exactly one value of a column."""

    def apply(_call: Call, search: Search, value: str) -> None:
        search.where(f"{column} = ?", value)

    return apply


def like(column: str, *, before: bool = False) -> Callable[[Call, Search, str], None]:
    """Make a filter for values that start with a text, or with `before` contain it anywhere."""

    def apply(_call: Call, search: Search, value: str) -> None:
        escaped = value.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        search.where(f"{column} LIKE ? ESCAPE '\\'", f"{'%' if before else ''}{escaped}%")

    return apply


def texts(name: str, column: str) -> dict[str, Callable[[Call, Search, str], None]]:
    """Make the three filters of a text: exactly, starting with, containing."""
    return {
        name: _short(equal_to(column)),
        f"{name}_startswith": _short(like(column)),
        f"{name}_contains": _short(like(column, before=True)),
    }


def dates(name: str, column: str) -> dict[str, Callable[[Call, Search, str], None]]:
    """Make the filters of a day: on, from, to, before, after."""
    operators = {"": "=", "_start": ">=", "_end": "<=", "_before": "<", "_after": ">"}
    return {f"{name}{suffix}": _date(column, operator) for suffix, operator in operators.items()}


def number(column: str) -> Callable[[Call, Search, str], None]:
    """Make a filter for exactly one number."""

    def apply(_call: Call, search: Search, value: str) -> None:
        read = decimal_of(value)
        if read is not None:
            search.where(f"{column} = ?", float(read))

    return apply


def modified_after(call: Call, search: Search, value: str) -> None:
    """Filter by change time: only what was changed after the given moment."""
    after = moment(value, call.organization.time_zone)
    if after is not None:
        # The ledger writes whole seconds, so a change within the given second is not after it.
        search.where("CAST(modified AS INTEGER) > ?", int(after))


def _short(inner: Callable[[Call, Search, str], None]) -> Callable[[Call, Search, str], None]:
    def apply(call: Call, search: Search, value: str) -> None:
        if len(value) <= _TEXT_MAX:
            inner(call, search, value)

    return apply


def _date(column: str, operator: str) -> Callable[[Call, Search, str], None]:
    def apply(_call: Call, search: Search, value: str) -> None:
        if is_date(value):
            search.where(f"{column} {operator} ?", value)

    return apply


def search_of(call: Call, listing: Listing) -> Search:
    """Turn a list's query into a search, one row longer than the page, which shows whether more follows."""
    search = Search()
    for name, value in call.query.items():
        known = listing.filters.get(name)
        if known is not None and value != "":
            known(call, search, value)
        elif name in field_ids(call.organization) and call.switch("custom_field_filter") == "by_name":
            _by_custom_field(call, search, name, value)
    hidden_seconds = max(float(call.switch("list_delay_seconds")), call.stale_seconds)
    if hidden_seconds:
        search.where("created <= ?", call.now - hidden_seconds)
    column, direction = _sorting(call, listing)
    way = "DESC" if direction == "D" else "ASC"
    search.order = f"{listing.orders[column]} {way}, id {way}"
    number_, size = _paging(call)
    search.limit, search.offset = size + 1, (number_ - 1) * size
    return search


def _by_custom_field(call: Call, search: Search, name: str, value: str) -> None:
    if name == call.organization.unique_field:
        held = "SELECT id FROM unique_values WHERE organization_id = ? AND field = ? AND value = ?"
        search.where(f"id IN ({held})", call.organization.organization_id, name, value)
    else:
        search.where("json_extract(body, '$.custom_values.' || ?) = ?", name, value)


def listed(
    call: Call, kind: str, listing: Listing, row: Callable[[Call, Document], dict[str, Any]], applied: str
) -> Answer:
    """Answer a list from the store. `applied` is the name of the filter that `filter_by` chose."""
    found = call.store.find(kind, call.organization.organization_id, search_of(call, listing))
    _, size = _paging(call)
    context = _context(call, listing, has_more=len(found) > size)
    context |= {"applied_filter": applied, "custom_fields": [], **listing.extra}
    return _answer(listing, [row(call, one) for one in found[:size]], context)


def page(call: Call, listing: Listing, rows: Sequence[dict[str, Any]], *, extra: Mapping[str, Any]) -> Answer:
    """Answer a list that is small enough to lie in memory."""
    number_, size = _paging(call)
    start = (number_ - 1) * size
    context = _context(call, listing, has_more=len(rows) > start + size)
    return _answer(listing, list(rows[start : start + size]), context | dict(extra))


def _answer(listing: Listing, rows: list[dict[str, Any]], context: Mapping[str, Any]) -> Answer:
    return Answer(body={"code": 0, "message": "success", listing.resource: rows, "page_context": dict(context)})


def _context(call: Call, listing: Listing, *, has_more: bool) -> dict[str, Any]:
    number_, size = _paging(call)
    column, direction = _sorting(call, listing)
    return {
        "page": number_,
        "per_page": size,
        "has_more_page": has_more,
        "report_name": listing.report,
        "sort_column": column,
        "sort_order": direction,
    }


def _paging(call: Call) -> tuple[int, int]:
    def positive(name: str, default: int) -> int:
        text = call.query.get(name, "")
        return int(text) if text.isascii() and text.isdigit() and int(text) > 0 else default

    return min(positive("page", 1), 10**9), min(
        positive("per_page", int(call.switch("per_page_default"))), PER_PAGE_MAX
    )


def _sorting(call: Call, listing: Listing) -> tuple[str, str]:
    column = call.query.get("sort_column", "")
    direction = call.query.get("sort_order", "").upper()[:1]
    known = column in listing.orders
    return column if known else listing.order, direction if direction in ("A", "D") else listing.direction
