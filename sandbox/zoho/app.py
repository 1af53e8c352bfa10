"""The web application: what is for the control API goes there, everything else is a visit."""

from collections.abc import Mapping

from starlette.requests import ClientDisconnect, Request
from starlette.types import Receive, Scope, Send

from sandbox.zoho.calls import Answer
from sandbox.zoho.control import Control
from sandbox.zoho.delivery import deliver
from sandbox.zoho.visits import Arrival, Visit
from sandbox.zoho.world import World

BODY_BYTES_MAX = 32 * 1024 * 1024
_LOOPBACK = {"127.0.0.1", "::1"}
_NO_HEADERS: Mapping[str, str] = {}


class Application:
    """The ASGI application of the stand-in."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._control = Control(world=world)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        try:
            content = await _content(request)
        except ClientDisconnect:
            return
        if content is None:
            too_big = Answer(status=413, body={"code": 1000, "message": "The body is too large."})
            await deliver(send, too_big, headers=_NO_HEADERS)
            return
        arrival = _arrival(request, content)
        if arrival.path.startswith("/control"):
            await deliver(send, self._controlled(arrival), headers=_NO_HEADERS)
        else:
            await Visit(world=self._world, arrival=arrival).run(send)

    def _controlled(self, arrival: Arrival) -> Answer:
        if arrival.caller[0] not in _LOOPBACK:
            return Answer(status=403, body={"error": "The control API answers this machine only."})
        return self._control.answer(arrival.method, arrival.path, arrival.query, arrival.content)


async def _content(request: Request) -> bytes | None:
    """Read the body; None where it is larger than anything sensible."""
    content = bytearray()
    async for piece in request.stream():
        content += piece
        if len(content) > BODY_BYTES_MAX:
            return None
    return bytes(content)


def _arrival(request: Request, content: bytes) -> Arrival:
    caller = request.client
    return Arrival(
        method=request.method,
        path=request.url.path,
        query_string=request.url.query,
        headers=dict(request.headers),
        content=content,
        caller=(caller.host, caller.port) if caller is not None else ("", 0),
    )
