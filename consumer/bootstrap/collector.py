"""The garbage collector's pace for a process that takes thousands of orders a second."""

import gc

# Python looks through its young objects after every 700 new ones, some ten orders' worth; nearly
# all of them go by reference count anyway. Measured: a tenth of the intake's processor time. What is left in circles
# would wait for hours where little is to do: memory.py looks through all once a minute.
_YOUNG_OBJECTS = 20_000
_YOUNG_ROUNDS = 20
_MIDDLE_ROUNDS = 100


def calm_collector() -> None:
    """Leave what was made at the start (modules, models) out of all collections, and collect less often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG_OBJECTS, _YOUNG_ROUNDS, _MIDDLE_ROUNDS)
