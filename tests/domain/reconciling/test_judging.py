"""One order against the ledger's books: what is read first, what is missing, second or left out, with what money."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from consumer.domain.arithmetic import TaxSum
from consumer.domain.ledger import InvoiceStatus
from consumer.domain.orders import Order, RateFigures, Refund, Totals
from consumer.domain.reconciling.books import Listed, gone, of_invoice
from consumer.domain.reconciling.findings import About, Entry, FindingKind, Judged, Period, Source
from consumer.domain.reconciling.judging import Case, judge, to_read
from consumer.domain.reconciling.rates import RateSum
from consumer.domain.reconciling.shop_figures import ShopGrounds, aligned, digits_of, refund_rates, shop_rates
from consumer.domain.records import Document, DocumentKind
from consumer.domain.settings import RefundOnDraft
from consumer.domain.states import OrderState, Reason, ReasonCode, Wish
from tests.domain.deciding.building import PAID_AT, SHOP, document, invoice, with_documents
from tests.domain.order_building import FACTS, line, order, stated, with_tax

D = Decimal
MARCH = Period(from_day=date(2026, 3, 1), to_day=date(2026, 3, 31))
DAY = date(2026, 3, 14)
SUMS = (TaxSum(tax_id="t22", rate=D(22), gross=D("12.20"), tax=D("2.20")),)
LIVE = document(status="sent", sums=SUMS, issued_on=DAY)
SOLD = order([line("1", "10.00")], "12.20")
WHOLE = (RateSum(rate=D(22), net=D("10.00"), tax=D("2.20")),)
HALF = (RateSum(rate=D(22), net=D("5.00"), tax=D("1.10")),)
MINUS = (RateSum(rate=D(22), net=D("-5.00"), tax=D("-1.10")),)
UNTOLD = (RateSum(rate=None, net=D("12.20"), tax=D(0)),)
GROUNDS = ShopGrounds(shop=SHOP, facts=FACTS)
LISTED = of_invoice(invoice(issued_on=DAY, status=InvoiceStatus.SENT))
BOOKED = OrderState.BOOKED


def case(*documents: Document, listed: tuple[Listed, ...] = (), given: Order | None = SOLD, **more: Any) -> Case:
    """Give a booked order with these documents, and what the ledger lists."""
    facts, state = more.pop("facts_", {}), more.pop("state", BOOKED)
    reason, grounds = more.pop("reason", None), more.pop("grounds", GROUNDS)
    stored = replace(
        with_documents(*documents, **facts), state=state, reason=reason, currency="EUR", grand_total=D("12.20")
    )
    return Case(
        record=stored,
        order=given,
        grounds=grounds,
        listed=listed,
        period=MARCH,
        time_zone="UTC",
        **more,
    )


def found(judged: Judged) -> list[tuple[FindingKind, About, Decimal, Decimal, bool]]:
    """Give kind, about, expected and found of each finding, and whether the order itself explains it."""
    return [(one.kind, one.about, one.expected, one.found, one.explained) for one in judged.findings]


# ---- what is read ----------------------------------------------------------------------------------------------------


def test_what_the_list_proves_is_not_read() -> None:
    """The same total and the same moment; else it is read, and so is what is not listed though it should be."""
    assert list(to_read(case(LIVE, listed=(LISTED,)))) == []
    later = replace(LISTED, modified_at=PAID_AT + timedelta(seconds=1))
    for other in (later, replace(LISTED, total=D(13)), replace(LISTED, modified_at=None)):
        assert list(to_read(case(LIVE, listed=(other,)))) == [other]
        assert list(to_read(case(LIVE, listed=(replace(other, rates=WHOLE),)))) == []
    bare = replace(LIVE, sums=())
    assert list(to_read(case(bare, listed=(LISTED,)))) == [LISTED]
    assert list(to_read(case(LIVE))) == [LIVE]
    assert list(to_read(case(replace(LIVE, issued_on=date(2026, 4, 1))))) == []
    assert list(to_read(case(replace(LIVE, status="deleted", live=False)))) == []
    assert list(to_read(case(LIVE, listed=(replace(LISTED, status="void"),)))) == []


def test_a_change_that_the_watch_has_taken_over_is_no_proof_for_who_looks_strictly() -> None:
    """One of another moment is none of this one."""
    noticed = {"i1": PAID_AT}
    assert list(to_read(case(LIVE, listed=(LISTED,), noticed=noticed))) == []
    assert list(to_read(case(LIVE, listed=(LISTED,), noticed=noticed, strict=True))) == [LISTED]
    other = {"i1": PAID_AT - timedelta(days=1)}
    assert list(to_read(case(LIVE, listed=(LISTED,), noticed=other, strict=True))) == []


def test_what_stands_under_the_orders_reference_is_read() -> None:
    """Unless it names another order itself."""
    second = replace(LISTED, ledger_id="i2")
    assert list(to_read(case(LIVE, listed=(LISTED, second)))) == [second]
    assert case(LIVE, listed=(replace(second, unique_key="shop/1001/invoice//2"),)).strangers != ()
    for other in (
        replace(second, unique_key="shop/2002/invoice//1"),
        replace(second, unique_key="shop/1001/credit_note//1"),
        replace(second, status="void"),
    ):
        assert case(LIVE, listed=(other,)).strangers == ()


# ---- an order and its invoice ----------------------------------------------------------------------------------------


def test_an_invoice_that_agrees_is_counted_on_both_sides() -> None:
    """Proven by the list, or as it was read."""
    entry = Entry(
        shop_id="shop",
        currency="EUR",
        shop_day=DAY,
        shop=WHOLE,
        ledger_day=DAY,
        ledger=WHOLE,
        source=Source.PROVEN,
    )
    assert judge(case(LIVE, listed=(LISTED,))) == Judged(entries=(entry,), mine=(LISTED,))
    read = replace(LISTED, rates=WHOLE)
    assert judge(case(LIVE, listed=(read,))).entries == (replace(entry, source=Source.READ),)
    unproved = judge(case(LIVE, listed=(replace(LISTED, modified_at=None),)))
    assert unproved.entries == (replace(entry, ledger=UNTOLD, source=Source.NONE),)


@pytest.mark.parametrize(
    ("live", "one", "expected"),
    [
        (
            LIVE,
            replace(LISTED, total=D(13), rates=(RateSum(rate=None, net=D(13), tax=D(0)),)),
            (FindingKind.DIFFERENT, About.TOTAL, D("12.20"), D(13)),
        ),
        (LIVE, replace(LISTED, contact_id="c2"), (FindingKind.DIFFERENT, About.CUSTOMER, D("12.20"), D("12.20"))),
        (
            LIVE,
            replace(LISTED, issued_on=date(2026, 3, 15)),
            (FindingKind.DIFFERENT, About.DATE, D("12.20"), D("12.20")),
        ),
        (LIVE, replace(LISTED, status="draft"), (FindingKind.DIFFERENT, About.STATUS, D("12.20"), D("12.20"))),
        (LIVE, replace(LISTED, status="void"), (FindingKind.DIFFERENT, About.STATUS, D("12.20"), D(0))),
        (LIVE, gone(LISTED), (FindingKind.MISSING, About.INVOICE, D("12.20"), D(0))),
    ],
    ids=["total", "customer", "date", "draft again", "void", "gone"],
)
def test_each_difference_is_found_with_both_figures(live: Document, one: Listed, expected: tuple[Any, ...]) -> None:
    """A booked order does not explain it."""
    one = one if one.rates is not None or not one.stands else replace(one, rates=WHOLE)
    assert found(judge(case(live, listed=(one,)))) == [(*expected, False)]


def test_vat_that_is_off_weighs_what_it_is_off() -> None:
    """2.20 at 22 % for 2.20 at 10 %: 4.40; what nobody tells per rate is no difference."""
    other = replace(LISTED, rates=(RateSum(rate=D(10), net=D("10.00"), tax=D("2.20")),))
    (finding,) = judge(case(LIVE, listed=(other,))).findings
    assert (finding.about, finding.money) == (About.VAT, D("4.40"))
    untold = replace(LISTED, rates=(RateSum(rate=None, net=D("12.20"), tax=D(0)),))
    assert judge(case(LIVE, listed=(untold,))).findings == ()


def test_what_was_recorded_as_gone_and_stands_is_found() -> None:
    """It is expected to be nothing."""
    dead = replace(LIVE, status="deleted", live=False)
    one = replace(LISTED, rates=WHOLE)
    first = found(judge(case(dead, listed=(one,), facts_={"cancelled": True})))
    assert first == [(FindingKind.DIFFERENT, About.STATUS, D(0), D("12.20"), False)]


# ---- what has no document --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("more", "explained"),
    [
        ({"state": OrderState.WITHDRAWN, "reason": ReasonCode.GONE_FROM_LEDGER}, True),
        ({"state": OrderState.DUE}, True),
        ({"state": OrderState.PARKED, "reason": ReasonCode.TAX_MISSING}, True),
        ({}, False),
    ],
)
def test_what_was_sold_and_has_no_invoice_is_missing(more: dict[str, Any], explained: bool) -> None:  # noqa: FBT001 a parameter
    """With its money, in the month of its sale; an order that says why explains it."""
    code = more.pop("reason", None)
    given = case(**more, reason=None if code is None else Reason(code=code, message=""))
    judged = judge(given)
    assert judged.entries == (Entry(shop_id="shop", currency="EUR", shop_day=DAY, shop=WHOLE),)
    assert found(judged) == [(FindingKind.MISSING, About.INVOICE, D("12.20"), D(0), explained)]
    assert (judged.findings[0].day, judged.findings[0].papers) == (DAY, ())
    april = Period(from_day=date(2026, 4, 1), to_day=date(2026, 4, 30))
    assert judge(replace(given, period=april)) == Judged()


def test_a_refund_without_a_credit_note_is_missing_below_nought() -> None:
    """In the month in which it was made; where credit notes come later that is explained."""
    moment = datetime(2026, 3, 20, tzinfo=UTC)
    told = replace(SOLD, refunds=(Refund(id="r1", amount=D("6.10"), created_at=moment),))
    judged = judge(case(LIVE, listed=(LISTED,), given=told))
    assert judged.entries[1:] == (Entry(shop_id="shop", currency="EUR", shop_day=date(2026, 3, 20), shop=MINUS),)
    assert found(judged) == [(FindingKind.MISSING, About.CREDIT_NOTE, D("-6.10"), D(0), False)]
    later = replace(GROUNDS, shop=replace(SHOP, refund_on_draft=RefundOnDraft.CREDIT_NOTE_LATER))
    assert found(judge(case(LIVE, listed=(LISTED,), given=told, grounds=later)))[0][-1]
    assert found(judge(case(LIVE, listed=(LISTED,), given=told, state=OrderState.DUE)))[0][-1]
    undated = replace(told, refunds=(replace(told.refunds[0], created_at=None),))
    assert judge(case(LIVE, listed=(LISTED,), given=undated)).entries[1].shop_day == DAY
    april = replace(told, refunds=(replace(told.refunds[0], created_at=datetime(2026, 4, 2, tzinfo=UTC)),))
    assert judge(case(LIVE, listed=(LISTED,), given=april)).findings == ()


@pytest.mark.parametrize(
    ("more", "total"),
    [
        ({"facts_": {"wish": Wish.IGNORE}}, "12.20"),
        ({"facts_": {"wish": Wish.NONE}}, "12.20"),
        ({"state": OrderState.WAITING, "reason": Reason(code=ReasonCode.BEFORE_START, message="")}, "12.20"),
        ({"facts_": {"wish": Wish.IGNORE, "cancelled": True}}, "0"),
        ({"facts_": {"wish": Wish.IGNORE, "paid": False}}, "0"),
        ({}, "0"),
    ],
)
def test_what_somebody_chose_not_to_book_is_left_out(more: dict[str, Any], total: str) -> None:
    """A paid order of the period; one with an invoice is not, and one of another month is not."""
    assert judge(case(**more)).left_out == D(total)
    assert judge(case(LIVE, listed=(LISTED,), **more)).left_out == 0
    assert (
        judge(replace(case(**more), period=Period(from_day=DAY.replace(day=15), to_day=DAY.replace(day=20)))).left_out
        == 0
    )
    assert judge(replace(case(**more), record=replace(case(**more).record, grand_total=None))).left_out == 0


# ---- what is not recorded --------------------------------------------------------------------------------------------

SECOND = replace(LISTED, ledger_id="i2", number="INV-2")


def test_a_second_document_is_doubled_beside_the_first() -> None:
    """Its money counts in the ledger, and both are named."""
    judged = judge(case(LIVE, listed=(LISTED, SECOND)))
    assert found(judged) == [(FindingKind.DOUBLED, About.INVOICE, D(0), D("12.20"), False)]
    assert [paper.number for paper in judged.findings[0].papers] == ["INV-1", "INV-2"]
    assert judged.entries[1] == Entry(shop_id="shop", currency="EUR", ledger_day=DAY, ledger=UNTOLD, source=Source.NONE)
    assert (judged.mine, judged.adopt) == ((LISTED, SECOND), ())
    for state in (OrderState.DUE, OrderState.UNCERTAIN):
        assert found(judge(case(LIVE, listed=(LISTED, SECOND), state=state)))[-1][-1]


def test_one_that_was_forgotten_is_adopted_and_no_second_is() -> None:
    """It stands for what is unmade; a credit note beside it is adopted too; what is not wanted keeps neither."""
    note = replace(SECOND, kind=DocumentKind.CREDIT_NOTE, ledger_id="a1", rates=HALF, total=D("6.10"))
    third = replace(SECOND, ledger_id="i3", rates=WHOLE)
    judged = judge(case(listed=(note, third, SECOND)))
    assert judged.adopt == (SECOND, note)
    assert found(judged) == [
        (FindingKind.ORPHANED, About.INVOICE, D("12.20"), D("12.20"), False),
        (FindingKind.DOUBLED, About.INVOICE, D(0), D("12.20"), False),
        (FindingKind.ORPHANED, About.CREDIT_NOTE, D(0), D("-6.10"), False),
    ]
    assert [(one.ledger, one.source) for one in judged.entries[:3]] == [
        (UNTOLD, Source.NONE),
        (WHOLE, Source.READ),
        (MINUS, Source.READ),
    ]
    assert judged.entries[3].shop == WHOLE
    unwanted = judge(case(listed=(SECOND,), facts_={"wish": Wish.IGNORE}))
    assert unwanted.adopt == ()
    assert found(unwanted) == [(FindingKind.ORPHANED, About.INVOICE, D(0), D("12.20"), False)]


# ---- the shop's own figures ------------------------------------------------------------------------------------------


def test_what_was_sold_is_reckoned_by_the_shops_own_figures() -> None:
    """Prices with and without tax under one rate, what bears none, and an exempt buyer's."""
    mixed = order([with_tax("1", "12.20"), line("1", "10.00"), line("1", "5.00", None)], "29.40")
    assert shop_rates(mixed, GROUNDS) == (
        RateSum(rate=D(22), net=D("20.00"), tax=D("4.40")),
        RateSum(rate=D(0), net=D("5.00"), tax=D(0)),
    )
    firm = replace(order([line("1", "10.00")], "10.00"), customer=replace(SOLD.customer, reverse_charge=True))
    assert shop_rates(firm, GROUNDS) == (RateSum(rate=D(0), net=D("10.00"), tax=D(0)),)
    per_unit = order([line("3", "0.333"), line("1", "10.00")], "13.41", tax_by_rate=stated(r22="2.42"))
    assert shop_rates(per_unit, GROUNDS) == (RateSum(rate=D(22), net=D("10.99"), tax=D("2.42")),)


