"""The pages of figures: each is written by the run that measured it, and says which state of the code that was."""

import os
import subprocess
from pathlib import Path

import pytest

from bench.figures import FIGURES, Figure, Output, chosen, measure
from bench.pages import MEASURED, ROOT, sections, write_section

HEADINGS = [(figure, heading) for figure in FIGURES if not figure.awaited for heading in figure.headings]


def _git(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["git", *arguments], cwd=ROOT, check=False, capture_output=True, text=True, timeout=30)  # noqa: S603, S607  # a fixed program


@pytest.mark.parametrize(("figure", "heading"), HEADINGS, ids=[heading for _, heading in HEADINGS])
def test_every_figure_stands_under_its_heading_with_its_origin(figure: Figure, heading: str) -> None:
    """Each figure's page has its heading, and below it commit, date, machine and the command of that figure."""
    origin = MEASURED.search(sections(figure.page.read_text(encoding="utf-8")).get(heading, ""))
    assert origin is not None, f"{figure.page.name}: no measured section {heading!r}; run `make figures`"
    assert origin["command"].split()[:3] == figure.command.split()[:3]


@pytest.mark.parametrize("page", sorted({figure.page for figure, _ in HEADINGS}), ids=lambda page: str(page.name))
def test_no_page_names_a_commit_that_does_not_exist(page: Path) -> None:
    """What a figure was measured at can be looked up: the repository knows the commit."""
    if _git("rev-parse", "--is-shallow-repository").stdout.strip() != "false":
        assert os.environ.get("CI") != "true" or (ROOT / ".git").exists(), "CI checks out the repository"
        pytest.skip("there is no whole history here to look the commits up in")
    origins = list(MEASURED.finditer(page.read_text(encoding="utf-8")))
    unknown = [
        origin["commit"] for origin in origins if _git("cat-file", "-e", f"{origin['commit']}^{{commit}}").returncode
    ]
    assert origins
    assert unknown == []


def test_a_section_is_replaced_and_nothing_else(tmp_path: Path) -> None:
    """A run that is made again takes the place of its section only; what stands before and after it stays."""
    page = tmp_path / "page.md"
    page.write_text(
        "# Page\n\nabout\n\n## One\n\nold\n\n### below one\n\nold too\n\n## Two\n\nby hand\n", encoding="utf-8"
    )
    write_section(page=page, heading="One", body="new\n", command="python -m one", seed="7")
    text = page.read_text(encoding="utf-8")
    assert "old" not in text
    assert text.startswith("# Page\n\nabout\n\n## One\n\nMeasured at commit `")
    assert text.endswith("by `python -m one`, seed 7.\n\nnew\n\n## Two\n\nby hand\n")


def test_a_new_section_stands_at_the_end_of_a_new_page(tmp_path: Path) -> None:
    """Without its section a page gets one at the end, and without a page one is begun."""
    page = tmp_path / "reliability.md"
    write_section(page=page, heading="One", body="1", command="python -m one")
    write_section(page=page, heading="Two", body="2", command="python -m two")
    text = page.read_text(encoding="utf-8")
    assert text.startswith("# Reliability\n\n## One\n")
    assert list(sections(text)) == ["One", "Two"]
    assert len(MEASURED.findall(text)) == 2


@pytest.mark.parametrize(("end", "good", "written"), [(0, True, True), (3, False, True), (1, False, False)])
def test_a_missed_target_is_told_and_a_run_that_failed_is_not(
    tmp_path: Path, *, end: int, good: bool, written: bool
) -> None:
    """Whoever measures on a slow machine sees what came out there; of a run that broke nothing is written."""
    page = tmp_path / "page.md"
    command = f"python -c 'print(17); raise SystemExit({end})'"
    figure = Figure(page=page, headings=("One",), command=command, output=Output.TEXT)
    assert measure(figure) is good
    assert page.exists() is written
    assert not written or sections(page.read_text(encoding="utf-8"))["One"].endswith("```text\n17\n```\n")


def test_one_figure_can_be_measured_alone() -> None:
    """A word of page, heading or command chooses; all are chosen without one."""
    assert [figure.headings for figure in chosen("mapping")] == [("Mapping",)]
    assert {figure.page.name for figure in chosen("money.md")} == {"money.md"}
    assert chosen("") == FIGURES
    assert chosen("no such word") == ()
