"""Attacks on the authorisation from a terminal: each is refused, and no code or secret goes anywhere else."""

import asyncio
from urllib.parse import urlencode, urlsplit

import httpx
import pytest

from consumer.adapters.zoho.accounts import ZohoAccounts
from consumer.adapters.zoho.data_centers import ZOHO_DATA_CENTERS, DataCenters
from consumer.cli.callback import Callback, wait_for_callback
from consumer.errors import ConfigurationError, ConnectionStoppedError, LedgerError
from consumer.ports.ledger import ClientCredentials
from tests.acceptance.waiting import until
from tests.adapters.zoho.raw_server import RawServer, answer

EU = ZOHO_DATA_CENTERS["eu"].accounts
CLIENT = ClientCredentials(client_id="1000.CLIENT", client_secret="canary-client-secret")
FOREIGN_SERVERS = [
    *(center.accounts for center in ZOHO_DATA_CENTERS.values() if center.name != "eu"),
    "https://evil.example",
    "https://accounts.zoho.eu.evil.example",
    "https://accounts.zoho.eu@evil.example",
    "https://evil.example#https://accounts.zoho.eu",
    "http://accounts.zoho.eu",
    "https://accounts.zoho.eu:444",
    "//accounts.zoho.eu",
    "http://169.254.169.254",
]


async def _ask(port: int, **query: str) -> httpx.Response:
    async with httpx.AsyncClient(trust_env=False) as browser:
        return await browser.get(f"http://127.0.0.1:{port}/callback?{urlencode(query)}", timeout=10)


async def _waiting(callback: Callback, port: int) -> "asyncio.Task[str]":
    waiting = asyncio.create_task(wait_for_callback(callback, port))

    async def listens() -> bool:
        try:
            return (await _ask(port, state="nobody's")).status_code == 400
        except httpx.TransportError:
            return False

    await until(listens, bool, what="the callback is listened for")
    return waiting


async def test_the_same_answer_at_the_same_time_is_taken_once(free_port: int) -> None:
    """A state replayed while the first use is under way: one answer is taken, every other is refused."""
    callback = Callback(accounts_server=EU)
    waiting = await _waiting(callback, free_port)
    answers = await asyncio.gather(
        *(_ask(free_port, state=callback.state, code=f"code-{n}") for n in range(5)), return_exceptions=True
    )
    taken = [n for n, one in enumerate(answers) if isinstance(one, httpx.Response) and one.status_code == 200]
    assert len(taken) == 1
    assert await asyncio.wait_for(waiting, 10) == f"code-{taken[0]}"


async def test_a_state_of_another_run_is_refused(free_port: int) -> None:
    """Two `booked connect` at once: the answer for one is none for the other, and the other goes on waiting."""
    ours, theirs = Callback(accounts_server=EU), Callback(accounts_server=EU)
    waiting = await _waiting(ours, free_port)
    assert (await _ask(free_port, state=theirs.state, code="theirs")).status_code == 400
    assert not waiting.done()
    await _ask(free_port, state=ours.state, code="ours")
    assert await asyncio.wait_for(waiting, 10) == "ours"


@pytest.mark.parametrize("named", FOREIGN_SERVERS)
async def test_an_answer_that_names_another_server_ends_the_command(free_port: int, named: str) -> None:
    """Mix-up: the right state with a foreign accounts server. No code comes back, and nobody waits for ten minutes."""
    callback = Callback(accounts_server=EU)
    waiting = await _waiting(callback, free_port)
    told = await _ask(free_port, **{"state": callback.state, "code": "stolen", "accounts-server": named})
    assert told.status_code == 400
    with pytest.raises(ConnectionStoppedError, match="data_center"):
        await asyncio.wait_for(waiting, 10)


async def test_the_location_of_an_answer_changes_no_host(free_port: int) -> None:
    """Zoho adds location=us: it is not followed. The code goes to the server that was asked, and to no other."""
    async with RawServer([answer(200, {"access_token": "a", "refresh_token": "r", "expires_in": 3600})]) as server:
        centers = DataCenters.make(sandbox_url=server.url)
        callback = Callback(accounts_server=centers.get("sandbox").accounts)
        waiting = await _waiting(callback, free_port)
        await _ask(free_port, state=callback.state, code="good", location="us", api_domain="https://evil.example")
        accounts = ZohoAccounts(centers, deadline_seconds=5.0)
        await accounts.exchange_code("sandbox", CLIENT, await asyncio.wait_for(waiting, 10), None)
        await accounts.aclose()
        (seen,) = server.seen
        assert (urlsplit(seen.target).path, b"code=good" in seen.body) == ("/oauth/v2/token", True)
        assert "canary" not in seen.target


@pytest.mark.parametrize("name", ["eu.evil.example", "https://evil.example", "", "EU ", "../us", "sandbox"])
def test_no_data_centre_is_made_of_a_name(name: str) -> None:
    """Whatever shops.yaml names: hosts come from the list, and the sandbox only where its address was given."""
    with pytest.raises(ConfigurationError, match="data centre"):
        DataCenters.make().get(name)


async def test_a_redirect_takes_no_secret_along() -> None:
    """The accounts server answers 302 or 307 to another host: the form, with the secret in it, is not sent there."""
    async with RawServer([answer(200, {})]) as elsewhere:
        for status in (302, 307, 308):
            async with RawServer([answer(status, b"", Location=elsewhere.url + "/oauth/v2/token")]) as server:
                accounts = ZohoAccounts(DataCenters.make(sandbox_url=server.url), deadline_seconds=5.0)
                with pytest.raises(LedgerError):
                    await accounts.refresh("sandbox", CLIENT, "canary-refresh")
                await accounts.aclose()
        assert elsewhere.seen == []


async def test_an_api_domain_elsewhere_is_neither_kept_nor_called() -> None:
    """A token answer that names a foreign API host: in the grant there is none of it."""
    async with RawServer([answer(200, {})]) as evil:
        told = {"access_token": "a", "refresh_token": "r", "api_domain": evil.url, "expires_in": 3600}
        async with RawServer([answer(200, told), answer(200, told)]) as server:
            accounts = ZohoAccounts(DataCenters.make(sandbox_url=server.url), deadline_seconds=5.0)
            grant = await accounts.exchange_code("sandbox", CLIENT, "code", None)
            renewed = await accounts.refresh("sandbox", CLIENT, "canary-refresh")
            await accounts.aclose()
        assert (grant.api_domain, renewed.api_domain, evil.seen) == ("", "", [])
