"""What a comparison keeps, in memory and in Postgres: its place, what was listed, whose it is, and its figures."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from consumer.adapters.memory.figures import MemoryFiguresStore
from consumer.adapters.postgres.figures import PostgresFiguresStore
from consumer.domain.reconciling.books import Listed
from consumer.domain.reconciling.findings import Period
from consumer.domain.reconciling.rates import RateSum
from consumer.domain.records import DocumentKind
from consumer.domain.states import OrderState
from consumer.ports.reconcile import Outcome, ReconcileStore, ReplacedError, Run
from consumer.ports.settings import FiguresStore
from tests.conformance.intake.making import key
from tests.conformance.lanes.bench import Bench, MemoryBench, PostgresBench
from tests.conformance.lanes.scenes import BOOKS, begin, booked, claim, invoice, lease, open_books

MARCH = Period(from_day=date(2026, 3, 1), to_day=date(2026, 3, 31))
MAY = Period(from_day=date(2026, 5, 1), to_day=date(2026, 5, 31))
NORTH = "north"


def listed(ledger_id: str = "461", **fields: Any) -> Listed:
    """Make a listed document with something in every field."""
    given: dict[str, Any] = {
        "kind": DocumentKind.INVOICE,
        "number": f"INV-{ledger_id}",
        "status": "draft",
        "reference": "1001",
        "contact_id": "c-1",
        "total": Decimal("12.30"),
        "currency": "EUR",
        "unique_key": "north/1001/invoice//1",
        "issued_on": date(2026, 3, 2),
        "created_at": datetime(2026, 3, 2, 9, tzinfo=UTC),
        "modified_at": datetime(2026, 3, 2, 10, tzinfo=UTC),
        "url": "https://books.test/461",
    }
    return Listed(ledger_id=ledger_id, **{**given, **fields})


def note(ledger_id: str = "462", part: str = "r-1") -> Listed:
    """Make a listed credit note of the order."""
    return listed(ledger_id, kind=DocumentKind.CREDIT_NOTE, reference=f"1001~credit_note~{part}", unique_key=None)


async def _run(bench: Bench, store: ReconcileStore, *orders: str) -> Run:
    await open_books(bench, *orders)
    return await store.begin(BOOKS, MARCH, resume=False)


async def _booked(bench: Bench, **fields: Any) -> None:
    leased = await lease(bench)
    await claim(bench, leased)
    intent_id, slot = await begin(bench, leased, key())
    given = {"ledger_id": "461", "issued_on": date(2026, 3, 2), **fields}
    assert await bench.bookings.record(booked(key(), intent_id, slot, document=invoice(**given)))


# ---- runs ----


async def test_a_run_goes_on_at_the_page_after_the_last_that_was_kept(bench: Bench, store: ReconcileStore) -> None:
    """Of the same days and with ``resume`` only; whoever does not say so begins anew."""
    run = await _run(bench, store)
    run = await store.save_page(run, [listed()], page=1, more=True)
    again = await store.begin(BOOKS, MARCH, resume=True)
    assert (again.run_id, again.stage, again.page, again.resumed) == (run.run_id, "invoice", 1, True)
    again = await store.save_page(again, [], page=2, more=False)
    assert (again.stage, again.page) == ("credit_note", 0)
    again = await store.save_page(again, [note()], page=1, more=False)
    assert again.stage == "listed"
    assert (await store.begin(BOOKS, MAY, resume=True)).run_id != run.run_id
    assert not (await store.begin(BOOKS, MARCH, resume=False)).resumed


async def test_a_run_that_was_replaced_keeps_nothing_more(bench: Bench, store: ReconcileStore) -> None:
    """Two at once would take each other's lists for the whole: the older one is told, and ends."""
    old = await _run(bench, store)
    await store.begin(BOOKS, MARCH, resume=False)
    with pytest.raises(ReplacedError):
        await store.save_page(old, [listed()], page=1, more=False)
    with pytest.raises(ReplacedError):
        await store.finish(old, Outcome(unexplained={}, findings=0))


async def test_an_unknown_connection_is_refused(store: ReconcileStore) -> None:
    """With the command that would make it known."""
    with pytest.raises(LookupError, match="booked apply"):
        await store.begin("nobody", MARCH, resume=False)
    with pytest.raises(LookupError, match="booked apply"):
        await store.budget("nobody")


