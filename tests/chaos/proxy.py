"""A TCP proxy of our own, to cut, freeze, slow down and shorten what passes between two processes.

It knows no protocol. ``freeze`` is a route that has died without telling anybody: connections stay open, also new ones
come about, and nothing passes. A ``Trap`` lets a request through and keeps its answer back: the server has done what
was asked, and whoever asked cannot know.
"""

import asyncio
import socket
import struct
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

LOOPBACK = "127.0.0.1"
CONNECT_SECONDS = 10.0
CHUNK_BYTES = 64 * 1024
QUEUE_CHUNKS = 64  # on their way in one direction; beyond that the sender has to wait, as on a real line
SLICES_PER_SECOND = 10  # of a slow line, where a slice has more than a byte
_ROUNDS_TO_CLOSE = 5  # of the loop: it closes an aborted socket rounds later, and a test's loop may have no other
_RESET = struct.pack("ii", 1, 0)  # linger for no time: the peer is told "reset", not "end"


@dataclass(frozen=True, slots=True, kw_only=True)
class Weather:
    """How the line is. Counts of bytes are those of one connection, from its beginning."""

    latency_seconds: float = 0.0  # one way
    bytes_per_second: float | None = None  # each way
    reset_after_bytes: int | None = None  # both ways together
    answer_bytes_max: int | None = None  # from the server; what follows is swallowed, and the connection is cut


CLEAR = Weather()


@dataclass(slots=True, kw_only=True, eq=False)
class Trap:
    """Requests that hold ``pattern`` pass, their answers do not: the connection is cut when the answer comes."""

    pattern: bytes
    times: int
    chance: Callable[[], bool] = lambda: True  # draws whether one that could be caught is
    sprung: int = 0
    done: asyncio.Event = field(default_factory=asyncio.Event)  # set when it has sprung so many times

    def catches(self, chunk: bytes) -> bool:
        """Tell whether this chunk is a request to be caught, and count it."""
        if self.sprung >= self.times or self.pattern not in chunk or not self.chance():
            return False
        self.sprung += 1
        if self.sprung >= self.times:
            self.done.set()
        return True


class _Line:
    """One connection: the client's side, the server's side, and what has passed."""

    def __init__(self, client: asyncio.StreamWriter, server: asyncio.StreamWriter) -> None:
        self.client = client
        self.server = server
        self.passed_bytes = 0
        self.answered_bytes = 0
        self.caught = False
        self.ended = asyncio.Event()
        self.moving = (
            asyncio.Event()
        )  # set while it is not frozen, and when it has ended: nothing waits for a dead line

    def reset(self) -> None:
        """End it on both sides at once, as a firewall does."""
        self.ended.set()
        self.moving.set()
        for writer in (self.client, self.server):
            _reset(writer)


class Proxy:
    """``async with Proxy(port_of_the_server) as proxy`` listens on ``proxy.port`` and passes on to the server.

    The port may be given where it has to be known before (a broker's advertised address). All counters are of the
    proxy's whole life.
    """

    def __init__(self, upstream_port: int, *, port: int = 0, upstream_host: str = LOOPBACK) -> None:
        self._upstream = (upstream_host, upstream_port)
        self._wanted_port = port
        self._server: asyncio.Server | None = None
        self._lines: set[_Line] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._traps: list[Trap] = []
        self._passing = asyncio.Event()
        self._passing.set()
        self._refusing = False
        self.weather = CLEAR
        self.opened = 0
        self.resets = 0

    @property
    def port(self) -> int:
        """Where it listens. Raises RuntimeError before the start."""
        if self._server is None:
            raise RuntimeError("the proxy is not started: use it with `async with`")
        return int(self._server.sockets[0].getsockname()[1])

    @property
    def address(self) -> str:
        """Give ``host:port`` for clients."""
        return f"{LOOPBACK}:{self.port}"

    @property
    def open_lines(self) -> int:
        """Count the connections that pass through now."""
        return sum(not line.ended.is_set() for line in self._lines)

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, LOOPBACK, self._wanted_port)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is not None:
            self._server.close()
        self._cut_all()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for _ in range(_ROUNDS_TO_CLOSE):
            await asyncio.sleep(0)

    def freeze(self) -> None:
        """Let nothing pass from now on, and tell nobody: half-open, as after a lost route or a paused machine."""
        self._passing.clear()
        for line in self._lines:
            line.moving.clear()

    def thaw(self) -> None:
        """Let everything pass again, also what was sent meanwhile."""
        self._passing.set()
        for line in self._lines:
            line.moving.set()

    def cut(self) -> int:
        """Reset all connections; new ones pass. Gives how many there were."""
        return self._cut_all()

    def refuse(self) -> None:
        """Reset all connections, and each new one at once, until ``allow``."""
        self._refusing = True
        self._cut_all()

    def allow(self) -> None:
        """Let new connections pass again."""
        self._refusing = False

    def calm(self) -> None:
        """Take everything back: clear weather, nothing frozen, refused or trapped."""
        self.weather = CLEAR
        self._traps.clear()
        self.allow()
        self.thaw()

    def trap(self, pattern: bytes, times: int = 1, *, chance: Callable[[], bool] = lambda: True) -> Trap:
        """Set a trap; see Trap."""
        trap = Trap(pattern=pattern, times=times, chance=chance)
        self._traps.append(trap)
        return trap

    def _cut_all(self) -> int:
        lines = list(self._lines)
        for line in lines:
            self._reset(line)
        return len(lines)

    def _reset(self, line: _Line) -> None:
        if not line.ended.is_set():
            self.resets += 1
            line.reset()

    # ---- one connection ----

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # A task of our own: asyncio would complain of one of its own that was cancelled.
        task = asyncio.create_task(self._serve(reader, writer), name="proxy: connection")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.opened += 1
        # Everything that may go wrong with a connection is an end of it, and nobody's error.
        try:
            with suppress(OSError, TimeoutError):
                await self._connect(reader, writer)
        finally:
            _reset(writer)

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._passing.wait()
        if self._refusing:
            return
        async with asyncio.timeout(CONNECT_SECONDS):
            answers, server = await asyncio.open_connection(*self._upstream)
        line = _Line(writer, server)
        if self._passing.is_set():
            line.moving.set()
        self._lines.add(line)
        try:
            await asyncio.gather(_Way(self, line, reader, server, answers=False).run(), self._answers(line, answers))
        finally:
            line.ended.set()
            self._lines.discard(line)
            _reset(server)

    async def _answers(self, line: _Line, answers: asyncio.StreamReader) -> None:
        await _Way(self, line, answers, line.client, answers=True).run()

    def judge(self, line: _Line, chunk: bytes, *, answers: bool) -> bytes:
        """Give what of this chunk may pass; what the weather or a trap keeps back ends the connection."""
        if not answers and any(trap.catches(chunk) for trap in self._traps):
            line.caught = True
        if answers and line.caught:
            return b""
        allowed = len(chunk)
        if self.weather.reset_after_bytes is not None:
            allowed = min(allowed, self.weather.reset_after_bytes - line.passed_bytes)
        if answers and self.weather.answer_bytes_max is not None:
            allowed = min(allowed, self.weather.answer_bytes_max - line.answered_bytes)
        return chunk[: max(allowed, 0)]

    def end(self, line: _Line) -> None:
        """Cut one connection."""
        self._reset(line)


