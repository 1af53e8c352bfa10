"""What a WooCommerce order charges: lines, shipping and fees, without tax as WooCommerce keeps them, and their taxes.

A line's ``total`` is always without tax, whatever ``prices_include_tax`` says, and coupons are off it already.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from consumer.domain.money import round_half_up, split_by_largest_remainder
from consumer.sources.woocommerce.payload import (
    NAME_CHARACTERS_MAX,
    ZERO,
    Row,
    amount,
    decimal,
    decimals,
    first_text,
    flag,
    rows,
    text,
)
from consumer.sources.woocommerce.rates import Seen, derived_rate, fits, quotient, rate_in_words

_HUNDRED = Decimal(100)


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxPart:
    """One tax of a charge, by the id of its rate."""

    tax_id: str
    amount: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class ShopTax:
    """One tax of the order: its rate where it is known, and what the order states of it in sum (None: nothing)."""

    tax_id: str
    rate: Decimal | None
    name: str = ""
    compound: bool = False
    total: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """One line, shipping or fee. ``net`` and ``tax`` are after its discount, ``net_before`` and ``tax_before`` before.

    ``net_fine`` is ``net`` with the decimals that the payload's rounding took, where its unit price still has them.
    """

    row: Row
    group: str
    net: Decimal
    tax: Decimal
    net_before: Decimal
    tax_before: Decimal
    net_fine: Decimal
    quantity: Decimal = Decimal(1)
    taxes: tuple[TaxPart, ...] = ()


def read_charges(order: Row, name: str, digits: int, tax_ids: Sequence[str]) -> tuple[Charge, ...]:
    """Read the charges of one list of the order. Raises NotTranslatedError where an amount is none."""
    return tuple(_charge(row, name, at, digits, tax_ids) for at, row in enumerate(rows(order.get(name))))


def _charge(row: Row, name: str, at: int, digits: int, tax_ids: Sequence[str]) -> Charge:
    place = f"{name}[{at}]"
    net = amount(row, "total", place)
    stated_before = decimal(row.get("subtotal"), f"{place}.subtotal")
    parts = tuple(_parts(row, place))
    stated_tax = decimal(row.get("total_tax"), f"{place}.total_tax")
    tax = sum((part.amount for part in parts), ZERO) if stated_tax is None else stated_tax
    tax_before = decimal(row.get("subtotal_tax"), f"{place}.subtotal_tax")
    quantity = decimal(row.get("quantity"), f"{place}.quantity")
    quantity = Decimal(1) if quantity is None else quantity
    if not parts and tax:
        parts = (TaxPart(tax_id=_unnamed(row, name, tax_ids), amount=tax),)
    return Charge(
        row=row,
        group=name,
        net=net,
        tax=tax,
        net_before=net if stated_before is None else stated_before,
        tax_before=tax if tax_before is None or stated_before is None else tax_before,
        net_fine=_fine(row, place, net, quantity, digits),
        quantity=quantity,
        taxes=parts,
    )


def _parts(row: Row, place: str) -> Iterator[TaxPart]:
    """Give the taxes that are there: one that does not apply stands with an empty total."""
    for at, tax in enumerate(rows(row.get("taxes"))):
        found = decimal(tax.get("total"), f"{place}.taxes[{at}].total")
        if found is not None:
            yield TaxPart(tax_id=first_text(tax.get("id"), tax.get("rate_id")), amount=found)


def _unnamed(row: Row, name: str, tax_ids: Sequence[str]) -> str:
    """Name the tax of a charge of the older API, which tells no ids: the only one there is, else that of its class."""
    return tax_ids[0] if len(tax_ids) == 1 else f"class {text(row.get('tax_class'))} of {name}"


def _fine(row: Row, place: str, net: Decimal, quantity: Decimal, digits: int) -> Decimal:
    price = decimal(row.get("price"), f"{place}.price")
    if price is None or decimals(price) <= digits or decimals(net) > digits:
        return net
    fine = price * quantity
    return fine if abs(fine - net) <= Decimal(5).scaleb(-digits - 1) else net


def with_shipping_tax(charges: tuple[Charge, ...], tax: Decimal, digits: int) -> tuple[Charge, ...]:
    """Place the order's shipping tax on its shipping, where the older API states it in sum only."""
    if not tax or not charges or any(charge.tax or charge.taxes for charge in charges):
        return charges
    weights = [abs(charge.net) for charge in charges]
    parts = split_by_largest_remainder(round_half_up(tax, digits), weights, digits)
    return tuple(
        replace(charge, tax=part, tax_before=part, taxes=(TaxPart(tax_id="shipping", amount=part),)) if part else charge
        for charge, part in zip(charges, parts, strict=True)
    )


