"""From an operation to the one request that asks it: method, path, query, body. Pure."""

from collections.abc import Callable, Mapping
from typing import Any

from consumer.adapters.zoho import dated, limits, money_requests, writing
from consumer.adapters.zoho.request_parts import (
    BASE_PATH,
    Request,
    Surroundings,
    get_one,
    id_in_path,
    list_of,
    write,
)
from consumer.adapters.zoho.times import write_moment
from consumer.domain import credits as money
from consumer.domain import ledger
from consumer.domain.reconciling.operations import ListCreditNotesDated, ListInvoicesDated
from consumer.errors import ConnectionStoppedError, StopCause

__all__ = ["BASE_PATH", "Request", "Surroundings", "build"]


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


def _organization(_: ledger.ReadOrganization, around: Surroundings) -> Request:
    # The list, not the one: it also tells whether the user belongs to the organisation at all, and takes no id.
    return get_one(around, "/organizations")


def _taxes(operation: ledger.ListTaxes, around: Surroundings) -> Request:
    return list_of(around, "/settings/taxes", operation.page)


def _currencies(operation: ledger.ListCurrencies, around: Surroundings) -> Request:
    return list_of(around, "/settings/currencies", operation.page)


def _contacts(operation: ledger.ListContacts, around: Surroundings) -> Request:
    # By creation, oldest first, a contact made meanwhile comes last and moves no other one to another page.
    column, order = ("last_modified_time", "D") if operation.by_change else ("created_time", "A")
    return list_of(around, "/contacts", operation.page, sort_column=column, sort_order=order)


def _find_contacts(operation: ledger.FindContacts, around: Surroundings) -> Request:
    # Filters take 100 characters while names have up to 200; a longer one is found by its beginning.
    name, whole = operation.contact_name, len(operation.contact_name) <= limits.SEARCH
    query = {"contact_name" if whole else "contact_name_startswith": name[: limits.SEARCH]}
    return list_of(around, "/contacts", 1, **query)


def _read_contact(operation: ledger.ReadContact, around: Surroundings) -> Request:
    return get_one(around, f"/contacts/{id_in_path(operation.contact_id, 'contact id')}")


def _find_invoices(operation: ledger.FindInvoices, around: Surroundings) -> Request:
    reference = limits.whole(operation.reference, limits.REFERENCE, "reference")
    return list_of(around, "/invoices", reference_number=reference)


def _list_invoices(operation: ledger.ListInvoices, around: Surroundings) -> Request:
    since = {} if operation.changed_after is None else {"last_modified_time": write_moment(operation.changed_after)}
    order = "D" if operation.newest_first else "A"
    return list_of(around, "/invoices", operation.page, sort_column="created_time", sort_order=order, **since)


def _read_invoice(operation: ledger.ReadInvoice, around: Surroundings) -> Request:
    return get_one(around, f"/invoices/{id_in_path(operation.invoice_id, 'invoice id')}")


def _find_items(operation: ledger.FindItems, around: Surroundings) -> Request:
    return list_of(around, "/items", search_text=operation.text[: limits.SEARCH])


def _create_contact(operation: ledger.CreateContact, around: Surroundings) -> Request:
    return write(around, "POST", "/contacts", writing.contact_body(operation.data, currency_ids=around.currency_ids))


def _update_contact(operation: ledger.UpdateContact, around: Surroundings) -> Request:
    path = f"/contacts/{id_in_path(operation.contact_id, 'contact id')}"
    return write(around, "PUT", path, writing.contact_change_body(operation.data, operation.persons))


def _create_invoice(operation: ledger.CreateInvoice, around: Surroundings) -> Request:
    body = writing.invoice_body(operation.draft, currency_ids=around.currency_ids)
    request = write(around, "POST", "/invoices", body)
    if not operation.draft.number:
        return request
    query = {"ignore_auto_number_generation": "true"}
    return Request(method=request.method, path=request.path, query=query, body=request.body)


def _update_invoice(operation: ledger.UpdateInvoice, around: Surroundings) -> Request:
    path = f"/invoices/{id_in_path(operation.invoice_id, 'invoice id')}"
    body = writing.invoice_change_body(operation.draft, operation.line_ids, currency_ids=around.currency_ids)
    return write(around, "PUT", path, body)


def _void_invoice(operation: ledger.VoidInvoice, around: Surroundings) -> Request:
    return write(around, "POST", f"/invoices/{id_in_path(operation.invoice_id, 'invoice id')}/status/void")


def _delete_invoice(operation: ledger.DeleteInvoice, around: Surroundings) -> Request:
    return write(around, "DELETE", f"/invoices/{id_in_path(operation.invoice_id, 'invoice id')}")


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
    money.FindCreditNotes: money_requests.find_credit_notes,
    money.ReadCreditNote: money_requests.read_credit_note,
    money.ListCreditRefunds: money_requests.list_credit_refunds,
    money.FindPayments: money_requests.find_payments,
    money.ReadLock: money_requests.read_lock,
    money.CreateCreditNote: money_requests.create_credit_note,
    money.ApplyCredit: money_requests.apply_credit,
    money.RefundCredit: money_requests.refund_credit,
    money.MarkSent: money_requests.mark_sent,
    money.EmailInvoice: money_requests.email_invoice,
    money.RecordPayment: money_requests.record_payment,
    ListInvoicesDated: dated.list_invoices,
    ListCreditNotesDated: dated.list_credit_notes,
}
