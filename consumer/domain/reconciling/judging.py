"""One order against the ledger's documents: what has to be read first, what is found, what goes into the months."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from consumer.domain.money import ZERO
from consumer.domain.orders import Order
from consumer.domain.reconciling import wording
from consumer.domain.reconciling.books import Listed, stands
from consumer.domain.reconciling.expecting import (
    Expectations,
    day_at,
    expectations,
    is_sold,
    papers_of,
    sale_day,
)
from consumer.domain.reconciling.findings import About, Entry, Finding, FindingKind, Judged, Paper, Period, Source
from consumer.domain.reconciling.rates import Rates, negated, recorded_rates, tax_of, total_of, untold
from consumer.domain.reconciling.shop_figures import ShopGrounds
from consumer.domain.records import Document, DocumentKind, OrderRecord
from consumer.domain.references import unique_key_of
from consumer.domain.settings import RefundOnDraft
from consumer.domain.states import OrderState

_IN_WORK = frozenset({OrderState.DUE, OrderState.UNCERTAIN, OrderState.PARKED, OrderState.WAITING})
_DRAFT = "draft"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One order with all that is compared. ``listed`` are the ledger's documents of its ids or under its reference.

    ``noticed`` holds, by the ledger's id, the newest change by somebody else that the watch has taken over;
    ``strict``: such a change is no proof, the document is read.
    """

    record: OrderRecord
    order: Order | None
    grounds: ShopGrounds
    listed: tuple[Listed, ...]
    period: Period
    time_zone: str
    noticed: Mapping[str, datetime] = field(default_factory=dict)
    strict: bool = False

    @property
    def recorded(self) -> Mapping[str, Document]:
        """Give the order's invoices and credit notes by the ledger's id."""
        return {one.ledger_id: one for one in papers_of(self.record)}

    @property
    def strangers(self) -> tuple[Listed, ...]:
        """Give what stands under the order's reference, or its unique field, and is not recorded."""
        return tuple(
            one for one in self.listed if one.stands and one.ledger_id not in self.recorded and _belongs(one, self)
        )


def _belongs(one: Listed, case: Case) -> bool:
    """A document with a unique field says itself whose it is: several shops may share a reference."""
    if not one.unique_key:
        return True
    prefix = unique_key_of(case.record.key, kind=one.kind.value)
    return one.unique_key.startswith(prefix.removesuffix("/1"))


def _proven(one: Listed, document: Document, case: Case) -> bool:
    """Tell whether the list proves the recorded figures: same total, changed last when we know, and by us."""
    noticed = case.noticed.get(document.ledger_id)
    by_others = case.strict and noticed is not None and noticed == one.modified_at
    same = one.total == document.total and one.modified_at == document.ledger_modified_at
    return same and one.modified_at is not None and not by_others and recorded_rates(document) is not None


# ---- what has to be read ---------------------------------------------------------------------------------------------


def to_read(case: Case) -> Iterator[Document | Listed]:
    """Give the documents that only a read by id tells of: not listed though they should be, or not proven."""
    by_id = {one.ledger_id: one for one in case.listed}
    for document in case.recorded.values():
        one = by_id.get(document.ledger_id)
        if one is None:
            # A list that shifts while it is read may have passed over it: only a read tells that it is gone.
            if stands(document) and case.period.has(document.issued_on):
                yield document
        elif one.stands and one.rates is None and not _proven(one, document, case):
            yield one
    yield from (one for one in case.strangers if one.rates is None)


# ---- judging ---------------------------------------------------------------------------------------------------------


def judge(case: Case) -> Judged:
    """Compare one order. What ``to_read`` names must have been read."""
    must = expectations(case.record, case.order, case.grounds)
    entries: list[Entry] = []
    findings: list[Finding] = []
    listed = {one.ledger_id: one for one in case.listed}
    for document in case.recorded.values():
        one = listed.get(document.ledger_id)
        if one is not None:
            expected = must.documents.get(document.ledger_id, ()) if stands(document) else ()
            entries.append(_entry(case, document, one, expected))
            findings += _of_document(case, document, one, expected)
    more, found, adopt = judge_strangers(case, must)
    # What is only not recorded is no missing invoice; the shop's side of it is counted all the same.
    is_there = any(one.kind is DocumentKind.INVOICE for one in adopt)
    lacking = _without_document(case, must)
    entries += [*more, *(entry for entry, _ in lacking)]
    findings += [*found, *(one for _, one in lacking if not (is_there and one.about is About.INVOICE))]
    mine = tuple(one for one in case.listed if one.ledger_id in case.recorded) + case.strangers
    return Judged(
        entries=tuple(entries),
        findings=tuple(findings),
        mine=mine,
        adopt=adopt,
        left_out=_left_out(case),
    )


