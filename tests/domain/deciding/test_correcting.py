"""A changed order whose invoice is there: a draft is made right, a sent one by the setting, a hand is respected."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from consumer.domain.arithmetic import TaxSum
from consumer.domain.crediting import sums_text
from consumer.domain.deciding import decide
from consumer.domain.deciding.correcting import (
    correct_draft,
    correct_sent,
    credited_change,
    difference_credited,
    edited_by_hand,
    update_of,
)
from consumer.domain.deciding.situation import Call, Decision, Observations, Rest, Restate, Situation, draft_digest
from consumer.domain.ledger import DeleteInvoice, InvoiceStatus, LedgerLine, UpdateInvoice
from consumer.domain.orders import Refund
from consumer.domain.records import Conclusion, Document, DocumentKind, Note
from consumer.domain.settings import ChangedSent, ShopSettings
from consumer.domain.states import Ask, OrderState, Reason, ReasonCode
from tests.domain.deciding.building import (
    HASH,
    MAPPED,
    PAID_AT,
    SHOP,
    document,
    invoice,
    situation,
    with_documents,
)
from tests.domain.order_building import FACTS, D, line, mapped, order

URL = "https://ledger.example/1"
SUMS = (TaxSum(tax_id="t22", rate=D(22), gross=D("12.20"), tax=D("2.20")),)
OLD = b"old"
# Written from another content and another draft, and sent.
LIVE = document(url=URL, status="sent", written_digest=OLD, content_hash=OLD, sums=SUMS, line_ids=("l1",))
SENT, DRAFT = InvoiceStatus.SENT, InvoiceStatus.DRAFT
SECOND = timedelta(seconds=1)


def of(live: Document = LIVE, *more: Document, shop: ShopSettings | None = SHOP, asked: Ask | None = None) -> Situation:
    """Give the situation of an order with this invoice."""
    stored = replace(with_documents(live, *more, asked=asked), currency="EUR")
    return situation(stored, shop=shop, facts=FACTS)


def how(setting: ChangedSent) -> ShopSettings:
    """Give a shop with this way of correcting sent invoices."""
    return replace(SHOP, changed_sent=setting)


def parked(decision: Decision) -> Reason:
    """Give why an order is parked."""
    assert isinstance(decision, Rest), decision
    assert decision.conclusion.state is OrderState.PARKED
    assert decision.conclusion.reason is not None
    return decision.conclusion.reason


def hand(code: ReasonCode, what: str, fix: str, status: str = "sent") -> Reason:
    """Give what is said where a person has to act."""
    return Reason(
        code=code,
        message=f"The order {what} after invoice INV-1 had been made ({status}).",
        fix=f"{fix} invoice INV-1 in the ledger: {URL}",
    )


EDITED = hand(
    ReasonCode.EDITED_BY_HAND, "changed", "Somebody edited it; overwrite that with `booked order update`, or correct"
)


def update(contact_id: str = "c1", line_ids: tuple[str, ...] = ("l1",), *, more: bool = False) -> Call:
    """Give the update that makes the invoice say what the order says."""
    draft = replace(MAPPED.draft, contact_id=contact_id, reference="1001", unique_key="")
    return Call(
        operation=UpdateInvoice(invoice_id="i1", draft=draft, line_ids=line_ids),
        note=Note(decision="update", words=MAPPED.words, figures={"expected_total": "12.20"}),
        subject="order:shop/1001",
        sought={
            "invoice_id": "i1",
            "digest": draft_digest(MAPPED).hex(),
            "content_hash": HASH.hex(),
            "total": "12.20",
            "contact_id": contact_id,
            "sums": sums_text(SUMS),
            "customer": MAPPED.customer,
            "folded": "",
            "day_moved": "",
            "paid_moment": "2026-03-14T12:00:00+00:00",
        },
        mapped=MAPPED,
        more=more,
    )


# ---- a draft ---------------------------------------------------------------------------------------------------------

DRAFTED = replace(LIVE, status="draft")


def test_a_changed_draft_is_updated_in_place() -> None:
    """Under the lines' own ids; it keeps what it is found by; more is left where the shop wants it mailed."""
    given = of(DRAFTED)
    assert correct_draft(given, DRAFTED, invoice(), "c1") == update(line_ids=())
    listed = invoice(lines=None)
    assert correct_draft(given, DRAFTED, listed, "c2") == update("c2")
    read = invoice(
        lines=tuple(LedgerLine(line_id=at, name="", quantity=D(1), rate=D(1), total=D(1)) for at in ("l7", "l8"))
    )
    assert correct_draft(given, DRAFTED, read, "c1") == update(line_ids=("l7",))
    mails = of(DRAFTED, shop=replace(SHOP, email_invoice=True))
    assert correct_draft(mails, DRAFTED, listed, "c1") == update(more=True)


