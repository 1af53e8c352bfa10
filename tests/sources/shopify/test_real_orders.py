"""Shopify orders of real shops and of Shopify's own clients, from the shared data: exact or truly parked."""

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from consumer.domain.arithmetic import compute
from consumer.domain.ledger import TaxRounding
from consumer.domain.mapping import Mapped
from consumer.domain.money import minor_digits
from consumer.domain.states import Reason, ReasonCode
from tests.sources.shopify.payloads import booked

DATA = Path(__file__).resolve().parents[4] / "shared" / "data" / "orders-shopify"

pytestmark = pytest.mark.skipif(not DATA.exists(), reason="no shared data beside the repository (orders-shopify)")

BOTH = (TaxRounding.PER_RATE, TaxRounding.PER_LINE)
# By file: the totals that are booked (read off the payloads by hand), and how many are parked.
EXPECTED = {
    "go.jsonl": (["206.25", "206.25", "10.00", "10.00", "10.00"], 0),
    "multicurrency.jsonl": (["59.45", "60.33"], 0),
    # Tax of 11.94 is not 6 % of 597.00 (an order), nor of 398.00 (a checkout); the parts of two drafts of 1027.41 are
    # 199.00 + 2 x 494.14 - 35.38 - 1.48 + 20.00 = 1170.42.
    "python.jsonl": ([], 4),
    "webhookdb.jsonl": ([], 5),
}


def orders(name: str) -> Iterator[dict[str, Any]]:
    """Give the payloads of one file."""
    for line in (DATA / name).read_text().splitlines():
        yield json.loads(line, parse_float=Decimal)["order"]


def outcome(order: dict[str, Any], rounding: TaxRounding) -> str | Reason:
    """Book it, and give the total by the ledger's arithmetic, held against the payload's own figures."""
    result = booked(order, rounding)
    if not isinstance(result, Mapped):
        return result
    figures = compute(result.draft, minor_digits(order["currency"]), rounding)
    assert figures.total == Decimal(order["total_price"])
    assert figures.tax_total == Decimal(order.get("total_tax") or 0)
    assert result.draft.adjustment == 0
    return str(order["total_price"])


@pytest.mark.parametrize("rounding", BOTH)
@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_every_order_is_exact_or_parked_for_what_it_contradicts(name: str, rounding: TaxRounding) -> None:
    """None is refused, none is off by a cent; what parks says that totals or tax do not follow."""
    found = [outcome(order, rounding) for order in orders(name)]
    reasons = [one for one in found if isinstance(one, Reason)]
    assert [one for one in found if isinstance(one, str)] == EXPECTED[name][0]
    assert len(reasons) == EXPECTED[name][1]
    assert {one.code for one in reasons} <= {ReasonCode.TOTALS_DO_NOT_FOLLOW, ReasonCode.TAX_WOULD_BE_LOST}


def test_an_order_shown_in_another_currency_is_booked_in_the_one_it_was_charged_in() -> None:
    """Charged in AUD and shown in USD: both orders are AUD."""
    assert [order["currency"] for order in orders("multicurrency.jsonl")] == ["AUD", "AUD"]
    results = [booked(order) for order in orders("multicurrency.jsonl")]
    assert [result.expected.currency for result in results if isinstance(result, Mapped)] == ["AUD", "AUD"]
