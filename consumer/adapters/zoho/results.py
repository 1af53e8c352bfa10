"""From the body of a success to the result that the operation promises. Pure.

Lists that were filtered are checked here: Zoho ignores a filter that it does not know and answers with everything.
"""

from collections.abc import Callable, Mapping
from typing import Any

from consumer.adapters.zoho import documents, money_results, reading
from consumer.adapters.zoho.result_parts import (
    Body,
    Organisation,
    UnusableAnswerError,
    one_of,
    page_of,
    rows_of,
    verified,
)
from consumer.domain import credits as money
from consumer.domain import ledger
from consumer.domain.reconciling.operations import ListCreditNotesDated, ListInvoicesDated
from consumer.errors import ConnectionStoppedError, StopCause

__all__ = ["Organisation", "UnusableAnswerError", "read_currency_ids", "read_result"]


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


def _organization(operation: ledger.ReadOrganization, body: Body, organisation: Organisation) -> ledger.Organization:
    del operation
    found = [reading.organization(row) for row in rows_of(body, "organizations", documents.OrganizationDocument)]
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
    rows = rows_of(body, "taxes", documents.TaxDocument)
    return page_of(body, map(reading.tax, rows), len(rows))


def _currencies(operation: ledger.ListCurrencies, body: Body, organisation: Organisation) -> ledger.Page:
    del operation, organisation
    rows = rows_of(body, "currencies", documents.CurrencyDocument)
    return page_of(body, map(reading.currency, rows), len(rows))


def _contacts(operation: ledger.ListContacts, body: Body, organisation: Organisation) -> ledger.Page:
    del operation, organisation
    rows = rows_of(body, "contacts", documents.ContactDocument)
    return page_of(body, (reading.contact(row, whole=False) for row in rows), len(rows))


def _found_contacts(operation: ledger.FindContacts, body: Body, organisation: Organisation) -> ledger.Page:
    del organisation
    rows = rows_of(body, "contacts", documents.ContactDocument)
    wanted = _plain(operation.contact_name)
    matching = verified(rows, [row for row in rows if _plain(row.contact_name) == wanted], body, "name")
    return page_of(body, (reading.contact(row, whole=False) for row in matching), len(rows))


def _plain(name: str) -> str:
    # The ledger holds "ACME" and "Acme" to be one name and cuts blanks; who wants it exact looks at the row.
    return " ".join(name.split()).casefold()


def _contact(operation: ledger.ReadContact, body: Body, organisation: Organisation) -> ledger.Contact:
    del operation, organisation
    return reading.contact(one_of(body, "contact", documents.ContactDocument), whole=True)


def _written_contact(
    operation: ledger.CreateContact | ledger.UpdateContact, body: Body, organisation: Organisation
) -> ledger.Contact:
    del organisation
    return reading.contact(one_of(body, "contact", documents.ContactDocument), whole=True, written=operation.data)


def _read_invoice(document: documents.InvoiceDocument, organisation: Organisation) -> ledger.Invoice:
    url = organisation.invoice_url(document.invoice_id)
    try:
        return reading.invoice(document, unique_field=organisation.unique_field, url=url)
    except ValueError as error:
        raise UnusableAnswerError(str(error)) from None


def _found_invoices(operation: ledger.FindInvoices, body: Body, organisation: Organisation) -> ledger.Page:
    rows = rows_of(body, "invoices", documents.InvoiceDocument)
    exact = [row for row in rows if row.reference_number == operation.reference.strip()]
    matching = verified(rows, exact, body, "reference")
    return page_of(body, [_read_invoice(row, organisation) for row in matching], len(rows))


def _invoices(operation: ledger.ListInvoices, body: Body, organisation: Organisation) -> ledger.Page:
    del operation
    rows = rows_of(body, "invoices", documents.InvoiceDocument)
    return page_of(body, [_read_invoice(row, organisation) for row in rows], len(rows))


def _dated_invoices(operation: ListInvoicesDated, body: Body, organisation: Organisation) -> ledger.Page:
    rows = rows_of(body, "invoices", documents.InvoiceDocument)
    read = [_read_invoice(row, organisation) for row in rows]
    # A ledger that ignores the filter answers with all it has, page by page: what is of other days is left out.
    dated = [one for one in read if one.issued_on and operation.from_day <= one.issued_on <= operation.to_day]
    return page_of(body, dated, len(rows))


def _invoice(operation: ledger.Operation, body: Body, organisation: Organisation) -> ledger.Invoice:
    del operation
    return _read_invoice(one_of(body, "invoice", documents.InvoiceDocument), organisation)


def _items(operation: ledger.FindItems, body: Body, organisation: Organisation) -> ledger.Page:
    del operation, organisation
    rows = rows_of(body, "items", documents.ItemDocument)
    active = (row for row in rows if row.status.lower() != "inactive")
    return page_of(body, map(reading.item, active), len(rows))


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
    money.FindCreditNotes: money_results.found_credit_notes,
    money.ReadCreditNote: money_results.credit_note,
    money.ListCreditRefunds: money_results.credit_refunds,
    money.FindPayments: money_results.found_payments,
    money.ReadLock: money_results.lock,
    money.CreateCreditNote: money_results.credit_note,
    money.ApplyCredit: _nothing,
    money.RefundCredit: money_results.refunded_credit,
    money.MarkSent: _nothing,
    money.EmailInvoice: _nothing,
    money.RecordPayment: money_results.recorded_payment,
    ListInvoicesDated: _dated_invoices,
    ListCreditNotesDated: money_results.dated_credit_notes,
}
