"""What becomes of the invoice when its order changes or is cancelled: each case and choice of a shop's settings.

Whole bookings over the ledger in memory, their calls counted.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from consumer.domain.credits import RecordPayment
from consumer.domain.events import EventKind
from consumer.domain.settings import (
    CancelledDraft,
    CancelledSent,
    ChangedSent,
    DeletedInLedger,
    ShopSettings,
    UnpaidAfterBooking,
)
from consumer.domain.states import Ask, OrderState
from consumer.errors import PaymentsInTheWayError
from tests.services.booking.changing import (
    AUTOMATIC,
    Shop,
    an_order,
    count,
    paid,
    played,
    sent,
    totals,
    with_shop,
)
from tests.services.sync.virtual_time import run

UPDATED, CANCELLED = EventKind.UPDATED, EventKind.CANCELLED
CANCEL = (CANCELLED, 2, None)
DEARER, CHEAPER = (UPDATED, 2, an_order("244.00")), (UPDATED, 2, an_order("61.00"))
ALL = "1001~credit_note~!all-1"
CHANGE = "1001~credit_note~!change-1"


def pay_in_ledger(world: Shop, amount: str = "122.00") -> None:
    """A person records a payment in the ledger."""
    invoice = world.invoice
    operation = RecordPayment(
        contact_id=invoice.contact_id,
        invoice_id=invoice.invoice_id,
        amount=Decimal(amount),
        paid_on=date(2026, 3, 14),
        reference="by hand",
    )
    world.book.apply(operation)
    world.book.commits.clear()


def edit(world: Shop) -> None:
    """A person edits the draft."""
    invoice = world.invoice
    changed = replace(invoice, modified_at=(invoice.modified_at or world.now()) + timedelta(seconds=9))
    world.book.invoices[invoice.invoice_id] = changed


def delete(world: Shop) -> None:
    """A person deletes the draft."""
    del world.book.invoices[world.invoice.invoice_id]


# ---- cancellations ----


@pytest.mark.parametrize(
    ("shop", "calls", "invoices", "notes"),
    [
        (AUTOMATIC, ["read_invoice", "void_invoice"], [("void", "122.00")], []),
        (with_shop(cancelled_draft=CancelledDraft.DELETE), ["read_invoice", "delete_invoice"], [], []),
    ],
    ids=["void", "delete"],
)
def test_a_cancelled_draft(
    shop: ShopSettings, calls: list[str], invoices: list[tuple[str, str]], notes: list[tuple[str, str, str]]
) -> None:
    """Void, which keeps its number, or deleted: one read and one write."""
    world = played(shop, paid(), count, CANCEL)
    assert (world.counted(), totals(world.invoices), world.notes) == (calls, invoices, notes)
    assert (world.state(), world.reason()) == (OrderState.WITHDRAWN, "cancelled")


@pytest.mark.parametrize(
    ("choice", "calls", "invoices", "notes", "state"),
    [
        (
            "credit_note",
            ["read_invoice", "create_credit_note"],
            [("paid", "122.00")],
            [(ALL, "122.00", "0.00")],
            "withdrawn",
        ),
        ("void", ["read_invoice", "void_invoice"], [("void", "122.00")], [], "withdrawn"),
        ("park", ["read_invoice"], [("sent", "122.00")], [], "parked"),
    ],
)
def test_a_cancelled_order_whose_invoice_was_sent(
    choice: str, calls: list[str], invoices: list[tuple[str, str]], notes: list[tuple[str, str, str]], state: str
) -> None:
    """Credited, which is put on the invoice by the same call; made void; or left to a person."""
    world = played(with_shop(cancelled_sent=CancelledSent(choice)), paid(), sent, count, CANCEL)
    assert (world.counted(), totals(world.invoices), world.notes) == (calls, invoices, notes)
    assert world.state() == state


def test_the_default_for_a_sent_invoice_is_a_credit_note() -> None:
    """Without a setting."""
    assert (AUTOMATIC.cancelled_sent, AUTOMATIC.cancelled_draft) == (CancelledSent.CREDIT_NOTE, CancelledDraft.VOID)


@pytest.mark.parametrize("choice", [CancelledSent.CREDIT_NOTE, CancelledSent.VOID])
def test_a_cancelled_order_whose_invoice_is_paid_is_credited_and_never_void(choice: CancelledSent) -> None:
    """Its money would hang in the air; the credit stays the customer's."""
    world = played(with_shop(cancelled_sent=choice), paid(), sent, pay_in_ledger, count, CANCEL)
    assert world.counted() == ["read_invoice", "create_credit_note"]
    assert (totals(world.invoices), world.notes) == ([("paid", "122.00")], [(ALL, "122.00", "122.00")])
    assert world.state() is OrderState.WITHDRAWN


