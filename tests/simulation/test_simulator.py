"""The simulator itself: what is dead does nothing more, a seed is one trace, and a planted bug is found."""

import asyncio
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from consumer.adapters.memory.ledger_book import LedgerBook
from consumer.domain.ledger import Page
from consumer.ports.intake import OutboxRow
from consumer.services.relay import Relay
from consumer.services.waiting import first_of
from tests.interleaving.telling import lot
from tests.simulation.aiming import EVEN_UNTIL, aim_of
from tests.simulation.coverage import CELLS, EXEMPT, coverage, excepted, is_exempt, lacking
from tests.simulation.faults import PAIRS, FaultKind, Faults
from tests.simulation.loop import EverybodyWaitsError, Owner, SimulatedLoop, run
from tests.simulation.main import AIMED_MOST, _aimed
from tests.simulation.plan import make_plan
from tests.simulation.schedule import Sum, play
from tests.simulation.sites import Aims, all_sites, standing

ROOT = Path(__file__).parents[2]
PLANTED_FROM, PLANTED_WITHIN = 30, 60  # the first seed, and how many; most aim at bookings and calls
COMMAND_SECONDS = 300


def loop_of(seed: int) -> SimulatedLoop:
    """Make a loop in which the lot chooses every step."""
    return SimulatedLoop(lot(seed), wildness=1.0)


def test_a_dead_process_does_nothing_more_not_even_its_finally() -> None:
    """Killed while it waits: no ``finally``, no ``except``, no timer, no done callback of its tasks ever runs."""
    loop, heard = loop_of(1), list[str]()

    async def life() -> None:
        asyncio.get_running_loop().call_later(3.0, heard.append, "timer")
        try:
            async with asyncio.timeout(50.0):
                while True:
                    await asyncio.sleep(1.0)
                    heard.append("step")
        except BaseException:
            heard.append("except")
            raise
        finally:
            heard.append("finally")

    async def world() -> None:
        owner = Owner("p")
        loop.start(owner, life()).add_done_callback(lambda _: heard.append("done"))
        await asyncio.sleep(2.5)
        loop.kill(owner)
        await asyncio.sleep(100.0)

    run(loop, world())
    assert heard == ["step", "step"]


def test_what_a_dead_process_awaited_may_come_and_finds_nobody() -> None:
    """A lock that it held stays held, a future that it awaited is set in vain, and others go on."""
    loop, heard = loop_of(2), list[str]()

    async def life(answer: "asyncio.Future[None]") -> None:
        await answer
        heard.append("answered")

    async def world() -> None:
        owner, answer = Owner("p"), loop.create_future()
        loop.start(owner, life(answer))
        await asyncio.sleep(1.0)
        loop.kill(owner)
        answer.set_result(None)
        await asyncio.sleep(1.0)
        heard.append("world")

    run(loop, world())
    assert heard == ["world"]


def test_a_paused_process_goes_on_where_it_stood_once_it_is_woken() -> None:
    """Its timers come due meanwhile and are not run; after the waking they are, at the later time."""
    loop, heard = loop_of(3), list[float]()

    async def life() -> None:
        await asyncio.sleep(1.0)
        heard.append(loop.time())

    async def world() -> None:
        owner = Owner("p")
        loop.start(owner, life())
        await asyncio.sleep(0.5)
        loop.pause(owner)
        await asyncio.sleep(9.5)
        assert not heard
        loop.wake(owner)
        await asyncio.sleep(1.0)

    run(loop, world())
    assert heard == [10.0]


def test_a_world_in_which_everybody_waits_for_ever_is_an_error() -> None:
    """It raises instead of standing still."""
    loop = loop_of(4)

    async def world() -> None:
        await loop.create_future()

    with pytest.raises(EverybodyWaitsError):
        run(loop, world())


@pytest.mark.parametrize("wildness", [0.0, 1.0])
def test_the_lot_decides_the_order_of_what_is_ready(wildness: float) -> None:
    """Without wildness it is the order of becoming ready; with it, seeds give several orders, each seed one."""

    def order(seed: int) -> tuple[int, ...]:
        loop, heard = SimulatedLoop(lot(seed), wildness=wildness), list[int]()

        async def one(number: int) -> None:
            heard.append(number)

        async def world() -> None:
            await asyncio.gather(*(one(number) for number in range(5)))

        run(loop, world())
        return tuple(heard)

    assert [order(seed) for seed in range(20)] == [order(seed) for seed in range(20)]
    orders = {order(seed) for seed in range(20)}
    assert orders == {(0, 1, 2, 3, 4)} if wildness == 0.0 else len(orders) > 5


def test_the_places_of_a_waiting_task_are_found_from_the_outermost_to_the_innermost() -> None:
    """A task inside the services stands at each of the awaits between its beginning and what it waits for."""
    loop = loop_of(5)

    async def world() -> list[str]:
        task = loop.start(Owner("p"), first_of(asyncio.Event().wait(), timeout_seconds=9.0))
        await asyncio.sleep(1.0)
        return [f"{site.file} {site.function}: {site.code}" for site in standing(task)]

    (place,) = run(loop, world())
    assert place.startswith("waiting.py first_of: await asyncio.wait(")


def test_every_place_of_the_services_is_known_once() -> None:
    """No two sites are one, and the awaits that everything rests on are among them."""
    sites = all_sites()
    assert len({(site.file, site.line, site.column) for site in sites}) == len(sites)
    named = {(site.file, site.function) for site in sites}
    assert {("calling.py", "Caller._execute"), ("relay.py", "Relay._round"), ("lane.py", "Lane._take")} <= named


