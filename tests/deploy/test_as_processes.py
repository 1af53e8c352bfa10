"""The manifests driven as processes: what a cluster would run, from the built YAML, against the sandbox's servers."""

import asyncio
import json
import signal
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

import psutil
import pytest
import yaml

from sandbox.processes import Process, running_as_root
from tests.acceptance.installation import (
    CLIENT_ID,
    CLIENT_SECRET,
    FAST,
    SHOP,
    Installation,
    installed,
    metric,
    order,
)
from tests.acceptance.waiting import until
from tests.deploy.built import ROOT, Document, with_components, workload, workloads
from tests.deploy.node import Node, Prober, as_user, user_of
from tests.server_fixtures import MakeTopic

pytestmark = pytest.mark.acceptance
Built = Sequence[Document]


@pytest.fixture
async def installation(
    tmp_path: Path, kafka_servers: str, database_url: str, zoho_url: str, topics: MakeTopic
) -> AsyncIterator[Installation]:
    """Servers, topics and an organisation; the database is empty, and nothing is set up."""
    async with installed(
        folder=tmp_path,
        kafka_servers=kafka_servers,
        database_url=database_url,
        ledger_url=zoho_url,
        make_topic=topics,
    ) as made:
        yield made


@pytest.fixture
def disk() -> Iterator[Path]:
    """A folder that the pods' user can reach, which pytest's own are closed to."""
    with tempfile.TemporaryDirectory(prefix="booked-node-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.fixture
def node(overlays: Mapping[str, Built], installation: Installation, disk: Path) -> Node:
    """A node that runs the overlay dev, in front of the sandbox's servers."""
    given = installation.environment
    named = {name for name in given if name.startswith("BOOKED_TOPIC_")}
    named |= {"BOOKED_KAFKA_SERVERS", "BOOKED_SANDBOX_LEDGER_URL", "BOOKED_CONSUMER_GROUP"}
    connection = {
        "data_center": "sandbox",
        "organization_id": installation.organization.organization_id,
        "limits": FAST,
    }
    shops = {"connections": {"books": connection}, "shops": {SHOP: {"connection": "books", "automatic": True}}}
    services = {
        "database-url": installation.database_url,
        "secret-keys": installation.key,
        "zoho-client-id": CLIENT_ID,
        "zoho-client-secret": CLIENT_SECRET,
    }
    return Node(
        built=overlays["dev"],
        folder=disk,
        secrets={"booked": services, "booked-owner": {"database-url": installation.database_url}},
        configs={"booked-shops": {"shops.yaml": yaml.safe_dump(shops)}},
        # Pods have addresses of their own; processes of one machine need other ports.
        settings={name: given[name] for name in named} | {"BOOKED_HTTP_PORT": "0", "BOOKED_HTTP_HOST": "127.0.0.1"},
    )


async def _set_up(node: Node, installation: Installation) -> None:
    """Do what docs/deploy.md says for an empty cluster: migrate, apply, connect."""
    await node.job("booked-migrate")
    await node.job("booked-apply")
    await installation.ledger.create_client(client_id=CLIENT_ID, client_secret=CLIENT_SECRET)
    code = await installation.ledger.create_code(client_id=CLIENT_ID)
    await node.job("booked", words=["connect", "books", "--self-client", code, "--as", "tester"], pod="exec")


async def _end(process: Process, grace_seconds: float) -> int:
    """Send SIGTERM as the kubelet does, and give the exit code; fails where it would have been killed."""
    psutil.Process(process.pid).send_signal(signal.SIGTERM)
    return await asyncio.wait_for(process.wait(), grace_seconds)


async def test_from_an_empty_cluster_to_the_first_invoice(node: Node, installation: Installation) -> None:
    """Jobs, Deployment and CronJobs as written: orders are booked, a drained pod loses nothing, jobs end with 0."""
    consumer = workload(node.built, "booked")
    await _set_up(node, installation)
    async with node.process("booked", pod="a") as first, node.process("booked", pod="b") as second:
        for process in (first, second):
            prober = Prober(consumer, process)
            await prober.started()
            await prober.ready()
            assert await prober.ask("liveness")
            if as_user(consumer):
                assert psutil.Process(process.pid).uids().real == user_of(consumer)[0]
        await installation.publish("paid", [order("K-1"), order("K-2")])
        await installation.synced(2, state="booked")
        report = _report(await node.job("booked-replay"))
        assert (report["missing"], report["gaps_open"], report["difference"]) == (0, 0, 0)
        # A drain: one pod ends, while the next order comes in.
        await installation.publish("paid", [order("K-3")])
        assert await _end(first, consumer.pod["terminationGracePeriodSeconds"]) == 0, first.log_tail()
        await installation.synced(3, state="booked")
        assert _report(await node.job("booked-retention"))
        assert await _end(second, consumer.pod["terminationGracePeriodSeconds"]) == 0, second.log_tail()
    made = await installation.live_invoices()
    assert {name: len(invoices) for name, invoices in made.items()} == {"K-1": 1, "K-2": 1, "K-3": 1}


def _report(printed: str) -> dict[str, Any]:
    report: dict[str, Any] = json.loads(printed[printed.index("{") :])
    return report


async def test_the_figures_outlive_the_consumer(node: Node, installation: Installation, tmp_path: Path) -> None:
    """The component monitoring's own process tells the age of the oldest order while no consumer runs."""
    await _set_up(node, installation)
    async with node.process("booked") as process:
        await Prober(workload(node.built, "booked"), process).ready()
        await installation.ledger.set_latency(30)
        await installation.publish("paid", [order("K-9")])
        await until(lambda: metric(process, "booked_orders", state="due"), bool, what="it is due")
        await process.kill9()
    await installation.ledger.set_latency(0)
    watching = Node(
        built=with_components(tmp_path, ["monitoring"], onto="overlays/dev"),
        folder=node.folder,
        secrets=node.secrets,
        configs=node.configs,
        settings=node.settings,
    )
    figures = workload(watching.built, "booked-figures")
    async with watching.process("booked-figures") as process:
        prober = Prober(figures, process)
        await prober.started()
        await prober.ready()
        assert await prober.ask("liveness")
        await until(lambda: metric(process, "booked_oldest_unbooked_seconds"), bool, what="the age is told")
        assert await _end(process, figures.pod["terminationGracePeriodSeconds"]) == 0, process.log_tail()


async def test_jobs_may_come_in_any_sequence_and_again(node: Node) -> None:
    """All objects are applied at once: shops before the schema fail in a way that is tried again, and then go in."""
    policy = workload(node.built, "booked-apply").spec["podFailurePolicy"]["rules"]
    final = [code for rule in policy for code in rule.get("onExitCodes", {}).get("values", [])]
    code, printed = await node.try_job("booked-apply")
    assert code not in {0, *final}, printed
    for _ in range(2):
        await node.job("booked-migrate")
        await node.job("booked-apply")


async def test_a_job_with_a_wrong_setting_is_not_tried_again(node: Node) -> None:
    """What no other try would mend ends the Job: its exit code is one of those that the failure policy names."""
    wrong = Node(
        built=node.built,
        folder=node.folder,
        secrets=node.secrets,
        configs={"booked-shops": {"shops.yaml": "connections: 3\n"}},
        settings=node.settings,
    )
    policy = workload(node.built, "booked-apply").spec["podFailurePolicy"]["rules"]
    final = [code for rule in policy for code in rule.get("onExitCodes", {}).get("values", [])]
    code, printed = await wrong.try_job("booked-apply")
    assert code in final, printed


async def test_a_pod_before_the_migration_lives_and_is_not_ready(node: Node) -> None:
    """The Deployment may come before the migration: nobody restarts it, and a rollout waits for it."""
    consumer = workload(node.built, "booked")
    async with node.process("booked") as process:
        prober = Prober(consumer, process)
        await prober.started()
        assert await prober.ask("liveness")
        assert not await prober.ask("readiness")
        await node.job("booked-migrate")
        await prober.ready()
        assert await _end(process, consumer.pod["terminationGracePeriodSeconds"]) == 0, process.log_tail()


def test_production_runs_what_was_run_here(overlays: Mapping[str, Built]) -> None:
    """Between dev and production only image, settings, namespace and number differ: the same pods were driven."""

    def pods(name: str) -> dict[str, Any]:
        made = {}
        for one in workloads(overlays[name]):
            pod = deepcopy(dict(one.pod))
            pod["containers"][0] |= {"image": "", "envFrom": [list(way) for way in one.container["envFrom"]]}
            for volume in pod["volumes"]:
                volume.pop("configMap", None)
            made[one.name] = pod
        return made

    assert pods("dev") == {name: pod for name, pod in pods("production").items() if name != "booked-figures"}


@pytest.mark.skipif(not running_as_root(), reason="only root can become another user")
async def test_the_user_writes_nowhere(node: Node, disk: Path) -> None:
    """The pod's user, as used above, cannot write outside of the folder that stands for /tmp."""
    words = as_user(workload(node.built, "booked"))
    if not words:
        pytest.skip("no way to become the pod's user that leaves Python readable")
    for place, may in ((disk / "somewhere", False), (ROOT / "somewhere", False), (node.tmp("booked") / "here", True)):
        process = Process(name="touch", command=[*words, "touch", str(place)], log_file=disk / "touch.log")
        async with process:
            code = await process.wait()
        assert (code == 0, place.exists()) == (may, may), process.log_tail()
