"""The ledger and its accounts server, as the services see them."""

from dataclasses import dataclass, field
from typing import Any, Protocol

from consumer.domain.exchanges import Exchange
from consumer.domain.ledger import Operation
from consumer.domain.settings import ConnectionSettings


class Access(Protocol):
    """The right to call: gives the token stored with the connection."""

    async def token(self) -> str:
        """Give an access token that is good for some minutes. Raises ThrottledError, ConnectionStoppedError."""
        ...

    async def renewed(self, stale: str) -> str:
        """Give a token other than the stale one, after taking a slot for the call that repeats. Raises as token()."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the ledger answered; ``result`` is what the operation's docstring says."""

    result: Any
    exchange: Exchange


class Ledger(Protocol):
    """One organisation's ledger, opened per lane. Errors are LedgerError and its subclasses, nothing else."""

    async def ready(self) -> None:
        """See to it that a call can leave at once: a good token is at hand. Raises as Access.token()."""
        ...

    async def execute(self, operation: Operation, *, deadline_seconds: float) -> Answer:
        """Make the one call, or say by the type of the error what is known of it."""
        ...

    async def aclose(self) -> None:
        """Give back the connections, waiting shortly for calls under way."""
        ...


class LedgerFactory(Protocol):
    """Opens ledgers."""

    def open(self, connection: ConnectionSettings, access: Access) -> Ledger:
        """Make the client of one connection; nothing is sent yet. Raises ConfigurationError."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientCredentials:
    """Who we are at the accounts server."""

    client_id: str
    client_secret: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What an authorisation code was exchanged for."""

    refresh_token: str = field(repr=False)
    access_token: str = field(repr=False)
    expires_in_seconds: float
    api_domain: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Renewed:
    """A new access token; the refresh token stays as it is."""

    access_token: str = field(repr=False)
    expires_in_seconds: float
    api_domain: str = ""


class Accounts(Protocol):
    """The ledger's accounts server. Raises ThrottledError(OAUTH), ConnectionStoppedError, LedgerUnavailableError."""

    def authorize_url(self, data_center: str, client_id: str, redirect_uri: str, state: str) -> str:
        """Give the address to open in a browser."""
        ...

    async def exchange_code(
        self, data_center: str, client: ClientCredentials, code: str, redirect_uri: str | None
    ) -> Grant:
        """Exchange a single-use code; a self client's code has no redirect address."""
        ...

    async def refresh(self, data_center: str, client: ClientCredentials, refresh_token: str) -> Renewed:
        """Get a new access token: at most ten in ten minutes are given."""
        ...

    async def revoke(self, data_center: str, refresh_token: str) -> None:
        """End an authorisation."""
        ...
