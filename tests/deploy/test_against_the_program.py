"""The manifests say the same as the program: environment, files, ports, paths, commands, deadlines, addresses."""

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import typer
from starlette.routing import Route

from consumer.bootstrap.watchdogs import LAST_RESORT_SECONDS
from consumer.cli.exits import Exit
from consumer.cli.reference_program import named_commands
from consumer.cli.shops_file import parse_shops
from consumer.config import FILE_SUFFIX, PREFIX, Settings, read_settings
from consumer.errors import ConfigurationError
from consumer.observability.metrics import Metrics
from consumer.web.health import health_app
from tests.deploy.built import (
    ROOT,
    Document,
    Workload,
    config_files,
    environment,
    kinds,
    named,
    secret_files,
    workload,
    workloads,
)

# What a test puts where a Secret would be.
SECRETS = {
    "database-url": "postgresql://booked:secret@postgres.postgres.svc:5432/booked",
    "secret-keys": "k1:" + "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE=",
    "zoho-client-id": "1000.ABC",
    "zoho-client-secret": "a secret",
    "kafka-password": "a secret",
    "kafka-ca": "a certificate",
}
# Each workload's command; the figures come with the component monitoring.
COMMANDS = {
    "booked": "run",
    "booked-migrate": "migrate",
    "booked-apply": "apply",
    "booked-replay": "replay",
    "booked-retention": "retention",
}
WITH_FIGURES = COMMANDS | {"booked-figures": "figures"}
Built = Sequence[Document]


def _with_files(of: Mapping[str, str], folder: Path) -> dict[str, str]:
    """Give an environment in which the files of Secrets lie below a folder of the test."""
    made = dict(of)
    for name, value in of.items():
        if name.endswith(FILE_SUFFIX):
            file = folder / value.lstrip("/")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(SECRETS[file.name], encoding="utf-8")
            made[name] = str(file)
    return made


def _settings(built: Built, of: Workload, folder: Path) -> Settings:
    return read_settings(_with_files(environment(built, of.container), folder))


def test_everything_that_runs_is_looked_at(overlays: Mapping[str, Built]) -> None:
    """The tests below go over every Deployment, Job and CronJob."""
    found = {name: {one.name for one in workloads(built)} for name, built in overlays.items()}
    assert found == {"dev": set(COMMANDS), "production": set(WITH_FIGURES)}


def test_every_environment_is_one_that_the_program_takes(built: Built, tmp_path: Path) -> None:
    """Each container's variables are settings with good values, and give all that is required."""
    for one in workloads(built):
        given = environment(built, one.container)
        assert given, one.name
        assert all(name.startswith(PREFIX) for name in given)
        settings = _settings(built, one, tmp_path / one.name)
        assert settings.database_url.get_secret_value().startswith(SECRETS["database-url"])


def test_a_misspelt_setting_would_be_found(production: Built, tmp_path: Path) -> None:
    """The check above bites on a variable that is no setting."""
    given = environment(production, workload(production, "booked").container)
    with pytest.raises(ConfigurationError, match="BOOKED_KAFKA_SERVER"):
        read_settings(_with_files(given | {"BOOKED_KAFKA_SERVER": "a:1"}, tmp_path))


def test_no_service_can_put_a_variable_in(built: Built, tmp_path: Path) -> None:
    """A Service named booked would add BOOKED_PORT and others, which the program refuses: pods take no such links."""
    consumer = workload(built, "booked")
    with pytest.raises(ConfigurationError, match="BOOKED_SERVICE_HOST"):
        read_settings(
            _with_files(environment(built, consumer.container) | {"BOOKED_SERVICE_HOST": "10.0.0.1"}, tmp_path)
        )
    assert {one.name for one in workloads(built) if one.pod.get("enableServiceLinks") is not False} == set()


def test_every_file_of_a_setting_is_mounted(built: Built) -> None:
    """Each …_FILE lies in a folder where a Secret is mounted; the owner's address only where the owner is needed."""
    owners = {}
    for one in workloads(built):
        mounted = secret_files(one)
        for name, value in environment(built, one.container).items():
            if name.endswith(FILE_SUFFIX):
                folder, _, key = value.rpartition("/")
                assert folder in mounted, f"{one.name}: {name}"
                assert key in SECRETS, f"{one.name}: {name}"
        owners[one.name] = mounted[environment(built, one.container)["BOOKED_DATABASE_URL_FILE"].rpartition("/")[0]]
    assert {name for name, secret in owners.items() if secret == "booked-owner"} == {
        "booked-migrate",
        "booked-retention",
    }
    assert set(owners.values()) == {"booked", "booked-owner"}


