"""Topics that shops have for themselves: read beside the order topics, as they come and go, and never waited for."""

import asyncio
from dataclasses import replace

from consumer.services.intake import Intake
from consumer.sources.own import read_record
from tests.services.intake.world import DEADLINE_SECONDS, FAST, PAID, World, key, make_world, order

OWN, LATER = "woo-orders", "shopify-orders"
LIMITS = replace(FAST, topics_every_seconds=0.01)


def make_intake(world: World, wanted: set[str], after: asyncio.Event | None = None) -> Intake:
    """Make an intake whose shops have the topics of a set that may change."""
    return Intake(
        source=world.source(),
        store=world.store,
        kinds={PAID: None},
        read=read_record,
        report=world.report,
        limits=LIMITS,
        shop_topics=lambda: frozenset(wanted),
        after=after,
    )


def publish(world: World, topic: str, order_id: str) -> None:
    """Publish an order as an event that tells its kind itself."""
    headers = [("ce_specversion", b"1.0"), ("ce_type", b"x.order.paid.v1")]
    world.broker.publish(topic, key=key(order_id), value=order(order_id), headers=headers)


async def test_a_topic_added_while_running_is_read_from_its_beginning() -> None:
    """A shop gets a topic that holds an order already: all orders of both topics are taken, and none twice."""
    world, wanted = make_world(), set[str]()
    world.broker.create_topic(OWN)
    publish(world, PAID, "1")
    publish(world, OWN, "2")
    intake = make_intake(world, wanted)
    await intake.start()
    try:
        await world.taken("1")
        wanted.add(OWN)
        await world.taken("1", "2")
        publish(world, PAID, "3")
        publish(world, OWN, "4")
        await world.taken("1", "2", "3", "4")
    finally:
        await intake.stop(5.0)
    assert intake.failure is None
    taken = [(one.place.topic, one.offset) for batch in world.store.batches for one in batch]
    assert sorted(taken) == [(PAID, 0), (PAID, 1), (OWN, 0), (OWN, 1)]
    assert world.report.alarms == []


async def test_a_missing_topic_of_a_shop_keeps_nothing_waiting() -> None:
    """Of two topics one is missing: the other is read, the missing one is said once, and read as soon as it exists."""
    world, wanted = make_world(), {OWN, LATER}
    world.broker.create_topic(OWN)
    publish(world, PAID, "1")
    publish(world, OWN, "2")
    intake = make_intake(world, wanted)
    await intake.start()
    try:
        await world.taken("1", "2")
        assert world.report.alarms == [("shop_topics_missing", None)]
        world.broker.create_topic(LATER)
        publish(world, LATER, "3")
        await world.taken("1", "2", "3")
    finally:
        await intake.stop(5.0)
    assert world.report.alarms == [("shop_topics_missing", None)]


async def test_a_topic_that_a_shop_has_lost_is_read_no_more() -> None:
    """After the settings let go of it, the source is a member for the other topics only."""
    world, wanted = make_world(), {OWN}
    world.broker.create_topic(OWN)
    source_topics: set[frozenset[str]] = set()
    intake = make_intake(world, wanted)
    await intake.start()
    try:
        publish(world, OWN, "1")
        await world.taken("1")
        wanted.clear()
        async with asyncio.timeout(DEADLINE_SECONDS):
            while source_topics != {frozenset({PAID})}:
                source_topics = {member.topics for member in world.broker._groups["booked"].members}
                await asyncio.sleep(0)
    finally:
        await intake.stop(5.0)


async def test_nothing_is_taken_in_before_the_settings_are_known() -> None:
    """Orders wait in their topic until the shops were read once; a stop meanwhile is heard."""
    world, known = make_world(), asyncio.Event()
    publish(world, PAID, "1")
    intake = make_intake(world, set(), known)
    await intake.start()
    try:
        for _ in range(200):
            await asyncio.sleep(0)
        assert world.orders() == set()
        assert not world.broker._groups
        known.set()
        await world.taken("1")
    finally:
        await intake.stop(5.0)
    waiting = make_intake(world, set(), asyncio.Event())
    await waiting.start()
    async with asyncio.timeout(5.0):
        await waiting.stop(3.0)
    assert waiting.failure is None


async def test_a_broker_that_is_away_is_asked_again() -> None:
    """The look for topics fails for a while; it is said, nothing dies, and the topic is read afterwards."""
    world, wanted = make_world(), set[str]()
    world.broker.create_topic(OWN)
    intake = make_intake(world, wanted)
    await intake.start()
    try:
        publish(world, PAID, "1")
        await world.taken("1")
        world.broker.down = True
        wanted.add(OWN)
        await world.report.until(lambda: "shop topics" in world.report.waits)
        world.broker.down = False
        publish(world, OWN, "2")
        await world.taken("1", "2")
    finally:
        await intake.stop(5.0)
    assert intake.failure is None
