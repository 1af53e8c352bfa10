"""The store behind the lanes: who may write for a connection, what is due, what is about to be sent, what came of it.

All times are the database's. Every method is one transaction that locks in one sequence: shops, positions, orders by
key, documents and intents, the lane's row and its slots last and shortly. Serialisation failures and deadlocks (40001,
40P01) are retried within; DatabaseUnavailableError means that it is not known whether the transaction was committed.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from consumer.domain.exchanges import Exchange
from consumer.domain.ledger import Invoice, LedgerFacts
from consumer.domain.orders import OrderKey
from consumer.domain.records import Intent, OrderRecord, Outcome
from consumer.domain.settings import ConnectionSettings, ShopSettings
from consumer.domain.states import Priority
from consumer.errors import StopCause, ThrottleKind

ANY_PRIORITY = tuple(Priority)


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneLease:
    """The right of one process to be the writer of a connection; fenced by ``epoch``, which only grows."""

    connection_id: str
    owner: str
    epoch: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneView:
    """What a lane must know of itself. ``facts_age_seconds`` is None while the facts were never read."""

    connection: ConnectionSettings
    shops: Mapping[str, ShopSettings]
    facts: LedgerFacts | None
    facts_age_seconds: float | None
    stopped: StopCause | None
    look_first: bool
    look_first_since: datetime | None  # the ledger's changes after this moment have to be seen; None: all
    installation: str = ""
    looked_first: bool = False  # it had to look first once: Postgres may have forgotten documents
    # Until when a priority may not call, because of the ledger's limits; a priority that may call is absent.
    rests_until: Mapping[Priority, datetime] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """Orders that a lane has taken in hand; ``more`` tells that others are due behind them.

    Where nothing is returned ``next_due_seconds`` says when the next order falls due (None: none waits), and
    ``quota_wait_seconds`` how long the day's budget keeps what is due from being taken.
    """

    orders: tuple[OrderRecord, ...] = ()
    more: bool = False
    next_due_seconds: float | None = None
    quota_wait_seconds: float | None = None


class WaitCause(StrEnum):
    """Why a call may not leave yet."""

    WINDOW = "window"  # the ledger's calls per minute are used
    PACE = "pace"  # calls are spaced while work waits
    AT_ONCE = "at_once"  # as many calls as allowed are under way
    THROTTLED = "throttled"  # the ledger said 429, or the breaker is open
    QUOTA = "quota"  # the day's budget for this priority is spent


@dataclass(frozen=True, slots=True, kw_only=True)
class MustWait:
    """No slot now; try again after so many seconds."""

    seconds: float
    cause: WaitCause


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotRequest:
    """A wish to call. ``queued`` tells that other work waits in the lane: then calls are spaced."""

    connection_id: str
    priority: Priority
    deadline_seconds: float
    purpose: str
    queued: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """The right to make one call within its deadline; ``n`` counts the calls of the connection."""

    connection_id: str
    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NewIntent:
    """A write that is about to be sent; see records.Intent."""

    intent_id: UUID
    subject: str
    key: OrderKey
    change: int
    operation: str
    digest: bytes
    sought: Mapping[str, str]
    deadline_seconds: float
    settle_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """The intent and its slot are committed: the request must leave within one second."""

    slot: Slot


@dataclass(frozen=True, slots=True, kw_only=True)
class Superseded:
    """The order changed since it was read: read and decide anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Occupied:
    """Another intent is open for the subject; it settles in so many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Throttle:
    """What a 429 or an outage asks of the whole lane."""

    kind: ThrottleKind
    wait_seconds: float


class LaneStore(Protocol):
    """Leases and claims."""

    async def check_in(self, installation: str) -> None:
        """Compare the database with its installation: a new name or identity. Raises ConfigurationError on a name.

        Where (system_identifier, timeline_id) is not the one that is stored, every lane has to look first.
        """
        ...

    async def lease_due(self, owner: str, seconds: float, limit: int) -> Sequence[LaneLease]:
        """Lease lanes that are due and nobody's, with SKIP LOCKED; a stopped or inactive connection's is not due."""
        ...

    async def renew(self, lease: LaneLease, seconds: float) -> bool:
        """Prolong; False where it has passed to somebody else."""
        ...

    async def give_back(self, lease: LaneLease) -> None:
        """End the lease at once, if it is still ours, after computing the lane's next due (two statements)."""
        ...

    async def view(self, connection_id: str) -> LaneView:
        """Read settings, shops, facts and health of a connection."""
        ...

    async def claim(
        self, lease: LaneLease, limit: int, exclude: Sequence[OrderKey], *, only: Collection[Priority] = ANY_PRIORITY
    ) -> Claimed:
        """Take due orders in hand, by priority and time, counting the take. Raises FencedError.

        An order that was taken before and never concluded (``takes`` > 0) may have killed a process: it is
        returned alone. Where none is due the lane's next due is computed in the same way as by give_back; where
        only some priorities were asked for it is left as it is.
        """
        ...

    async def release(self, keys: Sequence[OrderKey]) -> None:
        """Give taken orders back untouched (an orderly stop): the take does not count."""
        ...

    async def next_due_seconds(self) -> float | None:
        """Tell when the next lane that nobody has falls due; None: none."""
        ...

    async def sweep(self) -> int:
        """Recompute next due for all lanes; gives how many were wrong (should be 0)."""
        ...

    async def wake(self, connection_id: str) -> None:
        """Make a lane due now."""
        ...

    async def save_facts(self, connection_id: str, facts: LedgerFacts) -> int:
        """Keep what was read of the organisation. Parked orders whose group it may help become due; gives how many."""
        ...

    async def stop_connection(
        self, connection_id: str, cause: StopCause, message: str, *, evidence_seconds: float = 0.0
    ) -> None:
        """The connection needs a person: its lane rests until it is connected or resumed again.

        Where a person has connected it since what it is to be stopped for was seen, at most ``evidence_seconds`` ago,
        and connecting cures that cause, it is not stopped: the next lane sees whether it is cured.
        """
        ...

    async def resume_connection(self, connection_id: str) -> None:
        """A person has acted: the lane goes on."""
        ...

    async def finish_look_first(self, connection_id: str) -> None:
        """The ledger has been looked through: the lane may make documents again."""
        ...

    async def save_seen(self, connection_id: str, invoices: Sequence[Invoice]) -> None:
        """Keep what a look first found, by reference."""
        ...

    async def seen(self, connection_id: str, reference: str) -> Sequence[Invoice]:
        """Give what a look first found under this reference."""
        ...


