"""A server that does what a test tells it, byte by byte, on a real socket."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

MAX_REQUEST_BYTES = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A request as it came."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """Read the body."""
        return json.loads(self.body)


Step = Callable[[Seen, asyncio.StreamWriter], Awaitable[None]]


def answer(status: int, body: bytes | object = b"", **headers: str) -> Step:
    """Answer: bytes as they are, anything else as JSON; ``_`` in header names becomes ``-``."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()

    async def step(_: Seen, writer: asyncio.StreamWriter) -> None:
        lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(data)}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + data)
        await writer.drain()

    return step


def raw(data: bytes, *, close: bool = True) -> Step:
    """Send exactly these bytes and close."""

    async def step(_: Seen, writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        await writer.drain()
        if close:
            writer.close()

    return step


def cut() -> Step:
    """Close without an answer."""

    async def step(_: Seen, writer: asyncio.StreamWriter) -> None:
        writer.transport.abort()

    return step


def hold(until: asyncio.Event, then: Step) -> Step:
    """Wait for the event, then do the next step."""

    async def step(seen: Seen, writer: asyncio.StreamWriter) -> None:
        await until.wait()
        await then(seen, writer)

    return step


@dataclass
class RawServer:
    """Serves on a free port. Each request takes the next step of the script; the last one is repeated."""

    script: list[Step]
    seen: list[Seen] = field(default_factory=list)
    connections: int = 0

    async def __aenter__(self) -> Self:
        self._arrived = asyncio.Condition()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, limit=MAX_REQUEST_BYTES)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    @property
    def url(self) -> str:
        """Give the origin."""
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def arrived(self, count: int, *, within_seconds: float = 10.0) -> None:
        """Wait until so many requests have come."""
        async with asyncio.timeout(within_seconds), self._arrived:
            await self._arrived.wait_for(lambda: len(self.seen) >= count)

    async def open_connections(self, *, within_seconds: float = 2.0) -> int:
        """Count the connections that the other side has not closed within that time."""
        if not self._tasks:
            return 0
        _, still_open = await asyncio.wait(set(self._tasks), timeout=within_seconds)
        return len(still_open)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            while (seen := await _read(reader)) is not None:
                step = self.script[min(len(self.seen), len(self.script) - 1)]
                async with self._arrived:
                    self.seen.append(seen)
                    self._arrived.notify_all()
                await step(seen, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            return  # the other side has gone, or the test has ended
        finally:
            self._tasks.discard(task)
            writer.close()


async def _read(reader: asyncio.StreamReader) -> Seen | None:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.decode().strip().split("\r\n")
    method, target, _ = first.split(" ", 2)
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Seen(method=method, target=target, headers=headers, body=body)
