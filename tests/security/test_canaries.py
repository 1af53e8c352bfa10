"""No secret and no person gets out.

Canaries are planted everywhere, the program is driven through good and bad, and everything that leaves it is searched.
"""

import asyncio
import base64
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from consumer.config import read_settings
from consumer.secrets import Keyring
from tests.acceptance.installation import CLIENT_ID, Installation, ask_health, event
from tests.kafka_tools import publish, read_all
from tests.security.canaries import Canaries, columns_of, forms, leaks, order_of_canaries

LIST_TOKEN = "SHOP_LIST_TOKEN"
# Where personal data is meant to stand, and nowhere else: docs/privacy.md has the same with why and how long.
PERSONS_IN_COLUMNS = {
    "contact_links.customer_key",
    "contacts.contact",
    "contacts.email_key",
    "contacts.name",
    "contacts.name_key",
    "events.value",
    "exchanges.path",
    "exchanges.request",
    "exchanges.response",
    "intents.sought",
    "intents.subject",
    "orders.content",
    "rejected_events.headers",
    "rejected_events.record_key",
    "rejected_events.value",
}
# Commands whose purpose is to show a person's data, to who asks for it; each look is in the audit log.
SHOW_PERSONS = {"preview shop 1001", "rejected show"}
# The only bodies in which a secret travels: to the accounts server.
ACCOUNTS_PATH = "/oauth/v2/token"


@pytest.mark.parametrize("form", range(10))
def test_the_search_bites(form: int) -> None:
    """A canary is found in every form that it may take in a text: plain, escaped, encoded, in another case."""
    canary = "Qz0123456789abcdef+/ä"
    text = [
        canary,
        json.dumps({"a": canary}),
        "https://x.example/?q=Qz0123456789abcdef%2B%2F%C3%A4",
        canary.upper(),
        canary.encode().hex(),
        *(base64.b64encode(b"." * lead + canary.encode() + b"...").decode() for lead in range(5)),
    ][form]
    assert leaks({"log": b"before " + text.encode() + b" after"}, {"name": canary}) == {("log", "name")}
    assert leaks({"log": b"Qz0123456789 and nothing more"}, {"name": canary}) == set()
    assert len(set(forms(canary))) >= 8


def test_no_secret_stands_in_the_settings_repr_or_errors() -> None:
    """Not in the settings' repr or dump, nor in the error about any of them."""
    canaries = Canaries()
    key = base64.b64encode(b"k" * 32).decode()
    good = {
        "BOOKED_DATABASE_URL": f"postgresql://u:{canaries.secret('password')}@h/d",
        "BOOKED_KAFKA_SERVERS": "k:9092",
        "BOOKED_SECRET_KEYS": f"k1:{key}",
        "BOOKED_ZOHO_CLIENT_SECRET": canaries.secret("client"),
        "BOOKED_KAFKA_PASSWORD": canaries.secret("kafka"),
    }
    settings = read_settings(good)
    secrets = {**canaries.secrets, "key": key}
    told = {
        "repr": repr(settings),
        "str": str(settings),
        "dump": str(settings.model_dump()),
        "json": settings.model_dump_json(),
    }
    told["keyring"] = repr(Keyring.parse(good["BOOKED_SECRET_KEYS"]))
    for name, value in good.items():
        for wrong in (f"mysql://{value}", ""):
            try:
                made = read_settings({**good, name: wrong, "BOOKED_POOL_CONNECTIONS": "x"})
            except Exception as error:  # noqa: BLE001 whatever it is, its words are looked at
                told[f"{name}={wrong[:5]}"] = f"{error!r} {error} {error.__cause__!r} {error.__cause__}"
            else:
                told[f"{name}={wrong[:5]}"] = repr(made)
    assert leaks({place: text.encode() for place, text in told.items()}, secrets) == set()


def _faults(installation: Installation, canaries: Canaries) -> list[Mapping[str, Any]]:
    """Give what the ledger does wrong: it quotes the customer in a refusal, throttles, breaks, answers nonsense."""
    mine = {"organization_id": installation.organization.organization_id}
    contacts = {**mine, "method": "POST", "path_regex": "/contacts"}
    invoices = {**mine, "method": "POST", "path_regex": "/invoices"}
    quoting = {
        "code": 4,
        "message": f"Invalid value passed for {canaries.persons['email']} of {canaries.persons['last_name']}",
    }
    return [
        {
            "match": contacts,
            "nth": 1,
            "action": {"status": {"code": 429, "body": {"code": 44, "message": "slow down"}}},
        },
        {"match": invoices, "nth": 1, "action": "garbage"},
        {"match": invoices, "nth": 3, "action": "cut_after_commit"},
        {"match": invoices, "nth": 4, "action": {"status": {"code": 400, "body": quoting}}},
    ]


