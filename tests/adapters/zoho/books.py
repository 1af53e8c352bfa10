"""What the adapter's tests share: an access, a connection, a draft, and a ledger opened on a server of the test."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from dataclasses import replace as changed
from datetime import date
from decimal import Decimal
from typing import Any

from consumer.adapters.zoho.data_centers import DataCenters
from consumer.adapters.zoho.ledger import ZohoLedger, ZohoLedgerFactory
from consumer.domain.ledger import ContactData, CreateContact, CreateInvoice, InvoiceDraft, InvoiceLine, ReadInvoice
from consumer.domain.settings import SANDBOX_DATA_CENTER, ConnectionSettings, LedgerLimits

ORGANIZATION = "927270289"
DEADLINE = 5.0

DRAFT = InvoiceDraft(
    contact_id="460000000000000017",
    reference="A-1001",
    issued_on=date(2026, 6, 9),
    due_on=date(2026, 6, 9),
    currency="EUR",
    lines=(InvoiceLine(name="Cup", quantity=Decimal(2), rate=Decimal("9.90"), tax_id="460000000000000022"),),
)
CREATE_INVOICE = CreateInvoice(draft=DRAFT)
CREATE_CONTACT = CreateContact(data=ContactData(name="Ada Muster", email="ada@example.com"))
READ_INVOICE = ReadInvoice(invoice_id="460000000000000099")
KEYED_DRAFT = changed(DRAFT, unique_field="cf_booked_key", unique_key="shop/A-1001/invoice//1")

INVOICE = {
    "code": 0,
    "message": "The invoice has been created.",
    "invoice": {
        "invoice_id": "460000000000000099",
        "invoice_number": "INV-000001",
        "status": "draft",
        "reference_number": "A-1001",
        "customer_id": "460000000000000017",
        "date": "2026-06-09",
        "total": 24.16,
        "tax_total": 4.36,
        "currency_code": "EUR",
        "line_items": [],
    },
}


@dataclass
class ScriptedAccess:
    """Gives the tokens of a list, the next one at each renewal; counts."""

    tokens: list[Any] = field(default_factory=lambda: ["token-1", "token-2"])
    renewals: int = 0

    async def token(self) -> str:
        """Give the token that holds now, or raise what stands in its place."""
        return self._give()

    async def renewed(self, stale: str) -> str:
        """Give the next token."""
        assert stale == self.tokens[self.renewals]
        self.renewals += 1
        return self._give()

    def _give(self) -> str:
        token = self.tokens[self.renewals]
        if isinstance(token, Exception):
            raise token
        assert isinstance(token, str)
        return token


def connection(**changes: Any) -> ConnectionSettings:
    """Make the settings of a connection to the sandbox."""
    usual = ConnectionSettings(
        connection_id="main",
        data_center=SANDBOX_DATA_CENTER,
        organization_id=ORGANIZATION,
        limits=LedgerLimits(call_deadline_seconds=DEADLINE),
    )
    return changed(usual, **changes)


@asynccontextmanager
async def opened(
    url: str, access: ScriptedAccess | None = None, *, leave_within_seconds: float = DEADLINE, **settings: Any
) -> AsyncIterator[ZohoLedger]:
    """Open a ledger at an address and close it. Time to leave is long: two cores shared by all are slow at times."""
    factory = ZohoLedgerFactory(DataCenters.make(sandbox_url=url), leave_within_seconds=leave_within_seconds)
    ledger = factory.open(connection(**settings), access or ScriptedAccess())
    try:
        yield ledger
    finally:
        await ledger.aclose()
