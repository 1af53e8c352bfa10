"""A comparison keeps within its share of the day, says where it stopped and goes on from there; lists do not fool it.

Orders are of 12.20 with 22 % VAT in it; the books give 200 documents a page unless a test makes the pages small.
"""

from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal

import pytest

from consumer.domain.events import EventKind
from consumer.domain.ledger import InvoiceStatus, Operation
from consumer.domain.reconciling.findings import Period
from consumer.errors import ConfigurationError
from consumer.ports.reconcile import ReplacedError
from tests.reconcile.comparing import MARCH, ComparedWorld, months, only, told
from tests.services.sync.virtual_time import run
from tests.services.sync.world import BOOKS, SHOP


async def _booked(world: ComparedWorld, count: int) -> list[str]:
    orders = [str(1001 + number) for number in range(count)]
    await world.set_up()
    await world.pay(*orders)
    async with world.process():
        await world.rest()
    return orders


def _day_of(world: ComparedWorld, calls: int) -> None:
    """Let the ledger have told that its day has so many calls, all of them left."""
    lane = world.database.lanes[BOOKS]
    lane.daily_limit = lane.daily_left = calls


def test_it_stops_at_its_share_and_goes_on_with_resume() -> None:
    """Of a day of 20 calls a tenth: the first page of two, one of the notes is left. Next day it goes on, not anew."""
    world = ComparedWorld()
    world.book.page_size = 2

    async def work() -> None:
        await _booked(world, 3)
        _day_of(world, 20)
        first = await world.compare()
        assert "2 of the day's 20 calls" in first.stopped
        assert "--resume" in first.stopped
        assert first.counts.calls == 2
        again = await world.compare(resume=True)
        assert (again.counts.calls, bool(again.stopped)) == (0, True)
        _day_of(world, 40)
        before = len(world.calls)
        last = await world.compare(resume=True)
        assert last.stopped == ""
        assert world.called()[before:] == ["list_credit_notes_dated"]
        assert (last.counts.orders, told(last)) == (3, [])

    run(work())


def test_what_was_read_by_its_id_is_not_read_again() -> None:
    """Three changed drafts have to be read; stopped after two of them, the next run reads the third alone."""
    world = ComparedWorld()

    async def work() -> None:
        orders = await _booked(world, 3)
        for order in orders:
            world.edit(order)
        _day_of(world, 40)
        first = await world.compare()
        assert (first.counts.reads, bool(first.stopped)) == (2, True)
        _day_of(world, 100)
        before = len(world.calls)
        last = await world.compare(resume=True)
        assert world.called()[before:] == ["read_invoice"]
        assert told(last) == []
        assert months(last) == [("2026-03", "22", "30.00", "6.60", "36.60", "30.00", "6.60", "36.60")]

    run(work())


def test_it_stops_where_the_days_backfill_stops() -> None:
    """With less than 30 % of the day left the lane's own work comes first, whatever the share would allow."""
    world = ComparedWorld()

    async def work() -> None:
        await _booked(world, 1)
        lane = world.database.lanes[BOOKS]
        lane.daily_limit, lane.daily_left = 1000, 290
        report = await world.compare()
        assert "day's budget" in report.stopped
        assert report.counts.listed == 0

    run(work())


def test_a_comparison_that_stopped_leaves_the_figures_of_the_one_before() -> None:
    """Half a comparison would show money that is only not looked at."""
    world = ComparedWorld()

    async def work() -> None:
        await _booked(world, 2)
        await world.compare()
        world.book.remove(world.invoice_of("1001").invoice_id)
        _day_of(world, 10)
        assert (await world.compare()).stopped
        assert world.database.reconcile.money[BOOKS, SHOP, "EUR"][0] == 0
        _day_of(world, 1000)
        await world.compare(resume=True)
        assert world.database.reconcile.money[BOOKS, SHOP, "EUR"][0] == Decimal("12.20")

    run(work())


