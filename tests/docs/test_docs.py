"""The documents say what the program does: links, names, commands and generated parts are held against the code."""

import re
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from consumer.cli import reference, reference_program
from consumer.cli.exits import Exit
from consumer.config import PREFIX, Settings
from consumer.domain.states import TRANSITIONS, OrderState, ReasonCode
from consumer.observability.metrics import Metrics

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *DOCS.rglob("*.md")])
MIGRATIONS = ROOT / "consumer" / "adapters" / "postgres" / "migrations" / "versions"

_LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
_FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"`(booked [^`]+)`")


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def _anchors(path: Path) -> set[str]:
    """Give a page's headings as GitHub makes anchors of them."""
    headings = re.findall(r"^#+ (.+)$", _FENCE.sub("", _text(path)), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def _without_code(text: str) -> str:
    return re.sub(r"`[^`\n]*`", "", _FENCE.sub("", text))


def _broken_links(page: Path) -> Iterator[str]:
    for target in _LINK.findall(_without_code(_text(page))):
        if re.match(r"[a-z]+:", target):
            continue
        file, _, anchor = target.partition("#")
        path = (page.parent / file).resolve() if file else page
        if not path.exists():
            yield f"{target}: there is no such file"
        elif anchor and anchor not in _anchors(path):
            yield f"{target}: there is no such heading"


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_links_within_the_repository_lead_somewhere(page: Path) -> None:
    """Every relative link names a file that exists, and where it names a heading, one of that file's."""
    assert list(_broken_links(page)) == []


def test_a_broken_link_and_a_missing_heading_are_found(tmp_path: Path) -> None:
    """The check above sees a file that is not there and a heading that is not there, and passes over code."""
    page = tmp_path / "page.md"
    page.write_text(
        "# One\n[a](none.md) [b](#two) [c](#one) `[d](none.md)` [e](https://example.com)\n", encoding="utf-8"
    )
    assert list(_broken_links(page)) == ["none.md: there is no such file", "#two: there is no such heading"]


@pytest.mark.parametrize("page", sorted(reference.pages()), ids=_name)
def test_generated_parts_are_fresh(page: Path) -> None:
    """What the pages show between their markers is what the program says now; `make schemas` writes it."""
    assert reference.filled(_text(page), reference.pages()[page]) == _text(page)


@pytest.mark.parametrize("code", list(ReasonCode))
def test_every_reason_has_its_row_in_errors_md(code: ReasonCode) -> None:
    """Each reason code is explained, with something to do."""
    row = next(line for line in _text(DOCS / "errors.md").splitlines() if line.startswith(f"| `{code.value}` |"))
    assert all(cell.strip() for cell in row.strip("|").split("|"))


@pytest.mark.parametrize("field", sorted(Settings.model_fields))
def test_every_setting_has_its_row_in_configuration_md(field: str) -> None:
    """Each variable of the environment is explained."""
    assert f"| `{PREFIX}{field.upper()}` |" in _text(DOCS / "configuration.md")


def test_every_metric_is_in_metrics_md() -> None:
    """Each metric that /metrics can show is in the table, by the name that Prometheus sees."""
    page = _text(DOCS / "metrics.md")
    exposed = re.findall(r"^# TYPE (\w+) \w+$", Metrics().text().decode(), re.MULTILINE)
    named = [name for name in exposed if not name.endswith("_created")]
    assert len(named) >= 20
    assert [name for name in named if f"| `{name}` |" not in page] == []


def test_every_label_of_a_metric_is_explained() -> None:
    """Each label that the table names stands in the table of values, too."""
    page = _text(DOCS / "metrics.md")
    table = "\n".join(reference_program.metrics())
    labels = {
        label
        for cell in re.findall(r"\| (?:counter|gauge|histogram) \| ([^|]+) \|", table)
        for label in cell.split(", ")
    }
    values = page.partition("## Values of the labels")[2].partition("\n## ")[0]
    assert {
        label for label in (name.strip() for name in labels) if label != "-" and f"`{label}`" not in values
    } == set()


def test_every_table_is_in_architecture_md() -> None:
    """Each table of the migrations has its row; the partition for the rest belongs to its parent."""
    page = _text(DOCS / "architecture.md")
    created = [
        name
        for migration in sorted(MIGRATIONS.glob("*.sql"))
        for name in re.findall(r"^CREATE TABLE (\w+) \(", _text(migration), re.MULTILINE)
    ]
    assert len(created) >= 20
    assert [name for name in created if f"| `{name}` |" not in page] == []


def test_the_drawing_of_the_states_is_the_table_of_transitions() -> None:
    """Read back from the page, arrows and rows are exactly the steps that the code allows."""
    page = _text(DOCS / "states.md")
    arrows = {(a, b) for a, b in re.findall(r"^    (\w+) --> (\w+)$", page, re.MULTILINE)}
    rows = set(re.findall(r"^\| `(\w+)` \| `(\w+)` \|", page, re.MULTILINE))
    allowed = {(before.value, after.value) for before, afters in TRANSITIONS.items() for after in afters}
    assert rows == allowed
    assert arrows == {(before, after) for before, after in allowed if before != after}


@pytest.mark.parametrize("state", list(OrderState))
def test_every_state_is_explained(state: OrderState) -> None:
    """Each state has its row of meaning."""
    assert re.search(rf"^\| `{state.value}` \| [A-Z]", _text(DOCS / "states.md"), re.MULTILINE)


@pytest.mark.parametrize("code", list(Exit))
def test_every_exit_code_is_listed(code: Exit) -> None:
    """Each exit code has its row in commands.md."""
    assert f"| {code.value} | {code.name.lower()} |" in _text(DOCS / "commands.md")


# ---- commands ----


def _commands_in(page: Path) -> list[str]:
    """Give every `booked …` that a page tells to run: lines of shell blocks, and inline code."""
    text = _text(page)
    lines = [
        line.strip()
        for _, language, block in _FENCE.findall(text)
        if language in {"", "sh", "bash", "console"}
        for line in block.splitlines()
    ]
    inline = _INLINE.findall(_FENCE.sub("", text))
    return [line for line in [*lines, *inline] if line.startswith("booked ")]


def _fault(written: str) -> str:
    """Tell what is wrong with a command as written; empty where it exists with these options."""
    known = dict(reference_program.named_commands())
    words = [word for word in shlex.split(written, comments=True)[1:] if word not in {"…", "…."}]
    if not words or words[0].startswith("-") or words[0] == "COMMAND":
        return "" if set(words) <= {"--version", "--help", "COMMAND"} else f"booked has no {' '.join(words)}"
    name = next((name for name in (" ".join(words[:2]), words[0]) if name in known), None)
    if name is None:
        groups = {whole.split()[0] for whole in known if " " in whole}
        return "" if words[0] in groups and len(words) == 1 else f"there is no command {words[0]}"
    options = {option for parameter in known[name].params for option in parameter.opts} | {"--help"}
    unknown = [word for word in words if word.startswith("-") and word.partition("=")[0] not in options]
    if unknown:
        return f"{name} has no option {', '.join(unknown)}"
    too_many = _surplus(known[name], words[len(name.split()) :])
    return f"{name} takes no {', '.join(too_many)}" if too_many else ""


def _surplus(command: Any, words: Sequence[str]) -> list[str]:
    """Give the words for which the command has no argument; those that are an option's value are none of them."""
    options = [one for one in command.params if one.param_type_name == "option" and not one.is_flag]
    places = [one.nargs for one in command.params if one.param_type_name == "argument"]
    with_value = {name for option in options for name in option.opts}
    given = [
        word
        for before, word in zip(["", *words], words, strict=False)
        if not word.startswith("-") and before not in with_value
    ]
    return [] if -1 in places else given[sum(places) :]


# Named as things to come, and said to be so where they stand.
TO_COME = {"booked doctor --prove"}


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_commands_in_the_documents_exist(page: Path) -> None:
    """Every `booked` command that a page names exists, with the options it names."""
    faults = {written: _fault(written) for written in _commands_in(page) if written not in TO_COME}
    assert {written: fault for written, fault in faults.items() if fault} == {}


def test_a_command_or_option_that_does_not_exist_is_found() -> None:
    """The check above tells a missing command from a missing option, and accepts what exists."""
    assert _fault("booked nonsense") == "there is no command nonsense"
    assert _fault("booked apply shops.yaml --wet-run") == "apply has no option --wet-run"
    assert _fault("booked reconcile CONNECTION --month MONTH") == "reconcile takes no CONNECTION"
    assert _fault("booked keys new --id k2  # a comment") == ""


def test_enough_commands_are_seen() -> None:
    """The search for commands finds those of README and runbook: it would pass if it found none."""
    assert len(_commands_in(ROOT / "README.md")) >= 6
    assert len(_commands_in(DOCS / "runbook.md")) >= 15


def test_make_targets_in_the_documents_exist() -> None:
    """Every `make …` that a page names is a target of the Makefile."""
    targets = set(re.findall(r"^([a-z-]+):", _text(ROOT / "Makefile"), re.MULTILINE))
    # In code only: a line of prose may begin with the word.
    code = "\n".join(block for page in PAGES for _, _, block in _FENCE.findall(_text(page)))
    inline = "\n".join(found for page in PAGES for found in re.findall(r"`(make [^`]+)`", _text(page)))
    named = set(re.findall(r"^make ([a-z]+)", f"{code}\n{inline}", re.MULTILINE))
    assert {"demo", "test", "check"} <= named
    assert named - targets == set()


@pytest.mark.parametrize("name", sorted({p.name for p in (DOCS / "decisions").glob("[0-9]*.md")}))
def test_every_decision_has_its_parts_and_is_listed(name: str) -> None:
    """A decision says what the question was, what was decided, and what follows; and the list names it."""
    text = _text(DOCS / "decisions" / name)
    assert re.match(rf"# {name[:4]}: ", text)
    assert all(f"\n## {part}\n" in text for part in ("The question", "Decision", "Consequences"))
    assert f"({name})" in _text(DOCS / "decisions" / "README.md")