def test_a_draft_that_somebody_edited_is_left_to_them_unless_they_ask() -> None:
    """By its moment or its total."""
    touched = invoice(lines=None, modified_at=PAID_AT + SECOND)
    assert parked(correct_draft(of(DRAFTED), DRAFTED, touched, "c1")) == replace(
        EDITED, message=EDITED.message.replace("(sent)", "(draft)")
    )
    assert correct_draft(of(DRAFTED, asked=Ask.UPDATE), DRAFTED, touched, "c1") == update()


def test_a_draft_that_was_answered_with_other_figures_is_taken_back() -> None:
    """There is nothing better to send; of another customer there is."""
    same = replace(DRAFTED, written_digest=draft_digest(MAPPED))
    assert correct_draft(of(same), same, invoice(), "c1") == Call(
        operation=DeleteInvoice(invoice_id="i1"),
        note=Note(decision="take_back", words=("The ledger's figures differ from the shop's.",)),
        subject="order:shop/1001",
        sought={"invoice_id": "i1"},
    )
    assert correct_draft(of(same), same, invoice(lines=None), "c2") == update("c2")
    touched = invoice(lines=None, modified_at=PAID_AT + SECOND)
    assert correct_draft(of(same, asked=Ask.UPDATE), same, touched, "c1") == update()


def test_a_draft_of_an_order_that_cannot_be_mapped_is_parked_for_that() -> None:
    """With the mapping's own reason."""
    why = Reason(code=ReasonCode.TAX_MISSING, message="No tax.")
    assert parked(correct_draft(replace(of(DRAFTED), mapped=why), DRAFTED, invoice(), "c1")) == why


@pytest.mark.parametrize(
    ("now", "edited"),
    [
        ({}, False),
        ({"modified_at": PAID_AT + SECOND}, True),
        ({"modified_at": PAID_AT - SECOND}, True),
        ({"modified_at": None}, False),
        ({"modified_at": PAID_AT + SECOND, "status": SENT}, False),
        ({"status": SENT, "total": Decimal(13)}, True),
        ({"total": Decimal(13)}, True),
    ],
)
def test_a_drafts_moment_and_any_total_tell_of_a_hand(now: dict[str, Any], edited: bool) -> None:  # noqa: FBT001 a parameter
    """A sent invoice's moment changes with every payment."""
    assert edited_by_hand(LIVE, invoice(**now)) is edited
    assert not edited_by_hand(replace(LIVE, ledger_modified_at=None), invoice())


# ---- one that was sent -----------------------------------------------------------------------------------------------

NOW = invoice(status=SENT, lines=None)


@pytest.mark.parametrize(
    ("shop", "now"),
    [
        (SHOP, NOW),
        (None, NOW),
        (how(ChangedSent.UPDATE), replace(NOW, status=InvoiceStatus.OTHER)),
        (how(ChangedSent.CREDIT_ALL), replace(NOW, status=InvoiceStatus.OTHER)),
    ],
)
def test_a_sent_invoice_may_be_left_to_a_person(shop: ShopSettings | None, now: Any) -> None:
    """By default, without a shop, and in a state that is none that we know."""
    found = correct_sent(of(shop=shop), LIVE, now, MAPPED, "c1")
    assert parked(found) == hand(ReasonCode.CHANGED_AFTER_BOOKING, "changed", "Correct")


