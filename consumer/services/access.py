"""The right to call: one token per connection, stored with it, renewed by one process at a time."""

import asyncio
from collections.abc import Awaitable, Callable

from consumer.errors import ConnectionStoppedError, LedgerUnavailableError, SecretError, StopCause, ThrottledError
from consumer.failpoints import failpoint
from consumer.ports.lanes import StoredToken, TokenStore
from consumer.ports.ledger import Accounts, ClientCredentials

MARGIN_SECONDS = 300.0  # a token is renewed this long before it ends
RENEWAL_SECONDS = 20.0  # longer than the accounts server may take; then another process may renew
WAIT_CAP_SECONDS = 5.0
TRIES_MAX = 20


class TokenKeeper:
    """Implements ports.ledger.Access for one connection: the stored token, renewed early or when it was refused."""

    def __init__(
        self,
        *,
        connection_id: str,
        data_center: str,
        tokens: TokenStore,
        accounts: Accounts,
        clock: Callable[[], float],
        slot_for_repeat: Callable[[], Awaitable[None]],
        margin_seconds: float = MARGIN_SECONDS,
        renewal_seconds: float = RENEWAL_SECONDS,
    ) -> None:
        self._connection_id = connection_id
        self._data_center = data_center
        self._tokens = tokens
        self._accounts = accounts
        self._clock = clock
        self._slot_for_repeat = slot_for_repeat
        self._margin_seconds = margin_seconds
        self._renewal_seconds = renewal_seconds
        self._cached: tuple[str, float] | None = None  # token, and when it has to be renewed by the clock
        self._one_at_a_time = asyncio.Lock()

    async def token(self) -> str:
        """Give the connection's token; at most one task of this process asks the store or the accounts server."""
        if self._cached is not None and self._clock() < self._cached[1]:
            return self._cached[0]
        async with self._one_at_a_time:
            if self._cached is not None and self._clock() < self._cached[1]:
                return self._cached[0]
            return await self._good_token(stale=None)

    async def renewed(self, stale: str) -> str:
        """Give a token other than the one that was refused; the repeated call takes a slot of its own first."""
        await self._slot_for_repeat()
        async with self._one_at_a_time:
            if self._cached is not None and self._cached[0] != stale and self._clock() < self._cached[1]:
                return self._cached[0]
            self._cached = None
            return await self._good_token(stale=stale)

    async def _good_token(self, stale: str | None) -> str:
        for _ in range(TRIES_MAX):
            stored = await self._stored()
            if (
                stored.access_token
                and stored.access_token != stale
                and stored.expires_in_seconds > self._margin_seconds
            ):
                return self._remember(stored.access_token, stored.expires_in_seconds)
            wait_seconds = await self._tokens.begin_renewal(self._connection_id, stored.version, self._renewal_seconds)
            if wait_seconds <= 0:
                return await self._renew(stored)
            await asyncio.sleep(min(wait_seconds, WAIT_CAP_SECONDS))
        raise LedgerUnavailableError(f"The token of {self._connection_id} is being renewed elsewhere for too long.")

    async def _stored(self) -> StoredToken:
        try:
            stored = await self._tokens.read(self._connection_id)
        except SecretError as error:
            message = f"The stored token of {self._connection_id} cannot be opened: {error}"
            raise ConnectionStoppedError(message, StopCause.SECRET_UNREADABLE) from error
        if stored is None:
            message = f"Connection {self._connection_id} was never authorised: run booked connect {self._connection_id}"
            raise ConnectionStoppedError(message, StopCause.NOT_CONNECTED)
        return stored

    async def _renew(self, stored: StoredToken) -> str:
        client = ClientCredentials(client_id=stored.client_id, client_secret=stored.client_secret)
        try:
            renewed = await self._accounts.refresh(self._data_center, client, stored.refresh_token)
        except (ThrottledError, ConnectionStoppedError, LedgerUnavailableError):
            await self._tokens.end_renewal(self._connection_id)
            raise
        failpoint("token_renewed")
        # Stored before it is used: a crash in between costs one renewal more, never a token that nobody knows.
        await self._tokens.save_renewed(
            self._connection_id, stored.version, renewed.access_token, renewed.expires_in_seconds
        )
        return self._remember(renewed.access_token, renewed.expires_in_seconds)

    def _remember(self, token: str, expires_in_seconds: float) -> str:
        self._cached = (token, self._clock() + max(0.0, expires_in_seconds - self._margin_seconds))
        return token
