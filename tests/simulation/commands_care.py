"""What people run for the books, for privacy and for the keys: each in a process of its own, which may die as well."""

from datetime import UTC, date, datetime
from random import Random

from consumer.adapters.memory.keys import MemorySealedStore
from consumer.adapters.memory.privacy import MemoryPrivacyStore
from consumer.adapters.memory.reconcile import MemoryReconcileStore
from consumer.adapters.memory.retention import MemoryRetentionStore
from consumer.domain.reconciling.findings import Period
from consumer.secrets import Keyring
from consumer.services.asking import asking
from consumer.services.erasure import ErasureTools, erase
from consumer.services.erasure_finding import customer_named
from consumer.services.export import export
from consumer.services.key_rotation import rotate_keys
from consumer.services.reconcile_report import ReconcileRequest
from consumer.services.reconciling import ReconcileParts, reconcile
from consumer.services.retention import Retention, Terms
from tests.simulation.process import KEYS, Process, read_order
from tests.simulation.scenario import BOOKS, Scenario

MARCH = Period(from_day=date(2026, 3, 1), to_day=date(2026, 3, 31))
ERASED = "dora@example.org"  # whose orders are all special ones


async def forget_customer(process: Process, _: Scenario, chance: Random) -> None:
    """A person has a customer erased, whether or not their orders are settled."""
    tools = ErasureTools(privacy=MemoryPrivacyStore(process.stores.database), people=process.stores.people)
    await erase(tools, customer_named(ERASED, None), actor="anna", force=chance.random() < 0.7)


async def tell_customer(process: Process, _: Scenario, chance: Random) -> None:
    """A person has all that is known of a customer written down."""
    store = MemoryPrivacyStore(process.stores.database)
    who = customer_named(chance.choice((ERASED, "anna@example.org")), None)
    pieces: list[str] = []
    await export(store, who, actor="anna", at=datetime(2026, 3, 14, tzinfo=UTC), write=pieces.append)
    assert pieces[-1].endswith("}\n")


async def change_keys(process: Process, _: Scenario, chance: Random) -> None:
    """A person has all secrets sealed again with the new key; what is killed halfway goes on where it stood."""
    store = MemorySealedStore(process.stores.database)
    keyring = Keyring(KEYS)
    rotation = await rotate_keys(store, keyring, batch_rows=chance.choice((1, 100)))
    assert not rotation.failed, rotation.failed


async def thin_out(process: Process, _: Scenario, chance: Random) -> None:
    """The daily job that removes what is old."""
    store = MemoryRetentionStore(process.stores.database)
    await Retention(store=store, terms=Terms(), dry_run=chance.random() < 0.2).run()


async def hold_against(process: Process, _: Scenario, chance: Random) -> None:
    """A person has the month's orders compared with the ledger's documents."""
    await hold_period_against(MARCH, process, chance)


async def hold_period_against(period: Period, process: Process, chance: Random) -> None:
    """Compare a period's orders with the ledger's documents."""
    stores, tools = process.stores, process.tools()
    view = await stores.lanes.view(chance.choice(BOOKS))
    async with asking(
        view, open_ledger=process.open_ledger, bookings=stores.bookings, calls=stores.calls, steady=tools.steady
    ) as caller:
        parts = ReconcileParts(store=MemoryReconcileStore(stores.database), caller=caller, read_order=read_order)
        request = ReconcileRequest(
            period=period,
            adopt=chance.random() < 0.5,
            strict=chance.random() < 0.5,
            resume=chance.random() < 0.5,
            actor="anna",
        )
        await reconcile(request, view, parts)
