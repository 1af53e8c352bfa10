"""Zoho's OAuth as an httpx flow: the stored token, and after a 401 one renewal and one repetition."""

import re
from collections.abc import AsyncGenerator
from typing import Final

import httpx

from consumer.adapters.zoho.departure import Departure
from consumer.errors import ConnectionStoppedError, StopCause
from consumer.ports.ledger import Access

_UNAUTHORIZED: Final = 401
_PRINTABLE: Final = re.compile(r"[\x21-\x7e]{1,2000}")


class AccessAuth(httpx.Auth):
    """The flow of one call. ``tokens`` are those it used, for redaction; ``refused`` tells of a first 401.

    A 401 is an expired token or a missing scope, and Zoho gives both the same code. So it is renewed once, and
    the second 401 is for good; that one is classified like any other answer.
    """

    def __init__(self, access: Access, departure: Departure) -> None:
        self._access = access
        self._departure = departure
        self.tokens: list[str] = []
        self.refused = False

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Send the request with the token, and once more with a renewed one after a 401."""
        token = await self._access.token()
        self._sign(request, token)
        response = yield request
        if response.status_code != _UNAUTHORIZED:
            return
        self.refused = True
        self._departure.undone()
        await response.aread()  # to the end, so that the connection is free for the repetition
        fresh = await self._access.renewed(token)
        self._departure.begin_again()
        self._sign(request, fresh)
        yield request

    def _sign(self, request: httpx.Request, token: str) -> None:
        # A line break in a token would end the header and begin another one.
        if not _PRINTABLE.fullmatch(token):
            raise ConnectionStoppedError(
                "The stored access token cannot be sent; connect again with `booked connect`.",
                StopCause.SECRET_UNREADABLE,
            )
        self.tokens.append(token)
        request.headers["Authorization"] = f"Zoho-oauthtoken {token}"
