"""Free ports for the sandbox's servers."""

import random
import socket

LOOPBACK = "127.0.0.1"
# Below the range from which Linux (32768 up) and macOS (49152 up) take the near end of outgoing connections: a port
# from that range can be taken by any client between the moment it is found free and the moment the server binds it,
# and again while a killed server is down.
FIRST_PORT = 20_000
LAST_PORT = 32_000
ATTEMPTS = 200


def free_port() -> int:
    """A TCP port of the loopback address that nothing listens on now, drawn at random so that two sandboxes differ.

    Raises OSError if none of 200 ports was free.
    """
    # SystemRandom: a seed that a test sets must not make two sandboxes draw the same port.
    draw = random.SystemRandom()
    for _ in range(ATTEMPTS):
        port = draw.randint(FIRST_PORT, LAST_PORT)
        if _is_free(port):
            return port
    raise OSError(f"none of {ATTEMPTS} ports between {FIRST_PORT} and {LAST_PORT} is free on {LOOPBACK}")


def _is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As servers do it: connections that are only waiting to be forgotten do not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True