def test_where_its_parts_do_not_follow_the_shops_totals_stand() -> None:
    """With a net per rate where each has one; else without any split. Without the ledger's taxes as well."""
    net = RateFigures(rate=D(22), net=D("10.00"), tax=D("2.20"))
    wrong = replace(SOLD, totals=Totals(grand_total=D("13.00"), tax=D("2.20"), tax_by_rate=(net,)))
    assert shop_rates(wrong, GROUNDS) == (
        RateSum(rate=D(22), net=D("10.00"), tax=D("2.20")),
        RateSum(rate=D(0), net=D("0.80"), tax=D(0)),
    )
    half = replace(wrong, totals=replace(wrong.totals, tax_by_rate=(net, replace(net, rate=D(10), net=None))))
    assert shop_rates(half, GROUNDS) == (RateSum(rate=None, net=D("10.80"), tax=D("2.20")),)
    bare = replace(wrong, totals=Totals(grand_total=D("13.00"), tax=None))
    assert shop_rates(bare, GROUNDS) == (RateSum(rate=None, net=D("13.00"), tax=D(0)),)
    assert shop_rates(SOLD, replace(GROUNDS, facts=None)) == (RateSum(rate=None, net=D("12.20"), tax=D(0)),)


def test_another_split_of_the_net_is_taken_where_it_is_off_by_cents() -> None:
    """Five of them; with the same total and VAT."""
    ours = (RateSum(rate=D(22), net=D("10.00"), tax=D("2.20")), RateSum(rate=D(10), net=D("5.00"), tax=D("0.50")))

    def moved(cents: str, tax: str = "2.20") -> tuple[RateSum, ...]:
        first, second = ours
        off = D(cents) / 100
        return (
            replace(first, net=first.net + off, tax=D(tax)),
            replace(second, net=second.net - off - D(tax) + D("2.20")),
        )

    assert aligned(ours, moved("5"), 2) == moved("5")
    assert aligned(ours, moved("6"), 2) == ours
    assert aligned(ours, moved("5"), 3) == ours
    assert aligned(ours, moved("0", "2.21"), 2) == ours
    assert aligned(ours, (replace(ours[0], net=D("10.01")), ours[1]), 2) == ours
    assert aligned(ours, None, 2) == ours


