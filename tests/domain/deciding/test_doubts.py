"""The decision while a write has no answer: wait, ask twice, and only then write again."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from consumer.domain.deciding import decide
from consumer.domain.deciding.situation import Adopt, Call, Forget, Gone, Observations, Rest
from consumer.domain.ledger import FindInvoices, ReadInvoice
from consumer.domain.records import Resolution
from consumer.domain.states import OrderState, ReasonCode
from tests.domain.deciding.building import (
    CONNECTION,
    PAID_AT,
    document,
    intent,
    invoice,
    record,
    situation,
    with_documents,
)

FOUND = Observations(by_reference=(invoice(lines=None),), invoices={"i1": invoice()})
NOTHING = Observations(by_reference=())


def test_nothing_is_asked_before_the_write_has_settled() -> None:
    """Until deadline and settle time have passed the request may still arrive: the order rests, uncertain."""
    decision = decide(situation(record(open_intent=intent(settles_in=12.5))))
    assert isinstance(decision, Rest)
    assert decision.conclusion.state is OrderState.UNCERTAIN
    assert decision.conclusion.due_in_seconds == 12.5
    assert decision.resolve is None


def test_nothing_else_is_decided_while_a_write_is_in_doubt() -> None:
    """A cancellation, a hold, a switch: all wait until it is known whether the document exists."""
    held = replace(record().facts, cancelled=True)
    decision = decide(situation(record(open_intent=intent(settles_in=1.0), facts=held)))
    assert isinstance(decision, Rest)
    assert decision.conclusion.state is OrderState.UNCERTAIN


def test_a_settled_creation_is_looked_up_by_its_reference_and_read() -> None:
    """First the list by exact reference, then the document itself: a list row proves nothing."""
    stored = record(open_intent=intent())
    assert decide(situation(stored)) == Call(operation=FindInvoices(reference="1001"))
    listed = Observations(by_reference=(invoice(lines=None),))
    assert decide(situation(stored, known=listed)) == Call(operation=ReadInvoice(invoice_id="i1"))


def test_a_document_that_was_made_is_adopted() -> None:
    """Same reference, customer and total, made after the intent: it is ours."""
    decision = decide(situation(record(open_intent=intent()), known=FOUND))
    assert isinstance(decision, Adopt)
    assert decision.resolve is Resolution.ADOPTED


def test_an_older_document_of_the_same_reference_is_not_adopted() -> None:
    """Made two minutes before the intent: somebody else's. The order is parked, nothing is written."""
    old = invoice(created_at=PAID_AT - timedelta(minutes=2))
    known = Observations(by_reference=(old,), invoices={"i1": old})
    decision = decide(situation(record(open_intent=intent()), known=known))
    assert isinstance(decision, Rest)
    assert decision.conclusion.reason is not None
    assert decision.conclusion.reason.code is ReasonCode.ALREADY_IN_LEDGER


def test_with_the_unique_field_its_value_alone_decides() -> None:
    """Where the ledger keeps our key, the key is the proof: another total is adopted, another key is not."""
    connection = replace(CONNECTION, unique_field="cf_booked_key")
    stored = record(open_intent=intent())
    ours = invoice(unique_key="shop/1001/invoice//1", total=Decimal("99.00"))
    known = Observations(by_reference=(ours,), invoices={"i1": ours})
    assert isinstance(decide(situation(stored, connection=connection, known=known)), Adopt)
    theirs = invoice(unique_key="")
    known = Observations(by_reference=(theirs,), invoices={"i1": theirs})
    assert isinstance(decide(situation(stored, connection=connection, known=known)), Rest)


def test_an_absence_takes_two_looks_some_time_apart() -> None:
    """A list may lag: the first look is noted, the second comes no sooner than asked, and then it is made anew."""
    first = decide(situation(record(open_intent=intent()), known=NOTHING))
    assert isinstance(first, Rest)
    assert first.looked
    assert first.conclusion.due_in_seconds == 30.0
    early = decide(situation(record(open_intent=intent(looked_seconds_ago=10.0)), known=NOTHING))
    assert isinstance(early, Rest)
    assert early.conclusion.due_in_seconds == 20.0
    second = decide(situation(record(open_intent=intent(looked_seconds_ago=31.0)), known=NOTHING))
    assert isinstance(second, Forget)
    assert second.resolve is Resolution.ABSENT


def test_an_update_or_a_removal_is_asked_by_reading_the_document() -> None:
    """Gone means that the removal was done; else the ledger's state is taken over and decided from."""
    removal = with_documents(document())
    stored = replace(removal, open_intent=intent("delete_invoice"))
    assert decide(situation(stored)) == Call(operation=ReadInvoice(invoice_id="i1"))
    gone = decide(situation(stored, known=Observations(invoices={"i1": None})))
    assert isinstance(gone, Gone)
    there = decide(situation(stored, known=Observations(invoices={"i1": invoice()})))
    assert isinstance(there, Adopt)
