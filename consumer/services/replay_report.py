"""What a replay is asked for, what bounds it, and what it says at its end."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from consumer.domain.orders import OrderKey
from consumer.ports.replay import RunFigures, Woken

NAMED_MAX = 1000  # orders, ranges and the like that a report names; all of them are counted


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayRequest:
    """What is to be compared; without anything, what came since the last run.

    ``since`` makes it a backfill: the records from that moment on (and before ``until``), by a share of the day's
    calls, and the progress of the runs every ten minutes stays where it is. So does it with ``shop_id``.
    """

    since: datetime | None = None
    until: datetime | None = None
    shop_id: str | None = None
    dry_run: bool = False

    @property
    def keeps_progress(self) -> bool:
        """Tell whether the run is one of those that go on where the last one ended."""
        return not (self.dry_run or self.since or self.until or self.shop_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayLimits:
    """How much at once, how far back, and how long."""

    overlap: timedelta = timedelta(hours=2)
    deadline_seconds: float = 480.0
    share: Decimal = Decimal("0.5")  # of what the day still leaves, for a backfill
    records_at_once: int = 2000  # and as many keys in one look-up
    put_in_at_once: int = 500
    lease_seconds: float = 60.0
    idle_seconds: float = 600.0  # after which something that should move is stuck
    list_seconds: float = 120.0  # for one shop's list
    first_list_days: int = 7  # how far back a list is asked at first
    list_grace: timedelta = timedelta(minutes=5)  # an order so young may be on its way to us still
    gaps_at_once: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Unverified:
    """Offsets of a partition that nobody can compare any more: the log does not hold them."""

    topic: str
    partition: int
    log: int
    from_offset: int
    to_offset: int | None  # exclusive; None: the log was made again, and its end is not known


@dataclass(slots=True, kw_only=True)
class ReplayReport:
    """What a run came to. ``left`` says in words what it did not get to, and why."""

    busy: bool = False  # another one was running; nothing was done
    dry_run: bool = False
    records: int = 0
    read_in_full: int = 0
    paid: int = 0
    missing: int = 0
    missing_orders: list[OrderKey] = field(default_factory=list)
    put_in: Counter[str] = field(default_factory=Counter)  # by verdict
    refused: int = 0  # rejected messages that were not known yet
    kept_back: int = 0  # known as rejected: people decide about them
    over_share: int = 0  # of a backfill, more than the day's share allows
    lag: int = 0
    gaps_closed: int = 0
    gaps_open: int = 0
    unverified: list[Unverified] = field(default_factory=list)
    woken: Woken = field(default_factory=Woken)
    lanes_corrected: int = 0
    settled: int = 0  # orders missing in an earlier run that are recorded by now
    difference: int = 0  # paid orders told of and not recorded
    unrecorded: list[OrderKey] = field(default_factory=list)
    list_problems: list[str] = field(default_factory=list)
    lists_asked: list[str] = field(default_factory=list)
    not_verifiable: list[str] = field(default_factory=list)  # shops without a list of their own
    left: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def found(self, key: OrderKey) -> None:
        """Note an order that something was missing of."""
        self.missing += 1
        if len(self.missing_orders) < NAMED_MAX and key not in self.missing_orders[-10:]:
            self.missing_orders.append(key)

    @property
    def whole(self) -> bool:
        """Tell whether it came to its end: then it counts as a success."""
        return not (self.busy or self.left)

    @property
    def findings(self) -> bool:
        """Tell whether a person should look: something is left, cannot be verified, or is not recorded."""
        return bool(self.left or self.unverified or self.difference or self.list_problems)

    def figures(self) -> RunFigures:
        """Give what is kept of the run."""
        return RunFigures(
            whole=self.whole,
            records=self.records,
            missing=self.missing,
            lag=self.lag,
            unverified=len(self.unverified),
            woken=self.woken.total + self.lanes_corrected,
            details=self.as_json(),
        )

    def as_json(self) -> Mapping[str, object]:
        """Give the report as plain data, for `--json` and for the table of runs."""
        return {
            "busy": self.busy,
            "dry_run": self.dry_run,
            "whole": self.whole,
            "records": self.records,
            "read_in_full": self.read_in_full,
            "paid": self.paid,
            "missing": self.missing,
            "missing_orders": [str(key) for key in self.missing_orders],
            "put_in": dict(self.put_in),
            "refused": self.refused,
            "kept_back": self.kept_back,
            "over_share": self.over_share,
            "lag": self.lag,
            "gaps_closed": self.gaps_closed,
            "gaps_open": self.gaps_open,
            "unverified": [
                {
                    "topic": one.topic,
                    "partition": one.partition,
                    "log": one.log,
                    "from": one.from_offset,
                    "to": one.to_offset,
                }
                for one in self.unverified[:NAMED_MAX]
            ],
            "woken": {
                "leases": self.woken.leases,
                "intents": self.woken.intents,
                "outbox_rows": self.woken.outbox_rows,
                "lanes": self.lanes_corrected,
            },
            "settled": self.settled,
            "difference": self.difference,
            "unrecorded": [str(key) for key in self.unrecorded],
            "lists_asked": self.lists_asked,
            "list_problems": self.list_problems,
            "not_verifiable": self.not_verifiable,
            "left": self.left,
            "seconds": round(self.seconds, 3),
        }
