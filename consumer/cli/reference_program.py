"""The parts of the docs that are made from the program itself: states, commands, exit codes and metrics."""

import inspect
from collections.abc import Iterable, Iterator
from enum import Enum
from typing import Any, get_args

import typer
from prometheus_client import Counter, Gauge, Histogram
from prometheus_client.metrics import MetricWrapperBase

from consumer.cli.app import app
from consumer.cli.exits import Exit
from consumer.domain.states import TRANSITIONS, OrderState, ReasonCode
from consumer.observability.metrics import Metrics

W, D, U, B, P, N = OrderState  # in the order of the enum: waiting, due, uncertain, booked, parked, withdrawn

STATES: dict[OrderState, str] = {
    W: "Known, but not to be written now; the reason says why.",
    D: "The ledger does not yet agree with the newest revision.",
    U: "A write was sent and it is not known what came of it: the ledger is asked before anything is written again.",
    B: "The ledger agrees, and its own answer has proved it, to the cent.",
    P: "Refused, with a reason, a fix and a group; nothing else waits for it.",
    N: "There is no live document and none is wanted.",
}
STEPS: dict[tuple[OrderState, OrderState], str] = {
    (W, W): "What it waits for has changed: now for a payment, no longer for its shop.",
    (W, D): "It was paid, a setting lets it go on (`booked apply`), or somebody released it.",
    (W, N): "It was cancelled before it was booked.",
    (D, W): "A setting now keeps it back: automatic sending off, no organisation, no active connection.",
    (D, D): "The ledger was busy or did not answer, so it is tried again; or it changed while it was in hand.",
    (D, U): "A write was sent and no usable answer came.",
    (D, B): "The ledger's answer agrees with the order.",
    (D, P): "It cannot be mapped, the ledger refused it, the figures differ, or a person has to act.",
    (D, N): "It was cancelled, and no live document is left.",
    (U, U): "The write has not settled, or was not found at the first look.",
    (U, D): "It is known what came of the write; the rest is decided anew.",
    (U, B): "The document was found, and agrees.",
    (U, P): "A document that is not ours has the order's reference, or a person has to act.",
    (U, N): "The document was found void or gone, and the order is cancelled.",
    (B, B): "The same outcome was recorded again.",
    (B, D): "A newer revision has other content, or cancels it.",
    (B, W): "It changed while automatic sending is off.",
    (B, P): "It changed more than ten times within an hour.",
    (P, P): "It changed, and changes too often.",
    (P, D): "A newer revision came, somebody released it, or a setting, tax or currency it lacked is there.",
    (P, W): "A setting now keeps it back.",
    (P, N): "It was cancelled before the shop was told that it is parked.",
    (N, N): "It changed, and is still cancelled.",
    (N, D): "A newer revision took the cancellation back, or somebody released it.",
    (N, W): "A newer revision took the cancellation back, and something else keeps it waiting.",
}
EXITS: dict[Exit, str] = {
    Exit.DONE: "It did what was asked. `booked run`: it was told to stop, and has finished what was in hand.",
    Exit.FAILED: "Something else went wrong, a service of `booked run` died, or a question was answered with no.",
    Exit.USAGE: "The words of the command are off: an unknown option, a missing argument.",
    Exit.CONFIGURATION: "A setting, a file or a stored secret cannot be used; the message names it.",
    Exit.UNAVAILABLE: "Kafka or Postgres does not answer, the service is not alive, or `booked preview` lacks "
    "the ledger's taxes and currencies; the same call may work later.",
    Exit.NOT_FOUND: "Nothing is known of the order, shop, group or message asked for.",
    Exit.REFUSED: "The ledger or its accounts server refused or did not answer, or access was not allowed. "
    "`booked order`: what was asked cannot be done; the message says what to do first.",
    Exit.FINDINGS: "`booked doctor` found something wrong, `booked preview` an order that would park; `booked order` "
    "left the order otherwise than was asked, `booked rejected retry` a message that is still bad; "
    "`booked reconcile` found that shop and ledger differ.",
    Exit.STOPPED: "`booked reconcile` stopped before its end, and says why; `--resume` goes on from there.",
}
KINDS: dict[type[MetricWrapperBase], tuple[str, str]] = {
    Counter: ("counter", "_total"),
    Gauge: ("gauge", ""),
    Histogram: ("histogram", ""),
}


