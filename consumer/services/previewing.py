"""What would be sent for an order, without sending it.

The mapping, the decision and the choice of the customer are those of a booking, on what is stored. It asks no ledger
and writes nothing.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from consumer.domain.customer_choice import Choice, Known, NeedsCreate, NeedsRead, NeedsUpdate
from consumer.domain.deciding.correcting import update_of
from consumer.domain.deciding.existing import decide_existing
from consumer.domain.deciding.new import decide_new
from consumer.domain.deciding.probing import needs_other_rounding
from consumer.domain.deciding.situation import Call, Decision, Rest, Situation
from consumer.domain.deciding.wanted import wanted_draft
from consumer.domain.ledger import (
    Contact,
    CreateContact,
    DeleteInvoice,
    Item,
    LedgerFacts,
    Operation,
    ReadContact,
    ReadInvoice,
    UpdateContact,
    VoidInvoice,
)
from consumer.domain.mapping import Mapped, items_needed, map_order
from consumer.domain.orders import Order, OrderKey, RateFigures
from consumer.domain.records import Document, OrderRecord
from consumer.domain.settings import CancelledDraft, CancelledSent, ConnectionSettings, ShopSettings
from consumer.domain.states import OrderState, Reason
from consumer.ports.contacts import ContactStore
from consumer.ports.lanes import LaneStore
from consumer.services.contacts import look_up

NEW_CONTACT = "(id of the new contact)"
_MAY_PROBE = "A booking may send it, to find out how the organisation rounds; a draft that differs is taken back."


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """One request as the adapter would send it; ``body`` is its text, empty without one."""

    operation: str
    method: str
    path: str
    query: Mapping[str, str]
    body: str


Describe = Callable[[Operation], Sending]
"""Gives the request of an operation. Raises RefusedError where the ledger's limits forbid it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What would be done for an order: requests in their sequence, or the reason why it would be parked.

    ``expected`` are the ledger's figures as the model computes them, None where the order is not mapped; ``remarks``
    say what a booking would do otherwise than shown, because it reads the ledger first.
    """

    key: OrderKey
    order: Order
    decision: str  # create | update | void | nothing | look | park
    sendings: tuple[Sending, ...] = ()
    mapped: Mapped | None = None
    reason: Reason | None = None
    customer: str = ""
    remarks: tuple[str, ...] = ()

    @property
    def rates(self) -> tuple[tuple[Decimal, RateFigures | None, RateFigures | None], ...]:
        """Give each tax rate with the ledger's figures as computed, and the shop's; None where there are none."""
        ours = {} if self.mapped is None else {row.rate: row for row in self.mapped.expected.tax_by_rate}
        theirs = {row.rate: row for row in self.order.totals.tax_by_rate}
        return tuple((rate, ours.get(rate), theirs.get(rate)) for rate in sorted({*ours, *theirs}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Grounds:
    """What a preview looks at: the stored settings and facts, the index of contacts, and the adapter's own words."""

    shop: ShopSettings
    connection: ConnectionSettings
    facts: LedgerFacts
    lanes: LaneStore
    contacts: ContactStore
    describe: Describe
    now: Callable[[], datetime]


async def preview(order: Order, record: OrderRecord, grounds: Grounds) -> Preview:
    """Say what a booking of this order would send now, as if it were due.

    Raises RefusedError where a request cannot be written within the ledger's limits.
    """
    if record.facts.cancelled:
        return _of_cancelled(order, record, grounds)
    items = {sku: Item(item_id=f"(id of item {sku})", name=sku, sku=sku) for sku in items_needed(order, grounds.shop)}
    mapped = _map(order, record, grounds, items)
    if isinstance(mapped, Reason):
        probe = (_MAY_PROBE,) if needs_other_rounding(mapped) else ()
        return Preview(key=record.key, order=order, decision="park", reason=mapped, remarks=probe)
    remarks = list(_before(record, items))
    ground = _situation(order, record, grounds, mapped)
    live = record.live_invoice
    if live is not None:
        return _of_existing(ground, live, grounds, tuple(remarks))
    return await _of_new(order, record, grounds, mapped, tuple(remarks))


def _before(record: OrderRecord, items: Mapping[str, Item]) -> Iterator[str]:
    if items:
        yield f"The ledger's ids of {len(items)} items are looked up by their SKUs first."
    if record.open_intent is not None:
        yield f"No answer is known to {record.open_intent.operation}: the ledger is asked what came of it first."


def _map(order: Order, record: OrderRecord, grounds: Grounds, items: Mapping[str, Item]) -> Mapped | Reason:
    return map_order(
        order,
        facts=grounds.facts,
        shop=grounds.shop,
        connection=grounds.connection,
        contact_id="",
        paid_moment=record.facts.paid_moment or record.event_time,
        document_n=record.next_invoice_n,
        items=items,
        reference=record.reference,
        now=grounds.now(),
        kept_day=None if record.live_invoice is None else record.live_invoice.issued_on,
    )


def _situation(order: Order, record: OrderRecord, grounds: Grounds, mapped: Mapped | None) -> Situation:
    """Give what a decision looks at before anything was read of the ledger."""
    return Situation(
        record=record,
        shop=grounds.shop,
        connection=grounds.connection,
        mapped=mapped,
        order=order,
        facts=grounds.facts,
        today=grounds.now().date(),
    )