def test_the_vault_gives_every_key_that_is_read(production: Built) -> None:
    """The ExternalSecrets make the Secrets that are mounted, with each key that a setting names."""
    given = {
        (one["spec"]["target"]["name"], data["secretKey"])
        for one in production
        if one["kind"] == "ExternalSecret"
        for data in one["spec"]["data"]
    }
    read = {
        (secret_files(one)[value.rpartition("/")[0]], value.rpartition("/")[2])
        for one in workloads(production)
        for name, value in environment(production, one.container).items()
        if name.endswith(FILE_SUFFIX)
    }
    assert read == given


def test_every_command_exists(built: Built) -> None:
    """The words of each container are a command of `booked`, with options and arguments that it takes."""
    commands = {one.name: _command(one.words) for one in workloads(built)}
    assert commands == {name: WITH_FIGURES[name] for name in commands}
    with pytest.raises(typer.BadParameter.__mro__[1], match="jason"):
        _command(["replay", "--jason"])


def _command(words: Sequence[str]) -> str:
    """Have the program's own parser read a command, without running it. Raises typer's UsageError."""
    commands = dict(named_commands())
    name = next(name for name in (" ".join(words[:2]), words[0]) if name in commands)
    commands[name].make_context(name, list(words[len(name.split()) :]))
    return name


def test_the_shops_are_ones_that_apply_takes(built: Built) -> None:
    """The file that `booked apply` is given is mounted, holds shops.yaml, and is read without a fault."""
    apply = workload(built, "booked-apply")
    folder, _, name = apply.words[1].rpartition("/")
    text = named(built, "ConfigMap", config_files(apply)[folder])["data"][name]
    plan = parse_shops(text, name=name, environment={})
    assert len(plan.shops) == 1
    assert [shop.automatic for shop in plan.shops] == [False]


def test_ports_and_probes_are_those_of_health(built: Built, tmp_path: Path) -> None:
    """Probes and Prometheus ask paths that are served, at the port that is set; liveness asks the heartbeat alone."""
    assert {"/livez", "/readyz", "/metrics"} <= {route.path for route in _routes() if isinstance(route, Route)}
    for one in (one for one in workloads(built) if one.kind == "Deployment"):
        ports = {port["name"]: port["containerPort"] for port in one.container["ports"]}
        assert ports == {"http": _settings(built, one, tmp_path / one.name).http_port}
        probes = {kind: one.container[f"{kind}Probe"]["httpGet"] for kind in ("startup", "liveness", "readiness")}
        assert probes == {
            "startup": {"path": "/livez", "port": "http"},
            "liveness": {"path": "/livez", "port": "http"},
            "readiness": {"path": "/readyz", "port": "http"},
        }
    for monitor in (document["spec"] for document in built if document["kind"] == "PodMonitor"):
        assert [(end["port"], end["path"]) for end in monitor["podMetricsEndpoints"]] == [("http", "/metrics")]


def _routes() -> list[Any]:
    async def ready() -> Mapping[str, str]:
        return {}

    return list(health_app(beats=dict, readiness=ready, metrics=Metrics()).routes)


def test_the_stop_is_longer_than_the_longest_call(built: Built, tmp_path: Path) -> None:
    """A call ends within Booked's own deadline, that one and the end by force within the pod's."""
    consumer = workload(built, "booked")
    settings = _settings(built, consumer, tmp_path)
    apply = workload(built, "booked-apply")
    text = named(built, "ConfigMap", "booked-shops")["data"]["shops.yaml"]
    calls = [one.limits.call_deadline_seconds for one in parse_shops(text, name="", environment={}).connections]
    assert apply.words[1].endswith("shops.yaml")
    assert max(calls) < settings.stop_seconds
    assert settings.stop_seconds + LAST_RESORT_SECONDS < consumer.pod["terminationGracePeriodSeconds"]


