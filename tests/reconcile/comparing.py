"""Worlds of shipped lanes over memory, whose orders are compared with the ledger's books by the shipped comparison."""

import asyncio
import json
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from consumer.adapters.memory.reconcile import MemoryReconcileStore
from consumer.domain.events import EventKind
from consumer.domain.ledger import Invoice
from consumer.domain.orders import RateFigures
from consumer.domain.reconciling.findings import Finding, Period
from consumer.services.asking import asking
from consumer.services.reconcile_report import ReconcileReport, ReconcileRequest
from consumer.services.reconciling import ReconcileParts, reconcile
from tests.services.booking.changing import Shop, refund
from tests.services.sync.world import BOOKS, Token, content

MARCH = Period(from_day=date(2026, 3, 1), to_day=date(2026, 3, 31))


class ComparedWorld(Shop):
    """A world that can be compared, and in whose ledger a person has hands."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.compared = MemoryReconcileStore(self.database)

    async def compare(self, period: Period = MARCH, **request: Any) -> ReconcileReport:
        """Compare the connection, as the command does."""
        tools = self.tools()
        view = await self.lanes.view(BOOKS)
        async with asking(
            view,
            open_ledger=lambda connection, slot: self.factory.open(connection, Token(slot)),
            bookings=self.booking_store,
            calls=self.call_store,
            steady=asyncio.get_running_loop().time,
        ) as caller:
            parts = ReconcileParts(store=self.compared, caller=caller, read_order=tools.read_order)
            return await reconcile(ReconcileRequest(period=period, **request), view, parts)

    # ---- a person's hands ----

    def invoice_of(self, order_id: str) -> Invoice:
        """Give the ledger's own invoice of an order."""
        (document,) = [one for one in self.documents(order_id) if one.live]
        return self.book.invoices[document.ledger_id]

    def edit(self, order_id: str, **changes: Any) -> None:
        """Change an order's invoice in the ledger."""
        invoice = self.invoice_of(order_id)
        moment = max(self.book.moment(), (invoice.modified_at or self.now()) + timedelta(minutes=1))
        self.book.invoices[invoice.invoice_id] = replace(invoice, **changes, modified_at=moment)

    def copy(self, order_id: str, **changes: Any) -> str:
        """Copy an order's invoice in the ledger, reference and all; gives the copy's id."""
        new_id, moment = self.book.new_id(), self.book.moment()
        made = replace(self.invoice_of(order_id), invoice_id=new_id, number=f"COPY-{new_id[-3:]}", **changes)
        self.book.invoices[new_id] = replace(made, created_at=moment, modified_at=moment)
        return new_id

    async def refund(self, order_id: str, amount: str) -> None:
        """Let the shop give something back of the order, once, on the next day."""
        assert order_id == "1001", "only this order can say more than its price"
        data = json.loads(content(order_id, "12.20", "anna@example.org", "Anna Bianchi"))
        await self.say(EventKind.UPDATED, 2, {**data, "version": 2, "refunds": [refund("r1", amount)]})

    def forget(self, order_id: str) -> None:
        """Let the database forget what it made for an order, as an older backup has."""
        row = self.order(order_id)
        self.database.documents.pop(row.key, None)
        row.reference, row.sequence, row.booked_at = "", 0, None


def vat(rate: str, tax: str) -> tuple[RateFigures, ...]:
    """Give what a ledger tells of one rate."""
    return (RateFigures(rate=Decimal(rate), net=None, tax=Decimal(tax)),)


def told(report: ReconcileReport) -> list[tuple[str, str, str]]:
    """Name the findings: kind, about, order."""
    return sorted((one.kind.value, one.about.value, one.key.order_id) for one in report.findings)


def only(report: ReconcileReport) -> Finding:
    """Give the one finding."""
    assert len(report.findings) == 1, told(report)
    return report.findings[0]


def months(report: ReconcileReport) -> list[tuple[str, ...]]:
    """Give the months as text: rate, then net, VAT and total of the shop and of the ledger."""
    return [
        (
            row.month,
            "" if row.rate is None else str(row.rate),
            *(str(part) for side in (row.shop, row.ledger) for part in (side.net, side.tax, side.gross)),
        )
        for row in report.months
    ]
