"""An organisation with every tax and currency of the random orders: booking into it, and the stand-in's figures."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from consumer.domain.ledger import (
    InvoiceDraft,
    LedgerCurrency,
    LedgerFacts,
    LedgerTax,
    Organization,
    TaxKind,
    TaxRounding,
)
from consumer.domain.mapping import Mapped, map_order
from consumer.domain.settings import AccountRow, ConnectionSettings, ShopSettings
from consumer.domain.states import Reason
from consumer.sources.own import to_order
from sandbox.zoho import arithmetic as stand_in
from schemas.canonical import canonical
from schemas.checking import checker
from schemas.orders import ORDER_MODELS, OrderKind
from tests.domain.test_against_stand_in import LEVELS, told
from tests.money.amounts import PERCENT
from tests.money.generator import COMPOUND, COUNTRIES, DIGITS, GROUPS, SHOP
from tests.money.shop_ways import Tax, shares_of

NOW = datetime(2026, 3, 14, 12, tzinfo=UTC)
SETTINGS = ShopSettings(
    shop_id=SHOP, connection_id="books", accounts=(AccountRow(account_id="7001", kind="gift_card"),)
)
CONNECTION = ConnectionSettings(connection_id="books", data_center="sandbox", organization_id="1")
_check = checker(ORDER_MODELS[OrderKind.PAID])


@dataclass(frozen=True, slots=True)
class Document:
    """What the stand-in computes of a draft: total, and VAT per rate where there is any."""

    total: Decimal
    tax_by_rate: Mapping[Decimal, Decimal]


def facts(rounding: TaxRounding) -> LedgerFacts:
    """Give the organisation's facts."""
    return LedgerFacts(
        organization=Organization(organization_id="1", name="Books", currency="EUR", time_zone="UTC"),
        taxes=tuple(_taxes()),
        currencies=tuple(
            LedgerCurrency(currency_id=str(at), code=code, digits=digits)
            for at, (code, digits) in enumerate(DIGITS.items(), 1)
        ),
        rounding=rounding,
    )


def _taxes() -> list[LedgerTax]:
    rates = sorted({rate for country in COUNTRIES for rate in country})
    taxes = [LedgerTax(tax_id=f"1{rate}", name=f"VAT {rate}", rate=_percent(rate)) for rate in rates]
    return taxes + [_group(group, at) for at, group in enumerate((*GROUPS, COMPOUND))]


def _group(group: tuple[Tax, ...], at: int) -> LedgerTax:
    whole = Decimal(sum(shares_of(group))) / PERCENT / 1000
    parts = tuple(_percent(tax.rate) for tax in group)
    return LedgerTax(tax_id=f"9{at}", name=f"Group {at}", rate=whole, kind=TaxKind.GROUP, parts=parts)


def _percent(rate: int) -> Decimal:
    return Decimal(rate) / 1000


def book(data: dict[str, Any], organisation: LedgerFacts) -> Mapped | Reason:
    """Take an order the way that it goes: through the contract's check and its stored form, to its draft."""
    _check(data)
    order = to_order(canonical(data).content, "UTC")
    return map_order(
        order,
        facts=organisation,
        shop=SETTINGS,
        connection=CONNECTION,
        contact_id="",
        paid_moment=NOW,
        document_n=1,
        items={},
    )


def computed(draft: InvoiceDraft, digits: int, rounding: TaxRounding) -> Document:
    """Compute a draft by the stand-in's own arithmetic."""
    result = stand_in.compute(
        stand_in.Bill(
            lines=[told(line) for line in draft.lines],
            is_inclusive=draft.tax_inclusive,
            discount=stand_in.Discount(value=draft.discount),
            is_discount_before_tax=draft.discount_before_tax,
            adjustment=draft.adjustment,
            digits=digits,
            rounding=LEVELS[rounding],
        )
    )
    by_rate: dict[Decimal, Decimal] = {}
    for tax in result.taxes:
        if tax.amount:
            by_rate[tax.percentage] = by_rate.get(tax.percentage, Decimal(0)) + tax.amount
    return Document(result.total, by_rate)
