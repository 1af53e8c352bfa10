"""A live order among a week of backfill, through the shipped lane in virtual time: its first call comes at once."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from consumer.domain.settings import LedgerLimits
from consumer.domain.states import OrderState
from tests.services.sync.virtual_time import run, until
from tests.services.sync.world import CONNECTION, World

LIMITS = LedgerLimits(daily_calls=100_000)
INTERVAL_SECONDS = LIMITS.window_seconds / float(LIMITS.calls_per_window * LIMITS.pace_share)


class Listening(World):
    """Notes when the first call for the live order was made, and how many others came between."""

    def __post_init__(self) -> None:
        """See World."""
        super().__post_init__()
        self.called_at: Any = None
        self.between = 0
        self.book.before = self._listen

    def _listen(self, operation: object) -> None:
        if self.called_at is None and "live" in repr(operation):
            self.called_at = self.now()
        self.between += self.called_at is None


@pytest.mark.parametrize("booked_before", [1, 5, 12])
def test_a_live_order_is_called_for_within_one_interval(booked_before: int) -> None:
    """300 orders of a backfill, spaced calls; a live one arrives in the middle."""
    world = Listening(connection=replace(CONNECTION, limits=LIMITS))

    async def work() -> None:
        await world.set_up()
        for n in range(300):
            await world.pay(f"old{n}", email=f"c{n}@example.org", name=f"Customer {n}")
        for row in world.database.orders.values():
            row.priority = 2
        async with world.process():
            await until(lambda: len(world.bookings) >= booked_before, within_seconds=3600)
            arrived, world.between = world.now(), 0
            await world.pay("live", email="live@example.org", name="Live")
            await until(lambda: world.called_at is not None, within_seconds=3600)
            assert world.between <= 1
            assert world.called_at - arrived < timedelta(seconds=INTERVAL_SECONDS)
            await until(lambda: world.state("live") is OrderState.BOOKED, within_seconds=60)

    run(work())
