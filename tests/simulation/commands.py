"""What people and the CronJob run beside the services: each in a process of its own, which may die as well."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random
from types import MappingProxyType
from typing import Any

from consumer.domain.asking import Mark
from consumer.domain.ledger import LedgerFacts, Operation, TaxRounding
from consumer.domain.orders import OrderKey
from consumer.domain.settings import ShopSettings
from consumer.domain.states import Ask, OrderState
from consumer.errors import BookedError
from consumer.ports.shop_lists import ListedOrder, ShopListUnavailableError
from consumer.services.actions import ActionTools, act
from consumer.services.actions_body import BodyReader
from consumer.services.asking import asking
from consumer.services.calling import PutBackError
from consumer.services.checkup import check_connection, try_out
from consumer.services.groups import held_groups, release_group
from consumer.services.preparing import Preparing
from consumer.services.previewing import Grounds, Sending, preview
from consumer.services.record_reading import kinds_of
from consumer.services.rejected import RejectedRetry
from consumer.services.replay import ReplayParts, replay
from consumer.services.replay_report import ReplayLimits, ReplayRequest
from consumer.services.rounding_checkup import RoundingCheckup
from tests.interleaving.histories import PAID_AT, TOPICS
from tests.simulation.broker import SimulatedLogReader
from tests.simulation.clocks import START
from tests.simulation.commands_care import change_keys, forget_customer, hold_against, tell_customer, thin_out
from tests.simulation.process import Process, read_order
from tests.simulation.scenario import BOOKS, SHOPS, Scenario, Told

Run = Callable[[Process, Scenario, Random], Awaitable[None]]
_UNSETTLED = frozenset({OrderState.DUE, OrderState.UNCERTAIN, OrderState.PARKED})
_ASKS = (Ask.GENERATE, Ask.UPDATE, Ask.DELETE, Mark.HOLD, Mark.RELEASE, Mark.IGNORE, Mark.RETRY)


async def speak(process: Process, scenario: Scenario, chance: Random) -> None:
    """A person asks something of an order, now and then with the order itself in hand, and waits for the result."""
    order = _one_to_speak_of(process, scenario, chance)
    what = chance.choice(_ASKS)
    wait = chance.choice((0.0, 0.3, 5.0, 5.0))
    body = chance.choice(order.tellings).value if chance.random() < 0.3 else None
    process.world.asked_of(order.shop_id, order.order_id, what)
    stores = process.stores
    tools = ActionTools(
        people=stores.people,
        bookings=stores.bookings,
        lanes=stores.lanes,
        intake=stores.intake,
        bodies=BodyReader(reading=stores.reading, clock=process.clock.wall),
        wake=lambda connection_id: process.world.tell_others(process, [connection_id]),
        steady=process.clock.steady,
        nap=asyncio.sleep,
    )
    key = OrderKey(order.shop_id, order.order_id)
    await act(key, what, tools=tools, actor="anna", note="by hand", body=body, wait_seconds=wait)


def _one_to_speak_of(process: Process, scenario: Scenario, chance: Random) -> Told:
    """Choose an order; people mostly look at those that are not booked yet."""
    named = [order for order in scenario.orders if order.order_id]
    rows = process.world.database.orders
    open_ones = [
        order
        for order in named
        if (row := rows.get(OrderKey(order.shop_id, order.order_id))) is not None and row.state in _UNSETTLED
    ]
    return chance.choice(open_ones if open_ones and chance.random() < 0.7 else named)


async def compare(process: Process, _: Scenario, chance: Random) -> None:
    """The replay: now and then a backfill, for one shop alone, or dry."""
    since = START - timedelta(days=30) if chance.random() < 0.4 else None
    until = START + timedelta(days=1) if since is not None and chance.random() < 0.5 else None
    request = ReplayRequest(
        since=since,
        until=until,
        shop_id=chance.choice((*SHOPS, None, None, None)),
        dry_run=chance.random() < 0.15,
    )
    await compare_as(request, process, chance)


async def compare_as(request: ReplayRequest, process: Process, chance: Random) -> None:
    """Run the replay that was asked for."""
    stores = process.stores
    log = SimulatedLogReader(process.world.broker)
    log.compacted = process.world.plan.luck.compacted
    parts = ReplayParts(
        store=stores.replay,
        intake=stores.intake,
        lanes=stores.lanes,
        log=log,
        reading=await stores.reading(),
        shops=await stores.settings.shops(),
        kinds=kinds_of(tuple(TOPICS.values())),
        open_list=lambda shop: _List(shop, process.world.unpublished(shop.shop_id), chance),
        wakeups=process.signals,
        clock=process.clock.steady,
        limits=ReplayLimits(
            overlap=timedelta(seconds=chance.choice((0, 3))),
            records_at_once=chance.choice((1, 2, 2000) if process.world.plan.luck.unpublished == 1 else (1,)),
            put_in_at_once=chance.choice((1, 500)),
            lease_seconds=chance.choice((0.2, 4.0)),
            idle_seconds=chance.choice((0.0, 600.0)),
            list_grace=timedelta(seconds=0),
            list_seconds=1.0 if process.world.plan.luck.unpublished > 1 else ReplayLimits().list_seconds,
        ),
    )
    await replay(request, parts)


class _List:
    """A shop's own list of paid orders."""

    def __init__(self, shop: ShopSettings, orders: list[ListedOrder], chance: Random) -> None:
        self._shop = shop
        self._orders = orders
        self._chance = chance

    async def paid_since(self, since: datetime, until: datetime | None = None) -> AsyncIterator[ListedOrder]:
        """See ports.shop_lists; it is cut off now and then."""
        try:
            for one in self._orders:
                if since <= one.paid_at and (until is None or one.paid_at < until):
                    await asyncio.sleep(0.01)
                    yield one
        finally:
            await asyncio.sleep(0)  # the answer is closed, over a network
        if self._chance.random() < 0.1:
            raise ShopListUnavailableError(self._shop.shop_id, "the list broke off")

    async def aclose(self) -> None:
        """See ports.shop_lists."""
        await asyncio.sleep(0)


