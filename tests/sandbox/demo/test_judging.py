"""The judge: it lets pass what is right, and refuses each thing that may go wrong, by the ledger's own books."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from sandbox.demo.books import Books, Contacts, LedgerInvoice, order_of, read_books
from sandbox.demo.judging import Fault, Judgement, judge, settled
from sandbox.shop.events import OrderList, Refused, Told
from sandbox.shop.expectations import Booked, Expectation, NotBooked, Parked, Rejected, ShopOrder, Stated

KEY = ("shop", "1")
EXPECTED = Booked(total=Decimal("12.20"), vat_by_rate={Decimal(22): Decimal("2.20")})
INVOICE = LedgerInvoice(
    invoice_id="77",
    number="INV-1",
    status="draft",
    order=KEY,
    customer_id="5",
    total=Decimal("12.20"),
    currency="EUR",
    vat_by_rate={Decimal(22): Decimal("2.20")},
    live=True,
)
TOLD = Told(
    sequence=1,
    state="booked",
    invoice_id="77",
    invoice_number="INV-1",
    invoice_total=Decimal("12.2"),
    operation="created",
)
PARKED = Told(sequence=1, state="parked", reason="tax_missing")
REFUSED = Refused(reason="missing_field", message="currency")


def judged(
    *invoices: LedgerInvoice,
    told: Told | None = TOLD,
    refused: Refused | None = None,
    expected: Expectation = EXPECTED,
    currency: str = "EUR",
) -> Judgement:
    """Judge one order, with these invoices in the ledger and this in the shop's list."""
    order = ShopOrder(data={"shop_id": "shop", "order_id": "1", "currency": currency}, expected=expected)
    order_list = OrderList(told={} if told is None else {KEY: told}, refused={} if refused is None else {KEY: refused})
    return judge([order], Books(invoices=invoices, contacts=Contacts(by_email={}, by_name={})), order_list)


def faults(judgement: Judgement) -> list[tuple[Fault, str]]:
    """Give all faults."""
    return [fault for outcome in judgement.outcomes for fault in outcome.faults]


def test_an_order_that_ended_as_expected_passes() -> None:
    """One live invoice of the expected total and VAT, and the shop was told exactly that."""
    judgement = judged(INVOICE, replace(INVOICE, invoice_id="76", number="INV-0", live=False))
    assert (faults(judgement), judgement.passed) == ([], True)
    assert [str(outcome.difference) for outcome in judgement.outcomes] == ["0.00"]
    assert len(judgement.in_state("booked")) == 1


@pytest.mark.parametrize(
    ("invoices", "told", "expected"),
    [
        pytest.param(
            [INVOICE, replace(INVOICE, invoice_id="78", number="INV-2")],
            TOLD,
            [(Fault.DOUBLED, "it has 2 live invoices: INV-1, INV-2")],
            id="doubled",
        ),
        pytest.param(
            [replace(INVOICE, total=Decimal("12.21"))],
            replace(TOLD, invoice_total=Decimal("12.21")),
            [(Fault.OFF, "the ledger's total is 12.21, the shop's 12.20")],
            id="a cent off, and the shop told so",
        ),
        pytest.param(
            [replace(INVOICE, vat_by_rate={Decimal(22): Decimal("2.19"), Decimal(10): Decimal("0.01")})],
            TOLD,
            [
                (Fault.OFF, "the ledger's VAT at 10 % is 0.01, the shop's 0"),
                (Fault.OFF, "the ledger's VAT at 22 % is 2.19, the shop's 2.20"),
            ],
            id="VAT in another rate",
        ),
        pytest.param([INVOICE], None, [(Fault.LOST, "nothing was told of it")], id="booked and never told"),
        pytest.param([], None, [(Fault.LOST, "nothing was told of it")], id="lost"),
        pytest.param(
            [], TOLD, [(Fault.OTHER, "it should be booked and the ledger has no live invoice of it")], id="gone"
        ),
        pytest.param(
            [],
            PARKED,
            [
                (Fault.OTHER, "it should be booked and is parked as tax_missing"),
                (Fault.OTHER, "it should be booked and the ledger has no live invoice of it"),
            ],
            id="parked",
        ),
        pytest.param(
            [INVOICE],
            PARKED,
            [(Fault.OTHER, "it should be booked and is parked as tax_missing")],
            id="in the ledger, and the shop told otherwise",
        ),
        pytest.param(
            [INVOICE],
            replace(TOLD, invoice_number="INV-9"),
            [(Fault.OTHER, "the shop was told invoice INV-9, the ledger has INV-1")],
            id="another number told",
        ),
        pytest.param(
            [INVOICE],
            replace(TOLD, invoice_total=Decimal("12.21")),
            [(Fault.OTHER, "the shop was told a total of 12.21, the ledger has 12.20")],
            id="another total told",
        ),
        pytest.param(
            [replace(INVOICE, currency="USD")],
            TOLD,
            [(Fault.OTHER, "the invoice is in USD, the order in EUR")],
            id="another currency",
        ),
    ],
)
def test_what_went_wrong_with_a_bookable_order_is_refused(
    invoices: list[LedgerInvoice], told: Told | None, expected: list[tuple[Fault, str]]
) -> None:
    """Each fault is found by itself, named with the figures, and the judgement does not pass."""
    judgement = judged(*invoices, told=told)
    assert (faults(judgement), judgement.passed) == (expected, False)


