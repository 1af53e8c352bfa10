"""From an operation to the one request that asks it: method, path, query, body. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote

from consumer.adapters.zoho import limits, writing
from consumer.adapters.zoho.encoding import write_json
from consumer.adapters.zoho.times import write_moment
from consumer.domain import ledger
from consumer.errors import ConnectionStoppedError, RefusedError, StopCause

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


def build(operation: ledger.Operation, surroundings: Surroundings) -> Request:
    """Make the request. Raises RefusedError where Zoho's limits forbid it, ConnectionStoppedError without organisation.

    Nothing was sent when this raises.
    """
    builder = _BUILDERS[type(operation)]
    request = builder(operation, surroundings)
    if isinstance(operation, ledger.ReadOrganization):
        return request
    if not surroundings.organization_id:
        raise ConnectionStoppedError(
            "The connection has no organisation yet; set organization_id with `booked apply`.",
            StopCause.WRONG_ORGANIZATION,
        )
    query = {"organization_id": surroundings.organization_id, **request.query}
    return Request(method=request.method, path=request.path, query=query, body=request.body)


def _get(around: Surroundings, path: str, **query: str) -> Request:
    return Request(method="GET", path=around.base_path + path, query=query)


def _list(around: Surroundings, path: str, page: int = 1, **query: str) -> Request:
    # The number of rows is always sent: the documented default has changed from 200 to 10.
    return _get(around, path, page=str(page), per_page=str(limits.PER_PAGE), **query)


def _write(around: Surroundings, method: str, path: str, body: Any = None) -> Request:
    text = "" if body is None else write_json(body)
    return Request(method=method, path=around.base_path + path, body=text)


def _id(value: str, name: str) -> str:
    """Put an id into a path. Without this check an empty one would ask for, or delete, something else."""
    if not value.strip() or value in {".", ".."}:
        raise RefusedError(f"a call to Zoho Books lacks its {name}", 0, None)
    return quote(value, safe="")


def _organization(_: ledger.ReadOrganization, around: Surroundings) -> Request:
    # The list, not the one: it also tells whether the user belongs to the organisation at all, and takes no id.
    return _get(around, "/organizations")


def _taxes(operation: ledger.ListTaxes, around: Surroundings) -> Request:
    return _list(around, "/settings/taxes", operation.page)


def _currencies(operation: ledger.ListCurrencies, around: Surroundings) -> Request:
    return _list(around, "/settings/currencies", operation.page)


def _contacts(operation: ledger.ListContacts, around: Surroundings) -> Request:
    # By creation, oldest first, a contact made meanwhile comes last and moves no other one to another page.
    column, order = ("last_modified_time", "D") if operation.by_change else ("created_time", "A")
    return _list(around, "/contacts", operation.page, sort_column=column, sort_order=order)


def _find_contacts(operation: ledger.FindContacts, around: Surroundings) -> Request:
    # Filters take 100 characters while names have up to 200; a longer one is found by its beginning.
    name, whole = operation.contact_name, len(operation.contact_name) <= limits.SEARCH
    query = {"contact_name" if whole else "contact_name_startswith": name[: limits.SEARCH]}
    return _list(around, "/contacts", 1, **query)


def _read_contact(operation: ledger.ReadContact, around: Surroundings) -> Request:
    return _get(around, f"/contacts/{_id(operation.contact_id, 'contact id')}")


def _find_invoices(operation: ledger.FindInvoices, around: Surroundings) -> Request:
    reference = limits.whole(operation.reference, limits.REFERENCE, "reference")
    return _list(around, "/invoices", reference_number=reference)


def _list_invoices(operation: ledger.ListInvoices, around: Surroundings) -> Request:
    since = {} if operation.changed_after is None else {"last_modified_time": write_moment(operation.changed_after)}
    order = "D" if operation.newest_first else "A"
    return _list(around, "/invoices", operation.page, sort_column="created_time", sort_order=order, **since)


def _read_invoice(operation: ledger.ReadInvoice, around: Surroundings) -> Request:
    return _get(around, f"/invoices/{_id(operation.invoice_id, 'invoice id')}")


def _find_items(operation: ledger.FindItems, around: Surroundings) -> Request:
    return _list(around, "/items", search_text=operation.text[: limits.SEARCH])


def _create_contact(operation: ledger.CreateContact, around: Surroundings) -> Request:
    return _write(around, "POST", "/contacts", writing.contact_body(operation.data, currency_ids=around.currency_ids))


def _update_contact(operation: ledger.UpdateContact, around: Surroundings) -> Request:
    path = f"/contacts/{_id(operation.contact_id, 'contact id')}"
    return _write(around, "PUT", path, writing.contact_change_body(operation.data, operation.persons))


def _create_invoice(operation: ledger.CreateInvoice, around: Surroundings) -> Request:
    body = writing.invoice_body(operation.draft, currency_ids=around.currency_ids)
    request = _write(around, "POST", "/invoices", body)
    if not operation.draft.number:
        return request
    query = {"ignore_auto_number_generation": "true"}
    return Request(method=request.method, path=request.path, query=query, body=request.body)


def _update_invoice(operation: ledger.UpdateInvoice, around: Surroundings) -> Request:
    path = f"/invoices/{_id(operation.invoice_id, 'invoice id')}"
    body = writing.invoice_change_body(operation.draft, operation.line_ids, currency_ids=around.currency_ids)
    return _write(around, "PUT", path, body)


def _void_invoice(operation: ledger.VoidInvoice, around: Surroundings) -> Request:
    return _write(around, "POST", f"/invoices/{_id(operation.invoice_id, 'invoice id')}/status/void")


def _delete_invoice(operation: ledger.DeleteInvoice, around: Surroundings) -> Request:
    return _write(around, "DELETE", f"/invoices/{_id(operation.invoice_id, 'invoice id')}")


_BUILDERS: Mapping[type[ledger.Operation], Callable[[Any, Surroundings], Request]] = {
    ledger.ReadOrganization: _organization,
    ledger.ListTaxes: _taxes,
    ledger.ListCurrencies: _currencies,
    ledger.ListContacts: _contacts,
    ledger.FindContacts: _find_contacts,
    ledger.ReadContact: _read_contact,
    ledger.FindInvoices: _find_invoices,
    ledger.ListInvoices: _list_invoices,
    ledger.ReadInvoice: _read_invoice,
    ledger.FindItems: _find_items,
    ledger.CreateContact: _create_contact,
    ledger.UpdateContact: _update_contact,
    ledger.CreateInvoice: _create_invoice,
    ledger.UpdateInvoice: _update_invoice,
    ledger.VoidInvoice: _void_invoice,
    ledger.DeleteInvoice: _delete_invoice,
}
