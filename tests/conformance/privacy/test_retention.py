"""The retention removes what is old, keeps what is needed, and may be begun again at any step."""

from consumer.domain.states import OrderState, Priority
from consumer.ports.privacy import DayTable, RetentionStore, Thinned
from consumer.services.retention import Retention, RetentionReport, Terms
from tests.conformance.intake.making import CANCELLED, NOON, UPDATED, key, taken, unreadable
from tests.conformance.lanes.bench import Bench
from tests.conformance.lanes.scenes import open_books
from tests.conformance.privacy.making import (
    ANNA,
    BEN,
    LINES,
    book,
    content,
    days_pass,
    layout,
    of,
    raw_events,
    with_bytes,
)

TERMS = Terms()


async def run(store: RetentionStore, *, dry_run: bool = False, terms: Terms = TERMS) -> RetentionReport:
    """Run the retention once, to its end."""
    return await Retention(store=store, terms=terms, dry_run=dry_run).run()


async def one_of_each(bench: Bench) -> None:
    """Book order 1, let order 2 be due, and reject a message."""
    await open_books(bench)
    await bench.intake.record([with_bytes(of(ANNA, "1", 0))])
    await book(bench, "1")
    await bench.intake.record([with_bytes(of(BEN, "2", 1)), unreadable(2)])


async def test_a_settled_orders_content_goes_and_its_lines_stay(bench: Bench, retention: RetentionStore) -> None:
    """After 400 days without an event, and not a day before; an order that is due keeps all of it."""
    await one_of_each(bench)
    await days_pass(bench, 399)
    assert (await run(retention)).removed["order_contents"] == 0
    await days_pass(bench, 2)
    report = await run(retention)
    assert (report.removed["order_contents"], report.unsettled) == (1, 1)
    settled, due = await bench.bookings.read(key("1")), await bench.bookings.read(key("2"))
    assert settled is not None
    assert due is not None
    assert (settled.content, settled.personal_removed, settled.state) == (None, True, OrderState.BOOKED)
    assert due.content == content(BEN)
    kept = await layout(bench, key("1"))
    assert kept is not None
    assert (kept["lines"], kept["totals"]) == ([LINES[0]], {"grand_total": "12.30"})
    assert (await run(retention)).removed["order_contents"] == 0


async def test_the_story_answers_as_long(bench: Bench, retention: RetentionStore) -> None:
    """What was decided, with its figures, and the lines, after everything of a person is gone."""
    await one_of_each(bench)
    await days_pass(bench, 3000)
    await run(retention)
    story = await bench.people.story(key("1"))
    assert story is not None
    kinds = {line.kind for line in story.lines}
    assert kinds >= {"decision", "intent"}
    assert not kinds & {"event", "exchange"}
    assert story.layout is not None
    assert story.layout["lines"] == [LINES[0]]
    assert story.order.documents[0].layout == ("one line",)
    assert "Anna" not in repr(story)
    await days_pass(bench, 700)
    report = await run(retention)
    assert (report.removed["decisions"], report.removed["intents"], report.removed["order_layouts"]) == (1, 1, 1)
    assert await layout(bench, key("1")) is None
    # The row stays: the order that comes once more is known, and not booked twice.
    again = await bench.intake.record([with_bytes(of(ANNA, "1", 7))])
    assert not again.woken


async def test_what_is_still_needed_is_never_removed(bench: Bench, retention: RetentionStore) -> None:
    """Messages that wait, open rejections, what is due: however old it is."""
    await one_of_each(bench)
    waiting = len(await bench.told())
    await days_pass(bench, 5000)
    report = await run(retention)
    assert report.removed["outbox"] == 0
    assert len(await bench.told()) == waiting
    assert (report.removed["rejected"], report.removed["rejected_bytes"]) == (0, 1)
    due = await bench.bookings.read(key("2"))
    assert due is not None
    assert (due.state, due.content) == (OrderState.DUE, content(BEN))


async def test_a_dry_run_counts_and_changes_nothing(bench: Bench, retention: RetentionStore) -> None:
    """It counts what the run after it then removes."""
    await one_of_each(bench)
    await days_pass(bench, 5000)
    dry = await run(retention, dry_run=True)
    assert await retention.count(Thinned.DECISIONS, TERMS.legal_days) == 1
    wet = await run(retention)
    # Of what a run takes in two steps (words first, then all of it) the second does not count the first.
    assert {name: n for name, n in dry.removed.items() if n and name != "order_layouts"} == {
        name: n for name, n in wet.removed.items() if n and name != "order_layouts"
    }
    assert wet.removed["order_contents"] == 1


async def test_steps_are_bounded(bench: Bench, retention: RetentionStore) -> None:
    """One statement removes no more rows than it is told."""
    await open_books(bench)
    await bench.intake.record([unreadable(offset) for offset in range(3)])
    await days_pass(bench, 91)
    assert await retention.thin(Thinned.REJECTED_BYTES, 90, 2) == 2
    assert await retention.thin(Thinned.REJECTED_BYTES, 90, 2) == 1
    assert await retention.thin(Thinned.REJECTED_BYTES, 90, 2) == 0


async def test_no_young_day_is_ever_dropped(bench: Bench, retention: RetentionStore) -> None:
    """Whoever asks, and for whatever term."""
    await one_of_each(bench)
    today = f"events_{NOON:%Y%m%d}"
    assert not await retention.drop_day(DayTable.EVENTS, today, 0)
    assert not await retention.drop_day(DayTable.EVENTS, "orders", 30)
    assert await raw_events(bench, key("1")) == [content(ANNA)]


async def test_a_newer_revision_of_a_blanked_order_brings_its_content(bench: Bench, retention: RetentionStore) -> None:
    """Refunds and changes come with the whole order: all is there again to book them by."""
    await one_of_each(bench)
    await days_pass(bench, 500)
    await run(retention)
    changed = of(ANNA, "1", 8, version=2, place=UPDATED, data={"note": "changed"})
    await bench.intake.record([with_bytes(changed)])
    after = await bench.bookings.read(key("1"))
    assert after is not None
    assert (after.state, after.personal_removed) == (OrderState.DUE, False)
    assert after.content is not None


async def test_a_bare_cancellation_of_a_blanked_order_is_due_without_content(
    bench: Bench, retention: RetentionStore
) -> None:
    """Taking an invoice down needs its figures alone, which are kept."""
    await one_of_each(bench)
    await days_pass(bench, 500)
    await run(retention)
    await bench.intake.put_in([taken(key("1"), 9, 3, place=CANCELLED)], priority=Priority.LIVE)
    after = await bench.bookings.read(key("1"))
    assert after is not None
    assert (after.state, after.personal_removed, after.facts.cancelled) == (OrderState.DUE, True, True)