def test_a_parked_order_needs_its_own_reason_and_no_invoice() -> None:
    """The expected reason passes; another one, an invoice beside it, or being booked does not."""
    expected = Parked(reason="tax_missing")
    assert judged(told=PARKED, expected=expected).passed
    assert faults(judged(told=replace(PARKED, reason="not_supported"), expected=expected)) == [
        (Fault.OTHER, "it should be parked as tax_missing and is parked as not_supported")
    ]
    assert faults(judged(INVOICE, told=PARKED, expected=expected)) == [
        (Fault.OTHER, "it should have no invoice and has INV-1")
    ]
    assert not judged(INVOICE, expected=expected).passed


def test_a_rejected_message_needs_its_own_reason() -> None:
    """`order.rejected` with the reason passes; with another one, or an order that was booked instead, does not."""
    expected = Rejected(reason="missing_field")
    assert judged(told=None, refused=REFUSED, expected=expected).passed
    assert not judged(told=None, refused=replace(REFUSED, reason="wrong_type"), expected=expected).passed
    assert not judged(INVOICE, expected=expected).passed
    assert faults(judged(told=None, expected=expected)) == [(Fault.LOST, "nothing was told of it")]


def test_somebodys_own_order_is_booked_as_it_states_or_parked() -> None:
    """Parked for whatever reason passes; booked with another figure than the order states does not."""
    expected = Stated(total=Decimal("12.20"), vat_by_rate=None)
    assert judged(told=PARKED, expected=expected).passed
    assert judged(INVOICE, expected=expected).passed
    assert judged(INVOICE, expected=replace(expected, total=Decimal("12.21"))).count(Fault.OFF) == 1
    stated = replace(expected, vat_by_rate={Decimal(22): Decimal("2.21")})
    assert judged(INVOICE, expected=stated).count(Fault.OFF) == 1


def test_a_platforms_paid_order_may_be_refused_and_not_lost() -> None:
    """An export holds drafts: refused with a reason is an end, told of by nobody is none; its total is judged."""
    stated = Stated(total=Decimal("12.20"), vat_by_rate=None, or_refused=True)
    assert judged(told=None, refused=REFUSED, expected=stated).passed
    assert judged(INVOICE, expected=stated).passed
    assert judged(told=None, expected=stated).count(Fault.LOST) == 1
    assert judged(INVOICE, expected=replace(stated, total=Decimal("12.21"))).count(Fault.OFF) == 1
    order = ShopOrder(data={"shop_id": "shop", "order_id": "1"}, expected=stated)
    assert settled(order, OrderList(refused={KEY: REFUSED}))
    assert not settled(order, OrderList())


def test_a_platforms_order_that_is_not_paid_has_no_invoice() -> None:
    """Nothing need be told of it, so nothing is waited for; an invoice is a fault."""
    expected = NotBooked(status="pending")
    assert judged(told=None, expected=expected).passed
    assert judged(INVOICE, expected=expected).count(Fault.OTHER) == 1
    assert settled(ShopOrder(data={"shop_id": "shop", "order_id": "1"}, expected=expected), OrderList())


