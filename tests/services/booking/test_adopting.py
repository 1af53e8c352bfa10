"""A document that was found in the ledger: what is proved of it, and as what it was written."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from consumer.domain.deciding.situation import draft_digest
from consumer.domain.ledger import Invoice, LedgerLine
from consumer.domain.orders import RateFigures
from consumer.domain.records import IntentEnd, Resolution
from consumer.errors import (
    ConnectionStoppedError,
    KeyTakenError,
    LedgerError,
    LedgerUnavailableError,
    NotFoundError,
    NotSentError,
    RefusedError,
    StopCause,
    ThrottledError,
    ThrottleKind,
    UncertainError,
)
from consumer.services.calling import Sent
from consumer.services.outcomes import SOMEBODY, adopted, intent_end
from tests.domain.deciding.building import HASH, MAPPED, document, intent, invoice, record

DIGEST = draft_digest(MAPPED)
OTHER = b"o" * 32


def with_tax(rate: str, tax: str) -> Invoice:
    """Give the invoice with VAT at one rate."""
    return invoice(tax_total=Decimal(tax), tax_by_rate=(RateFigures(rate=Decimal(rate), net=None, tax=Decimal(tax)),))


def test_an_adopted_document_agrees_when_total_and_vat_per_rate_do() -> None:
    """And is known as what the intent had written."""
    made = adopted(record(open_intent=intent()), "books", invoice(), MAPPED)
    assert (made.agreed, made.written_digest, made.content_hash) == (True, DIGEST, HASH)
    assert (made.unique_key, made.n) == ("shop/1001/invoice//1", 1)


@pytest.mark.parametrize("found", [with_tax("10", "2.20"), with_tax("22", "2.19"), invoice(total=Decimal("12.21"))])
def test_the_right_total_with_the_wrong_vat_does_not_agree(found: Invoice) -> None:
    """Nor the wrong total: promise three is about every rate."""
    assert not adopted(record(open_intent=intent()), "books", found, MAPPED).agreed


@pytest.mark.parametrize("mapped", [None, replace(MAPPED, draft=replace(MAPPED.draft, notes="changed since"))])
def test_what_cannot_be_compared_any_more_is_neither_proved_nor_refuted(mapped: Any) -> None:
    """The order changed while the write was in doubt: it is written anew, not taken back as different."""
    made = adopted(record(open_intent=intent()), "books", invoice(), mapped)
    assert (made.agreed, made.written_digest) == (False, None)


def test_a_document_that_was_found_without_an_intent_keeps_the_key_that_the_ledger_shows() -> None:
    """An update that left it out would take away what guards against a second document."""
    made = adopted(record(), "books", invoice(unique_key="shop/1001/invoice//1"), MAPPED)
    assert (made.unique_key, made.agreed, made.written_digest) == ("shop/1001/invoice//1", True, DIGEST)


@pytest.mark.parametrize(("contact_id", "customer"), [("c1", "a" * 32), ("c2", SOMEBODY)])
def test_what_was_made_of_an_earlier_revision_has_its_own_customer(contact_id: str, customer: str) -> None:
    """The order has another customer since: left empty it would be taken for whoever's the order is by now."""
    doubt = intent()
    sought = {**doubt.sought, "contact_id": contact_id, "customer": "a" * 32, "sums": "t22|22|99.00|17.85|"}
    changed = replace(MAPPED, draft=replace(MAPPED.draft, notes="changed since"))
    made = adopted(record(open_intent=replace(doubt, sought=sought)), "books", invoice(), changed)
    assert (made.agreed, made.sums, made.customer) == (False, (), customer)


def test_an_update_that_never_arrived_leaves_the_document_as_it_was_known() -> None:
    """The ledger's lines are not those of the draft."""
    known = document(written_digest=OTHER, content_hash=OTHER)
    doubt = intent("update_invoice")
    seen = adopted(record(documents=(known,), open_intent=doubt), "books", invoice(lines=()), MAPPED)
    assert (seen.written_digest, seen.content_hash, seen.agreed) == (OTHER, OTHER, True)


def test_an_update_that_arrived_is_told_from_what_the_document_says() -> None:
    """Line by line what the draft meant, so that it is the newer revision's."""
    (line,) = MAPPED.draft.lines
    lines = (
        LedgerLine(
            line_id="1",
            name=line.name,
            quantity=line.quantity,
            rate=line.rate,
            total=Decimal("10.00"),
            tax_rate=line.tax_rate,
        ),
    )
    known = document(written_digest=OTHER, content_hash=OTHER, agreed=False)
    now = invoice(lines=lines, issued_on=MAPPED.draft.issued_on)
    seen = adopted(record(documents=(known,), open_intent=intent("update_invoice")), "books", now, MAPPED)
    assert (seen.written_digest, seen.content_hash, seen.agreed) == (DIGEST, HASH, True)


@pytest.mark.parametrize(
    ("error", "resolution"),
    [
        (None, Resolution.DONE),
        (UncertainError("no answer"), None),
        (RefusedError("no", 400, 2), Resolution.REFUSED),
        (NotFoundError("no", 404, 1002), Resolution.REFUSED),
        (KeyTakenError("no", 400, 2), Resolution.REFUSED),
        (NotSentError("no"), Resolution.NEVER_SENT),
        (ThrottledError("no", ThrottleKind.MINUTE, 60.0), Resolution.NEVER_SENT),
        (ConnectionStoppedError("no", StopCause.TOKEN_REVOKED), Resolution.REFUSED),
        (LedgerUnavailableError("the accounts server was away"), Resolution.REFUSED),
    ],
)
def test_only_a_missing_answer_leaves_an_intent_open(error: LedgerError | None, resolution: Resolution | None) -> None:
    """Everything else says for certain what came of the write."""
    identity = intent().intent_id
    sent = Sent(intent_id=identity, slot=1, error=error)
    assert intent_end(sent) == IntentEnd(intent_id=identity, resolution=resolution)
