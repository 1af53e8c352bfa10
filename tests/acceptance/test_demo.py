"""`make demo` as a process: all is started, the orders are booked, the judgement passes, and nothing stays behind."""

import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# The first start on a machine downloads Kafka; a busy one is slow.
TIMEOUT_SECONDS = 240
ORDERS = 40
INTERRUPTED = 130
COMMAND = (sys.executable, "-m", "sandbox.demo", "--orders", str(ORDERS), "--no-keep")


def still_listening(printed: str) -> list[int]:
    """Give those of the ports named that somebody listens on."""
    ports = [int(port) for port in re.findall(r"starts on 127\.0\.0\.1:(\d+)", printed)]
    assert len(ports) == 2, printed
    found = []
    for port in ports:
        with socket.socket() as probe:
            found += [port] if probe.connect_ex(("127.0.0.1", port)) == 0 else []
    return found


def test_the_demo_books_every_order_as_its_shop_expected_and_ends() -> None:
    """Exit code 0; first and last line name the raised limits; the last one counts nothing lost, doubled or off."""
    done = subprocess.run(COMMAND, cwd=ROOT, capture_output=True, text=True, timeout=TIMEOUT_SECONDS, check=False)  # noqa: S603 our own
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
    # Of the 40 some 20 are of new customers, at two calls each, and the others cost one.
    assert 1 < float(counts[1]) < 2
    assert "negative_quantity" in done.stdout
    assert done.stderr == ""
    assert still_listening(done.stdout) == []


def test_ctrl_c_ends_the_demo_with_everything_that_it_started() -> None:
    """Interrupted while the servers are starting, it ends by itself, says so by its code, and leaves no server."""
    with subprocess.Popen(COMMAND, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as demo:  # noqa: S603 our own
        assert demo.stdout is not None
        printed = ""
        for line in demo.stdout:
            printed += line
            if "Booked is set up" in line:
                break
        demo.send_signal(signal.SIGINT)
        rest, errors = demo.communicate(timeout=TIMEOUT_SECONDS)
    assert (demo.returncode, errors) == (INTERRUPTED, ""), printed + rest
    assert still_listening(printed + rest) == []
