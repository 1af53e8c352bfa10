"""The accounts server's errors come with HTTP 200; each leads to waiting, to a person, or to another try."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import parse_qs, urlsplit

import pytest

from consumer.adapters.zoho.accounts import SCOPES, ZohoAccounts
from consumer.adapters.zoho.data_centers import DataCenters
from consumer.errors import (
    ConnectionStoppedError,
    LedgerError,
    LedgerUnavailableError,
    StopCause,
    ThrottledError,
    ThrottleKind,
)
from consumer.ports.ledger import ClientCredentials
from tests.adapters.zoho.raw_server import RawServer, Step, answer, cut

CLIENT = ClientCredentials(client_id="1000.CLIENT", client_secret="canary-client-secret")
REFRESH = "canary-refresh-token"
TOO_MANY = {
    "error": "Access Denied",
    "error_description": "You have made too many requests continuously. Please try again after some time.",
}


@asynccontextmanager
async def served(*script: Step) -> AsyncIterator[tuple[ZohoAccounts, RawServer]]:
    """Run an accounts server that answers so."""
    async with RawServer(list(script)) as server:
        accounts = ZohoAccounts(DataCenters.make(sandbox_url=server.url), deadline_seconds=5.0)
        try:
            yield accounts, server
        finally:
            await accounts.aclose()


async def test_a_refresh_sends_its_secrets_in_the_body_only(caplog: pytest.LogCaptureFixture) -> None:
    """Addresses end in logs; a body does not."""
    caplog.set_level(logging.DEBUG)
    async with served(answer(200, {"access_token": "new", "expires_in": 3600, "api_domain": ""})) as (accounts, server):
        renewed = await accounts.refresh("sandbox", CLIENT, REFRESH)
        assert (renewed.access_token, renewed.expires_in_seconds) == ("new", 3600.0)
        (seen,) = server.seen
        assert (seen.method, seen.target) == ("POST", "/oauth/v2/token")
        assert parse_qs(seen.body.decode()) == {
            "client_id": ["1000.CLIENT"],
            "client_secret": ["canary-client-secret"],
            "grant_type": ["refresh_token"],
            "refresh_token": ["canary-refresh-token"],
        }
    assert "canary" not in caplog.text
    assert "canary" not in repr(CLIENT) + repr(renewed) + repr(accounts)


async def test_no_connection_is_kept_for_the_next_renewal() -> None:
    """It comes in an hour: until then a connection that the other side has long closed would be held open here."""
    async with served(answer(200, {"access_token": "new", "expires_in": 3600, "api_domain": ""})) as (accounts, server):
        for renewals in (1, 2):
            await accounts.refresh("sandbox", CLIENT, REFRESH)
            assert (server.connections, await server.open_connections()) == (renewals, 0)


@pytest.mark.parametrize(
    ("status", "body", "kind", "cause"),
    [
        (200, TOO_MANY, ThrottledError, None),
        (400, TOO_MANY, ThrottledError, None),
        (400, {"error": "access_denied"}, ThrottledError, None),
        (429, b"<html>", ThrottledError, None),
        (200, {"error": "invalid_code"}, ConnectionStoppedError, StopCause.TOKEN_REVOKED),
        (400, {"error": "invalid_grant"}, ConnectionStoppedError, StopCause.TOKEN_REVOKED),
        (200, {"error": "invalid_client"}, ConnectionStoppedError, StopCause.CLIENT_REFUSED),
        (200, {"error": "invalid_client_secret"}, ConnectionStoppedError, StopCause.CLIENT_REFUSED),
        (400, {"error": "invalid_redirect_uri"}, ConnectionStoppedError, StopCause.CLIENT_REFUSED),
        (200, {"error": "missing_org_info"}, ConnectionStoppedError, StopCause.CLIENT_REFUSED),
        (200, {"error": "internal_server_error"}, LedgerUnavailableError, None),
        (500, {"error": "invalid_code"}, LedgerUnavailableError, None),
        (200, b"<html>We are back soon</html>", LedgerUnavailableError, None),
        (200, {"expires_in": 3600}, LedgerUnavailableError, None),
        (200, [], LedgerUnavailableError, None),
    ],
)
async def test_what_a_refused_refresh_means(
    status: int, body: object, kind: type[LedgerError], cause: StopCause | None
) -> None:
    """The body is read before the status."""
    async with served(answer(status, body)) as (accounts, _):
        with pytest.raises(LedgerError) as raised:
            await accounts.refresh("sandbox", CLIENT, REFRESH)
    assert type(raised.value) is kind
    assert getattr(raised.value, "cause", None) is cause
    assert "canary" not in str(raised.value)
    if isinstance(raised.value, ThrottledError):
        assert (raised.value.kind, raised.value.wait_seconds) == (ThrottleKind.OAUTH, 600.0)


async def test_no_answer_is_tried_again() -> None:
    """A refresh that got no answer may be repeated: the refresh token stays."""
    async with served(cut()) as (accounts, _):
        with pytest.raises(LedgerUnavailableError):
            await accounts.refresh("sandbox", CLIENT, REFRESH)


async def test_a_code_is_exchanged_with_and_without_a_redirect_address() -> None:
    """A self client's code has none; a person's code must name the same address again."""
    body = {"access_token": "a", "refresh_token": "r", "expires_in": 3600}
    async with served(answer(200, body)) as (accounts, server):
        grant = await accounts.exchange_code("sandbox", CLIENT, "the-code", None)
        assert (grant.access_token, grant.refresh_token) == ("a", "r")
        await accounts.exchange_code("sandbox", CLIENT, "the-code", "http://127.0.0.1:8765/callback")
        first, second = (parse_qs(seen.body.decode()) for seen in server.seen)
        assert "redirect_uri" not in first
        assert first["grant_type"] == ["authorization_code"]
        assert second["redirect_uri"] == ["http://127.0.0.1:8765/callback"]


@pytest.mark.parametrize("body", [{"error": "invalid_code"}, {"access_token": "a", "expires_in": 3600}])
async def test_an_exchange_that_gives_no_refresh_token_is_not_connected(body: object) -> None:
    """A stale code, or a consent without offline access: a person has to begin again."""
    async with served(answer(200, body)) as (accounts, _):
        with pytest.raises(ConnectionStoppedError) as raised:
            await accounts.exchange_code("sandbox", CLIENT, "the-code", None)
    assert raised.value.cause is StopCause.NOT_CONNECTED


@pytest.mark.parametrize(
    ("told", "kept"),
    [("", ""), ("https://evil.example", ""), ("https://www.zohoapis.eu.evil.example", ""), (17, "")],
)
async def test_an_api_domain_that_is_not_on_the_list_is_dropped(told: object, kept: str) -> None:
    """An answer never names the host that the next call goes to."""
    async with served(answer(200, {"access_token": "a", "api_domain": told})) as (accounts, _):
        assert (await accounts.refresh("sandbox", CLIENT, REFRESH)).api_domain == kept


async def test_an_api_domain_of_another_data_centre_names_the_right_one() -> None:
    """The commonest mistake when connecting."""
    async with served(answer(200, {"access_token": "a", "api_domain": "https://www.zohoapis.eu"})) as (accounts, _):
        with pytest.raises(ConnectionStoppedError, match="data_center to eu"):
            await accounts.refresh("sandbox", CLIENT, REFRESH)


@pytest.mark.parametrize(
    ("told", "life"), [(3600, 3600.0), ("1800", 1800.0), (3_600_000, 3600.0), (-1, 3600.0), ("soon", 3600.0)]
)
async def test_the_life_of_a_token_is_in_seconds_and_bounded(told: object, life: float) -> None:
    """Milliseconds taken for seconds would keep a dead token for weeks."""
    async with served(answer(200, {"access_token": "a", "expires_in": told})) as (accounts, _):
        assert (await accounts.refresh("sandbox", CLIENT, REFRESH)).expires_in_seconds == life


async def test_revoking_what_is_gone_is_no_error() -> None:
    """The wish is met."""
    async with served(answer(200, {"status": "success"}), answer(200, {"error": "invalid_token"})) as (
        accounts,
        server,
    ):
        await accounts.revoke("sandbox", REFRESH)
        await accounts.revoke("sandbox", REFRESH)
        assert [seen.target for seen in server.seen] == ["/oauth/v2/token/revoke"] * 2
        assert server.seen[0].body == b"token=canary-refresh-token"


def test_the_address_to_open_asks_for_offline_access_and_the_least_scopes() -> None:
    """Without offline and consent there is no refresh token; the state protects the callback."""
    url = ZohoAccounts(DataCenters.make()).authorize_url("eu", "1000.CLIENT", "http://127.0.0.1:1/cb", "s t")
    parts = urlsplit(url)
    assert (parts.scheme, parts.netloc, parts.path) == ("https", "accounts.zoho.eu", "/oauth/v2/auth")
    assert parse_qs(parts.query) == {
        "scope": [",".join(SCOPES)],
        "client_id": ["1000.CLIENT"],
        "state": ["s t"],
        "response_type": ["code"],
        "redirect_uri": ["http://127.0.0.1:1/cb"],
        "access_type": ["offline"],
        "prompt": ["consent"],
    }
    assert not any("fullaccess" in scope or scope.endswith("ALL") for scope in SCOPES)
