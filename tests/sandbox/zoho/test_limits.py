"""Limits: a minute, a day, at once; what they answer, and that a restart does not forgive them."""

import asyncio
from typing import Any

import pytest

from sandbox.zoho.calls import Refusal
from sandbox.zoho.clock import Clock
from sandbox.zoho.limits import CallLimits
from sandbox.zoho.organizations import Limits, Organization
from sandbox.zoho.store import Store
from tests.sandbox.zoho.books import Books


async def _limit(books: Books, **limits: Any) -> None:
    await books.control.change_organization(books.id, limits=limits)


async def test_the_minute_is_full_after_its_calls(books: Books) -> None:
    """Three are allowed, the fourth is 429 with code 44; once the window has moved on, calls go through again."""
    await _limit(books, per_minute=3)
    for _ in range(3):
        await books.good("GET", "/contacts")
    assert await books.refused("GET", "/contacts") == (429, 44)
    await _limit(books, window_seconds=0.000_001)
    await books.good("GET", "/contacts")


async def test_the_day_is_full_after_its_calls(books: Books) -> None:
    """Two are allowed, the third is 429 with code 45 whose message ends with the limit in force."""
    await _limit(books, per_day=2)
    await books.good("GET", "/contacts")
    await books.good("GET", "/contacts")
    answer = await books.raw("GET", "/contacts")
    assert (answer.status_code, answer.json()["code"]) == (429, 45)
    assert " 2 " in answer.json()["message"]
    assert answer.headers["x-rate-limit-remaining"] == "0"


async def test_a_refused_call_counts_for_the_day_when_it_came_in(books: Books) -> None:
    """A call with a mistake takes one of the day's calls, one refused by a limit takes none."""
    await _limit(books, per_day=10, per_minute=1)
    await books.refused("POST", "/contacts", {})
    await books.refused("GET", "/contacts")
    assert (await books.control.organization(books.id))["day_used"] == 1


async def test_the_headers_tell_of_the_day(books: Books) -> None:
    """Limit, what remains, and the seconds to the organisation's midnight; none on the list of organisations."""
    await _limit(books, per_day=50)
    answer = await books.raw("GET", "/contacts")
    again = await books.raw("GET", "/contacts")
    listed = await books.raw("GET", "/organizations")
    assert (answer.headers["x-rate-limit-limit"], answer.headers["x-rate-limit-remaining"]) == ("50", "49")
    assert again.headers["x-rate-limit-remaining"] == "48"
    assert 0 < int(answer.headers["x-rate-limit-reset"]) <= 25 * 3600
    assert not any(name.startswith("x-rate-limit") for name in listed.headers)


async def test_too_many_at_once_are_refused(books: Books) -> None:
    """Two are held inside, the third is 429 with code 1070; afterwards there is room again."""
    await _limit(books, concurrent=2)
    match = {"organization_id": books.id}
    await books.control.add_faults({"match": match, "times": 2, "action": {"delay": 0.5}})
    answers = await asyncio.gather(*(books.raw("GET", "/contacts") for _ in range(3)))
    assert sorted(one.json()["code"] for one in answers) == [0, 0, 1070]
    await books.good("GET", "/contacts")


async def test_organizations_do_not_share_their_limits(books: Books) -> None:
    """One being full leaves the other alone."""
    other = await books.control.create_organization(name="Other")
    granted = await books.control.grant()
    await _limit(books, per_minute=0)
    books.token = granted.access_token
    assert await books.refused("GET", "/contacts") == (429, 44)
    await books.good("GET", "/contacts", organization_id=other.organization_id)


async def test_every_429_is_counted(books: Books) -> None:
    """The record holds each refusal with its code."""
    await _limit(books, per_minute=0)
    for _ in range(3):
        await books.refused("GET", "/contacts")
    counts = await books.control.counts(organization_id=books.id)
    assert [(one["status"], one["code"], one["requests"]) for one in counts] == [(429, 44, 3)]


def _organization(**limits: Any) -> Organization:
    return Organization(
        organization_id="1", name="A", currency_id="2", time_zone="America/New_York", limits=Limits(**limits)
    )


def test_the_day_ends_at_the_organizations_own_midnight(tmp_path: Any) -> None:
    """At 03:59:00 UTC in summer New York has 60 seconds left; a minute later the count begins anew."""
    now = [1_781_063_940.0]  # 2026-06-10T03:59:00Z
    store = Store(tmp_path / "books.sqlite")
    limits = CallLimits(store=store, clock=Clock(read=lambda: now[0]))
    organization = _organization(per_day=1)
    limits.count_day(organization)
    assert limits.day_used(organization) == 1
    assert limits.day_reset_seconds(organization) in {60, 61}
    now[0] += 60
    assert limits.day_used(organization) == 0
    store.close()


def test_the_minute_is_a_rolling_one(tmp_path: Any) -> None:
    """Two calls at 0 and 50 s: at 59 s there is no room, at 60 s there is for one."""
    now = [1000.0]
    store = Store(tmp_path / "books.sqlite")
    limits = CallLimits(store=store, clock=Clock(read=lambda: now[0]))
    organization = _organization(per_minute=2)
    seen = []
    for at in (1000, 1050, 1059, 1060, 1061, 1110):
        now[0] = at
        seen.append(_entered(limits, organization))
    assert seen == [True, True, False, True, False, True]
    store.close()


def _entered(limits: CallLimits, organization: Organization) -> bool:
    try:
        limits.enter(organization)
    except Refusal:
        return False
    limits.leave(organization)
    return True


@pytest.mark.parametrize(("wait", "code"), [(0, 0), (60, 44)])
async def test_the_block_after_a_minute_may_last_longer(books: Books, wait: int, code: int) -> None:
    """With a block of a minute the next call is refused even when the window has moved on."""
    await books.switch(minute_block_seconds=wait)
    await _limit(books, per_minute=0)
    await books.refused("GET", "/contacts")
    await _limit(books, per_minute=100)
    assert (await books.raw("GET", "/contacts")).json()["code"] == code
