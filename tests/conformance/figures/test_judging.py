"""The one SLO's counters: an order is judged once, five minutes after the last news of it, by what came of it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from consumer.domain.orders import OrderKey
from consumer.domain.states import OrderState, ReasonCode
from consumer.ports.figures import Judgement
from tests.conformance.intake.making import key, set_up, taken
from tests.conformance.intake.rig import PostgresRig

NOW = datetime.now(UTC)
SINCE = NOW - timedelta(minutes=20)  # where the last reading ended; a minute is judged at once
HEARD = SINCE + timedelta(seconds=30)


@pytest.fixture
async def books(postgres_rig: PostgresRig) -> PostgresRig:
    """One shop, and no order."""
    await set_up(postgres_rig)
    return postgres_rig


async def _heard(rig: PostgresRig, name: str, offset: int, at: datetime = HEARD) -> OrderKey:
    """Let news of an order have come at a moment."""
    order = key(name)
    await rig.intake.record([taken(order, offset, version=offset + 1, text=f"{name} {offset}")])
    await rig.fetch('UPDATE events SET received_at = $1 WHERE "offset" = $2', at, offset)
    await rig.fetch("UPDATE orders SET updated_at = $1 WHERE order_id = $2", at, name)
    return order


async def _set(rig: PostgresRig, name: str, **columns: Any) -> None:
    for column, value in columns.items():
        await rig.fetch(f"UPDATE orders SET {column} = $1 WHERE order_id = $2", value, name)


async def _counts(rig: PostgresRig) -> tuple[int, int, int]:
    told: Judgement = (await rig.figures.figures(SINCE)).judgement
    return told.in_time, told.late, told.without_budget


async def test_the_first_reading_judges_nothing_and_says_where_to_begin(books: PostgresRig) -> None:
    """What was before this process was told by others; the next reading goes on five minutes ago."""
    await _heard(books, "1", 0)
    told = (await books.figures.figures()).judgement
    assert (told.in_time, told.late, told.without_budget) == (0, 0, 0)
    assert told.until is not None
    assert abs(told.until - (datetime.now(UTC) - timedelta(minutes=5))) < timedelta(seconds=60)


async def test_an_order_is_judged_by_where_it_stood_after_five_minutes(books: PostgresRig) -> None:
    """Booked or parked in time; due still; booked too late; booked in time and changed since."""
    for offset, name in enumerate(("booked", "parked", "due", "too late", "changed")):
        await _heard(books, name, offset)
    await books.put(key("booked"), OrderState.BOOKED)
    await _set(books, "booked", booked_at=HEARD + timedelta(seconds=9), updated_at=NOW)
    await books.put(key("parked"), OrderState.PARKED, ReasonCode.TAX_MISSING)
    await _set(books, "parked", updated_at=HEARD + timedelta(minutes=4))
    await books.put(key("too late"), OrderState.BOOKED)
    late = HEARD + timedelta(minutes=6)
    await _set(books, "too late", booked_at=late, updated_at=late)
    await _set(books, "changed", booked_at=HEARD + timedelta(seconds=2), updated_at=NOW)
    assert await _counts(books) == (3, 2, 0)


async def test_a_span_is_judged_once_and_a_minute_at_a_time(books: PostgresRig) -> None:
    """After a pause the readings catch up in steps; what one has judged the next one does not."""
    await _heard(books, "first", 0)
    await _heard(books, "second", 1, HEARD + timedelta(minutes=1))
    first = (await books.figures.figures(SINCE)).judgement
    assert (first.late, first.until) == (1, SINCE + timedelta(minutes=1))
    second = (await books.figures.figures(first.until)).judgement
    assert (second.late, second.until) == (1, SINCE + timedelta(minutes=2))
    assert (await books.figures.figures(second.until)).judgement.late == 0


async def test_an_order_of_which_more_was_heard_is_judged_by_that(books: PostgresRig) -> None:
    """It had no five minutes yet since the newest."""
    await _heard(books, "1", 0)
    await _heard(books, "1", 1, NOW - timedelta(minutes=1))
    assert await _counts(books) == (0, 0, 0)


async def test_what_is_not_meant_to_be_booked_now_is_not_judged(books: PostgresRig) -> None:
    """Held by a person, of a backfill, not paid. One of a shop that nobody set up is: somebody waits for it."""
    for offset, name in enumerate(("held", "backfill", "unpaid", "unknown")):
        await _heard(books, name, offset)
    await books.put(key("held"), OrderState.WAITING, ReasonCode.HELD)
    await _set(books, "backfill", priority=2)
    await _set(books, "unpaid", paid=False)
    await books.put(key("unknown"), OrderState.WAITING, ReasonCode.UNKNOWN_SHOP)
    assert await _counts(books) == (0, 1, 0)


async def test_without_the_days_calls_it_is_no_broken_promise(books: PostgresRig) -> None:
    """Used up but for people's share; or used up until the ledger's new day began, after the news."""
    await _heard(books, "1", 0)
    resets = datetime.now(UTC) + timedelta(hours=3)
    await books.fetch("UPDATE lanes SET daily_limit = 1000, daily_left = 50, daily_resets_at = $1", resets)
    assert await _counts(books) == (0, 0, 1)
    await books.fetch("UPDATE lanes SET daily_left = 51")
    assert await _counts(books) == (0, 1, 0)
    new_day = HEARD + timedelta(days=1, minutes=2)
    await books.fetch("UPDATE lanes SET daily_left = 900, daily_resets_at = $1", new_day)
    assert await _counts(books) == (0, 0, 1)


async def test_a_connection_that_is_stopped_had_no_budget(books: PostgresRig) -> None:
    """What came in meanwhile is excused, also when a person has just connected it again; what came later is not."""
    await _heard(books, "1", 0)
    await books.fetch("UPDATE connections SET stopped_cause = 'token_revoked', stopped_at = $1", HEARD)
    assert await _counts(books) == (0, 0, 1)
    await books.fetch("UPDATE connections SET stopped_cause = NULL, stopped_at = NULL")
    await books.fetch(
        """INSERT INTO tokens (connection_id, client_id, client_secret, refresh_token, connected_at)
           VALUES ('books', 'client', '', '', $1)""",
        HEARD + timedelta(seconds=1),
    )
    assert await _counts(books) == (0, 0, 1)
    await books.fetch("UPDATE tokens SET connected_at = $1", HEARD - timedelta(seconds=1))
    assert await _counts(books) == (0, 1, 0)


async def test_documents_are_told_with_their_sums(books: PostgresRig) -> None:
    """By kind and currency, those made in the span."""
    await books.intake.record([taken(key(), 0)])
    await books.add_document(key(), "books")
    made_at = HEARD + timedelta(seconds=1)
    await books.fetch("UPDATE documents SET created_at = $1, total = 12.30, currency = 'EUR'", made_at)
    (made,) = (await books.figures.figures(SINCE)).judgement.made
    assert (made.kind, made.currency, made.documents, str(made.total)) == ("invoice", "EUR", 1, "12.30")
    assert (await books.figures.figures(SINCE + timedelta(minutes=1))).judgement.made == ()
