"""Each kind of finding is made by hand in the books and named with its figures and its fix; the rest is left alone.

Orders are of 12.20 with 22 % VAT in it, 10.00 net: booked by the shipped lanes over memory, on 14 March 2026.
"""

from dataclasses import replace
from datetime import date
from decimal import Decimal

from consumer.domain.events import EventKind
from consumer.domain.ledger import InvoiceStatus
from consumer.domain.reconciling.findings import Period
from tests.reconcile.comparing import MARCH, ComparedWorld, months, only, told, vat
from tests.services.sync.virtual_time import run
from tests.services.sync.world import SHOP

NOTHING = {(SHOP, "EUR"): Decimal(0)}


async def _booked(world: ComparedWorld, *orders: str) -> None:
    await world.set_up()
    await world.pay(*(orders or ("1001", "1002")))
    async with world.process():
        await world.rest()


def test_equal_books_have_no_findings_and_equal_months() -> None:
    """Two orders of 10.00 + 2.20 are one row of 20.00 + 4.40 on both sides, proven by the list, in two calls."""
    world = ComparedWorld()

    async def work() -> None:
        await _booked(world)
        before = len(world.calls)
        report = await world.compare()
        assert told(report) == []
        assert months(report) == [("2026-03", "22", "20.00", "4.40", "24.40", "20.00", "4.40", "24.40")]
        assert report.unexplained == NOTHING
        assert (report.counts.proven, report.counts.reads) == (2, 0)
        assert world.called()[before:] == ["list_invoices_dated", "list_credit_notes_dated"]

    run(work())


def test_a_deleted_invoice_is_missing() -> None:
    """A booked order whose invoice somebody deleted: the shop has 12.20, the ledger nothing."""
    world = ComparedWorld()

    async def work() -> None:
        await _booked(world)
        world.book.remove(world.invoice_of("1001").invoice_id)
        report = await world.compare()
        found = only(report)
        assert (found.kind.value, found.about.value, found.key.order_id) == ("missing", "invoice", "1001")
        assert (found.expected, found.found, found.money) == (Decimal("12.20"), Decimal(0), Decimal("12.20"))
        assert "no longer in the ledger" in found.words
        assert f"booked order generate {SHOP} 1001" in found.fix
        assert report.unexplained == {(SHOP, "EUR"): Decimal("12.20")}
        assert months(report) == [("2026-03", "22", "20.00", "4.40", "24.40", "10.00", "2.20", "12.20")]

    run(work())


def test_a_void_invoice_is_different() -> None:
    """It stands in the list, and counts for nothing."""
    world = ComparedWorld()

    async def work() -> None:
        await _booked(world)
        world.book.set_status(world.invoice_of("1002").invoice_id, InvoiceStatus.VOID)
        found = only(await world.compare())
        assert (found.kind.value, found.about.value, found.money) == ("different", "status", Decimal("12.20"))
        assert "void" in found.words

    run(work())


def test_an_edited_total_is_different_by_the_difference() -> None:
    """Somebody made 12.20 into 13.42, 11.00 net: 1.22 is in question, and the months show where."""
    world = ComparedWorld()

    async def work() -> None:
        await _booked(world)
        total = Decimal("13.42")
        lines = world.invoice_of("1001").lines
        assert lines is not None
        edited = (replace(lines[0], total=Decimal("13.42")),)
        world.edit("1001", total=total, tax_total=Decimal("2.42"), tax_by_rate=vat("22", "2.42"), lines=edited)
        report = await world.compare()
        found = only(report)
        assert (found.about.value, found.expected, found.found) == ("total", Decimal("12.20"), total)
        assert found.money == Decimal("1.22")
        assert found.fix == f"booked order update {SHOP} 1001"
        assert report.counts.reads == 1
        assert months(report) == [("2026-03", "22", "20.00", "4.40", "24.40", "21.00", "4.62", "25.62")]

    run(work())


def test_other_vat_under_the_same_total_is_different() -> None:
    """Somebody chose 10 %: 11.09 + 1.11 is 12.20 all the same. 2.20 of VAT at 22 % and 1.11 at 10 % are off."""
    world = ComparedWorld()

    async def work() -> None:
        await _booked(world, "1001")
        lines = world.invoice_of("1001").lines
        assert lines is not None
        world.edit(
            "1001",
            tax_total=Decimal("1.11"),
            tax_by_rate=vat("10", "1.11"),
            lines=(replace(lines[0], tax_rate=Decimal(10)),),
        )
        report = await world.compare()
        found = only(report)
        assert (found.about.value, found.difference, found.money) == ("vat", Decimal(0), Decimal("3.31"))
        assert months(report) == [
            ("2026-03", "22", "10.00", "2.20", "12.20", "0", "0", "0"),
            ("2026-03", "10", "0", "0", "0", "11.09", "1.11", "12.20"),
        ]

    run(work())


