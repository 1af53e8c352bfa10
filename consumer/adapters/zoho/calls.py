"""The HTTP client of one lane: few connections, calls in tasks that nobody cancels, and bounded answers.

httpx loses a connection's place in its pool when a call is cancelled from outside. So each call runs in its own task;
who waits for it gives up at the deadline and leaves it alone, and it ends by httpx's own time limits.
"""

import asyncio
import socket
import ssl
import time
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

import httpx

from consumer.adapters.zoho.auth import AccessAuth
from consumer.adapters.zoho.bounded import ACCEPTED_ENCODINGS, EXPIRES, BoundedTransport, UnreadableAnswerError
from consumer.adapters.zoho.departure import Departure, HeldBackError
from consumer.adapters.zoho.requests import Request
from consumer.failpoints import failpoint

MAX_CONNECTIONS: Final = 8
KEEPALIVE_SECONDS: Final = 5.0
CONNECT_SECONDS: Final = 5.0
POOL_SECONDS: Final = 5.0
POOL_TIMEOUTS_BEFORE_REPLACING: Final = 2
CLOSING_SECONDS: Final = 5.0
USER_AGENT: Final = "Booked"

T = TypeVar("T")
MakeTransport = Callable[[], httpx.AsyncBaseTransport]


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """An answer: ``unreadable`` says what is wrong with the body, if anything; header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes = b""
    unreadable: str = ""
    tokens: tuple[str, ...] = field(default=(), repr=False)


class NoAnswerError(Exception):
    """No answer came. ``sent`` False: for certain no byte of the request left us (or the ledger said 401 to it)."""

    def __init__(self, words: str, *, sent: bool) -> None:
        super().__init__(words)
        self.sent = sent


def make_transport(
    *, deadline_seconds: float, tls: ssl.SSLContext, kept_connections: int = MAX_CONNECTIONS
) -> BoundedTransport:
    """Make a transport: HTTP/1.1, no proxy, eight connections, and no late delivery by the kernel.

    ``kept_connections`` are left open for the next call. The library closes one that has grown old only when that
    call comes: whoever calls once an hour keeps none.
    """
    options: list[tuple[int, int, int]] = [(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)]
    user_timeout = getattr(socket, "TCP_USER_TIMEOUT", None)  # Linux only
    if user_timeout is not None:
        # Bytes that are not acknowledged by the deadline are dropped, so that nothing arrives after we gave up.
        options.append((socket.IPPROTO_TCP, user_timeout, int(deadline_seconds * 1000)))
    limits = httpx.Limits(
        max_connections=MAX_CONNECTIONS,
        max_keepalive_connections=kept_connections,
        keepalive_expiry=KEEPALIVE_SECONDS,
    )
    return BoundedTransport(
        httpx.AsyncHTTPTransport(
            verify=tls, trust_env=False, http1=True, http2=False, limits=limits, socket_options=options
        )
    )


class Calls:
    """Makes calls to one host. ``pool_seconds`` is how long a call waits for a free connection."""

    def __init__(self, origin: str, *, transport: MakeTransport, pool_seconds: float = POOL_SECONDS) -> None:
        self._origin = origin
        self._make_transport = transport
        self._pool_seconds = pool_seconds
        self._client = self._make_client()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._departures: set[Departure] = set()
        self._pool_timeouts = 0
        self._closing = False

    @property
    def in_flight(self) -> int:
        """Count the requests that have left and are not answered."""
        return sum(departure.left for departure in self._departures)

    async def call(
        self, request: Request, *, auth: AccessAuth | None, departure: Departure, deadline: float
    ) -> Received:
        """Make a call within ``deadline`` seconds. Raises NoAnswerError, and what the access raises, as it is."""
        if self._closing:
            raise NoAnswerError("the client was closed", sent=False)
        task = self._keep(self._run(request, auth, departure, deadline))
        try:
            # wait, other than wait_for, leaves the task alone when time is up or the caller is cancelled.
            done, _ = await asyncio.wait({task}, timeout=deadline)
        except asyncio.CancelledError:
            departure.close()
            raise
        if done:
            return task.result()
        departure.close()
        raise NoAnswerError(f"no answer within {deadline:g} s", sent=departure.left)

    async def aclose(self) -> None:
        """Wait shortly for calls under way, then close the connections under what is left, and end it."""
        self._closing = True
        await self._wait_for_tasks()
        await self._close(self._client)
        await self._wait_for_tasks()
        for task in self._tasks:
            task.cancel()  # the pool is gone: there is no place left in it that could be lost

    async def _wait_for_tasks(self) -> None:
        if self._tasks:
            await asyncio.wait(set(self._tasks), timeout=CLOSING_SECONDS)

    def _keep(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._forget)
        return task

    def _forget(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # looked at, so that an abandoned call's failure is not reported as forgotten

    async def _run(self, request: Request, auth: AccessAuth | None, departure: Departure, deadline: float) -> Received:
        self._departures.add(departure)
        try:
            received = await self._send(self._client, request, auth, departure, deadline)
        except httpx.PoolTimeout:
            self._note_pool_timeout()
            raise NoAnswerError("no free connection", sent=departure.left) from None
        except (HeldBackError, UnreadableAnswerError) as error:
            raise NoAnswerError(str(error), sent=departure.left) from None
        except httpx.HTTPError as error:
            # Named by its type alone: the text of a library's error may quote what was sent.
            raise NoAnswerError(f"the connection failed ({type(error).__name__})", sent=departure.left) from None
        finally:
            self._departures.discard(departure)
        self._pool_timeouts = 0
        return received

    async def _send(
        self,
        client: httpx.AsyncClient,
        request: Request,
        auth: AccessAuth | None,
        departure: Departure,
        deadline: float,
    ) -> Received:
        expires = time.monotonic() + deadline
        http_request = client.build_request(
            request.method,
            self._origin + request.path,
            params=request.query,
            content=request.body.encode() if request.body else None,
            headers={"Content-Type": request.content_type} if request.body else None,
            timeout=httpx.Timeout(deadline, connect=min(CONNECT_SECONDS, deadline), pool=self._pool_seconds),
            extensions={"trace": departure.trace, EXPIRES: expires},
        )
        response = await client.send(http_request, auth=auth, stream=True)
        if auth is not None and request.method != "GET":
            failpoint("answer_unread")
        try:
            body, unreadable = await response.aread(), ""
        except UnreadableAnswerError as error:
            body, unreadable = b"", str(error)
        finally:
            await response.aclose()
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Received(
            status=response.status_code,
            headers=headers,
            body=body,
            unreadable=unreadable,
            tokens=tuple(auth.tokens) if auth is not None else (),
        )

    def _note_pool_timeout(self) -> None:
        """Replace the client when its pool gives no connection though none is in use: places were lost in it."""
        self._pool_timeouts += 1
        if self._pool_timeouts < POOL_TIMEOUTS_BEFORE_REPLACING or self.in_flight:
            return
        self._pool_timeouts = 0
        old, self._client = self._client, self._make_client()
        self._keep(self._close(old))

    async def _close(self, client: httpx.AsyncClient) -> None:
        try:
            async with asyncio.timeout(CLOSING_SECONDS):
                await client.aclose()
        except (TimeoutError, httpx.HTTPError):
            return

    def _make_client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            transport=self._make_transport(),
            trust_env=False,
            follow_redirects=False,
            headers={"Accept": "application/json", "Accept-Encoding": ACCEPTED_ENCODINGS, "User-Agent": USER_AGENT},
        )
