"""Misbehaviour on order, seen over a real socket: what the caller gets, and what the books have by then."""

import asyncio
import time
from typing import Any

import httpx
import pytest

from sandbox.zoho.client import ControlError
from tests.sandbox.zoho.books import Books, line, until


async def _order(books: Books, action: Any, **how: Any) -> None:
    match = {"organization_id": books.id, "path_regex": "/invoices", **how.pop("match", {})}
    await books.control.add_faults({"match": match, "action": action, **how})


async def _body(books: Books) -> dict[str, Any]:
    return {"customer_id": await books.customer(), "line_items": [line()], "reference_number": "R"}


async def _live(books: Books) -> int:
    return int((await books.control.live_invoices(books.id))["live"])


@pytest.mark.parametrize(("action", "live"), [("cut_before_commit", 0), ("cut_after_commit", 1)])
async def test_a_cut_connection_gives_no_answer(books: Books, action: str, live: int) -> None:
    """Before or after the commit the caller sees the same; only the books know. The next call works."""
    body = await _body(books)
    await _order(books, action, times=1)
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        await books.raw("POST", "/invoices", body)
    assert await _live(books) == live
    record = [one for one in await books.control.requests(organization_id=books.id) if one["path"].endswith("invoices")]
    assert [(one["answer"], one["committed"]) for one in record] == [("cut", live)]
    await books.good("POST", "/invoices", body)


async def test_a_held_answer_comes_after_the_commit(books: Books) -> None:
    """The caller gives up after 0.2 s; the invoice is there all the same, at once."""
    body = await _body(books)
    await _order(books, {"hold_after_commit": {"seconds": 5}})
    books.client.timeout = httpx.Timeout(0.2)
    with pytest.raises(httpx.ReadTimeout):
        await books.raw("POST", "/invoices", body)
    assert await _live(books) == 1


async def test_a_delayed_call_is_done_although_the_caller_has_gone(books: Books) -> None:
    """The caller gives up after 0.2 s, the call is worked off after half a second: the write comes late."""
    body = await _body(books)
    await _order(books, {"delay": 0.5})
    books.client.timeout = httpx.Timeout(0.2)
    with pytest.raises(httpx.ReadTimeout):
        await books.raw("POST", "/invoices", body)
    assert await _live(books) == 0
    async with asyncio.timeout(5):
        await until(lambda: _live(books), 1)


@pytest.mark.parametrize("action", ["garbage", "html", "empty", "truncated_json", {"big_body": 100_000}])
async def test_a_spoilt_answer_hides_what_was_done(books: Books, action: Any) -> None:
    """The body cannot be used, the invoice is in the books."""
    await _order(books, action, times=1)
    answer = await books.raw("POST", "/invoices", await _body(books), headers={"X-Spoilt": "1"})
    if action == {"big_body": 100_000}:
        assert len(answer.content) > 60_000
    else:
        with pytest.raises(ValueError):  # noqa: PT011  # JSON and Unicode have different ones
            answer.json()
    assert await _live(books) == 1


async def test_an_answer_may_lack_its_id(books: Books) -> None:
    """Everything is there but the invoice's id."""
    await _order(books, "missing_id", times=1)
    answer = await books.raw("POST", "/invoices", await _body(books))
    assert answer.json()["invoice"]["invoice_number"] == "INV-000001"
    assert "invoice_id" not in answer.json()["invoice"]


async def test_a_small_answer_may_unpack_to_a_large_one(books: Books) -> None:
    """Ten megabytes come in less than a hundredth of that."""
    await _order(books, {"gzip_bomb": {"bytes": 10_000_000}}, times=1)
    headers = {"Authorization": f"Zoho-oauthtoken {books.token}"}
    address = f"{books.url}/books/v3/invoices"
    async with books.client.stream("GET", address, params={"organization_id": books.id}, headers=headers) as answer:
        sent, unpacked = int(answer.headers["content-length"]), len(await answer.aread())
    assert (sent < 100_000, unpacked > 9_000_000) == (True, True)


async def test_a_slow_body_comes_in_small_pieces(books: Books) -> None:
    """A body of some 200 bytes at 1,000 a second takes more than a tenth of a second."""
    await _order(books, {"slow_body": {"bytes_per_second": 1000}}, times=1)
    began = time.perf_counter()
    await books.good("GET", "/invoices")
    assert time.perf_counter() - began > 0.1


