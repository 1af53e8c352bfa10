"""Misbehaviour on order: which calls it strikes, and what is done to them.

A fault is chosen by method, address and organisation; of the calls that match it strikes the nth, the first so many, or
a share by lot (from a seed, so that a run can be repeated). Counts are kept in the state file: a fault that has struck
does not strike again after a restart.
"""

import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sandbox.zoho.numbers import dumps, loads
from sandbox.zoho.store import Store

BEFORE = frozenset({"status", "code_in_200", "redirect", "expired_token", "revoked_token", "cut_before_commit"})
"""What is done instead of the call: nothing in the books changes."""
AFTER = frozenset(
    {"cut_after_commit", "hold_after_commit", "garbage", "html", "empty", "truncated_json", "slow_body", "big_body"}
    | {"gzip_bomb", "missing_id"}
)
"""What is done to the answer: the books have changed by then."""
AROUND = frozenset({"delay", "stale_list"})
"""What goes with the call as it is."""


class InvalidFaultError(ValueError):
    """A fault that cannot be: an unknown action, or a rule that makes no sense."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """What is done. The figures that an action needs stand in `values` under their own names."""

    name: str
    values: Mapping[str, Any] = field(default_factory=dict)

    def number(self, name: str, default: float) -> float:
        """Give one of the figures."""
        return float(self.values.get(name, default))


@dataclass(slots=True, kw_only=True)
class Fault:
    """One order to misbehave, with the counts of what it has met and struck."""

    id: str
    action: Action
    body: dict[str, Any]
    method: str | None = None
    path: re.Pattern[str] | None = None
    organization_id: str | None = None
    nth: frozenset[int] = frozenset()
    times: int | None = None
    share: float | None = None
    seed: int = 0
    matched: int = 0
    fired: int = 0

    def strikes(self, method: str, path: str, organization_id: str) -> bool:
        """Say whether the call is struck, and count it."""
        if not self._matches(method, path, organization_id):
            return False
        self.matched += 1
        struck = self._chosen()
        self.fired += struck
        return struck

    def _matches(self, method: str, path: str, organization_id: str) -> bool:
        return (
            (self.method is None or self.method == method)
            and (self.path is None or self.path.search(path) is not None)
            and (self.organization_id is None or self.organization_id == organization_id)
        )

    def _chosen(self) -> bool:
        if self.times is not None and self.fired >= self.times:
            return False
        if self.nth and self.matched not in self.nth:
            return False
        # The lot hangs on seed and count alone, so it falls the same after a restart.
        lot = random.Random(f"{self.seed}:{self.matched}").random()  # noqa: S311  # a lot for tests, no secret
        return self.share is None or lot < self.share


def read_fault(body: Mapping[str, Any], *, id_: str) -> Fault:
    """Read a fault as the control API takes it. Raises `InvalidFaultError` with what is wrong."""
    match = body.get("match") or {}
    nth = body.get("nth")
    try:
        path = re.compile(match["path_regex"]) if match.get("path_regex") else None
    except re.error as error:
        raise InvalidFaultError(f"The path_regex {match['path_regex']!r} is no pattern: {error}.") from error
    share = body.get("share")
    if share is not None and not 0 <= float(share) <= 1:
        raise InvalidFaultError(f"The share {share!r} is not between 0 and 1.")
    return Fault(
        id=str(body.get("id") or id_),
        action=_read_action(body.get("action")),
        body=dict(body),
        method=match.get("method"),
        path=path,
        organization_id=match.get("organization_id"),
        nth=frozenset([nth] if isinstance(nth, int) else nth or []),
        times=body.get("times"),
        share=None if share is None else float(share),
        seed=int(body.get("seed", 0)),
    )


def _read_action(given: object) -> Action:
    """Read an action: its name alone, or an object `{name: figures}` such as `{"delay": {"seconds": 2}}`."""
    if isinstance(given, str):
        name, values = given, {}
    elif isinstance(given, Mapping) and len(given) == 1:
        name, raw = next(iter(given.items()))
        values = dict(raw) if isinstance(raw, Mapping) else {_FIGURE.get(name, "value"): raw}
    else:
        raise InvalidFaultError(f"The action {given!r} is neither a name nor an object with one name.")
    if name not in BEFORE | AFTER | AROUND:
        raise InvalidFaultError(
            f"There is no action {name!r}; known are: {', '.join(sorted(BEFORE | AFTER | AROUND))}."
        )
    return Action(name=name, values=values)


_FIGURE = {
    "status": "code",
    "delay": "seconds",
    "hold_after_commit": "seconds",
    "slow_body": "bytes_per_second",
    "big_body": "bytes",
    "gzip_bomb": "bytes",
    "redirect": "location",
    "code_in_200": "code",
    "stale_list": "seconds",
}
"""What a bare value of an action means."""


class Faults:
    """All faults in force."""

    def __init__(self, *, store: Store) -> None:
        self._store = store
        self._faults: list[Fault] = []
        for row in store.rows("SELECT * FROM faults ORDER BY position"):
            fault = read_fault(loads(row["body"]), id_=row["id"])
            fault.matched, fault.fired = row["matched"], row["fired"]
            self._faults.append(fault)

    def add(self, bodies: Sequence[Mapping[str, Any]]) -> list[str]:
        """Put faults in force and give their ids. Raises `InvalidFaultError`, and then none is."""
        taken = max((int(one.id.rpartition("-")[2]) for one in self._faults if one.id.startswith("fault-")), default=0)
        new = [read_fault(body, id_=f"fault-{taken + number}") for number, body in enumerate(bodies, start=1)]
        ids = {one.id for one in new}
        self._faults = [one for one in self._faults if one.id not in ids] + new
        for position, fault in enumerate(self._faults):
            self._store.execute(
                "INSERT OR REPLACE INTO faults (id, position, body, matched, fired) VALUES (?, ?, ?, ?, ?)",
                (fault.id, position, dumps(fault.body), fault.matched, fault.fired),
            )
        return [one.id for one in new]

    def clear(self, id_: str | None = None) -> int:
        """Take one fault, or all, out of force, and give how many."""
        kept = [one for one in self._faults if id_ is not None and one.id != id_]
        removed = len(self._faults) - len(kept)
        self._faults = kept
        self._store.execute("DELETE FROM faults WHERE ?1 IS NULL OR id = ?1", (id_,))
        return removed

    def strike(self, method: str, path: str, organization_id: str) -> list[Fault]:
        """Give the faults that strike a call, and keep their counts."""
        before = {one.id: one.matched for one in self._faults}
        struck = [one for one in self._faults if one.strikes(method, path, organization_id)]
        for one in self._faults:
            if one.matched != before[one.id]:
                self._store.execute(
                    "UPDATE faults SET matched = ?, fired = ? WHERE id = ?", (one.matched, one.fired, one.id)
                )
        return struck

    def shown(self) -> list[dict[str, Any]]:
        """Give all faults with what they have met and struck."""
        return [{**one.body, "id": one.id, "matched": one.matched, "fired": one.fired} for one in self._faults]
