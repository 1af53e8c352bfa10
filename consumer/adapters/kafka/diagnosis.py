"""Why no broker lets us in, in a sentence that says what to do.

aiokafka's clients log why a connection did not come about and then raise that none did. So, after such an end, each
server of the settings is asked once more over a bare connection, and what that one raises is put into words.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from aiokafka.conn import AIOKafkaConnection, collect_hosts
from aiokafka.errors import (
    IllegalSaslStateError,
    KafkaError,
    SaslAuthenticationFailed,
    UnsupportedSaslMechanismError,
)
from aiokafka.protocol.metadata import MetadataRequest

from consumer.adapters.kafka.settings import KafkaSettings
from consumer.adapters.kafka.tokens import TokenRefusedError
from consumer.errors import BrokerUnavailableError

ASK_SECONDS = 5.0  # for all servers together
CLOSE_SECONDS = 0.5
# OpenSSL's numbers (x509_vfy.h): no issuer's certificate, self-signed ones, an end that cannot be verified.
_UNKNOWN_AUTHORITY = frozenset({2, 18, 19, 20, 21})
_NOT_VALID_NOW = frozenset({9, 10})
_OTHER_NAME = frozenset({62, 64})
# Alerts by which a broker says what it thinks of our certificate, or of its absence.
_NOT_OURS = (
    "ALERT_CERTIFICATE_REQUIRED",
    "ALERT_CERTIFICATE_UNKNOWN",
    "ALERT_CERTIFICATE_EXPIRED",
    "ALERT_CERTIFICATE_REVOKED",
    "ALERT_BAD_CERTIFICATE",
    "ALERT_UNSUPPORTED_CERTIFICATE",
    "ALERT_UNKNOWN_CA",
    "ALERT_HANDSHAKE_FAILURE",
)
_PLAIN_TEXT = ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "HTTP_REQUEST", "UNEXPECTED_EOF")
_REFUSED = (SaslAuthenticationFailed, IllegalSaslStateError)


@asynccontextmanager
async def explained(settings: KafkaSettings) -> AsyncIterator[None]:
    """Let a BrokerUnavailableError through with its cause in words, where one can be found."""
    try:
        yield
    except BrokerUnavailableError as error:
        said = await why_refused(settings)
        if said is None:
            raise
        raise BrokerUnavailableError(said) from error


async def why_refused(settings: KafkaSettings) -> str | None:
    """Ask each server; gives the sentence of the first that refuses us, None where one lets us in or none answers."""
    with suppress(TimeoutError):
        async with asyncio.timeout(ASK_SECONDS):
            for host, port, _ in collect_hosts(settings.servers, randomize=False):
                try:
                    await knock(settings, host, port, ASK_SECONDS)
                except Exception as error:  # noqa: BLE001 the client's logins raise ValueError and AssertionError too
                    said = sentence(settings, f"{host}:{port}", error)
                    if said is not None:
                        return said
                else:
                    return None
    return None


async def knock(settings: KafkaSettings, host: str, port: int, seconds: float) -> None:
    """Connect, log in, ask something, and disconnect. Raises whatever the client does."""
    connection = AIOKafkaConnection(
        host,
        port,
        client_id=settings.client_id,
        request_timeout_ms=round(seconds * 800),  # within our own deadline, so that the client closes it by itself
        **settings.security,
    )
    try:
        await connection.connect()
        # A refused token shows only here: the client takes the broker's challenge for the end of the login, and gets to
        # its next request an answer that names no broker.
        answer = await connection.send(MetadataRequest([]))
        if not answer.brokers:
            raise IllegalSaslStateError(f"{host}:{port} names no broker")
    finally:
        # A login that failed has left a socket, which is to be gone before we are; where none came about, nothing would
        # ever tell that it is closed.
        if connection._protocol is not None:  # noqa: SLF001 there is no public way to ask
            with suppress(TimeoutError, KafkaError, OSError):
                async with asyncio.timeout(CLOSE_SECONDS):
                    await connection.close()


def sentence(settings: KafkaSettings, server: str, error: BaseException) -> str | None:
    """Put an error of a connection into words; None where it tells of an outage and of no refusal."""
    for one in _chain(error):
        if isinstance(one, TokenRefusedError):
            return f"Kafka: no token for {server}. {one}."
        said = _of_tls(settings, server, one) if isinstance(one, ssl.SSLError) else _of_login(settings, server, one)
        if said is not None:
            return f"Kafka: {server} {said}."
    if _ends_at_once(error):
        return f"Kafka: {server} ends the connection at once. {_other_protocol(settings)}."
    return None


def _chain(error: BaseException | None) -> list[BaseException]:
    found: list[BaseException] = []
    while error is not None and error not in found:
        found.append(error)
        error = error.__cause__ or error.__context__
    return found


def _of_tls(settings: KafkaSettings, server: str, error: ssl.SSLError) -> str | None:
    if isinstance(error, ssl.SSLCertVerificationError):
        return _of_certificate(server, error)
    reason = error.reason or str(error)
    if any(word in reason for word in _NOT_OURS):
        return (
            "asks for a certificate of ours and does not take the one it got, or got none. Name one that the broker's "
            "authority has signed in BOOKED_KAFKA_CERTIFICATE_FILE, and its key in BOOKED_KAFKA_KEY_FILE"
        )
    if any(word in reason for word in _PLAIN_TEXT):
        return f"does not speak TLS. {_other_protocol(settings)}"
    return f"and we do not agree on TLS ({reason}). Check the broker's TLS versions and BOOKED_KAFKA_SECURITY_PROTOCOL"


def _of_certificate(server: str, error: ssl.SSLCertVerificationError) -> str:
    if error.verify_code in _OTHER_NAME:
        return (
            f"shows a certificate of another name than {server.rpartition(':')[0]}. Write a name into "
            "BOOKED_KAFKA_SERVERS that stands in the certificate, and have the brokers advertise such names"
        )
    if error.verify_code in _NOT_VALID_NOW:
        return f"shows a certificate that is not valid now ({error.verify_message}). Renew it at the broker"
    if error.verify_code in _UNKNOWN_AUTHORITY:
        return (
            "shows a certificate of an authority that is not trusted here. Name the file of that authority's "
            "certificate (PEM) in BOOKED_KAFKA_CA_FILE"
        )
    return f"shows a certificate that cannot be verified ({error.verify_message}). Look at the broker's certificate"


def _of_login(settings: KafkaSettings, server: str, error: BaseException) -> str | None:  # noqa: ARG001 one signature
    mechanism = settings.security.get("sasl_mechanism")
    if isinstance(error, UnsupportedSaslMechanismError):
        return f"does not take {mechanism}. Choose another BOOKED_KAFKA_SASL_MECHANISM, or enable it at the broker"
    # The client's own logins raise these bare ones where the broker's last word is not the one they expect.
    if isinstance(error, _REFUSED) or (mechanism and isinstance(error, ValueError | KeyError | AssertionError)):
        if mechanism == "OAUTHBEARER":
            return "does not take our token. Check its audience and scope, and that the broker trusts its issuer"
        return (
            f"refuses the login of {settings.security.get('sasl_plain_username')} by {mechanism}. Check "
            "BOOKED_KAFKA_USERNAME and BOOKED_KAFKA_PASSWORD, and that the user has a password for this mechanism"
        )
    return None


def _ends_at_once(error: BaseException) -> bool:
    """Tell whether a connection that had come about was closed by the broker: it waits for another kind of it."""
    return any(isinstance(one, asyncio.IncompleteReadError | ConnectionResetError) for one in _chain(error))


def _other_protocol(settings: KafkaSettings) -> str:
    now = settings.security.get("security_protocol", "PLAINTEXT")
    return f"Check the port, and whether BOOKED_KAFKA_SECURITY_PROTOCOL={now} is what its listener speaks"
