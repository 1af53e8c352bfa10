"""What the ledger's answers make of a write without one: every end of every doubt, and what the story says of it."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from consumer.domain.credits import (
    CreditNoteStatus,
    CreditRefund,
    ListCreditRefunds,
)
from consumer.domain.deciding import decide
from consumer.domain.deciding.absence import doubt
from consumer.domain.deciding.situation import Adopt, Call, Decision, Forget, Gone, Observations, Rest, Restate
from consumer.domain.ledger import InvoiceStatus, ReadInvoice
from consumer.domain.records import Document, DocumentKind, Note, Resolution
from consumer.domain.states import OrderState, Reason, ReasonCode
from tests.domain.deciding.building import HASH, PAID_AT, document, intent, invoice, record, situation, with_documents
from tests.domain.deciding.test_money_doubts import FIND, READ, REFERENCE, SUMS, known_note, note
from tests.domain.deciding.test_money_doubts import doubt as in_doubt

D = Decimal
URL = "https://ledger.example/1"


def superseded(decision: Decision) -> Reason:
    """Give why an order is parked whose doubt has ended by that."""
    assert isinstance(decision, Rest), decision
    assert (decision.conclusion.state, decision.resolve) == (OrderState.PARKED, Resolution.SUPERSEDED)
    assert decision.conclusion.reason is not None
    return decision.conclusion.reason


def known(*found: Any, whole: dict[str, Any] | None = None, key_taken: bool = False) -> Observations:
    """Give what a search found, and what was read."""
    return Observations(by_reference=tuple(found), invoices=whole or {}, key_taken=key_taken)


def creating(given: Observations, **more: Any) -> Decision:
    """Decide about an invoice without an answer."""
    return decide(situation(record(open_intent=intent(**more)), known=given))


# ---- waiting ---------------------------------------------------------------------------------------------------------


def test_a_write_is_waited_for_until_it_has_settled() -> None:
    """The words name it; a key that is taken is an answer, and nothing is waited for."""
    assert creating(Observations(), settles_in=9.0) == doubt(
        9.0, "No answer is known to create_invoice; asked in a while."
    )
    assert isinstance(creating(Observations(key_taken=True), settles_in=9.0), Call)
    assert isinstance(creating(Observations(), settles_in=0.0), Call)
    assert isinstance(creating(Observations(), settles_in=0.5), Rest)


def test_a_write_that_may_be_repeated_is_forgotten() -> None:
    """It is decided about anew."""
    stored = record(open_intent=intent("update_contact"))
    assert decide(situation(stored)) == Forget(
        resolve=Resolution.SUPERSEDED, note=Note(decision="forget", words=("update_contact again.",))
    )


# ---- an invoice ------------------------------------------------------------------------------------------------------


def test_an_invoice_that_was_made_is_adopted() -> None:
    """Of the order's total, or of what the draft gives under the other rounding."""
    note_ = Note(decision="adopt", words=("No answer had come, but the invoice was made.",))
    made = invoice()
    adopted = Adopt(invoice=made, note=note_, resolve=Resolution.ADOPTED)
    assert creating(known(made, whole={"i1": made})) == adopted
    other = invoice(total=D("12.21"))
    sought = {**intent().sought, "total_otherwise": "12.21"}
    assert creating(known(other, whole={"i1": other}), sought=sought) == replace(adopted, invoice=other)
    assert superseded(creating(known(other, whole={"i1": other}))).code is ReasonCode.ALREADY_IN_LEDGER


def test_what_is_void_gone_or_recorded_does_not_count() -> None:
    """A list lags: what it shows is read, and may be gone by then."""
    void = invoice(status=InvoiceStatus.VOID)
    first = doubt(30.0, "It was not found; looked for once more in a while.", looked=True)
    assert creating(known(void)) == first
    assert creating(known(invoice(), whole={"i1": None})) == first
    assert creating(known(invoice(), whole={"i1": void})) == first
    stored = replace(with_documents(document(live=False)), open_intent=intent())
    assert decide(situation(stored, known=known(invoice()))) == first


