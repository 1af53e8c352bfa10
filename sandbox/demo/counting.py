"""How many calls each order cost, counted by the ledger's stand-in: from its record of all requests received. Pure."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sandbox.demo.books import UNIQUE_FIELD, Books, Contacts, order_of
from sandbox.shop.expectations import Key, ShopOrder, Standing


class Case(StrEnum):
    """What the ledger's contact of an order was to Booked when the order was booked."""

    KNOWN = "known customer"
    LISTED = "known from a list only"
    MOVED = "known from a list, billing differs"
    NEW = "new customer"
    NAMESAKE = "new customer, name taken"


PROMISED: Mapping[Case, int] = {Case.KNOWN: 1, Case.LISTED: 2, Case.MOVED: 3, Case.NEW: 2}
"""Calls per order that are promised; for a name that is taken nothing is."""

_BY_STANDING = {
    Standing.NEW: Case.NEW,
    Standing.GUEST: Case.NEW,
    Standing.LISTED: Case.LISTED,
    Standing.MOVED: Case.MOVED,
    Standing.NAMESAKE: Case.NAMESAKE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CallCount:
    """``by_order`` counts the calls made for an order; ``total`` all calls, those for nobody in particular too."""

    by_order: Mapping[Key, int]
    cases: Mapping[Key, Case]
    total: int

    def calls_of(self, case: Case) -> list[int]:
        """Give the calls of each booked order of a case, ascending."""
        return sorted(self.by_order.get(key, 0) for key, found in self.cases.items() if found is case)


@dataclass(frozen=True, slots=True)
class _Sale:
    """An invoice that was made: when, for whom, of which order."""

    at: int
    contact_id: str
    order: Key


def count_calls(requests: Sequence[Mapping[str, Any]], books: Books, orders: Sequence[ShopOrder]) -> CallCount:
    """Count. A call for a contact belongs to the first order that was invoiced to it afterwards."""
    rows = [_Request(one) for one in requests]
    sales = [sale for row in rows if (sale := row.sale()) is not None]
    invoices = {invoice.invoice_id: invoice.order for invoice in books.invoices if invoice.order is not None}
    by_order: dict[Key, int] = {}
    for row in rows:
        key = row.order(invoices) or _next_sale(sales, row, books.contacts)
        if key is not None:
            by_order[key] = by_order.get(key, 0) + 1
    return CallCount(by_order=by_order, cases=_cases(sales, orders), total=len(rows))


def _next_sale(sales: Iterable[_Sale], row: "_Request", contacts: Contacts) -> Key | None:
    contact_id = row.contact(contacts)
    if contact_id is None:
        return None
    return next((sale.order for sale in sales if sale.at > row.at and sale.contact_id == contact_id), None)


def _cases(sales: Iterable[_Sale], orders: Sequence[ShopOrder]) -> dict[Key, Case]:
    standings = {order.key: order.standing for order in orders}
    seen: set[str] = set()
    cases: dict[Key, Case] = {}
    for sale in sales:
        if sale.order in standings and sale.order not in cases:
            cases[sale.order] = Case.KNOWN if sale.contact_id in seen else _BY_STANDING[standings[sale.order]]
        seen.add(sale.contact_id)
    return cases


class _Request:
    """One recorded request, read as far as it tells what it was for."""

    def __init__(self, recorded: Mapping[str, Any]) -> None:
        self.at = int(recorded["seq"])
        self._method = str(recorded["method"])
        self._status = int(recorded["status"] or 0)
        path = str(recorded["path"]).strip("/").split("/")
        self._resource, self._id = _resource(path)
        self._body: dict[str, Any] = _object(str(recorded["body"]))

    def sale(self) -> _Sale | None:
        """Give the invoice that this request made, if it made one."""
        made = self._resource == "invoices" and self._method == "POST" and not self._id and self._status == 201  # noqa: PLR2004 created
        key = self._own_key() if made else None
        return None if key is None else _Sale(self.at, str(self._body.get("customer_id")), key)

    def order(self, invoices: Mapping[str, Key]) -> Key | None:
        """Give the order that a request about invoices is for."""
        if self._resource != "invoices":
            return None
        return invoices.get(self._id) if self._id else self._own_key()

    def contact(self, contacts: Contacts) -> str | None:
        """Give the contact that a request about one contact is for; a list is for nobody in particular."""
        if self._resource != "contacts":
            return None
        if self._id or self._method != "POST":
            return self._id or None
        persons = self._body.get("contact_persons") or [{}]
        email = str(persons[0].get("email", ""))
        return contacts.by_email.get(email) or contacts.by_name.get(str(self._body.get("contact_name")))

    def _own_key(self) -> Key | None:
        fields = self._body.get("custom_fields") or ()
        values = [str(field.get("value")) for field in fields if field.get("api_name") == UNIQUE_FIELD]
        return order_of(values[0]) if values else None


def _resource(path: Sequence[str]) -> tuple[str, str]:
    """Give what ``books/v3/RESOURCE/ID/…`` names."""
    rest = path[path.index("v3") + 1 :] if "v3" in path else list(path)
    return (rest[0] if rest else ""), (rest[1] if len(rest) > 1 else "")


def _object(text: str) -> dict[str, Any]:
    try:
        read = json.loads(text) if text else {}
    except ValueError:
        # The stand-in keeps the first 65,536 characters of a body: a longer one is no JSON any more.
        return {}
    return read if isinstance(read, dict) else {}
