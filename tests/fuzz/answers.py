"""The ledger's answers: a good one for each operation, and the adapter that has to read whatever comes instead."""

import json
from collections.abc import Coroutine
from contextlib import suppress
from datetime import UTC, date, datetime
from decimal import Decimal
from random import Random
from typing import Any, Final, cast

from consumer.adapters.zoho.accounts import ZohoAccounts
from consumer.adapters.zoho.calls import Calls, Received
from consumer.adapters.zoho.data_centers import DataCenters
from consumer.adapters.zoho.ledger import ZohoLedger
from consumer.domain import credits as money
from consumer.domain import ledger
from consumer.errors import LedgerError
from consumer.ports.ledger import ClientCredentials
from tests.adapters.zoho.books import CREATE_CONTACT, CREATE_INVOICE, DRAFT, INVOICE, ScriptedAccess, connection
from tests.fuzz.spoiling import spoilt

_LINE: Final = {
    "line_item_id": "9",
    "name": "Cup",
    "quantity": 2,
    "rate": 9.9,
    "tax_id": "t22",
    "tax_name": "VAT 22",
    "tax_percentage": 22,
    "item_total": 19.8,
}
_WHOLE: Final = INVOICE["invoice"] | {  # type: ignore[operator] # a dict within a dict of objects
    "line_items": [_LINE, _LINE | {"quantity": -1}],
    "taxes": [{"tax_name": "VAT 22 (22%)", "tax_amount": 4.36}],
    "custom_fields": [{"api_name": "cf_booked_key", "value": "shop/A-1001/invoice//1"}],
    "last_modified_time": "2026-06-09T10:00:00+0200",
    "created_time": "2026-06-09T10:00:00+0200",
    "balance": 24.16,
    "is_emailed": False,
}
_CONTACT: Final = {
    "contact_id": "460000000000000017",
    "contact_name": "Ada Muster",
    "email": "ada@example.com",
    "status": "active",
    "billing_address": {"address": "Way 1", "city": "Ulm", "zip": "89073", "country": "Germany"},
    "contact_persons": [{"contact_person_id": "1", "email": "ada@example.com", "is_primary_contact": True}],
    "last_modified_time": "2026-06-09T10:00:00+0200",
}
_NOTE: Final = {
    "creditnote_id": "7",
    "creditnote_number": "CN-1",
    "status": "open",
    "reference_number": "A-1001~credit_note~1",
    "customer_id": "460000000000000017",
    "date": "2026-06-09",
    "total": 12.2,
    "balance": 12.2,
    "currency_code": "EUR",
    "line_items": [_LINE],
}
_CENTERS: Final = DataCenters.make()
_TOKEN: Final = {
    "access_token": "1000.a.b",
    "refresh_token": "1000.c.d",
    "expires_in": 3600,
    "api_domain": "https://www.zohoapis.eu",
}
_PAGE: Final = {"page_context": {"page": 1, "per_page": 200, "has_more_page": True}}
ANSWERS: Final[tuple[tuple[ledger.Operation, dict[str, Any]], ...]] = (
    (CREATE_INVOICE, {"invoice": _WHOLE}),
    (ledger.ReadInvoice(invoice_id="460000000000000099"), {"invoice": _WHOLE}),
    (ledger.FindInvoices(reference="A-1001"), {"invoices": [_WHOLE]} | _PAGE),
    (ledger.ListInvoices(), {"invoices": [_WHOLE, _WHOLE | {"invoice_id": "2"}]} | _PAGE),
    (ledger.DeleteInvoice(invoice_id="1"), {"message": "The invoice has been deleted."}),
    (ledger.VoidInvoice(invoice_id="1"), {"message": "Invoice status has been changed to Void."}),
    (CREATE_CONTACT, {"contact": _CONTACT}),
    (ledger.ReadContact(contact_id="460000000000000017"), {"contact": _CONTACT}),
    (ledger.ListContacts(), {"contacts": [_CONTACT]} | _PAGE),
    (ledger.FindContacts(contact_name="Ada Muster"), {"contacts": [_CONTACT]} | _PAGE),
    (
        ledger.ReadOrganization(),
        {
            "organizations": [
                {"organization_id": "927270289", "name": "Shop", "currency_code": "EUR", "time_zone": "UTC"}
            ]
        },
    ),
    (
        ledger.ListTaxes(),
        {"taxes": [{"tax_id": "1", "tax_name": "VAT", "tax_percentage": 22, "tax_type": "tax"}]} | _PAGE,
    ),
    (ledger.ListCurrencies(), {"currencies": [{"currency_id": "1", "currency_code": "EUR", "price_precision": 2}]}),
    (ledger.FindItems(text="SKU"), {"items": [{"item_id": "1", "sku": "SKU", "name": "Cup", "status": "active"}]}),
    (money.CreateCreditNote(draft=DRAFT), {"creditnote": _NOTE}),
    (money.FindCreditNotes(reference="A-1001~credit_note~1"), {"creditnotes": [_NOTE]} | _PAGE),
    (money.ReadCreditNote(credit_note_id="7"), {"creditnote": _NOTE}),
    (
        money.RefundCredit(
            credit_note_id="7",
            amount=Decimal("12.20"),
            refunded_on=date(2026, 6, 9),
            reference="A-1001~refund~1",
            account_id="5",
        ),
        {"creditnote_refund": {"creditnote_refund_id": "3", "amount": 12.2, "reference_number": "A-1001~refund~1"}},
    ),
    (money.ReadLock(), {"transaction_locks": [{"lock_date": "2026-01-31"}]}),
    (
        money.FindPayments(reference="A-1001~payment~1"),
        {"customerpayments": [{"payment_id": "4", "reference_number": "A-1001~payment~1", "amount": 24.16}]} | _PAGE,
    ),
)
_STATUSES: Final = (200, 200, 200, 200, 201, 204, 301, 400, 401, 403, 404, 408, 429, 500, 502, 999)
_CODES: Final = (0, 1001, 1002, 1025, 3062, 44, 45, 57, 1070, 5, -1, 10**18)
_HEADERS: Final = ("retry-after", "x-rate-limit-limit", "x-rate-limit-remaining", "x-rate-limit-reset")