class _Way:
    """One direction of a connection: a reader that stamps each chunk with its moment, and a writer that keeps to it."""

    def __init__(
        self, proxy: Proxy, line: _Line, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, answers: bool
    ) -> None:
        self._proxy = proxy
        self._line = line
        self._reader = reader
        self._writer = writer
        self._answers = answers
        self._chunks: deque[tuple[float, bytes]] = deque()
        self._came = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()

    async def run(self) -> None:
        """Pass on until the sender ends, or the connection is cut."""
        reading = asyncio.create_task(self._read())
        try:
            await self._write()
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)

    async def _read(self) -> None:
        loop = asyncio.get_running_loop()
        chunk = b"-"
        while chunk:
            await self._room.wait()
            try:
                chunk = await self._reader.read(CHUNK_BYTES)
            except OSError:
                # The sender has reset the connection: the other side is told the same, in its turn.
                self._proxy.end(self._line)
                chunk = b""
            self._chunks.append((loop.time() + self._proxy.weather.latency_seconds, chunk))
            self._came.set()
            if len(self._chunks) >= QUEUE_CHUNKS:
                self._room.clear()

    async def _write(self) -> None:
        while not self._line.ended.is_set():
            await self._came.wait()
            moment, chunk = self._chunks.popleft()
            if not self._chunks:
                self._came.clear()
            self._room.set()
            await self._pause(moment - asyncio.get_running_loop().time())
            await self._line.moving.wait()
            if not chunk:
                await self._end()
                return
            await self._pass_on(chunk)

    async def _pass_on(self, chunk: bytes) -> None:
        passing = self._proxy.judge(self._line, chunk, answers=self._answers)
        await self._send(passing)
        self._line.passed_bytes += len(passing)
        if self._answers:
            self._line.answered_bytes += len(passing)
        if len(passing) < len(chunk):
            self._proxy.end(self._line)

    async def _send(self, data: bytes) -> None:
        rate = self._proxy.weather.bytes_per_second
        if rate is None:
            await self._put(data)
            return
        size = max(1, round(rate / SLICES_PER_SECOND))
        for begin in range(0, len(data), size):
            piece = data[begin : begin + size]
            await self._pause(len(piece) / rate)
            await self._put(piece)

    async def _put(self, data: bytes) -> None:
        if data and not self._line.ended.is_set():
            try:
                self._writer.write(data)
                await self._writer.drain()
            except OSError:
                self._proxy.end(self._line)

    async def _end(self) -> None:
        if self._line.ended.is_set():
            return
        if self._writer.can_write_eof():
            with suppress(OSError):
                self._writer.write_eof()

    async def _pause(self, seconds: float) -> None:
        """Wait; a cut ends the wait, so that no slow line outlives its connection."""
        if seconds > 0:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._line.ended.wait(), seconds)


def _reset(writer: asyncio.StreamWriter) -> None:
    bound = writer.get_extra_info("socket")
    if bound is not None and not writer.transport.is_closing():
        with suppress(OSError):
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    writer.transport.abort()
