"""The planted bugs fit the code of today and cover what they have to; two of them are tried, the command tries all."""

import pytest

from tests.mutations.planted.__main__ import table
from tests.mutations.planted.bug import LINES_MAX, PROMISES, ROOT, Bug, Change, StaleBugError, all_bugs
from tests.mutations.planted.workshop import Verdict, Workshop

BUGS = all_bugs()
SERVICES = {"intake", "sync", "relay", "replay", "watch", "people", "retention", "reconcile"}
NAMED = {
    "commit-before-insert",
    "unique-field-not-sent",
    "no-fence",
    "relay-reads-beyond-the-last",
    "clock-of-the-process",
    "refusal-is-doubt",
    "slot-leaks",
    "unavailable-batch-dropped",
    "every-process-renews",
    "money-through-floats",
}
TRIED = ("rounds-half-to-even", "lookup-by-beginning")


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_a_bug_fits_the_code_of_today(bug: Bug) -> None:
    """Each bug's place is found once, it changes ten lines at most, and somebody is named who has to notice."""
    texts = {change.file: (ROOT / change.file).read_text(encoding="utf-8") for change in bug.changes}
    for change in bug.changes:
        texts[change.file] = change.applied_to(texts[change.file])
    assert bug.lines <= LINES_MAX
    assert bug.promise in PROMISES
    assert bug.service in SERVICES
    assert bug.tests or bug.schedules
    assert all((ROOT / test.split("::")[0]).exists() for test in bug.tests)


def test_the_bugs_cover_every_promise_and_every_service() -> None:
    """There are 25 at least, one for each promise and each service, and those that every list names."""
    assert len(BUGS) >= 25
    assert {bug.promise for bug in BUGS} == set(PROMISES)
    assert {bug.service for bug in BUGS} == SERVICES
    assert {bug.name for bug in BUGS if bug.named} == NAMED
    assert sum(bug.schedules > 0 for bug in BUGS) >= 5


def test_a_bug_whose_place_has_moved_is_told() -> None:
    """Text that stands nowhere, or twice, is no place: the bug is stale and says so."""
    change = Change(file="a.py", right="x = 1", wrong="x = 2")
    assert change.applied_to("x = 1\n") == "x = 2\n"
    for text in ("y = 1\n", "x = 1\nx = 1\n"):
        with pytest.raises(StaleBugError, match=r"a\.py: found"):
            change.applied_to(text)


@pytest.mark.parametrize("name", TRIED)
def test_the_command_finds_who_catches_a_bug(name: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    """A planted bug is caught in a copy of the tree, whose own files are as before afterwards."""
    bug = next(bug for bug in BUGS if bug.name == name)
    before = {change.file: (ROOT / change.file).read_bytes() for change in bug.changes}
    verdict = Workshop(tmp_path_factory.mktemp("workshop")).try_bug(bug)
    assert verdict.trouble == ""
    assert verdict.caught_by.startswith("tests/")
    assert {file: (ROOT / file).read_bytes() for file in before} == before


def test_a_bug_that_nobody_notices_is_shown() -> None:
    """The table counts what was caught, and has a row for what was not."""
    rows = list(table([Verdict(bug=BUGS[0], caught_by="tests/a.py::test"), Verdict(bug=BUGS[1])]))
    assert rows[0] == "1 of 2 caught."
    assert rows[-1].endswith("| NOT CAUGHT |")
