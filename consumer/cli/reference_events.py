"""The table of docs/states.md that says what becomes of an order when something happens to it: event by state.

The settings are the defaults, the invoice is a draft that nobody touched. Each cell is proved by a test of the same
name, which brings an order into the state, lets the event come, and looks at the ledger and at where the order ends.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from consumer.domain.states import OrderState

W, D, U, B, P, N = OrderState  # in the order of the enum: waiting, due, uncertain, booked, parked, withdrawn
PROOF = "tests/services/booking/test_events_by_state.py::test_event_by_state"


class Action(StrEnum):
    """What is written in the ledger, in the words of the table."""

    NOTHING = "nothing"
    MADE = "invoice made"
    FOUND = "found in the ledger"
    UPDATED = "draft corrected"
    VOID = "draft made void"
    DELETED = "draft deleted"


@dataclass(frozen=True, slots=True)
class Cell:
    """What is done, and the state that it ends in when nothing is left to do."""

    action: Action
    after: OrderState


@dataclass(frozen=True, slots=True)
class Row:
    """One event: its cells by the state in which it comes, and how it is told apart in the tests' names."""

    event: str
    meaning: str
    cells: tuple[Cell, Cell, Cell, Cell, Cell, Cell]  # in the order of the states

    def at(self, state: OrderState) -> Cell:
        """Give the cell of a state."""
        return self.cells[tuple(OrderState).index(state)]


def _row(event: str, meaning: str, *cells: tuple[Action, OrderState]) -> Row:
    first, second, third, fourth, fifth, sixth = (Cell(*cell) for cell in cells)
    return Row(event, meaning, (first, second, third, fourth, fifth, sixth))


_KEPT, _FOUND, _MADE = (Action.NOTHING, B), (Action.FOUND, B), (Action.MADE, B)
_UNPAID, _HELD, _GONE = (Action.NOTHING, W), (Action.NOTHING, W), (Action.NOTHING, N)
_UPDATED, _ASKS = (Action.UPDATED, B), (Action.NOTHING, P)
_VOID, _DELETED = (Action.VOID, N), (Action.DELETED, N)

# Cells in the order of the states: waiting, due, uncertain, booked, parked, withdrawn.
ROWS = (
    _row("order.paid", "`order.paid`", _MADE, _MADE, _FOUND, _KEPT, _MADE, _GONE),
    _row("order.updated", "`order.updated`, another amount", _UNPAID, _MADE, _UPDATED, _UPDATED, _MADE, _GONE),
    _row(
        "order.updated, nothing on the document",
        "`order.updated`, nothing that stands on the document",
        *(_UNPAID, _MADE, _FOUND, _KEPT, _MADE, _GONE),
    ),
    _row(
        "order.updated with a refund",
        "`order.updated`, a part was given back",
        *(_UNPAID, _MADE, _UPDATED, _UPDATED, _MADE, _GONE),
    ),
    _row(
        "order.updated, payment taken back",
        "`order.updated`, its payment was taken back",
        *(_UNPAID, _UNPAID, (Action.FOUND, P), _ASKS, _UNPAID, _GONE),
    ),
    _row(
        "order.updated, no longer cancelled",
        "`order.updated`, not cancelled any more",
        *(_UNPAID, _MADE, _FOUND, _KEPT, _MADE, _MADE),
    ),
    _row("order.cancelled", "`order.cancelled`", _GONE, _GONE, _VOID, _VOID, _GONE, _GONE),
    _row("generate", "a person: generate", _MADE, _MADE, _FOUND, _KEPT, _ASKS, _GONE),
    _row("update", "a person: update", _UNPAID, _MADE, _FOUND, _KEPT, _ASKS, _GONE),
    _row("delete", "a person: delete", _UNPAID, _MADE, _DELETED, _DELETED, _ASKS, _GONE),
    _row("hold", "a person: hold", _HELD, _HELD, (Action.FOUND, W), _HELD, _HELD, _HELD),
    _row("release", "a person: release", _MADE, _MADE, _FOUND, _KEPT, _ASKS, _GONE),
    _row("ignore", "a person: ignore", _GONE, _GONE, (Action.FOUND, W), _HELD, _GONE, _GONE),
)


def proof_name(row: Row, state: OrderState) -> str:
    """Give the part of the test's name that tells the cell."""
    return f"{row.event}-{state.value}"


def events() -> Iterator[str]:
    """Give the table's lines; each cell says what is done, where the order ends, and its test."""
    yield f"| event | {' | '.join(f'`{state.value}`' for state in OrderState)} |"
    yield "| --- |" + " --- |" * len(OrderState)
    for number, row in enumerate(ROWS, 1):
        cells = (
            f"{row.at(state).action.value}: `{row.at(state).after.value}` ({number}.{place})"
            for place, state in enumerate(OrderState, 1)
        )
        yield f"| {row.meaning} | {' | '.join(cells)} |"
    yield ""
    yield f"The test of each cell is `{PROOF}[…]`:"
    yield ""
    for number, row in enumerate(ROWS, 1):
        names = (f"{number}.{place} `{proof_name(row, state)}`" for place, state in enumerate(OrderState, 1))
        yield f"- {', '.join(names)}"
