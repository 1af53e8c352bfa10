"""The fixtures of the stores behind the lanes, for the tests of this folder."""

from tests.conformance.lanes.fixtures import bench, postgres_bench

__all__ = ["bench", "postgres_bench"]
