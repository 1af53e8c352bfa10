"""What people do outside of Booked: in the ledger by hand, and to the programs that read messages."""

import asyncio
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from consumer.domain.ledger import InvoiceStatus, LedgerTax
from tests.simulation.scenario import LACKING_RATE, Feature, Scenario

if TYPE_CHECKING:
    from tests.simulation.world import World

_AT_WORK_SECONDS = 10.0


class Hands:
    """A person at the ledger: sends drafts, deletes some, makes doubles, and adds the tax that was lacking."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self.touched: set[str] = set()  # references of invoices that were deleted or doubled by hand
        self.merged: set[str] = set()  # addresses of customers whose contacts a person made one
        self.sent: set[str] = set()

    async def work(self) -> None:
        """Do all of that now and then, as the features of the schedule ask for."""
        world = self._world
        while world.loop.time() < world.plan.luck.storm_seconds - 1.0:
            await asyncio.sleep(world.chance.uniform(0.2, 1.5))
            for server in world.servers.values():
                self._at(server, world.scenario.features)

    def _at(self, server: Any, features: Feature) -> None:
        chance = self._world.chance
        drafts = [one for one in server.book.invoices.values() if one.status is InvoiceStatus.DRAFT]
        if Feature.LACKING_TAX in features and self._world.loop.time() > _AT_WORK_SECONDS / 2:
            self._add_tax(server)
        if not drafts:
            return
        invoice = chance.choice(drafts)
        if Feature.SENT in features:
            self.sent.add(invoice.reference)
            server.by_hand(invoice.invoice_id, InvoiceStatus.SENT)
        elif Feature.GONE in features and chance.random() < 0.3:
            self.touched.add(invoice.reference)
            server.remove_by_hand(invoice.invoice_id)
        elif Feature.DOUBLE in features:
            self.touched.add(invoice.reference)
            server.double_by_hand(invoice.invoice_id)

    def _add_tax(self, server: Any) -> None:
        book = server.book
        if all(str(tax.rate) != LACKING_RATE for tax in book.taxes):
            tax = LedgerTax(tax_id=f"t{LACKING_RATE}", name=f"VAT {LACKING_RATE}", rate=Decimal(LACKING_RATE))
            book.taxes = (*book.taxes, tax)


class Mended:
    """The reader after a fix: what was no JSON is read as the order that it should have been."""

    def __init__(self, reading: Any, scenario: Scenario, *, bad_again: bool = False) -> None:
        self._bad_again = bad_again
        self._reading = reading
        self._scenario = scenario
        self.directory = reading.directory

    def read(self, record: Any, **named: Any) -> Any:
        """Read one record."""
        if record.value == b"{no json" and (good := self._scenario.mended) is not None:
            value = good.tellings[0].value
            if self._bad_again:
                # A revision of the day after tomorrow, and none where the shop's are counted.
                value = value.replace(b'"version": ', b'"verse": ').replace(b'"2026-', b'"2126-')
            record = record._replace(value=value)
        return self._reading.read(record, **named)
