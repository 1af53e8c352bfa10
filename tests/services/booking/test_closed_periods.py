"""Documents whose day lies in a closed period: parked, or dated on the first open day where nothing stands yet."""

from collections.abc import Callable
from datetime import date

import pytest

from consumer.domain.events import EventKind
from consumer.domain.settings import CancelledSent, ChangedSent, ClosedPeriod
from tests.services.booking.changing import AUTOMATIC, Shop, an_order, count, paid, played, refund, sent, with_shop
from tests.services.booking.test_changes import CANCEL, DEARER

UPDATED = EventKind.UPDATED


def close(world: Shop) -> None:
    """A person closes the books until the middle of the month."""
    world.book.credits.closed_until = date(2026, 3, 20)


def test_a_closed_period_parks_by_default() -> None:
    """Nothing is made, and the reason says which day."""
    world = Shop()
    close(world)
    played(AUTOMATIC, paid(), world=world)
    assert (world.invoices, world.reason()) == ([], "period_closed")


def test_a_closed_period_moves_the_invoice_to_the_first_open_day_where_the_shop_wants_it() -> None:
    """With a note of the day that it should have been; a later change leaves it there."""
    world = Shop()
    close(world)
    shop = with_shop(closed_period=ClosedPeriod.FIRST_OPEN_DAY)
    played(shop, paid(), (UPDATED, 2, an_order("244.00", refunds=[refund("r1", "22.00")])), world=world)
    invoice = world.invoice
    assert (invoice.issued_on, str(invoice.total)) == (date(2026, 3, 21), "222.00")
    assert invoice.words is not None
    assert "2026-03-14" in (invoice.words.notes or "")


@pytest.mark.parametrize(
    ("choice", "days", "reason"), [("park", [], "period_closed"), ("first_open_day", [date(2026, 3, 21)], "")]
)
def test_a_credit_note_in_a_closed_period_goes_by_the_same_setting(choice: str, days: list[date], reason: str) -> None:
    """The refund was made on the fifteenth; the books are closed until the twentieth."""
    told = (UPDATED, 2, an_order(refunds=[refund("r1", "22.00")]))
    world = played(with_shop(closed_period=ClosedPeriod(choice)), paid(), sent, close, told)
    assert ([note.issued_on for note in world.book.credits.notes.values()], world.reason()) == (days, reason)


@pytest.mark.parametrize("change", [DEARER, CANCEL], ids=["changed", "cancelled"])
@pytest.mark.parametrize("hand", [lambda _: None, sent], ids=["draft", "sent"])
def test_a_document_that_lies_in_a_closed_period_is_left_to_a_person(
    change: tuple[EventKind, int, dict[str, object] | None], hand: Callable[[Shop], object]
) -> None:
    """The ledger lets nobody touch it, so that no other day helps: parked, with the fix, and nothing was written."""
    shop = with_shop(
        closed_period=ClosedPeriod.FIRST_OPEN_DAY, changed_sent=ChangedSent.UPDATE, cancelled_sent=CancelledSent.VOID
    )
    world = played(shop, paid(), hand, close, count, change)
    assert (world.reason(), [str(invoice.total) for invoice in world.invoices]) == ("period_closed", ["122.00"])
    assert (world.invoice.issued_on, world.counted().count("read_lock")) == (date(2026, 3, 14), 1)
