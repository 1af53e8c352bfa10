"""``python -m sandbox [kafka] [postgres]``: the servers alone, until Ctrl-C, SIGTERM, or the end of the input.

The first line on the standard output is a JSON object with their addresses, as soon as they answer; what happens in
between goes to the standard error. With ``--until-input-ends`` they end when the standard input does: whoever started
this by a pipe, such as the test session, cannot leave it running, even by being killed.
"""

import argparse
import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from sandbox.errors import SandboxError
from sandbox.progress import OnConsole
from sandbox.servers import SandboxSettings, Service, servers

EXIT_UNAVAILABLE = 69  # EX_UNAVAILABLE of sysexits.h


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the servers; 0 after an orderly end, 69 where they cannot be had."""
    options = _parser().parse_args(arguments)
    services = frozenset(Service(name) for name in options.services or list(Service))
    try:
        settings = SandboxSettings.from_environment(os.environ, services=services)
        settings = replace(settings, folder=options.folder)
        asyncio.run(_serve(settings, until_input_ends=options.until_input_ends))
    except SandboxError as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_UNAVAILABLE
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m sandbox", description="Kafka and Postgres for trying things out.")
    parser.add_argument("services", nargs="*", choices=[*Service, []], help="which servers (default: both)")
    parser.add_argument("--folder", type=Path, help="a folder to keep data and logs in (default: a temporary one)")
    parser.add_argument("--until-input-ends", action="store_true", help="end when the standard input is closed")
    return parser


async def _serve(settings: SandboxSettings, *, until_input_ends: bool) -> None:
    serving = asyncio.ensure_future(_announce_and_wait(settings))
    loop = asyncio.get_running_loop()
    # Cancelled once, whatever comes and how often: a second time would break off the orderly stop of the servers. It
    # is a cancellation, so that the wish to end is heard during the start, too, which takes seconds.
    end = _once(serving.cancel)
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, end)
    if until_input_ends:
        loop.add_reader(sys.stdin, _end_with_input, end)
    with contextlib.suppress(asyncio.CancelledError):
        await serving


def _once(act: Callable[[], object]) -> Callable[[], None]:
    left = [act]

    def first_time_only() -> None:
        if left:
            left.pop()()

    return first_time_only


def _end_with_input(end: Callable[[], None]) -> None:
    if not os.read(sys.stdin.fileno(), 1024):
        asyncio.get_running_loop().remove_reader(sys.stdin)
        end()


async def _announce_and_wait(settings: SandboxSettings) -> None:
    async with servers(settings, narrator=OnConsole(Console(stderr=True))) as running:
        addresses = {"kafka_servers": running.kafka_servers, "database_url": running.database_url}
        sys.stdout.write(f"{json.dumps(addresses)}\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


if __name__ == "__main__":
    sys.exit(main())
