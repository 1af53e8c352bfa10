"""One process of Booked: every shipped service over the simulated adapters, put together as ``booked run`` does."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Any

from consumer.adapters.memory.bookings import MemoryBookingStore
from consumer.adapters.memory.calls import MemoryCallStore
from consumer.adapters.memory.contacts import MemoryContactStore
from consumer.adapters.memory.figures import MemoryFiguresStore
from consumer.adapters.memory.intake import MemoryOrderReader
from consumer.adapters.memory.lanes import MemoryLaneStore
from consumer.adapters.memory.outbox import MemoryOutboxStore
from consumer.adapters.memory.rejected import MemoryRejectedStore
from consumer.adapters.memory.replay import MemoryReplayStore
from consumer.adapters.memory.settings import MemorySettingsStore
from consumer.adapters.memory.tokens import MemoryTokenStore
from consumer.adapters.memory.watch import MemoryWatchStore
from consumer.domain.events import EventKind
from consumer.domain.settings import ConnectionSettings, ShopSettings
from consumer.errors import ConfigurationError, LedgerUnavailableError
from consumer.lifecycle import Service, run_services
from consumer.ports.intake import Recorded
from consumer.ports.ledger import Accounts, ClientCredentials, Ledger, Renewed
from consumer.ports.wakeups import Signals, WakeKind
from consumer.secrets import Keyring
from consumer.services.access import TokenKeeper
from consumer.services.announcing import Announcer, rejection_renderer
from consumer.services.figures import FiguresReader
from consumer.services.groups_retrying import ClosedPeriods
from consumer.services.intake import Intake, IntakeLimits
from consumer.services.lane_tools import LaneTools
from consumer.services.record_reading import RecordReading, kinds_of, reading_of
from consumer.services.relay import Relay, RelayLimits
from consumer.services.sync import Sync, SyncParts
from consumer.services.watchdog import LoopWatch, PeerWatch
from consumer.sources.own import to_order
from consumer.sources.reading import ShopReader
from consumer.sources.translators import TRANSLATORS
from tests.interleaving.histories import TOPICS
from tests.simulation.broker import SimulatedSink, SimulatedSource
from tests.simulation.clocks import Clock
from tests.simulation.database import Link, LinkedDatabase, NotedIntakeStore, NotedPeopleStore
from tests.simulation.ledger import LedgerServers
from tests.simulation.loop import Owner
from tests.simulation.scenario import GROUP, LEASE_SECONDS, REJECTED, SYNCED

INSTALLATION = "main"
OLD_KEY = {"old": b"o" * 32}
KEYS = {"new": b"n" * 32, **OLD_KEY}  # the first one writes; the tokens were sealed with the old one
_KINDS = kinds_of(tuple(TOPICS.values()))


class DistantAccounts:
    """The accounts server over a network: a renewal goes on without whoever asked for it."""

    def __init__(self, accounts: Accounts, world: Any) -> None:
        self._accounts = accounts
        self._world = world

    async def refresh(self, data_center: str, client: ClientCredentials, refresh_token: str) -> Renewed:
        """Renew; the old token stays good at the ledger until it ends."""
        renewed: Renewed = await asyncio.shield(
            self._world.loop.start_outside(self._refresh(data_center, client, refresh_token))
        )
        return renewed

    async def _refresh(self, data_center: str, client: ClientCredentials, refresh_token: str) -> Renewed:
        await asyncio.sleep(self._world.plan.luck.renewal_seconds)
        if self._world.storm() and self._world.chance.random() < self._world.plan.renewals_fail:
            raise LedgerUnavailableError("the accounts server does not answer")
        renewed = await self._accounts.refresh(data_center, client, refresh_token)
        self._world.issue_token(refresh_token, renewed.access_token)
        await asyncio.sleep(self._world.plan.luck.renewal_seconds)
        life_seconds = self._world.plan.luck.token_life_seconds if self._world.storm() else renewed.expires_in_seconds
        return replace(renewed, expires_in_seconds=life_seconds)


@dataclass(kw_only=True)
class Stores:
    """The stores of one process, over its own link to the database."""

    database: LinkedDatabase
    cells: Any

    def __post_init__(self) -> None:
        database = self.database
        self.intake = NotedIntakeStore(database, render_rejected=rejection_renderer(INSTALLATION))
        self.intake.cells = self.cells
        self.people = NotedPeopleStore(database)
        self.people.cells = self.cells
        self.lanes = MemoryLaneStore(database)
        self.bookings = MemoryBookingStore(database)
        self.calls = MemoryCallStore(database)
        self.contacts = MemoryContactStore(database)
        self.watch = MemoryWatchStore(database)
        self.outbox = MemoryOutboxStore(database)
        self.figures = MemoryFiguresStore(database)
        self.rejected = MemoryRejectedStore(database)
        self.replay = MemoryReplayStore(database)
        self.settings = MemorySettingsStore(database)
        self.orders = MemoryOrderReader(database)
        self.tokens = MemoryTokenStore(database, keyring=Keyring(KEYS))

    async def reading(self) -> RecordReading:
        """Make the intake's reader with the shops as they are now."""
        return reading_of(await self.settings.shops(), shared_topics=shared_topics())


