"""The runner: bounded, complete, and honest about what failed; and what the table says of it."""

import asyncio
from decimal import Decimal
from pathlib import Path
from random import Random

import pytest

from consumer.failpoints import POINTS
from tests.chaos.oracle import Finding
from tests.chaos.points import chosen
from tests.chaos.registry import Fault, Trial, all_faults, fault
from tests.chaos.rig import Rig, met
from tests.chaos.running import percentile, run_all, table
from tests.chaos.story import FATES, Place, ProducerLog, Shop, interleaved, slices

RIG = Rig(kafka_servers="", postgres_admin_url="", ledger_url="", folder=Path())


async def test_trials_run_so_many_at_a_time_and_each_is_told() -> None:
    """Two at a time, never three; a trial that raises is a miss under its name, and the others go on."""
    inside = most = 0
    together = asyncio.Event()

    async def scenario(_rig: Rig, seed: int) -> Trial:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        if inside == 2:
            together.set()
        async with asyncio.timeout(10):
            await together.wait()
        inside -= 1
        if seed == 3:
            raise RuntimeError("planted")
        return Trial(name="X", seed=seed)

    trials = [trial async for trial in run_all(RIG, [("X", scenario, seed) for seed in range(5)], at_once=2)]
    assert most == 2
    assert sorted(trial.seed for trial in trials) == [0, 1, 2, 3, 4]
    assert [(trial.seed, trial.missed) for trial in trials if not trial.passed] == [(3, ("RuntimeError: planted",))]


def test_a_percentile_is_a_value_that_was_measured() -> None:
    """The nearest rank, and the greatest at the end."""
    assert [percentile([4.0, 1.0, 3.0, 2.0], share) for share in (0.0, 0.5, 0.99)] == [1.0, 3.0, 4.0]
    assert percentile([], 0.5) == 0.0


def test_the_table_counts_what_was_violated_and_names_the_seed() -> None:
    """One row per name and one for all; a violation stands with its invariant and its seed."""
    bad = Trial(name="p", seed=8, findings=[Finding(invariant="I2", what="C-1 has 2 live invoices")])
    text = table(
        [
            Trial(name="p", seed=7, restart_seconds=[0.5], figures={"stop_seconds": 1.25, "per_second": 18806.4}),
            bad,
            Trial(name="q", seed=7, skipped="no disk"),
        ],
        {},
    )
    assert "| p |  | 2 | 1 | 1 | 0.50 s | 0.50 s | stop seconds 1.25, per second 18,806 |" in text
    assert "| all |  | 2 | 1 | 1 | 0.50 s | 0.50 s |  |" in text
    assert "I1 0, I2 1, I3 0" in text
    assert "- p, seed 8: I2: C-1 has 2 live invoices" in text
    assert "- q was not run: no disk" in text


def test_points_are_chosen_by_name_and_by_number() -> None:
    """C5 stands for both of its points, and what there is not is refused by name."""
    assert sorted(chosen(["C5", "answer_read"])) == ["answer_read", "intent_committed", "lane_leased"]
    assert set(chosen(list(POINTS.values()))) == set(POINTS)
    with pytest.raises(KeyError, match="nowhere"):
        chosen(["nowhere"])


def test_every_fault_of_the_short_form_is_registered_once() -> None:
    """Two faults of one number are a mistake; those of `make chaos` are all there."""

    async def another(_rig: Rig, seed: int) -> Trial:
        return Trial(name="F1", seed=seed)

    registered = all_faults()
    short = {f"F{n}" for n in (*range(1, 10), *range(13, 19), *range(20, 23), *range(25, 28))}
    assert short <= {one.number.split()[0] for one in registered.values() if not one.soak}
    with pytest.raises(ValueError, match="registered twice"):
        fault("F1", "another")(another)
    assert isinstance(registered["F1"], Fault)


def test_a_log_says_which_point_was_met() -> None:
    """The line stands among others, and a log without one says so."""
    assert met('{"event": "x"}\n\n{"failpoint": "answer_read", "action": "kill9", "hit": 1}\n') == "answer_read"
    assert met("nothing") is None


def test_the_story_wants_the_newest_version_to_the_cent() -> None:
    """Whatever the sequence of its events, an order's newest version is wanted; VAT is 22 % of a whole net price."""
    lot = Random(5)  # noqa: S311 - draws for a test, no secret
    shop, log = Shop(lot), ProducerLog()
    orders = shop.orders(len(FATES))
    for number, saying in enumerate(interleaved(orders, lot)):
        log.sent.append((saying, _place(number)))
    wanted = log.wanted()
    assert len(wanted) == len(FATES)
    for order in orders:
        newest = max(order, key=lambda saying: saying.version)
        found = wanted[newest.order_id]
        assert (found.version, found.cancelled) == (newest.version, newest.kind == "cancelled")
        assert found.total == newest.total
        net = found.total - found.tax_total
        assert found.tax_total == net * Decimal("0.22")
        assert net == net.quantize(Decimal("0.01"))


def _place(number: int) -> Place:
    return Place(topic="t", partition=0, offset=number)


def test_slices_hold_everything_in_its_sequence() -> None:
    """Cut into parts, nothing is left out."""
    assert [list(part) for part in slices([1, 2, 3, 4, 5], 2)] == [[1, 2, 3], [4, 5]]