# ---- taxes of the order ---------------------------------------------------------------------------------------------


def stated_taxes(order: Row) -> tuple[ShopTax, ...]:
    """Read the order's tax lines; a rate that is not stated stays open. Raises NotTranslatedError."""
    return tuple(_stated_tax(row, f"tax_lines[{at}]") for at, row in enumerate(rows(order.get("tax_lines"))))


def _stated_tax(row: Row, place: str) -> ShopTax:
    old = decimal(row.get("total"), f"{place}.total")
    total = amount(row, "tax_total", place) + amount(row, "shipping_tax_total", place) if "tax_total" in row else old
    rate = decimal(row.get("rate_percent"), f"{place}.rate_percent")
    if rate is not None and (rate < 0 or (not rate and total)):
        rate = None  # shops that were moved from an older version state 0 for rates that they no longer know
    return ShopTax(
        tax_id=first_text(row.get("rate_id"), row.get("id")),
        rate=rate,
        name=first_text(row.get("label"), row.get("title"), row.get("rate_code"), row.get("code"), characters_max=200),
        compound=flag(row.get("compound")),
        total=total,
    )


def known_taxes(order: Row, stated: Sequence[ShopTax], charges: Sequence[Charge], digits: int) -> dict[str, ShopTax]:
    """Give all taxes of the order by id, each with its rate where anything tells it."""
    found = {tax.tax_id: tax for tax in stated}
    for charge in charges:
        for part in charge.taxes:
            found.setdefault(part.tax_id, ShopTax(tax_id=part.tax_id, rate=None))
    words = {first_text(row.get("rate_id"), row.get("id")): _words(row) for row in rows(order.get("tax_lines"))}
    seen = _seen(charges, found)
    return {
        tax_id: tax if tax.rate is not None else replace(tax, rate=_rate(seen.get(tax_id, []), words, tax_id, digits))
        for tax_id, tax in found.items()
    }


def _seen(charges: Sequence[Charge], taxes: dict[str, ShopTax]) -> dict[str, list[Seen]]:
    """Gather per tax what it was taken of: a compound one of the net and the plain taxes on it."""
    found: dict[str, list[Seen]] = {}
    for charge in charges:
        plain = sum((part.amount for part in charge.taxes if not taxes[part.tax_id].compound), ZERO)
        for part in charge.taxes:
            base = charge.net_fine + plain if taxes[part.tax_id].compound else charge.net_fine
            found.setdefault(part.tax_id, []).append(Seen(base=base, tax=part.amount))
    return found


def _rate(seen: list[Seen], words: dict[str, tuple[str, ...]], tax_id: str, digits: int) -> Decimal | None:
    told = rate_in_words(*words.get(tax_id, ()))
    if told is not None and fits(told, seen, digits):
        return told
    taxed = [one for one in seen if one.tax]
    if not taxed:
        return ZERO if seen else told
    # Amounts that agree on no rate still go on: under their own quotient the order is parked with its figures.
    return derived_rate(taxed, digits) or quotient(taxed)


def _words(row: Row) -> tuple[str, ...]:
    names = ("rate_code", "code", "label", "title")
    return tuple(text(row.get(name), NAME_CHARACTERS_MAX) for name in names)


def factor(charge: Charge, taxes: dict[str, ShopTax]) -> Decimal:
    """Give what a charge's net is multiplied by to have its taxes in it: 1.22; of 5 % and 2 % on top 1.071."""
    plain, compound = Decimal(1), Decimal(1)
    for tax in charged(charge, taxes):
        share = (tax.rate or ZERO) / _HUNDRED
        plain, compound = (plain, compound + share) if tax.compound else (plain + share, compound)
    return plain * compound


def charged(charge: Charge, taxes: dict[str, ShopTax]) -> Iterator[ShopTax]:
    """Give the taxes that are truly charged, the plain ones first.

    A tax of 0.00 where its rate would give more does not apply: WooCommerce states it so for shipping and fees.
    """
    parts = sorted(charge.taxes, key=lambda part: taxes[part.tax_id].compound)
    for part in parts:
        tax = taxes[part.tax_id]
        if tax.rate is not None and (part.amount or not tax.rate or abs(charge.net * tax.rate) < 1):
            yield tax
