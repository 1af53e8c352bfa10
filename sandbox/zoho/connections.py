"""The open connections, so that one can be cut: closed without an answer, as a broken network does."""

import asyncio
import socket
import struct
from typing import Any

from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

_NO_LINGER = struct.pack("ii", 1, 0)
"""Closing a socket with this option sends a reset instead of a farewell."""


class Connections:
    """Which connection belongs to which caller."""

    def __init__(self) -> None:
        self._open: dict[tuple[str, int], asyncio.Transport] = {}

    def opened(self, caller: tuple[str, int], transport: asyncio.Transport) -> None:
        """Remember a connection."""
        self._open[caller] = transport
        raw = transport.get_extra_info("socket")
        if raw is not None:
            # The loop does this by itself only for sockets that it made; without it head and body of an answer wait
            # some 40 ms for each other.
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def closed(self, caller: tuple[str, int], transport: asyncio.Transport) -> None:
        """Forget a connection. The caller's port may be in use again by then, for another one."""
        if self._open.get(caller) is transport:
            del self._open[caller]

    def is_open(self, caller: tuple[str, int]) -> bool:
        """Say whether the caller is still there."""
        transport = self._open.get(caller)
        return transport is not None and not transport.is_closing()

    def cut(self, caller: tuple[str, int]) -> None:
        """Reset a caller's connection."""
        transport = self._open.get(caller)
        if transport is None:
            return
        raw = transport.get_extra_info("socket")
        if raw is not None:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
        transport.abort()


def protocol_for(connections: Connections) -> type[asyncio.Protocol]:
    """Make the HTTP protocol class that keeps the connections' list."""

    class CuttableProtocol(H11Protocol):
        """HTTP over a connection that can be cut."""

        def __init__(
            self,
            config: Config,
            server_state: ServerState,
            app_state: dict[str, Any],
            _loop: asyncio.AbstractEventLoop | None = None,
        ) -> None:
            super().__init__(config=config, server_state=server_state, app_state=app_state, _loop=_loop)
            self._caller: tuple[str, int] | None = None

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as its parent does
            super().connection_made(transport)
            self._caller = self.client
            if self._caller is not None:
                connections.opened(self._caller, transport)

        def connection_lost(self, exc: Exception | None) -> None:
            if self._caller is not None:
                connections.closed(self._caller, self.transport)
            super().connection_lost(exc)

    return CuttableProtocol
