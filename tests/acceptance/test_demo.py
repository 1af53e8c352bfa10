"""`make demo` as a process: everything starts, the orders are booked, the judgement passes, and nothing stays behind."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# The first start on a machine downloads Kafka; a busy one is slow.
TIMEOUT_SECONDS = 240
ORDERS = 40


def test_the_demo_books_every_order_as_its_shop_expected_and_ends() -> None:
    """Exit code 0; first and last line name the raised limits; the last one counts nothing lost, doubled or off."""
    command = [sys.executable, "-m", "sandbox.demo", "--orders", str(ORDERS), "--no-keep"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=TIMEOUT_SECONDS, check=False)  # noqa: S603 our own
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr
    first, *_, last = done.stdout.strip().splitlines()
    told = f"for these {ORDERS} both sides, Booked and the ledger, were told 3,000 calls a minute"
    assert told in first
    assert told in last
    counts = re.match(
        r"50 orders: 49 booked, 1 parked, 0 rejected, 0 lost, 0 doubled, 0 off by a cent, 0 otherwise wrong; "
        r"(\d\.\d\d) calls per order; \d+\.\d seconds",
        last,
    )
    assert counts is not None, last
    # 40 orders, of which 20 are of new customers, 4 of listed ones and 2 of listed ones who moved, and the lists.
    assert 1 < float(counts[1]) < 2
    assert "negative_quantity" in done.stdout
    assert done.stderr == ""
