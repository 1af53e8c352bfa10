"""What a comparison is asked for, and what it has come to."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from consumer.domain.money import ZERO
from consumer.domain.reconciling.findings import Entry, Finding, FindingKind, Period, Source
from consumer.domain.reconciling.months import MonthRow, Months, Unexplained, add_unexplained
from consumer.ports.reconcile import Outcome

FINDINGS_MAX = 10_000  # that are kept one by one; beyond them they are counted


@dataclass(frozen=True, slots=True, kw_only=True)
class ReconcileRequest:
    """What is to be compared. ``shop_id`` None: all shops of the connection.

    ``adopt``: hand documents that are not recorded to the lane. ``strict``: a change by somebody else that left the
    total as it was is no proof of the VAT; such documents are read. ``share`` of the day's calls, None: the setting.
    """

    period: Period
    shop_id: str | None = None
    resume: bool = False
    adopt: bool = False
    strict: bool = False
    share: Decimal | None = None
    actor: str = ""


@dataclass(slots=True, kw_only=True)
class Counts:
    """How much was done."""

    calls: int = 0  # in this run, of this process
    reads: int = 0  # documents read by their ids, within the calls
    listed: int = 0  # rows of the lists
    orders: int = 0  # compared
    proven: int = 0  # documents whose figures the list proved
    read: int = 0  # documents whose figures were read
    unlisted: int = 0  # documents that stood on no page, and are there: a list moved while it was read
    strangers: int = 0  # standing documents of the ledger that are not ours
    left_out: int = 0  # paid orders that are not to be booked, by somebody's choice
    adoptable: int = 0
    adopted: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ReconcileReport:
    """What one connection's comparison came to. ``stopped`` says why it did not come to its end, and how to go on."""

    connection_id: str
    organization: str
    shops: tuple[str, ...]
    period: Period
    counts: Counts
    findings: tuple[Finding, ...] = ()
    findings_by_kind: Mapping[str, int] = field(default_factory=dict)
    explained: int = 0
    months: tuple[MonthRow, ...] = ()
    unexplained: Mapping[tuple[str, str], Decimal] = field(default_factory=dict)
    left_out: Mapping[str, Decimal] = field(default_factory=dict)
    strangers: Mapping[str, Decimal] = field(default_factory=dict)
    stopped: str = ""
    dry: bool = True

    @property
    def found(self) -> int:
        """Give how many findings there are, also those that are not kept one by one."""
        return sum(self.findings_by_kind.values())

    def outcome(self) -> Outcome:
        """Give what the metrics show of it."""
        doubles = self.findings_by_kind.get(FindingKind.DOUBLED.value, 0)
        return Outcome(unexplained=self.unexplained, findings=self.found, doubles=doubles)


class Tally:
    """Adds up what is found on the way; what it keeps is bounded."""

    def __init__(self, period: Period, start: Unexplained) -> None:
        self.counts = Counts()
        self.months = Months(period)
        self.unexplained: Unexplained = dict(start)
        self.findings: list[Finding] = []
        self.by_kind: Counter[str] = Counter({kind.value: 0 for kind in FindingKind})
        self.explained = 0
        self.left_out: dict[str, Decimal] = {}
        self.strangers: dict[str, Decimal] = {}

    def add(self, entries: tuple[Entry, ...], findings: tuple[Finding, ...]) -> None:
        """Take over what one order came to."""
        for entry in entries:
            self.months.add(entry)
            self.counts.proven += entry.source is Source.PROVEN
            self.counts.read += entry.source is Source.READ
        add_unexplained(self.unexplained, findings)
        self.explained += sum(one.explained for one in findings)
        self.by_kind.update(one.kind.value for one in findings)
        self.findings += findings[: max(0, FINDINGS_MAX - len(self.findings))]

    def leave_out(self, currency: str, amount: Decimal) -> None:
        """Note an order that is not to be booked."""
        if amount:
            self.counts.left_out += 1
            self.left_out[currency] = self.left_out.get(currency, ZERO) + amount

    def pass_over(self, currency: str, amount: Decimal) -> None:
        """Note a document that is not ours."""
        self.counts.strangers += 1
        self.strangers[currency] = self.strangers.get(currency, ZERO) + amount
