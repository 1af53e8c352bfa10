"""Building orders, organisations and shops for the tests of the mapping, with as few words as a sum needs."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from consumer.domain.ledger import Item, LedgerCurrency, LedgerFacts, LedgerTax, Organization, TaxRounding
from consumer.domain.mapping import Mapped, map_order
from consumer.domain.orders import Line, Order, OrderKey, RateFigures, Shipping, Tax, Totals
from consumer.domain.settings import ConnectionSettings, ShopSettings
from consumer.domain.states import Reason

D = Decimal
PAID = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)
SHOP = ShopSettings(shop_id="shop")
CONNECTION = ConnectionSettings(connection_id="books", data_center="eu")


def vat(*rates: str) -> tuple[LedgerTax, ...]:
    """Give one tax for each rate, named ``VAT 22``, with the id ``t22``."""
    return tuple(LedgerTax(tax_id=f"t{rate}", name=f"VAT {rate}", rate=D(rate)) for rate in rates)


FACTS = LedgerFacts(
    organization=Organization(organization_id="1", name="Organisation", currency="EUR", time_zone="Europe/Rome"),
    taxes=vat("22", "10", "20", "7.5"),
    currencies=(
        LedgerCurrency(currency_id="1", code="EUR", digits=2, is_base=True),
        LedgerCurrency(currency_id="2", code="JPY", digits=0),
        LedgerCurrency(currency_id="3", code="KWD", digits=3),
        LedgerCurrency(currency_id="4", code="USD", digits=2),
    ),
    rounding=TaxRounding.PER_RATE,
)


def with_rounding(rounding: TaxRounding) -> LedgerFacts:
    """Give the organisation of the tests with this rounding of VAT."""
    return replace(FACTS, rounding=rounding)


def line(quantity: str, price: str, rate: str | None = "22", **more: Any) -> Line:
    """Give a product line; its price is without tax unless ``prices_include_tax`` is passed."""
    taxes = () if rate is None else (Tax(rate=D(rate)),)
    given = {"id": "", "name": "Mug", "prices_include_tax": False, "taxes": taxes, **more}
    return Line(quantity=D(quantity), unit_price=D(price), **given)


def with_tax(quantity: str, price: str, rate: str | None = "22", **more: Any) -> Line:
    """Give a product line whose price has tax in it."""
    return line(quantity, price, rate, prices_include_tax=True, **more)


def shipping(amount: str, rate: str | None = "22", **more: Any) -> Shipping:
    """Give a shipping charge."""
    return Shipping(amount=D(amount), method="Parcel", taxes=() if rate is None else (Tax(rate=D(rate)),), **more)


def stated(**taxes: str) -> tuple[RateFigures, ...]:
    """Give the shop's tax per rate: ``stated(r22="2.20")``."""
    return tuple(RateFigures(rate=D(rate[1:].replace("_", ".")), net=None, tax=D(tax)) for rate, tax in taxes.items())


def order(lines: Sequence[Line], total: str, **more: Any) -> Order:
    """Give an order of these lines; ``tax`` and ``tax_by_rate`` go into its totals."""
    totals = Totals(
        grand_total=D(total),
        tax=None if more.get("tax") is None else D(more["tax"]),
        tax_by_rate=more.get("tax_by_rate", ()),
    )
    more = {key: value for key, value in more.items() if key not in ("tax", "tax_by_rate")}
    inclusive = bool(lines) and lines[0].prices_include_tax
    given: dict[str, Any] = {"number": "1001", "currency": "EUR", "prices_include_tax": inclusive, **more}
    return Order(key=OrderKey("shop", "1001"), lines=tuple(lines), totals=totals, **given)


def mapping_of(
    given: Order,
    *,
    facts: LedgerFacts = FACTS,
    shop: ShopSettings = SHOP,
    connection: ConnectionSettings = CONNECTION,
    paid: datetime | None = PAID,
    contact_id: str = "",
    document_n: int = 1,
    items: Mapping[str, Item] | None = None,
    reference: str = "",
    now: datetime | None = None,
    kept_day: date | None = None,
) -> Mapped | Reason:
    """Map an order in the organisation of the tests."""
    return map_order(
        given,
        facts=facts,
        shop=shop,
        connection=connection,
        contact_id=contact_id,
        paid_moment=paid,
        document_n=document_n,
        items=items or {},
        reference=reference,
        now=now,
        kept_day=kept_day,
    )


def mapped(given: Order, **more: Any) -> Mapped:
    """Map an order that must be booked."""
    result = mapping_of(given, **more)
    assert isinstance(result, Mapped), result
    return result


def parked(given: Order, **more: Any) -> Reason:
    """Map an order that must be parked."""
    result = mapping_of(given, **more)
    assert isinstance(result, Reason), result
    return result


def amounts(result: Mapped) -> list[tuple[str, str, str | None]]:
    """Give quantity, rate and tax of each line, as text."""
    return [
        (format(each.quantity.normalize(), "f"), format(each.rate.normalize(), "f"), each.tax_id)
        for each in result.draft.lines
    ]


def taxes_of(result: Mapped) -> dict[str, str]:
    """Give the expected tax per rate, as text."""
    return {format(row.rate.normalize(), "f"): str(row.tax) for row in result.expected.tax_by_rate}
