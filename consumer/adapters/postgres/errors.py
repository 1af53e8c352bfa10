"""The one place where errors of asyncpg and of the network become ours."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg

from consumer.errors import DatabaseUnavailableError

# Classes of SQLSTATE that say "not now": connection (08), insufficient resources (53: disk, memory, connections),
# operator intervention (57: shutdown, restart, statement timeout), system error (58), wrong login or password (28).
_UNAVAILABLE_CLASSES = frozenset({"08", "28", "53", "57", "58"})
_UNAVAILABLE_STATES = frozenset(
    {
        "25006",  # the server is a replica by now: a failover
        "25P03",  # we sat idle in a transaction for too long: our process stood still
        "25P04",  # a transaction took too long
        "3D000",  # the database is missing: it may still be made
        "40001",  # conflicts that went on after all the tries
        "40P01",
        "55000",  # the database takes no connections: somebody maintains it
        "55P03",  # a lock was not had in time
    }
)
_REPEATABLE_STATES = frozenset({"40001", "40P01"})
# OpenSSL's numbers (x509_vfy.h): a certificate that is not valid now, and one of another name or address.
_NOT_VALID_NOW = frozenset({9, 10})
_OTHER_NAME = frozenset({62, 64})
# What is known only by its words: the driver's own, and those of poolers.
_BY_WORDS = {
    "rejected SSL upgrade": "The server speaks no TLS: switch it on there (ssl = on), or say BOOKED_DATABASE_TLS="
    "disable.",
    "unsupported startup parameter": "A pooler stands between that does not pass our settings on. Let "
    "BOOKED_DATABASE_URL name Postgres itself; see docs/kafka-and-postgres.md.",
}
_DATA_CLASSES = frozenset({"22", "23"})


def is_repeatable(error: BaseException) -> bool:
    """Tell whether the whole transaction should simply run again: a conflict, a deadlock, or a plan that DDL broke."""
    if isinstance(error, asyncpg.InvalidCachedStatementError | asyncpg.OutdatedSchemaCacheError):
        return True
    return isinstance(error, asyncpg.PostgresError) and error.sqlstate in _REPEATABLE_STATES


def is_data_error(error: BaseException) -> bool:
    """Tell whether the database, or the driver before it, refused the data themselves (SQLSTATE class 22 or 23)."""
    # COPY encodes its values itself and lets the bare errors of Python through.
    if isinstance(error, UnicodeError | OverflowError) or _is_wrong_argument(error):
        return True
    return isinstance(error, asyncpg.PostgresError) and str(error.sqlstate)[:2] in _DATA_CLASSES


def _is_wrong_argument(error: BaseException) -> bool:
    """Tell the errors by which asyncpg itself refuses a value from those about a connection's state."""
    return isinstance(error, asyncpg.InterfaceError) and isinstance(error, ValueError)


def is_unavailable(error: BaseException) -> bool:
    """Tell whether the database does not answer, now or from this connection on; the same work may succeed later."""
    if isinstance(error, asyncpg.PostgresError):
        return str(error.sqlstate)[:2] in _UNAVAILABLE_CLASSES or error.sqlstate in _UNAVAILABLE_STATES
    if _is_wrong_argument(error):
        return False
    return isinstance(error, asyncpg.InterfaceError | asyncpg.InternalClientError | OSError | TimeoutError)


@contextmanager
def translated() -> Iterator[None]:
    """Turn what means "the database does not answer" into DatabaseUnavailableError; let everything else through."""
    try:
        yield
    except Exception as error:
        # Every error has to be looked at here, and those that are not about availability go on as they are.
        if is_unavailable(error):
            raise DatabaseUnavailableError(_sentence(error)) from error
        raise


def _sentence(error: Exception) -> str:
    if isinstance(error, TimeoutError) and not str(error):
        return "Postgres did not answer in time. Check that it runs and is reachable; the work is tried again."
    advice = _advice(error)
    return f"Postgres does not answer: {type(error).__name__}: {error}. {advice or 'The work is tried again.'}"


def _advice(error: Exception) -> str:
    """Say what to do about a refusal that trying again does not end; nothing where it may."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return _about_certificate(error)
    if isinstance(error, ssl.SSLError):
        return (
            "Look at the server's log. Where it asks for certificates, name one that its authority has signed in "
            "BOOKED_DATABASE_CERTIFICATE_FILE and BOOKED_DATABASE_KEY_FILE."
        )
    if isinstance(error, asyncpg.InvalidAuthorizationSpecificationError):
        return (
            "Check the user and the password in BOOKED_DATABASE_URL, the server's pg_hba.conf, and, where it asks for "
            "a certificate, BOOKED_DATABASE_CERTIFICATE_FILE: its name has to be the user's."
        )
    return next((advice for words, advice in _BY_WORDS.items() if words in str(error)), "")


def _about_certificate(error: ssl.SSLCertVerificationError) -> str:
    if error.verify_code in _OTHER_NAME:
        return "Put a name into BOOKED_DATABASE_URL that stands in the server's certificate."
    if error.verify_code in _NOT_VALID_NOW:
        return "Renew the server's certificate."
    return "Name the file of the authority that signed the server's certificate in BOOKED_DATABASE_CA_FILE."
