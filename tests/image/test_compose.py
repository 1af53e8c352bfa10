"""compose.yaml says what the program says: its settings, commands, ports and topics, and paths that are there."""

import json
from decimal import Decimal
from importlib.resources import files
from typing import Any

import jsonschema
import pytest
import typer
import yaml

from consumer.cli.app import app
from consumer.cli.shops_file import read_shops_file
from consumer.config import PREFIX, Environment, Settings, read_settings
from consumer.secrets import generate_key
from sandbox.demo.books import UNIQUE_FIELD
from sandbox.demo.ledger import BASE_CURRENCY, wanted_by_the_shop
from sandbox.kafka_jars import KAFKA_VERSION
from sandbox.shop.orders import SHOP_ID
from sandbox.zoho.client import CLIENT_ID, CLIENT_SECRET
from tests.image.compose_file import FILE, PROGRAM, ROOT, SANDBOX, composed, env_file, mounted, of_the_image

KEY = {"BOOKED_SECRET_KEYS": f"k1:{generate_key()}"}
OWN = dict(KEY)
WITH_STAND_IN = {**KEY, **env_file(SANDBOX)}
WAYS = {"own": OWN, "sandbox": WITH_STAND_IN}
ONCE = {"migrate", "apply", "topics"}


@pytest.fixture(params=sorted(WAYS))
def way(request: pytest.FixtureRequest) -> dict[str, Any]:
    """The file as it is for one's own Zoho Books, and with the stand-in."""
    return composed(WAYS[request.param])


def _settings_of(whole: dict[str, Any]) -> dict[str, Settings]:
    """Read the settings of each service that has some, as the program reads them."""
    services = of_the_image(whole)
    return {
        name: read_settings(service["environment"])
        for name, service in services.items()
        if any(variable.startswith(PREFIX) for variable in service["environment"])
    }


def test_it_is_a_compose_file_by_the_schema_of_the_specification(way: dict[str, Any]) -> None:
    """Every key is one that compose knows, with the kind of value that it takes."""
    schema = json.loads(
        files("check_jsonschema").joinpath("builtin_schemas", "vendor", "compose-spec.json").read_text(encoding="utf-8")
    )
    jsonschema.validate(way, schema)
    broken = {**way, "services": {**way["services"], "booked": {**way["services"]["booked"], "comand": ["run"]}}}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(broken, schema)


def test_the_program_takes_its_settings(way: dict[str, Any]) -> None:
    """No variable is misspelt or refused, and the file says itself which of both ways it is."""
    settings = _settings_of(way)
    assert {"booked", "figures", *ONCE} <= set(settings)
    with_stand_in = "stand-in" in way["services"] and settings["booked"].sandbox_ledger_url is not None
    for one in settings.values():
        assert one.environment is (Environment.DEVELOPMENT if with_stand_in else Environment.PRODUCTION)
        assert one.topic_replicas == 1, "there is one broker"


def test_nothing_starts_without_a_key_of_ones_own() -> None:
    """A key in the file would be everybody's: compose says how to make one and ends."""
    with pytest.raises(KeyError, match="booked keys new"):
        composed({})
    assert "k1:" not in FILE.read_text(encoding="utf-8")


def test_its_commands_are_the_programs(way: dict[str, Any]) -> None:
    """Each command is one of `booked`, with arguments and options that it has."""
    whole = typer.main.get_command(app)
    run = {name: one["command"] for name, one in of_the_image(way).items() if one.get("entrypoint", PROGRAM) == PROGRAM}
    assert set(run) == {"booked", "figures", *ONCE}
    for words in run.values():
        command = whole.commands[words[0]]  # type: ignore[attr-defined]  # of a group, which it is
        with command.make_context(words[0], list(words[1:])) as context:
            assert context.info_name in {"migrate", "apply", "doctor", "run", "figures"}


