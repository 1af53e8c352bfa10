"""Whether a document in the ledger is what was meant: by its figures, by its lines, and whose it is at all."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from consumer.domain.arithmetic import compute
from consumer.domain.invoice_words import InvoiceWords
from consumer.domain.ledger import Invoice, InvoiceDraft, InvoiceLine, InvoiceStatus, LedgerLine
from consumer.domain.money import ZERO, minor_digits
from consumer.domain.orders import RateFigures
from consumer.domain.texts import plain

CLOCK_TOLERANCE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What the ledger's answer must say. ``tax_total`` None means that nothing is known of the tax.

    ``group_rates`` names the tax groups used, each with the rates of its members: a ledger may tell a group's tax as
    one figure or as one for each member.
    """

    total: Decimal
    tax_total: Decimal | None
    tax_by_rate: tuple[RateFigures, ...]
    currency: str
    group_rates: tuple[tuple[Decimal, tuple[Decimal, ...]], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxDifference:
    """VAT at one rate (percent): what the ledger has less what was expected."""

    rate: Decimal
    expected: Decimal
    found: Decimal

    @property
    def difference(self) -> Decimal:
        """Give the ledger's figure less ours."""
        return self.found - self.expected


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """Whether an invoice has the expected figures; differences are the ledger's less ours."""

    equal: bool
    total_difference: Decimal
    tax_differences: tuple[TaxDifference, ...]
    words: tuple[str, ...]


def compare(expected: Expected, invoice: Invoice) -> Agreement:
    """Compare an invoice's total and VAT per rate with what was expected, to the cent.

    What the invoice does not tell (a row of a list) is not proved: then it is not equal, and the words say what is
    missing.
    """
    total_difference = invoice.total - expected.total
    words = []
    if invoice.currency != expected.currency:
        words.append(f"The invoice is in {invoice.currency}, the order in {expected.currency}.")
    if total_difference:
        words.append(_differs("Total", invoice.total, expected.total, expected.currency))
    differences, missing = _tax_differences(expected, invoice)
    words += missing
    words += [
        _differs(f"VAT at {plain(row.rate)} %", row.found, row.expected, expected.currency) for row in differences
    ]
    return Agreement(
        equal=not words,
        total_difference=total_difference,
        tax_differences=differences,
        words=tuple(words) or ("Total and VAT per rate are those of the order.",),
    )


def _differs(what: str, found: Decimal, expected: Decimal, currency: str) -> str:
    return f"{what}: ledger {plain(found)}, order {plain(expected)}, difference {plain(found - expected)} {currency}."


def _tax_differences(expected: Expected, invoice: Invoice) -> tuple[tuple[TaxDifference, ...], list[str]]:
    if expected.tax_total is None:
        return (), []
    if invoice.tax_total is None and invoice.tax_by_rate is None:
        return (), ["The ledger's answer tells no VAT; read the invoice itself."]
    told = {row.rate: row.tax for row in expected.tax_by_rate if row.tax}
    if invoice.tax_by_rate is None:
        return _by_sum(expected.tax_total, invoice.tax_total or ZERO, told)
    found = _by_rate(invoice.tax_by_rate)
    found, told = _folded(found, told, expected.group_rates)
    rows = tuple(
        TaxDifference(rate=rate, expected=told.get(rate, ZERO), found=found.get(rate, ZERO))
        for rate in sorted({*found, *told})
        if found.get(rate, ZERO) != told.get(rate, ZERO)
    )
    by_sum = invoice.tax_total is not None and invoice.tax_total != expected.tax_total
    return rows, ([_sum_words(expected.tax_total, invoice.tax_total)] if by_sum and not rows else [])


def _by_sum(
    expected: Decimal, found: Decimal, told: Mapping[Decimal, Decimal]
) -> tuple[tuple[TaxDifference, ...], list[str]]:
    """Compare the sum alone: that proves nothing where several rates could make up for each other."""
    if found != expected:
        return (), [_sum_words(expected, found)]
    return (), ["The ledger's answer tells no VAT per rate; read the invoice itself."] if len(told) > 1 else []


def _sum_words(expected: Decimal, found: Decimal | None) -> str:
    return f"VAT: ledger {plain(found or ZERO)}, order {plain(expected)}."


def _by_rate(rows: Sequence[RateFigures]) -> dict[Decimal, Decimal]:
    found: dict[Decimal, Decimal] = {}
    for row in rows:
        found[row.rate] = found.get(row.rate, ZERO) + row.tax
    return {rate: tax for rate, tax in found.items() if tax}


def _folded(
    found: dict[Decimal, Decimal],
    told: dict[Decimal, Decimal],
    groups: Sequence[tuple[Decimal, tuple[Decimal, ...]]],
) -> tuple[dict[Decimal, Decimal], dict[Decimal, Decimal]]:
    """Where the ledger tells a group's tax as one figure, add up ours for its members."""
    for rate, parts in groups:
        if rate in found and rate not in told:
            members = sum((told.get(part, ZERO) for part in parts), ZERO)
            told = {known: tax for known, tax in told.items() if known not in parts} | {rate: members}
    return found, told


def same_document(draft: InvoiceDraft, invoice: Invoice, *, digits: int | None = None) -> bool:
    """Tell whether an invoice, read whole, is what the draft meant: customer, currency, total, date, lines and words.

    False where the invoice does not tell its lines (a row of a list): that cannot be proved. ``digits`` are the
    currency's in the ledger; by default those of ISO 4217.
    """
    if invoice.lines is None or len(invoice.lines) != len(draft.lines):
        return False
    figures = compute(draft, minor_digits(draft.currency) if digits is None else digits, invoice.rounding)
    return (
        invoice.contact_id == draft.contact_id
        and invoice.currency == draft.currency
        and invoice.total == figures.total
        and invoice.issued_on in (None, draft.issued_on)
        and all(_same_line(ours, theirs) for ours, theirs in zip(draft.lines, invoice.lines, strict=True))
        and (invoice.words is None or _same_words(draft, invoice.words))
    )


def _same_words(draft: InvoiceDraft, words: InvoiceWords) -> bool:
    """Compare what the draft says and the answer shows; what either is silent about proves nothing against it."""
    pairs = [
        (draft.notes, words.notes),
        (draft.terms, words.terms),
        (draft.salesperson, words.salesperson),
        (draft.template_id or None, words.template_id),
        (draft.payment_terms_label or None, words.payment_terms_label),
    ]
    if words.custom_fields is not None:
        shown = dict(words.custom_fields)
        pairs += [(value, shown.get(name, "")) for name, value in draft.custom_fields]
    if words.due_on not in (None, draft.due_on):
        return False
    return all(ours.split() == theirs.split() for ours, theirs in pairs if ours is not None and theirs is not None)


def _same_line(ours: InvoiceLine, theirs: LedgerLine) -> bool:
    return (
        ours.name.split() == theirs.name.split()  # a ledger may trim or join spaces
        and ours.quantity == theirs.quantity
        and ours.rate == theirs.rate
        and ours.tax_rate == theirs.tax_rate
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought:
    """The figures by which a document is told to be ours; ``begun_at`` is the intent's, None without an intent."""

    contact_id: str
    total: Decimal
    begun_at: datetime | None = None


def is_ours(
    invoice: Invoice,
    *,
    reference: str,
    unique_field: bool,
    unique_key: str = "",
    intent: Sought | None = None,
    order: Sought | None = None,
    made_by_us: bool = False,
) -> bool:
    """Tell whether a document found in the ledger is this order's (design, section 8, "What is ours").

    Always: its reference is exactly equal and it is not void. With the unique field: the field is equal, and nothing
    else counts (a list does not show it: read the document first). Without: customer and total are the intent's and
    it was created not before the intent, less a minute. Without an intent either: our own user made it, and customer
    and total are those that the order gives.
    """
    if not reference or invoice.reference != reference or invoice.status is InvoiceStatus.VOID:
        return False
    if unique_field:
        return bool(unique_key) and invoice.unique_key == unique_key
    if intent is not None:
        return _has_figures(invoice, intent) and _not_before(invoice.created_at, intent.begun_at)
    return made_by_us and order is not None and _has_figures(invoice, order)


def _has_figures(invoice: Invoice, sought: Sought) -> bool:
    return invoice.contact_id == sought.contact_id and invoice.total == sought.total


def _not_before(created_at: datetime | None, begun_at: datetime | None) -> bool:
    if created_at is None or begun_at is None:
        return False  # without both times nothing tells it from an older document of the same figures
    return created_at >= begun_at - CLOCK_TOLERANCE
