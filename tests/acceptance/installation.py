"""One installation of Booked for a test, driven as its user would: by the command, the environment and the topics."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import yaml
from prometheus_client.parser import text_string_to_metric_families

from consumer.secrets import generate_key
from sandbox.processes import Process, json_line
from sandbox.zoho.client import ControlClient, Founded
from tests.acceptance.waiting import until
from tests.kafka_tools import producer, read_all

ROOT = Path(__file__).resolve().parents[2]
SHOP = "shop"
CLIENT_ID = "acceptance"
CLIENT_SECRET = "a-secret-of-the-test"
# What Booked and the stand-in are both told, so that the same pacing runs in seconds.
FAST = {
    "calls_per_minute": 6000,
    "calls_per_day": 1_000_000,
    "burst_calls": 100,
    "call_deadline_seconds": 2.0,
    "settle_seconds": 1.0,
    "settle_seconds_with_unique_field": 1.0,
    "look_again_seconds": 0.5,
}
EVENTS = {"paid": "order.paid", "updated": "order.updated", "cancelled": "order.cancelled"}


class CommandError(AssertionError):
    """A command ended otherwise than with 0; the message holds what it printed."""


@dataclass(slots=True, kw_only=True)
class Installation:
    """Names and addresses of one installation, and what a person does with it."""

    folder: Path
    kafka_servers: str
    database_url: str
    ledger: ControlClient
    organization: Founded
    topics: Mapping[str, str]
    key: str = field(default_factory=lambda: f"k1:{generate_key()}")
    shops: dict[str, dict[str, Any]] = field(default_factory=lambda: {SHOP: {"automatic": True}})
    limits: dict[str, Any] = field(default_factory=lambda: dict(FAST))
    unique_field: str | None = None
    more_connections: dict[str, dict[str, Any]] = field(default_factory=dict)
    with_organization_id: bool = True
    command_seconds: float = 60.0

    @property
    def environment(self) -> dict[str, str]:
        """Give the environment of every command and process."""
        mine = {
            "BOOKED_ENVIRONMENT": "development",
            "BOOKED_KAFKA_SERVERS": self.kafka_servers,
            "BOOKED_DATABASE_URL": self.database_url,
            # Servers of a sandbox may stand in containers with addresses of their own, and know no certificates.
            "BOOKED_DATABASE_TLS": "disable",
            "BOOKED_KAFKA_SECURITY_PROTOCOL": "PLAINTEXT",
            "BOOKED_SECRET_KEYS": self.key,
            "BOOKED_SANDBOX_LEDGER_URL": self.ledger.url,
            "BOOKED_ZOHO_CLIENT_ID": CLIENT_ID,
            "BOOKED_ZOHO_CLIENT_SECRET": CLIENT_SECRET,
            "BOOKED_HTTP_HOST": "127.0.0.1",
            "BOOKED_HTTP_PORT": "0",
            "BOOKED_CONSUMER_GROUP": self.topics["order.paid"],
            "BOOKED_LOG_LEVEL": "info",
            **{f"BOOKED_TOPIC_{kind.upper().replace('.', '_')}": name for kind, name in self.topics.items()},
        }
        kept = {name: value for name, value in os.environ.items() if not name.startswith("BOOKED_")}
        return {**kept, **mine}

    async def command(self, *words: str) -> str:
        """Run one `booked` command to its end and give what it printed. Raises CommandError."""
        code, printed = await self.try_command(*words)
        if code != 0:
            raise CommandError(f"booked {' '.join(words)} ended with {code}: {printed}")
        return printed

    async def try_command(self, *words: str, **environment: str) -> tuple[int, str]:
        """Run one `booked` command, with some settings changed, and give its exit code and what it printed."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "consumer",
            *words,
            cwd=ROOT,
            env={**self.environment, **environment},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        try:
            async with asyncio.timeout(self.command_seconds):
                printed, _ = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        return process.returncode or 0, printed.decode()

    async def story(self, order_id: str, shop_id: str = SHOP) -> dict[str, Any]:
        """Give what `booked explain --json` tells of an order; empty where nothing is known of it yet."""
        code, printed = await self.try_command("explain", shop_id, order_id, "--json")
        if code == 5:
            return {}
        assert code == 0, printed
        told: dict[str, Any] = json.loads(printed)
        return told

    async def until_stands(self, order_id: str, state: str, reason: str | None = None, shop_id: str = SHOP) -> Any:
        """Wait until `booked explain` tells that the order has this state for this reason; gives what it tells."""

        def so(told: dict[str, Any]) -> bool:
            code = told["reason"]["code"] if told.get("reason") else None
            return told.get("state") == state and (reason is None or code == reason)

        what = f"{shop_id}/{order_id} is {state} ({reason})"
        return await until(lambda: self.story(order_id, shop_id), so, what=what)

    async def apply(self, *, dry_run: bool = False) -> str:
        """Write shops.yaml and apply it."""
        connection: dict[str, Any] = {"data_center": "sandbox", "limits": self.limits}
        if self.with_organization_id:
            connection["organization_id"] = self.organization.organization_id
        if self.unique_field is not None:
            connection["unique_field"] = self.unique_field
        shops = {name: {"connection": "books", **settings} for name, settings in self.shops.items()}
        file = self.folder / "shops.yaml"
        connections = {"books": connection, **self.more_connections}
        file.write_text(yaml.safe_dump({"connections": connections, "shops": shops}), encoding="utf-8")
        return await self.command("apply", str(file), "--as", "tester", *(["--dry-run"] if dry_run else []))

    async def connect(self, connection: str = "books") -> None:
        """Authorise a connection with a self client's code."""
        await self.ledger.create_client(client_id=CLIENT_ID, client_secret=CLIENT_SECRET)
        code = await self.ledger.create_code(client_id=CLIENT_ID)
        await self.command("connect", connection, "--self-client", code, "--as", "tester")

    def process(self, *parts: str, name: str = "booked", **environment: str) -> Process:
        """Make a `booked run` process, of all parts or some; start it with ``async with``.

        It counts as started when its health is served. ``environment`` are settings to change.
        """
        only = [word for part in parts for word in ("--only", part)]
        return Process(
            name=name,
            command=[sys.executable, "-m", "consumer", "run", *only],
            log_file=self.folder / f"{name}.log",
            environment={**self.environment, **environment},
            ready=lambda process: json_line(process, "listens"),
            stop_timeout_seconds=40,  # longer than Booked's own deadline: a test must see that it keeps it
        )

    async def publish(self, kind: str, orders: Sequence[Mapping[str, Any]]) -> None:
        """Publish events of one kind and return when the broker has acknowledged all."""
        async with producer(self.kafka_servers) as sender:
            waits = []
            for order in orders:
                key = f"{order['shop_id']}/{order['order_id']}".encode()
                value = json.dumps(event(kind, order)).encode()
                waits.append(await sender.send(self.topics[EVENTS[kind]], value, key=key))
            await asyncio.gather(*waits)

    async def synced(self, orders: int, *, state: str | None = None, timeout_seconds: float = 60) -> dict[str, Any]:
        """Wait until so many orders have an invoice.synced (of a state); the newest of each, by order id."""

        def wanted(records: Sequence[Any]) -> dict[str, Any]:
            newest = newest_of_each(records)
            return {key: data for key, data in newest.items() if state is None or data["state"] == state}

        records = await read_all(
            self.kafka_servers,
            self.topics["invoice.synced"],
            lambda records: len(wanted(records)) >= orders,
            timeout_seconds=timeout_seconds,
        )
        return wanted(records)

    async def told(self, order_id: str, **wanted: Any) -> dict[str, Any]:
        """Wait until the newest invoice.synced of an order has these values; gives its data."""

        def so(records: Sequence[Any]) -> bool:
            data = newest_of_each(records).get(order_id, {})
            return bool(data) and wanted.items() <= data.items()

        records = await read_all(self.kafka_servers, self.topics["invoice.synced"], so, timeout_seconds=60)
        newest: dict[str, Any] = newest_of_each(records)[order_id]
        return newest

    async def books(self, organization_id: str | None = None) -> dict[str, Any]:
        """Give an organisation's whole books, as the ledger itself has them."""
        return await self.ledger.ledger(organization_id or self.organization.organization_id)

    async def live_invoices(self, organization_id: str | None = None) -> dict[str, list[dict[str, Any]]]:
        """Give the live invoices by reference, from the ledger's books."""
        found: dict[str, list[dict[str, Any]]] = {}
        for invoice in (await self.books(organization_id))["invoices"]:
            if invoice["status"] != "void":
                found.setdefault(invoice["reference_number"], []).append(invoice)
        return found


