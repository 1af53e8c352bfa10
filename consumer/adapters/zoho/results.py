"""From the body of a success to the result that the operation promises. Pure.

Lists that were filtered are checked here: Zoho ignores a filter that it does not know and answers with everything.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from pydantic import ValidationError

from consumer.adapters.zoho import documents, limits, reading
from consumer.domain import ledger
from consumer.errors import ConnectionStoppedError, StopCause

D = TypeVar("D", bound=documents.Document)
Body = Mapping[str, Any]
_MISSING: Final = object()


class UnusableAnswerError(Exception):
    """A success lacks what it must hold; the message completes "answered with success, but …"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Organisation:
    """What reading needs beside the body."""

    organization_id: str | None
    unique_field: str | None
    app: str  # the origin of the pages for people

    def invoice_url(self, invoice_id: str) -> str:
        """Give the page for people with a login; never the customer's open link."""
        return f"{self.app}/app/{self.organization_id or ''}#/invoices/{invoice_id}"


def read_result(operation: ledger.Operation, body: Body, organisation: Organisation) -> Any:
    """Read what the operation's docstring says. Raises UnusableAnswerError, ConnectionStoppedError."""
    return _READERS[type(operation)](operation, body, organisation)


def read_currency_ids(body: Body) -> dict[str, str]:
    """Collect the ids of currencies that an answer happens to name, by their codes."""
    rows = [value for value in body.values() if isinstance(value, dict)]
    listed = body.get("currencies")
    rows += [row for row in listed if isinstance(row, dict)] if isinstance(listed, list) else []
    pairs = ((row.get("currency_code"), row.get("currency_id")) for row in rows)
    return {
        code: str(found) for code, found in pairs if isinstance(code, str) and code and isinstance(found, str | int)
    }


def _one(body: Body, name: str, model: type[D]) -> D:
    value = body.get(name, _MISSING)
    if not isinstance(value, dict):
        raise UnusableAnswerError(f"without {name}")
    return _validated(model, value)


def _rows(body: Body, name: str, model: type[D]) -> list[D]:
    value = body.get(name, _MISSING)
    if not isinstance(value, list):
        # An answer without its list says nothing about what exists; it is not an empty list.
        raise UnusableAnswerError(f"without the list {name}")
    return [_validated(model, row) for row in value]


def _validated(model: type[D], value: Any) -> D:
    try:
        return model.model_validate(value)
    except ValidationError as error:
        # The fields' names only: the values may be somebody's name and address.
        names = sorted({".".join(map(str, fault["loc"])) for fault in error.errors(include_input=False)})
        raise UnusableAnswerError(f"without a readable {', '.join(names[:5]) or 'object'}") from None


def _page(body: Body, rows: Iterable[Any], count: int) -> ledger.Page:
    return ledger.Page(rows=tuple(rows), more=_has_more(body, count))


def _has_more(body: Body, count: int) -> bool:
    context = body.get("page_context")
    if isinstance(context, list):  # the description says a list, the answers an object
        context = context[0] if context else None
    if not isinstance(context, dict) or "has_more_page" not in context:
        # Some lists come without a context; then a full page is taken as a sign that another one follows.
        return count >= limits.PER_PAGE
    return _validated(documents.PageContextDocument, context).has_more_page


def _verified(rows: list[D], matching: list[D], body: Body, what: str) -> list[D]:
    """Check that a filter was obeyed, or that it did not matter because the whole list has come."""
    if not matching and rows and _has_more(body, len(rows)):
        raise UnusableAnswerError(f"the filter by {what} was ignored and the list goes on: nothing is proved absent")
    return matching


def _organization(operation: ledger.ReadOrganization, body: Body, organisation: Organisation) -> ledger.Organization:
    del operation
    found = [reading.organization(row) for row in _rows(body, "organizations", documents.OrganizationDocument)]
    wanted = organisation.organization_id
    for one in found:
        if one.organization_id == wanted or (wanted is None and len(found) == 1):
            return one
    names = ", ".join(f"{one.name} ({one.organization_id})" for one in found[:10]) or "none"
    raise ConnectionStoppedError(
        f"The user who connected Booked does not belong to organisation {wanted or '(none set)'}, but to: {names}. "
        "Set organization_id of the connection with `booked apply`.",
        StopCause.WRONG_ORGANIZATION,
    )


