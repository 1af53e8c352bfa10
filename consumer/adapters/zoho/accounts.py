"""Zoho's accounts server (OAuth 2.0). Its errors mostly come with HTTP 200, so the body is read before the status.

Secrets leave only in the body of a POST, never in an address: addresses end in logs, here and there.
"""

import functools
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

from consumer.adapters.zoho.calls import Calls, NoAnswerError, Received, make_transport
from consumer.adapters.zoho.data_centers import DataCenter, DataCenters
from consumer.adapters.zoho.departure import Departure
from consumer.adapters.zoho.encoding import UnreadableBodyError, read_json
from consumer.adapters.zoho.ledger import quiet_http_loggers, tls_context
from consumer.adapters.zoho.requests import Request
from consumer.errors import (
    ConnectionStoppedError,
    LedgerError,
    LedgerUnavailableError,
    StopCause,
    ThrottledError,
    ThrottleKind,
)
from consumer.ports.ledger import ClientCredentials, Grant, Renewed

AUTHORIZE_PATH: Final = "/oauth/v2/auth"
TOKEN_PATH: Final = "/oauth/v2/token"  # noqa: S105 a path, not a secret
REVOKE_PATH: Final = "/oauth/v2/token/revoke"
SCOPES: Final = (
    "ZohoBooks.contacts.CREATE",
    "ZohoBooks.contacts.READ",
    "ZohoBooks.contacts.UPDATE",
    "ZohoBooks.invoices.CREATE",
    "ZohoBooks.invoices.READ",
    "ZohoBooks.invoices.UPDATE",
    "ZohoBooks.invoices.DELETE",
    "ZohoBooks.settings.READ",
    "ZohoBooks.creditnotes.CREATE",
    "ZohoBooks.creditnotes.READ",
    "ZohoBooks.customerpayments.CREATE",
    "ZohoBooks.customerpayments.READ",
    "ZohoBooks.accountants.READ",
)
"""The least that booking needs; a status change, void included, is `invoices.CREATE` with Zoho.

Credit notes, payments and the day until which the books are locked (`accountants`) follow an invoice when its order
changes."""

DEADLINE_SECONDS: Final = 20.0
THROTTLE_SECONDS: Final = 600.0
DEFAULT_LIFE_SECONDS: Final = 3600.0
MAX_LIFE_SECONDS: Final = 86_400.0

_TOO_MANY: Final = 429
_FAULT: Final = 500
_MAX_WORDS: Final = 200
_PASSING: Final = ("internal", "server", "temporar", "general", "unavailable")


class ZohoAccounts:
    """Implements ports.Accounts. Holds one small client per accounts host; closed with aclose()."""

    def __init__(self, data_centers: DataCenters, *, deadline_seconds: float = DEADLINE_SECONDS) -> None:
        self._data_centers = data_centers
        self._deadline_seconds = deadline_seconds
        self._calls: dict[str, Calls] = {}

    def authorize_url(self, data_center: str, client_id: str, redirect_uri: str, state: str) -> str:
        """Give the address to open in a browser; it holds no secret. Raises ConfigurationError."""
        query = {
            "scope": ",".join(SCOPES),
            "client_id": client_id,
            "state": state,
            "response_type": "code",
            "redirect_uri": redirect_uri,
            "access_type": "offline",  # without it no refresh token is given,
            "prompt": "consent",  # and on a repeated consent not without this either
        }
        return f"{self._data_centers.get(data_center).accounts}{AUTHORIZE_PATH}?{urlencode(query)}"

    async def exchange_code(
        self, data_center: str, client: ClientCredentials, code: str, redirect_uri: str | None
    ) -> Grant:
        """Exchange a single-use code, which lives for a minute or a few. A self client's has no redirect address."""
        center = self._data_centers.get(data_center)
        form = _client_form(client) | {"grant_type": "authorization_code", "code": code}
        body = await self._post(center, TOKEN_PATH, form | ({"redirect_uri": redirect_uri} if redirect_uri else {}))
        token = _token(body, cause=StopCause.NOT_CONNECTED)
        refresh_token = body.get("refresh_token")
        if not isinstance(refresh_token, str) or not refresh_token:
            raise ConnectionStoppedError(
                "Zoho gave no refresh token; authorise again with access_type=offline and prompt=consent, "
                "as `booked connect` does.",
                StopCause.NOT_CONNECTED,
            )
        return Grant(
            refresh_token=refresh_token,
            access_token=token,
            expires_in_seconds=_life(body),
            api_domain=self._checked_api_domain(center, body),
        )

    async def refresh(self, data_center: str, client: ClientCredentials, refresh_token: str) -> Renewed:
        """Get a new access token; the refresh token stays. At most ten in ten minutes are given."""
        center = self._data_centers.get(data_center)
        form = _client_form(client) | {"grant_type": "refresh_token", "refresh_token": refresh_token}
        body = await self._post(center, TOKEN_PATH, form)
        return Renewed(
            access_token=_token(body, cause=StopCause.TOKEN_REVOKED),
            expires_in_seconds=_life(body),
            api_domain=self._checked_api_domain(center, body),
        )

    async def revoke(self, data_center: str, refresh_token: str) -> None:
        """End an authorisation. One that is gone already is no error."""
        center = self._data_centers.get(data_center)
        body = await self._post(center, REVOKE_PATH, {"token": refresh_token})
        error = _error_of(body, cause=StopCause.TOKEN_REVOKED)
        if error is not None and not _is_gone(body):
            raise error

    async def aclose(self) -> None:
        """Close the connections."""
        for calls in self._calls.values():
            await calls.aclose()
        self._calls.clear()

    async def _post(self, center: DataCenter, path: str, form: Mapping[str, str]) -> Mapping[str, Any]:
        request = Request(
            method="POST", path=path, body=urlencode(form), content_type="application/x-www-form-urlencoded"
        )
        departure = Departure(within_seconds=self._deadline_seconds)
        try:
            received = await self._calls_to(center).call(
                request, auth=None, departure=departure, deadline=self._deadline_seconds
            )
        except NoAnswerError as error:
            raise LedgerUnavailableError(f"Zoho's accounts server gave no answer: {error}; try again") from None
        return _body(received)

    def _calls_to(self, center: DataCenter) -> Calls:
        if center.accounts not in self._calls:
            quiet_http_loggers()
            transport = functools.partial(
                make_transport, deadline_seconds=self._deadline_seconds, tls=tls_context(), kept_connections=0
            )
            self._calls[center.accounts] = Calls(center.accounts, transport=transport)
        return self._calls[center.accounts]

    def _checked_api_domain(self, center: DataCenter, body: Mapping[str, Any]) -> str:
        """Compare the API host in a token answer with the list; it is never called because an answer says so."""
        told = body.get("api_domain")
        if not isinstance(told, str) or not told.strip():
            return ""
        found = self._data_centers.by_api_domain(told)
        if found is None:
            return ""
        if found.api == center.api:
            return found.api
        raise ConnectionStoppedError(
            f"The organisation lives in Zoho's data centre {found.name}, and the connection says {center.name}; "
            f"set data_center to {found.name} with `booked apply` and connect again.",
            StopCause.CLIENT_REFUSED,
        )


