"""An order gets another customer after it was booked: whose the document is follows, or a person is asked."""

import pytest

from consumer.domain.events import EventKind
from consumer.domain.settings import ChangedSent
from consumer.domain.states import OrderState
from tests.services.booking.changing import AUTOMATIC, an_order, count, paid, played, sent, totals, with_shop
from tests.services.booking.test_changes import ALL

OTHER = (EventKind.UPDATED, 2, an_order(customer={"name": "Bruno Rossi", "email": "bruno@example.org"}))


def test_a_draft_moves_to_the_new_customer() -> None:
    """The contact is made where there is none, and the same draft is written over to it; nothing else changes."""
    world = played(AUTOMATIC, paid(), count, OTHER)
    assert world.counted() == ["create_contact", "read_invoice", "update_invoice"]
    assert world.book.contacts[world.invoice.contact_id].email == "bruno@example.org"
    assert (totals(world.invoices), world.state()) == ([("draft", "122.00")], OrderState.BOOKED)


@pytest.mark.parametrize("choice", [ChangedSent.PARK, ChangedSent.CREDIT_DIFFERENCE])
def test_a_sent_invoice_stays_its_customers_until_a_person_decides(choice: ChangedSent) -> None:
    """No difference can be credited: it is somebody else's invoice as a whole."""
    world = played(with_shop(changed_sent=choice), paid(), sent, OTHER)
    assert world.reason() == "changed_after_booking"
    assert world.book.contacts[world.invoice.contact_id].email == "anna@example.org"
    assert world.notes == []


def test_a_sent_invoice_is_moved_where_the_shop_updates_in_place() -> None:
    """One write, as for any other change."""
    world = played(with_shop(changed_sent=ChangedSent.UPDATE), paid(), sent, count, OTHER)
    assert world.counted() == ["create_contact", "read_invoice", "update_invoice"]
    assert world.book.contacts[world.invoice.contact_id].email == "bruno@example.org"
    assert (totals(world.invoices), world.state()) == ([("sent", "122.00")], OrderState.BOOKED)


def test_a_sent_invoice_is_credited_whole_and_made_anew_for_the_new_customer() -> None:
    """The old customer's invoice is covered by its credit note; the new one is the new customer's."""
    world = played(with_shop(changed_sent=ChangedSent.CREDIT_ALL), paid(), sent, OTHER)
    assert totals(world.invoices) == [("paid", "122.00"), ("draft", "122.00")]
    assert world.notes == [(ALL, "122.00", "0.00")]
    emails = [world.book.contacts[invoice.contact_id].email for invoice in world.invoices]
    assert emails == ["anna@example.org", "bruno@example.org"]


def test_data_of_the_same_customer_cost_no_write_of_the_document() -> None:
    """Another telephone number: the contact may be brought up to date, the invoice is not touched."""
    phone = {"name": "Anna Bianchi", "email": "anna@example.org", "phone": "+39 06 1"}
    world = played(AUTOMATIC, paid(), count, (EventKind.UPDATED, 2, an_order(customer=phone)))
    assert "update_invoice" not in world.counted()
    assert world.state() is OrderState.BOOKED
