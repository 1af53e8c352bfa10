"""What docs/deploy.md tells to type exists: commands of `booked` inside the cluster, and the objects that are named."""

import json
import re
import shlex
from collections.abc import Sequence

import pytest
import typer

from consumer.cli.reference_program import named_commands
from tests.deploy.built import FOLDER, ROOT, Document, workloads

PAGE = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
SHORT = {"deploy": "Deployment", "deployment": "Deployment", "job": "Job", "cronjob": "CronJob"}
# Made on the page itself.
BY_HAND = {("Job", "booked-by-hand"), ("Job", "booked-replay-now")}


def _told() -> list[list[str]]:
    """Give the words of every command that the page has executed in a pod, or in a Job by hand, or by the image."""
    executed = re.findall(r"kubectl .*exec deploy/booked -- booked (.+)", PAGE)
    by_image = re.findall(r"registry\.example\.com/booked:\S+ ([a-z][^>\n]+)", PAGE)
    by_hand = [json.loads(words) for words in re.findall(r"^ *by_hand '(\[.*\])'$", PAGE, re.MULTILINE)]
    return [*(shlex.split(line, comments=True) for line in [*executed, *by_image]), *by_hand]


def _read(words: Sequence[str]) -> str:
    """Have the program's own parser read a command, without running it."""
    commands = dict(named_commands())
    name = next(name for name in (" ".join(words[:2]), words[0]) if name in commands)
    commands[name].make_context(name, list(words[len(name.split()) :]))
    return name


def test_every_command_on_the_page_is_one() -> None:
    """Each is read by the program's own parser, with its options and arguments."""
    found = {_read(words) for words in _told()}
    wanted = {"doctor", "connect", "preview", "order generate", "explain", "look-first", "reconcile", "roles sql"}
    assert wanted | {"keys new", "keys rotate", "keys check"} == found
    with pytest.raises(typer.BadParameter.__mro__[1], match="adoptt"):
        _read(["reconcile", "--adoptt"])


def test_every_object_on_the_page_is_made(production: Sequence[Document]) -> None:
    """Deployments, Jobs and CronJobs that kubectl is told of are in the production overlay."""
    named = {
        (SHORT[kind], name) for kind, name in re.findall(r"\b(deploy|deployment|job|cronjob)/(?!k8s)([a-z-]+)", PAGE)
    }
    named |= {
        (SHORT[kind], name)
        for kind, names in re.findall(r"kubectl [^\n]*\b(deployment|job|cronjob) ((?:booked[a-z-]* ?)+)", PAGE)
        for name in names.split()
    }
    assert len(named) >= 6
    assert named - {(one.kind, one.name) for one in workloads(production)} - BY_HAND == set()


def test_every_component_and_overlay_has_its_row() -> None:
    """The page tells what each component adds."""
    for folder in (FOLDER / "components").iterdir():
        assert re.search(rf"^\| `{folder.name}` \|", PAGE, re.MULTILINE)
    for folder in (FOLDER / "overlays").iterdir():
        assert f"`{folder.name}`" in PAGE
