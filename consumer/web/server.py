"""An HTTP server within the process's own event loop, so that a stuck loop cannot answer that it is alive."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp

from consumer.errors import ConfigurationError
from consumer.lifecycle import Service

BACKLOG = 64
CONNECTIONS_MAX = 200


class HttpServer(Service):
    """Serves one application until it is stopped. ``setting`` names the port where it cannot be used."""

    def __init__(self, app: ASGIApp, *, host: str, port: int, setting: str = "BOOKED_HTTP_PORT") -> None:
        super().__init__("http")
        self._socket = _bind(host, port, setting)
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            lifespan="off",
            limit_concurrency=CONNECTIONS_MAX,
            timeout_keep_alive=5,
            timeout_graceful_shutdown=2,
        )
        self._server = _Server(config)

    @property
    def address(self) -> tuple[str, int]:
        """Give host and port as bound."""
        host, port = self._socket.getsockname()[:2]
        return str(host), int(port)

    async def _begin(self) -> None:
        self.spawn("serving", self._server.serve(sockets=[self._socket]))
        self.started.set()

    async def _finish(self, deadline_seconds: float) -> None:  # noqa: ARG002 uvicorn has its own, shorter one
        self._server.should_exit = True

    async def _release(self) -> None:
        self._socket.close()


class _Server(uvicorn.Server):
    """uvicorn without signal handlers: the signals are the process's, which has more to stop than this server."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals alone."""
        yield


def _bind(host: str, port: int, setting: str) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
    except OSError as error:
        bound.close()
        raise ConfigurationError(setting, f"{host}:{port} cannot be used: {error.strerror}") from error
    bound.listen(BACKLOG)
    bound.setblocking(False)  # noqa: FBT003 the standard library's own signature
    return bound
