"""Asks the service on this machine whether it is alive: small and quick, for a container's health check."""

import http.client
import os
import sys

TIMEOUT_SECONDS = 2.0
ANSWER_BYTES_MAX = 4096
_OK = 200


def ask(port: int) -> tuple[bool, str]:
    """Ask /livez; gives whether it is alive, and the answer or what went wrong."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_SECONDS)
    try:
        connection.request("GET", "/livez")
        answer = connection.getresponse()
        return answer.status == _OK, answer.read(ANSWER_BYTES_MAX).decode(errors="replace")
    except OSError as error:
        return False, f"it does not answer on port {port}: {error}"
    finally:
        connection.close()


def main() -> int:
    """End with 0 where it is alive, else with 1."""
    alive, text = ask(int(os.environ.get("BOOKED_HTTP_PORT", "8080")))
    sys.stdout.write(text + "\n")
    return 0 if alive else 1


if __name__ == "__main__":
    sys.exit(main())
