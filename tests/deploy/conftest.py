"""The overlays as built; where the real kustomize cannot be had, tests skip and say why."""

from collections.abc import Mapping

import pytest

from tests.deploy import kustomize
from tests.deploy.built import OVERLAYS, Document, overlay
from tests.session_processes import not_downloaded


@pytest.fixture(scope="session")
def kustomize_there() -> None:
    """See to it that kustomize is there."""
    try:
        kustomize.program()
    except kustomize.KustomizeError as error:
        not_downloaded(f"kustomize: {error}")


@pytest.fixture(scope="session")
def overlays(kustomize_there: None) -> Mapping[str, tuple[Document, ...]]:  # noqa: ARG001 asked for first
    """Every overlay as built, by its name."""
    return {name: overlay(name) for name in OVERLAYS}


@pytest.fixture(scope="session", params=OVERLAYS)
def built(request: pytest.FixtureRequest, overlays: Mapping[str, tuple[Document, ...]]) -> tuple[Document, ...]:
    """One overlay as built, each in its turn."""
    return overlays[request.param]


@pytest.fixture(scope="session")
def production(overlays: Mapping[str, tuple[Document, ...]]) -> tuple[Document, ...]:
    """The overlay production as built."""
    return overlays["production"]
