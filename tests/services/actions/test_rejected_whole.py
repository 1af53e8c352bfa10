"""What the store itself rejects is kept with key and headers: without them it could not be read again after a fix."""

import json

from consumer.adapters.memory.rejected import MemoryRejectedStore
from consumer.ports.rejected import RejectedFilter
from tests.services.intake.world import key, make_world, order

HEADERS = (("ce_specversion", b"1.0"), ("ce_type", b"shop.order.paid.v1"), ("content-type", b"application/json"))


async def test_an_event_in_binary_mode_that_cannot_be_placed_is_kept_with_its_attributes() -> None:
    """The order's revisions go by its version; a later event without one cannot be placed among them."""
    world = make_world()
    world.publish("1")
    dated = json.loads(order("1"))
    del dated["version"]
    dated["updated_at"] = "2026-03-02T12:00:00Z"
    value = json.dumps(dated).encode()
    world.broker.publish(world.topic, key=key("1"), value=value, headers=HEADERS, partition=0)
    async with world.intake():
        await world.report.until(lambda: bool(world.database.rejected))
    store = MemoryRejectedStore(world.database)
    (listed,) = await store.find(RejectedFilter(), 10)
    row = await store.read(listed.row_id)
    assert row is not None
    assert (row.rejected.reason, row.rejected.value) == ("revision_missing", value)
    assert (row.rejected.record_key, row.rejected.headers) == (key("1"), HEADERS)