def test_a_sent_invoice_is_updated_where_the_setting_or_a_person_says_so() -> None:
    """But not over somebody's edit, and not with what was answered with other figures; a person may ask for both."""
    updating, touched = how(ChangedSent.UPDATE), replace(NOW, total=Decimal(13))
    assert correct_sent(of(shop=updating), LIVE, NOW, MAPPED, "c1") == update()
    assert correct_sent(of(asked=Ask.UPDATE), LIVE, NOW, MAPPED, "c1") == update()
    assert parked(correct_sent(of(shop=updating), LIVE, touched, MAPPED, "c1")) == EDITED
    assert correct_sent(of(asked=Ask.UPDATE), LIVE, touched, MAPPED, "c1") == update()
    same = replace(LIVE, written_digest=draft_digest(MAPPED))
    assert parked(correct_sent(of(same, shop=updating), same, NOW, MAPPED, "c1")) == hand(
        ReasonCode.DIFFERENCE, "came out with other figures", "Look at"
    )
    assert correct_sent(of(same, asked=Ask.UPDATE), same, NOW, MAPPED, "c1") == update()
    assert correct_sent(of(same, shop=updating), same, NOW, MAPPED, "c2") == update("c2")


@pytest.mark.parametrize("setting", [ChangedSent.CREDIT_ALL, ChangedSent.CREDIT_DIFFERENCE])
def test_without_its_sums_nothing_can_be_credited(setting: ChangedSent) -> None:
    """It was adopted as it stood."""
    bare = replace(LIVE, sums=())
    found = correct_sent(of(bare, shop=how(setting)), bare, NOW, MAPPED, "c1")
    assert parked(found).code is ReasonCode.REFUND_UNCLEAR


SETTLED = replace(LIVE, content_hash=HASH, agreed=True, paid_moment=PAID_AT)


@pytest.mark.parametrize("setting", [ChangedSent.CREDIT_ALL, ChangedSent.CREDIT_DIFFERENCE])
def test_a_change_of_words_alone_leaves_a_sent_invoice(setting: ChangedSent) -> None:
    """From now on it stands for the order as it is."""
    stale = replace(LIVE, agreed=False)
    found = correct_sent(of(stale, shop=how(setting)), stale, NOW, MAPPED, "c1")
    words = "The change touches no amount; invoice INV-1 was sent and keeps its text."
    assert found == Restate(document=SETTLED, note=Note(decision="no_change", words=(words,)))


def credited(found: Decision) -> tuple[str, str, str]:
    """Give part, total and reference of the credit note that is made."""
    assert isinstance(found, Call), found
    assert found.operation.name == "create_credit_note"
    return found.sought["part"], found.sought["total"], found.sought["reference"]


CHEAPER = mapped(order([line("1", "8.00")], "9.76"))


def note(part: str, n: int = 1, **more: Any) -> Document:
    """Give a credit note of the invoice, of 2.44."""
    given: dict[str, Any] = {
        "kind": DocumentKind.CREDIT_NOTE,
        "ledger_id": f"n{n}",
        "number": f"CN-{n}",
        "part": part,
        "settles": "i1",
        "status": "open",
        "total": Decimal("2.44"),
        "balance": Decimal(0),
        "applied": True,
        "sums": (TaxSum(tax_id="t22", rate=D(22), gross=D("2.44"), tax=D("0.44")),),
        **more,
    }
    return document(**given)


