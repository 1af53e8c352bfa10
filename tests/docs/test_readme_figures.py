"""The README's figures of what was tried are those of the pages that the runs have written."""

import re

from bench.pages import ROOT, sections

_ROW = re.compile(
    r"^\| \[(?P<words>[^\]]+)\]\(docs/(?P<page>\w+)\.md#(?P<anchor>[\w-]+)\) \| (?P<figures>.+) \|$", re.MULTILINE
)
_NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?")
HEADING = "What was tried, and what came of it"
ROWS_MIN = 7


def _numbers(text: str) -> set[str]:
    return {found.replace(",", "") for found in _NUMBER.findall(text)}


def _anchor(heading: str) -> str:
    return re.sub(r"[^\w-]", "", heading.lower().replace(" ", "-"))


def test_each_figure_stands_in_the_section_that_its_row_leads_to() -> None:
    """A figure that was measured again, and changed, is changed in both places."""
    readme = sections((ROOT / "README.md").read_text(encoding="utf-8"))
    rows = list(_ROW.finditer(readme[HEADING]))
    assert len(rows) >= ROWS_MIN
    for row in rows:
        page = sections((ROOT / "docs" / f"{row['page']}.md").read_text(encoding="utf-8"))
        told = {_anchor(heading): body for heading, body in page.items()}
        assert row["anchor"] in told, f"docs/{row['page']}.md has no section {row['anchor']}"
        unknown = _numbers(row["figures"]) - _numbers(told[row["anchor"]])
        assert unknown == set(), f"{row['words']}: {sorted(unknown)} do not stand in the section"