def newest_of_each(records: Sequence[Any]) -> dict[str, Any]:
    """Give the data of the message with the greatest sequence of each order, by order id."""
    found: dict[str, Any] = {}
    for record in records:
        data = json.loads(record.value)["data"]
        known = found.get(data["order_id"])
        if known is None or known["sequence"] < data["sequence"]:
            found[data["order_id"]] = data
    return found


async def ask_health(process: Process, path: str) -> tuple[int, str]:
    """Ask a running process /livez, /readyz or /metrics; its status and its text."""
    address = (await json_line(process, "listens"))["listens"]
    async with httpx.AsyncClient(timeout=10, trust_env=False) as client:
        answer = await client.get(f"http://{address}{path}")
    return answer.status_code, answer.text


async def metric(process: Process, name: str, **labels: str) -> float:
    """Read one figure of /metrics, summed over all labels that are not named; 0 where there is none."""
    _, text = await ask_health(process, "/metrics")
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    return sum(s.value for s in samples if s.name == name and labels.items() <= s.labels.items())


def event(kind: str, order: Mapping[str, Any]) -> dict[str, Any]:
    """Give a structured CloudEvent of an order."""
    version = order.get("version", 1)
    return {
        "specversion": "1.0",
        "id": f"{order['order_id']}-{kind}-{version}",
        "source": "/shops/test",
        "type": f"test.order.{kind}.v1",
        "time": datetime.now(UTC).isoformat(),
        "datacontenttype": "application/json",
        "data": order,
    }


