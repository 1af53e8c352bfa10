"""What the program is made of: locked by hashes, listed, with licences that allow it, on a base that can be fixed."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from deploy.supply_chain import licences
from deploy.supply_chain.locked import EVERYTHING, ROOT, RUNTIME, locked, normal

WORKFLOW = ROOT / ".github" / "workflows" / "ci.yml"


@pytest.mark.parametrize("file", [RUNTIME, EVERYTHING], ids=lambda file: str(file.name))
def test_every_package_is_locked_by_version_and_hash(file: Path) -> None:
    """Each line of a lock file is a package, a hash, or where it comes from; no package is without a hash."""
    packages = locked(file)
    lines = file.read_text(encoding="utf-8").splitlines()
    assert len(packages) == sum("==" in line for line in lines) > 30
    assert [one.name for one in packages if one.hashes == 0] == []
    assert not [line for line in lines if "://" in line], "an index or an address would not be ours to name"


def test_the_lock_of_the_tools_has_the_programs_own_versions() -> None:
    """What the tests ran on is what the image holds: the same version of each package in both files."""
    everything = {one.name: one.version for one in locked(EVERYTHING)}
    assert {one.name: one.version for one in locked(RUNTIME)}.items() <= everything.items()


def test_the_bill_of_materials_names_every_locked_package(tmp_path: Path) -> None:
    """The command of `make sbom` writes CycloneDX that names each locked package with version and hashes."""
    target = tmp_path / "booked.cdx.json"
    recipe = re.search(r"^sbom:.*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert recipe is not None
    command = recipe[1].replace("\\\n", " ").split("-m cyclonedx_py", 1)[1].replace("dist/booked.cdx.json", str(target))
    subprocess.run(  # noqa: S603  # the words of our own Makefile
        [sys.executable, "-W", "ignore", "-m", "cyclonedx_py", *command.split()], cwd=ROOT, check=True, timeout=120
    )
    listed = json.loads(target.read_text(encoding="utf-8"))
    assert (listed["bomFormat"], listed["metadata"]["component"]["name"]) == ("CycloneDX", "booked")
    named = {(normal(one["name"]), one["version"]) for one in listed["components"]}
    assert named == {(one.name, one.version) for one in locked(RUNTIME)}
    assert all(one["externalReferences"][0]["hashes"] for one in listed["components"])


@pytest.mark.parametrize(
    ("licence", "refused"),
    [
        ("MIT", False),
        ("GPL-3.0-only", True),
        ("GNU Affero General Public License v3", True),
        ("LGPL-2.1-or-later", True),
        ("GPL-2.0-only OR BSD-3-Clause", False),
        ("Mozilla Public License 2.0 (MPL 2.0)", False),
    ],
)
def test_a_licence_that_would_bind_our_source_is_refused(licence: str, *, refused: bool) -> None:
    """Only what leaves a choice, or binds its own files alone, may be in the program."""
    assert licences.forbidden(licence) is refused


def test_the_page_of_licences_names_every_locked_package() -> None:
    """Each package of the program has its row; `make check` sees that the page is fresh."""
    rows = licences.PAGE.read_text(encoding="utf-8")
    assert [one.name for one in locked(RUNTIME) if f"| {one.name} | {one.version} |" not in rows] == []
    assert "not stated" not in rows


def test_the_base_of_the_image_is_a_setting_of_both_stages() -> None:
    """A build argument fixes the base by digest, for the stage that builds and for the one that runs."""
    lines = (ROOT / "Dockerfile").read_text(encoding="utf-8").splitlines()
    assert [line.split(" AS ")[0] for line in lines if line.startswith("FROM ")] == ["FROM ${BASE_IMAGE}"] * 2
    assert any(re.match(r"ARG BASE_IMAGE=\S+:\S+$", line) for line in lines)
    assert "--require-hashes" in "\n".join(lines)


def test_the_users_pipeline_runs_the_gate_and_audits_the_locked_packages() -> None:
    """The pipeline file runs `.ci/run`, asks for known faults in what is locked, and keeps the bill of materials."""
    workflow = yaml.safe_load(WORKFLOW.read_text(encoding="utf-8"))
    steps = [step for job in workflow["jobs"].values() for step in job["steps"]]
    commands = "\n".join(step.get("run", "") for step in steps)
    assert ".ci/run" in commands
    assert "pip-audit --require-hashes --disable-pip -r requirements.lock" in commands
    assert "pip-audit --require-hashes --disable-pip -r requirements-tracing.lock" in commands
    assert "make sbom" in commands
    assert workflow["permissions"] == {"contents": "read"}
    assert all(job["timeout-minutes"] <= 90 for job in workflow["jobs"].values())
