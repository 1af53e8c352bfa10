"""An order that comes with a person's call: taken in by the intake's own door, or refused with what is wrong."""

import json

import pytest

from consumer.domain.asking import Reception
from consumer.domain.states import Ask, OrderState
from consumer.services.actions import ActionResult
from tests.services.actions.acting import AUTOMATIC, BY_HAND, doing
from tests.services.sync.virtual_time import run
from tests.services.sync.world import World, content, key


def test_an_unknown_order_is_taken_from_the_body_of_the_call() -> None:
    """As bare JSON of our contract; it is booked although nobody has said that it is paid."""
    world = World()

    async def work() -> ActionResult:
        await world.set_up(BY_HAND)
        body = content("1001", "12.20", "anna@example.org", "Anna Bianchi")
        return await doing(world, Ask.GENERATE, body=body)

    result = run(work())
    assert (result.done, result.state) == (True, OrderState.BOOKED)
    assert len(world.live()) == 1


def test_an_unknown_order_without_a_body_is_not_known() -> None:
    """The words say what to send."""
    world = World()

    async def work() -> ActionResult:
        await world.set_up(AUTOMATIC)
        return await doing(world, Ask.GENERATE)

    result = run(work())
    assert (result.reception, result.state) == (Reception.UNKNOWN, None)
    assert "send the order itself" in result.answer


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"{", "malformed_json"),
        (b'{"shop_id": "shop", "order_id": "1001"}', "missing_field"),
        (content("1002", "1.00", None, "Anna"), "the call names shop/1001, and the body is order shop/1002"),
        (content("1001", "1.00", None, "Anna", shop="other"), "shop_contradicted"),
        (json.dumps({**json.loads(content("1001", "1.00", None, "Anna")), "lines": 7}).encode(), "$.lines"),
    ],
)
def test_what_is_wrong_with_a_body_is_said_and_nothing_is_taken_in(body: bytes, words: str) -> None:
    """Neither an order nor a rejected event comes of it."""
    world = World()

    async def work() -> ActionResult:
        await world.set_up(AUTOMATIC)
        return await doing(world, Ask.GENERATE, body=body)

    result = run(work())
    assert result.reception is Reception.REFUSED
    assert result.answer.startswith("The order cannot be taken")
    assert words in result.answer
    assert (world.database.orders, world.database.rejected) == ({}, [])
    assert {audit["action"] for audit in world.database.audit} == {"apply"}


def test_a_body_without_its_shops_revision_is_refused_with_the_fix() -> None:
    """The shop's revisions go by the version; an order without one could never be told from a newer one."""
    world = World()

    async def work() -> ActionResult:
        await world.set_up(AUTOMATIC)
        await world.pay("7")  # fixes the shop's key
        bare = json.loads(content("1001", "1.00", None, "Anna"))
        del bare["version"]
        bare["updated_at"] = "2026-03-14T11:00:00Z"
        return await doing(world, Ask.GENERATE, body=json.dumps(bare).encode())

    result = run(work())
    assert result.reception is Reception.REFUSED
    assert key() not in world.database.orders


def test_the_same_body_twice_changes_nothing_the_second_time() -> None:
    """A caller that repeats its call after a lost answer makes neither a second event nor a second document."""
    world = World()
    body = content("1001", "12.20", "anna@example.org", "Anna Bianchi")

    async def work() -> None:
        await world.set_up(BY_HAND)
        await doing(world, Ask.GENERATE, body=body)
        await doing(world, Ask.GENERATE, body=body)

    run(work())
    assert len([event for event in world.database.events if event["key"] == key()]) == 1
    assert len(world.live()) == 1
