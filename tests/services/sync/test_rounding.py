"""How the organisation rounds VAT: learnt, found out by a probe, and never at the price of a wrong document."""

import hashlib
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from decimal import Decimal

import pytest

from consumer.adapters.memory.ledger import Fault
from consumer.domain.events import EventKind, OrderEvent, Origin
from consumer.domain.ledger import TaxRounding
from consumer.domain.states import OrderState, ReasonCode
from consumer.ports.intake import Taken, TopicPartition
from consumer.ports.wakeups import WakeKind
from tests.services.sync.virtual_time import CrashedError, let_pass, run
from tests.services.sync.world import SHOP, START, World, key

PER_RATE, PER_LINE = TaxRounding.PER_RATE, TaxRounding.PER_LINE

# Three lines of 0.33 at 22 %: once per rate 0.99 x 22 % = 0.2178, so 0.22; on each line 0.0726, so three times 0.07.
TAX = {PER_RATE: "0.22", PER_LINE: "0.21"}
TOTAL = {PER_RATE: "1.21", PER_LINE: "1.20"}


async def pay(world: World, way: TaxRounding, *order_ids: str) -> None:
    """Take orders in whose shop rounds this way, and that no layout fits in the other."""
    for order_id in order_ids:
        world.offset += 1
        line = {"name": "Mug", "quantity": "1", "unit_price": "0.33", "taxes": [{"rate": "22"}]}
        totals = {"grand_total": TOTAL[way], "tax": TAX[way], "tax_by_rate": [{"rate": "22", "tax": TAX[way]}]}
        data = {
            "shop_id": SHOP,
            "order_id": order_id,
            "number": order_id,
            "version": 1,
            "currency": "EUR",
            "prices_include_tax": False,
            "customer": {"name": "Anna Bianchi", "email": "anna@example.org"},
            "lines": [{**line, "id": str(n)} for n in range(3)],
            "totals": totals,
        }
        text = json.dumps(data, sort_keys=True).encode()
        event = OrderEvent(
            key=key(order_id),
            kind=EventKind.PAID,
            origin=Origin(topic="order.paid", log=1, partition=0, offset=world.offset),
            event_id=f"event-{world.offset}",
            time=START,
            version=1,
            updated_at=START,
            content=text,
            content_hash=hashlib.sha256(text).digest(),
            number=order_id,
            currency="EUR",
            grand_total=Decimal(TOTAL[way]),
            placed_at=START,
            paid_at=START,
            cancelled_at=None,
        )
        place = TopicPartition("order.paid", 0)
        taken = Taken(place=place, offset=world.offset, checksum=b"%d" % world.offset, outcome=event, value=text)
        recorded = await world.intake.record([taken])
        if recorded.woken:
            world.signals.wake(WakeKind.LANES, recorded.woken)


async def release(world: World, *, limit: int = 1000) -> None:
    """Release the parked orders of the group, as a person does."""
    await world.people.release(actor="jane", shop_id=SHOP, reason=ReasonCode.NO_EXACT_LAYOUT, limit=limit)
    world.signals.wake(WakeKind.LANES, ["books"])


def at_work(world: World, scene: Callable[[], Awaitable[None]]) -> None:
    """Play a scene while a process serves the connection."""

    async def work() -> None:
        await world.set_up()
        async with world.process():
            await scene()

    run(work())


def states(world: World, *order_ids: str) -> set[OrderState | None]:
    """Give where the orders stand."""
    return {world.state(order_id) for order_id in order_ids}


def wrong_documents(world: World) -> list[str]:
    """Name the orders whose document in the ledger is not their shop's to the cent."""
    totals = {str(k.order_id): row.head.grand_total for k, row in world.database.orders.items()}
    return [one.reference for one in world.book.invoices.values() if one.total != totals[one.reference]]


@pytest.mark.parametrize("way", [PER_RATE, PER_LINE])
def test_a_shop_whose_every_order_needs_one_rounding_is_booked_from_the_first_order_on(way: TaxRounding) -> None:
    """Nothing would ever be learnt if nothing was sent: one order is sent as a probe, whatever the setting."""
    world = World()
    world.book.rounding = way
    orders = [str(n) for n in range(8)]

    async def scene() -> None:
        await pay(world, way, *orders)
        await world.rest()

    at_work(world, scene)
    assert states(world, *orders) == {OrderState.BOOKED}
    assert wrong_documents(world) == []
    assert len(world.book.invoices) == len(orders)
    connection = world.database.connections["books"]
    assert connection.facts is not None
    assert connection.facts.rounding is way
    # A probe in the wrong layout never happens where the first way tried is the organisation's.
    assert world.writes().count("delete_invoice") == 0


@pytest.mark.parametrize(("shop", "books"), [(PER_RATE, PER_LINE), (PER_LINE, PER_RATE)])
def test_a_probe_that_does_not_fit_is_taken_back_and_is_the_only_one(shop: TaxRounding, books: TaxRounding) -> None:
    """The ledger's answer tells how it rounds: all the others are parked in the group that names the setting."""
    world = World()
    world.book.rounding = books
    orders = [str(n) for n in range(8)]

    async def scene() -> None:
        await pay(world, shop, *orders)
        await world.rest()

    at_work(world, scene)
    assert states(world, *orders) == {OrderState.PARKED}
    groups = {row.reason.group for row in world.database.orders.values() if row.reason is not None}
    assert groups == {f"rounding_differs:{shop.value}"}
    assert world.book.invoices == {}
    assert [name for name in world.writes() if name.endswith("invoice")] == ["create_invoice", "delete_invoice"]
    told = " ".join(word for _, _, _, note in world.database.decisions for word in note.words)
    assert "to find out how the organisation rounds VAT" in told


