"""Authorising a connection from a terminal, through the stand-in's page, as a person with a browser does."""

import asyncio
import html
import re
import sys

import httpx

from sandbox.kafka import delete_topics
from tests.acceptance.installation import CLIENT_ID, CLIENT_SECRET, ROOT, SHOP, Installation, order

ADDRESS = re.compile(rb"(http://127\S+/oauth/v2/auth\S+)")
ALLOW = re.compile(r'id="allow" href="([^"]+)"')


async def _address(process: asyncio.subprocess.Process) -> str:
    """Read what the command prints until it names the address to open."""
    if process.stdout is None:
        raise AssertionError("the command has no output")
    async with asyncio.timeout(30):
        printed = b""
        while not ADDRESS.search(printed):
            line = await process.stdout.readline()
            assert line, printed.decode()
            printed += line
    found = ADDRESS.search(printed)
    assert found is not None
    return found.group(1).decode()


async def test_a_person_allows_the_access_in_a_browser(installation: Installation, free_port: int) -> None:
    """The printed address leads to the page, Allow leads back to the terminal, and orders are booked from then on.

    An answer with another state is refused, and none is good twice; the secret stands in no address.
    """
    await installation.apply()
    callback = f"http://127.0.0.1:{free_port}/callback"
    await installation.ledger.create_client(client_id=CLIENT_ID, client_secret=CLIENT_SECRET, redirect_uris=[callback])
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "consumer", "connect", "books", "--port", str(free_port), "--as", "tester"),
        cwd=ROOT,
        env=installation.environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    address = await _address(process)
    assert CLIENT_SECRET not in address
    async with httpx.AsyncClient(trust_env=False) as browser:
        forged = await browser.get(callback, params={"state": "another", "code": "stolen"})
        assert forged.status_code == 400
        page = await browser.get(address)
        allow = ALLOW.search(page.text)
        assert allow is not None
        back = await browser.get(installation.ledger.url + html.unescape(allow.group(1)))
        assert back.headers["location"].startswith(callback)
        answered = await browser.get(back.headers["location"])
        assert answered.status_code == 200
    async with asyncio.timeout(30):
        printed, _ = await process.communicate()
    assert process.returncode == 0, printed.decode()
    async with installation.process():
        await installation.publish("paid", [order("1001")])
        assert (await installation.synced(1))["1001"]["state"] == "booked"


async def test_doctor_finds_a_connection_that_was_never_authorised(installation: Installation) -> None:
    """Before `connect` doctor ends with 7 and says what to run; after it all is good."""
    await installation.apply()
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "consumer", "doctor"),
        cwd=ROOT,
        env=installation.environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    async with asyncio.timeout(60):
        printed, _ = await process.communicate()
    assert process.returncode == 7, printed.decode()
    assert "booked connect books" in printed.decode()
    await installation.connect()
    assert "0 wrong" in await installation.command("doctor")


async def test_doctor_makes_the_topics_and_lists_the_rights(installation: Installation) -> None:
    """Those of the installation and those of single shops; what is there already is compared and left alone."""
    own = f"{installation.topics['order.paid']}-own"
    installation.shops = {SHOP: {"topics": [own]}}
    await installation.apply()
    printed = await installation.command("doctor", "--acls", "--principal", "User:x")
    assert f"--allow-principal User:x --topic {own} --operation Read" in printed
    assert f"--group {installation.topics['order.paid']} --operation Read" in printed
    few = {"BOOKED_TOPIC_REPLICAS": "1", "BOOKED_TOPIC_PARTITIONS": "5"}
    code, first = await installation.try_command("doctor", "--create-topics", **few)
    assert (code, first.count("it was made"), first.count("partitions is 3 and not 5")) == (0, 1, 5), first
    code, second = await installation.try_command("doctor", "--create-topics", **few)
    assert (code, second.count("it was made"), second.count("it is as the settings have it")) == (0, 0, 1), second
    await delete_topics(installation.kafka_servers, [own])
