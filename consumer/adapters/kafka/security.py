"""What a client of Kafka needs to be let in: TLS with certificates of both sides, and SASL with a password or a token.

Files that cannot be read are found here, when the process starts, and not at the first connection.
"""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from consumer.adapters.kafka.tokens import ClientCredentials, TokenEndpoint
from consumer.errors import ConfigurationError

OAUTHBEARER = "OAUTHBEARER"


@dataclass(frozen=True, slots=True, kw_only=True)
class KafkaAccess:
    """How the brokers are spoken to. ``protocol`` and ``mechanism`` are Kafka's own words; None: not given.

    ``certificate_file`` (PEM) is our own, shown where the broker asks for it; its key may stand in the same file.
    """

    protocol: str
    ca_file: Path | None = None
    certificate_file: Path | None = None
    key_file: Path | None = None
    key_password: str | None = field(default=None, repr=False)
    mechanism: str | None = None
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    token: TokenEndpoint | None = None


def security_of(access: KafkaAccess) -> Mapping[str, Any]:
    """Give what every client of aiokafka takes of it. Raises ConfigurationError, which names the file."""
    security: dict[str, Any] = {"security_protocol": access.protocol}
    if access.protocol.endswith("SSL"):
        security["ssl_context"] = _context(access)
    if access.protocol.startswith("SASL"):
        security["sasl_mechanism"] = access.mechanism
        if access.mechanism == OAUTHBEARER and access.token is not None:
            trust = _trusting(access.token.ca_file, "BOOKED_KAFKA_TOKEN_CA_FILE")
            security["sasl_oauth_token_provider"] = ClientCredentials(access.token, trust)
        else:
            security["sasl_plain_username"] = access.username
            security["sasl_plain_password"] = access.password
    return security


def _context(access: KafkaAccess) -> ssl.SSLContext:
    """Make the TLS context: the broker's certificate and its name are verified always."""
    context = _trusting(access.ca_file, "BOOKED_KAFKA_CA_FILE")
    if access.certificate_file is None:
        return context
    try:
        # A function, because the library would ask the terminal for a password that it lacks, and wait there.
        context.load_cert_chain(access.certificate_file, access.key_file, lambda: access.key_password or "")
    except FileNotFoundError as error:
        raise ConfigurationError(_missing(access), "there is no such file") from error
    except (OSError, ssl.SSLError) as error:
        raise ConfigurationError(
            "BOOKED_KAFKA_CERTIFICATE_FILE",
            "the certificate and its key cannot be used together: both have to be PEM, the key has to be that of the "
            f"certificate, and BOOKED_KAFKA_KEY_PASSWORD its password, if it has one ({_words(error)})",
        ) from error
    return context


def _missing(access: KafkaAccess) -> str:
    there = access.certificate_file is not None and access.certificate_file.exists()
    return "BOOKED_KAFKA_KEY_FILE" if there else "BOOKED_KAFKA_CERTIFICATE_FILE"


def _trusting(ca_file: Path | None, variable: str) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca_file)
    except FileNotFoundError as error:
        raise ConfigurationError(variable, "there is no such file") from error
    except (OSError, ssl.SSLError) as error:
        raise ConfigurationError(variable, f"it is no file of PEM certificates ({_words(error)})") from error


def _words(error: OSError) -> str:
    reason: str | None = getattr(error, "reason", None)
    return reason or error.strerror or type(error).__name__
