"""The words, number and day of an invoice over its life: made once, changed in place, never a second document."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from consumer.adapters.memory.ledger import Fault
from consumer.domain.events import EventKind
from consumer.domain.ledger import CreateInvoice, UpdateInvoice
from consumer.domain.settings import CustomField, InvoiceDate, ShopSettings
from consumer.domain.states import OrderState
from consumer.services import booking
from tests.services.sync.test_keeping_up import AUTOMATIC
from tests.services.sync.virtual_time import run
from tests.services.sync.world import World

WORDED = replace(
    AUTOMATIC,
    notes="For {{ customer.name }}",
    terms="{{ customer.email }}",
    custom_fields=(CustomField(api_name="cf_name", value="{{ customer.name }}"),),
)


async def booked(world: World, shop: ShopSettings, *order_ids: str) -> None:
    """Book these orders and end the process."""
    await world.set_up(shop)
    await world.pay(*order_ids)
    async with world.process():
        await world.rest()


def test_a_changed_word_changes_the_draft_in_place() -> None:
    """One update, the same invoice; an order that comes again as it is costs no call."""
    world = World()

    async def scene() -> None:
        await booked(world, WORDED, "1001")
        (before,) = world.live()
        async with world.process():
            await world.take("1001", EventKind.UPDATED, version=2, name="Eve Rossi")
            await world.rest()
            await world.take("1001", EventKind.UPDATED, version=3, name="Eve Rossi")
            await world.rest()
        (after,) = world.live()
        assert world.called("create_invoice", "update_invoice") == ["create_invoice", "update_invoice"]
        assert (after.invoice_id, after.number) == (before.invoice_id, before.number)
        assert after.words is not None
        assert (after.words.notes, after.words.terms) == ("For Eve Rossi", "anna@example.org")
        assert dict(after.words.custom_fields or ()) == {"cf_name": "Eve Rossi"}
        assert world.state() is OrderState.BOOKED

    run(scene())


@pytest.mark.parametrize("fault", [Fault.CUT_BEFORE_COMMIT, Fault.CUT_AFTER_COMMIT])
def test_an_update_of_words_alone_that_had_no_answer_is_found_out(fault: Fault) -> None:
    """Lines and total are the same either way: the words tell whether it arrived, and it is sent again if not."""
    world = World()

    async def scene() -> None:
        await booked(world, WORDED, "1001")
        world.plan("update_invoice", fault)
        async with world.process():
            await world.take("1001", EventKind.UPDATED, version=2, name="Eve Rossi")
            await world.rest()
        (after,) = world.live()
        assert after.words is not None
        assert after.words.notes == "For Eve Rossi"
        assert world.writes().count("update_invoice") == 1
        assert (world.state(), world.open_intents()) == (OrderState.BOOKED, [])

    run(scene())


def test_a_number_that_is_taken_parks_the_order_and_makes_no_second_document() -> None:
    """The order says which number, and goes on by itself when it is released with another one."""
    world = World()

    async def scene() -> None:
        await booked(world, replace(AUTOMATIC, invoice_number="W-{{ totals.grand_total }}"), "1001", "1002")
        states = {world.state("1001"), world.state("1002")}
        assert states == {OrderState.BOOKED, OrderState.PARKED}
        parked = "1001" if world.state("1001") is OrderState.PARKED else "1002"
        reason = world.order(parked).reason
        assert reason is not None
        assert (reason.code.value, "W-12.20" in reason.message) == ("ledger_refused", True)
        assert [invoice.number for invoice in world.book.invoices.values()] == ["W-12.20"]
        assert world.writes().count("create_invoice") == 1
        by_id = replace(AUTOMATIC, invoice_number="W-{{ order_id }}")
        async with world.process():
            await world.set_up(by_id)
            await world.people.release(actor="jane", shop_id="shop", order_id=parked, limit=10)
            await world.rest()
        assert [invoice.number for invoice in world.live(parked)] == [f"W-{parked}"]

    run(scene())


def test_an_update_keeps_the_number_that_the_document_has() -> None:
    """Also where the shop's expression gives another one by now."""
    world = World()

    async def scene() -> None:
        await booked(world, replace(AUTOMATIC, invoice_number="W-{{ totals.grand_total }}"), "1001")
        async with world.process():
            await world.take("1001", EventKind.UPDATED, version=2, price="24.40")
            await world.rest()
        (invoice,) = world.live()
        assert (invoice.number, str(invoice.total), world.state()) == ("W-12.20", "24.40", OrderState.BOOKED)

    run(scene())


def test_an_invoice_dated_today_keeps_its_day_when_it_is_changed_later(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock goes on by a day between booking and change; an unchanged order costs no call on any day."""
    clock = [datetime(2026, 4, 1, 8, 0, tzinfo=UTC)]
    made = booking.Bench.__init__

    def with_clock(bench: booking.Bench, *values: object, **named: object) -> None:
        made(bench, *values, **{**named, "now": lambda: clock[0]})  # type: ignore[arg-type] # the fields as given

    monkeypatch.setattr(booking.Bench, "__init__", with_clock)
    world = World()

    async def scene() -> None:
        await booked(world, replace(AUTOMATIC, invoice_date=InvoiceDate.TODAY), "1001")
        clock[0] = datetime(2026, 4, 2, 8, 0, tzinfo=UTC)
        async with world.process():
            await world.take("1001", EventKind.UPDATED, version=2, price="24.40")
            await world.rest()
            await world.take("1001", EventKind.UPDATED, version=3, price="24.40")
            await world.rest()
        writes = [one for one in world.book.commits if isinstance(one, CreateInvoice | UpdateInvoice)]
        assert [(type(one), one.draft.issued_on) for one in writes] == [
            (CreateInvoice, date(2026, 4, 1)),
            (UpdateInvoice, date(2026, 4, 1)),
        ]

    run(scene())
