"""Credit notes that are in the ledger already, what the shop says otherwise, and invoices of several taxes."""

import json
from collections.abc import Hashable
from dataclasses import replace
from typing import Any

import pytest

from consumer.domain.arithmetic import TaxSum
from consumer.domain.credits import CreateCreditNote, CreditNote, CreditNoteStatus, FindCreditNotes
from consumer.domain.deciding.refunding import (
    credit_reference,
    credit_refund,
    credit_rest,
    next_n,
    told_otherwise,
)
from consumer.domain.deciding.situation import Call, Decision, Observations, Restate, Situation, draft_digest
from consumer.domain.orders import Refund, RefundLine, Tax
from consumer.domain.records import Document, DocumentKind, Note
from consumer.domain.states import Reason, ReasonCode
from tests.domain.deciding.building import CONNECTION, HASH
from tests.domain.deciding.refunding_building import (
    GIVEN_BACK,
    LIVE,
    SENT,
    SOLD,
    T22,
    URL,
    drafted,
    made,
    note,
    of,
    parked,
)
from tests.domain.order_building import D, line, mapped, order

# ---- whose it is, if it is there already -----------------------------------------------------------------------------

ASK = FindCreditNotes(reference="1001~credit_note~r1")
FOUND = CreditNote(
    credit_note_id="n7",
    number="CN-7",
    status=CreditNoteStatus.OPEN,
    reference="1001~credit_note~r1",
    contact_id="c1",
    total=D("6.10"),
    currency="EUR",
    balance=D("6.10"),
    url=URL,
)


def looking(*found: CreditNote, more: tuple[Document, ...] = (), **known: Any) -> Decision:
    """Credit the refund where the ledger may have it already."""
    answers: dict[Hashable, Any] = {ASK: found} if found or known.pop("asked", False) else {}
    given = of(*more, known=Observations(answers=answers, **known), looked_first=not known.get("key_taken", False))
    return credit_refund(given, LIVE, SENT, GIVEN_BACK)


def test_a_credit_note_that_was_forgotten_is_taken_over() -> None:
    """With the figures that were meant; what is open of it is put on the invoice later."""
    assert looking() == Call(operation=ASK)
    assert looking(asked=True) == made(drafted())
    assert looking(FOUND) == Restate(
        document=Document(
            connection_id="books",
            kind=DocumentKind.CREDIT_NOTE,
            ledger_id="n7",
            number="CN-7",
            status="open",
            live=True,
            reference="1001~credit_note~r1",
            total=D("6.10"),
            currency="EUR",
            part="r1",
            n=1,
            url=URL,
            contact_id="c1",
            content_hash=HASH,
            agreed=True,
            balance=D("6.10"),
            sums=(replace(T22, gross=D("6.10"), tax=D("1.10")),),
            settles="i1",
        ),
        note=Note(decision="adopt", words=("The credit note was in the ledger already.",)),
    )


def test_one_that_is_taken_over_keeps_the_key_that_was_meant() -> None:
    """A list does not show it."""
    keyed = replace(CONNECTION, credit_note_unique_field="cf_key")
    given = of(known=Observations(answers={ASK: (FOUND,)}), looked_first=True, connection=keyed)
    found = credit_refund(given, LIVE, SENT, GIVEN_BACK)
    assert isinstance(found, Restate)
    assert found.document.unique_key == "shop/1001/credit_note/r1/1"


@pytest.mark.parametrize(
    "found",
    [
        replace(FOUND, reference="1001~credit_note~r11"),
        replace(FOUND, status=CreditNoteStatus.VOID),
        replace(FOUND, credit_note_id="n1"),
    ],
    ids=["a longer reference", "void", "recorded already"],
)
def test_what_is_not_of_its_reference_or_does_not_stand_is_passed_over(found: CreditNote) -> None:
    """It is made."""
    assert isinstance(looking(found, more=(note(part="r0", ledger_id="n1", sums=()),)), Call)


@pytest.mark.parametrize(
    "found",
    [
        (replace(FOUND, total=D("6.11")),),
        (replace(FOUND, contact_id="c2"),),
        (FOUND, replace(FOUND, credit_note_id="n8")),
    ],
    ids=["another total", "another customer", "two of them"],
)
def test_what_has_its_reference_and_other_figures_is_left_to_a_person(found: tuple[CreditNote, ...]) -> None:
    """Named with its link; so is a key that is taken by what nobody shows."""
    links = ", ".join(f"CN-7 {URL}" for _ in found)
    reason = Reason(
        code=ReasonCode.ALREADY_IN_LEDGER,
        message=f"Other credit notes in the ledger have the reference 1001~credit_note~r1: {links}",
        fix="Look at them in the ledger: delete or void what is wrong and retry, or ignore the order.",
    )
    assert parked(looking(*found)) == reason
    assert parked(looking(asked=True, key_taken=True)) == replace(
        reason, message="Other credit notes in the ledger have the reference 1001~credit_note~r1: "
    )


# ---- what the shop says otherwise ------------------------------------------------------------------------------------


