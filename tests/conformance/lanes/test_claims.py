"""Which orders a lane takes in hand, in what order, and when it goes to sleep."""

from dataclasses import replace
from decimal import Decimal

import pytest

from consumer.domain.exchanges import QuotaReading
from consumer.domain.ledger import Invoice, InvoiceStatus, LedgerFacts, LedgerTax, Organization, TaxRounding
from consumer.domain.records import Conclusion
from consumer.domain.states import OrderState, Priority, Reason, ReasonCode
from consumer.errors import StopCause
from consumer.ports.lanes import Slot
from tests.conformance.intake.making import connection, key, shop
from tests.conformance.lanes.bench import Bench
from tests.conformance.lanes.scenes import (
    BOOKS,
    begin,
    booked,
    books,
    claim,
    concluded,
    exchange,
    lease,
    open_books,
    pay,
    request,
)


async def _conclude(bench: Bench, order: str, conclusion: Conclusion) -> None:
    assert await bench.bookings.record(concluded(key(order), conclusion))


async def test_people_come_first_then_live_then_backfill(bench: Bench) -> None:
    """Priority decides, then the time since which an order is due."""
    await open_books(bench, "backfill", "live")
    await pay(bench, "later", "clicked", first_offset=2)
    await bench.set_priority(key("backfill"), 2)
    await bench.set_priority(key("clicked"), 0)
    claimed = await bench.lanes.claim(await lease(bench), 3, [])
    assert claimed.orders[0].key == key("clicked")
    assert {order.key.order_id for order in claimed.orders[1:]} == {"live", "later"}
    assert claimed.more
    assert [order.priority for order in claimed.orders] == [Priority.PERSON, Priority.LIVE, Priority.LIVE]


async def test_a_claim_of_some_priorities_passes_over_a_backfill_and_puts_no_lane_to_sleep(bench: Bench) -> None:
    """With full hands a lane asks for the urgent ones only: the backfill stays due, and the lane with it."""
    await open_books(bench, "backfill")
    await bench.set_priority(key("backfill"), 2)
    leased = await lease(bench)
    urgent = (Priority.PERSON, Priority.LIVE)
    nothing = await bench.lanes.claim(leased, 1, [], only=urgent)
    assert (nothing.orders, nothing.next_due_seconds) == ((), None)
    await pay(bench, "live", first_offset=5)
    claimed = await bench.lanes.claim(leased, 1, [], only=urgent)
    assert [order.key for order in claimed.orders] == [key("live")]
    assert [order.key.order_id for order in await claim(bench, leased, 4, key("live"))] == ["backfill"]


async def test_a_claim_gives_the_whole_order_and_counts_the_take(bench: Bench) -> None:
    """Content, facts, totals, documents and the open intent come with the claim; the take is counted."""
    await open_books(bench, "1001")
    leased = await lease(bench)
    (order,) = await claim(bench, leased)
    assert (order.takes, order.attempts, order.change, order.state) == (1, 0, 1, OrderState.DUE)
    assert (order.content, order.number, order.currency) == (b"paid 1", "#1001", "EUR")
    assert (order.grand_total, order.version) == (Decimal("12.30"), 1)
    assert order.facts.paid
    assert (order.documents, order.open_intent) == ((), None)
    intent_id, _ = await begin(bench, leased, order.key)
    again = await bench.bookings.read(order.key)
    assert again is not None
    assert again.open_intent is not None
    assert again.open_intent.intent_id == intent_id
    assert again.takes == 0


async def test_what_is_in_hand_is_not_claimed_again(bench: Bench) -> None:
    """Orders in hand are left out, the next ones are given, and at the end there is nothing to take."""
    await open_books(bench, "1", "2", "3")
    leased = await lease(bench)
    first = await claim(bench, leased, 2)
    (third,) = await claim(bench, leased, 2, *(order.key for order in first))
    assert {order.key.order_id for order in (*first, third)} == {"1", "2", "3"}
    claimed = await bench.lanes.claim(leased, 2, [order.key for order in (*first, third)])
    assert (claimed.orders, claimed.more, claimed.next_due_seconds) == ((), False, None)


async def test_a_suspect_is_taken_alone(bench: Bench) -> None:
    """An order that was in hand when a process ended comes alone, also where it is not the first."""
    await open_books(bench, "1", "2")
    leased = await lease(bench)
    suspect = (await claim(bench, leased, 1))[0].key
    await pay(bench, "3", first_offset=2)
    (alone,) = await claim(bench, leased, 3)
    assert (alone.key, alone.takes) == (suspect, 2)
    await bench.set_priority(suspect, 2)
    others = await claim(bench, leased, 3)
    assert suspect not in [order.key for order in others]
    assert [order.takes for order in others] == [1, 1]


