"""`python authorise.py URL CONNECTION`: has the stand-in at URL make a code, and runs `booked connect` with it.

For compose.yaml alone. With a real Zoho Books a person makes the code in Zoho's API console: docs/connecting-zoho.md.
"""

import json
import os
import sys
import urllib.request
from typing import Final

TIMEOUT_SECONDS: Final = 10
ANSWER_BYTES_MAX: Final = 10_000


def code_of(url: str, client_id: str, client_secret: str) -> str:
    """Register the client, as a person does in the API console, and make a code for it. Raises OSError."""
    _post(f"{url}/control/clients", {"client_id": client_id, "client_secret": client_secret, "redirect_uris": []})
    return str(_post(f"{url}/control/codes", {"client_id": client_id})["code"])


def _post(url: str, body: dict[str, object]) -> dict[str, object]:
    if not url.startswith("http://"):
        raise SystemExit(f"{url} is no address of a stand-in: http://ADDRESS:PORT")
    request = urllib.request.Request(url, json.dumps(body).encode(), {"content-type": "application/json"})  # noqa: S310  # seen above
    with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310  # the same
        read: dict[str, object] = json.loads(answer.read(ANSWER_BYTES_MAX))
    return read


def main() -> None:
    """Become `booked connect`."""
    url, connection = sys.argv[1:]
    code = code_of(url, os.environ["BOOKED_ZOHO_CLIENT_ID"], os.environ["BOOKED_ZOHO_CLIENT_SECRET"])
    words = ["-m", "consumer", "connect", connection, "--self-client", code, "--as", "compose"]
    os.execv(sys.executable, [sys.executable, *words])  # noqa: S606  # our own command, its words are ours


if __name__ == "__main__":
    main()