def test_an_invoice_of_no_order_is_a_stray() -> None:
    """An invoice that nobody ordered fails the whole, though each order is right."""
    judgement = judged(INVOICE, replace(INVOICE, invoice_id="90", number="INV-3", order=None))
    assert faults(judgement) == []
    assert [one.number for one in judgement.strays] == ["INV-3"]
    assert not judgement.passed


@pytest.mark.parametrize(
    ("expected", "told", "refused", "is_settled"),
    [
        (EXPECTED, None, None, False),
        (EXPECTED, PARKED, None, False),
        (EXPECTED, TOLD, None, True),
        (Parked(reason="tax_missing"), PARKED, None, True),
        (Parked(reason="other"), PARKED, None, False),
        (Rejected(reason="missing_field"), None, REFUSED, True),
        (Stated(total=Decimal(1), vat_by_rate=None), PARKED, None, True),
        (Stated(total=Decimal(1), vat_by_rate=None), replace(PARKED, reason="rounding_unknown"), None, False),
    ],
)
def test_it_waits_until_the_end_that_was_expected(
    *, expected: Expectation, told: Told | None, refused: Refused | None, is_settled: bool
) -> None:
    """An order that is told otherwise may still change, and is waited for."""
    order_list = OrderList(told={} if told is None else {KEY: told}, refused={} if refused is None else {KEY: refused})
    order = ShopOrder(data={"shop_id": "shop", "order_id": "1"}, expected=expected)
    assert settled(order, order_list) is is_settled


# ---- the ledger's own words ----------------------------------------------------------------------------------------


def shown(**more: Any) -> dict[str, Any]:
    """Give an invoice as the stand-in shows it."""
    return {
        "invoice_id": "77",
        "invoice_number": "INV-1",
        "status": "draft",
        "reference_number": "1",
        "customer_id": "5",
        "total": Decimal("12.2"),
        "currency_code": "EUR",
        "credits_applied": 0,
        "taxes": [
            {"tax_id": "a", "tax_amount": Decimal("1.1")},
            {"tax_id": "b", "tax_amount": Decimal("1.1")},
            {"tax_id": "c", "tax_amount": 0},
        ],
        "custom_fields": [{"api_name": "cf_order_key", "value": "shop/1/invoice//1"}],
        **more,
    }


def books_of(*invoices: Mapping[str, Any]) -> Books:
    """Read books of these invoices."""
    rates = {"a": Decimal(22), "b": Decimal(22), "c": Decimal(0)}
    return read_books({"invoices": invoices, "contacts": []}, rates, [KEY])


def test_the_books_are_read_to_the_cent() -> None:
    """Two taxes of one rate add up, one of nought is no VAT, and the whole is the invoice that is expected."""
    assert books_of(shown()).invoices == (INVOICE,)


@pytest.mark.parametrize(
    ("more", "live"),
    [
        ({}, True),
        ({"status": "void"}, False),
        ({"credits_applied": Decimal("12.2")}, False),
        ({"credits_applied": Decimal(1)}, True),
        ({"total": 0}, True),
    ],
)
def test_a_void_or_wholly_credited_invoice_is_not_live(*, more: dict[str, Any], live: bool) -> None:
    """All others count, also one over nothing."""
    assert [one.live for one in books_of(shown(**more)).invoices] == [live]


@pytest.mark.parametrize(
    ("reference", "value", "order"),
    [
        ("1", "", KEY),
        ("shop/1", "", KEY),
        ("1111-cut-5e1f", "shop/1/invoice//1", KEY),
        ("2", "a%2Fb/2%252F3/invoice//2", ("a/b", "2%2F3")),
        ("2", "", None),
    ],
)
def test_an_invoice_is_put_to_its_order(reference: str, value: str, order: tuple[str, str] | None) -> None:
    """By its reference; where that is cut by the unique field, whose escapes are undone; else it is nobody's."""
    fields = [{"api_name": "cf_order_key", "value": value}]
    assert [one.order for one in books_of(shown(reference_number=reference, custom_fields=fields)).invoices] == [order]


def test_a_value_that_is_no_key_names_no_order() -> None:
    """Somebody else's field says nothing."""
    assert order_of("PO-4711") is None