def test_the_cron_jobs_end_before_they_are_cut(built: Built, tmp_path: Path) -> None:
    """Replay every ten minutes and retention every day: one at a time, ended by themselves before the next one."""
    replay, retention = workload(built, "booked-replay"), workload(built, "booked-retention")
    assert {one.name: (one.spec["schedule"], one.spec["timeZone"]) for one in (replay, retention)} == {
        "booked-replay": ("*/10 * * * *", "Etc/UTC"),
        "booked-retention": ("17 3 * * *", "Etc/UTC"),
    }
    for one in (replay, retention):
        assert one.spec["concurrencyPolicy"] == "Forbid"
        # Below ten seconds the controller may miss every run.
        assert one.spec["startingDeadlineSeconds"] >= 120
        assert (one.spec["successfulJobsHistoryLimit"], one.spec["failedJobsHistoryLimit"]) == (1, 3)
        assert one.pod["restartPolicy"] == "Never"
    deadline = replay.spec["jobTemplate"]["spec"]["activeDeadlineSeconds"]
    assert _settings(built, replay, tmp_path).replay_deadline_seconds + 30 < deadline < 600
    assert replay.spec["jobTemplate"]["spec"]["backoffLimit"] == 0


def test_jobs_try_again_but_for_what_no_try_mends(built: Built) -> None:
    """Wrong words and settings end a Job at once; everything else, such as a database that is away, is tried again."""
    for name in ("booked-migrate", "booked-apply"):
        job = workload(built, name)
        assert job.spec["backoffLimit"] > 0
        (codes,) = (rule["onExitCodes"] for rule in job.spec["podFailurePolicy"]["rules"] if "onExitCodes" in rule)
        assert codes == {"operator": "In", "values": [int(Exit.USAGE), int(Exit.CONFIGURATION)]}


def test_the_group_has_no_static_members_and_a_short_session(built: Built, tmp_path: Path) -> None:
    """A dead process's partitions pass on after ten seconds; pods have no names that Kafka would wait for."""
    settings = _settings(built, workload(built, "booked"), tmp_path)
    assert settings.kafka_session_seconds == 10
    assert not [name for name in Settings.model_fields if "instance_id" in name or "static" in name]


def _selected(labels: Mapping[str, str], selector: Mapping[str, Any]) -> bool:
    equal = all(labels.get(key) == value for key, value in selector.get("matchLabels", {}).items())
    among = all(labels.get(rule["key"]) in rule["values"] for rule in selector.get("matchExpressions", []))
    return equal and among


def _reach(production: Built, wanted: Callable[[Mapping[str, Any]], bool], way: str = "egress") -> set[str]:
    """Tell which workloads a NetworkPolicy lets go (or be reached) where ``wanted`` says of a rule that it is meant."""
    policies = [one["spec"] for one in production if one["kind"] == "NetworkPolicy"]
    meant = [one for one in policies if any(wanted(rule) for rule in one.get(way, []))]
    return {one.name for one in workloads(production) for spec in meant if _selected(one.labels, spec["podSelector"])}


def _ports(rule: Mapping[str, Any]) -> set[Any]:
    return {port["port"] for port in rule["ports"]}


def test_the_network_lets_through_what_each_part_needs(production: Built, tmp_path: Path) -> None:
    """Nothing in or out by default; Postgres and names for all, Kafka and the ledger for two, Prometheus to one."""
    deny = named(production, "NetworkPolicy", "booked-default-deny")["spec"]
    assert deny == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    settings = _settings(production, workload(production, "booked"), tmp_path)
    broker = re.fullmatch(r"[a-z-]+\.(?P<namespace>[a-z]+)\.svc:(?P<port>\d+)", settings.kafka_servers)
    assert broker is not None

    def leads(namespace: str, port: int) -> Callable[[Mapping[str, Any]], bool]:
        label = {"kubernetes.io/metadata.name": namespace}
        return lambda rule: _ports(rule) == {port} and rule["to"] == [{"namespaceSelector": {"matchLabels": label}}]

    assert _reach(production, leads(broker["namespace"], int(broker["port"]))) == {"booked", "booked-replay"}
    assert _reach(production, leads("postgres", 5432)) == set(WITH_FIGURES)
    assert _reach(production, lambda rule: _ports(rule) == {53}) == set(WITH_FIGURES)
    assert _reach(production, lambda rule: _ports(rule) == {443}) == {"booked", "booked-replay"}
    assert _reach(production, lambda rule: _ports(rule) == {"http"}, "ingress") == {"booked", "booked-figures"}
    assert kinds(production)["NetworkPolicy"] == 6