def _bad_values(canaries: Canaries) -> list[bytes]:
    """Give messages that are rejected, each with canaries where the fault is."""
    person = canaries.person
    whole = order_of_canaries(canaries, "2001")
    spoilt = [
        {**whole, "customer": {**whole["customer"], "email": {"at": person("email")}}},
        {**whole, "customer": {**whole["customer"], "first_name": [person("first_name")]}},
        {**whole, "billing_address": {**whole["billing_address"], "country": person("city")}},
        {**whole, "billing_address": person("street")},
        {**whole, "note": {"said": person("note")}},
        {**whole, "customer": {**whole["customer"], "tax_number": [person("tax_number")]}},
    ]
    values = [json.dumps(event("paid", one)).encode() for one in spoilt]
    return [
        *values,
        values[0][:-30],
        f"<order>{person('last_name')}</order>".encode(),
        values[0].replace(b"Mug", b"\xff"),
    ]


class _Told:
    """All that has left the program, by where it was seen."""

    def __init__(self) -> None:
        self.places: dict[str, bytes] = {}

    def add(self, place: str, content: str | bytes) -> None:
        """Keep something that was seen."""
        self.places[place] = content if isinstance(content, bytes) else content.encode()


async def _connect(installation: Installation, canaries: Canaries, told: _Told, environment: Mapping[str, str]) -> None:
    secret = environment["BOOKED_ZOHO_CLIENT_SECRET"]
    await installation.ledger.create_client(client_id=CLIENT_ID, client_secret=secret)
    wrong = canaries.secret("refused_code")
    told.add(
        "connect refused",
        (await installation.try_command("connect", "books", "--self-client", wrong, "--as", "t", **environment))[1],
    )
    canaries.secrets.pop("refused_code")  # it came on the command line, and is good for nothing
    code = await installation.ledger.create_code(client_id=CLIENT_ID)
    ended, said = await installation.try_command("connect", "books", "--self-client", code, "--as", "t", **environment)
    assert ended == 0, said
    told.add("connect", said)


async def _commands(installation: Installation, told: _Told, environment: Mapping[str, str]) -> None:
    """Run the commands that show something, and those that fail on wrong settings."""
    password = urlsplit(installation.database_url).password or ""
    away = f"postgresql://booked:{password}@127.0.0.1:1/none"
    sasl = {"BOOKED_KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT", "BOOKED_KAFKA_SASL_MECHANISM": "PLAIN"}
    runs: list[tuple[str, tuple[str, ...], dict[str, str]]] = [
        (" ".join(words), words, {})
        for words in (
            ("explain", "shop", "1001"),
            ("explain", "shop", "1003", "--json"),
            ("orders", "waiting"),
            ("orders", "parked"),
            ("parked", "--json"),
            ("doctor",),
            ("preview", "shop", "1001"),
            ("rejected", "list"),
            ("order", "show", "shop", "1001"),
            ("order", "hold", "shop", "1003", "--as", "t"),
            ("positions", "list"),
            ("keys", "check"),
            ("roles", "sql"),
            ("replay",),
        )
    ]
    runs += [
        ("doctor without database", ("doctor",), {"BOOKED_DATABASE_URL": away}),
        ("doctor with SASL", ("doctor",), {**sasl, "BOOKED_KAFKA_USERNAME": "u"}),
        ("keys of nonsense", ("keys", "check"), {"BOOKED_SECRET_KEYS": installation.key.replace(":", "")}),
        ("no such protocol", ("doctor",), {"BOOKED_DATABASE_URL": f"mysql://u:{password}@h/d"}),
    ]
    some = asyncio.Semaphore(4)

    async def run(name: str, words: tuple[str, ...], more: dict[str, str]) -> None:
        async with some:
            told.add(name, (await installation.try_command(*words, **{**environment, **more}))[1])

    await asyncio.gather(*(run(*one) for one in runs))