def test_the_credit_of_a_cancelled_paid_order_is_paid_out_where_the_shop_names_an_account() -> None:
    """The refund of the money is recorded from that account."""
    world = played(with_shop(refund_account_id="77"), paid(), sent, pay_in_ledger, count, CANCEL)
    assert world.counted() == ["read_invoice", "create_credit_note", "refund_credit"]
    assert world.notes == [(ALL, "122.00", "0.00")]
    (refunded,) = world.book.credits.refunds.values()
    assert (str(refunded.amount), refunded.reference) == ("122.00", "1001~refund~!all-1")


def test_an_order_cancelled_before_it_was_paid_is_never_made() -> None:
    """The late order.paid of an older revision makes nothing either."""
    world = played(AUTOMATIC, (CANCELLED, 2, an_order()), count, paid())
    assert (world.counted(), world.invoices, world.reason()) == ([], [], "cancelled")


@pytest.mark.parametrize("operation", ["void_invoice", "delete_invoice"])
def test_a_payment_that_came_between_read_and_removal_parks_with_the_fix(operation: str) -> None:
    """The ledger refuses; nothing was changed, and the words say what to undo."""
    shop = AUTOMATIC if operation == "void_invoice" else with_shop(cancelled_draft=CancelledDraft.DELETE)
    world = Shop()
    world.refuse(operation, PaymentsInTheWayError("it has payments", 400, 4001), times=5)
    played(shop, paid(), CANCEL, world=world)
    reason = world.order().reason
    assert reason is not None
    assert (world.state(), totals(world.invoices)) == (OrderState.PARKED, [("draft", "122.00")])
    assert (reason.code.value, bool(reason.fix)) == ("payments_in_the_way", True)


@pytest.mark.parametrize(
    ("shop", "before"),
    [
        (AUTOMATIC, []),
        (with_shop(cancelled_draft=CancelledDraft.DELETE), []),
        (AUTOMATIC, [sent]),
    ],
    ids=["void", "deleted", "credited"],
)
def test_an_order_that_is_no_longer_cancelled_gets_a_new_invoice(
    shop: ShopSettings, before: list[Callable[[Shop], object]]
) -> None:
    """One create: the same reference, the next number of our own count, and one live invoice."""
    again = (UPDATED, 3, an_order(cancelled_at=None))
    world = played(shop, paid(), *before, CANCEL, count, again)
    assert world.counted() == ["create_invoice"]
    live = [one for one in world.documents() if one.live and one.kind.value == "invoice"]
    assert [(one.reference, one.n) for one in live] == [("1001", 2)]
    assert (world.state(), world.invoices[-1].status.value) == (OrderState.BOOKED, "draft")


# ---- updates ----


def test_a_changed_draft_costs_one_read_and_one_write() -> None:
    """In place: the same invoice, its line kept by the ledger's id."""
    world = Shop()
    kept: list[str] = []

    def note_lines(now: Shop) -> None:
        kept.extend(line.line_id for line in now.invoice.lines or ())

    played(AUTOMATIC, paid(), note_lines, count, DEARER, world=world)
    assert world.counted() == ["read_invoice", "update_invoice"]
    assert totals(world.invoices) == [("draft", "244.00")]
    assert [line.line_id for line in world.invoice.lines or ()] == kept


def test_what_touches_nothing_on_the_document_costs_no_call() -> None:
    """A remark of the customer that no setting reads."""
    world = played(AUTOMATIC, paid(), count, (UPDATED, 2, an_order(note="ring twice")))
    assert (world.counted(), world.state()) == ([], OrderState.BOOKED)