def row(*cells: str) -> str:
    """Give one row of a table in Markdown."""
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def table(*header: str) -> Iterator[str]:
    """Give the head of a table in Markdown."""
    yield row(*header)
    yield row(*("---" for _ in header))


def states() -> Iterator[str]:
    """Give the states of an order with their meanings."""
    yield from table("state", "meaning")
    for state in OrderState:
        yield row(f"`{state.value}`", STATES[state])


def drawing() -> Iterator[str]:
    """Draw the steps between different states; a new order may begin waiting, due or withdrawn."""
    yield "```mermaid"
    yield "stateDiagram-v2"
    for state in (W, D, N):
        yield f"    [*] --> {state.value}"
    for before, after in _steps():
        if before is not after:
            yield f"    {before.value} --> {after.value}"
    yield "```"


def steps() -> Iterator[str]:
    """Give every step that the table of transitions allows, with what leads to it."""
    yield from table("from", "to", "when")
    for before, after in _steps():
        yield row(f"`{before.value}`", f"`{after.value}`", STEPS[before, after])


def _steps() -> Iterator[tuple[OrderState, OrderState]]:
    return ((before, after) for before in OrderState for after in OrderState if after in TRANSITIONS[before])


def exit_codes() -> Iterator[str]:
    """Give the exit codes of the command."""
    yield from table("code", "name", "meaning")
    for code in Exit:
        yield row(str(code.value), code.name.lower(), EXITS[code])


def commands() -> Iterator[str]:
    """Give every command with its arguments and options."""
    for name, command in named_commands():
        yield f"### `booked {name}`"
        yield ""
        yield inspect.cleandoc(command.help or "")
        yield ""
        parameters = [parameter for parameter in command.params if parameter.name != "help"]
        if parameters:
            yield from table("argument or option", "default", "meaning")
            yield from (_parameter(parameter) for parameter in parameters)
            yield ""


def named_commands() -> Iterator[tuple[str, Any]]:
    """Walk the commands by their whole names, such as ``keys new``."""
    yield from _below(typer.main.get_command(app), "")


def _below(group: Any, prefix: str) -> Iterator[tuple[str, Any]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from _below(command, f"{prefix}{name} ")
        else:
            yield prefix + name, command


def _parameter(parameter: Any) -> str:
    argument = parameter.param_type_name == "argument"
    name = (parameter.metavar or parameter.name).upper() if argument else ", ".join(parameter.opts)
    default = "required" if parameter.required else _default(parameter.default)
    meaning = " ".join([parameter.help or "", *_choices(parameter.type_descriptor.annotation)])
    return row(f"`{name}`", default, meaning)


def _choices(annotation: Any) -> Iterator[str]:
    for kind in (annotation, *get_args(annotation)):
        if kind is ReasonCode:
            yield "One of the codes in [errors.md](errors.md)."
        elif isinstance(kind, type) and issubclass(kind, Enum):
            yield f"One of {', '.join(str(member.value) for member in kind)}."


def _default(value: Any) -> str:
    return "-" if value in (None, False, ()) else f"`{getattr(value, 'value', value)}`"


def metrics() -> Iterator[str]:
    """Give every metric by the name that Prometheus sees, with its labels."""
    yield from table("metric", "kind", "labels", "meaning")
    for metric in _metrics(vars(Metrics()).values()):
        kind, ending = KINDS[type(metric)]
        family = next(iter(metric.describe()))
        labels = metric._labelnames  # noqa: SLF001 the client library tells a metric's labels nowhere else
        yield row(f"`{family.name}{ending}`", kind, ", ".join(labels) or "-", family.documentation)


def _metrics(values: Iterable[object]) -> Iterator[MetricWrapperBase]:
    return (value for value in values if isinstance(value, MetricWrapperBase))