def test_what_it_mounts_is_there(way: dict[str, Any]) -> None:
    """Every path of this repository exists, and what runs in a container finds its files where they are mounted."""
    for name, service in way["services"].items():
        inside = mounted(service)
        assert [path for path in inside.values() if not (ROOT / path).exists()] == [], name
        words = [*service.get("entrypoint", []), *service.get("command", [])]
        named = [word for word in words if str(word).startswith(("/etc/booked", "/etc/stand-in", "/opt/compose"))]
        assert [path for path in named if path not in inside] == [], name


def test_it_runs_as_on_kubernetes(way: dict[str, Any]) -> None:
    """Read-only root, no rights, nothing that a process could gain; and time enough to end in order."""
    settings = _settings_of(way)
    for name, service in of_the_image(way).items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert "user" not in service, f"{name}: the image says who it is"
    assert int(way["services"]["booked"]["stop_grace_period"].rstrip("s")) > settings["booked"].stop_seconds + 10


def test_what_runs_once_runs_in_its_sequence(way: dict[str, Any]) -> None:
    """The schema, then the shops, then the topics, then the services; nobody starts before what it needs is there."""
    services = way["services"]
    for name, (before, how) in {
        "migrate": ("postgres", "service_healthy"),
        "apply": ("migrate", "service_completed_successfully"),
        "topics": ("apply", "service_completed_successfully"),
        "booked": ("topics", "service_completed_successfully"),
        "figures": ("migrate", "service_completed_successfully"),
    }.items():
        assert services[name]["depends_on"][before]["condition"] == how
    for name in ("kafka", "postgres"):
        assert services[name]["healthcheck"]["test"][0] == "CMD"
    for name in ONCE:
        assert services[name]["restart"] == "no"


def test_nothing_listens_to_other_machines(way: dict[str, Any]) -> None:
    """What is published is for this machine alone: the passwords are everybody's."""
    published = [port for service in way["services"].values() for port in service.get("ports", [])]
    assert len(published) == 3
    assert [port for port in published if not port.startswith("127.0.0.1:")] == []


def test_every_image_has_a_version_of_its_own(way: dict[str, Any]) -> None:
    """Whoever starts it later has what was tried; Kafka is the one that the tests run on."""
    foreign = [one["image"] for one in way["services"].values() if not one["image"].startswith("booked")]
    assert [image for image in foreign if ":" not in image or image.endswith(":latest")] == []
    assert f"apache/kafka:{KAFKA_VERSION}" in foreign


def test_prometheus_asks_where_the_program_listens(way: dict[str, Any]) -> None:
    """Each process is asked at the port of its settings, by the name of its service."""
    settings = _settings_of(way)
    inside = mounted(way["services"]["prometheus"])
    config = yaml.safe_load((ROOT / inside["/etc/prometheus/prometheus.yaml"]).read_text(encoding="utf-8"))
    jobs = {job["job_name"]: job for job in config["scrape_configs"]}
    by_name = jobs["booked"]["dns_sd_configs"][0]
    assert (by_name["names"], by_name["port"]) == (["booked"], settings["booked"].http_port)
    assert jobs["booked-figures"]["static_configs"][0]["targets"] == [f"figures:{settings['figures'].http_port}"]
    assert [path.rpartition("/")[0] for path in config["rule_files"]] == ["/etc/prometheus/rules"]
    assert inside["/etc/prometheus/rules"] == "./deploy/monitoring/rules"


def test_grafana_finds_prometheus_and_the_dashboards(way: dict[str, Any]) -> None:
    """The data source is the service of this file, and the provider reads the folder that is mounted."""
    inside = mounted(way["services"]["grafana"])
    source = yaml.safe_load((ROOT / inside["/etc/grafana/provisioning/datasources/booked.yaml"]).read_text("utf-8"))
    assert source["datasources"][0]["url"] == "http://prometheus:9090"
    assert "prometheus" in way["services"]
    provider = yaml.safe_load((ROOT / inside["/etc/grafana/provisioning/dashboards/booked.yaml"]).read_text("utf-8"))
    assert inside[provider["providers"][0]["options"]["path"]] == "./deploy/monitoring/dashboards"


