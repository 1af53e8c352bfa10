"""`python -m tests.mutations.domain`: changes the domain in every small way and sees which changes no test notices.

Works in a copy of the tree below ``.sandbox/mutants``, keeps what it has found there, and goes on from it the next
time: a module whose text is the same is not tried again for what was killed, and survivors are tried again when a test
has changed. Ends with 1 where a survivor is not on the list, where the list names one that is killed, or where fewer
than 90 % are killed.
"""

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from tests.mutations.domain.mutants import digest
from tests.mutations.domain.operators import mutants_of
from tests.mutations.domain.survivors import ALIVE, KILLED, Tally, complaints, read_list, share_killed, tallies

ROOT = Path(__file__).resolve().parents[3]
WORK = ROOT / ".sandbox" / "mutants"
RESULTS = WORK / "results.jsonl"
COPIED = ("consumer", "schemas", "sandbox", "bench", "docs", "tests", "pyproject.toml")
LEAST_SHARE = 0.9
HEADING = "Mutants of the domain"
COMMAND = "python -m tests.mutations.domain"
_GIT_SECONDS = 30
_STEP_SECONDS = 6 * 3600

_HEAD = """Every function of `consumer/domain` is changed in every small way that `tests/mutations/domain/operators.py`
names, one change at a time, and the tests that reach the changed line are run. A change that no test notices is a
survivor; each is listed with its reason in `tests/mutations/domain/survivors.toml`. A timeout is a change after which
the tests no longer end, and counts as noticed. Some changes are no change at all once compiled; they are not counted.
"""


def main() -> int:
    """Try, report, compare with the list; give the exit code."""
    options = _options()
    modules = _changed_since(options.since) if options.since else options.module or all_modules()
    _copy_tree()
    if modules and not options.report:
        _try_all(modules, _reach(), jobs=options.jobs, budget_seconds=options.budget_seconds)
    verdicts, left = _whole_modules(modules)
    counted = tallies(verdicts)
    sys.stdout.write(table(counted) + "\n" + not_tried(left))
    found = complaints(verdicts, read_list(), least_share=LEAST_SHARE)
    if set(modules) == set(all_modules()):
        _write_page(counted, left, differing=len(found), command=f"{COMMAND} --report" if options.report else COMMAND)
    sys.stdout.writelines(f"{complaint}\n" for complaint in found)
    return 1 if found or (left and not options.report) else 0


def all_modules() -> list[str]:
    """Name every module of the domain."""
    domain = ROOT / "consumer" / "domain"
    return sorted(str(path.relative_to(domain).with_suffix("")) for path in domain.rglob("*.py"))


def table(counted: Sequence[Tally]) -> str:
    """Give the numbers as a table in Markdown, with all of them in the last line."""
    rows = ["| module | mutants | killed | timeouts | survived | killed share |", "|---|---:|---:|---:|---:|---:|"]
    whole = Tally(
        module="**all**",
        killed=sum(each.killed for each in counted),
        timeouts=sum(each.timeouts for each in counted),
        survived=sum(each.survived for each in counted),
    )
    for each in [*counted, whole]:
        name = each.module if each is whole else f"`{each.module}`"
        share = f"{share_killed([each]):.1%}"
        rows.append(f"| {name} | {each.mutants} | {each.killed} | {each.timeouts} | {each.survived} | {share} |")
    return "\n".join(rows)


def not_tried(left: Sequence[str]) -> str:
    """Name the modules that have not been tried to the end; empty where there is none."""
    if not left:
        return ""
    return f"\nNot tried to the end yet, {len(left)} modules: {', '.join(f'`{module}`' for module in left)}.\n"


def _whole_modules(modules: Iterable[str]) -> tuple[dict[str, str], list[str]]:
    """Give what came of the mutants of every module that was tried to the end, and the modules that were not."""
    verdicts: dict[str, str] = {}
    left = []
    modules = list(modules)
    judged = {each["name"]: each["verdict"] for each in _found(modules)}
    for module in modules:
        made = [mutant.name for mutant in mutants_of(module, _text(module))]
        if all(name in judged for name in made):
            verdicts |= {name: judged[name] for name in made if judged[name] in KILLED | ALIVE}
        else:
            left.append(module)
    return verdicts, left


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog=COMMAND, description=__doc__)
    parser.add_argument("--module", action="append", help="only this one, as in deciding/new; may be given again")
    parser.add_argument("--since", help="only the modules that have changed since this commit")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 2, help="how many mutants are tried at a time")
    parser.add_argument("--budget-seconds", type=float, default=10.0, help="of tests against one mutant")
    parser.add_argument("--report", action="store_true", help="try nothing: judge and write what has been found so far")
    return parser.parse_args()


