"""`apply` makes the settings what the file says, tells it in sentences, and places anew the orders it concerns."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from consumer.domain.settings import LedgerLimits, RevisionKey, ShopSettings, TaxOverride
from consumer.domain.states import OrderState, ReasonCode
from consumer.errors import ConfigurationError
from consumer.ports.settings import Applied
from tests.conformance.intake.making import UPDATED, connection, key, set_up, shop, taken
from tests.conformance.intake.rig import PostgresRig, Rig

SOON = timedelta(minutes=2)


async def _apply(rig: Rig, connections: list[Any], shops: list[Any], *, dry_run: bool = False) -> Applied:
    return await rig.settings.apply(connections, shops, actor="ada", dry_run=dry_run)


async def test_settings_are_kept_exactly(rig: Rig) -> None:
    """What was applied is read back equal, every field of it; applying it again changes nothing."""
    books = connection(
        unique_field="cf_booked",
        negative_lines=False,
        limits=LedgerLimits(pace_share=Decimal("0.970"), window_seconds=1.5, calls_per_window=3),
    )
    north = shop(
        time_zone="Europe/Vienna",
        revision=RevisionKey.UPDATED_AT,
        tax_overrides=(TaxOverride(tax_id="9", country="AT", rate=Decimal("20.0")), TaxOverride(tax_id="8")),
        notes="Danke, merci ☕",
    )
    first = await _apply(rig, [books], [north])
    assert first.changes == ("connection books is added", "shop north is added")
    assert await rig.settings.connections() == [books]
    assert await rig.settings.shops() == [north]
    assert await _apply(rig, [books], [north]) == Applied(changes=(), orders_due=0)
    assert await rig.audit() == [("ada", "apply"), ("ada", "apply")]


async def test_a_dry_run_tells_the_same_and_changes_nothing(rig: Rig) -> None:
    """The sentences and the number of orders are those of the real run after it."""
    await rig.intake.record([taken(key())])
    told = await _apply(rig, [connection()], [shop()], dry_run=True)
    assert told.orders_due == 1
    assert await rig.settings.shops() == []
    assert (await rig.order(key())).reason == "unknown_shop"
    assert await rig.audit() == []
    done = await _apply(rig, [connection()], [shop()])
    assert done == told
    assert (await rig.order(key())).state == "due"


async def test_changes_are_told_in_sentences(rig: Rig) -> None:
    """Each changed field is one sentence with both values."""
    await _apply(rig, [connection(organization_id=None)], [shop(automatic=False, book_from=None)])
    changed = connection(limits=LedgerLimits(calls_per_window=7))
    told = await _apply(rig, [changed], [shop(book_from=datetime(2026, 2, 1, tzinfo=UTC), notes="x")])
    assert told.changes == (
        "connection books: organization_id changes from nothing to 60001",
        "connection books: limits.calls_per_window changes from 5 to 7",
        "shop north: automatic changes from off to on",
        "shop north: book_from changes from nothing to 2026-02-01T00:00:00+00:00",
        "shop north: notes changes from nothing to x",
    )


async def test_what_is_not_named_becomes_inactive_and_is_not_deleted(rig: Rig) -> None:
    """A shop gone from the file is inactive, its due orders wait; named again it goes on."""
    await set_up(rig)
    await rig.intake.record([taken(key())])
    told = await _apply(rig, [], [])
    assert told.changes == ("connection books becomes inactive", "shop north becomes inactive")
    assert [s.active for s in await rig.settings.shops()] == [False]
    assert [c.active for c in await rig.settings.connections()] == [False]
    seen = await rig.order(key())
    assert (seen.state, seen.reason, seen.due, seen.change) == ("waiting", "shop_inactive", False, 2)
    again = await _apply(rig, [connection()], [shop()])
    assert again.orders_due == 1
    assert (await rig.order(key())).state == "due"


async def test_switching_on_starts_the_shop_now(rig: Rig) -> None:
    """Without a date the start is the database's clock; orders paid before it wait, and the start stays then."""
    await _apply(rig, [connection()], [shop(automatic=False, book_from=None)])
    await rig.intake.record([taken(key())])
    assert (await rig.order(key())).reason == "automatic_off"
    on = shop(book_from=None)
    told = await _apply(rig, [connection()], [on])
    started = (await rig.settings.shops())[0].book_from
    assert started is not None
    assert abs(started - datetime.now(UTC)) < SOON
    assert told.orders_due == 0
    assert (await rig.order(key())).reason == "before_start"
    assert await _apply(rig, [connection()], [on]) == Applied(changes=())
    assert (await rig.settings.shops())[0].book_from == started


async def test_a_released_order_stays_released(rig: Rig) -> None:
    """An order that a person let through is not taken back by a setting that would hold it."""
    await set_up(rig)
    await rig.intake.record([taken(key())])
    await rig.put(key(), OrderState.DUE, released=True)
    await _apply(rig, [connection()], [shop(automatic=False)])
    assert (await rig.order(key())).state == "due"


@pytest.mark.parametrize(
    ("before", "reason"),
    [
        (([connection()], []), "unknown_shop"),
        (([connection()], [shop(connection_id=None)]), "no_connection"),
        (([connection(organization_id=None)], [shop()]), "no_organization"),
    ],
)
async def test_orders_that_waited_for_it_become_due(rig: Rig, before: tuple[Any, Any], reason: str) -> None:
    """What the orders waited for is there: due, at the priority of a backfill, and the lane has work."""
    await _apply(rig, *before)
    await rig.intake.record([taken(key(str(number)), number) for number in range(3)])
    assert (await rig.order(key("1"))).reason == reason
    await rig.rest("books")
    told = await _apply(rig, [connection()], [shop()])
    assert told.orders_due == 3
    seen = await rig.order(key("1"))
    assert (seen.state, seen.reason, seen.due, seen.change) == ("due", None, True, 2)
    assert (seen.priority, seen.connection_id) == (2, "books")
    assert (await rig.lane("books"))[0] is True


