"""Each cell of the table in docs/states.md: what an event does to an order in a state, seen in the ledger."""

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from consumer.cli.reference_events import PROOF, ROWS, Action, Row, proof_name
from consumer.domain.states import TRANSITIONS, OrderState
from tests.services.booking.by_state import EVENTS, played_from

PAGE = Path(__file__).parents[3] / "docs" / "states.md"
CELLS = [(row, state) for row in ROWS for state in OrderState]
NAMES = [proof_name(row, state) for row, state in CELLS]

# What each word of the table stands for, in writes to the ledger. A create that the lost answer of the state before
# had made is found, and is no write of this event.
WRITES: Mapping[Action, list[str]] = {
    Action.NOTHING: [],
    Action.FOUND: [],
    Action.MADE: ["create_invoice"],
    Action.UPDATED: ["update_invoice"],
    Action.VOID: ["void_invoice"],
    Action.DELETED: ["delete_invoice"],
}


@pytest.mark.parametrize(("row", "state"), CELLS, ids=NAMES)
def test_event_by_state(row: Row, state: OrderState) -> None:
    """Brought into the state, the event comes: the writes are those of the cell, and so is the state at the end."""
    cell = row.at(state)
    world = played_from(state, row.event)
    writes = [name for name in world.writes() if name != "create_contact"]
    assert (writes, world.state()) == (WRITES[cell.action], cell.after)
    assert world.open_intents() == []
    assert len(world.live()) <= 1


def test_every_event_of_the_table_is_played_and_every_one_played_is_in_it() -> None:
    """No row without its event, no cell without its state."""
    assert [row.event for row in ROWS] == list(EVENTS)
    assert all(len(row.cells) == len(OrderState) for row in ROWS)


@pytest.mark.parametrize(("row", "state"), CELLS, ids=NAMES)
def test_the_steps_of_each_cell_are_in_the_table_of_transitions(row: Row, state: OrderState) -> None:
    """At once, or by way of the lane's own states."""
    on_the_way = {state, OrderState.DUE} if OrderState.DUE in TRANSITIONS[state] else {state}
    assert any(row.at(state).after in TRANSITIONS[one] for one in on_the_way)


def test_every_cell_of_the_page_is_filled_and_names_a_test_that_exists() -> None:
    """Read back from docs/states.md: by number each cell has its test, and that test is one of this file."""
    text = PAGE.read_text(encoding="utf-8")
    part = text.partition("<!-- begin events -->")[2].partition("<!-- end events -->")[0]
    rows = [line.strip("|").split("|")[1:] for line in part.splitlines() if line.startswith("| ")][2:]
    numbers = [re.search(r"\((\d+\.\d)\)$", cell.strip()) for row in rows for cell in row]
    assert len(numbers) == len(CELLS)
    assert None not in numbers
    named = dict(re.findall(r"(\d+\.\d) `([^`]+)`", part))
    assert [named[found[1]] for found in numbers if found is not None] == NAMES
    assert PROOF.partition("::")[2] in globals()
    assert PROOF.partition("::")[0] == Path(__file__).relative_to(PAGE.parents[1]).as_posix()
