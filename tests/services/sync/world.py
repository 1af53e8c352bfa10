"""What the tests of the lanes stand on: stores and a ledger in memory, processes over them, and orders to take in."""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from consumer.adapters.memory.bookings import MemoryBookingStore
from consumer.adapters.memory.calls import MemoryCallStore
from consumer.adapters.memory.contacts import MemoryContactStore
from consumer.adapters.memory.database import MemoryDatabase, OrderRow
from consumer.adapters.memory.intake import MemoryIntakeStore
from consumer.adapters.memory.lanes import MemoryLaneStore
from consumer.adapters.memory.ledger import Fault, MemoryLedgerFactory
from consumer.adapters.memory.ledger_book import LedgerBook
from consumer.adapters.memory.people import MemoryPeopleStore
from consumer.adapters.memory.settings import MemorySettingsStore
from consumer.domain.events import EventKind, OrderEvent, Origin
from consumer.domain.ledger import (
    Invoice,
    LedgerCurrency,
    LedgerTax,
    Operation,
    Organization,
    TaxRounding,
    WriteOperation,
)
from consumer.domain.orders import OrderKey
from consumer.domain.records import Document
from consumer.domain.settings import ConnectionSettings, LedgerLimits, ShopSettings
from consumer.domain.states import OrderState
from consumer.ports.intake import Taken, TopicPartition
from consumer.ports.lanes import BookingStore, CallStore, LaneStore
from consumer.ports.ledger import Ledger
from consumer.ports.wakeups import Signals, WakeKind
from consumer.services.announcing import Announcer
from consumer.services.lane_tools import LaneTools
from consumer.services.sync import Sync, SyncParts
from consumer.sources.own import to_order
from tests.services.sync.virtual_time import until

START = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)
SHOP = "shop"
BOOKS = "books"
LIMITS = LedgerLimits(calls_per_window=3000, daily_calls=100_000, call_deadline_seconds=20.0)
CONNECTION = ConnectionSettings(connection_id=BOOKS, data_center="eu", organization_id="1", limits=LIMITS)
_TOPICS = {
    EventKind.PAID: TopicPartition("order.paid", 0),
    EventKind.UPDATED: TopicPartition("order.updated", 0),
    EventKind.CANCELLED: TopicPartition("order.cancelled", 0),
}


def key(order_id: str = "1001") -> OrderKey:
    """Name an order of the shop."""
    return OrderKey(SHOP, order_id)


def content(order_id: str, price: str, email: str | None, name: str, shop: str = SHOP) -> bytes:
    """Write an order of one line at 22 % VAT, whose price has the tax in it."""
    customer = {"name": name} if email is None else {"name": name, "email": email}
    data = {
        "shop_id": shop,
        "order_id": order_id,
        "number": order_id,
        "version": 1,
        "currency": "EUR",
        "prices_include_tax": True,
        "customer": customer,
        "lines": [{"name": "Mug", "quantity": "1", "unit_price": price, "taxes": [{"rate": "22"}]}],
        "totals": {"grand_total": price},
    }
    return json.dumps(data, sort_keys=True).encode()


class Token:
    """The right to call, of a token that is always good."""

    def __init__(self, slot_for_repeat: Callable[[], Any]) -> None:
        self._slot_for_repeat = slot_for_repeat

    async def token(self) -> str:
        """See Access."""
        return "token"

    async def renewed(self, stale: str) -> str:
        """See Access."""
        await self._slot_for_repeat()
        return f"{stale}-renewed"


class Books(LedgerBook):
    """Books that refuse what a test has planned, and in which a person may act before and after a call."""

    refusals: dict[str, list[Exception]]
    before: Callable[[Operation], None]
    after: Callable[[Operation], None]

    def apply(self, operation: Operation) -> Any:
        """Do the operation, unless a refusal was planned for it."""
        self.before(operation)
        if planned := self.refusals.get(operation.name):
            raise planned.pop(0)
        result = super().apply(operation)
        self.after(operation)
        return result