def test_what_is_deleted_between_two_pages_makes_nothing_missing() -> None:
    """A stranger's invoice goes while the first page is answered: the list shifts over one of ours, which is read."""
    world = ComparedWorld()
    world.book.page_size = 2

    async def work() -> None:
        await _booked(world, 3)
        stranger = world.copy("1001", reference="PO-1")
        # The oldest of the list: what comes after it moves up by one.
        world.book.invoices = {stranger: world.book.invoices.pop(stranger), **world.book.invoices}

        def shift(operation: Operation) -> None:
            if operation.name == "list_invoices_dated" and stranger in world.book.invoices:
                world.book.remove(stranger)

        world.book.after = shift
        report = await world.compare()
        assert (report.counts.unlisted, report.counts.reads) == (1, 1)
        assert told(report) == []
        assert months(report) == [("2026-03", "22", "30.00", "6.60", "36.60", "30.00", "6.60", "36.60")]

    run(work())


def test_an_invoice_that_goes_after_it_was_listed_is_found_gone_when_it_is_read() -> None:
    """It was edited, so that it has to be read, and is deleted meanwhile."""
    world = ComparedWorld()

    async def work() -> None:
        await _booked(world, 1)
        world.edit("1001")
        invoice = world.invoice_of("1001").invoice_id

        def delete(operation: Operation) -> None:
            if operation.name == "list_credit_notes_dated":
                world.book.remove(invoice)

        world.book.after = delete
        found = only(await world.compare())
        assert (found.kind.value, found.about.value) == ("missing", "invoice")

    run(work())


def test_an_order_that_is_booked_while_it_is_compared_is_no_finding() -> None:
    """Its invoice stands on no page yet; what is recorded of it says where to look."""
    world = ComparedWorld()

    async def work() -> None:
        await _booked(world, 1)
        async with world.process():
            listed = await world.compared.begin(BOOKS, MARCH, resume=False)
            listed = await world.compared.save_page(listed, [], page=1, more=False)
            await world.compared.save_page(listed, [], page=1, more=False)
            await world.pay("1002")
            await world.rest()
        report = await world.compare(resume=True)
        assert told(report) == []
        assert report.counts.unlisted == 2

    run(work())


def test_days_without_orders_come_to_nothing() -> None:
    """Two calls, no row, and the figure is nought rather than missing."""
    world = ComparedWorld()

    async def work() -> None:
        await _booked(world, 1)
        report = await world.compare(Period(from_day=date(2025, 1, 1), to_day=date(2025, 1, 31)))
        assert (report.counts.calls, report.months, report.findings) == (2, (), ())
        assert report.unexplained == {(SHOP, "EUR"): 0}

    run(work())


def test_a_shop_of_another_connection_is_refused() -> None:
    """With the name of the option to look at."""
    world = ComparedWorld()

    async def work() -> None:
        await _booked(world, 1)
        with pytest.raises(ConfigurationError, match="--shop"):
            await world.compare(shop_id="elsewhere")

    run(work())


def test_of_two_comparisons_at_once_the_older_one_ends() -> None:
    """It would judge by a list that the newer one has dropped."""
    world = ComparedWorld()

    async def work() -> None:
        await _booked(world, 1)

        async def other() -> None:
            await world.compared.begin(BOOKS, MARCH, resume=False)

        before, pause = True, world.factory.pause

        async def begin_another() -> None:
            nonlocal before
            await pause()
            if before:
                before = False
                await other()

        world.factory.pause = begin_another
        with pytest.raises(ReplacedError):
            await world.compare()

    run(work())


def test_a_watched_change_of_the_same_total_is_read_only_when_asked_to() -> None:
    """Sent and touched by a person, noticed by the watch: the total proves the figures, unless --strict."""
    world = ComparedWorld()

    async def work() -> None:
        await _booked(world, 1)
        world.edit("1001", status=InvoiceStatus.SENT)
        moment = world.invoice_of("1001").modified_at
        assert isinstance(moment, datetime)
        documents = world.database.documents[world.order("1001").key]
        world.database.documents[world.order("1001").key] = [
            replace(one, status="sent", ledger_modified_at=moment) for one in documents
        ]
        world.database.watch_noticed[BOOKS, documents[0].ledger_id] = moment
        assert (await world.compare()).counts.reads == 0
        assert (await world.compare(strict=True)).counts.reads == 1

    run(work())


# ---- adopting ----


