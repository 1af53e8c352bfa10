"""What the ledger is to say of an order: days, decimals, refunds in their sequence, whose it is, and open days."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from consumer.domain.customer_choice import Known
from consumer.domain.deciding.situation import Observations, Rest, Situation, WhoIs
from consumer.domain.deciding.wanted import (
    contact_wanted,
    credit_notes,
    day_of,
    digits_of,
    folds_refunds,
    meant,
    pending_refunds,
    refunds_of,
    rounding_of,
    wanted_draft,
    wanted_sent,
    wanted_with,
)
from consumer.domain.ledger import Contact, TaxRounding
from consumer.domain.mapping import Mapped
from consumer.domain.orders import Order, Refund
from consumer.domain.records import Document, DocumentKind
from consumer.domain.settings import RefundOnDraft
from consumer.domain.states import OrderState, Reason, ReasonCode
from tests.domain.deciding.building import CONNECTION, MAPPED, PAID_AT, SHOP, document, situation, with_documents
from tests.domain.order_building import FACTS, D, line, mapped, order

LATE = datetime(2026, 3, 14, 23, 30, tzinfo=UTC)
LIVE = document(status="sent", customer="old")
SOLD = order([line("1", "10.00", id="1")], "12.20")
WHY = Reason(code=ReasonCode.TAX_MISSING, message="No tax.")


def of(*documents: Document, given: Order | None = SOLD, currency: str = "EUR", **more: Any) -> Situation:
    """Give a situation."""
    stored = replace(with_documents(*documents), currency=currency)
    return situation(stored, **{"order": given, "facts": FACTS, "mapped": MAPPED, **more})


def test_decimals_rounding_and_days_are_the_organisations() -> None:
    """As far as they are known; else those of the currency, none, and of UTC."""
    assert [digits_of(of(currency=code)) for code in ("EUR", "KWD", "JPY")] == [2, 3, 0]
    odd = replace(FACTS, currencies=tuple(replace(one, digits=4) for one in FACTS.currencies))
    assert digits_of(of(facts=odd)) == 4
    assert digits_of(of(facts=None, currency="JPY")) == 0
    assert (rounding_of(of()), rounding_of(of(facts=None))) == (TaxRounding.PER_RATE, TaxRounding.UNKNOWN)
    assert day_of(of(), LATE) == date(2026, 3, 15)
    assert day_of(of(facts=None), LATE) == date(2026, 3, 14)
    for zone in ("", "Rome/Europe"):
        facts = replace(FACTS, organization=replace(FACTS.organization, time_zone=zone))
        assert day_of(of(facts=facts), LATE) == date(2026, 3, 14)


def refund(id_: str, moment: datetime | None = None, amount: str = "1.22") -> Refund:
    """Give a refund."""
    return Refund(id=id_, amount=D(amount), created_at=moment)


def test_refunds_come_in_the_sequence_in_which_they_were_made() -> None:
    """Those without a moment last, by their ids; without content there are none."""
    told = (refund("c"), refund("b"), refund("a", LATE), refund("d", PAID_AT))
    assert [one.id for one in refunds_of(of(given=replace(SOLD, refunds=told)))] == ["d", "a", "b", "c"]
    assert refunds_of(of(given=None)) == ()


def note(**more: Any) -> Document:
    """Give a credit note of the invoice."""
    return document(**{"kind": DocumentKind.CREDIT_NOTE, "ledger_id": "n1", "part": "r1", "settles": "i1", **more})


def test_a_credit_note_of_the_invoice_is_one_that_stands_and_settles_it() -> None:
    """Not of another invoice, not one that is void."""
    others = (note(live=False), note(settles="i2"), document(kind=DocumentKind.PAYMENT, settles="i1"))
    assert credit_notes(of(LIVE, note(), *others).record, LIVE) == (note(),)


def test_a_refund_is_pending_until_a_document_accounts_for_it() -> None:
    """The invoice itself, or a credit note of it; one of nothing is none."""
    told = (refund("r1"), refund("r2"), refund("r3"), refund("r0", amount="0"))
    given = of(LIVE, note(), given=replace(SOLD, refunds=told))
    assert [one.id for one in pending_refunds(given, replace(LIVE, folded=("r2",)))] == ["r3"]


@pytest.mark.parametrize(
    ("more", "folds"),
    [
        ({}, True),
        ({"connection": None}, True),
        ({"connection": replace(CONNECTION, negative_lines=False)}, False),
        ({"shop": None}, False),
        ({"shop": replace(SHOP, refund_on_draft=RefundOnDraft.CREDIT_NOTE_LATER)}, False),
    ],
)
def test_refunds_are_taken_off_a_draft_where_there_is_an_exact_way(more: dict[str, Any], folds: bool) -> None:  # noqa: FBT001 a parameter
    """By the setting, and with lines below nought."""
    given = of(given=replace(SOLD, refunds=(refund("r1"),)), **more)
    assert folds_refunds(given) is folds
    wanted = wanted_draft(given)
    assert isinstance(wanted, Mapped)
    assert wanted.expected.total == (D("10.98") if folds else D("12.20"))


def test_a_sent_invoice_says_what_it_was_sent_with() -> None:
    """Only the refunds that it accounts for are off; its day stays, though the period is closed by now."""
    told = replace(SOLD, refunds=(refund("r1"), refund("r2")))
    closed = Observations(closed_until=date(2026, 3, 31))
    wanted = wanted_sent(of(LIVE, given=told, known=closed), replace(LIVE, folded=("r2",)))
    assert isinstance(wanted, Mapped)
    assert (wanted.folded, wanted.draft.issued_on, wanted.day_moved) == (("r2",), date(2026, 3, 14), False)
    # Of a shop that is gone nobody knows the words for it.
    gone = wanted_sent(of(LIVE, given=told, shop=None), replace(LIVE, folded=("r2",)))
    assert isinstance(gone, Mapped)
    assert gone.folded == ()


def test_what_cannot_be_mapped_or_taken_off_says_why() -> None:
    """The mapping's reason, that there is no content, that a refund exceeds the order."""
    assert wanted_with(of(mapped=WHY), ()) == WHY
    unreadable = wanted_with(of(mapped=None), ())
    assert isinstance(unreadable, Reason)
    assert unreadable.code is ReasonCode.ORDER_UNREADABLE
    beyond = wanted_with(of(), (refund("r1", amount="99"),))
    assert isinstance(beyond, Reason)
    assert beyond.code is ReasonCode.REFUND_EXCEEDS_INVOICE


