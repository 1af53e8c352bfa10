"""The tables of docs/events.md, made from the models, so that the page cannot say anything else than the code does."""

import re
from collections.abc import Callable, Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel, StringConstraints
from pydantic.fields import FieldInfo

from schemas.canonical import annotation_parts
from schemas.lines import Discount, Fee, Line, Payment, Refund, RefundLine, Shipping, Tax, TaxByRate, Totals
from schemas.orders import OrderData
from schemas.parties import Address, Customer
from schemas.rejected import Position, RejectedData
from schemas.rejections import MEANINGS
from schemas.synced import Invoice, SyncedData, SyncedDocument, SyncedReason

ORDER_PARTS: tuple[type[BaseModel], ...] = (
    Customer,
    Address,
    Line,
    Tax,
    Discount,
    Shipping,
    Fee,
    Payment,
    Refund,
    RefundLine,
    Totals,
    TaxByRate,
)
SYNCED_PARTS: tuple[type[BaseModel], ...] = (Invoice, SyncedDocument, SyncedReason)
_MARKED = re.compile(r"(<!-- made: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def fill_tables(page: str) -> str:
    """Put the tables between their marks (`<!-- made: NAME -->` … `<!-- end -->`). Raises KeyError for another name."""
    tables: dict[str, Callable[[], Iterator[str]]] = {
        "order": _order_tables,
        "synced": lambda: _tables(SyncedData, *SYNCED_PARTS),
        "rejected": lambda: _tables(RejectedData, Position),
        "reasons": _reasons,
    }
    return _MARKED.sub(lambda mark: mark[1] + "\n" + "\n".join(tables[mark[2]]()) + "\n" + mark[3], page)


def _order_tables() -> Iterator[str]:
    """The whole order, told once: what only `order.cancelled` may leave out is said in words on the page."""
    yield from _table("The order", _ordered_fields())
    for part in ORDER_PARTS:
        yield from _table(part.__name__, part.model_fields)


def _ordered_fields() -> dict[str, FieldInfo]:
    """Required fields first, as the reader looks for them first."""
    fields = OrderData.model_fields
    first = [name for name, one in fields.items() if one.is_required()]
    return {name: fields[name] for name in [*first, *(name for name in fields if name not in first)]}


def _tables(*models: type[BaseModel]) -> Iterator[str]:
    for model in models:
        yield from _table(model.__name__, model.model_fields)


def _table(title: str, fields: dict[str, FieldInfo]) -> Iterator[str]:
    yield from (f"#### {title}", "", "| field | what it holds | required | meaning |", "| --- | --- | --- | --- |")
    for name, field in fields.items():
        required = "yes" if field.is_required() else ""
        yield f"| `{name}` | {type_words(field)} | {required} | {_cell(field.description or '')} |"
    yield ""


def type_words(field: FieldInfo) -> str:
    """Say in words what a field holds, with its limit."""
    parts = [part for one in (field.annotation, *field.metadata) for part in annotation_parts(one)]
    words = _word(parts)
    return f"{words}, or null" if type(None) in parts and field.is_required() else words


def _word(parts: list[Any]) -> str:
    limit = next((part.max_length for part in parts if _limits_a_list(part)), None)
    model = next((part for part in parts if isinstance(part, type) and issubclass(part, BaseModel)), None)
    if model is not None:
        link = f"[{model.__name__}](#{model.__name__.lower()})"
        return f"list of {link}, at most {limit:,}" if limit else link
    for part in parts:
        if get_origin(part) is Literal:
            return _cell("one of " + ", ".join(f"`{value}`" for value in get_args(part)))
    return next((words for kind, words in _SIMPLE if kind in parts), None) or _text_words(parts, limit)


def _limits_a_list(part: Any) -> bool:
    """Tell pydantic's own mark of a list's length from that of a text."""
    return hasattr(part, "max_length") and not isinstance(part, StringConstraints)


_SIMPLE: tuple[tuple[Any, str], ...] = (
    (Decimal, "decimal"),
    (datetime, "time"),
    (date, "date"),
    (bool, "true or false"),
    (int, "whole number"),
    (dict[str, Any], "object"),
)


def _text_words(parts: list[Any], list_limit: int | None) -> str:
    text = next(part for part in parts if isinstance(part, StringConstraints))
    limit = text.max_length
    words = "text" if limit is None else f"text, at most {limit:,}"
    return f"list of texts, at most {list_limit:,}" if list_limit else words


def _reasons() -> Iterator[str]:
    yield from ("| reason | what was found | what to do |", "| --- | --- | --- |")
    for reason, meaning in MEANINGS.items():
        yield f"| `{reason}` | {_cell(meaning.what)} | {_cell(meaning.fix)} |"
    yield ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
