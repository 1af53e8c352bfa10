"""What people do in the ledger by hand, and a world whose lanes keep a watch."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from consumer.adapters.memory.watch import MemoryWatchStore
from consumer.domain.ledger import Invoice
from consumer.domain.settings import ConnectionSettings, ShopSettings
from consumer.services.sync import Sync
from tests.services.sync.virtual_time import let_pass
from tests.services.sync.world import BOOKS, CONNECTION, LIMITS, SHOP, START, World

LOOK_SECONDS = 180.0  # between two looks of the connection below, which count three calls each


def watched(**limits: Any) -> ConnectionSettings:
    """Give a connection whose day has 72,000 calls: 2 % of them are a call a minute."""
    return replace(CONNECTION, limits=replace(LIMITS, **{"daily_calls": 72_000, **limits}))


class WatchedWorld(World):
    """A world whose processes keep a watch; ``found`` is what the metric was told."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.watch = MemoryWatchStore(self.database)
        self.found: list[str] = []

    @asynccontextmanager
    async def watching(self, name: str = "one", **tools: Any) -> AsyncIterator[Sync]:
        """Run a process that watches."""
        given: dict[str, Any] = {"watch": self.watch, "on_found": self.found.append, **tools}
        async with self.process(name, **given) as service:
            yield service

    def invoice(self, order_id: str = "1001") -> Invoice:
        """Give the ledger's own invoice of an order."""
        (document,) = [d for d in self.documents(order_id) if d.live]
        return self.book.invoices[document.ledger_id]

    def by_hand(self, order_id: str = "1001", **changes: Any) -> None:
        """Change an invoice as a person would."""
        self.change(self.invoice(order_id).invoice_id, **changes)

    def change(self, invoice_id: str, **changes: Any) -> None:
        """Change any invoice of the ledger as a person would, a minute after its last change at least."""
        invoice = self.book.invoices[invoice_id]
        moment = max(self.book.moment(), (invoice.modified_at or self.now()) + timedelta(minutes=1))
        self.book.invoices[invoice_id] = replace(invoice, **changes, modified_at=moment)

    def copy(self, invoice_id: str) -> None:
        """Copy an invoice as a person would, reference and all."""
        moment, new_id = self.book.moment(), self.book.new_id()
        copied = replace(self.book.invoices[invoice_id], invoice_id=new_id, number=f"COPY-{new_id}")
        self.book.invoices[new_id] = replace(copied, created_at=moment, modified_at=moment)

    def edit(self, order_id: str = "1001") -> None:
        """Edit a draft as a person would: another total."""
        total = self.invoice(order_id).total + Decimal(1)
        self.by_hand(order_id, total=total, balance=total)

    def told_in_story(self, order_id: str = "1001") -> list[str]:
        """Name what an order's story tells, without how its customer was found."""
        return [word for word in self.decisions(order_id) if "contact_done" not in word]

    def words(self, order_id: str = "1001") -> list[str]:
        """Give the sentences of an order's story."""
        return [w for k, _, _, note in self.database.decisions for w in note.words if k.order_id == order_id]


async def looks(count: int = 2) -> None:
    """Let so many looks of the watch pass."""
    await let_pass(count * LOOK_SECONDS + 30.0)


async def booked(world: WatchedWorld, *orders: str, **shop: object) -> None:
    """Book these orders, and let the watch see them once."""
    settings = ShopSettings(shop_id=SHOP, connection_id=BOOKS, automatic=True, book_from=START.replace(month=1))
    await world.set_up(replace(settings, **shop))  # type: ignore[arg-type] # fields by name
    for order in orders or ("1001",):
        await world.pay(order)
    await world.rest()
    await looks()
