"""What many schedules have covered: places at which processes died, pairs of faults, cells of events by states."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from consumer.cli.reference_events import ROWS
from consumer.domain.states import OrderState
from tests.simulation.faults import PAIRS
from tests.simulation.schedule import Sum
from tests.simulation.sites import Site, all_sites

CRASHES_MIN = 50
DEMANDED_FROM = 20_000  # schedules; smaller runs only tell
CELLS = frozenset((row.event, state) for row in ROWS for state in OrderState)
NAMES_SHOWN = 20

# Places at which no process can die, by file, function and the code's beginning, with the reason.
_ENDLESS = "Booking._run: await self._rest(Rest(conclusion=Conclusion("
_FREE_LOCK = "the lock is held across no await, so that nobody ever waits for it"
_NO_WAIT = "neither the beginning nor the end of a timeout ever waits"
_TIMEOUT = re.compile(r"async with asyncio\.timeout\((?!.*\), self\.)")
EXEMPT: Mapping[str, str] = MappingProxyType(
    {
        f"booking.py {_ENDLESS}": "a booking of more than 24 steps is a fault of ours, and no schedule has had one",
        "intake.py Intake._writing: await self._handover.done()": _FREE_LOCK,
        "intake_batches.py Handover.give: async with self._changed": _FREE_LOCK,
        "intake_batches.py Handover.take: async with asyncio.timeout(seconds), self._changed": _FREE_LOCK,
        "intake_batches.py Handover.done: async with self._changed": _FREE_LOCK,
        "intake_batches.py Handover.room: async with asyncio.timeout(seconds), self._changed": _FREE_LOCK,
        "intake_batches.py Handover.settled: async with self._changed": _FREE_LOCK,
        "booking.py Booking._write: await self._rest(": (
            "an order is in hand once, in the one lane that has the lease: no other write of it can be in doubt there"
        ),
        "asking.py asking: await caller.drain(": "it waits only where the command is cancelled amid a call",
    }
)


def is_exempt(site: Site) -> bool:
    """Tell whether no process can die here."""
    named = any(f"{site.file} {site.function}: {site.code}".startswith(one) for one in EXEMPT)
    return named or (_TIMEOUT.match(site.code) is not None)


@dataclass(frozen=True, slots=True)
class Coverage:
    """What is wanted, and what of it is missing: each as words for a person."""

    sites: int
    sites_reached: int
    exempt: int
    missing_sites: tuple[str, ...]
    pairs: int
    missing_pairs: tuple[str, ...]
    cells: int
    missing_cells: tuple[str, ...]

    @property
    def whole(self) -> bool:
        """Tell whether nothing is missing."""
        return not (self.missing_sites or self.missing_pairs or self.missing_cells)


def coverage(whole: Sum, crashes_min: int = CRASHES_MIN) -> Coverage:
    """Compare what was reached with what there is."""
    wanted = [site for site in all_sites() if not is_exempt(site)]
    thin = [site for site in wanted if whole.crashed_at[site] < crashes_min]
    met = {frozenset(pair) for pair in whole.pairs}
    every = {frozenset(kind.value for kind in pair) for pair in PAIRS}
    pairs = sorted(" + ".join(sorted(pair)) for pair in every - met)
    cells = sorted(f"{event} while {state.value}" for event, state in CELLS if not whole.cells[(event, state)])
    return Coverage(
        sites=len(wanted),
        sites_reached=len(wanted) - len(thin),
        exempt=sum(map(is_exempt, all_sites())),
        missing_sites=tuple(f"{whole.crashed_at[site]} x {site}" for site in thin),
        pairs=len(PAIRS),
        missing_pairs=tuple(pairs),
        cells=len(CELLS),
        missing_cells=tuple(cells),
    )


def lacking(whole: Sum, crashes_min: int = CRASHES_MIN) -> dict[Site, int]:
    """Tell how many deaths each place lacks."""
    wanted = {site: crashes_min - whole.crashed_at[site] for site in all_sites() if not is_exempt(site)}
    return {site: missing for site, missing in wanted.items() if missing > 0}


def told(found: Coverage, crashes_min: int = CRASHES_MIN) -> Iterator[str]:
    """Give the lines that tell a coverage."""
    killed = f"awaits of the services at which processes were killed {crashes_min} times or more"
    yield f"| {killed} | {found.sites_reached} of {found.sites} |"
    pairs = found.pairs - len(found.missing_pairs)
    yield f"| awaits at which no process can die (`tests/simulation/coverage.py` says why) | {found.exempt} |"
    yield f"| pairs of kinds of faults met in one schedule | {pairs} of {found.pairs} |"
    yield f"| cells of events by states | {found.cells - len(found.missing_cells)} of {found.cells} |"


def excepted() -> Iterator[str]:
    """Name the places at which no process can die, each with its reason."""
    for site in all_sites():
        if is_exempt(site):
            name = f"{site.file} {site.function}: {site.code}"
            reason = next((why for one, why in EXEMPT.items() if name.startswith(one)), _NO_WAIT)
            yield f"excepted: {site}: {reason}"


def missing(found: Coverage) -> Iterator[str]:
    """Name what is missing, some of each."""
    for name, rows in (("await", found.missing_sites), ("pair", found.missing_pairs), ("cell", found.missing_cells)):
        for row in rows[:NAMES_SHOWN]:
            yield f"missing {name}: {row}"
        if len(rows) > NAMES_SHOWN:
            yield f"missing {name}s: {len(rows) - NAMES_SHOWN} more"
