"""An order without an invoice: what it says when none is made, whose a found one is, and what a probe proves."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from consumer.domain.arithmetic import TaxSum
from consumer.domain.crediting import sums_text
from consumer.domain.deciding import decide
from consumer.domain.deciding.probing import (
    explained_by_rounding,
    may_probe,
    needs_other_rounding,
    total_otherwise,
    tried,
    under_way,
    ways_to_probe,
)
from consumer.domain.deciding.situation import (
    Adopt,
    Call,
    Decision,
    Observations,
    Rest,
    Situation,
    WhoIs,
    draft_digest,
)
from consumer.domain.ledger import CreateInvoice, FindInvoices, Invoice, InvoiceStatus, ReadInvoice, TaxRounding
from consumer.domain.orders import Order, RateFigures, Refund
from consumer.domain.records import Conclusion, Document, DocumentKind, Note
from consumer.domain.settings import DeletedInLedger
from consumer.domain.states import OrderState, Reason, ReasonCode
from tests.domain.deciding.building import (
    CONNECTION,
    HASH,
    MAPPED,
    PAID_AT,
    SHOP,
    document,
    intent,
    invoice,
    record,
    situation,
    with_documents,
)
from tests.domain.order_building import FACTS, D, line, mapped, order

URL = "https://ledger.example/1"


def of(*documents: Document, given: Order | None = None, **more: Any) -> Situation:
    """Give the situation of an order without a live invoice."""
    facts = more.pop("facts_", {})
    stored = replace(with_documents(*documents, **facts), currency="EUR")
    return situation(stored, **{"order": given, "facts": FACTS, **more})


def parked(decision: Decision) -> Reason:
    """Give why an order is parked."""
    assert isinstance(decision, Rest), decision
    assert decision.conclusion.state is OrderState.PARKED
    assert decision.conclusion.reason is not None
    return decision.conclusion.reason


# ---- none is made ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("status", "done"), [("deleted_by_hand", "deleted"), ("voided_by_hand", "made void")])
def test_what_somebody_took_away_is_not_made_again(status: str, done: str) -> None:
    """While the order is as it was it only says so; changed since then it asks a person."""
    gone = document(live=False, status=status)
    why = Reason(
        code=ReasonCode.GONE_FROM_LEDGER,
        message=f"Invoice INV-1 was {done} in the ledger by hand; none is made in its place.",
        fix="If there should be one again: booked order generate.",
    )
    assert decide(of(gone)) == Rest(
        conclusion=Conclusion(state=OrderState.WITHDRAWN, reason=why),
        note=Note(decision="gone", words=(why.message,)),
    )
    assert parked(decide(of(replace(gone, content_hash=b"old")))) == why
    assert isinstance(decide(of(gone, facts_={"released": True})), Call)
    again = replace(SHOP, deleted_in_ledger=DeletedInLedger.MAKE_AGAIN)
    assert isinstance(decide(of(gone, shop=again)), Call)


def test_the_last_invoice_tells_and_no_credit_note() -> None:
    """A first one that was taken away by hand, and a second that we took back ourselves, or the reverse."""
    by_hand = document(live=False, status="deleted_by_hand", n=1)
    ours = document(live=False, status="void", n=2, ledger_id="i2")
    assert isinstance(decide(of(by_hand, ours)), Call)
    assert isinstance(decide(of(replace(ours, n=1), replace(by_hand, n=2))), Rest)
    note = document(kind=DocumentKind.CREDIT_NOTE, live=False, status="deleted_by_hand")
    assert isinstance(decide(of(note)), Call)


def test_an_order_whose_payment_was_taken_back_waits_to_be_paid() -> None:
    """Unless a person lets it through."""
    back = replace(order([line("1", "10.00")], "12.20"), payment_taken_back=True)
    why = Reason(code=ReasonCode.NOT_PAID, message="The order's payment was taken back before it was booked.")
    assert decide(of(given=back)) == Rest(
        conclusion=Conclusion(state=OrderState.WAITING, reason=why),
        note=Note(decision="not_paid", words=(why.message,)),
    )
    assert isinstance(decide(of(given=back, facts_={"released": True})), Call)


def test_an_order_of_which_all_was_given_back_has_no_invoice() -> None:
    """A refund of nothing beside it is none; an order of nothing is one."""
    sold = order([line("1", "10.00")], "12.20")
    refunds = (Refund(id="r0", amount=D(0)), Refund(id="r1", amount=D("12.20")))
    why = Reason(
        code=ReasonCode.REFUNDED, message="All of the order was given back before it had an invoice: there is none."
    )
    assert decide(of(given=replace(sold, refunds=refunds))) == Rest(
        conclusion=Conclusion(state=OrderState.WITHDRAWN, reason=why),
        note=Note(decision="refunded", words=(why.message,)),
    )
    free = mapped(order([line("1", "0.00")], "0.00"))
    assert isinstance(decide(of(given=replace(sold, refunds=refunds[:1]), mapped=free)), Call)


def taken_back(**more: Any) -> Document:
    """Give the same draft, taken back with 12.21."""
    given: dict[str, Any] = {
        "live": False,
        "status": "deleted_for_difference",
        "total": D("12.21"),
        "tax_by_rate": (RateFigures(rate=D(22), net=None, tax=D("2.21")),),
        **more,
    }
    return document(**given)


def test_a_draft_that_was_taken_back_is_told_with_both_figures() -> None:
    """Total and VAT; of what the ledger did not tell nothing is said."""
    found = decide(of(taken_back()))
    assert isinstance(found, Rest)
    assert found.conclusion.difference == D("0.01")
    assert parked(found) == Reason(
        code=ReasonCode.DIFFERENCE,
        message=(
            "The shop's total is 12.20, the ledger's was 12.21 EUR. VAT at 22 %: shop 2.2, ledger 2.21. "
            "The document was taken back."
        ),
        fix="Compare the order's lines with its total, or the ledger's rounding of VAT with the shop's; then retry.",
    )
    silent = parked(decide(of(taken_back(tax_by_rate=()))))
    assert silent.message == "The shop's total is 12.20, the ledger's was 12.21 EUR. The document was taken back."
    other = (RateFigures(rate=D(10), net=None, tax=D("2.20")),)
    assert "VAT at 10 %: shop 0, ledger 2.2. VAT at 22 %: shop 2.2, ledger 0. The" in (
        parked(decide(of(taken_back(tax_by_rate=other)))).message
    )
    assert isinstance(decide(of(taken_back(written_digest=b"another"))), Call)
    assert isinstance(decide(of(taken_back(status="deleted"))), Call)


# 3 x 0.33 at 22 %: 0.22 once (1.21), 0.07 on each line (1.20). Mapped where VAT is rounded once.
THREE = mapped(order([line("1", "0.33")] * 3, "1.21"))


def probed(**more: Any) -> Document:
    """Give the draft of three, answered by an organisation that rounds on each line."""
    given: dict[str, Any] = {
        "live": False,
        "status": "deleted_for_difference",
        "total": D("1.20"),
        "tax_total": D("0.21"),
        "tax_by_rate": (RateFigures(rate=D(22), net=None, tax=D("0.21")),),
        "written_digest": draft_digest(THREE),
        **more,
    }
    return document(**given)


def test_what_only_the_setting_of_that_moment_explains_is_no_obstacle_three_times() -> None:
    """A ledger that goes on answering otherwise is not asked for ever."""
    two = (probed(n=1), probed(n=2, ledger_id="i2"))
    assert isinstance(decide(of(*two, mapped=THREE)), Call)
    three = (*two, probed(n=3, ledger_id="i3"))
    assert parked(decide(of(*three, mapped=THREE))).code is ReasonCode.DIFFERENCE
    unexplained = replace(two[1], total=D("1.19"))
    assert parked(decide(of(two[0], unexplained, mapped=THREE))).code is ReasonCode.DIFFERENCE


# ---- one that is there -----------------------------------------------------------------------------------------------


def looking(*found: Invoice, whole: dict[str, Any] | None = None, **more: Any) -> Decision:
    """Decide where a look first found these under the order's reference."""
    return decide(of(seen=found, known=Observations(invoices=whole or {}), **more))


