"""One pair of methods: its two sequences, all orders in between, and whether each order ended like a sequence."""

import contextlib
import itertools
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from math import comb
from typing import Any

from consumer.adapters.postgres.pool import Database
from tests.transactions.contents import Kept, Known, keep
from tests.transactions.exploring import INTERRUPTIONS_MAX, ORDERS_MAX, Played, following, play
from tests.transactions.scenarios.scenario import Call, Scenario
from tests.transactions.scene import set_the_scene, stores_over
from tests.transactions.statements import Touched
from tests.transactions.stepping import Actor, Stage, SteppedDatabase, open_stage

NAMES = ("A", "B")
DIFFERENCES_MAX = 12
VALUE_CHARACTERS = 300
# Sees an order that was played; gives words where it is wrong, though it ended like a sequence.
Judge = Callable[[Played], str]
PROBLEMS_MAX = 3  # of one pair: its other orders go wrong in the same way


@dataclass(slots=True, kw_only=True)
class Explored:
    """What came of a pair. ``problems`` tells each order that ended like no sequence of the two."""

    pair: tuple[str, str]
    orders: int = 0
    whole: bool = True  # all orders were played; else those with few interruptions
    blocked: int = 0
    conflicts: int = 0
    problems: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """What a run comes to: both results, and what the database holds."""

    results: list[Any]
    contents: dict[str, Any]


class Theatre:
    """A database with the scene set, and the connections that pairs are played on."""

    def __init__(self, stage: Stage, kept: Kept) -> None:
        self.stage = stage
        self.kept = kept
        self._alone: dict[Scenario, Touched] = {}

    def touched(self, statements: Sequence[str]) -> Touched:
        """Tell what some statements touch."""
        found = Touched()
        for statement in statements:
            found |= self.kept.schema.touched(statement)
        return found

    async def touched_by(self, scenario: Scenario) -> Touched:
        """Tell what a method touches when it has the database for itself."""
        if scenario not in self._alone:
            found = Touched()
            for call in (scenario.call, *scenario.instead):
                await self.kept.restore(self.stage.observer, self.kept.schema.tables, scenario.prepare)
                actor = self.actor(0)
                await self.run(actor, call)
                found |= self.touched(actor.statements)
            self._alone[scenario] = found
        return self._alone[scenario]

    async def meet(self, pair: tuple[Scenario, Scenario]) -> bool:
        """Tell whether either of two methods can notice the other at all."""
        return (await self.touched_by(pair[0])).notices(await self.touched_by(pair[1]))

    def actor(self, number: int, notices: Callable[[str], bool] | None = None) -> Actor:
        """Make an actor of one of the two connections; without ``notices`` it stops nowhere."""
        actor = Actor(
            name=NAMES[number],
            notices=notices or (lambda _: False),
            holds=self.kept.schema.locks,
            free=notices is None,
        )
        actor.pid = self.stage.connections[number].get_server_pid()
        return actor

    async def run(self, actor: Actor, call: Call) -> Any:
        """Call a method as its actor; what it raises is its result."""
        inner = self.stage.connections[NAMES.index(actor.name)]
        try:
            return await call(stores_over(SteppedDatabase(inner, actor)))
        except Exception as error:  # noqa: BLE001 - whatever a method raises is its result, to be compared
            # Of an unavailable database the words matter: no pair may ever end so.
            return "raised", type(error).__name__, str(error) if "Unavailable" in type(error).__name__ else ""

    async def explore(self, pair: tuple[Scenario, Scenario], *, judge: Judge | None = None) -> Explored:
        """Play all orders of a pair, and compare each with the pair's two sequences; ``judge`` sees each order too."""
        found = Explored(pair=(pair[0].name, pair[1].name))
        if await self.meet(pair):
            await _Pair(self, pair, found, judge).explore()
        return found