def test_an_invoice_that_is_there_already_tells_without_a_probe() -> None:
    """Two reads instead of a draft: here the setting does not fit, and nothing at all is written."""
    world = World()
    world.book.rounding = PER_LINE

    async def scene() -> None:
        await pay(world, PER_LINE, "by hand")
        await world.rest()
        # As if Booked had never been here: what stands in the books is somebody's own.
        facts = world.database.connections["books"].facts
        assert facts is not None
        world.database.connections["books"].facts = replace(facts, rounding=TaxRounding.UNKNOWN)
        world.book.commits.clear()
        await let_pass(3600.0)  # the lane is given back, and with it what it remembers
        await pay(world, PER_RATE, "1001")
        await world.rest()

    at_work(world, scene)
    assert (world.state("1001"), world.reason("1001")) == (OrderState.PARKED, "no_exact_layout")
    assert world.writes() == []
    assert world.called("list_invoices", "read_invoice")[-2:] == ["list_invoices", "read_invoice"]


@pytest.mark.parametrize("taken_back_before", [1, 2])
def test_a_group_goes_on_after_the_setting_was_changed_and_a_person_released_it(taken_back_before: int) -> None:
    """Released too early, it is parked again, with one draft made and taken back; afterwards all of it is booked."""
    world = World()
    world.book.rounding = PER_RATE
    orders = [str(n) for n in range(15)]

    async def scene() -> None:
        await pay(world, PER_LINE, *orders)
        await world.rest()
        for _ in range(taken_back_before - 1):
            await let_pass(120.0)
            await release(world)
            await world.rest()
        assert world.writes().count("create_invoice") == taken_back_before
        assert world.book.invoices == {}
        world.book.rounding = PER_LINE
        await let_pass(120.0)
        await release(world)
        await world.rest()

    at_work(world, scene)
    assert states(world, *orders) == {OrderState.BOOKED}
    assert wrong_documents(world) == []
    assert len(world.book.invoices) == len(orders)
    assert world.writes().count("delete_invoice") == taken_back_before


def test_releasing_one_order_of_the_group_is_enough() -> None:
    """Its answer shows the new rounding, and the parked ones go on by themselves."""
    world = World()
    orders = [str(n) for n in range(5)]

    async def scene() -> None:
        await pay(world, PER_LINE, *orders)
        await world.rest()
        world.book.rounding = PER_LINE
        await let_pass(120.0)
        await release(world, limit=1)
        await world.rest()

    at_work(world, scene)
    assert states(world, *orders) == {OrderState.BOOKED}
    assert wrong_documents(world) == []


def test_any_answer_that_shows_the_new_rounding_lets_the_group_go_on() -> None:
    """Nobody releases anything: an order that fits both ways is booked, and its answer tells."""
    world = World()

    async def scene() -> None:
        await pay(world, PER_LINE, "1", "2")
        await world.rest()
        world.book.rounding = PER_LINE
        await world.pay("fits both")
        await world.rest()

    at_work(world, scene)
    assert states(world, "1", "2", "fits both") == {OrderState.BOOKED}
    assert wrong_documents(world) == []


def test_a_new_order_of_the_group_looks_into_the_books_but_sends_nothing() -> None:
    """While the setting is wrong no draft is made for each order that comes in: only a person's release asks again."""
    world = World()

    async def scene() -> None:
        await pay(world, PER_LINE, "1")
        await world.rest()
        for order_id in ("2", "3", "4"):
            await let_pass(1000.0)
            await pay(world, PER_LINE, order_id)
            await world.rest()

    at_work(world, scene)
    assert states(world, "1", "2", "3", "4") == {OrderState.PARKED}
    assert world.writes().count("create_invoice") == 1


@pytest.mark.parametrize("fault", [Fault.CUT_BEFORE_COMMIT, Fault.CUT_AFTER_COMMIT])
@pytest.mark.parametrize("operation", ["create_invoice", "delete_invoice"])
def test_a_probe_whose_answer_is_lost_leaves_no_wrong_document(fault: Fault, operation: str) -> None:
    """The doubt is resolved first; then the probe is judged by what stands in the books."""
    world = World()
    world.book.rounding = PER_RATE
    world.plan(operation, fault)

    async def scene() -> None:
        await pay(world, PER_LINE, "1001", "1002")
        await world.rest()

    at_work(world, scene)
    assert states(world, "1001", "1002") == {OrderState.PARKED}
    assert world.book.invoices == {}


def test_a_crash_at_any_step_of_a_probe_leaves_no_wrong_document() -> None:
    """The process dies at step 1, 3, 5 … of a probe that does not fit; the next one finds the draft, takes it back."""

    async def begin(world: World) -> None:
        await world.set_up()
        await pay(world, PER_LINE, "1001")
        await go_on(world, "one")

    async def go_on(world: World, name: str) -> None:
        async with world.process(name):
            await world.rest(within_seconds=7200.0)

    for step in range(1, 1000, 2):
        world = World()
        try:
            run(begin(world), crash_at=step)
        except CrashedError:
            if not world.database.orders:
                continue  # it died before the event was taken, which Kafka still has
            world.now_seconds = 20.0  # the lease of the dead process runs out by itself
            run(go_on(world, "another"))
        else:
            break
        assert (world.state("1001"), world.book.invoices, world.open_intents()) == (OrderState.PARKED, {}, []), step
    assert step > 60, "a probe has more steps than that"
