"""What can go wrong, as one tree. A caller tells from the type alone whether to retry, to wait, or to stop.

BookedError
├── ConfigurationError         refuses to start; names the key
├── UnavailableError           a server of ours does not answer: try again, without end
│   ├── DatabaseUnavailableError
│   └── BrokerUnavailableError
├── FencedError                the lease is somebody else's by now: drop the work, nothing was written
├── SecretError                a stored secret cannot be read with the keys given
└── LedgerError                what a call to the ledger came to; carries the exchange
    ├── NotSentError           for certain nothing left us: try again
    ├── LedgerUnavailableError a read failed: try again
    ├── UncertainError         a write was sent and it is not known what came of it: ask before writing again
    ├── ThrottledError         the ledger's limits: wait, no attempt is spent
    ├── ConnectionStoppedError the whole connection needs a person (token revoked, wrong organisation, unpaid plan)
    └── RefusedError           refused for certain, never again as it is
        ├── NotFoundError      the thing named does not exist (any more)
        ├── NameTakenError     a contact of that name exists
        ├── NumberTakenError   an invoice of that number exists
        ├── KeyTakenError      the unique custom field refused a second document
        ├── PaymentsInTheWayError  payments or credits of the document forbid it
        ├── PeriodClosedError  the document's day lies in a closed period
        ├── OverBalanceError   more than is owed, or than is left of a credit
        └── DocumentStateError the document is void, closed or a draft, which forbids it
"""

from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from consumer.domain.exchanges import Exchange


class BookedError(Exception):
    """Everything that this program raises on purpose."""


class ConfigurationError(BookedError):
    """The configuration cannot be used; ``key`` names the setting (for a file: ``file:line``)."""

    def __init__(self, key: str, message: str) -> None:
        super().__init__(f"{key}: {message}")
        self.key = key


class UnavailableError(BookedError):
    """A server of ours does not answer; the same call may succeed later."""


class DatabaseUnavailableError(UnavailableError):
    """Postgres does not answer, or ended the connection."""


class BrokerUnavailableError(UnavailableError):
    """Kafka does not answer, or not in time."""


class FencedError(BookedError):
    """The lease or epoch that this work was done under has passed to another process; nothing was written."""


class SecretError(BookedError):
    """A stored secret does not decrypt with the keys given, or was moved from another row."""


class LedgerError(BookedError):
    """What a call to the ledger came to; ``exchange`` is None where no request was made."""

    def __init__(self, message: str, exchange: "Exchange | None" = None) -> None:
        super().__init__(message)
        self.exchange = exchange


class NotSentError(LedgerError):
    """For certain no byte of the request left us: no connection, no pool slot, or too late."""


class LedgerUnavailableError(LedgerError):
    """A read failed in a way that may pass: 5xx, reset, time-out, an answer that cannot be read."""


class UncertainError(LedgerError):
    """A write was sent and no answer tells what came of it."""


class ThrottleKind(StrEnum):
    """Which limit of the ledger was met."""

    MINUTE = "minute"
    DAY = "day"
    CONCURRENT = "concurrent"
    OAUTH = "oauth"
    OUTAGE = "outage"  # not a limit: the breaker rests the lane


class ThrottledError(LedgerError):
    """The ledger refused because of its limits; ``wait_seconds`` is its own advice or the documented default."""

    def __init__(
        self, message: str, kind: ThrottleKind, wait_seconds: float, exchange: "Exchange | None" = None
    ) -> None:
        super().__init__(message, exchange)
        self.kind = kind
        self.wait_seconds = wait_seconds


class StopCause(StrEnum):
    """Why a whole connection stands still until a person acts."""

    TOKEN_REVOKED = "token_revoked"  # noqa: S105 the name of a cause, not a secret
    CLIENT_REFUSED = "client_refused"
    NOT_CONNECTED = "not_connected"
    SCOPE_MISSING = "scope_missing"
    WRONG_ORGANIZATION = "wrong_organization"
    SUBSCRIPTION_OVER = "subscription_over"
    SECRET_UNREADABLE = "secret_unreadable"  # noqa: S105 the name of a cause, not a secret
    DIFFERENCES_IN_A_ROW = "differences_in_a_row"


class ConnectionStoppedError(LedgerError):
    """The connection cannot be used until a person acts; its orders wait, other connections go on."""

    def __init__(self, message: str, cause: StopCause, exchange: "Exchange | None" = None) -> None:
        super().__init__(message, exchange)
        self.cause = cause


class RefusedError(LedgerError):
    """The ledger refused for certain; ``status`` and ``code`` are its own, the message its own words.

    ``fix`` says what to do about it, where the code is one that we know.
    """

    def __init__(
        self, message: str, status: int, code: int | None, exchange: "Exchange | None" = None, fix: str = ""
    ) -> None:
        super().__init__(message, exchange)
        self.status = status
        self.code = code
        self.fix = fix


class NotFoundError(RefusedError):
    """The thing named in the request does not exist (any more)."""


class NameTakenError(RefusedError):
    """A contact of that name exists already."""


class NumberTakenError(RefusedError):
    """A document of that number exists already."""


class KeyTakenError(RefusedError):
    """The unique custom field holds that value already: the document exists."""


class PaymentsInTheWayError(RefusedError):
    """The document has payments or credits, which forbid to delete, void or change it."""


class PeriodClosedError(RefusedError):
    """The document's day lies in a period that is closed in the ledger."""


class OverBalanceError(RefusedError):
    """The amount is above what is owed on the invoice, or above what is left of the credit."""


class DocumentStateError(RefusedError):
    """The document's state forbids it: void, closed, or still a draft."""