def test_adopting_hands_over_only_when_it_is_meant_and_nothing_is_made_twice() -> None:
    """A dry run leaves the order as it is; then the lane takes the document over, and makes none."""
    world = ComparedWorld()

    async def work() -> None:
        await _booked(world, 2)
        world.forget("1001")
        dry = await world.compare()
        assert (dry.counts.adoptable, dry.counts.adopted, world.order("1001").due_at) == (1, 0, None)
        meant = await world.compare(adopt=True, actor="tester")
        assert meant.counts.adopted == 1
        before = world.writes()
        async with world.process():
            await world.rest()
        assert world.writes() == before
        assert len(world.live("1001")) == 1
        assert told(await world.compare()) == []

    run(work())


def test_without_adopting_the_order_would_be_booked_a_second_time() -> None:
    """What the test above guards against, so that it could fail: nothing else here knows of the forgotten document."""
    world = ComparedWorld()

    async def work() -> None:
        await _booked(world, 1)
        world.forget("1001")
        row = world.order("1001")
        row.due_at, row.change = world.now(), row.change + 1
        world.database.lanes[BOOKS].next_due = world.now()
        async with world.process():
            await world.take("1001", EventKind.PAID, version=2, price="13.20")
            await world.rest()
        assert len(world.live("1001")) == 2

    run(work())


def test_a_document_that_is_not_the_orders_is_not_adopted() -> None:
    """Another total under our reference: the lane parks the order as already in the ledger, and touches nothing."""
    world = ComparedWorld()

    async def work() -> None:
        await _booked(world, 1)
        world.edit("1001", total=Decimal("99.00"))
        world.forget("1001")
        await world.compare(adopt=True, actor="tester")
        async with world.process():
            await world.rest()
        assert world.reason("1001") == "already_in_ledger"
        assert len(world.live("1001")) == 1

    run(work())


def test_a_sent_invoice_whose_order_was_refunded_since_is_adopted_with_its_credit_note() -> None:
    """The invoice has kept its 12.20, though the order comes to 8.20 now; neither document is made a second time."""
    world = ComparedWorld()

    async def work() -> None:
        await _booked(world, 1)
        world.book.set_status(world.invoice_of("1001").invoice_id, InvoiceStatus.SENT)
        async with world.process():
            await world.refund("1001", "4.00")
            await world.rest()
        assert len(world.book.credits.notes) == 1
        assert told(await world.compare()) == []
        world.forget("1001")
        report = await world.compare(adopt=True, actor="tester")
        assert told(report) == [("orphaned", "credit_note", "1001"), ("orphaned", "invoice", "1001")]
        before = world.writes()
        async with world.process():
            await world.rest()
        assert world.writes() == before
        assert told(await world.compare()) == []

    run(work())


def test_a_refund_counts_with_its_credit_note() -> None:
    """12.20 sold, 4.00 given back: 10.00 + 2.20 less 3.28 + 0.72, on both sides."""
    world = ComparedWorld()

    async def work() -> None:
        await _booked(world, 1)
        world.book.set_status(world.invoice_of("1001").invoice_id, InvoiceStatus.SENT)
        async with world.process():
            await world.refund("1001", "4.00")
            await world.rest()
        report = await world.compare()
        assert months(report) == [("2026-03", "22", "6.72", "1.48", "8.20", "6.72", "1.48", "8.20")]

    run(work())


def test_a_refund_without_its_credit_note_is_missing() -> None:
    """Somebody deleted the credit note: the shop gave 4.00 back, of which the ledger knows nothing."""
    world = ComparedWorld()

    async def work() -> None:
        await _booked(world, 1)
        world.book.set_status(world.invoice_of("1001").invoice_id, InvoiceStatus.SENT)
        async with world.process():
            await world.refund("1001", "4.00")
            await world.rest()
        world.book.credits.notes.clear()
        found = only(await world.compare())
        assert (found.kind.value, found.about.value) == ("missing", "credit_note")
        assert (found.expected, found.found) == (Decimal("-4.00"), Decimal(0))

    run(work())


def test_a_refund_that_was_taken_off_the_draft_counts_with_the_invoice() -> None:
    """The draft is corrected in place: 8.20 on both sides, and no credit note is missed."""
    world = ComparedWorld()

    async def work() -> None:
        await _booked(world, 1)
        async with world.process():
            await world.refund("1001", "4.00")
            await world.rest()
        assert world.book.credits.notes == {}
        report = await world.compare()
        assert told(report) == []
        assert months(report) == [("2026-03", "22", "6.72", "1.48", "8.20", "6.72", "1.48", "8.20")]

    run(work())