def shared_topics() -> tuple[str, ...]:
    """Name the installation's own topics."""
    return (*TOPICS.values(), SYNCED, REJECTED)


def read_order(record: Any, shop: ShopSettings) -> Any:
    """Read a stored order, as the lanes do."""
    return to_order(record.content or b"", shop.time_zone, record.kept_refunds)


@dataclass(kw_only=True)
class Process:
    """One process, from its start to its end; ``world`` has the servers that all processes share."""

    name: str
    world: Any
    link: Link
    over: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.owner = Owner(self.name)
        self.clock = Clock(self.world.loop, self.owner)
        self.stores = Stores(database=LinkedDatabase(self.world.database, self.link), cells=self.world.cells)
        self.signals = Signals()
        self.stop = asyncio.Event()
        self.failure: BaseException | None = None
        self.source: SimulatedSource | None = None
        self.relay: Relay | None = None

    def start(self, work: Callable[[], Awaitable[None]]) -> None:
        """Begin to live; ``over`` is set at the end, however it comes."""
        task = self.world.loop.start(self.owner, self._live(work), self.name)
        task.add_done_callback(lambda _: self.over.set(), context=self.world.context)

    async def _live(self, work: Callable[[], Awaitable[None]]) -> None:
        try:
            await work()
        except Exception as error:  # noqa: BLE001 the edge of a process: the world looks at what it ended by
            self.failure = error

    async def serve(self) -> None:
        """Run all services until asked to stop, as ``booked run`` does."""
        stop_seconds = self.world.plan.luck.stop_seconds
        await run_services(await self._services(), self.stop, deadline_seconds=stop_seconds)

    async def _services(self) -> list[Service]:
        reading = reading_of(self.world.shops, shared_topics=shared_topics())
        self.source = SimulatedSource(
            loop=self.world.loop, owner=self.owner, broker=self.world.broker, topics=list(TOPICS.values()), group=GROUP
        )
        self.relay = self._relay()
        return [
            FiguresReader(self.stores.figures, lambda _: None),
            self._intake(reading),
            self._sync(),
            ClosedPeriods(self.stores.people, every_seconds=3.0),
            self.relay,
            *(self._watchdogs() if self.world.plan.watchdogs else ()),
        ]

    def _watchdogs(self) -> list[Service]:
        return [LoopWatch(clock=self.clock.steady), PeerWatch("database", self._ask_database, clock=self.clock.steady)]

    async def _ask_database(self) -> None:
        async with self.stores.database.transaction():
            pass

    def _intake(self, reading: RecordReading) -> Intake:
        chance = self.link.chance
        kinds: dict[str, EventKind | None] = dict(_KINDS)
        return Intake(
            source=self.source_of(),
            store=self.stores.intake,
            kinds=kinds,
            read=ShopReader(directory=lambda: reading.directory, translators=TRANSLATORS).read,
            zone_of=reading.directory.zone_of,
            on_recorded=self._recorded,
            after=self._settings_known(),
            limits=IntakeLimits(
                bytes_max=chance.choice((2000, 4 * 1024 * 1024)),
                records_max=1000 if self.world.plan.luck.flood else chance.choice((1, 2, 3, 8, 1000)),
                wait_seconds=2.0,
                hold_seconds=chance.choice((0.05, 2.0)),
                commit_every_seconds=chance.choice((0.5, 2.0)),
                revoke_seconds=2.0,
                source_stop_seconds=1.0,
                topics_every_seconds=2.0,
            ),
            shop_topics=lambda: reading.directory.topics,
        )

    def _settings_known(self) -> asyncio.Event:
        known = asyncio.Event()
        asyncio.get_running_loop().call_later(self.link.chance.choice((0.0, 0.3)), known.set)
        return known

    def source_of(self) -> SimulatedSource:
        """Give the process's member of the group."""
        assert self.source is not None
        return self.source

    def _recorded(self, recorded: Recorded) -> None:
        if recorded.woken:
            self.signals.wake(WakeKind.LANES, recorded.woken)
            self.world.tell_others(self, recorded.woken)
        if recorded.outbox_rows:
            self.world.tell_relays()

    def tools(self) -> LaneTools:
        """Make what the lanes work with."""
        return LaneTools(
            lanes=self.stores.lanes,
            bookings=self.stores.bookings,
            calls=self.stores.calls,
            contacts=self.stores.contacts,
            read_order=read_order,
            announce_for=lambda view: Announcer(view.connection, INSTALLATION),
            open_ledger=self.open_ledger,
            steady=self.clock.steady,
            jitter=self.link.chance.random,
            wait_for_wake=self._wait_for_wake,
            on_booking=lambda _result, _calls: self.world.tell_relays(),
            watch=self.stores.watch,
            idle_seconds=1.5,
            lease_seconds=LEASE_SECONDS,
        )

    def _sync(self) -> Sync:
        return Sync(
            SyncParts(
                lanes=self.stores.lanes,
                tools=self.tools(),
                installation=INSTALLATION,
                owner=self.name,
                wait_for_work=self._wait_for_work,
            )
        )

    def _relay(self) -> Relay:
        sink = SimulatedSink(
            loop=self.world.loop,
            broker=self.world.broker,
            chance=self.link.chance,
            choose=self.link.choose,
            refuses=self.world.refused_topic,
        )
        limits = RelayLimits(
            rows_max=self.link.chance.choice((1, 3, 1000)),
            lease_seconds=LEASE_SECONDS,
            renew_seconds=LEASE_SECONDS / 3,
            candidate_seconds=LEASE_SECONDS / 3,
        )
        topics = {SYNCED: SYNCED, REJECTED: REJECTED}
        return Relay(store=self.stores.outbox, sink=sink, topics=topics, owner=self.name, limits=limits)

    def open_ledger(self, connection: ConnectionSettings, slot_for_repeat: Callable[[], Awaitable[None]]) -> Ledger:
        """Open a connection's ledger with the stored token."""
        keeper = TokenKeeper(
            connection_id=connection.connection_id,
            data_center=connection.data_center,
            tokens=self.stores.tokens,
            accounts=DistantAccounts(self.world.accounts, self.world),  # type: ignore[arg-type] # the lanes only refresh
            clock=self.clock.steady,
            slot_for_repeat=slot_for_repeat,
            renewal_seconds=1.0,
        )
        if self.world.is_unconfigured():
            raise ConfigurationError("data_center", "no address is known of it")
        ledgers: LedgerServers = self.world.ledgers
        return ledgers.open(connection, keeper, self.clock)

    async def _wait_for_wake(self, connection_id: str, seconds: float) -> None:
        await self.signals.wait(WakeKind.LANES, seconds, of=connection_id)

    async def _wait_for_work(self, seconds: float) -> None:
        await self.signals.wait(WakeKind.LANES, seconds)
