"""Where the intake begins to read: the position in the database decides, and a log that is another one is noticed."""

import asyncio
from collections.abc import Collection, Mapping

from consumer.adapters.memory.broker import MemorySource
from consumer.errors import BrokerUnavailableError
from consumer.ports.events import Bounds, Record
from consumer.ports.intake import Position, TopicPartition
from consumer.services.positions import Placement, Proof, checksum, placement
from tests.services.intake.world import GROUP, PAID, make_world

PLACE = TopicPartition(PAID, 0)


def placed(position: Position | None, bounds: tuple[int, int], committed: int | None = None) -> Placement:
    """Decide for one partition."""
    return placement(PLACE, position, Bounds(*bounds), committed)


def test_without_a_position_it_begins_at_the_beginning() -> None:
    """Also where the beginning is not 0, and whatever the group has committed."""
    assert placed(None, (7, 9)) == Placement(place=PLACE, next_offset=7)
    assert placed(None, (7, 9), committed=9) == Placement(place=PLACE, next_offset=7, forgot=True)
    assert placed(None, (0, 9), committed=0) == Placement(place=PLACE, next_offset=0)


def test_it_reads_one_record_early_to_see_the_last_one_again() -> None:
    """The proof is asked for exactly where the log still holds the last record taken."""
    position = Position(log=3, next_offset=10, last_offset=9, last_checksum=b"c")
    seen = placed(position, (5, 20))
    assert (seen.seek_to, seen.log, seen.proof) == (9, 3, Proof(9, b"c"))
    assert placed(position, (10, 20)) == Placement(place=PLACE, next_offset=10, log=3)
    assert placed(Position(log=3, next_offset=10), (5, 20)).seek_to == 10
    moved = Position(log=3, next_offset=10, last_offset=4, last_checksum=b"c")
    assert placed(moved, (0, 20)).proof is None


def test_a_position_beyond_the_end_is_another_log() -> None:
    """Right at the end it is not: nothing new has come, that is all."""
    position = Position(log=1, next_offset=10, last_offset=9, last_checksum=b"c")
    assert placed(position, (0, 9)).made_again
    assert not placed(position, (0, 10)).made_again


def test_a_position_before_the_beginning_is_a_gap() -> None:
    """From where we stood up to what is still there; right at the beginning nothing is missing."""
    position = Position(log=2, next_offset=10, last_offset=9, last_checksum=b"c")
    assert placed(position, (15, 20)) == Placement(place=PLACE, next_offset=15, log=2, gap_from=10)
    assert placed(position, (10, 20)).gap_from is None


def test_a_group_that_is_further_than_the_database_is_noticed() -> None:
    """The database forgot something; at the same offset it did not."""
    position = Position(log=1, next_offset=10)
    assert placed(position, (0, 20), committed=11).forgot
    assert not placed(position, (0, 20), committed=10).forgot


def test_the_checksum_tells_records_apart() -> None:
    """Every part of a record counts, and where the key ends and the value begins."""
    one = Record(PLACE, 5, 1000, b"a", b"bc", ())
    others = [
        one._replace(time_ms=1001),
        one._replace(key=b"ab", value=b"c"),
        one._replace(key=None),
        one._replace(key=b""),
        one._replace(value=None),
        one._replace(value=b""),
    ]
    sums = {checksum(record) for record in [one, *others]}
    assert len(sums) == 7
    assert {len(found) for found in sums} == {8}
    assert checksum(one._replace(headers=(("h", b"1"),), offset=6)) == checksum(one)


async def test_a_topic_made_again_while_we_were_away_is_a_new_log() -> None:
    """At least as long as before: the first record is another one, so all is read from the beginning, with an alarm."""
    world = make_world()
    world.publish("1", "2")
    async with world.intake():
        await world.taken("1", "2")
    await world.broker.make_again(PAID)
    world.publish("3", "4", "5")
    async with world.intake():
        await world.taken("1", "2", "3", "4", "5")
    assert world.report.alarms == [("log_made_again", PLACE)]
    assert (world.position().log, world.position().next_offset) == (2, 3)
    assert [(gap.cause, gap.log, gap.from_offset) for gap in world.database.gaps] == [("made_again", 1, 2)]


async def test_a_topic_made_again_under_our_hands_is_a_new_log() -> None:
    """The position lies beyond the new end: the broker says so, and nothing is skipped."""
    world = make_world()
    world.publish("1", "2", "3")
    async with world.intake():
        await world.taken("1", "2", "3")
        await world.broker.make_again(PAID)
        world.publish("4")
        await world.taken("1", "2", "3", "4")
        world.publish("5")
        await world.taken("1", "2", "3", "4", "5")
    assert world.report.alarms == [("log_made_again", PLACE)]
    assert world.position().log == 2


async def test_a_truncated_log_is_a_new_log() -> None:
    """Its end came nearer by an unclean election, and other records grew there."""
    world = make_world()
    world.publish("1", "2", "3")
    async with world.intake():
        await world.taken("1", "2", "3")
    world.broker.truncate(PLACE, 2)
    world.publish("4", "5")
    async with world.intake():
        await world.taken("1", "2", "3", "4", "5")
    assert world.report.alarms == [("log_made_again", PLACE)]


async def test_records_cut_by_retention_are_a_gap() -> None:
    """Recorded with its range, alarmed, and reading goes on behind it."""
    world = make_world()
    world.publish("1")
    async with world.intake():
        await world.taken("1")
    world.publish("2", "3", "4")
    world.broker.cut(PLACE, 3)
    async with world.intake():
        await world.taken("1", "4")
    assert world.report.alarms == [("gap", PLACE)]
    gap = world.database.gaps[0]
    assert (gap.cause, gap.log, gap.from_offset, gap.to_offset) == ("cut_by_retention", 1, 1, 3)


