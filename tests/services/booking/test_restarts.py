"""A booking of several steps that is cut anywhere comes to the same end: nothing is lost, nothing is made twice."""

from collections import Counter
from collections.abc import Callable

import pytest

from consumer.adapters.memory.ledger import Fault
from consumer.domain.events import EventKind
from consumer.domain.settings import CancelledDraft, ChangedSent, ShopSettings
from consumer.domain.states import OrderState
from tests.services.booking.changing import Data, Shop, an_order, paid, played, refund, with_shop
from tests.services.booking.test_changes import pay_in_ledger
from tests.services.sync.virtual_time import CrashedError, run

UPDATED, CANCELLED = EventKind.UPDATED, EventKind.CANCELLED
STEPS_MAX = 2000
Hand = Callable[[Shop], object]
Event = tuple[EventKind, int, Data | None]


def by_hand_sent(world: Shop) -> None:
    """A person sends it."""
    world.send()


def by_hand_paid(world: Shop) -> None:
    """A person sends it and records its payment."""
    world.send()
    pay_in_ledger(world)


def by_hand_paid_in_part(world: Shop) -> None:
    """A person sends it and records 100.00: 22.00 are owed."""
    world.send()
    pay_in_ledger(world, "100.00")


def nothing(_: Shop) -> None:
    """Nobody does anything."""


PAYS = with_shop(mark_sent=True, email_invoice=True, record_payment=True)
PAYS_OUT = with_shop(refund_account_id="77")
ANEW = with_shop(changed_sent=ChangedSent.CREDIT_ALL, refund_account_id="77")
DELETES = with_shop(cancelled_draft=CancelledDraft.DELETE)
REFUNDS = (UPDATED, 2, an_order(refunds=[refund("r1", "22.00"), refund("r2", "50.00", day=16)]))
CANCEL: Event = (CANCELLED, 2, None)

# What happens: settings, what was booked and done before, the event that is cut, the writes that come of it, and where
# the order ends.
CASES: dict[str, tuple[ShopSettings, Hand | None, Event, dict[str, int], OrderState]] = {
    "made, mailed, paid": (
        PAYS,
        None,
        paid(),
        {"create_contact": 1, "create_invoice": 1, "email_invoice": 1, "record_payment": 1},
        OrderState.BOOKED,
    ),
    "two refunds of a paid invoice, paid out": (
        PAYS_OUT,
        by_hand_paid,
        REFUNDS,
        {"create_credit_note": 2, "refund_credit": 2},
        OrderState.BOOKED,
    ),
    "a refund put on the invoice in part, the rest paid out": (
        PAYS_OUT,
        by_hand_paid_in_part,
        (UPDATED, 2, an_order(refunds=[refund("r1", "50.00")])),
        {"create_credit_note": 1, "apply_credit": 1, "refund_credit": 1},
        OrderState.BOOKED,
    ),
    "two refunds of a sent invoice": (PAYS_OUT, by_hand_sent, REFUNDS, {"create_credit_note": 2}, OrderState.BOOKED),
    "cancelled, paid out": (
        PAYS_OUT,
        by_hand_paid,
        CANCEL,
        {"create_credit_note": 1, "refund_credit": 1},
        OrderState.WITHDRAWN,
    ),
    "credited whole and made anew": (
        ANEW,
        by_hand_sent,
        (UPDATED, 2, an_order("244.00")),
        {"create_credit_note": 1, "create_invoice": 1},
        OrderState.BOOKED,
    ),
    "draft void": (PAYS_OUT, nothing, CANCEL, {"void_invoice": 1}, OrderState.WITHDRAWN),
    "draft deleted": (DELETES, nothing, CANCEL, {"delete_invoice": 1}, OrderState.WITHDRAWN),
    "draft corrected by a refund": (PAYS_OUT, nothing, REFUNDS, {"update_invoice": 1}, OrderState.BOOKED),
}


def prepared(shop: ShopSettings, hand: Hand | None) -> Shop:
    """Book what was booked before, with nothing of it among the writes that are looked at."""
    world = Shop()
    if hand is None:
        run(world.set_up(shop))
    else:
        played(shop, paid(), hand, world=world)
        world.now_seconds = 5000.0
    world.book.commits.clear()
    return world


async def _rest(world: Shop, name: str) -> None:
    async with world.process(name):
        await world.rest(within_seconds=7200.0)


def _same_end(world: Shop, writes: dict[str, int], state: OrderState, at: object) -> None:
    found = Counter(world.writes())
    if writes.get("email_invoice") and not found["email_invoice"]:
        # It was cut before the ledger had it. A mail is the one thing that is not repeated without an answer: twice
        # would be worse than never; the invoice is marked as sent all the same.
        writes = {**writes, "email_invoice": 0, "mark_sent": 1}
    assert found == Counter(writes), at
    assert (world.state(), world.open_intents()) == (state, []), at
    assert all(note.agreed for note in world.documents() if note.kind.value == "credit_note"), at


@pytest.mark.parametrize("name", CASES)
def test_a_process_that_dies_at_any_step_is_followed_by_one_that_comes_to_the_same_end(name: str) -> None:
    """Left standing at step 1, 3, 5 … of the loop, as by a kill; the next process finishes."""
    shop, hand, event, writes, state = CASES[name]
    for step in range(1, STEPS_MAX, 2):
        world = prepared(shop, hand)
        run(world.say(*event))
        try:
            run(_rest(world, "one"), crash_at=step)
        except CrashedError:
            world.now_seconds += 20.0
            run(_rest(world, "another"))
            _same_end(world, writes, state, step)
        else:
            break
    assert step > 30, "the booking has more steps than that"


@pytest.mark.parametrize("fault", [Fault.CUT_BEFORE_COMMIT, Fault.CUT_AFTER_COMMIT, Fault.NOT_SENT, Fault.THROTTLED])
@pytest.mark.parametrize("name", CASES)
def test_a_write_without_an_answer_comes_to_the_same_end(name: str, fault: Fault) -> None:
    """Each of the writes in turn has no answer, in effect or not: it is found out, and not made twice."""
    shop, hand, event, writes, state = CASES[name]
    for operation in writes:
        world = prepared(shop, hand)
        world.plan(operation, fault)
        run(world.say(*event))
        run(_rest(world, "one"))
        _same_end(world, writes, state, operation)
