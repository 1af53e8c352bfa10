"""The browser's way back from the accounts server to a terminal: one address of this machine, one use."""

import asyncio
import hmac
import secrets
from dataclasses import dataclass, field

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from consumer.errors import ConnectionStoppedError, StopCause
from consumer.web.server import HttpServer


@dataclass(slots=True)
class Callback:
    """What the answer has to match: a state of this run, used once, and the accounts server that was asked."""

    accounts_server: str
    state: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)
    used: bool = False

    def check(self, state: str, accounts_server: str | None) -> str:
        """Give what is wrong with an answer; empty where it may be used. Each state is good for one answer.

        The answer may name its accounts server: another one than asked would be sent our code and secret (mix-up).
        """
        if self.used:
            return "this answer was given before; start again"
        if not hmac.compare_digest(state.encode(), self.state.encode()):
            return "the answer belongs to another request (state differs); start again"
        self.used = True
        if accounts_server and accounts_server.rstrip("/") != self.accounts_server.rstrip("/"):
            return "the answer comes from another data centre than the connection names; correct data_center"
        return ""


async def wait_for_callback(callback: Callback, port: int) -> str:
    """Serve until an answer came, and give its code. Raises ConnectionStoppedError where access was not allowed."""
    answered: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def receive(request: Request) -> Response:
        query = request.query_params
        wrong = callback.check(query.get("state", ""), query.get("accounts-server"))
        if wrong:
            if callback.used and not answered.done():
                # It was our own request, answered from elsewhere: its state is spent, so nobody need wait any longer.
                answered.set_exception(ConnectionStoppedError(f"Not connected: {wrong}", StopCause.NOT_CONNECTED))
            return PlainTextResponse(wrong, status_code=400)
        code = query.get("code", "")
        if not answered.done():
            if code:
                answered.set_result(code)
            else:
                message = f"Access was not allowed: {query.get('error', 'no code came')}"
                answered.set_exception(ConnectionStoppedError(message, StopCause.NOT_CONNECTED))
        return PlainTextResponse("You may close this page and go back to the terminal.")

    server = HttpServer(Starlette(routes=[Route("/callback", receive)]), host="127.0.0.1", port=port, setting="--port")
    await server.start()
    try:
        return await answered
    finally:
        await server.stop(2.0)