def test_a_reference_is_cut_to_a_hundred_characters() -> None:
    """With a hash of the whole; the number of the next document goes on after the highest of its part and kind."""
    stored = of(note(n=1), note(n=3), note(ledger_id="n2", part="r2", n=5), live=replace(LIVE, n=9)).record
    assert credit_reference(stored, "r1") == "1001~credit_note~r1"
    assert len(credit_reference(stored, "x" * 100)) == 100
    assert (next_n(stored, "r1"), next_n(stored, "r9"), next_n(stored, "", DocumentKind.INVOICE)) == (4, 1, 10)


def test_a_refund_without_content_that_tells_of_it_needs_a_person() -> None:
    """Where it is not accounted for: silence would keep the money."""
    gone = of(note(), given=None)

    def kept(*ids: str, removed: bool = True, live: Document = LIVE) -> Reason | None:
        refunds = tuple(json.dumps({"id": one}).encode() for one in ids)
        stored = replace(gone.record, personal_removed=removed, kept_refunds=refunds)
        return told_otherwise(replace(gone, record=stored), live)

    found = kept("r1", "r2")
    assert found is not None
    assert found.code is ReasonCode.PERSONAL_DATA_REMOVED
    assert kept("r1") is None
    assert kept("r1", "r2", removed=False) is None
    assert kept("r1", "r2", live=replace(LIVE, folded=("r2",))) is None
    assert told_otherwise(of(note(agreed=False, total=D(1))), LIVE) is None
    assert told_otherwise(of(note()), LIVE) is None


# ---- several taxes ---------------------------------------------------------------------------------------------------

TWO = (
    TaxSum(tax_id="t22", rate=D(22), gross=D("122.00"), tax=D("22.00")),
    TaxSum(tax_id="t10", rate=D(10), gross=D("55.00"), tax=D("5.00")),
)
BOOKS = order([line("1", "100.00", id="1", name="Mug"), line("5", "10.00", "10", id="2", name="Book")], "177.00")
BOTH = replace(LIVE, sums=TWO, total=D("177.00"))
OWED = replace(SENT, total=D("177.00"), balance=D("177.00"))


def books(amount: str, line_amount: str, *notes: Document, tax: str | None = None) -> Decision:
    """Credit books that came back."""
    taxes = () if tax is None else (Tax(rate=D(10), amount=D(tax)),)
    refund = Refund(id="r1", amount=D(amount), lines=(RefundLine(line_id="2", amount=D(line_amount), taxes=taxes),))
    sold = replace(BOOKS, refunds=(refund,))
    return credit_refund(of(*notes, live=BOTH, given=sold), BOTH, OWED, refund)


def test_what_an_amount_alone_took_of_a_line_is_credited_elsewhere() -> None:
    """17.70 over all took 5.50 of the books: of their 55.00 there are 49.50, and 5.50 go to 22 %."""
    before = note(
        part="r0",
        sums=(replace(TWO[0], gross=D("12.20"), tax=D("2.20")), replace(TWO[1], gross=D("5.50"), tax=D("0.50"))),
    )
    found = books("55.00", "55.00", before)
    assert isinstance(found, Call)
    assert found.about is not None
    assert {one.tax_id: one.gross for one in found.about.sums} == {"t22": D("5.50"), "t10": D("49.50")}


def test_a_line_beyond_its_rate_and_vat_far_from_it_are_parked() -> None:
    """60.00 of 55.00; 22.00 with 0.10 of VAT."""
    beyond = parked(books("60.00", "60.00"))
    assert (beyond.code, beyond.message[:9]) == (ReasonCode.REFUND_EXCEEDS_INVOICE, "At 10 %: ")
    unclear = parked(books("22.00", "22.00", tax="0.10"))
    assert unclear.code is ReasonCode.REFUND_UNCLEAR
    assert unclear.message.startswith("The credit note 1001~credit_note~r1 cannot be written")


def test_one_tax_that_is_left_is_enough() -> None:
    """All mugs were credited, the books were not."""
    mugs = note(part="r0", sums=(TWO[0],))
    found = credit_rest(of(mugs, live=BOTH, given=BOOKS), BOTH, OWED, "Why.")
    assert isinstance(found, Call)
    assert found.sought["total"] == "55.00"


def test_all_that_is_left_of_an_untouched_invoice_is_credited_as_it_was_written() -> None:
    """Its own lines, unless something was credited before or the order is gone."""
    written = mapped(SOLD)
    live = replace(LIVE, written_digest=draft_digest(written))

    def names(given: Situation) -> list[str]:
        found = credit_rest(given, live, SENT, "Why.")
        assert isinstance(found, Call)
        assert isinstance(found.operation, CreateCreditNote)
        return [one.name for one in found.operation.draft.lines]

    assert names(of(live=live, mapped=written)) == ["Mug"]
    assert names(of(live=live, mapped=written, given=None)) == ["Invoice INV-1"]
    assert names(of(note(part="r0", sums=()), live=live, mapped=written)) == ["Invoice INV-1"]