async def test_records_cut_under_our_hands_are_a_gap() -> None:
    """The database is away, the partition is paused, and retention cuts what was not read: said, not skipped."""
    world = make_world()
    async with world.intake():
        world.publish("1")
        await world.taken("1")
        world.broker.down = True
        world.publish("2", "3")
        world.broker.cut(PLACE, 2)
        world.broker.down = False
        await world.taken("1", "3")
    assert ("gap", PLACE) in world.report.alarms


async def test_a_database_that_forgot_makes_the_lanes_look_first() -> None:
    """A restored database is behind the group: noted before the first record, and all is read again from there."""
    world = make_world()
    world.publish("1", "2", "3")
    async with world.intake():
        await world.taken("1", "2", "3")
    forgetful = make_world()
    forgetful.broker = world.broker
    forgetful.database.lanes.clear()
    async with forgetful.intake():
        await forgetful.taken("1", "2", "3")
    assert forgetful.report.alarms == [("committed_ahead", PLACE)]
    assert any(entry["action"] == "look first" for entry in forgetful.database.audit)


class _Clumsy(MemorySource):
    """A source whose question for one topic's bounds is never answered."""

    broken = ""

    async def bounds(self, places: Collection[TopicPartition]) -> Mapping[TopicPartition, Bounds]:
        if any(place.topic == self.broken for place in places):
            raise BrokerUnavailableError("no leader")
        return await super().bounds(places)


async def test_a_topic_that_does_not_answer_keeps_no_other_waiting() -> None:
    """Of two topics one has no leader: the other one's orders are taken, and then both."""
    world = make_world()
    world.broker.create_topic("a.topic")
    source = _Clumsy(broker=world.broker, topics=["a.topic", PAID], group=GROUP)
    source.broken = "a.topic"
    world.publish("1")
    async with world.intake(source):
        await world.taken("1")
        await world.report.until(lambda: "positions" in world.report.waits)
        source.broken = ""
        world.broker.publish("a.topic", key=None, value=None)
        await world.report.until(lambda: world.report.outcomes[1:] == [None])


async def test_two_members_share_the_partitions_and_lose_nothing() -> None:
    """One joins, one leaves, while orders come: each is recorded once, and no alarm is raised."""
    world = make_world(partitions=4)
    ids = [str(number) for number in range(80)]
    async with world.intake():
        for number, one in enumerate(ids[:40]):
            world.publish(one, partition=number % 4)
        async with world.intake():
            for number, one in enumerate(ids[40:60]):
                world.publish(one, partition=number % 4)
            await world.taken(*ids[:60])
        for number, one in enumerate(ids[60:]):
            world.publish(one, partition=number % 4)
        await world.taken(*ids)
    assert len(world.database.events) == 80
    assert world.report.alarms == []
    assert sum(world.broker.committed(GROUP).values()) == 80


async def test_a_member_taken_for_dead_does_no_harm_with_its_last_batch() -> None:
    """It stands still in a write, others take its partition and go on; its write comes late and is dropped whole."""
    world = make_world()
    source = world.source()
    slow = make_world()
    slow.broker, slow.database = world.broker, world.database
    slow.store = type(world.store)(world.store._inner)
    slow.store.gate.clear()
    world.publish("1", "2")
    async with slow.intake(source):
        await slow.store.standing.wait()
        await world.broker.expel(source)
        async with world.intake():
            await world.taken("1", "2")
            world.publish("3")
            await world.taken("1", "2", "3")
            slow.store.gate.set()
            await slow.report.until(lambda: len(slow.store.batches) == 1)
            world.publish("4")
            await world.taken("1", "2", "3", "4")
    assert len(world.database.events) == 4
    assert world.position().next_offset == 4


async def test_a_revocation_waits_for_the_batch_in_hand_and_no_longer_than_its_deadline() -> None:
    """With a database that hangs the rebalance goes on after the deadline, and nothing is lost by it."""
    world = make_world(partitions=2)
    world.store.gate.clear()
    world.publish("1")
    async with world.intake():
        await world.store.standing.wait()
        async with asyncio.timeout(10):
            await world.broker.rebalance(GROUP)
        assert "commit" in world.report.waits
        world.store.gate.set()
        await world.taken("1")
        world.publish("2")
        await world.taken("1", "2")
    assert len(world.database.events) == 2


async def test_a_batch_of_an_assignment_that_ended_is_dropped() -> None:
    """It waits for the database while the partition passes on and comes back: read again, and written only once."""
    world = make_world()
    async with world.intake():
        world.publish("1")
        await world.taken("1")
        world.store.away = True
        world.publish("2", "3")
        await world.report.until(lambda: "database" in world.report.waits)
        await world.broker.rebalance(GROUP)
        world.store.away = False
        await world.taken("1", "2", "3")
        world.publish("4")
        await world.taken("1", "2", "3", "4")
    assert [one.offset for batch in world.store.batches for one in batch] == [0, 1, 2, 3]


class EarlySource(MemorySource):
    """Begins two records before where it is asked to."""

    def seek(self, place: TopicPartition, offset: int) -> bool:
        """Seek too far back."""
        return super().seek(place, max(0, offset - 2))


async def test_what_is_delivered_from_before_the_beginning_proves_nothing() -> None:
    """Records before the one that was taken last are no sign of a topic made again: they are passed over."""
    world = make_world()
    world.publish("1", "2", "3")
    async with world.intake():
        await world.taken("1", "2", "3")
    world.publish("4")
    async with world.intake(EarlySource(broker=world.broker, topics=[PAID], group=GROUP)):
        await world.taken("1", "2", "3", "4")
    assert world.report.alarms == []
    assert (world.position().log, world.position().next_offset) == (1, 4)
    assert len(world.database.events) == 4
