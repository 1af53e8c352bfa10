"""What a comparison of orders with the ledger's documents keeps, in memory."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from consumer.adapters.memory.database import MemoryDatabase, OrderRow
from consumer.adapters.memory.intake import wake
from consumer.adapters.memory.records import open_intent_of, read_order
from consumer.adapters.memory.slots import budget_of, lane_of, limits_of
from consumer.domain.orders import OrderKey
from consumer.domain.reconciling.books import Listed, as_invoice
from consumer.domain.reconciling.findings import Period
from consumer.domain.records import Document, DocumentKind
from consumer.domain.states import OrderState, Wish
from consumer.ports.reconcile import Budget, Match, Outcome, ReplacedError, Run, Slip, after_page

_NEAR = timedelta(days=3)  # time zones, and days that are told by another moment


@dataclass(slots=True, kw_only=True)
class RunRow:
    """One run, with what it has listed: by kind and id."""

    run: Run
    listed: dict[tuple[str, str], Listed] = field(default_factory=dict)
    claimed: set[tuple[str, str]] = field(default_factory=set)
    open: bool = True


@dataclass(slots=True, kw_only=True)
class ReconcileTables:
    """The tables of the comparison."""

    runs: dict[int, RunRow] = field(default_factory=dict)
    calls: dict[tuple[str, date], int] = field(default_factory=dict)
    money: dict[tuple[str, str, str], tuple[Decimal, datetime]] = field(default_factory=dict)
    doubles: dict[str, int] = field(default_factory=dict)  # of the newest run of each connection


class MemoryReconcileStore:
    """See consumer.ports.reconcile.ReconcileStore."""

    def __init__(self, database: MemoryDatabase) -> None:
        self._db = database

    @property
    def _tables(self) -> ReconcileTables:
        if self._db.reconcile is None:
            self._db.reconcile = ReconcileTables()
        tables: ReconcileTables = self._db.reconcile
        return tables

    # ---- runs ----

    async def begin(self, connection_id: str, period: Period, *, resume: bool) -> Run:
        """See the port."""
        async with self._db.transaction():
            if connection_id not in self._db.connections:
                raise LookupError(f"there is no connection {connection_id}; run: booked apply")
            mine = [row for row in self._tables.runs.values() if row.run.connection_id == connection_id and row.open]
            same = [row for row in mine if row.run.period == period]
            if resume and same:
                same[-1].claimed.clear()
                found = same[-1].run
                return Run(
                    run_id=found.run_id,
                    connection_id=connection_id,
                    period=period,
                    stage=found.stage,
                    page=found.page,
                    resumed=True,
                )
            for row in mine:
                row.open = False
                row.listed.clear()
            run = Run(run_id=len(self._tables.runs) + 1, connection_id=connection_id, period=period)
            self._tables.runs[run.run_id] = RunRow(run=run)
            return run

    async def budget(self, connection_id: str) -> Budget:
        """See the port."""
        async with self._db.transaction() as now:
            if connection_id not in self._db.connections:
                raise LookupError(f"there is no connection {connection_id}; run: booked apply")
            told = budget_of(lane_of(self._db, connection_id)).daily_limit
            return Budget(
                made=self._tables.calls.get((connection_id, now.date()), 0),
                daily_calls=limits_of(self._db, connection_id).daily_calls if told is None else told,
            )

    # ---- the ledger's documents ----

    async def save_page(self, run: Run, listed: Sequence[Listed], *, page: int, more: bool) -> Run:
        """See the port."""
        async with self._db.transaction() as now:
            row = self._open(run)
            self._save(run, listed, now)
            row.run = after_page(run, page=page, more=more)
            return row.run

    async def save_read(self, run: Run, row: Listed) -> None:
        """See the port."""
        async with self._db.transaction() as now:
            self._save(run, [row], now)

    def _save(self, run: Run, listed: Sequence[Listed], now: datetime) -> None:
        self._tables.runs[run.run_id].listed.update({(one.kind.value, one.ledger_id): one for one in listed})
        place = (run.connection_id, now.date())
        self._tables.calls[place] = self._tables.calls.get(place, 0) + 1

    def _open(self, run: Run) -> RunRow:
        row = self._tables.runs[run.run_id]
        if not row.open:
            raise ReplacedError(run)
        return row

    async def listed(self, run: Run, ledger_ids: Sequence[str], references: Sequence[str]) -> Sequence[Match]:
        """See the port."""
        async with self._db.transaction():
            rows = sorted(self._tables.runs[run.run_id].listed.items())
            wanted = {reference for reference in references if reference}
            found = [one for _, one in rows if one.ledger_id in ledger_ids or one.order_reference in wanted]
            return [Match(listed=one, owner=self._owner(run, one)) for one in found]

    def _owner(self, run: Run, one: Listed) -> OrderKey | None:
        place = (run.connection_id, one.kind, one.ledger_id)
        documents = ((key, document) for key, of_order in self._db.documents.items() for document in of_order)
        return next((k for k, d in documents if (d.connection_id, d.kind, d.ledger_id) == place), None)

    async def claim(self, run: Run, places: Sequence[tuple[DocumentKind, str]]) -> None:
        """See the port."""
        async with self._db.transaction():
            self._tables.runs[run.run_id].claimed.update((kind.value, ledger_id) for kind, ledger_id in places)

    async def unclaimed(self, run: Run, after: tuple[str, str] | None, limit: int) -> Sequence[Listed]:
        """See the port."""
        async with self._db.transaction():
            row = self._tables.runs[run.run_id]
            left = [(place, one) for place, one in sorted(row.listed.items()) if place not in row.claimed]
            later = [one for place, one in left if after is None or place > after]
            return [one for one in later if self._owner(run, one) is None][:limit]

    # ---- orders ----

    async def orders(self, run: Run, shop_id: str, after: str, limit: int) -> Sequence[Slip]:
        """See the port."""
        async with self._db.transaction() as now:
            keys = sorted(key for key in self._db.orders if key.shop_id == shop_id and key.order_id > after)
            return [self._slip(run, self._db.orders[key], now) for key in keys[:limit]]

    async def records(self, run: Run, shop_id: str, order_ids: Sequence[str]) -> Sequence[Slip]:
        """See the port."""
        async with self._db.transaction() as now:
            rows = [self._db.orders.get(OrderKey(shop_id, order_id)) for order_id in sorted(set(order_ids))]
            mine = [row for row in rows if row is not None and row.connection_id == run.connection_id]
            return [self._slip(run, row, now, whole=True) for row in mine]

    def _slip(self, run: Run, row: OrderRow, now: datetime, *, whole: bool = False) -> Slip:
        record = read_order(self._db, row.key, now)
        if record is None:
            raise LookupError(f"there is no order {row.key}")
        here = tuple(one for one in record.documents if one.connection_id == run.connection_id)
        noticed = {
            one.ledger_id: moment
            for one in here
            if (moment := self._db.watch_noticed.get((run.connection_id, one.ledger_id))) is not None
        }
        mine = row.connection_id == run.connection_id
        concerns = whole or (mine and self._concerns(run.period, row, here))
        return Slip(
            key=row.key,
            number=record.number,
            reference=row.reference,
            record=replace(record, documents=here) if concerns else None,
            noticed=noticed if concerns else {},
        )

    def _concerns(self, period: Period, row: OrderRow, documents: Sequence[Document]) -> bool:
        first = datetime.combine(period.from_day, time(), UTC) - _NEAR
        last = datetime.combine(period.to_day, time(), UTC) + _NEAR
        paid = row.paid_moment or row.first_seen_at
        changed = row.updated_at is None or row.updated_at >= first
        by_time = paid is not None and paid <= last and (changed or paid >= first)
        return by_time or any(period.has(one.issued_on) for one in documents)

    # ---- adopting ----

    async def hand_over(
        self, run: Run, found: Mapping[OrderKey, Sequence[Listed]], *, actor: str
    ) -> Sequence[OrderKey]:
        """See the port."""
        async with self._db.transaction() as now:
            taken = [key for key in sorted(found) if self._may_take(run, key, found[key])]
            for key in taken:
                for one in found[key]:
                    if one.kind is DocumentKind.INVOICE:
                        place = (run.connection_id, one.reference, one.ledger_id)
                        self._db.seen_invoices[place] = as_invoice(one)
                    else:
                        lane_of(self._db, run.connection_id).look_first = True
                self._make_due(self._db.orders[key], now)
                self._db.audit.append({"actor": actor, "action": "reconcile adopt", "order": key})
            if taken:
                wake(self._db, run.connection_id, now)
            return taken

    def _may_take(self, run: Run, key: OrderKey, listed: Sequence[Listed]) -> bool:
        row = self._db.orders.get(key)
        if row is None or row.connection_id != run.connection_id or row.cancelled:
            return False
        if row.wish in (Wish.NONE, Wish.IGNORE) or open_intent_of(self._db, None, f"order:{key}") is not None:
            return False
        live = any(one.kind is DocumentKind.INVOICE and one.live for one in self._db.documents.get(key, ()))
        return not (live and any(one.kind is DocumentKind.INVOICE for one in listed))

    def _make_due(self, row: OrderRow, now: datetime) -> None:
        row.state, row.reason, row.difference = OrderState.DUE, None, None
        row.due_at, row.takes, row.attempts = now, 0, 0
        row.change += 1

    # ---- the end ----

    async def finish(self, run: Run, outcome: Outcome) -> None:
        """See the port."""
        async with self._db.transaction() as now:
            row = self._open(run)
            row.open = False
            row.listed.clear()
            self._tables.doubles[run.connection_id] = outcome.doubles
            shops = {shop_id for shop_id, _ in outcome.unexplained}
            for place in [one for one in self._tables.money if one[0] == run.connection_id and one[1] in shops]:
                del self._tables.money[place]
            for (shop_id, currency), amount in outcome.unexplained.items():
                self._tables.money[run.connection_id, shop_id, currency] = (amount, now)