def _changed_since(commit: str) -> list[str]:
    done = subprocess.run(  # noqa: S603  # a fixed program; the commit is the developer's own
        ["git", "diff", "--name-only", commit, "--", "consumer/domain"],  # noqa: S607  # whichever git there is
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
        timeout=_GIT_SECONDS,
    )
    changed = {name.removeprefix("consumer/domain/").removesuffix(".py") for name in done.stdout.split()}
    return [module for module in all_modules() if module in changed]


def _copy_tree() -> None:
    for name in COPIED:
        source, copy = ROOT / name, WORK / "main" / name
        shutil.rmtree(copy, ignore_errors=True)
        if source.is_dir():
            shutil.copytree(source, copy, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, copy)


def _digest(paths: Iterable[Path]) -> str:
    found = hashlib.sha256()
    for path in sorted(paths):
        found.update(f"{path.relative_to(WORK)} ".encode() + path.read_bytes())
    return found.hexdigest()[:16]


def _tests_digest() -> str:
    """Tell one state of everything but the list itself apart from another: code and tests."""
    parts = (WORK / "main" / part for part in ("consumer", "sandbox", "tests"))
    return _digest(path for part in parts for path in part.rglob("*.py"))


def _reach() -> Path:
    """Find out once for each state of the tree who reaches what."""
    path = WORK / f"reach-{_tests_digest()}.json"
    if not path.exists():
        sys.stderr.write("running the tests once, to see which lines each reaches\n")
        _run("reach", str(path))
    return path


def _run(step: str, *arguments: str) -> None:
    subprocess.run(  # noqa: S603  # this Python and our own module
        [sys.executable, "-m", f"tests.mutations.domain.{step}", *arguments],
        cwd=WORK / "main",
        check=True,
        stdout=subprocess.DEVNULL,
        timeout=_STEP_SECONDS,
    )


def _found(modules: Iterable[str]) -> list[dict[str, str]]:
    """Give what has been found of the modules as their texts are now, in the order in which it was: the last counts."""
    texts = {module: digest(_text(module)) for module in modules}
    lines = RESULTS.read_text(encoding="utf-8").splitlines() if RESULTS.exists() else []
    told: list[dict[str, str]] = [json.loads(line) for line in lines]
    return [each for each in told if texts.get(each["module"]) == each["text"]]


def _text(module: str) -> str:
    return (WORK / "main" / "consumer" / "domain" / f"{module}.py").read_text(encoding="utf-8")


def _try_all(modules: Sequence[str], reach: Path, *, jobs: int, budget_seconds: float) -> None:
    """Try what is not settled: killed ones are, and survivors of these very tests."""
    state = _tests_digest()
    settled = [each["name"] for each in _found(modules) if each["verdict"] not in ALIVE or each["tests"] == state]
    skip = WORK / "skip.json"
    skip.write_text(json.dumps(settled))
    arguments = {
        "--reach": reach,
        "--results": RESULTS,
        "--skip": skip,
        "--jobs": jobs,
        "--tests": state,
        "--budget-seconds": budget_seconds,
    }
    _run("trying", *(str(part) for pair in arguments.items() for part in pair), *modules)


def _write_page(counted: Sequence[Tally], left: Sequence[str], *, differing: int, command: str) -> None:
    # Imported here: a run of one module writes no page.
    from bench.pages import write_section  # noqa: PLC0415

    state = "The list agrees with this run." if not differing else f"In {differing} places the list does not agree yet."
    body = f"{_HEAD}\n{table(counted)}\n\n{state}\n{not_tried(left)}"
    write_section(page=ROOT / "docs" / "reliability.md", heading=HEADING, body=body, command=command)


if __name__ == "__main__":
    sys.exit(main())
