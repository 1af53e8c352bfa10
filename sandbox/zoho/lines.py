"""The lines of invoices and credit notes: read from a request, kept, and computed."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Literal, cast

from sandbox.zoho import checks
from sandbox.zoho.arithmetic import Bill, Discount, Line, Totals, compute
from sandbox.zoho.calls import Call, invalid, missing
from sandbox.zoho.numbers import decimal_of, round_half_up
from sandbox.zoho.taxes import tax_of

_QUANTITY_DIGITS = 2
_TEXTS: dict[str, int | None] = {
    "name": 100,
    "description": 2000,
    "unit": 100,
    "account_id": 100,
    "project_id": 100,
    "salesorder_item_id": 100,
    "tax_exemption_id": 100,
    "header_name": 100,
    "line_item_category": 100,
    "product_type": 100,
    "hsn_or_sac": 100,
    "invoice_id": 100,
    "invoice_item_id": 100,
}


def read_lines(call: Call, body: Mapping[str, Any], kept: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Read `line_items` in place of those that are there.

    A line that carries the id of one that is there changes it, and keeps what it does not name. Lines that are not
    named any more are gone.
    """
    given = checks.objects(body, "line_items")
    if not given:
        raise invalid("line_items")
    known = {line["line_item_id"]: line for line in kept}
    return [_read_line(call, line, known, position) for position, line in enumerate(given, start=1)]


def _read_line(
    call: Call, given: Mapping[str, Any], known: Mapping[str, dict[str, Any]], position: int
) -> dict[str, Any]:
    line_id = checks.text(call, given, "line_item_id")
    if line_id and line_id not in known:
        raise invalid("line_item_id")
    line = dict(known[line_id]) if line_id else _from_item(call, given) | {"line_item_id": call.ids.take()}
    line |= checks.texts(call, given, _TEXTS)
    line["item_order"] = checks.whole(given, "item_order", position)
    _read_figures(call, given, line)
    if given.get("tax_id") is not None:
        line["tax_id"] = checks.text(call, given, "tax_id")
    if line["tax_id"] and tax_of(call, line["tax_id"]) is None:
        raise invalid("tax_id")
    return line


def _from_item(call: Call, given: Mapping[str, Any]) -> dict[str, Any]:
    """Start a line from its item; without one it starts empty, if lines without items are allowed."""
    blank = {"item_id": "", "name": "", "description": "", "unit": "", "tax_id": "", "rate": None, "quantity": 1}
    item_id = checks.text(call, given, "item_id")
    if not item_id:
        if call.switch("line_without_item") == "refused":
            raise invalid("item_id")
        return blank
    item = call.store.get("item", call.organization.organization_id, item_id)
    if item is None:
        raise missing(call, f"The item {item_id}")
    taken = {name: item.body.get(name) or blank[name] for name in ("name", "description", "unit", "tax_id", "rate")}
    return blank | taken | {"item_id": item_id, "item_type": item.body.get("item_type", "sales")}


def _read_figures(call: Call, given: Mapping[str, Any], line: dict[str, Any]) -> None:
    line["rate"] = checks.amount(given, "rate", _stored(line["rate"]))
    line["quantity"] = checks.amount(given, "quantity", _stored(line["quantity"]))
    if line["quantity"] <= 0:
        raise invalid("quantity")
    if line["rate"] < 0 and call.switch("negative_line_rate") == "refused":
        raise invalid("rate", code=4)
    if call.switch("rate_digits") == "rounded":
        line["rate"] = round_half_up(line["rate"], call.organization.price_precision)
    if call.switch("quantity_digits") == "rounded":
        line["quantity"] = round_half_up(line["quantity"], _QUANTITY_DIGITS)
    for name in ("discount", "discount_amount"):
        if given.get(name) not in (None, ""):
            read_discount(given[name])
            line["discount"] = given[name]


def _stored(value: object) -> Decimal:
    return decimal_of(value) or Decimal(0)


def read_discount(value: object) -> Discount:
    """Read a discount: a number is an amount, a text with a percent sign a percentage. Refused with code 4."""
    is_percent = isinstance(value, str) and value.strip().endswith("%")
    read = decimal_of(value.strip().removesuffix("%").strip() if isinstance(value, str) else value)
    if read is None or read < 0 or (is_percent and read > 100):  # noqa: PLR2004  # a percentage ends at 100
        raise invalid("discount", code=4)
    return Discount(value=read, is_percent=is_percent)


def totals_of(call: Call, body: Mapping[str, Any]) -> Totals:
    """Compute the figures of an invoice or credit note as it is kept."""
    by_line = body["discount_type"] == "item_level"
    overridden = call.switch("sent_tax") == "overridden"
    lines = [
        Line(
            rate=_stored(line["rate"]),
            quantity=_stored(line["quantity"]),
            discount=read_discount(line["discount"]) if by_line and line.get("discount") else Discount(),
            tax=None if overridden or not line["tax_id"] else tax_of(call, line["tax_id"]),
        )
        for line in body["line_items"]
    ]
    return compute(_bill(call, body, lines))


def _bill(call: Call, body: Mapping[str, Any], lines: list[Line]) -> Bill:
    shipping_tax = body.get("shipping_charge_tax_id") or ""
    entity_discount = body["discount_type"] == "entity_level" and body.get("discount")
    return Bill(
        lines=lines,
        is_inclusive=bool(body["is_inclusive_tax"]),
        discount=read_discount(body["discount"]) if entity_discount else Discount(),
        is_discount_before_tax=bool(body["is_discount_before_tax"]),
        shipping_charge=_stored(body["shipping_charge"]),
        shipping_tax=tax_of(call, shipping_tax) if shipping_tax else None,
        is_shipping_inclusive=None if call.switch("shipping_charge_inclusive") == "as_invoice" else False,
        adjustment=_stored(body["adjustment"]),
        digits=int(body["price_precision"]),
        rounding=cast("Literal['entity_level', 'item_level']", call.switch("tax_rounding")),
    )
