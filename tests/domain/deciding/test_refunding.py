"""Giving back, document by document: how a credit note is headed, what is kept of it, and whose it is if found."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from consumer.domain.credits import CreateCreditNote
from consumer.domain.deciding.refunding import (
    credit_refund,
    credit_rest,
    credited_in_full,
)
from consumer.domain.deciding.situation import Call, Observations, Restate, draft_digest
from consumer.domain.records import Note
from consumer.domain.states import Reason, ReasonCode
from tests.domain.deciding.building import CONNECTION, SHOP
from tests.domain.deciding.refunding_building import (
    GIVEN_BACK,
    LIVE,
    SENT,
    SOLD,
    T22,
    TODAY,
    URL,
    drafted,
    made,
    note,
    of,
    parked,
)
from tests.domain.order_building import D, line, mapped, order

# ---- a refund --------------------------------------------------------------------------------------------------------


def test_a_refund_is_credited_on_the_day_it_was_made_where_the_organisation_is() -> None:
    """Half past eleven at night by UTC is the next day in Rome; without a moment it is today."""
    assert credit_refund(of(), LIVE, SENT, GIVEN_BACK) == made(drafted())
    undated = replace(GIVEN_BACK, created_at=None)
    assert credit_refund(of(), LIVE, SENT, undated) == made(drafted(day=TODAY))


def test_the_shops_own_words_stand_on_it() -> None:
    """Its label and the reason; without a shop it is a refund."""
    named = of(shop=replace(SHOP, refund_label="Return", rounding_label="Cents"))
    assert credit_refund(named, LIVE, SENT, GIVEN_BACK) == made(drafted("Return", adjustment_label="Cents"))
    assert credit_refund(of(shop=None), LIVE, SENT, GIVEN_BACK) == made(drafted())


@pytest.mark.parametrize(
    ("closed", "issued_on", "day"),
    [
        (None, date(2026, 3, 14), date(2026, 3, 20)),
        (None, date(2026, 3, 22), date(2026, 3, 22)),
        (None, None, date(2026, 3, 20)),
        (date(2026, 3, 19), None, date(2026, 3, 20)),
        (date(2026, 3, 20), None, date(2026, 3, 21)),
        (date(2026, 3, 31), None, date(2026, 4, 1)),
    ],
)
def test_it_is_never_dated_before_its_invoice_nor_in_a_closed_period(
    closed: date | None, issued_on: date | None, day: date
) -> None:
    """The first open day then."""
    live = replace(LIVE, issued_on=issued_on)
    given = of(live=live, known=Observations(closed_until=closed))
    assert credit_refund(given, live, SENT, GIVEN_BACK) == made(drafted(day=day))


def test_without_any_day_it_bears_the_first_of_all() -> None:
    """Nothing is known of a day: nor of today."""
    live = replace(LIVE, issued_on=None)
    undated = replace(GIVEN_BACK, created_at=None)
    assert credit_refund(of(live=live, today=None), live, SENT, undated) == made(drafted(day=date.min))


@pytest.mark.parametrize(
    ("balance", "applies", "applied"),
    [("6.10", True, True), ("6.09", False, False), ("0", False, True), (None, False, False)],
)
def test_it_is_put_on_its_invoice_at_once_where_all_of_it_is_owed(
    balance: str | None,
    applies: bool,  # noqa: FBT001 a parameter
    applied: bool,  # noqa: FBT001 a parameter
) -> None:
    """Of a paid invoice nothing more is to be put on it; where nobody knows, or less is owed, that is left to do."""
    now = replace(SENT, balance=None if balance is None else D(balance))
    found = credit_refund(of(), LIVE, now, GIVEN_BACK)
    assert isinstance(found, Call)
    assert isinstance(found.operation, CreateCreditNote)
    assert found.about is not None
    assert (found.operation.apply_to, found.about.applied) == ("i1" if applies else "", applied)
    assert found.sought["applied"] == ("yes" if applied else "")


def test_half_a_unit_is_put_on_its_invoice_as_well() -> None:
    """0.50 of 12.20."""
    found = credit_refund(of(), LIVE, SENT, replace(GIVEN_BACK, amount=D("0.50")))
    assert isinstance(found, Call)
    assert isinstance(found.operation, CreateCreditNote)
    assert found.operation.apply_to == "i1"


def test_it_bears_its_own_key_its_currency_and_its_rate() -> None:
    """A key where the organisation has the field; the order's exchange rate, unless it is the organisation's own."""
    keyed = of(connection=replace(CONNECTION, credit_note_unique_field="cf_key"))
    unique: dict[str, Any] = {"unique_field": "cf_key", "unique_key": "shop/1001/credit_note/r1/1"}
    assert credit_refund(keyed, LIVE, SENT, GIVEN_BACK) == made(drafted(**unique))
    former = note(live=False, n=2)
    again = of(former, connection=keyed.connection)
    third: dict[str, Any] = {**unique, "unique_key": "shop/1001/credit_note/r1/3"}
    assert credit_refund(again, LIVE, SENT, GIVEN_BACK) == made(drafted(**third), n=3)
    abroad = replace(SOLD, currency="USD", exchange_rate=D("0.9"))
    dollars = credit_refund(of(given=abroad), LIVE, replace(SENT, currency="USD"), GIVEN_BACK)
    assert isinstance(dollars, Call)
    assert isinstance(dollars.operation, CreateCreditNote)
    draft = dollars.operation.draft
    assert (draft.currency, draft.currency_id, draft.exchange_rate) == ("USD", "4", D("0.9"))
    home = of(given=replace(SOLD, exchange_rate=D("0.9")))
    assert credit_refund(home, LIVE, SENT, GIVEN_BACK) == made(drafted())
    bare = credit_refund(of(facts=None, connection=None), LIVE, SENT, GIVEN_BACK)
    assert isinstance(bare, Call)
    assert isinstance(bare.operation, CreateCreditNote)
    assert bare.operation.draft.currency_id == ""


def test_a_refund_that_cannot_be_credited_is_parked() -> None:
    """Unclear, beyond its invoice, beyond its rate, of an invoice whose make-up nobody knows."""
    assert parked(credit_refund(of(), LIVE, SENT, replace(GIVEN_BACK, amount=D("1.005")))).code is (
        ReasonCode.REFUND_UNCLEAR
    )
    assert parked(credit_refund(of(), LIVE, SENT, replace(GIVEN_BACK, amount=D("12.21")))).code is (
        ReasonCode.REFUND_EXCEEDS_INVOICE
    )
    credited = note(ledger_id="n0", part="r0")
    left = credit_refund(of(credited), LIVE, SENT, replace(GIVEN_BACK, amount=D("6.11")))
    assert parked(left).code is ReasonCode.REFUND_EXCEEDS_INVOICE
    bare = replace(LIVE, sums=())
    assert parked(credit_refund(of(live=bare), bare, SENT, GIVEN_BACK)) == Reason(
        code=ReasonCode.REFUND_UNCLEAR,
        message="How invoice INV-1 is made up of taxes is not known: it was adopted as it stood.",
        fix=f"Make the credit note by hand and ignore the order: {URL}",
    )
    with pytest.raises(ValueError, match="order shop/1001 has refunds and no content"):
        credit_refund(of(given=None), LIVE, SENT, GIVEN_BACK)


def test_all_of_an_invoice_is_credited_as_it_was_written() -> None:
    """Its own lines, where the order still gives them; under one line per tax where it does not."""
    whole = replace(GIVEN_BACK, amount=D("12.20"))
    sold = replace(SOLD, refunds=(whole,))
    written = mapped(sold)
    live = replace(LIVE, written_digest=draft_digest(written))
    same = credit_refund(of(live=live, given=sold, mapped=written), live, SENT, whole)
    assert isinstance(same, Call)
    assert isinstance(same.operation, CreateCreditNote)
    assert same.operation.draft.lines == written.draft.lines
    for given in (
        of(live=live, given=sold, mapped=mapped(order([line("2", "5.00")], "12.20"))),
        of(live=live, given=sold, mapped=Reason(code=ReasonCode.TAX_MISSING, message="")),
        of(note(ledger_id="n0", part="r0", sums=()), live=live, given=sold, mapped=written),
    ):
        other = credit_refund(given, live, SENT, whole)
        assert isinstance(other, Call)
        assert isinstance(other.operation, CreateCreditNote)
        assert [one.name for one in other.operation.draft.lines] == ["Refund"]


# ---- all that is left ------------------------------------------------------------------------------------------------


def test_all_that_is_left_is_credited_under_the_invoices_own_name() -> None:
    """12.20, of 12.20 less 6.10 the other 6.10; its part names which invoice of the order it was."""
    second = replace(LIVE, n=2)
    draft = drafted("Invoice INV-1", "12.20", TODAY, reference="1001~credit_note~!all-2")
    assert credit_rest(of(live=second), second, SENT, "Why.") == made(draft, part="!all-2", words="Why.")
    half = credit_rest(of(note()), LIVE, SENT, "Why.")
    assert half == made(
        drafted("Invoice INV-1", "6.10", TODAY, reference="1001~credit_note~!all-1"), part="!all-1", words="Why."
    )


CREDITED = replace(LIVE, status="credited", live=False)


def test_an_invoice_of_which_nothing_is_left_is_no_live_one() -> None:
    """Unless a credit is still to be put on it; whether all was credited a moment ago is told by its part."""
    everything = note(part="!all-1", sums=(T22,), total=D("12.20"))
    done = Restate(
        document=CREDITED, note=Note(decision="credited", words=("Why.", "Invoice INV-1 is credited in full."))
    )
    assert credit_rest(of(everything), LIVE, SENT, "Why.") == done
    assert credited_in_full(of(everything), LIVE) == replace(
        done, note=Note(decision="credited", words=("Invoice INV-1 is credited in full.",))
    )
    waits = replace(everything, balance=D("12.20"))
    assert isinstance(credit_rest(of(waits), LIVE, SENT, "Why."), Call)
    assert isinstance(credited_in_full(of(waits), LIVE), Call)
    for other in (replace(everything, part="!all-2"), replace(everything, agreed=False), note()):
        assert credited_in_full(of(other), LIVE) is None


def test_vat_alone_is_left_as_well() -> None:
    """A cent of it."""
    almost = note(part="r0", sums=(replace(T22, tax=D("2.19")),))
    assert not isinstance(credit_rest(of(almost), LIVE, SENT, "Why."), Restate)
