"""An order whose content is gone still ends right: from its documents, with new content, or parked with the reason."""

import pytest

from consumer.adapters.memory.retention import blank
from consumer.domain.events import EventKind
from consumer.domain.settings import CancelledSent
from consumer.domain.states import Ask, OrderState
from tests.services.booking.changing import (
    AUTOMATIC,
    Data,
    Shop,
    an_order,
    count,
    paid,
    played,
    refund,
    sent,
    totals,
    with_shop,
)
from tests.services.sync.world import key

UPDATED, CANCELLED, PAID = EventKind.UPDATED, EventKind.CANCELLED, EventKind.PAID
CREDIT = with_shop(cancelled_sent=CancelledSent.CREDIT_NOTE)


def forgotten(world: Shop) -> None:
    """The retention, or an erasure, takes the content."""
    blank(world.database.orders[key()], world.database.clock())


def cancelled(version: int = 3) -> tuple[EventKind, int, Data | None]:
    """A cancellation without the order."""
    return CANCELLED, version, None


def test_a_bare_cancellation_takes_the_draft_down() -> None:
    """Nothing of the order's content is needed."""
    world = played(AUTOMATIC, paid(), forgotten, count, cancelled())
    assert (world.state(), world.reason()) == (OrderState.WITHDRAWN, "cancelled")
    assert totals(world.invoices) == [("void", "122.00")]


def test_a_bare_cancellation_credits_a_sent_invoice_in_full() -> None:
    """The sums under each tax are kept with the document: the credit note is exact to the cent."""
    world = played(CREDIT, paid(), sent, forgotten, cancelled())
    assert (world.state(), world.reason()) == (OrderState.WITHDRAWN, "cancelled")
    assert [total for _, total, _ in world.notes] == ["122.00"]


def test_a_refund_with_the_whole_order_is_credited() -> None:
    """A newer revision brings the content again."""
    whole = an_order(refunds=[refund("r1", "22.00")])
    world = played(AUTOMATIC, paid(), sent, forgotten, (UPDATED, 2, whole))
    assert world.state() is OrderState.BOOKED
    assert [total for _, total, _ in world.notes] == ["22.00"]


@pytest.mark.parametrize(
    "step",
    [
        (PAID, 0, an_order(refunds=[refund("r1", "22.00")])),
        Ask.UPDATE,
    ],
    ids=["a refund that an older revision tells of", "an update that a person asks for"],
)
def test_what_needs_the_content_is_parked_with_the_reason(step: tuple[EventKind, int, Data | None] | Ask) -> None:
    """Silence would keep the customer's money; a guess would write a wrong document."""
    world = played(AUTOMATIC, paid(), sent, forgotten, count, step)
    assert (world.state(), world.reason()) == (OrderState.PARKED, "personal_data_removed")
    assert (totals(world.invoices), world.notes) == ([("sent", "122.00")], [])
    assert not [name for name in world.counted() if name.startswith(("create", "update", "delete"))]


def test_a_refund_that_was_credited_before_is_not_asked_for_again() -> None:
    """What is accounted for needs no content: an event that is told again changes nothing."""
    whole = an_order(refunds=[refund("r1", "22.00")])
    # A payment that an older event tells of, at another moment, makes the order due: it is decided anew.
    earlier = (PAID, 0, whole)
    world = played(AUTOMATIC, paid(), sent, (UPDATED, 2, whole), forgotten, count, (UPDATED, 2, whole), earlier)
    assert world.state() is OrderState.BOOKED
    assert [total for _, total, _ in world.notes] == ["22.00"]
    assert world.database.orders[key()].head.content is None


def test_an_order_that_is_due_again_rests_without_a_call() -> None:
    """Released by hand, say: its invoice was right when the content went."""
    whole = an_order(refunds=[refund("r1", "22.00")])
    world = played(AUTOMATIC, paid(), sent, (UPDATED, 2, whole), forgotten, count, Ask.GENERATE)
    assert (world.state(), world.reason()) == (OrderState.BOOKED, "")
    assert not [name for name in world.counted() if name.startswith(("create", "update", "delete"))]