def adopted(of_: Invoice) -> Adopt:
    """Give the adoption."""
    return Adopt(invoice=of_, note=Note(decision="adopt", words=("It was in the ledger already, and is ours.",)))


def test_what_a_look_first_found_is_ours_by_reference_customer_and_total() -> None:
    """It is read first, and the customer is found before; gone, void or recorded it does not count."""
    ours = invoice()
    assert looking(ours) == Call(operation=ReadInvoice(invoice_id="i1"))
    assert looking(ours, customer=None) == WhoIs()
    keyed = replace(CONNECTION, unique_field="cf_key")
    assert looking(ours, customer=None, connection=keyed) == Call(operation=ReadInvoice(invoice_id="i1"))
    assert looking(ours, whole={"i1": ours}) == adopted(ours)
    assert isinstance(looking(ours, whole={"i1": None}), Call)
    assert isinstance(looking(ours, whole={"i1": invoice(status=InvoiceStatus.VOID)}), Call)
    unknown = Reason(code=ReasonCode.CUSTOMER_AMBIGUOUS, message="")
    assert parked(looking(ours, whole={"i1": ours}, customer=unknown)).code is ReasonCode.ALREADY_IN_LEDGER


def test_a_forgotten_invoice_may_be_of_all_that_was_sold_or_of_what_is_left() -> None:
    """A refund that came after it was sent was credited beside it."""
    sold = order([line("1", "10.00", id="1")], "12.20")
    refunded = replace(sold, refunds=(Refund(id="r1", amount=D("6.10")),))
    for total in (D("12.20"), D("6.10")):
        there = invoice(total=total)
        assert looking(there, whole={"i1": there}, given=refunded, mapped=mapped(refunded)) == adopted(there)
    other = invoice(total=D("6.11"))
    reason = parked(looking(other, whole={"i1": other}, given=refunded, mapped=mapped(refunded)))
    assert reason.code is ReasonCode.ALREADY_IN_LEDGER


