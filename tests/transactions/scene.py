"""The scene that every pair of methods begins in: a little of everything, so that any two methods meet over something.

Made by the product itself and moved into the past; only what must be so or so for a scenario is set by hand. Moments
that have to lie ahead lie a day ahead, so that nothing runs out while orders are played.
"""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from consumer.adapters.postgres.bookings import PostgresBookingStore
from consumer.adapters.postgres.calls import PostgresCallStore
from consumer.adapters.postgres.contacts import PostgresContactStore
from consumer.adapters.postgres.figures import PostgresFiguresStore
from consumer.adapters.postgres.health import PostgresHealthStore
from consumer.adapters.postgres.intake import PostgresIntakeStore, PostgresOrderReader
from consumer.adapters.postgres.keys import PostgresSealedStore
from consumer.adapters.postgres.lanes import PostgresLaneStore
from consumer.adapters.postgres.outbox import PostgresOutboxStore
from consumer.adapters.postgres.people import PostgresPeopleStore
from consumer.adapters.postgres.pool import Database
from consumer.adapters.postgres.privacy import PostgresPrivacyStore
from consumer.adapters.postgres.reconcile import PostgresReconcileStore
from consumer.adapters.postgres.rejected import PostgresRejectedStore
from consumer.adapters.postgres.replay import PostgresReplayStore
from consumer.adapters.postgres.retention import PostgresRetentionStore
from consumer.adapters.postgres.settings import PostgresSettingsStore
from consumer.adapters.postgres.tokens import PostgresTokenStore
from consumer.adapters.postgres.watch import PostgresWatchStore
from consumer.domain.events import Rejected
from consumer.domain.ledger import Contact, ContactData, Invoice, InvoiceStatus
from consumer.domain.orders import Address, OrderKey
from consumer.domain.reconciling.books import of_invoice
from consumer.domain.reconciling.findings import Period
from consumer.domain.records import ContactKnown
from consumer.domain.settings import ConnectionSettings, LedgerLimits, ShopSettings
from consumer.ports.intake import Lease, TopicPartition
from consumer.ports.lanes import Begun, LaneLease, NewIntent
from consumer.ports.reconcile import Run
from tests.conformance.intake.making import PAID, UPDATED, connection, shop, taken, unreadable
from tests.conformance.lanes.scenes import booked, intent, invoice, request

BOOKS, SPARE = "books", "spare"
INSTALLATION = "test"
NEW_KEY = b"new:"  # what secrets begin with that were sealed again
LIMITS = LedgerLimits(calls_per_window=10, window_seconds=600.0, people_calls=1, calls_at_once=6, daily_calls=1000)
LEASE = LaneLease(connection_id=BOOKS, owner="one", epoch=1)
RELAY = Lease(name="relay", owner="one", epoch=1)
REPLAY = Lease(name="replay", owner="one", epoch=1)
PERIOD = Period(from_day=date(2026, 3, 1), to_day=date(2026, 3, 31))
RUN = Run(run_id=1, connection_id=BOOKS, period=PERIOD)
OPEN_INTENT = UUID(int=1)
OPEN_SLOT = 2
WROTE = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
ORDERS = ("due1", "due2", "open", "booked", "parked", "taxed", "closed", "held", "forgotten")
JANE = Contact(
    contact_id="c-1",
    name="Jane Roe",
    email="jane@shop.test",
    modified_at=WROTE,
    data=ContactData(name="Jane Roe", email="jane@shop.test", billing=Address(street="Main 1", country="ES")),
)
DEFAULT = Contact(contact_id="c-9", name="Default", modified_at=WROTE)


class OpenlySealed:
    """Seals in the same way at every run, so that what is stored can be compared; a Keyring draws numbers."""

    def seal(self, plain: str, *, bound_to: str) -> bytes:
        """See Sealer."""
        return f"{bound_to}:{plain}".encode()

    def open(self, sealed: bytes, *, bound_to: str) -> str:
        """See Sealer."""
        return sealed.removeprefix(NEW_KEY).decode().removeprefix(f"{bound_to}:")


def order(order_id: str, shop_id: str = "north") -> OrderKey:
    """Name an order of the scene."""
    return OrderKey(shop_id, order_id)


def listed(ledger_id: str = "46booked", **fields: Any) -> Invoice:
    """Make an invoice as a list tells it."""
    given: dict[str, Any] = {
        "invoice_id": ledger_id,
        "number": "INV-1",
        "status": InvoiceStatus.DRAFT,
        "reference": "booked",
        "contact_id": "c-1",
        "total": Decimal("12.30"),
        "currency": "EUR",
        "modified_at": WROTE + timedelta(hours=1),
    }
    return Invoice(**{**given, **fields})


