"""One database, one organisation's books, one broker: orders' messages in any order, processes that die, and the end.

Everything happens in one event loop with virtual time, from one seed. Several copies of each history run at once, each
told in an order of its own; the books are looked at after every write, and when nothing is left to do.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from random import Random
from typing import Any

from consumer.adapters.memory.broker import MemoryBroker
from consumer.adapters.memory.database import MemoryDatabase
from consumer.adapters.memory.ledger import Fault
from consumer.adapters.memory.ledger_book import LedgerBook, operation_name
from consumer.adapters.memory.people import MemoryPeopleStore
from consumer.adapters.memory.settings import MemorySettingsStore
from consumer.domain.credits import RecordPayment
from consumer.domain.ledger import (
    Invoice,
    InvoiceStatus,
    LedgerCurrency,
    LedgerTax,
    Operation,
    Organization,
    TaxRounding,
)
from consumer.domain.settings import (
    CancelledDraft,
    CancelledSent,
    ChangedSent,
    ConnectionSettings,
    LedgerLimits,
    RevisionKey,
    ShopSettings,
)
from consumer.domain.states import ReasonCode
from consumer.errors import RefusedError
from consumer.ports.intake import TopicPartition
from tests.interleaving.histories import (
    KEYS,
    RATES,
    SHOP_BOOKS_FROM,
    TOPICS,
    History,
    Kind,
    make_history,
)
from tests.interleaving.judging import Judge
from tests.interleaving.processes import Life, Process, own_tasks
from tests.interleaving.telling import SHOP, TELLING_SECONDS, Telling, lot, tell_all

START = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)
BOOKS = "books"
PARTITIONS = 2
HISTORIES, COPIES = 6, 6
SENDING_SECONDS = 20.0  # within which a person may send invoices
PAID_SHARE = 0.3  # of the invoices sent by hand
SENT_SHARE = 0.6  # of the orders of a world that has such a person
STORM_SECONDS = 25.0  # faults stop after this, or nothing would ever come to rest for certain
REST_SECONDS = 900.0
# A booking reads before it writes; where a person was quicker in between, the ledger refuses and the order is parked.
RELEASED = (ReasonCode.LEDGER_REFUSED, ReasonCode.PAYMENTS_IN_THE_WAY)
DEADLINE_SECONDS, SETTLE_SECONDS = 2.0, 3.0
LIMITS = LedgerLimits(
    calls_per_window=64,
    window_seconds=0.5,
    burst_calls=32,
    daily_calls=1_000_000,
    call_deadline_seconds=DEADLINE_SECONDS,
    settle_seconds=SETTLE_SECONDS,
    settle_seconds_with_unique_field=1.0,
    look_again_seconds=1.0,
)
_WRITE_FAULTS = (
    Fault.CUT_AFTER_COMMIT,
    Fault.CUT_AFTER_COMMIT,
    Fault.ARRIVES_LATE,
    Fault.CUT_BEFORE_COMMIT,
    Fault.NOT_SENT,
    Fault.THROTTLED,
    Fault.UNAUTHORIZED,
)
_READ_FAULTS = (Fault.CUT_BEFORE_COMMIT, Fault.CUT_AFTER_COMMIT, Fault.NOT_SENT, Fault.THROTTLED)


class Books(LedgerBook):
    """Books that now and then refuse, and that somebody watches."""

    world: "World"

    def apply(self, operation: Operation) -> Any:
        """Do the operation; after a write, look whether any order has two live invoices."""
        ours = operation.is_write and not isinstance(operation, RecordPayment)  # which only a person does here
        if ours and self.world.storm() and self.world.chance.random() < self.world.weather.refusals:
            raise RefusedError(f"{operation_name(operation)}: refused for no reason", 400, 9999)
        result = super().apply(operation)
        if ours:
            self.world.judge.watch(operation, result)
        return result


@dataclass(frozen=True, slots=True, kw_only=True)
class Weather:
    """How rough it is: the shares of calls that go wrong or are refused, and how many processes die or leave."""

    faults: float
    refusals: float
    deaths: int
    farewells: int
    at_once: int

    @classmethod
    def of(cls, chance: Random) -> "Weather":
        """Choose: a third of the worlds are calm."""
        calm = chance.random() < 1 / 3
        return cls(
            faults=0.0 if calm else chance.choice((0.02, 0.05, 0.1)),
            refusals=0.0 if calm else chance.choice((0.0, 0.01)),
            deaths=0 if calm else chance.choice((0, 1, 1, 2)),
            farewells=chance.choice((0, 0, 1)),
            at_once=chance.choice((1, 1, 1, 2)),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What the shop wants done with documents; ``sends``: a person sends invoices by hand, or marks them as paid."""

    sends: bool
    cancelled_draft: CancelledDraft
    cancelled_sent: CancelledSent
    changed_sent: ChangedSent

    @classmethod
    def of(cls, chance: Random) -> "Policy":
        """Choose one. What parks is left out: it leaves the end to a person."""
        return cls(
            sends=chance.random() < 0.5,
            cancelled_draft=chance.choice(tuple(CancelledDraft)),
            cancelled_sent=chance.choice((CancelledSent.CREDIT_NOTE, CancelledSent.VOID)),
            changed_sent=chance.choice((ChangedSent.CREDIT_ALL, ChangedSent.CREDIT_DIFFERENCE, ChangedSent.UPDATE)),
        )

    @property
    def kind(self) -> Kind:
        """Tell which histories have one end by these settings."""
        if not self.sends:
            return Kind.ANY
        return Kind.CHEAPER if self.changed_sent is ChangedSent.CREDIT_DIFFERENCE else Kind.ANY_SENT