async def test_released_orders_were_never_taken(bench: Bench) -> None:
    """An orderly stop does not make a suspect."""
    await open_books(bench, "1")
    leased = await lease(bench)
    await claim(bench, leased)
    await bench.lanes.release([key("1")])
    assert [order.takes for order in await claim(bench, leased)] == [1]


async def test_the_lane_sleeps_until_the_next_order_is_due(bench: Bench) -> None:
    """Nothing due: the claim says when something will be, and the lane's row the same."""
    await open_books(bench, "1")
    leased = await lease(bench)
    await claim(bench, leased)
    await _conclude(bench, "1", Conclusion(state=OrderState.DUE, due_in_seconds=40.0, failed=True))
    claimed = await bench.lanes.claim(leased, 1, [])
    assert claimed.orders == ()
    assert claimed.next_due_seconds == pytest.approx(40.0, abs=1.0)
    assert await bench.next_due_in_seconds(BOOKS) == pytest.approx(40.0, abs=1.0)
    await bench.lanes.give_back(leased)
    assert await bench.lanes.next_due_seconds() == pytest.approx(40.0, abs=1.0)
    assert await bench.lanes.lease_due("one", 15.0, 1) == []
    await bench.elapse(40.1)
    assert [order.attempts for order in await claim(bench, await lease(bench))] == [1]


async def test_the_days_budget_keeps_some_orders_waiting(bench: Bench) -> None:
    """At thirty in a hundred left the backfill waits, at five in a hundred live orders too; people never."""
    await open_books(bench, "backfill", "live", "clicked")
    await bench.set_priority(key("backfill"), 2)
    await bench.set_priority(key("clicked"), 0)
    leased = await lease(bench)
    for left, asked, taken in (
        (301, "backfill", True),
        (300, "backfill", False),
        (51, "live", True),
        (50, "live", False),
    ):
        await _spend(bench, left)
        others = [key(name) for name in ("backfill", "live", "clicked") if name != asked]
        claimed = await bench.lanes.claim(leased, 5, others)
        assert [order.key for order in claimed.orders] == ([key(asked)] if taken else []), left
        await bench.lanes.release([order.key for order in claimed.orders])
        if not taken:
            assert claimed.quota_wait_seconds == pytest.approx(3600.0, abs=2.0)
            assert claimed.next_due_seconds == pytest.approx(3600.0, abs=2.0)
    assert [order.key.order_id for order in await claim(bench, leased)] == ["clicked"]


async def _spend(bench: Bench, left: int) -> None:
    """Let an answer say that so many of the day's thousand calls are left."""
    slot = await bench.calls.take_slot(request(Priority.PERSON))
    assert isinstance(slot, Slot)
    reading = QuotaReading(limit=1000, left=left, resets_in_seconds=3600.0)
    await bench.calls.end_call(slot, sent=True, exchange=exchange("read", 200, method="GET", quota=reading))


async def test_a_lane_that_waits_for_the_day_is_due_when_it_ends(bench: Bench) -> None:
    """The lane sleeps until the reset, not until the order's own time, and does not spin."""
    await open_books(bench, "1")
    leased = await lease(bench)
    await _spend(bench, 10)
    await bench.lanes.give_back(leased)
    assert await bench.next_due_in_seconds(BOOKS) == pytest.approx(3600.0, abs=2.0)
    assert await bench.lanes.sweep() == 0
    await bench.elapse(3601.0)
    assert len(await claim(bench, await lease(bench))) == 1


# ---- what a lane knows ---------------------------------------------------------------------------------------------

FACTS = LedgerFacts(
    organization=Organization(organization_id="60001", name="Books", currency="EUR", time_zone="Europe/Madrid"),
    taxes=(LedgerTax(tax_id="t1", name="VAT", rate=Decimal("21.0")),),
    currencies=(),
)


async def test_a_lane_tells_until_when_the_ledgers_limits_keep_whom_waiting(bench: Bench) -> None:
    """The day is spent: live orders and backfill wait until it ends, a person does not; a new day frees all."""
    await open_books(bench)
    assert (await bench.lanes.view(BOOKS)).rests_until == {}
    await _spend(bench, 50)
    rests = (await bench.lanes.view(BOOKS)).rests_until
    assert set(rests) == {Priority.LIVE, Priority.BACKFILL}
    await bench.elapse(3700.0)
    assert (await bench.lanes.view(BOOKS)).rests_until == {}