def render(rejected: Rejected, event_id: UUID, at: datetime) -> bytes:
    """Make a message that is the same at every run."""
    del event_id, at
    return rejected.reason.encode()


def connections(**limits: Any) -> list[ConnectionSettings]:
    """Give the settings of both connections."""
    return [connection(name, limits=replace(LIMITS, **limits)) for name in (BOOKS, SPARE)]


def shops(**fields: Any) -> list[ShopSettings]:
    """Give the settings of both shops; ``fields`` of the first one."""
    return [shop("north", BOOKS, **fields), shop("south", SPARE)]


@dataclass(frozen=True, slots=True)
class Stores:
    """Every store of the port over one database, as one process has them."""

    bookings: PostgresBookingStore
    calls: PostgresCallStore
    contacts: PostgresContactStore
    figures: PostgresFiguresStore
    health: PostgresHealthStore
    intake: PostgresIntakeStore
    orders: PostgresOrderReader
    lanes: PostgresLaneStore
    outbox: PostgresOutboxStore
    people: PostgresPeopleStore
    privacy: PostgresPrivacyStore
    reconcile: PostgresReconcileStore
    rejected: PostgresRejectedStore
    replay: PostgresReplayStore
    retention: PostgresRetentionStore
    sealed: PostgresSealedStore
    settings: PostgresSettingsStore
    tokens: PostgresTokenStore
    watch: PostgresWatchStore


def stores_over(database: Database) -> Stores:
    """Make the stores of one process."""
    return Stores(
        bookings=PostgresBookingStore(database),
        calls=PostgresCallStore(database),
        contacts=PostgresContactStore(database),
        figures=PostgresFiguresStore(database),
        health=PostgresHealthStore(database),
        intake=PostgresIntakeStore(database, render_rejected=render),
        orders=PostgresOrderReader(database),
        lanes=PostgresLaneStore(database),
        outbox=PostgresOutboxStore(database),
        people=PostgresPeopleStore(database),
        privacy=PostgresPrivacyStore(database),
        reconcile=PostgresReconcileStore(database),
        rejected=PostgresRejectedStore(database),
        replay=PostgresReplayStore(database),
        retention=PostgresRetentionStore(database),
        sealed=PostgresSealedStore(database),
        settings=PostgresSettingsStore(database),
        tokens=PostgresTokenStore(database, keyring=OpenlySealed()),
        watch=PostgresWatchStore(database),
    )


async def set_the_scene(database: Database) -> None:
    """Fill an empty database of our schema."""
    stores = stores_over(database)
    await stores.lanes.check_in(INSTALLATION)
    await stores.settings.apply(connections(), shops(), actor="test", dry_run=False)
    await _take_in(stores)
    (leased,) = await stores.lanes.lease_due("one", 60.0, 1)
    if leased.connection_id != BOOKS:
        raise AssertionError(f"the first lane that is due is {leased.connection_id}")
    await _write(stores, leased)
    await _know_of_the_ledger(stores)
    await stores.outbox.lease("one", 60.0)
    await stores.replay.lease("one", 60.0)
    async with database.connection() as own:
        # Rules that forbid a change of the past sleep meanwhile: the audit log only grows otherwise.
        await own.execute("SET session_replication_role = replica")
        await own.execute(_INTO_THE_PAST)
        await own.execute(_BY_HAND)


async def _take_in(stores: Stores) -> None:
    await stores.intake.record([taken(order(name), place) for place, name in enumerate(ORDERS)])
    await stores.intake.record([unreadable(len(ORDERS) + more) for more in range(2)])
    # Far in the past, so that its lane is due after the other one.
    await stores.intake.record([taken(order("s1", "south"), 0, place=TopicPartition("order.paid", 1))])
    await stores.intake.record([taken(order("unpaid"), 0, place=UPDATED)])


async def _write(stores: Stores, leased: LaneLease) -> None:
    await stores.lanes.claim(leased, len(ORDERS), [])
    begun = await begin(stores, leased, intent(order("booked")))
    document = invoice(ledger_id="46booked", reference="booked", ledger_modified_at=WROTE, unique_key="north/booked")
    known = ContactKnown(contact=JANE, customer_key="id:7")
    outcome = booked(order("booked"), *begun, document=document, contact=known, reference="booked")
    await stores.bookings.record(outcome)
    begun = await begin(stores, leased, intent(order("open"), intent_id=OPEN_INTENT))
    if begun[1] != OPEN_SLOT:
        raise AssertionError(f"the open write has slot {begun[1]}")
    await begin(stores, leased, intent(order("forgotten"), intent_id=UUID(int=2)))


