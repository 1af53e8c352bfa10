"""Every object of the built overlays is one that its cluster takes: checked by schema, counted, none skipped."""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

import kubernetes_validate  # type: ignore[import-untyped]  # the package has no types
import pytest

from tests.deploy.built import COMPONENTS, OVERLAYS, Document, documents, kinds, named, with_components
from tests.deploy.custom_resources import BY_KIND, ORIGINS, faults, schema_of

KUBERNETES = ("1.33", "1.35", "1.37")
BASE = {
    "Namespace": 1,
    "ServiceAccount": 2,
    "ConfigMap": 2,
    "Deployment": 1,
    "PodDisruptionBudget": 1,
    "Job": 2,
    "CronJob": 2,
}
# What each component adds.
ADDED: Mapping[str, Mapping[str, int]] = {
    "network-policy": {"NetworkPolicy": 6},
    "external-secrets": {"ExternalSecret": 2},
    "monitoring": {"ConfigMap": 3, "Deployment": 1, "PodMonitor": 1, "PrometheusRule": 1},
    "keda": {"ScaledObject": 1},
}
CUSTOM = {"ExternalSecret", "PodMonitor", "PrometheusRule", "ScaledObject"}


def _sum(*counts: Mapping[str, int]) -> dict[str, int]:
    made: dict[str, int] = {}
    for count in counts:
        for kind, number in count.items():
            made[kind] = made.get(kind, 0) + number
    return made


WANTED = {"dev": BASE, "production": _sum(BASE, *ADDED.values())}


def _wrong(document: Document, version: str) -> list[str]:
    """Tell what is wrong with a document for this Kubernetes; an unknown kind is wrong too."""
    origin = BY_KIND.get((document["apiVersion"], document["kind"]))
    if origin is not None:
        return faults(document, origin)
    try:
        # It goes on with an older version's schemas where it has none of this one: the version is read back.
        used = kubernetes_validate.validate(dict(document), version, strict=True)
    except (kubernetes_validate.ValidationError, kubernetes_validate.SchemaNotFoundError) as error:
        return [f"{document['kind']} {document['metadata']['name']}: {error}"]
    return [] if used == version else [f"validated against {used}"]


@pytest.mark.parametrize("version", KUBERNETES)
@pytest.mark.parametrize("name", OVERLAYS)
def test_every_object_is_valid(overlays: Mapping[str, Sequence[Document]], name: str, version: str) -> None:
    """All objects of an overlay are valid by the strict schemas of this Kubernetes, and are as many as were written."""
    built = overlays[name]
    found = {f"{one['kind']} {one['metadata']['name']}": _wrong(one, version) for one in built}
    assert {what: wrong for what, wrong in found.items() if wrong} == {}
    assert kinds(built) == WANTED[name]
    assert len(found) == sum(WANTED[name].values())
    assert {one["kind"] for one in built if (one["apiVersion"], one["kind"]) in BY_KIND} <= CUSTOM


@pytest.mark.parametrize("component", sorted(ADDED))
@pytest.mark.usefixtures("kustomize_there")
def test_each_component_stands_alone(tmp_path: Path, component: str) -> None:
    """A cluster with one operator only gets that component: base and component build, and are valid."""
    built = with_components(tmp_path, [component])
    assert kinds(built) == _sum(BASE, ADDED[component])
    assert [wrong for one in built for wrong in _wrong(one, KUBERNETES[-1])] == []


def test_every_component_is_known_here() -> None:
    """A folder of a component that no test builds would never be looked at."""
    assert {folder.name for folder in COMPONENTS.iterdir()} == set(ADDED)


def _spoilt(document: Document, *path: str | int) -> Document:
    made = deepcopy(dict(document))
    place: Any = made
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = place.pop(str(path[-1]).removesuffix("x")) if str(path[-1]).endswith("x") else object
    return made


def test_a_misspelt_field_is_found(production: Sequence[Document]) -> None:
    """The checks above bite: in a kind of Kubernetes' own, and in each custom resource."""
    consumer = named(production, "Deployment", "booked")
    assert _wrong(consumer, KUBERNETES[0]) == []
    assert _wrong(_spoilt(consumer, "spec", "template", "spec", "enableServiceLinksx"), KUBERNETES[0])
    for document, path in (
        (named(production, "ScaledObject", "booked"), ("spec", "pollingIntervalx")),
        (named(production, "ScaledObject", "booked"), ("spec", "triggers", 0, "metricTypex")),
        (named(production, "ExternalSecret", "booked"), ("spec", "target", "creationPolicyx")),
        (named(production, "PodMonitor", "booked"), ("spec", "podMetricsEndpoints", 0, "scrapeTimeoutx")),
    ):
        assert _wrong(document, KUBERNETES[0]) == []
        assert _wrong(_spoilt(document, *path), KUBERNETES[0])


def test_an_unknown_kind_is_found() -> None:
    """A kind without a schema is no valid object: the tool itself would only warn."""
    (unknown,) = documents("apiVersion: example.org/v1\nkind: Surprise\nmetadata: {name: a}\n")
    assert _wrong(unknown, KUBERNETES[0])


@pytest.mark.parametrize("origin", ORIGINS, ids=lambda origin: origin.kind)
def test_the_schemas_are_of_the_versions_named(origin: Any) -> None:
    """Each kept schema says of which version it is, and is that of a whole resource."""
    assert "spec" in schema_of(origin)["properties"]