def _signed(kind: DocumentKind, rates: Rates) -> Rates:
    return negated(rates) if kind is DocumentKind.CREDIT_NOTE else rates


def _ledger_rates(case: Case, document: Document, one: Listed) -> tuple[Rates, Source]:
    if not one.stands:
        return (), Source.READ
    if one.rates is not None:
        return one.rates, Source.READ
    proven = recorded_rates(document) if _proven(one, document, case) else None
    return (untold(one.total), Source.NONE) if proven is None else (proven, Source.PROVEN)


def _entry(case: Case, document: Document, one: Listed, expected: Rates) -> Entry:
    found, source = _ledger_rates(case, document, one)
    return Entry(
        shop_id=case.record.key.shop_id,
        currency=document.currency,
        shop_day=document.issued_on,
        shop=_signed(document.kind, expected),
        ledger_day=one.issued_on or document.issued_on,
        ledger=_signed(document.kind, found),
        source=source,
    )


def _of_document(case: Case, document: Document, one: Listed, expected: Rates) -> Iterator[Finding]:
    found, _ = _ledger_rates(case, document, one)
    if not stands(document):
        if one.stands:
            yield _finding(case, document, one, (About.STATUS, (), found), wording.revived(case.record, document, one))
        return
    if not one.stands:
        what = wording.removed(case.record, document, one)
        kind = FindingKind.MISSING if one.gone else FindingKind.DIFFERENT
        about = About(document.kind.value) if one.gone else About.STATUS
        yield _finding(case, document, one, (about, expected, ()), what, kind=kind)
        return
    yield from _differences(case, document, one, expected, found)


def _differences(case: Case, document: Document, one: Listed, expected: Rates, found: Rates) -> Iterator[Finding]:
    record = case.record
    if one.total != total_of(expected):
        told = wording.total_differs(record, one, total_of(expected))
        yield _finding(case, document, one, (About.TOTAL, expected, found), told)
    elif tax_of(expected) != tax_of(found) and None not in {row.rate for row in (*expected, *found)}:
        told = wording.vat_differs(record, one, tax_of(expected), tax_of(found))
        yield _finding(case, document, one, (About.VAT, expected, found), told, weight=_tax_off(expected, found))
    if document.contact_id and one.contact_id and document.contact_id != one.contact_id:
        told = wording.customer_differs(record, document, one)
        yield _finding(case, document, one, (About.CUSTOMER, expected, found), told, weight=ZERO)
    if document.issued_on is not None and one.issued_on is not None and document.issued_on != one.issued_on:
        told = wording.date_differs(record, document, one)
        yield _finding(case, document, one, (About.DATE, expected, found), told, weight=ZERO)
    if one.status == _DRAFT and document.status != _DRAFT:
        told = wording.draft_again(record, document, one)
        yield _finding(case, document, one, (About.STATUS, expected, found), told, weight=ZERO)


def _tax_off(expected: Rates, found: Rates) -> Decimal:
    ours, theirs = tax_of(expected), tax_of(found)
    return sum((abs(theirs.get(rate, ZERO) - ours.get(rate, ZERO)) for rate in {*ours, *theirs}), ZERO)


def _finding(
    case: Case,
    document: Document,
    one: Listed,
    figures: tuple[About, Rates, Rates],
    told: wording.Told,
    *,
    kind: FindingKind = FindingKind.DIFFERENT,
    weight: Decimal | None = None,
) -> Finding:
    about, expected, found = figures
    return Finding(
        kind=kind,
        about=about,
        key=case.record.key,
        order_number=case.record.number,
        currency=document.currency,
        expected=total_of(_signed(document.kind, expected)),
        found=total_of(_signed(document.kind, found)),
        papers=(Paper.of(one),),
        words=told.words,
        fix=told.fix,
        explained=case.record.state in _IN_WORK,
        day=one.issued_on or document.issued_on,
        weight=weight,
    )


# ---- what has no document --------------------------------------------------------------------------------------------


