"""What must hold after a schedule: read from the ledgers' own logs, the topics' records and the output topics.

The letters are those of the invariants: I1 nothing lost, I2 one live invoice at most, I3 the newest revision, I4 the
messages to the shop, I5 the ledger's limits, I7 nothing missing from the count, I11 to the cent.
"""

import json
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from consumer.domain.credits import CreditNote, CreditNoteStatus
from consumer.domain.ledger import Contact, Invoice, InvoiceStatus
from consumer.domain.orders import OrderKey
from consumer.domain.states import OrderState, ReasonCode
from consumer.services.contacts import NAMES_MAX
from tests.interleaving.histories import History, Standing
from tests.simulation.ledger import Effect, LedgerServer
from tests.simulation.scenario import (
    LEDGER_CALLS_AT_ONCE,
    ORGANIZATIONS,
    REJECTED,
    SHOPS,
    SYNCED,
    WINDOW_SECONDS,
    Feature,
    Told,
)

if TYPE_CHECKING:
    from tests.simulation.world import World

_ZERO = Decimal(0)
_ROUNDED_SECONDS = 2e-6  # the database tells moments in microseconds
_TOLD = frozenset({OrderState.BOOKED, OrderState.PARKED, OrderState.WITHDRAWN})
Net = tuple[Decimal, tuple[tuple[str, Decimal], ...]]  # the total, and the VAT of each rate


@dataclass(slots=True)
class Books:
    """A ledger's documents, built up again from its log alone."""

    invoices: dict[str, Invoice] = field(default_factory=dict)
    notes: dict[str, CreditNote] = field(default_factory=dict)
    contacts: dict[str, Contact] = field(default_factory=dict)

    def take(self, effect: Effect) -> str | None:
        """Let one effect happen; gives the reference of an invoice that it concerns."""
        result, operation = effect.result, effect.operation
        if isinstance(result, Contact):
            self.contacts[result.contact_id] = result
        if isinstance(result, CreditNote):
            self.notes[result.credit_note_id] = result
        if effect.name in {"delete_invoice", "removed by hand"}:
            invoice_id = result.invoice_id if operation is None else operation.invoice_id  # type: ignore[attr-defined]
            return self.invoices.pop(invoice_id).reference
        if effect.name == "void_invoice":
            invoice = self.invoices[operation.invoice_id]  # type: ignore[union-attr] # of a void
            self.invoices[invoice.invoice_id] = replace(invoice, status=InvoiceStatus.VOID)
            return invoice.reference
        if isinstance(result, Invoice):
            self.invoices[result.invoice_id] = result
            return result.reference
        return None

    def live(self, reference: str) -> list[Invoice]:
        """Give the invoices of an order that are not void."""
        found = (one for one in self.invoices.values() if one.reference == reference)
        return [one for one in found if one.status is not InvoiceStatus.VOID]

    def credits(self, reference: str) -> list[CreditNote]:
        """Give the credit notes of an order."""
        found = (one for one in self.notes.values() if one.reference.startswith(f"{reference}~"))
        return [one for one in found if one.status is not CreditNoteStatus.VOID]

    def count(self, reference: str) -> int:
        """Count the live invoices that are not credited in full: one is before the next is made."""
        credited, live = sum((note.total for note in self.credits(reference)), _ZERO), 0
        for invoice in self.live(reference):
            covered = 0 < invoice.total <= credited
            credited -= invoice.total if covered else _ZERO
            live += not covered
        return live

    def net(self, reference: str) -> Net:
        """Add up what an order's documents come to."""
        taxes: dict[str, Decimal] = defaultdict(Decimal)
        signed: list[tuple[int, Any]] = [(1, one) for one in self.live(reference)]
        signed += [(-1, one) for one in self.credits(reference)]
        for sign, document in signed:
            for share in document.tax_by_rate or ():
                taxes[f"{share.rate:f}"] += sign * share.tax
        total = sum((sign * document.total for sign, document in signed), _ZERO)
        return total, tuple(sorted((rate, tax) for rate, tax in taxes.items() if tax))


def judge(world: "World") -> list[str]:
    """Give what does not hold."""
    books: dict[str, Books] = {}
    problems: list[str] = []
    for organization, server in world.servers.items():
        books[organization] = Books()
        problems += _replayed(world, server, books[organization])
        problems += _limits(organization, server, world.scenario.calls_per_window)
    problems += _count(world)
    problems += _orders(world, books)
    problems += _messages(world, books)
    return problems


# ---- I2 and I5, from the ledger's log


