"""A comparison as lines for a terminal, as JSON and as CSV."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from consumer.domain.money import ZERO
from consumer.domain.reconciling.findings import Finding
from consumer.domain.reconciling.months import MonthRow
from consumer.domain.reconciling.rates import RateSum
from consumer.domain.texts import plain
from consumer.services.reconcile_report import ReconcileReport

_SHOWN = 50  # findings, for a terminal; --json and --html show all that are kept
CSV_COLUMNS = (
    *("connection", "shop", "month", "currency", "vat_rate"),
    *("shop_net", "shop_vat", "shop_total", "ledger_net", "ledger_vat", "ledger_total"),
    *("difference_net", "difference_vat", "difference_total"),
)


def rate_words(rate: Decimal | None) -> str:
    """Write a rate; one that nobody tells is said so."""
    return "not told" if rate is None else plain(rate)


def money(amount: Decimal) -> str:
    """Write an amount with all its decimals, at least two, and a decimal point."""
    shown = amount or ZERO  # a nothing has no sign
    decimals = max(2, -int(shown.normalize().as_tuple().exponent))
    return f"{shown:.{decimals}f}"


def lines(report: ReconcileReport, *, adopting: bool) -> list[str]:
    """Say in sentences what a comparison came to."""
    days = f"{report.period.from_day} to {report.period.to_day}"
    told = [f"Connection {report.connection_id}, {days}: {report.counts.orders} orders compared."]
    told.append(source_words(report))
    for one in report.findings[:_SHOWN]:
        told += _finding_lines(one)
    if report.found > _SHOWN:
        told.append(f"… {report.found - _SHOWN} more findings: --json and --html name them.")
    told += [_month_line(row) for row in report.months]
    told += summary(report)
    if adopting or report.counts.adopted:
        told.append(_adopt_words(report))
    if report.stopped:
        told.append(f"Stopped before its end: {report.stopped}")
    return told


def source_words(report: ReconcileReport) -> str:
    """Say by what the ledger's figures are known."""
    counts = report.counts
    words = (
        f"{counts.listed} documents listed and {counts.reads} read by their ids, in {counts.calls} calls. "
        f"Figures of {counts.proven} are proven by total and last change as recorded, of {counts.read} were read."
    )
    moved = f" {counts.unlisted} stood on no page and are there: the list moved while it was read."
    return words + (moved if counts.unlisted else "")


def summary(report: ReconcileReport) -> list[str]:
    """Say how much was found, and what was left out."""
    kinds = ", ".join(f"{count} {kind}" for kind, count in report.findings_by_kind.items())
    told = [f"Findings: {kinds}; {report.explained} of them the orders themselves explain."]
    for (shop_id, currency), amount in sorted(report.unexplained.items()):
        told.append(f"Money unexplained, {shop_id}: {money(amount)} {currency}.")
    if report.left_out:
        told.append(f"Left out by choice: {report.counts.left_out} paid orders, {_sums(report.left_out)}.")
    if report.strangers:
        told.append(f"Not ours: {report.counts.strangers} documents of the ledger, {_sums(report.strangers)}.")
    return told


def _sums(sums: Mapping[str, Decimal]) -> str:
    return ", ".join(f"{money(amount)} {currency}" for currency, amount in sorted(sums.items()))


def _adopt_words(report: ReconcileReport) -> str:
    if report.dry:
        return f"{report.counts.adoptable} documents would be handed to the lane to adopt: --adopt --yes does it."
    return f"{report.counts.adopted} documents were handed to the lane to adopt; compare again once it is through."


def _finding_lines(one: Finding) -> list[str]:
    head = f"{one.kind.value} ({one.about.value.replace('_', ' ')}) order {one.key}: {one.words}"
    figures = (
        f"    shop {money(one.expected)}, ledger {money(one.found)}, difference {money(one.difference)} {one.currency}"
    )
    papers = [
        f"    {paper.kind} {paper.number} {paper.status} {money(paper.total)} {paper.url}" for paper in one.papers
    ]
    return [head, figures, *papers, f"    fix: {one.fix}"]


def _month_line(row: MonthRow) -> str:
    sides = ", ".join(f"{name} {_three(side)}" for name, side in (("shop", row.shop), ("ledger", row.ledger)))
    off = "" if not (row.difference.net or row.difference.tax) else f", difference {_three(row.difference)}"
    return f"{row.month} {row.shop_id} {rate_words(row.rate)} %: {sides}{off} {row.currency}"


def _three(side: RateSum) -> str:
    return f"{money(side.net)} + {money(side.tax)} = {money(side.gross)}"


# ---- for programs ----------------------------------------------------------------------------------------------------


def as_csv(reports: Sequence[ReconcileReport]) -> str:
    """Write one row per connection, shop, month, currency and rate; amounts with decimal points."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(CSV_COLUMNS)
    for report in reports:
        for row in report.months:
            sides = [part for side in (row.shop, row.ledger, row.difference) for part in _amounts(side)]
            head = (report.connection_id, row.shop_id, row.month, row.currency, rate_words(row.rate))
            writer.writerow([*map(_cell, head), *sides])
    return text.getvalue()


def _cell(text: str) -> str:
    """A text that begins as a formula is none: spreadsheets would compute it."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def _amounts(side: RateSum) -> Iterable[str]:
    return (money(side.net), money(side.tax), money(side.gross))


def as_json(report: ReconcileReport) -> dict[str, Any]:
    """Give the report as plain data; amounts are decimal strings."""
    return {
        "connection": report.connection_id,
        "organization": report.organization,
        "from": report.period.from_day.isoformat(),
        "to": report.period.to_day.isoformat(),
        "complete": not report.stopped,
        "stopped": report.stopped,
        "counts": {name: getattr(report.counts, name) for name in report.counts.__dataclass_fields__},
        "findings": [_plain_finding(one) for one in report.findings],
        "findings_by_kind": dict(report.findings_by_kind),
        "explained": report.explained,
        "unexplained": [
            {"shop": shop_id, "currency": currency, "amount": money(amount)}
            for (shop_id, currency), amount in sorted(report.unexplained.items())
        ],
        "months": [_plain_month(row) for row in report.months],
        "left_out": {currency: money(amount) for currency, amount in report.left_out.items()},
        "strangers": {currency: money(amount) for currency, amount in report.strangers.items()},
    }


def _plain_finding(one: Finding) -> dict[str, Any]:
    return {
        "kind": one.kind.value,
        "about": one.about.value,
        "shop": one.key.shop_id,
        "order": one.key.order_id,
        "order_number": one.order_number,
        "day": None if one.day is None else one.day.isoformat(),
        "currency": one.currency,
        "expected": money(one.expected),
        "found": money(one.found),
        "difference": money(one.difference),
        "money": money(one.money),
        "explained": one.explained,
        "documents": [
            {
                "kind": paper.kind,
                "id": paper.ledger_id,
                "number": paper.number,
                "status": paper.status,
                "total": money(paper.total),
                "url": paper.url,
            }
            for paper in one.papers
        ],
        "words": one.words,
        "fix": one.fix,
    }


def _plain_month(row: MonthRow) -> dict[str, Any]:
    sides = {"shop": row.shop, "ledger": row.ledger, "difference": row.difference}
    return {
        "shop_id": row.shop_id,
        "month": row.month,
        "currency": row.currency,
        "rate": None if row.rate is None else plain(row.rate),
        **{
            name: {"net": money(side.net), "vat": money(side.tax), "total": money(side.gross)}
            for name, side in sides.items()
        },
    }