@pytest.mark.parametrize(
    ("action", "status", "code"),
    [
        ({"status": 503}, 503, 1000),
        ({"status": {"code": 429, "body": {"code": 44, "message": "m"}, "headers": {"Retry-After": 7}}}, 429, 44),
        ({"code_in_200": 9999}, 200, 9999),
        ("expired_token", 401, 57),
        ("revoked_token", 401, 57),
    ],
)
async def test_an_answer_in_place_of_the_call_does_nothing(books: Books, action: Any, status: int, code: int) -> None:
    """Status and code as ordered, and no invoice."""
    body = await _body(books)
    await _order(books, action, times=1)
    answer = await books.raw("POST", "/invoices", body, headers={"X-Spoilt": "1"})
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert await _live(books) == 0


async def test_an_expired_token_can_be_refreshed_and_a_revoked_one_not(books: Books) -> None:
    """The two faults look alike in the answer and differ at the accounts server."""
    refresh = {"client_id": "sandbox-client", "client_secret": "sandbox-secret", "grant_type": "refresh_token"}
    answers = []
    for action in ("expired_token", "revoked_token"):
        await _order(books, action, times=1)
        await books.raw("GET", "/invoices")
        data = {**refresh, "refresh_token": books.refresh_token}
        answers.append((await books.client.post(f"{books.url}/oauth/v2/token", data=data)).json())
        books.token = answers[0]["access_token"]
        await books.control.clear_faults()
    assert answers[1] == {"error": "invalid_code"}


async def test_a_redirect_leads_elsewhere(books: Books) -> None:
    """302 with the location given."""
    await _order(books, {"redirect": {"location": "https://elsewhere.test/"}})
    answer = await books.raw("GET", "/invoices")
    assert (answer.status_code, answer.headers["location"]) == (302, "https://elsewhere.test/")


async def test_a_stale_list_does_not_know_what_is_new(books: Books) -> None:
    """The list misses what was made within the seconds given; reading by id does not."""
    invoice = await books.invoice(reference_number="R")
    await _order(books, {"stale_list": 60}, match={"method": "GET", "path_regex": "/invoices$"})
    assert (await books.good("GET", "/invoices", reference_number="R"))["invoices"] == []
    await books.good("GET", f"/invoices/{invoice['invoice_id']}")
    await books.control.clear_faults()
    assert len((await books.good("GET", "/invoices", reference_number="R"))["invoices"]) == 1


async def test_a_fault_strikes_the_call_that_it_names(books: Books) -> None:
    """The second and fourth by number; by method and address; so many times; and never another organisation."""
    await _order(books, {"status": 500}, nth=[2, 4])
    seen = [(await books.raw("GET", "/invoices")).status_code for _ in range(5)]
    assert seen == [200, 500, 200, 500, 200]
    await books.good("GET", "/contacts")
    assert [(one["matched"], one["fired"]) for one in await books.control.faults()] == [(5, 2)]


async def test_a_share_is_drawn_by_lot_from_a_seed(books: Books) -> None:
    """Half of 60 calls, give or take, and the same ones with the same seed."""
    runs = []
    for _ in range(2):
        await _order(books, {"status": 500}, share=0.5, seed=7)
        runs.append([(await books.raw("GET", "/invoices")).status_code for _ in range(60)])
        await books.control.clear_faults()
    assert runs[0] == runs[1]
    assert 15 <= runs[0].count(500) <= 45


async def test_the_accounts_server_can_be_struck_too(books: Books) -> None:
    """A fault on the token's address answers instead of it."""
    await books.control.add_faults({"match": {"path_regex": "^/oauth/v2/token$"}, "action": {"status": 500}})
    assert (await books.client.post(f"{books.url}/oauth/v2/token", data={})).status_code == 500


async def test_held_time_is_told(books: Books) -> None:
    """The answer and the record say how long the call was held, so that a measurement can leave it out."""
    await books.control.set_latency(0.05)
    await _order(books, {"delay": 0.02})
    answer = await books.raw("GET", "/invoices")
    record = (await books.control.requests(organization_id=books.id))[-1]
    assert float(answer.headers["x-sandbox-held-seconds"]) == pytest.approx(0.07)
    assert record["held_seconds"] == pytest.approx(0.07)
    assert record["duration_seconds"] >= 0.07


@pytest.mark.parametrize(
    "fault",
    [{"action": "explode"}, {"action": "empty", "share": 2}, {"action": "empty", "match": {"path_regex": "("}}, {}],
)
async def test_an_impossible_fault_is_refused(books: Books, fault: dict[str, Any]) -> None:
    """The control API says what is wrong, and nothing is in force."""
    with pytest.raises(ControlError, match="InvalidFaultError"):
        await books.control.add_faults(fault)
    assert await books.control.faults() == []
