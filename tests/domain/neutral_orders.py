"""Reading the neutral orders and invoices of the shared data as orders of ours; for tests only."""

import gzip
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from consumer.domain.orders import (
    Customer,
    Discount,
    Fee,
    Line,
    Order,
    OrderKey,
    RateFigures,
    Shipping,
    Tax,
    Totals,
)

DATA = Path(__file__).parents[3] / "shared" / "data" / "neutral"
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Neutral:
    """One document: the order it gives, and what the data's own checker says of it."""

    order: Order
    name: str
    kind: str
    consistent: bool


class NotToldError(Exception):
    """The neutral shape lacks something that an order of ours must tell, such as the rate of a charge."""


def rows(name: str) -> Iterator[Row]:
    """Give the rows of one file of the shared data."""
    path = DATA / name
    content = gzip.decompress(path.read_bytes()) if name.endswith(".gz") else path.read_bytes()
    for line in content.decode().splitlines():
        yield json.loads(line)


def read(row: Row) -> Neutral:
    """Read one row. Raises NotToldError where the neutral shape has lost what is needed."""
    inclusive = bool(row["prices_include_tax"]) if row["prices_include_tax"] is not None else _looks_inclusive(row)
    breakdown = [tax for tax in row.get("tax_breakdown", ()) if "retained" not in (tax.get("category") or "")]
    if len({tax["category"] for tax in breakdown}) > 1 and any(Decimal(tax["tax"]) for tax in breakdown[1:]):
        categories = {tax["category"] for tax in breakdown if Decimal(tax["tax"])}
        if len(categories) > 1:
            raise NotToldError("several kinds of tax on one line")
    told = sum((Decimal(tax["tax"]) for tax in breakdown), Decimal(0))
    if breakdown and row["tax_total"] is not None and abs(told - Decimal(row["tax_total"])) > 1:
        raise NotToldError("several kinds of tax on one line")
    lines = tuple(_line(line, str(at), inclusive=inclusive) for at, line in enumerate(row["lines"]))
    order = Order(
        key=OrderKey(row["platform"], str(row["order_id"])),
        number=str(row["order_number"] or ""),
        currency=row["currency"] or "",
        prices_include_tax=inclusive,
        customer=Customer(name=row["customer"]["name"] or ""),
        lines=lines,
        shipping=tuple(_shipping(each, inclusive=inclusive) for each in row["shipping"] if _amount(each)),
        fees=tuple(_fee(each, row, breakdown) for each in row["fees"] if _amount(each)),
        discounts=tuple(_discount(each, row, breakdown) for each in row["discounts"] if Decimal(each["amount"])),
        totals=Totals(
            grand_total=Decimal(row["grand_total"]),
            tax=None if row["tax_total"] is None else Decimal(row["tax_total"]),
            tax_by_rate=_by_rate(breakdown),
        ),
    )
    return Neutral(
        order=order,
        name=f"{row['platform']} {row['order_id']}",
        kind=row["kind"],
        consistent=row["check"]["consistent"],
    )


def _amount(charge: Row) -> Decimal:
    return Decimal(charge["total"])


def _looks_inclusive(row: Row) -> bool:
    taxed = [line for line in row["lines"] if line.get("tax_amount") and Decimal(line["tax_amount"])]
    return any(
        Decimal(line["qty"]) * Decimal(line["unit_price"]) - Decimal(line["discount"])
        == Decimal(line.get("total_incl") or "-1")
        for line in taxed
    )


def _line(line: Row, at: str, *, inclusive: bool) -> Line:
    total = line["total"]
    product = Decimal(line["qty"]) * Decimal(line["unit_price"]) - Decimal(line["discount"])
    if inclusive and line.get("total_incl") is not None and product == Decimal(total):
        inclusive = False  # the row says that prices have tax in them, and this one has not
    if inclusive:
        total = line.get("total_incl")
    taxes: tuple[Tax, ...] = ()
    if line["tax_rate"] is not None:
        amount = None if line["tax_amount"] is None else Decimal(line["tax_amount"])
        taxes = (Tax(rate=Decimal(line["tax_rate"]), amount=amount),)
    return Line(
        id=at,
        name=line["description"] or "",
        sku=line["sku"] or "",
        quantity=Decimal(line["qty"]),
        unit_price=Decimal(line["unit_price"]),
        prices_include_tax=inclusive,
        discount=Decimal(line["discount"]),
        taxes=taxes,
        total=None if total is None else Decimal(total),
    )


def _shipping(charge: Row, *, inclusive: bool) -> Shipping:
    rate = charge.get("tax_rate")
    gross = charge.get("total_incl")
    return Shipping(
        amount=Decimal(gross if inclusive and gross is not None else charge["total"]),
        method=charge["description"] or "",
        taxes=() if rate is None else (Tax(rate=Decimal(rate)),),
    )


def _only_rate(charge: Row, row: Row, breakdown: list[Row]) -> Decimal | None:
    if charge.get("tax_rate") is not None:
        return Decimal(charge["tax_rate"])
    lines = sum((Decimal(line["total"]) for line in row["lines"]), Decimal(0))
    if len(breakdown) == 1 and not row["discounts"] and Decimal(breakdown[0]["base"]) == lines:
        return None  # the tax is that of the lines alone: the charge has none
    rates = {line["tax_rate"] for line in row["lines"]} | {tax["rate"] for tax in breakdown}
    if len(rates) > 1:
        raise NotToldError("the rate of a charge or discount is not told, and there are several")
    return next((Decimal(rate) for rate in rates if rate is not None), None)


def _fee(charge: Row, row: Row, breakdown: list[Row]) -> Fee:
    rate = _only_rate(charge, row, breakdown)
    name = charge.get("description") or "Fee"
    return Fee(name=name, amount=_amount(charge), taxes=() if rate is None else (Tax(rate=rate),))


def _discount(discount: Row, row: Row, breakdown: list[Row]) -> Discount:
    rate = _only_rate(discount, row, breakdown)
    at_rate = tuple(
        str(at) for at, line in enumerate(row["lines"]) if rate is None or Decimal(line["tax_rate"] or 0) == rate
    )
    if not at_rate:
        raise NotToldError("a discount off a charge, which an order of ours has no way to name")
    return Discount(amount=Decimal(discount["amount"]), code=discount["code"] or "", line_ids=at_rate)


def _by_rate(breakdown: list[Row]) -> tuple[RateFigures, ...]:
    found: dict[Decimal, Decimal] = {}
    for tax in breakdown:
        rate = Decimal(tax["rate"] or 0)
        found[rate] = found.get(rate, Decimal(0)) + Decimal(tax["tax"])
    return tuple(RateFigures(rate=rate, net=None, tax=tax) for rate, tax in found.items())
