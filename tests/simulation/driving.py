"""Which command, and which special case, brings a process to the places of each file of the services."""

from collections.abc import Mapping
from types import MappingProxyType

from tests.simulation.scenario import Feature

# What is driven where the place that is aimed at lies in this file of the services; and what must be the case there.
DRIVEN: Mapping[str, tuple[str, Feature]] = MappingProxyType(
    {
        "actions.py": ("speak", Feature.NONE),
        "actions_body.py": ("speak", Feature.NONE),
        "asking.py": ("doctor", Feature.NONE),
        "checkup.py": ("doctor", Feature.NONE),
        "rounding_checkup.py": ("doctor", Feature.ROUNDING),
        "rounding.py": ("doctor", Feature.ROUNDING),
        "erasure.py": ("forget customer", Feature.ROUNDING | Feature.LACKING_TAX),
        "erasure_finding.py": ("forget customer", Feature.ROUNDING | Feature.LACKING_TAX),
        "export.py": ("tell customer", Feature.ROUNDING),
        "key_rotation.py": ("change keys", Feature.NONE),
        "retention.py": ("thin out", Feature.OLD),
        "reconciling.py": ("hold against", Feature.GONE | Feature.DOUBLE),
        "reconcile_asking.py": ("hold against", Feature.GONE),
        "groups.py": ("release", Feature.LACKING_TAX),
        "groups_retrying.py": ("release", Feature.CLOSED),
        "previewing.py": ("look", Feature.LOOK_FIRST),
        "rejected.py": ("put in again", Feature.NO_ORDER),
        "replay.py": ("compare", Feature.UNPUBLISHED | Feature.GAP),
        "replay_compare.py": ("compare", Feature.UNPUBLISHED | Feature.GAP),
        "replay_lists.py": ("compare", Feature.UNPUBLISHED),
        "preparing.py": ("doctor", Feature.LOOK_FIRST),
        "doubles.py": ("look", Feature.DOUBLE),
        "contacts.py": ("look", Feature.SAME_NAME | Feature.GUEST),
        "order_map.py": ("look", Feature.ROUNDING | Feature.SKU | Feature.LACKING_TAX),
        "knowing.py": ("look", Feature.ROUNDING | Feature.SKU | Feature.LOOK_FIRST),
        "observing.py": ("look", Feature.LOOK_FIRST),
        "intake.py": ("", Feature.LATE_TOPIC | Feature.BURST),
        "intake_batches.py": ("", Feature.BURST),
        "intake_places.py": ("compare", Feature.GAP | Feature.TOPIC_AGAIN | Feature.LOOK_FIRST),
        "intake_topics.py": ("compare", Feature.LATE_TOPIC),
        "watching.py": ("look", Feature.SENT | Feature.GONE | Feature.DOUBLE),
        "booking.py": ("speak", Feature.CLOSED | Feature.GONE | Feature.SKU | Feature.SENT | Feature.ROUNDING),
        "access.py": ("doctor", Feature.NONE),
    }
)
