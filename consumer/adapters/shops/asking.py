"""One request to a shop: bounded in time and bytes, not redirected, and every failure told as what to do about it."""

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import httpx

from consumer.adapters.shops.addresses import AddressRefusedError, NameUnknownError
from consumer.ports.shop_lists import (
    ShopListError,
    ShopListMalformedError,
    ShopListRefusedError,
    ShopListUnavailableError,
)

BODY_BYTES_MAX: Final = 16 * 1024 * 1024
PAGE_SECONDS: Final = 60.0
CONNECT_SECONDS: Final = 5.0
CLOSING_SECONDS: Final = 5.0
WAIT_DEFAULT_SECONDS: Final = 2.0
USER_AGENT: Final = "Booked"

_OK: Final = 200
_REDIRECTS: Final = range(300, 400)
_PASSING: Final = frozenset({408, 425, 429})
_FAULTS_FROM: Final = 500
_ASKED_TO_WAIT: Final = frozenset({429, 503})
_FIXES: Final = {
    401: "it does not know the secret; check it, and that it has not been taken back",
    402: "the shop is not paid for; settle that with its platform",
    403: "the secret is known and may not read orders; give it that right, or let our address through",
    404: "there is no list at this address; check `url` of the order list",
    405: "there is something else at this address; check `url` of the order list",
}
_FIX: Final = "it does not take the question; check `url` and `kind` of the order list"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A page as it came; the headers' names are in small letters."""

    headers: Mapping[str, str]
    body: bytes


class WaitError(ShopListUnavailableError):
    """The shop asks us to wait so long before the next question."""

    def __init__(self, shop_id: str, message: str, *, wait_seconds: float) -> None:
        super().__init__(shop_id, message)
        self.wait_seconds = wait_seconds