def test_each_refund_takes_its_part_of_what_the_ones_before_it_left() -> None:
    """In the sequence in which they were made; one that cannot be spread has no rates; one of nothing is none."""
    early, late = datetime(2026, 3, 15, tzinfo=UTC), datetime(2026, 3, 16, tzinfo=UTC)
    told = (
        Refund(id="b", amount=D("6.10"), created_at=late),
        Refund(id="a", amount=D("6.10"), created_at=early),
        Refund(id="z", amount=D(0)),
        Refund(id="c", amount=D("1.00")),
    )
    found_ = refund_rates(replace(SOLD, refunds=told), WHOLE, GROUNDS)
    assert list(found_) == ["a", "b", "c"]
    assert found_ == {"a": HALF, "b": HALF, "c": (RateSum(rate=None, net=D("1.00"), tax=D(0)),)}
    whole = replace(SOLD, refunds=(Refund(id="a", amount=D("12.20")),))
    assert refund_rates(whole, UNTOLD, GROUNDS) == {"a": UNTOLD}


def test_the_decimals_of_a_currency_are_the_ledgers() -> None:
    """Else those of ISO 4217."""
    odd = replace(FACTS, currencies=tuple(replace(one, digits=4) for one in FACTS.currencies))
    assert [digits_of("JPY", FACTS), digits_of("JPY", odd), digits_of("KWD", None), digits_of("BHD", FACTS)] == [
        0,
        4,
        3,
        3,
    ]
