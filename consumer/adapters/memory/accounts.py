"""The Accounts port in memory: codes, refresh tokens and access tokens with the rules that a connection meets."""

import itertools
from dataclasses import dataclass, field

from consumer.errors import ConnectionStoppedError, StopCause, ThrottledError, ThrottleKind
from consumer.ports.ledger import ClientCredentials, Grant, Renewed

LIFE_SECONDS = 3600.0


@dataclass(slots=True, kw_only=True)
class MemoryAccounts:
    """An accounts server with one client. ``renewals_left`` None means that there is no limit of renewals."""

    client: ClientCredentials
    codes: set[str] = field(default_factory=set)
    refresh_tokens: set[str] = field(default_factory=set, repr=False)
    renewals_left: int | None = None
    renewals: int = 0
    _serial: "itertools.count[int]" = field(default_factory=itertools.count, repr=False)

    def authorize_url(self, data_center: str, client_id: str, redirect_uri: str, state: str) -> str:
        """Give an address that leads nowhere, with what was asked for."""
        return f"https://accounts.invalid/{data_center}?client_id={client_id}&redirect_uri={redirect_uri}&state={state}"

    async def exchange_code(
        self, data_center: str, client: ClientCredentials, code: str, redirect_uri: str | None
    ) -> Grant:
        """Exchange a code of ``codes``, once. Raises ConnectionStoppedError."""
        del data_center, redirect_uri
        self._check_client(client)
        if code not in self.codes:
            raise ConnectionStoppedError("the code is not known", StopCause.NOT_CONNECTED)
        self.codes.discard(code)
        refresh_token = f"refresh-{next(self._serial)}"
        self.refresh_tokens.add(refresh_token)
        return Grant(refresh_token=refresh_token, access_token=self._access_token(), expires_in_seconds=LIFE_SECONDS)

    async def refresh(self, data_center: str, client: ClientCredentials, refresh_token: str) -> Renewed:
        """Make a new access token. Raises ThrottledError where no renewals are left, ConnectionStoppedError."""
        del data_center
        self._check_client(client)
        if refresh_token not in self.refresh_tokens:
            raise ConnectionStoppedError("the refresh token is not known", StopCause.TOKEN_REVOKED)
        if self.renewals_left == 0:
            raise ThrottledError("too many tokens", ThrottleKind.OAUTH, 600.0)
        if self.renewals_left is not None:
            self.renewals_left -= 1
        self.renewals += 1
        return Renewed(access_token=self._access_token(), expires_in_seconds=LIFE_SECONDS)

    async def revoke(self, data_center: str, refresh_token: str) -> None:
        """End an authorisation; one that is gone already is no error."""
        del data_center
        self.refresh_tokens.discard(refresh_token)

    def _check_client(self, client: ClientCredentials) -> None:
        if client != self.client:
            raise ConnectionStoppedError("the client is not known", StopCause.CLIENT_REFUSED)

    def _access_token(self) -> str:
        return f"access-{next(self._serial)}"
