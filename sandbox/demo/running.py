"""The demo from its first line to its last: orders out, invoices in, the judgement."""

import asyncio
import contextlib
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console

from sandbox.demo.books import fetch_ledger, read_books
from sandbox.demo.counting import count_calls
from sandbox.demo.judging import judge, settled
from sandbox.demo.ledger import Organization
from sandbox.demo.plans import Options, Plan, plans_for
from sandbox.demo.progress import Show, progress
from sandbox.demo.showing import Part, raised_limit_words, show_part, summary
from sandbox.demo.world import World, running_world
from sandbox.errors import SandboxError
from sandbox.progress import OnConsole
from sandbox.shop.broker import listening, publish
from sandbox.shop.events import OrderList
from sandbox.shop.page import serving, shop_page
from sandbox.shop.platform_orders import TITLES, Shape
from sandbox.zoho.client import ControlClient

# Longer than the settle time of a write that nobody knows of: what is told later than this is told no more.
STALLED_SECONDS = 45.0
REQUESTS_PAGE = 5_000
LOG_LINES_SHOWN = 25


async def demonstrate(options: Options, console: Console, on_judged: Callable[[bool], None]) -> None:
    """Run the whole demo, and tell ``on_judged`` whether every order ended as its shop expected.

    With ``keep`` it goes on until it is cancelled. Raises SandboxError where it cannot run.
    """
    began, narrator = time.monotonic(), OnConsole(console)
    plans = plans_for(options, datetime.now(UTC))
    orders = len(plans[0].orders)
    narrator.say(f"The demo of Booked, {orders} orders and then ten: {raised_limit_words(orders)}.")
    if plans[0].platform:
        narrator.say(f"The file's orders are recognised as {TITLES[Shape(plans[0].platform)]}; they go out untouched")
    order_list = OrderList()
    async with running_world(plans, narrator) as world:
        booked = world.booked
        async with listening(booked.kafka_servers, booked.topics, order_list) as changed:
            await _publish_and_wait(plans, world, order_list, changed, console)
            parts = [await _judged(*one, world, order_list) for one in zip(plans, world.organizations, strict=True)]
            for part in parts:
                show_part(console, part)
            on_judged(all(part.judgement.passed for part in parts))
            last = summary(parts, time.monotonic() - began, raised_orders=orders)
            async with _kept(plans, world, order_list, narrator) if options.keep else contextlib.nullcontext():
                narrator.say(last)
                if options.keep:
                    await _until_booked_ends(world)


# ---- the orders ----------------------------------------------------------------------------------------------------


async def _publish_and_wait(
    plans: Sequence[Plan], world: World, order_list: OrderList, changed: asyncio.Event, console: Console
) -> None:
    """Publish all orders, the ten behind the others: a lane of their own books them at Zoho's pace meanwhile."""
    booked = world.booked
    orders = [order for plan in plans for order in plan.orders]
    messages = await publish(booked.kafka_servers, booked.topics, orders)
    OnConsole(console).say(f"The shops have published {len(orders)} orders in {messages} messages")
    with progress(console, {plan.title: len(plan.orders) for plan in plans}) as show:
        waiting = asyncio.ensure_future(_until_settled(plans, order_list, changed, show))
        dying = asyncio.ensure_future(_until_booked_ends(world))
        try:
            # Without Booked there is nothing to wait for.
            done, _ = await asyncio.wait({waiting, dying}, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            waiting.cancel()
            dying.cancel()
            await asyncio.gather(waiting, dying, return_exceptions=True)


async def _until_settled(plans: Sequence[Plan], order_list: OrderList, changed: asyncio.Event, show: Show) -> None:
    """Wait until every order has its end, or until nothing has been told for so long that nothing more will be."""
    with contextlib.suppress(TimeoutError):
        while True:
            changed.clear()
            done = {plan.title: sum(settled(order, order_list) for order in plan.orders) for plan in plans}
            for title, count in done.items():
                show(title, count)
            if all(done[plan.title] == len(plan.orders) for plan in plans):
                return
            await asyncio.wait_for(changed.wait(), STALLED_SECONDS)


async def _until_booked_ends(world: World) -> None:
    code = await world.process.wait()
    lines = "\n".join(world.process.log_tail().splitlines()[-LOG_LINES_SHOWN:])
    raise SandboxError(f"booked run has ended by itself with code {code}; the end of its log:\n{lines}")


# ---- the judgement -------------------------------------------------------------------------------------------------


async def _judged(plan: Plan, organization: Organization, world: World, order_list: OrderList) -> Part:
    ledger = await fetch_ledger(world.control.url, organization.organization_id)
    books = read_books(ledger, organization.rates, [order.key for order in plan.orders])
    requests = await _requests(world.control, organization.organization_id, world.since)
    return Part(
        title=plan.title,
        judgement=judge(plan.orders, books, order_list),
        calls=count_calls(requests, books, plan.orders),
    )


async def _requests(control: ControlClient, organization_id: str, since: int) -> list[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = []
    while True:
        page = await control.requests(since=since, organization_id=organization_id, limit=REQUESTS_PAGE)
        found += page
        if len(page) < REQUESTS_PAGE:
            return found
        since = int(page[-1]["seq"])


# ---- left running --------------------------------------------------------------------------------------------------


@contextlib.asynccontextmanager
async def _kept(plans: Sequence[Plan], world: World, order_list: OrderList, narrator: OnConsole) -> AsyncIterator[None]:
    """Say where everything is, and serve the shop's own page, while the block lasts."""
    orders = {order.key: order for plan in plans for order in plan.orders}
    async with serving(shop_page(orders, order_list)) as shop_url:
        for line in _addresses(world, shop_url):
            narrator.say(line)
        yield


def _addresses(world: World, shop_url: str) -> list[str]:
    booked = world.booked
    topics = booked.topics
    python = Path(sys.executable)
    shown = python.relative_to(Path.cwd()) if python.is_relative_to(Path.cwd()) else python
    named = f" --topic-paid {topics.paid} --topic-synced {topics.synced} --topic-rejected {topics.rejected}"
    return [
        "",
        "All of it goes on running; Ctrl-C ends it.",
        f"  Kafka     {booked.kafka_servers}, topics {', '.join(topics.names())}",
        f"  database  {booked.database_url}",
        f"  ledger    {world.control.url} (control API below /control)",
        f"  shop      {shop_url}",
        f"  metrics   {booked.metrics_url}",
        f"  logs      {booked.folder}",
        "One more order:",
        f"  {shown} -m sandbox.shop publish --kafka {booked.kafka_servers} --seed 7"
        + (named if topics.paid != "order.paid" else ""),
        "",
    ]
