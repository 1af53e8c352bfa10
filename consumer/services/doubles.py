"""A late double: a request for an invoice that reached the ledger after its settle time, beside the one made since.

Only without the unique field can there be one. The younger is deleted where it is an untouched draft of ours, after
it was read; otherwise a person has to. The alarm is raised in both cases, once.
"""

from collections.abc import Awaitable, Callable, Sequence

import structlog

from consumer.domain import watching
from consumer.domain.ledger import DeleteInvoice, Invoice, ReadInvoice
from consumer.domain.records import IntentEnd, Note, OrderRecord, Outcome, Resolution
from consumer.domain.settings import ConnectionSettings
from consumer.domain.states import Priority
from consumer.domain.watching import Found, Known
from consumer.errors import NotFoundError
from consumer.ports.lanes import BookingStore
from consumer.ports.watch import WatchStore
from consumer.services.calling import Caller, Sent, Write, Written
from consumer.services.outcomes import intent_end

log = structlog.get_logger()


class Doubles:
    """Looks for them among listed invoices that are not recorded. ``put_off`` has a row judged again later."""

    def __init__(
        self,
        *,
        connection: ConnectionSettings,
        caller: Caller,
        store: WatchStore,
        bookings: BookingStore,
        put_off: Callable[[Sequence[Invoice]], Awaitable[None]],
    ) -> None:
        self._connection = connection
        self._caller = caller
        self._store = store
        self._bookings = bookings
        self._put_off = put_off

    async def look(self, rows: Sequence[Invoice]) -> list[Found]:
        """Deal with the doubles among these rows; gives one for each. Raises LedgerError, PutBackError."""
        if self._connection.unique_field is not None or not rows:
            return []
        found: list[Found] = []
        references = sorted({row.reference for row in rows})
        for known in await self._store.by_reference(self._connection.connection_id, references):
            for row in rows:
                if row.reference == known.document.reference and await self._is_one(known, row):
                    found += await self._deal_with(known, row)
        return found

    async def _is_one(self, known: Known, row: Invoice) -> bool:
        suspicion = await self._store.suspicion(known.key, row.invoice_id)
        return not suspicion.told and watching.is_late_double(row, known, suspicion)

    async def _deal_with(self, known: Known, row: Invoice) -> list[Found]:
        record = await self._bookings.read(known.key)
        if known.busy or record is None or not await self._settled(record, row):
            await self._put_off([row])
            return []
        now, ours = await self._read(row.invoice_id), await self._read(known.document.ledger_id)
        if now is None or ours is None:
            return []  # somebody was faster: there are no longer two
        log.error("late_double", order=str(known.key), ours=known.document.number, second=row.number)
        if not watching.may_be_deleted(now, ours):
            note = watching.double_note(now, known.document, removed=False)
            await self._store.tell(known.key, known.change, note)
        elif not await self._delete(record, known, now):
            await self._put_off([row])
        return [Found.LATE_DOUBLE]

    async def _read(self, invoice_id: str) -> Invoice | None:
        try:
            operation = ReadInvoice(invoice_id=invoice_id)
            answer = await self._caller.read(operation, key=None, priority=Priority.BACKFILL)
        except NotFoundError:
            return None
        invoice: Invoice = answer.result
        return invoice

    async def _delete(self, record: OrderRecord, known: Known, row: Invoice) -> bool:
        """Delete it under an intent of its own; False where it is not known what came of it."""
        note = watching.double_note(row, known.document, removed=True)
        write = Write(
            key=record.key,
            change=record.change,
            priority=Priority.BACKFILL,
            subject=_subject(row),
            operation=DeleteInvoice(invoice_id=row.invoice_id),
            sought={"invoice_id": row.invoice_id},
            judge=lambda sent: self._judge(record, sent, note),
        )
        written = await self._caller.write(write)
        return isinstance(written, Written) and written.sent.error is None

    def _judge(self, record: OrderRecord, sent: Sent, note: Note) -> Outcome:
        exchange = sent.answer.exchange if sent.answer is not None else None
        if sent.error is not None:
            exchange = sent.error.exchange
        return Outcome(
            key=record.key,
            connection_id=self._connection.connection_id,
            change=record.change,
            intent=intent_end(sent),
            slot=sent.slot,
            exchange=exchange,
            note=note if sent.error is None else None,
        )

    async def _settled(self, record: OrderRecord, row: Invoice) -> bool:
        """End the intent of a deletion of which no answer came, by looking; False while it is too early for that."""
        intent = await self._bookings.open_intent(self._connection.connection_id, _subject(row))
        if intent is None:
            return True
        if intent.settles_in_seconds > 0:
            return False
        gone = await self._read(row.invoice_id) is None
        end = IntentEnd(intent_id=intent.intent_id, resolution=Resolution.DONE if gone else Resolution.ABSENT)
        words = f"Of the deletion of {row.number} no answer had come: it is {'gone' if gone else 'there still'}."
        await self._bookings.record(
            Outcome(
                key=record.key,
                connection_id=self._connection.connection_id,
                change=record.change,
                intent=end,
                note=Note(decision="late_double_looked", words=(words,)),
            )
        )
        return True


def _subject(row: Invoice) -> str:
    return f"double:{row.invoice_id}"