def _client_form(client: ClientCredentials) -> dict[str, str]:
    return {"client_id": client.client_id, "client_secret": client.client_secret}


def _body(received: Received) -> Mapping[str, Any]:
    """Read the body, whatever the status. Raises for limits, faults, and what is no JSON object."""
    if received.status == _TOO_MANY:
        raise _throttled()
    try:
        body = read_json(received.body) if not received.unreadable else None
    except UnreadableBodyError:
        body = None
    if received.status >= _FAULT or not isinstance(body, dict):
        # Without the body's words: a token may stand in whatever came instead of JSON.
        raise LedgerUnavailableError(
            f"Zoho's accounts server answered {received.status} with "
            f"{'an error' if isinstance(body, dict) else 'no JSON'}; try again"
        )
    return body


def _token(body: Mapping[str, Any], *, cause: StopCause) -> str:
    error = _error_of(body, cause=cause)
    if error is not None:
        raise error
    token = body.get("access_token")
    if not isinstance(token, str) or not token:
        raise LedgerUnavailableError("Zoho's accounts server answered without an access token; try again")
    return token


def _error_of(body: Mapping[str, Any], *, cause: StopCause) -> LedgerError | None:
    """Classify an error body; None where there is none. The table of the accounts server."""
    error = body.get("error")
    if not error:
        return None
    name = " ".join(str(error).split())[:_MAX_WORDS].lower().replace(" ", "_")
    if name == "access_denied":
        # Here it always means too often; a person's "no" at the consent page never comes as far as this call.
        return _throttled()
    if name in {"invalid_code", "invalid_grant", "invalid_token"}:
        return ConnectionStoppedError(_GONE[cause], cause)
    if any(word in name for word in _PASSING):
        return LedgerUnavailableError(f"Zoho's accounts server had an error of its own ({name}); try again")
    return ConnectionStoppedError(
        f"Zoho refuses the client ({name}): check client id, client secret, redirect address and data_center "
        "in the API console, then connect again.",
        StopCause.CLIENT_REFUSED,
    )


_GONE: Final = {
    StopCause.TOKEN_REVOKED: (
        "Zoho does not know the refresh token (any more): it was revoked, replaced by newer ones, or belongs to "
        "another data centre. Connect again with `booked connect`."
    ),
    StopCause.NOT_CONNECTED: (
        "Zoho does not take the code: it is older than a minute, was used already, or belongs to another data "
        "centre. Make a new one and connect again."
    ),
}


def _is_gone(body: Mapping[str, Any]) -> bool:
    return str(body.get("error", "")).strip().lower() in {"invalid_code", "invalid_grant", "invalid_token"}


def _throttled() -> ThrottledError:
    return ThrottledError(
        "Zoho makes no more access tokens for now: at most ten in ten minutes are given. Waiting, because asking "
        "again at once prolongs it.",
        ThrottleKind.OAUTH,
        THROTTLE_SECONDS,
    )


def _life(body: Mapping[str, Any]) -> float:
    """Read how long the token lives, in seconds; bounded, because some clients were given milliseconds."""
    try:
        seconds = float(str(body.get("expires_in", "")))
    except ValueError:
        return DEFAULT_LIFE_SECONDS
    return seconds if 0 < seconds <= MAX_LIFE_SECONDS else DEFAULT_LIFE_SECONDS
