"""Plays a node of the cluster: runs a container of the built manifests as a process of this machine.

Words, environment, mounted files, user, probes and deadlines are the manifest's; the image's own part (entry point, its
environment, its folder) is read from the Dockerfile. Only what differs from cluster to cluster is given by the test:
addresses, topics, the content of Secrets and of shops.yaml, and a free port, since all pods share one machine here.
"""

import asyncio
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import httpx

from sandbox.processes import Process, json_line, running_as_root
from tests.acceptance.waiting import until
from tests.deploy.built import ROOT, Document, Workload, config_files, environment, secret_files, workload

CAPABILITY = "+dac_read_search"


class EndedOtherwiseError(AssertionError):
    """A container that should have ended with 0 did not; the message holds what it printed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """Where containers run: ``folder`` is the disk, ``secrets`` and ``configs`` are what the cluster holds by name."""

    built: Sequence[Document]
    folder: Path
    secrets: Mapping[str, Mapping[str, str]]
    configs: Mapping[str, Mapping[str, str]]
    settings: Mapping[str, str]

    def process(self, name: str, *, pod: str = "0", words: Sequence[str] | None = None) -> Process:
        """Make the process of a workload's container; ``words`` are another command in it, as by `kubectl exec`."""
        of = workload(self.built, name)
        root = self.folder / f"{name}-{pod}"
        made = self._mounted(of, root)
        with_files = {key: self._inside(value, made) for key, value in environment(self.built, of.container).items()}
        given = [self._inside(word, made) for word in (words if words is not None else of.words)]
        tmp = self._tmp(of, root)
        starts = words is None and "ports" in of.container
        return Process(
            name=f"{name}-{pod}",
            command=[*as_user(of), *_entry_point(), *given],
            log_file=root / "log",
            environment={**_image_environment(), "TMPDIR": str(tmp), **with_files, **self.settings},
            ready=(lambda process: json_line(process, "listens")) if starts else None,
            stop_timeout_seconds=of.pod["terminationGracePeriodSeconds"],
        )

    async def job(self, name: str, *, words: Sequence[str] | None = None, pod: str = "0") -> str:
        """Run a Job's container, or a command in a workload's, to its end and give what it printed.

        Raises EndedOtherwiseError, and TimeoutError after the Job's activeDeadlineSeconds.
        """
        code, printed = await self.try_job(name, words=words, pod=pod)
        if code != 0:
            raise EndedOtherwiseError(f"{name} ended with {code}: {printed}")
        return printed

    async def try_job(self, name: str, *, words: Sequence[str] | None = None, pod: str = "0") -> tuple[int, str]:
        """Run it, and give its exit code and what it printed."""
        spec = workload(self.built, name).spec
        spec = spec.get("jobTemplate", {}).get("spec", spec)
        # A test does not wait an hour for a hang; no command here takes a minute.
        deadline_seconds = min(spec.get("activeDeadlineSeconds", 120), 120)
        async with self.process(name, words=words, pod=pod) as process:
            code = await asyncio.wait_for(process.wait(), deadline_seconds)
            return code, process.log_since_start()

    def tmp(self, name: str) -> Path:
        """Give the folder that stands for a pod's /tmp."""
        return self._tmp(workload(self.built, name), self.folder / f"{name}-0")

    def _mounted(self, of: Workload, root: Path) -> dict[str, Path]:
        """Write what is mounted: folder in the container, and where it lies here."""
        made = {}
        uid, gid = user_of(of) if running_as_root() else (os.getuid(), os.getgid())
        for held, mounts in ((self.secrets, secret_files(of)), (self.configs, config_files(of))):
            for inside, name in mounts.items():
                folder = root / inside.lstrip("/")
                folder.mkdir(parents=True, exist_ok=True)
                for key, text in held[re.sub(r"-[a-z0-9]{10}$", "", name)].items():
                    (folder / key).unlink(missing_ok=True)
                    (folder / key).write_text(text, encoding="utf-8")
                    # As the node does with fsGroup: root's, readable by the group, writable by nobody else.
                    os.chown(folder / key, 0 if running_as_root() else uid, gid)
                    (folder / key).chmod(0o440)
                made[inside] = folder
        return made

    def _tmp(self, of: Workload, root: Path) -> Path:
        (inside,) = (mount["mountPath"] for mount in of.container["volumeMounts"] if mount["name"] == "tmp")
        folder = root / str(inside).lstrip("/")
        folder.mkdir(parents=True, exist_ok=True)
        if running_as_root():
            os.chown(folder, *user_of(of))
        return folder

    def _inside(self, text: str, mounted: Mapping[str, Path]) -> str:
        for inside, here in mounted.items():
            if text.startswith(f"{inside}/"):
                return f"{here}{text.removeprefix(inside)}"
        return text


