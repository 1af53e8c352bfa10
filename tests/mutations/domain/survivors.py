"""The list of mutants that live, each with its reason, and the comparison of a run with it."""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

LIST = Path(__file__).with_name("survivors.toml")

KILLED = frozenset({"killed", "timeout"})
ALIVE = frozenset({"survived", "unreached"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Survivor:
    """One mutant that may live. ``name`` is as ``Mutant.name`` without its module; ``reason`` says why it may."""

    module: str
    name: str
    reason: str

    @property
    def key(self) -> str:
        """The mutant's whole name."""
        return f"{self.module} {self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """How one module's mutants fared; those that are no change at all are in none of the numbers."""

    module: str
    killed: int
    timeouts: int
    survived: int

    @property
    def mutants(self) -> int:
        """All of them."""
        return self.killed + self.timeouts + self.survived


def read_list(path: Path = LIST) -> list[Survivor]:
    """Read the list; KeyError names what an entry lacks."""
    told = tomllib.loads(path.read_text(encoding="utf-8"))
    return [
        Survivor(module=each["module"], name=each["mutant"], reason=each["reason"]) for each in told.get("survivor", [])
    ]


def tallies(verdicts: Mapping[str, str]) -> list[Tally]:
    """Count by module; ``verdicts`` is what came of each mutant, by its whole name."""
    by_module: dict[str, list[str]] = {}
    for name, verdict in verdicts.items():
        by_module.setdefault(name.split(" ", 1)[0], []).append(verdict)
    return [
        Tally(
            module=module,
            killed=found.count("killed"),
            timeouts=found.count("timeout"),
            survived=sum(verdict in ALIVE for verdict in found),
        )
        for module, found in sorted(by_module.items())
    ]


def share_killed(counted: Iterable[Tally]) -> float:
    """Give the share of all mutants that were killed, 0 to 1; of none at all it is 1."""
    counted = list(counted)
    mutants = sum(each.mutants for each in counted)
    return sum(each.killed + each.timeouts for each in counted) / mutants if mutants else 1.0


def complaints(verdicts: Mapping[str, str], listed: Iterable[Survivor], *, least_share: float) -> list[str]:
    """Say what of a run does not agree with the list: one sentence each, none where all is well.

    Only the modules that the run tried are looked at, so that a run of one module can be judged too.
    """
    tried = {name.split(" ", 1)[0] for name in verdicts}
    keys = {each.key for each in listed if each.module in tried}
    alive = {name for name, verdict in verdicts.items() if verdict in ALIVE}
    found = [f"lives and is not listed: {name}" for name in sorted(alive - keys)]
    # One after which the tests take too long may live where they are faster: it may be listed or not.
    for key in sorted(keys - alive - {name for name, verdict in verdicts.items() if verdict == "timeout"}):
        state = "is killed" if verdicts.get(key) in KILLED else "is made no more"
        found.append(f"listed, but {state}: {key}")
    share = share_killed(tallies(verdicts))
    if share < least_share:
        found.append(f"{share:.1%} are killed, and at least {least_share:.0%} must be")
    return found
