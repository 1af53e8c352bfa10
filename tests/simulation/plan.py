"""What is planned for one schedule from its seed: the temper of the scheduler, the faults, the commands, the aim."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cache, reduce
from operator import or_
from random import Random

from tests.interleaving.telling import lot
from tests.simulation.aiming import EVEN_UNTIL, PLAIN_SHARES, Luck, Way, aim_of, way_to
from tests.simulation.commands import COMMANDS
from tests.simulation.driving import DRIVEN
from tests.simulation.faults import FaultKind
from tests.simulation.scenario import CALLS_PER_WINDOW, Feature, Scenario, Told, extra_order, make_scenario
from tests.simulation.sites import Aims, Site, all_sites

FAULTS_MIN, FAULTS_MAX = 3, 6
FAULTS_SECONDS = 9.0
OTHER_AIMS = 12
_AIMED_DEATHS = 10
_OTHERS_SHARE = 0.4  # of the hard places, at which others die than at the aim
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
    luck: Luck = field(default_factory=Luck)


def make_plan(number: int) -> tuple[Scenario, Plan, Aims]:
    """Draw everything of the schedule of this number; ``aiming`` tells its aim."""
    scenario, plan, aims = _even(number)
    return (scenario, plan, aims) if number < EVEN_UNTIL else _uneven(number, scenario, plan, aims)


def _even(number: int) -> tuple[Scenario, Plan, Aims]:
    chance = lot(f"schedule {number}")
    others = {site: chance.randint(1, 4) for site in chance.sample(_hard_sites(), OTHER_AIMS)}
    aims = Aims(aim_of(number), visits=chance.choice((1, 1, 1, 2, 3, 8)), others=others)
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


def _uneven(number: int, scenario: Scenario, plan: Plan, aims: Aims) -> tuple[Scenario, Plan, Aims]:
    """Let happen what the aim needs, and let more die at hard places that the processes come by on their way."""
    chance, way = lot(f"way {number}"), way_to(aims.first)
    hard = [site for site in all_sites() if way_to(site).shares > PLAIN_SHARES]
    chosen = [] if way.alone else [site for site in hard if chance.random() < _OTHERS_SHARE]
    others = {site: chance.randint(1, 2) for site in chosen}
    aims = Aims(
        aims.first,
        visits=1 if way.alone else chance.choice((1, 1, 2)),
        others=others,
        first_deaths=_AIMED_DEATHS,
        other_deaths=0 if way.alone else chance.choice((0, 2, 4)),
    )
    if way.features or way.luck != Luck():
        scenario = _with_needed(number, scenario, way)
    last = way.luck.storm_seconds - 2.0
    faults = [(chance.uniform(0.5, last), kind) for kind in way.faults]
    commands = [(chance.uniform(0.5, last), name) for name in way.commands]
    stops = [chance.uniform(0.5, last) for _ in range(way.stops)]
    return (
        replace(scenario, calls_per_window=way.window or scenario.calls_per_window),
        replace(
            plan,
            faults=sorted([*plan.faults, *faults]),
            commands=sorted([*plan.commands, *commands]),
            stops=sorted([*plan.stops, *stops]),
            call_faults=plan.call_faults if way.calls is None else way.calls,
            other_faults=plan.other_faults if way.others is None else way.others,
            unpublished=_unpublished(scenario, way.luck.unpublished),
            renewals_fail=way.luck.renewals_fail or plan.renewals_fail,
            luck=way.luck,
        ),
        aims,
    )


def _with_needed(number: int, scenario: Scenario, way: Way) -> Scenario:
    """Draw the scenario again, with all that the aim needs."""
    chance = lot(f"scenario {number}")
    # Closed books refuse what the other special cases are to bring about.
    features = (scenario.features & ~Feature.CLOSED) | way.features
    drawn = make_scenario(chance, features)
    orders = [_with_strange_items(order) if way.luck.strange_items else order for order in drawn.orders]
    for extra in range(way.luck.more_orders):
        at_seconds = 2.0 if Feature.BURST in features else chance.uniform(0.0, way.luck.storm_seconds / 2)
        orders.append(extra_order(chance, extra, at_seconds, rounds=way.luck.rounding_flips, rounding=drawn.rounding))
    unique = drawn.unique
    if way.luck.doubles_anew or way.luck.forgotten:
        unique = dict.fromkeys(drawn.unique, way.luck.forgotten)
    return replace(drawn, orders=orders, unique=unique, facts_fresh_seconds=way.luck.facts_fresh_seconds)


def _with_strange_items(order: Told) -> Told:
    """Let it sell what the ledger has no item of, which is asked for each time anew."""
    strange = f'"sku": "CUP-{order.order_id}"'.encode()
    tellings = [replace(one, value=one.value.replace(b'"sku": "MUG"', strange)) for one in order.tellings]
    return replace(order, tellings=tellings, history=None)


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


def _unpublished(scenario: Scenario, most: int = 1) -> list[Told]:
    if Feature.UNPUBLISHED not in scenario.features:
        return []
    return [order for order in scenario.orders if order.history is not None][:most]
