"""When an order may find out how the ledger rounds, and what a document that was taken back proves of it.

A probe is an order that no layout fits under the rounding that is known (or none is known), sent as it is exact under
the other one. The ledger's answer decides: it agrees, and is booked; or it differs, and is taken back at once.
Whatever the setting was, no wrong document stays. See docs/decisions/0012.
"""

from collections.abc import Sequence
from decimal import Decimal

from consumer.domain.arithmetic import compute
from consumer.domain.deciding.situation import DELETED_FOR_DIFFERENCE, draft_digest
from consumer.domain.ledger import TaxRounding
from consumer.domain.mapping import Mapped
from consumer.domain.money import minor_digits
from consumer.domain.records import Document, OrderRecord
from consumer.domain.states import Reason, ReasonCode

PROBES_MAX = 3  # of one draft: each that is taken back uses up an invoice number
WAYS = (TaxRounding.PER_RATE, TaxRounding.PER_LINE)  # the ledger's default first
DIFFERS_GROUP = "rounding_differs:"


def needs_other_rounding(mapped: Mapped | Reason) -> bool:
    """Tell whether an order is parked for nothing but how the organisation rounds, or that it is not known."""
    if isinstance(mapped, Mapped):
        return False
    return mapped.code is ReasonCode.ROUNDING_UNKNOWN or mapped.group.startswith(DIFFERS_GROUP)


def under_way(record: OrderRecord, mapped: Mapped) -> bool:
    """Tell whether this very draft was sent for the order already and is neither proved nor taken back.

    Read from the record, not remembered: a process that ended in between finds its probe again.
    """
    digest, live, intent = draft_digest(mapped), record.live_invoice, record.open_intent
    if intent is not None and intent.sought.get("digest") == digest.hex():
        return True
    return live is not None and not live.agreed and live.written_digest == digest


def may_probe(record: OrderRecord, reason: Reason) -> bool:
    """Tell whether the order may be sent as a probe: it has nothing in the ledger, and somebody wants to know.

    Where the setting is known and does not fit, only a person's release asks again. Each order that comes in would
    otherwise make a draft and take it back for as long as the setting is wrong.
    """
    if record.live_invoice is not None or record.open_intent is not None:
        return False
    return reason.code is ReasonCode.ROUNDING_UNKNOWN or record.facts.released


def tried(record: OrderRecord, mapped: Mapped) -> int:
    """Count how often this very draft was taken back because of its figures."""
    digest = draft_digest(mapped)
    return sum(d.status == DELETED_FOR_DIFFERENCE and d.written_digest == digest for d in record.documents)


def ways_to_probe(known: TaxRounding) -> Sequence[TaxRounding]:
    """Give the roundings that a probe may prove, the likelier first."""
    return [way for way in WAYS if way is not known]


def total_otherwise(mapped: Mapped) -> Decimal | None:
    """Give what the draft comes to in an organisation that rounds the other way; None where that is the same."""
    digits = minor_digits(mapped.draft.currency)
    totals = {compute(mapped.draft, digits, way).total for way in WAYS}
    return next(iter(sorted(totals - {mapped.expected.total})), None)


def explained_by_rounding(mapped: Mapped, document: Document) -> bool:
    """Tell whether a document's figures are what one of the roundings gives for this very draft.

    Then nothing but the organisation's setting of that moment was to blame, and under the other setting the same
    draft comes out as the shop's. Pure; a currency of unknown decimals explains nothing.
    """
    digits = minor_digits(mapped.draft.currency)
    for way in WAYS:
        figures = compute(mapped.draft, digits, way)
        taxes = {row.rate: row.tax for row in figures.tax_by_rate if row.tax}
        if figures.total == document.total and taxes == {row.rate: row.tax for row in document.tax_by_rate if row.tax}:
            return True
    return False
