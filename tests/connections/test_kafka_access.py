"""Each way into Kafka lets in whoever has the right papers, and tells everybody else what to do."""

import uuid
from collections.abc import Mapping
from pathlib import Path

import pytest

from consumer.adapters.kafka.health import KafkaHealth
from consumer.adapters.kafka.settings import KafkaSettings
from consumer.adapters.kafka.sink import KafkaSink
from consumer.adapters.kafka.topics import list_topics
from consumer.bootstrap.parts import kafka_settings
from consumer.config import read_settings
from consumer.errors import BrokerUnavailableError, ConfigurationError
from consumer.ports.messages import Message
from sandbox.kafka import create_topics
from tests.connections.authority import Authority
from tests.connections.conftest import Secured
from tests.connections.issuer import CLIENT_ID, CLIENT_SECRET, SCOPE
from tests.connections.secured_kafka import PASSWORD, USER
from tests.kafka_tools import read_all

pytestmark = pytest.mark.integration
NEEDED = {"BOOKED_DATABASE_URL": "postgresql:///booked", "BOOKED_SECRET_KEYS": "one:key"}


def settings(server: str, **variables: object) -> KafkaSettings:
    """Make the brokers' settings as a process does, from environment variables without their ``BOOKED_KAFKA_``."""
    given = {f"BOOKED_KAFKA_{name}": str(value) for name, value in variables.items()}
    return kafka_settings(read_settings({**NEEDED, "BOOKED_KAFKA_SERVERS": server, **given}), name="booked-test")


def tls(secured: Secured, **more: object) -> dict[str, object]:
    """Give the variables of TLS."""
    return {"SECURITY_PROTOCOL": "SSL", "CA_FILE": secured.authority.file, **more}


def sasl(mechanism: str, protocol: str = "SASL_PLAINTEXT", **more: object) -> dict[str, object]:
    """Give the variables of a login by password."""
    return {
        "SECURITY_PROTOCOL": protocol,
        "SASL_MECHANISM": mechanism,
        "USERNAME": USER,
        "PASSWORD": PASSWORD,
        **more,
    }


def token(secured: Secured, **more: object) -> dict[str, object]:
    """Give the variables of a login by token."""
    return {
        "SECURITY_PROTOCOL": "SASL_SSL",
        "CA_FILE": secured.authority.file,
        "SASL_MECHANISM": "OAUTHBEARER",
        "TOKEN_URL": secured.token_url,
        "TOKEN_CLIENT_ID": CLIENT_ID,
        "TOKEN_CLIENT_SECRET": CLIENT_SECRET,
        **more,
    }


def ways(secured: Secured) -> dict[str, tuple[str, dict[str, object]]]:
    """Give every way in: its listener and its variables."""
    own = secured.authority.certify(USER)
    locked = secured.authority.certify("locked", key_password="of the key")
    trusted = {"CA_FILE": secured.authority.file}
    return {
        "TLS": ("tls", tls(secured)),
        "certificate": ("mutual", tls(secured, CERTIFICATE_FILE=own.certificate, KEY_FILE=own.key)),
        "certificate and key in one file": ("mutual", tls(secured, CERTIFICATE_FILE=own.both)),
        "certificate whose key has a password": (
            "mutual",
            tls(secured, CERTIFICATE_FILE=locked.certificate, KEY_FILE=locked.key, KEY_PASSWORD="of the key"),
        ),
        "PLAIN": ("sasl_plain", sasl("PLAIN")),
        "PLAIN, TLS": ("sasl_tls", sasl("PLAIN", "SASL_SSL", **trusted)),
        "SCRAM-SHA-256": ("sasl_plain", sasl("SCRAM-SHA-256")),
        "SCRAM-SHA-256, TLS": ("sasl_tls", sasl("SCRAM-SHA-256", "SASL_SSL", **trusted)),
        "SCRAM-SHA-512": ("sasl_plain", sasl("SCRAM-SHA-512")),
        "SCRAM-SHA-512, TLS": ("sasl_tls", sasl("SCRAM-SHA-512", "SASL_SSL", **trusted)),
        "OAUTHBEARER": ("sasl_tls", token(secured)),
        "OAUTHBEARER with a scope": ("sasl_tls", token(secured, TOKEN_SCOPE=SCOPE)),
    }


