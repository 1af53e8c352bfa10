"""The intake takes every record once, in order, through outages of the database, and stops within its deadline."""

import asyncio
from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import UTC, tzinfo
from functools import cached_property

from consumer.adapters.memory.broker import MemorySource
from consumer.domain.events import Rejected
from consumer.errors import BrokerUnavailableError
from consumer.ports.intake import TopicPartition
from tests.services.intake.world import FAST, GROUP, PAID, World, key, make_world

PLACE = TopicPartition(PAID, 0)


async def test_a_new_installation_starts_at_the_beginning() -> None:
    """What was published before the first start is taken, and the group is told after the commit."""
    world = make_world()
    world.publish("1", "2", "3")
    async with world.intake():
        await world.taken("1", "2", "3")
        world.publish("4")
        await world.taken("1", "2", "3", "4")
    assert world.position().next_offset == 4
    assert world.broker.committed(GROUP) == {PLACE: 4}
    assert world.report.alarms == []


async def test_a_restart_goes_on_where_the_database_stands() -> None:
    """A second life takes nothing again, and what came meanwhile."""
    world = make_world()
    world.publish("1", "2")
    async with world.intake():
        await world.taken("1", "2")
    world.publish("3")
    async with world.intake():
        await world.taken("1", "2", "3")
    offsets = [one.offset for batch in world.store.batches for one in batch]
    assert offsets == [0, 1, 2]
    assert world.report.alarms == []


async def test_offsets_that_were_never_committed_are_no_loss() -> None:
    """A crash after the database's commit and before the group's (C3): the position in the database decides."""
    world = make_world()
    world.publish("1", "2")
    async with world.intake():
        await world.taken("1", "2")
    world.broker.commit_for(GROUP, {PLACE: 0})
    world.publish("3")
    async with world.intake():
        await world.taken("1", "2", "3")
    assert [one.offset for batch in world.store.batches for one in batch] == [0, 1, 2]


async def test_unreadable_records_do_not_stop_the_partition() -> None:
    """Bad JSON, bad bytes, a record of 2 MiB and a tombstone stand between two orders; both orders are taken."""
    world = make_world()
    world.publish("1")
    big = b"x" * (2 * 1024 * 1024)
    for value in (b"{", b"\xff\xfe", big, None, b"[1]"):
        world.broker.publish(PAID, key=key("x"), value=value, partition=0)
    world.publish("2")
    async with world.intake():
        await world.taken("1", "2")
    rejected = [one for one in world.report.outcomes if isinstance(one, Rejected)]
    assert [one.reason for one in rejected] == ["malformed_json", "not_utf8", "too_large", "wrong_type"]
    assert [one.size for one in rejected] == [1, 2, 2 * 1024 * 1024, 3]
    kept = [
        len(one.value or b"") for batch in world.store.batches for one in batch if isinstance(one.outcome, Rejected)
    ]
    assert kept == [1, 2, 1024 * 1024, 3]
    assert world.report.outcomes.count(None) == 1
    assert len(world.database.rejected) == 4
    assert world.position().next_offset == 7


async def test_an_outage_of_the_database_is_waited_out() -> None:
    """While it is away nothing is committed to the group and the member goes on polling; then all is taken."""
    world = make_world()
    world.store.away = True
    world.publish(*map(str, range(20)))
    async with world.intake():
        await world.report.until(lambda: world.store.refusals >= 3)
        assert world.broker.committed(GROUP) == {}
        world.store.away = False
        await world.taken(*map(str, range(20)))
    assert "positions" in world.report.waits


async def test_an_outage_in_the_middle_pauses_the_partitions_and_goes_on() -> None:
    """With a batch in hand the database goes away: memory stays bounded, and no record is skipped afterwards."""
    world = make_world()
    limits = replace(FAST, records_max=5)
    source = _Watched(broker=world.broker, topics=[PAID], group=GROUP)
    async with world.intake(source, limits):
        world.publish("first")
        await world.taken("first")
        world.store.away = True
        world.publish(*map(str, range(100)))
        await world.report.until(lambda: world.report.waits.count("database") >= 3)
        await source.until_paused()
        # One batch in the writer's hand, one that waits, and no more than one that was read beside them.
        assert len(world.report.outcomes) <= 1 + 3 * 5
        world.store.away = False
        await world.taken("first", *map(str, range(100)))
    offsets = [one.offset for batch in world.store.batches for one in batch]
    assert offsets == list(range(101))
    assert "database" in world.report.back


