"""Services start, work and stop in every order, die loudly, and never outlive their deadline."""

import asyncio
import random
from time import monotonic

import pytest

from consumer.lifecycle import Heartbeat, Service, ServiceDiedError, oldest_heartbeat, run_services


class Worker(Service):
    """A service of one loop, which a test can make fail, end, or refuse to end."""

    def __init__(self, name: str = "worker") -> None:
        super().__init__(name)
        self.beaten = asyncio.Event()
        self.poison: BaseException | None = None
        self.ends = asyncio.Event()
        self.stubborn = False
        self.finished = False
        self.released = 0

    async def _begin(self) -> None:
        self.spawn("loop", self._loop())
        self.started.set()

    async def _loop(self) -> None:
        beat = self.heartbeat("loop")
        while not self.stopping.is_set() or self.stubborn:
            beat.beat()
            self.beaten.set()
            if self.poison is not None:
                raise self.poison
            if self.ends.is_set():
                return
            await asyncio.sleep(0)

    async def _finish(self, deadline_seconds: float) -> None:
        assert deadline_seconds > 0
        self.finished = True

    async def _release(self) -> None:
        self.released += 1


async def test_a_service_runs_until_it_is_stopped() -> None:
    """It beats while it runs; stop finishes and releases once, however often it is called."""
    worker = Worker()
    await worker.start()
    await worker.start()
    await worker.beaten.wait()
    assert [beat.name for beat in worker.heartbeats] == ["worker.loop"]
    await asyncio.gather(worker.stop(5), worker.stop(5))
    await worker.stop(5)
    assert (worker.finished, worker.released, worker.failure) == (True, 1, None)


async def test_stop_before_start_is_legal() -> None:
    """The later start does nothing."""
    worker = Worker()
    await worker.stop(1)
    await worker.start()
    assert not worker.started.is_set()
    assert worker.released == 0


async def test_what_does_not_end_is_cancelled_at_the_deadline() -> None:
    """And what is held is let go all the same."""
    worker = Worker()
    worker.stubborn = True
    await worker.start()
    began = monotonic()
    await worker.stop(0.1)
    assert 0.1 <= monotonic() - began < 2
    assert (worker.released, worker.failure) == (1, None)


async def test_a_caller_that_gives_up_leaves_no_service_half_stopped() -> None:
    """The stop goes on, and the next caller waits for it."""
    worker = Worker()
    worker.stubborn = True
    await worker.start()
    first = asyncio.create_task(worker.stop(0.2))
    await asyncio.sleep(0)
    first.cancel()
    await worker.stop(5)
    assert worker.released == 1


@pytest.mark.parametrize("dies", [True, False])
async def test_a_task_that_dies_or_ends_stops_everything_loudly(dies: bool) -> None:  # noqa: FBT001 a parameter
    """The other service is stopped in good order, and the error names service, task and cause."""
    sick, healthy = Worker("sick"), Worker("healthy")
    stop = asyncio.Event()
    running = asyncio.create_task(run_services([healthy, sick], stop, deadline_seconds=5))
    await sick.beaten.wait()
    if dies:
        sick.poison = LookupError("a fault")
    else:
        sick.ends.set()
    with pytest.raises(ServiceDiedError, match="sick.*loop.*" + ("a fault" if dies else "ended by itself")) as raised:
        await running
    assert isinstance(raised.value.__cause__, LookupError) is dies
    assert (healthy.finished, healthy.released, sick.released) == (True, 1, 1)


async def test_an_error_while_stopping_is_told() -> None:
    """A loop that fails in its last round has failed."""
    worker = Worker()
    worker.stubborn = True
    stop = asyncio.Event()
    running = asyncio.create_task(run_services([worker], stop, deadline_seconds=2))
    await worker.beaten.wait()
    stop.set()
    await asyncio.sleep(0)
    worker.poison = LookupError("a late fault")
    with pytest.raises(ServiceDiedError, match="a late fault"):
        await running


class Refuses(Worker):
    """A service that cannot start."""

    async def _begin(self) -> None:
        raise OSError("no such thing")


async def test_a_start_that_fails_stops_what_was_started() -> None:
    """And its own error is raised."""
    healthy = Worker("healthy")
    with pytest.raises(OSError, match="no such thing"):
        await run_services([healthy, Refuses("refuses")], asyncio.Event(), deadline_seconds=2)
    assert healthy.released == 1


async def test_a_nap_ends_with_the_service() -> None:
    """Nobody waits for a sleeper."""
    worker = Worker()
    await worker.start()
    nap = asyncio.create_task(worker.nap(1000))
    await asyncio.sleep(0)
    async with asyncio.timeout(5):
        await worker.stop(5)
        await nap


async def test_the_oldest_heartbeat_is_found() -> None:
    """Over all services; none where nothing beats."""
    worker = Worker()
    assert oldest_heartbeat([worker]) is None
    old, young = worker.heartbeat("old"), worker.heartbeat("young")
    young.beat()
    found = oldest_heartbeat([worker])
    assert found is old
    assert isinstance(found, Heartbeat)
    assert found.age_seconds() >= 0


@pytest.mark.parametrize("seed", range(20))
async def test_any_order_of_starts_stops_and_faults_ends_clean(seed: int) -> None:
    """The shared stress: starts, stops, cancelled stops and faults in any order leave no task and one release."""
    chance = random.Random(seed)  # noqa: S311 a seed, not a secret
    worker = Worker()
    doings = []
    for _ in range(chance.randrange(1, 12)):
        doing = chance.choice(["start", "stop", "give up", "poison", "breathe", "stubborn"])
        if doing == "start":
            doings.append(asyncio.create_task(worker.start()))
        elif doing in {"stop", "give up"}:
            doings.append(asyncio.create_task(worker.stop(0.01)))
        elif doing == "poison":
            worker.poison = LookupError("a fault")
        elif doing == "stubborn":
            worker.stubborn = True
        if doing == "give up":
            await asyncio.sleep(0)
            doings[-1].cancel()
        await asyncio.sleep(0)
    await asyncio.gather(*doings, return_exceptions=True)
    await worker.stop(0.01)
    begun = bool(worker.heartbeats) or worker.started.is_set()
    assert worker.released == (1 if begun else 0)
    left = asyncio.all_tasks() - {asyncio.current_task()}
    assert [task for task in left if not task.done()] == []
