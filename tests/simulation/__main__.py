"""`python -m tests.simulation`: many schedules from their seeds, what they covered, and how fast they went."""

import sys

from tests.simulation.main import main

if __name__ == "__main__":
    sys.exit(main())
