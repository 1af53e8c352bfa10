"""`python -m tests.chaos.faults.wrong_clock SECONDS run`: the program with a wall clock that is that much ahead.

SIGUSR2 sets its clock back by an hour while it runs. Only the wall clock is wrong: a real one jumps when somebody sets
it, and the monotonic clock, by which the event loop waits, goes on.
"""

import signal
import sys
from datetime import UTC, datetime, timedelta

import time_machine

from consumer.__main__ import main

BACK_SECONDS = 3600


def run() -> None:
    """Set the clock wrong, and run the program with the words that follow the seconds."""
    ahead = timedelta(seconds=float(sys.argv.pop(1)))
    clock = time_machine.travel(datetime.now(UTC) + ahead, tick=True).start()
    signal.signal(signal.SIGUSR2, lambda *_: clock.shift(-BACK_SECONDS))
    main()


if __name__ == "__main__":
    run()