class Asking:
    """Asks one shop, one question at a time. The secret in ``headers`` goes to the URL's host alone, and in no log."""

    def __init__(self, shop_id: str, *, transport: httpx.AsyncBaseTransport, headers: Mapping[str, str]) -> None:
        self._shop_id = shop_id
        # Not packed: httpx unpacks without a limit, and a small answer could become one of gigabytes.
        own = {"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": USER_AGENT}
        self._client = httpx.AsyncClient(
            transport=transport, trust_env=False, follow_redirects=False, headers={**own, **headers}
        )

    async def get(self, url: httpx.URL, *, within_seconds: float) -> Answer:
        """Ask for one page. Raises ShopListError of the fitting kind, WaitError among them."""
        try:
            async with asyncio.timeout(within_seconds):
                return await self._get(url, within_seconds)
        except TimeoutError:
            raise self._unavailable(url, f"did not answer completely within {within_seconds:g} s") from None
        except (NameUnknownError, AddressRefusedError, httpx.HTTPError, httpx.InvalidURL) as error:
            raise self._not_reached(url, error) from None

    async def aclose(self) -> None:
        """Close the connections, and wait for that for a few seconds at most."""
        try:
            async with asyncio.timeout(CLOSING_SECONDS):
                await self._client.aclose()
        except (TimeoutError, httpx.HTTPError):
            return

    async def _get(self, url: httpx.URL, within_seconds: float) -> Answer:
        timeout = httpx.Timeout(within_seconds, connect=min(CONNECT_SECONDS, within_seconds))
        async with self._client.stream("GET", url, timeout=timeout) as response:
            self._check(url, response)
            body = bytearray()
            async for chunk in response.aiter_raw():
                body += chunk
                if len(body) > BODY_BYTES_MAX:
                    raise self._malformed(url, f"answered with a page of more than {BODY_BYTES_MAX} bytes")
            headers = {name.lower(): value for name, value in response.headers.items()}
            return Answer(headers=headers, body=bytes(body))

    def _check(self, url: httpx.URL, response: httpx.Response) -> None:
        """Refuse what is no page before a byte of it is read."""
        status = response.status_code
        if status != _OK:
            raise self._status(url, response)
        kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/json" and not kind.endswith("+json"):
            raise self._malformed(url, f"answered with {_quoted(kind) or 'no content type'} instead of JSON")
        if response.headers.get("content-encoding", "identity").strip().lower() not in ("", "identity"):
            raise self._malformed(url, "packed its answer (Content-Encoding), which was not asked for")

    def _status(self, url: httpx.URL, response: httpx.Response) -> ShopListError:
        status = response.status_code
        if status in _REDIRECTS:
            # Not followed: whoever can answer there could send the secret, and us, to any address.
            found = "answered with a redirect, which is not followed; set `url` to the final address"
            return ShopListRefusedError(self._shop_id, self._sentence(url, found))
        if status in _ASKED_TO_WAIT and (wait := _wait_seconds(response)) is not None:
            said = self._sentence(url, f"answered with HTTP {status}: too many questions; it is asked again later")
            return WaitError(self._shop_id, said, wait_seconds=wait)
        if status in _PASSING or status >= _FAULTS_FROM:
            return self._unavailable(url, f"answered with HTTP {status}")
        if status < _REDIRECTS.start:
            return self._malformed(url, f"answered with HTTP {status} instead of 200")
        found = f"answered with HTTP {status}: {_FIXES.get(status, _FIX)}"
        return ShopListRefusedError(self._shop_id, self._sentence(url, found))

    def _not_reached(self, url: httpx.URL, error: Exception) -> ShopListError:
        if isinstance(error, AddressRefusedError):
            found = f"is not asked: {error}; set `allow_private` where that is meant"
            return ShopListRefusedError(self._shop_id, self._sentence(url, found))
        if isinstance(error, NameUnknownError):
            return self._unavailable(url, f"cannot be reached: {error}")
        if isinstance(error, httpx.InvalidURL):
            return ShopListRefusedError(self._shop_id, self._sentence(url, "cannot be asked: `url` is no address"))
        if certificate := _certificate_fault(error):
            found = f"shows a certificate that does not hold ({certificate}); mend it, or set `url` to its name"
            return ShopListRefusedError(self._shop_id, self._sentence(url, found))
        # Named by its type alone: the text of a library's error may quote what was sent.
        return self._unavailable(url, f"cannot be reached ({type(error).__name__})")

    def _unavailable(self, url: httpx.URL, found: str) -> ShopListUnavailableError:
        return ShopListUnavailableError(self._shop_id, self._sentence(url, f"{found}; it is asked again later"))

    def _malformed(self, url: httpx.URL, found: str) -> ShopListMalformedError:
        said = f"{found}; its developers find the contract in docs/order-list.md"
        return ShopListMalformedError(self._shop_id, self._sentence(url, said))

    def malformed(self, url: httpx.URL, found: str) -> ShopListMalformedError:
        """Make the error for an answer that came and is no page; ``found`` completes "the list … answered with"."""
        return self._malformed(url, f"answered with {found}")

    def _sentence(self, url: httpx.URL, found: str) -> str:
        # Without the query: a cursor may be as good as a secret.
        return f"shop {self._shop_id}: its order list at {url.host}{url.path} {found}."


def _wait_seconds(response: httpx.Response) -> float | None:
    """Read ``Retry-After`` in seconds, which Shopify writes with decimals; of 429 alone there is a default."""
    told = response.headers.get("retry-after", "")
    try:
        seconds = float(told)
    except ValueError:
        seconds = -1.0
    if 0 <= seconds < float("inf"):
        return seconds
    return WAIT_DEFAULT_SECONDS if response.status_code in _PASSING else None


def _certificate_fault(error: BaseException | None) -> str:
    """Find a refused certificate among the causes of an error; it is no outage, it wants a person."""
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return error.verify_message
        error = error.__cause__ or error.__context__
    return ""


def _quoted(kind: str) -> str:
    return f'"{kind[:80]}"' if kind else ""