def _of_cancelled(order: Order, record: OrderRecord, grounds: Grounds) -> Preview:
    live = record.live_invoice
    if live is None:
        said = ("The order was cancelled and has no live invoice.",)
        return Preview(key=record.key, order=order, decision="nothing", remarks=said)
    deletes = grounds.shop.cancelled_draft is CancelledDraft.DELETE
    taking: Operation = DeleteInvoice(invoice_id=live.ledger_id) if deletes else VoidInvoice(invoice_id=live.ledger_id)
    sent = {
        CancelledSent.CREDIT_NOTE: "is credited in full",
        CancelledSent.VOID: "is made void where nothing was paid, else credited in full",
        CancelledSent.PARK: "is left to a person",
    }[grounds.shop.cancelled_sent]
    remark = (
        f"The order was cancelled: invoice {live.number} is {'deleted' if deletes else 'made void'} where it is still "
        f"a draft; one that was sent {sent}."
    )
    return Preview(
        key=record.key,
        order=order,
        decision="delete" if deletes else "void",
        sendings=tuple(map(grounds.describe, (ReadInvoice(invoice_id=live.ledger_id), taking))),
        remarks=(remark,),
    )


def _of_existing(situation: Situation, live: Document, grounds: Grounds, remarks: tuple[str, ...]) -> Preview:
    record, order = situation.record, situation.order
    if order is None:
        raise ValueError(f"order {record.key} has no content to preview")
    wanted = wanted_draft(situation)
    if isinstance(wanted, Reason):
        return Preview(key=record.key, order=order, decision="park", reason=wanted, remarks=remarks)
    decision = decide_existing(situation, live)
    shown = _shown(order, record, wanted, remarks, customer=f"contact {live.contact_id}, as booked")
    if isinstance(decision, Rest):
        return _at_rest(shown, decision)
    # A booking reads the invoice first: it corrects a draft that nobody has edited, and keeps its lines in place.
    operations = (ReadInvoice(invoice_id=live.ledger_id), update_of(wanted, live))
    said = f"Invoice {live.number} is read first: only a draft that nobody has edited is changed, its lines kept by id."
    return replace(
        shown, decision="update", sendings=tuple(map(grounds.describe, operations)), remarks=(*remarks, said)
    )


async def _of_new(
    order: Order, record: OrderRecord, grounds: Grounds, mapped: Mapped, remarks: tuple[str, ...]
) -> Preview:
    connection_id = grounds.connection.connection_id
    choice = await look_up(order, grounds.shop, grounds.contacts, connection_id)
    if isinstance(choice, Reason):
        return replace(_shown(order, record, mapped, remarks), decision="park", reason=choice)
    if not (await grounds.contacts.index_state(connection_id)).complete:
        remarks = (*remarks, "The index of contacts is not complete yet: the customer may be among the rest.")
    customer, contact, first = _customer(choice)
    situation = replace(
        _situation(order, record, grounds, mapped),
        customer=Known(contact=contact),
        seen=tuple(await grounds.lanes.seen(connection_id, mapped.draft.reference)),
    )
    wanted = wanted_draft(situation)
    shown = _shown(order, record, wanted if isinstance(wanted, Mapped) else mapped, remarks, customer=customer)
    return _decided(shown, decide_new(situation), first, grounds)


def _decided(shown: Preview, decision: Decision, first: Operation | None, grounds: Grounds) -> Preview:
    if isinstance(decision, Rest):
        return _at_rest(shown, decision)
    if not isinstance(decision, Call):
        raise TypeError(f"{decision!r} is no decision for an order whose customer is known")
    before = () if first is None else (first,)
    sendings = tuple(grounds.describe(operation) for operation in (*before, decision.operation))
    if decision.operation.is_write:
        return replace(shown, decision="create", sendings=sendings)
    said = "A document of this reference is in the ledger already: it is read first, and taken over where it is ours."
    return replace(shown, decision="look", sendings=sendings, remarks=(*shown.remarks, said))


def _customer(choice: Choice) -> tuple[str, Contact, Operation | None]:
    """Give the customer in words, the contact to book under, and the call that comes before the invoice."""
    match choice:
        case Known(contact=contact):
            return f"contact {contact.contact_id}, {contact.name}", contact, None
        case NeedsRead(contact_id=contact_id):
            words = f"contact {contact_id}, which is read first and brought up to date where its data differ"
            return words, Contact(contact_id=contact_id, name=""), ReadContact(contact_id=contact_id)
        case NeedsUpdate(contact=contact, data=data):
            words = f"contact {contact.contact_id}, {contact.name}, whose data are brought up to date first"
            operation = UpdateContact(contact_id=contact.contact_id, data=data, persons=contact.persons)
            return words, contact, operation
        case NeedsCreate(data=data):
            contact = Contact(contact_id=NEW_CONTACT, name=data.name)
            return f"a new contact, {data.name}, which is made first", contact, CreateContact(data=data)
    raise TypeError(f"{choice!r} is no contact")


def _shown(
    order: Order, record: OrderRecord, mapped: Mapped, remarks: tuple[str, ...], *, customer: str = ""
) -> Preview:
    return Preview(key=record.key, order=order, decision="nothing", mapped=mapped, customer=customer, remarks=remarks)


def _at_rest(shown: Preview, rest: Rest) -> Preview:
    if rest.conclusion.state is OrderState.PARKED:
        return replace(shown, decision="park", reason=rest.conclusion.reason)
    return replace(shown, remarks=(*shown.remarks, "It is booked: the invoice in the ledger says what the order says."))
