"""What a comparison finds, and what of it goes into the months: the values."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from consumer.domain.money import ZERO
from consumer.domain.orders import OrderKey
from consumer.domain.reconciling.books import Listed
from consumer.domain.reconciling.rates import Rates
from consumer.domain.records import Document


class FindingKind(StrEnum):
    """What is wrong between an order and the ledger."""

    MISSING = "missing"  # the shop sold or gave back, the ledger has nothing of it
    DOUBLED = "doubled"  # the ledger has a second document for it
    DIFFERENT = "different"  # they disagree about one document
    ORPHANED = "orphaned"  # the ledger has a document of ours that is not recorded


class About(StrEnum):
    """In what a document is different, or which kind of document is missing."""

    TOTAL = "total"
    VAT = "vat"
    STATUS = "status"
    CUSTOMER = "customer"
    DATE = "date"
    INVOICE = "invoice"
    CREDIT_NOTE = "credit_note"


class Source(StrEnum):
    """By what the ledger's figures of a document are known."""

    PROVEN = "proven"  # total and last change are those that were recorded: so are the figures
    READ = "read"  # it was read by its id
    NONE = "none"  # there is no document


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """A document that a finding is about."""

    kind: str
    ledger_id: str
    number: str
    status: str
    total: Decimal
    url: str

    @classmethod
    def of(cls, one: Listed | Document) -> "Paper":
        """Take it from a listed or a recorded document."""
        return cls(
            kind=one.kind.value,
            ledger_id=one.ledger_id,
            number=one.number,
            status=one.status,
            total=one.total,
            url=one.url,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing to put right. ``expected`` is the shop's figure, ``found`` the ledger's; credit notes are negative.

    ``explained``: the order's own state says so already and names the fix; it is no unexplained money.
    """

    kind: FindingKind
    about: About
    key: OrderKey
    order_number: str
    currency: str
    expected: Decimal
    found: Decimal
    papers: tuple[Paper, ...]
    words: str
    fix: str
    explained: bool = False
    day: date | None = None
    weight: Decimal | None = None  # the money in question, where it is not the difference of the two

    @property
    def difference(self) -> Decimal:
        """Give the ledger's figure less the shop's."""
        return self.found - self.expected

    @property
    def money(self) -> Decimal:
        """Give the amount in question."""
        return abs(self.difference) if self.weight is None else self.weight


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One document on both sides: what the shop's order says of it, and what the ledger has. Signed: credits below 0.

    A side without a day is not counted.
    """

    shop_id: str
    currency: str
    shop_day: date | None = None
    shop: Rates = ()
    ledger_day: date | None = None
    ledger: Rates = ()
    source: Source = Source.NONE


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """The days that are compared, both included."""

    from_day: date
    to_day: date

    def has(self, day: date | None) -> bool:
        """Tell whether a day lies in it."""
        return day is not None and self.from_day <= day <= self.to_day


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What one order came to. ``mine`` are the listed documents that belong to it, ``adopt`` those to be taken over.

    ``left_out`` is its total where it is not to be booked by somebody's choice.
    """

    entries: tuple[Entry, ...] = ()
    findings: tuple[Finding, ...] = ()
    mine: tuple[Listed, ...] = ()
    adopt: tuple[Listed, ...] = ()
    left_out: Decimal = ZERO