async def _topics(installation: Installation, told: _Told, rejected: int) -> None:
    for kind in ("invoice.synced", "order.rejected"):
        least = rejected if kind == "order.rejected" else 3
        records = await read_all(installation.kafka_servers, installation.topics[kind], least, timeout_seconds=120)
        told.add(kind, b"\n".join((r.key or b"") + (r.value or b"") + repr(r.headers).encode() for r in records))


def _tokens(canaries: Canaries, installation: Installation, columns: Mapping[str, bytes]) -> None:
    """Add the tokens that the ledger gave, opened with the installation's key."""
    keyring = Keyring.parse(installation.key)
    for column in ("refresh_token", "access_token"):
        canaries.secrets[column] = keyring.open(columns[f"tokens.{column}"].lstrip(b"\n"), bound_to=f"books/{column}")


async def test_no_canary_gets_out(installation: Installation, tmp_path: Path) -> None:
    """No canary in a log, output, metric, health, topic, address, or column that is not meant for it.

    After success, refusals, 401, 429, broken answers, rejected events, an exception, and every command that shows.
    """
    canaries, told = Canaries(), _Told()
    environment = {
        "BOOKED_ZOHO_CLIENT_SECRET": canaries.secret("client_secret"),
        "BOOKED_KAFKA_PASSWORD": canaries.secret("kafka_password"),
        LIST_TOKEN: canaries.secret("list_token"),
        "BOOKED_LOG_LEVEL": "debug",
    }
    canaries.secrets["key"] = installation.key.partition(":")[2]
    canaries.secrets["database_password"] = urlsplit(installation.database_url).password or ""
    order_list = {
        "url": "http://127.0.0.1:1/orders",
        "token_variable": LIST_TOKEN,
        "allow_private": True,
        "allow_http": True,
    }
    installation.shops["shop"] = {"automatic": True, "order_list": order_list}
    since = await installation.ledger.newest_request()
    told.add("apply", await installation.apply())
    await _connect(installation, canaries, told, environment)
    orders = [order_of_canaries(canaries, order_id) for order_id in ("1001", "1002", "1004", "1005")]
    orders.append(order_of_canaries(canaries, "1003", totals={"grand_total": "99.00"}))
    await installation.ledger.add_faults(*_faults(installation, canaries))
    bad = _bad_values(canaries)
    async with installation.process(**environment, BOOKED_FAILPOINTS="outcome_before_commit=raise@2") as running:
        assert _core_limit(running.pid) == "0"
        for value in bad:
            await publish(installation.kafka_servers, installation.topics["order.paid"], b"shop/2001", value)
        await installation.publish("paid", orders)
        await installation.until_stands("1003", "parked")
        await installation.ledger.expire_tokens()
        # The 429 stops all calls for a minute, so that this takes longer than that.
        assert len(await installation.synced(4, timeout_seconds=150)) >= 4
        for path in ("/metrics", "/readyz", "/livez"):
            told.add(path, (await ask_health(running, path))[1])
        await _topics(installation, told, len(bad))
    told.add("log", (tmp_path / "booked.log").read_bytes())
    await _commands(installation, told, environment)
    columns = await columns_of(installation.database_url)
    _tokens(canaries, installation, columns)
    shown = (await installation.try_command("rejected", "show", "1", **environment))[1]
    told.add("rejected show", shown)
    for request in await installation.ledger.requests(since=since, limit=5000):
        place = "address of the ledger" if request["path"] != ACCOUNTS_PATH else "address of the accounts server"
        told.places[place] = told.places.get(place, b"") + f"{request['path']}?{request['query']}\n".encode()
        if request["path"] != ACCOUNTS_PATH:
            told.places["body"] = told.places.get("body", b"") + str(request["body"]).encode()
    assert b"FailpointError" in told.places["log"], "the exception was not met"
    everything = {**told.places, **columns}
    assert leaks(everything, canaries.secrets) == set()
    meant = PERSONS_IN_COLUMNS | SHOW_PERSONS | {"body", "address of the ledger"}
    assert sorted({place for place, _ in leaks(everything, canaries.persons)} - meant) == []
    # The search bites on what is there: the places that are meant for persons hold them.
    assert {place for place, _ in leaks(everything, canaries.persons)} >= {"orders.content", "events.value", "body"}


def _core_limit(pid: int | None) -> str:
    for line in Path(f"/proc/{pid}/limits").read_text().splitlines():
        if line.startswith("Max core file size"):
            return line.split()[4]
    return "not told"
