"""The retention: what is old enough is removed, in short steps that may be stopped at any moment and begun again."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from consumer.domain.orders import OrderKey
from consumer.ports.privacy import DayTable, RetentionStore, Thinned

ROWS_AT_ONCE = 2000  # of one statement: its locks are held for some milliseconds
DAYS_AHEAD = 7
DAYS_A_YEAR = 365.25


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """How many days each kind of data is kept; ``legal_days`` holds for what the law asks for, without people in it."""

    events_days: int = 30
    exchanges_days: int = 30
    outbox_days: int = 7
    rejected_days: int = 90
    personal_days: int = 400
    audit_days: int = 730
    legal_days: int = 3653

    def rows(self) -> tuple[tuple[Thinned, int], ...]:
        """Give what is removed row by row, with its days."""
        return (
            (Thinned.EVENTS_REST, self.events_days),
            (Thinned.EXCHANGES_REST, self.exchanges_days),
            (Thinned.OUTBOX, self.outbox_days),
            (Thinned.REJECTED, self.rejected_days),
            (Thinned.REJECTED_BYTES, self.rejected_days),
            (Thinned.CONTACTS, self.exchanges_days),
            (Thinned.INTENT_WORDS, self.personal_days),
            (Thinned.AUDIT, self.audit_days),
            (Thinned.DECISIONS, self.legal_days),
            (Thinned.INTENTS, self.legal_days),
        )


@dataclass(slots=True, kw_only=True)
class RetentionReport:
    """What one run has done, or would do."""

    days_made: int = 0
    days_dropped: list[str] = field(default_factory=list)
    days_busy: list[str] = field(default_factory=list)  # somebody was reading them: the next run drops them
    bytes_freed: int = 0
    removed: Counter[str] = field(default_factory=Counter)
    unsettled: int = 0

    def plain(self) -> Mapping[str, object]:
        """Give it as plain data."""
        return {
            "days_made": self.days_made,
            "days_dropped": self.days_dropped,
            "days_busy": self.days_busy,
            "bytes_freed": self.bytes_freed,
            "removed": dict(self.removed),
            "unsettled_orders_kept": self.unsettled,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """One run. ``step`` is called after each short step, so that who watches sees that it goes on."""

    store: RetentionStore
    terms: Terms
    dry_run: bool = False
    step: Callable[[str], None] = lambda _: None

    async def run(self) -> RetentionReport:
        """Make the days to come, drop the old ones, thin the tables, and take the content of settled orders.

        Raises DatabaseUnavailableError; what was done until then stays done, and another run goes on from there.
        """
        report = RetentionReport()
        if not self.dry_run:
            report.days_made = await self.store.make_days(DAYS_AHEAD)
        await self._days(DayTable.EVENTS, self.terms.events_days, report)
        await self._days(DayTable.EXCHANGES, self.terms.exchanges_days, report)
        for what, days in self.terms.rows():
            await self._rows(what, days, report)
        await self._orders(report)
        return report

    async def _days(self, table: DayTable, keep_days: int, report: RetentionReport) -> None:
        for day in await self.store.old_days(table, keep_days):
            if not self.dry_run and not await self.store.drop_day(table, day.name, keep_days):
                report.days_busy.append(day.name)
                continue
            report.days_dropped.append(day.name)
            report.bytes_freed += day.size
            self.step(day.name)

    async def _rows(self, what: Thinned, keep_days: int, report: RetentionReport) -> None:
        if self.dry_run:
            report.removed[what.value] = await self.store.count(what, keep_days)
            return
        report.removed[what.value] = 0
        while done := await self.store.thin(what, keep_days, ROWS_AT_ONCE):
            report.removed[what.value] += done
            self.step(what.value)

    async def _orders(self, report: RetentionReport) -> None:
        after: OrderKey | None = None
        report.removed["order_contents"] = report.removed["order_layouts"] = 0
        while True:
            page = await self.store.blank_orders(
                keep_days=self.terms.personal_days,
                legal_days=self.terms.legal_days,
                after=after,
                limit=ROWS_AT_ONCE,
                dry_run=self.dry_run,
            )
            report.removed["order_contents"] += page.blanked
            report.removed["order_layouts"] += page.layouts
            report.unsettled += page.unsettled
            if page.last is None:
                return
            after = page.last
            self.step("orders")
