"""Servers that ask who comes: one of each for all tests of this folder that want it."""

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pytest

from sandbox.embedded import EmbeddedServer
from sandbox.errors import SandboxError
from sandbox.folders import sandbox_folder
from tests.connections.authority import Authority
from tests.connections.issuer import Issuer, serving
from tests.connections.secured_kafka import SecuredKafka
from tests.session_processes import not_downloaded

T = TypeVar("T")
S = TypeVar("S", bound=EmbeddedServer)


class LoopThread:
    """A loop in a thread of its own, for servers that outlive the loop of one test."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T], seconds: float = 180.0) -> T:
        """Run to the end and give the result."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(seconds)

    def close(self) -> None:
        """End the loop and its thread."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()


@contextmanager
def served(server: S) -> Iterator[S]:
    """Start a server for as long as the block. Skips, with the reason, where it cannot be had."""
    loop = LoopThread()
    try:
        try:
            loop.run(server.start())
        except SandboxError as error:
            not_downloaded(str(error))
        try:
            yield server
        finally:
            loop.run(server.close())
    finally:
        loop.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Secured:
    """A broker that asks who comes, with its authority, and where its tokens are had."""

    kafka: SecuredKafka
    authority: Authority
    issuer: Issuer
    token_url: str
    folder: Path


@pytest.fixture(scope="session")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    """Give the broker of this folder's tests."""
    issuer = Issuer()
    certificates = tmp_path_factory.mktemp("certificates")
    authority = Authority(certificates)
    with (
        sandbox_folder(None) as folder,
        serving(issuer) as token_url,
        served(SecuredKafka(folder=folder / "kafka", authority=authority, issuer=issuer)) as kafka,
    ):
        yield Secured(kafka=kafka, authority=authority, issuer=issuer, token_url=token_url, folder=certificates)
