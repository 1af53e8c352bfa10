"""The schemas of the custom resources, as their own projects publish them: `tests/deploy/schemas/*.json`.

``python -m tests.deploy.custom_resources`` makes the files again. It takes each definition out of its project's Go
module, in the version below and as Go's public log of modules proves it, and keeps what an API server checks by.
"""

import json
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import jsonschema
import yaml

from tests.deploy.kustomize import Go

FOLDER: Final = Path(__file__).with_name("schemas")


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where the definition of one kind comes from: a Go module, its version, and the file in it."""

    api_version: str
    kind: str
    module: str
    version: str
    path: str

    @property
    def file(self) -> Path:
        """Give where its schema is kept."""
        return FOLDER / f"{self.kind.lower()}.json"


_OPERATOR: Final = "github.com/prometheus-operator/prometheus-operator"
_OPERATOR_FILES: Final = "example/prometheus-operator-crd/monitoring.coreos.com"
ORIGINS: Final = (
    Origin(
        api_version="keda.sh/v1alpha1",
        kind="ScaledObject",
        module="github.com/kedacore/keda/v2",
        version="v2.21.0",
        path="config/crd/bases/keda.sh_scaledobjects.yaml",
    ),
    Origin(
        api_version="external-secrets.io/v1",
        kind="ExternalSecret",
        module="github.com/external-secrets/external-secrets",
        version="v1.3.2",
        path="config/crds/bases/external-secrets.io_externalsecrets.yaml",
    ),
    Origin(
        api_version="monitoring.coreos.com/v1",
        kind="PodMonitor",
        module=_OPERATOR,
        version="v0.85.0",
        path=f"{_OPERATOR_FILES}_podmonitors.yaml",
    ),
    Origin(
        api_version="monitoring.coreos.com/v1",
        kind="PrometheusRule",
        module=_OPERATOR,
        version="v0.85.0",
        path=f"{_OPERATOR_FILES}_prometheusrules.yaml",
    ),
)
BY_KIND: Final = {(origin.api_version, origin.kind): origin for origin in ORIGINS}


def schema_of(origin: Origin) -> dict[str, Any]:
    """Read a kept schema; Raises KeyError where the file does not say that it is of this version."""
    kept: dict[str, Any] = json.loads(origin.file.read_text(encoding="utf-8"))
    told = (kept["module"], kept["version"], kept["path"])
    if told != (origin.module, origin.version, origin.path):
        raise KeyError(f"{origin.file.name} is of {told}: python -m tests.deploy.custom_resources makes it again")
    schema: dict[str, Any] = kept["schema"]
    return schema


def faults(document: Mapping[str, Any], origin: Origin) -> list[str]:
    """Tell what is wrong with a custom resource; a field that its kind does not have is wrong too."""
    validator = jsonschema.Draft202012Validator(strict(schema_of(origin)))
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(document)]


def strict(schema: Any) -> Any:
    """Refuse unknown fields wherever fields are named.

    An API server drops unknown fields silently, so that a misspelt one would have no effect.
    """
    if not isinstance(schema, dict):
        return schema
    made = dict(schema)
    if isinstance(schema.get("properties"), dict):
        made["properties"] = {name: strict(part) for name, part in schema["properties"].items()}
        if "additionalProperties" not in schema and not schema.get("x-kubernetes-preserve-unknown-fields"):
            made["additionalProperties"] = False
    for within in ("items", "additionalProperties"):
        if within in schema:
            made[within] = strict(schema[within])
    return made


def make() -> None:
    """Write every file of `schemas` again."""
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as work:
        go = Go(Path(work))
        for origin in ORIGINS:
            told = json.loads(go("mod", "download", "-json", f"{origin.module}@{origin.version}"))
            definition = yaml.safe_load((Path(told["Dir"]) / origin.path).read_text(encoding="utf-8"))
            kept = {
                "module": origin.module,
                "version": origin.version,
                "path": origin.path,
                "module_hash": told["Sum"],
                "schema": _without_words(_schema(definition, origin)),
            }
            origin.file.write_text(json.dumps(kept, indent=1, sort_keys=True) + "\n", encoding="utf-8")
            sys.stdout.write(f"{origin.file.name}: {origin.kind} of {origin.module} {origin.version}\n")


def _schema(definition: Mapping[str, Any], origin: Origin) -> Any:
    version = origin.api_version.rpartition("/")[2]
    return next(one["schema"]["openAPIV3Schema"] for one in definition["spec"]["versions"] if one["name"] == version)


def _without_words(schema: Any) -> Any:
    """Leave out descriptions, and what the cluster writes itself."""
    if isinstance(schema, list):
        return [_without_words(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    # A field may be called "description" as well: then its value is a schema, not a text.
    return {
        key: _without_words(value)
        for key, value in schema.items()
        if not (key == "description" and isinstance(value, str))
    }


if __name__ == "__main__":
    make()
