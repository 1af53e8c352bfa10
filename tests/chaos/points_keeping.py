"""The crash points of what people do beside the bookings: the change of keys, and a customer's export and erasure."""

import json
from typing import Final

from consumer.secrets import generate_key
from tests.chaos.crew import crew
from tests.chaos.playing import killed_at, run_to_the_end
from tests.chaos.registry import Trial
from tests.chaos.rig import SHORT_LIMITS, Rig, World

ORDERS: Final = 7
CUSTOMER: Final = "buyer-1@shop.example"  # of every fifth order, the first one among them


async def keys_rotated_half(rig: Rig, seed: int) -> Trial:
    """C20: one of two connections' secrets is under the new key; the next run does the rest, and the old key can go."""
    async with rig.world("keys_rotated_half", seed=seed) as world:
        installation = world.installation
        await _connect_another(world)
        new = f"k2:{generate_key()}"
        installation.key = f"{new},{installation.key}"
        async with crew(world):
            await world.tell(world.shop.orders(ORDERS))
            await killed_at(world, "keys_rotated_half", "keys", "rotate", "--batch", "1", "--as", "tester")
            await installation.command("keys", "rotate", "--as", "tester")
            await world.quiet()
        installation.key = new
        await installation.command("keys", "check")
        return await run_to_the_end("keys_rotated_half", seed, world)


async def _connect_another(world: World) -> None:
    founded = await world.ledger.create_organization(name="Another", currency_code="EUR")
    another = {"data_center": "sandbox", "organization_id": founded.organization_id, "limits": dict(SHORT_LIMITS)}
    world.installation.more_connections["another"] = another
    await world.installation.apply()
    await world.installation.connect("another")


async def erased_half(rig: Rig, seed: int) -> Trial:
    """C21: contacts and calls of a customer are erased, the orders not yet; the second run leaves nothing of them."""
    async with rig.world("erased_half", seed=seed) as world:
        words = ("erase", "--customer", CUSTOMER, "--yes", "--as", "tester")
        async with crew(world):
            await world.tell(world.shop.orders(ORDERS))
            await world.quiet()
            await killed_at(world, "erased_half", *words)
            await world.installation.command(*words)
        assert await _events_that_mention(world) == 0, f"events still mention {CUSTOMER} after the erasure"
        return await run_to_the_end("erased_half", seed, world)


async def _events_that_mention(world: World) -> int:
    async with world.sql() as connection:
        found = await connection.fetchval(
            "SELECT count(*) FROM events WHERE position($1 in encode(value, 'escape')) > 0", CUSTOMER
        )
    return int(found)


async def exported_half(rig: Rig, seed: int) -> Trial:
    """C21: the file is cut short; the second run writes all of the customer's orders, and nothing was changed."""
    async with rig.world("exported_half", seed=seed) as world:
        file = world.installation.folder / "export.json"
        words = ("export", "--customer", CUSTOMER, "--output", str(file), "--as", "tester")
        async with crew(world):
            await world.tell(world.shop.orders(ORDERS))
            await world.quiet()
            await killed_at(world, "exported_half", *words)
            assert not file.exists(), "a file that is not whole is there as if it were"
            await world.installation.command(*words)
        told = json.loads(file.read_text(encoding="utf-8"))
        theirs = {saying.order_id for saying, _ in world.log.sent if CUSTOMER in saying.value.decode()}
        shown = {one["order_id"] for one in told["orders"]}
        assert shown == theirs, f"the export shows {sorted(shown)}; the customer's are {sorted(theirs)}"
        return await run_to_the_end("exported_half", seed, world)
