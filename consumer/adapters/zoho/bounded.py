"""A transport whose answers are bounded: in bytes, after unpacking too, and in time.

httpx unpacks gzip without a limit: 64 KiB from the network may become 64 MiB at once. So the unpacking is done here,
step by step, and nothing above this layer, whoever reads the body, can be flooded.
"""

import time
import zlib
from collections.abc import AsyncIterable, AsyncIterator
from typing import Final

import httpx

MAX_BODY_BYTES: Final = 2 * 1024 * 1024
ACCEPTED_ENCODINGS: Final = "gzip, identity"
EXPIRES: Final = "booked_expires"
"""Name of the request extension that holds the moment, by ``time.monotonic``, when reading the answer ends."""

_STEP_BYTES: Final = 64 * 1024
_GZIP_WINDOW: Final = zlib.MAX_WBITS | 16
# What described the bytes on the wire no longer holds; and a lane keeps no cookies between calls.
_DROPPED_HEADERS: Final = frozenset({b"content-encoding", b"content-length", b"set-cookie"})


class UnreadableAnswerError(Exception):
    """An answer came, but its body cannot be read; the message completes "a body that is …"."""


class BoundedTransport(httpx.AsyncBaseTransport):
    """Wraps a transport. Reading an answer raises UnreadableAnswerError beyond the limit, the time, or as no gzip."""

    def __init__(self, inner: httpx.AsyncBaseTransport, *, max_body_bytes: int = MAX_BODY_BYTES) -> None:
        self._inner = inner
        self._max_body_bytes = max_body_bytes

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send the request and give its answer with a bounded, unpacked body."""
        response = await self._inner.handle_async_request(request)
        if not isinstance(response.stream, httpx.AsyncByteStream):  # pragma: no cover httpx's own promise
            raise TypeError("an asynchronous transport gives asynchronous streams")
        stream = _BoundedStream(
            response.stream,
            encoding=response.headers.get("content-encoding", "identity").strip().lower(),
            max_bytes=self._max_body_bytes,
            expires=request.extensions.get(EXPIRES, float("inf")),
        )
        headers = [(name, value) for name, value in response.headers.raw if name.lower() not in _DROPPED_HEADERS]
        return httpx.Response(response.status_code, headers=headers, stream=stream, extensions=response.extensions)

    async def aclose(self) -> None:
        """Close all connections."""
        await self._inner.aclose()


class _BoundedStream(httpx.AsyncByteStream):
    def __init__(self, inner: httpx.AsyncByteStream, *, encoding: str, max_bytes: int, expires: float) -> None:
        self._inner = inner
        self._encoding = encoding
        self._max_bytes = max_bytes
        self._expires = expires

    async def __aiter__(self) -> AsyncIterator[bytes]:
        given = 0
        async for piece in self._pieces():
            given += len(piece)
            if given > self._max_bytes:
                raise UnreadableAnswerError(f"longer than {self._max_bytes} bytes")
            yield piece

    def _pieces(self) -> AsyncIterable[bytes]:
        if self._encoding in {"", "identity"}:
            return self._timed()
        if self._encoding in {"gzip", "x-gzip"}:
            return self._unpacked()
        raise UnreadableAnswerError("packed in a way that was not asked for")

    async def _timed(self) -> AsyncIterator[bytes]:
        async for chunk in self._inner:
            # A server that sends a byte now and then never meets the read timeout; the total deadline ends it.
            if time.monotonic() > self._expires:
                raise UnreadableAnswerError("not complete within the deadline")
            yield chunk

    async def _unpacked(self) -> AsyncIterator[bytes]:
        unpacker = zlib.decompressobj(_GZIP_WINDOW)
        try:
            async for chunk in self._timed():
                waiting = chunk
                while waiting:
                    yield unpacker.decompress(waiting, _STEP_BYTES)
                    waiting = unpacker.unconsumed_tail
        except zlib.error:
            raise UnreadableAnswerError("no gzip, though it says so") from None
        if not unpacker.eof:
            raise UnreadableAnswerError("cut off within its gzip")

    async def aclose(self) -> None:
        await self._inner.aclose()
