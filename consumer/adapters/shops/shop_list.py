"""A shop's own list of orders, page by page, with an end: of pages, of time, and of patience."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

import httpx

from consumer.adapters.shops.asking import PAGE_SECONDS, Answer, Asking, WaitError
from consumer.adapters.shops.pages import NoPageError, Page, page_of
from consumer.adapters.shops.ways import Way
from consumer.ports.shop_lists import ListedOrder, ShopListUnavailableError

ReadOrder = Callable[[bytes, datetime], ListedOrder | None]
"""Reads one order of a page: its payload, and the time to give it where it tells none; None: it is not paid."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListLimits:
    """How much is asked of a shop in one go."""

    page_seconds: float = PAGE_SECONDS
    asking_seconds: float = 1800.0  # of waiting for the shop in all; what is done with its orders does not count
    pages: int = 10_000
    waits: int = 20  # how often it may ask us to wait
    wait_seconds: float = 30.0  # and for how long at most, each time
    failures: int = 5  # of pages behind the first, which are asked for again
    failure_seconds: float = 2.0  # after so long


@dataclass(slots=True)
class _Visit:
    """What one run has spent so far."""

    left_seconds: float
    pages: int = 0
    waits: int = 0
    failures: int = 0


class HttpShopList:
    """See consumer.ports.shop_lists.ShopList."""

    def __init__(
        self,
        shop_id: str,
        *,
        way: Way,
        token: str,
        transport: httpx.AsyncBaseTransport,
        read: ReadOrder,
        limits: ListLimits | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take the parts. Raises ValueError where the secret is not of the way's form."""
        self._shop_id = shop_id
        self._way = way
        self._asking = Asking(shop_id, transport=transport, headers=way.headers(token))
        self._read = read
        self._limits = limits or ListLimits()
        self._sleep = sleep
        self._clock = clock

    async def paid_since(self, since: datetime, until: datetime | None = None) -> AsyncIterator[ListedOrder]:
        """See the port."""
        given: set[str] = set()
        async for payload in self._payloads(since, until):
            order = self._read(payload, since)
            if order is None or not self._within(order, since, until) or order.order_id in given:
                continue
            if order.order_id:
                given.add(order.order_id)
            yield order

    async def aclose(self) -> None:
        """See the port."""
        await self._asking.aclose()

    def _within(self, order: ListedOrder, since: datetime, until: datetime | None) -> bool:
        if order.problem:
            return True  # its time may be as wrong as the rest of it, and it has to be told of
        if until is not None and order.paid_at >= until:
            return False
        return order.paid_at >= since or not self._way.shows_payment_time

    async def _payloads(self, since: datetime, until: datetime | None) -> AsyncIterator[bytes]:
        """Give the orders of all pages. A page is held only until its orders are given."""
        visit = _Visit(left_seconds=self._limits.asking_seconds)
        url: httpx.URL | None = self._way.first(since, until)
        asked: set[str] = set()
        while url is not None:
            if str(url) in asked:
                raise self._asking.malformed(url, "a next page that was read already, so its list has no end")
            asked.add(str(url))
            page, url = await self._page(url, visit)
            for payload in page.orders:
                yield payload

    async def _page(self, url: httpx.URL, visit: _Visit) -> tuple[Page, httpx.URL | None]:
        visit.pages += 1
        if visit.pages > self._limits.pages:
            found = f"more than {self._limits.pages} pages; ask for a shorter time, or mend a list that has no end"
            raise self._asking.malformed(url, found)
        answer = await self._answer(url, visit)
        try:
            page = page_of(answer.body, under=self._way.under)
            return page, self._way.following(url, page, answer.headers)
        except NoPageError as error:
            raise self._asking.malformed(url, str(error)) from error

    async def _answer(self, url: httpx.URL, visit: _Visit) -> Answer:
        """Ask, and ask again after a while, as long as there is time and patience for it."""
        while True:
            seconds, begun = self._seconds(visit), self._clock()
            try:
                return await self._asking.get(url, within_seconds=seconds)
            except ShopListUnavailableError as error:
                wait = self._wait_seconds(error, visit)
                if wait is None:
                    raise
            finally:
                visit.left_seconds -= self._clock() - begun
            await self._sleep(wait)

    def _wait_seconds(self, error: ShopListUnavailableError, visit: _Visit) -> float | None:
        """Tell how long to wait before the same question; None where it is left to the next run.

        One failure among thousands of pages must not cost them all. But a list that fails at its first page is down,
        and nobody gains by waiting for it here.
        """
        if isinstance(error, WaitError):
            visit.waits += 1
            bearable = error.wait_seconds <= min(self._limits.wait_seconds, visit.left_seconds)
            return error.wait_seconds if bearable and visit.waits <= self._limits.waits else None
        visit.failures += 1
        return self._limits.failure_seconds if visit.pages > 1 and visit.failures <= self._limits.failures else None

    def _seconds(self, visit: _Visit) -> float:
        """Give the time for the next question. Raises ShopListUnavailableError where none is left."""
        if visit.left_seconds <= 0:
            spent = f"{self._limits.asking_seconds:g} s, {visit.pages - 1} pages"
            message = f"shop {self._shop_id}: its order list was not at its end after {spent}; ask for a shorter time."
            raise ShopListUnavailableError(self._shop_id, message)
        return min(self._limits.page_seconds, visit.left_seconds)
