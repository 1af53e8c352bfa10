"""An expired token costs one renewal and one repetition; what cannot be renewed stops the connection."""

import asyncio
import contextlib
import logging

import pytest

from consumer.errors import (
    ConnectionStoppedError,
    LedgerError,
    NotSentError,
    RefusedError,
    StopCause,
    ThrottledError,
    ThrottleKind,
)
from tests.adapters.zoho.books import CREATE_INVOICE, DEADLINE, INVOICE, READ_INVOICE, ScriptedAccess, opened
from tests.adapters.zoho.raw_server import RawServer, Step, answer, cut

EXPIRED = answer(401, {"code": 57, "message": "You are not authorized to perform this operation"})


@pytest.mark.parametrize(
    "first", [EXPIRED, answer(401, {"code": 14, "message": "Invalid value passed for authtoken."}), answer(401, b"")]
)
async def test_an_expired_token_is_renewed_once_and_the_call_repeated(first: Step) -> None:
    """The caller sees only the success; the second request is the first one with the new token."""
    access = ScriptedAccess()
    async with RawServer([first, answer(201, INVOICE)]) as server, opened(server.url, access) as ledger:
        answered = await ledger.execute(CREATE_INVOICE, deadline_seconds=DEADLINE)
        assert answered.result.number == "INV-000001"
        one, two = server.seen
        assert (one.headers["authorization"], two.headers["authorization"]) == (
            "Zoho-oauthtoken token-1",
            "Zoho-oauthtoken token-2",
        )
        assert one.body == two.body
        assert access.renewals == 1


async def test_a_second_401_is_for_good() -> None:
    """There is no third try: with a new token it is the right that is missing, not the token."""
    access = ScriptedAccess()
    async with RawServer([EXPIRED]) as server, opened(server.url, access) as ledger:
        with pytest.raises(ConnectionStoppedError) as raised:
            await ledger.execute(CREATE_INVOICE, deadline_seconds=DEADLINE)
        assert raised.value.cause is StopCause.SCOPE_MISSING
        assert len(server.seen) == 2
        assert access.renewals == 1


@pytest.mark.parametrize(
    "refusal",
    [
        ThrottledError("no more tokens", ThrottleKind.OAUTH, 600.0),
        ConnectionStoppedError("revoked", StopCause.TOKEN_REVOKED),
    ],
)
async def test_a_renewal_that_is_refused_comes_through(refusal: LedgerError) -> None:
    """The first request came to nothing, and no second one is made."""
    access = ScriptedAccess(["token-1", refusal])
    async with RawServer([EXPIRED]) as server, opened(server.url, access) as ledger:
        with pytest.raises(type(refusal)) as raised:
            await ledger.execute(CREATE_INVOICE, deadline_seconds=DEADLINE)
        assert raised.value is refusal
        assert len(server.seen) == 1


async def test_a_write_that_waits_for_a_renewal_at_its_deadline_was_not_sent() -> None:
    """The ledger said 401 to it, so nothing was made; and it does not leave later."""
    renewing = asyncio.Event()

    class SlowAccess(ScriptedAccess):
        async def renewed(self, stale: str) -> str:
            await renewing.wait()
            return await super().renewed(stale)

    async with RawServer([EXPIRED, answer(201, INVOICE)]) as server, opened(server.url, SlowAccess()) as ledger:
        with pytest.raises(NotSentError):
            await ledger.execute(CREATE_INVOICE, deadline_seconds=0.3)
        renewing.set()
        await ledger.aclose()
        assert len(server.seen) == 1


@pytest.mark.parametrize("token", ["", "two\r\nX-Injected: yes", "täken", "x" * 3000])
async def test_a_token_that_cannot_be_a_header_is_never_sent(token: str) -> None:
    """A line break in it would write another header."""
    async with RawServer([answer(200, INVOICE)]) as server, opened(server.url, ScriptedAccess([token])) as ledger:
        with pytest.raises(ConnectionStoppedError) as raised:
            await ledger.execute(READ_INVOICE, deadline_seconds=DEADLINE)
        assert raised.value.cause is StopCause.SECRET_UNREADABLE
        assert server.seen == []
        assert not token or token not in str(raised.value)


CANARY = "1000.c0ffee00c0ffee00c0ffee00c0ffee00.deadbeefdeadbeefdeadbeefdeadbeef"
LINK = "https://books.zoho.eu/portal/x/SecurePayment?CInvoiceID=2-c0ffee"
SHAPELESS = "canary-of-no-known-shape"
ECHO = {
    "code": 2,
    "message": f"Invalid token {CANARY} {SHAPELESS}",
    "invoice_url": LINK,
    "access_token": "secret-of-the-body",
    "text": f"pay at {LINK} now",
}


@pytest.mark.parametrize("token", [CANARY, SHAPELESS])
@pytest.mark.parametrize("step", [answer(400, ECHO), answer(201, INVOICE), answer(502, str(ECHO).encode()), cut()])
async def test_no_secret_is_in_a_log_an_exception_or_an_exchange(
    step: Step, token: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A server may echo the token; it is masked wherever the call leaves a trace, with all loggers at DEBUG."""
    caplog.set_level(logging.DEBUG)
    access = ScriptedAccess([token, token])
    error: LedgerError | None = None
    async with RawServer([step]) as server, opened(server.url, access) as ledger:
        exchange = None
        try:
            exchange = (await ledger.execute(CREATE_INVOICE, deadline_seconds=DEADLINE)).exchange
        except LedgerError as failure:
            error, exchange = failure, failure.exchange
        assert server.seen[0].headers["authorization"].endswith(token)
    traces = [caplog.text, repr(exchange), repr(ledger), *([repr(error), _chain(error)] if error else [])]
    for secret in (token, CANARY, "secret-of-the-body", "CInvoiceID"):
        assert not any(secret in trace for trace in traces), secret


def _chain(error: BaseException | None) -> str:
    texts = []
    while error is not None:
        texts.append(f"{error!r} {error}")
        error = error.__cause__ or error.__context__
    return "\n".join(texts)


async def test_the_http_libraries_log_nothing_below_a_warning() -> None:
    """They write whole addresses at INFO; opening a ledger shuts that off, whatever was set before."""
    for name in ("httpx", "httpcore"):
        logging.getLogger(name).setLevel(logging.DEBUG)
    async with RawServer([answer(200, INVOICE)]) as server, opened(server.url) as ledger:
        with contextlib.suppress(RefusedError):
            await ledger.execute(READ_INVOICE, deadline_seconds=DEADLINE)
    assert {logging.getLogger(name).level for name in ("httpx", "httpcore")} == {logging.WARNING}
