"""One database, one organisation's books, one broker: orders' messages in any order, processes that die, and the end.

Everything happens in one event loop with virtual time, from one seed. Several copies of each history run at once, each
told in an order of its own; the books are looked at after every write, and when nothing is left to do.
"""

import asyncio
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from random import Random
from typing import Any
from uuid import UUID

from consumer.adapters.memory.broker import MemoryBroker
from consumer.adapters.memory.database import MemoryDatabase
from consumer.adapters.memory.ledger import Fault
from consumer.adapters.memory.ledger_book import LedgerBook, operation_name
from consumer.adapters.memory.people import MemoryPeopleStore
from consumer.adapters.memory.settings import MemorySettingsStore
from consumer.domain.ledger import (
    Invoice,
    LedgerCurrency,
    LedgerTax,
    Operation,
    Organization,
    TaxRounding,
)
from consumer.domain.orders import OrderKey
from consumer.domain.settings import ConnectionSettings, LedgerLimits, RevisionKey, ShopSettings
from consumer.domain.states import ReasonCode
from consumer.errors import RefusedError
from consumer.ports.intake import TopicPartition
from tests.interleaving.histories import (
    KEYS,
    RATES,
    SHOP_BOOKS_FROM,
    TOPICS,
    History,
    Saying,
    Standing,
    make_history,
    message,
)
from tests.interleaving.processes import Life, Process, own_tasks

START = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)
BOOKS = "books"
PARTITIONS = 3
HISTORIES, COPIES = 6, 6
TELLING_SECONDS = 6.0
SPANS_SECONDS = (0.0, 0.0, 0.0, 0.3, 2.0, 12.0)  # of one order's messages; 0: all within one booking's steps
STEPS_BETWEEN = 50  # of the loop at most; from its message to its record a booking takes about as many
STORM_SECONDS = 25.0  # faults stop after this, or nothing would ever come to rest for certain
REST_SECONDS = 900.0
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
        if operation.is_write and self.world.storm() and self.world.chance.random() < self.world.weather.refusals:
            raise RefusedError(f"{operation_name(operation)}: refused for no reason", 400, 9999)
        result = super().apply(operation)
        if operation.is_write:
            self.world.watch(operation, result)
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
class Telling:
    """One message of one order, and when it is published."""

    at_seconds: float
    rank: float  # of those at the same moment, the lesser comes first
    steps: int  # of the loop to be let pass before it: where no time passes, these decide what it comes between
    topic: str
    order_id: str
    value: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class _Begun:
    """A write as it was begun, and what was the order's newest revision at that moment."""

    order_id: str
    operation: str
    cancelled: bool
    total: Decimal | None