def test_what_is_not_ours_is_named() -> None:
    """And what to do; two that could be ours are left to a person too."""
    first, second = invoice(total=D(1)), invoice(invoice_id="i2", number="INV-2", total=D(1), url=URL)
    assert parked(looking(first, second, whole={"i1": first, "i2": second})) == Reason(
        code=ReasonCode.ALREADY_IN_LEDGER,
        message=f"The ledger has a document of reference 1001 that is not ours. INV-1, INV-2 {URL}",
        fix="Look at it in the ledger: delete or void it there and retry, or ignore the order.",
    )
    both = {"i1": invoice(), "i2": invoice(invoice_id="i2")}
    assert parked(looking(*both.values(), whole=both)).code is ReasonCode.ALREADY_IN_LEDGER


def test_a_taken_key_is_looked_up_and_never_written_again() -> None:
    """Shown by nobody, a person has to look."""
    taken = Observations(key_taken=True)
    assert decide(of(known=taken)) == Call(operation=FindInvoices(reference="1001"))
    assert parked(decide(of(known=replace(taken, by_reference=())))).message == (
        "The ledger has a document of reference 1001 that is not ours."
    )


# ---- one is made -----------------------------------------------------------------------------------------------------


def test_an_invoice_is_made_with_all_that_it_can_be_known_by() -> None:
    """Its draft, its figures, its content; and what it would come to under the other rounding."""
    sums = (TaxSum(tax_id="t22", rate=D(22), gross=D("12.20"), tax=D("2.20")),)
    keyed = replace(MAPPED, draft=replace(MAPPED.draft, unique_key="k"))
    made = Call(
        operation=CreateInvoice(draft=replace(keyed.draft, contact_id="c1")),
        note=Note(decision="create", words=MAPPED.words, figures={"expected_total": "12.20"}),
        subject="order:shop/1001",
        sought={
            "reference": "1001",
            "unique_key": "k",
            "contact_id": "c1",
            "total": "12.20",
            "n": "1",
            "digest": draft_digest(keyed).hex(),
            "content_hash": HASH.hex(),
            "sums": sums_text(sums),
            "customer": MAPPED.customer,
            "folded": "",
            "day_moved": "",
            "paid_moment": PAID_AT.isoformat(),
        },
        mapped=keyed,
    )
    assert decide(of(mapped=keyed)) == made
    assert decide(of(mapped=keyed, shop=replace(SHOP, mark_sent=True))) == replace(made, more=True)
    bare = of(mapped=keyed)
    hashless = decide(replace(bare, record=replace(bare.record, content_hash=None)))
    assert isinstance(hashless, Call)
    assert hashless.sought["content_hash"] == ""
    three = decide(of(mapped=THREE))
    assert isinstance(three, Call)
    assert three.sought["total_otherwise"] == "1.20"
    assert "total_otherwise" not in made.sought


