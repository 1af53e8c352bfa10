"""The intake's stores, for the tests of this folder."""

from tests.conformance.intake.fixtures import postgres_rig, rig

__all__ = ["postgres_rig", "rig"]
