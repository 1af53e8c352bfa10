"""Who, what and when of every person's action: no command changes anything without a name."""

from typing import Any

import pytest

from consumer.cli.reference_program import named_commands

# Commands without --as, and why they need none.
NAMELESS = {
    "doctor": "reads",
    "figures": "reads",
    "health": "reads",
    "keys check": "reads",
    "keys new": "prints a random key",
    "migrate": "the schema tells its version itself",
    "orders": "reads",
    "parked": "reads",
    "positions list": "reads",
    "rejected list": "reads, shows no person",
    "replay": "the program's own, every ten minutes; its runs are in replay_runs",
    "retention": "the program's own, once a day",
    "roles reader": "prints SQL",
    "roles sql": "prints SQL",
    "run": "the program itself",
}


def _all() -> dict[str, Any]:
    return dict(named_commands())


@pytest.mark.parametrize("name", sorted(_all()))
def test_a_command_takes_a_name_or_changes_nothing(name: str) -> None:
    """Each command has --as, or is one of the few that change nothing on a person's behalf."""
    takes_name = any("--as" in option.opts for option in _all()[name].params)
    assert takes_name != (name in NAMELESS), f"booked {name}"


def test_the_list_names_no_command_that_is_gone() -> None:
    """What stands in the list exists."""
    assert set(NAMELESS) <= set(_all())
