"""One schedule: the servers, the processes over them, what is told, what goes wrong, and the end at which all rests.

Everything is drawn from the seed. While the storm lasts faults strike; after it they end, the dead are started again,
and the world waits until nothing is left to do. What came of it is for ``judging``.
"""

import asyncio
import contextvars
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

from consumer.adapters.memory.accounts import MemoryAccounts
from consumer.adapters.memory.broker import MemoryBroker
from consumer.adapters.memory.database import MemoryDatabase
from consumer.adapters.memory.ledger_book import LedgerBook, operation_name
from consumer.adapters.memory.people import MemoryPeopleStore
from consumer.domain.ledger import (
    Item,
    LedgerCurrency,
    LedgerFacts,
    LedgerTax,
    Operation,
    Organization,
)
from consumer.domain.settings import ShopSettings
from consumer.domain.states import Priority, ReasonCode
from consumer.lifecycle import ServiceDiedError
from consumer.ports.intake import TopicPartition
from consumer.ports.shop_lists import ListedOrder
from consumer.ports.wakeups import WakeKind
from tests.interleaving.histories import RATES, TOPICS
from tests.interleaving.telling import lot
from tests.simulation.clocks import START
from tests.simulation.commands import FORGIVEN, facts, listed, order_of
from tests.simulation.commands_more import EVERY_COMMAND
from tests.simulation.database import Cells, Link
from tests.simulation.faults import FaultKind, Faults
from tests.simulation.ledger import LedgerServer, LedgerServers
from tests.simulation.loop import Owner, SimulatedLoop
from tests.simulation.mishaps import meddle, mishaps, resume
from tests.simulation.people import Hands, Mended
from tests.simulation.plan import Plan
from tests.simulation.process import Process
from tests.simulation.scenario import (
    BOOKS,
    CLOSED_UNTIL,
    DEADLINE_SECONDS,
    GROUP,
    ORGANIZATIONS,
    OWN_TOPIC,
    PARTITIONS,
    REJECTED,
    SETTLE_SECONDS,
    SETTLE_UNIQUE_SECONDS,
    SHOPS,
    SYNCED,
    Feature,
    Scenario,
)
from tests.simulation.setting_up import CLIENT, set_up
from tests.simulation.sites import Aims, Site, sites_of
from tests.simulation.striking import Striker

PROCESSES = 2
UNCONFIGURED_SHARE = 0.3  # of the times that a ledger is opened, where processes may know no address
REFUSED_SHARE = 0.7
STARTED_SECONDS = 1.0  # by then the services run; before it only the place that is aimed at is deadly
REST_SECONDS = 400.0
REST_WITHOUT_TOKENS_SECONDS = 1000.0  # where tokens end often: an accounts server gives only some in ten minutes
TURNS = 5  # of a command that dies each time
SESSION_SECONDS = 2.0  # after which the broker takes a silent member for dead
RELEASED = (
    ReasonCode.LEDGER_REFUSED,
    ReasonCode.PAYMENTS_IN_THE_WAY,
    ReasonCode.TAX_MISSING,
    ReasonCode.NO_EXACT_LAYOUT,
    ReasonCode.STOPS_THE_PROCESS,
)