def test_several_documents_are_read_one_after_the_other() -> None:
    """Two that could be ours are left to a person, with their numbers and links."""
    second = invoice(invoice_id="i2", number="INV-2", url=URL)
    assert creating(known(invoice(), second, whole={"i1": invoice()})) == Call(operation=ReadInvoice(invoice_id="i2"))
    both = known(invoice(), second, whole={"i1": invoice(), "i2": second})
    assert superseded(creating(both)) == Reason(
        code=ReasonCode.ALREADY_IN_LEDGER,
        message=f"Other documents in the ledger have the reference 1001: INV-1, INV-2 {URL}",
        fix="Look at them in the ledger: delete or void what is wrong and retry, or ignore the order.",
    )


def test_a_key_that_is_taken_by_what_nobody_shows_is_left_to_a_person() -> None:
    """The ledger refuses it, and shows no such document."""
    assert superseded(creating(known(key_taken=True))) == Reason(
        code=ReasonCode.ALREADY_IN_LEDGER,
        message="The ledger says that the key of 1001 is taken, and shows no such document.",
        fix="Look for it in the ledger, among the deleted and the void too; delete it or free its key, then retry.",
    )


# ---- what changes an invoice -----------------------------------------------------------------------------------------


def changing(operation: str, now: Any, live: Document | None = None, **sought: str) -> Decision:
    """Decide about a change of the invoice without an answer, which was read as said."""
    given = intent(operation, sought={**intent().sought, **sought})
    stored = replace(with_documents(live or document()), open_intent=given)
    return decide(situation(stored, known=Observations(invoices={"i1": now})))


@pytest.mark.parametrize(
    ("operation", "sought", "status"),
    [
        ("delete_invoice", {}, "deleted_for_difference"),
        ("delete_invoice", {"status": "deleted"}, "deleted"),
        ("update_invoice", {}, "deleted_by_hand"),
        ("void_invoice", {"status": "deleted"}, "deleted_by_hand"),
    ],
)
def test_what_is_gone_was_deleted_by_us_or_by_hand(operation: str, sought: dict[str, Any], status: str) -> None:
    """Who asked for it is told by what was asked for."""
    assert changing(operation, None, **sought) == Gone(
        invoice_id="i1",
        status=status,
        note=Note(decision="gone", words=("The document is gone from the ledger.",)),
        resolve=Resolution.ADOPTED,
    )


@pytest.mark.parametrize("operation", ["update_invoice", "mark_sent", "void_invoice"])
def test_the_ledgers_own_state_is_the_answer(operation: str) -> None:
    """Void is gone, but where we made it so."""
    seen = Note(decision="seen", words=("The ledger's own state was read.",))
    assert changing(operation, invoice()) == Adopt(invoice=invoice(), note=seen, resolve=Resolution.ADOPTED)
    void = invoice(status=InvoiceStatus.VOID)
    if operation == "void_invoice":
        assert changing(operation, void) == Adopt(invoice=void, note=seen, resolve=Resolution.ADOPTED)
    else:
        assert changing(operation, void) == Gone(
            invoice_id="i1",
            status="voided_by_hand",
            note=Note(decision="gone", words=("Somebody has made the document void.",)),
            resolve=Resolution.ADOPTED,
        )


@pytest.mark.parametrize(
    ("emailed", "words"),
    [
        (True, "The mail had left."),
        (False, "It is not known whether the mail left; it is not repeated."),
        (None, "It is not known whether the mail left; it is not repeated."),
    ],
)
def test_a_mail_is_never_repeated(emailed: bool | None, words: str) -> None:  # noqa: FBT001 a parameter
    """Twice is worse than a person's look at the story."""
    now = invoice(status=InvoiceStatus.SENT, balance=D(7), emailed=emailed)
    assert changing("email_invoice", now) == Restate(
        document=document(status="sent", balance=D(7), emailed=True),
        note=Note(decision="email", words=(words,)),
        resolve=Resolution.ADOPTED,
    )
    dead = document(live=False)
    assert changing("email_invoice", now, dead) == Forget(
        resolve=Resolution.SUPERSEDED, note=Note(decision="forget", words=("No invoice to mail.",))
    )