def listed(data: Mapping[str, Any], payload: bytes) -> ListedOrder:
    """Give an order as its shop lists it: with the message that was never published."""
    return ListedOrder(
        order_id=str(data["order_id"]),
        paid_at=PAID_AT,
        currency="EUR",
        grand_total=None,
        payload=payload,
        content_type="application/cloudevents+json",
        headers=(("content-type", b"application/cloudevents+json"), ("booked-shop", str(data["shop_id"]).encode())),
    )


async def doctor(process: Process, _: Scenario, chance: Random) -> None:
    """The checks of one connection: organisation, taxes, rounding."""
    stores, tools = process.stores, process.tools()
    view = await stores.lanes.view(chance.choice(BOOKS))
    if chance.random() < 0.5:
        view = replace(view, facts=None)
    elif view.facts is not None:
        view = replace(view, facts=replace(view.facts, rounding=TaxRounding.UNKNOWN))

    async def check() -> str:
        async with asking(
            view,
            open_ledger=process.open_ledger,
            bookings=stores.bookings,
            calls=stores.calls,
            steady=tools.steady,
        ) as caller:
            preparing = Preparing(
                connection=view.connection, caller=caller, lanes=stores.lanes, contacts=stores.contacts
            )
            if view.facts is None and chance.random() < 0.3:
                await preparing.facts(view)
            found = await check_connection(view, caller)
            checkup = RoundingCheckup(lanes=stores.lanes, people=stores.people, read_order=read_order)
            return str([*found, *await checkup.check(view, caller)])

    await try_out("the connection", check, "try again")


async def release(process: Process, _: Scenario, chance: Random) -> None:
    """A person looks at the groups that are held, and releases one."""
    shop_id = chance.choice((*SHOPS, None))
    groups = await held_groups(process.stores.people, shop_id)
    group = chance.choice(groups).group if groups else "none"
    await release_group(process.stores.people, group, actor="anna", shop_id=shop_id)
    process.world.tell_others(process, list(BOOKS))


async def put_in_again(process: Process, _: Scenario, __: Random) -> None:
    """A person has rejected messages tried again."""
    stores = process.stores
    reading = process.world.mended(await stores.reading())
    retry = RejectedRetry(
        store=stores.rejected, intake=stores.intake, reading=reading, kinds=kinds_of(tuple(TOPICS.values()))
    )
    for row_id in range(1, 4):
        await retry.retry(row_id, actor="anna")


async def look(process: Process, scenario: Scenario, chance: Random) -> None:
    """A person looks at what would be sent for some orders."""
    stores = process.stores
    for order in chance.sample(list(scenario.orders), min(3, len(scenario.orders))):
        record = await stores.bookings.read(OrderKey(order.shop_id, order.order_id))
        if record is None or record.content is None or record.connection_id is None:
            continue
        view = await stores.lanes.view(record.connection_id)
        grounds = Grounds(
            shop=view.shops[order.shop_id],
            connection=view.connection,
            facts=view.facts or process.world.facts_of(record.connection_id),
            lanes=stores.lanes,
            contacts=stores.contacts,
            describe=_describe,
            now=process.clock.wall,
        )
        # As if it had not been booked, too: most of what a preview asks concerns orders without a document.
        fresh = replace(record, documents=(), open_intent=None) if chance.random() < 0.7 else record
        await preview(read_order(record, grounds.shop), fresh, grounds)


def _describe(operation: Operation) -> Sending:
    return Sending(operation=operation.name, method="POST", path="/", query={}, body="")


COMMANDS: Mapping[str, Run] = MappingProxyType(
    {
        "speak": speak,
        "compare": compare,
        "doctor": doctor,
        "release": release,
        "put in again": put_in_again,
        "look": look,
        "forget customer": forget_customer,
        "tell customer": tell_customer,
        "change keys": change_keys,
        "thin out": thin_out,
        "hold against": hold_against,
    }
)
FORGIVEN = (BookedError, PutBackError, LookupError)
"""What a command may end with while servers are away; anything else is a fault of ours."""


def facts(book: Any) -> LedgerFacts:
    """Give the facts of books as a lane would have read them."""
    return LedgerFacts(organization=book.organization, taxes=tuple(book.taxes), currencies=tuple(book.currencies))


def order_of(value: bytes) -> Mapping[str, Any]:
    """Read the order of a message."""
    data: Mapping[str, Any] = json.loads(value)["data"]
    return data
