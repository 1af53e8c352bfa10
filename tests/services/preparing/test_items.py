"""The ledger's items that a lane knows: what one order has asked for stays at hand while it is mapped."""

from collections.abc import Sequence
from typing import Any

from consumer.adapters.memory.contacts import MemoryContactStore
from consumer.adapters.memory.lanes import MemoryLaneStore
from consumer.domain.ledger import FindItems, Item, Operation, Page
from consumer.ports.ledger import Answer
from consumer.services.knowing import Knowledge
from tests.services.sync.virtual_time import run
from tests.services.sync.world import BOOKS, World
from tests.simulation.ledger import exchange


class AskedCaller:
    """Answers from the books; ``before`` is done before the items of that SKU are told, as by another order."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.asked: list[str] = []
        self.before: dict[str, Any] = {}

    async def read(self, operation: Operation, **_: object) -> Answer:
        """See services.calling.Caller."""
        if not isinstance(operation, FindItems):
            return Answer(result=self.world.book.apply(operation), exchange=exchange(operation, 200, "ok"))
        self.asked.append(operation.text)
        if operation.text in self.before:
            await self.before[operation.text]()
        rows = (Item(item_id=f"item-{operation.text}", name=operation.text, sku=operation.text),)
        return Answer(result=Page(rows=rows, more=False), exchange=exchange(operation, 200, "ok"))


async def a_lane_knows(world: World, caller: AskedCaller) -> Knowledge:
    """Make what a lane knows of the world's connection."""
    await world.set_up()
    lanes = MemoryLaneStore(world.database)
    return Knowledge(
        view=await lanes.view(BOOKS),
        caller=caller,  # type: ignore[arg-type] # it is only read from
        lanes=lanes,
        contacts=MemoryContactStore(world.database),
        steady=lambda: 0.0,
    )


def items_of(skus: Sequence[str], *, while_asked_for: str) -> tuple[list[str], list[str]]:
    """Ask for items while another order has the organisation's facts read anew; gives the known before and after."""
    world = World()
    caller = AskedCaller(world)

    async def work() -> tuple[list[str], list[str]]:
        knowledge = await a_lane_knows(world, caller)
        caller.before[while_asked_for] = lambda: knowledge.facts(0.0)
        known = await knowledge.items(skus)
        before = sorted(known)
        await knowledge.facts(0.0)
        return before, sorted(known)

    return run(work())


def test_fresh_facts_take_no_item_from_an_order_that_is_being_mapped() -> None:
    """They empty what the lane remembers, in the middle of the asking and after it; the order has its own."""
    assert items_of(["A", "B"], while_asked_for="B") == (["A", "B"], ["A", "B"])


def test_an_item_is_asked_for_once_and_again_after_fresh_facts() -> None:
    """What the lane remembers serves the next order."""
    world = World()
    caller = AskedCaller(world)

    async def work() -> None:
        knowledge = await a_lane_knows(world, caller)
        await knowledge.items(["A"])
        await knowledge.items(["A"])
        assert caller.asked == ["A"]
        await knowledge.facts(0.0)
        await knowledge.items(["A"])

    run(work())
    assert caller.asked == ["A", "A"]
