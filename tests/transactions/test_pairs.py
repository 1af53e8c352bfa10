"""Two transactions of the port, stepped statement by statement in all orders, end as if one came after the other.

Here a sample of the pairs, another at each run; all of them by `python -m tests.transactions.all`.
"""

import os
import random

import pytest

from tests.transactions.pairing import sample
from tests.transactions.pairs import Theatre
from tests.transactions.scenarios.every import SCENARIOS, methods_of_the_port
from tests.transactions.scenarios.scenario import Scenario, nothing

pytestmark = pytest.mark.asyncio(loop_scope="session")
ORDERS = 600  # a quarter of a minute on a machine with nothing else to do


async def test_every_method_of_the_port_has_a_scenario() -> None:
    """A method that is added to a port of a store is stepped too, or this fails and names it."""
    assert methods_of_the_port() - {scenario.method for scenario in SCENARIOS} == set()
    assert {scenario.method for scenario in SCENARIOS} - methods_of_the_port() == set()
    assert len({scenario.name for scenario in SCENARIOS}) == len(SCENARIOS)


async def test_a_sample_of_pairs_ends_like_sequences_in_every_order(theatre: Theatre) -> None:
    """Whatever pairs chance gives: no order ends otherwise than A then B, or B then A; no deadlock comes out."""
    seed = os.environ.get("TRANSACTIONS_SEED") or str(random.randrange(10**6))  # noqa: S311 - no secret
    total = await sample(theatre, SCENARIOS, seed, ORDERS)
    assert not total.problems, f"TRANSACTIONS_SEED={seed}\n" + "\n\n".join(total.problems)
    assert total.orders >= ORDERS
    assert total.waits > 0


async def test_no_scenario_is_idle(theatre: Theatre) -> None:
    """Every scenario comes to a statement, and none ends in an unavailable database: nothing is explored in vain."""
    for scenario in SCENARIOS:
        await theatre.kept.restore(theatre.stage.observer, theatre.kept.schema.tables, scenario.prepare)
        actor = theatre.actor(0)
        result = await theatre.run(actor, scenario.call)
        assert actor.statements, scenario.name
        raised = result[1] if isinstance(result, tuple) and result[:1] == ("raised",) else ""
        assert raised in ("", "FencedError", "ConfigurationError"), (scenario.name, result)


async def test_an_end_like_no_sequence_is_found(theatre: Theatre) -> None:
    """The comparison bites: a look and a write in two transactions of their own, twice at once, lose one of two."""

    async def count_up(stores: object) -> None:
        database = stores.lanes._database  # type: ignore[attr-defined]  # the stores of this package's scene
        async with database.connection() as connection:
            page = await connection.fetchval("SELECT sweep_page FROM lanes WHERE connection_id = 'books'")
        async with database.connection() as connection:
            await connection.execute("UPDATE lanes SET sweep_page = $1 WHERE connection_id = 'books'", page + 1)

    torn = Scenario(method="torn", call=count_up)
    found = await theatre.explore((torn, torn))
    assert found.problems
    assert "sweep_page" in found.problems[0]
    assert not (await theatre.explore((torn, Scenario(method="idle", call=nothing(None))))).problems


@pytest.mark.parametrize("first", [0, 1])
async def test_a_step_is_not_taken_while_the_other_holds_the_lock(theatre: Theatre, first: int) -> None:
    """The stepper itself: of two that change one row, whoever is second waits, in every order but the sequences."""
    touched = [scenario for scenario in SCENARIOS if scenario.name in ("LaneStore.wake", "CallStore.throttle")]
    found = await theatre.explore((touched[first], touched[1 - first]))
    assert found.orders > 2
    assert found.blocked > 0
    assert not found.problems