def order(
    order_id: str, *, price: str = "10.00", total: str = "12.20", email: str | None = None, **more: Any
) -> dict[str, Any]:
    """Give a paid order of one mug at 22 % VAT, net; other customers for other ids unless an e-mail is named."""
    return {
        "shop_id": SHOP,
        "order_id": order_id,
        "number": f"N-{order_id}",
        "version": 1,
        "paid_at": datetime.now(UTC).isoformat(),
        "currency": "EUR",
        "prices_include_tax": False,
        "customer": {"email": email or f"buyer-{order_id}@shop.example", "name": f"Buyer {order_id}"},
        "billing_address": {"street": "Via Roma", "house_number": "1", "city": "Roma", "country": "IT"},
        "lines": [{"name": "Mug", "quantity": "1", "unit_price": price, "taxes": [{"rate": "22"}]}],
        "totals": {"grand_total": total},
        **more,
    }


ORGANIZATION = {
    "name": "Acceptance",
    "currency_code": "EUR",
    "time_zone": "Europe/Rome",
    "country_code": "IT",
    "taxes": [{"tax_name": "VAT 22", "tax_percentage": 22}, {"tax_name": "VAT 10", "tax_percentage": 10}],
    "limits": {"per_minute": 6000, "per_day": 1_000_000, "concurrent": 10},
}


@asynccontextmanager
async def installed(
    *,
    folder: Path,
    kafka_servers: str,
    database_url: str,
    ledger_url: str,
    make_topic: Any,
    organization: Mapping[str, Any] | None = None,
    partitions: int = 3,
) -> AsyncIterator[Installation]:
    """Make an installation: topics, an organisation, migrated database, applied shops, an authorised connection."""
    kinds = ("order.paid", "order.updated", "order.cancelled", "invoice.synced", "order.rejected")
    topics = {kind: await make_topic(partitions, prefix=kind) for kind in kinds}
    async with ControlClient(ledger_url) as ledger:
        founded = await ledger.create_organization(**(organization or ORGANIZATION))
        yield Installation(
            folder=folder,
            kafka_servers=kafka_servers,
            database_url=database_url,
            ledger=ledger,
            organization=founded,
            topics=topics,
        )
