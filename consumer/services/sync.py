"""Sync: leases the lanes that have due orders and runs one Lane for each; sweeps now and then for lost wake-ups."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog

from consumer.errors import DatabaseUnavailableError
from consumer.failpoints import failpoint
from consumer.lifecycle import Service
from consumer.ports.lanes import LaneLease, LaneStore
from consumer.services.lane import Lane, LaneEnd
from consumer.services.lane_tools import LaneTools
from consumer.services.streaks import Streaks
from consumer.services.waiting import first_of

log = structlog.get_logger()

LANES_MAX = 64  # of one process at a time
POLL_SECONDS = 2.0  # wake-ups are hints: nothing waits longer than this for a look
SWEEP_SECONDS = 60.0
PAUSE_SECONDS = 1.0
RELEASE_SECONDS = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncParts:
    """What the service works with. ``wait_for_work`` returns when some lane may be due, or after the seconds."""

    lanes: LaneStore
    tools: LaneTools
    installation: str
    owner: str
    wait_for_work: Callable[[float], Awaitable[None]]
    on_sweep: Callable[[int], None] = lambda _corrected: None


class Sync(Service):
    """The service; it stops when every lane has finished what it had in hand."""

    def __init__(self, parts: SyncParts) -> None:
        super().__init__("sync")
        self._parts = parts
        self._beat = self.heartbeat("leasing")
        self._running: dict[LaneLease, tuple[Lane, asyncio.Task[LaneEnd]]] = {}
        self._streaks: dict[str, Streaks] = {}
        self._lane_ended = asyncio.Event()

    async def _begin(self) -> None:
        self.spawn("leasing", self._serve())
        self.spawn("sweeping", self._sweep())

    async def _finish(self, deadline_seconds: float) -> None:
        for lane, _ in self._running.values():
            lane.stop()
        if self._running:
            failpoint("drain_begun")
            await asyncio.wait([task for _, task in self._running.values()], timeout=deadline_seconds)

    async def _release(self) -> None:
        tasks = [task for _, task in self._running.values()]
        for task in tasks:
            # What is left after the deadline: its calls record themselves, and its lease runs out.
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=RELEASE_SECONDS)

    async def _serve(self) -> None:
        await self._check_in()
        while not self.stopping.is_set():
            self._beat.beat()
            self._lane_ended.clear()
            await self._lease_due()
            await self._wait()

    async def _check_in(self) -> None:
        while not self.stopping.is_set():
            self._beat.beat()
            try:
                await self._parts.lanes.check_in(self._parts.installation)
            except DatabaseUnavailableError:
                log.warning("sync_waits_for_database")
                await self.nap(PAUSE_SECONDS)
            else:
                self.started.set()
                return

    async def _lease_due(self) -> None:
        room = LANES_MAX - len(self._running)
        if room <= 0:
            return
        try:
            leases = await self._parts.lanes.lease_due(self._parts.owner, self._parts.tools.lease_seconds, room)
        except DatabaseUnavailableError:
            log.warning("sync_waits_for_database")
            await self.nap(PAUSE_SECONDS)
            return
        if leases:
            failpoint("lane_leased")
        for lease in leases:
            self._start(lease)

    def _start(self, lease: LaneLease) -> None:
        streaks = self._streaks.setdefault(lease.connection_id, Streaks())
        lane = Lane(lease, self._parts.tools, streaks)
        if self.stopping.is_set():
            lane.stop()  # leased while the service was asked to stop: it only gives the lease back
        task = asyncio.create_task(self._run_lane(lane), name=f"lane:{lease.connection_id}")
        # By lease, not by connection: a lane that is closing its ledger may have a successor already.
        self._running[lease] = (lane, task)
        task.add_done_callback(lambda _: self._ended_lane(lease))

    def _ended_lane(self, lease: LaneLease) -> None:
        self._running.pop(lease, None)
        self._lane_ended.set()

    async def _run_lane(self, lane: Lane) -> LaneEnd:
        try:
            end = await lane.run()
        except DatabaseUnavailableError:
            log.warning("lane_lost_database", connection=lane.connection_id)
            return LaneEnd.RESTING
        except Exception:
            # One connection's lane must not take the others with it. The lease expires by itself, the order that was
            # in hand counts as taken, and after three such ends it is parked.
            log.exception("lane_failed", connection=lane.connection_id)
            return LaneEnd.RESTING
        log.debug("lane_ended", connection=lane.connection_id, end=end.value)
        return end

    async def _wait(self) -> None:
        # A wake-up that came while a lane was giving its lease back was looked at in vain: look again after its end.
        await first_of(
            self.stopping.wait(),
            self._parts.wait_for_work(POLL_SECONDS),
            self._lane_ended.wait(),
            timeout_seconds=POLL_SECONDS,
        )

    async def _sweep(self) -> None:
        while not self.stopping.is_set():
            await self.nap(SWEEP_SECONDS)
            try:
                self._parts.on_sweep(await self._parts.lanes.sweep())
            except DatabaseUnavailableError:
                log.warning("sweep_waits_for_database")
