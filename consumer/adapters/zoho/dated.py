"""The requests for lists by the documents' own days. Pure; see ``requests`` for the rest."""

from consumer.adapters.zoho.request_parts import Request, Surroundings, list_of
from consumer.domain.reconciling.operations import ListCreditNotesDated, ListInvoicesDated


def list_invoices(operation: ListInvoicesDated, around: Surroundings) -> Request:
    """GET /invoices by date."""
    return _dated("/invoices", operation, around)


def list_credit_notes(operation: ListCreditNotesDated, around: Surroundings) -> Request:
    """GET /creditnotes by date."""
    return _dated("/creditnotes", operation, around)


def _dated(path: str, operation: ListInvoicesDated | ListCreditNotesDated, around: Surroundings) -> Request:
    # By creation, oldest first: what is made while the pages are read comes last and moves nothing.
    return list_of(
        around,
        path,
        operation.page,
        date_start=operation.from_day.isoformat(),
        date_end=operation.to_day.isoformat(),
        sort_column="created_time",
        sort_order="A",
    )
