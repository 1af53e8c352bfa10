"""The accounts server: consent, codes, tokens, their ends, and errors that arrive with HTTP 200."""

from urllib.parse import parse_qs, urlsplit

import httpx

from sandbox.zoho.client import CLIENT_ID, CLIENT_SECRET
from tests.sandbox.zoho.books import Books

_REDIRECT = "https://booked.test/callback"
_CLIENT = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}


async def _token(books: Books, **values: str) -> httpx.Response:
    return await books.client.post(f"{books.url}/oauth/v2/token", data={**_CLIENT, **values})


async def _refresh(books: Books) -> httpx.Response:
    return await _token(books, grant_type="refresh_token", refresh_token=books.refresh_token)


async def _consent(books: Books, **values: str) -> httpx.Response:
    await books.control.create_client(**_CLIENT, redirect_uris=[_REDIRECT])
    asked = {"client_id": CLIENT_ID, "redirect_uri": _REDIRECT, "response_type": "code", "state": "abc"}
    asked |= {"scope": "ZohoBooks.invoices.READ", "access_type": "offline", "prompt": "consent", **values}
    return await books.client.get(f"{books.url}/oauth/v2/auth", params=asked)


async def _code(books: Books, **values: str) -> str:
    answer = await _consent(books, sandbox_auto="allow", **values)
    return parse_qs(urlsplit(answer.headers["location"]).query)["code"][0]


async def test_the_page_shows_the_scopes_and_a_button(books: Books) -> None:
    """A person sees what is asked for, and one link each to allow and to deny it."""
    page = await _consent(books)
    assert page.status_code == 200
    assert "<li>ZohoBooks.invoices.READ</li>" in page.text
    assert 'id="allow"' in page.text
    assert 'id="deny"' in page.text


async def test_consent_leads_back_with_code_state_and_accounts_server(books: Books) -> None:
    """The way back carries everything that the exchange needs, and the caller's own state."""
    answer = await _consent(books, sandbox_auto="allow")
    query = parse_qs(urlsplit(answer.headers["location"]).query)
    assert answer.status_code == 302
    assert (query["state"], query["location"], query["accounts-server"]) == (["abc"], ["us"], [books.url])


async def test_denied_consent_leads_back_with_an_error(books: Books) -> None:
    """Deny is `error=access_denied` at the redirect address."""
    answer = await _consent(books, sandbox_auto="deny")
    assert parse_qs(urlsplit(answer.headers["location"]).query)["error"] == ["access_denied"]


async def test_an_unregistered_redirect_address_is_never_gone_to(books: Books) -> None:
    """A foreign address gets a page of the accounts server, no redirect."""
    answer = await _consent(books, redirect_uri="https://elsewhere.test/", sandbox_auto="allow")
    assert answer.status_code == 400
    assert "location" not in answer.headers


async def test_a_code_is_exchanged_once(books: Books) -> None:
    """The first exchange gives both tokens and the API's address, the second `invalid_code` with HTTP 200."""
    code = await _code(books)
    asked = {"grant_type": "authorization_code", "code": code, "redirect_uri": _REDIRECT}
    first, second = await _token(books, **asked), await _token(books, **asked)
    assert {"access_token", "refresh_token"} <= first.json().keys()
    assert (first.json()["api_domain"], first.json()["expires_in"]) == (books.url, 3600)
    assert (second.status_code, second.json()) == (200, {"error": "invalid_code"})


async def test_a_code_ends_after_its_time(books: Books) -> None:
    """A code of no life at all is refused at the first exchange."""
    await books.control.set_oauth(code_seconds=0)
    answer = await _token(books, grant_type="authorization_code", code=await _code(books), redirect_uri=_REDIRECT)
    assert answer.json() == {"error": "invalid_code"}


async def test_a_code_goes_with_its_redirect_address(books: Books) -> None:
    """Another address at the exchange is refused."""
    answer = await _token(books, grant_type="authorization_code", code=await _code(books), redirect_uri="https://x/")
    assert answer.json() == {"error": "invalid_redirect_uri"}


async def test_online_access_gives_no_refresh_token(books: Books) -> None:
    """Without `access_type=offline` only the access token comes."""
    code = await _code(books, access_type="online")
    answer = await _token(books, grant_type="authorization_code", code=code, redirect_uri=_REDIRECT)
    assert "access_token" in answer.json()
    assert "refresh_token" not in answer.json()


async def test_a_second_consent_without_prompt_gives_no_refresh_token(books: Books) -> None:
    """A client that was allowed before gets one only with `prompt=consent`."""
    code = await _code(books, prompt="none")
    answer = await _token(books, grant_type="authorization_code", code=code, redirect_uri=_REDIRECT)
    assert "refresh_token" not in answer.json()