async def begin(stores: Stores, leased: LaneLease, wanted: NewIntent) -> tuple[UUID, int]:
    """Begin a write; gives its intent and its slot."""
    begun = await stores.bookings.begin(leased, wanted, request())
    match begun:
        case Begun(slot=slot):
            return wanted.intent_id, slot.n
        case _:
            raise AssertionError(f"the write did not begin: {begun}")


async def _know_of_the_ledger(stores: Stores) -> None:
    await stores.tokens.save_grant(
        BOOKS,
        client_id="client",
        client_secret="secret",
        refresh_token="refresh",
        access_token="access",
        expires_in_seconds=3600.0,
        actor="test",
    )
    await stores.contacts.save_page(BOOKS, [DEFAULT], page=1, complete=True, refresh=False)
    await stores.lanes.save_seen(BOOKS, [listed()])
    await stores.watch.put_off(BOOKS, [listed()])
    await stores.intake.note_committed_ahead([PAID])
    run = await stores.reconcile.begin(BOOKS, PERIOD, resume=False)
    await stores.reconcile.save_page(run, [of_invoice(listed())], page=1, more=True)


_INTO_THE_PAST = """
DO $$
DECLARE place record;
BEGIN
    FOR place IN
        SELECT c.relname AS name, a.attname AS field
        FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
          AND a.atttypid = 'timestamptz'::regtype AND a.attnum > 0 AND NOT a.attisdropped
          AND NOT EXISTS (SELECT FROM pg_partitioned_table p WHERE p.partrelid = c.oid)
    LOOP
        EXECUTE format('UPDATE %I SET %I = %I - interval ''2 hours'' WHERE %I > clock_timestamp() - interval ''1 day''',
                       place.name, place.field, place.field, place.field);
    END LOOP;
END
$$
"""
# Each due order at a moment of its own: among equals a claim may take any.
_BY_HAND = f"""
UPDATE orders o
SET due_at = NULL, takes = 0, state = n.state, reason_code = n.reason, group_key = n.group_key, wish = n.wish,
    reason_message = 'No.', reason_fix = 'Do.'
FROM (VALUES
    ('parked', 'parked', 'default_customer_missing', 'default_customer_missing:north:c-9', 'auto'),
    ('taxed', 'parked', 'tax_missing', 'tax_missing:22', 'auto'),
    ('closed', 'parked', 'period_closed', 'period_closed', 'auto'),
    ('held', 'waiting', 'held', NULL, 'hold')
) AS n (order_id, state, reason, group_key, wish)
WHERE o.order_id = n.order_id;
UPDATE orders SET state = 'uncertain', due_at = NULL, takes = 0 WHERE order_id = 'forgotten';
UPDATE orders o
SET takes = 0, due_at = o.due_at + make_interval(secs => n.place)
FROM unnest('{{due1,due2,open}}'::text[]) WITH ORDINALITY AS n (order_id, place)
WHERE o.order_id = n.order_id;
UPDATE lanes
SET lease_until = clock_timestamp() + interval '1 day', watch_due = clock_timestamp() + interval '1 day',
    sweep_began_at = clock_timestamp()
WHERE connection_id = 'books';
UPDATE lanes SET owner = 'dead', epoch = 1, lease_until = clock_timestamp() - interval '2 hours'
WHERE connection_id = 'spare';
UPDATE intents SET deadline_at = clock_timestamp() + interval '1 day', settled_at = clock_timestamp() + interval '1 day'
WHERE resolution IS NULL AND order_id = 'open';
UPDATE slots SET open_until = clock_timestamp() + interval '1 day', free_at = clock_timestamp() + interval '1 day'
WHERE call = {OPEN_SLOT};
UPDATE leases SET lease_until = clock_timestamp() + interval '1 day';
UPDATE tokens SET access_expires_at = clock_timestamp() + interval '1 day', renewals = '{{}}';
INSERT INTO gaps (topic, partition, log, from_offset, to_offset, cause)
VALUES ('order.paid', 0, 1, 0, 1, 'moved_by_hand');
INSERT INTO replay_progress (topic, partition, log, next_offset) VALUES ('order.paid', 0, 1, 0);
INSERT INTO completeness (shop_id, source, day, currency, told_count, told_sum)
VALUES ('north', 'topic', '2026-03-02', 'EUR', 1, 12.30);
INSERT INTO completeness_missing (shop_id, order_id, source, day, currency, amount)
VALUES ('north', 'due1', 'topic', '2026-03-02', 'EUR', 12.30);
"""
