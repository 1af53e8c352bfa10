"""The benches on which both ledgers are tried: the one in memory, and Zoho's adapter against the stand-in."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from consumer.adapters.memory.ledger import Fault, MemoryLedgerFactory
from consumer.adapters.memory.ledger_book import LedgerBook
from consumer.adapters.zoho.accounts import SCOPES
from consumer.adapters.zoho.data_centers import DataCenters
from consumer.adapters.zoho.ledger import ZohoLedgerFactory
from consumer.domain import credits as money
from consumer.domain import ledger as ask
from consumer.domain.ledger import (
    ContactData,
    Invoice,
    InvoiceDraft,
    InvoiceLine,
    LedgerCurrency,
    LedgerTax,
    Operation,
    Organization,
)
from consumer.domain.settings import SANDBOX_DATA_CENTER, ConnectionSettings
from consumer.errors import (
    LedgerError,
)
from consumer.ports.ledger import Ledger, LedgerFactory
from sandbox.zoho.client import ControlClient

UNIQUE = "cf_booked_key"
WIDE = {"per_minute": 10_000, "per_day": 100_000, "concurrent": 100}
DEADLINE = 10.0
SERVER_KINDS: dict[Fault, dict[str, Any]] = {
    Fault.CUT_BEFORE_COMMIT: {"action": "cut_before_commit"},
    Fault.CUT_AFTER_COMMIT: {"action": "cut_after_commit"},
    Fault.THROTTLED: {"action": {"status": {"code": 429, "body": {"code": 44, "message": "blocked"}}}},
}


@dataclass
class FixedAccess:
    """Gives one token for ever."""

    value: str = "token"

    async def token(self) -> str:
        """Give it."""
        return self.value

    async def renewed(self, stale: str) -> str:
        """Give it again."""
        assert stale == self.value
        return self.value


@dataclass
class Bench:
    """A ledger under test: an organisation in EUR with 22 % and 10 %, and a way to make the next write fail."""

    ledger: Ledger
    taxes: dict[int, str]
    fail_next: Callable[[Fault], Awaitable[None]]
    organization_id: str
    lock: Callable[[date], Awaitable[None]]
    contacts: int = field(default=0)

    async def ask(self, operation: Operation) -> Any:
        """Make a call and give its result."""
        answer = await self.ledger.execute(operation, deadline_seconds=DEADLINE)
        assert answer.exchange.outcome == "ok"
        assert answer.exchange.operation.replace("_", "") == type(operation).__name__.lower()
        return answer.result

    async def refused(self, operation: Operation, kind: type[LedgerError]) -> LedgerError:
        """Make a call that must fail in exactly this way."""
        with pytest.raises(kind) as raised:
            await self.ledger.execute(operation, deadline_seconds=DEADLINE)
        assert type(raised.value) is kind
        assert raised.value.exchange is not None
        assert raised.value.exchange.outcome == kind.__name__
        return raised.value

    async def contact_id(self) -> str:
        """Make a contact."""
        self.contacts += 1
        made = await self.ask(ask.CreateContact(data=ContactData(name=f"Customer {self.contacts}")))
        return str(made.contact_id)

    async def draft(self, reference: str = "A-1", **changes: Any) -> InvoiceDraft:
        """Make a draft of 2 x 9.90 at 22 % and 1 x 5.05 at 10 %: net 24.85, tax 4.36 + 0.51, total 29.72."""
        usual = InvoiceDraft(
            contact_id=changes.pop("contact_id", None) or await self.contact_id(),
            reference=reference,
            issued_on=date(2026, 6, 9),
            due_on=date(2026, 6, 9),
            currency="EUR",
            lines=(
                InvoiceLine(name="Cup", quantity=Decimal(2), rate=Decimal("9.90"), tax_id=self.taxes[22]),
                InvoiceLine(name="Tea", quantity=Decimal(1), rate=Decimal("5.05"), tax_id=self.taxes[10]),
            ),
        )
        return replace(usual, **changes)

    async def sent(self, reference: str = "A-1") -> Invoice:
        """Make an invoice of 29.72 and mark it as sent."""
        made: Invoice = await self.ask(ask.CreateInvoice(draft=await self.draft(reference, due_on=date(2099, 1, 1))))
        await self.ask(money.MarkSent(invoice_id=made.invoice_id))
        read: Invoice = await self.ask(ask.ReadInvoice(invoice_id=made.invoice_id))
        return read

    async def found(self, reference: str) -> list[Invoice]:
        """Look an invoice up by its reference."""
        return list((await self.ask(ask.FindInvoices(reference=reference))).rows)


def memory_bench() -> Bench:
    """Make a bench in memory."""
    taxes = (
        LedgerTax(tax_id="22", name="VAT 22", rate=Decimal(22)),
        LedgerTax(tax_id="10", name="VAT 10", rate=Decimal(10)),
    )
    book = LedgerBook(
        organization=Organization(organization_id="7", name="Books", currency="EUR", time_zone="Europe/Rome"),
        taxes=taxes,
        currencies=(LedgerCurrency(currency_id="1", code="EUR", digits=2, is_base=True),),
        unique_field=True,
    )
    faults: list[Fault] = []

    def choose(_: Operation) -> Fault | None:
        return faults.pop() if faults else None

    async def fail_next(fault: Fault) -> None:
        faults.append(fault)

    async def lock(day: date) -> None:
        book.credits.closed_until = day

    factory: LedgerFactory = MemoryLedgerFactory(books={"7": book}, choose_fault=choose)
    settings = ConnectionSettings(connection_id="main", data_center=SANDBOX_DATA_CENTER, organization_id="7")
    opened = factory.open(replace(settings, unique_field=UNIQUE), FixedAccess())
    return Bench(ledger=opened, taxes={22: "22", 10: "10"}, fail_next=fail_next, organization_id="7", lock=lock)


async def zoho_bench(url: str, control: ControlClient) -> Bench:
    """Make a bench of Zoho's adapter on an organisation of its own in the stand-in."""
    founded = await control.create_organization(
        name="Books",
        currency_code="EUR",
        time_zone="Europe/Rome",
        country_code="IT",
        unique_field=UNIQUE,
        custom_fields={"cf_po": "460000000000000901"},
        taxes=[{"tax_name": "VAT 22", "tax_percentage": 22}, {"tax_name": "VAT 10", "tax_percentage": 10}],
        limits=WIDE,
    )
    granted = await control.grant(scopes=list(SCOPES), organization_ids=[founded.organization_id])

    async def fail_next(fault: Fault) -> None:
        match = {"organization_id": founded.organization_id}
        await control.add_faults({"match": match, "times": 1, **SERVER_KINDS[fault]})

    async def lock(day: date) -> None:
        await control.change_organization(founded.organization_id, transaction_lock_date=day.isoformat())

    factory: LedgerFactory = ZohoLedgerFactory(DataCenters.make(sandbox_url=url), leave_within_seconds=DEADLINE)
    settings = ConnectionSettings(
        connection_id="main",
        data_center=SANDBOX_DATA_CENTER,
        organization_id=founded.organization_id,
        unique_field=UNIQUE,
    )
    opened = factory.open(settings, FixedAccess(granted.access_token))
    taxes = {22: founded.taxes["VAT 22"], 10: founded.taxes["VAT 10"]}
    return Bench(ledger=opened, taxes=taxes, fail_next=fail_next, organization_id=founded.organization_id, lock=lock)
