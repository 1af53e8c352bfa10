"""The faults F1 to F30 over the rig: each module registers some; `tests.chaos.registry.all_faults` finds them."""