class BookingStore(Protocol):
    """One order's booking, step by step."""

    async def read(self, key: OrderKey) -> OrderRecord | None:
        """Read an order with its documents and its open intent; None where it is not known."""
        ...

    async def open_intent(self, connection_id: str, subject: str) -> Intent | None:
        """Read the open intent of a subject (an order's or a contact's), if there is one."""
        ...

    async def begin(
        self, lease: LaneLease, intent: NewIntent, slot: SlotRequest
    ) -> Begun | MustWait | Superseded | Occupied:
        """Commit an intent together with its slot, only while lease and change hold. Raises FencedError.

        Raises ConnectionStoppedError where the connection was stopped meanwhile: nothing more is written to it.

        Also where it must wait: the order has been mapped without harm by then, so its take no longer counts.
        """
        ...

    async def record(self, outcome: Outcome, lease: LaneLease | None = None) -> bool:
        """Record what a step came to, in one transaction; False where the order has changed since and stays due.

        With a lease (no call was made) it raises FencedError where the lease has passed on. An answer to an intent
        that was resolved otherwise meanwhile is kept as late and makes the order due again (a check for doubles).
        Recording the same outcome twice changes nothing (an ambiguous commit is repeated). Raises LookupError for an
        order or intent that is not known, TransitionError for a step that the table of states does not have.
        """
        ...


class CallStore(Protocol):
    """The budget of a connection."""

    async def take_slot(self, request: SlotRequest) -> Slot | MustWait:
        """Take a slot for a call that is no write."""
        ...

    async def end_call(
        self,
        slot: Slot,
        *,
        sent: bool,
        exchange: Exchange | None = None,
        key: OrderKey | None = None,
        throttle: Throttle | None = None,
    ) -> None:
        """Note a call's end: the slot counts for one window more (or not at all, if nothing was sent), the exchange."""
        ...

    async def throttle(self, connection_id: str, throttle: Throttle) -> None:
        """Rest the lane: MINUTE halves the pace for ten minutes, DAY spends the day's budget."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredToken:
    """The authorisation of a connection, opened. ``expires_in_seconds`` is of the access token, by the database."""

    client_id: str
    client_secret: str = field(repr=False)
    refresh_token: str = field(repr=False)
    access_token: str | None = field(repr=False, default=None)
    expires_in_seconds: float = 0.0
    version: int = 1
    age_seconds: float | None = None  # since the access token was made


# What a new authorisation cures.
CURED_BY_GRANT = frozenset(
    {
        StopCause.TOKEN_REVOKED,
        StopCause.CLIENT_REFUSED,
        StopCause.NOT_CONNECTED,
        StopCause.SCOPE_MISSING,
        StopCause.SECRET_UNREADABLE,
    }
)


class Sealer(Protocol):
    """Seals secrets; consumer.secrets.Keyring is one."""

    def seal(self, plain: str, *, bound_to: str) -> bytes:
        """Encrypt a text for one place."""
        ...

    def open(self, sealed: bytes, *, bound_to: str) -> str:
        """Decrypt a text of that place. Raises SecretError."""
        ...


class TokenStore(Protocol):
    """Tokens, sealed at rest with the connection as associated data. Raises SecretError."""

    async def read(self, connection_id: str) -> StoredToken | None:
        """Open the stored token; None where the connection was never authorised."""
        ...

    async def begin_renewal(self, connection_id: str, version: int, seconds: float) -> float:
        """Become the only one to renew for so long: 0; else the seconds to wait before reading again.

        Where the stored version is not ``version`` any more somebody has renewed: 0 is not given, but a tiny wait.
        More than nine renewals in ten minutes wait too, because the ledger locks out after ten.
        """
        ...

    async def save_renewed(
        self, connection_id: str, version: int, access_token: str, expires_in_seconds: float
    ) -> None:
        """Store a new access token and end the renewal."""
        ...

    async def end_renewal(self, connection_id: str) -> None:
        """The renewal failed; the next may try."""
        ...

    async def save_grant(
        self,
        connection_id: str,
        *,
        client_id: str,
        client_secret: str,
        refresh_token: str,
        access_token: str,
        expires_in_seconds: float,
        actor: str,
    ) -> None:
        """Store a new authorisation; the connection goes on if it was stopped for its token."""
        ...