def test_the_budget_and_the_monitor_are_of_pods_that_exist(production: Built) -> None:
    """Selectors that select nobody would guard nobody."""
    consumer = workload(production, "booked")
    for kind, meant in (("PodDisruptionBudget", {"booked"}), ("PodMonitor", {"booked", "booked-figures"})):
        selector = named(production, kind, "booked")["spec"]["selector"]
        assert {one.name for one in workloads(production) if _selected(one.labels, selector)} == meant
    for one in (one for one in workloads(production) if one.kind == "Deployment"):
        assert _selected(one.labels, one.spec["selector"])
    budget = named(production, "PodDisruptionBudget", "booked")["spec"]
    assert (budget["maxUnavailable"], budget["unhealthyPodEvictionPolicy"]) == (1, "AlwaysAllow")
    for rule in consumer.pod["topologySpreadConstraints"]:
        assert _selected(consumer.labels, rule["labelSelector"])
        assert (rule["maxSkew"], rule["whenUnsatisfiable"]) == (1, "ScheduleAnyway")
    keys = [rule["topologyKey"] for rule in consumer.pod["topologySpreadConstraints"]]
    assert keys == ["topology.kubernetes.io/zone", "kubernetes.io/hostname"]


def test_it_grows_by_metrics_that_exist(production: Built) -> None:
    """KEDA asks for unserved lanes and for the lag in seconds, by names that the program exports; never below two."""
    scaled = named(production, "ScaledObject", "booked")["spec"]
    asked = [re.findall(r"booked_[a-z_]+", one["metadata"]["query"]) for one in scaled["triggers"]]
    assert asked == [["booked_lanes_unserved"], ["booked_intake_lag_seconds"]]
    exported = {line.split(" ")[2] for line in Metrics().text().decode().splitlines() if line.startswith("# HELP ")}
    assert {name for names in asked for name in names} <= exported
    assert scaled["scaleTargetRef"]["name"] == named(production, "Deployment", "booked")["metadata"]["name"]
    assert scaled["minReplicaCount"] == scaled["fallback"]["replicas"] == 2


def test_two_run_without_keda(overlays: Mapping[str, Built]) -> None:
    """With KEDA the Deployment names no number, which KEDA's would fight with; without it the base says two."""
    assert "replicas" not in named(overlays["production"], "Deployment", "booked")["spec"]
    assert named(overlays["dev"], "Deployment", "booked")["spec"]["replicas"] == 1
    text = (ROOT / "deploy" / "k8s" / "base" / "consumer.yaml").read_text(encoding="utf-8")
    assert re.search(r"^  replicas: 2\b", text, re.MULTILINE)


def test_memory_is_what_was_measured(built: Built) -> None:
    """Requests hold what docs/performance.md allows a process behind a million events; the limit is twice that."""
    page = (ROOT / "docs" / "performance.md").read_text(encoding="utf-8")
    allowed = re.search(r"^\| resident memory of one `booked run` .* \| (?P<mb>\d+) MB \|$", page, re.MULTILINE)
    assert allowed is not None
    for one in workloads(built):
        resources = one.container["resources"]
        assert _bytes(resources["requests"]["memory"]) >= int(allowed["mb"]) * 1_000_000, one.name
        assert _bytes(resources["limits"]["memory"]) == 2 * _bytes(resources["requests"]["memory"])
        assert "cpu" in resources["requests"]
        # Throttled, a loop comes round late, and leases run out.
        assert "cpu" not in resources["limits"]


def _bytes(text: str) -> int:
    assert text.endswith("Mi")
    return int(text.removesuffix("Mi")) * 1024 * 1024


def test_the_version_is_that_of_the_program(production: Built) -> None:
    """The production overlay names one version, and it is this one's."""
    version = re.search(r'"(.+)"', (ROOT / "consumer" / "__init__.py").read_text(encoding="utf-8").splitlines()[2])
    assert version is not None
    images = {one.container["image"].rpartition(":")[2] for one in workloads(production)}
    assert images == {version[1]}