class _Pair:
    """A pair while it is explored."""

    def __init__(self, theatre: Theatre, pair: tuple[Scenario, Scenario], found: Explored, judge: Judge | None) -> None:
        self._judge = judge
        self._theatre = theatre
        self._pair = pair
        self._found = found
        self._touched = [Touched(), Touched()]
        self._others: list[tuple[tuple[Call, Call], int]] | None = None
        self._ends: list[End] = []

    async def explore(self) -> None:
        """Play the two sequences, then the orders between."""
        self._touched = [await self._theatre.touched_by(one) for one in self._pair]
        calls = self._pair[0].call, self._pair[1].call
        # Twice: what the first pass learns of statements belongs to the tables that the second compares.
        for _ in range(2):
            self._ends = [await self._sequence(calls, first) for first in (0, 1)]
        most: int | None = INTERRUPTIONS_MAX
        prefix: list[int] | None = []
        while prefix is not None:
            played = await self._play(calls, prefix)
            if not prefix:
                # The first order is the sequence itself: it tells how many steps there are.
                self._found.whole = comb(len(played.choices), played.choices.count(0)) <= ORDERS_MAX
                most = None if self._found.whole else INTERRUPTIONS_MAX
            prefix = following(played, interruptions_max=most)

    async def _sequence(self, calls: tuple[Call, Call], first: int) -> End:
        theatre = self._theatre
        known = await self._restore()
        results: list[Any] = [None, None]
        for number in (first, 1 - first):
            actor = theatre.actor(number)
            results[number] = await theatre.run(actor, calls[number])
            self._touched[number] |= theatre.touched(actor.statements)
        return await self._end(results, known)

    async def _restore(self) -> Known:
        theatre = self._theatre
        prepare = ";".join(one.prepare for one in self._pair)
        # What the preparation changes is not told by the two methods' statements.
        tables = theatre.kept.schema.tables if prepare.strip(";") else self._tables()
        await theatre.kept.restore(theatre.stage.observer, tables, prepare)
        return theatre.kept.known_at(await theatre.stage.observer.fetchval("SELECT clock_timestamp()"))

    def _tables(self) -> frozenset[str]:
        return self._touched[0].locked | self._touched[1].locked

    async def _end(self, results: list[Any], known: Known) -> End:
        """Say what a run has come to; where one of the two is piecemeal, after its repetition."""
        for number, scenario in enumerate(self._pair):
            if scenario.piecemeal:
                await self._theatre.run(self._theatre.actor(number), scenario.call)
                results = []
        contents = await self._theatre.kept.read(self._theatre.stage.observer, self._tables(), known)
        return End(results=[known.plain(one) for one in results], contents=contents)

    async def _play(self, calls: tuple[Call, Call], prefix: list[int]) -> Played:
        theatre, schema = self._theatre, self._theatre.kept.schema
        known = await self._restore()
        actors = (
            theatre.actor(0, lambda text: schema.touched(text).notices(self._touched[1])),
            theatre.actor(1, lambda text: schema.touched(text).notices(self._touched[0])),
        )
        played = await play(theatre.stage, actors, (_act(theatre, calls[0]), _act(theatre, calls[1])), prefix)
        end = await self._end(played.results, known)
        self._found.orders += 1
        self._found.blocked += played.blocked
        self._found.conflicts += played.conflicts
        if end not in self._ends and not await self._counts_as_the_same(end):
            self._blame(played, "\n".join(_differences(end, other) for other in self._ends[:2]))
        if self._judge is not None and (wrong := self._judge(played)):
            self._blame(played, wrong)
        return played

    async def _counts_as_the_same(self, end: End) -> bool:
        """Compare with the sequences in which one of them passes over what the other has locked."""
        while end not in self._ends:
            following_one = next(self._instead(), None)
            if following_one is None:
                return False
            self._ends.append(await self._sequence(*following_one))
        return True

    def _instead(self) -> Iterator[tuple[tuple[Call, Call], int]]:
        if self._others is None:
            a, b = ((one.call, *one.instead) for one in self._pair)
            self._others = [(calls, first) for calls in itertools.product(a, b) for first in (0, 1)][2:]
        while self._others:
            yield self._others.pop(0)

    def _blame(self, played: Played, words: str) -> None:
        if len(self._found.problems) < PROBLEMS_MAX:
            names = f"A = {self._found.pair[0]}, B = {self._found.pair[1]}"
            self._found.problems.append(f"{names}\n{played.story()}\n{words}")


def _act(theatre: Theatre, call: Call) -> Callable[[Actor], Any]:
    return lambda actor: theatre.run(actor, call)


def _differences(end: End, other: End) -> str:
    """Say where an end differs from that of a sequence, as far as a person wants to read it."""
    found = itertools.chain(
        *(
            differences(f"result of {name}", one, another)
            for name, one, another in zip(NAMES, end.results, other.results, strict=False)
        ),
        differences("", end.contents, other.contents),
    )
    return "\n".join(["compared with a sequence:", *itertools.islice(found, DIFFERENCES_MAX)])


def differences(place: str, one: Any, other: Any) -> Iterator[str]:
    """Give the places where two plain values differ, with both values, a line each."""
    if one == other:
        return
    if isinstance(one, dict) and isinstance(other, dict) and one.keys() == other.keys():
        for name in one:
            yield from differences(f"{place}.{name}", one[name], other[name])
    elif isinstance(one, list | tuple) and isinstance(other, list | tuple) and len(one) == len(other):
        for number, (left, right) in enumerate(zip(one, other, strict=True)):
            yield from differences(f"{place}[{number}]", left, right)
    else:
        yield f"  {place}: {repr(one)[:VALUE_CHARACTERS]}\n    instead of {repr(other)[:VALUE_CHARACTERS]}"


@contextlib.asynccontextmanager
async def open_theatre(url: str) -> AsyncIterator[Theatre]:
    """Set the scene in a database of our schema that is empty, and open what pairs are played on."""
    async with Database.open(url) as database:
        await set_the_scene(database)
        async with database.connection() as own:
            # Deadlocks are looked for at once. What a crash of the server would lose is of no matter here.
            await own.execute(
                """DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET deadlock_timeout = ''10ms''', current_database());
                   EXECUTE format('ALTER DATABASE %I SET synchronous_commit = off', current_database()); END $$"""
            )
            kept = await keep(own)
    async with open_stage(url) as stage:
        yield Theatre(stage, kept)