def test_an_update_that_is_asked_for_and_changes_no_amount_comes_to_an_end() -> None:
    """A sent invoice keeps its words: one read tells that nothing is to be done, and the person is answered."""
    shop = with_shop(changed_sent=ChangedSent.CREDIT_DIFFERENCE, notes="{{ note }}")
    world = played(shop, paid(), sent, (UPDATED, 2, an_order(note="other words")), count, Ask.UPDATE)
    assert (world.counted(), world.state()) == (["read_invoice"], OrderState.BOOKED)
    assert totals(world.invoices) == [("sent", "122.00")]


def test_a_sent_invoice_whose_order_changed_is_left_to_a_person_by_default() -> None:
    """One read, no write; the click to update it in place goes through."""
    world = played(AUTOMATIC, paid(), sent, count, DEARER)
    assert (world.counted(), world.reason()) == (["read_invoice"], "changed_after_booking")
    world = played(AUTOMATIC, paid(), sent, DEARER, count, Ask.UPDATE)
    assert world.counted() == ["read_invoice", "update_invoice"]
    assert (totals(world.invoices), world.state()) == ([("sent", "244.00")], OrderState.BOOKED)


@pytest.mark.parametrize(
    ("choice", "change", "calls", "invoices", "notes"),
    [
        ("update", DEARER, ["read_invoice", "update_invoice"], [("sent", "244.00")], []),
        (
            "credit_difference",
            CHEAPER,
            ["read_invoice", "create_credit_note"],
            [("partially_paid", "122.00")],
            [(CHANGE, "61.00", "0.00")],
        ),
        (
            "credit_all",
            DEARER,
            ["read_invoice", "create_credit_note", "create_invoice"],
            [("paid", "122.00"), ("draft", "244.00")],
            [(ALL, "122.00", "0.00")],
        ),
    ],
)
def test_a_sent_invoice_is_corrected_as_the_shop_wants(
    choice: str,
    change: tuple[EventKind, int, dict[str, object]],
    calls: list[str],
    invoices: list[tuple[str, str]],
    notes: list[tuple[str, str, str]],
) -> None:
    """Updated in place; the difference credited; or all credited and a new invoice made."""
    world = played(with_shop(changed_sent=ChangedSent(choice)), paid(), sent, count, change)
    assert (world.counted(), totals(world.invoices), world.notes) == (calls, invoices, notes)
    assert world.state() is OrderState.BOOKED


def test_a_second_change_of_a_sent_invoice_credits_only_its_own_difference() -> None:
    """122.00 became 61.00 and then 30.50: 61.00 and 30.50 are credited, and nothing a second time."""
    shop = with_shop(changed_sent=ChangedSent.CREDIT_DIFFERENCE)
    again = (UPDATED, 3, an_order("30.50"))
    world = played(shop, paid(), sent, CHEAPER, again, (UPDATED, 4, an_order("30.50", note="hello")))
    assert [total for _, total, _ in world.notes] == ["61.00", "30.50"]
    assert world.invoice.balance == 30.5


def test_a_credit_cannot_make_an_invoice_dearer() -> None:
    """There is no credit note below nought: a person is asked."""
    world = played(with_shop(changed_sent=ChangedSent.CREDIT_DIFFERENCE), paid(), sent, count, DEARER)
    assert (world.counted(), world.reason(), world.notes) == (["read_invoice"], "changed_after_booking", [])


def test_a_paid_invoice_of_a_changed_order_is_credited_whole_and_made_anew() -> None:
    """The credit stays open, for there is nothing to put it on."""
    world = played(with_shop(changed_sent=ChangedSent.CREDIT_ALL), paid(), sent, pay_in_ledger, DEARER)
    assert (totals(world.invoices), world.notes) == (
        [("paid", "122.00"), ("draft", "244.00")],
        [(ALL, "122.00", "122.00")],
    )


def test_an_update_before_its_payment_and_one_after_the_cancellation_end_right() -> None:
    """The newest content is booked once it is paid; what was cancelled stays so whatever changes."""
    world = played(AUTOMATIC, DEARER, paid())
    assert totals(world.invoices) == [("draft", "244.00")]
    world = played(AUTOMATIC, paid(), (CANCELLED, 2, None), (UPDATED, 3, an_order("244.00")))
    assert (totals(world.invoices), world.state()) == ([("void", "122.00")], OrderState.WITHDRAWN)