async def test_facts_are_kept_with_their_age(bench: Bench) -> None:
    """What was read of the organisation comes back exactly, with its age by the database."""
    await open_books(bench)
    assert (await bench.lanes.view(BOOKS)).facts is None
    await bench.lanes.save_facts(BOOKS, FACTS)
    await bench.elapse(100.0)
    view = await bench.lanes.view(BOOKS)
    assert view.facts == FACTS
    assert view.facts_age_seconds == pytest.approx(100.0, abs=2.0)
    assert view.connection == books()
    assert set(view.shops) == {"north"}


async def test_new_facts_wake_the_orders_that_they_may_help(bench: Bench) -> None:
    """A new tax helps what waits for a tax; the same facts read again help nobody, or orders would wake for ever."""
    await open_books(bench, "tax", "currency")
    await bench.lanes.save_facts(BOOKS, FACTS)
    leased = await lease(bench)
    await claim(bench, leased)
    for order, code in (("tax", ReasonCode.TAX_MISSING), ("currency", ReasonCode.CURRENCY_MISSING)):
        reason = Reason(code=code, message="missing", fix="add it")
        await _conclude(bench, order, Conclusion(state=OrderState.PARKED, reason=reason))
    assert await bench.lanes.save_facts(BOOKS, replace(FACTS, read_at=None)) == 0
    more = (*FACTS.taxes, LedgerTax(tax_id="t2", name="low", rate=Decimal(10)))
    assert await bench.lanes.save_facts(BOOKS, replace(FACTS, taxes=more)) == 1
    assert [(order.key.order_id, order.change) for order in await claim(bench, leased)] == [("tax", 2)]
    assert await bench.lanes.save_facts(BOOKS, replace(FACTS, taxes=more, rounding=TaxRounding.PER_RATE)) == 0


async def test_a_stop_keeps_its_first_cause(bench: Bench) -> None:
    """What stopped the connection first has to be cured first; a later cause does not hide it."""
    await open_books(bench)
    await bench.lanes.stop_connection(BOOKS, StopCause.DIFFERENCES_IN_A_ROW, "three in a row")
    await bench.lanes.stop_connection(BOOKS, StopCause.TOKEN_REVOKED, "revoked")
    assert (await bench.lanes.view(BOOKS)).stopped is StopCause.DIFFERENCES_IN_A_ROW
    await bench.lanes.resume_connection(BOOKS)
    assert (await bench.lanes.view(BOOKS)).stopped is None


async def test_a_look_begins_an_hour_before_the_last_write(bench: Bench) -> None:
    """Reads do not move the beginning: the look makes some itself, and may be broken off."""
    await open_books(bench, "1001")
    await bench.lanes.check_in("main")
    leased = await lease(bench)
    await claim(bench, leased)
    intent_id, slot = await begin(bench, leased, key("1001"))
    await bench.bookings.record(booked(key("1001"), intent_id, slot))
    await bench.elapse(600.0)
    read = await bench.calls.take_slot(request())
    assert isinstance(read, Slot)
    await bench.take_over_server()
    await bench.lanes.check_in("main")
    before = (await bench.lanes.view(BOOKS)).look_first_since
    await bench.calls.end_call(read, sent=True, exchange=exchange("list", 200, method="GET"))
    after = (await bench.lanes.view(BOOKS)).look_first_since
    assert before is not None
    assert before == after


async def test_what_a_look_found_is_kept_by_reference(bench: Bench) -> None:
    """A page seen twice is kept once, with its newest words; another reference or connection has none of it."""
    await open_books(bench)
    found = Invoice(
        invoice_id="9",
        number="INV-9",
        status=InvoiceStatus.DRAFT,
        reference="1001",
        contact_id="c",
        total=Decimal("12.30"),
        currency="EUR",
    )
    sent = replace(found, status=InvoiceStatus.SENT)
    await bench.lanes.save_seen(BOOKS, [found, replace(found, invoice_id="8", reference="")])
    await bench.lanes.save_seen(BOOKS, [found, sent])
    assert list(await bench.lanes.seen(BOOKS, "1001")) == [sent]
    assert list(await bench.lanes.seen(BOOKS, "")) == []


async def test_the_view_knows_the_shop_that_moved_away(bench: Bench) -> None:
    """An order stays with the connection that it was booked in, so its lane must know the shop's settings."""
    await open_books(bench, "1001")
    leased = await lease(bench)
    await claim(bench, leased)
    intent_id, slot = await begin(bench, leased, key("1001"))
    await bench.bookings.record(booked(key("1001"), intent_id, slot))
    await bench.settings.apply(
        [books(), connection("other")], [shop(connection_id="other")], actor="test", dry_run=False
    )
    assert set((await bench.lanes.view(BOOKS)).shops) == {"north"}
    assert set((await bench.lanes.view("other")).shops) == {"north"}
