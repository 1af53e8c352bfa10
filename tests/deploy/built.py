"""What kustomize makes of `deploy/k8s`, read as data: documents, pods, and the environment and files of a container."""

import functools
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from tests.deploy import kustomize

ROOT: Final = Path(__file__).resolve().parents[2]
FOLDER: Final = ROOT / "deploy" / "k8s"
COMPONENTS: Final = FOLDER / "components"
OVERLAYS: Final = ("dev", "production")

Document = Mapping[str, Any]


@functools.cache
def overlay(name: str) -> tuple[Document, ...]:
    """Build an overlay. Raises KustomizeError."""
    return documents(kustomize.build(FOLDER / "overlays" / name))


def with_components(folder: Path, names: Sequence[str], *, onto: str = "base") -> tuple[Document, ...]:
    """Build the base, or an overlay, with some components, by a kustomization that is written into ``folder``."""
    base = os.path.relpath(FOLDER / onto, folder)
    components = [os.path.relpath(COMPONENTS / name, folder) for name in names]
    written = {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization", "resources": [base]}
    (folder / "kustomization.yaml").write_text(yaml.safe_dump({**written, "components": components}), encoding="utf-8")
    return documents(kustomize.build(folder))


def documents(text: str) -> tuple[Document, ...]:
    """Read YAML documents."""
    return tuple(document for document in yaml.safe_load_all(text) if document)


def kinds(of: Sequence[Document]) -> dict[str, int]:
    """Count the documents by kind."""
    return dict(Counter(document["kind"] for document in of))


def named(of: Sequence[Document], kind: str, name: str) -> Document:
    """Give the one document of this kind and name; a ConfigMap's name is the one before its hash."""
    found = [
        document
        for document in of
        if document["kind"] == kind and document["metadata"]["name"] in {name, _with_hash(document, name)}
    ]
    assert len(found) == 1, f"{len(found)} {kind} {name}"
    return found[0]


def _with_hash(document: Document, name: str) -> str:
    whole = str(document["metadata"]["name"])
    stem, _, digest = whole.rpartition("-")
    return whole if document["kind"] == "ConfigMap" and stem == name and len(digest) == 10 else name


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """One thing that makes pods: its kind and name, its own part of the document, and the pod it makes."""

    kind: str
    name: str
    spec: Document
    template: Document

    @property
    def pod(self) -> Document:
        """Give the pod's specification."""
        pod: Document = self.template["spec"]
        return pod

    @property
    def labels(self) -> Mapping[str, str]:
        """Give the pod's labels."""
        labels: Mapping[str, str] = self.template["metadata"]["labels"]
        return labels

    @property
    def container(self) -> Document:
        """Give the pod's only container."""
        containers = self.pod["containers"]
        assert len(containers) == 1, self.name
        assert "initContainers" not in self.pod, self.name
        only: Document = containers[0]
        return only

    @property
    def words(self) -> list[str]:
        """Give the words behind the image's entry point."""
        assert "command" not in self.container, f"{self.name} replaces the image's own entry point"
        return list(self.container["args"])


def workloads(of: Sequence[Document]) -> Iterator[Workload]:
    """Give everything that makes pods."""
    for document in of:
        spec = document.get("spec", {})
        made = spec.get("jobTemplate", {}).get("spec", spec)
        if "template" in made and "containers" in made["template"].get("spec", {}):
            name = document["metadata"]["name"]
            yield Workload(kind=document["kind"], name=name, spec=spec, template=made["template"])


def workload(of: Sequence[Document], name: str) -> Workload:
    """Give the one workload of this name."""
    (found,) = (one for one in workloads(of) if one.name == name)
    return found


def environment(of: Sequence[Document], container: Document) -> dict[str, str]:
    """Give the environment of a container as its node would make it, without what optional Secrets add."""
    made: dict[str, str] = {}
    for source in container.get("envFrom", []):
        if "configMapRef" in source:
            made |= named(of, "ConfigMap", source["configMapRef"]["name"])["data"]
        else:
            assert source["secretRef"].get("optional"), f"{source} has to be a file"
    return made | {one["name"]: one["value"] for one in container.get("env", [])}


def secret_files(of: Workload) -> dict[str, str]:
    """Give where Secrets are mounted: folder in the container, and the Secret's name."""
    volumes = {one["name"]: one for one in of.pod.get("volumes", [])}
    mounts = of.container.get("volumeMounts", [])
    return {
        mount["mountPath"]: volumes[mount["name"]]["secret"]["secretName"]
        for mount in mounts
        if "secret" in volumes[mount["name"]]
    }


def config_files(of: Workload) -> dict[str, str]:
    """Give where ConfigMaps are mounted: folder in the container, and the ConfigMap's name."""
    volumes = {one["name"]: one for one in of.pod.get("volumes", [])}
    mounts = of.container.get("volumeMounts", [])
    return {
        mount["mountPath"]: volumes[mount["name"]]["configMap"]["name"]
        for mount in mounts
        if "configMap" in volumes[mount["name"]]
    }
