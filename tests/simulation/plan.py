"""What is planned for one schedule from its seed: the temper of the scheduler, the faults, the commands, the aim."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache, reduce
from operator import or_
from random import Random

from tests.interleaving.telling import lot
from tests.simulation.commands import COMMANDS
from tests.simulation.driving import DRIVEN
from tests.simulation.faults import FaultKind
from tests.simulation.scenario import CALLS_PER_WINDOW, Feature, Scenario, Told, make_scenario
from tests.simulation.sites import Aims, Site, all_sites

FAULTS_MIN, FAULTS_MAX = 3, 6
FAULTS_SECONDS = 9.0
OTHER_AIMS = 12
# Where no process comes by at every turn of its loops; of what others stand at each death counts enough.
_HARD_FILES = frozenset(
    f"{name}.py"
    for name in (
        *("access", "booking", "calling", "contacts", "doubles", "knowing", "observing", "order_map", "preparing"),
        "watching",
    )
)
_NEEDED_SHARE = 0.5  # of what the place that is aimed at needs
_SHARE = 0.15  # of the schedules in which a feature is there without being needed

# What takes orders out of the judgement of their end, or is chosen by a lot of its own.
_RARE = Feature.GAP | Feature.TOPIC_AGAIN | Feature.DOUBLE | Feature.CLOSED | Feature.GONE


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """See the module. ``faults`` and ``commands`` are (seconds, what); ``call_faults`` is a share of all calls."""

    seed: str
    wildness: float
    step_seconds: float
    faults: Sequence[tuple[float, FaultKind]]
    call_faults: float
    other_faults: float
    stops: Sequence[float] = ()  # seconds at which a process is asked to stop, as by SIGTERM
    commands: Sequence[tuple[float, str]]
    unpublished: Sequence[Told]
    token_seconds: float
    renewals_fail: float = 0.0  # share of the renewals of a token
    farewell: bool
    watchdogs: bool = False
    hints_lost: float = 0.3  # share of the wake-ups between processes
    faults_min: int = 2  # that have to be met; what is missing at the storm's end strikes then


def make_plan(number: int) -> tuple[Scenario, Plan, Aims]:
    """Draw everything of the schedule of this number; its aim is the next place in turn."""
    chance = lot(f"schedule {number}")
    sites = all_sites()
    others = {site: chance.randint(1, 4) for site in chance.sample(_hard_sites(), OTHER_AIMS)}
    aims = Aims(sites[number % len(sites)], visits=chance.choice((1, 1, 1, 2, 3, 8)), others=others)
    command, needed = DRIVEN.get(aims.first.file, ("", Feature.NONE))
    weather = _weather(aims.first, chance)
    # Not all at once: what one special case brings about another may keep away.
    needed = reduce(or_, (one for one in needed if chance.random() < _NEEDED_SHARE), Feature.NONE)
    scenario = make_scenario(chance, needed | _features(chance))
    scenario = replace(scenario, calls_per_window=weather.calls_per_window)
    plan = Plan(
        seed=f"world {number}",
        wildness=chance.choice((0.0, 0.1, 0.5, 1.0)),
        step_seconds=chance.choice((0.0, 0.0001, 0.001)),
        faults=sorted([*_faults(chance), *weather.faults]),
        call_faults=weather.call_faults,
        other_faults=weather.other_faults,
        stops=weather.stops,
        watchdogs=aims.first.file == "watchdog.py" or chance.random() < 0.05,
        commands=sorted(_commands(chance, command)),
        unpublished=_unpublished(scenario),
        token_seconds=chance.choice((3600.0, 3600.0, 200.0)),
        renewals_fail=0.4 if aims.first.file == "access.py" else 0.0,
        farewell=Feature.FAREWELL in scenario.features or chance.random() < 0.3,
    )
    return scenario, plan, aims


@dataclass(frozen=True, slots=True, kw_only=True)
class _Weather:
    """How rough a schedule is; rougher where the place that it aims at is not come by in fair weather."""

    call_faults: float
    other_faults: float
    stops: Sequence[float]
    calls_per_window: int
    faults: Sequence[tuple[float, FaultKind]]


_ROUGH_CALLS = frozenset(
    {"booking.py", "calling.py", "contacts.py", "access.py", "lane.py", "doubles.py", "watching.py"}
)
_FEW_SLOTS = frozenset({"calling.py", "asking.py", "order_map.py"})
_AT_A_STOP = frozenset({"_finish", "_release", "_settle", "drain", "_cancel", "aclose", "asking"})
_AWAY = frozenset({"_until_recorded", "_insist_marked", "_check_in", "_give_back_untouched", "_finish", "_keep_lease"})


def _weather(aim: Site, chance: Random) -> _Weather:
    function = aim.function.rpartition(".")[2]
    rough = aim.file in _ROUGH_CALLS
    stopping = function in _AT_A_STOP
    faults = [
        (chance.uniform(0.5, FAULTS_SECONDS), FaultKind.TOKEN_EXPIRED) for _ in range(4 * (aim.file == "access.py"))
    ]
    faults += [(chance.uniform(0.5, FAULTS_SECONDS), FaultKind.DATABASE_AWAY) for _ in range(3 * (function in _AWAY))]
    if aim.file.startswith(("intake", "relay")):
        away = (FaultKind.BROKER_AWAY, FaultKind.DATABASE_AWAY)
        faults += [(chance.uniform(0.5, FAULTS_SECONDS), kind) for kind in (*away, *away)]
        stopping = stopping or chance.random() < _NEEDED_SHARE
    return _Weather(
        call_faults=chance.choice((0.0, 0.1, 0.25, 0.4) if rough else (0.0, 0.0, 0.02, 0.08)),
        other_faults=chance.choice((0.0, 0.02, 0.06) if function in _AWAY else (0.0, 0.0, 0.002, 0.01)),
        stops=sorted(
            chance.uniform(0.3, FAULTS_SECONDS) for _ in range(5 if stopping else chance.choice((0, 0, 0, 1)))
        ),
        calls_per_window=chance.choice((3, 6) if aim.file in _FEW_SLOTS else (CALLS_PER_WINDOW,)),
        faults=faults,
    )


@cache
def _hard_sites() -> list[Site]:
    return [site for site in all_sites() if site.file in _HARD_FILES]


def _features(chance: Random) -> Feature:
    found = Feature.NONE
    for feature in Feature:
        if feature not in _RARE and chance.random() < _SHARE:
            found |= feature
    special = (Feature.GAP, Feature.TOPIC_AGAIN, Feature.DOUBLE, Feature.CLOSED, Feature.GONE)
    return found | chance.choice((*(Feature.NONE for _ in range(10)), *special))


def _faults(chance: Random) -> list[tuple[float, FaultKind]]:
    count = chance.randint(FAULTS_MIN, FAULTS_MAX)
    kinds = chance.sample(list(FaultKind), count)
    return sorted((chance.uniform(0.0, FAULTS_SECONDS), kind) for kind in kinds)


def _commands(chance: Random, needed: str) -> list[tuple[float, str]]:
    names = [chance.choice(("speak", "speak", *COMMANDS)) for _ in range(chance.randint(1, 4))]
    return [(chance.uniform(0.5, FAULTS_SECONDS), name) for name in [*names, *([needed] * 3 if needed else [])]]


def _unpublished(scenario: Scenario) -> list[Told]:
    if Feature.UNPUBLISHED not in scenario.features:
        return []
    return [next(order for order in scenario.orders if order.history is not None)]
