"""What the embedded servers share: a process with data of its own, started, stopped, and killed as by a crash."""

from abc import ABC, abstractmethod
from types import TracebackType
from typing import Self

from sandbox.errors import SandboxError
from sandbox.processes import Process


class EmbeddedServer(ABC):
    """A server on this machine. It comes back at the same address with the same data after `kill9` and `start`."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._process: Process | None = None

    @property
    def process(self) -> Process:
        """The server's process, to pause or kill it."""
        if self._process is None:
            raise SandboxError(f"{self._name} was not started yet")
        return self._process

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def start(self) -> None:
        """Start the server and return once it answers; the first time makes its data."""
        if self._process is None:
            self._process = await self._prepared()
        await self._process.start()

    async def stop(self) -> None:
        """Stop the server in good order; what it has committed is written."""
        if self._process is not None:
            await self._process.stop()

    async def close(self) -> None:
        """Stop the server for good."""
        await self.stop()

    async def kill9(self) -> None:
        """SIGKILL to the server and its children, as a crash; `start` brings it back."""
        await self.process.kill9()

    @abstractmethod
    async def _prepared(self) -> Process:
        """Make the data and whatever else comes before the first start, and give the process to start."""
