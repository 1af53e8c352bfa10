"""Figures for the metrics, and health, in memory."""

from collections import Counter
from datetime import datetime

from consumer.adapters.memory.database import MemoryDatabase
from consumer.domain.states import OrderState, ReasonCode
from consumer.ports.settings import Compared, Figures, ReplayFigures

_AT_MOST = 100_000
_ALARMING = frozenset({ReasonCode.UNKNOWN_SHOP, ReasonCode.CONNECTION_STOPPED})


class MemoryFiguresStore:
    """See consumer.ports.settings.FiguresStore."""

    def __init__(self, database: MemoryDatabase) -> None:
        self._db = database

    async def figures(self) -> Figures:
        """See the port."""
        async with self._db.transaction() as now:
            states = Counter(row.state.value for row in self._db.orders.values())
            outbox = Counter(entry.state for entry in self._db.outbox.values())
            moments = self._unbooked()
            stopped = {name: row.stopped for name, row in self._db.connections.items() if row.settings.active}
            return Figures(
                orders_by_state={state.value: min(_AT_MOST, states[state.value]) for state in OrderState},
                oldest_unbooked_seconds=(now - min(moments)).total_seconds() if moments else 0.0,
                outbox_waiting=min(_AT_MOST, outbox["waiting"]),
                outbox_set_aside=min(_AT_MOST, outbox["set_aside"]),
                rejected_open=min(_AT_MOST, sum(row["state"] == "open" for row in self._db.rejected)),
                token_age_seconds={},
                daily_left={
                    name: lane.daily_left
                    for name, lane in self._db.lanes.items()
                    if lane.daily_left is not None and name in stopped
                },
                connections_stopped={name: cause.value for name, cause in stopped.items() if cause is not None},
                gaps_open=len(self._db.gaps) - len(self._db.closed_gaps),
                replay=self._replay(now),
                compared=self._compared(now),
            )

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
            for (connection_id, shop_id, currency), (amount, compared_at) in rows[:1000]
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

    def _unbooked(self) -> list[datetime]:
        return [
            row.paid_moment
            for row in self._db.orders.values()
            if row.paid_moment is not None
            and (
                row.state in {OrderState.DUE, OrderState.UNCERTAIN}
                or (row.state is OrderState.WAITING and row.reason is not None and row.reason.code in _ALARMING)
            )
        ]


class MemoryHealthStore:
    """See consumer.ports.settings.HealthStore: what is in memory always answers."""

    async def ping(self) -> None:
        """See the port."""

    async def schema_version(self) -> str | None:
        """See the port."""
        return "memory"
