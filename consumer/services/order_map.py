"""The map of an order in a booking: with fresh facts where they may help, as a probe where the rounding matters."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import structlog

from consumer.domain.deciding.probing import (
    PROBES_MAX,
    WAYS,
    may_probe,
    needs_other_rounding,
    tried,
    under_way,
    ways_to_probe,
)
from consumer.domain.deciding.situation import unreadable
from consumer.domain.ledger import Item, LedgerFacts, TaxRounding
from consumer.domain.mapping import Mapped, items_needed, map_order
from consumer.domain.orders import Order
from consumer.domain.records import OrderRecord
from consumer.domain.settings import ShopSettings
from consumer.domain.states import Priority, Reason, ReasonCode
from consumer.services.rounding import newest_rounding

if TYPE_CHECKING:
    from consumer.services.booking import Bench

log = structlog.get_logger()

PERSON_FACTS_AGAIN_SECONDS = 5.0  # the same for an order that a person waits for: they have just added the tax
FACTS_AGAIN_SECONDS = 60.0  # facts older than this are read again before an order is parked for want of a tax
BOOKS_AGAIN_SECONDS = 600.0  # between two looks at the newest invoice to learn how the organisation rounds: two calls
PROBE_AGAIN_SECONDS = 60.0  # after a probe that was taken back; until then the group's other orders are parked at once
HELPED_BY_FACTS = frozenset({ReasonCode.TAX_MISSING, ReasonCode.CURRENCY_MISSING, ReasonCode.TAX_AMBIGUOUS})


@dataclass(slots=True, kw_only=True)
class Trials:
    """What a lane's orders share of finding out how the organisation rounds."""

    steady: Callable[[], float] = lambda: asyncio.get_running_loop().time()
    # One probe at a time: a thousand orders due at once would else all be sent before the first answer has told.
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    books_at: float | None = None
    failed_at: float | None = None

    def books_due(self) -> bool:
        """Tell whether the newest invoice may be read again, and note that it is."""
        now = self.steady()
        if self.books_at is not None and now - self.books_at < BOOKS_AGAIN_SECONDS:
            return False
        self.books_at = now
        return True

    def resting(self) -> bool:
        """Tell whether a probe has failed a moment ago."""
        return self.failed_at is not None and self.steady() - self.failed_at < PROBE_AGAIN_SECONDS


class OrderMap:
    """Kept by one booking; ``end`` has to be called whatever comes of it."""

    def __init__(self, bench: "Bench") -> None:
        self._bench = bench
        self._items: Mapping[str, Item] = {}
        self._facts_asked_again = False
        self._has_turn = False
        self._probed = False

    def end(self) -> None:
        """Let the next order probe."""
        if self._has_turn:
            self._has_turn = False
            self._bench.trials.turn.release()

    async def map(self, record: OrderRecord, order: Order | None, shop: ShopSettings) -> Mapped | Reason:
        """Map the order as it stands. Raises LedgerError where what it needs could not be read."""
        if order is None and record.personal_removed:
            return unreadable(record)
        if order is None:
            return Reason(
                code=ReasonCode.ORDER_UNREADABLE,
                message="Nothing but a bare message is known of the order.",
                fix="Send the whole order as order.updated.",
            )
        if shop.items_by_sku:
            self._items = await self._bench.items(items_needed(order, shop))
        facts = await self._bench.facts(None)
        mapped = self._with(record, order, shop, facts)
        if isinstance(mapped, Reason) and mapped.code in HELPED_BY_FACTS and not self._facts_asked_again:
            # Somebody may have added the tax a minute ago; asking costs three calls, once for all that wait for it.
            self._facts_asked_again = True
            mapped = self._with(record, order, shop, await self._bench.facts(_again_seconds(record)))
        if isinstance(mapped, Reason) and needs_other_rounding(mapped):
            return await self._find_out(record, order, shop, mapped)
        return mapped

    def _with(self, record: OrderRecord, order: Order, shop: ShopSettings, facts: LedgerFacts) -> Mapped | Reason:
        return map_order(
            order,
            facts=facts,
            shop=shop,
            connection=self._bench.connection,
            contact_id="",
            paid_moment=record.facts.paid_moment or record.event_time,
            document_n=record.next_invoice_n,
            items=self._items,
            reference=record.reference,
            now=self._bench.now(),
            kept_day=None if record.live_invoice is None else record.live_invoice.issued_on,
        )

    # ---- how the organisation rounds ----

    async def _find_out(self, record: OrderRecord, order: Order, shop: ShopSettings, reason: Reason) -> Mapped | Reason:
        """Carry on a probe that is under way, look into the books, or send the order as a probe."""
        facts = await self._bench.facts(None)
        for way in WAYS:
            sent = self._with(record, order, shop, replace(facts, rounding=way))
            if isinstance(sent, Mapped) and under_way(record, sent):
                self._probed = True
                return sent
        if self._probed:
            self._bench.trials.failed_at = self._bench.trials.steady()
            log.info("probe_taken_back", order=str(record.key), rounding=facts.rounding.value)
            return reason
        learnt = await self._ask_books(record, order, shop)
        if learnt is not None and not needs_other_rounding(learnt):
            return learnt
        return await self._probe(record, order, shop, learnt if isinstance(learnt, Reason) else reason)

    async def _ask_books(self, record: OrderRecord, order: Order, shop: ShopSettings) -> Mapped | Reason | None:
        """Map anew where the newest invoice shows another rounding than is known; None: it does not."""
        if not self._bench.trials.books_due():
            return None
        rounding = await newest_rounding(self._bench.caller, Priority.LIVE)
        if rounding in (TaxRounding.UNKNOWN, (await self._bench.facts(None)).rounding):
            return None
        await self._bench.learn_rounding(rounding)
        return self._with(record, order, shop, await self._bench.facts(None))

    async def _probe(self, record: OrderRecord, order: Order, shop: ShopSettings, reason: Reason) -> Mapped | Reason:
        trials = self._bench.trials
        if not may_probe(record, reason) or trials.resting():
            return reason
        if not self._has_turn:
            await trials.turn.acquire()
            self._has_turn = True
        # While it waited for its turn another order's answer may have told, or have failed to fit.
        facts = await self._bench.facts(None)
        now = self._with(record, order, shop, facts)
        if isinstance(now, Mapped) or not may_probe(record, now) or trials.resting():
            self.end()
            return now
        for way in ways_to_probe(facts.rounding):
            found = self._with(record, order, shop, replace(facts, rounding=way))
            if isinstance(found, Mapped) and tried(record, found) < PROBES_MAX:
                return self._as_probe(record, found, way)
        self.end()
        return now

    def _as_probe(self, record: OrderRecord, mapped: Mapped, way: TaxRounding) -> Mapped:
        self._probed = True
        log.info("probe_sent", order=str(record.key), rounding=way.value)
        word = (
            "Sent to find out how the organisation rounds VAT: it is exact where that is "
            f"{'once per tax rate' if way is TaxRounding.PER_RATE else 'on each line'}. "
            "If the ledger's figures differ, the document is taken back at once."
        )
        return replace(mapped, notes=(*mapped.notes, word))


def _again_seconds(record: OrderRecord) -> float:
    return PERSON_FACTS_AGAIN_SECONDS if record.priority is Priority.PERSON else FACTS_AGAIN_SECONDS
