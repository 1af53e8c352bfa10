"""F20 to F22: messages that are poison, orders of a contract of tomorrow, and a stream shuffled and repeated."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Any, Final

from tests.acceptance.installation import metric
from tests.acceptance.waiting import until
from tests.chaos.faults.stage import Goals, acquaint, judged, pair
from tests.chaos.registry import Trial, fault
from tests.chaos.rig import Rig, World
from tests.chaos.story import Saying

DEEP: Final = 50_000
LARGE_BYTES: Final = 5 * 1024 * 1024
ALARM_SECONDS: Final = 60.0
COPIES: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Raw(Saying):
    """Bytes as they are, in place of an event."""

    payload: bytes

    @property
    def value(self) -> bytes:
        """Give the bytes."""
        return self.payload


def poison(world: World) -> list[Raw]:
    """Give one of each kind of message that is no order."""
    good = world.shop.order()[0]
    event = json.loads(good.value)
    data = event["data"]
    bodies: dict[str, bytes] = {
        "cut": good.value[:-20],
        "no-json": b"\x00\x01\x02 not json",
        "not-utf8": good.value.replace(b"Mug", b"\xff\xfe\xfd"),
        "deep": b"[" * DEEP + b"]" * DEEP,
        "large": json.dumps({**event, "data": {**data, "note": "x" * LARGE_BYTES}}).encode(),
        "nan": good.value.replace(b'"version": 1', b'"version": NaN'),
        "wrong-type": _with(event, lines="none"),
        "huge-decimal": _with(event, totals={"grand_total": "1E+400"}),
        "infinite": _with(event, totals={"grand_total": "Infinity"}),
        "control": _with(event, order_id="C\u0000D"),
        "a-list": b"[1, 2, 3]",
        "empty": b"",
        "text": b'"an order"',
    }
    return [Raw(order_id=name, kind="paid", version=0, payload=body) for name, body in bodies.items()]


def doubled(world: World) -> Raw:
    """Give an order whose version stands in it twice: it is taken, and the last one counts."""
    good = world.shop.order()[0]
    body = good.value.replace(b'"version": 1', b'"version": 1, "version": 2')
    return Raw(order_id=good.order_id, kind="paid", version=2, order=good.order, total=good.total, payload=body)


def _with(event: Mapping[str, Any], **changes: Any) -> bytes:
    return json.dumps({**event, "data": {**event["data"], **changes}}).encode()


@fault("F20", "poison between good orders: bad JSON, bad UTF-8, depth, size, NaN, doubled keys, control characters")
async def poisoned(rig: Rig, seed: int) -> Trial:
    """Every message is recorded or rejected, once; the good ones beside it are booked, and nobody waits for it."""
    goals = Goals()
    async with rig.world("F20", seed=seed) as world, pair(world) as processes:
        await acquaint(world)
        bad = poison(world)
        mixed: list[Saying] = [*bad, doubled(world), *(one for order in world.shop.orders(10) for one in order)]
        world.lot.shuffle(mixed)
        await world.publish(mixed)
        began = monotonic()
        await until(_all_taken_of(world), bool, what="all messages are taken")
        goals.at_most("all_taken_after_seconds", monotonic() - began, 10)
        await world.quiet()
        async with world.sql() as connection:
            rejected = int(await connection.fetchval("SELECT count(*) FROM rejected_events"))
        goals.at_least("rejected", rejected, len(bad))
        goals.holds("a process ended", all(process.running for process in processes))
        return await judged(world, goals)


def _all_taken_of(world: World) -> Any:
    async def ask() -> bool:
        async with world.sql() as connection:
            taken = await connection.fetchval(
                "SELECT (SELECT count(*) FROM events) + (SELECT count(*) FROM rejected_events)"
            )
        return int(taken) >= len(world.log.sent)

    return ask


@fault("F21", "schema drift: a field added, renamed, of another type, a version of tomorrow")
async def drifted(rig: Rig, seed: int) -> Trial:
    """What is only more is taken and counted; what breaks the contract is rejected, all of it, and told in a minute."""
    goals = Goals()
    async with rig.world("F21", seed=seed) as world, world.process("one") as one:
        await acquaint(world)
        more = [_more(saying) for order in world.shop.orders(3, ("plain",)) for saying in order]
        await world.publish(more)
        broken = [_broken(world, change) for change in ({"lines": 7}, {"currency": None}, {"totals": "12.20"})]
        await world.publish(broken)
        began = monotonic()
        await until(lambda: metric(one, "booked_unknown_fields_total"), lambda n: n >= 3, what="they are counted")
        await until(
            lambda: metric(one, "booked_rejected_open"), lambda n: n == len(broken), what="the breaking ones show"
        )
        goals.at_most("shown_after_seconds", monotonic() - began, ALARM_SECONDS)
        await world.quiet()
        states = await _states(world, [saying.order_id for saying in more])
        goals.holds(f"orders with a field more are {states}", set(states) == {"booked"})
        return await judged(world, goals)


def _more(saying: Saying) -> Saying:
    order = {**(saying.order or {}), "loyalty_points": 7}
    return Saying(order_id=saying.order_id, kind=saying.kind, version=saying.version, order=order, total=saying.total)


def _broken(world: World, change: Mapping[str, Any]) -> Raw:
    saying = world.shop.order()[0]
    event = json.loads(saying.value)
    return Raw(order_id=saying.order_id, kind="paid", version=0, payload=_with(event, **change))


async def _states(world: World, order_ids: Sequence[str]) -> list[str]:
    async with world.sql() as connection:
        rows = await connection.fetch("SELECT state FROM orders WHERE order_id = ANY($1)", list(order_ids))
    return [row["state"] for row in rows]


@fault("F22", "each event up to ten times, in any order, changes before payments")
async def shuffled(rig: Rig, seed: int) -> Trial:
    """The books end as those of the sorted stream without repetitions."""
    async with rig.world("F22", seed=seed) as world, pair(world):
        sayings = [saying for order in world.shop.orders(12) for saying in order]
        many = [saying for saying in sayings for _ in range(world.lot.randint(1, COPIES))]
        world.lot.shuffle(many)
        await world.publish(many)
        await world.quiet()
        goals = Goals()
        goals.note("events", len(many))
        return await judged(world, goals)