def test_a_day_in_a_closed_period_is_moved_to_the_first_open_one() -> None:
    """With its day of payment and a word in the notes; one that was moved stays; an open day stays too."""
    terms = mapped(SOLD, shop=replace(SHOP, payment_terms=7, notes="Thanks"))
    closed = Observations(closed_until=date(2026, 3, 14))
    words = "Its day, 2026-03-14, lies in a closed period: dated on the first open day, 2026-03-15."
    moved = wanted_with(of(mapped=terms, known=closed), ())
    assert moved == replace(
        terms,
        draft=replace(terms.draft, issued_on=date(2026, 3, 15), due_on=date(2026, 3, 22), notes=f"Thanks\n{words}"),
        day_moved=True,
        notes=(*terms.notes, words),
    )
    assert wanted_with(of(mapped=terms, known=Observations(closed_until=date(2026, 3, 13))), ()) == terms
    there = document(day_moved=True, issued_on=date(2026, 3, 20))
    kept = wanted_with(of(there, mapped=terms, known=closed), ())
    assert isinstance(kept, Mapped)
    assert kept.draft.issued_on == date(2026, 3, 20)
    same = document(day_moved=True, issued_on=date(2026, 3, 14))
    assert wanted_with(of(same, mapped=terms), ()) == terms
    labelled = of(mapped=mapped(SOLD), known=closed)
    bare = wanted_with(labelled, ())
    assert isinstance(bare, Mapped)
    assert bare.draft.notes == words


def test_whose_it_is_is_asked_only_where_the_customer_has_changed() -> None:
    """Then it is found out, parked for the reason, or that contact's."""
    wanted = replace(MAPPED, customer="new")
    assert contact_wanted(of(LIVE, customer=None), LIVE, replace(MAPPED, customer="old")) == "c1"
    assert contact_wanted(of(LIVE, customer=None), replace(LIVE, customer=""), wanted) == "c1"
    assert contact_wanted(of(LIVE, customer=None), LIVE, wanted) == WhoIs()
    parked = contact_wanted(of(LIVE, customer=WHY), LIVE, wanted)
    assert isinstance(parked, Rest)
    assert (parked.conclusion.state, parked.conclusion.reason) == (OrderState.PARKED, WHY)
    other = Known(contact=Contact(contact_id="c7", name="x"))
    assert contact_wanted(of(LIVE, customer=other), LIVE, wanted) == "c7"


def test_an_intent_keeps_what_an_invoice_is_known_by() -> None:
    """Its sums, whose it is, its refunds, its day."""
    plain = replace(MAPPED, customer="who", folded=("r1", "r2"), day_moved=True)
    assert meant(of(), plain) == {
        "sums": "t22|22|12.20|2.20|",
        "customer": "who",
        "folded": "r1\nr2",
        "day_moved": "yes",
        "paid_moment": "2026-03-14T12:00:00+00:00",
    }
    bare = replace(MAPPED, customer="", paid_moment=None)
    assert {key: meant(of(), bare)[key] for key in ("customer", "folded", "day_moved", "paid_moment")} == {
        "customer": "",
        "folded": "",
        "day_moved": "",
        "paid_moment": "",
    }
