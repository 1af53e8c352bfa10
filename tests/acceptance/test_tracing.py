"""One trace from the shop's event to our answer, through three processes that know of each other only by the data."""

import json
from typing import Any

import pytest

from tests.acceptance.installation import CLIENT_SECRET, Installation, event, order
from tests.kafka_tools import publish, read_all
from tests.observability.collector import Collector, collecting

pytestmark = pytest.mark.acceptance
TRACE, SHOPS_SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
TRACEPARENT = f"00-{TRACE}-{SHOPS_SPAN}-01"
NAME, MAIL = "Canary Person", "canary.person@example.org"


def traced_order() -> dict[str, Any]:
    """Give an order of a person whose name would be known again anywhere."""
    made = order("T-1")
    return {**made, "customer": {**made.get("customer", {}), "id": "c-canary", "name": NAME, "email": MAIL}}


async def send(installation: Installation, traceparent: str | None, header: str | None) -> None:
    """Publish its event, with a trace as an attribute of the event or as a header of the record."""
    value = event("paid", traced_order())
    if traceparent is not None:
        value["traceparent"] = traceparent
    headers = [("traceparent", header.encode())] if header else []
    topic = installation.topics["order.paid"]
    await publish(installation.kafka_servers, topic, b"T-1", json.dumps(value).encode(), headers)


async def answer(installation: Installation) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Wait for the answer; gives its envelope and its headers."""
    (record,) = await read_all(installation.kafka_servers, installation.topics["invoice.synced"], 1, 60)
    return json.loads(record.value or b""), dict(record.headers)


@pytest.mark.parametrize("by", ["attribute", "header"])
async def test_a_trace_goes_through_all_processes_to_the_answer(installation: Installation, by: str) -> None:
    """Intake, booking, calls to the ledger and sending hang on each other; nothing of the person is in any of them."""
    await installation.apply()
    await installation.connect()
    with collecting() as collector:
        variables = {"BOOKED_TRACING_URL": collector.url}
        async with (
            installation.process("intake", name="intake", **variables),
            installation.process("sync", name="sync", **variables),
            installation.process("relay", name="relay", **variables),
        ):
            await send(
                installation, TRACEPARENT if by == "attribute" else None, TRACEPARENT if by == "header" else None
            )
            told, headers = await answer(installation)
        # Each process has sent what it had when it ended.
    assert told["data"]["state"] == "booked"
    spans = collector.of(TRACE)
    taken, booking, create = spans["intake"], spans["booking"], spans["ledger create_invoice"]
    sending = spans["send invoice.synced"]
    assert [taken.parent, booking.parent, create.parent] == [SHOPS_SPAN, taken.span, booking.span]
    assert told["traceparent"] == f"00-{TRACE}-{booking.span}-01"
    assert headers["traceparent"].decode() == told["traceparent"]
    assert sending.parent == booking.span
    assert (booking.notes["booked.result"], booking.notes["booked.order"]) == ("booked", "T-1")
    assert sending.notes["booked.result"] == "sent"
    everything = b"".join(collector.bodies)
    for secret in (NAME, MAIL, "canary", CLIENT_SECRET, installation.key):
        assert secret.encode() not in everything


async def test_without_tracing_the_shops_own_trace_goes_on(installation: Installation) -> None:
    """Whoever follows it on the other side finds the answer under it, unchanged."""
    await installation.apply()
    await installation.connect()
    async with installation.process():
        await send(installation, TRACEPARENT, None)
        told, headers = await answer(installation)
    assert told["traceparent"] == TRACEPARENT
    assert headers["traceparent"].decode() == TRACEPARENT


async def test_a_collector_that_is_away_harms_no_order(installation: Installation, free_port: int) -> None:
    """The order is booked, and the process ends in time."""
    await installation.apply()
    await installation.connect()
    async with installation.process(BOOKED_TRACING_URL=f"http://127.0.0.1:{free_port}/v1/traces"):
        await send(installation, None, None)
        told, _ = await answer(installation)
    assert told["data"]["state"] == "booked"
    assert Collector().spans == []
