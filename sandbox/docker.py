"""The same two servers in Docker containers, through testcontainers.

Their containers end with the sandbox; after a crash or ``kill -9`` testcontainers' own reaper removes them, unless it
is switched off (``TESTCONTAINERS_RYUK_DISABLED=true``). This module is imported only where Docker is asked for.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

from docker.errors import DockerException  # type: ignore[import-untyped] # the package ships no types
from testcontainers.community.kafka import KafkaContainer
from testcontainers.community.postgres import PostgresContainer

from sandbox import kafka, postgres
from sandbox.errors import SandboxError
from sandbox.progress import Narrator

KAFKA_IMAGE = "confluentinc/cp-kafka:7.6.0"
POSTGRES_IMAGE = "postgres:16"
ANSWER_TIMEOUT_SECONDS = 60.0


@contextlib.asynccontextmanager
async def docker_kafka(narrator: Narrator, *, message_max_bytes: int) -> AsyncIterator[str]:
    """A broker in a container; its address. Raises `SandboxError` where Docker does not give one."""
    narrator.say(f"Docker starts {KAFKA_IMAGE}")
    async with _started(lambda: _kafka_container(message_max_bytes), KAFKA_IMAGE) as container:
        servers = str(await asyncio.to_thread(container.get_bootstrap_server))
        await asyncio.wait_for(kafka.until_answering(servers), ANSWER_TIMEOUT_SECONDS)
        yield servers


@contextlib.asynccontextmanager
async def docker_postgres(narrator: Narrator) -> AsyncIterator[str]:
    """A database server in a container; the address of its first database, whose user is a superuser."""
    narrator.say(f"Docker starts {POSTGRES_IMAGE}")
    async with _started(lambda: PostgresContainer(POSTGRES_IMAGE, driver=None), POSTGRES_IMAGE) as container:
        url = str(await asyncio.to_thread(container.get_connection_url))
        await asyncio.wait_for(postgres.until_answering(url), ANSWER_TIMEOUT_SECONDS)
        yield url


def _kafka_container(message_max_bytes: int) -> Any:
    container = KafkaContainer(KAFKA_IMAGE).with_kraft()
    for key, value in kafka.SHARED_PROPERTIES.items():
        container = container.with_env(f"KAFKA_{key.upper().replace('.', '_')}", str(value))
    return container.with_env("KAFKA_MESSAGE_MAX_BYTES", str(message_max_bytes))


@contextlib.asynccontextmanager
async def _started(make: Any, image: str) -> AsyncIterator[Any]:
    """Make, start and, at the end, remove a container; in threads, because testcontainers blocks.

    Already the making asks Docker for its version.
    """
    try:
        container = await asyncio.to_thread(make)
        await asyncio.to_thread(container.start)
    except (DockerException, OSError, RuntimeError, TimeoutError) as error:
        raise SandboxError(
            f"Docker did not start {image}: {error}. Check that `docker info` answers and that the image can be "
            "pulled, or use SANDBOX=embedded, which needs no Docker."
        ) from error
    try:
        yield container
    finally:
        await asyncio.to_thread(container.stop)