def test_with_automatic_sending_off_a_change_waits_for_update_now() -> None:
    """No call by itself; one read and one write by the click."""
    off = with_shop(automatic=False)
    world = played(off, paid(), Ask.GENERATE, count, DEARER)
    assert (world.counted(), world.reason()) == ([], "changed_automatic_off")
    world = played(off, paid(), Ask.GENERATE, DEARER, count, Ask.UPDATE)
    assert (world.counted(), totals(world.invoices)) == (["read_invoice", "update_invoice"], [("draft", "244.00")])


# ---- people in the ledger ----


def test_an_edited_draft_is_kept_until_the_order_changes_and_then_asks() -> None:
    """One read and no write; the click to overwrite it goes through."""
    world = played(AUTOMATIC, paid(), edit, count, DEARER)
    assert (world.counted(), world.reason(), totals(world.invoices)) == (
        ["read_invoice"],
        "edited_by_hand",
        [("draft", "122.00")],
    )
    world = played(AUTOMATIC, paid(), edit, DEARER, count, Ask.UPDATE)
    assert (world.counted(), totals(world.invoices)) == (["read_invoice", "update_invoice"], [("draft", "244.00")])
    assert world.state() is OrderState.BOOKED


def test_a_draft_deleted_by_hand_is_left_so_and_a_change_asks() -> None:
    """Not made again by any event; by a person it is."""
    world = played(AUTOMATIC, paid(), delete, count, DEARER)
    assert (world.counted(), world.reason(), world.invoices) == (["read_invoice"], "gone_from_ledger", [])
    world = played(AUTOMATIC, paid(), delete, DEARER, Ask.GENERATE)
    assert (totals(world.invoices), world.state()) == ([("draft", "244.00")], OrderState.BOOKED)


def test_a_draft_deleted_by_hand_is_made_again_where_the_shop_wants_it() -> None:
    """With the next change that comes."""
    world = played(with_shop(deleted_in_ledger=DeletedInLedger.MAKE_AGAIN), paid(), delete, DEARER)
    assert (totals(world.invoices), world.state()) == ([("draft", "244.00")], OrderState.BOOKED)


# ---- a payment taken back ----


@pytest.mark.parametrize(
    ("choice", "state", "invoices"),
    [("park", "parked", [("draft", "122.00")]), ("as_cancelled", "waiting", [("void", "122.00")])],
)
def test_a_payment_taken_back_after_booking(choice: str, state: str, invoices: list[tuple[str, str]]) -> None:
    """Left to a person; or void as if the order had been cancelled, and waiting to be paid again."""
    shop = with_shop(unpaid_after_booking=UnpaidAfterBooking(choice))
    world = played(shop, paid(), (UPDATED, 2, an_order(payment_taken_back=True)))
    assert (str(world.state()), totals(world.invoices)) == (state, invoices)


def test_an_order_that_is_paid_again_is_booked_again() -> None:
    """Void by a chargeback, and paid after all: a new invoice."""
    shop = with_shop(unpaid_after_booking=UnpaidAfterBooking.AS_CANCELLED)
    again = (UPDATED, 3, an_order(note="paid after all"))
    world = played(shop, paid(), (UPDATED, 2, an_order(payment_taken_back=True)), again)
    assert (totals(world.invoices), world.state()) == ([("void", "122.00"), ("draft", "122.00")], OrderState.BOOKED)


# ---- many at once ----


def test_five_updates_within_a_second_cost_one_booking() -> None:
    """They come one after the other while the lane runs: one read, one write, of the last one."""
    world = played(AUTOMATIC, paid())
    world.now_seconds = 5000.0
    world.counted()

    async def scene() -> None:
        async with world.process():
            for version in range(2, 7):
                await world.say(UPDATED, version, an_order(f"{version}00.00"))
            await world.rest()

    run(scene())
    assert (world.counted(), totals(world.invoices)) == (["read_invoice", "update_invoice"], [("draft", "600.00")])
