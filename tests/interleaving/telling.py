"""In which order, when and how often the messages of some orders are published.

Within one partition what was published first is read first; everything else may change its place: the topics among
each other, and within a topic too where the shop itself publishes late or again.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from random import Random

from tests.interleaving.histories import TOPICS, History, Saying, message

SHOP = "shop"
TELLING_SECONDS = 6.0  # within which every order's first message is published
SPANS_SECONDS = (0.0, 0.0, 0.0, 0.3, 2.0, 12.0)  # of one order's messages; 0: all within one booking's steps
STEPS_BETWEEN = 40  # of the loop at most; from its message to its record a booking takes about as many


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """One message of one order, and when it is published."""

    at_seconds: float
    rank: float  # of those at the same moment, the lesser comes first
    steps: int  # of the loop to be let pass before it: where no time passes, these decide what it comes between
    topic: str
    order_id: str
    value: bytes

    @property
    def key(self) -> bytes:
        """Give the key of its record."""
        return f"{SHOP}/{self.order_id}".encode()


def lot(seed: object) -> Random:
    """Make the lot that everything is drawn from; the same seed draws the same."""
    return Random(str(seed))  # noqa: S311 a lot for a test, no secret


def tell_all(chance: Random, orders: Mapping[str, History]) -> list[Telling]:
    """Give all messages of these orders, in the order of publishing; each order is told in a way of its own."""
    every = (telling for order_id, history in orders.items() for telling in _tell(chance, order_id, history))
    return sorted(every, key=lambda telling: (telling.at_seconds, telling.rank))


def _tell(chance: Random, order_id: str, history: History) -> Iterator[Telling]:
    begin, span = chance.uniform(0.0, TELLING_SECONDS), chance.choice(SPANS_SECONDS)
    for rank, saying in zip(_ranks(chance, history.sayings), history.sayings, strict=True):
        value = message(history, saying, SHOP, order_id)
        for again in range(chance.choice((1, 1, 1, 2))):
            place = rank + again * chance.random()
            yield Telling(
                at_seconds=begin + place * span,
                rank=place,
                steps=0 if span else chance.randrange(STEPS_BETWEEN),
                topic=TOPICS[saying.kind],
                order_id=order_id,
                value=value,
            )


def _ranks(chance: Random, sayings: tuple[Saying, ...]) -> list[float]:
    """Deal places between 0 and 1: all by age, by age within each topic, or in any order (a shop that repeats)."""
    ranks = [chance.random() for _ in sayings]
    match chance.choice(("by age", "by topic", "any")):
        case "by age":
            return sorted(ranks)
        case "by topic":
            return _by_topic(ranks, sayings)
    return ranks


def _by_topic(ranks: list[float], sayings: tuple[Saying, ...]) -> list[float]:
    placed = list(ranks)
    for kind in TOPICS:
        numbers = [number for number, saying in enumerate(sayings) if saying.kind == kind]
        for number, rank in zip(numbers, sorted(ranks[number] for number in numbers), strict=True):
            placed[number] = rank
    return placed
