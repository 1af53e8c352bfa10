"""The decision for an order without a live invoice."""

from dataclasses import replace
from decimal import Decimal

import pytest

from consumer.domain.deciding import decide
from consumer.domain.deciding.situation import (
    DELETED_BY_HAND,
    DELETED_FOR_DIFFERENCE,
    Adopt,
    Call,
    Observations,
    Rest,
    WhoIs,
)
from consumer.domain.ledger import CreateInvoice, FindInvoices, InvoiceStatus, ReadInvoice
from consumer.domain.orders import RateFigures
from consumer.domain.standing import Facts
from consumer.domain.states import OrderState, Reason, ReasonCode, Wish
from tests.domain.deciding.building import (
    CONNECTION,
    PAID_AT,
    SHOP,
    document,
    invoice,
    record,
    situation,
    with_documents,
)


def rest_of(decision: object) -> tuple[OrderState, ReasonCode | None]:
    """Give state and reason of a rest."""
    assert isinstance(decision, Rest), decision
    reason = decision.conclusion.reason
    return decision.conclusion.state, None if reason is None else reason.code


def test_a_paid_order_of_a_known_customer_is_one_call() -> None:
    """With the contact known and the order mapped the next step is the creation of the draft, for that contact."""
    decision = decide(situation())
    assert isinstance(decision, Call)
    assert isinstance(decision.operation, CreateInvoice)
    assert decision.operation.draft.contact_id == "c1"
    assert decision.subject == "order:shop/1001"
    assert decision.sought["reference"] == "1001"
    assert decision.sought["total"] == "12.20"


def test_nobody_is_asked_for_before_the_order_can_be_booked() -> None:
    """The customer is looked for only when the order maps: no contact is made for an order that parks."""
    assert decide(situation(customer=None)) == WhoIs()
    reason = Reason(code=ReasonCode.TAX_MISSING, message="no tax")
    assert rest_of(decide(situation(customer=None, mapped=reason))) == (OrderState.PARKED, ReasonCode.TAX_MISSING)


@pytest.mark.parametrize(
    ("facts", "shop", "state", "code"),
    [
        (Facts(paid=False, paid_moment=None, cancelled=False), SHOP, OrderState.WAITING, ReasonCode.NOT_PAID),
        (Facts(paid=True, paid_moment=PAID_AT, cancelled=True), SHOP, OrderState.WITHDRAWN, ReasonCode.CANCELLED),
        (
            Facts(paid=True, paid_moment=PAID_AT, cancelled=False),
            replace(SHOP, automatic=False),
            OrderState.WAITING,
            ReasonCode.AUTOMATIC_OFF,
        ),
        (
            Facts(paid=True, paid_moment=PAID_AT, cancelled=False),
            replace(SHOP, book_from=PAID_AT.replace(year=2027)),
            OrderState.WAITING,
            ReasonCode.BEFORE_START,
        ),
        (
            Facts(paid=True, paid_moment=PAID_AT, cancelled=False, wish=Wish.HOLD),
            SHOP,
            OrderState.WAITING,
            ReasonCode.HELD,
        ),
        (
            Facts(paid=True, paid_moment=PAID_AT, cancelled=False, wish=Wish.IGNORE),
            SHOP,
            OrderState.WITHDRAWN,
            ReasonCode.IGNORED,
        ),
        (Facts(paid=True, paid_moment=PAID_AT, cancelled=False), None, OrderState.WAITING, ReasonCode.UNKNOWN_SHOP),
    ],
)
def test_an_order_that_may_not_be_written_rests_with_its_reason(
    facts: Facts, shop: object, state: OrderState, code: ReasonCode
) -> None:
    """Unpaid, cancelled, switched off, before the start, held, ignored, unknown shop: nothing is called."""
    assert rest_of(decide(situation(record(facts=facts), shop=shop))) == (state, code)


def test_without_an_organisation_nothing_is_made() -> None:
    """A connection without an organisation id makes its orders wait, and says so."""
    connection = replace(CONNECTION, organization_id=None)
    assert rest_of(decide(situation(connection=connection))) == (OrderState.WAITING, ReasonCode.NO_ORGANIZATION)


def test_a_release_overrides_start_and_automatic_sending_but_not_a_cancellation() -> None:
    """A person's release lets an order through the settings; a cancelled order stays cancelled."""
    off = replace(SHOP, automatic=False, book_from=PAID_AT.replace(year=2027))
    facts = Facts(paid=True, paid_moment=PAID_AT, cancelled=False, released=True)
    assert isinstance(decide(situation(record(facts=facts), shop=off)), Call)
    cancelled = replace(facts, cancelled=True)
    assert rest_of(decide(situation(record(facts=cancelled), shop=off)))[0] is OrderState.WITHDRAWN