def user_of(of: Workload) -> tuple[int, int]:
    """Give the user and group that the pod runs as."""
    context = of.pod["securityContext"]
    return context["runAsUser"], context["runAsGroup"]


def as_user(of: Workload) -> list[str]:
    """Give the words that make a process the pod's user; none where we are nobody's root and cannot become anybody."""
    if not running_as_root():
        return []
    uid, gid = user_of(of)
    plain = ["setpriv", "--reuid", str(uid), "--regid", str(gid), "--clear-groups", "--pdeathsig", "KILL"]
    # Where Python itself lies in root's own folder, the user is let to read everything; writing nowhere stays.
    reading = [*plain, "--inh-caps", CAPABILITY, "--ambient-caps", CAPABILITY]
    for words in (plain, reading):
        if _works(tuple(words)):
            return words
    return []


@cache
def _works(words: tuple[str, ...]) -> bool:
    if shutil.which(words[0]) is None:
        return False
    tried = [*words, sys.executable, "-c", "import consumer.cli.app"]
    return subprocess.run(tried, check=False, capture_output=True, cwd=ROOT).returncode == 0  # noqa: S603 our own words


@cache
def _dockerfile() -> str:
    return (ROOT / "Dockerfile").read_text(encoding="utf-8").rpartition("\nFROM ")[2]


def _entry_point() -> list[str]:
    """Give the image's entry point, found in this environment instead of the image's PATH."""
    written = re.search(r"^ENTRYPOINT (\[.*\])$", _dockerfile(), re.MULTILINE)
    assert written is not None
    program, *rest = json.loads(written[1])
    return [str(Path(sys.executable).parent / program), *rest]


def _image_environment() -> dict[str, str]:
    """Give the environment that the image sets; nothing of ours reaches a container, no home and no user either."""
    written = re.search(r"^ENV (.*)$", _dockerfile(), re.MULTILINE)
    assert written is not None
    given = dict(pair.split("=", 1) for pair in written[1].split(" "))
    return {**given, "PATH": os.environ.get("PATH", "")}


class Prober:
    """Asks a process what the kubelet would ask, at the place and in the time that the manifest says."""

    def __init__(self, of: Workload, process: Process) -> None:
        self._container = of.container
        self._process = process

    async def started(self) -> None:
        """Wait for the startup probe, no longer than it may take."""
        probe = self._container["startupProbe"]
        seconds = probe["periodSeconds"] * probe["failureThreshold"]
        await until(lambda: self.ask("startup"), bool, what="the startup probe succeeds", timeout_seconds=seconds)

    async def ready(self) -> None:
        """Wait for the readiness probe."""
        await until(lambda: self.ask("readiness"), bool, what="the readiness probe succeeds")

    async def ask(self, kind: str) -> bool:
        """Ask one probe once, within its own deadline."""
        probe: dict[str, Any] = self._container[f"{kind}Probe"]
        names = [port["name"] for port in self._container["ports"]]
        assert names == [probe["httpGet"]["port"]]
        address = (await json_line(self._process, "listens"))["listens"]
        async with httpx.AsyncClient(timeout=probe["timeoutSeconds"], trust_env=False) as client:
            try:
                answer = await client.get(f"http://{address}{probe['httpGet']['path']}")
            except httpx.TransportError:
                return False
        return answer.is_success
