"""When a draft has changed: every word counts, and neither the clock nor the number does."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from consumer.domain.deciding import decide
from consumer.domain.deciding.situation import Call, Observations, Rest, draft_digest
from consumer.domain.ledger import UpdateInvoice
from consumer.domain.mapping import Mapped
from consumer.domain.orders import Order
from consumer.domain.settings import CustomField, InvoiceDate, ShopSettings
from tests.domain.deciding.building import CONNECTION, MAPPED, SHOP, document, invoice, situation, with_documents
from tests.domain.order_building import line, mapped, order

WORDED = replace(
    SHOP,
    notes="{{ note }}",
    terms="{{ meta.terms }}",
    salesperson="{{ meta.by }}",
    template_id="{{ meta.layout }}",
    custom_fields=(CustomField(api_name="cf_po", value="{{ meta.po }}"),),
)
DATA: dict[str, Any] = {"note": "a", "meta": {"terms": "b", "by": "c", "layout": "7", "po": "d"}}


def an_order(data: dict[str, Any]) -> Order:
    """Give an order that the shop's expressions see as this."""
    return replace(order([line("1", "10.00")], "12.20"), data=data)


def of(data: dict[str, Any], shop: ShopSettings = WORDED, **more: Any) -> Mapped:
    """Map it."""
    return mapped(an_order(data), shop=shop, **more)


@pytest.mark.parametrize(
    "change",
    [
        {"note": "other"},
        {"meta": {**DATA["meta"], "terms": "other"}},
        {"meta": {**DATA["meta"], "by": "other"}},
        {"meta": {**DATA["meta"], "layout": "8"}},
        {"meta": {**DATA["meta"], "po": "other"}},
        {"meta": {**DATA["meta"], "po": ""}},
    ],
    ids=str,
)
def test_a_change_of_any_word_is_a_change_of_the_draft(change: dict[str, Any]) -> None:
    """Notes, terms, salesperson, layout, custom fields."""
    assert draft_digest(of(DATA)) == draft_digest(of(DATA))
    assert draft_digest(of({**DATA, **change})) != draft_digest(of(DATA))


def test_an_invoice_dated_today_is_the_same_draft_tomorrow() -> None:
    """Mapped again at another hour, on another day, after the booking: the order has not changed."""
    shop = replace(SHOP, invoice_date=InvoiceDate.TODAY, payment_terms=7)
    first = of({}, shop, now=datetime(2026, 4, 1, 8, 0, tzinfo=UTC))
    later = of({}, shop, now=datetime(2026, 4, 2, 8, 0, tzinfo=UTC))
    kept = of({}, shop, now=datetime(2026, 4, 9, 8, 0, tzinfo=UTC), kept_day=date(2026, 4, 1))
    assert (first.draft.issued_on, later.draft.issued_on) == (date(2026, 4, 1), date(2026, 4, 2))
    assert draft_digest(first) == draft_digest(later) == draft_digest(kept)
    longer = replace(shop, payment_terms=14)
    assert draft_digest(of({}, longer, now=datetime(2026, 4, 1, 8, 0, tzinfo=UTC))) != draft_digest(first)


def test_an_invoice_dated_by_payment_is_another_draft_on_another_day() -> None:
    """Its day is content: a payment told otherwise moves the invoice."""
    other = of({}, SHOP, paid=datetime(2026, 3, 15, 12, 0, tzinfo=UTC))
    assert draft_digest(other) != draft_digest(of({}, SHOP))


def test_the_number_is_kept_and_makes_no_change() -> None:
    """It is given once; another one would be another document."""
    shop = replace(SHOP, invoice_number="W-{{ number }}")
    assert draft_digest(of({"number": "1"}, shop)) == draft_digest(of({"number": "2"}, shop))


def test_a_changed_word_updates_the_draft_in_place_and_an_unchanged_order_rests() -> None:
    """By the same call that changes lines; nothing else is asked."""
    before, after = of(DATA), of({**DATA, "note": "other"})
    live = document(written_digest=draft_digest(before), content_hash=b"other")
    now = Observations().with_invoice(live.ledger_id, invoice(modified_at=live.ledger_modified_at))
    given = situation(record=with_documents(live), shop=WORDED, connection=CONNECTION, known=now)
    changed = decide(replace(given, mapped=after))
    assert isinstance(changed, Call)
    assert isinstance(changed.operation, UpdateInvoice)
    assert (changed.operation.draft.notes, changed.operation.invoice_id) == ("other", live.ledger_id)
    assert isinstance(decide(replace(given, mapped=before)), Rest)
    assert MAPPED.draft.terms is None
