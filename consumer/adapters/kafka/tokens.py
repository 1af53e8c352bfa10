"""Tokens for SASL/OAUTHBEARER by OAuth 2.0 client credentials (RFC 6749, section 4.4), fetched and kept until late.

aiokafka asks for a token at every connection. One that is still good is given again; a new one is asked for by one
connection at a time, the others wait for its answer.
"""

import asyncio
import json
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from aiokafka.abc import AbstractTokenProvider
from aiokafka.errors import KafkaError

ANSWER_BYTES_MAX = 64 * 1024
DEADLINE_SECONDS = 5.0  # for the whole request; a health check waits for a connection no longer than its own deadline
LIFE_SECONDS = 300.0  # of a token whose answer does not tell
SPARE_SHARE = (
    0.2  # of a token's life is left unused: the clocks of server and broker differ, and a connection takes time
)


class TokenRefusedError(KafkaError):  # type: ignore[misc]  # aiokafka ships no types
    """No token was had. One of Kafka's errors, so that the client takes it for a connection that did not come about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenEndpoint:
    """Where tokens are had, and as whom."""

    url: str
    client_id: str
    client_secret: str = field(repr=False)
    scope: str | None = None
    ca_file: Path | None = None


class ClientCredentials(AbstractTokenProvider):  # type: ignore[misc]  # aiokafka ships no types
    """Gives aiokafka its tokens. ``transport`` stands in for the network in tests."""

    def __init__(
        self,
        endpoint: TokenEndpoint,
        trust: ssl.SSLContext,
        *,
        clock: Callable[[], float] = time.monotonic,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._endpoint = endpoint
        self._trust = trust
        self._clock = clock
        self._transport = transport
        self._asking = asyncio.Lock()
        self._token = ""
        self._good_until = 0.0

    async def token(self) -> str:
        """Give a token that is good for a while yet. Raises TokenRefusedError."""
        async with self._asking:
            if not self._token or self._clock() >= self._good_until:
                began = self._clock()
                self._token, life_seconds = await self._ask()
                self._good_until = began + life_seconds * (1 - SPARE_SHARE)
            return self._token

    async def _ask(self) -> tuple[str, float]:
        endpoint = self._endpoint
        form = {"grant_type": "client_credentials", **({"scope": endpoint.scope} if endpoint.scope else {})}
        try:
            async with (
                asyncio.timeout(DEADLINE_SECONDS),
                httpx.AsyncClient(verify=self._trust, transport=self._transport, trust_env=False) as client,
                client.stream(
                    "POST",
                    endpoint.url,
                    data=form,
                    auth=httpx.BasicAuth(endpoint.client_id, endpoint.client_secret),
                    headers={"accept": "application/json"},
                    timeout=DEADLINE_SECONDS,
                    follow_redirects=False,  # a secret goes to the address that was named, and to no other
                ) as response,
            ):
                return _read(response.status_code, await _bounded(response))
        except (httpx.HTTPError, httpx.InvalidURL, OSError, TimeoutError) as error:
            raise TokenRefusedError(_unreachable(endpoint.url, error)) from error


async def _bounded(response: httpx.Response) -> bytes:
    body = bytearray()
    async for part in response.aiter_bytes():
        body += part
        if len(body) > ANSWER_BYTES_MAX:
            raise TokenRefusedError(f"The token server's answer is longer than {ANSWER_BYTES_MAX} bytes; no token does")
    return bytes(body)


def _read(status: int, body: bytes) -> tuple[str, float]:
    """Give the token and its life in seconds. The answer's own words are not told: they may hold a token."""
    try:
        answer: Any = json.loads(body)
    except ValueError:
        answer = None
    found = answer if isinstance(answer, dict) else {}
    if status in {400, 401, 403}:
        why = str(found.get("error", ""))[:80]
        raise TokenRefusedError(
            f"The token server refuses the client ({status}{' ' + why if why else ''}). Check "
            "BOOKED_KAFKA_TOKEN_CLIENT_ID, BOOKED_KAFKA_TOKEN_CLIENT_SECRET and BOOKED_KAFKA_TOKEN_SCOPE"
        )
    token, life = found.get("access_token"), found.get("expires_in", LIFE_SECONDS)
    if status != httpx.codes.OK or not isinstance(token, str) or not token:
        raise TokenRefusedError(
            f"The token server answers {status} without an access_token. Check BOOKED_KAFKA_TOKEN_URL: it has to be "
            "the token endpoint itself, not the address of the server or of its discovery"
        )
    if not token.isascii() or not token.isprintable():
        raise TokenRefusedError("The token server's access_token holds characters that no token has")
    return token, _seconds(life)


def _seconds(life: Any) -> float:
    try:
        return min(max(float(life), 0.0), 86_400.0)
    except (TypeError, ValueError):
        return LIFE_SECONDS


def _unreachable(url: str, error: Exception) -> str:
    host = httpx.URL(url).host
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        return (
            f"The token server {host} shows a certificate that is not trusted here. Name the file of its authority in "
            "BOOKED_KAFKA_TOKEN_CA_FILE"
        )
    return f"The token server {host} does not answer ({type(error).__name__}). Check BOOKED_KAFKA_TOKEN_URL"
