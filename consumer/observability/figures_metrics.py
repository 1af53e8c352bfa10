"""The metrics that come from the database: the same in every process that reads them; take the maximum, not the sum.

What is told of single connections and shops is told of the worst twenty of each, and of all of them as a sum.
"""

from collections.abc import Iterable, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest

from consumer.domain.states import OrderState
from consumer.ports.figures import ConnectionFigures, Judgement, ShopFigures
from consumer.ports.settings import Figures

CURRENCIES_MAX = 30  # that a metric names; the rest are told together as "other"


class FiguresMetrics:
    """The metrics of the database, in a registry of their own where none is given."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self.registry = registry or CollectorRegistry()
        self._named: set[str] = set()  # currencies
        here = self.registry
        self._orders = Gauge("booked_orders", "Orders by state; stops counting at 100,000.", ["state"], registry=here)
        self._oldest = Gauge(
            "booked_oldest_unbooked_seconds",
            "Age of the oldest paid order that is due, uncertain, or waits for a stopped connection or unknown shop.",
            registry=here,
        )
        self._oldest_with_budget = Gauge(
            "booked_oldest_with_budget_seconds",
            "The same without orders of a backfill and those that wait for the ledger's next day.",
            registry=here,
        )
        self._outbox = Gauge("booked_outbox_rows", "Rows of the outbox by state.", ["state"], registry=here)
        self._rejected = Gauge("booked_rejected_open", "Rejected messages nobody has looked at.", registry=here)
        self._gaps = Gauge("booked_gaps_open", "Ranges of a topic that were lost before they were read.", registry=here)
        self._judged_counters(here)
        self._connection_gauges(here)
        self._budget_gauges(here)
        self._shop_gauges(here)
        self._money_gauges(here)
        self._replay_gauges(here)
        self._cleaning_gauges(here)
        self.figures_age = Gauge(
            "booked_figures_read_at_seconds", "When the figures of the database were last read (unix).", registry=here
        )

    def _judged_counters(self, here: CollectorRegistry) -> None:
        self._judged = Counter(
            "booked_orders_judged",
            "Paid orders, five minutes after news of them: whether they were booked or parked by then.",
            ["result"],
            registry=here,
        )
        for result in ("in_time", "late", "without_budget"):
            self._judged.labels(result)
        self._documents = Counter(
            "booked_documents_made",
            "Documents made in ledgers, told after five minutes.",
            ["kind", "currency"],
            registry=here,
        )
        self._documents_money = Counter(
            "booked_documents_money",
            "What these documents come to, in units of their currency.",
            ["kind", "currency"],
            registry=here,
        )

    def _connection_gauges(self, here: CollectorRegistry) -> None:
        self._connections = Gauge("booked_connections", "Active connections.", registry=here)
        self._stopped_count = Gauge("booked_connections_stopped", "Connections that need a person.", registry=here)
        self._stopped = Gauge(
            "booked_connection_stopped",
            "1 where a connection needs a person, with the cause; of the twenty stopped last.",
            ["connection", "cause"],
            registry=here,
        )
        self._unserved = Gauge(
            "booked_lanes_unserved",
            "Lanes with due work and budget that nobody has leased for ten seconds.",
            registry=here,
        )
        self._token_age = Gauge(
            "booked_token_age_seconds", "Age of the access token; the twenty oldest.", ["connection"], registry=here
        )
        self._not_renewed = Gauge(
            "booked_token_not_renewed_seconds",
            "Age of access tokens of more than two hours, of connections with due orders; the twenty oldest.",
            ["connection"],
            registry=here,
        )

    def _budget_gauges(self, here: CollectorRegistry) -> None:
        named = ["connection"]
        self._daily_left = Gauge(
            "booked_daily_calls_left",
            "Calls left of the ledger's day; of the twenty connections that need somebody most.",
            named,
            registry=here,
        )
        self._left_in_all = Gauge("booked_daily_calls_left_in_all", "The same of all connections.", registry=here)
        self._resets = Gauge(
            "booked_budget_resets_at_seconds", "When the ledger's day ends (unix); of the same.", named, registry=here
        )
        self._runs_out = Gauge(
            "booked_budget_runs_out_at_seconds",
            "When live orders have to stop if the day goes on as it went (unix); absent where the day ends first.",
            named,
            registry=here,
        )
        self._running_out = Gauge(
            "booked_connections_running_out", "Connections whose calls end before the day does.", registry=here
        )
        self._waiting = Gauge(
            "booked_orders_waiting_for_budget",
            "Live orders that wait for the ledger's next day; of the same connections.",
            named,
            registry=here,
        )
        self._waiting_in_all = Gauge(
            "booked_orders_waiting_for_budget_in_all", "The same of all connections.", registry=here
        )
        self._needed = Gauge(
            "booked_daily_calls_needed",
            "Calls a day that would have done for the orders that wait too; of the same connections.",
            named,
            registry=here,
        )

    def _shop_gauges(self, here: CollectorRegistry) -> None:
        self._parked = Gauge(
            "booked_shop_parked", "Parked orders of a shop; the twenty with the most.", ["shop"], registry=here
        )
        self._shop_oldest = Gauge(
            "booked_shop_oldest_unbooked_seconds",
            "Age of a shop's oldest paid order as above; the twenty oldest.",
            ["shop"],
            registry=here,
        )
        self._parked_money = Gauge(
            "booked_parked_money",
            "What the parked orders come to, in units of the currency.",
            ["currency"],
            registry=here,
        )

    def _money_gauges(self, here: CollectorRegistry) -> None:
        labels = ["connection", "shop", "currency"]
        self._unexplained = Gauge(
            "booked_money_unexplained",
            "Money between shop and ledger that the last `booked reconcile` could not explain; the twenty largest.",
            labels,
            registry=here,
        )
        self._unexplained_in_all = Gauge(
            "booked_money_unexplained_in_all", "The same of all shops; should be 0.", ["currency"], registry=here
        )
        self._compared_at = Gauge(
            "booked_reconcile_last_success_seconds",
            "When `booked reconcile` last came to its end for these shops (unix).",
            labels,
            registry=here,
        )
        self._doubles = Gauge(
            "booked_doubles_found",
            "Second documents of an order, found by the newest `booked reconcile` of each connection; should be 0.",
            registry=here,
        )

    def _replay_gauges(self, here: CollectorRegistry) -> None:
        self._replayed = Gauge(
            "booked_replay_last_success_seconds",
            "When `booked replay` last came to its end (unix); 0 before the first time.",
            registry=here,
        )
        self._replay_missing = Gauge(
            "booked_replay_missing", "Records found missing by the replays of the last 30 days.", registry=here
        )
        self._replay_lag = Gauge(
            "booked_replay_lag_records", "Records the intake had not taken when the last replay began.", registry=here
        )
        self._replay_unverified = Gauge(
            "booked_replay_unverified_ranges", "Ranges that the last replay could not verify.", registry=here
        )
        self._difference = Gauge(
            "booked_completeness_difference", "Paid orders that are told of and not recorded.", registry=here
        )

    def _cleaning_gauges(self, here: CollectorRegistry) -> None:
        self._snapshot = Gauge(
            "booked_oldest_snapshot_seconds", "Age of the database's oldest transaction.", registry=here
        )
        self._dead_rows = Gauge(
            "booked_dead_rows",
            "Rows that wait for vacuum, of a table that changes with every order.",
            ["table"],
            registry=here,
        )
        self._prepared = Gauge(
            "booked_prepared_transaction_seconds", "Age of the database's oldest prepared transaction.", registry=here
        )
        self._idle_slots = Gauge("booked_idle_slots", "Replication slots that nobody reads.", registry=here)

    def show(self, figures: Figures, read_at: float) -> None:
        """Take over the database's figures; ``read_at`` in seconds since 1970."""
        _fill(self._orders, {(state.value,): figures.orders_by_state.get(state.value, 0) for state in OrderState})
        self._oldest.set(figures.oldest_unbooked_seconds)
        self._oldest_with_budget.set(figures.oldest_with_budget_seconds)
        self._outbox.labels("waiting").set(figures.outbox_waiting)
        self._outbox.labels("set_aside").set(figures.outbox_set_aside)
        self._rejected.set(figures.rejected_open)
        self._gaps.set(figures.gaps_open)
        self._show_judged(figures.judgement)
        self._show_connections(figures.connections)
        self._show_budgets(figures.connections, read_at)
        self._show_shops(figures.shops, read_at)
        self._show_replay(figures, read_at)
        self._snapshot.set(figures.oldest_snapshot_seconds)
        _fill(self._dead_rows, {(table,): rows for table, rows in figures.cleaning.dead_rows.items()})
        self._prepared.set(figures.cleaning.prepared_seconds)
        self._idle_slots.set(figures.cleaning.idle_slots)
        self.figures_age.set(read_at)

    def _show_judged(self, judgement: Judgement) -> None:
        self._judged.labels("in_time").inc(judgement.in_time)
        self._judged.labels("late").inc(judgement.late)
        self._judged.labels("without_budget").inc(judgement.without_budget)
        for made in judgement.made:
            labels = (made.kind, self._currency(made.currency))
            self._documents.labels(*labels).inc(made.documents)
            # A credit note's total is positive; a document never comes to less than nothing.
            self._documents_money.labels(*labels).inc(max(0.0, float(made.total)))

    def _show_connections(self, figures: ConnectionFigures) -> None:
        self._connections.set(figures.connections)
        self._stopped_count.set(figures.stopped_count)
        _fill(self._stopped, dict.fromkeys(figures.stopped.items(), 1))
        self._unserved.set(figures.lanes_unserved)
        _fill(self._token_age, {(name,): age for name, age in figures.token_age_seconds.items()})
        _fill(self._not_renewed, {(name,): age for name, age in figures.tokens_not_renewed.items()})

    def _show_budgets(self, figures: ConnectionFigures, read_at: float) -> None:
        of = {(budget.connection_id,): budget for budget in figures.budgets}
        _fill(self._daily_left, {name: budget.calls_left for name, budget in of.items()})
        self._left_in_all.set(figures.calls_left)
        _fill(self._resets, _later(read_at, {name: budget.resets_seconds for name, budget in of.items()}))
        _fill(self._runs_out, _later(read_at, {name: budget.runs_out_seconds for name, budget in of.items()}))
        self._running_out.set(figures.running_out)
        _fill(self._waiting, {name: budget.waiting for name, budget in of.items()})
        self._waiting_in_all.set(figures.waiting)
        _fill(self._needed, {name: budget.needed for name, budget in of.items()})

    def _show_shops(self, figures: ShopFigures, read_at: float) -> None:
        parked: dict[tuple[str, ...], float] = {}
        for one in figures.parked:
            parked[one.shop_id,] = parked.get((one.shop_id,), 0) + one.orders
        _fill(self._parked, parked)
        _fill(self._shop_oldest, {(shop,): age for shop, age in figures.oldest_unbooked_seconds.items()})
        _fill(self._parked_money, self._by_currency({c: float(total) for c, total in figures.parked_totals.items()}))
        compared = {(one.connection_id, one.shop_id, one.currency): one for one in figures.compared}
        _fill(self._unexplained, {place: float(one.unexplained) for place, one in compared.items()})
        _fill(self._compared_at, {place: read_at - one.age_seconds for place, one in compared.items()})
        in_all = {currency: float(amount) for currency, amount in figures.unexplained.items()}
        _fill(self._unexplained_in_all, self._by_currency(in_all))
        self._doubles.set(figures.doubles)

    def _show_replay(self, figures: Figures, read_at: float) -> None:
        succeeded = figures.replay.success_age_seconds
        self._replayed.set(0 if succeeded is None else read_at - succeeded)
        self._replay_missing.set(figures.replay.missing)
        self._replay_lag.set(figures.replay.lag)
        self._replay_unverified.set(figures.replay.unverified)
        self._difference.set(figures.replay.difference)

    def _by_currency(self, amounts: Mapping[str, float]) -> dict[tuple[str, ...], float]:
        summed: dict[tuple[str, ...], float] = {}
        for currency, amount in amounts.items():
            name = (self._currency(currency),)
            summed[name] = summed.get(name, 0.0) + amount
        return summed

    def _currency(self, currency: str) -> str:
        """Name a currency, the first thirty that were seen; an event may bring any three letters."""
        if currency not in self._named and len(self._named) < CURRENCIES_MAX:
            self._named.add(currency)
        return currency if currency in self._named else "other"

    def text(self) -> bytes:
        """Give the exposition text."""
        return generate_latest(self.registry)


def _fill(gauge: Gauge, values: Mapping[tuple[str, ...], float]) -> None:
    """Show these values, and nothing of what is no longer true."""
    gauge.clear()
    for labels, value in values.items():
        gauge.labels(*labels).set(value)


def _later(read_at: float, seconds: Mapping[tuple[str, ...], float | None]) -> dict[tuple[str, ...], float]:
    return {name: read_at + value for name, value in _told(seconds.items())}


def _told(items: Iterable[tuple[tuple[str, ...], float | None]]) -> Iterable[tuple[tuple[str, ...], float]]:
    return ((name, value) for name, value in items if value is not None)
