"""Orders that change, are cancelled and refunded, over the stores and the ledger in memory."""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from consumer.domain.events import EventKind, OrderEvent, Origin
from consumer.domain.ledger import Invoice, InvoiceStatus
from consumer.domain.records import Document, DocumentKind
from consumer.domain.settings import ShopSettings
from consumer.domain.states import Ask, OrderState
from consumer.ports.intake import Taken, TopicPartition
from consumer.ports.wakeups import WakeKind
from consumer.services.lane_tools import LaneTools
from consumer.sources.own import to_order
from schemas.canonical import canonical
from tests.services.sync.virtual_time import run, until
from tests.services.sync.world import SHOP, START, World, key

AUTOMATIC = ShopSettings(
    shop_id=SHOP, connection_id="books", automatic=True, book_from=datetime(2026, 1, 1, tzinfo=UTC)
)
TOPICS = {kind: TopicPartition(kind.value, 0) for kind in EventKind}
Data = dict[str, Any]


def an_order(price: str = "122.00", *, note: str = "", **more: Any) -> Data:
    """Give an order of one line at 22 %, whose price has the tax in it."""
    return {
        "shop_id": SHOP,
        "order_id": "1001",
        "number": "1001",
        "currency": "EUR",
        "prices_include_tax": True,
        "customer": {"name": "Anna Bianchi", "email": "anna@example.org"},
        "lines": [{"id": "1", "name": "Mug", "quantity": "1", "unit_price": price, "taxes": [{"rate": "22"}]}],
        "totals": {"grand_total": price},
        **({"note": note} if note else {}),
        **more,
    }


def refund(id_: str, amount: str, *, day: int = 15, **more: Any) -> Data:
    """Give a refund as the contract has it."""
    return {"id": id_, "amount": amount, "created_at": f"2026-03-{day}T10:00:00Z", **more}


class Shop(World):
    """A world whose orders say whatever a test wants."""

    def tools(self, **other: Any) -> LaneTools:
        """Read orders with the refunds that only older revisions told of."""
        other.setdefault(
            "read_order",
            lambda record, shop: to_order(record.content or b"", shop.time_zone, record.kept_refunds),
        )
        return super().tools(**other)

    async def say(self, kind: EventKind, version: int, data: Data | None) -> None:
        """Take an event of the order in, as the intake does; without data a bare cancellation."""
        self.offset += 1
        given = {} if data is None else data
        text = None if data is None else canonical(data).content
        told = tuple((one["id"], json.dumps(one, sort_keys=True).encode()) for one in given.get("refunds", ()))
        event = OrderEvent(
            key=key(),
            kind=kind,
            origin=Origin(topic=TOPICS[kind].topic, log=1, partition=0, offset=self.offset),
            event_id=f"event-{self.offset}",
            time=START,
            version=version,
            updated_at=START,
            content=text,
            content_hash=hashlib.sha256(text or b"").digest(),
            number="1001",
            currency="EUR",
            grand_total=Decimal(given.get("totals", {}).get("grand_total", "122.00")),
            placed_at=START,
            paid_at=START if kind is EventKind.PAID else None,
            cancelled_at=START if kind is EventKind.CANCELLED else None,
            cancelled_null="cancelled_at" in given and given["cancelled_at"] is None,
            refunds=told,
        )
        taken = Taken(place=TOPICS[kind], offset=self.offset, checksum=b"%d" % self.offset, outcome=event, value=text)
        recorded = await self.intake.record([taken])
        if recorded.woken:
            self.signals.wake(WakeKind.LANES, recorded.woken)

    async def ask(self, ask: Ask) -> None:
        """Let a person ask something of the order."""
        await self.people.ask(key(), ask, actor="jane")
        self.signals.wake(WakeKind.LANES, ["books"])

    async def rest_uncertain(self) -> None:
        """Wait until it is not known what came of a write."""
        await until(lambda: self.state() is OrderState.UNCERTAIN)

    # ---- the ledger, as people see it

    def send(self) -> None:
        """Let a person send the invoice."""
        self.book.set_status(self.invoice.invoice_id, InvoiceStatus.SENT)

    @property
    def invoice(self) -> Invoice:
        """Look at the order's one live invoice."""
        (invoice,) = self.live()
        return invoice

    @property
    def invoices(self) -> list[Invoice]:
        """Look at all invoices that were made, void ones too."""
        return list(self.book.invoices.values())

    @property
    def notes(self) -> list[tuple[str, str, str]]:
        """Look at the credit notes: reference, total, what is open."""
        found = self.book.credits.notes.values()
        return [(note.reference, str(note.total), str(note.balance)) for note in found]

    def of_kind(self, kind: DocumentKind) -> list[Document]:
        """Look at what we have recorded of this kind."""
        return [one for one in self.documents() if one.kind is kind]

    def counted(self) -> list[str]:
        """Name the calls since the last count, without those that a lane makes once."""
        names = [name for name in self.called() if name not in _ONCE]
        counted, self._counted = names[self._seen_calls :], len(names)
        self._seen_calls = self._counted
        return counted

    _seen_calls = 0
    _counted = 0


_ONCE = frozenset(
    {
        "read_organization",
        "list_taxes",
        "list_currencies",
        "list_invoices",
        "list_contacts",
        "read_items",
        "read_rounding",
    }
)
Step = Callable[[Shop], object]


def paid(data: Data | None = None) -> tuple[EventKind, int, Data | None]:
    """The order as it was paid."""
    return EventKind.PAID, 1, data or an_order()


def played(
    shop: ShopSettings, *steps: tuple[EventKind, int, Data | None] | Ask | Step, world: Shop | None = None
) -> Shop:
    """Play steps one after another, each to its rest: an event, a person's click, or a hand in the ledger."""
    world = world or Shop()

    async def scene() -> None:
        await world.set_up(shop)
        async with world.process():
            for step in steps:
                if isinstance(step, Ask):
                    await world.ask(step)
                elif isinstance(step, tuple):
                    await world.say(*step)
                else:
                    step(world)
                if world.state() is not None:
                    await world.rest()

    run(scene())
    return world


def sent(world: Shop) -> None:
    """A person sends the invoice."""
    world.send()


def count(world: Shop) -> None:
    """Begin to count calls."""
    world.counted()


def with_shop(**settings: Any) -> ShopSettings:
    """Give the shop with other settings."""
    return replace(AUTOMATIC, **settings)


def later(hours: int) -> timedelta:
    """Give so many hours."""
    return timedelta(hours=hours)


def totals(invoices: Sequence[Invoice]) -> list[tuple[str, str]]:
    """Give state and total of invoices."""
    return [(invoice.status.value, str(invoice.total)) for invoice in invoices]
