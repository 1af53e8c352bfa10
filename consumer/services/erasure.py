"""Erasing a customer: one action with its trace in the audit log, which ends right when it is run again after a crash.

What stands outside of the orders goes first, the orders last, each with all that hangs on it: the orders are what the
rest is found by. An order's key, revision, figures and line layout stay, and a mark, by which the intake knows events
that say nothing new (domain.erasing).
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from consumer.domain.asking import Mark
from consumer.domain.orders import OrderKey
from consumer.failpoints import failpoint
from consumer.ports.people import PeopleStore
from consumer.ports.privacy import Customer, LedgerDocument, PrivacyStore
from consumer.services.erasure_finding import Gathered, gather

ORDERS_AT_ONCE = 50  # of one transaction
NAMED_MAX = 200  # orders that one row of the audit log names; each order has a row of its own besides


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasureTools:
    """What an erasure works with."""

    privacy: PrivacyStore
    people: PeopleStore


@dataclass(slots=True, kw_only=True)
class ErasureReport:
    """What came of it. ``refused`` says why nothing, or not all, was erased; ``left`` what still mentions them."""

    found: Gathered
    erased: list[OrderKey] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    refused: dict[OrderKey, str] = field(default_factory=dict)
    open_rejected: tuple[int, ...] = ()
    left: Counter[str] = field(default_factory=Counter)

    @property
    def is_refused(self) -> bool:
        """Tell whether something has to be settled first."""
        return bool(self.refused or self.open_rejected)

    @property
    def documents(self) -> tuple[LedgerDocument, ...]:
        """Give what the ledger keeps: by law, and as its controller's own duty."""
        return tuple(document for one in self.found.own for document in one.documents)

    @property
    def is_nothing(self) -> bool:
        """Tell whether nothing was found at all."""
        return not self.found.own and not sum(self.counts.values())

    def plain(self) -> Mapping[str, Any]:
        """Give it as plain data."""
        return {
            "orders_erased": [{"shop_id": key.shop_id, "order_id": key.order_id} for key in self.erased],
            "rows": dict(self.counts),
            "refused": [
                {"shop_id": key.shop_id, "order_id": key.order_id, "why": why} for key, why in self.refused.items()
            ],
            "open_rejected": list(self.open_rejected),
            "mentioned_in": [{"shop_id": key.shop_id, "order_id": key.order_id} for key in self.found.mentioned],
            "customer_ids": [{"shop_id": shop, "customer_id": id_} for shop, id_ in self.found.customer_ids],
            "left": dict(self.left),
            "in_the_ledger": [
                {
                    "connection_id": one.connection_id,
                    "kind": one.kind,
                    "number": one.number,
                    "ledger_id": one.ledger_id,
                    "contact_id": one.contact_id,
                }
                for one in self.documents
            ],
        }


async def erase(tools: ErasureTools, who: Customer, *, actor: str, force: bool = False) -> ErasureReport:
    """Erase a customer. ``force`` ends orders that are not settled, as `booked order ignore` does, and erases them too.

    Without it such orders, and rejected messages that nobody has dealt with, refuse the whole: what is not booked yet
    needs its customer. An order with a write under way is refused in any case. Raises DatabaseUnavailableError.
    """
    report = ErasureReport(found=await gather(tools.privacy, who))
    open_rejected = await tools.privacy.open_rejected(report.found.wanted)
    if force:
        await _end(tools, report, actor)
    else:
        report.open_rejected = tuple(open_rejected)
        report.refused = {one.key: f"is {one.state}, not settled" for one in report.found.own if not one.settled}
    if report.is_refused:
        return report
    await _note(tools, "erase", report, actor, {"force": force})
    report.counts += Counter((await tools.privacy.erase_around(report.found.wanted)).counts)
    failpoint("erased_half")
    await _orders(tools, report, actor)
    report.left = Counter(
        row.table for row in await tools.privacy.around(report.found.wanted) if row.table not in _STAYS
    )
    await _note(tools, "erase done", report, actor, {"rows": dict(report.counts), "left": dict(report.left)})
    return report


_STAYS = frozenset({"audit_log"})  # it only grows; what it holds is no data of customers


async def _end(tools: ErasureTools, report: ErasureReport, actor: str) -> None:
    """Let nothing more be done for orders that are not settled; what came of it shows when they are erased."""
    for one in report.found.own:
        if not one.settled:
            await tools.people.mark(one.key, Mark.IGNORE, actor=actor, note="its customer is erased")


async def _orders(tools: ErasureTools, report: ErasureReport, actor: str) -> None:
    keys = [one.key for one in report.found.own]
    for start in range(0, len(keys), ORDERS_AT_ONCE):
        part = keys[start : start + ORDERS_AT_ONCE]
        came = await tools.privacy.erase_orders(part, actor=actor)
        report.counts += Counter(came.counts)
        report.erased += [key for key in part if key not in came.refused]
        for key in came.refused:
            report.refused[key] = "has work under way: wait until it has ended, then run this again"


async def _note(
    tools: ErasureTools, action: str, report: ErasureReport, actor: str, details: Mapping[str, Any]
) -> None:
    """Write the action down, without the name or address of whom it was about."""
    orders = [str(one.key) for one in report.found.own[:NAMED_MAX]]
    told = {"orders": orders, "orders_in_all": len(report.found.own), **details}
    await tools.privacy.note_access(actor=actor, action=action, details=told)