def _replayed(world: "World", server: LedgerServer, books: Books) -> Iterator[str]:
    for contact in server.book.contacts.values():
        books.contacts[contact.contact_id] = contact
    for effect in server.effects:
        reference = books.take(effect)
        if reference is None or reference in world.hands.touched:
            continue
        live = books.count(reference)
        if live > 1:
            yield f"I2: {reference} has {live} live invoices at {effect.at:.3f} s, after {effect.name}"


def _limits(organization: str, server: LedgerServer, most: int) -> Iterator[str]:
    times = [arrival.at for arrival in server.arrivals if arrival.counted and not arrival.late]
    for number, at in enumerate(times):
        # A call may arrive one window after another to the dot, and the slots go by a clock that tells microseconds.
        within = number + 1 - bisect_right(times, at - WINDOW_SECONDS + _ROUNDED_SECONDS)
        if within > most:
            yield f"I5: {within} calls arrived at {organization} within {WINDOW_SECONDS} s of {at:.3f} s"
            return
    if server.most_at_once > LEDGER_CALLS_AT_ONCE:
        yield f"I5: {server.most_at_once} calls at once at {organization}"


# ---- I1 and I7, from the topics


def _count(world: "World") -> Iterator[str]:
    """Each record of the topics is one event, or one rejected message, and no other is there."""
    told = Counter(
        (record.place.topic, record.place.partition, record.offset)
        for topic in world.topics
        if not world.broker.missing({topic})
        for record in world.broker.records(topic)
        if record.value is not None
    )
    origins = [row["origin"] for row in world.database.events]
    # A rejected message that a person had tried again is an event as well by then.
    origins += [row["rejected"].origin for row in world.database.rejected if row["rejected"].origin not in origins]
    taken = Counter((one.topic, one.partition, one.offset) for one in origins if one.topic in world.topics)
    if told != taken:
        yield f"I7: not taken once each: lost {list(told - taken)[:3]}, more than told {list(taken - told)[:3]}"
    for row in world.database.events:
        if row["key"] not in world.database.orders:
            yield f"I1: {row['key']} was told and is not known"


# ---- I1, I3 and I11, order by order


def _orders(world: "World", books: Mapping[str, Books]) -> Iterator[str]:
    for key, row in world.database.orders.items():
        if row.state in {OrderState.DUE, OrderState.UNCERTAIN} and not _since_farewell(world, row):
            yield f"I1: {key} is left {row.state.value}"
        if row.state in {OrderState.WAITING, OrderState.PARKED, OrderState.WITHDRAWN} and row.reason is None:
            yield f"I1: {key} is {row.state.value} for no reason"
    for name, connection in world.database.connections.items():
        if connection.stopped is not None:
            yield f"I9: connection {name} was stopped: {connection.stopped_message}"
    for order in world.scenario.orders:
        if order.history is not None and _is_judged(world, order) and not _names_used_up(world, order, order.history):
            problem = _standing(world, books[ORGANIZATIONS[SHOPS[order.shop_id]]], order, order.history)
            if problem is not None:
                yield f"I3/I11: {problem}"


def _since_farewell(world: "World", row: Any) -> bool:
    """Tell whether it became due after all had come to rest, while the processes were leaving: it is the next one's."""
    if world.left_at is None or row.state is not OrderState.DUE:
        return False
    return row.due_at is not None and row.due_at >= world.left_at


def _names_used_up(world: "World", order: Told, history: History) -> bool:
    """Tell whether people made the customer's contact inactive under every name that it may have: then they are asked.

    The customers of the scenario are called as their addresses begin.
    """
    row = world.database.orders.get(OrderKey(order.shop_id, order.order_id))
    if row is None or row.reason is None or row.reason.code is not ReasonCode.CUSTOMER_AMBIGUOUS:
        return False
    name = "" if history.wanted is None else history.wanted.email.partition("@")[0]
    contacts = world.servers[ORGANIZATIONS[SHOPS[order.shop_id]]].book.contacts.values()
    taken = [one for one in contacts if not one.active and one.name.casefold().startswith(f"{name} ")]
    return bool(name) and len(taken) > NAMES_MAX


def _is_judged(world: "World", order: Told) -> bool:
    """Leave out what a person has decided, and what was told to nobody."""
    asked = {order_id for _, order_id, _ in world.asked}
    # What waited for its payment and was released all the same is booked all the same.
    asked |= {
        audit["key"].order_id
        for audit in world.database.audit
        if audit["action"] == "release" and audit["details"].get("from") == OrderState.WAITING.value
    }
    unpublished = {one.order_id for one in world.plan.unpublished}
    mended = Feature.NO_ORDER in world.scenario.features and order is world.scenario.mended
    wanted = None if order.history is None else order.history.wanted
    merged = wanted is not None and wanted.email in world.hands.merged
    by_people = order.order_id in asked | unpublished | world.hands.touched or mended or merged
    told_wrong = Feature.CLOSED in world.scenario.features or world.plan.luck.wrong_rates
    return not by_people and not told_wrong


