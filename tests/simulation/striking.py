"""Faults that strike at a moment of their own, and the arming of those that wait for an occasion."""

import asyncio
from typing import TYPE_CHECKING

from tests.simulation.faults import ANY_TIME, FaultKind
from tests.simulation.loop import Owner
from tests.simulation.scenario import GROUP, LEASE_SECONDS

if TYPE_CHECKING:
    from tests.simulation.process import Process
    from tests.simulation.world import World

_LAST_SECONDS = 9.5  # of the storm, when what is missing is made up for
_SESSION_SECONDS = 2.0


class Striker:
    """Strikes as the plan says."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self.database_is_away = False

    async def strike_all(self) -> None:
        """Strike each fault at its moment, and see to it that there were enough."""
        loop = self._world.loop
        for at_seconds, kind in self._world.plan.faults:
            await asyncio.sleep(max(0.0, at_seconds - loop.time()))
            self.strike(kind)
        await asyncio.sleep(max(0.0, _LAST_SECONDS - loop.time()))
        for kind in (FaultKind.CRASH, FaultKind.REBALANCE):
            if len(self._world.faults.kinds) < self._world.plan.faults_min:
                self.strike(kind)

    async def stop_some(self) -> None:
        """Ask processes to stop, at their moments; others are started in their place."""
        world = self._world
        for at_seconds in world.plan.stops:
            await asyncio.sleep(max(0.0, at_seconds - world.loop.time()))
            serving = [one for one in world.serving() if not one.stop.is_set()]
            if serving:
                process = world.chance.choice(serving)
                world.loop.soon(process.owner, process.stop.set)

    def strike(self, kind: FaultKind) -> None:
        """Let it happen now, or at the next occasion."""
        if kind not in ANY_TIME:
            self._world.faults.arm(kind)
            return
        strike = {
            FaultKind.CRASH: self._crash,
            FaultKind.PAUSE: self._pause,
            FaultKind.STEADY_JUMP: self._steady_jump,
            FaultKind.WALL_JUMP: self._wall_jump,
            FaultKind.DATABASE_AWAY: self._database_away,
            FaultKind.BROKER_AWAY: self._broker_away,
            FaultKind.REBALANCE: self._rebalance,
            FaultKind.REDELIVERY: self._redelivery,
            FaultKind.TOKEN_EXPIRED: self._token_expired,
            FaultKind.LEDGER_AWAY: self._ledger_away,
        }[kind]
        if strike() and kind is not FaultKind.CRASH:
            self._world.faults.note(kind, self._world.loop.time())

    def _crash(self) -> bool:
        living = self._world.living()
        if living:
            self._world.kill(self._world.chance.choice(living))
        return bool(living)

    def _pause(self) -> bool:
        world, loop = self._world, self._world.loop
        awake = [one for one in world.living() if not one.owner.paused]
        if not awake:
            return False
        process = world.chance.choice(awake)
        loop.pause(process.owner)
        loop.outside(_SESSION_SECONDS, world.forget_member, process)
        loop.outside(LEASE_SECONDS + world.chance.uniform(0.2, 2.0), self._wake, process.owner)
        return True

    def _wake(self, owner: Owner) -> None:
        if not owner.dead:
            self._world.loop.wake(owner)

    def _steady_jump(self) -> bool:
        for process in self._chosen():
            process.clock.steady_ahead += self._world.chance.choice((0.6, 1.5, 5.0, 600.0))
        return bool(self._world.living())

    def _wall_jump(self) -> bool:
        for process in self._chosen():
            process.clock.wall_ahead += self._world.chance.choice((-3600.0, -600.0, 600.0, 86400.0))
        return bool(self._world.living())

    def _chosen(self) -> "list[Process]":
        living = list(self._world.living())
        return [self._world.chance.choice(living)] if living else []

    def _database_away(self) -> bool:
        """For one process, or for all."""
        world = self._world
        alone = self._chosen() if world.chance.random() < 0.5 else None
        concerned = list(world.living()) if alone is None else alone
        for process in concerned:
            process.link.away = True
        self.database_is_away = alone is None
        world.loop.outside(world.chance.uniform(0.3, 4.0), self._database_back)
        return bool(concerned)

    def _database_back(self) -> None:
        self.database_is_away = False
        for process in self._world.living():
            process.link.away = False

    def _broker_away(self) -> bool:
        self._world.broker.down = True
        self._world.loop.outside(self._world.chance.uniform(0.3, 4.0), self._broker_back)
        return True

    def _broker_back(self) -> None:
        self._world.broker.down = False

    def _rebalance(self) -> bool:
        self._world.loop.start_outside(self._world.broker.rebalance(GROUP))
        return True

    def _redelivery(self) -> bool:
        return max(self._back(process) for process in self._world.serving()) if self._world.serving() else False

    def _back(self, process: "Process") -> bool:
        return process.source_of().back(self._world.chance.randint(1, 4))

    def _token_expired(self) -> bool:
        world = self._world
        server = world.servers[world.chance.choice(sorted(world.servers))]
        server.tokens.clear()
        return True

    def _ledger_away(self) -> bool:
        world = self._world
        server = world.servers[world.chance.choice(sorted(world.servers))]
        server.down = True
        world.loop.outside(world.chance.uniform(0.5, 4.0), server.come_back)
        return True