async def test_booked_orders_never_become_due_by_settings(rig: Rig) -> None:
    """Booked, withdrawn and uncertain orders stay exactly as they are; parked ones are tried again."""
    await set_up(rig)
    await rig.intake.record([taken(key(str(number)), number) for number in range(6)])
    await rig.put(key("0"), OrderState.BOOKED)
    await rig.add_document(key("0"), "books")
    await rig.put(key("1"), OrderState.WITHDRAWN, ReasonCode.IGNORED, wish="ignore")
    await rig.put(key("2"), OrderState.UNCERTAIN, due=True)
    await rig.put(key("3"), OrderState.PARKED, ReasonCode.TAX_MISSING, takes=2, attempts=4)
    await rig.put(key("4"), OrderState.PARKED, ReasonCode.STOPS_THE_PROCESS, takes=3)
    await rig.put(key("5"), OrderState.WAITING, ReasonCode.HELD, wish="hold")
    told = await _apply(rig, [connection()], [shop(tax_overrides=(TaxOverride(tax_id="9"),))])
    assert told.orders_due == 1
    states = [(await rig.order(key(str(number)))).state for number in range(6)]
    assert states == ["booked", "withdrawn", "uncertain", "due", "parked", "waiting"]
    assert [(await rig.order(key(str(number)))).change for number in range(6)] == [1, 1, 1, 2, 1, 1]
    tried = await rig.order(key("3"))
    assert (tried.takes, tried.attempts) == (0, 0)


async def test_orders_without_documents_move_with_their_shop(rig: Rig) -> None:
    """The shop moves: due orders go along, those with a document or a write under way stay where they are."""
    await set_up(rig)
    await rig.intake.record([taken(key(str(number)), number) for number in range(3)])
    await rig.add_document(key("1"), "books")
    await rig.add_intent(key("2"), "books")
    told = await _apply(rig, [connection(), connection("other")], [shop(connection_id="other")])
    assert [(await rig.order(key(str(number)))).connection_id for number in range(3)] == ["other", "books", "books"]
    moved = await rig.order(key("0"))
    assert (moved.state, moved.due, moved.change, moved.priority) == ("due", True, 2, 1)
    assert told.orders_due == 0
    assert (await rig.lane("other"))[0] is True


async def test_an_order_under_way_keeps_its_place(rig: Rig) -> None:
    """While a write is open nothing is decided for the order, not even that its shop has become inactive."""
    await set_up(rig)
    await rig.intake.record([taken(key())])
    await rig.add_intent(key(), "books")
    await _apply(rig, [connection()], [])
    seen = await rig.order(key())
    assert (seen.state, seen.due, seen.change) == ("due", True, 1)


async def test_slots_follow_the_limits_and_keep_counting(rig: Rig) -> None:
    """As many slots as the window has calls; a smaller window keeps those that become free last."""
    await _apply(rig, [connection(limits=LedgerLimits(calls_per_window=4))], [])
    assert len(await rig.free_at("books")) == 4
    hour = datetime(2030, 1, 1, 12, tzinfo=UTC)
    used = [hour, hour + timedelta(minutes=2), hour + timedelta(minutes=1)]
    await rig.use_slots("books", used)
    await _apply(rig, [connection(limits=LedgerLimits(calls_per_window=2))], [])
    assert await rig.free_at("books") == [used[2], used[1]]
    await _apply(rig, [connection(limits=LedgerLimits(calls_per_window=6))], [])
    free = await rig.free_at("books")
    assert len(free) == 6
    assert free[4:] == [used[2], used[1]]
    assert free[3] < hour


async def test_a_shop_of_an_unknown_connection_is_refused(rig: Rig) -> None:
    """The error names the shop's key; nothing was changed."""
    with pytest.raises(ConfigurationError, match=r"shops\.north\.connection_id.*there is no connection nowhere"):
        await _apply(rig, [connection()], [shop(connection_id="nowhere")])
    assert await rig.settings.connections() == []


async def test_a_revision_key_once_fixed_stays(rig: Rig) -> None:
    """Fixed by the first event, it is shown, and applying a file without it does not lose it."""
    await set_up(rig)
    await rig.intake.record([taken(key(), 0, None, place=UPDATED)])
    assert [s.revision for s in await rig.settings.shops()] == [RevisionKey.UPDATED_AT]
    assert await _apply(rig, [connection()], [shop()]) == Applied(changes=())
    assert [s.revision for s in await rig.settings.shops()] == [RevisionKey.UPDATED_AT]
    by_hand: ShopSettings = shop(revision=RevisionKey.TIME)
    told = await _apply(rig, [connection()], [by_hand])
    assert told.changes == ("shop north: revision changes from updated_at to time",)


async def test_many_orders_are_placed_in_pages(postgres_rig: PostgresRig, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages end anywhere among the orders: every one is placed once."""
    rig = postgres_rig
    monkeypatch.setattr("consumer.adapters.postgres.settings._PAGE_ORDERS", 7)
    await rig.intake.record([taken(key(str(number)), number) for number in range(35)])
    await rig.intake.record([taken(key(str(number), "south"), 35 + number) for number in range(8)])
    told = await _apply(rig, [connection()], [shop(), shop("south")])
    assert told.orders_due == 43
    rows = await rig.fetch("SELECT state, change, count(*) FROM orders GROUP BY 1, 2")
    assert [tuple(row) for row in rows] == [("due", 2, 43)]