# ---- a credit note ---------------------------------------------------------------------------------------------------


def test_a_credit_note_is_recorded_with_all_that_is_known_of_it() -> None:
    """The ledger's figures, and of the intent what it stands for."""
    made = note(
        number="CN-1",
        tax_total=D("2.20"),
        issued_on=date(2026, 3, 20),
        url=URL,
        modified_at=PAID_AT,
        unique_key="k",
    )
    given = in_doubt("create_credit_note", answers={FIND: (made,), READ: made}, unique_key="k", n="3")
    assert decide(given) == Restate(
        document=Document(
            connection_id="books",
            kind=DocumentKind.CREDIT_NOTE,
            ledger_id="n1",
            number="CN-1",
            status="open",
            live=True,
            reference=REFERENCE,
            total=D("12.20"),
            currency="EUR",
            part="r1",
            n=3,
            unique_key="k",
            tax_total=D("2.20"),
            issued_on=date(2026, 3, 20),
            url=URL,
            contact_id="c1",
            content_hash=HASH,
            agreed=True,
            ledger_modified_at=PAID_AT,
            balance=D(0),
            sums=SUMS,
            settles="i1",
            applied=True,
        ),
        note=Note(decision="adopt", words=("No answer had come, but the credit note was made.",)),
        resolve=Resolution.ADOPTED,
    )


@pytest.mark.parametrize(
    ("made", "ours"),
    [
        (note(created_at=PAID_AT - timedelta(minutes=1)), True),
        (note(created_at=PAID_AT - timedelta(minutes=1, seconds=1)), False),
        (note(created_at=None), True),
    ],
    ids=["a minute before", "more than a minute before", "at no known moment"],
)
def test_a_credit_note_is_ours_from_a_minute_before_the_intent(made: Any, ours: bool) -> None:  # noqa: FBT001 a parameter
    """Two clocks."""
    decision = decide(in_doubt("create_credit_note", answers={FIND: (made,)}))
    assert (decision == Call(operation=READ)) is ours


def test_with_a_taken_key_its_age_does_not_count() -> None:
    """The key will tell whose it is; shown by nobody, a person has to look."""
    old = note(created_at=PAID_AT - timedelta(hours=1))
    given = in_doubt("create_credit_note")
    taken = replace(given, known=Observations(answers={FIND: (old,)}, key_taken=True))
    assert decide(taken) == Call(operation=READ)
    other = replace(given, known=Observations(answers={FIND: (note(total=D(1)),)}, key_taken=True))
    assert superseded(decide(other)).message == (
        f"Other credit notes in the ledger have the reference {REFERENCE}: CN-1"
    )
    nothing = replace(given, known=Observations(answers={FIND: ()}, key_taken=True))
    assert superseded(decide(nothing)) == Reason(
        code=ReasonCode.ALREADY_IN_LEDGER,
        message=f"The ledger says that the key of {REFERENCE} is taken, and shows no such credit note.",
        fix="Look for it in the ledger, among the void too; delete it or free its key, then retry.",
    )


def test_credit_notes_that_are_not_ours_are_named() -> None:
    """With what to do; those that are recorded already, void or of another reference are none of them."""
    first, second = note(), note(credit_note_id="n2", number="CN-2", url=URL)
    both = in_doubt("create_credit_note", answers={FIND: (first, second)})
    assert superseded(decide(both)) == Reason(
        code=ReasonCode.ALREADY_IN_LEDGER,
        message=f"Other credit notes in the ledger have the reference {REFERENCE}: CN-1, CN-2 {URL}",
        fix="Look at them in the ledger: delete or void what is wrong and retry, or ignore the order.",
    )
    recorded = in_doubt("create_credit_note", known_note(), answers={FIND: (first,)})
    assert isinstance(decide(recorded), Rest)
    void = note(status=CreditNoteStatus.VOID, credit_note_id="n2")
    assert decide(in_doubt("create_credit_note", answers={FIND: (void, first)})) == Call(operation=READ)
    assert decide(in_doubt("create_credit_note", answers={FIND: None})) == doubt(
        30.0, "It was not found; looked for once more in a while.", looked=True
    )


