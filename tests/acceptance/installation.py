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

import yaml

from consumer.secrets import generate_key
from sandbox.processes import Process
from sandbox.zoho.client import ControlClient, Founded
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

    @property
    def environment(self) -> dict[str, str]:
        """Give the environment of every command and process."""
        mine = {
            "BOOKED_ENVIRONMENT": "development",
            "BOOKED_KAFKA_SERVERS": self.kafka_servers,
            "BOOKED_DATABASE_URL": self.database_url,
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
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "consumer",
            *words,
            cwd=ROOT,
            env=self.environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        async with asyncio.timeout(60):
            printed, _ = await process.communicate()
        if process.returncode != 0:
            raise CommandError(f"booked {' '.join(words)} ended with {process.returncode}: {printed.decode()}")
        return printed.decode()

    async def apply(self, *, dry_run: bool = False) -> str:
        """Write shops.yaml and apply it."""
        connection: dict[str, Any] = {
            "data_center": "sandbox",
            "organization_id": self.organization.organization_id,
            "limits": self.limits,
        }
        if self.unique_field is not None:
            connection["unique_field"] = self.unique_field
        shops = {name: {"connection": "books", **settings} for name, settings in self.shops.items()}
        file = self.folder / "shops.yaml"
        file.write_text(yaml.safe_dump({"connections": {"books": connection}, "shops": shops}), encoding="utf-8")
        return await self.command("apply", str(file), "--as", "tester", *(["--dry-run"] if dry_run else []))

    async def connect(self) -> None:
        """Authorise the connection with a self client's code."""
        await self.ledger.create_client(client_id=CLIENT_ID, client_secret=CLIENT_SECRET)
        code = await self.ledger.create_code(client_id=CLIENT_ID)
        await self.command("connect", "books", "--self-client", code, "--as", "tester")

    def process(self, *parts: str, name: str = "booked") -> Process:
        """Make a `booked run` process, of all parts or some; start it with ``async with``."""
        only = [word for part in parts for word in ("--only", part)]
        return Process(
            name=name,
            command=[sys.executable, "-m", "consumer", "run", *only],
            log_file=self.folder / f"{name}.log",
            environment=self.environment,
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

        def newest(records: Sequence[Any]) -> dict[str, Any]:
            found: dict[str, Any] = {}
            for record in records:
                data = json.loads(record.value)["data"]
                known = found.get(data["order_id"])
                if known is None or known["sequence"] < data["sequence"]:
                    found[data["order_id"]] = data
            return {key: data for key, data in found.items() if state is None or data["state"] == state}

        records = await read_all(
            self.kafka_servers,
            self.topics["invoice.synced"],
            lambda records: len(newest(records)) >= orders,
            timeout_seconds=timeout_seconds,
        )
        return newest(records)

    async def books(self) -> dict[str, Any]:
        """Give the organisation's whole books, as the ledger itself has them."""
        return await self.ledger.ledger(self.organization.organization_id)

    async def live_invoices(self) -> dict[str, list[dict[str, Any]]]:
        """Give the live invoices by reference, from the ledger's books."""
        found: dict[str, list[dict[str, Any]]] = {}
        for invoice in (await self.books())["invoices"]:
            if invoice["status"] != "void":
                found.setdefault(invoice["reference_number"], []).append(invoice)
        return found


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
