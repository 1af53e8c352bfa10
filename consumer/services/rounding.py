"""Reading off the organisation's own books how it rounds VAT, in two calls."""

from datetime import UTC, datetime

from consumer.domain.ledger import Invoice, InvoiceStatus, ListInvoices, ReadInvoice, TaxRounding
from consumer.domain.states import Priority
from consumer.errors import NotFoundError
from consumer.services.calling import Caller

_LONG_AGO = datetime.min.replace(tzinfo=UTC)


async def newest_rounding(caller: Caller, priority: Priority) -> TaxRounding:
    """Give the rounding that the newest invoice of the first page shows; UNKNOWN where there is none.

    The newest one: whether an answer tells the organisation's setting or what it was when the document was made is not
    known, and the newest is right under both as often as any. Raises LedgerError and its subclasses.
    """
    rows: list[Invoice] = (await caller.read(ListInvoices(newest_first=True), key=None, priority=priority)).result.rows
    newest = max(rows, key=_age, default=None)
    if newest is None:
        return TaxRounding.UNKNOWN
    try:
        answer = await caller.read(ReadInvoice(invoice_id=newest.invoice_id), key=None, priority=priority)
    except NotFoundError:
        return TaxRounding.UNKNOWN  # somebody deleted it between the two calls
    invoice: Invoice = answer.result
    return invoice.rounding


def _age(invoice: Invoice) -> tuple[bool, datetime]:
    return invoice.status is not InvoiceStatus.VOID, invoice.created_at or invoice.modified_at or _LONG_AGO
