"""The settings of a process: what is wrong names its variable, and nothing that is secret shows."""

from pathlib import Path

import pytest

from consumer.config import Environment, read_settings
from consumer.errors import ConfigurationError

NEEDED = {
    "BOOKED_DATABASE_URL": "postgresql://booked:canary-password@db/booked",
    "BOOKED_KAFKA_SERVERS": "kafka:9092",
    "BOOKED_SECRET_KEYS": "one:canary-key",
}


def refused(**variables: str) -> ConfigurationError:
    """Give what is said of these variables besides the needed ones."""
    with pytest.raises(ConfigurationError) as error:
        read_settings({**NEEDED, **variables})
    return error.value


def test_what_is_needed_is_enough_and_the_rest_has_defaults() -> None:
    """Variables of others are passed over."""
    settings = read_settings({**NEEDED, "PATH": "/bin", "BOOKED": "no prefix of ours"})
    assert settings.database_url.get_secret_value().startswith(NEEDED["BOOKED_DATABASE_URL"])
    assert settings.environment is Environment.PRODUCTION
    assert settings.topics_in == ("order.paid", "order.updated", "order.cancelled")


@pytest.mark.parametrize("name", sorted(NEEDED))
def test_what_is_missing_is_named(name: str) -> None:
    """Each of the three by its variable."""
    with pytest.raises(ConfigurationError) as error:
        read_settings({key: value for key, value in NEEDED.items() if key != name})
    assert (error.value.key, "missing" in str(error.value)) == (name, True)


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("BOOKED_DATABASE_URL", "mysql://db", "postgresql://"),
        ("BOOKED_KAFKA_SERVERS", "", "at least 1"),
        ("BOOKED_ENVIRONMENT", "prod", "production"),
        ("BOOKED_HTTP_PORT", "65536", "65535"),
        ("BOOKED_LOG_LEVEL", "loud", "pattern"),
        ("BOOKED_BATCH_RECORDS", "0", "greater than or equal to 1"),
        ("BOOKED_STOP_SECONDS", "soon", "number"),
        ("BOOKED_TOPIC_ORDER_PAID", "order paid", "pattern"),
        ("BOOKED_DATABSE_URL", "x", "no setting of this name"),
        ("BOOKED_DATABASE_URL_FILE", "/nowhere/at/all", "cannot be read"),
    ],
)
def test_a_value_that_cannot_be_used_is_refused_by_its_name(name: str, value: str, says: str) -> None:
    """Misspelt variables too: a setting that nobody reads would be a surprise later."""
    values = {**NEEDED, name: value}
    if name.endswith("_FILE"):
        del values[name.removesuffix("_FILE")]
    with pytest.raises(ConfigurationError) as error:
        read_settings(values)
    assert (error.value.key, says in str(error.value)) == (name, True)


def test_a_secret_may_be_a_file(tmp_path: Path) -> None:
    """Its end of line is no part of it."""
    (tmp_path / "url").write_text("postgresql://from-a-file/booked\n")
    values = {key: value for key, value in NEEDED.items() if key != "BOOKED_DATABASE_URL"}
    settings = read_settings({**values, "BOOKED_DATABASE_URL_FILE": str(tmp_path / "url")})
    assert settings.database_url.get_secret_value().startswith("postgresql://from-a-file/booked?")


def test_a_value_that_is_given_twice_is_refused(tmp_path: Path) -> None:
    """Nobody could tell which one holds."""
    (tmp_path / "url").write_text("postgresql://other/booked")
    assert "twice" in str(refused(BOOKED_DATABASE_URL_FILE=str(tmp_path / "url")))


def test_production_refuses_the_sandbox_ledger_and_production_is_the_default() -> None:
    """Orders of real shops must never go into a stand-in."""
    message = str(refused(BOOKED_SANDBOX_LEDGER_URL="http://127.0.0.1:9000"))
    assert "BOOKED_SANDBOX_LEDGER_URL" in message
    assert "production" in message
    settings = read_settings(
        {**NEEDED, "BOOKED_SANDBOX_LEDGER_URL": "http://127.0.0.1:9000", "BOOKED_ENVIRONMENT": "development"}
    )
    assert settings.sandbox_ledger_url == "http://127.0.0.1:9000"


def test_sasl_needs_all_its_parts() -> None:
    """A user without a password would only fail at the broker."""
    some = {
        "BOOKED_KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
        "BOOKED_KAFKA_SASL_MECHANISM": "PLAIN",
        "BOOKED_KAFKA_USERNAME": "booked",
    }
    assert "_PASSWORD" in str(refused(**some))
    assert read_settings({**NEEDED, **some, "BOOKED_KAFKA_PASSWORD": "x"}).kafka_username == "booked"


def test_a_token_needs_all_its_parts() -> None:
    """Where it is had, and as whom; a secret goes over TLS alone."""
    some = {
        "BOOKED_KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
        "BOOKED_KAFKA_SASL_MECHANISM": "OAUTHBEARER",
        "BOOKED_KAFKA_TOKEN_URL": "https://login.example.org/token",
        "BOOKED_KAFKA_TOKEN_CLIENT_ID": "booked",
    }
    assert "_CLIENT_SECRET" in str(refused(**some))
    whole = {**some, "BOOKED_KAFKA_TOKEN_CLIENT_SECRET": "canary-secret"}
    assert "canary" not in repr(read_settings({**NEEDED, **whole}))
    for wrong in ("http://login.example.org/token", "login.example.org", "ftp://login.example.org/"):
        assert refused(**{**whole, "BOOKED_KAFKA_TOKEN_URL": wrong}).key == "BOOKED_KAFKA_TOKEN_URL"
    assert refused(BOOKED_TRACING_URL="http://collector.example.org/v1/traces").key == "BOOKED_TRACING_URL"
    here = read_settings({**NEEDED, "BOOKED_TRACING_URL": "http://127.0.0.1:4318/v1/traces"})
    assert here.tracing_url == "http://127.0.0.1:4318/v1/traces"


@pytest.mark.parametrize(
    ("variables", "says"),
    [
        ({"SASL_MECHANISM": "PLAIN"}, "SASL_SSL"),
        ({"KEY_FILE": "/key"}, "BOOKED_KAFKA_CERTIFICATE_FILE"),
        ({"SECURITY_PROTOCOL": "PLAINTEXT", "CERTIFICATE_FILE": "/certificate"}, "shows no certificates"),
    ],
)
def test_what_would_be_passed_over_is_refused(variables: dict[str, str], says: str) -> None:
    """A login or a certificate that the protocol never asks for was meant to be used."""
    assert says in str(refused(**{f"BOOKED_KAFKA_{name}": value for name, value in variables.items()}))


def test_three_topics_need_three_names() -> None:
    """The topic tells the kind of a bare message."""
    assert "three names" in str(refused(BOOKED_TOPIC_ORDER_UPDATED="order.paid"))


def test_no_message_and_no_repr_holds_a_secret() -> None:
    """Neither that of good settings nor that of refused ones."""
    texts = [repr(read_settings(NEEDED)), str(refused(BOOKED_HTTP_PORT="x"))]
    with pytest.raises(ConfigurationError) as error:
        read_settings({**NEEDED, "BOOKED_DATABASE_URL": "mysql://u:canary-password@db"})
    texts.append(str(error.value) + repr(error.value.__cause__))
    assert not any("canary" in text for text in texts)
