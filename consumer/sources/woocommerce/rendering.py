"""A WooCommerce order's lines, shipping and fees in the words of the contract."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from consumer.domain.orders import Tax
from consumer.domain.rate_shares import rate_shares
from consumer.sources.woocommerce.charges import Charge, ShopTax, charged
from consumer.sources.woocommerce.payload import (
    NAME_CHARACTERS_MAX,
    PROSE_CHARACTERS_MAX,
    ZERO,
    Row,
    first_text,
    id_text,
    metas,
    rows,
    text,
    told,
    written,
)
from consumer.sources.woocommerce.presenting import Shape, Shown, without_rise

_DETAILS_MAX = 20
_GIFT_CARD_KEYS = ("wc_gc_giftcard_", "_wc_gc_giftcard_", "_ywgc_", "ywgc_", "pw_gift_card", "_pw_gift_card")
_BUNDLE_KEYS = {"_bundled_by": "_bundle_cart_key", "_composite_parent": "_composite_cart_key"}


def lines(shape: Shape, taxes: dict[str, ShopTax]) -> list[dict[str, Any]]:
    """Give the product lines; a line that comes free stays, with 0."""
    own = [one for one in shape.shown if one.charge.group == "line_items"]
    bundles = _bundle_ids(one.charge.row for one in own)
    return [_line(without_rise(one), taxes, bundles) for one in own]


def _line(shown: Shown, taxes: dict[str, ShopTax], bundles: Mapping[tuple[str, str], str]) -> dict[str, Any]:
    charge, row = shown.charge, shown.charge.row
    price = shown.before / charge.quantity if charge.quantity else shown.before
    fields = told(
        id=id_text(row.get("id")),
        parent_id=_parent_id(row, bundles),
        sku=text(row.get("sku")),
        name=first_text(row.get("name"), row.get("sku"), characters_max=NAME_CHARACTERS_MAX) or "Product",
        description=_description(row),
        kind="gift_card" if any(key.startswith(_GIFT_CARD_KEYS) for key in metas(row)) else None,
        tax_class=text(row.get("tax_class")),
        taxes=_taxes(charge, taxes),
        discount=written(shown.before - shown.amount) if shown.before != shown.amount else None,
    )
    return {
        **fields,
        "quantity": written(charge.quantity),
        "unit_price": written(price),
        "total": written(shown.amount),
    }


def _taxes(charge: Charge, taxes: dict[str, ShopTax]) -> list[dict[str, Any]]:
    return [_wire(tax) for tax in _stated(charge, taxes)]


def _stated(charge: Charge, taxes: dict[str, ShopTax]) -> list[Tax]:
    amounts: dict[str, Decimal] = {}
    for part in charge.taxes:
        amounts[part.tax_id] = amounts.get(part.tax_id, ZERO) + part.amount
    found = list({tax.tax_id: tax for tax in charged(charge, taxes)}.values())
    several = len(found) > 1  # a compound tax alone is a plain one
    return [
        Tax(rate=tax.rate or ZERO, name=tax.name, amount=amounts[tax.tax_id], compound=tax.compound and several)
        for tax in found
    ]


def _wire(tax: Tax) -> dict[str, Any]:
    amount = None if tax.amount is None else written(tax.amount)
    return {**told(name=tax.name, compound=tax.compound or None, amount=amount), "rate": written(tax.rate)}


def _description(row: Row) -> str:
    """Give the options that the customer chose; keys that begin with a line are WordPress's own."""
    details = []
    for entry in rows(row.get("meta_data")) or rows(row.get("meta")):
        key = text(entry.get("key"))
        shown = first_text(entry.get("display_value"), entry.get("value"), characters_max=500)
        if shown and key and not key.startswith("_"):
            label = first_text(entry.get("display_key"), entry.get("label")) or key.removeprefix("pa_")
            details.append(f"{label}: {shown}")
    return ", ".join(details[:_DETAILS_MAX])[:PROSE_CHARACTERS_MAX]


def _bundle_ids(found: Iterator[Row]) -> dict[tuple[str, str], str]:
    """Give the ids of lines by the keys that their parts name them with."""
    ids = {}
    for row in found:
        own = metas(row)
        for key in _BUNDLE_KEYS.values():
            if text(own.get(key)):
                ids[key, text(own.get(key))] = id_text(row.get("id"))
    return ids


def _parent_id(row: Row, bundles: Mapping[tuple[str, str], str]) -> str:
    direct = first_text(row.get("bundled_by"), row.get("composite_parent"))
    if direct and direct != "0":
        return id_text(direct)
    own = metas(row)
    return next(
        (found for key, target in _BUNDLE_KEYS.items() if (found := bundles.get((target, text(own.get(key))), ""))), ""
    )


# ---- shipping and fees ----------------------------------------------------------------------------------------------


def shipping(shape: Shape, taxes: dict[str, ShopTax], digits: int) -> list[dict[str, Any]]:
    """Give the shipping, split over its rates where the amounts of its taxes say so."""
    found = []
    for one in _of(shape, "shipping_lines"):
        row = one.charge.row
        method = first_text(row.get("method_title"), row.get("method_id"), characters_max=NAME_CHARACTERS_MAX)
        found += [told(method=method, **part) for part in _parts(one, taxes, shape, digits)]
    return found


def fees(shape: Shape, taxes: dict[str, ShopTax], digits: int) -> list[dict[str, Any]]:
    """Give the fees; one below zero is a discount that the shop made so, and stays as it is."""
    found = []
    for one in _of(shape, "fee_lines"):
        row = one.charge.row
        name = first_text(row.get("name"), row.get("title"), characters_max=NAME_CHARACTERS_MAX)
        found += [told(name=name, **part) for part in _parts(one, taxes, shape, digits)]
    return found


def _of(shape: Shape, group: str) -> Sequence[Shown]:
    return [one for one in shape.shown if one.charge.group == group]


def _parts(shown: Shown, taxes: dict[str, ShopTax], shape: Shape, digits: int) -> Iterator[dict[str, Any]]:
    stated = _stated(shown.charge, taxes)
    shares = rate_shares(stated, amount=shown.amount, reduction=ZERO, inclusive=shape.inclusive, digits=digits)
    if not shares:
        yield {"amount": written(shown.amount), "taxes": [_wire(tax) for tax in stated]}
    for share in shares:
        yield {"amount": written(share.amount), "taxes": [_wire(share.tax)]}
