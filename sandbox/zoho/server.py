"""The process: a socket, the server on it, and an end that comes at once."""

import asyncio
import ctypes
import json
import os
import signal
import socket
import sys
from pathlib import Path
from types import FrameType

from uvicorn import Config, Server

from sandbox.zoho.app import Application
from sandbox.zoho.connections import protocol_for
from sandbox.zoho.control import seed
from sandbox.zoho.store import Store
from sandbox.zoho.world import World, open_world

_PR_SET_PDEATHSIG = 1
_PARENT_POLL_SECONDS = 0.5


class PromptServer(Server):
    """A server that says when it is ready, and that does not wait for its callers when it is told to stop.

    It need not wait: everything that an answer tells of is on disk before the answer is sent.
    """

    def __init__(self, config: Config, *, origin: str) -> None:
        super().__init__(config)
        self._origin = origin

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and print the address as one line of JSON."""
        await super().startup(sockets)
        sys.stdout.write(json.dumps({"url": self._origin}) + "\n")
        sys.stdout.flush()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop at once, and end as a process that did what it was told."""
        del sig, frame
        self.should_exit = True
        self.force_exit = True


def serve(*, state: Path, host: str, port: int, seed_file: Path | None, exit_with_parent: bool) -> None:
    """Run the stand-in until it is told to stop. Prints one line of JSON with its address when it can be called."""
    parent = os.getppid()
    if exit_with_parent:
        _die_with_parent()
    store = Store(state)
    try:
        world = open_world(store)
        with socket.create_server((host, port), backlog=512) as listening:
            world.origin = f"http://{host}:{listening.getsockname()[1]}"
            if seed_file is not None:
                seed(world, seed_file.read_text(encoding="utf-8"))
            asyncio.run(_run(world, listening, parent if exit_with_parent else None))
    finally:
        store.close()


async def _run(world: World, listening: socket.socket, parent: int | None) -> None:
    config = Config(
        Application(world),
        http=protocol_for(world.connections),
        ws="none",
        lifespan="off",
        log_level="warning",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=60,
    )
    server = PromptServer(config, origin=world.origin)
    if parent is not None:
        _watch_parent(server, parent)
    await server.serve(sockets=[listening])


def _die_with_parent() -> None:
    """Ask the kernel for a signal when the parent dies, where the kernel can do that (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _watch_parent(server: PromptServer, parent: int) -> None:
    """Stop when the parent is gone: for systems without such a signal, and for a parent gone before it was set up."""
    if os.getppid() != parent:
        server.handle_exit(signal.SIGTERM, None)
    else:
        asyncio.get_running_loop().call_later(_PARENT_POLL_SECONDS, _watch_parent, server, parent)
