"""Runs tests against other versions: ``python -m tests.connections --postgres 14 --kafka 3 -- tests/conformance -q``.

What is left out is the sandbox's own version. The servers end with the tests, whose exit code is that of the program.
"""

import argparse
import asyncio
import os
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack

from sandbox.folders import sandbox_folder
from sandbox.kafka import Kafka
from sandbox.postgres import Postgres
from tests.connections.other_versions import KAFKA_VERSIONS, POSTGRES_VERSIONS, OtherKafka, OtherPostgres


async def run(postgres: int | None, kafka: int | None, words: Sequence[str]) -> int:
    """Start both, run pytest with these words, and give its exit code."""
    with sandbox_folder() as folder:
        async with AsyncExitStack() as stack:
            database: Postgres = Postgres(folder=folder / "postgres")
            if postgres is not None:
                database = OtherPostgres(folder=folder / "postgres", major=postgres)
            broker: Kafka = Kafka(folder=folder / "kafka")
            if kafka is not None:
                broker = OtherKafka(folder=folder / "kafka", major=kafka)
            await asyncio.gather(stack.enter_async_context(database), stack.enter_async_context(broker))
            given = {
                "SANDBOX": "given",
                "BOOKED_KAFKA_SERVERS": broker.servers,
                "BOOKED_DATABASE_URL": database.url,
            }
            tests = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "pytest", *words, env={**os.environ, **given}
            )
            return await tests.wait()


def main() -> int:
    """Read the words of the command."""
    parser = argparse.ArgumentParser(prog="python -m tests.connections")
    parser.add_argument("--postgres", type=int, choices=sorted(POSTGRES_VERSIONS))
    parser.add_argument("--kafka", type=int, choices=sorted(KAFKA_VERSIONS))
    parser.add_argument("words", nargs="+", help="what pytest is to run")
    given = parser.parse_args()
    return asyncio.run(run(given.postgres, given.kafka, given.words))


if __name__ == "__main__":
    sys.exit(main())