def _standing(world: "World", books: Books, order: Told, history: History) -> str | None:
    reference = order.order_id
    row = world.database.orders.get(OrderKey(order.shop_id, reference))
    place = "unknown" if row is None else f"{row.state.value}, {row.reason.code.value if row.reason else '-'}"
    wanted = history.wanted
    if reference in world.hands.sent:
        net: Net = (_ZERO, ()) if wanted is None else (wanted.total, wanted.tax_by_rate)
        found = books.net(reference)
        return None if found == net else f"{reference} ({place}) comes to {found}, wanted {net}"
    stands = [_as_standing(books, invoice) for invoice in books.live(reference)]
    if stands != ([] if wanted is None else [wanted]) or books.credits(reference):
        return f"{reference} ({place}) stands {stands}, wanted {wanted}"
    return None


def _as_standing(books: Books, invoice: Invoice) -> Standing:
    words = invoice.words
    return Standing(
        total=invoice.total,
        tax_by_rate=tuple(sorted((f"{share.rate:f}", share.tax) for share in invoice.tax_by_rate or () if share.tax)),
        lines=tuple(
            sorted(
                # What was given back stands as lines below nought; the totals tell whether it is right.
                (one.name, int(one.quantity), one.rate, f"{one.tax_rate:f}")
                for one in invoice.lines or ()
                if one.rate > 0
            )
        ),
        email=books.contacts[invoice.contact_id].email,
        note="" if words is None else words.notes or "",
        issued_on=invoice.issued_on or date.min,
    )


# ---- I4, from the output topics


def _messages(world: "World", books: Mapping[str, Books]) -> Iterator[str]:
    entries = world.database.outbox.values()
    meant = Counter(entry.payload for entry in entries if entry.state == "sent")
    told = Counter(record.value for topic in (SYNCED, REJECTED) for record in world.broker.records(topic))
    # What is set aside by now may have reached the topic before, and only its acknowledgement was lost.
    rolled_back = set(told) - {entry.payload for entry in entries}
    if rolled_back:
        yield f"I4: told of what was rolled back: {list(rolled_back)[:1]}"
    if set(meant) - set(told):
        yield f"I4: never told: {list(set(meant) - set(told))[:1]}"
    newest: dict[bytes, tuple[int, Mapping[str, Any]]] = {}
    ids: dict[tuple[bytes, int], str] = {}
    for record in world.broker.records(SYNCED):
        event = json.loads(record.value or b"")
        key, sequence = record.key or b"", int(event["data"]["sequence"])
        if ids.setdefault((key, sequence), event["id"]) != event["id"]:
            yield f"I4: {key!r} was told its sequence {sequence} under two ids"
        before = newest.get(key)
        if before is not None and sequence > before[0] + 1:
            yield f"I4: {key!r} was told {sequence} after {before[0]}"
        if before is None or sequence > before[0]:
            newest[key] = (sequence, event["data"])
    # What was noted while the last processes were leaving, after their relays, lies in the outbox for the next ones.
    for entry in entries:
        if entry.state == "waiting" and world.plan.farewell and entry.topic_kind == SYNCED:
            newest[entry.record_key.encode()] = (entry.sequence or 0, json.loads(entry.payload)["data"])
    yield from _last_words(world, books, newest)


def _last_words(
    world: "World", books: Mapping[str, Books], newest: Mapping[bytes, tuple[int, Mapping[str, Any]]]
) -> Iterator[str]:
    """The newest message of an order says where it stands, and names its invoice."""
    for key, row in world.database.orders.items():
        sequence, data = newest.get(str(key).encode(), (0, {}))
        if row.sequence != sequence:
            yield f"I4: {key} is at {row.sequence}, its newest message at {sequence}"
        elif row.state in _TOLD and sequence and data["state"] != row.state.value:
            yield f"I4: {key} is {row.state.value}, and its newest message says {data['state']}"
        if row.state is not OrderState.BOOKED or key.order_id in world.hands.touched:
            continue
        live = books[ORGANIZATIONS[SHOPS[key.shop_id]]].live(key.order_id)
        named = (data.get("invoice") or {}).get("id")
        if not sequence or named not in {one.invoice_id for one in live}:
            yield f"I4: {key} is booked, and its newest message names {named}"
