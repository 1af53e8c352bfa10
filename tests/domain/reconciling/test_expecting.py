"""What an order's documents must come to, on which day, and whether it ought to have one at all."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from consumer.domain.arithmetic import TaxSum
from consumer.domain.orders import Order, Refund
from consumer.domain.reconciling.expecting import (
    Expectations,
    day_at,
    expectations,
    is_sold,
    papers_of,
    sale_day,
)
from consumer.domain.reconciling.findings import About, Finding, FindingKind
from consumer.domain.reconciling.rates import RateSum
from consumer.domain.reconciling.shop_figures import ShopGrounds
from consumer.domain.records import Document, DocumentKind, OrderRecord
from consumer.domain.settings import InvoiceDate
from consumer.domain.states import OrderState, Reason, ReasonCode, Wish
from tests.domain.deciding.building import PAID_AT, SHOP, document, record, with_documents
from tests.domain.order_building import FACTS, line, order, with_tax

D = Decimal
GROUNDS = ShopGrounds(shop=SHOP, facts=FACTS)
SOLD = order([line("1", "10.00")], "12.20")
WHOLE = (RateSum(rate=D(22), net=D("10.00"), tax=D("2.20")),)
SUMS = (TaxSum(tax_id="t22", rate=D(22), gross=D("12.20"), tax=D("2.20")),)
LIVE = document(sums=SUMS)
W, D_, B, N = OrderState.WAITING, OrderState.DUE, OrderState.BOOKED, OrderState.WITHDRAWN


def because(code: ReasonCode) -> Reason:
    """Give a reason."""
    return Reason(code=code, message="")


def of(state: OrderState = B, code: ReasonCode | None = None, **facts: Any) -> OrderRecord:
    """Give an order in this state."""
    return replace(with_documents(**facts), state=state, reason=None if code is None else because(code))


@pytest.mark.parametrize(
    ("given", "sold"),
    [
        (of(), True),
        (of(paid=False), False),
        (of(cancelled=True), False),
        (of(wish=Wish.NONE), False),
        (of(wish=Wish.IGNORE), False),
        (of(wish=Wish.HOLD), True),
        (of(N), False),
        (of(N, ReasonCode.GONE_FROM_LEDGER), True),
        (of(N, ReasonCode.REFUNDED), False),
        (of(W), True),
        (of(W, ReasonCode.AUTOMATIC_OFF), True),
        (of(W, ReasonCode.BEFORE_START), False),
        (of(W, ReasonCode.NOT_PAID), False),
        (of(D_, ReasonCode.BEFORE_START), True),
    ],
)
def test_what_was_sold_ought_to_have_an_invoice(given: OrderRecord, sold: bool) -> None:  # noqa: FBT001 a parameter
    """Paid, not cancelled, and nobody chose otherwise; what somebody deleted in the ledger was sold all the same."""
    assert is_sold(given, SOLD) is sold
    assert is_sold(given, None) is sold
    assert not is_sold(given, replace(SOLD, payment_taken_back=True))


def test_papers_are_invoices_and_credit_notes() -> None:
    """Payments and refunds are none."""
    note = document(kind=DocumentKind.CREDIT_NOTE, ledger_id="n1", live=False)
    payment = document(kind=DocumentKind.PAYMENT, ledger_id="p1", live=False)
    assert papers_of(with_documents(LIVE, note, payment)) == (LIVE, note)


def expected(stored: OrderRecord, given: Order | None = SOLD) -> Expectations:
    """Say what its documents must come to."""
    return expectations(stored, given, GROUNDS)


def test_an_order_without_an_invoice_is_unmade_where_it_was_sold() -> None:
    """By its own figures, less what was given back; without its content by its total."""
    assert expected(of()) == Expectations(unmade=WHOLE)
    assert expected(of(cancelled=True)) == Expectations()
    half = replace(SOLD, refunds=(Refund(id="r1", amount=D("6.10")),))
    assert expected(of(), half) == Expectations(unmade=(RateSum(rate=D(22), net=D("5.00"), tax=D("1.10")),))
    nothing = replace(SOLD, refunds=(Refund(id="r1", amount=D("12.20")),))
    assert expected(of(), nothing) == Expectations()
    bare = replace(of(), grand_total=D("12.20"))
    unmade = (RateSum(rate=None, net=D("12.20"), tax=D(0)),)
    assert expected(bare, None) == Expectations(unmade=unmade)
    assert expected(replace(bare, grand_total=None), None) == Expectations()
    assert expected(replace(bare, state=N), None) == Expectations()


def test_without_its_content_an_invoice_stands_for_what_was_recorded() -> None:
    """And is not unmade; one whose taxes nobody recorded has them in none."""
    stored = replace(with_documents(LIVE), grand_total=D("12.20"))
    assert expected(stored, None) == Expectations(documents={"i1": WHOLE})
    bare = document(sums=(), tax_total=None)
    assert expected(with_documents(bare), None).documents == {"i1": (RateSum(rate=None, net=D("12.20"), tax=D(0)),)}
    taxed = document(sums=())
    assert expected(with_documents(taxed), None).documents == {
        "i1": (RateSum(rate=None, net=D("10.00"), tax=D("2.20")),)
    }


def note(part: str, amount: str = "6.10", tax: str = "1.10", **more: Any) -> Document:
    """Give a credit note of the invoice."""
    given: dict[str, Any] = {
        "kind": DocumentKind.CREDIT_NOTE,
        "ledger_id": "n1",
        "part": part,
        "settles": "i1",
        "status": "open",
        "total": D(amount),
        "tax_total": D(tax),
        "tax_by_rate": (),
        "sums": (TaxSum(tax_id="t22", rate=D(22), gross=D(amount), tax=D(tax)),),
        **more,
    }
    return document(**given)


HALF = (RateSum(rate=D(22), net=D("5.00"), tax=D("1.10")),)
REFUNDED = replace(SOLD, refunds=(Refund(id="r1", amount=D("6.10")),))


def test_a_live_invoice_is_compared_with_the_order_as_it_is_now() -> None:
    """Dearer by 1.00 than what was recorded; one that was ignored stays what it was."""
    dearer = order([line("1", "11.00")], "13.42")
    now = (RateSum(rate=D(22), net=D("11.00"), tax=D("2.42")),)
    assert expected(with_documents(LIVE), dearer) == Expectations(documents={"i1": now})
    assert expected(with_documents(LIVE, wish=Wish.IGNORE), dearer) == Expectations(documents={"i1": WHOLE})
    assert expected(with_documents(LIVE, cancelled=True), dearer) == Expectations(documents={"i1": ()})


def test_a_refund_is_accounted_for_by_a_credit_note_or_by_the_invoice_itself() -> None:
    """Else it is one that no document is there for."""
    assert expected(with_documents(LIVE), REFUNDED) == Expectations(documents={"i1": WHOLE}, refunds={"r1": HALF})
    assert expected(with_documents(LIVE, note("r1")), REFUNDED) == Expectations(documents={"i1": WHOLE, "n1": HALF})
    folded = document(
        total=D("6.10"),
        tax_total=D("1.10"),
        tax_by_rate=(),
        folded=("r1",),
        sums=(TaxSum(tax_id="t22", rate=D(22), gross=D("6.10"), tax=D("1.10")),),
    )
    assert expected(with_documents(folded), REFUNDED) == Expectations(documents={"i1": HALF})


def test_a_credit_note_that_corrects_the_invoice_is_added_to_it() -> None:
    """12.20 was invoiced, 6.10 is what the order says now, and 6.10 was credited."""
    cheaper = order([line("1", "5.00")], "6.10")
    stored = with_documents(LIVE, note("!change-1"))
    assert expected(stored, cheaper) == Expectations(documents={"i1": WHOLE, "n1": HALF})
    for other in (note("!change-1", settles="i9"), note("!change-1", status="void")):
        found = expected(with_documents(LIVE, other), cheaper)
        assert found.documents["i1"] == HALF


# ---- days ------------------------------------------------------------------------------------------------------------

LATE = datetime(2026, 3, 14, 23, 30, tzinfo=UTC)


def test_a_day_is_one_of_the_organisation() -> None:
    """By UTC where its zone is empty or not known."""
    assert day_at(LATE, "Europe/Rome") == date(2026, 3, 15)
    assert day_at(LATE, "") == date(2026, 3, 14)
    assert day_at(LATE, "Rome/Europe") == date(2026, 3, 14)
    assert day_at(None, "Europe/Rome") is None


def test_a_sale_is_of_the_day_that_its_invoice_would_bear() -> None:
    """Of the payment or of placing, by the setting; of one that dates by today, of the payment."""
    placed = replace(SOLD, placed_at=datetime(2026, 3, 1, tzinfo=UTC))
    by_placing = replace(GROUNDS, shop=replace(SHOP, invoice_date=InvoiceDate.PLACED))
    by_today = replace(GROUNDS, shop=replace(SHOP, invoice_date=InvoiceDate.TODAY))
    stored = replace(record(), event_time=LATE)
    assert sale_day(stored, placed, GROUNDS, "UTC") == PAID_AT.date()
    assert sale_day(stored, placed, by_placing, "UTC") == date(2026, 3, 1)
    assert sale_day(stored, None, by_placing, "UTC") == PAID_AT.date()
    assert sale_day(stored, placed, by_today, "UTC") == PAID_AT.date()
    unpaid = replace(stored, facts=replace(stored.facts, paid_moment=None))
    assert sale_day(unpaid, None, GROUNDS, "Europe/Rome") == date(2026, 3, 15)
    assert sale_day(replace(unpaid, event_time=None), None, GROUNDS, "UTC") is None


def test_a_former_invoice_stands_for_what_was_recorded_of_it() -> None:
    """Beside what is unmade."""
    former = document(sums=SUMS, live=False, status="sent")
    assert expected(with_documents(former)) == Expectations(documents={"i1": WHOLE}, unmade=WHOLE)


def test_where_the_shop_leaves_open_how_it_rounded_the_invoice_tells() -> None:
    """3 x 0.41 with tax: 0.22 once, 0.21 on the lines. Both are the shop's; the invoice was written with 0.21."""
    three = order([line("1", "0.41", prices_include_tax=True)] * 3, "1.23")
    sums = (TaxSum(tax_id="t22", rate=D(22), gross=D("1.23"), tax=D("0.21")),)
    live = document(total=D("1.23"), tax_total=D("0.21"), tax_by_rate=(), sums=sums)
    by_lines = (RateSum(rate=D(22), net=D("1.02"), tax=D("0.21")),)
    assert expected(with_documents(live), three) == Expectations(documents={"i1": by_lines})


