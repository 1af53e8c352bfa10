"""What people run in the schedules whose aim needs just that; see ``aiming``."""

from collections.abc import Mapping
from datetime import date, timedelta
from random import Random
from types import MappingProxyType

from consumer.adapters.memory.retention import MemoryRetentionStore
from consumer.domain.ledger import InvoiceStatus
from consumer.domain.orders import OrderKey
from consumer.domain.reconciling.findings import Period
from consumer.domain.states import Ask
from consumer.services.replay_report import ReplayRequest
from consumer.services.retention import Retention, Terms
from tests.simulation.clocks import START
from tests.simulation.commands import COMMANDS, Run, compare_as
from tests.simulation.commands_care import hold_period_against
from tests.simulation.process import Process
from tests.simulation.scenario import Scenario

JANUARY = Period(from_day=date(2026, 1, 1), to_day=date(2026, 1, 31))


async def ask_again(process: Process, _: Scenario, chance: Random) -> None:
    """A person wants an invoice stated once more, as the order stands."""
    await _ask(process, chance, Ask.UPDATE, _with_invoice(process))


async def ask_all_again(process: Process, _: Scenario, chance: Random) -> None:
    """A person wants all invoices stated once more."""
    for key in _with_invoice(process):
        await _ask(process, chance, Ask.UPDATE, [key])


async def ask_away(process: Process, _: Scenario, chance: Random) -> None:
    """A person wants an invoice away that was sent."""
    await _ask(process, chance, Ask.DELETE, _with_invoice(process, sent=True))


def _with_invoice(process: Process, *, sent: bool = False) -> list[OrderKey]:
    """Give the orders that have one now, as the ledgers know it."""
    invoices = [one for server in process.world.servers.values() for one in server.book.invoices.values()]
    named = {one.reference for one in invoices if not sent or one.status is not InvoiceStatus.DRAFT}
    return [key for key in process.world.database.documents if key.order_id in named]


async def _ask(process: Process, chance: Random, what: Ask, keys: list[OrderKey]) -> None:
    if keys:
        key = chance.choice(keys)
        process.world.asked_of(key.shop_id, key.order_id, what)
        await process.stores.people.ask(key, what, actor="anna", note="by hand")
        process.world.tell_others(process, sorted(process.world.database.connections))


async def hold_january_against(process: Process, _: Scenario, chance: Random) -> None:
    """A person has a month compared in which nothing was sold."""
    await hold_period_against(JANUARY, process, chance)


async def compare_whole(process: Process, _: Scenario, chance: Random) -> None:
    """The replay as the CronJob runs it."""
    await compare_as(ReplayRequest(), process, chance)


async def compare_back(process: Process, _: Scenario, chance: Random) -> None:
    """A backfill between two days."""
    since, until = START - timedelta(days=30), START + timedelta(days=chance.choice((0, 1)), seconds=5)
    await compare_as(ReplayRequest(since=since, until=until), process, chance)


async def thin_out_dry(process: Process, _: Scenario, __: Random) -> None:
    """A person wants to know what the daily job would remove."""
    await Retention(store=MemoryRetentionStore(process.stores.database), terms=Terms(), dry_run=True).run()


EVERY_COMMAND: Mapping[str, Run] = MappingProxyType(
    {
        **COMMANDS,
        "ask again": ask_again,
        "ask all again": ask_all_again,
        "ask away": ask_away,
        "hold January against": hold_january_against,
        "compare whole": compare_whole,
        "compare back": compare_back,
        "thin out dry": thin_out_dry,
    }
)
