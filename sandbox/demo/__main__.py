"""`python -m sandbox.demo`: what `make demo` runs."""

import argparse
import asyncio
import contextlib
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from sandbox.demo.plans import Options
from sandbox.demo.running import demonstrate
from sandbox.errors import SandboxError
from sandbox.kafka import quiet_client

EXIT_NOT_AS_EXPECTED = 1
EXIT_UNAVAILABLE = 69  # EX_UNAVAILABLE of sysexits.h
EXIT_INTERRUPTED = 130
ORDERS_MAX = 100_000
WIDTH_WITHOUT_TERMINAL = 160


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demo; 0 where all ended as expected, 1 where not, 69 where it cannot run, 130 when it is broken off."""
    options = _options(arguments)
    console = Console(width=None if sys.stdout.isatty() else WIDTH_WITHOUT_TERMINAL)
    try:
        with quiet_client():
            passed = asyncio.run(_run(options, console))
    except SandboxError as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_UNAVAILABLE
    if passed is None:
        return EXIT_INTERRUPTED
    return 0 if passed else EXIT_NOT_AS_EXPECTED


def _options(arguments: Sequence[str] | None) -> Options:
    parser = argparse.ArgumentParser(
        prog="python -m sandbox.demo",
        description="Starts everything, books a few hundred orders, and shows what came of each.",
    )
    parser.add_argument("--orders", type=_count, default=300, help="how many orders (default: 300)")
    parser.add_argument(
        "--orders-file",
        type=Path,
        help="somebody's own orders instead, of our schema, of WooCommerce or Shopify: a JSON array or JSON lines",
    )
    parser.add_argument("--seed", type=int, default=1, help="which orders: the same seed gives the same (default: 1)")
    parser.add_argument(
        "--keep",
        action=argparse.BooleanOptionalAction,
        default=sys.stdin.isatty() and sys.stdout.isatty(),
        help="leave everything running until Ctrl-C (default: on a terminal)",
    )
    given = parser.parse_args(arguments)
    return Options(orders=given.orders, orders_file=given.orders_file, seed=given.seed, keep=given.keep)


def _count(text: str) -> int:
    count = int(text)
    if not 1 <= count <= ORDERS_MAX:
        raise argparse.ArgumentTypeError(f"it has to be 1 to {ORDERS_MAX}")
    return count


async def _run(options: Options, console: Console) -> bool | None:
    """Run until the end or until told to stop; whether all ended as expected, None where it did not come to that."""
    verdicts: list[bool] = []
    demo = asyncio.ensure_future(demonstrate(options, console, verdicts.append))
    # Cancelled once, however often Ctrl-C is pressed: a second time would break off the orderly end of the servers.
    stops = [demo.cancel]

    def stop() -> None:
        if stops:
            stops.pop()()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, stop)
    with contextlib.suppress(asyncio.CancelledError):
        await demo
    return verdicts[0] if verdicts else None


if __name__ == "__main__":
    sys.exit(main())
