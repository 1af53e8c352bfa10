"""As many slots as the ledger allows calls are never more arrivals than that in any rolling window."""

import asyncio
import random
import time
from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from consumer.ports.lanes import Slot
from tests.conformance.lanes.bench import MemoryBench, PostgresBench
from tests.conformance.lanes.scenes import open_books, request

CALLS = 5
WINDOW_SECONDS = 10.0
DEADLINE_SECONDS = 4.0


@dataclass(frozen=True)
class Fate:
    """What becomes of a call: it waits for its turn, travels to the ledger, and back, or its process dies."""

    pause: float
    there: float
    back: float
    dies: bool
    sent: bool


@dataclass
class Ledger:
    """Counts arrivals as a ledger with a rolling window does."""

    window_seconds: float
    arrivals: list[float] = field(default_factory=list)

    def most_in_a_window(self) -> int:
        """Give the largest number of arrivals in any window."""
        moments = sorted(self.arrivals)
        return max(
            (sum(start <= other < start + self.window_seconds for other in moments) for start in moments), default=0
        )


FATES = st.lists(
    st.builds(
        Fate,
        pause=st.floats(0.0, 6.0),
        # A call leaves within a second of its slot, and may arrive as late as its deadline counts from then.
        there=st.floats(0.0, DEADLINE_SECONDS + 1.0),
        back=st.floats(0.0, 2.0),
        dies=st.booleans(),
        sent=st.sampled_from([True, True, True, False]),
    ),
    min_size=20,
    max_size=60,
)


@settings(max_examples=60, deadline=None)
@given(fates=FATES)
def test_never_more_arrivals_than_slots(fates: list[Fate]) -> None:
    """With calls that arrive late, die without a word or never leave, by a clock that is moved."""
    ledger = Ledger(WINDOW_SECONDS)
    asyncio.run(_run(fates, ledger))
    assert ledger.most_in_a_window() <= CALLS


async def _run(fates: list[Fate], ledger: Ledger) -> None:
    bench = MemoryBench()
    await open_books(
        bench,
        calls_per_window=CALLS,
        window_seconds=WINDOW_SECONDS,
        people_calls=0,
        calls_at_once=CALLS,
        daily_calls=10_000,
    )
    began = bench.now
    ends: list[tuple[float, Slot, bool]] = []
    for fate in fates:
        await bench.elapse(fate.pause)
        now = (bench.now - began).total_seconds()
        for end in [end for end in ends if end[0] <= now]:
            ends.remove(end)
            await bench.calls.end_call(end[1], sent=end[2])
        slot = await bench.calls.take_slot(request(deadline_seconds=DEADLINE_SECONDS))
        if not isinstance(slot, Slot):
            continue
        if fate.sent:
            ledger.arrivals.append(now + fate.there)
        if not fate.dies:
            # Who gets no answer gives up at the deadline and says so then: never before the call could arrive.
            ends.append((now + fate.there + fate.back if fate.sent else now, slot, fate.sent))


async def test_never_more_arrivals_than_slots_in_postgres(postgres_bench: PostgresBench) -> None:
    """Six tasks with connections of their own press for slots by the server's clock: calls take a moment, some die."""
    window_seconds, calls = 0.4, 6
    await open_books(
        postgres_bench,
        calls_per_window=calls,
        window_seconds=window_seconds,
        people_calls=0,
        calls_at_once=calls,
        daily_calls=10_000,
    )
    ledger = Ledger(window_seconds)
    ends_at = time.monotonic() + 3.0
    chance = random.Random(11)  # noqa: S311 - a seed for a test, no secret

    async def press() -> None:
        while time.monotonic() < ends_at:
            slot = await postgres_bench.calls.take_slot(request(deadline_seconds=0.1))
            if not isinstance(slot, Slot):
                continue
            ledger.arrivals.append(time.monotonic())
            if chance.random() < 0.9:
                await postgres_bench.calls.end_call(slot, sent=True)

    await asyncio.gather(*(press() for _ in range(6)))
    assert len(ledger.arrivals) >= 2 * calls
    assert ledger.most_in_a_window() <= calls
