"""Fixtures of the tests about who may do what, and about secrets."""

from collections.abc import Iterator

import pytest

from tests.acceptance.conftest import installation
from tests.security.roled import Roled, shared_roled_database

__all__ = ["installation", "roled"]


@pytest.fixture(scope="session")
def roled(postgres_admin_url: str) -> Iterator[Roled]:
    """A database with an owner, the services' role and the shops' reading role, for tests that leave it so."""
    with shared_roled_database(postgres_admin_url) as made:
        yield made
