"""What a leased lane knows, and how it keeps up: its settings, the organisation's facts, the index, the items."""

import asyncio
from collections.abc import Callable, Mapping, Sequence

import structlog

from consumer.domain.ledger import FindItems, Item, LedgerFacts, TaxRounding
from consumer.domain.settings import ConnectionSettings, ShopSettings
from consumer.domain.states import Priority
from consumer.ports.contacts import ContactStore
from consumer.ports.lanes import LaneStore, LaneView
from consumer.services.calling import Caller, PutBackError
from consumer.services.preparing import FILL_AGAIN_SECONDS, Preparing

log = structlog.get_logger()

ITEMS_MAX = 5000  # kept of the ledger's items; beyond that they are asked for again


class Knowledge:
    """Kept by one lane, for as long as it is leased; ``prepare`` comes first."""

    def __init__(
        self,
        *,
        view: LaneView,
        caller: Caller,
        lanes: LaneStore,
        contacts: ContactStore,
        steady: Callable[[], float],
    ) -> None:
        self._view = view
        self._caller = caller
        self._lanes = lanes
        self._steady = steady
        self._preparing = Preparing(connection=view.connection, caller=caller, lanes=lanes, contacts=contacts)
        self._facts: LedgerFacts | None = None
        self._facts_good_until = 0.0
        self._facts_lock = asyncio.Lock()
        self._index_due_at = 0.0
        self._items: dict[str, Item] = {}

    @property
    def connection(self) -> ConnectionSettings:
        """Give the connection's settings as the lane was opened with them."""
        return self._view.connection

    def shop(self, shop_id: str) -> ShopSettings | None:
        """Give a shop's settings, at most some seconds old."""
        return self._view.shops.get(shop_id)

    async def prepare(self) -> None:
        """Read what a lane needs before its first order. Raises LedgerError and its subclasses, PutBackError."""
        await self.facts(None)
        if self._view.look_first:
            await self._preparing.look_first(self._view)
        await self.tend_index()

    async def look_again(self) -> LaneView:
        """Read the settings again. Shops are taken over; whether the lane may go on is for the lane to say."""
        view = await self._lanes.view(self._view.connection.connection_id)
        if view.connection == self._view.connection:
            self._view = view
        return view

    async def facts(self, at_least_as_new_as_seconds: float | None) -> LedgerFacts:
        """Give the organisation's facts, not older than so many seconds; None: than the setting says."""
        if at_least_as_new_as_seconds is None and self._facts is not None and self._steady() < self._facts_good_until:
            return self._facts
        async with self._facts_lock:
            view = await self._lanes.view(self._view.connection.connection_id)
            good_for_seconds = self._view.connection.limits.facts_fresh_seconds
            try:
                facts = await self._preparing.facts(view, at_least_as_new_as_seconds=at_least_as_new_as_seconds)
            except PutBackError:
                if view.facts is None:
                    raise
                # The day's calls are spent: people's orders go on with what was known last.
                facts, good_for_seconds = view.facts, FILL_AGAIN_SECONDS
            else:
                if facts is view.facts:
                    good_for_seconds -= view.facts_age_seconds or 0.0
                else:
                    self._items.clear()
            self._facts, self._facts_good_until = facts, self._steady() + good_for_seconds
            return facts

    async def learn_rounding(self, rounding: TaxRounding) -> None:
        """Keep what an answer has shown of how the organisation rounds."""
        if self._facts is None or rounding in (TaxRounding.UNKNOWN, self._facts.rounding):
            return
        # Under the lock: facts that are being read at this moment would bring the old rounding back.
        async with self._facts_lock:
            self._facts = await self._preparing.learn_rounding(self._facts, rounding)

    async def items(self, skus: Sequence[str]) -> Mapping[str, Item]:
        """Give the ledger's items of these SKUs, as far as it has them; each is asked for once."""
        found: dict[str, Item] = {}
        for sku in skus:
            if sku not in self._items:
                answer = await self._caller.read(FindItems(text=sku), key=None, priority=Priority.LIVE)
                if len(self._items) >= ITEMS_MAX:
                    self._items.clear()
                self._items.update({item.sku: item for item in answer.result.rows if item.sku == sku})
            # Noted at once, for the one who asks: fresh facts, read for another order, empty what all share.
            if sku in self._items:
                found[sku] = self._items[sku]
        return found

    async def tend_index(self) -> None:
        """Fill the index of contacts further, or bring it up to date, where that is due."""
        now = self._steady()
        if now < self._index_due_at:
            return
        try:
            due_in_seconds = await self._preparing.index()
        except PutBackError:
            # An index that is behind costs a call more for a customer here and there, never a second contact.
            log.info("contact_index_waits", connection=self._view.connection.connection_id)
            due_in_seconds = FILL_AGAIN_SECONDS
        self._index_due_at = self._steady() + max(1.0, due_in_seconds)
