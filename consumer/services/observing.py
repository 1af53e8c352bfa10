"""What one booking looks at: the order as stored, its map, and what it has read of the ledger so far."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from consumer.domain.customer_choice import Known
from consumer.domain.dates import Moments, issued_day
from consumer.domain.deciding.situation import TAKES_MAX, Observations, Situation
from consumer.domain.ledger import FindInvoices, Invoice, LedgerFacts, Operation, Page, ReadInvoice
from consumer.domain.mapping import Mapped
from consumer.domain.orders import Order
from consumer.domain.records import OrderRecord
from consumer.domain.settings import InvoiceDate, ShopSettings
from consumer.domain.standing import stand
from consumer.domain.states import Ask, OrderState, Reason
from consumer.services.order_map import OrderMap

if TYPE_CHECKING:
    from datetime import date

    from consumer.services.booking import Bench

_GONE = frozenset({Ask.DELETE, Ask.DELETE_SENT})


class Observer:
    """Kept by one booking; ``end`` has to be called whatever comes of it."""

    def __init__(self, bench: "Bench", record: OrderRecord) -> None:
        self._bench = bench
        self._mapping = OrderMap(bench)
        self.record = record
        self.known = Observations()
        self.order: Order | None = None
        self.mapped: Mapped | Reason | None = None
        self.customer: Known | Reason | None = None

    def end(self) -> None:
        """Let the next order probe."""
        self._mapping.end()

    async def situation(self) -> Situation:
        """Gather all that a decision looks at. Raises LedgerError where what the map needs could not be read."""
        record, bench = self.record, self._bench
        shop = bench.shop(record.key.shop_id)
        facts: LedgerFacts | None = None
        if shop is not None and record.takes <= TAKES_MAX:
            if self.order is None and record.content is not None:
                self.order = bench.read_order(record, shop)
            if self.mapped is None and self._is_to_be_written(shop):
                self.mapped = await self._mapping.map(record, self.order, shop)
            if record.live_invoice is not None or self.mapped is not None:
                facts = await bench.facts(None)
        seen: tuple[Invoice, ...] = ()
        if record.live_invoice is None and isinstance(self.mapped, Mapped):
            seen = tuple(await bench.lanes.seen(bench.connection.connection_id, self.mapped.draft.reference))
        return Situation(
            record=record,
            shop=shop,
            connection=bench.connection,
            mapped=self.mapped,
            customer=self.customer,
            seen=seen,
            known=self.known,
            order=self.order,
            facts=facts,
            today=self._today(facts),
            looked_first=bench.looked_first,
        )

    def _is_to_be_written(self, shop: ShopSettings) -> bool:
        """Mapping needs the ledger's facts, which cost calls: only for an order that may be written at all.

        And not for one that has ended the process too often: mapping it may be what does it.
        """
        facts = self.record.facts
        if facts.cancelled or facts.asked in _GONE:
            return False
        return stand(facts, shop, self._bench.connection).state is OrderState.DUE

    def _today(self, facts: LedgerFacts | None) -> "date | None":
        if facts is None:
            return None
        moment = self._bench.now()
        day = issued_day(Moments(paid=None, now=moment), InvoiceDate.TODAY, facts.organization.time_zone)
        return moment.date() if isinstance(day, Reason) else day

    def saw(self, operation: Operation, result: Any) -> None:
        """Note what a read has given; None where the thing asked for is not there (any more)."""
        if isinstance(operation, ReadInvoice):
            self.known = self.known.with_invoice(operation.invoice_id, result)
        elif isinstance(operation, FindInvoices):
            self.known = replace(self.known, by_reference=tuple(result.rows))
        else:
            self.known = self.known.with_answer(operation, tuple(result.rows) if isinstance(result, Page) else result)

    def renew(self, record: OrderRecord, written: Invoice | None = None) -> None:
        """Take the order as stored now; what was observed of the ledger holds no longer, nor a map of other content.

        ``written`` is what a write of ours has just been answered with: that is how the ledger has it.
        """
        if record.change != self.record.change:
            self.order = self.mapped = self.customer = None
        # A key that was taken stands for one document: once that is known, the next one has a key of its own.
        key_taken = self.known.key_taken and len(record.documents) == len(self.record.documents)
        self.record = record
        self.known = Observations(key_taken=key_taken, closed_until=self.known.closed_until)
        if written is not None:
            self.known = self.known.with_invoice(written.invoice_id, written)
