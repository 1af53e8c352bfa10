"""Figures for the metrics, and health, in memory."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal

from consumer.adapters.memory.database import ConnectionRow, LaneRow, MemoryDatabase, OrderRow
from consumer.domain.orders import OrderKey
from consumer.domain.states import OrderState, Priority, ReasonCode
from consumer.ports.figures import (
    JUDGED_AT_ONCE,
    PROMISED,
    WORST,
    Budget,
    Compared,
    ConnectionFigures,
    Judgement,
    Parked,
    ShopFigures,
    of_worst_shops,
)
from consumer.ports.settings import Figures, ReplayFigures

_AT_MOST = 100_000
_DAY = timedelta(days=1)
_UNSERVED_AFTER = timedelta(seconds=10)
_JUDGED_AFTER = PROMISED + timedelta(seconds=5)
_ALARMING = frozenset({ReasonCode.UNKNOWN_SHOP, ReasonCode.CONNECTION_STOPPED})
_UNBOOKED = frozenset({OrderState.DUE, OrderState.UNCERTAIN})
_CONCLUDED = frozenset({OrderState.BOOKED, OrderState.PARKED})
_JUDGED = _UNBOOKED | _CONCLUDED


class MemoryFiguresStore:
    """See consumer.ports.settings.FiguresStore."""

    def __init__(self, database: MemoryDatabase) -> None:
        self._db = database

    async def figures(self, judged_until: datetime | None = None) -> Figures:
        """See the port."""
        async with self._db.transaction() as now:
            states = Counter(row.state.value for row in self._db.orders.values())
            outbox = Counter(entry.state for entry in self._db.outbox.values())
            moments = [moment for moments in self._unbooked().values() for moment in moments]
            prompt = [moment for moments in self._unbooked(self._out_of_budget(now)).values() for moment in moments]
            return Figures(
                orders_by_state={state.value: min(_AT_MOST, states[state.value]) for state in OrderState},
                oldest_unbooked_seconds=(now - min(moments)).total_seconds() if moments else 0.0,
                oldest_with_budget_seconds=(now - min(prompt)).total_seconds() if prompt else 0.0,
                outbox_waiting=min(_AT_MOST, outbox["waiting"]),
                outbox_set_aside=min(_AT_MOST, outbox["set_aside"]),
                rejected_open=min(_AT_MOST, sum(row["state"] == "open" for row in self._db.rejected)),
                gaps_open=len(self._db.gaps) - len(self._db.closed_gaps),
                connections=self._connections(now),
                shops=self._shops(now),
                judgement=self._judgement(judged_until, now),
                replay=self._replay(now),
            )

    # ---- connections ----

    def _connections(self, now: datetime) -> ConnectionFigures:
        active = {name: row for name, row in self._db.connections.items() if row.settings.active}
        stopped = {name: row.stopped.value for name, row in active.items() if row.stopped is not None}
        budgets = [self._budget(name, row, now) for name, row in active.items()]
        budgets.sort(key=lambda one: (-one.waiting, _or_never(one.runs_out_seconds), one.calls_left, one.connection_id))
        return ConnectionFigures(
            budgets=tuple(budgets[:WORST]),
            stopped=dict(list(stopped.items())[:WORST]),
            connections=len(active),
            stopped_count=len(stopped),
            calls_left=sum(one.calls_left for one in budgets),
            running_out=sum(one.runs_out_seconds is not None for one in budgets),
            waiting=sum(one.waiting for one in budgets),
            lanes_unserved=sum(self._unserved(name, row, now) for name, row in active.items() if name not in stopped),
        )

    def _budget(self, name: str, row: ConnectionRow, now: datetime) -> Budget:
        lane = self._db.lanes.get(name) or LaneRow(connection_id=name)
        limits = row.settings.limits
        day = limits.daily_calls if lane.daily_limit is None else lane.daily_limit
        resets = lane.daily_resets_at if lane.daily_resets_at is not None and lane.daily_resets_at > now else None
        over = lane.daily_resets_at is not None and resets is None
        left = day if lane.daily_left is None or over else lane.daily_left
        kept = day * limits.live_stops_at
        waiting = self._due_live(name, now) if left <= kept else 0
        return Budget(
            connection_id=name,
            calls_left=left,
            resets_seconds=None if resets is None else (resets - now).total_seconds(),
            runs_out_seconds=_runs_out(left, day, float(kept), resets, now),
            waiting=waiting,
            needed=day - left + math.ceil(kept) + 2 * waiting,
        )

    def _due_live(self, connection_id: str, now: datetime) -> int:
        return sum(
            row.connection_id == connection_id
            and row.priority == Priority.LIVE.rank
            and row.due_at is not None
            and row.due_at <= now
            for row in self._db.orders.values()
        )

    def _unserved(self, name: str, row: ConnectionRow, now: datetime) -> bool:
        lane = self._db.lanes.get(name)
        if lane is None or lane.next_due is None or not row.settings.organization_id:
            return False
        moments = [lane.next_due, lane.throttled_until or lane.next_due, lane.lease_until or lane.next_due]
        return max(moments) <= now - _UNSERVED_AFTER

    # ---- shops ----

    def _shops(self, now: datetime) -> ShopFigures:
        parked = self._parked()
        compared = self._compared(now)
        oldest = sorted((min(moments), shop) for shop, moments in self._unbooked().items())
        return ShopFigures(
            parked=of_worst_shops(parked),
            parked_totals=_by_currency((one.currency, one.total) for one in parked),
            oldest_unbooked_seconds={shop: (now - moment).total_seconds() for moment, shop in oldest[:WORST]},
            compared=compared[:WORST],
            unexplained=_by_currency((one.currency, one.unexplained) for one in compared),
            doubles=0 if self._db.reconcile is None else sum(self._db.reconcile.doubles.values()),
        )

    def _parked(self) -> tuple[Parked, ...]:
        found: dict[tuple[str, str], list[Decimal]] = defaultdict(list)
        for row in self._db.orders.values():
            if row.state is OrderState.PARKED:
                found[row.key.shop_id, row.head.currency].append(row.head.grand_total or Decimal(0))
        parked = [
            Parked(shop_id=shop, currency=currency, orders=len(totals), total=sum(totals, Decimal(0)))
            for (shop, currency), totals in found.items()
        ]
        return tuple(sorted(parked, key=lambda one: (-one.orders, one.shop_id, one.currency)))

    # ---- the promise ----

    def _judgement(self, judged_until: datetime | None, now: datetime) -> Judgement:
        latest = now - _JUDGED_AFTER
        since = judged_until or latest
        until = min(latest, since + JUDGED_AT_ONCE)
        if until <= since:
            return Judgement(until=since)
        heard: dict[OrderKey, datetime] = {}
        for event in self._db.events:
            if event["verdict"] == "newest" and event["received_at"] > since:
                heard[event["key"]] = event["received_at"]
        told = Counter(
            self._judged(self._db.orders[key], moment, now) for key, moment in heard.items() if moment <= until
        )
        return Judgement(until=until, in_time=told["in_time"], late=told["late"], without_budget=told["without_budget"])

    def _judged(self, row: OrderRow, heard_at: datetime, now: datetime) -> str:
        alarming = row.reason is not None and row.reason.code in _ALARMING
        judged = row.state in _JUDGED or (row.state is OrderState.WAITING and alarming)
        if not row.paid or row.priority == Priority.BACKFILL.rank or not judged:
            return "not judged"
        limit = heard_at + PROMISED
        in_time = row.state in _CONCLUDED and row.updated_at is not None and row.updated_at <= limit
        if in_time or (row.booked_at is not None and heard_at < row.booked_at <= limit):
            return "in_time"
        return "without_budget" if self._had_no_budget(row.connection_id or "", heard_at, now) else "late"

    def _had_no_budget(self, connection_id: str, heard_at: datetime, now: datetime) -> bool:
        """Tell whether a connection could make no call since then: stopped, or the day's calls used up."""
        connection, token = self._db.connections.get(connection_id), self._db.tokens.get(connection_id)
        if connection is None:
            return False
        budget = self._budget(connection_id, connection, now)
        out = budget.runs_out_seconds == 0.0
        new_day = budget.resets_seconds is not None and now + timedelta(seconds=budget.resets_seconds) - _DAY > heard_at
        connected_again = token is not None and token.connected_at > heard_at
        return connection.stopped is not None or connected_again or out or new_day

    def _compared(self, now: datetime) -> tuple[Compared, ...]:
        tables = self._db.reconcile
        rows = [] if tables is None else sorted(tables.money.items(), key=lambda row: (-row[1][0], row[0]))
        return tuple(
            Compared(
                connection_id=connection_id,
                shop_id=shop_id,
                currency=currency,
                unexplained=amount,
                age_seconds=(now - compared_at).total_seconds(),
            )
            for (connection_id, shop_id, currency), (amount, compared_at) in rows
        )

    def _replay(self, now: datetime) -> ReplayFigures:
        runs = self._db.replay_runs
        ended = [ended for _, ended, figures in runs if figures.whole]
        last = runs[-1][2] if runs else None
        return ReplayFigures(
            success_age_seconds=(now - max(ended)).total_seconds() if ended else None,
            missing=sum(figures.missing for _, _, figures in runs),
            lag=0 if last is None else last.lag,
            unverified=0 if last is None else last.unverified,
            difference=min(_AT_MOST, len(self._db.unrecorded)),
        )

    def _out_of_budget(self, now: datetime) -> frozenset[str]:
        budgets = [self._budget(name, row, now) for name, row in self._db.connections.items() if row.settings.active]
        return frozenset(one.connection_id for one in budgets if one.runs_out_seconds == 0.0)

    def _unbooked(self, excused: frozenset[str] | None = None) -> dict[str, list[datetime]]:
        """Give the moments of payment of what is not booked and should be, by shop.

        With ``excused`` connections also without their due orders and those of a backfill.
        """
        found: dict[str, list[datetime]] = defaultdict(list)
        for row in self._db.orders.values():
            alarming = row.reason is not None and row.reason.code in _ALARMING
            late = excused is None or (row.connection_id not in excused and row.priority != Priority.BACKFILL.rank)
            unbooked = (row.state in _UNBOOKED and late) or (row.state is OrderState.WAITING and alarming)
            if row.paid_moment is not None and unbooked:
                found[row.key.shop_id].append(row.paid_moment)
        return found


def _runs_out(left: int, day: int, kept: float, resets: datetime | None, now: datetime) -> float | None:
    """Tell in how many seconds live orders have to stop, if the day goes on as it went; None: not in this day."""
    if left <= kept:
        return 0.0
    if resets is None or left >= day:
        return None
    so_far = max(timedelta(hours=1), now - (resets - _DAY))
    seconds = so_far.total_seconds() * (left - kept) / (day - left)
    return seconds if now + timedelta(seconds=seconds) < resets else None


def _or_never(seconds: float | None) -> float:
    return math.inf if seconds is None else seconds


def _by_currency(amounts: Iterable[tuple[str, Decimal]]) -> dict[str, Decimal]:
    summed: dict[str, Decimal] = defaultdict(Decimal)
    for currency, amount in amounts:
        summed[currency] += amount
    return dict(summed)


class MemoryHealthStore:
    """See consumer.ports.settings.HealthStore: what is in memory always answers."""

    async def ping(self) -> None:
        """See the port."""

    async def schema_version(self) -> str | None:
        """See the port."""
        return "memory"

    async def end_stalled_sessions(self, still_seconds: float) -> int:
        """See the port: in memory each method is one step, so that nobody stands still within one."""
        del still_seconds
        return 0
