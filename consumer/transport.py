"""Encryption on the way to Kafka and Postgres: on for every host that is not this machine, unless a setting says no."""

import ipaddress
import ssl
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from urllib.parse import SplitResult, parse_qsl, quote, unquote, urlencode, urlsplit, urlunsplit

import certifi

_ENCRYPTED = frozenset({"require", "verify-ca", "verify-full"})


class DatabaseTls(StrEnum):
    """How Postgres is spoken to."""

    VERIFY = "verify-full"  # encrypted, and the server shows a certificate of its name
    REQUIRE = "require"  # encrypted; whose server it is nobody proves
    DISABLE = "disable"  # in plain text, passwords and orders alike


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnCertificate:
    """What we show of ourselves to Postgres, where it asks for it: PEM files, and the key's password."""

    certificate_file: Path | None = None
    key_file: Path | None = None
    key_password: str | None = None

    def parameters(self) -> dict[str, str]:
        """Give libpq's names for it. Raises ValueError where a part is missing."""
        if (self.certificate_file is None) != (self.key_file is None):
            raise ValueError("BOOKED_DATABASE_CERTIFICATE_FILE and BOOKED_DATABASE_KEY_FILE are needed together")
        if self.certificate_file is None:
            return {}
        for name, file in (("CERTIFICATE", self.certificate_file), ("KEY", self.key_file)):
            if file is None or not file.is_file():
                raise ValueError(f"BOOKED_DATABASE_{name}_FILE names {file}, and there is no such file")
        shown = {"sslcert": str(self.certificate_file), "sslkey": str(self.key_file)}
        return shown if self.key_password is None else {**shown, "sslpassword": self.key_password}


_NOTHING_OWN = OwnCertificate()


def require_https(url: str) -> None:
    """Raise ValueError unless the address is one of https, or of this machine."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("it has to be an address, https://host/path")
    if parts.scheme == "http" and not is_local(parts.hostname):
        raise ValueError("it has to begin with https:// (http:// only to this machine itself)")


def is_local(host: str) -> bool:
    """Tell whether a host is this machine: its loopback, or the folder of a Unix socket."""
    host = host.strip().strip("[]").lower()
    if not host or host.startswith(("/", "@")) or host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def are_local(servers: str) -> bool:
    """Tell whether all of Kafka's servers, ``host:port`` with commas between, are this machine."""
    return all(is_local(_host(server)) for server in servers.split(","))


def _host(server: str) -> str:
    """Give the host of ``host``, ``host:port`` or ``[address]:port``."""
    server = server.strip()
    if server.startswith("["):
        return server[1:].partition("]")[0]
    host, _, port = server.rpartition(":")
    return host if host and port.isdecimal() and ":" not in host else server


def with_tls(url: str, tls: DatabaseTls | None, ca_file: Path | None, own: OwnCertificate = _NOTHING_OWN) -> str:
    """Give Postgres's address with the encryption that it is to have; None is the default: verified, unless local.

    A file of certificates to trust, or one of our own, asks for encryption also to this machine. What the address says
    itself in libpq's words (sslmode, sslrootcert, sslcert, sslkey, sslpassword) goes before the settings. Raises
    ValueError where it asks for less and the setting does not, or where a part of our own is missing.
    """
    parts = urlsplit(url)
    query = parse_qsl(parts.query, keep_blank_values=True)
    named = dict(query)
    shown = {name: value for name, value in own.parameters().items() if name not in named}
    query += shown.items()
    local = all(map(is_local, _hosts(parts.netloc, named.get("host", ""))))
    mode = named.get("sslmode")
    if mode is not None:
        if mode not in _ENCRYPTED and not local and tls is not DatabaseTls.DISABLE:
            raise ValueError(
                f"sslmode={mode} may send passwords and orders in plain text; take it out, or say so: "
                "BOOKED_DATABASE_TLS=disable"
            )
        if mode == DatabaseTls.VERIFY and "sslrootcert" not in named and ca_file is not None:
            shown["sslrootcert"] = str(ca_file)
            query.append(("sslrootcert", str(ca_file)))
        return _with_query(parts, query) if shown else url
    wanted = tls or (None if local and ca_file is None and not shown else DatabaseTls.VERIFY)
    if wanted is None:
        return url
    query.append(("sslmode", wanted.value))
    if wanted is DatabaseTls.VERIFY and "sslrootcert" not in named:
        query.append(("sslrootcert", str(ca_file or _trusted())))
    return _with_query(parts, query)


def _with_query(parts: SplitResult, query: list[tuple[str, str]]) -> str:
    return urlunsplit(parts._replace(query=urlencode(query, safe="/", quote_via=quote)))


def _hosts(netloc: str, in_query: str) -> list[str]:
    """Give the hosts of an address, which may name several; those of its query come first, as with libpq."""
    text = in_query or netloc.rpartition("@")[2]
    return [unquote(_host(server)) for server in text.split(",")]


def _trusted() -> str:
    """Give the machine's own file of certificates to trust, else the one that is installed with us."""
    return ssl.get_default_verify_paths().cafile or certifi.where()
