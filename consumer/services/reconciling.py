"""A comparison of a period's orders with the ledger's documents, by cheap lists and within a share of the day's calls.

Three steps. The lists of invoices and credit notes of these days are read and kept, page by page. Then the recorded
orders are gone through, page by page, each against what was listed of it; what a list cannot prove is read by its id.
Last come the documents that no order has claimed. Whatever is kept, is kept in the store: memory stays flat, and a
run that stops goes on where it stood.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import structlog

from consumer.domain.ledger import LedgerFacts
from consumer.domain.money import ZERO
from consumer.domain.orders import Order, OrderKey, Totals
from consumer.domain.reconciling.books import Listed
from consumer.domain.reconciling.expecting import expectations, papers_of
from consumer.domain.reconciling.findings import Judged
from consumer.domain.reconciling.judging import Case, judge, judge_strangers, to_read
from consumer.domain.reconciling.shop_figures import ShopGrounds
from consumer.domain.reconciling.strangers import judge_stranger, needs_read, order_named
from consumer.domain.records import OrderRecord
from consumer.domain.references import reference_of
from consumer.domain.settings import ShopSettings
from consumer.errors import BookedError, ConfigurationError, ConnectionStoppedError, LedgerError
from consumer.ports.lanes import LaneView
from consumer.ports.reconcile import Match, ReconcileStore, Run, Slip
from consumer.services.calling import Caller, PutBackError
from consumer.services.reconcile_asking import Asking, StoppedError
from consumer.services.reconcile_report import ReconcileReport, ReconcileRequest, Tally

log = structlog.get_logger()

ORDERS_AT_ONCE = 100
STRANGERS_AT_ONCE = 200

ReadOrder = Callable[[OrderRecord, ShopSettings], Order]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReconcileParts:
    """What a comparison works with."""

    store: ReconcileStore
    caller: Caller
    read_order: ReadOrder


async def reconcile(request: ReconcileRequest, view: LaneView, parts: ReconcileParts) -> ReconcileReport:
    """Compare one connection. Raises DatabaseUnavailableError, ReplacedError, ConfigurationError."""
    return await _Comparison(request, view, parts).run()


class _Comparison:
    def __init__(self, request: ReconcileRequest, view: LaneView, parts: ReconcileParts) -> None:
        self._request = request
        self._view = view
        self._store = parts.store
        self._parts = parts
        self._shops = _shops_of(view, request)
        base = "" if view.facts is None else view.facts.organization.currency
        start = {(shop.shop_id, base): ZERO for shop in self._shops if base}
        self._tally = Tally(request.period, start)

    @property
    def _id(self) -> str:
        return self._view.connection.connection_id

    async def run(self) -> ReconcileReport:
        run = await self._store.begin(self._id, self._request.period, resume=self._request.resume)
        asking = await self._asking()
        try:
            run = await asking.list_all(run)
            for shop in self._shops:
                await self._compare(run, shop, asking)
            await self._look_at_strangers(run, asking)
        except (StoppedError, PutBackError, LedgerError) as error:
            log.info("reconcile_stopped", connection=self._id, error=str(error))
            return self._report(stopped=_how_to_go_on(error))
        report = self._report()
        await self._store.finish(run, report.outcome())
        return report

    async def _asking(self) -> Asking:
        budget = await self._store.budget(self._id)
        limits = self._view.connection.limits
        share = limits.reconcile_share if self._request.share is None else self._request.share
        allowed = math.floor(budget.daily_calls * share)
        return Asking(
            caller=self._parts.caller,
            store=self._store,
            left=allowed - budget.made,
            counts=self._tally.counts,
            why_no_more=lambda: (
                f"Comparisons may take {allowed} of the day's {budget.daily_calls} calls, and have made them."
            ),
        )

    # ---- orders ----

    async def _compare(self, run: Run, shop: ShopSettings, asking: Asking) -> None:
        after = ""
        while slips := await self._store.orders(run, shop.shop_id, after, ORDERS_AT_ONCE):
            await self._page(run, shop, slips, asking)
            after = slips[-1].key.order_id

    async def _page(self, run: Run, shop: ShopSettings, slips: Sequence[Slip], asking: Asking) -> None:
        references = {slip.key: _reference(slip, shop) for slip in slips}
        ids = [one.ledger_id for slip in slips if slip.record is not None for one in papers_of(slip.record)]
        matches = await self._store.listed(run, ids, list(references.values()))
        of_order = _by_order(matches, references)
        # What was listed under an order that seemed to have nothing to do with these days: its record is needed too.
        late = [slip.key.order_id for slip in slips if slip.record is None and slip.key in of_order]
        more = {slip.key: slip for slip in await self._store.records(run, shop.shop_id, late)} if late else {}
        found: dict[OrderKey, Sequence[Listed]] = {}
        mine: list[Listed] = []
        for slip in slips:
            whole = more.get(slip.key, slip)
            if whole.record is not None:
                judged = await self._one(run, shop, whole, of_order.get(slip.key, ()), asking)
                mine += judged.mine
                if judged.adopt:
                    found[slip.key] = judged.adopt
        await self._store.claim(run, [(one.kind, one.ledger_id) for one in mine])
        await self._hand_over(run, found)

    async def _one(self, run: Run, shop: ShopSettings, slip: Slip, listed: Sequence[Listed], asking: Asking) -> Judged:
        case = await self._read_what_is_needed(run, self._case(shop, slip, tuple(listed)), asking)
        judged = judge(case)
        self._tally.counts.orders += 1
        self._tally.add(judged.entries, judged.findings)
        self._tally.leave_out(case.record.currency, judged.left_out)
        return judged

    async def _read_what_is_needed(self, run: Run, case: Case, asking: Asking) -> Case:
        for one in list(to_read(case)):
            told = await asking.read(run, one)
            others = tuple(row for row in case.listed if row.ledger_id != one.ledger_id)
            case = replace(case, listed=(*others, told))
        return case

    def _case(self, shop: ShopSettings, slip: Slip, listed: tuple[Listed, ...]) -> Case:
        record = slip.record
        if record is None:
            raise ValueError(f"order {slip.key} was not read")
        return Case(
            record=record,
            order=self._order(record, shop),
            grounds=ShopGrounds(shop=shop, facts=self._view.facts),
            listed=listed,
            period=self._request.period,
            time_zone=_time_zone(self._view.facts),
            noticed=slip.noticed,
            strict=self._request.strict,
        )

    def _order(self, record: OrderRecord, shop: ShopSettings) -> Order | None:
        """Read the order; one that is kept without its content, or cannot be read, is compared by what is recorded."""
        if record.content is None:
            return None
        try:
            return self._parts.read_order(record, shop)
        except (ValueError, KeyError):
            return None

    async def _hand_over(self, run: Run, found: Mapping[OrderKey, Sequence[Listed]]) -> None:
        self._tally.counts.adoptable += sum(map(len, found.values()))
        if self._request.adopt and found:
            taken = await self._store.hand_over(run, found, actor=self._request.actor)
            self._tally.counts.adopted += sum(len(found[key]) for key in taken)

    # ---- what no order has claimed ----

    async def _look_at_strangers(self, run: Run, asking: Asking) -> None:
        after: tuple[str, str] | None = None
        while rows := await self._store.unclaimed(run, after, STRANGERS_AT_ONCE):
            for row in rows:
                if row.stands:
                    await self._stranger(run, row, asking)
            after = (rows[-1].kind.value, rows[-1].ledger_id)

    async def _stranger(self, run: Run, row: Listed, asking: Asking) -> None:
        unique = self._view.connection.unique_field is not None
        one = await asking.read(run, row) if needs_read(row, unique_field=unique) else row
        if not one.stands:
            return
        key = order_named(one, self._shops)
        if key is not None and await self._of_known_order(run, key, one):
            return
        ours = judge_stranger(one, self._shops)
        if ours is None:
            self._tally.pass_over(one.currency, one.total)
        else:
            self._tally.add((ours.entry,), (ours.finding,))

    async def _of_known_order(self, run: Run, key: OrderKey, one: Listed) -> bool:
        """Judge a document whose unique field names an order that is recorded, though its reference does not."""
        shop = next(shop for shop in self._shops if shop.shop_id == key.shop_id)
        slips = await self._store.records(run, key.shop_id, [key.order_id])
        if not slips or slips[0].record is None:
            return False
        case = self._case(shop, slips[0], (one,))
        entries, findings, adopt = judge_strangers(case, expectations(case.record, case.order, case.grounds))
        self._tally.add(tuple(entries), tuple(findings))
        if adopt:
            await self._hand_over(run, {key: adopt})
        return bool(entries)

    # ---- the end ----

    def _report(self, *, stopped: str = "") -> ReconcileReport:
        tally, facts = self._tally, self._view.facts
        return ReconcileReport(
            connection_id=self._id,
            organization="" if facts is None else facts.organization.name,
            shops=tuple(shop.shop_id for shop in self._shops),
            period=self._request.period,
            counts=tally.counts,
            findings=tuple(tally.findings),
            findings_by_kind=dict(tally.by_kind),
            explained=tally.explained,
            months=tally.months.rows(),
            unexplained=dict(tally.unexplained),
            left_out=tally.left_out,
            strangers=tally.strangers,
            stopped=stopped,
            dry=not self._request.adopt,
        )


def _shops_of(view: LaneView, request: ReconcileRequest) -> tuple[ShopSettings, ...]:
    shops = tuple(shop for _, shop in sorted(view.shops.items()) if request.shop_id in (None, shop.shop_id))
    if not shops and request.shop_id is not None:
        connection = view.connection.connection_id
        raise ConfigurationError("--shop", f"shop {request.shop_id} does not book into connection {connection}")
    return shops


def _reference(slip: Slip, shop: ShopSettings) -> str:
    """Give the reference that the order's documents bear, or would bear."""
    if slip.reference:
        return slip.reference
    bare = Order(key=slip.key, number=slip.number, currency="", lines=(), totals=Totals(grand_total=ZERO))
    return reference_of(bare, shop)


def _by_order(matches: Sequence[Match], references: Mapping[OrderKey, str]) -> dict[OrderKey, list[Listed]]:
    """Give each order the documents recorded for it, and the unrecorded ones under its reference."""
    by_reference: dict[str, list[OrderKey]] = {}
    for key, reference in references.items():
        by_reference.setdefault(reference, []).append(key)
    found: dict[OrderKey, list[Listed]] = {}
    for match in matches:
        keys = by_reference.get(match.listed.order_reference, []) if match.owner is None else [match.owner]
        for key in keys:
            if key in references:
                found.setdefault(key, []).append(match.listed)
    return found


def _time_zone(facts: LedgerFacts | None) -> str:
    return "UTC" if facts is None else facts.organization.time_zone


def _how_to_go_on(error: BookedError) -> str:
    after = "put that right, then" if isinstance(error, ConnectionStoppedError) else "later"
    return f"{error} What was listed and read is kept: go on {after} with the same command and --resume."
