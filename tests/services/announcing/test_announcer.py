"""What the shop is told of an order, and when it is news."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from consumer.domain.events import Origin, Rejected
from consumer.domain.records import Conclusion, OrderRecord
from consumer.domain.states import OrderState, Reason, ReasonCode
from consumer.services.announcing import Announcer, rejection_renderer
from tests.domain.deciding.building import CONNECTION, document, record, with_documents

ANNOUNCE = Announcer(CONNECTION, "main")
BOOKED = Conclusion(state=OrderState.BOOKED)
AT = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)
EVENT = UUID(int=7)


def parked(message: str = "One cent.", difference: str | None = None) -> Conclusion:
    """Park with a difference."""
    return Conclusion(
        state=OrderState.PARKED,
        reason=Reason(code=ReasonCode.DIFFERENCE, message=message, fix="Compare."),
        difference=None if difference is None else Decimal(difference),
    )


def digest(stored: OrderRecord, conclusion: Conclusion, operation: str = "created") -> bytes:
    """Give what decides whether it is news."""
    announcement = ANNOUNCE(stored, conclusion, operation)
    assert announcement is not None
    return announcement.digest


def told(stored: OrderRecord, conclusion: Conclusion, operation: str = "created") -> dict[str, Any]:
    """Give what is told, as the fourth message of the order."""
    announcement = ANNOUNCE(stored, conclusion, operation)
    assert announcement is not None
    message = json.loads(announcement.render(4, EVENT, AT))
    assert (message["id"], message["type"].split(".")[-3:]) == (str(EVENT), ["invoice", "synced", "v1"])
    data: dict[str, Any] = message["data"]
    return data


@pytest.mark.parametrize("state", [OrderState.WAITING, OrderState.DUE, OrderState.UNCERTAIN])
def test_what_is_under_way_is_no_news(state: OrderState) -> None:
    """Only where an order has come to something the shop is told."""
    assert ANNOUNCE(with_documents(document()), Conclusion(state=state), "created") is None


def test_an_order_that_was_withdrawn_before_anything_was_made_or_told_is_no_news() -> None:
    """But it is, once the shop was told that it is parked, or a document was made."""
    withdrawn = Conclusion(state=OrderState.WITHDRAWN)
    assert ANNOUNCE(record(), withdrawn, "withdrawn") is None
    assert ANNOUNCE(record(sequence=1), withdrawn, "withdrawn") is not None
    assert ANNOUNCE(with_documents(document(live=False, status="void")), withdrawn, "withdrawn") is not None


def test_the_same_state_reason_and_documents_again_are_no_news_whatever_the_revision() -> None:
    """The revision moved on, the ledger did not."""
    first = with_documents(document())
    assert digest(first, BOOKED) == digest(replace(first, version=9, change=5, sequence=3), BOOKED, "updated")


@pytest.mark.parametrize(
    "change",
    [
        {"total": Decimal("12.21")},
        {"status": "sent"},
        {"number": "INV-2"},
        {"live": False},
        {"ledger_id": "i2"},
    ],
    ids=str,
)
def test_a_change_of_the_document_is_news(change: dict[str, Any]) -> None:
    """Total, status, number, existence."""
    assert digest(with_documents(document()), BOOKED) != digest(with_documents(document(**change)), BOOKED)


def test_another_reason_or_state_is_news() -> None:
    """Parked for one thing, then for another, then booked."""
    stored = with_documents(document())
    digests = {digest(stored, conclusion) for conclusion in (parked("One."), parked("Two."), BOOKED)}
    assert len(digests) == 3


def test_documents_in_another_sequence_are_the_same_news() -> None:
    """How the store lists them is no fact."""
    one, two = document(n=1, live=False, status="void"), document(n=2, ledger_id="i2")
    assert digest(with_documents(one, two), BOOKED) == digest(with_documents(two, one), BOOKED)


def test_a_booked_order_is_told_with_its_invoice() -> None:
    """Figures as decimal strings, the moment with its offset, the sequence that it was given."""
    data = told(with_documents(document(url="https://books.test/i1")), BOOKED)
    assert (data["sequence"], data["state"], data["operation"], data["reason"]) == (4, "booked", "created", None)
    assert (data["invoice"]["number"], Decimal(data["invoice"]["total"])) == ("INV-1", Decimal("12.20"))
    assert isinstance(data["invoice"]["total"], str)
    assert (data["invoice"]["url"], data["organization_id"]) == ("https://books.test/i1", "1")
    assert datetime.fromisoformat(data["synced_at"]) == AT


@pytest.mark.parametrize(
    ("currency", "total", "written"),
    [
        ("EUR", "24.4", "24.40"),
        ("EUR", "24.40000", "24.40"),
        ("JPY", "1005.00", "1005"),
        ("JPY", "1.2E+3", "1200"),
        ("KWD", "7", "7.000"),
        ("EUR", "0.125", "0.125"),
    ],
)
def test_amounts_are_told_with_the_decimals_of_their_currency(currency: str, total: str, written: str) -> None:
    """However the ledger wrote them; no digit that says something is lost."""
    made = document(currency=currency, total=Decimal(total), tax_total=Decimal(total))
    stored = replace(with_documents(made), currency=currency)
    data = told(stored, replace(BOOKED, difference=Decimal(total)))
    figures = (data["invoice"]["total"], data["invoice"]["tax_total"], data["documents"][0]["total"])
    assert {*figures, data["difference"]} == {written}


def test_a_parked_order_is_told_with_reason_fix_and_difference_and_the_invoice_that_stands() -> None:
    """A failure is news to the shop as well."""
    data = told(with_documents(document()), parked(difference="-0.01"), "updated")
    assert (data["state"], data["operation"], data["difference"]) == ("parked", "parked", "-0.01")
    assert data["reason"] == {"code": "difference", "message": "One cent.", "fix": "Compare."}
    assert data["invoice"]["number"] == "INV-1"


@pytest.mark.parametrize(("status", "operation"), [("void", "voided"), ("deleted_for_difference", "deleted")])
def test_a_withdrawn_order_is_told_by_what_became_of_its_invoice(status: str, operation: str) -> None:
    """Void or deleted; there is no live invoice then."""
    stored = with_documents(document(live=False, status=status))
    data = told(stored, Conclusion(state=OrderState.WITHDRAWN), "withdrawn")
    assert (data["operation"], data["invoice"]) == (operation, None)
    assert data["documents"][0]["status"] == ("void" if status == "void" else "deleted")


def test_a_rejection_tells_where_the_message_was_and_not_what_it_said() -> None:
    """The payload may hold anything: it stays with us."""
    rejected = Rejected(
        origin=Origin(topic="order.paid", log=2, partition=3, offset=41),
        reason="json_malformed",
        message="It is not JSON.",
        value=b"canary",
        size=6,
        digest=b"\x01" * 32,
        shop_id="north",
    )
    text = rejection_renderer("main")(rejected, EVENT, AT)
    data = json.loads(text)["data"]
    assert b"canary" not in text
    assert data["position"] == {"topic": "order.paid", "partition": 3, "offset": 41, "log": 2}
    assert (data["reason"], data["hash"], data["size"], data["shop_id"]) == ("json_malformed", "01" * 32, 6, "north")
