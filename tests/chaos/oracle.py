"""The judge of a world after a crash or a fault: compares what was seen from outside. It shares no code with Booked.

It looks at the producer's own log, the records that the broker holds, the topic that the shop reads, the ledger's own
books and record of requests, and the rows of the database as raw SQL gave them. Each finding names its invariant.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from tests.chaos.story import Place, ProducerLog, Wanted

INVARIANTS: Final = ("I1", "I2", "I3", "I4", "I5", "I7", "I11")
UNFINISHED: Final = frozenset({"due", "uncertain"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One violation: of which invariant, by what, and what was seen."""

    invariant: str
    what: str

    def __str__(self) -> str:
        return f"{self.invariant}: {self.what}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One message to the shop, as it lies in the topic; in the order of its partition."""

    event_id: str
    subject: str
    data: Mapping[str, Any]

    @property
    def order_id(self) -> str:
        """Name the order."""
        return str(self.data["order_id"])

    @property
    def sequence(self) -> int:
        """Give the number that grows with every message of the order."""
        return int(self.data["sequence"])


@dataclass(frozen=True, slots=True, kw_only=True)
class CallLimits:
    """What the ledger allows one organisation."""

    calls: int
    window_seconds: float
    at_once: int = 5
    per_day: int = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """What the database holds, read as it is. ``orders`` is the state of each order by its id.

    ``stopped_causes`` says why connections need a person; nothing is judged by it.
    """

    events: Sequence[Place]
    rejected: Sequence[Place]
    orders: Mapping[str, str]
    messages_waiting: int = 0
    stopped_causes: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """All that is judged. ``requests`` is the stand-in's own record; ``held`` what the broker has in the input topics.

    ``creates_max`` is how often an invoice may have been made for one order, whatever became of it: once, as long as
    nobody voids or deletes it by hand.
    """

    log: ProducerLog
    held: Sequence[Place]
    told: Sequence[Told]
    books: Mapping[str, Any]
    requests: Sequence[Mapping[str, Any]]
    limits: CallLimits
    rows: Rows
    creates_max: int = 1
    live: Mapping[str, Sequence[Mapping[str, Any]]] = field(init=False)
    newest: Mapping[str, Told] = field(init=False)

    def __post_init__(self) -> None:
        live: dict[str, list[Mapping[str, Any]]] = {}
        for invoice in self.books["invoices"]:
            if invoice["status"] != "void":
                live.setdefault(invoice["reference_number"], []).append(invoice)
        newest: dict[str, Told] = {}
        for one in self.told:
            if one.order_id not in newest or newest[one.order_id].sequence < one.sequence:
                newest[one.order_id] = one
        # The dataclass is frozen; these two are read from its other fields, once.
        object.__setattr__(self, "live", live)
        object.__setattr__(self, "newest", newest)


def judge(evidence: Evidence) -> list[Finding]:
    """Check I1, I2, I3, I4, I5, I7 and I11, and give every violation."""
    checks = (_nothing_lost, _nothing_twice, _newest_wins, _told_right, _within_limits, _all_accounted, _cents)
    return [finding for check in checks for finding in check(evidence)]


def _nothing_lost(evidence: Evidence) -> Iterator[Finding]:
    """I1: an accepted order ends with an invoice that the shop was told of, superseded, or visibly parked."""
    for order_id, wanted in evidence.log.wanted().items():
        state = evidence.rows.orders.get(order_id)
        if state is None:
            yield Finding(invariant="I1", what=f"{order_id} was accepted by the broker and is not known")
        elif state in UNFINISHED:
            yield Finding(invariant="I1", what=f"{order_id} is still {state} after all was quiet")
        elif state == "parked" and not _visibly_parked(evidence, order_id):
            yield Finding(invariant="I1", what=f"{order_id} is parked, and the shop was told no reason")
        elif state != "parked" and not wanted.cancelled and order_id not in evidence.live:
            yield Finding(invariant="I1", what=f"{order_id} is {state} and the books hold no live invoice of it")


def _visibly_parked(evidence: Evidence, order_id: str) -> bool:
    told = evidence.newest.get(order_id)
    return told is not None and told.data["state"] == "parked" and bool((told.data.get("reason") or {}).get("code"))