def test_the_money_of_a_finding_is_the_difference_unless_it_has_a_weight() -> None:
    """9.76 in the ledger for 12.20 is 2.44 less; of VAT alone it is what the VAT is off."""
    finding = Finding(
        kind=FindingKind.DIFFERENT,
        about=About.TOTAL,
        key=SOLD.key,
        order_number="1001",
        currency="EUR",
        expected=D("12.20"),
        found=D("9.76"),
        papers=(),
        words="",
        fix="",
    )
    assert (finding.difference, finding.money) == (D("-2.44"), D("2.44"))
    assert replace(finding, weight=D("0.01")).money == D("0.01")


def test_what_is_not_sold_any_more_has_no_refunds_to_credit() -> None:
    """A cancelled order with its invoice: the whole of it is to go, and its refunds with it."""
    given = replace(SOLD, refunds=(Refund(id="r1", amount=D("6.10")),))
    assert expected(with_documents(LIVE), given).refunds.keys() == {"r1"}
    assert expected(with_documents(LIVE, cancelled=True), given).refunds == {}


def test_vat_that_the_shop_leaves_open_is_as_it_was_booked_with_a_credit_note_beside_it_too() -> None:
    """Three times 0.41 with 22 % in it: 0.22 in the sum, and 0.21 by an organisation that rounded each of them."""
    lines = [with_tax("1", "0.41", id="1")] * 3
    given = order(lines, "1.23", refunds=(Refund(id="r1", amount=D("0.41")),))
    booked = (RateSum(rate=D(22), net=D("1.02"), tax=D("0.21")),)
    credited = (RateSum(rate=D(22), net=D("0.34"), tax=D("0.07")),)
    live = document(sums=_sums("1.23", "0.21"), total=D("1.23"), tax_total=D("0.21"), tax_by_rate=())
    note = document(
        kind=DocumentKind.CREDIT_NOTE,
        ledger_id="n1",
        part="r1",
        settles="i1",
        sums=_sums("0.41", "0.07"),
        total=D("0.41"),
        tax_total=D("0.07"),
        tax_by_rate=(),
    )
    assert expected(with_documents(live), replace(given, refunds=())).documents == {"i1": booked}
    assert expected(with_documents(live, note), given) == Expectations(documents={"i1": booked, "n1": credited})


def _sums(gross: str, tax: str) -> tuple[TaxSum, ...]:
    return (TaxSum(tax_id="t22", rate=D(22), gross=D(gross), tax=D(tax)),)