@pytest.mark.parametrize(
    ("whole", "sought", "ours"),
    [
        (None, {}, False),
        (note(unique_key="k"), {"unique_key": "k"}, True),
        (note(unique_key="other"), {"unique_key": "k"}, False),
        (note(unique_key=None), {"unique_key": "k"}, True),
        (note(unique_key="other"), {}, True),
    ],
    ids=["gone by now", "our key", "another key", "no key is shown", "we have none"],
)
def test_a_credit_note_that_was_read_is_ours_by_its_key(whole: Any, sought: dict[str, Any], ours: bool) -> None:  # noqa: FBT001 a parameter
    """Where there is one."""
    decision = decide(in_doubt("create_credit_note", answers={FIND: (note(),), READ: whole}, **sought))
    assert isinstance(decision, Restate) is ours


# ---- what is done with it --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("known_balance", "balance", "was_applied", "applied", "words"),
    [
        ("12.20", "5.00", False, True, "The credit had been put on the invoice."),
        ("12.20", "12.20", False, False, "The credit was not put on the invoice."),
        ("12.20", None, False, False, "The credit was not put on the invoice."),
        (None, "5.00", False, False, "The credit was not put on the invoice."),
        ("5.00", "5.00", True, True, "The credit was not put on the invoice."),
    ],
)
def test_less_of_a_credit_is_left_where_it_was_put_on_its_invoice(
    known_balance: str | None,
    balance: str | None,
    was_applied: bool,  # noqa: FBT001 a parameter
    applied: bool,  # noqa: FBT001 a parameter
    words: str,
) -> None:
    """What is known of neither side proves nothing."""
    before = known_note(balance=None if known_balance is None else D(known_balance), applied=was_applied)
    left = None if balance is None else D(balance)
    now = note(balance=left, status=CreditNoteStatus.CLOSED)
    assert decide(in_doubt("apply_credit", before, answers={READ: now})) == Restate(
        document=replace(before, balance=left, status="closed", applied=applied),
        note=Note(decision="seen", words=(words,)),
        resolve=Resolution.ADOPTED,
    )


@pytest.mark.parametrize(("documents", "answer"), [((known_note(),), None), ((), note())])
def test_a_credit_note_that_is_gone_is_forgotten(documents: tuple[Document, ...], answer: Any) -> None:
    """In the ledger, or here."""
    assert decide(in_doubt("apply_credit", *documents, answers={READ: answer})) == Forget(
        resolve=Resolution.SUPERSEDED, note=Note(decision="gone", words=("The credit note is gone.",))
    )


def test_a_refund_is_recorded_as_the_ledger_has_it() -> None:
    """By its reference; one of another reference is not."""
    ask = ListCreditRefunds(credit_note_id="n1")
    row = CreditRefund(
        refund_id="f1", credit_note_id="n1", amount=D("12.20"), reference="x", refunded_on=date(2026, 3, 21)
    )
    given = in_doubt(
        "refund_credit", known_note(), answers={ask: (replace(row, reference="y"), row)}, reference="x", n="2"
    )
    stored = replace(given, record=replace(given.record, currency="EUR"))
    assert decide(stored) == Restate(
        document=Document(
            connection_id="books",
            kind=DocumentKind.REFUND,
            ledger_id="f1",
            number="",
            status="refunded",
            live=True,
            reference="x",
            total=D("12.20"),
            currency="EUR",
            part="r1",
            n=2,
            issued_on=date(2026, 3, 21),
            settles="n1",
        ),
        note=Note(decision="adopt", words=("No answer had come, but the refund was recorded.",)),
        resolve=Resolution.ADOPTED,
    )
    missing = in_doubt("refund_credit", known_note(), answers={ask: None}, reference="x")
    assert isinstance(decide(missing), Rest)
