"""A whole installation with servers of its own, for the benchmarks that run `booked run` as a process."""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from consumer.adapters.postgres.migrations import migrate
from sandbox.folders import sandbox_folder
from sandbox.kafka import Kafka, create_topics
from sandbox.postgres import Postgres, create_database
from sandbox.processes import Process, json_line
from tests.acceptance.installation import Installation, installed


@asynccontextmanager
async def whole_installation(*, partitions: int = 3) -> AsyncIterator[Installation]:
    """Start broker, database and stand-in, and give an installation on them; nothing is applied or connected yet."""
    with sandbox_folder() as folder:
        kafka, postgres = Kafka(folder=folder / "kafka", fast_start=False), Postgres(folder=folder / "postgres")
        ledger = Process(
            name="stand-in",
            command=[sys.executable, "-m", "sandbox.zoho", "--state", str(folder / "books.sqlite")],
            log_file=folder / "stand-in.log",
            ready=lambda process: json_line(process, "url"),
        )
        async with kafka, postgres, ledger:
            database_url = await create_database(postgres.url, "booked")
            await migrate(database_url)

            async def make_topic(count: int, prefix: str) -> str:
                await create_topics(kafka.servers, {prefix: count})
                return prefix

            async with installed(
                folder=folder,
                kafka_servers=kafka.servers,
                database_url=database_url,
                ledger_url=str((await json_line(ledger, "url"))["url"]),
                make_topic=make_topic,
                partitions=partitions,
            ) as installation:
                yield installation
