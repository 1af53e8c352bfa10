"""What a pod may: the restricted profile, a root that cannot be written, no token, and no secret in plain text."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import SecretStr

from consumer.config import PREFIX, Settings
from tests.deploy.built import FOLDER, ROOT, Document, Workload, named, workloads

Built = Sequence[Document]
# Of the restricted profile; hostPath and network volumes are not among them.
VOLUMES = {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"}
RESTRICTED_CONTAINER = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,  # good practice, and no part of the profile
    "capabilities": {"drop": ["ALL"]},
}


def _user() -> tuple[int, int]:
    """Give the image's user and group, by number."""
    user = re.search(r"^USER (\d+):(\d+)$", (ROOT / "Dockerfile").read_text(encoding="utf-8"), re.MULTILINE)
    assert user is not None
    return int(user[1]), int(user[2])


def _breaches(one: Workload) -> list[str]:
    """Tell what the restricted profile, or we, would not let through."""
    uid, gid = _user()
    wanted: dict[str, Any] = {"runAsNonRoot": True, "runAsUser": uid, "runAsGroup": gid, "fsGroup": gid}
    context = one.pod.get("securityContext", {})
    found = [f"{key} is {context.get(key)}" for key, value in wanted.items() if context.get(key) != value]
    if context.get("seccompProfile") != {"type": "RuntimeDefault"}:
        found.append("no seccompProfile")
    if one.container.get("securityContext") != RESTRICTED_CONTAINER:
        found.append(f"container: {one.container.get('securityContext')}")
    found += [key for key in ("hostNetwork", "hostPID", "hostIPC", "hostUsers") if key in one.pod]
    found += [f"hostPort {port}" for port in one.container.get("ports", []) if "hostPort" in port]
    kinds = {kind for volume in one.pod.get("volumes", []) for kind in volume if kind != "name"}
    found += [f"volume {kind}" for kind in kinds - VOLUMES]
    if one.pod.get("automountServiceAccountToken") is not False:
        found.append("token")
    return found


def test_every_pod_keeps_to_the_restricted_profile(built: Built) -> None:
    """Not root, no privileges, nothing of the host, root file system read only, the image's own user by number."""
    assert {one.name: _breaches(one) for one in workloads(built)} == {one.name: [] for one in workloads(built)}


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        (("securityContext", "runAsUser"), 0, "runAsUser is 0"),
        (("hostNetwork",), True, "hostNetwork"),
        (("automountServiceAccountToken",), True, "token"),
        (("volumes",), [{"name": "a", "hostPath": {"path": "/"}}], "volume hostPath"),
    ],
)
def test_a_breach_is_found(production: Built, path: tuple[str, ...], value: object, told: str) -> None:
    """The check above bites."""
    one = next(workloads(production))
    pod = yaml.safe_load(yaml.safe_dump(one.pod))
    place = pod
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    assert told in _breaches(Workload(kind="", name="", spec={}, template={"spec": pod}))


def test_what_is_written_goes_to_memory_of_bounded_size(built: Built) -> None:
    """Everything mounted is read only but /tmp, which cannot fill the node's disk."""
    for one in workloads(built):
        volumes = {volume["name"]: volume for volume in one.pod["volumes"]}
        written = [mount for mount in one.container["volumeMounts"] if not mount.get("readOnly")]
        assert [mount["mountPath"] for mount in written] == ["/tmp"], one.name  # noqa: S108 the pod's own
        assert volumes[written[0]["name"]]["emptyDir"]["sizeLimit"] == "64Mi"
        for volume in one.pod["volumes"]:
            assert volume.get("secret", {}).get("defaultMode", 0o440) == 0o440


def test_the_cluster_itself_refuses_less_confined_pods(built: Built) -> None:
    """The namespace enforces the restricted profile, warns by it, and notes breaches."""
    (namespace,) = (one for one in built if one["kind"] == "Namespace")
    labels = namespace["metadata"]["labels"]
    assert {labels[f"pod-security.kubernetes.io/{mode}"] for mode in ("enforce", "audit", "warn")} == {"restricted"}
    assert {one["metadata"].get("namespace") for one in built if one is not namespace} == {
        namespace["metadata"]["name"]
    }


def test_accounts_have_no_token_and_no_role(built: Built) -> None:
    """Every pod names an account that is made here, without a token; nothing is granted to any of them."""
    accounts = {one["metadata"]["name"]: one for one in built if one["kind"] == "ServiceAccount"}
    assert {one.pod["serviceAccountName"] for one in workloads(built)} == set(accounts) == {"booked", "booked-owner"}
    assert {one["automountServiceAccountToken"] for one in accounts.values()} == {False}
    assert not [one["kind"] for one in built if "Role" in one["kind"]]


def _secret_settings() -> set[str]:
    """Name the settings whose value nobody may read."""
    return {name for name, field in Settings.model_fields.items() if "SecretStr" in str(field.annotation)}


def test_no_secret_stands_anywhere(built: Built) -> None:
    """There is no Secret object, and a setting that is a secret is never given but as a file."""
    assert SecretStr.__name__ == "SecretStr"
    assert {"database_url", "secret_keys", "kafka_password", "zoho_client_secret"} <= _secret_settings()
    assert "Secret" not in {one["kind"] for one in built}
    given = set(named(built, "ConfigMap", "booked")["data"])
    given |= {variable["name"] for one in workloads(built) for variable in one.container.get("env", [])}
    assert given & {PREFIX + name.upper() for name in _secret_settings()} == set()


@pytest.mark.parametrize("file", sorted(FOLDER.rglob("*.*")), ids=lambda file: file.name)
def test_no_file_holds_what_looks_like_a_secret(file: Path) -> None:
    """No address with a password, no key, no token, in any file of the folder, comments included."""
    text = file.read_text(encoding="utf-8")
    assert not re.findall(r"://[^/\s:@]+:[^/\s@]+@", text)
    assert not re.findall(r"\b1000\.[0-9a-f]{32}\b|-----BEGIN|\b[A-Za-z0-9+/]{43}=", text)


def test_images_are_of_one_named_version(built: Built) -> None:
    """Every container has the same image, with a tag that is not "latest", or a digest."""
    (image,) = {one.container["image"] for one in workloads(built)}
    assert re.search(r":[a-z0-9.-]+$|@sha256:[0-9a-f]{64}$", image)
    assert not image.endswith(":latest")
