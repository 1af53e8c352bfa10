"""Shops kept apart by topics of their own, on a real Kafka: another shop's event on them is rejected."""

import json
from typing import Any

import asyncpg

from tests.acceptance.installation import Installation, event, order
from tests.kafka_tools import publish, read_all
from tests.server_fixtures import MakeTopic

SOUTH = "https://south.example"


def _of(shop: str, order_id: str, kind: str = "paid", **more: Any) -> bytes:
    return json.dumps(event(kind, {**order(order_id), "shop_id": shop, **more})).encode()


async def test_an_event_of_another_shop_on_a_shops_topic_is_rejected(
    installation: Installation, topics: MakeTopic
) -> None:
    """A shop publishes all kinds to its own topic. Whoever may write there cannot speak for any other shop.

    Not by the payload, nor the key, a header, or a CloudEvents source; each try is rejected with `shop_contradicted`,
    and the other shop knows of no such order.
    """
    north, south = await topics(1, prefix="north"), await topics(1, prefix="south")
    installation.shops = {
        "north": {"automatic": True, "topics": [north], "reference": "{shop_id}/{order_id}"},
        "south": {"automatic": True, "topics": [south], "reference": "{shop_id}/{order_id}", "event_sources": [SOUTH]},
    }
    await installation.apply()
    await installation.connect()
    servers = installation.kafka_servers
    cancelled = json.dumps(event("cancelled", {"shop_id": "south", "order_id": "S-1", "version": 9})).encode()
    as_south = json.dumps({**event("paid", {**order("N-9"), "shop_id": "north"}), "source": SOUTH})
    unknown = _of("nobody", "X-1")
    async with installation.process():
        await publish(servers, south, b"south/S-1", _of("south", "S-1"))
        await publish(servers, north, b"north/N-1", _of("north", "N-1"))
        await installation.until_stands("S-1", "booked", shop_id="south")
        forged = [
            (b"south/S-2", _of("south", "S-2"), ()),
            (b"south/S-1", cancelled, ()),
            (b"south/S-1", _of("south", "S-1", "updated", version=9, totals={"grand_total": "0.01"}), ()),
            (b"north/S-3", _of("south", "S-3"), (("booked-shop", b"south"),)),
            (b"north/N-9", as_south.encode(), ()),
            (b"north/N-8", _of("north", "N-8"), (("booked-shop", b"south"),)),
            (b"nobody/X-1", unknown, ()),
        ]
        for key, value, headers in forged:
            await publish(servers, north, key, value, headers=headers)
        # The shop's own later event, behind all of these, is taken: nothing has stopped the partition.
        await publish(servers, north, b"north/N-2", _of("north", "N-2"))
        await installation.until_stands("N-2", "booked", shop_id="north")
        records = await read_all(servers, installation.topics["order.rejected"], len(forged))
    told = [json.loads(record.value or b"")["data"] for record in records]
    assert [(one["reason"], one["position"]["topic"]) for one in told] == [("shop_contradicted", north)] * len(forged)
    connection = await asyncpg.connect(installation.database_url)
    rows = await connection.fetch("SELECT shop_id, order_id, state FROM orders ORDER BY 1, 2")
    await connection.close()
    assert [tuple(row) for row in rows] == [
        ("north", "N-1", "booked"),
        ("north", "N-2", "booked"),
        ("south", "S-1", "booked"),
    ]
    (invoice,) = [one for one in (await installation.books())["invoices"] if "S-1" in one["reference_number"]]
    assert str(invoice["total"]) in {"12.2", "12.20"}
