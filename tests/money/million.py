"""`make money`: a million random orders through the mapping, and the table of what came of them.

Prints the table as Markdown; ends with 1 where a booked order is wrong or too few were booked.
"""

import argparse
import multiprocessing
import sys
import time
from collections.abc import Iterator, Sequence

from tests.money.shares import Feature
from tests.money.shop_ways import WAYS
from tests.money.trial import Row, Trial, run

CHUNK = 2_000
EVERY_SECONDS = 30.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run; 0 where all promises held, 1 where one did not."""
    parser = argparse.ArgumentParser(prog="python -m tests.money.million", description=__doc__)
    parser.add_argument("--orders", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=2)
    given = parser.parse_args(arguments)
    trial = _in_processes(given.seed, given.orders, given.processes)
    sys.stdout.write("\n".join(table(trial)) + "\n")
    failures = trial.failures()
    sys.stdout.write("".join(f"FAILED: {failure}\n" for failure in failures))
    return 1 if failures else 0


def _in_processes(seed: int, orders: int, processes: int) -> Trial:
    chunks = [(seed, begin, min(begin + CHUNK, orders)) for begin in range(0, orders, CHUNK)]
    trial, told = Trial(), time.monotonic()
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        for part in pool.imap_unordered(_chunk, chunks):
            trial.add(part)
            if time.monotonic() - told > EVERY_SECONDS:
                told = time.monotonic()
                sys.stderr.write(f"{trial.whole.orders} of {orders}\n")
    return trial


def _chunk(chunk: tuple[int, int, int]) -> Trial:
    seed, begin, end = chunk
    return run(seed, range(begin, end))


def table(trial: Trial) -> Iterator[str]:
    """Give the table's lines: all orders, each feature, each way of computing, and why orders were parked."""
    yield "| orders with | of all | booked | without adjustment | parked | booked with the other setting |"
    yield "| --- | --- | --- | --- | --- | --- |"
    yield _line("all", trial.whole, trial.whole.orders)
    for name in (*(feature.value for feature in Feature), *(way.name for way in WAYS)):
        yield _line(name, trial.rows.get(name, Row()), trial.whole.orders)
    yield ""
    yield "| organisation's setting: group that the order is parked in | orders |"
    yield "| --- | --- |"
    for group, count in trial.reasons.most_common():
        yield f"| {group} | {count} |"


def _line(name: str, row: Row, orders: int) -> str:
    shares = (
        row.orders / (orders or 1),
        *(
            count / (row.orders or 1)
            for count in (row.booked, row.booked - row.adjusted, row.orders - row.booked, row.booked_otherwise)
        ),
    )
    return f"| {name} | {' | '.join(f'{share:.2%}' for share in shares)} |"


if __name__ == "__main__":
    sys.exit(main())
