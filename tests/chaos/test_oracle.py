"""The judge bites: each fault, planted by hand in evidence that is whole, is found, and named by its invariant."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from random import Random
from typing import Any

import pytest

from tests.chaos.oracle import CallLimits, Evidence, Rows, Told, judge
from tests.chaos.story import Place, ProducerLog, Shop

LIMITS = CallLimits(calls=5, window_seconds=2.0, at_once=2, per_day=10)


def invoice(order_id: str, total: str, tax: str, *, number: str = "INV-1", status: str = "draft") -> dict[str, Any]:
    """Give an invoice as the books show it."""
    return {
        "invoice_id": f"id-{number}",
        "invoice_number": number,
        "reference_number": order_id,
        "status": status,
        "total": Decimal(total),
        "tax_total": Decimal(tax),
    }


def request(at: float, **more: Any) -> dict[str, Any]:
    """Give a request as the stand-in records it: one invoice made, in 0.1 s, unless told otherwise."""
    made = {"method": "POST", "path": "/books/v3/invoices", "template": "/books/v3/invoices", "committed": 1}
    body = json.dumps({"reference_number": "C-1"})
    return {**made, "time": at, "duration_seconds": 0.1, "counted": 1, "body": body, **more}


def told(order_id: str, sequence: int, state: str = "booked", **more: Any) -> Told:
    """Give a message to the shop of invoice INV-1 over 24.40."""
    data = {
        "order_id": order_id,
        "sequence": sequence,
        "state": state,
        "invoice": {"id": "id-INV-1", "number": "INV-1", "total": "24.40"},
        **more,
    }
    return Told(event_id=f"{order_id}/{sequence}", subject=f"shop/{order_id}", data=data)


def whole() -> Evidence:
    """Give evidence of one order over 20.00 and 22 % VAT that was changed from 10.00, booked and told."""
    log = ProducerLog()
    shop = Shop(Random(1))  # noqa: S311 - draws for a test, no secret
    for offset, (saying, total) in enumerate(zip(shop.order("changed"), ("12.20", "24.40"), strict=True)):
        log.sent.append((replace(saying, total=Decimal(total)), Place(topic="t", partition=0, offset=offset)))
    places = [place for _, place in log.sent]
    return Evidence(
        log=log,
        held=places,
        told=[told("C-1", 1)],
        books=books_of(invoice("C-1", "24.40", "4.40")),
        requests=[request(100.0)],
        limits=LIMITS,
        rows=Rows(events=places, rejected=[], orders={"C-1": "booked"}),
    )


def found(evidence: Evidence) -> set[str]:
    """Give the invariants that the judge says are violated."""
    return {finding.invariant for finding in judge(evidence)}


def test_evidence_that_is_whole_has_no_finding() -> None:
    """Nothing is found where nothing is wrong; else the other tests would prove nothing."""
    assert judge(whole()) == []


def books(*invoices: Mapping[str, Any]) -> Callable[[Evidence], Evidence]:
    """Plant other books."""
    return lambda evidence: replace_(evidence, books=books_of(*invoices))


def books_of(*invoices: Mapping[str, Any], contacts: int = 1) -> dict[str, Any]:
    """Give books with these invoices, and so many contacts of the one buyer."""
    return {"invoices": list(invoices), "contacts": [{"email": "buyer-1@shop.example"}] * contacts}


def replace_(evidence: Evidence, **changes: Any) -> Evidence:
    """Give the evidence with other fields; those that are read from others are read again."""
    return replace(evidence, **changes)


def orders(state: str) -> Callable[[Evidence], Evidence]:
    """Plant another state of the order."""
    return lambda evidence: replace_(evidence, rows=replace(evidence.rows, orders={"C-1": state}))


def requests(*rows: Mapping[str, Any]) -> Callable[[Evidence], Evidence]:
    """Plant another record of requests."""
    return lambda evidence: replace_(evidence, requests=list(rows))


def messages(*rows: Told) -> Callable[[Evidence], Evidence]:
    """Plant other messages."""
    return lambda evidence: replace_(evidence, told=list(rows))


def events(change: Callable[[list[Place]], list[Place]]) -> Callable[[Evidence], Evidence]:
    """Plant other recorded events."""
    return lambda evidence: replace_(evidence, rows=replace(evidence.rows, events=change(list(evidence.rows.events))))


def cancelled(evidence: Evidence) -> Evidence:
    """Cancel the order last, and leave everything else."""
    place = Place(topic="t", partition=0, offset=2)
    newest = replace(evidence.log.sent[-1][0], kind="cancelled", version=3, total=Decimal(0))
    evidence.log.sent.append((newest, place))
    return replace_(
        evidence, held=[*evidence.held, place], rows=replace(evidence.rows, events=[*evidence.rows.events, place])
    )


def with_call(**more: Any) -> dict[str, Any]:
    """Give a call that makes nothing."""
    return request(100.0, method="GET", committed=0, body="") | more


FAULTS: list[tuple[str, set[str], Callable[[Evidence], Evidence]]] = [
    ("the order is not known", {"I1"}, lambda e: replace_(e, rows=replace(e.rows, orders={}))),
    ("the order stays due", {"I1"}, orders("due")),
    ("the order stays uncertain", {"I1"}, orders("uncertain")),
    ("the invoice is lost", {"I1", "I4"}, books()),
    ("it is parked and nobody is told why", {"I1"}, orders("parked")),
    (
        "a second live invoice",
        {"I2"},
        books(invoice("C-1", "24.40", "4.40"), invoice("C-1", "24.40", "4.40", number="INV-2")),
    ),
    ("a customer has two contacts", {"I2"}, lambda e: replace_(e, books=books_of(*e.books["invoices"], contacts=2))),
    ("made twice, one of them void", {"I2"}, requests(request(100.0), request(110.0))),
    ("an older version's total", {"I3"}, books(invoice("C-1", "12.20", "2.20"))),
    ("cancelled, and still there", {"I3"}, cancelled),
    ("an invoice of nobody", {"I3"}, books(invoice("C-1", "24.40", "4.40"), invoice("C-9", "1.00", "0", number="X"))),
    ("booked and never told", {"I4"}, messages()),
    (
        "told another number",
        {"I4"},
        messages(told("C-1", 1, invoice={"id": "id-INV-1", "number": "9", "total": "24.40"})),
    ),
    (
        "told of an invoice that never was",
        {"I4"},
        messages(told("C-1", 1, invoice={"id": "0", "number": "INV-1", "total": "24.40"})),
    ),
    (
        "told a total that was never",
        {"I4"},
        messages(told("C-1", 1, invoice={"id": "id-INV-1", "number": "INV-1", "total": "24.41"})),
    ),
    ("told in the wrong sequence", {"I4"}, messages(told("C-1", 2), told("C-1", 1))),
    ("told under two ids", {"I4"}, messages(told("C-1", 1), replace(told("C-1", 1), event_id="another"))),
    ("six calls in two seconds", {"I5"}, requests(*[with_call(time=100 + n * 0.39) for n in range(6)])),
    ("three calls at once", {"I5"}, requests(*[with_call(time=100 + n * 0.01) for n in range(3)])),
    ("eleven calls in a day of ten", {"I5"}, requests(*[with_call(time=100 + n * 10) for n in range(11)])),
    ("an event is gone", {"I7"}, events(lambda places: places[1:])),
    ("an event is recorded twice", {"I7"}, events(lambda places: [*places, places[0]])),
    (
        "an acknowledged event is not in the broker",
        {"I7"},
        lambda e: replace_(e, held=e.held[1:], rows=replace(e.rows, events=e.rows.events[1:])),
    ),
    ("a message still waits", {"I7"}, lambda e: replace_(e, rows=replace(e.rows, messages_waiting=1))),
    (
        "an order that nobody sent",
        {"I7"},
        lambda e: replace_(e, rows=replace(e.rows, orders={"C-1": "booked", "C-2": "withdrawn"})),
    ),
    ("a cent off", {"I11"}, books(invoice("C-1", "24.41", "4.40"))),
    ("a cent of tax off", {"I11"}, books(invoice("C-1", "24.40", "4.41"))),
]


@pytest.mark.parametrize(("what", "invariants", "plant"), FAULTS, ids=[fault[0] for fault in FAULTS])
def test_a_planted_fault_is_found(what: str, invariants: set[str], plant: Callable[[Evidence], Evidence]) -> None:
    """Each of these is found, and nothing beside it."""
    assert found(plant(whole())) == invariants, what


def test_a_call_at_the_very_end_of_the_window_is_allowed() -> None:
    """Five within two seconds and the sixth when the first is two seconds old: the window is open at its end."""
    rows = [with_call(time=100 + n * 0.4) for n in range(5)] + [with_call(time=102.0)]
    assert found(replace_(whole(), requests=rows)) == set()


def test_a_parked_order_that_the_shop_was_told_of_is_not_lost() -> None:
    """Parked visibly, with its reason, is one of the ends that an order may come to."""
    parked = told("C-1", 1, state="parked", reason={"code": "tax_missing"}, invoice=None)
    assert found(replace_(orders("parked")(whole()), told=[parked], books=books_of())) == set()