def test_another_customer_and_another_day_are_different_without_money() -> None:
    """Neither changes a sum; a day of another month does change the months."""
    world = ComparedWorld()

    async def work() -> None:
        await _booked(world, "1001")
        world.edit("1001", contact_id="460000000000000999", issued_on=date(2026, 4, 1))
        report = await world.compare(Period(from_day=MARCH.from_day, to_day=date(2026, 4, 30)))
        assert told(report) == [("different", "customer", "1001"), ("different", "date", "1001")]
        assert report.unexplained == NOTHING
        assert months(report) == [
            ("2026-03", "22", "10.00", "2.20", "12.20", "0", "0", "0"),
            ("2026-04", "22", "0", "0", "0", "10.00", "2.20", "12.20"),
        ]

    run(work())


def test_a_second_invoice_of_the_reference_is_doubled() -> None:
    """A copy made in the ledger by hand: 12.20 too much, and both documents are named."""
    world = ComparedWorld()

    async def work() -> None:
        await _booked(world)
        copy = world.copy("1001")
        report = await world.compare()
        found = only(report)
        assert (found.kind.value, found.key.order_id, found.money) == ("doubled", "1001", Decimal("12.20"))
        assert [paper.ledger_id for paper in found.papers] == [world.invoice_of("1001").invoice_id, copy]
        assert months(report) == [("2026-03", "22", "20.00", "4.40", "24.40", "30.00", "6.60", "36.60")]

    run(work())


def test_what_the_database_forgot_is_orphaned_and_of_no_money() -> None:
    """The document is there and right, only not recorded: to be adopted. Nothing is missing."""
    world = ComparedWorld()

    async def work() -> None:
        await _booked(world)
        world.forget("1001")
        report = await world.compare()
        found = only(report)
        assert (found.kind.value, found.key.order_id, found.money) == ("orphaned", "1001", Decimal(0))
        assert "booked reconcile --adopt --yes" in found.fix
        assert report.counts.adoptable == 1
        assert months(report) == [("2026-03", "22", "20.00", "4.40", "24.40", "20.00", "4.40", "24.40")]

    run(work())


def test_a_strangers_invoice_is_counted_and_is_no_finding() -> None:
    """A reference that is no order's says nothing: the ledger is not ours alone."""
    world = ComparedWorld()

    async def work() -> None:
        await _booked(world, "1001")
        world.copy("1001", reference="PO-77", total=Decimal(99))
        report = await world.compare()
        assert told(report) == []
        assert (report.counts.strangers, report.strangers) == (1, {"EUR": Decimal(99)})

    run(work())


def test_an_order_that_was_cancelled_leaves_nothing_on_either_side() -> None:
    """Its draft was made void by us; that is recorded, and no finding."""
    world = ComparedWorld()

    async def work() -> None:
        await _booked(world)
        async with world.process():
            await world.take("1001", EventKind.CANCELLED, version=2)
            await world.rest()
        report = await world.compare()
        assert told(report) == []
        assert months(report) == [("2026-03", "22", "10.00", "2.20", "12.20", "10.00", "2.20", "12.20")]

    run(work())


def test_a_void_invoice_that_stands_again_is_different() -> None:
    """Of a cancelled order: the ledger has 12.20 that nobody owes."""
    world = ComparedWorld()

    async def work() -> None:
        await _booked(world, "1001")
        invoice = world.invoice_of("1001").invoice_id
        async with world.process():
            await world.take("1001", EventKind.CANCELLED, version=2)
            await world.rest()
        world.book.set_status(invoice, InvoiceStatus.SENT)
        found = only(await world.compare())
        assert (found.about.value, found.expected, found.found) == ("status", Decimal(0), Decimal("12.20"))

    run(work())


def test_a_parked_order_is_missing_and_explains_itself() -> None:
    """Its lines give 12.20, it says 12.30: parked with its own reason. It is found, and is no unexplained money."""
    world = ComparedWorld()

    async def work() -> None:
        await _booked(world, "1001")
        await world.pay("1002", price="-1.00")
        async with world.process():
            await world.rest()
        report = await world.compare()
        found = only(report)
        assert (found.kind.value, found.key.order_id, found.explained) == ("missing", "1002", True)
        assert report.unexplained == NOTHING
        assert f"booked order retry {SHOP} 1002" in found.fix or "generate" in found.fix

    run(work())