WAYS = (
    "TLS",
    "certificate",
    "certificate and key in one file",
    "certificate whose key has a password",
    "PLAIN",
    "PLAIN, TLS",
    "SCRAM-SHA-256",
    "SCRAM-SHA-256, TLS",
    "SCRAM-SHA-512",
    "SCRAM-SHA-512, TLS",
    "OAUTHBEARER",
    "OAUTHBEARER with a scope",
)


@pytest.mark.parametrize("way", WAYS)
async def test_every_way_in_is_gone_to_its_end(secured: Secured, way: str) -> None:
    """The health check answers, the topics are seen, and a message that was sent that way lies in the topic."""
    listener, variables = ways(secured)[way]
    topic = f"way-{uuid.uuid4().hex}"
    await create_topics(secured.kafka.servers, {topic: 1})
    access = settings(secured.kafka.listeners.server(listener), **variables)
    if way == "certificate whose key has a password":
        # Its name is nobody who may write: that the broker takes the certificate is what is claimed.
        await KafkaHealth(access).ping()
        return
    await KafkaHealth(access).ping()
    assert topic in await list_topics(access)
    sink = KafkaSink(settings=access)
    await sink.start([topic])
    answers = await sink.send([Message(topic=topic, key=b"key", value=way.encode())])
    await sink.stop(2.0)
    assert answers == [None]
    assert [record.value for record in await read_all(secured.kafka.servers, topic, 1)] == [way.encode()]


def wrong_ways(secured: Secured, folder: Path) -> Mapping[str, tuple[str, dict[str, object], list[str]]]:
    """Give ways that lead nowhere: listener, variables, and words that the refusal says."""
    strangers = Authority(folder, "strangers")
    stranger = strangers.certify("stranger")
    user = ["BOOKED_KAFKA_USERNAME", "BOOKED_KAFKA_PASSWORD", f"login of {USER}"]
    return {
        "unknown authority": ("tls", {"SECURITY_PROTOCOL": "SSL"}, ["authority", "BOOKED_KAFKA_CA_FILE"]),
        "another authority": (
            "tls",
            {"SECURITY_PROTOCOL": "SSL", "CA_FILE": strangers.file},
            ["authority", "BOOKED_KAFKA_CA_FILE"],
        ),
        "no certificate": ("mutual", tls(secured), ["certificate of ours", "BOOKED_KAFKA_CERTIFICATE_FILE"]),
        "a stranger's certificate": (
            "mutual",
            tls(secured, CERTIFICATE_FILE=stranger.both),
            ["certificate of ours", "BOOKED_KAFKA_CERTIFICATE_FILE"],
        ),
        "wrong password, PLAIN": ("sasl_plain", sasl("PLAIN", PASSWORD="canary-wrong"), user),
        "wrong password, SCRAM": ("sasl_plain", sasl("SCRAM-SHA-512", PASSWORD="canary-wrong"), user),
        "unknown user, SCRAM": ("sasl_plain", sasl("SCRAM-SHA-256", USERNAME="nobody"), ["login of nobody"]),
        "wrong secret of the client": (
            "sasl_tls",
            token(secured, TOKEN_CLIENT_SECRET="canary-wrong"),
            ["invalid_client", "BOOKED_KAFKA_TOKEN_CLIENT_SECRET"],
        ),
        "token server that is not there": (
            "sasl_tls",
            token(secured, TOKEN_URL="http://127.0.0.1:1/token"),
            ["127.0.0.1 does not answer", "BOOKED_KAFKA_TOKEN_URL"],
        ),
        "plain text to TLS": (
            "tls",
            {"SECURITY_PROTOCOL": "PLAINTEXT"},
            ["BOOKED_KAFKA_SECURITY_PROTOCOL=PLAINTEXT"],
        ),
        "TLS to plain text": (
            "sasl_plain",
            tls(secured),
            ["BOOKED_KAFKA_SECURITY_PROTOCOL=SSL"],
        ),
    }