def test_all_or_the_difference_is_credited() -> None:
    """12.20 that became 9.76: all of it, or 2.44; of another customer all of it, though no amount has changed."""
    everything, difference = how(ChangedSent.CREDIT_ALL), how(ChangedSent.CREDIT_DIFFERENCE)
    assert credited(correct_sent(of(shop=everything), LIVE, NOW, CHEAPER, "c1"))[:2] == ("!all-1", "12.20")
    assert credited(correct_sent(of(shop=everything), LIVE, NOW, MAPPED, "c2"))[:2] == ("!all-1", "12.20")
    assert credited(correct_sent(of(shop=difference), LIVE, NOW, CHEAPER, "c1"))[:2] == ("!change-1", "2.44")
    second = of(LIVE, note("!change-1"), shop=difference)
    cheapest = mapped(order([line("1", "6.00")], "7.32"))
    assert credited(correct_sent(second, LIVE, NOW, cheapest, "c1"))[:2] == ("!change-2", "2.44")
    found = correct_sent(of(shop=difference), LIVE, NOW, CHEAPER, "c1")
    assert isinstance(found, Call)
    assert found.note is not None
    assert found.note.words == ("The order has changed after its invoice was sent: the difference is credited.",)


def test_what_a_credit_cannot_make_right_is_left_to_a_person() -> None:
    """A dearer order, and one of another customer."""
    difference = how(ChangedSent.CREDIT_DIFFERENCE)
    dearer = mapped(order([line("1", "11.00")], "13.42"))
    assert parked(correct_sent(of(shop=difference), LIVE, NOW, dearer, "c1")) == hand(
        ReasonCode.CHANGED_AFTER_BOOKING, "became dearer", "A credit cannot add to"
    )
    assert parked(correct_sent(of(shop=difference), LIVE, NOW, CHEAPER, "c2")) == hand(
        ReasonCode.CHANGED_AFTER_BOOKING, "has another customer", "Correct"
    )


# ---- what was credited already ---------------------------------------------------------------------------------------


def test_an_invoice_less_its_changes_may_be_what_the_order_says() -> None:
    """12.20 less 2.44 is 9.76; a refund's own credit note is no change of the order."""
    words = "Invoice INV-1, less its credit notes, is what the order says."
    right = of(LIVE, note("r1", 2, sums=()), note("!change-1"))
    assert credited_change(right, LIVE, CHEAPER) == Restate(
        document=replace(SETTLED, agreed=True), note=Note(decision="no_change", words=(words,))
    )
    assert credited_change(right, LIVE, MAPPED) is None
    assert credited_change(of(LIVE, note("r1")), LIVE, CHEAPER) is None
    assert credited_change(of(LIVE), LIVE, MAPPED) is None


def test_a_difference_that_was_credited_a_moment_ago_settles_the_invoice() -> None:
    """By the content that it was credited for; one that has not been agreed settles nothing."""
    words = "Invoice INV-1 stands for the order as it is now, less credit note CN-1."
    given = of(LIVE, note("!change-1"))
    assert difference_credited(given, LIVE) == Restate(document=SETTLED, note=Note(decision="credited", words=(words,)))
    for other in (
        note("!change-1", content_hash=OLD),
        note("!change-1", agreed=False),
        note("r1"),
        note("!change-1", live=False),
    ):
        assert difference_credited(of(LIVE, other), LIVE) is None
    waits = of(LIVE, note("!change-1", applied=False, balance=Decimal("2.44")))
    assert isinstance(difference_credited(waits, LIVE), Call)


def test_an_update_keeps_what_the_invoice_is_found_by() -> None:
    """Its contact where none is named, its reference, its unique key."""
    live = replace(LIVE, reference="r", unique_key="k")
    assert update_of(MAPPED, live, ("l1",)) == UpdateInvoice(
        invoice_id="i1",
        draft=replace(MAPPED.draft, contact_id="c1", reference="r", unique_key="k"),
        line_ids=("l1",),
    )


DIFFERENCE = how(ChangedSent.CREDIT_DIFFERENCE)
T22, T10 = SUMS[0], TaxSum(tax_id="t10", rate=D(10), gross=D("11.00"), tax=D("1.00"))


def differing(live: Document, wanted: Any) -> Decision:
    """Correct a sent invoice by the difference."""
    return correct_sent(of(live, shop=DIFFERENCE), live, NOW, wanted, "c1")