def test_an_aim_is_hit_at_its_visit_and_not_too_often() -> None:
    """At the second visit of a place, once, where one death is allowed."""
    site = next(one for one in all_sites() if one.file == "waiting.py" and "asyncio.wait" in one.code)
    aims = Aims(site, visits=2, first_deaths=1)
    loop, hits = loop_of(6), list[bool]()

    async def world() -> None:
        task = loop.start(Owner("p"), first_of(asyncio.Event().wait(), timeout_seconds=9.0))
        await asyncio.sleep(1.0)
        hits.extend(aims.hit(task) for _ in range(5))

    run(loop, world())
    assert hits == [False, True, False, False, False]


def test_pairs_and_coverage_count_what_was_met_together() -> None:
    """Two kinds met in one schedule are one pair; what was never met is named as missing."""
    faults = Faults()
    faults.note(FaultKind.CRASH, 1.0)
    faults.note(FaultKind.PAUSE, 2.0)
    faults.note(FaultKind.CRASH, 3.0)
    assert faults.pairs() == {frozenset({FaultKind.CRASH, FaultKind.PAUSE})}
    found = coverage(Sum())
    assert not found.whole
    assert (len(found.missing_pairs), len(found.missing_cells)) == (len(PAIRS), len(CELLS))
    assert found.sites_reached == 0


def test_every_exempt_place_exists() -> None:
    """An exemption whose code is gone is taken away."""
    sites = all_sites()
    for exempt in EXEMPT:
        assert any(f"{one.file} {one.function}: {one.code}".startswith(exempt) for one in sites), exempt


def test_what_lacks_deaths_is_aimed_at_by_the_number_alone() -> None:
    """Two places have died often enough, one lacks four deaths; the numbers name it, and it is what they plan for."""
    enough = Sum(crashed_at=Counter(dict.fromkeys(all_sites(), 50)))
    assert lacking(enough) == {}
    poor = next(site for site in all_sites() if site.file == "doubles.py")
    enough.crashed_at[poor] = 46
    assert lacking(enough) == {poor: 4}
    numbers = list(_aimed(enough, 50, Counter(), 0))
    assert len(numbers) == len(set(numbers)) == 2
    assert {aim_of(number) for number in numbers} == {poor}
    assert make_plan(numbers[0])[2].first == poor
    assert _aimed_again(enough, tried=AIMED_MOST) == []


def _aimed_again(whole: Sum, tried: int) -> list[int]:
    """Give the next round's numbers where each place was aimed at so often before."""
    return list(_aimed(whole, 50, Counter(dict.fromkeys(all_sites(), tried)), 0))


def test_every_place_has_its_turn_and_hard_ones_have_more() -> None:
    """The first numbers take them in the order of the source; later ones come by a table in which none is missing."""
    sites = all_sites()
    assert [aim_of(number) for number in range(len(sites))] == list(sites)
    later = Counter(aim_of(number) for number in range(EVEN_UNTIL, EVEN_UNTIL + 20 * len(sites)))
    assert set(later) == set(sites)
    hard = next(site for site in sites if site.file == "doubles.py")
    easy = next(site for site in sites if site.file == "key_rotation.py")
    assert later[hard] > 2 * later[easy]


def test_each_excepted_place_is_told_with_its_reason() -> None:
    """One line for each, and none without a reason."""
    lines = list(excepted())
    assert len(lines) == sum(map(is_exempt, all_sites()))
    assert all(line.startswith("excepted: ") and line.rpartition(": ")[2] for line in lines)


def test_the_same_seed_is_the_same_trace() -> None:
    """Played twice in processes of their own, a schedule is the same, step by step."""
    first, second = (_command("--seed", "37", "--trace") for _ in range(2))
    assert first.stdout.count("\n") > 500
    assert first.stdout == second.stdout
    assert "FAULT" in first.stdout
    assert _command("--seed", "38", "--trace").stdout != first.stdout


def _command(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(  # noqa: S603 our own module
        [sys.executable, "-m", "tests.simulation", *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": "0"},
        check=False,
        capture_output=True,
        text=True,
        timeout=COMMAND_SECONDS,
    )


# ---- planted bugs


@contextmanager
def _put(module: object, name: str, value: object) -> Iterator[None]:
    """Put a bug in the place of a rule, for as long as it is looked for."""
    before = getattr(module, name)
    setattr(module, name, value)
    try:
        yield
    finally:
        setattr(module, name, before)


def _found_within(schedules: int) -> str:
    for number in range(PLANTED_FROM, PLANTED_FROM + schedules):
        played = play(number)
        if played.problems:
            return played.problems[0]
    return ""


def test_a_relay_that_marks_before_it_sends_is_found_out() -> None:
    """A process killed in between has told the database of a message that nobody ever gets."""
    rounds = Relay._round

    async def marked_first(relay: Relay, rows: Sequence[OutboxRow]) -> int:
        await relay._insist_marked([row.id for row in rows])
        return await rounds(relay, rows)

    with _put(Relay, "_round", marked_first):
        assert "I4: never told" in _found_within(PLANTED_WITHIN)


def test_a_look_that_is_not_heard_is_found_out() -> None:
    """After an answer was lost the ledger is asked in vain, and a second invoice is made."""
    with _put(LedgerBook, "_find_invoices", lambda *_given: Page(rows=(), more=False)):
        assert _found_within(PLANTED_WITHIN)