class _Scripted:
    """In place of the connection: gives one answer."""

    def __init__(self, received: Received) -> None:
        self._received = received

    async def call(self, *_: Any, **__: Any) -> Received:
        """Give it."""
        return self._received


def make_answer(chance: Random) -> bytes:
    """Draw an operation, a status, headers, and a body that was good for it."""
    number = chance.randrange(len(ANSWERS))
    status = chance.choice(_STATUSES)
    body = ANSWERS[number][1] | {"code": chance.choice(_CODES) if chance.random() < 0.4 else 0, "message": "success"}
    headers = {
        name: chance.choice(("60", "-1", "1e9", "", "x" * 50, "٣")) for name in _HEADERS if chance.random() < 0.3
    }
    head = json.dumps({"n": number, "status": status, "headers": headers}).encode()
    return head + b"\n" + spoilt(body, chance)


def feed_answer(given: bytes) -> None:
    """Have the adapter read it. Raises what the adapter may not raise: anything but a LedgerError."""
    head, _, body = given.partition(b"\n")
    told = json.loads(head)
    operation = ANSWERS[told["n"] % len(ANSWERS)][0]
    received = Received(status=told["status"], headers=told["headers"], body=body, tokens=("token-1",))
    adapter = ZohoLedger(
        connection(),
        ScriptedAccess(),
        center=_CENTERS.get("eu"),
        calls=cast("Calls", _Scripted(received)),
        now=lambda: datetime(2026, 3, 14, tzinfo=UTC),
    )
    try:
        done(adapter.execute(operation, deadline_seconds=5.0))
    except LedgerError as error:
        if error.exchange is None:
            raise AssertionError("an answer that was refused leaves no exchange") from error


def make_token(chance: Random) -> bytes:
    """Draw an answer of the accounts server."""
    status = json.dumps({"status": chance.choice((200, 200, 400, 401, 429, 500))}).encode()
    return status + b"\n" + spoilt(_TOKEN if chance.random() < 0.8 else {"error": "invalid_code"}, chance)


def feed_token(given: bytes) -> None:
    """Read what the accounts server answers: a token, or a LedgerError."""
    head, _, body = given.partition(b"\n")
    accounts = ZohoAccounts(_CENTERS)
    received = Received(status=json.loads(head)["status"], headers={}, body=body)
    accounts._calls[_CENTERS.get("eu").accounts] = cast("Calls", _Scripted(received))
    client = ClientCredentials(client_id="c", client_secret="s")
    for asked in (
        lambda: accounts.refresh("eu", client, "r"),
        lambda: accounts.exchange_code("eu", client, "code", None),
        lambda: accounts.revoke("eu", "r"),
    ):
        with suppress(LedgerError):
            done(asked())


def done(work: Coroutine[Any, Any, Any]) -> Any:
    """Run what never waits for anything, without a loop; faster by far than one for each input."""
    try:
        work.send(None)
    except StopIteration as end:
        return end.value
    raise AssertionError("the adapter waits for something that no answer brings")
