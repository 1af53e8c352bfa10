"""Scenarios of the stores of the intake, of people, of the replay, of the watch, and of the settings."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from consumer.domain.asking import Mark
from consumer.domain.completeness import PaidOrder, Source, Sums, Tally, Window
from consumer.domain.events import Origin
from consumer.domain.records import Note
from consumer.domain.states import Ask, OrderState, Priority, ReasonCode
from consumer.domain.watching import Found, Verdict
from consumer.ports.intake import Gap
from consumer.ports.rejected import RejectedFilter, RejectedState
from consumer.ports.replay import Progress, RunFigures, Woken
from consumer.ports.settings import CleaningFigures, Figures
from consumer.ports.watch import Notice
from tests.conformance.intake.making import CANCELLED, PAID, UPDATED, taken, tombstone, unreadable
from tests.conformance.lanes.scenes import invoice, news
from tests.transactions.scenarios.lanes import HALF_AN_HOUR
from tests.transactions.scenarios.scenario import Call, Scenario, rewritten
from tests.transactions.scene import (
    BOOKS,
    LEASE,
    ORDERS,
    RELAY,
    REPLAY,
    WROTE,
    Stores,
    connections,
    listed,
    order,
    shops,
)

NEXT = len(ORDERS) + 2  # the first offset of the scene's partition that was not taken
STUCK_SECONDS = 600.0
WINDOW = Window("north", Source.TOPIC, "2026-03-02", "EUR")
TALLY = Tally(
    sums={WINDOW: Sums(told_count=1, told_sum=Decimal("12.30"))},
    unrecorded=[PaidOrder(order("due2"), WINDOW, Decimal("12.30"))],
)
FIGURES = RunFigures(whole=True, records=1, missing=0, lag=0, unverified=0, woken=0, details={})
EDITED = Notice(
    key=order("booked"),
    connection_id=BOOKS,
    change=1,
    judged_until=WROTE,
    verdict=Verdict(
        found=Found.EDITED,
        document=invoice(ledger_id="46booked", reference="booked", ledger_modified_at=WROTE, status="sent"),
        noticed_at=WROTE + timedelta(hours=1),
        note=Note(decision="edited"),
    ),
    announcement=news(b"edited"),
)
GONE = Notice(
    key=order("booked"),
    connection_id=BOOKS,
    change=1,
    judged_until=WROTE,
    verdict=Verdict(
        found=Found.DELETED,
        document=invoice(ledger_id="46booked", reference="booked", ledger_modified_at=WROTE, live=False),
        noticed_at=WROTE + timedelta(hours=1),
        gone=True,
    ),
    contact_moved_from="c-1",
)


def _wake_without(*queries: tuple[str, str]) -> Call:
    """Wake what is stuck while somebody holds the rows that these queries look for."""

    async def wake(stores: Stores) -> Woken:
        for query, condition in queries:
            stores.replay._sql = rewritten(stores.replay._sql, query, condition, f"false AND {condition}")
        return await stores.replay.wake_stuck(STUCK_SECONDS)

    return wake


_DEAD = ("end_dead_leases", "owner IS NOT NULL")
_FORGOTTEN = ("lock_forgotten", "o.due_at IS NULL")

INTAKE = (
    Scenario(method="IntakeStore.positions", call=lambda s: s.intake.positions([PAID])),
    Scenario(
        method="IntakeStore.record",
        variant="new, newer, rejected",
        call=lambda s: s.intake.record(
            [taken(order("new"), NEXT), taken(order("due2"), NEXT + 1, 2), unreadable(NEXT + 2)]
        ),
    ),
    Scenario(
        method="IntakeStore.record",
        variant="another partition",
        call=lambda s: s.intake.record([taken(order("new"), 1, 2, place=UPDATED), tombstone(2, place=UPDATED)]),
    ),
    Scenario(
        method="IntakeStore.record",
        variant="cancelled",
        call=lambda s: s.intake.record(
            [taken(order("open"), 0, 2, place=CANCELLED), taken(order("booked"), 1, 2, place=CANCELLED)]
        ),
    ),
    Scenario(
        method="IntakeStore.put_in",
        call=lambda s: s.intake.put_in(
            [taken(order("new"), NEXT), taken(order("due1"), NEXT + 3, 3)], priority=Priority.BACKFILL
        ),
    ),
    Scenario(method="IntakeStore.begin_log", call=lambda s: s.intake.begin_log(PAID, 0)),
    Scenario(
        method="IntakeStore.record_gap",
        call=lambda s: s.intake.record_gap(
            Gap(place=PAID, log=1, from_offset=NEXT, to_offset=NEXT + 5, cause="cut_by_retention")
        ),
    ),
    Scenario(method="IntakeStore.begin_log", variant="first", call=lambda s: s.intake.begin_log(CANCELLED, 1)),
    Scenario(
        method="IntakeStore.record_gap",
        variant="first",
        call=lambda s: s.intake.record_gap(
            Gap(place=CANCELLED, log=1, from_offset=0, to_offset=1, cause="cut_by_retention")
        ),
    ),
    Scenario(method="IntakeStore.set_position", call=lambda s: s.intake.set_position(PAID, NEXT + 9, "ada")),
    Scenario(method="IntakeStore.set_position", variant="back", call=lambda s: s.intake.set_position(PAID, 3, "ada")),
    Scenario(
        method="IntakeStore.set_position", variant="first", call=lambda s: s.intake.set_position(CANCELLED, 3, "ada")
    ),
    Scenario(method="IntakeStore.note_committed_ahead", call=lambda s: s.intake.note_committed_ahead([PAID])),
    Scenario(method="OrderReader.states", call=lambda s: s.orders.states([order(name) for name in ORDERS])),
)

OUTBOX = (
    Scenario(method="OutboxStore.lease", call=lambda s: s.outbox.lease("one", HALF_AN_HOUR)),
    Scenario(method="OutboxStore.lease", variant="another's", call=lambda s: s.outbox.lease("two", HALF_AN_HOUR)),
    Scenario(method="OutboxStore.give_back", call=lambda s: s.outbox.give_back(RELAY)),
    Scenario(method="OutboxStore.waiting", call=lambda s: s.outbox.waiting(RELAY, 10, ["north/due1"])),
    Scenario(method="OutboxStore.mark_sent", call=lambda s: s.outbox.mark_sent([3, 1, 2])),
    Scenario(method="OutboxStore.mark_sent", variant="backwards", call=lambda s: s.outbox.mark_sent([1, 3, 2])),
    Scenario(method="OutboxStore.set_aside", call=lambda s: s.outbox.set_aside(1, "too large")),
    Scenario(method="OutboxStore.depth", call=lambda s: s.outbox.depth()),
)

PEOPLE = (
    Scenario(
        method="PeopleStore.ask",
        call=lambda s: s.people.ask(order("held"), Ask.GENERATE, actor="ada", note="now"),
    ),
    Scenario(
        method="PeopleStore.ask",
        variant="delete",
        call=lambda s: s.people.ask(order("booked"), Ask.DELETE, actor="ada"),
    ),
    Scenario(
        method="PeopleStore.mark", variant="hold", call=lambda s: s.people.mark(order("due1"), Mark.HOLD, actor="ada")
    ),
    Scenario(
        method="PeopleStore.mark",
        variant="retry",
        call=lambda s: s.people.mark(order("taxed"), Mark.RETRY, actor="ada"),
    ),
    Scenario(method="PeopleStore.groups", call=lambda s: s.people.groups(OrderState.PARKED)),
    Scenario(
        method="PeopleStore.release",
        call=lambda s: s.people.release(actor="ada", shop_id="north", reason=ReasonCode.HELD, limit=10),
    ),
    Scenario(
        method="PeopleStore.release",
        variant="all",
        call=lambda s: s.people.release(actor="ada", shop_id="north", limit=100),
    ),
    Scenario(
        method="PeopleStore.retry_closed", call=lambda s: s.people.retry_closed(older_than_seconds=60.0, limit=10)
    ),
    Scenario(method="PeopleStore.newest_unbooked", call=lambda s: s.people.newest_unbooked("north", 20)),
    Scenario(method="PeopleStore.story", call=lambda s: s.people.story(order("open"))),
    Scenario(
        method="PeopleStore.note", call=lambda s: s.people.note(actor="ada", action="looked", details={"at": "it"})
    ),
)

REJECTED = (
    Scenario(method="RejectedStore.find", call=lambda s: s.rejected.find(RejectedFilter(), 10)),
    Scenario(method="RejectedStore.read", call=lambda s: s.rejected.read(1)),
    Scenario(
        method="RejectedStore.settle",
        call=lambda s: s.rejected.settle(1, RejectedState.RETRIED, actor="ada", note="fixed"),
    ),
    Scenario(
        method="RejectedStore.settle",
        variant="dropped",
        call=lambda s: s.rejected.settle(1, RejectedState.DROPPED, actor="bob"),
    ),
    Scenario(
        method="RejectedStore.still_bad",
        call=lambda s: s.rejected.still_bad(1, "json_malformed", "Still.", actor="ada"),
    ),
)

REPLAYING = (
    Scenario(method="ReplayStore.lease", call=lambda s: s.replay.lease("one", HALF_AN_HOUR)),
    Scenario(method="ReplayStore.lease", variant="another's", call=lambda s: s.replay.lease("two", HALF_AN_HOUR)),
    Scenario(method="ReplayStore.give_back", call=lambda s: s.replay.give_back(REPLAY)),
    Scenario(method="ReplayStore.now", call=lambda s: s.replay.now()),
    Scenario(method="ReplayStore.held", call=lambda s: s.replay.held([order("due1"), order("new"), order("booked")])),
    Scenario(
        method="ReplayStore.rejected_before",
        call=lambda s: s.replay.rejected_before(
            [Origin(topic="order.paid", log=1, partition=0, offset=place) for place in (len(ORDERS), NEXT + 2)]
        ),
    ),
    Scenario(method="ReplayStore.progress", call=lambda s: s.replay.progress([PAID])),
    Scenario(
        method="ReplayStore.advance",
        call=lambda s: s.replay.advance(REPLAY, PAID, Progress(log=1, next_offset=5), TALLY),
    ),
    Scenario(method="ReplayStore.settle_unrecorded", call=lambda s: s.replay.settle_unrecorded(REPLAY)),
    Scenario(method="ReplayStore.completeness", call=lambda s: s.replay.completeness("2026-01-01")),
    Scenario(method="ReplayStore.unrecorded", call=lambda s: s.replay.unrecorded(10)),
    Scenario(method="ReplayStore.open_gaps", call=lambda s: s.replay.open_gaps(10)),
    Scenario(method="ReplayStore.close_gaps", call=lambda s: s.replay.close_gaps(REPLAY, [1])),
    Scenario(
        method="ReplayStore.wake_stuck",
        call=lambda s: s.replay.wake_stuck(STUCK_SECONDS),
        instead=(_wake_without(_DEAD), _wake_without(_FORGOTTEN), _wake_without(_DEAD, _FORGOTTEN)),
    ),
    Scenario(method="ReplayStore.day_budgets", call=lambda s: s.replay.day_budgets()),
    Scenario(method="ReplayStore.save_run", call=lambda s: s.replay.save_run(REPLAY, WROTE, FIGURES)),
)

WATCH = (
    Scenario(method="WatchStore.state", call=lambda s: s.watch.state(BOOKS)),
    Scenario(method="WatchStore.first_cursor", call=lambda s: s.watch.first_cursor(BOOKS, 10)),
    Scenario(method="WatchStore.save_look", call=lambda s: s.watch.save_look(BOOKS, cursor=WROTE, covered_since=WROTE)),
    Scenario(method="WatchStore.plan", call=lambda s: s.watch.plan(LEASE, HALF_AN_HOUR)),
    Scenario(method="WatchStore.known", call=lambda s: s.watch.known(BOOKS, ["46booked", "46open"])),
    Scenario(method="WatchStore.by_reference", call=lambda s: s.watch.by_reference(BOOKS, ["booked", "open"])),
    Scenario(method="WatchStore.suspicion", call=lambda s: s.watch.suspicion(order("open"), "46open")),
    Scenario(method="WatchStore.notice", variant="edited", call=lambda s: s.watch.notice(EDITED)),
    Scenario(method="WatchStore.notice", variant="gone", call=lambda s: s.watch.notice(GONE)),
    Scenario(method="WatchStore.tell", call=lambda s: s.watch.tell(order("booked"), 1, Note(decision="told"))),
    Scenario(method="WatchStore.put_off", call=lambda s: s.watch.put_off(BOOKS, [listed("46b"), listed()])),
    Scenario(method="WatchStore.put_off_rows", call=lambda s: s.watch.put_off_rows(BOOKS, 10)),
    Scenario(
        method="WatchStore.settle",
        call=lambda s: s.watch.settle(BOOKS, ["46b", "46booked"]),
        # A row that is put there at this moment is left: what it tells of is judged once more, and changes nothing.
        instead=(lambda s: s.watch.settle(BOOKS, ["46booked"]),),
    ),
    Scenario(method="WatchStore.seen", call=lambda s: s.watch.seen(BOOKS, ["46booked", "46open"])),
    Scenario(method="WatchStore.begin_sweep", call=lambda s: s.watch.begin_sweep(BOOKS)),
    Scenario(method="WatchStore.save_sweep", call=lambda s: s.watch.save_sweep(BOOKS, 3)),
    Scenario(method="WatchStore.missing", call=lambda s: s.watch.missing(BOOKS, 10)),
)


async def _figures(stores: Stores) -> Figures:
    """Read the figures, without those of the server itself: dead rows are not the doing of the two methods alone."""
    return replace(await stores.figures.figures(), cleaning=CleaningFigures())


SETTINGS = (
    Scenario(method="SettingsStore.connections", call=lambda s: s.settings.connections()),
    Scenario(method="SettingsStore.shops", call=lambda s: s.settings.shops()),
    Scenario(
        method="SettingsStore.apply",
        variant="switched off",
        call=lambda s: s.settings.apply(connections(), shops(automatic=False), actor="ada", dry_run=False),
    ),
    Scenario(
        method="SettingsStore.apply",
        variant="other limits",
        call=lambda s: s.settings.apply(connections(calls_per_window=7), shops(), actor="bob", dry_run=False),
    ),
    Scenario(
        method="SettingsStore.apply",
        variant="only told",
        call=lambda s: s.settings.apply(connections(), shops(automatic=False), actor="ada", dry_run=True),
    ),
    Scenario(method="FiguresStore.figures", call=_figures),
    Scenario(method="HealthStore.ping", call=lambda s: s.health.ping()),
    Scenario(method="HealthStore.schema_version", call=lambda s: s.health.schema_version()),
    Scenario(method="HealthStore.end_stalled_sessions", call=lambda s: s.health.end_stalled_sessions(HALF_AN_HOUR)),
)
