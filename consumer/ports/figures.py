"""The parts of the figures that tell of single connections and shops: the worst twenty of each, and all as a sum.

A metric of each shop would be tens of thousands of series; each one's own stand is to be had in SQL, as ``shop_stand``.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

WORST = 20  # connections, shops, topics of which a metric tells one by one

# The promise of the one SLO: a paid order whose connection has budget is booked or parked within this.
PROMISED = timedelta(minutes=5)
JUDGED_AT_ONCE = timedelta(minutes=1)  # what one reading judges, so that it is short after a pause too


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """What the last comparison of a shop with its ledger could not explain, and how long ago it was."""

    connection_id: str
    shop_id: str
    currency: str
    unexplained: Decimal
    age_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """A connection's calls of the day. ``waiting`` orders wait for the next day's; ``needed`` a day would do for all.

    Times are seconds from now; ``runs_out_seconds`` is None where the day ends first.
    """

    connection_id: str
    calls_left: int
    resets_seconds: float | None
    runs_out_seconds: float | None
    waiting: int
    needed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionFigures:
    """The connections: those that need somebody most, one by one, and all of them as sums."""

    budgets: tuple[Budget, ...] = ()  # the worst: those with orders that wait, those that run out first
    token_age_seconds: Mapping[str, float] = field(default_factory=dict)  # the oldest
    tokens_not_renewed: Mapping[str, float] = field(default_factory=dict)  # the same, of those with due orders
    stopped: Mapping[str, str] = field(default_factory=dict)  # the causes, of those stopped last
    connections: int = 0
    stopped_count: int = 0
    calls_left: int = 0
    running_out: int = 0  # connections whose calls end before the day does
    waiting: int = 0  # orders
    lanes_unserved: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Parked:
    """Parked orders of a shop in one currency, and what they come to."""

    shop_id: str
    currency: str
    orders: int
    total: Decimal


def of_worst_shops(parked: Sequence[Parked]) -> tuple[Parked, ...]:
    """Keep all rows of the shops with the most parked orders over their currencies: as many shops as a metric may name.

    Cut by rows, a shop that sells in many currencies would be told with too few.
    """
    orders: Counter[str] = Counter()
    for one in parked:
        orders[one.shop_id] += one.orders
    worst = sorted(orders, key=lambda shop: (-orders[shop], shop))[:WORST]
    return tuple(one for one in parked if one.shop_id in worst)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShopFigures:
    """The shops: the worst, one by one, and all of them as sums."""

    parked: tuple[Parked, ...] = ()
    parked_totals: Mapping[str, Decimal] = field(default_factory=dict)  # by currency
    oldest_unbooked_seconds: Mapping[str, float] = field(default_factory=dict)
    compared: tuple[Compared, ...] = ()
    unexplained: Mapping[str, Decimal] = field(default_factory=dict)  # by currency
    doubles: int = 0  # second documents that the newest comparisons have found


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """Documents that were made in the judged span: how many of a kind and currency, and what they come to."""

    kind: str
    currency: str
    documents: int
    total: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What came of the orders of which something was heard in a span that ended five minutes ago.

    ``until`` is where the next reading goes on; the first one finds nothing and says where to begin.
    """

    until: datetime | None = None
    in_time: int = 0  # booked or parked within the promised time
    late: int = 0
    without_budget: int = 0  # late, and the connection was stopped or the ledger's calls of the day were used up
    made: tuple[Made, ...] = ()
