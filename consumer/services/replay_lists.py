"""Asks shops for their own lists of orders: it finds what was never published, and what a gap has swallowed."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import blake2b

from consumer.domain.completeness import Source
from consumer.domain.settings import ShopSettings
from consumer.ports.events import Record
from consumer.ports.intake import Lease
from consumer.ports.replay import OpenGap, Progress, ReplayStore, list_place
from consumer.ports.shop_lists import ListedOrder, ShopList, ShopListError
from consumer.services.replay_compare import Comparison, Stretch
from consumer.services.replay_report import ReplayLimits, ReplayReport, ReplayRequest

OpenList = Callable[[ShopSettings], ShopList | None]
NEVER = datetime.max.replace(tzinfo=UTC)  # as the moment from which on orders are summed
_ALWAYS = datetime.min.replace(tzinfo=UTC)
_LOG = 1
_OFFSET_BYTES = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedWindow:
    """What a list is asked for: orders paid from ``since`` and before ``until``."""

    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ListAsking:
    """Asks the lists of one run. ``comparison`` compares what they give, ``time_left`` ends it in time."""

    store: ReplayStore
    comparison: Comparison
    report: ReplayReport
    limits: ReplayLimits
    open_list: OpenList
    time_left: Callable[[], float]

    async def ask_all(self, shops: Sequence[ShopSettings], request: ReplayRequest, lease: Lease, now: datetime) -> None:
        """Ask every shop for what was paid since it was asked last, or for the window of the request."""
        for shop in shops:
            if self.time_left() <= 0:
                self.report.left.append(f"the order list of shop {shop.shop_id} was not asked: the time is over")
                continue
            place = list_place(shop.shop_id)
            progress = (await self.store.progress([place])).get(place)
            window = self._window(progress, request, now)
            if await self.ask(shop, window, _counted_from(progress, request)) and request.keeps_progress:
                done = Progress(log=_LOG, next_offset=0, reached=window.until)
                await self.store.advance(lease, place, done, self.comparison.tallying.take())
            else:
                # Of a list that broke off nothing is summed: the next run asks for the whole window again.
                self.comparison.tallying.take()

    def _window(self, progress: Progress | None, request: ReplayRequest, now: datetime) -> AskedWindow:
        until = request.until or now - self.limits.list_grace
        since = request.since
        if since is None and progress is not None and progress.reached is not None and request.keeps_progress:
            since = progress.reached - self.limits.overlap
        return AskedWindow(since=since or until - timedelta(days=self.limits.first_list_days), until=until)

    async def ask(self, shop: ShopSettings, window: AskedWindow, counted_from: datetime) -> bool:
        """Ask one shop for one window and put in what is missing; False where its list could not be read whole.

        Orders paid at ``counted_from`` or later are summed for the table of completeness.
        One shop's list that fails harms no other: the run goes on and says so.
        """
        try:
            opened = self.open_list(shop)
        except ShopListError as error:
            self.report.list_problems.append(str(error))
            return False
        if opened is None:
            return False
        try:
            async with asyncio.timeout(max(1.0, min(self.limits.list_seconds, self.time_left()))):
                await self._read(shop, opened, window, counted_from)
        except ShopListError as error:
            self.report.list_problems.append(str(error))
            return False
        except TimeoutError:
            self.report.list_problems.append(f"shop {shop.shop_id}: its order list was not read to its end in time")
            return False
        finally:
            await opened.aclose()
        if shop.shop_id not in self.report.lists_asked:
            self.report.lists_asked.append(shop.shop_id)
        return True

    async def _read(self, shop: ShopSettings, opened: ShopList, window: AskedWindow, counted_from: datetime) -> None:
        batch: list[ListedOrder] = []
        async with aclosing(opened.paid_since(window.since, window.until)) as listed:  # type: ignore[type-var]  # the port promises an iterator; ours are generators
            async for one in listed:
                if one.problem:
                    self.report.list_problems.append(f"shop {shop.shop_id}, order {one.order_id}: {one.problem}")
                    continue
                batch.append(one)
                if len(batch) >= self.limits.records_at_once:
                    await self._compare(shop, batch, counted_from)
                    batch.clear()
        await self._compare(shop, batch, counted_from)

    async def _compare(self, shop: ShopSettings, batch: Sequence[ListedOrder], counted_from: datetime) -> None:
        """Compare orders; those of one kind at a time, since the kind is what the reader is told of a topic."""
        for kind in {one.kind for one in batch}:
            for again in (False, True):
                records = [
                    _record(shop.shop_id, one)
                    for one in batch
                    if one.kind is kind and (one.paid_at < counted_from) is again
                ]
                if records:
                    stretch = Stretch(source=Source.LIST, log=_LOG, kind=kind, counted_from=None if again else 0)
                    await self.comparison.compare(records, stretch)


def _counted_from(progress: Progress | None, request: ReplayRequest) -> datetime:
    """Tell from when on listed orders are summed: what was paid before was summed when the list was asked last."""
    if not request.keeps_progress:
        return NEVER
    return _ALWAYS if progress is None or progress.reached is None else progress.reached


def _record(shop_id: str, listed: ListedOrder) -> Record:
    """Make a record of a listed order. Its offset is made of what it says, so that the same order is known again."""
    digest = blake2b(listed.payload, digest_size=_OFFSET_BYTES, person=b"list").digest()
    return Record(
        place=list_place(shop_id),
        offset=int.from_bytes(digest, "big") >> 1,
        time_ms=int(listed.paid_at.timestamp() * 1000),
        key=f"{shop_id}/{listed.order_id}".encode(),
        value=listed.payload,
        headers=listed.headers,
    )


def gap_window(found: OpenGap, reached: datetime | None, limits: ReplayLimits, now: datetime) -> AskedWindow:
    """Tell for which time a shop is to be asked because of a gap: from the last record compared before it."""
    until = found.gap.found_at or now
    since = until - timedelta(days=limits.first_list_days) if reached is None else reached - limits.overlap
    return AskedWindow(since=min(since, until - limits.overlap), until=until + limits.overlap)