WRONG_WAYS = (
    "unknown authority",
    "another authority",
    "no certificate",
    "a stranger's certificate",
    "wrong password, PLAIN",
    "wrong password, SCRAM",
    "unknown user, SCRAM",
    "wrong secret of the client",
    "token server that is not there",
    "plain text to TLS",
    "TLS to plain text",
)


@pytest.mark.parametrize("way", WRONG_WAYS)
async def test_a_refusal_says_what_to_do(secured: Secured, tmp_path: Path, way: str) -> None:
    """Both to who starts a process and to who asks for its health; and no secret stands in it."""
    listener, variables, words = wrong_ways(secured, tmp_path)[way]
    access = settings(secured.kafka.listeners.server(listener), **variables)
    said = []
    for attempt in (list_topics(access), KafkaHealth(access).ping()):
        with pytest.raises(BrokerUnavailableError) as error:
            await attempt
        said.append(str(error.value))
    for text in said:
        assert [word for word in words if word not in text] == [], text
        assert "canary" not in text


async def test_a_token_for_somebody_else_is_refused_in_words(secured: Secured) -> None:
    """The broker takes only tokens that are meant for it."""
    secured.issuer.audience = "another service"
    try:
        access = settings(secured.kafka.listeners.server("sasl_tls"), **token(secured))
        with pytest.raises(BrokerUnavailableError, match="does not take our token") as error:
            await list_topics(access)
        assert "audience" in str(error.value)
    finally:
        secured.issuer.audience = "kafka-of-the-test"


async def test_a_certificate_of_another_name_is_refused(secured: Secured) -> None:
    """Its authority is trusted, but the server was asked for by a name that the certificate does not have."""
    port = secured.kafka.listeners.tls
    access = settings(f"127.0.0.2:{port}", **tls(secured))
    with pytest.raises(BrokerUnavailableError) as error:
        await list_topics(access)
    assert "127.0.0.2" in str(error.value)


@pytest.mark.parametrize(
    ("variables", "key"),
    [
        ({"CA_FILE": "/nowhere/at/all"}, "BOOKED_KAFKA_CA_FILE"),
        ({"CERTIFICATE_FILE": "/nowhere/at/all"}, "BOOKED_KAFKA_CERTIFICATE_FILE"),
    ],
)
def test_a_file_that_is_not_there_is_told_at_the_start(variables: Mapping[str, object], key: str) -> None:
    """By its variable, before anything connects."""
    with pytest.raises(ConfigurationError) as error:
        settings("127.0.0.1:1", SECURITY_PROTOCOL="SSL", **variables)
    assert error.value.key == key


def test_a_key_that_does_not_fit_is_told_at_the_start(tmp_path: Path) -> None:
    """A key of another certificate, one whose password is wrong, one whose password is missing, and no PEM."""
    authority = Authority(tmp_path)
    one, other = authority.certify("one"), authority.certify("other")
    locked = authority.certify("locked", key_password="right")
    for certificate, key, password in (
        (one.certificate, other.key, None),
        (locked.certificate, locked.key, "canary-wrong"),
        (locked.certificate, locked.key, None),
        (one.certificate, one.certificate, None),
    ):
        given: dict[str, object] = {"CERTIFICATE_FILE": certificate, "KEY_FILE": key}
        if password is not None:
            given["KEY_PASSWORD"] = password
        with pytest.raises(ConfigurationError) as error:
            settings("127.0.0.1:1", SECURITY_PROTOCOL="SSL", **given)
        assert "BOOKED_KAFKA_KEY_PASSWORD" in str(error.value)
        assert "canary" not in str(error.value)
