"""What the demo prints: tables of what came of each order, of what was parked and why, of calls; the summary."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from rich.console import Console
from rich.table import Table
from rich.text import Text

from sandbox.demo.counting import PROMISED, CallCount, Case
from sandbox.demo.judging import BOOKED, PARKED, Fault, Judgement, Outcome
from sandbox.shop.expectations import NotBooked

RAISED_CALLS_A_MINUTE = 3_000


def raised_limit_words(orders: int) -> str:
    """Say that the pace is not Zoho's: on the first and on the last line."""
    return f"for these {orders} both sides, Booked and the ledger, were told {RAISED_CALLS_A_MINUTE:,} calls a minute"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One part of the demo, judged: a shop's orders in an organisation of their own."""

    title: str
    judgement: Judgement
    calls: CallCount


def show_part(console: Console, part: Part) -> None:
    """Print all that came of a part's orders."""
    console.print()
    console.print(_orders_table(part.title, part.judgement.outcomes))
    refused = [one for one in part.judgement.outcomes if one.state not in (BOOKED, "")]
    if refused:
        console.print(_refused_table(refused))
    console.print(_calls_table(part.calls, len(part.judgement.outcomes)))
    for sentence in _faults(part.judgement):
        console.print(sentence, style="bold red", markup=False, highlight=False)


def _orders_table(title: str, outcomes: Sequence[Outcome]) -> Table:
    table = Table("Order", title=title, title_justify="left", title_style="bold")
    table.add_column("Order total", justify="right")
    table.add_column("Invoice")
    table.add_column("Ledger total", justify="right")
    table.add_column("Difference", justify="right")
    for outcome in outcomes:
        table.add_row(*_order_row(outcome), style="red" if outcome.faults else None)
    return table


def _order_row(outcome: Outcome) -> tuple[Text, ...]:
    order, invoice, difference = outcome.order, outcome.invoice, outcome.difference
    return tuple(
        Text(text)
        for text in (
            str(order.data.get("number") or order.key[1]),
            f"{order.total} {order.currency}",
            invoice.number if invoice is not None else _without_invoice(outcome),
            "" if invoice is None else f"{money(invoice.total)} {invoice.currency}",
            "" if difference is None else money(difference),
        )
    )


def _without_invoice(outcome: Outcome) -> str:
    expected = outcome.order.expected
    if isinstance(expected, NotBooked) and outcome.state in ("", "withdrawn"):
        return f"none, it is {expected.status}"
    return outcome.state or "nothing yet"


def money(amount: Decimal) -> str:
    """Write an amount with at least two decimals."""
    exponent = amount.as_tuple().exponent
    return f"{amount:.2f}" if isinstance(exponent, int) and exponent > -2 else f"{amount:f}"  # noqa: PLR2004 as money is written


def _refused_table(outcomes: Sequence[Outcome]) -> Table:
    table = Table("Order", "State", "Reason", "Why", "What helps", title="Not booked", title_justify="left")
    for outcome in outcomes:
        reason, why, fix = _refusal(outcome)
        cells = (str(outcome.order.data.get("number") or outcome.order.key[1]), outcome.state, reason, why, fix)
        table.add_row(*map(Text, cells), style="red" if outcome.faults else None)
    return table


def _refusal(outcome: Outcome) -> tuple[str, str, str]:
    if outcome.told is not None:
        return outcome.told.reason, outcome.told.message, outcome.told.fix
    if outcome.refused is not None:
        return outcome.refused.reason, outcome.refused.message, "Correct the message and send it again."
    return "", "", ""


def _calls_table(calls: CallCount, orders: int) -> Table:
    title = f"Calls counted by the ledger: {calls.total} in all, {per_order(calls.total, orders)} per order"
    table = Table("Customer", title=title, title_justify="left")
    for name in ("Orders", "Promised", "Fewest", "Most"):
        table.add_column(name, justify="right")
    for case in Case:
        counted = calls.calls_of(case)
        if counted:
            promised = str(PROMISED.get(case, "-"))
            table.add_row(case.value, str(len(counted)), promised, str(counted[0]), str(counted[-1]))
    return table


def per_order(calls: int, orders: int) -> str:
    """Write calls per order with two decimals."""
    return f"{Decimal(calls) / Decimal(max(1, orders)):.2f}"


def _faults(judgement: Judgement) -> Iterator[str]:
    for outcome in judgement.outcomes:
        for fault, sentence in outcome.faults:
            yield f"WRONG ({fault}) order {'/'.join(outcome.order.key)}: {sentence}"
    for invoice in judgement.strays:
        yield f"WRONG: the ledger has invoice {invoice.number} ({invoice.total} {invoice.currency}) of no order of ours"


def summary(parts: Sequence[Part], seconds: float, *, raised_orders: int) -> str:
    """Write the last line: the whole run in figures; calls per order are those of the first part, by all its calls."""
    judgements = [part.judgement for part in parts]
    orders = sum(len(one.outcomes) for one in judgements)
    states = {state: sum(len(one.in_state(state)) for one in judgements) for state in (BOOKED, PARKED, "rejected")}
    faults = {fault: sum(one.count(fault) for one in judgements) for fault in Fault}
    strays = sum(len(one.strays) for one in judgements)
    first = parts[0]
    return (
        f"{orders} orders: {states[BOOKED]} booked, {states[PARKED]} parked, {states['rejected']} rejected, "
        f"{faults[Fault.LOST]} lost, {faults[Fault.DOUBLED]} doubled, {faults[Fault.OFF]} off by a cent, "
        f"{faults[Fault.OTHER] + strays} otherwise wrong; "
        f"{per_order(first.calls.total, len(first.judgement.outcomes))} calls per order; {seconds:.1f} seconds "
        f"({raised_limit_words(raised_orders)})"
    )