def _nothing_twice(evidence: Evidence) -> Iterator[Finding]:
    """I2: one live invoice per order at most, and none that was made and undone again; one contact per customer."""
    addresses = Counter(contact["email"] for contact in evidence.books["contacts"] if contact["email"])
    for email, count in addresses.items():
        if count > 1:
            yield Finding(invariant="I2", what=f"{email} has {count} contacts")
    for reference, invoices in evidence.live.items():
        if len(invoices) > 1:
            numbers = [invoice["invoice_number"] for invoice in invoices]
            yield Finding(invariant="I2", what=f"{reference} has {len(invoices)} live invoices: {numbers}")
    for reference, count in Counter(_created(evidence.requests)).items():
        if count > evidence.creates_max:
            yield Finding(invariant="I2", what=f"{count} invoices were made for {reference}")


def _created(requests: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for row in requests:
        if row["committed"] and row["method"] == "POST" and row["template"].rstrip("/").endswith("/invoices"):
            yield _reference(row["body"])


def _reference(body: str) -> str:
    try:
        return str(json.loads(body)["reference_number"])
    except (ValueError, KeyError, TypeError):
        return f"a body without a reference: {body[:80]}"


def _newest_wins(evidence: Evidence) -> Iterator[Finding]:
    """I3: the invoice is the newest version's; what was cancelled has none."""
    wanted = evidence.log.wanted()
    for reference, invoices in evidence.live.items():
        if reference not in wanted:
            yield Finding(invariant="I3", what=f"{reference} is nobody's order and has an invoice")
        elif wanted[reference].cancelled and evidence.rows.orders.get(reference) != "parked":
            yield Finding(invariant="I3", what=f"{reference} was cancelled and has {len(invoices)} live invoice(s)")
        elif not wanted[reference].cancelled:
            yield from _of_version(evidence, wanted[reference], invoices)


def _of_version(evidence: Evidence, wanted: Wanted, invoices: Sequence[Mapping[str, Any]]) -> Iterator[Finding]:
    older = evidence.log.totals().get(wanted.order_id, set()) - {wanted.total}
    for invoice in invoices:
        total = Decimal(str(invoice["total"]))
        if total in older and evidence.rows.orders.get(wanted.order_id) != "parked":
            what = f"{wanted.order_id} stands at {total}, an older version's total; the newest is {wanted.total}"
            yield Finding(invariant="I3", what=what)


def _told_right(evidence: Evidence) -> Iterator[Finding]:
    """I4: every booked order is told, in order, each state under one event id, and nothing that never was."""
    yield from _in_order(evidence.told)
    for order_id, state in evidence.rows.orders.items():
        if state == "booked":
            yield from _told_as_booked(evidence, order_id)
    known = _ids_ever(evidence)
    totals = evidence.log.totals()
    for one in evidence.told:
        invoice = one.data.get("invoice")
        if invoice is None:
            continue
        if invoice["id"] not in known:
            yield Finding(invariant="I4", what=f"{one.subject} {one.sequence} tells of an invoice that never was")
        if one.data["state"] == "booked" and Decimal(invoice["total"]) not in totals.get(one.order_id, set()):
            yield Finding(invariant="I4", what=f"{one.subject} {one.sequence} tells a total that no version had")


def _in_order(told: Sequence[Told]) -> Iterator[Finding]:
    ids: dict[tuple[str, int], str] = {}
    newest: dict[str, int] = {}
    for one in told:
        if ids.setdefault((one.subject, one.sequence), one.event_id) != one.event_id:
            yield Finding(invariant="I4", what=f"{one.subject} {one.sequence} was sent under two event ids")
        if one.sequence < newest.get(one.subject, 0):
            yield Finding(invariant="I4", what=f"{one.subject}: {one.sequence} came after {newest[one.subject]}")
        newest[one.subject] = max(newest.get(one.subject, 0), one.sequence)


def _told_as_booked(evidence: Evidence, order_id: str) -> Iterator[Finding]:
    told = evidence.newest.get(order_id)
    if told is None or told.data["state"] != "booked":
        yield Finding(invariant="I4", what=f"{order_id} is booked and the shop was not told so")
        return
    numbers = {invoice["invoice_number"] for invoice in evidence.live.get(order_id, ())}
    if told.data["invoice"]["number"] not in numbers:
        what = f"{order_id}: the shop was told {told.data['invoice']['number']}, the books have {sorted(numbers)}"
        yield Finding(invariant="I4", what=what)


def _ids_ever(evidence: Evidence) -> set[str]:
    """Give the ids of all invoices that ever were: those in the books, and those whose deletion was recorded."""
    there = {str(invoice["invoice_id"]) for invoice in evidence.books["invoices"]}
    gone = {
        str(row["path"]).rstrip("/").rsplit("/", 1)[-1]
        for row in evidence.requests
        if row["committed"] and row["method"] == "DELETE"
    }
    return there | gone


def _within_limits(evidence: Evidence) -> Iterator[Finding]:
    """I5: the rolling window, the calls at once and the day, by the ledger's clock."""
    rows = [row for row in evidence.requests if row["counted"]]
    limits, times = evidence.limits, sorted(float(row["time"]) for row in rows)
    begin = 0
    for number, moment in enumerate(times):
        while times[begin] <= moment - limits.window_seconds:
            begin += 1
        if number - begin + 1 > limits.calls:
            what = f"{number - begin + 1} calls within {limits.window_seconds:g} s; {limits.calls} are allowed"
            yield Finding(invariant="I5", what=what)
            break
    most = _most_at_once(rows)
    if most > limits.at_once:
        yield Finding(invariant="I5", what=f"{most} calls at once; {limits.at_once} are allowed")
    if len(times) > limits.per_day:
        yield Finding(invariant="I5", what=f"{len(times)} calls in a day of {limits.per_day}")


def _most_at_once(rows: Sequence[Mapping[str, Any]]) -> int:
    steps = []
    for row in rows:
        begun = float(row["time"])
        steps += [(begun, 1), (begun + float(row["duration_seconds"] or 0), -1)]
    most = inside = 0
    # At the same moment the end comes first: one that follows another is not beside it.
    for _, step in sorted(steps):
        inside += step
        most = max(most, inside)
    return most


def _all_accounted(evidence: Evidence) -> Iterator[Finding]:
    """I7: every record that the broker holds is recorded or rejected, once, and every order stands somewhere."""
    received = Counter(evidence.rows.events) + Counter(evidence.rows.rejected)
    held = Counter(evidence.held)
    for place, count in (held - received).items():
        yield Finding(invariant="I7", what=f"{place} was accepted and {count} of it is neither recorded nor rejected")
    for place, count in (received - held).items():
        yield Finding(invariant="I7", what=f"{place} is recorded {count} times too often")
    sent = {place for _, place in evidence.log.sent}
    for place in sent - set(held):
        yield Finding(invariant="I7", what=f"{place} was acknowledged and the broker does not hold it")
    strange = evidence.rows.orders.keys() - {saying.order_id for saying, _ in evidence.log.sent}
    if strange:
        yield Finding(invariant="I7", what=f"orders that nobody sent: {sorted(strange)}")
    if evidence.rows.messages_waiting:
        what = f"{evidence.rows.messages_waiting} messages wait in the outbox after all was quiet"
        yield Finding(invariant="I7", what=what)


def _cents(evidence: Evidence) -> Iterator[Finding]:
    """I11: total and tax of every invoice are the order's own, to the cent."""
    totals = evidence.log.totals()
    for order_id, wanted in evidence.log.wanted().items():
        if wanted.cancelled or evidence.rows.orders.get(order_id) == "parked":
            continue
        for invoice in evidence.live.get(order_id, ()):
            total, tax = Decimal(str(invoice["total"])), Decimal(str(invoice["tax_total"]))
            if total not in totals.get(order_id, set()):
                yield Finding(invariant="I11", what=f"{order_id} stands at {total}; no version comes to that")
            elif total == wanted.total and tax != wanted.tax_total:
                yield Finding(invariant="I11", what=f"{order_id} has {tax} of tax; it is {wanted.tax_total}")
