"""The calls of a comparison: within its share of the day, each counted, and what they tell kept."""

from collections.abc import Callable

from consumer.domain import credits as money
from consumer.domain.ledger import Operation, ReadInvoice
from consumer.domain.reconciling.books import Listed, gone, of_credit_note, of_invoice
from consumer.domain.reconciling.operations import ListCreditNotesDated, ListInvoicesDated
from consumer.domain.records import Document, DocumentKind
from consumer.domain.states import Priority
from consumer.errors import BookedError, NotFoundError
from consumer.ports.ledger import Answer
from consumer.ports.reconcile import ReconcileStore, Run
from consumer.services.calling import Caller
from consumer.services.reconcile_report import Counts

PAGES_MAX = 10_000  # of one list: two million documents; beyond it the ledger seems to repeat itself


class StoppedError(BookedError):
    """The comparison stops before its end; what it has listed and read is kept, and it can go on from there."""


class Asking:
    """Asks one connection's ledger. ``left``: how many calls may still be made today."""

    def __init__(
        self, *, caller: Caller, store: ReconcileStore, left: int, counts: Counts, why_no_more: Callable[[], str]
    ) -> None:
        self._caller = caller
        self._store = store
        self._left = left
        self._counts = counts
        self._why_no_more = why_no_more

    async def list_all(self, run: Run) -> Run:
        """Read both lists to their ends, from where the run stands; each page is kept before the next is asked for."""
        while run.stage in (DocumentKind.INVOICE.value, DocumentKind.CREDIT_NOTE.value):
            number = run.page + 1
            if number > PAGES_MAX:
                raise StoppedError(f"The list of {run.stage}s has no end: {PAGES_MAX} pages were read.")
            page = (await self._ask(self._list_of(run, number))).result
            rows = [self._listed(run, one) for one in page.rows]
            self._counts.listed += len(rows)
            run = await self._store.save_page(run, rows, page=number, more=page.more)
        return run

    def _list_of(self, run: Run, page: int) -> Operation:
        days = run.period
        if run.stage == DocumentKind.INVOICE.value:
            return ListInvoicesDated(from_day=days.from_day, to_day=days.to_day, page=page)
        return ListCreditNotesDated(from_day=days.from_day, to_day=days.to_day, page=page)

    def _listed(self, run: Run, row: object) -> Listed:
        if run.stage == DocumentKind.INVOICE.value:
            return of_invoice(row)  # type: ignore[arg-type] # the operation says what its page holds
        return of_credit_note(row)  # type: ignore[arg-type] # as above

    async def read(self, run: Run, one: Document | Listed) -> Listed:
        """Read a document by its id, and keep what it tells, also that it is gone."""
        invoice = one.kind is DocumentKind.INVOICE
        operation: Operation = (
            ReadInvoice(invoice_id=one.ledger_id) if invoice else money.ReadCreditNote(credit_note_id=one.ledger_id)
        )
        try:
            told = (await self._ask(operation)).result
        except NotFoundError:
            found = gone(one)
        else:
            found = of_invoice(told, by_list=False) if invoice else of_credit_note(told, by_list=False)
            self._counts.unlisted += isinstance(one, Document)
        self._counts.reads += 1
        await self._store.save_read(run, found)
        return found

    async def _ask(self, operation: Operation) -> Answer:
        if self._left <= 0:
            raise StoppedError(self._why_no_more())
        self._left -= 1
        self._counts.calls += 1
        return await self._caller.read(operation, key=None, priority=Priority.BACKFILL)