def _without_document(case: Case, must: Expectations) -> list[tuple[Entry, Finding]]:
    """Give what the shop sold or gave back in the period and the ledger has nothing of, as far as is recorded."""
    rows: list[tuple[Entry, Finding]] = []
    day = sale_day(case.record, case.order, case.grounds, case.time_zone)
    if must.unmade is not None and case.period.has(day):
        told = wording.not_booked(case.record)
        rows.append(_lack(case, About.INVOICE, must.unmade, told, day=day, explained=_says_why(case)))
    refunds = () if case.order is None else case.order.refunds
    later = case.grounds.shop.refund_on_draft is RefundOnDraft.CREDIT_NOTE_LATER
    for refund in refunds:
        rates = must.refunds.get(refund.id)
        day = day_at(refund.created_at, case.time_zone) or day
        if rates is not None and case.period.has(day):
            told = wording.not_credited(case.record, refund.id)
            explained = case.record.state in _IN_WORK or later
            rows.append(_lack(case, About.CREDIT_NOTE, negated(rates), told, day=day, explained=explained))
    return rows


def _says_why(case: Case) -> bool:
    return case.record.state in _IN_WORK or case.record.reason is not None


def _lack(
    case: Case, about: About, rates: Rates, told: wording.Told, *, day: date | None, explained: bool
) -> tuple[Entry, Finding]:
    currency = case.record.currency
    entry = Entry(shop_id=case.record.key.shop_id, currency=currency, shop_day=day, shop=rates)
    finding = Finding(
        kind=FindingKind.MISSING,
        about=about,
        key=case.record.key,
        order_number=case.record.number,
        currency=currency,
        expected=total_of(rates),
        found=ZERO,
        papers=(),
        words=told.words,
        fix=told.fix,
        explained=explained,
        day=day,
    )
    return entry, finding


def _left_out(case: Case) -> Decimal:
    """Give the total of a paid order of the period that is not to be booked by somebody's choice."""
    record = case.record
    chosen = record.facts.paid and not record.facts.cancelled and not is_sold(record, case.order)
    day = sale_day(record, case.order, case.grounds, case.time_zone)
    if not chosen or record.live_invoice is not None or not case.period.has(day):
        return ZERO
    return record.grand_total or ZERO


# ---- what is not recorded --------------------------------------------------------------------------------------------


def judge_strangers(case: Case, must: Expectations) -> tuple[list[Entry], list[Finding], tuple[Listed, ...]]:
    """Judge the documents under the order's reference that are not recorded: to be adopted, or a second one."""
    entries: list[Entry] = []
    findings: list[Finding] = []
    adopt: list[Listed] = []
    has_invoice = case.record.live_invoice is not None
    for one in sorted(case.strangers, key=lambda row: (row.kind is not DocumentKind.INVOICE, row.ledger_id)):
        rates = one.rates if one.rates is not None else untold(one.total)
        entries.append(
            Entry(
                shop_id=case.record.key.shop_id,
                currency=one.currency,
                ledger_day=one.issued_on,
                ledger=_signed(one.kind, rates),
                source=Source.READ if one.rates is not None else Source.NONE,
            )
        )
        invoice = one.kind is DocumentKind.INVOICE
        lost = (not invoice) or not has_invoice
        findings.append(_stranger(case, one, must, lost=lost, first=not adopt))
        if lost and wording.may_be_adopted(case.record):
            adopt.append(one)
        has_invoice = has_invoice or invoice
    return entries, findings, tuple(adopt)


def _stranger(case: Case, one: Listed, must: Expectations, *, lost: bool, first: bool) -> Finding:
    sign = -1 if one.kind is DocumentKind.CREDIT_NOTE else 1
    told = wording.orphaned(case.record, one) if lost else wording.doubled(case.record, one)
    expected = ZERO
    if lost and first and one.kind is DocumentKind.INVOICE and must.unmade is not None:
        expected = total_of(must.unmade)
    papers = [Paper.of(one)]
    if not lost and case.record.live_invoice is not None:
        papers.insert(0, Paper.of(case.record.live_invoice))
    return Finding(
        kind=FindingKind.ORPHANED if lost else FindingKind.DOUBLED,
        about=About(one.kind.value),
        key=case.record.key,
        order_number=case.record.number,
        currency=one.currency,
        expected=expected,
        found=sign * one.total,
        papers=tuple(papers),
        words=told.words,
        fix=told.fix,
        # Its lane is at it: the answer to the request that made it may be under way.
        explained=case.record.state in (OrderState.DUE, OrderState.UNCERTAIN),
        day=one.issued_on,
    )