def test_a_difference_is_credited_with_its_own_vat() -> None:
    """2.44 with 0.45 of VAT, because 2.21 was written; half a unit of money is a difference too."""
    odd = replace(LIVE, sums=(replace(T22, tax=D("2.21")),))
    found = differing(odd, CHEAPER)
    assert isinstance(found, Call)
    assert found.sought["sums"] == "t22|22|2.44|0.45|"
    assert credited(differing(LIVE, mapped(order([line("1", "9.50")], "11.59"))))[1] == "0.61"
    free = replace(LIVE, sums=(TaxSum(tax_id=None, rate=D(0), gross=D("10.00"), tax=D(0)),))
    reduced = differing(free, mapped(order([line("1", "8.00", None)], "8.00")))
    assert credited(reduced)[1] == "2.00"
    assert isinstance(reduced, Call)
    assert [one.name for one in reduced.operation.draft.lines] == ["Change of the order"]  # type: ignore[attr-defined] # of a credit note


def test_vat_alone_is_a_difference_that_nobody_overlooks() -> None:
    """2.21 was written for 2.20 at the same total: a cent of VAT is credited, and no money."""
    found = differing(replace(LIVE, sums=(replace(T22, tax=D("2.21")),)), MAPPED)
    assert isinstance(found, Call)
    assert found.sought["sums"] == "t22|22|0.00|0.01|"


@pytest.mark.parametrize(
    ("sums", "lines", "total"),
    [
        ((T22, T10), [line("1", "11.00"), line("1", "5.00", "10")], "18.92"),
        ((replace(T22, tax=D("1.00")),), [line("1", "8.00")], "9.76"),
    ],
    ids=["one rate dearer, one cheaper", "less money and more VAT"],
)
def test_what_became_dearer_at_any_rate_is_no_credit(sums: tuple[TaxSum, ...], lines: list[Any], total: str) -> None:
    """A credit cannot add to an invoice."""
    reason = parked(differing(replace(LIVE, sums=sums), mapped(order(lines, total))))
    assert "became dearer" in reason.message


def test_refunds_that_the_draft_itself_accounts_for_leave_nothing_to_do() -> None:
    """6.10 of 12.20 came back: the draft is written with 6.10, and no credit note is left."""
    refunded = replace(order([line("1", "10.00", id="1")], "12.20"), refunds=(Refund(id="r1", amount=D("6.10")),))
    given = replace(of(DRAFTED), order=refunded, mapped=mapped(refunded))
    found = correct_draft(given, DRAFTED, invoice(lines=None), "c1")
    assert isinstance(found, Call)
    assert (found.sought["total"], found.sought["folded"], found.more) == ("6.10", "r1", False)


def test_an_order_without_content_of_its_own_names_none() -> None:
    """Its hash is empty."""
    given = of(DRAFTED)
    bare = replace(given, record=replace(given.record, content_hash=None))
    found = correct_draft(bare, DRAFTED, invoice(lines=None), "c1")
    assert isinstance(found, Call)
    assert found.sought["content_hash"] == ""


def test_an_update_that_would_state_what_is_known_goes_on() -> None:
    """Else it would never end: the invoice stands for the order already; one that does not is stated so once."""
    right = replace(SETTLED, written_digest=draft_digest(MAPPED))
    read = Observations(invoices={"i1": replace(NOW, modified_at=PAID_AT + SECOND, total=D("12.20"))})
    given = replace(of(right, shop=DIFFERENCE, asked=Ask.UPDATE), known=read)
    words = "The change touches no amount; invoice INV-1 was sent and keeps its text."
    edited = replace(right, written_digest=OLD)
    known = replace(of(edited, shop=DIFFERENCE, asked=Ask.UPDATE), known=read)
    assert decide(known) == Rest(
        conclusion=Conclusion(state=OrderState.BOOKED), note=Note(decision="no_change", words=(words,))
    )
    stale = replace(edited, content_hash=OLD)
    assert decide(replace(of(stale, shop=DIFFERENCE), known=read)) == Restate(
        document=edited, note=Note(decision="no_change", words=(words,))
    )
    assert isinstance(decide(given), Rest)