@dataclass
class World:
    """One database, one organisation's books, and what went between them."""

    connection: ConnectionSettings = CONNECTION
    now_seconds: float = 0.0  # what passed in the loops before this one
    faults: dict[str, list[Fault | None]] = field(default_factory=dict)  # by operation, in sequence
    calls: list[Operation] = field(default_factory=list)
    bookings: list[str] = field(default_factory=list)
    offset: int = 0

    def __post_init__(self) -> None:
        self.database = MemoryDatabase(clock=self.now)
        self.book = Books(
            organization=Organization(
                organization_id="1", name="Organisation", currency="EUR", time_zone="Europe/Rome"
            ),
            taxes=(LedgerTax(tax_id="t22", name="VAT 22", rate=Decimal(22)),),
            currencies=(LedgerCurrency(currency_id="1", code="EUR", digits=2, is_base=True),),
            rounding=TaxRounding.PER_RATE,
            unique_field=self.connection.unique_field is not None,
            now=self.now,
        )
        self.book.refusals = {}
        self.book.before = self.book.after = lambda _: None
        self.factory = MemoryLedgerFactory(
            books={"1": self.book}, choose_fault=self._choose_fault, throttle_seconds=60.0
        )
        self.lanes: LaneStore = MemoryLaneStore(self.database)
        self.booking_store: BookingStore = MemoryBookingStore(self.database)
        self.call_store: CallStore = MemoryCallStore(self.database)
        self.contacts = MemoryContactStore(self.database)
        self.settings = MemorySettingsStore(self.database)
        self.people = MemoryPeopleStore(self.database)
        self.intake = MemoryIntakeStore(self.database, render_rejected=lambda _, event_id, __: event_id.bytes)
        self.signals = Signals()

    def now(self) -> datetime:
        """Tell the time: that of the loop that runs, after those before it."""
        try:
            passed = asyncio.get_running_loop().time()
        except RuntimeError:
            passed = 0.0
        return START + timedelta(seconds=self.now_seconds + passed)

    def _choose_fault(self, operation: Operation) -> Fault | None:
        self.calls.append(operation)
        planned = self.faults.get(operation.name)
        return planned.pop(0) if planned else None

    def plan(self, operation: str, *faults: Fault | None) -> None:
        """Let the next calls of this operation go wrong; None lets one through."""
        self.faults.setdefault(operation, []).extend(faults)

    def refuse(self, operation: str, error: Exception, times: int = 1) -> None:
        """Let the ledger refuse the next calls of this operation."""
        self.book.refusals.setdefault(operation, []).extend([error] * times)

    # ---- settings and events

    async def set_up(self, *shops: ShopSettings, connection: ConnectionSettings | None = None) -> None:
        """Apply the connection and its shop."""
        shop = ShopSettings(
            shop_id=SHOP, connection_id=BOOKS, automatic=True, book_from=datetime(2026, 1, 1, tzinfo=UTC)
        )
        await self.settings.apply([connection or self.connection], shops or (shop,), actor="test", dry_run=False)
        self.signals.wake(WakeKind.LANES, [BOOKS])

    async def pay(self, *order_ids: str, **order: Any) -> None:
        """Take paid orders in."""
        for order_id in order_ids:
            await self.take(order_id, EventKind.PAID, **order)

    async def take(
        self,
        order_id: str,
        kind: EventKind,
        *,
        version: int = 1,
        price: str = "12.20",
        email: str | None = "anna@example.org",
        name: str = "Anna Bianchi",
        shop: str = SHOP,
    ) -> None:
        """Take an event in, as the intake does."""
        self.offset += 1
        text = None if kind is EventKind.CANCELLED else content(order_id, price, email, name, shop)
        event = OrderEvent(
            key=OrderKey(shop, order_id),
            kind=kind,
            origin=Origin(topic=_TOPICS[kind].topic, log=1, partition=0, offset=self.offset),
            event_id=f"event-{self.offset}",
            time=START,
            version=version,
            updated_at=START,
            content=text,
            content_hash=hashlib.sha256(text or b"").digest(),
            number=order_id,
            currency="EUR",
            grand_total=Decimal(price),
            placed_at=START,
            paid_at=START if kind is EventKind.PAID else None,
            cancelled_at=START if kind is EventKind.CANCELLED else None,
        )
        taken = Taken(place=_TOPICS[kind], offset=self.offset, checksum=b"%d" % self.offset, outcome=event, value=text)
        recorded = await self.intake.record([taken])
        if recorded.woken:
            self.signals.wake(WakeKind.LANES, recorded.woken)

    # ---- processes

    def tools(self, **other: Any) -> LaneTools:
        """Make what a process's lanes work with."""
        loop = asyncio.get_running_loop()

        async def wait_for_wake(connection_id: str, seconds: float) -> None:
            await self.signals.wait(WakeKind.LANES, seconds, of=connection_id)

        def open_ledger(connection: ConnectionSettings, slot_for_repeat: Callable[[], Any]) -> Ledger:
            return self.factory.open(connection, Token(slot_for_repeat))

        given: dict[str, Any] = {
            "lanes": self.lanes,
            "bookings": self.booking_store,
            "calls": self.call_store,
            "contacts": self.contacts,
            "read_order": lambda record, shop: to_order(record.content or b"", shop.time_zone),
            "announce_for": lambda view: Announcer(view.connection, "main"),
            "open_ledger": open_ledger,
            "steady": loop.time,
            "jitter": lambda: 0.0,
            "wait_for_wake": wait_for_wake,
            "on_booking": lambda result, _calls: self.bookings.append(result),
        }
        return LaneTools(**{**given, **other})

    @asynccontextmanager
    async def process(self, name: str = "one", **tools: Any) -> AsyncIterator[Sync]:
        """Run a process's sync for the time of the block."""

        async def wait_for_work(seconds: float) -> None:
            await self.signals.wait(WakeKind.LANES, seconds)

        service = Sync(
            SyncParts(
                lanes=tools.get("lanes", self.lanes),
                tools=self.tools(**tools),
                installation="main",
                owner=name,
                wait_for_work=wait_for_work,
            )
        )
        await service.start()
        try:
            yield service
        finally:
            await service.stop(30.0)
        assert service.failure is None, service.failure

    # ---- what came of it

    def order(self, order_id: str = "1001") -> OrderRow:
        """Look at an order's row."""
        return self.database.orders[key(order_id)]

    def documents(self, order_id: str = "1001") -> list[Document]:
        """Look at an order's documents."""
        return self.database.documents.get(key(order_id), [])

    def live(self, order_id: str = "1001") -> tuple[Invoice, ...]:
        """Look at the ledger's live invoices of an order."""
        return self.book.live_invoices(order_id)

    def state(self, order_id: str = "1001") -> OrderState | None:
        """Look at an order's state; None while it is not known."""
        row = self.database.orders.get(key(order_id))
        return None if row is None else row.state

    def reason(self, order_id: str = "1001") -> str:
        """Look at why an order stands where it stands."""
        reason = self.order(order_id).reason
        return "" if reason is None else reason.code.value

    def settled(self, *order_ids: str) -> bool:
        """Tell whether nothing is left to do for these orders (by default: all)."""
        keys = [key(order_id) for order_id in order_ids] or list(self.database.orders)
        return bool(keys) and all(k in self.database.orders and self.database.orders[k].due_at is None for k in keys)

    def open_intents(self) -> list[str]:
        """Look at the operations of which it is not known what came of them."""
        return [row.operation for row in self.database.intents.values() if row.resolution is None]

    def called(self, *names: str) -> list[str]:
        """Name the calls that were made, of these operations (by default: all), in sequence."""
        return [operation.name for operation in self.calls if not names or operation.name in names]

    def writes(self) -> list[str]:
        """Name the writes that took effect in the ledger, in sequence."""
        return [operation.name for operation in self.book.commits]

    def told(self) -> list[dict[str, Any]]:
        """Read what was announced, in sequence."""
        rows = self.database.outbox.values()
        return [json.loads(row.payload)["data"] for row in rows if row.topic_kind == "invoice.synced"]

    def decisions(self, order_id: str = "1001") -> list[str]:
        """Name the decisions on an order, in sequence."""
        return [note.decision for k, _, _, note in self.database.decisions if k == key(order_id)]

    async def rest(self, *order_ids: str, within_seconds: float = 3600.0) -> None:
        """Wait until nothing is left to do for these orders (by default: all)."""
        await until(lambda: self.settled(*order_ids), within_seconds=within_seconds)


def with_limits(**limits: Any) -> ConnectionSettings:
    """Give the connection with other limits."""
    return replace(CONNECTION, limits=replace(LIMITS, **limits))


def with_unique_field() -> ConnectionSettings:
    """Give the connection of an organisation with the unique field."""
    return replace(CONNECTION, unique_field="cf_booked")


def is_write(operation: Operation) -> bool:
    """Tell a write from a read."""
    return isinstance(operation, WriteOperation)