# ---- probes ----------------------------------------------------------------------------------------------------------


def test_only_what_the_rounding_alone_parks_needs_the_other_one() -> None:
    """It is unknown, or differs; nothing else, and no order that is mapped."""
    unknown = Reason(code=ReasonCode.ROUNDING_UNKNOWN, message="")
    differs = Reason(code=ReasonCode.NO_EXACT_LAYOUT, message="", group_key="rounding_differs:per_line")
    other = Reason(code=ReasonCode.NO_EXACT_LAYOUT, message="")
    assert [needs_other_rounding(each) for each in (unknown, differs, other, MAPPED)] == [True, True, False, False]
    assert [may_probe(record(), each) for each in (unknown, differs)] == [True, False]
    assert may_probe(of(facts_={"released": True}).record, differs)
    assert not may_probe(with_documents(document()), unknown)
    assert not may_probe(record(open_intent=intent()), unknown)


def test_a_probe_is_under_way_while_it_is_neither_proved_nor_taken_back() -> None:
    """By its draft: an intent of it, or a live document that has not been agreed."""
    assert under_way(record(open_intent=intent()), MAPPED)
    assert not under_way(record(open_intent=intent(sought={"digest": "00"})), MAPPED)
    assert under_way(with_documents(document(agreed=False)), MAPPED)
    assert not under_way(with_documents(document()), MAPPED)
    assert not under_way(with_documents(document(agreed=False, written_digest=b"other")), MAPPED)
    assert not under_way(record(), MAPPED)


def test_a_draft_is_counted_where_it_was_taken_back() -> None:
    """The very same one, because of its figures."""
    stored = with_documents(
        taken_back(),
        taken_back(n=2),
        taken_back(n=3, status="deleted"),
        taken_back(n=4, written_digest=b"other"),
    )
    assert tried(stored, MAPPED) == 2


def test_the_other_roundings_figures_are_known() -> None:
    """1.20 for 1.21; of 12.20 there is no other. What the ledger answered is explained by one of both or by none."""
    assert (total_otherwise(THREE), total_otherwise(MAPPED)) == (Decimal("1.20"), None)
    assert ways_to_probe(TaxRounding.UNKNOWN) == [TaxRounding.PER_RATE, TaxRounding.PER_LINE]
    assert ways_to_probe(TaxRounding.PER_RATE) == [TaxRounding.PER_LINE]
    assert explained_by_rounding(THREE, probed())
    once = (RateFigures(rate=D(22), net=None, tax=D("0.22")), RateFigures(rate=D(10), net=None, tax=D(0)))
    assert explained_by_rounding(THREE, probed(total=D("1.21"), tax_by_rate=once))
    assert not explained_by_rounding(THREE, probed(total=D("1.19")))
    assert not explained_by_rounding(THREE, probed(tax_by_rate=once))
