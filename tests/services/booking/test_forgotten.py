"""Postgres was restored and has forgotten what is in the ledger: the unique field refuses, what is there is adopted."""

from dataclasses import replace

from consumer.domain.events import EventKind
from consumer.domain.records import Document, DocumentKind
from consumer.domain.states import OrderState
from consumer.errors import KeyTakenError, LedgerUnavailableError
from tests.services.booking.changing import AUTOMATIC, Shop, an_order, count, paid, played, refund, sent, totals
from tests.services.sync.virtual_time import run, until
from tests.services.sync.world import CONNECTION, key

UPDATED = EventKind.UPDATED
ONE = refund("r1", "22.00")
REFUNDED = (UPDATED, 2, an_order(refunds=[ONE]))
UNIQUE = replace(CONNECTION, unique_field="cf_booked", credit_note_unique_field="cf_booked")


def forget(world: Shop, *kinds: DocumentKind) -> None:
    """Lose our records of these kinds."""
    kept: list[Document] = [one for one in world.documents() if one.kind not in kinds]
    world.database.documents[key()] = kept


def test_a_forgotten_credit_note_is_adopted_and_not_made_twice() -> None:
    """Its key is taken: it is looked for by its reference, and recorded with what it stands for."""
    world = Shop(connection=UNIQUE)
    played(AUTOMATIC, paid(), sent, REFUNDED, world=world)
    (before,) = world.of_kind(DocumentKind.CREDIT_NOTE)
    forget(world, DocumentKind.CREDIT_NOTE)
    world.now_seconds = 5000.0
    played(AUTOMATIC, count, (UPDATED, 3, an_order(refunds=[ONE], note="hello")), world=world)
    (after,) = world.of_kind(DocumentKind.CREDIT_NOTE)
    assert (len(world.notes), after.ledger_id, after.sums) == (1, before.ledger_id, before.sums)
    assert (after.unique_key, after.part, after.n) == (before.unique_key, "r1", 1)
    assert (world.counted(), world.state()) == (
        ["read_invoice", "create_credit_note", "find_credit_notes", "read_credit_note"],
        OrderState.BOOKED,
    )


def test_an_order_that_is_cancelled_before_its_forgotten_invoice_was_found_does_not_leave_it() -> None:
    """The taken key says that one is there: until it is found the order is in doubt, whatever it says meanwhile."""
    world = Shop(connection=UNIQUE)
    played(AUTOMATIC, paid(), world=world)
    forget(world, DocumentKind.INVOICE)
    world.now_seconds = 5000.0
    world.refuse("find_invoices", LedgerUnavailableError("the ledger is away"), 1)

    async def scene() -> None:
        async with world.process():
            await world.say(UPDATED, 2, an_order(note="hello"))
            await until(lambda: "find_invoices" in world.counted())
            await world.say(EventKind.CANCELLED, 3, None)
            await world.rest()

    run(scene())
    assert (totals(world.invoices), world.state()) == ([("void", "122.00")], OrderState.WITHDRAWN)


def test_a_key_that_is_taken_at_an_update_parks() -> None:
    """No document of ours is missing there: what the ledger says is shown, and it is not looked for for ever."""
    world = Shop(connection=UNIQUE)
    played(AUTOMATIC, paid(), world=world)
    world.now_seconds = 5000.0
    world.refuse("update_invoice", KeyTakenError("the value is in use", 400, 2), 9)
    played(AUTOMATIC, (UPDATED, 2, an_order("244.00")), world=world)
    assert (world.reason(), totals(world.invoices)) == ("ledger_refused", [("draft", "122.00")])
    assert world.called("update_invoice") == ["update_invoice"]


def test_after_a_forgotten_invoice_was_adopted_its_credit_note_has_a_key_of_its_own() -> None:
    """One booking: the invoice's key is taken, it is adopted; the refund's credit note is simply made."""
    world = Shop(connection=UNIQUE)
    played(AUTOMATIC, paid(), sent, world=world)
    forget(world, DocumentKind.INVOICE)
    world.now_seconds = 5000.0
    played(AUTOMATIC, count, REFUNDED, world=world)
    assert (len(world.invoices), world.notes) == (1, [("1001~credit_note~r1", "22.00", "0.00")])
    assert (totals(world.invoices), world.state()) == ([("partially_paid", "122.00")], OrderState.BOOKED)
    assert "find_credit_notes" not in world.counted()


def test_a_credit_note_of_our_key_that_is_another_ones_parks() -> None:
    """Its key is taken, and nothing of our reference is there: a person looks, and nothing is asked for ever."""
    world = Shop(connection=UNIQUE)
    played(AUTOMATIC, paid(), sent, REFUNDED, world=world)
    (note,) = world.book.credits.notes.values()
    world.book.credits.notes[note.credit_note_id] = replace(note, reference="somebody's")
    forget(world, DocumentKind.CREDIT_NOTE)
    world.now_seconds = 5000.0
    played(AUTOMATIC, (UPDATED, 3, an_order(refunds=[ONE], note="hello")), world=world)
    assert (world.reason(), len(world.notes)) == ("already_in_ledger", 1)
