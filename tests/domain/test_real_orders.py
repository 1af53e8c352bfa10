"""Orders and invoices of real systems, from the shared data: booked exactly, or parked with a true reason."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import pytest

from consumer.domain.arithmetic import compute
from consumer.domain.ledger import LedgerCurrency, LedgerFacts, LedgerTax, TaxRounding
from consumer.domain.mapping import Mapped
from consumer.domain.money import minor_digits
from consumer.domain.orders import Fee, Line, Order, Shipping
from consumer.domain.states import ReasonCode
from tests.domain.neutral_orders import DATA, Neutral, NotToldError, read, rows
from tests.domain.order_building import FACTS, mapping_of

pytestmark = pytest.mark.skipif(not DATA.exists(), reason=f"no shared data beside the repository ({DATA.name})")

# What an invoice cannot be, by the design, however consistent it is: such orders are parked with this very reason.
NO_INVOICE = {ReasonCode.NEGATIVE_QUANTITY, ReasonCode.NOT_SUPPORTED}

BEST_FIRST = ("booked", "adjusted", "no invoice")


def documents(name: str) -> Iterator[Neutral]:
    """Give the documents of one file that the neutral shape tells whole."""
    for row in rows(name):
        try:
            yield read(row)
        except NotToldError:
            continue


def organisation(order: Order, rounding: TaxRounding) -> LedgerFacts:
    """Give an organisation that has what the order needs."""
    charges: tuple[Line | Shipping | Fee, ...] = (*order.lines, *order.shipping, *order.fees)
    rates = sorted({tax.rate for charge in charges for tax in charge.taxes})
    return replace(
        FACTS,
        taxes=tuple(LedgerTax(tax_id=f"t{rate}", name=f"VAT {rate}", rate=rate) for rate in rates),
        currencies=(LedgerCurrency(currency_id="1", code=order.currency, digits=minor_digits(order.currency)),),
        rounding=rounding,
    )


def outcome(document: Neutral, rounding: TaxRounding) -> str:
    """Map one document; a booked one is checked against the order's own figures, not against the mapping's."""
    order = document.order
    result = mapping_of(order, facts=organisation(order, rounding))
    if not isinstance(result, Mapped):
        return "no invoice" if result.code in NO_INVOICE else result.code.value
    figures = compute(result.draft, minor_digits(order.currency), rounding)
    assert figures.total == order.totals.grand_total, document.name
    told = {row.rate: row.tax for row in order.totals.tax_by_rate if row.tax}
    if told:
        assert {row.rate: row.tax for row in figures.tax_by_rate if row.tax} == told, document.name
    return "adjusted" if result.draft.adjustment else "booked"


@pytest.mark.parametrize("name", ["orders.jsonl", "invoices.jsonl.gz"])
def test_inconsistent_documents_are_never_booked(name: str) -> None:
    """What does not follow from its own parts is parked, under either rounding."""
    wrong = [document for document in documents(name) if not document.consistent]
    assert len(wrong) >= 3
    for rounding in (TaxRounding.PER_RATE, TaxRounding.PER_LINE):
        assert [d.name for d in wrong if outcome(d, rounding) in ("booked", "adjusted")] == []


@pytest.mark.parametrize(("name", "at_least"), [("orders.jsonl", 40), ("invoices.jsonl.gz", 190)])
def test_consistent_documents_are_booked_exactly_where_the_rounding_fits(name: str, at_least: int) -> None:
    """More than 97 % of them; parked are only those that no invoice can be, and what only one rounding fits."""
    found: Counter[str] = Counter()
    for document in documents(name):
        if document.consistent:
            both = [outcome(document, rounding) for rounding in (TaxRounding.PER_RATE, TaxRounding.PER_LINE)]
            found[next((best for best in BEST_FIRST if best in both), both[0])] += 1
    booked = found["booked"] + found["adjusted"]
    assert booked >= at_least, found
    assert booked > 0.97 * (sum(found.values()) - found["no invoice"]), found


def test_every_till_receipt_of_a_year_is_booked_or_no_invoice() -> None:
    """2,100 untaxed orders of up to hundreds of lines: all booked as stated but returns and negative quantities."""
    found = Counter(outcome(d, TaxRounding.UNKNOWN) for d in documents("retail.jsonl.gz") if d.kind == "order")
    assert set(found) == {"booked", "no invoice"}
    assert found["booked"] > 2000