def test_an_order_that_ended_three_processes_is_parked_unseen() -> None:
    """The fourth take is a refusal, made before anything of the order is looked at."""
    assert isinstance(decide(situation(record(takes=3))), Call)
    assert rest_of(decide(situation(record(takes=4), mapped=None))) == (
        OrderState.PARKED,
        ReasonCode.STOPS_THE_PROCESS,
    )


def test_a_draft_that_was_taken_back_is_not_made_again() -> None:
    """The same draft would come out with the same wrong figures: parked with the difference, not made in a loop."""
    gone = document(status=DELETED_FOR_DIFFERENCE, live=False, total=Decimal("12.21"))
    decision = decide(situation(with_documents(gone)))
    assert rest_of(decision) == (OrderState.PARKED, ReasonCode.DIFFERENCE)
    assert isinstance(decision, Rest)
    assert decision.conclusion.difference == Decimal("0.01")
    other = document(status=DELETED_FOR_DIFFERENCE, live=False, written_digest=b"another draft")
    assert isinstance(decide(situation(with_documents(other))), Call)


def test_where_only_the_vat_differed_the_reason_says_so() -> None:
    """Equal totals would say nothing: the VAT of the rate stands beside them, with both figures."""
    wrong = (RateFigures(rate=Decimal(22), net=None, tax=Decimal("2.19")),)
    gone = document(status=DELETED_FOR_DIFFERENCE, live=False, total=Decimal("12.20"), tax_by_rate=wrong)
    decision = decide(situation(with_documents(gone)))
    assert isinstance(decision, Rest)
    assert decision.conclusion.reason is not None
    assert "VAT at 22 %: shop 2.2, ledger 2.19." in decision.conclusion.reason.message


def test_an_invoice_deleted_by_hand_is_not_made_again() -> None:
    """What a person deleted in the ledger stays deleted: said, and asked about once the order changes."""
    gone = document(status=DELETED_BY_HAND, live=False)
    assert rest_of(decide(situation(with_documents(gone)))) == (OrderState.WITHDRAWN, ReasonCode.GONE_FROM_LEDGER)
    changed = replace(gone, content_hash=b"of before")
    assert rest_of(decide(situation(with_documents(changed)))) == (OrderState.PARKED, ReasonCode.GONE_FROM_LEDGER)


def test_a_cancelled_and_revived_order_gets_the_next_number_of_its_key() -> None:
    """After a void document the next one is the second of its kind, with a key of its own."""
    void = document(status="void", live=False)
    decision = decide(situation(with_documents(void)))
    assert isinstance(decision, Call)
    assert decision.sought["n"] == "2"


def test_what_a_look_first_found_is_read_and_adopted() -> None:
    """After a restore a document of exactly our reference, customer and total is ours: adopted, not made again."""
    seen = (invoice(lines=None),)
    assert decide(situation(seen=seen, customer=None)) == WhoIs()
    assert decide(situation(seen=seen)) == Call(operation=ReadInvoice(invoice_id="i1"))
    decision = decide(situation(seen=seen, known=Observations(invoices={"i1": invoice()})))
    assert isinstance(decision, Adopt)
    assert decision.invoice.invoice_id == "i1"


@pytest.mark.parametrize(
    "other", [invoice(total=Decimal("12.21")), invoice(reference="1001-B"), invoice(contact_id="c2")]
)
def test_a_document_of_somebody_else_is_never_adopted(other: object) -> None:
    """Another total, another customer, or a reference that is only alike: a person decides."""
    known = Observations(invoices={"i1": other})  # type: ignore[dict-item] # an invoice, by the parameters above
    decision = decide(situation(seen=(invoice(lines=None),), known=known))
    assert rest_of(decision) == (OrderState.PARKED, ReasonCode.ALREADY_IN_LEDGER)


def test_a_void_document_of_our_reference_is_no_hindrance() -> None:
    """A void invoice is not live: the order is booked beside it."""
    seen = (invoice(status=InvoiceStatus.VOID),)
    decision = decide(situation(seen=seen))
    assert isinstance(decision, Call)
    assert isinstance(decision.operation, CreateInvoice)


def test_a_key_that_the_ledger_refused_is_looked_up_and_never_written_again() -> None:
    """The unique field says that a document is there: it is found by reference; without a find the order is parked."""
    connection = replace(CONNECTION, unique_field="cf_booked_key")
    taken = Observations(key_taken=True)
    assert decide(situation(connection=connection, known=taken)) == Call(operation=FindInvoices(reference="1001"))
    nothing = Observations(key_taken=True, by_reference=())
    decision = decide(situation(connection=connection, known=nothing))
    assert rest_of(decision) == (OrderState.PARKED, ReasonCode.ALREADY_IN_LEDGER)
