"""Positions move by batches, by gaps, and by people; what is left out is always written down."""

import pytest

from consumer.errors import FencedError
from consumer.ports.intake import Gap, Position
from tests.conformance.intake.making import PAID, key, set_up, taken
from tests.conformance.intake.rig import Rig


def _gap(to_offset: int, log: int = 1, from_offset: int = 1) -> Gap:
    return Gap(place=PAID, log=log, from_offset=from_offset, to_offset=to_offset, cause="cut_by_retention")


async def test_a_gap_moves_the_position_to_its_end(rig: Rig) -> None:
    """Records that retention has cut away are a gap; reading goes on behind it, and recording it again adds none."""
    await set_up(rig)
    await rig.intake.record([taken(key(), 0)])
    for _ in range(2):
        await rig.intake.record_gap(_gap(50))
    assert await rig.gaps() == [("cut_by_retention", 1, 1, 50)]
    assert await rig.intake.positions([PAID]) == {PAID: Position(log=1, next_offset=50)}


async def test_a_gap_of_another_log_is_refused(rig: Rig) -> None:
    """A gap found in a log that is not the newest any more must not move the position."""
    await rig.intake.begin_log(PAID, 0)
    with pytest.raises(FencedError, match="log 1"):
        await rig.intake.record_gap(_gap(50, log=2))
    assert await rig.intake.positions([PAID]) == {PAID: Position(log=1, next_offset=0)}


async def test_a_person_moves_a_position(rig: Rig) -> None:
    """Forward leaves a gap, backward does not; both are in the audit log, and the records come again harmlessly."""
    await set_up(rig)
    await rig.intake.record([taken(key(), 4)])
    assert await rig.intake.set_position(PAID, 9, "ada") == Position(log=1, next_offset=9)
    assert await rig.gaps() == [("moved_by_hand", 1, 5, 9)]
    assert await rig.intake.set_position(PAID, 4, "ada") == Position(log=1, next_offset=4)
    assert len(await rig.gaps()) == 1
    assert (await rig.audit())[-2:] == [("ada", "positions set")] * 2
    recorded = await rig.intake.record([taken(key(), 4)])
    assert recorded.verdicts == {"repeated": 1}
    assert (await rig.order(key())).change == 1


async def test_a_running_intake_does_not_overwrite_a_position_that_is_set_back(rig: Rig) -> None:
    """Its next batch is refused, it reads the position again, and what lies between is taken once more."""
    await set_up(rig)
    await rig.intake.record([taken(key(str(offset)), offset) for offset in range(6)])
    await rig.intake.set_position(PAID, 2, "ada")
    with pytest.raises(FencedError, match="set back to 2, and this batch begins at 6"):
        await rig.intake.record([taken(key("6"), 6)])
    assert await rig.intake.positions([PAID]) == {PAID: Position(log=1, next_offset=2)}
    # A compacted topic may begin behind the position that was asked for: it is not refused a second time.
    recorded = await rig.intake.record([taken(key(str(offset)), offset) for offset in (3, 4, 5, 6)])
    assert recorded.verdicts == {"repeated": 3, "newest": 1}
    assert recorded.positions == {PAID: 7}


async def test_a_running_intake_goes_on_to_a_position_that_is_set_forward(rig: Rig) -> None:
    """What lies below it is dropped, and the first record behind it is taken."""
    await set_up(rig)
    await rig.intake.record([taken(key("0"), 0)])
    await rig.intake.set_position(PAID, 3, "ada")
    recorded = await rig.intake.record([taken(key(str(offset)), offset) for offset in (1, 2, 3)])
    assert recorded.verdicts == {"repeated_delivery": 2, "newest": 1}
    assert recorded.positions == {PAID: 4}


async def test_a_position_of_a_partition_never_taken_may_be_set(rig: Rig) -> None:
    """There is nothing before it, so that there is no gap."""
    assert await rig.intake.set_position(PAID, 7, "ada") == Position(log=1, next_offset=7)
    assert await rig.gaps() == []


async def test_a_committed_offset_ahead_makes_all_lanes_look_first(rig: Rig) -> None:
    """Postgres has forgotten something: every lane must look into its ledger before it makes anything."""
    await set_up(rig)
    assert await rig.lane("books") == (False, False)
    await rig.intake.note_committed_ahead([PAID])
    assert (await rig.lane("books"))[1] is True
    assert ("intake", "look first") in await rig.audit()
