"""What a finding says, and the command that puts it right: word for word."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from consumer.domain.orders import OrderKey
from consumer.domain.reconciling import wording
from consumer.domain.reconciling.books import Listed
from consumer.domain.reconciling.wording import Told, command
from consumer.domain.records import DocumentKind, OrderRecord
from consumer.domain.states import OrderState, Reason, ReasonCode, Wish
from tests.domain.deciding.building import document, record, with_documents

D = Decimal
URL = "https://ledger.example/1"
WHY = Reason(code=ReasonCode.TAX_MISSING, message="No tax of 22 %.", fix="Create one.")
PLAIN = record()
LIVE = document(issued_on=date(2026, 3, 14))


def listed(**more: Any) -> Listed:
    """Give the order's invoice as a list shows it."""
    given: dict[str, Any] = {
        "kind": DocumentKind.INVOICE,
        "ledger_id": "i1",
        "number": "INV-1",
        "status": "sent",
        "reference": "1001",
        "contact_id": "c2",
        "total": D("12.30"),
        "currency": "EUR",
        "issued_on": date(2026, 3, 15),
        "url": URL,
        **more,
    }
    return Listed(**given)


@pytest.mark.parametrize(
    ("shop_id", "order_id", "text"),
    [
        ("shop", "1001", "booked order update shop 1001"),
        ("my shop", "#1", "booked order update 'my shop' '#1'"),
        ("o'shop", "", "booked order update 'o'\\''shop' ''"),
        ("a._-/:@%+,=~b", "\u00e9", "booked order update a._-/:@%+,=~b '\u00e9'"),
    ],
)
def test_a_command_is_as_a_shell_takes_it(shop_id: str, order_id: str, text: str) -> None:
    """What is no plain word is quoted."""
    assert command("update", replace(PLAIN, key=OrderKey(shop_id, order_id))) == text


UPDATE, GENERATE = "booked order update shop 1001", "booked order generate shop 1001"


def test_a_document_that_is_gone_or_void() -> None:
    """By its number, else its id."""
    fix = f"{UPDATE} takes note of it; then {GENERATE} makes it again"
    assert wording.removed(PLAIN, LIVE, listed(status="gone")) == Told(
        words="Invoice INV-1 of 12.20 EUR is no longer in the ledger.", fix=fix
    )
    note = document(kind=DocumentKind.CREDIT_NOTE, number="")
    assert wording.removed(PLAIN, note, listed(status="void")) == Told(
        words="Credit note i1 of 12.20 EUR is void in the ledger.", fix=fix
    )


def test_a_document_that_stands_again() -> None:
    """What was recorded, and what it is."""
    void = document(status="deleted_by_hand")
    assert wording.revived(PLAIN, void, listed()) == Told(
        words="Invoice INV-1 is recorded as deleted by hand and stands in the ledger as sent.",
        fix=f"Make it void in the ledger, or {GENERATE}: {URL}",
    )
    assert wording.revived(PLAIN, void, listed(url="")).fix == f"Make it void in the ledger, or {GENERATE}"


def test_other_figures() -> None:
    """The order's own fix where it has one, with the command that follows it."""
    words = "Invoice INV-1 comes to 12.3 EUR, the order to 12.2 EUR."
    assert wording.total_differs(PLAIN, listed(), D("12.20")) == Told(words=words, fix=UPDATE)
    parked = record(reason=WHY)
    assert wording.total_differs(parked, listed(), D("12.20")).fix == ("Create one; then: booked order retry shop 1001")
    assert wording.total_differs(record(reason=replace(WHY, fix="")), listed(), D(1)).fix == UPDATE
    told = wording.vat_differs(
        PLAIN,
        listed(),
        {D(22): D("2.20"), D(10): D(1), D(5): D(3)},
        {D(22): D("2.30"), D(4): D(1), D(5): D(3)},
    )
    assert told == Told(
        words=(
            "VAT of Invoice INV-1: at 4 % the ledger has 1, the order 0; at 10 % the ledger has 0, the order 1; "
            "at 22 % the ledger has 2.3, the order 2.2 EUR."
        ),
        fix=UPDATE,
    )


