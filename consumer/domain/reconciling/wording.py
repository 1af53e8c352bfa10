"""What a finding says, and which command puts it right."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from consumer.domain.money import ZERO
from consumer.domain.reconciling.books import Listed
from consumer.domain.records import Document, OrderRecord
from consumer.domain.states import OrderState, Wish
from consumer.domain.texts import plain

_NAMES = {"invoice": "Invoice", "credit_note": "Credit note"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What is the matter, and the fix."""

    words: str
    fix: str


def _name(one: Listed | Document) -> str:
    return f"{_NAMES.get(one.kind.value, one.kind.value)} {one.number or one.ledger_id}"


def _quoted(text: str) -> str:
    """Write a word as a shell takes it."""
    safe = text and all(c.isascii() and (c.isalnum() or c in "._-/:@%+,=~") for c in text)
    return text if safe else "'" + text.replace("'", "'\\''") + "'"


def command(verb: str, record: OrderRecord) -> str:
    """Give a command on one order."""
    return f"booked order {verb} {_quoted(record.key.shop_id)} {_quoted(record.key.order_id)}"


def _by_reason(record: OrderRecord, otherwise: str) -> str:
    """Give the order's own fix where it waits or is parked, with the command that follows it."""
    reason = record.reason
    if reason is None or not reason.fix:
        return otherwise
    return f"{reason.fix.rstrip('.')}; then: {command('retry', record)}"


def removed(record: OrderRecord, document: Document, one: Listed) -> Told:
    """Our document is gone, or void."""
    how = "is no longer in the ledger" if one.gone else "is void in the ledger"
    again = f"{command('update', record)} takes note of it; then {command('generate', record)} makes it again"
    return Told(words=f"{_name(document)} of {document.total} {document.currency} {how}.", fix=again)


def revived(record: OrderRecord, document: Document, one: Listed) -> Told:
    """A document that was recorded as gone stands again."""
    words = f"{_name(one)} is recorded as {document.status.replace('_', ' ')} and stands in the ledger as {one.status}."
    return Told(words=words, fix=f"Make it void in the ledger, or {command('generate', record)}: {one.url}".strip(": "))


def total_differs(record: OrderRecord, one: Listed, expected: Decimal) -> Told:
    """Another total."""
    words = f"{_name(one)} comes to {plain(one.total)} {one.currency}, the order to {plain(expected)} {one.currency}."
    return Told(words=words, fix=_by_reason(record, command("update", record)))


def vat_differs(
    record: OrderRecord,
    one: Listed,
    expected: Mapping[Decimal | None, Decimal],
    found: Mapping[Decimal | None, Decimal],
) -> Told:
    """The same total with other VAT."""
    rates = sorted({*expected, *found}, key=lambda rate: (rate is None, rate or ZERO))
    told = [
        f"at {plain(rate)} % the ledger has {plain(found.get(rate, ZERO))}, the order {plain(expected.get(rate, ZERO))}"
        for rate in rates
        if found.get(rate) != expected.get(rate)
    ]
    return Told(words=f"VAT of {_name(one)}: {'; '.join(told)} {one.currency}.", fix=command("update", record))


def customer_differs(record: OrderRecord, document: Document, one: Listed) -> Told:
    """Another contact."""
    words = f"{_name(one)} stands on contact {one.contact_id}, it was written for contact {document.contact_id}."
    return Told(words=words, fix=f"Look at it in the ledger; {command('update', record)} writes it for the order's own")


def date_differs(record: OrderRecord, document: Document, one: Listed) -> Told:
    """Another day."""
    words = f"{_name(one)} is dated {one.issued_on} in the ledger, it was written for {document.issued_on}."
    return Told(words=words, fix=command("update", record))


def draft_again(record: OrderRecord, document: Document, one: Listed) -> Told:
    """A document that had been sent is a draft."""
    words = f"{_name(one)} was {document.status} and is a draft again."
    return Told(words=words, fix=f"Mark it as sent in the ledger, or {command('update', record)}")


def not_booked(record: OrderRecord) -> Told:
    """An order without an invoice."""
    reason = record.reason
    if record.state in (OrderState.DUE, OrderState.UNCERTAIN):
        words = f"It is {record.state.value}: its lane is at work, or waits for the ledger."
        return Told(words=words, fix="See booked doctor where it stays so.")
    why = "" if reason is None else f" ({reason.code.value}): {reason.message}"
    fix = _by_reason(record, command("generate", record))
    return Told(words=f"It has no invoice; it is {record.state.value}{why}.".replace("..", "."), fix=fix)


def not_credited(record: OrderRecord, refund_id: str) -> Told:
    """A refund without a credit note."""
    words = f"Refund {refund_id} has no credit note, nor does the invoice account for it."
    return Told(words=words, fix=_by_reason(record, command("update", record)))


def may_be_adopted(record: OrderRecord) -> bool:
    """Tell whether the order's lane would take a document over: one that is not wanted stays for a person."""
    return not record.facts.cancelled and record.facts.wish not in (Wish.NONE, Wish.IGNORE)


def orphaned(record: OrderRecord, one: Listed) -> Told:
    """A document of the order that is not recorded."""
    words = f"{_name(one)} of {plain(one.total)} {one.currency} is in the ledger under this order, and not recorded."
    if may_be_adopted(record):
        return Told(words=words, fix="booked reconcile --adopt --yes, over the same days")
    why = "cancelled" if record.facts.cancelled else f"marked {record.facts.wish.value}"
    return Told(words=words, fix=f"The order is {why}: make the document void in the ledger {one.url}".strip())


def doubled(record: OrderRecord, one: Listed) -> Told:
    """A second document of the order."""
    live = record.live_invoice
    beside = "" if live is None else f" beside {_name(live)}"
    words = f"{_name(one)} of {plain(one.total)} {one.currency} is a second document of this order{beside}."
    return Told(words=words, fix=f"Compare both, and delete or void {one.number} in the ledger {one.url}".strip())


def unknown_order(one: Listed, day: object) -> Told:
    """A document whose order is not known here."""
    words = f"{_name(one)} of {plain(one.total)} {one.currency} names an order that is not recorded."
    return Told(words=words, fix=f"booked replay --since {day} brings the order; then booked reconcile --adopt --yes")