def test_the_dashboards_show_the_one_source() -> None:
    """Each panel asks a source of the kind that is provisioned: the one there is."""
    (source,) = yaml.safe_load((ROOT / "deploy/compose/grafana/datasource.yaml").read_text("utf-8"))["datasources"]
    dashboards = sorted((ROOT / "deploy" / "monitoring" / "dashboards").glob("*.json"))
    assert len(dashboards) >= 3
    for file in dashboards:
        board = json.loads(file.read_text(encoding="utf-8"))
        chosen = {
            f"${{{one['name']}}}": one["query"] for one in board["templating"]["list"] if one["type"] == "datasource"
        }
        asked = {json.dumps(panel["datasource"], sort_keys=True) for panel in board["panels"] if "datasource" in panel}
        assert asked, file.name
        for one in map(json.loads, asked):
            assert one["type"] == source["type"], file.name
            assert one["uid"] == source["uid"] or chosen[one["uid"]] == source["type"], file.name


def test_the_stand_in_knows_the_shop_and_the_client() -> None:
    """Its books have the taxes and currencies that the demo shop sells with, and its client is that of the settings."""
    (organization,) = json.loads((ROOT / "deploy/compose/books.json").read_text(encoding="utf-8"))["organizations"]
    wanted = wanted_by_the_shop()
    assert [(tax["tax_name"], Decimal(tax["tax_percentage"])) for tax in organization["taxes"]] == list(wanted.taxes)
    assert {BASE_CURRENCY, *organization["currencies"]} == {BASE_CURRENCY, *wanted.currencies}
    plan = read_shops_file(ROOT / WITH_STAND_IN["SHOPS_FILE"], {})
    (connection,) = plan.connections
    assert connection.organization_id == organization["organization_id"]
    assert connection.unique_field == organization["unique_field"] == UNIQUE_FIELD
    assert [(shop.shop_id, shop.automatic) for shop in plan.shops] == [(SHOP_ID, True)]
    given = (WITH_STAND_IN["BOOKED_ZOHO_CLIENT_ID"], WITH_STAND_IN["BOOKED_ZOHO_CLIENT_SECRET"])
    assert given == (CLIENT_ID, CLIENT_SECRET)


def test_the_stand_in_is_where_the_settings_say() -> None:
    """One address and port; its control answers its own machine alone, so that whoever authorises stands beside it."""
    whole = composed(WITH_STAND_IN)
    service, authorise = whole["services"]["stand-in"], whole["services"]["authorise"]
    address = service["networks"]["default"]["ipv4_address"]
    words = service["command"]
    port = words[words.index("--port") + 1]
    assert WITH_STAND_IN["BOOKED_SANDBOX_LEDGER_URL"] == f"http://{address}:{port}"
    assert address.rpartition(".")[0] in whole["networks"]["default"]["ipam"]["config"][0]["subnet"]
    assert f"http://127.0.0.1:{port}/control/health" in service["healthcheck"]["test"][-1]
    assert authorise["network_mode"] == "service:stand-in"
    assert authorise["command"] == [f"http://127.0.0.1:{port}", "books"]


def test_with_ones_own_books_nothing_is_written_before_one_says_so() -> None:
    """The shops.yaml to begin with keeps automatic sending off, and nothing of the sandbox starts."""
    plan = read_shops_file(ROOT / "deploy" / "compose" / "shops.yaml", {})
    assert [shop.automatic for shop in plan.shops] == [False]
    services = composed(OWN)["services"]
    of_the_sandbox = {name for name, service in services.items() if service.get("profiles") == ["sandbox"]}
    assert of_the_sandbox == {"stand-in", "authorise", "shop"}
    assert env_file(SANDBOX)["COMPOSE_PROFILES"] == "sandbox"