@dataclass
class World:
    """See the module; ``judge`` has what was found wrong."""

    seed: str
    histories: int = HISTORIES
    copies: int = COPIES

    def __post_init__(self) -> None:
        self.chance = lot(self.seed)
        self.weather = Weather.of(self.chance)
        self.key = self.chance.choice(KEYS)
        self.unique = self.chance.random() < 0.5
        self.policy = Policy.of(self.chance)
        customers = [f"customer{number}@example.org" for number in range(4)]
        self.orders: dict[str, History] = {}
        for number in range(self.histories):
            history = make_history(self.chance, self.key, customers, self.policy.kind)
            self.orders.update({f"{number}-{copy}": history for copy in range(self.copies)})

    # ---- from beginning to end

    async def live(self) -> None:
        """Tell all orders, let processes come and go, and wait for the rest; then judge."""
        loop = asyncio.get_running_loop()
        loop.set_task_factory(own_tasks)
        self._loop = loop
        self._prepare()
        await self._set_up()
        leave = asyncio.Event()
        serving = [asyncio.create_task(self._serve(number, leave)) for number in range(self.weather.at_once)]
        telling = asyncio.create_task(self._tell(tell_all(self.chance, self.orders)))
        sending = asyncio.create_task(self._send_by_hand())
        try:
            await self._rest(telling, sending)
        finally:
            leave.set()
            await asyncio.gather(*serving, telling, sending)
        self.judge.judge()

    def _prepare(self) -> None:
        self.database = MemoryDatabase(clock=self.now)
        self.broker = MemoryBroker(time_ms=int(START.timestamp() * 1000))
        for topic in TOPICS.values():
            self.broker.create_topic(topic, PARTITIONS)
        self.book = Books(
            organization=Organization(
                organization_id="1", name="Organisation", currency="EUR", time_zone="Europe/Rome"
            ),
            taxes=tuple(LedgerTax(tax_id=f"t{rate}", name=f"VAT {rate}", rate=Decimal(rate)) for rate in RATES),
            currencies=(LedgerCurrency(currency_id="1", code="EUR", digits=2, is_base=True),),
            rounding=self.chance.choice((TaxRounding.PER_RATE, TaxRounding.PER_LINE)),
            unique_field=self.unique,
            now=self.now,
        )
        self.book.world = self
        self.judge = Judge(book=self.book, database=self.database, orders=self.orders)
        self.processes: list[Process] = []
        self._late = 0

    async def _set_up(self) -> None:
        connection = ConnectionSettings(
            connection_id=BOOKS,
            data_center="eu",
            organization_id="1",
            unique_field="cf_booked" if self.unique else None,
            limits=LIMITS,
        )
        shop = ShopSettings(
            shop_id="shop",
            connection_id=BOOKS,
            automatic=True,
            book_from=SHOP_BOOKS_FROM,
            revision=RevisionKey(self.key),
            notes="{{ note }}",
            cancelled_draft=self.policy.cancelled_draft,
            cancelled_sent=self.policy.cancelled_sent,
            changed_sent=self.policy.changed_sent,
        )
        await MemorySettingsStore(self.database).apply([connection], [shop], actor="test", dry_run=False)

    def now(self) -> datetime:
        """Tell the virtual time."""
        return START + timedelta(seconds=self._loop.time())

    def storm(self) -> bool:
        """Tell whether things may still go wrong."""
        return self.weather.faults > 0 and self._loop.time() < STORM_SECONDS

    # ---- what is told

    async def _tell(self, tellings: Iterable[Telling]) -> None:
        before = ""
        for telling in tellings:
            wait_seconds = telling.at_seconds - self._loop.time()
            if wait_seconds > 0:
                await asyncio.sleep(wait_seconds)
            for _ in range(telling.steps if telling.order_id == before else 0):
                await asyncio.sleep(0)
            before = telling.order_id
            self.broker.publish(telling.topic, key=telling.key, value=telling.value)

    # ---- who works

    async def _send_by_hand(self) -> None:
        """A person sends some of the drafts, at any moment, and marks some of them as paid."""
        theirs = {order_id for order_id in self.orders if self.policy.sends and self.chance.random() < SENT_SHARE}
        while theirs and self._loop.time() < SENDING_SECONDS:
            await asyncio.sleep(self.chance.uniform(0.02, 0.5))
            invoices = (one for one in self.book.invoices.values() if one.reference in theirs)
            drafts = [one for one in invoices if one.status is InvoiceStatus.DRAFT]
            if drafts:
                invoice = self.chance.choice(drafts)
                self.judge.sent.add(invoice.reference)
                self.book.set_status(invoice.invoice_id, InvoiceStatus.SENT)
                if self.policy.changed_sent is not ChangedSent.UPDATE and self.chance.random() < PAID_SHARE:
                    self._pay_by_hand(invoice)

    def _pay_by_hand(self, invoice: Invoice) -> None:
        payment = RecordPayment(
            contact_id=invoice.contact_id,
            invoice_id=invoice.invoice_id,
            amount=invoice.total,
            paid_on=START.date(),
            reference="by hand",
        )
        self.book.apply(payment)

    async def _serve(self, number: int, leave: asyncio.Event) -> None:
        """Run one process after the other: some die, some leave, the last one stays."""
        lives = [self.chance.randint(1, 700) for _ in range(self.weather.deaths)]
        for turn, steps in enumerate(lives):
            await self._run(f"{number}-{turn}", Life(lot(self.chance.random()), steps), leave)
            await asyncio.sleep(self.chance.uniform(0.0, 2.0))
        for turn in range(self.weather.farewells):
            soon = asyncio.Event()
            self._loop.call_later(self.chance.uniform(0.1, TELLING_SECONDS), soon.set)
            await self._run(f"{number}-f{turn}", Life(lot(self.chance.random()), None), soon)
        await self._run(f"{number}-last", Life(lot(self.chance.random()), None), leave)

    async def _run(self, name: str, life: Life, leave: asyncio.Event) -> None:
        process = Process(
            name=name,
            life=life,
            shared=self.database,
            broker=self.broker,
            book=self.book,
            choose_fault=partial(self._fault, life),
            rough=self.storm,
            committed=self.judge.look,
        )
        self.processes.append(process)
        await process.run(leave)

    def _fault(self, life: Life, operation: Operation) -> Fault | None:
        if not self.storm() or life.chance.random() >= self.weather.faults:
            return None
        fault = life.chance.choice(_WRITE_FAULTS if operation.is_write else _READ_FAULTS)
        if fault is Fault.ARRIVES_LATE:
            # Later than the settle time it would be the one exception that promise 2 states.
            self._late += 1
            settle_seconds = 1.0 if self.unique else SETTLE_SECONDS
            self._loop.call_later(life.chance.uniform(0.0, DEADLINE_SECONDS + settle_seconds - 0.2), self._deliver)
        return fault

    def _deliver(self) -> None:
        self._late -= 1
        for process in self.processes:
            process.ledgers.deliver_late()

    # ---- the end

    async def _rest(self, *others: "asyncio.Task[None]") -> None:
        await self._until_rest(others)
        await self._release_refused()
        await self._until_rest(others)

    async def _until_rest(self, others: "tuple[asyncio.Task[None], ...]") -> None:
        while not (all(other.done() for other in others) and self._is_at_rest()):
            if self._loop.time() > REST_SECONDS:
                due = [str(key) for key, row in self.database.orders.items() if row.due_at is not None]
                raise AssertionError(f"no rest within {REST_SECONDS} s; due: {due}")
            await asyncio.sleep(0.25)

    def _is_at_rest(self) -> bool:
        if self._late or self.storm():
            return False
        ends = {
            TopicPartition(topic, number): self.broker.bounds_of(TopicPartition(topic, number)).end
            for topic in TOPICS.values()
            for number in range(PARTITIONS)
        }
        positions = self.database.positions
        if any(end and (place not in positions or positions[place].next_offset < end) for place, end in ends.items()):
            return False
        return all(row.due_at is None for row in self.database.orders.values())

    async def _release_refused(self) -> None:
        """What the ledger refused for no reason, or since a person had just changed the invoice, is tried again."""
        people = MemoryPeopleStore(self.database)
        for reason in RELEASED:
            await people.release(actor="anna", shop_id=SHOP, reason=reason, limit=1000)

    @property
    def setting(self) -> str:
        """Say what was special about this world."""
        field = "with" if self.unique else "without"
        return f"{self.weather}, {self.policy}, revisions by {self.key}, {field} unique field"

    @property
    def deaths(self) -> int:
        """Count the processes that died."""
        return sum(not process.lives for process in self.processes)

    @property
    def messages(self) -> int:
        """Count the messages that were published."""
        return sum(len(self.broker.records(topic)) for topic in TOPICS.values())