async def test_calls_of_a_day_are_counted_over_all_runs(bench: Bench, store: ReconcileStore) -> None:
    """A page and a read are a call each; the day's calls are those of the connection's setting."""
    run = await _run(bench, store)
    run = await store.save_page(run, [listed()], page=1, more=True)
    await store.save_read(run, listed(rates=()))
    other = await store.begin(BOOKS, MAY, resume=False)
    await store.save_page(other, [], page=1, more=False)
    budget = await store.budget(BOOKS)
    assert (budget.made, budget.daily_calls) == (3, 1000)


# ---- what was listed ----


async def test_what_is_listed_is_found_by_id_and_by_its_orders_reference(bench: Bench, store: ReconcileStore) -> None:
    """A credit note is found under its order; each once, with all that is known of it."""
    run = await _run(bench, store)
    invoice_, credit, other = listed(), note(), listed("463", reference="1002", unique_key=None)
    run = await store.save_page(run, [other, credit, invoice_], page=1, more=True)
    found = await store.listed(run, ["461"], ["1001"])
    assert [one.listed for one in found] == [credit, invoice_]
    assert [one.owner for one in found] == [None, None]
    assert [one.listed for one in await store.listed(run, ["463"], [])] == [other]


async def test_what_a_read_tells_takes_the_place_of_the_lists_row(bench: Bench, store: ReconcileStore) -> None:
    """Rates, exactly; and a document that is gone is kept as gone, so that it is not asked for again."""
    run = await _run(bench, store)
    run = await store.save_page(run, [listed()], page=1, more=False)
    rates = (RateSum(rate=Decimal(22), net=Decimal("10.08"), tax=Decimal("2.22")),)
    await store.save_read(run, listed(rates=rates, found_by_list=False))
    await store.save_read(run, replace(listed("464"), status="gone", rates=()))
    (one,) = await store.listed(run, ["461"], [])
    assert one.listed.rates == rates
    (two,) = await store.listed(run, ["464"], [])
    assert two.listed.gone


async def test_a_listed_document_tells_the_order_it_is_recorded_for(bench: Bench, store: ReconcileStore) -> None:
    """Also where it bears another order's reference."""
    run = await _run(bench, store, "1001")
    await _booked(bench)
    run = await store.save_page(run, [listed(reference="1002")], page=1, more=False)
    (one,) = await store.listed(run, [], ["1002"])
    assert one.owner == key()


async def test_what_is_claimed_or_recorded_is_no_stranger(bench: Bench, store: ReconcileStore) -> None:
    """The rest comes in pages, by kind and id; a run that goes on looks at all of it again."""
    run = await _run(bench, store, "1001")
    await _booked(bench)
    rows = [note(), listed(), listed("465"), listed("466"), listed("467")]
    run = await store.save_page(run, rows, page=1, more=True)
    await store.claim(run, [(DocumentKind.INVOICE, "465")])
    first = await store.unclaimed(run, None, 2)
    assert [one.ledger_id for one in first] == ["462", "466"]
    assert [one.ledger_id for one in await store.unclaimed(run, ("invoice", "466"), 2)] == ["467"]
    again = await store.begin(BOOKS, MARCH, resume=True)
    assert [one.ledger_id for one in await store.unclaimed(again, ("invoice", ""), 9)] == ["465", "466", "467"]


# ---- orders ----


async def test_orders_come_in_pages_and_whole_where_they_concern_the_days(bench: Bench, store: ReconcileStore) -> None:
    """By id, each once; their documents come with them."""
    run = await _run(bench, store, "1001", "1002", "1003")
    await _booked(bench)
    first = await store.orders(run, NORTH, "", 2)
    assert [slip.key.order_id for slip in first] == ["1001", "1002"]
    record = first[0].record
    assert record is not None
    assert [one.ledger_id for one in record.documents] == ["461"]
    assert [slip.key.order_id for slip in await store.orders(run, NORTH, "1002", 2)] == ["1003"]
    assert list(await store.orders(run, NORTH, "1003", 2)) == []


async def test_an_order_of_later_days_is_named_only(bench: Bench, store: ReconcileStore) -> None:
    """Paid in March, January is compared: its content is not read; by name it can be asked for."""
    await open_books(bench, "1001")
    january = Period(from_day=date(2026, 1, 1), to_day=date(2026, 1, 31))
    run = await store.begin(BOOKS, january, resume=False)
    (slip,) = await store.orders(run, NORTH, "", 9)
    assert (slip.key, slip.number, slip.record) == (key(), "#1001", None)
    (whole,) = await store.records(run, NORTH, ["1001", "nobody"])
    assert whole.record is not None
    assert whole.record.content is not None


