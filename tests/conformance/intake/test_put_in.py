"""Records that come past the order of a partition: the replay's, a shop's own list, a rejection that is tried again."""

from consumer.domain.states import Priority
from consumer.ports.intake import Position
from tests.conformance.intake.making import PAID, UPDATED, key, set_up, taken, unreadable
from tests.conformance.intake.rig import Rig


async def test_what_is_put_in_moves_no_position(rig: Rig) -> None:
    """The order is taken as from Kafka, at the priority of a backfill; the partition stays where it stood."""
    await set_up(rig)
    await rig.intake.record([taken(key("1"), 5)])
    before = await rig.intake.positions([PAID])
    recorded = await rig.intake.put_in([taken(key("2"), 2)], priority=Priority.BACKFILL)
    assert recorded.verdicts == {"newest": 1}
    assert recorded.woken == {"books"}
    seen = await rig.order(key("2"))
    assert (seen.state, seen.due, seen.priority) == ("due", True, 2)
    assert await rig.intake.positions([PAID]) == before
    assert before[PAID] == Position(log=1, next_offset=6, last_offset=5, last_checksum=b"sum5")


async def test_the_same_record_put_in_twice_changes_nothing(rig: Rig) -> None:
    """Neither a second event nor a change of the order: a replay may run beside itself."""
    await set_up(rig)
    await rig.intake.record([taken(key(), 0)])
    before = await rig.order(key())
    again = await rig.intake.put_in([taken(key(), 0), taken(key(), 0)], priority=Priority.BACKFILL)
    assert again.verdicts == {"repeated_delivery": 2}
    assert await rig.order(key()) == before
    assert await rig.verdicts() == [("1001", "newest")]


async def test_what_waits_is_never_put_behind(rig: Rig) -> None:
    """A live order that is due already keeps its place when the replay brings another revision of it."""
    await set_up(rig)
    await rig.intake.record([taken(key(), 0)])
    await rig.intake.put_in([taken(key(), 7, 2, place=UPDATED)], priority=Priority.BACKFILL)
    seen = await rig.order(key())
    assert (seen.state, seen.priority, seen.version) == ("due", 1, 2)


async def test_a_bad_record_put_in_is_rejected_once(rig: Rig) -> None:
    """It is kept and told of like any other, and not a second time."""
    await set_up(rig)
    await rig.intake.put_in([unreadable(3)], priority=Priority.BACKFILL)
    second = await rig.intake.put_in([unreadable(3)], priority=Priority.BACKFILL)
    assert second.outbox_rows == 0
    assert len(await rig.rejected()) == 1
