"""What is looked at in the ledger's books: after every write, and when nothing is left to do.

An invoice that was never sent has to be exactly what the newest revision asks. Where a person has sent it, it stands
as it was sent, and credit notes correct it: there the net effect is what counts, invoices less credits at each rate.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from uuid import UUID

from consumer.adapters.memory.database import MemoryDatabase
from consumer.adapters.memory.ledger_book import LedgerBook, operation_name
from consumer.domain.credits import CreditNote, CreditNoteStatus
from consumer.domain.ledger import Invoice, Operation
from consumer.domain.orders import OrderKey
from consumer.domain.revisions import OrderHead
from tests.interleaving.histories import History, Standing
from tests.interleaving.telling import SHOP

_ZERO = Decimal(0)
Net = tuple[Decimal, tuple[tuple[str, Decimal], ...]]  # the total, and the VAT of each rate


@dataclass(frozen=True, slots=True, kw_only=True)
class _Begun:
    """A write as it was begun, and what was the order's newest revision at that moment."""

    order_id: str
    operation: str
    cancelled: bool
    total: Decimal


@dataclass(kw_only=True)
class Judge:
    """Looks at the books of one world. ``sent`` are the orders whose invoice a person has sent."""

    book: LedgerBook
    database: MemoryDatabase
    orders: Mapping[str, History]
    problems: list[str] = field(default_factory=list)
    sent: set[str] = field(default_factory=set)
    _begun: dict[UUID, _Begun] = field(default_factory=dict)

    def look(self) -> None:
        """After each transaction: note what was the newest, as taken in, where a write was begun by it."""
        intents = self.database.intents
        if len(intents) == len(self._begun):
            return
        for intent_id in list(intents)[len(self._begun) :]:
            intent = intents[intent_id]
            row = self.database.orders[intent.key]
            self._begun[intent_id] = _Begun(
                order_id=intent.key.order_id,
                operation=intent.operation,
                cancelled=row.cancelled,
                total=_less_refunds(row.head),
            )

    def watch(self, operation: Operation, result: object) -> None:
        """After each write: an order has one live invoice at most, and none was written by what was older."""
        if not isinstance(result, Invoice):
            return
        order_id = result.reference
        if self._live(order_id) > 1:
            self.problems.append(f"{order_id}: two live invoices at once")
        name = operation_name(operation)
        begun = [one for one in self._begun.values() if (one.order_id, one.operation) == (order_id, name)]
        if order_id in self.sent:
            return  # what was credited already is not taken off again
        if not begun or begun[-1].cancelled or begun[-1].total != result.total:
            self.problems.append(f"{order_id}: {name} of {result.total} begun when the newest was {begun[-1:]}")

    def judge(self) -> None:
        """At the end: what stands is what the newest revision asks, and no customer has two contacts."""
        for order_id, history in self.orders.items():
            place = self.place(order_id)
            if self._live(order_id) > 1:
                self.problems.append(f"{order_id} ({place}): two live invoices at the end")
            elif order_id in self.sent:
                self._judge_net(order_id, history, place)
            else:
                self._judge_document(order_id, history, place)
        emails = [contact.email for contact in self.book.contacts.values()]
        if len(emails) != len(set(emails)):
            self.problems.append(f"a customer has two contacts: {sorted(emails)}")

    def place(self, order_id: str) -> str:
        """Tell where an order stands, and why."""
        row = self.database.orders.get(OrderKey(SHOP, order_id))
        if row is None:
            return "unknown"
        return row.state.value if row.reason is None else f"{row.state.value}, {row.reason.code.value}"

    def _judge_document(self, order_id: str, history: History, place: str) -> None:
        found = [self._standing(invoice) for invoice in self.book.live_invoices(order_id)]
        wanted = [] if history.wanted is None else [history.wanted]
        if found != wanted or self._credits(order_id):
            self.problems.append(f"{order_id} ({place}): stands {found}, wanted {wanted}")

    def _judge_net(self, order_id: str, history: History, place: str) -> None:
        asked = history.wanted
        wanted: Net = (_ZERO, ()) if asked is None else (asked.total, asked.tax_by_rate)
        found = self._net(order_id)
        if found != wanted:
            documents = [(one.status.value, one.total) for one in self.book.live_invoices(order_id)]
            credited = [(one.reference, one.total) for one in self._credits(order_id)]
            self.problems.append(
                f"{order_id} ({place}): comes to {found}, wanted {wanted}; {documents} less {credited}"
            )

    def _live(self, order_id: str) -> int:
        """Count the invoices that are not credited in full: one is before the next is made."""
        credited, live = sum((note.total for note in self._credits(order_id)), _ZERO), 0
        for invoice in self.book.live_invoices(order_id):
            covered = 0 < invoice.total <= credited
            credited -= invoice.total if covered else _ZERO
            live += not covered
        return live

    def _credits(self, order_id: str) -> list[CreditNote]:
        notes = self.book.credits.notes.values()
        return [
            one for one in notes if one.reference.startswith(f"{order_id}~") and one.status is not CreditNoteStatus.VOID
        ]

    def _net(self, order_id: str) -> Net:
        invoices, notes = self.book.live_invoices(order_id), self._credits(order_id)
        taxes: dict[str, Decimal] = {}
        for sign, shares in [
            *((1, one.tax_by_rate or ()) for one in invoices),
            *((-1, one.tax_by_rate or ()) for one in notes),
        ]:
            for share in shares:
                rate = f"{share.rate:f}"
                taxes[rate] = taxes.get(rate, _ZERO) + sign * share.tax
        total = sum((one.total for one in invoices), _ZERO) - sum((one.total for one in notes), _ZERO)
        return total, tuple(sorted((rate, tax) for rate, tax in taxes.items() if tax))

    def _standing(self, invoice: Invoice) -> Standing:
        words = invoice.words
        return Standing(
            total=invoice.total,
            tax_by_rate=tuple(
                sorted((f"{share.rate:f}", share.tax) for share in invoice.tax_by_rate or () if share.tax)
            ),
            lines=tuple(
                # What was given back stands as lines below nought; the totals tell whether it is right.
                sorted(
                    (one.name, int(one.quantity), one.rate, f"{one.tax_rate:f}")
                    for one in invoice.lines or ()
                    if one.rate > 0
                )
            ),
            email=self.book.contacts[invoice.contact_id].email,
            note="" if words is None else words.notes or "",
            issued_on=invoice.issued_on or date.min,
        )


def _less_refunds(head: OrderHead) -> Decimal:
    """Give what the order is about by what is known of it: its total, less all that was given back."""
    back = (Decimal(json.loads(told.data)["amount"]) for told in head.refunds.values())
    return (head.grand_total or _ZERO) - sum(back, _ZERO)
