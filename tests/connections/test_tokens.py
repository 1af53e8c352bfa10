"""Tokens are asked for once, used until they are late, and an answer that is none says what to do."""

import asyncio
import ssl
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from consumer.adapters.kafka.tokens import ANSWER_BYTES_MAX, ClientCredentials, TokenEndpoint, TokenRefusedError
from tests.connections.authority import Authority
from tests.connections.issuer import CLIENT_ID, CLIENT_SECRET, Issuer, serving

ENDPOINT = TokenEndpoint(
    url="https://login.example.org/token", client_id="booked", client_secret="canary", scope="kafka"
)


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        """Give the time."""
        return self.now


def tokens(answer: Callable[[httpx.Request], httpx.Response], clock: Clock | None = None) -> ClientCredentials:
    """Ask this instead of a server."""
    return ClientCredentials(
        ENDPOINT, ssl.create_default_context(), clock=clock or Clock(), transport=httpx.MockTransport(answer)
    )


def numbered(asked: list[httpx.Request], **more: Any) -> Callable[[httpx.Request], httpx.Response]:
    """Give another token each time."""

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, json={"access_token": f"token-{len(asked)}", **more})

    return answer


async def test_a_token_is_used_for_four_fifths_of_its_life() -> None:
    """By many connections at once, too; then another is asked for."""
    asked: list[httpx.Request] = []
    clock = Clock()
    provider = tokens(numbered(asked, expires_in=100), clock)
    assert set(await asyncio.gather(*(provider.token() for _ in range(5)))) == {"token-1"}
    clock.now += 79
    assert await provider.token() == "token-1"
    clock.now += 1
    assert await provider.token() == "token-2"
    assert len(asked) == 2


async def test_what_is_asked_is_what_the_standard_says() -> None:
    """The secret stands in the head of the request alone."""
    asked: list[httpx.Request] = []
    await tokens(numbered(asked)).token()
    (request,) = asked
    assert (request.method, str(request.url)) == ("POST", ENDPOINT.url)
    assert request.content == b"grant_type=client_credentials&scope=kafka"
    assert request.headers["authorization"].startswith("Basic ")


@pytest.mark.parametrize("life", [None, "soon", -5, 0])
async def test_a_life_that_is_not_told_is_short(life: object) -> None:
    """What cannot be read is five minutes; what has no life is asked for again at once."""
    asked: list[httpx.Request] = []
    clock = Clock()
    provider = tokens(numbered(asked, **({} if life is None else {"expires_in": life})), clock)
    await provider.token()
    clock.now += 239
    await provider.token()
    assert len(asked) == (2 if isinstance(life, int) else 1)
    clock.now += 1
    await provider.token()
    assert len(asked) == (3 if isinstance(life, int) else 2)


@pytest.mark.parametrize(
    ("response", "says"),
    [
        (httpx.Response(401, json={"error": "invalid_client"}), "BOOKED_KAFKA_TOKEN_CLIENT_SECRET"),
        (httpx.Response(400, json={"error": "invalid_scope"}), "invalid_scope"),
        (httpx.Response(200, json={"token": "canary"}), "BOOKED_KAFKA_TOKEN_URL"),
        (httpx.Response(200, text="<html>canary</html>"), "BOOKED_KAFKA_TOKEN_URL"),
        (httpx.Response(200, json=["canary"]), "BOOKED_KAFKA_TOKEN_URL"),
        (httpx.Response(302, headers={"location": "https://elsewhere.example.org/"}), "answers 302"),
        (httpx.Response(503), "answers 503"),
        (httpx.Response(200, json={"access_token": "canary\r\nx"}), "characters"),
        (httpx.Response(200, content=b"x" * (ANSWER_BYTES_MAX + 1)), "longer than"),
    ],
)
async def test_an_answer_without_a_token_is_told(response: httpx.Response, says: str) -> None:
    """Without what stands in it; and nothing of it is kept."""
    provider = tokens(lambda _: response)
    with pytest.raises(TokenRefusedError) as error:
        await provider.token()
    assert says in str(error.value)
    assert "canary" not in str(error.value)


async def test_a_refusal_is_not_kept() -> None:
    """The next connection asks again."""
    answers = [httpx.Response(503), httpx.Response(200, json={"access_token": "good"})]
    provider = tokens(lambda _: answers.pop(0))
    with pytest.raises(TokenRefusedError):
        await provider.token()
    assert await provider.token() == "good"


async def test_the_server_is_verified(tmp_path: Any) -> None:
    """By the machine's authorities or by that of the setting."""
    authority = Authority(tmp_path)
    issuer = Issuer()
    with serving(issuer, authority.certify("issuer", hosts=("127.0.0.1",))) as url:
        endpoint = TokenEndpoint(url=url, client_id=CLIENT_ID, client_secret=CLIENT_SECRET)
        with pytest.raises(TokenRefusedError, match="BOOKED_KAFKA_TOKEN_CA_FILE"):
            await ClientCredentials(endpoint, ssl.create_default_context()).token()
        assert issuer.asked == 0
        trusting = ssl.create_default_context(cafile=authority.file)
        assert (await ClientCredentials(endpoint, trusting).token()).count(".") == 2


def test_no_repr_holds_the_secret() -> None:
    """It may stand in a trace of an error."""
    assert "canary" not in repr(ENDPOINT)
