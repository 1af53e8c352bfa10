"""Named places at which a test may kill, stop, delay or fail a real process; outside of tests they do nothing.

``failpoint("name")`` stands in the code where a crash would be worst. It is armed by the setting ``BOOKED_FAILPOINTS``,
``name=action@n`` with commas between: at its n-th passing the point acts, once. Production refuses the setting.

Actions: ``kill9`` ends the process as SIGKILL does; ``hang`` stops it as SIGSTOP does, until somebody sends SIGCONT;
``sleep:SECONDS`` blocks it, event loop and all; ``raise`` raises FailpointError. Before it acts a point writes one line
of JSON to the standard error, so that who armed it knows that it was met.
"""

import json
import os
import re
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

SECONDS_MAX: Final = 600.0
HITS_MAX: Final = 1_000_000
_STDERR: Final = 2
_ONE: Final = re.compile(
    r"(?P<name>[a-z0-9_]+)=(?P<action>kill9|hang|raise|sleep:(?P<seconds>\d{1,3}(\.\d+)?))(@(?P<nth>\d{1,7}))?"
)

POINTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "records_fetched": "C1",  # before the transaction that records them
        "batch_before_commit": "C2",  # all of a batch is written, nothing is committed
        "batch_committed": "C3",  # Postgres has it, the group's offset is the old one
        "offsets_committed": "C4",
        "lane_leased": "C5",  # the lease is committed, nothing was asked yet
        "intent_committed": "C5",  # the intent is committed, the request has not left
        "token_renewed": "C6",  # the accounts server gave a token that nobody has stored
        "answer_unread": "C7",  # the ledger has done the write; its answer's head is here, its body is not
        "answer_read": "C8",  # the write's answer is here, nothing of it is recorded
        "outcome_before_commit": "C9",  # outcome and message are written, nothing is committed
        "outcome_committed": "C10",
        "messages_taken": "C11",  # from the outbox; nothing was sent
        "messages_acknowledged": "C12",  # the broker has them, the outbox does not know
        "messages_before_commit": "C13",  # marked as sent, not committed
        "replay_listed": "C14",  # what is missing is known, nothing was put in
        "replay_half_put_in": "C15",
        "drain_begun": "C16",  # SIGTERM has come, lanes are at work
        "migration_before_commit": "C17",  # every statement has run, nothing is committed
        "migration_committed": "C17",  # the schema is new, the days to come have no tables yet
        "sweep_found": "C18",  # a lane that overslept is found and locked, not corrected
        "stuck_found": "C18",  # what is stuck is woken, not committed
        "code_exchanged": "C19",  # the accounts server gave the grant, it is not stored
        "keys_rotated_half": "C20",  # a batch of secrets is under the new key, the others are under the old one
        "erased_half": "C21",  # contacts and logs are erased, the customer's orders are not
        "exported_half": "C21",  # some of a customer's orders are written, the file is not whole
    }
)
"""Every point that is placed in the code, with its number in the list of crash points."""


class FailpointError(Exception):
    """Raised by a point with the action ``raise``; no rule of the program expects it."""


@dataclass(slots=True, kw_only=True)
class Armed:
    """What a point does at its ``nth`` passing. ``hits`` counts the passings so far."""

    action: str
    nth: int = 1
    seconds: float = 0.0
    hits: int = 0


_armed: dict[str, Armed] = {}


def failpoint(name: str) -> None:
    """Mark a place; nothing happens unless it is armed. Raises FailpointError where it is armed to."""
    if _armed:
        _pass(name)


def parse_failpoints(text: str) -> dict[str, Armed]:
    """Read ``name=action@n,…``. Raises ValueError, which says what is wrong and what is possible."""
    found: dict[str, Armed] = {}
    for word in filter(None, (part.strip() for part in text.split(","))):
        match = _ONE.fullmatch(word)
        if match is None:
            raise ValueError(f"{word!r} is not name=action@n with one of the actions kill9, hang, raise, sleep:SECONDS")
        name, nth, seconds = match["name"], int(match["nth"] or 1), float(match["seconds"] or 0)
        if name not in POINTS:
            raise ValueError(f"there is no point {name!r}; there are {', '.join(POINTS)}")
        if not 1 <= nth <= HITS_MAX or seconds > SECONDS_MAX:
            raise ValueError(f"{word!r}: the passing is from 1 to {HITS_MAX}, the seconds are at most {SECONDS_MAX:g}")
        found[name] = Armed(action=match["action"].partition(":")[0], nth=nth, seconds=seconds)
    return found


def arm_failpoints(text: str | None) -> None:
    """Arm these points and no others, for this process. Raises ValueError."""
    armed = parse_failpoints(text or "")
    _armed.clear()
    _armed.update(armed)


def _pass(name: str) -> None:
    armed = _armed.get(name)
    if armed is None:
        return
    armed.hits += 1
    if armed.hits != armed.nth:
        return
    line = json.dumps({"failpoint": name, "action": armed.action, "hit": armed.hits})
    # Past every buffer: after the next line there may be nobody left to flush one. The line break before it ends
    # whatever line another thread of this process was about to write.
    os.write(_STDERR, f"\n{line}\n".encode())
    _act(name, armed)


def _act(name: str, armed: Armed) -> None:
    match armed.action:
        case "kill9":
            os.kill(os.getpid(), signal.SIGKILL)
        case "hang":
            os.kill(os.getpid(), signal.SIGSTOP)
        case "sleep":
            time.sleep(armed.seconds)
        case _:
            raise FailpointError(f"failpoint {name}")
