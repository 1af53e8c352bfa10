"""Booked as its user runs it: environment variables, a shops.yaml, the commands, and one process of `booked run`."""

import asyncio
import base64
import os
import secrets
import sys
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import yaml

from sandbox.errors import SandboxError
from sandbox.ports import LOOPBACK, free_port
from sandbox.processes import Process
from sandbox.shop.events import Topics
from sandbox.zoho.client import CLIENT_ID, CLIENT_SECRET

ROOT = Path(__file__).resolve().parents[2]
PERSON = "demo"
COMMAND_TIMEOUT_SECONDS = 60.0
READY_TIMEOUT_SECONDS = 60.0
POLL_SECONDS = 0.05
KEY_BYTES = 32
# Everything that the orders were paid after: old orders of somebody's own are to be booked too.
BOOK_FROM = "2000-01-01T00:00:00Z"


@dataclass(frozen=True, slots=True, kw_only=True)
class Books:
    """One connection of shops.yaml: an organisation, its shops, and the limits that Booked is told of it.

    ``limits`` are settings of shops.yaml; empty means Zoho's own. A ``platform`` is in whose words its shop's orders
    come, on ``platform_topic``; empty means our own.
    """

    connection: str
    organization_id: str
    unique_field: str
    shops: tuple[str, ...]
    limits: Mapping[str, int]
    platform: str = ""
    platform_topic: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Booked:
    """One installation. ``folder`` takes shops.yaml and the logs; ``http_port`` is where health and metrics are."""

    folder: Path
    kafka_servers: str
    database_url: str
    ledger_url: str
    topics: Topics
    secret_keys: str
    http_port: int

    @property
    def metrics_url(self) -> str:
        """Give the address of the metrics."""
        return f"http://{LOOPBACK}:{self.http_port}/metrics"

    def environment(self) -> dict[str, str]:
        """Give the whole environment of a command."""
        # A BOOKED_ variable of the caller would be taken for a setting of this installation.
        others = {name: value for name, value in os.environ.items() if not name.startswith("BOOKED_")}
        return others | {
            "PYTHONPATH": os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH")))),
            "BOOKED_ENVIRONMENT": "development",
            "BOOKED_INSTALLATION": "demo",
            "BOOKED_KAFKA_SERVERS": self.kafka_servers,
            "BOOKED_DATABASE_URL": self.database_url,
            # Servers of a sandbox may stand in containers with addresses of their own, and know no certificates.
            "BOOKED_DATABASE_TLS": "disable",
            "BOOKED_KAFKA_SECURITY_PROTOCOL": "PLAINTEXT",
            "BOOKED_SECRET_KEYS": self.secret_keys,
            "BOOKED_SANDBOX_LEDGER_URL": self.ledger_url,
            "BOOKED_ZOHO_CLIENT_ID": CLIENT_ID,
            "BOOKED_ZOHO_CLIENT_SECRET": CLIENT_SECRET,
            "BOOKED_HTTP_HOST": LOOPBACK,
            "BOOKED_HTTP_PORT": str(self.http_port),
            "BOOKED_CONSUMER_GROUP": f"{self.topics.paid}-demo",
            "BOOKED_TOPIC_ORDER_PAID": self.topics.paid,
            "BOOKED_TOPIC_ORDER_UPDATED": self.topics.updated,
            "BOOKED_TOPIC_ORDER_CANCELLED": self.topics.cancelled,
            "BOOKED_TOPIC_INVOICE_SYNCED": self.topics.synced,
            "BOOKED_TOPIC_ORDER_REJECTED": self.topics.rejected,
        }

    def another(self, folder: Path) -> "Booked":
        """Give a further process's view of this installation: a port and a folder of its own, the same of all else."""
        folder.mkdir(exist_ok=True)
        return replace(self, folder=folder, http_port=free_port())

    async def command(self, *words: str, codes: Collection[int] = (0,)) -> None:
        """Run one command to its end; raises SandboxError with what it printed where it ends with another code."""
        name = f"booked {words[0]}"
        log_file = self.folder / f"booked-{'-'.join(word for word in words[:2] if os.sep not in word)}.log"
        async with self._process(words, name=name, log_file=log_file) as process:
            try:
                code = await asyncio.wait_for(process.wait(), COMMAND_TIMEOUT_SECONDS)
            except TimeoutError:
                raise SandboxError(f"{name} did not end within {COMMAND_TIMEOUT_SECONDS:g} seconds") from None
            if code not in codes:
                raise SandboxError(f"{name} ended with code {code}:\n{process.log_tail()}")

    def run(self) -> Process:
        """Give `booked run`, ready once it says so itself; for use in an ``async with``."""
        return self._process(
            ("run",),
            name="booked run",
            log_file=self.folder / "booked-run.log",
            ready=lambda _process: self._until_ready(),
        )

    def figures(self) -> Process:
        """Give `booked figures`, the small process that shows the database's figures alone."""
        return self._process(
            ("figures",),
            name="booked figures",
            log_file=self.folder / "booked-figures.log",
            ready=lambda _process: self._until_ready(),
        )

    def _process(self, words: Sequence[str], *, name: str, log_file: Path, ready: Any = None) -> Process:
        return Process(
            name=name,
            command=[sys.executable, "-m", "consumer", *words],
            log_file=log_file,
            environment=self.environment(),
            ready=ready,
            start_timeout_seconds=READY_TIMEOUT_SECONDS,
        )

    async def _until_ready(self) -> None:
        async with httpx.AsyncClient(base_url=f"http://{LOOPBACK}:{self.http_port}", trust_env=False) as client:
            while True:
                if await _is_ready(client):
                    return
                await asyncio.sleep(POLL_SECONDS)


async def _is_ready(client: httpx.AsyncClient) -> bool:
    try:
        return (await client.get("/readyz")).is_success
    except httpx.TransportError:
        # Nothing listens yet.
        return False


def new_installation(*, folder: Path, database_url: str, ledger_url: str, kafka_servers: str, topics: Topics) -> Booked:
    """Give an installation with a new key for its secrets and a free port."""
    key = base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()
    return Booked(
        folder=folder,
        kafka_servers=kafka_servers,
        database_url=database_url,
        ledger_url=ledger_url,
        topics=topics,
        secret_keys=f"demo:{key}",
        http_port=free_port(),
    )


def write_shops_file(file: Path, connections: Sequence[Books], *, time_zone: str) -> None:
    """Write the shops.yaml of these connections: automatic sending on, for orders of any age."""
    content = {
        "connections": {one.connection: _connection(one) for one in connections},
        "shops": {shop: _shop(one, time_zone) for one in connections for shop in one.shops},
    }
    file.write_text(yaml.safe_dump(content, sort_keys=False, allow_unicode=True), encoding="utf-8")


def _connection(books: Books) -> dict[str, Any]:
    settings: dict[str, Any] = {
        "data_center": "sandbox",
        "organization_id": books.organization_id,
        "unique_field": books.unique_field,
    }
    return settings | ({"limits": dict(books.limits)} if books.limits else {})


def _shop(books: Books, time_zone: str) -> dict[str, Any]:
    shop: dict[str, Any] = {
        "connection": books.connection,
        "automatic": True,
        "book_from": BOOK_FROM,
        "time_zone": time_zone,
        # The demo compares each invoice with the whole order; what was given back of one comes after it was sent.
        "refund_on_draft": "credit_note_later",
    }
    if books.platform:
        shop |= {"source": books.platform, "topics": [books.platform_topic]}
    return shop | ({"reference": "{shop_id}/{order_id}"} if len(books.shops) > 1 else {})