async def test_an_order_is_of_the_days_of_its_documents(bench: Bench, store: ReconcileStore) -> None:
    """Paid in March, dated in January by the setting of the shop."""
    await open_books(bench, "1001")
    await _booked(bench, issued_on=date(2026, 1, 20))
    january = Period(from_day=date(2026, 1, 1), to_day=date(2026, 1, 31))
    run = await store.begin(BOOKS, january, resume=False)
    (slip,) = await store.orders(run, NORTH, "", 9)
    assert slip.record is not None


# ---- adopting ----


async def test_handed_over_the_lane_finds_the_document_and_the_order_is_due(
    bench: Bench, store: ReconcileStore
) -> None:
    """It is kept as a look first keeps it; the order is decided anew from a newer change."""
    run = await _run(bench, store, "1001")
    before = await bench.bookings.read(key())
    assert before is not None
    taken = await store.hand_over(run, {key(): [listed()]}, actor="tester")
    assert list(taken) == [key()]
    after = await bench.bookings.read(key())
    assert after is not None
    assert (after.state, after.change) == (OrderState.DUE, before.change + 1)
    (seen,) = await bench.lanes.seen(BOOKS, "1001")
    assert (seen.invoice_id, seen.total, seen.unique_key) == ("461", Decimal("12.30"), "north/1001/invoice//1")
    assert (await bench.lanes.view(BOOKS)).look_first is False


async def test_a_credit_note_makes_the_lane_look_first(bench: Bench, store: ReconcileStore) -> None:
    """Refunds look for a credit note only in a lane that had to look first."""
    run = await _run(bench, store, "1001")
    await store.hand_over(run, {key(): [note()]}, actor="tester")
    assert (await bench.lanes.view(BOOKS)).look_first is True


async def test_an_order_with_an_invoice_or_a_write_in_doubt_takes_none_over(
    bench: Bench, store: ReconcileStore
) -> None:
    """What is under way will say itself what came of it; an unknown order takes nothing either."""
    run = await _run(bench, store, "1001", "1002")
    leased = await lease(bench)
    await claim(bench, leased)
    await begin(bench, leased, key("1002"), sought={"reference": "1002"})
    intent_id, slot = await begin(bench, leased, key())
    await bench.bookings.record(booked(key(), intent_id, slot, document=invoice(ledger_id="461")))
    found = {key(): [listed()], key("1002"): [listed("465")], key("9999"): [listed("466")]}
    assert list(await store.hand_over(run, found, actor="tester")) == []


# ---- the end ----


def _figures(bench: Bench) -> FiguresStore:
    if isinstance(bench, MemoryBench):
        return MemoryFiguresStore(bench.database)
    assert isinstance(bench, PostgresBench)
    return PostgresFiguresStore(bench.database)


async def test_the_figures_are_those_of_each_shops_last_run(bench: Bench, store: ReconcileStore) -> None:
    """Nothing is a figure as well; what was listed is dropped with the end."""
    run = await _run(bench, store)
    run = await store.save_page(run, [listed()], page=1, more=False)
    await store.finish(
        run, Outcome(unexplained={(NORTH, "EUR"): Decimal("1.22"), ("s", "USD"): Decimal(3)}, findings=2, doubles=1)
    )
    assert list(await store.listed(run, ["461"], [])) == []
    assert (await _figures(bench).figures()).shops.doubles == 1
    run = await store.begin(BOOKS, MARCH, resume=True)
    assert not run.resumed
    await store.finish(run, Outcome(unexplained={(NORTH, "EUR"): Decimal(0)}, findings=0))
    shops = (await _figures(bench).figures()).shops
    assert (shops.doubles, shops.unexplained) == (0, {"EUR": Decimal(0), "USD": Decimal(3)})
    compared = shops.compared
    assert [(one.shop_id, one.currency, one.unexplained) for one in compared] == [
        ("s", "USD", Decimal(3)),
        (NORTH, "EUR", Decimal(0)),
    ]
    assert all(one.connection_id == BOOKS and 0 <= one.age_seconds < 60 for one in compared)
