"""Encryption on the way to Kafka and Postgres: on for every host that is not this machine, unless a setting says no."""

import ipaddress
import ssl
from enum import StrEnum
from pathlib import Path
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit, urlunsplit

import certifi

_ENCRYPTED = frozenset({"require", "verify-ca", "verify-full"})


class DatabaseTls(StrEnum):
    """How Postgres is spoken to."""

    VERIFY = "verify-full"  # encrypted, and the server shows a certificate of its name
    REQUIRE = "require"  # encrypted; whose server it is nobody proves
    DISABLE = "disable"  # in plain text, passwords and orders alike


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


def with_tls(url: str, tls: DatabaseTls | None, ca_file: Path | None) -> str:
    """Give Postgres's address with the encryption that it is to have; None is the default: verified, unless local.

    Raises ValueError where the address asks for less in its own words and the setting does not.
    """
    parts = urlsplit(url)
    query = parse_qsl(parts.query, keep_blank_values=True)
    named = dict(query)
    local = all(map(is_local, _hosts(parts.netloc, named.get("host", ""))))
    mode = named.get("sslmode")
    if mode is not None:
        if mode not in _ENCRYPTED and not local and tls is not DatabaseTls.DISABLE:
            raise ValueError(
                f"sslmode={mode} may send passwords and orders in plain text; take it out, or say so: "
                "BOOKED_DATABASE_TLS=disable"
            )
        return url
    wanted = tls or (None if local else DatabaseTls.VERIFY)
    if wanted is None:
        return url
    query.append(("sslmode", wanted.value))
    if wanted is DatabaseTls.VERIFY and "sslrootcert" not in named:
        query.append(("sslrootcert", str(ca_file or _trusted())))
    return urlunsplit(parts._replace(query=urlencode(query, safe="/", quote_via=quote)))


def _hosts(netloc: str, in_query: str) -> list[str]:
    """Give the hosts of an address, which may name several; those of its query come first, as with libpq."""
    text = in_query or netloc.rpartition("@")[2]
    return [unquote(_host(server)) for server in text.split(",")]


def _trusted() -> str:
    """Give the machine's own file of certificates to trust, else the one that is installed with us."""
    return ssl.get_default_verify_paths().cafile or certifi.where()