def _taxes(operation: ledger.ListTaxes, body: Body, organisation: Organisation) -> ledger.Page:
    del operation, organisation
    rows = _rows(body, "taxes", documents.TaxDocument)
    return _page(body, map(reading.tax, rows), len(rows))


def _currencies(operation: ledger.ListCurrencies, body: Body, organisation: Organisation) -> ledger.Page:
    del operation, organisation
    rows = _rows(body, "currencies", documents.CurrencyDocument)
    return _page(body, map(reading.currency, rows), len(rows))


def _contacts(operation: ledger.ListContacts, body: Body, organisation: Organisation) -> ledger.Page:
    del operation, organisation
    rows = _rows(body, "contacts", documents.ContactDocument)
    return _page(body, (reading.contact(row, whole=False) for row in rows), len(rows))


def _found_contacts(operation: ledger.FindContacts, body: Body, organisation: Organisation) -> ledger.Page:
    del organisation
    rows = _rows(body, "contacts", documents.ContactDocument)
    wanted = _plain(operation.contact_name)
    matching = _verified(rows, [row for row in rows if _plain(row.contact_name) == wanted], body, "name")
    return _page(body, (reading.contact(row, whole=False) for row in matching), len(rows))


def _plain(name: str) -> str:
    # The ledger holds "ACME" and "Acme" to be one name and cuts blanks; who wants it exact looks at the row.
    return " ".join(name.split()).casefold()


def _contact(operation: ledger.ReadContact, body: Body, organisation: Organisation) -> ledger.Contact:
    del operation, organisation
    return reading.contact(_one(body, "contact", documents.ContactDocument), whole=True)


def _written_contact(
    operation: ledger.CreateContact | ledger.UpdateContact, body: Body, organisation: Organisation
) -> ledger.Contact:
    del organisation
    return reading.contact(_one(body, "contact", documents.ContactDocument), whole=True, written=operation.data)


def _read_invoice(document: documents.InvoiceDocument, organisation: Organisation) -> ledger.Invoice:
    url = organisation.invoice_url(document.invoice_id)
    try:
        return reading.invoice(document, unique_field=organisation.unique_field, url=url)
    except ValueError as error:
        raise UnusableAnswerError(str(error)) from None


def _found_invoices(operation: ledger.FindInvoices, body: Body, organisation: Organisation) -> ledger.Page:
    rows = _rows(body, "invoices", documents.InvoiceDocument)
    exact = [row for row in rows if row.reference_number == operation.reference.strip()]
    matching = _verified(rows, exact, body, "reference")
    return _page(body, [_read_invoice(row, organisation) for row in matching], len(rows))


def _invoices(operation: ledger.ListInvoices, body: Body, organisation: Organisation) -> ledger.Page:
    del operation
    rows = _rows(body, "invoices", documents.InvoiceDocument)
    return _page(body, [_read_invoice(row, organisation) for row in rows], len(rows))


def _invoice(operation: ledger.Operation, body: Body, organisation: Organisation) -> ledger.Invoice:
    del operation
    return _read_invoice(_one(body, "invoice", documents.InvoiceDocument), organisation)


def _items(operation: ledger.FindItems, body: Body, organisation: Organisation) -> ledger.Page:
    del operation, organisation
    rows = _rows(body, "items", documents.ItemDocument)
    active = (row for row in rows if row.status.lower() != "inactive")
    return _page(body, map(reading.item, active), len(rows))


def _nothing(operation: ledger.Operation, body: Body, organisation: Organisation) -> None:
    del operation, organisation
    if "code" not in body:
        raise UnusableAnswerError("without a code")


_READERS: Mapping[type[ledger.Operation], Callable[[Any, Body, Organisation], Any]] = {
    ledger.ReadOrganization: _organization,
    ledger.ListTaxes: _taxes,
    ledger.ListCurrencies: _currencies,
    ledger.ListContacts: _contacts,
    ledger.FindContacts: _found_contacts,
    ledger.ReadContact: _contact,
    ledger.FindInvoices: _found_invoices,
    ledger.ListInvoices: _invoices,
    ledger.ReadInvoice: _invoice,
    ledger.FindItems: _items,
    ledger.CreateContact: _written_contact,
    ledger.UpdateContact: _written_contact,
    ledger.CreateInvoice: _invoice,
    ledger.UpdateInvoice: _invoice,
    ledger.VoidInvoice: _nothing,
    ledger.DeleteInvoice: _nothing,
}
