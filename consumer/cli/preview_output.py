"""How `booked preview` prints what it found: for people, and as JSON for a program."""

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from rich.console import Console
from rich.table import Table

from consumer.adapters.zoho.encoding import read_json
from consumer.domain.money import minor_digits
from consumer.domain.orders import RateFigures
from consumer.domain.texts import plain
from consumer.services.previewing import Preview

_DECISIONS = {
    "create": "An invoice would be made.",
    "update": "The invoice would be brought up to date.",
    "void": "The invoice would be made void.",
    "nothing": "Nothing would be sent.",
    "look": "The ledger would be looked at first.",
    "park": "It would be parked.",
}


def as_data(shown: Preview) -> dict[str, Any]:
    """Give the preview as JSON has it: amounts with the currency's decimals, each body as the text that is sent."""
    expected = None if shown.mapped is None else shown.mapped.expected
    totals, digits = shown.order.totals, minor_digits(shown.order.currency)
    reason = shown.reason
    return {
        "shop_id": shown.key.shop_id,
        "order_id": shown.key.order_id,
        "decision": shown.decision,
        "reason": None if reason is None else {"code": reason.code, "message": reason.message, "fix": reason.fix},
        "customer": shown.customer or None,
        "requests": [
            {"method": one.method, "path": one.path, "query": dict(one.query), "body": one.body or None}
            for one in shown.sendings
        ],
        "currency": shown.order.currency,
        "total": {
            "ledger": None if expected is None else with_decimals(expected.total, digits),
            "shop": with_decimals(totals.grand_total, digits),
        },
        "tax": {
            "ledger": None if expected is None else with_decimals(expected.tax_total, digits),
            "shop": with_decimals(totals.tax, digits),
        },
        "rates": [
            {"rate": plain(rate), "ledger": _row(ours, digits), "shop": _row(theirs, digits)}
            for rate, ours, theirs in shown.rates
        ],
        "layout": [] if shown.mapped is None else list(shown.mapped.words),
        "remarks": list(shown.remarks),
    }


def _row(figures: RateFigures | None, digits: int) -> dict[str, str | None] | None:
    if figures is None:
        return None
    return {"net": with_decimals(figures.net, digits), "tax": with_decimals(figures.tax, digits)}


def with_decimals(amount: Decimal | None, digits: int) -> str | None:
    """Write an amount with at least the currency's decimals, and with all of its own: ``24.40``, ``0.335``."""
    if amount is None:
        return None
    whole, _, fraction = plain(amount).partition(".")
    return f"{whole}.{fraction.ljust(digits, '0')}" if digits or fraction else whole


def print_preview(shown: Preview, out: Console) -> None:
    """Print the preview; whatever came from outside is never markup."""
    out.print(f"Order {shown.order.number or shown.key.order_id} of shop {shown.key.shop_id}", markup=False)
    out.print(_DECISIONS[shown.decision], style="bold")
    for line in _said(shown):
        out.print(line, markup=False)
    out.print(_figures(shown))
    for sending in shown.sendings:
        query = "&".join(f"{name}={value}" for name, value in sending.query.items())
        out.print(f"\n{sending.method} {sending.path}?{query}", style="bold", markup=False)
        if sending.body:
            out.print(_indented(read_json(sending.body.encode())), markup=False)
    out.print("\nNothing was sent and nothing was written.")


def _said(shown: Preview) -> Iterator[str]:
    if shown.reason is not None:
        yield f"Why ({shown.reason.code.value}): {shown.reason.message}"
    if shown.reason is not None and shown.reason.fix:
        yield f"Fix: {shown.reason.fix}"
    if shown.customer:
        yield f"Customer: {shown.customer}"
    yield from (() if shown.mapped is None else shown.mapped.words)
    yield from shown.remarks


def _figures(shown: Preview) -> Table:
    totals, digits = shown.order.totals, minor_digits(shown.order.currency)
    table = Table(shown.order.currency, "Ledger, as computed", "Shop")

    def add(what: str, ours: Decimal | None, theirs: Decimal | None) -> None:
        table.add_row(what, with_decimals(ours, digits) or "-", with_decimals(theirs, digits) or "-")

    for rate, ours, theirs in shown.rates:
        add(f"Net at {plain(rate)} %", ours.net if ours else None, theirs.net if theirs else None)
        add(f"VAT at {plain(rate)} %", ours.tax if ours else None, theirs.tax if theirs else None)
    expected = None if shown.mapped is None else shown.mapped.expected
    add("VAT", expected.tax_total if expected else None, totals.tax)
    add("Total", expected.total if expected else None, totals.grand_total)
    return table


def _indented(value: Any, before: str = "") -> str:
    """Write JSON one field a line. A number keeps the digits that are sent, which the library's doubles would not."""
    inner = f"{before}  "
    if isinstance(value, dict) and value:
        rows = [f"{inner}{json.dumps(name)}: {_indented(one, inner)}" for name, one in value.items()]
        return "{\n" + ",\n".join(rows) + f"\n{before}}}"
    if isinstance(value, list) and value:
        return "[\n" + ",\n".join(inner + _indented(one, inner) for one in value) + f"\n{before}]"
    return format(value, "f") if isinstance(value, Decimal) else json.dumps(value, ensure_ascii=False)
