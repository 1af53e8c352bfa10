"""A week of backfill does not make a live order wait: it is the next that is taken, one call's spacing at most."""

from datetime import timedelta

import pytest

from consumer.domain.budget import Budget, Refusal, Window, admit
from consumer.domain.orders import OrderKey
from consumer.domain.settings import LedgerLimits
from consumer.domain.states import Priority
from tests.conformance.intake.making import NOON, key, set_up, taken
from tests.conformance.intake.rig import Rig
from tests.conformance.replay.bench import lanes_of

BACKFILL = 50_000
"""A week's orders. Postgres gets 2,000: a claim reads an index by priority, so that their number does not matter."""


async def test_the_next_order_taken_is_the_live_one(rig: Rig) -> None:
    """Behind a backfill of 50,000 orders, none of them taken yet, the live order is the first to be claimed."""
    await set_up(rig)
    many = BACKFILL if type(rig).__name__ == "MemoryRig" else 2_000
    for begin in range(0, many, 1_000):
        batch = [taken(key(f"old-{n}"), n) for n in range(begin, begin + 1_000)]
        await rig.intake.put_in(batch, priority=Priority.BACKFILL)
    lanes = lanes_of(rig)
    (lease,) = await lanes.lease_due("lane", 60.0, 10)
    exclude: list[OrderKey] = []
    in_hand = await lanes.claim(lease, 1, exclude)
    assert in_hand.orders[0].key.order_id.startswith("old-")
    exclude.append(in_hand.orders[0].key)
    # One order of the backfill is being booked when the live one comes in: it waits for that call, and for no other.
    await rig.intake.record([taken(key("live"), BACKFILL)])
    claimed = await lanes.claim(lease, 1, exclude)
    assert [one.key for one in claimed.orders] == [key("live")]


@pytest.mark.parametrize("calls_before", [1, 100, 10_000])
def test_the_spacing_of_calls_owes_a_live_order_one_interval(calls_before: int) -> None:
    """After any number of spaced calls of a backfill the next call may leave within one interval, whoever's it is."""
    limits = LedgerLimits()
    interval = limits.window_seconds / float(limits.calls_per_window * limits.pace_share)
    window = Window(calls_under_way=0, nth_free_at=NOON - timedelta(days=1))
    budget, now = Budget(daily_left=100_000, daily_limit=100_000, daily_resets_at=NOON + timedelta(days=2)), NOON

    def call(priority: Priority) -> Refusal | None:
        nonlocal budget
        answer = admit(budget, window, limits, priority=priority, queued=True, deadline_seconds=10.0, now=now)
        if isinstance(answer, Refusal):
            return answer
        budget = answer.budget
        return None

    for _ in range(calls_before):
        while (refused := call(Priority.BACKFILL)) is not None:
            assert refused.cause == "pace"
            now += timedelta(seconds=refused.seconds)
    refused = call(Priority.LIVE)
    waited = 0.0 if refused is None else refused.seconds
    assert waited <= interval + 0.001