class _Watched(MemorySource):
    """A source that tells when it is paused."""

    async def until_paused(self) -> None:
        """Wait for it."""
        async with asyncio.timeout(10):
            await self.is_paused.wait()

    @cached_property
    def is_paused(self) -> asyncio.Event:
        """Set by the first pause."""
        return asyncio.Event()

    def pause(self, places: Collection[TopicPartition]) -> None:
        """See EventSource."""
        super().pause(places)
        self.is_paused.set()


async def test_a_broker_that_is_away_at_the_start_is_waited_for() -> None:
    """It says so, comes up by itself, and takes what is there."""
    world = make_world()
    world.publish("1")
    world.broker.down = True
    async with world.intake():
        await world.report.until(lambda: world.report.waits.count("broker") >= 2)
        world.broker.down = False
        await world.taken("1")
    assert world.report.back == ["broker"]


async def test_a_missing_topic_is_waited_for_and_never_made() -> None:
    """The intake says so, and begins when somebody has made the topic."""
    world = make_world()
    await world.broker.delete_topic(PAID)
    async with world.intake() as intake:
        await world.report.until(lambda: world.report.waits.count("broker") >= 2)
        assert not intake.started.is_set()
        assert world.broker.missing({PAID}) == {PAID}
        world.broker.create_topic(PAID)
        world.publish("1")
        await world.taken("1")


async def test_a_broker_that_goes_and_comes_back_is_no_loss() -> None:
    """Every call fails for a while, commits included; afterwards the rest is taken and committed."""
    world = make_world()
    async with world.intake():
        world.publish("1")
        await world.taken("1")
        world.broker.down = True
        world.publish("2")
        await asyncio.sleep(0)
        world.broker.down = False
        await world.taken("1", "2")
    assert world.broker.committed(GROUP) == {PLACE: 2}


async def test_stop_finishes_what_is_in_hand() -> None:
    """A batch that is being written when the service is told to stop is written and committed."""
    world = make_world()
    world.store.gate.clear()
    world.publish("1", "2")
    async with world.intake() as intake:
        await world.store.standing.wait()
        stopping = asyncio.create_task(intake.stop(5.0))
        await asyncio.sleep(0)
        world.store.gate.set()
        await stopping
    assert world.orders() == {"1", "2"}
    assert world.broker.committed(GROUP) == {PLACE: 2}


async def test_stop_ends_at_its_deadline_with_a_database_that_hangs() -> None:
    """The batch is given up, nothing is committed for it, and the next life takes it."""
    world = make_world()
    world.store.gate.clear()
    world.publish("1")
    async with world.intake() as intake:
        await world.store.standing.wait()
        async with asyncio.timeout(4.0):
            await intake.stop(0.4)
    assert world.broker.committed(GROUP) == {}
    world.store.gate.set()
    async with world.intake():
        await world.taken("1")


async def test_a_fault_in_reading_harms_one_record() -> None:
    """An exception that reading must not raise becomes a rejection of that record, and the next one is taken."""
    world = make_world()
    world.publish("1", "2", "3")
    async with world.intake() as intake:
        intake._zone_of = _broken_for_two(world)  # the door by which the fault comes in
        await world.taken("1", "3")
    rejected = [one.reason for one in world.report.outcomes if isinstance(one, Rejected)]
    assert rejected == ["reader_failed"]


def _broken_for_two(world: World) -> Callable[[str], tzinfo]:
    """Give a look-up that fails for the second record."""

    def zone_of(_shop_id: str) -> tzinfo:
        if len(world.report.outcomes) == 1:
            raise LookupError("no zone")
        return UTC

    return zone_of


async def test_a_commit_that_fails_stops_nothing() -> None:
    """The group cannot be told, records are taken all the same, and it is told later."""
    world = make_world()
    source = world.source()
    commit, source.commit = source.commit, _refuse  # type: ignore[method-assign]  # the outage of one call
    async with world.intake(source):
        world.publish("1")
        await world.taken("1")
        await world.report.until(lambda: "commit" in world.report.waits)
        source.commit = commit  # type: ignore[method-assign]  # the end of it
        await world.report.until(lambda: world.broker.committed(GROUP) == {PLACE: 1})


async def _refuse(offsets: object) -> bool:
    raise BrokerUnavailableError(f"no answer to {offsets}")