async def test_a_code_of_the_api_console_needs_no_redirect_address(books: Books) -> None:
    """A self client exchanges without the address."""
    code = await books.control.create_code(client_id=CLIENT_ID, scopes=["ZohoBooks.settings.READ"])
    answer = await _token(books, grant_type="authorization_code", code=code)
    assert "refresh_token" in answer.json()


async def test_refreshing_gives_an_access_token_and_no_new_refresh_token(books: Books) -> None:
    """The refresh token stays the one it was."""
    answer = await _refresh(books)
    assert "refresh_token" not in answer.json()
    books.token = answer.json()["access_token"]
    await books.good("GET", "/contacts")


async def test_wrong_clients_and_tokens_are_refused_with_http_200(books: Books) -> None:
    """The body has to be read: the status says nothing."""
    unknown = await _token(books, grant_type="refresh_token", refresh_token="none")
    stranger = await _token(books, client_id="nobody", grant_type="refresh_token")
    wrong = await _token(books, client_secret="wrong", grant_type="refresh_token")
    machine = await _token(books, grant_type="client_credentials")
    assert [one.status_code for one in (unknown, stranger, wrong, machine)] == [200] * 4
    assert unknown.json() == {"error": "invalid_code"}
    assert stranger.json() == wrong.json() == {"error": "invalid_client"}
    assert machine.json() == {"error": "missing_org_info"}


async def test_the_eleventh_token_in_ten_minutes_is_refused(books: Books) -> None:
    """Ten refreshes go through; the next says Access Denied, which is a throttle and no lost authorisation."""
    answers = [await _refresh(books) for _ in range(11)]
    assert all("access_token" in one.json() for one in answers[:10])
    assert answers[10].json()["error"] == "Access Denied"


async def test_the_sixteenth_access_token_ends_the_oldest(books: Books) -> None:
    """Fifteen are in force at once."""
    await books.control.set_oauth(tokens_per_window=100)
    for _ in range(14):
        await _refresh(books)
    await books.good("GET", "/contacts")
    await _refresh(books)
    assert await books.refused("GET", "/contacts") == (401, 57)


async def test_the_twenty_first_refresh_token_deletes_the_oldest(books: Books) -> None:
    """A client's twenty newest are in force; the one pushed out takes its access tokens with it."""
    for _ in range(20):
        await books.control.grant(organization_ids=[books.id])
    assert (await _refresh(books)).json() == {"error": "invalid_code"}
    assert await books.refused("GET", "/contacts") == (401, 57)


async def test_a_revoked_token_is_gone_with_its_access_tokens(books: Books) -> None:
    """After revoking, neither refreshing nor calling works."""
    answer = await books.client.post(f"{books.url}/oauth/v2/token/revoke", params={"token": books.refresh_token})
    assert answer.json() == {"status": "success"}
    assert (await _refresh(books)).json() == {"error": "invalid_code"}
    assert await books.refused("GET", "/contacts") == (401, 57)


async def test_an_expired_token_is_code_57_or_14(books: Books) -> None:
    """Which of the two Zoho says is not settled: the switch gives either."""
    await books.control.expire_tokens(books.refresh_token)
    assert await books.refused("GET", "/contacts") == (401, 57)
    await books.switch(expired_token_code=14)
    assert await books.refused("GET", "/contacts") == (401, 14)


async def test_access_tokens_live_as_long_as_they_are_told(books: Books) -> None:
    """With a life of no seconds the fresh token is refused at once, and says so itself."""
    await books.control.set_oauth(access_token_seconds=0)
    answer = await _refresh(books)
    assert answer.json()["expires_in"] == 0
    books.token = answer.json()["access_token"]
    assert await books.refused("GET", "/contacts") == (401, 57)


async def test_a_missing_scope_is_code_57(books: Books) -> None:
    """A token for reading invoices neither writes them nor reads contacts."""
    granted = await books.control.grant(scopes=["ZohoBooks.invoices.READ"], organization_ids=[books.id])
    books.token = granted.access_token
    await books.good("GET", "/invoices")
    assert await books.refused("POST", "/invoices", {}) == (401, 57)
    assert await books.refused("GET", "/contacts") == (401, 57)


async def test_a_token_belongs_in_the_header(books: Books) -> None:
    """Without a header, or with the token in the query, the call is refused."""
    answer = await books.client.get(f"{books.url}/books/v3/contacts", params={"authtoken": books.token})
    assert (answer.status_code, answer.json()["code"]) == (401, 57)