class World:
    """See the module. ``problems`` has what went wrong on the way; ``crashed`` where the dying stood, each time."""

    def __init__(self, loop: SimulatedLoop, scenario: Scenario, plan: Plan, aims: Aims | None) -> None:
        self.loop = loop
        self.scenario = scenario
        self.plan = plan
        self.aims = aims
        self.chance = lot(plan.seed)
        self.context = contextvars.copy_context()
        self.faults = Faults()
        self.cells = Cells(scenario.labels)
        self.problems: list[str] = []
        self.crashed: list[frozenset[Site]] = []
        self.processes: dict[Owner, Process] = {}
        self.asked: list[tuple[str, str, str]] = []
        self.shops: list[ShopSettings] = []
        self.guests: set[str] = set()  # the contacts of those who leave no address, which nobody deletes
        self._rest_seconds = REST_WITHOUT_TOKENS_SECONDS if plan.luck.resumes else REST_SECONDS
        self._leave = asyncio.Event()
        self.left_at: datetime | None = None  # when all had come to rest and the processes were asked to leave
        self._number = 0
        self._make_servers()
        self.striker = Striker(self)
        self.hands = Hands(self)
        loop.after_step = self._after_step

    # ---- servers

    def _make_servers(self) -> None:
        self.database = MemoryDatabase(clock=self.now)
        self.broker = MemoryBroker(time_ms=int(START.timestamp() * 1000))
        self.topics = [*TOPICS.values(), OWN_TOPIC]
        for topic in (*TOPICS.values(), SYNCED, REJECTED):
            self.broker.create_topic(topic, PARTITIONS)
        if Feature.LATE_TOPIC not in self.scenario.features:
            self.broker.create_topic(OWN_TOPIC, PARTITIONS)
        self.accounts = MemoryAccounts(client=CLIENT, refresh_tokens={f"refresh-{name}" for name in BOOKS})
        self.servers = {ORGANIZATIONS[name]: self._server(name) for name in BOOKS}
        self.ledgers = LedgerServers(self.servers)

    def _server(self, name: str) -> LedgerServer:
        unique = self.scenario.unique[name]
        book = LedgerBook(
            organization=Organization(
                organization_id=ORGANIZATIONS[name], name=name, currency="EUR", time_zone="Europe/Rome"
            ),
            taxes=tuple(LedgerTax(tax_id=f"t{rate}", name=f"VAT {rate}", rate=Decimal(rate)) for rate in RATES),
            currencies=(LedgerCurrency(currency_id="1", code="EUR", digits=2, is_base=True),),
            items=(Item(item_id="item-1", name="Mug", sku="MUG"),),
            rounding=self.scenario.rounding,
            unique_field=unique,
            page_size=3,
            now=self.now,
        )
        if Feature.CLOSED in self.scenario.features:
            book.credits.closed_until = CLOSED_UNTIL
        return LedgerServer(
            loop=self.loop,
            book=book,
            chance=self.chance,
            choose=self._choose_for_call,
            tokens=set(),
            deadline_seconds=DEADLINE_SECONDS,
            settle_seconds=SETTLE_UNIQUE_SECONDS if unique else SETTLE_SECONDS,
            luck=self.plan.luck,
            meddle=partial(meddle, self),
        )

    def now(self) -> datetime:
        """Tell the servers' time, which nothing changes."""
        return START + timedelta(seconds=self.loop.time())

    def storm(self) -> bool:
        """Tell whether faults may strike."""
        return self.loop.time() < self.plan.luck.storm_seconds

    def is_unconfigured(self) -> bool:
        """Tell whether the process that asks knows no address of the ledger."""
        return self.plan.luck.unconfigured and self.storm() and self.chance.random() < UNCONFIGURED_SHARE

    def refused_topic(self) -> str | None:
        """Name the topic whose messages the broker refuses just now."""
        refused = self.plan.luck.messages_refused and self.storm() and self.chance.random() < REFUSED_SHARE
        return REJECTED if refused else None

    def issue_token(self, refresh_token: str, access_token: str) -> None:
        """Let a renewed token be good at its organisation."""
        self.servers[ORGANIZATIONS[refresh_token.removeprefix("refresh-")]].tokens.add(access_token)

    def _choose_for_call(self, operation: Operation, kinds: tuple[FaultKind, ...]) -> FaultKind | None:
        # A lane that cannot read what it needs for itself rests for long: mostly it is an order's call that fails.
        own = not operation.is_write and operation_name(operation).startswith(("list", "read_organization"))
        if own and self.chance.random() >= self.plan.luck.own_share:
            return None
        return self._choose(kinds, self.plan.call_faults)

    def choose(self, kinds: tuple[FaultKind, ...]) -> FaultKind | None:
        """Say what goes wrong with a transaction or a message."""
        return self._choose(kinds, self.plan.other_faults)

    def _choose(self, kinds: tuple[FaultKind, ...], share: float) -> FaultKind | None:
        if not self.storm():
            return None
        armed = self.faults.take(kinds, self.loop.time())
        if armed is not None or self.chance.random() >= share:
            return armed
        kind = self.chance.choice(kinds)
        self.faults.note(kind, self.loop.time())
        return kind

    # ---- what the processes tell and ask

    def tell_others(self, process: Process, connections: Iterable[str]) -> None:
        """Pass a wake-up on: to the process itself at once, to the others soon, and sometimes never."""
        named = sorted(connections)
        process.signals.wake(WakeKind.LANES, named)
        for other in self.living():
            if other is not process and self.chance.random() >= self.plan.hints_lost:
                self.loop.soon(other.owner, other.signals.wake, WakeKind.LANES, named)

    def tell_relays(self) -> None:
        """Tell the relays that there is something to send; a hint, which may be lost."""
        for process in self.living():
            if process.relay is not None and self.chance.random() >= self.plan.hints_lost:
                self.loop.soon(process.owner, process.relay.wake.set)

    def asked_of(self, shop_id: str, order_id: str, what: str) -> None:
        """Note that a person has asked something of an order: its end is that person's matter then."""
        self.asked.append((shop_id, order_id, what))

    def unpublished(self, shop_id: str) -> list[ListedOrder]:
        """Give what a shop's own list has beside what it published."""
        values = [order.tellings[0].value for order in self.plan.unpublished if order.shop_id == shop_id]
        return [listed(order_of(value), value) for value in values]

    def mended(self, reading: Any) -> Any:
        """Give the reader as it is after what made messages unreadable was mended."""
        return Mended(reading, self.scenario, bad_again=self.plan.luck.bad_again)

    def facts_of(self, connection_id: str) -> LedgerFacts:
        """Give the facts of a connection's books."""
        return facts(self.servers[ORGANIZATIONS[connection_id]].book)

    def living(self) -> Sequence[Process]:
        """Give the processes that are not dead."""
        return [one for one in self.processes.values() if not one.owner.dead and not one.over.is_set()]

    def serving(self) -> Sequence[Process]:
        """Give the living processes that run the services."""
        return [one for one in self.living() if one.relay is not None]

    # ---- dying

    def _after_step(self, owner: Owner, task: Any) -> None:
        if self.aims is not None and self.storm() and self.aims.hit(task, others=self.loop.time() > STARTED_SECONDS):
            self.kill(self.processes[owner])

    def kill(self, process: Process) -> None:
        """Kill -9: note where its tasks stand, and let the servers find out in their own time."""
        self.crashed.append(sites_of(process.owner))
        self.faults.note(FaultKind.CRASH, self.loop.time())
        self.loop.kill(process.owner)
        process.over.set()
        if process.source is not None:
            self.loop.outside(self.chance.uniform(0.0, SESSION_SECONDS), self.forget_member, process)

    def forget_member(self, process: Process) -> None:
        """The broker has heard nothing of a member for too long."""
        source = process.source
        if source is None or not source.joined or not (process.owner.dead or process.owner.paused):
            return
        source.take_for_dead()
        self.loop.start_outside(self.broker.rebalance(GROUP))

    # ---- from beginning to end

    async def live(self) -> None:
        """Play it all. Raises AssertionError where the world finds no rest."""
        await set_up(self)
        serving = [asyncio.create_task(self._keep(number)) for number in range(PROCESSES)]
        others = [
            asyncio.create_task(work)
            for work in (
                self._tell(),
                self.striker.strike_all(),
                self.striker.stop_some(),
                self.hands.work(),
                *self._commands(),
                *mishaps(self),
            )
        ]
        await self._until_rest(others)
        await self._release()
        await self._until_rest(others)
        self._leave.set()
        if self.plan.farewell:
            self.left_at = self.now()
            await asyncio.wait(serving)

    async def _tell(self) -> None:
        skipped = {order.order_id for order in self.plan.unpublished}
        for telling in self.scenario.tellings:
            if telling.key.partition(b"/")[2].decode() in skipped:
                continue
            wait_seconds = telling.at_seconds - self.loop.time()
            if wait_seconds > 0:
                await asyncio.sleep(wait_seconds)
            if self.broker.missing({telling.topic}):
                self.broker.create_topic(telling.topic, PARTITIONS)
                await self.broker.rebalance_all()
            self.broker.publish(telling.topic, key=telling.key, value=telling.value)

    # ---- who works

    def make_process(self, name: str) -> Process:
        """Make a process with its own link, clock and lot."""
        link = Link(lot(self.chance.random()), self.choose, lambda: None)
        link.away = self.striker.database_is_away
        link.slow_seconds = self.plan.luck.slow_database_seconds if self.storm() else 0.0
        process = Process(name=name, world=self, link=link)
        self.processes[process.owner] = process
        return process

    async def _keep(self, number: int) -> None:
        """Run one process after the other; the last one is asked to leave, or left standing."""
        leave = asyncio.create_task(self._leave.wait())
        while not self._leave.is_set():
            self._number += 1
            process = self.make_process(f"p{number}.{self._number}")
            process.start(process.serve)
            over = asyncio.create_task(process.over.wait())
            await asyncio.wait({leave, over}, return_when=asyncio.FIRST_COMPLETED)
            if self._leave.is_set():
                process.stop.set()
                await over
            self._look_at_end(process)
            if not self._leave.is_set():
                await asyncio.sleep(self.chance.uniform(0.0, 0.5))

    def _look_at_end(self, process: Process) -> None:
        if process.failure is not None and not process.owner.dead:
            cause = process.failure.__cause__ if isinstance(process.failure, ServiceDiedError) else None
            self.problems.append(f"{process.name} ended by itself: {process.failure!r} of {cause!r}")

    def _commands(self) -> list[Any]:
        return [self._command(at_seconds, name) for at_seconds, name in self.plan.commands]

    async def _command(self, at_seconds: float, name: str) -> None:
        """Run a command; where it dies it is run again, as people do."""
        await asyncio.sleep(at_seconds)
        for turn in range(TURNS):
            process = self.make_process(f"{name}.{turn}@{at_seconds:.1f}")
            chance = lot(self.chance.random())
            process.start(partial(EVERY_COMMAND[name], process, self.scenario, chance))
            await process.over.wait()
            if not process.owner.dead:
                if process.failure is not None and not isinstance(process.failure, FORGIVEN):
                    self.problems.append(f"command {name} ended by itself: {process.failure!r}")
                return
            await asyncio.sleep(0.3)

    # ---- the end

    async def _until_rest(self, others: Sequence["asyncio.Task[Any]"]) -> None:
        while not (all(other.done() for other in others) and self._is_at_rest()):
            if self.loop.time() > self._rest_seconds:
                raise AssertionError(f"no rest within {self._rest_seconds} s: {self._restless()}")
            await asyncio.sleep(0.5)
            await resume(self)
        for other in others:
            other.result()

    def _restless(self) -> str:
        due = [(str(key), row.state.value) for key, row in self.database.orders.items() if row.due_at is not None]
        waiting = [entry.id for entry in self.database.outbox.values() if entry.state == "waiting"]
        return f"due {due}, outbox {waiting}, positions {self._behind()}, living {[p.name for p in self.living()]}"

    def _behind(self) -> list[TopicPartition]:
        places = sorted(self.broker.places(self.topics))
        positions, behind = self.database.positions, []
        for place in places:
            end = self.broker.bounds_of(place).end
            if end and (place not in positions or positions[place].next_offset < end):
                behind.append(place)
        return behind

    def _is_at_rest(self) -> bool:
        if self.storm() or any(server.under_way for server in self.servers.values()) or self._behind():
            return False
        # A process that stands still may wake up with a late answer, which makes its order due again.
        if any(process.owner.paused for process in self.living()):
            return False
        waiting = any(entry.state == "waiting" for entry in self.database.outbox.values())
        return not waiting and all(row.due_at is None for row in self.database.orders.values())

    async def _release(self) -> None:
        """What was refused for no reason, or lacked something that is there now, is tried once more by a person."""
        people = MemoryPeopleStore(self.database)
        for shop_id in SHOPS:
            for reason in (*RELEASED, *((ReasonCode.DIFFERENCE,) if self.plan.luck.wrong_rates else ())):
                await people.release(actor="anna", shop_id=shop_id, reason=reason, priority=Priority.PERSON, limit=1000)
        for process in self.living():
            self.loop.soon(process.owner, process.signals.wake, WakeKind.LANES, list(BOOKS))
