"""When the certificates run out that the settings name, so that somebody hears of it before they do."""

import time
from collections.abc import Mapping
from pathlib import Path

from cryptography import x509

READ_AGAIN_SECONDS = 600.0  # files may be replaced in place while the process runs
_BYTES_MAX = 4 * 1024 * 1024


def expires_at(path: Path, *, trusted: bool) -> float | None:
    """Give when a file's certificate runs out, in seconds since 1970; None where the file cannot be read as one.

    Of certificates to trust the last one counts, since a bundle keeps old ones; of our own the first, which is ours.
    """
    try:
        with path.open("rb") as file:
            found = x509.load_pem_x509_certificates(file.read(_BYTES_MAX))
    except (OSError, ValueError):
        return None
    moments = [one.not_valid_after_utc.timestamp() for one in found]
    return (max(moments) if trusted else moments[0]) if moments else None


class Certificates:
    """The files that settings name, by the setting; whatever cannot be read is left out, since its use will say so."""

    def __init__(self, files: Mapping[str, Path | None]) -> None:
        self._files = {name: path for name, path in files.items() if path is not None}
        self._read_at: float | None = None
        self._known: dict[str, float] = {}

    def look(self, now: float | None = None) -> Mapping[str, float]:
        """Give when each runs out, read again every ten minutes."""
        moment = time.monotonic() if now is None else now
        if self._read_at is None or moment - self._read_at >= READ_AGAIN_SECONDS:
            self._read_at = moment
            told = {name: expires_at(path, trusted="_ca_" in name) for name, path in self._files.items()}
            self._known = {name: at for name, at in told.items() if at is not None}
        return self._known
