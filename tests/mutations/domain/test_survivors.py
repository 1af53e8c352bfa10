"""The list of survivors: how a run is held against it, and that what it says is still in the code."""

import re
from pathlib import Path

import pytest

from tests.mutations.domain.survivors import Survivor, Tally, complaints, read_list, share_killed, tallies

DOMAIN = Path(__file__).resolve().parents[3] / "consumer" / "domain"
LISTED = Survivor(module="money", name="f: a => b", reason="Both give 0.")


def test_a_run_that_agrees_with_the_list_has_no_complaints() -> None:
    """Nine killed, one of them by never ending, and the one that lives is listed."""
    verdicts = {f"money f: {number}": "killed" for number in range(8)}
    verdicts |= {"money g: 1": "timeout", "money f: a => b": "survived"}
    assert complaints(verdicts, [LISTED], least_share=0.9) == []


@pytest.mark.parametrize(
    ("verdicts", "complaint"),
    [
        ({"money f: a => b": "survived", "money f: b => c": "survived"}, "lives and is not listed: money f: b => c"),
        ({"money f: a => b": "survived", "money f: b => c": "unreached"}, "lives and is not listed: money f: b => c"),
        ({"money f: a => b": "killed"}, "listed, but is killed: money f: a => b"),
        ({"money f: b => c": "killed"}, "listed, but is made no more: money f: a => b"),
    ],
)
def test_what_does_not_agree_is_said(verdicts: dict[str, str], complaint: str) -> None:
    """Each with the mutant's name."""
    assert complaints(verdicts, [LISTED], least_share=0.0) == [complaint]


def test_too_few_killed_is_said() -> None:
    """Half is not nine tenths."""
    verdicts = {"money f: a => b": "survived", "money f: b => c": "killed"}
    assert complaints(verdicts, [LISTED], least_share=0.9) == ["50.0% are killed, and at least 90% must be"]


def test_modules_that_were_not_tried_are_not_judged() -> None:
    """A run of one module says nothing of the survivors of another."""
    assert complaints({"taxes f: 1": "killed"}, [LISTED], least_share=0.9) == []


def test_modules_are_counted_each_and_what_is_no_mutant_is_in_no_number() -> None:
    """Two modules; 3 of 4 killed."""
    verdicts = {"a f: 1": "killed", "a f: 2": "survived", "a f: 3": "none", "b/c f: 1": "timeout", "b/c g: 1": "killed"}
    counted = tallies(verdicts)
    assert counted == [
        Tally(module="a", killed=1, timeouts=0, survived=1),
        Tally(module="b/c", killed=1, timeouts=1, survived=0),
    ]
    assert share_killed(counted) == 0.75


def test_every_entry_of_the_list_is_of_a_line_that_is_still_there() -> None:
    """Else nobody could find what its reason speaks of; an entry that has gone stale is taken off the list."""
    texts: dict[str, str] = {}
    for entry in read_list():
        if entry.module not in texts:
            lines = (DOMAIN / f"{entry.module}.py").read_text(encoding="utf-8").splitlines()
            texts[entry.module] = " ".join(line.strip() for line in lines)
        function, change = entry.name.split(": ", 1)
        before = change.split(" => ", 1)[0]
        assert before in texts[entry.module], entry.key
        assert re.search(rf"def {function.rsplit('.', 1)[-1]}\b", texts[entry.module]), entry.key


def test_every_entry_has_a_reason_and_none_is_listed_twice() -> None:
    """A sentence, with its full stop."""
    listed = read_list()
    assert len({entry.key for entry in listed}) == len(listed)
    assert [entry.key for entry in listed if len(entry.reason) < 15 or not entry.reason.endswith(".")] == []