@dataclass
class World:
    """See the module. ``problems`` are sentences, each naming its order."""

    seed: int
    histories: int = HISTORIES
    copies: int = COPIES
    problems: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.chance = Random(self.seed)
        self.weather = Weather.of(self.chance)
        self.key = self.chance.choice(KEYS)
        self.unique = self.chance.random() < 0.5
        customers = [f"customer{number}@example.org" for number in range(4)]
        self.orders: dict[str, History] = {}
        for number in range(self.histories):
            history = make_history(self.chance, self.key, customers)
            self.orders.update({f"{number}-{copy}": history for copy in range(self.copies)})
        self._begun: dict[UUID, _Begun] = {}

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
        telling = asyncio.create_task(self._tell(self._tellings()))
        try:
            await self._rest(telling)
        finally:
            leave.set()
            await asyncio.gather(*serving, telling)
        self._judge()

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
        )
        await MemorySettingsStore(self.database).apply([connection], [shop], actor="test", dry_run=False)

    def now(self) -> datetime:
        """Tell the virtual time."""
        return START + timedelta(seconds=self._loop.time())

    def storm(self) -> bool:
        """Tell whether things may still go wrong."""
        return self.weather.faults > 0 and self._loop.time() < STORM_SECONDS

    # ---- what is told

    def _tellings(self) -> list[Telling]:
        every = (telling for order_id, history in self.orders.items() for telling in self._of(order_id, history))
        return sorted(every, key=lambda telling: (telling.at_seconds, telling.rank))

    def _of(self, order_id: str, history: History) -> Iterator[Telling]:
        """Give an order's messages, in one of the ways that messages come, some twice."""
        chance = self.chance
        begin, span = chance.uniform(0.0, TELLING_SECONDS), chance.choice(SPANS_SECONDS)
        for rank, saying in zip(self._ranks(history), history.sayings, strict=True):
            value = message(history, saying, "shop", order_id)
            for again in range(chance.choice((1, 1, 1, 2))):
                place = rank + again * chance.random()
                yield Telling(
                    at_seconds=begin + place * span,
                    rank=place,
                    steps=chance.randrange(STEPS_BETWEEN),
                    topic=TOPICS[saying.kind],
                    order_id=order_id,
                    value=value,
                )

    def _ranks(self, history: History) -> list[float]:
        """Deal places between 0 and 1: all by age, by age within each topic, or in any order (a shop that repeats)."""
        ranks = [self.chance.random() for _ in history.sayings]
        match self.chance.choice(("by age", "by topic", "any")):
            case "by age":
                return sorted(ranks)
            case "by topic":
                return _by_topic(ranks, history.sayings)
        return ranks

    async def _tell(self, tellings: Iterable[Telling]) -> None:
        for telling in tellings:
            wait_seconds = telling.at_seconds - self._loop.time()
            if wait_seconds > 0:
                await asyncio.sleep(wait_seconds)
            for _ in range(telling.steps):
                await asyncio.sleep(0)
            key = f"shop/{telling.order_id}".encode()
            self.broker.publish(telling.topic, key=key, value=telling.value)

    # ---- who works

    async def _serve(self, number: int, leave: asyncio.Event) -> None:
        """Run one process after the other: some die, some leave, the last one stays."""
        lives = [self.chance.randint(1, 700) for _ in range(self.weather.deaths)]
        for turn, steps in enumerate(lives):
            await self._run(f"{number}-{turn}", Life(Random(self.chance.random()), steps), leave)
            await asyncio.sleep(self.chance.uniform(0.0, 2.0))
        for turn in range(self.weather.farewells):
            soon = asyncio.Event()
            self._loop.call_later(self.chance.uniform(0.1, TELLING_SECONDS), soon.set)
            await self._run(f"{number}-f{turn}", Life(Random(self.chance.random()), None), soon)
        await self._run(f"{number}-last", Life(Random(self.chance.random()), None), leave)

    async def _run(self, name: str, life: Life, leave: asyncio.Event) -> None:
        process = Process(
            name=name,
            life=life,
            shared=self.database,
            broker=self.broker,
            book=self.book,
            choose_fault=partial(self._fault, life),
            rough=self.storm,
            committed=self.look,
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

    async def _rest(self, telling: "asyncio.Task[None]") -> None:
        for _ in range(2):
            while not (telling.done() and self._is_at_rest()):
                if self._loop.time() > REST_SECONDS:
                    due = [str(key) for key, row in self.database.orders.items() if row.due_at is not None]
                    raise AssertionError(f"seed {self.seed}: no rest within {REST_SECONDS} s; due: {due}")
                await asyncio.sleep(0.25)
            await self._release_refused()

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
        """What the ledger refused for no reason, a person tries again."""
        people = MemoryPeopleStore(self.database)
        await people.release(actor="anna", shop_id="shop", reason=ReasonCode.LEDGER_REFUSED, limit=1000)

    # ---- judging, by the books

    def look(self) -> None:
        """After each transaction: note what was the newest, as taken in, where a write was begun by it."""
        intents = self.database.intents
        if len(intents) == len(self._begun):
            return
        for intent_id in list(intents)[len(self._begun) :]:
            intent = intents[intent_id]
            row = self.database.orders[intent.key]
            self._begun[intent_id] = _Begun(
                order_id=intent.key.order_id,
                operation=intent.operation,
                cancelled=row.cancelled,
                total=row.head.grand_total,
            )

    def watch(self, operation: Operation, result: object) -> None:
        """After each write: an order has one live invoice at most, and none was written by what was older."""
        if not isinstance(result, Invoice):
            return
        order_id = result.reference
        if len(self.book.live_invoices(order_id)) > 1:
            self.problems.append(f"{order_id}: two live invoices at once")
        name = operation_name(operation)
        begun = [one for one in self._begun.values() if (one.order_id, one.operation) == (order_id, name)]
        if not begun or begun[-1].cancelled or begun[-1].total != result.total:
            self.problems.append(f"{order_id}: {name} of {result.total} begun when the newest was {begun[-1:]}")

    def _judge(self) -> None:
        for order_id, history in self.orders.items():
            found = [self._standing(invoice) for invoice in self.book.live_invoices(order_id)]
            wanted = [] if history.wanted is None else [history.wanted]
            if found != wanted:
                self.problems.append(f"{order_id} ({self._place(order_id)}): stands {found}, wanted {wanted}")
        emails = [contact.email for contact in self.book.contacts.values()]
        if len(emails) != len(set(emails)):
            self.problems.append(f"a customer has two contacts: {sorted(emails)}")

    def _place(self, order_id: str) -> str:
        row = self.database.orders.get(OrderKey("shop", order_id))
        if row is None:
            return "unknown"
        return row.state.value if row.reason is None else f"{row.state.value}, {row.reason.code.value}"

    def _standing(self, invoice: Invoice) -> Standing:
        words = invoice.words
        return Standing(
            total=invoice.total,
            tax_by_rate=tuple(sorted((f"{share.rate:f}", share.tax) for share in invoice.tax_by_rate or ())),
            lines=tuple(
                sorted((one.name, int(one.quantity), one.rate, f"{one.tax_rate:f}") for one in invoice.lines or ())
            ),
            email=self.book.contacts[invoice.contact_id].email,
            note="" if words is None else words.notes or "",
            issued_on=invoice.issued_on or START.date(),
        )


def _by_topic(ranks: list[float], sayings: tuple[Saying, ...]) -> list[float]:
    """Deal the places so that what one topic carries comes by age."""
    placed = list(ranks)
    for kind in TOPICS:
        numbers = [number for number, saying in enumerate(sayings) if saying.kind == kind]
        for number, rank in zip(numbers, sorted(ranks[number] for number in numbers), strict=True):
            placed[number] = rank
    return placed
