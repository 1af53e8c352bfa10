"""compose.yaml as Docker's compose reads it: variables put in from an environment, names without a value looked up."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml

ROOT: Final = Path(__file__).resolve().parents[2]
FILE: Final = ROOT / "compose.yaml"
SANDBOX: Final = ROOT / "deploy" / "compose" / "sandbox.env"
PROGRAM: Final = ["booked"]  # the image's ENTRYPOINT
_VARIABLE: Final = re.compile(r"\$\{(?P<name>\w+)(?:(?P<kind>:-|:\?)(?P<rest>[^}]*))?\}")


def env_file(file: Path) -> dict[str, str]:
    """Read NAME=VALUE lines, as `--env-file` does."""
    lines = file.read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def composed(environment: Mapping[str, str]) -> dict[str, Any]:
    """Give the whole file for this environment. Raises KeyError for a variable that has to be given and is not."""
    whole: dict[str, Any] = _put_in(yaml.safe_load(FILE.read_text(encoding="utf-8")), environment)
    for service in whole["services"].values():
        given = service.get("environment", {})
        looked_up = {name: environment.get(name) if value is None else value for name, value in given.items()}
        service["environment"] = {name: value for name, value in looked_up.items() if value is not None}
    return whole


def _put_in(value: Any, environment: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {name: _put_in(one, environment) for name, one in value.items()}
    if isinstance(value, list):
        return [_put_in(one, environment) for one in value]
    if isinstance(value, str):
        return _VARIABLE.sub(lambda found: _value(found, environment), value)
    return value


def _value(found: re.Match[str], environment: Mapping[str, str]) -> str:
    name = found["name"]
    if environment.get(name):
        return environment[name]
    if found["kind"] == ":-":
        return found["rest"]
    raise KeyError(f"{name}: {found['rest'] or 'is not set'}")


def of_the_image(whole: Mapping[str, Any]) -> dict[str, Any]:
    """Give the services that run the image of Booked, by name."""
    return {name: service for name, service in whole["services"].items() if service["image"].startswith("booked")}


def mounted(service: Mapping[str, Any]) -> dict[str, str]:
    """Give what is mounted of this repository: the path here by the path in the container."""
    parts = [volume.split(":") for volume in service.get("volumes", [])]
    return {part[1]: part[0] for part in parts if part[0].startswith(".")}