def test_another_contact_day_or_state() -> None:
    """Both sides."""
    assert wording.customer_differs(PLAIN, LIVE, listed()) == Told(
        words="Invoice INV-1 stands on contact c2, it was written for contact c1.",
        fix=f"Look at it in the ledger; {UPDATE} writes it for the order's own",
    )
    assert wording.date_differs(PLAIN, LIVE, listed()) == Told(
        words="Invoice INV-1 is dated 2026-03-15 in the ledger, it was written for 2026-03-14.", fix=UPDATE
    )
    assert wording.draft_again(PLAIN, replace(LIVE, status="sent"), listed(status="draft")) == Told(
        words="Invoice INV-1 was sent and is a draft again.", fix=f"Mark it as sent in the ledger, or {UPDATE}"
    )


@pytest.mark.parametrize(
    ("of", "words", "fix"),
    [
        (
            record(state=OrderState.DUE),
            "It is due: its lane is at work, or waits for the ledger.",
            "See booked doctor where it stays so.",
        ),
        (
            record(state=OrderState.UNCERTAIN, reason=WHY),
            "It is uncertain: its lane is at work, or waits for the ledger.",
            "See booked doctor where it stays so.",
        ),
        (
            record(state=OrderState.PARKED, reason=WHY),
            "It has no invoice; it is parked (tax_missing): No tax of 22 %.",
            "Create one; then: booked order retry shop 1001",
        ),
        (record(state=OrderState.WITHDRAWN), "It has no invoice; it is withdrawn.", GENERATE),
    ],
)
def test_an_order_without_an_invoice_says_why(of: OrderRecord, words: str, fix: str) -> None:
    """And what becomes of it."""
    assert wording.not_booked(of) == Told(words=words, fix=fix)


def test_a_refund_without_a_credit_note() -> None:
    """By its id."""
    assert wording.not_credited(PLAIN, "r1") == Told(
        words="Refund r1 has no credit note, nor does the invoice account for it.", fix=UPDATE
    )


@pytest.mark.parametrize(
    ("of", "fix"),
    [
        (PLAIN, "booked reconcile --adopt --yes, over the same days"),
        (with_documents(wish=Wish.HOLD), "booked reconcile --adopt --yes, over the same days"),
        (with_documents(cancelled=True), f"The order is cancelled: make the document void in the ledger {URL}"),
        (with_documents(wish=Wish.NONE), f"The order is marked none: make the document void in the ledger {URL}"),
        (with_documents(wish=Wish.IGNORE), f"The order is marked ignore: make the document void in the ledger {URL}"),
    ],
)
def test_a_document_that_is_not_recorded_is_adopted_where_it_is_wanted(of: OrderRecord, fix: str) -> None:
    """Else a person makes it void."""
    words = "Invoice INV-1 of 12.3 EUR is in the ledger under this order, and not recorded."
    assert wording.orphaned(of, listed()) == Told(words=words, fix=fix)
    assert wording.may_be_adopted(of) is fix.startswith("booked")


def test_a_second_document_is_named_beside_the_first() -> None:
    """Where there is a first."""
    words = "Invoice INV-2 of 12.3 EUR is a second document of this order"
    fix = f"Compare both, and delete or void INV-2 in the ledger {URL}"
    second = listed(number="INV-2")
    assert wording.doubled(with_documents(document()), second) == Told(words=f"{words} beside Invoice INV-1.", fix=fix)
    assert wording.doubled(PLAIN, second) == Told(words=f"{words}.", fix=fix)
    assert wording.doubled(PLAIN, replace(second, url="")).fix == fix.removesuffix(f" {URL}")


def test_a_document_of_an_order_that_is_not_known() -> None:
    """The replay brings it."""
    assert wording.unknown_order(listed(), date(2026, 3, 15)) == Told(
        words="Invoice INV-1 of 12.3 EUR names an order that is not recorded.",
        fix="booked replay --since 2026-03-15 brings the order; then booked reconcile --adopt --yes",
    )
